"""ONNX's attention over queries, keys and values, with heads in an axis or in the channels, and caches."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Annotated

from shapecalc.algebra import Dim, product, quotient
from shapecalc.layers.base import Shapes
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Count, Integer, Nullable
from shapecalc.layers.onnx_operator import OnnxOperator, Operands
from shapecalc.layers.requirement import Requirement, Shape, divides, rank_between, shown

Results = Annotated[int, Integer(1, 4, may_be_free=False)]
Heads = Annotated[Dim | None, Nullable(Integer(1))]


class Attending(OnnxOperator):
    """Attention by heads: `[N, heads, length, size]`, or `[N, length, heads·size]` and heads as fields."""

    family = Family.ATTENTION

    def heads_apart(self, x: Operands, name: str, heads: Dim) -> Shape:
        """Return an operand with an axis of heads."""
        shape = x[name]
        if len(shape) == 4:
            return shape
        n, length, width = shape
        return (n, heads, length, quotient(width, heads))

    def multiplied(self, query: Shape, keys: Dim, value_size: Dim) -> Dim:
        """Return the MACs of the scores and of the mean: N·heads·L·S·(size + value size)."""
        return product(query[:3]) * keys * (query[3] + value_size)

    def grouped(self, heads: Dim, key_heads: Dim) -> Iterator[Requirement]:
        """Require that the heads of the keys divide those of the query."""
        yield divides(self.kind, "the heads of the keys", key_heads, "the heads of the query", heads)


class AttendingToPast(Attending):
    """Attention with results besides: the keys and values behind those of the past, and the scores."""

    @abstractmethod
    def parts(self, x: Operands) -> tuple[Shape, Shape, Shape]:
        """Return the query, the keys and the values with an axis of heads."""

    def past_fits(self, x: Operands, key: Shape, value: Shape) -> Iterator[Requirement]:
        """Require that the past has the sizes of the keys and the values, but for the length."""
        for name, part in (("past_key", key), ("past_value", value)):
            for axis in (0, 1, 3):
                yield from self.equal(x, name, axis, part[axis])

    def all_results(self, x: Operands) -> Shapes:
        """Return the shapes of the mean of the values, of the keys and values, and of the scores."""
        query, key, value = self.parts(x)
        total = self._total(x, key)
        cached = [(*part[:2], total, part[3]) for part in (key, value)]
        return (self.output(x), *cached, (*query[:3], total))

    def macs(self, x: Operands) -> Dim:
        query, key, value = self.parts(x)
        return self.multiplied(query, self._total(x, key), value[3])

    def _total(self, x: Operands, key: Shape) -> Dim:
        return key[2] + (x["past_key"][2] if "past_key" in x else 0)


class OnnxAttention(AttendingToPast, kind="onnx_attention"):
    """Attention of ONNX: the result has the query's shape, with the values' size; keys may have fewer heads.

    Queries, keys and values are `[N, heads, length, size]`, or `[N, length, heads·size]` with the heads as
    fields. The other results are the keys and values with those of the past before them, and the scores.
    Refuses sizes that do not match. Source: ONNX, Attention; ai.onnx.preview, FlexAttention.

    >>> tensors = {"Q": (2, 4, 24), "K": (2, 6, 24), "V": (2, 6, 30)}
    >>> OnnxAttention(q_num_heads=3, kv_num_heads=3, results=4).outputs(tensors)
    ((2, 4, 30), (2, 3, 6, 8), (2, 3, 6, 10), (2, 3, 4, 6))
    """

    operands = "Q K V attn_mask? past_key? past_value? nonpad_kv_seqlen?"

    q_num_heads: Heads = None
    kv_num_heads: Heads = None
    results: Results = 1

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        for name in "QKV":
            yield from rank_between(f"{self.kind}: {name}", x[name], 3, 4)
        rank = len(x["Q"])
        yield from self.ranked(x, K=rank, V=rank, past_key=4, past_value=4)
        if rank == 3:
            given = sum(heads is not None for heads in (self.q_num_heads, self.kv_num_heads))
            yield Requirement(
                "projection", given, "==", 2, f"{self.kind}: three axes need q_num_heads and kv_num_heads"
            )
            yield divides(self.kind, "q_num_heads", self._q, "the width of Q", x["Q"][2])
            for name in "KV":
                yield divides(self.kind, "kv_num_heads", self._kv, f"the width of {name}", x[name][2])
        query, key, value = self.parts(x)
        yield from self.grouped(query[1], key[1])
        says = f"{self.kind}: Q {shown(x['Q'])}, K {shown(x['K'])} and V {shown(x['V'])} do not fit together"
        for left, right in (
            (query[0], key[0]),
            (query[0], value[0]),
            (key[1], value[1]),
            (key[2], value[2]),
            (query[3], key[3]),
        ):
            yield Requirement("projection", right, "==", left, says)
        yield from self.past_fits(x, key, value)

    @property
    def _q(self) -> Dim:
        return self.q_num_heads or 1

    @property
    def _kv(self) -> Dim:
        return self.kv_num_heads or 1

    def parts(self, x: Operands) -> tuple[Shape, Shape, Shape]:
        query = self.heads_apart(x, "Q", self._q)
        return query, self.heads_apart(x, "K", self._kv), self.heads_apart(x, "V", self._kv)

    def output(self, x: Operands) -> Shape:
        (n, heads, length, _), _, value = self.parts(x)
        return (n, heads, length, value[3]) if len(x["Q"]) == 4 else (n, length, heads * value[3])

    def outputs(self, x: Operands) -> Shapes:
        return self.all_results(x)[: self.results]


class OnnxGroupQueryAttention(Attending, kind="onnx_group_query_attention"):
    """Attention with a cache of keys and values, of fewer heads: `[N, L, heads·size]` to the same.

    A query alone holds keys and values behind it: `[N, L, (heads + 2·kv_heads)·size]`. The other results are
    the caches, `[N, kv_heads, past + L, size]`, of caches that grow: a buffer that is filled keeps its size.
    Refuses widths that do not match. Source: com.microsoft, GroupQueryAttention.

    >>> tensors = {"query": (2, 1, 64), "key": (2, 1, 32), "value": (2, 1, 32), "past_key": (2, 2, 9, 16)}
    >>> OnnxGroupQueryAttention(num_heads=4, kv_num_heads=2, results=3).outputs(tensors)
    ((2, 1, 64), (2, 2, 10, 16), (2, 2, 10, 16))
    """

    operands = (
        "query key? value? past_key? past_value? seqlens_k? total_sequence_length? cos_cache? sin_cache? "
        "position_ids? attention_bias? head_sink?"
    )

    num_heads: Count
    kv_num_heads: Count
    results: Results = 1

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        yield from self.ranked(x, query=3, key=3, value=3, past_key=4, past_value=4)
        together = self.num_heads + (0 if "key" in x else 2 * self.kv_num_heads)
        yield divides(self.kind, "the number of heads", together, "the width of the query", x["query"][2])
        yield from self.grouped(self.num_heads, self.kv_num_heads)
        n, _, _, size = self._query(x)
        for name in ("key", "value"):
            for axis, wanted in enumerate((n, x["query"][1], self.kv_num_heads * size)):
                yield from self.equal(x, name, axis, wanted)
        for name in ("past_key", "past_value"):
            for axis, wanted in ((0, n), (1, self.kv_num_heads), (3, size)):
                yield from self.equal(x, name, axis, wanted)

    def _query(self, x: Operands) -> Shape:
        n, length, width = x["query"]
        together = self.num_heads + (0 if "key" in x else 2 * self.kv_num_heads)
        return (n, self.num_heads, length, quotient(width, together))

    def _total(self, x: Operands) -> Dim:
        return x["query"][1] + (x["past_key"][2] if "past_key" in x else 0)

    def output(self, x: Operands) -> Shape:
        n, heads, length, size = self._query(x)
        return (n, length, heads * size)

    def outputs(self, x: Operands) -> Shapes:
        n, _, _, size = self._query(x)
        cache = (n, self.kv_num_heads, self._total(x), size)
        return (self.output(x), cache, cache)[: self.results]

    def macs(self, x: Operands) -> Dim:
        query = self._query(x)
        return self.multiplied(query, self._total(x), query[3])


class OnnxMultiHeadAttention(AttendingToPast, kind="onnx_multi_head_attention"):
    """Attention over projected queries, keys and values: `[N, L, heads·size]` to `[N, L, heads·value size]`.

    Keys and values are `[N, S, heads·size]` or `[N, heads, S, size]`; the other results are these, those of
    the past before them. Refuses widths that the heads do not divide, and sizes that do not match. Source:
    com.microsoft, MultiHeadAttention.

    >>> tensors = {"query": (2, 5, 8), "key": (2, 7, 8), "value": (2, 7, 12)}
    >>> OnnxMultiHeadAttention(num_heads=2).output(tensors)
    (2, 5, 12)
    """

    operands = "query key value bias? key_padding_mask? attention_bias? past_key? past_value?"

    num_heads: Count
    results: Results = 1

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        yield from self.ranked(x, query=3, bias=1, past_key=4, past_value=4)
        for name in ("key", "value"):
            yield from rank_between(f"{self.kind}: {name}", x[name], 3, 4)
        for name in ("query", "key", "value"):
            if len(x[name]) == 3:
                yield divides(self.kind, "num_heads", self.num_heads, f"the width of {name}", x[name][2])
        query, key, value = self.parts(x)
        texts = ", ".join(shown(x[name]) for name in ("query", "key", "value"))
        says = f"{self.kind}: {texts} do not fit together"
        for left, right in (
            (query[0], key[0]),
            (query[0], value[0]),
            (key[2], value[2]),
            (query[3], key[3]),
            (self.num_heads, key[1]),
            (self.num_heads, value[1]),
        ):
            yield Requirement("projection", right, "==", left, says)
        yield from self.past_fits(x, key, value)

    def parts(self, x: Operands) -> tuple[Shape, Shape, Shape]:
        query, key, value = (self.heads_apart(x, name, self.num_heads) for name in ("query", "key", "value"))
        return query, key, value

    def output(self, x: Operands) -> Shape:
        query, _, value = self.parts(x)
        return (query[0], query[2], self.num_heads * value[3])

    def outputs(self, x: Operands) -> Shapes:
        return self.all_results(x)[: self.results]


class OnnxLinearAttention(Attending, kind="onnx_linear_attention"):
    """Attention by a state that every position updates: the query's shape, the values' size; and the state.

    Queries are `[N, L, q_num_heads·size]`, the state `[N, kv_num_heads, size, value size]`. What it costs is
    not counted. Refuses widths that the heads do not divide. Source: ONNX, LinearAttention.

    >>> tensors = {"query": (2, 4, 64), "key": (2, 4, 32), "value": (2, 4, 32)}
    >>> OnnxLinearAttention(q_num_heads=8, kv_num_heads=4).outputs(tensors)
    ((2, 4, 64), (2, 4, 8, 8))
    """

    operands = "query key value past_state? decay? beta?"

    q_num_heads: Count
    kv_num_heads: Count

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        yield from self.ranked(x, query=3, key=3, value=3, past_state=4)
        yield from self.grouped(self.q_num_heads, self.kv_num_heads)
        yield divides(self.kind, "q_num_heads", self.q_num_heads, "the width of query", x["query"][2])
        yield divides(self.kind, "kv_num_heads", self.kv_num_heads, "the width of value", x["value"][2])
        size = quotient(x["query"][2], self.q_num_heads)
        says = (
            f"{self.kind}: {shown(x['query'])}, {shown(x['key'])} and {shown(x['value'])} do not fit together"
        )
        yield Requirement("projection", x["key"][2], "==", size * self.kv_num_heads, says)
        for name in ("key", "value"):
            for axis in (0, 1):
                yield Requirement("projection", x[name][axis], "==", x["query"][axis], says)

    def output(self, x: Operands) -> Shape:
        n, length, _ = x["query"]
        return (n, length, self.q_num_heads * quotient(x["value"][2], self.kv_num_heads))

    def outputs(self, x: Operands) -> Shapes:
        size = quotient(x["query"][2], self.q_num_heads)
        state = (x["query"][0], self.kv_num_heads, size, quotient(x["value"][2], self.kv_num_heads))
        return (self.output(x), state)

    def macs(self, x: Operands) -> Dim | None:
        return None


class OnnxCausalConv(OnnxOperator, kind="onnx_causal_conv"):
    """Depthwise convolution of a sequence that goes on: `[N, C, L]` to itself, and its last k - 1 positions.

    The weight is `[C, 1, k]`; every result costs k MACs. Refuses another weight, and a bias or a state of
    another size. Source: ONNX, CausalConvWithState.

    >>> OnnxCausalConv().outputs({"input": (2, 4, 8), "weight": (4, 1, 4)})
    ((2, 4, 8), (2, 4, 3))
    """

    family = Family.CONVOLUTION
    operands = "input weight bias? past_state?"

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        yield from self.ranked(x, input=3, weight=3, bias=1, past_state=3)
        n, channels, _ = x["input"]
        for axis, size in enumerate((channels, 1)):
            yield from self.equal(x, "weight", axis, size)
        yield from self.equal(x, "bias", 0, channels)
        for axis, size in enumerate((n, channels, x["weight"][2] - 1)):
            yield from self.equal(x, "past_state", axis, size)

    def output(self, x: Operands) -> Shape:
        return x["input"]

    def outputs(self, x: Operands) -> Shapes:
        return (x["input"], (*x["input"][:2], x["weight"][2] - 1))

    def macs(self, x: Operands) -> Dim:
        return product(x["input"]) * x["weight"][2]
