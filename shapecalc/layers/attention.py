"""Attention: every position of a sequence looks at every other, L² pairs for a sequence of length L."""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, Self

from pydantic import model_validator

from shapecalc.algebra import Dim
from shapecalc.layers.base import Layer, Named, NoBuffers, NoWindow, SameShape
from shapecalc.layers.fields import Count, Flag, OptionalCount, Probability, complaint
from shapecalc.layers.requirement import Requirement, Shape, divides, matches, rank_between
from shapecalc.layers.sight import Sight, over


class MultiheadAttention(SameShape, NoBuffers, NoWindow, Layer):
    """Self-attention of `[L, N, E]`, `[N, L, E]` with batch_first, or `[L, E]`: the shape is kept.

    Every position is projected to a query, a key and a value of E = embed_dim numbers, which num_heads
    heads share: softmax(Q·Kᵀ/√(E/num_heads))·V, then one projection more. Weights are
    `in_proj_weight: [3·E, E]`, `in_proj_bias: [3·E]`, `out_proj.weight: [E, E]` and
    `out_proj.bias: [E]`, without the biases if bias is false. MACs are 4·N·L·E² for the projections
    and 2·N·L²·E for the two products of the heads. Refuses num_heads that does not divide embed_dim,
    an embed_dim that does not arrive, and other ranks. As in torch, batch_first is false unless said.
    Source: torch.nn.MultiheadAttention(x, x, x); Vaswani et al., Attention Is All You Need, 2017.

    >>> MultiheadAttention(num_heads=12, batch_first=True).macs((1, 197, 768))
    524391936
    >>> MultiheadAttention(num_heads=12, batch_first=True).weights((1, 197, 768))["in_proj_weight"]
    (2304, 768)
    """

    kind: ClassVar[str] = "multihead_attention"
    torch: ClassVar[str | None] = "torch.nn.MultiheadAttention"
    keras: ClassVar[str | None] = "keras.layers.MultiHeadAttention"
    framework: ClassVar[str | None] = "torch"

    embed_dim: OptionalCount = None
    num_heads: Count
    dropout: Probability = 0
    bias: Flag = True
    batch_first: Flag = False

    @model_validator(mode="after")
    def _whole_heads(self) -> Self:
        if isinstance(self.embed_dim, int) and isinstance(self.num_heads, int):
            if self.embed_dim % self.num_heads:
                raise complaint(f"num_heads = {self.num_heads} does not divide embed_dim = {self.embed_dim}")
        return self

    def axes(self, x: Shape, number: int) -> tuple[str, ...]:
        return ("L", "E") if self.batch_first or len(x) == 2 else ("L", "N", "E")

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, 2, 3)
        yield from matches(self.kind, "embed_dim", self.embed_dim, x[-1], x, "features in its last axis")
        heads = divides(self.kind, "num_heads", self.num_heads, "the features", x[-1])
        yield replace(heads, hint="every head has as many features: choose num_heads among the divisors")

    def sight(self, x: Shape, result: int) -> Sight:
        length = 1 if self.batch_first and len(x) == 3 else 0
        return over(len(x), [length, len(x) - 1])

    def weights(self, x: Shape) -> Named:
        e = x[-1]
        if not self.bias:
            return {"in_proj_weight": (3 * e, e), "out_proj.weight": (e, e)}
        return {
            "in_proj_weight": (3 * e, e),
            "in_proj_bias": (3 * e,),
            "out_proj.weight": (e, e),
            "out_proj.bias": (e,),
        }

    def macs(self, x: Shape) -> Dim:
        batch, length = self._batch_and_length(x)
        e = x[-1]
        return batch * (4 * length * e**2 + 2 * length**2 * e)

    def _batch_and_length(self, x: Shape) -> tuple[Dim, Dim]:
        if len(x) == 2:
            return 1, x[0]
        return (x[0], x[1]) if self.batch_first else (x[1], x[0])
