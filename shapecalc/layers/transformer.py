"""The transformer of 2017 and its parts: layers of attention and two linear layers, and stacks of them.

One layer over T positions of E features, which looks at S positions, with F = dim_feedforward:

    self-attention     4·T·E² + 2·T²·E
    cross-attention    2·T·E² + 2·S·E² + 2·T·S·E      (a decoder's)
    feedforward        2·T·E·F

Source: Vaswani et al., Attention Is All You Need, 2017. Masks change no shape and are left out.
"""

from abc import abstractmethod
from collections.abc import Iterator
from fractions import Fraction
from functools import reduce
from operator import add
from typing import Annotated, ClassVar, NamedTuple

from shapecalc.algebra import Dim, product
from shapecalc.layers.attention import (
    EVEN_HEADS,
    MultiheadAttention,
    heads_macs,
    projections,
    self_attention_macs,
)
from shapecalc.layers.base import Component, Named, Shapes
from shapecalc.layers.counts import GELU_BY_ERF, NOTHING, RELU, Operations
from shapecalc.layers.dependence import Dependence, over
from shapecalc.layers.effect import learned
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Count, Depth, Flag, OneOf, Probability, Real
from shapecalc.layers.layer_norm import LayerNorm
from shapecalc.layers.linear import Linear
from shapecalc.layers.memory_traits import Step
from shapecalc.layers.requirement import Requirement, Shape, arity, rank_between, shaped
from shapecalc.layers.roles import Divides, InFeatures, declared, divided
from shapecalc.layers.sequences import OverSequences

Heads = Annotated[Count, Divides(of=("d_model",), why=EVEN_HEADS)]
Activation = Annotated[str, OneOf(("relu", "gelu"))]


class Stacked(NamedTuple):
    """Layers on one another: their input, the memory they attend to, how many there are, a last norm."""

    x: Shape
    memory: Shape | None = None
    layers: int = 1
    norm: bool = False
    name: str | None = ""
    """What holds the stack; None for a layer alone."""


