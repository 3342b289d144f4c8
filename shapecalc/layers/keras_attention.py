"""Keras' attention: of several heads, which projects what it is given, and of one, which does not.

With T positions that look, S that are looked at, and heads of d numbers for keys and v for values:

    MACs of the heads = N·h·T·S·(d + v)      the products of queries and keys, and of weights and values
"""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Annotated, ClassVar

from shapecalc.algebra import Dim, product
from shapecalc.layers.base import Joint, Named, NoBuffers, Shapes
from shapecalc.layers.counts import SIGMOID, TANH, Operations, products, softmax
from shapecalc.layers.dependence import EVERYTHING, Along, Dependence, over, placed, unseen
from shapecalc.layers.effect import learned
from shapecalc.layers.family import Family
from shapecalc.layers.fields import (
    Count,
    Each,
    Flag,
    Integer,
    Nullable,
    OneOf,
    OptionalCount,
    PerAxis,
    Probability,
)
from shapecalc.layers.requirement import Requirement, Shape, arity, rank_between, shown
from shapecalc.layers.roles import AsNumbers, Divides, Lettered, divided


class KerasAttending(NoBuffers, Joint):
    """What all attention of Keras shares: a query, a value, and a key, which is the value if left out."""

    framework = "keras"
    family = Family.ATTENTION
    fewest: ClassVar[int] = 2
    """The least number of tensors."""

    dropout: Probability = 0
    need_weights: Flag = False

    def axes(self, x: Shape, number: int) -> tuple[str, ...]:
        return ("L", "E")

    def three(self, inputs: Shapes) -> tuple[Shape, Shape, Shape]:
        """Return the query, the value and the key."""
        query, value, key = (*inputs, *inputs[-1:] * 2)[:3]
        return query, value, key

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        yield arity(self.kind, len(inputs), *range(self.fewest, 4))
        query, value, key = self.three(inputs)
        yield from self.ranks(query)
        for name, x in (("the value", value), ("the key", key)):
            yield from rank_between(f"{self.kind}: {name}", x, len(query), len(query))
            says = f"{self.kind}: the query {shown(query)} and {name} {shown(x)} are of different batches"
            yield Requirement("shape", x[0], "==", query[0], says)
        for left, right in zip(value[1:-1], key[1:-1], strict=True):
            says = f"{self.kind}: the value {shown(value)} and the key {shown(key)} have different positions"
            yield Requirement("shape", left, "==", right, says)

    def ranks(self, query: Shape) -> Iterator[Requirement]:
        """Yield what the number of axes must be."""
        return rank_between(self.kind, query, 3, None)

    @abstractmethod
    def scores(self, inputs: Shapes) -> Shape:
        """Return the shape of the weights that every position gives to those that it looks at."""

    def outputs(self, inputs: Shapes) -> Shapes:
        return (self.output(inputs), *((self.scores(inputs),) if self.need_weights else ()))

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        rank = len(inputs[0])
        own, complete = over(rank, [rank - 1]), over(rank, range(1, rank))
        if result == 1:
            return tuple((Along(0), *(None,) * (rank - 1)) for _ in inputs)
        return (own, *(complete,) * (len(inputs) - 1)) if len(inputs) > 1 else (complete,)


class KerasHeads(KerasAttending):
    """What attention of several heads shares: projections to heads, and of all heads to the result."""

    unknown_dependence = (
        "positions",
        "the weights of several axes of positions, or of heads that share keys",
    )
    fewest = 1

    bias: Flag = True
    use_gate: Flag = False

    @property
    @abstractmethod
    def heads(self) -> tuple[Dim, Dim]:
        """The number of heads of the queries, and that of the keys and values."""

    @property
    @abstractmethod
    def widths(self) -> tuple[Dim, Dim]:
        """How many numbers a head has of a query or key, and of a value."""

    def made(self, query: Shape) -> Shape:
        """Return the sizes that take the place of the query's features."""
        return query[-1:]

    def output(self, inputs: Shapes) -> Shape:
        return (*inputs[0][:-1], *self.made(inputs[0]))

    def scores(self, inputs: Shapes) -> Shape:
        query, _, key = self.three(inputs)
        return (query[0], self.heads[0], *query[1:-1], *key[1:-1])

    def projections(self, inputs: Shapes) -> dict[str, tuple[Shape, Shape, int]]:
        """Return of each projection what it reads, its weight, and how many axes of the weight are summed."""
        query, value, key = self.three(inputs)
        (h, h_seen), (d, v) = self.heads, self.widths
        gate = {"gate": (query, (query[-1], h, v), 1)} if self.use_gate else {}
        return {
            "query": (query, (query[-1], h, d), 1),
            "key": (key, (key[-1], h_seen, d), 1),
            **gate,
            "value": (value, (value[-1], h_seen, v), 1),
            "attention_output": (query, (h, v, *self.made(query)), 2),
        }

    def weights(self, inputs: Shapes) -> Named:
        named: Named = {}
        for name, (_, kernel, summed) in self.projections(inputs).items():
            named |= {f"{name}.kernel": kernel, f"{name}.bias": kernel[summed:]}
        return learned(named, bias=self.bias)

    def operations(self, inputs: Shapes) -> Operations:
        """Projections, scores of scaled queries, a softmax of each row of them, values, a projection."""
        query = inputs[0]
        (h, _), (d, v) = self.heads, self.widths
        scores = product(self.scores(inputs))
        rows = product(query[:-1]) * h
        total = products(scores * (d + v), scores, rows * v) + softmax(scores, rows)
        total = total + Operations(multiplications=rows * d)
        for x, kernel, summed in self.projections(inputs).values():
            positions = product(x[:-1])
            total = total + products(
                positions * product(kernel), positions * product(kernel[summed:]), biased=self.bias
            )
        gated = SIGMOID + Operations(multiplications=1)
        return total + gated * (rows * v) if self.use_gate else total


