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
from typing import Annotated, ClassVar, NamedTuple

from shapecalc.algebra import Dim, product
from shapecalc.layers.attention import (
    EVEN_HEADS,
    MultiheadAttention,
    batch_and_length,
    heads_macs,
    projections,
    self_attention_macs,
    sequence,
)
from shapecalc.layers.base import Component, Joint, Named, NoBuffers, Shapes
from shapecalc.layers.counts import GELU_BY_ERF, NOTHING, RELU, Operations
from shapecalc.layers.dependence import Dependence, over
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Count, Depth, Flag, OneOf, Probability, Real
from shapecalc.layers.layer_norm import LayerNorm
from shapecalc.layers.linear import Linear
from shapecalc.layers.requirement import Requirement, Shape, arity, rank_between, shaped
from shapecalc.layers.roles import Divides, InFeatures, declared, divided

Heads = Annotated[Count, Divides(of=("d_model",), why=EVEN_HEADS)]
Activation = Annotated[str, OneOf(("relu", "gelu"))]


class Stacked(NamedTuple):
    """Layers on one another: their input, the memory they attend to, how many there are, a last norm."""

    x: Shape
    memory: Shape | None
    layers: Dim
    norm: bool


class Transforming(NoBuffers, Joint):
    """What a transformer and its parts share: the width of everything, and how sequences are laid out."""

    family = Family.TRANSFORMER
    framework = "torch"
    tensors: ClassVar[tuple[str, ...]]
    """What the input tensors are."""

    d_model: InFeatures = None
    nhead: Heads
    dim_feedforward: Count = 2048
    dropout: Probability = Fraction(1, 10)
    activation: Activation = "relu"
    layer_norm_eps: Real = Fraction(1, 100_000)
    batch_first: Flag = False
    norm_first: Flag = False
    bias: Flag = True

    def axes(self, x: Shape, number: int) -> tuple[str, ...]:
        return ("L", "E") if self.batch_first or len(x) == 2 else ("L", "N", "E")

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        yield arity(self.kind, len(inputs), len(self.tensors))
        first, *others = inputs
        yield from rank_between(self.kind, first, 2, 3)
        e = first[-1]
        yield from declared(self, first)
        yield from divided(self, first)
        batch, _ = self.parts(first)
        for name, x in zip(self.tensors[1:], others, strict=True):
            yield from rank_between(f"{self.kind}: {name}", x, len(first), len(first))
            wanted = sequence(batch, self.parts(x)[1], e, first=self.batch_first)
            yield from shaped(self.kind, name, x, wanted)

    def output(self, inputs: Shapes) -> Shape:
        return inputs[0]

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        length = 1 if self.batch_first and len(inputs[0]) == 3 else 0
        return tuple([over(len(x), [length, len(x) - 1]) for x in inputs])

    def parts(self, x: Shape) -> tuple[Shape, Dim]:
        """Return the batch axis, if there is one, and the length of a sequence."""
        return batch_and_length(x, batch_first=self.batch_first)

    def images(self, inputs: Shapes) -> Dim:
        """Return how many sequences there are."""
        batch, _ = self.parts(inputs[0])
        return batch[0] if batch else 1

    def normalization(self, e: Dim) -> Named:
        """Return the weights of a layer normalization."""
        return {"weight": (e,), "bias": (e,)} if self.bias else {"weight": (e,)}

    def encoder_layer(self, e: Dim) -> Named:
        """Return the weights of one layer that looks at its own sequence."""
        return self.layer(e, ("self_attn",))

    def decoder_layer(self, e: Dim) -> Named:
        """Return the weights of one layer that looks at its own sequence, then at another."""
        return self.layer(e, ("self_attn", "multihead_attn"))

    def layer(self, e: Dim, attentions: tuple[str, ...]) -> Named:
        """Return the weights of attentions, two linear layers, and a normalization for each."""
        f = self.dim_feedforward
        named: Named = {}
        for name in attentions:
            named |= within(name, projections(e, e, e, bias=self.bias))
        for name, rows, columns in (("linear1", f, e), ("linear2", e, f)):
            named |= {f"{name}.weight": (rows, columns)}
            named |= {f"{name}.bias": (rows,)} if self.bias else {}
        for number in range(1, len(attentions) + 2):
            named |= within(f"norm{number}", self.normalization(e))
        return named

    def encoder_macs(self, length: Dim, e: Dim) -> Dim:
        """Return the multiply-accumulates of one layer that looks at its own sequence."""
        return self_attention_macs(length, e) + 2 * length * e * self.dim_feedforward

    def decoder_macs(self, length: Dim, seen: Dim, e: Dim) -> Dim:
        """Return the multiply-accumulates of one layer that looks at another sequence as well."""
        return self.encoder_macs(length, e) + 2 * (length + seen) * e**2 + heads_macs(length, seen, e)

    @abstractmethod
    def stacks(self, inputs: Shapes) -> Iterator[Stacked]:
        """Yield the stacks of layers, in order."""

    def components(self, inputs: Shapes) -> tuple[Component, ...]:
        return tuple([part for stack in self.stacks(inputs) for part in self._inside(stack)])

    def _inside(self, stack: Stacked) -> Iterator[Component]:
        """Yield what a stack is made of: attentions, two linear layers, and norms."""
        x, memory, layers, norm = stack
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
        for layer, given, times in self.components(inputs):
            inside = layer.operations_on(given)
            assert inside is not None
            total = total + inside * times
        function = RELU if self.activation == "relu" else GELU_BY_ERF
        for x, memory, layers, _ in self.stacks(inputs):
            total = total + function * (layers * self.dim_feedforward * product(x[:-1]))
            total = total + Operations(additions=layers * (2 if memory is None else 3) * product(x))
        return total


