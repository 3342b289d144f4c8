"""What layers come to together: parameters, multiply-accumulates and memory."""

from __future__ import annotations

from typing import Generic, cast

from shapecalc.report.node import D_co, Node, total


class Totals(Generic[D_co]):
    """A base of everything that holds layers; its counts are sums over them."""

    nodes: list[Node[D_co]]

    @property
    def params(self) -> D_co:
        """Learned numbers, those that are shared counted once."""
        return total(node.params for node in self.nodes)

    @property
    def trainable_params(self) -> D_co:
        """Learned numbers that are trained."""
        return total(node.trainable_params for node in self.nodes)

    @property
    def buffer_count(self) -> D_co:
        """Numbers in buffers."""
        return total(node.buffer_count for node in self.nodes)

    @property
    def macs(self) -> D_co:
        """Multiply-accumulates, weights that are shared counted each time they are used."""
        return total(macs for node in self.nodes if (macs := node.macs) is not None)

    @property
    def flops(self) -> D_co:
        """Twice the multiply-accumulates: one multiplication and one addition each."""
        return cast("D_co", 2 * self.macs)

    @property
    def bytes(self) -> D_co:
        """Memory of all results, each kept, as in training."""
        return total(node.bytes for node in self.nodes)

    @property
    def not_counted(self) -> list[str]:
        """The layers whose multiply-accumulates are not known."""
        return [f"{node.path} ({node.kind})" for node in self.nodes if node.macs is None]

    @property
    def complete(self) -> bool:
        """Whether every layer could be counted."""
        return all(node.macs is not None for node in self.nodes)
