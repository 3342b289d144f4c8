"""Attention: every position of one sequence looks at every position of another, or of its own.

With T positions that look, S that are looked at, and E features in all heads together:

    MACs = 2·N·T·S·E      the two matrix products of the heads, Q·Kᵀ and the weights by V
"""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Self

from pydantic import model_validator

from shapecalc.algebra import Dim, decide, product
from shapecalc.errors import Undecided
from shapecalc.layers.base import Named, Shapes
from shapecalc.layers.counts import Operations, products, softmax
from shapecalc.layers.dependence import EVERYTHING, Along, Dependence, over, placed, unseen
from shapecalc.layers.effect import learned
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Count, Flag, OptionalCount, Probability, complaint
from shapecalc.layers.memory_traits import Step
from shapecalc.layers.requirement import Requirement, Shape, arity, rank_between, shaped
from shapecalc.layers.roles import Divides, InFeatures, Inferred, declared, divided
from shapecalc.layers.sequences import OverSequences

EVEN_HEADS = "every head has as many features"
Heads = Annotated[Count, Divides(of=("embed_dim",), why=EVEN_HEADS)]


class MultiheadAttention(
    OverSequences, torch="torch.nn.MultiheadAttention", keras="keras.layers.MultiHeadAttention"
):
    """Attention of a query `[T, N, E]` to keys `[S, N, kdim]` and values `[S, N, vdim]`: the query's shape.

    One tensor is query, key and value at once (self-attention); otherwise there are three. All are projected
    to E = embed_dim numbers, which num_heads heads share: softmax(Q·Kᵀ/√(E/num_heads))·V, then one projection
    more. A second result is there with need_weights: the weights `[N, T, S]`, or `[N, num_heads, T, S]` if
    average_attn_weights is false. torch returns it by default, here it is an option. add_bias_kv and
    add_zero_attn add one position to S each. Masks change no shape and are left out.

    Weights are `in_proj_weight: [3·E, E]`, or `q_proj_weight: [E, E]`, `k_proj_weight: [E, kdim]` and
    `v_proj_weight: [E, vdim]` if kdim or vdim is not E, the default of both; `in_proj_bias: [3·E]`,
    `out_proj.weight: [E, E]` and `out_proj.bias: [E]`, without these biases if bias is false; and `bias_k`,
    `bias_v: [1, 1, E]` with add_bias_kv. MACs are N·(2·T·E² + S·E·(kdim + vdim)) for the projections and
    2·N·T·S·E for the heads. Refuses num_heads that does not divide embed_dim, features that are not as
    declared, keys and values that do not belong together, and other ranks. As in torch, batch_first is false
    unless said. Source: Vaswani et al., 2017.

    >>> MultiheadAttention(num_heads=12, batch_first=True).macs(((1, 197, 768),))
    524391936
    >>> MultiheadAttention(num_heads=12, batch_first=True).weights(((1, 197, 768),))["in_proj_weight"]
    (2304, 768)
    >>> cross = MultiheadAttention(num_heads=8, kdim=64, vdim=64, batch_first=True, need_weights=True)
    >>> cross.outputs(((1, 10, 512), (1, 49, 64), (1, 49, 64)))
    ((1, 10, 512), (1, 10, 49))
    """

    family = Family.ATTENTION
    is_memory: ClassVar[bool] = False
    """Whether keys and values are one tensor, which is then projected to both at once."""
    order = "embed_dim num_heads dropout bias add_bias_kv add_zero_attn kdim vdim batch_first * ..."

    embed_dim: InFeatures = None
    num_heads: Heads
    dropout: Probability = 0
    bias: Flag = True
    add_bias_kv: Flag = False
    add_zero_attn: Flag = False
    kdim: Annotated[OptionalCount, Inferred(axis=-1, tensor=1, same_as="embed_dim")] = None
    vdim: Annotated[OptionalCount, Inferred(axis=-1, tensor=2, same_as="embed_dim")] = None
    need_weights: Flag = False
    average_attn_weights: Flag = True

    @model_validator(mode="after")
    def _even_heads(self) -> Self:
        if isinstance(self.embed_dim, int) and isinstance(self.num_heads, int):
            if self.embed_dim % self.num_heads:
                raise complaint(f"num_heads = {self.num_heads} does not divide embed_dim = {self.embed_dim}")
        return self

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        yield arity(self.kind, len(inputs), 1, 3)
        query, key, value = self._three(inputs)
        yield from rank_between(self.kind, query, 2, 3)
        e = query[-1]
        yield from declared(self, *inputs)
        yield from divided(self, query)
        batch, _ = self.parts(query)
        for name, x, features in (("the key", key, self.kdim), ("the value", value, self.vdim)):
            yield from rank_between(f"{self.kind}: {name}", x, len(query), len(query))
            wanted = self.sequence(batch, self.parts(key)[1], self._features(features, e))
            yield from shaped(self.kind, name, x, wanted)

    def output(self, inputs: Shapes) -> Shape:
        return inputs[0]

    def outputs(self, inputs: Shapes) -> Shapes:
        if not self.need_weights:
            return (self.output(inputs),)
        batch, queries = self.parts(inputs[0])
        heads = () if self.average_attn_weights else (self.num_heads,)
        return (self.output(inputs), (*batch, *heads, queries, self.seen(inputs)))

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        query = inputs[0]
        length = self.length_axis(query)
        complete = over(len(query), [length, len(query) - 1])
        own = over(len(query), [len(query) - 1])
        if result == 1:  # [N, heads, T, S], whichever of N and L comes first in the sequences
            rows = Along(len(self.outputs(inputs)[1]) - 2)
            ahead = placed(len(query) - 2)
            complete = (*ahead, EVERYTHING, EVERYTHING) if length else (EVERYTHING, *ahead, EVERYTHING)
            own = tuple(rows if axis == length else view for axis, view in enumerate(complete))
        if len(inputs) == 1:
            return (complete,)
        return (own, complete, complete if result == 0 else unseen(len(query)))

    def weights(self, inputs: Shapes) -> Named:
        e = inputs[0][-1]
        named = projections(e, self._features(self.kdim, e), self._features(self.vdim, e), bias=self.bias)
        return named | {"bias_k": (1, 1, e), "bias_v": (1, 1, e)} if self.add_bias_kv else named

    def macs(self, inputs: Shapes) -> Dim:
        query, key, _ = self._three(inputs)
        e = query[-1]
        batch, queries = self.parts(query)
        if len(inputs) == 1 and self.seen(inputs) == queries:
            return product(batch) * self_attention_macs(queries, e)
        features = self._features(self.kdim, e) + self._features(self.vdim, e)
        projected = 2 * queries * e**2 + self.parts(key)[1] * e * features
        return product(batch) * (projected + heads_macs(queries, self.seen(inputs), e))

    def steps(self, inputs: Shapes) -> tuple[Step, ...]:
        from shapecalc.layers.attention_steps import attention_steps

        added = self.add_bias_kv or self.add_zero_attn
        return () if added else attention_steps(self, inputs, is_memory=self.is_memory)

    def _three(self, inputs: Shapes) -> tuple[Shape, Shape, Shape]:
        query, *others = inputs
        key, value = others or (query, query)
        return query, key, value

    def _features(self, declared: Dim | None, e: Dim) -> Dim:
        return e if declared is None else declared

    def seen(self, inputs: Shapes) -> Dim:
        """Return how many positions are looked at, those that are added included."""
        return self.parts(self._three(inputs)[1])[1] + self.add_bias_kv + self.add_zero_attn

    def operations(self, inputs: Shapes) -> Operations:
        """Projections, scores of scaled queries, a softmax of each row of them, values, a projection."""
        batch, queries = self.parts(inputs[0])
        _, keys = self.parts(self._three(inputs)[1])
        numbers, read = product(inputs[0]), product((*batch, keys, inputs[0][-1]))
        rows = product((*batch, self.num_heads, queries))
        scores = rows * self.seen(inputs)
        made = products(self.macs(inputs), scores, numbers, 2 * numbers + 2 * read, biased=self.bias)
        return made + Operations(multiplications=numbers) + softmax(scores, rows)


