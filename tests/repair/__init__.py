"""Fixes: proposed, applied, smallest."""
