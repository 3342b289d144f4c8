"""Expressions, bounds, decisions, sets of integers and their printed forms."""
