"""How many configurations the properties that hold most are tried with in the quick tier: more than others."""

from __future__ import annotations

from hypothesis import settings

QUICK = settings().max_examples == 10
"""Whether the tier is the quick one."""
MANY = settings(max_examples=max(100, settings().max_examples))
"""For a property that is cheap to try: a law of the algebra, say."""
FEW = settings(max_examples=5 if QUICK else settings().max_examples)
"""For a property over every kind whose rules are few, so that other kinds try them too: half in the quick tier."""
OF_OTHER_RANKS = ("1d", "3d")
"""How the names of kinds end whose rules are written once, for another number of axes too."""
SOME = settings(max_examples=max(20, settings().max_examples))
"""For the one law over every kind that most is held by: that its rule is torch's."""
