"""Losses of scores for classes: what each class scores against the class, or the classes, that are right.

The classes are axis 1, or on axis 0 of a single list of scores. With `weight: true` each class has a
weight of its own, which torch keeps in the buffer `weight: [C]`.
"""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from shapecalc.algebra import Dim, decide, product
from shapecalc.errors import Undecided
from shapecalc.layers.base import Joint, Named, Shapes
from shapecalc.layers.counts import NOTHING, SIGMOID, Operations, log_softmax, mean, products
from shapecalc.layers.dependence import EVERYTHING, Along, Dependence, everywhere, over, placed, reduced
from shapecalc.layers.effect import learned, replaced
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Count, Flag, Index, Integer, Listed, Nullable, Probability, Real
from shapecalc.layers.loss import Loss, Reduction, Stretching, reduced_by
from shapecalc.layers.memory_traits import Input, Mode, Own, Storage
from shapecalc.layers.merge import broadcast
from shapecalc.layers.requirement import Requirement, Shape, arity, rank_between, shaped, shown
from shapecalc.layers.roles import InFeatures, declared


class Weighted(Loss):
    """A loss whose classes may have weights of their own."""

    remark = "With weight there is the buffer `weight: [C]`."

    weight: Flag = False

    @abstractmethod
    def classes(self, scores: Shape) -> Dim:
        """Return how many classes there are."""

    def buffers(self, inputs: Shapes) -> Named:
        return {"weight": (self.classes(inputs[0]),)} if self.weight else {}


def beside_classes(scores: Shape) -> Shape:
    """Return the axes of scores without that of the classes.

    >>> beside_classes((8, 21, 64, 64)), beside_classes((10,))
    ((8, 64, 64), ())
    """
    return (*scores[:1], *scores[2:]) if len(scores) > 1 else ()


def sees_classes(x: Shape, output: Shape) -> Dependence:
    """Return what a loss at each position sees of scores or probabilities, or of the classes by number."""
    if len(x) == len(output):
        return placed(len(x))
    axis = 1 if len(x) > 1 else 0
    return reduced(x, (*output[:axis], x[axis], *output[axis:]), axis)


def right_class(kind: str, scores: Shape, target: Shape, *, smoothed: bool) -> Iterator[Requirement]:
    """Require the number of a class for every position; a list of one is a number, unless it is smoothed."""
    if len(scores) == 1 and len(target) == 1 and not smoothed:
        yield from shaped(kind, "the target of one list of scores", target, (1,))
    else:
        yield from shaped(kind, "the target", target, beside_classes(scores))


def right_classes(
    kind: str, scores: Shape, target: Shape, *, ignores: Dim | None, smoothed: bool
) -> Iterator[Requirement]:
    """Require classes by number, or else probabilities, among which there is none to ignore."""
    if not are_probabilities(kind, scores, target):
        yield from right_class(kind, scores, target, smoothed=smoothed)
        return
    yield from shaped(kind, "the target, if it holds probabilities,", target, scores)
    if ignores is not None:
        says = f"{kind}: there is no class to ignore, {ignores}, among probabilities"
        yield Requirement("ignore-index", -1, ">=", ignores, says)


def are_probabilities(kind: str, scores: Shape, target: Shape) -> bool:
    """Say whether a target has as many axes as the scores; a list beside one list may be one number."""
    if len(scores) != len(target):
        return False
    if len(scores) > 1:
        return True
    verdicts = [decide(target[0], "==", size) for size in (scores[0], 1)]
    if None in verdicts and True not in verdicts:
        case = f"one class or {scores[0]} probabilities"
        raise Undecided(f"{kind}: whether a target of {target[0]} is {case} depends on what is free")
    return verdicts[0] is True or verdicts[1] is not True


class NLLLoss(Weighted, torch="torch.nn.NLLLoss"):
    """-x[y], the score of the right class: of `[N, C, ...]` logarithms and `[N, ...]` classes.

    Unbatched `[C]` and a single number. Refuses a target of another shape.

    >>> NLLLoss(reduction="none").output(((8, 21, 64, 64), (8, 64, 64)))
    (8, 64, 64)
    """

    saves = "input"

    ignore_index: Index = -100

    def fitting(self, inputs: Shapes) -> Iterator[Requirement]:
        scores, target = inputs
        yield from rank_between(self.kind, scores, 1, None)
        yield from right_class(self.kind, scores, target, smoothed=False)

    def classes(self, scores: Shape) -> Dim:
        return scores[1] if len(scores) > 1 else scores[0]

    def losses(self, inputs: Shapes) -> Shape:
        return beside_classes(inputs[0])

    def each(self, inputs: Shapes) -> tuple[Dependence, ...]:
        return tuple([sees_classes(x, self.losses(inputs)) for x in inputs])

    def makes(self, inputs: Shapes, mode: Mode) -> tuple[Own, ...]:
        """The weight of all targets together."""
        return (Own(()),)

    def unreduced(self, inputs: Shapes) -> Operations | None:
        return None if self.weight else NOTHING  # weights of classes go by the target


