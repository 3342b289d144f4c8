"""Functions of torch by their names: of each element, of several tensors, of whole axes."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar

from shapecalc.errors import quote
from shapecalc.layers.base import Elementwise, Merge
from shapecalc.layers.fields import Annotation, OneOf, complaint
from shapecalc.layers.merge import Broadcast
from shapecalc.layers.select import Mean


class Word(Annotation):
    """The name of a function, as in torch."""

    def check(self, value: Any) -> Any:
        if isinstance(value, str) and re.fullmatch(r"[A-Za-z_][\w.]*", value, re.ASCII):
            return value
        raise complaint(f"{quote(value)} is not the name of a function")

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": r"^[A-Za-z_][A-Za-z0-9_.]*$"}


class Function(Elementwise):
    """A function of each element that no other kind stands for, by its name: shape kept.

    No weights, no multiply-accumulates. Source: torch's functions of one tensor, such as torch.exp.

    >>> Function(function="exp").output((1, 96, 56, 56))
    (1, 96, 56, 56)
    """

    kind: ClassVar[str] = "elementwise"
    framework: ClassVar[str | None] = "torch"

    function: Annotated[str, Word()]


class Combine(Broadcast):
    """A function of the elements of several tensors, by its name, broadcast as `add` does.

    Refuses what `add` refuses. No weights, no multiply-accumulates. Source: torch.sub, torch.div,
    torch.maximum and others.

    >>> Combine(function="sub").output(((1, 64, 7, 7), (1, 64, 1, 1)))
    (1, 64, 7, 7)
    """

    kind: ClassVar[str] = "combine"
    framework: ClassVar[str | None] = "torch"

    __init__ = Merge.__init__

    function: Annotated[str, Word()]


class Reduce(Mean):
    """Makes one number of the axes in `dim`, which vanish, or become 1 with keepdim.

    `function` says how: their sum, greatest, least or product. Sums are no MACs. Refuses axes that do
    not exist or come twice. Source: torch.sum, torch.amax, torch.amin, torch.var, torch.std.

    >>> Reduce(function="amax", dim=[2, 3]).output((1, 1280, 7, 7))
    (1, 1280)
    """

    kind: ClassVar[str] = "reduce"
    framework: ClassVar[str | None] = "torch"
    torch: ClassVar[str | None] = None

    function: Annotated[str, OneOf(("sum", "amax", "amin", "var", "std"))]