class AttentionToMemory(MultiheadAttention):
    """Attention to one tensor, as a decoder has it: the keys, and the values too."""

    is_memory = True


def projections(e: Dim, kdim: Dim, vdim: Dim, *, bias: bool) -> Named:
    """Return the weights of the projections to query, key and value, and of that of the result."""
    if _are_equal("kdim", kdim, e) and _are_equal("vdim", vdim, e):
        named: Named = {"in_proj_weight": (3 * e, e)}
    else:
        named = {"q_proj_weight": (e, e), "k_proj_weight": (e, kdim), "v_proj_weight": (e, vdim)}
    named |= {"in_proj_bias": (3 * e,), "out_proj.weight": (e, e), "out_proj.bias": (e,)}
    return learned(named, bias=bias, in_proj_bias=bias)


def _are_equal(name: str, features: Dim, e: Dim) -> bool:
    verdict = decide(features, "==", e)
    if verdict is None:
        case = f"{name} = {features} is the embed_dim, {e}"
        raise Undecided(f"attention: whether {case}, depends on what is free, and so do its weights")
    return verdict


def self_attention_macs(length: Dim, e: Dim) -> Dim:
    """4·L·E² + 2·L²·E: four projections of one sequence, and its heads.

    >>> self_attention_macs(197, 768)
    524391936
    """
    return 4 * length * e**2 + 2 * length**2 * e


def heads_macs(queries: Dim, keys: Dim, e: Dim) -> Dim:
    """2·T·S·E, the two matrix products of all heads together.

    >>> heads_macs(197, 197, 768)
    59610624
    """
    return 2 * queries * keys * e