def entropy(scores: Shape, target: Shape, *, plain: bool) -> Operations | None:
    """Return the operations of log softmax, of which the score of the right class is read.

    They are not known for probabilities, nor unless plain: without weights and smoothing.
    """
    if not plain or len(target) != len(scores) - 1:
        return None
    return log_softmax(product(scores), product(beside_classes(scores)))


class CrossEntropyLoss(NLLLoss, torch="torch.nn.CrossEntropyLoss"):
    """-log softmax(x)[y]: of `[N, C, ...]` scores and `[N, ...]` classes, or probabilities `[N, C, ...]`.

    Unbatched without N. torch recognizes probabilities by their shape, which is that of the scores. Refuses a
    target of another shape, and an ignore_index of 0 or more with probabilities.

    >>> CrossEntropyLoss().output(((8, 1000), (8,)))
    ()
    >>> CrossEntropyLoss(reduction="none").output(((8, 21, 64, 64), (8, 21, 64, 64)))
    (8, 64, 64)
    """

    label_smoothing: Probability = 0

    def saved(self, inputs: Shapes, mode: Mode) -> tuple[Storage, ...] | None:
        """The targets, and of the scores the log softmax; not known of probabilities and with smoothing."""
        scores, target = inputs
        if self.label_smoothing != 0 or len(target) != len(scores) - 1:
            return None
        return (Input(1), *self.makes(inputs, mode))

    def makes(self, inputs: Shapes, mode: Mode) -> tuple[Own, ...]:
        return (Own(inputs[0]), *super().makes(inputs, mode))

    def fitting(self, inputs: Shapes) -> Iterator[Requirement]:
        scores, target = inputs
        yield from rank_between(self.kind, scores, 1, None)
        smoothed = self.label_smoothing > 0
        yield from right_classes(self.kind, scores, target, ignores=self.ignore_index, smoothed=smoothed)

    def unreduced(self, inputs: Shapes) -> Operations | None:
        return entropy(*inputs, plain=not self.weight and self.label_smoothing == 0)


class MultiMarginLoss(Weighted, torch="torch.nn.MultiMarginLoss"):
    """Σ max(0, margin - x[y] + x[i])^p / C over the wrong classes: of `[N, C]` scores and `[N]` classes.

    Unbatched `[C]` and a single number, or a list of one. p is 1 or 2. Refuses other ranks and a target of
    another size.

    >>> MultiMarginLoss(reduction="none").output(((8, 10), (8,)))
    (8,)
    """

    p: Annotated[Dim, Integer(1, 2)] = Field(1, description="The exponent of the distances, 1 or 2.")
    margin: Real = 1

    def fitting(self, inputs: Shapes) -> Iterator[Requirement]:
        scores, target = inputs
        yield from rank_between(self.kind, scores, 0, 2)
        yield from rank_between(f"{self.kind}: the target", target, 0, 1)
        rows = scores[0] if len(scores) == 2 else 1
        says = f"{self.kind}: {shown(scores)} needs {rows} classes, but the target is {shown(target)}"
        yield Requirement("elements", product(target), "==", rows, says)

    def classes(self, scores: Shape) -> Dim:
        return scores[-1] if scores else 1

    def losses(self, inputs: Shapes) -> Shape:
        return inputs[1]

    def each(self, inputs: Shapes) -> tuple[Dependence, ...]:
        scores, target = inputs
        by_row = len(scores) == 2 and len(target) == 1
        return ((Along(0), EVERYTHING) if by_row else everywhere(scores), placed(len(target)))

    def unreduced(self, inputs: Shapes) -> Operations | None:
        if self.weight:
            return None
        rows = product(inputs[1])
        wrong = Operations(additions=3, comparisons=1, multiplications=int(self.p == 2))
        return wrong * (product(inputs[0]) - rows) + Operations(divisions=rows)


class MultiLabelMarginLoss(Loss, torch="torch.nn.MultiLabelMarginLoss"):
    """Σ max(0, 1 - (x[y] - x[i])) / C over right classes y and wrong ones i: of `[N, C]` twice, to `[N]`.

    The target lists the right classes, and -1 ends the list. Unbatched `[C]`. Refuses other ranks and a
    target of another shape.

    >>> MultiLabelMarginLoss(reduction="none").output(((8, 10), (8, 10)))
    (8,)
    """

    def fitting(self, inputs: Shapes) -> Iterator[Requirement]:
        scores, target = inputs
        yield from rank_between(self.kind, scores, 0, 2)
        if len(scores) == 2:
            yield from shaped(self.kind, "the target", target, scores)
            return
        yield from rank_between(f"{self.kind}: the target", target, 0, 1)
        says = f"{self.kind}: {shown(scores)} needs as large a target, not {shown(target)}"
        yield Requirement("elements", product(target), "==", product(scores), says)

    def losses(self, inputs: Shapes) -> Shape:
        return inputs[0][:-1]

    def each(self, inputs: Shapes) -> tuple[Dependence, ...]:
        return tuple([(Along(0), EVERYTHING) if len(x) == 2 else everywhere(x) for x in inputs])


