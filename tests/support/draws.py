"""How many configurations a property is tried with in the quick tier, where it is not run once a kind."""

from __future__ import annotations

from hypothesis import settings

MANY = settings(max_examples=max(100, settings().max_examples))
"""For a property that is cheap to try: a law of the algebra, say."""
