"""Frozen classes of data."""
