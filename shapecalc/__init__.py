"""shapecalc."""
