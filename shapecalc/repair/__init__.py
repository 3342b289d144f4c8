"""Repairs of a model that does not hold: text edits, candidate fixes, and the search among them."""
