"""What layers come to together: parameters, multiply-accumulates and memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, cast

from shapecalc.errors import unknown
from shapecalc.report.node import D_co, Node

_BITS = {
    64: "float64 int64 fp64 double",
    32: "float32 int32 fp32 float",
    16: "float16 bfloat16 int16 fp16 bf16 half",
    8: "float8 int8 fp8 uint8",
    4: "int4 uint4 fp4",
}
DTYPES = {name: width for width, names in _BITS.items() for name in names.split()}
"""Bits per number."""


def item_bits(dtype: str) -> int:
    """Return the bits of a number."""
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise unknown("unknown dtype", dtype, DTYPES)
    return DTYPES[dtype]


class Totals(Generic[D_co]):
    """A base of everything that holds layers; its counts are sums over them in all equal passes."""

    __slots__ = ()

    nodes: list[Node[D_co]]
    times: int = 1
    """How many equal passes of the layers there are."""
    loops: int = 0
    """How many loops with a free number of passes it is inside of: it counts one pass of them."""

    def _sum(self, counts: Iterable[Any]) -> D_co:
        result: D_co = self.times * sum(counts)
        return result

    def to_dataframe(self, library: str = "pandas") -> Any:
        """Return a row for each layer as a dataframe of pandas, polars, pyarrow, modin or cudf, by narwhals.

        Shapes and free sizes are text; costs without a rule are null. Raises `NotInstalled` where narwhals or
        the library is not installed.
        """
        from shapecalc.report.dataframe import dataframe

        return dataframe(self.nodes, library)

    @property
    def params(self) -> D_co:
        """Learned numbers, those that are shared counted once."""
        return self._sum(node.params_inside(self.loops) for node in self.nodes)

    @property
    def active_params(self) -> D_co | None:
        """Learned numbers that one token uses, of experts those that it is sent to; None without experts."""
        idle: Any = self._sum(node.idle_params_inside(self.loops) for node in self.nodes)
        return None if idle == 0 else cast("D_co", self.params - idle)

    @property
    def trainable_params(self) -> D_co:
        """Learned numbers that are trained."""
        return self._sum(node.trainable_params_inside(self.loops) for node in self.nodes)

    @property
    def buffer_count(self) -> D_co:
        """Numbers in buffers."""
        return self._sum(node.buffer_count_inside(self.loops) for node in self.nodes)

    @property
    def macs(self) -> D_co:
        """Multiply-accumulates, weights that are shared counted each time they are used."""
        inside = (node.macs_inside(self.loops) for node in self.nodes)
        return self._sum(macs for macs in inside if macs is not None)

    @property
    def flops(self) -> D_co:
        """Twice the multiply-accumulates: one multiplication and one addition each."""
        return cast("D_co", 2 * self.macs)

    @property
    def not_counted(self) -> list[str]:
        """The layers whose multiply-accumulates are not known."""
        return [f"{node.path} ({node.kind})" for node in self.nodes if node.macs is None]

    @property
    def complete(self) -> bool:
        """Whether every layer could be counted."""
        return all(node.macs is not None for node in self.nodes)
