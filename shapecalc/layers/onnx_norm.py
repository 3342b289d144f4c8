"""ONNX's normalizations whose scale or shift is a tensor, that return statistics, or add tensors first."""

from collections.abc import Iterator
from typing import Annotated

from shapecalc.layers.base import Shapes
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Count, Flag, Index, Integer
from shapecalc.layers.merge import stretches
from shapecalc.layers.onnx_operator import Computing, Operands, an_axis
from shapecalc.layers.requirement import Requirement, Shape, divides, shown

Results = Annotated[int, Integer(1, 4, may_be_free=False)]


class OnnxLayerNorm(Computing, kind="onnx_layer_norm"):
    """Normalizes the axes from `dim` on, by a scale and perhaps a shift that stretch to them.

    The second and third result are statistics, one number for each place before `dim`. Refuses an axis that
    there is not, and a scale or shift that does not stretch. Source: ONNX, LayerNormalization,
    RMSNormalization; com.microsoft, SimplifiedLayerNormalization.

    >>> OnnxLayerNorm(results=3).outputs({"X": (2, 7, 64), "scale": (64,)})
    ((2, 7, 64), (2, 7, 1), (2, 7, 1))
    """

    family = Family.LAYER_NORM
    operands = "X scale bias?"

    dim: Index = -1
    results: Results = 1

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        yield from an_axis(self.kind, self.dim, x["X"])
        for name in ("scale", "bias"):
            if x.get(name):
                says = f"{self.kind}: {name}, {shown(x[name])}, does not stretch to {shown(x['X'])}"
                yield Requirement("rank", len(x["X"]), ">=", len(x[name]), says)
                for requirement in stretches(self.kind, (x["X"], x[name])):
                    yield requirement.saying(says)

    def output(self, x: Operands) -> Shape:
        return x["X"]

    def outputs(self, x: Operands) -> Shapes:
        data = x["X"]
        axis = self.dim % len(data)
        statistics = (*data[:axis], *[1] * (len(data) - axis))
        return (data, *[statistics] * (self.results - 1))


class OnnxSkipLayerNorm(Computing, kind="onnx_skip_layer_norm"):
    """Adds a tensor, and perhaps a bias, and normalizes the last axis; the last of four results is the sum.

    The second and third are statistics. Refuses vectors of another length, and a sum that is not of the first
    tensor's shape. Source: com.microsoft, SkipLayerNormalization, SkipSimplifiedLayerNormalization.

    >>> OnnxSkipLayerNorm(results=4).outputs({"input": (2, 7, 8), "skip": (2, 7, 8), "gamma": (8,)})
    ((2, 7, 8), (2, 7, 1), (2, 7, 1), (2, 7, 8))
    """

    family = Family.LAYER_NORM
    operands = "input skip gamma beta? bias?"

    results: Results = 1

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        data = x["input"]
        yield Requirement("rank", len(data), ">=", 1, f"{self.kind} needs an axis, not a single number")
        yield from self.ranked(x, gamma=1, beta=1, bias=1)
        for name in ("gamma", "beta", "bias"):
            yield from self.equal(x, name, 0, data[-1])
        says = f"{self.kind}: {shown(x['skip'])} does not stretch to {shown(data)}"
        yield Requirement("rank", len(data), ">=", len(x["skip"]), says)
        for n, size in zip(x["skip"][::-1], data[::-1], strict=False):
            if n != 1:
                yield Requirement("broadcast", n, "==", size, says)

    def output(self, x: Operands) -> Shape:
        return x["input"]

    def outputs(self, x: Operands) -> Shapes:
        data = x["input"]
        statistics = (*data[:-1], 1)
        return (data, statistics, statistics, data)[: self.results]


class OnnxChannelNorm(Computing, kind="onnx_channel_norm"):
    """Normalizes channels by vectors that are tensors, one number a channel, or one a group with `per_group`.

    The results behind the first are statistics, one number a channel. Refuses vectors of another length, and
    groups that do not divide the channels. Source: ONNX, BatchNormalization, InstanceNormalization,
    GroupNormalization.

    >>> OnnxChannelNorm(groups=2).output({"X": (2, 6, 9), "scale": (6,), "bias": (6,)})
    (2, 6, 9)
    """

    family = Family.BATCH_NORM
    operands = "X scale? bias? mean? var?"

    groups: Count = 1
    per_group: Flag = False
    results: Results = 1

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        data = x["X"]
        says = f"{self.kind} needs an axis of channels, and {shown(data)} has none"
        yield Requirement("rank", len(data), ">=", 2, says)
        yield divides(self.kind, "groups", self.groups, "the channels", data[1])
        vectors = [name for name in ("scale", "bias", "mean", "var") if name in x]
        yield from self.ranked(x, **dict.fromkeys(vectors, 1))
        for name in vectors:
            yield from self.equal(x, name, 0, self.groups if self.per_group else data[1])

    def output(self, x: Operands) -> Shape:
        return x["X"]

    def outputs(self, x: Operands) -> Shapes:
        return (x["X"], *[(x["X"][1],)] * (self.results - 1))
