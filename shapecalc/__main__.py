"""`python -m shapecalc` is the command `shapecalc`."""

from shapecalc.cli import run

run()
