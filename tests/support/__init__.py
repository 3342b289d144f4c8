"""Strategies, oracles and reference networks that the tests share."""