class Transforming(OverSequences):
    """What a transformer and its parts share: the width of everything, and how sequences are laid out."""

    order = "d_model nhead dim_feedforward dropout activation layer_norm_eps ..."
    family = Family.TRANSFORMER
    tensors: ClassVar[tuple[str, ...]]
    """What the input tensors are."""

    d_model: InFeatures = None
    nhead: Heads
    dim_feedforward: Count = 2048
    dropout: Probability = Fraction(1, 10)
    activation: Activation = "relu"
    layer_norm_eps: Real = Fraction(1, 100_000)
    norm_first: Flag = False
    bias: Flag = True

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        yield arity(self.kind, len(inputs), len(self.tensors))
        first, *others = inputs
        yield from rank_between(self.kind, first, 2, 3)
        yield from declared(self, first)
        yield from divided(self, first)
        batch, _ = self.parts(first)
        for name, x in zip(self.tensors[1:], others, strict=True):
            yield from rank_between(f"{self.kind}: {name}", x, len(first), len(first))
            yield from shaped(self.kind, name, x, self.sequence(batch, self.parts(x)[1], first[-1]))

    def output(self, inputs: Shapes) -> Shape:
        return inputs[0]

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        return tuple([over(len(x), [self.length_axis(x), len(x) - 1]) for x in inputs])

    @abstractmethod
    def stacks(self, inputs: Shapes) -> Iterator[Stacked]:
        """Yield the stacks of layers, in order."""

    def weights(self, inputs: Shapes) -> Named:
        named: Named = {}
        for stack in self.stacks(inputs):
            layer = self._layer(inputs[0][-1], decodes=stack.memory is not None)
            if stack.name is None:
                return layer
            held = f"{stack.name}." if stack.name else ""
            for number in range(stack.layers):
                named |= within(f"{held}layers.{number}", layer)
            named |= within(f"{held}norm", self._normalization(inputs[0][-1])) if stack.norm else {}
        return named

    def _layer(self, e: Dim, *, decodes: bool) -> Named:
        """Return the weights of attentions, two linear layers, and a normalization for each."""
        f = self.dim_feedforward
        attentions = ("self_attn", "multihead_attn")[: 1 + decodes]
        named: Named = {}
        for name in attentions:
            named |= within(name, projections(e, e, e, bias=self.bias))
        named |= {
            "linear1.weight": (f, e),
            "linear1.bias": (f,),
            "linear2.weight": (e, f),
            "linear2.bias": (e,),
        }
        for number in range(1, len(attentions) + 2):
            named |= within(f"norm{number}", self._normalization(e))
        return learned(named, bias=self.bias)

    def _normalization(self, e: Dim) -> Named:
        return learned({"weight": (e,), "bias": (e,)}, bias=self.bias)

    def macs(self, inputs: Shapes) -> Dim:
        batch, _ = self.parts(inputs[0])
        return product(batch) * reduce(add, map(self._stack_macs, self.stacks(inputs)))

    def _stack_macs(self, stack: Stacked) -> Dim:
        """Return the multiply-accumulates of a stack for one sequence."""
        e, (_, length) = stack.x[-1], self.parts(stack.x)
        macs = self_attention_macs(length, e) + 2 * length * e * self.dim_feedforward
        if stack.memory is not None:
            _, seen = self.parts(stack.memory)
            macs = macs + 2 * (length + seen) * e**2 + heads_macs(length, seen, e)
        return macs if stack.name is None else stack.layers * macs

    def steps(self, inputs: Shapes) -> tuple[Step, ...]:
        from shapecalc.layers.transformer_steps import transformer_steps

        return transformer_steps(self, inputs)

    def components(self, inputs: Shapes) -> tuple[Component, ...]:
        return tuple([part for stack in self.stacks(inputs) for part in self._inside(stack)])

    def _inside(self, stack: Stacked) -> Iterator[Component]:
        """Yield what a stack is made of: attentions, two linear layers, and norms."""
        x, memory, layers, norm, _ = stack
        attention = MultiheadAttention(num_heads=self.nhead, bias=self.bias, batch_first=self.batch_first)
        yield Component(attention, (x,), layers)
        if memory is not None:
            yield Component(attention, (x, memory, memory), layers)
        widened = Linear(out_features=self.dim_feedforward, bias=self.bias)
        yield Component(widened, (x,), layers)
        yield Component(Linear(out_features=x[-1], bias=self.bias), (widened.output(x),), layers)
        norms = layers * (2 if memory is None else 3) + norm
        yield Component(LayerNorm(bias=self.bias), (x,), norms)

    def operations(self, inputs: Shapes) -> Operations:
        """Count the components, the activation between the linear layers, and the sums around each."""
        total = NOTHING
        for layer, seen, times in self.components(inputs):
            inside = layer.operations_on(seen)
            assert inside is not None
            total = total + inside * times
        function = RELU if self.activation == "relu" else GELU_BY_ERF
        for x, memory, layers, *_ in self.stacks(inputs):
            total = total + function * (layers * self.dim_feedforward * product(x[:-1]))
            total = total + Operations(additions=layers * (2 if memory is None else 3) * product(x))
        return total


class Stack(Transforming):
    """What stacks of layers share: how many there are, and whether a normalization comes last."""

    order = f"* {Transforming.order}"

    num_layers: Depth
    norm: Flag = False


def within(name: str, weights: Named) -> Named:
    """Return weights under the name of what holds them."""
    return {f"{name}.{key}": shape for key, shape in weights.items()}


class TransformerEncoderLayer(Transforming, torch="torch.nn.TransformerEncoderLayer"):
    """Self-attention and two linear layers on `[S, N, E]`, each added to what it reads: the shape is kept.

    Weights are those of `multihead_attention` under `self_attn`, `linear1.weight: [F, E]`, `linear1.bias:
    [F]`, `linear2.weight: [E, F]`, `linear2.bias: [E]`, and `norm1` and `norm2` with `weight` and `bias:
    [E]`; there is no bias at all if bias is false. MACs are N·(4·S·E² + 2·S²·E + 2·S·E·F), F =
    dim_feedforward. Refuses an nhead that does not divide E, a d_model that is not the input's, and other
    ranks.

    >>> TransformerEncoderLayer(nhead=8).output(((10, 32, 512),))
    (10, 32, 512)
    >>> TransformerEncoderLayer(nhead=12, dim_feedforward=3072, batch_first=True).macs(((1, 197, 768),))
    1453954560
    """

    tensors = ("the source",)

    def stacks(self, inputs: Shapes) -> Iterator[Stacked]:
        yield Stacked(inputs[0], name=None)


