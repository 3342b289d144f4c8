"""How many configurations the properties that hold most are tried with in the quick tier: more than others."""

from __future__ import annotations

from hypothesis import settings

MANY = settings(max_examples=max(100, settings().max_examples))
"""For a property that is cheap to try: a law of the algebra, say."""
SOME = settings(max_examples=max(50, settings().max_examples))
"""For the one law over every kind that most is held by: that its rule is torch's."""