class KerasMultiheadAttention(
    KerasHeads, kind="multihead_attention", keras="keras.layers.MultiHeadAttention"
):
    """Attention of a query `[N, T, E]` to values and keys `[N, S, ...]`, in Keras' order: `[N, T, E]`.

    One tensor is query, value and key at once; of two the second is also the key. Each is projected to
    num_heads heads of key_dim numbers (value_dim of the values): softmax(Q·Kᵀ/√key_dim)·V, then a
    projection to output_shape, by default the query's E. With need_weights the weights `[N, num_heads, T,
    S]` are a second result. There may be several axes of positions. Masks change no shape and are left out.

    Weights are `query.kernel: [E, num_heads, key_dim]`, `query.bias: [num_heads, key_dim]`, the same for
    `key` and, with value_dim, for `value` and the `gate` of use_gate, `attention_output.kernel: [num_heads,
    value_dim, E]` and `attention_output.bias: [E]`. MACs are those of the projections and
    N·num_heads·T·S·(key_dim + value_dim). Refuses batches and positions that do not belong together.
    Source: Vaswani et al., 2017.

    >>> KerasMultiheadAttention(num_heads=12, key_dim=64).macs(((1, 197, 768),))
    524391936
    >>> KerasMultiheadAttention(num_heads=2, key_dim=4).weights(((1, 5, 8), (1, 6, 7)))["key.kernel"]
    (7, 2, 4)
    """

    order = "num_heads key_dim value_dim * ..."

    num_heads: Annotated[Count, Lettered("h")]
    key_dim: Annotated[Count, Lettered("d")]
    value_dim: Annotated[OptionalCount, Lettered(same_as="key_dim")] = None
    output_shape: Annotated[PerAxis | None, Nullable(Each(Integer(1), (1, 2, 3))), AsNumbers()] = None

    @property
    def heads(self) -> tuple[Dim, Dim]:
        return self.num_heads, self.num_heads

    @property
    def widths(self) -> tuple[Dim, Dim]:
        return self.key_dim, self.key_dim if self.value_dim is None else self.value_dim

    def made(self, query: Shape) -> Shape:
        shape = self.output_shape
        return query[-1:] if shape is None else shape if isinstance(shape, tuple) else (shape,)


EVEN_GROUPS = "every head of keys serves as many heads of queries"


class KerasGroupedQueryAttention(
    KerasHeads, kind="grouped_query_attention", keras="keras.layers.GroupQueryAttention"
):
    """Attention whose heads of queries share heads of keys and values: `[N, T, E]` to `[N, T, E]`.

    As `multihead_attention`, but num_query_heads heads of head_dim numbers look through num_key_value_heads
    heads of keys and values. Weights are `query.kernel: [E, num_query_heads, head_dim]`, `key.kernel` and
    `value.kernel: [E, num_key_value_heads, head_dim]`, `attention_output.kernel: [num_query_heads,
    head_dim, E]`, and their biases. Refuses num_key_value_heads that does not divide num_query_heads, and a
    query and a value of different widths. Source: Ainslie et al., 2023.

    >>> layer = KerasGroupedQueryAttention(head_dim=64, num_query_heads=32, num_key_value_heads=8, bias=False)
    >>> layer.weights(((1, 128, 2048),))["key.kernel"]
    (2048, 8, 64)
    """

    order = "head_dim num_query_heads num_key_value_heads * ..."

    head_dim: Annotated[Count, Lettered("d")]
    num_query_heads: Annotated[Count, Lettered("h")]
    num_key_value_heads: Annotated[Count, Divides("g", of=("num_query_heads",), why=EVEN_GROUPS)]

    @property
    def heads(self) -> tuple[Dim, Dim]:
        return self.num_query_heads, self.num_key_value_heads

    @property
    def widths(self) -> tuple[Dim, Dim]:
        return self.head_dim, self.head_dim

    def ranks(self, query: Shape) -> Iterator[Requirement]:
        return rank_between(self.kind, query, 3, 3)

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        yield from divided(self)
        yield from super().requirements(inputs)
        query, value, _ = self.three(inputs)
        says = f"{self.kind}: the query {shown(query)} and the value {shown(value)} are of different widths"
        yield Requirement("shape", value[-1], "==", query[-1], says)