class TransformerDecoderLayer(Transforming, torch="torch.nn.TransformerDecoderLayer"):
    """Self-attention, attention to a memory `[S, N, E]`, and two linear layers on `[T, N, E]`.

    The shape is kept. The target comes first, then the memory. Weights are those of
    `transformer_encoder_layer`, with a second attention under `multihead_attn` and a third normalization,
    `norm3`. MACs are N·(4·T·E² + 2·T²·E + 2·(T + S)·E² + 2·T·S·E + 2·T·E·F). Refuses what
    `transformer_encoder_layer` refuses, and a memory of another batch, width or rank.

    >>> TransformerDecoderLayer(nhead=8).output(((20, 32, 512), (10, 32, 512)))
    (20, 32, 512)
    """

    tensors = ("the target", "the memory")

    def stacks(self, inputs: Shapes) -> Iterator[Stacked]:
        yield Stacked(inputs[0], inputs[1], name=None)


class TransformerEncoder(Stack, torch="torch.nn.TransformerEncoder"):
    """num_layers of `transformer_encoder_layer` on one another: the shape is kept.

    Weights are those of the layer under `layers.0`, `layers.1` and so on, and `norm.weight` and `norm.bias:
    [E]` if a layer normalization comes last (norm: true); MACs are num_layers times those of the layer.
    Refuses what the layer refuses.

    >>> TransformerEncoder(nhead=8, num_layers=6).macs(((10, 32, 512),))
    6059458560
    """

    tensors = ("the source",)

    def stacks(self, inputs: Shapes) -> Iterator[Stacked]:
        yield Stacked(inputs[0], None, self.num_layers, self.norm)


class TransformerDecoder(Stack, torch="torch.nn.TransformerDecoder"):
    """num_layers of `transformer_decoder_layer` on one another, all looking at one memory.

    `[T, N, E]` and the memory `[S, N, E]` to `[T, N, E]`. Weights are those of the layer under `layers.0`,
    `layers.1` and so on, and `norm.weight` and `norm.bias: [E]` if a layer normalization comes last (norm:
    true); MACs are num_layers times those of the layer. Refuses what the layer refuses.

    >>> TransformerDecoder(nhead=8, num_layers=6).output(((20, 32, 512), (10, 32, 512)))
    (20, 32, 512)
    """

    tensors = ("the target", "the memory")

    def stacks(self, inputs: Shapes) -> Iterator[Stacked]:
        yield Stacked(inputs[0], inputs[1], self.num_layers, self.norm)


class Transformer(Transforming, torch="torch.nn.Transformer"):
    """An encoder, and a decoder that attends to its result: `[S, N, E]` and `[T, N, E]` to `[T, N, E]`.

    The source comes first, then the target. Weights are those of `transformer_encoder` under `encoder` and of
    `transformer_decoder` under `decoder`, both with a last normalization; MACs are the sum of theirs. d_model
    is inferred when left out (torch's is 512 then). Refuses what the layers refuse, and sequences of
    different batch, width or rank.

    >>> Transformer().output(((10, 32, 512), (20, 32, 512)))
    (20, 32, 512)
    """

    order = "d_model nhead num_encoder_layers num_decoder_layers dim_feedforward dropout activation * ..."
    tensors = ("the source", "the target")

    nhead: Heads = 8
    num_encoder_layers: Depth = 6
    num_decoder_layers: Depth = 6

    def output(self, inputs: Shapes) -> Shape:
        return inputs[1]

    def stacks(self, inputs: Shapes) -> Iterator[Stacked]:
        source, target = inputs
        yield Stacked(source, None, self.num_encoder_layers, norm=True, name="encoder")
        yield Stacked(target, source, self.num_decoder_layers, norm=True, name="decoder")
