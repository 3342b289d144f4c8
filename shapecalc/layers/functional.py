"""Layers of torch called as functions: their weights are tensors like the input, computed or shared.

The rules are those of the layer that would have such weights.
"""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from shapecalc.algebra import Dim
from shapecalc.layers import conv, conv_transpose
from shapecalc.layers.base import Component, Joint, Layer, NoWeights, Shapes, Window
from shapecalc.layers.counts import Operations
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.dependence import EVERYTHING, OF_GROUPS, Along, Dependence
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Count, Each, Integer, Nullable, OneOf, PerAxis
from shapecalc.layers.memory_traits import Input, Mode, Own, Storage
from shapecalc.layers.requirement import Requirement, Shape, arity, rank_between, shaped, shown
from shapecalc.layers.roles import Dilation, Lettered, OutputPadding, PaddingPerAxis, Stride, WindowField
from shapecalc.layers.spatial import OverAxes
from shapecalc.layers.table import Embedding

GroupCount = Annotated[Count, Lettered("g", 1)]
FunctionPadding = Annotated[
    PerAxis | Literal["same", "valid"], OneOf(("same", "valid"), Each(Integer(0))), WindowField("p")
]


class Functional(NoWeights, Joint):
    """What functions share that take an input, a weight and perhaps a bias."""

    framework = "torch"

    @abstractmethod
    def layer(self, inputs: Shapes) -> Layer:
        """Return the layer with weights of these shapes."""

    def of_layer(self, inputs: Shapes) -> Iterator[Requirement]:
        """Yield what the layer requires of the input, in the name of the function."""
        layer = self.layer(inputs)
        for requirement in layer.requirements(inputs[0]):
            yield _renamed(requirement, layer.kind, self.kind)

    def output(self, inputs: Shapes) -> Shape:
        return self.layer(inputs).output(inputs[0])

    def operations(self, inputs: Shapes) -> Operations | None:
        return self.layer(inputs).operations(inputs[0])

    def components(self, inputs: Shapes) -> tuple[Component, ...]:
        return (Component(self.layer(inputs), inputs[:1]),)


def _renamed(requirement: Requirement, old: str, new: str) -> Requirement:
    """Return a requirement whose message names another kind."""
    says = requirement.says
    return requirement.saying(lambda: (says if isinstance(says, str) else says()).replace(old, new, 1))


class FunctionalConvolving(OverAxes, Functional):
    """The rules of convolutions whose weight and bias are tensors."""

    unknown_dependence = OF_GROUPS
    weight_axes: ClassVar[str]
    """What the first axes of the weight are."""

    stride: Stride = 1
    groups: GroupCount = 1
    dilation: Dilation = 1

    def saved(self, inputs: Shapes, mode: Mode) -> tuple[Storage, ...]:
        """The weight, and what the layer saves of the input."""
        of_input = self.layer(inputs).saved(inputs[:1], mode)
        assert of_input is not None
        return (*of_input, Input(1))

    def makes(self, inputs: Shapes, mode: Mode) -> tuple[Own, ...]:
        return self.layer(inputs).makes(inputs[:1], mode)

    @abstractmethod
    def channels_of(self, weight: Shape) -> tuple[Dim, Dim]:
        """Return the channels that a weight reads and those that it makes."""

    @abstractmethod
    def layer_class(self) -> type[Layer]:
        """Return the class of the layer."""

    def layer(self, inputs: Shapes) -> Layer:
        _, weight, *bias = inputs
        fields: dict[str, Any] = dict(self)
        fields |= {"out_channels": self.channels_of(weight)[1], "kernel_size": weight[2:], "bias": bool(bias)}
        return self.layer_class().model_construct(**fields)

    def axes(self, x: Shape, number: int) -> tuple[str, ...]:
        letters = super().axes(x, number)
        return (letters, ("O", *letters), ("O",))[number]

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        yield arity(self.kind, len(inputs), 2, 3)
        x, weight, *biases = inputs
        yield from self.spatial_rank(x)
        yield from rank_between(f"{self.kind}: the weight", weight, self.rank + 2, self.rank + 2)
        reads, makes = self.channels_of(weight)
        for size in (makes, *weight[2:]):
            says = f"{self.kind}: the weight {shown(weight)} is empty"
            yield Requirement("weight", size, ">=", 1, says)
        yield Requirement("channels", reads, "==", self.channels(x), lambda: self._differs(x, weight))
        for bias in biases:
            yield from shaped(self.kind, "the bias", bias, (makes,))
        yield from self.of_layer(inputs)

    def _differs(self, x: Shape, weight: Shape) -> str:
        reads, _ = self.channels_of(weight)
        of_groups = "" if self.groups == 1 else f" in {self.groups} groups"
        head = f"{self.kind}: the weight {shown(weight)}, {self.weight_axes}{of_groups}"
        return f"{head}, needs {reads} channels, but the input {shown(x)} has {self.channels(x)}"

    def window(self, x: Any) -> Window | None:
        return self.layer(x).window(x[0])

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        x, weight, *biases = inputs
        of_input = self.layer(inputs).depends_on((x,), result)
        made = Along(self.channel_axis(x))
        return (*of_input, self.of_weight(made, len(weight)), *[(made,) for _ in biases])

    @abstractmethod
    def of_weight(self, made: Along, rank: int) -> Dependence:
        """Return what a channel that is made sees of the weight."""


