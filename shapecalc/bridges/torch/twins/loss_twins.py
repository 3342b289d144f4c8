"""Twins of losses: which tensors are indices, weights of classes, and what torch's meta device lacks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from shapecalc.bridges.torch.twins.torch_names import Fields, Shapes
from shapecalc.bridges.torch.twins.twin import ModuleTwin, Twin, floats, gather, spread
from shapecalc.layers.class_loss import (
    CrossEntropyLoss,
    LinearCrossEntropyLoss,
    MultiLabelMarginLoss,
    MultiMarginLoss,
    NLLLoss,
    Weighted,
)
from shapecalc.layers.loss import GaussianNLLLoss
from shapecalc.layers.sequence_loss import AdaptiveLogSoftmaxWithLoss, CTCLoss

_TARGET_OF_ONE = "on the meta device a target that is a list of length 1 is refused"
_LOSS_OF_ONE = "on the meta device one loss is a list of length 1"


class GaussianTwin(ModuleTwin[GaussianNLLLoss]):
    """The loss of a normal distribution."""

    on_cpu = "it looks for variances below 0"


class MultiLabelMarginTwin(ModuleTwin[MultiLabelMarginLoss]):
    """Margins between classes that are right and others."""

    first_index = 1
    on_cpu = _LOSS_OF_ONE


class WeightedTwin(ModuleTwin[Weighted | LinearCrossEntropyLoss]):
    """A loss whose classes may have weights: a tensor of as many."""

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        if not 0 <= fields.get("label_smoothing", 0) <= 1:
            raise ValueError("a probability")
        arguments = super().arguments(fields, shapes)
        if arguments.pop("weight", False):
            arguments["weight"] = torch.ones(self.classes(fields, shapes))
        return arguments

    def classes(self, fields: Fields, shapes: Shapes) -> int:
        """Return how many classes there are."""
        return shapes[0][-1] if shapes[0] else 1

    def unwritten(self, fields: Fields, shapes: Shapes) -> str:
        return "weights of classes are numbers, which a spec does not have" if fields.get("weight") else ""


class MultiMarginTwin(WeightedTwin, Twin[MultiMarginLoss]):
    """Margins between the right class and others."""

    first_index = 1
    on_cpu = _LOSS_OF_ONE


class NLLTwin(WeightedTwin, Twin[NLLLoss]):
    """A loss of logarithms, whose classes are axis 1."""

    first_index = 1
    on_cpu = _TARGET_OF_ONE

    def classes(self, fields: Fields, shapes: Shapes) -> int:
        scores = shapes[0]
        return scores[1] if len(scores) > 1 else scores[0]


class CrossEntropyTwin(NLLTwin, Twin[CrossEntropyLoss]):
    """A loss of scores, against numbers of classes or probabilities."""

    def tensors(self, shapes: Shapes, device: str) -> list[Tensor]:
        if len(set(shapes)) == 1:
            return [floats(shape, device) for shape in shapes]
        return super().tensors(shapes, device)


class LinearCrossEntropyTwin(WeightedTwin, Twin[LinearCrossEntropyLoss]):
    """A linear layer and a cross-entropy; a target that has not the shape of the scores is of indices."""

    on_cpu = _TARGET_OF_ONE

    def classes(self, fields: Fields, shapes: Shapes) -> int:
        return int(fields["num_classes"])

    def connected(self, module: nn.Module, fields: Fields, shapes: Shapes) -> nn.Module:
        scores = (*shapes[0][:-1], fields["num_classes"], *fields.get("out_features", ()))

        def with_indices(x: Tensor, target: Tensor, *others: Tensor) -> tuple[tuple[Tensor, ...], Fields]:
            return (x, target if target.shape == scores else target.long(), *others), {}

        return gather(module, with_indices)


class AdaptiveTwin(ModuleTwin[AdaptiveLogSoftmaxWithLoss]):
    """A softmax over clusters of classes, which returns its scores and its loss."""

    first_index = 1
    on_cpu = "it sorts the rows by their class"
    macs_unknown = "the numbers of the classes determine how many rows are multiplied"

    def connected(self, module: nn.Module, fields: Fields, shapes: Shapes) -> nn.Module:
        return spread(module)


class CTCTwin(ModuleTwin[CTCLoss]):
    """Connectionist temporal classification."""

    first_index = 1
    on_cpu = "it reads the lengths"

    def tensors(self, shapes: Shapes, device: str) -> list[Tensor]:
        """Return logarithms, targets, and lengths that fit them: all of a row goes to the first sequence."""
        made = super().tensors(shapes, device)
        if len(shapes) == 4 and shapes[1]:
            made[2] += shapes[0][0]
            if len(shapes[1]) == 2:
                made[3] += shapes[1][1]
            elif made[3].numel():
                made[3].view(-1)[0] = shapes[1][0]
        return made
