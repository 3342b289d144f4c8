"""Hypothesis profiles: `ci` (the default) and `thorough`, ten times as long.

Choose with `SHAPECALC_PROFILE=thorough` or with pytest's own `--hypothesis-profile=thorough`.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

EXAMPLES = 200
"""Configurations per property in the `ci` profile; the properties run once for every kind."""

_SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]

settings.register_profile(
    "ci", max_examples=EXAMPLES, deadline=None, print_blob=True, suppress_health_check=_SLOW_IS_FINE
)
settings.register_profile(
    "thorough",
    max_examples=20 * EXAMPLES,
    deadline=None,
    print_blob=True,
    suppress_health_check=_SLOW_IS_FINE,
)
settings.register_profile(
    "quick", max_examples=10, deadline=None, print_blob=True, suppress_health_check=_SLOW_IS_FINE
)
settings.load_profile(os.environ.get("SHAPECALC_PROFILE", "ci"))