class Stack(Transforming):
    """What stacks of layers share: how many there are, and whether a normalization comes last."""

    order = "* ..."

    num_layers: Depth
    norm: Flag = False

    def stacked(self, layer: Named, e: Dim) -> Named:
        """Return the weights of all layers, and of the normalization at the end."""
        return stacked(layer, self.num_layers, self.normalization(e) if self.norm else {})


def within(name: str, weights: Named) -> Named:
    """Return weights under the name of what holds them."""
    return {f"{name}.{key}": shape for key, shape in weights.items()}


def stacked(layer: Named, count: int, norm: Named) -> Named:
    """Return the weights of `count` equal layers and of the normalization behind them."""
    named: Named = {}
    for number in range(count):
        named |= within(f"layers.{number}", layer)
    return named | within("norm", norm)


class TransformerEncoderLayer(Transforming, torch="torch.nn.TransformerEncoderLayer"):
    """Self-attention and two linear layers on `[S, N, E]`, each added to what it reads: the shape is kept.

    With batch_first `[N, S, E]`; unbatched without N. Weights are those of `multihead_attention` under
    `self_attn`, `linear1.weight: [F, E]`, `linear1.bias: [F]`, `linear2.weight: [E, F]`, `linear2.bias: [E]`,
    and `norm1` and `norm2` with `weight` and `bias: [E]`; there is no bias at all if bias is false. MACs are
    N·(4·S·E² + 2·S²·E + 2·S·E·F), F = dim_feedforward. Refuses an nhead that does not divide E, a d_model
    that is not the input's, and other ranks.

    >>> TransformerEncoderLayer(nhead=8).output(((10, 32, 512),))
    (10, 32, 512)
    >>> TransformerEncoderLayer(nhead=12, dim_feedforward=3072, batch_first=True).macs(((1, 197, 768),))
    1453954560
    """

    tensors = ("the source",)

    def weights(self, inputs: Shapes) -> Named:
        return self.encoder_layer(inputs[0][-1])

    def macs(self, inputs: Shapes) -> Dim:
        x = inputs[0]
        return self.images(inputs) * self.encoder_macs(self.parts(x)[1], x[-1])

    def stacks(self, inputs: Shapes) -> Iterator[Stacked]:
        yield Stacked(inputs[0], None, 1, norm=False)


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

    def weights(self, inputs: Shapes) -> Named:
        return self.decoder_layer(inputs[0][-1])

    def macs(self, inputs: Shapes) -> Dim:
        target, memory = inputs
        one = self.decoder_macs(self.parts(target)[1], self.parts(memory)[1], target[-1])
        return self.images(inputs) * one

    def stacks(self, inputs: Shapes) -> Iterator[Stacked]:
        target, memory = inputs
        yield Stacked(target, memory, 1, norm=False)


class TransformerEncoder(Stack, torch="torch.nn.TransformerEncoder"):
    """num_layers of `transformer_encoder_layer` on one another: the shape is kept.

    Weights are those of the layer under `layers.0`, `layers.1` and so on, and `norm.weight` and `norm.bias:
    [E]` if a layer normalization comes last (norm: true); MACs are num_layers times those of the layer.
    Refuses what the layer refuses.

    >>> TransformerEncoder(nhead=8, num_layers=6).macs(((10, 32, 512),))
    6059458560
    """

    tensors = ("the source",)

    def weights(self, inputs: Shapes) -> Named:
        e = inputs[0][-1]
        return self.stacked(self.encoder_layer(e), e)

    def macs(self, inputs: Shapes) -> Dim:
        x = inputs[0]
        return self.images(inputs) * self.num_layers * self.encoder_macs(self.parts(x)[1], x[-1])

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

    def weights(self, inputs: Shapes) -> Named:
        e = inputs[0][-1]
        return self.stacked(self.decoder_layer(e), e)

    def macs(self, inputs: Shapes) -> Dim:
        target, memory = inputs
        one = self.decoder_macs(self.parts(target)[1], self.parts(memory)[1], target[-1])
        return self.images(inputs) * self.num_layers * one

    def stacks(self, inputs: Shapes) -> Iterator[Stacked]:
        target, memory = inputs
        yield Stacked(target, memory, self.num_layers, self.norm)


class Transformer(Transforming, torch="torch.nn.Transformer"):
    """An encoder and a decoder that looks at what it found: `[S, N, E]` and `[T, N, E]` to `[T, N, E]`.

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

    def weights(self, inputs: Shapes) -> Named:
        e = inputs[0][-1]
        norm = self.normalization(e)
        return {
            **within("encoder", stacked(self.encoder_layer(e), self.num_encoder_layers, norm)),
            **within("decoder", stacked(self.decoder_layer(e), self.num_decoder_layers, norm)),
        }

    def macs(self, inputs: Shapes) -> Dim:
        source, target = inputs
        e, seen, length = source[-1], self.parts(source)[1], self.parts(target)[1]
        encoder = self.num_encoder_layers * self.encoder_macs(seen, e)
        return self.images(inputs) * (encoder + self.num_decoder_layers * self.decoder_macs(length, seen, e))

    def stacks(self, inputs: Shapes) -> Iterator[Stacked]:
        source, target = inputs
        yield Stacked(source, None, self.num_encoder_layers, norm=True)
        yield Stacked(target, source, self.num_decoder_layers, norm=True)