class MultiLabelSoftMarginLoss(Stretching, Weighted, torch="torch.nn.MultiLabelSoftMarginLoss"):
    """The mean over all classes of `bce_with_logits_loss`: of `[N, C]` scores and `[N, C]` targets, to `[N]`.

    Refuses single numbers.

    >>> MultiLabelSoftMarginLoss(reduction="none").output(((8, 10), (8, 10)))
    (8,)
    """

    def fitting(self, inputs: Shapes) -> Iterator[Requirement]:
        yield from rank_between(self.kind, inputs[0], 1, None)
        yield from super().fitting(inputs)

    def classes(self, scores: Shape) -> Dim:
        return scores[-1]

    def losses(self, inputs: Shapes) -> Shape:
        return replaced(broadcast(inputs), len(inputs[0]) - 1)

    def each(self, inputs: Shapes) -> tuple[Dependence, ...]:
        full, axis = broadcast(inputs), len(inputs[0]) - 1
        return tuple([reduced(x, full, axis) for x in inputs])

    def unreduced(self, inputs: Shapes) -> Operations | None:
        if self.weight:
            return None
        numbers = product(broadcast(inputs))
        label = SIGMOID + SIGMOID + Operations(additions=2, logarithms=2, multiplications=2)
        return label * numbers + mean(numbers, product(self.losses(inputs)))


class LinearCrossEntropyLoss(Joint, framework="torch", torch="torch.nn.LinearCrossEntropyLoss"):
    """`linear` and `cross_entropy_loss` in one: of `[N, in_features]` and the classes `[N]`.

    The scores are `[N, num_classes, *out_features]`, so with out_features the target is `[N, *out_features]`,
    or has the shape of the scores and holds probabilities. Unbatched without N, and without out_features.
    Weights are `linear.weight: [num_classes·Π out_features, in_features]` and, with bias, `linear.bias`; the
    linear part costs what `linear` costs. Refuses features and targets that do not match, and an ignore_index
    with probabilities. Older torches lack it.

    >>> LinearCrossEntropyLoss(num_classes=32000).macs(((128, 512), (128,)))
    2097152000
    """

    order = "in_features num_classes out_features bias * ..."
    family = Family.LOSS

    in_features: InFeatures = None
    num_classes: Count
    out_features: Annotated[tuple[Dim, ...], Listed(Integer(1))] = Field(
        (), description="The sizes of the scores behind the axis of the classes."
    )
    bias: Flag = False
    weight: Flag = False
    reduction: Reduction = "mean"
    ignore_index: Annotated[int | None, Nullable(Integer(may_be_free=False))] = None
    label_smoothing: Probability = 0

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        yield arity(self.kind, len(inputs), 2)
        x, target = inputs
        yield from rank_between(self.kind, x, 1 + bool(self.out_features), 2)
        yield from declared(self, x)
        ignores = None if self.ignore_index is None else 0  # whichever: probabilities have no class
        yield from right_classes(
            self.kind, self.scores(inputs), target, ignores=ignores, smoothed=self.label_smoothing > 0
        )

    def scores(self, inputs: Shapes) -> Shape:
        """Return the shape of what the linear part returns."""
        return (*inputs[0][:-1], self.num_classes, *self.out_features)

    def output(self, inputs: Shapes) -> Shape:
        return beside_classes(self.scores(inputs)) if self.reduction == "none" else ()

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        x, target = inputs
        if self.reduction != "none":
            return (everywhere(x), everywhere(target))
        return (over(len(x), [len(x) - 1]), sees_classes(target, self.output(inputs)))

    def weights(self, inputs: Shapes) -> Named:
        rows = product((self.num_classes, *self.out_features))
        return learned({"linear.weight": (rows, inputs[0][-1]), "linear.bias": (rows,)}, bias=self.bias)

    def buffers(self, inputs: Shapes) -> Named:
        return {"weight": (self.num_classes,)} if self.weight else {}

    def macs(self, inputs: Shapes) -> Dim:
        return product(self.scores(inputs)) * inputs[0][-1]

    def operations(self, inputs: Shapes) -> Operations | None:
        scores = self.scores(inputs)
        loss = entropy(scores, inputs[1], plain=not self.weight and self.label_smoothing == 0)
        if loss is None:
            return None
        linear = products(self.macs(inputs), product(scores), biased=self.bias)
        return linear + loss + reduced_by(self.reduction, product(beside_classes(scores)))