class ConvolvingByWeight(FunctionalConvolving):
    """Convolution by a weight, whatever the padding."""

    family = Family.CONVOLUTION
    weight_axes = "[out_channels, in_channels/groups, kernel]"

    def channels_of(self, weight: Shape) -> tuple[Dim, Dim]:
        return weight[1] * self.groups, weight[0]

    def of_weight(self, made: Along, rank: int) -> Dependence:
        return (made, *[EVERYTHING] * (rank - 1))


class FunctionalConv(
    ConvolvingByWeight, torch="torch.nn.functional.conv{rank}d", ranked="FunctionalConv{rank}d"
):
    """Convolution over {axes} by a tensor: a size n becomes ⌊(n + 2p - (d(k-1) + 1))/s⌋ + 1.

    It takes `[N, C, {sizes}]`, a weight `[out_channels, C/groups, {each:k}]` and, if there is one, a bias
    `[out_channels]`, and makes `[N, out_channels, {sizes:'}]`. padding is a number, one per axis, `same` or
    `valid`. Weights that are standardized, generated, sliced or shared are written so; MACs are those of
    `conv{rank}d`. Refuses what `conv{rank}d` refuses, a weight of another rank, without filters, or for
    another number of channels, and a bias of another length.

    >>> FunctionalConv{rank}d(stride=2).output(((1, 3, {each:9}), (8, 3, {each:3}), (8,)))
    (1, 8, {each:4})
    """

    order = "stride padding dilation groups"

    padding: FunctionPadding = 0

    def layer_class(self) -> type[Layer]:
        cls: type[Layer] = getattr(conv, f"Conv{self.rank}d")
        return cls


class TransposedByWeight(FunctionalConvolving):
    """Transposed convolution by a weight, whatever the padding."""

    family = Family.TRANSPOSED_CONVOLUTION
    weight_axes = "[in_channels, out_channels/groups, kernel]"

    output_padding: OutputPadding = 0

    def channels_of(self, weight: Shape) -> tuple[Dim, Dim]:
        return weight[0], weight[1] * self.groups

    def of_weight(self, made: Along, rank: int) -> Dependence:
        of_channels = (EVERYTHING, made) if self.groups == 1 else (None, None)
        return (*of_channels, *[EVERYTHING] * (rank - 2))


class FunctionalConvTranspose(
    TransposedByWeight,
    torch="torch.nn.functional.conv_transpose{rank}d",
    ranked="FunctionalConvTranspose{rank}d",
):
    """Transposed convolution over {axes} by a tensor: a size n becomes (n-1)s - 2p + d(k-1) + 1 + op.

    It takes `[N, C, {sizes}]`, a weight `[C, out_channels/groups, {each:k}]` and, if there is one, a bias
    `[out_channels]`, and makes `[N, out_channels, {sizes:'}]`. MACs are those of `conv_transpose{rank}d`.
    Refuses what `conv_transpose{rank}d` refuses, and what `functional_conv{rank}d` refuses of a weight and a
    bias.

    >>> FunctionalConvTranspose{rank}d(stride=2).output(((1, 8, {each:4}), (8, 3, {each:3})))
    (1, 3, {each:9})
    """

    order = "stride padding output_padding groups dilation"

    padding: PaddingPerAxis = 0

    def layer_class(self) -> type[Layer]:
        cls: type[Layer] = getattr(conv_transpose, f"ConvTranspose{self.rank}d")
        return cls


class FunctionalEmbedding(Functional, torch="torch.nn.functional.embedding"):
    """A table that is a tensor, read by index: integers `[...]` and a weight `[V, E]` to `[..., E]`.

    Tables that are computed or shared are written so; reading multiplies nothing. Refuses a weight of another
    rank, and a padding_idx outside the table, which may count from its end.

    >>> FunctionalEmbedding().output(((1, 128), (30522, 768)))
    (1, 128, 768)
    """

    family = Family.EMBEDDING

    def saved(self, inputs: Shapes, mode: Mode) -> tuple[Storage, ...]:
        """The indices."""
        return (Input(),)

    padding_idx: Annotated[Dim | None, Nullable(Integer())] = None

    def layer(self, inputs: Shapes) -> Layer:
        rows, width = inputs[1]
        return Embedding.model_construct(num_embeddings=rows, embedding_dim=width, **dict(self))

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        yield arity(self.kind, len(inputs), 2)
        yield from rank_between(f"{self.kind}: the weight", inputs[1], 2, 2)
        yield from self.of_layer(inputs)

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        x, _ = inputs
        return (*self.layer(inputs).depends_on((x,), result), (EVERYTHING, Along(len(x))))


__getattr__ = of_rank(__name__)
