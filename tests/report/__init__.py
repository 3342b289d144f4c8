"""Derivations, comparison and single values."""
