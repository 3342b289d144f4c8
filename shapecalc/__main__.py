"""`python -m shapecalc` is the command `shapecalc`."""

from shapecalc.cli import main

main(prog_name="shapecalc")
