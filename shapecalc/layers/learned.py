"""Learned tensors that join the data: a class token in front, a position added, a scale per channel."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated

from shapecalc.layers.base import Layer, Named, NoBuffers, NoOperations, NoWindow, Pointwise
from shapecalc.layers.counts import Operations
from shapecalc.layers.dependence import Along, Dependence, placed
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Index, OptionalCount, Real
from shapecalc.layers.mixins import GradientAsResult, GradientOfResult
from shapecalc.layers.requirement import Requirement, Shape, axis_exists, rank_between
from shapecalc.layers.roles import InFeatures, Inferred, declared


class OverTokens(Layer):
    """A layer over tokens `[N, L, E]`, whose sizes it may declare."""

    embed_dim: InFeatures = None

    def axes(self, x: Shape, number: int) -> tuple[str, ...]:
        return ("L", "E")

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, 3, 3)
        yield from declared(self, x)


class ClassToken(GradientOfResult, NoBuffers, NoOperations, NoWindow, OverTokens, kind="class_token"):
    """A learned vector put in front of every sequence: `[N, L, E]` to `[N, L + 1, E]`.

    The weight is `weight: [1, 1, E]`. Refuses other ranks and an embed_dim that is not the input's. Source:
    torchvision.models.VisionTransformer.class_token; Devlin et al., BERT, 2018.

    >>> ClassToken().output((1, 196, 768))
    (1, 197, 768)
    """

    family = Family.TENSOR
    saves = "nothing"

    def output(self, x: Shape) -> Shape:
        return (x[0], x[1] + 1, x[2])

    def dependence(self, x: Shape, result: int) -> Dependence:
        return placed(3, {1: Along(1, ((-1, -1),))})

    def weights(self, x: Shape) -> Named:
        return {"weight": (1, 1, x[-1])}


class PositionEmbedding(GradientAsResult, OverTokens, Pointwise, kind="position_embedding"):
    """A learned vector for every position, added to `[N, L, E]`, whose shape is kept.

    The weight is `weight: [1, L, E]`, so a network that was built for one length takes no other. Refuses
    other ranks, and a length or an embed_dim that is not the input's. Source:
    torchvision.models.vision_transformer.Encoder.pos_embedding; Dosovitskiy et al., 2020.

    >>> PositionEmbedding().weights((8, 197, 768))
    {'weight': (1, 197, 768)}
    """

    order = "length embed_dim"
    family = Family.ELEMENTWISE
    saves = "nothing"
    per_element = Operations(additions=1)

    length: Annotated[OptionalCount, Inferred(axis=1, what="positions")] = None

    def weights(self, x: Shape) -> Named:
        return {"weight": (1, *x[1:])}


class LayerScale(Pointwise, kind="layer_scale", framework="torch"):
    """A learned scale for every channel, by which the channel is multiplied.

    The channels are axis `dim`, and the weight has as many axes after it as the input, so that it stretches:
    `weight: [C, 1, 1]` for `[N, C, H, W]` and dim 1, `weight: [E]` for dim -1. Refuses an axis that does not
    exist. Source: torchvision.models.convnext.CNBlock.layer_scale; Touvron et al., Going deeper with Image
    Transformers, 2021.

    >>> LayerScale().weights((1, 96, 56, 56))
    {'weight': (96, 1, 1)}
    """

    family = Family.ELEMENTWISE
    saves = "weighted"
    per_element = Operations(multiplications=1)

    dim: Index = 1
    init: Real = Fraction(1, 1_000_000)

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, 1, None)
        yield from axis_exists(self.kind, "dim", self.dim, len(x), x)

    def weights(self, x: Shape) -> Named:
        axis = self.dim % len(x)
        return {"weight": (x[axis], *(1,) * (len(x) - axis - 1))}
