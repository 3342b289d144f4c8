"""Fixes of a model that does not hold: edit sites, candidates, and their search. Internal."""
