"""torch: modules traced into models, models built as modules or source, rules proved against torch's shapes.

Internal except for `from_torch`, `build`, `export` and `verify`, which `shapecalc` exports.
"""

from shapecalc.bridges.torch.api import from_torch

__all__ = ["from_torch"]
