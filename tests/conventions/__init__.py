"""Costs as other tools count them."""
