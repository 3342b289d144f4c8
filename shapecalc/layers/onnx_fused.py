"""Parts of transformers that onnxruntime fuses into one operator with their weights."""

from collections.abc import Iterator
from typing import Annotated

from shapecalc.algebra import Dim, product, quotient
from shapecalc.layers.base import Shapes
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Count, Integer, Listed, Nullable
from shapecalc.layers.onnx_attention import Attending
from shapecalc.layers.onnx_operator import Computing, Operands
from shapecalc.layers.requirement import Requirement, Shape, divides, shown

Results = Annotated[int, Integer(1, 3, may_be_free=False)]


class OnnxFusedAttention(Attending, kind="onnx_fused_attention"):
    """Self-attention with its projections: `[N, L, I]` by weights `[I, Q + K + V]` to `[N, L, V]`.

    Queries, keys and values are of one width, or of `qkv_hidden_sizes`. The second result are the keys and
    values, `[2, N, heads, past + L, size]`. Refuses widths that the heads do not divide, and weights of
    another width. Source: com.microsoft, Attention.

    >>> layer = OnnxFusedAttention(num_heads=2, results=2)
    >>> layer.outputs({"input": (1, 5, 8), "weights": (8, 24), "bias": (24,)})
    ((1, 5, 8), (2, 1, 2, 5, 4))
    """

    operands = "input weights bias? mask_index? past? attention_bias? past_sequence_length?"

    num_heads: Count
    qkv_hidden_sizes: Annotated[tuple[Dim, ...] | None, Nullable(Listed(Integer(1)))] = None
    results: Annotated[int, Integer(1, 2, may_be_free=False)] = 1

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        yield from self.ranked(x, input=3, weights=2, bias=1, past=5)
        yield from self.equal(x, "weights", 0, x["input"][2])
        yield from self.equal(x, "bias", 0, x["weights"][1])
        widths = self.qkv_hidden_sizes
        if widths is None:
            yield divides(self.kind, "3 · num_heads", 3 * self.num_heads, "the weights", x["weights"][1])
        else:
            says = f"{self.kind}: the widths {list(widths)} are not those of {shown(x['weights'])}"
            yield Requirement("projection", len(widths), "==", 3, says)
            yield Requirement("projection", sum(widths), "==", x["weights"][1], says)
            yield Requirement("projection", widths[0], "==", widths[1], says)
            for width in widths[1:]:
                yield divides(self.kind, "num_heads", self.num_heads, "a width", width)
        n, _, _ = x["input"]
        for axis, size in (
            (0, 2),
            (1, n),
            (2, self.num_heads),
            (4, quotient(self._widths(x)[1], self.num_heads)),
        ):
            yield from self.equal(x, "past", axis, size)

    def _widths(self, x: Operands) -> tuple[Dim, ...]:
        return self.qkv_hidden_sizes or (quotient(x["weights"][1], 3),) * 3

    def _total(self, x: Operands) -> Dim:
        return x["input"][1] + (x["past"][3] if "past" in x else 0)

    def output(self, x: Operands) -> Shape:
        return (*x["input"][:2], self._widths(x)[2])

    def outputs(self, x: Operands) -> Shapes:
        size = quotient(self._widths(x)[1], self.num_heads)
        cache = (2, x["input"][0], self.num_heads, self._total(x), size)
        return (self.output(x), cache)[: self.results]

    def macs(self, x: Operands) -> Dim:
        (n, length, _), widths = x["input"], self._widths(x)
        projected = product(x["input"]) * x["weights"][1]
        return projected + n * length * self._total(x) * (widths[1] + widths[2])


class OnnxFusedEmbedding(Computing, kind="onnx_fused_embedding"):
    """The sum of embeddings of words, positions and perhaps segments, normalized: `[N, L]` to `[N, L, E]`.

    The second result is the length of every sequence, `[N]`, the third the sum. Refuses tables of other
    widths. Source: com.microsoft, EmbedLayerNormalization.

    >>> tables = {"word_embedding": (30, 8), "position_embedding": (16, 8), "gamma": (8,), "beta": (8,)}
    >>> OnnxFusedEmbedding(results=2).outputs({"input_ids": (2, 5), **tables})
    ((2, 5, 8), (2,))
    """

    family = Family.EMBEDDING
    operands = (
        "input_ids segment_ids? word_embedding position_embedding segment_embedding? gamma beta mask? "
        "position_ids?"
    )

    results: Results = 1

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        tables = ("word_embedding", "position_embedding", "segment_embedding")
        yield from self.ranked(x, input_ids=2, segment_ids=2, **dict.fromkeys(tables, 2), gamma=1, beta=1)
        width = x["word_embedding"][1]
        for name in tables[1:]:
            yield from self.equal(x, name, 1, width)
        for name in ("gamma", "beta"):
            yield from self.equal(x, name, 0, width)
        for axis in (0, 1):
            yield from self.equal(x, "segment_ids", axis, x["input_ids"][axis])

    def output(self, x: Operands) -> Shape:
        return (*x["input_ids"], x["word_embedding"][1])

    def outputs(self, x: Operands) -> Shapes:
        return (self.output(x), x["input_ids"][:1], self.output(x))[: self.results]
