"""A matrix between two tensors for every output: the bilinear layer."""

from collections.abc import Iterator
from typing import Annotated

from shapecalc.algebra import product
from shapecalc.layers.base import Joint, Named, NoBuffers, Shapes
from shapecalc.layers.counts import Operations, products
from shapecalc.layers.dependence import Dependence, over
from shapecalc.layers.effect import learned
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Flag, OptionalCount
from shapecalc.layers.requirement import Requirement, Shape, arity, rank_between, shaped
from shapecalc.layers.roles import InFeatures, Inferred, OutFeatures, declared


class Bilinear(NoBuffers, Joint, framework="torch", torch="torch.nn.Bilinear"):
    """x₁ᵀ·A·x₂ + b for every output: `[..., in1_features]`, `[..., in2_features]` to `[..., out_features]`.

    Weights are `weight: [out_features, in1_features, in2_features]` and `bias: [out_features]`. x₁ᵀ·A is a
    matrix product, and so is its product with x₂: an output costs in2_features·(in1_features + 1) MACs. That
    is how torch computes it; its FlopCounterMode does not know the operation and reads 0. Refuses tensors
    that differ before their last axis, and features that do not match.

    >>> Bilinear(out_features=40).output(((128, 20), (128, 30)))
    (128, 40)
    >>> Bilinear(out_features=40).macs(((128, 20), (128, 30)))
    3225600
    """

    family = Family.BILINEAR

    in1_features: InFeatures = None
    in2_features: Annotated[OptionalCount, Inferred(axis=-1, tensor=1)] = None
    out_features: OutFeatures
    bias: Flag = True

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        yield arity(self.kind, len(inputs), 2)
        for x in inputs:
            yield from rank_between(self.kind, x, 1, None)
        left, right = inputs
        yield from shaped(self.kind, "the second tensor", right, (*left[:-1], *right[-1:]))
        yield from declared(self, left, right)

    def output(self, inputs: Shapes) -> Shape:
        return (*inputs[0][:-1], self.out_features)

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        return tuple([over(len(x), [len(x) - 1]) for x in inputs])

    def weights(self, inputs: Shapes) -> Named:
        left, right = inputs
        weight = (self.out_features, left[-1], right[-1])
        return learned({"weight": weight, "bias": (self.out_features,)}, bias=self.bias)

    def operations(self, inputs: Shapes) -> Operations:
        left, right = inputs
        results = product(self.output(inputs))
        halves = results * right[-1]
        return products(halves * (left[-1] + 1), halves, results, biased=self.bias)