class KerasScoring(KerasAttending):
    """What attention without projections shares: queries and keys are of one width."""

    use_scale: Flag = False

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        yield from super().requirements(inputs)
        query, value, key = self.three(inputs)
        says = f"{self.kind}: the query {shown(query)} and the key {shown(key)} are of different widths"
        yield Requirement("shape", key[-1], "==", query[-1], says)
        for number, (left, right) in enumerate(zip(query[1:-2], value[1:-2], strict=True), start=1):
            says = f"{self.kind}: axis {number} of the query is {left}, and of the value {right}"
            yield Requirement("shape", right, "==", left, says)

    def output(self, inputs: Shapes) -> Shape:
        query, value, _ = self.three(inputs)
        return (*query[:-1], value[-1])

    def scores(self, inputs: Shapes) -> Shape:
        query, _, key = self.three(inputs)
        return (*query[:-1], key[-2])

    @abstractmethod
    def scoring(self, inputs: Shapes) -> Operations:
        """Return the operations that make the scores of pairs of queries and keys."""

    def operations(self, inputs: Shapes) -> Operations:
        """Scores, a softmax of each row of them, and the values weighted by them."""
        scores, results = product(self.scores(inputs)), product(self.output(inputs))
        weighted = products(scores * self.three(inputs)[1][-1], results)
        return self.scoring(inputs) + softmax(scores, product(inputs[0][:-1])) + weighted

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        rank = len(inputs[0])
        own = over(rank, [rank - 1])
        seen = placed(rank, {rank - 2: EVERYTHING})
        keys = over(rank, [rank - 2, rank - 1])
        if result == 1:
            keys = placed(rank, {rank - 2: Along(rank - 1), rank - 1: EVERYTHING})
            return (own, unseen(rank), keys) if len(inputs) == 3 else (own, keys)
        return (own, seen, keys) if len(inputs) == 3 else (own, keys)


class KerasAttention(KerasScoring, kind="attention", keras="keras.layers.Attention"):
    """Dot-product attention of a query `[N, T, d]` to values `[N, S, v]` and keys `[N, S, d]`: `[N, T, v]`.

    The tensors are query, value and key, in Keras' order; the key is the value if left out. With
    need_weights the weights `[N, T, S]` are a second result. Scores are Q·Kᵀ, times a learned `scale: []`
    with use_scale; with score_mode concat they are `concat_score_weight: []` times the sum of tanh(q + k).
    MACs are N·T·S·(d + v), or N·T·S·v for concat. Refuses shapes that do not belong together. Source: Luong
    et al., 2015.

    >>> KerasAttention(need_weights=True).outputs(((2, 5, 8), (2, 7, 3), (2, 7, 8)))
    ((2, 5, 3), (2, 5, 7))
    """

    score_mode: Annotated[str, OneOf(("dot", "concat"))] = "dot"

    def weights(self, inputs: Shapes) -> Named:
        named: Named = {"scale": (), "concat_score_weight": ()}
        return learned(named, scale=self.use_scale, concat_score_weight=self.score_mode == "concat")

    def scoring(self, inputs: Shapes) -> Operations:
        scores, d = product(self.scores(inputs)), inputs[0][-1]
        if self.score_mode == "dot":
            made = products(scores * d, scores)
            return made + Operations(multiplications=scores) if self.use_scale else made
        each = TANH + Operations(additions=1, multiplications=1 if self.use_scale else 0)
        return each * (scores * d) + Operations(additions=scores * (d - 1), multiplications=scores)


class KerasAdditiveAttention(KerasScoring, kind="additive_attention", keras="keras.layers.AdditiveAttention"):
    """Additive attention of a query `[N, T, d]` to values `[N, S, v]` and keys `[N, S, d]`: `[N, T, v]`.

    As `attention`, with scores ∑ scale·tanh(q + k), the weight `scale: [d]` unless use_scale is false. MACs
    are N·T·S·(d + v), or N·T·S·v without a scale. Source: Bahdanau et al., 2015.

    >>> KerasAdditiveAttention().weights(((2, 5, 8), (2, 7, 8)))
    {'scale': (8,)}
    """

    use_scale: Flag = True

    def weights(self, inputs: Shapes) -> Named:
        return learned({"scale": inputs[0][-1:]}, scale=self.use_scale)

    def scoring(self, inputs: Shapes) -> Operations:
        scores, d = product(self.scores(inputs)), inputs[0][-1]
        each = (TANH + Operations(additions=1)) * (scores * d)
        if self.use_scale:
            return each + products(scores * d, scores)
        return each + Operations(additions=scores * (d - 1))
