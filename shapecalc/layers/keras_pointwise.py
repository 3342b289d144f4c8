"""Keras' layers that change no shape: noise, masks, scales, statistics, and changes of images in training."""

from collections.abc import Iterator
from typing import Annotated

from shapecalc.algebra import product
from shapecalc.layers.base import Named, Pointwise
from shapecalc.layers.counts import NOTHING, Operations
from shapecalc.layers.counts import norm as norm_of
from shapecalc.layers.dependence import Dependence, over, placed
from shapecalc.layers.dropout import Dropping
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Each, Flag, Integer, Nullable, OneOf, Probability, Real
from shapecalc.layers.rectifier import SLOPED
from shapecalc.layers.relu import Activation
from shapecalc.layers.requirement import Requirement, Shape, axis_exists, rank_between


class KerasPReLU(Activation, kind="prelu", framework="keras", keras="keras.layers.PReLU"):
    """max(x, 0) + alpha · min(x, 0), with a trained slope for every element of a sample.

    The weight is `alpha`, of the input's shape without the batch, with 1 on the shared_axes, which count
    from 1. Refuses axes that the input does not have. Source: He et al., Delving deep into rectifiers,
    2015.

    >>> KerasPReLU(shared_axes=[1, 2]).weights((1, 32, 32, 64))
    {'alpha': (1, 1, 64)}
    """

    per_element = SLOPED

    shared_axes: Annotated[int | tuple[int, ...] | None, Nullable(Each(Integer(1, may_be_free=False)))] = None

    def _shared(self) -> tuple[int, ...]:
        axes = self.shared_axes
        return () if axes is None else axes if isinstance(axes, tuple) else (axes,)

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, 1, None)
        for axis in self._shared():
            yield from axis_exists(self.kind, "shared_axes", axis, len(x), x)

    def weights(self, x: Shape) -> Named:
        return {"alpha": tuple(1 if axis in self._shared() else n for axis, n in enumerate(x))[1:]}


class KerasGaussianNoise(
    Pointwise, kind="gaussian_noise", framework="keras", keras="keras.layers.GaussianNoise"
):
    """Adds random numbers of deviation stddev in training; in evaluation the identity.

    >>> KerasGaussianNoise(stddev=0.1).output((8, 64))
    (8, 64)
    """

    family = Family.DROPOUT
    per_element = NOTHING

    stddev: Probability


class KerasGaussianDropout(
    Dropping, kind="gaussian_dropout", framework="keras", keras="keras.layers.GaussianDropout"
):
    """Multiplies by random numbers of mean 1 in training; in evaluation the identity."""


class KerasActivityRegularization(
    Pointwise, kind="activity_regularization", framework="keras", keras="keras.layers.ActivityRegularization"
):
    """Adds a cost for large values to the loss in training; the values stay."""

    family = Family.IDENTITY
    per_element = NOTHING

    l1: Real = 0
    l2: Real = 0


class KerasMasking(Pointwise, kind="masking", framework="keras", keras="keras.layers.Masking"):
    """Sets positions to 0 all of whose numbers are mask_value, which later layers leave out.

    Shape kept, no weights, no MACs.

    >>> KerasMasking().output((8, 10, 3))
    (8, 10, 3)
    """

    family = Family.ELEMENTWISE
    per_element = Operations(comparisons=1)

    mask_value: Real = 0

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        return rank_between(self.kind, x, 1, None)

    def dependence(self, x: Shape, result: int) -> Dependence:
        return over(len(x), [len(x) - 1])


class KerasRescaling(Pointwise, kind="rescaling", framework="keras", keras="keras.layers.Rescaling"):
    """x·scale + offset, with numbers that are not trained.

    >>> KerasRescaling(scale=0.5).output((8, 32, 32, 3))
    (8, 32, 32, 3)
    """

    family = Family.ELEMENTWISE
    per_element = Operations(multiplications=1, additions=1)

    scale: Real
    offset: Real = 0


Axes = Annotated[int | tuple[int, ...] | None, Nullable(Each(Integer(may_be_free=False)))]


class KerasNormalization(
    Pointwise, kind="normalization", framework="keras", keras="keras.layers.Normalization"
):
    """(x - mean)/√variance with statistics of the data, one for each place on the axes `dim`.

    They are `mean` and `variance`, with the sizes of those axes, and `count: []`, all of which `adapt`
    finds and training leaves alone; with fixed they are settings, and there are none. Refuses axes that the
    input lacks.

    >>> KerasNormalization().weights((8, 32, 32, 3))
    {'mean': (3,), 'variance': (3,), 'count': ()}
    """

    family = Family.ELEMENTWISE
    per_element = Operations(additions=1, divisions=1)
    statistics = frozenset({"mean", "variance", "count"})

    dim: Axes = -1
    fixed: Flag = False
    invert: Flag = False

    def _axes(self, x: Shape) -> list[int]:
        dims = () if self.dim is None else self.dim if isinstance(self.dim, tuple) else (self.dim,)
        return sorted({dim % len(x) for dim in dims})

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        dims = () if self.dim is None else self.dim if isinstance(self.dim, tuple) else (self.dim,)
        for dim in dims:
            yield from axis_exists(self.kind, "dim", dim, len(x), x)

    def weights(self, x: Shape) -> Named:
        sizes = tuple(x[axis] for axis in self._axes(x))
        return {} if self.fixed else {"mean": sizes, "variance": sizes, "count": ()}


class KerasUnitNormalization(
    Pointwise, kind="unit_normalization", framework="keras", keras="keras.layers.UnitNormalization"
):
    """Division by the length of the vector along the axes `dim`. Refuses axes that the input lacks.

    >>> KerasUnitNormalization().output((8, 64))
    (8, 64)
    """

    family = Family.ELEMENTWISE

    dim: Annotated[int | tuple[int, ...], Each(Integer(may_be_free=False))] = -1

    def _dims(self) -> tuple[int, ...]:
        return self.dim if isinstance(self.dim, tuple) else (self.dim,)

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        for dim in self._dims():
            yield from axis_exists(self.kind, "dim", dim, len(x), x)

    def dependence(self, x: Shape, result: int) -> Dependence:
        return over(len(x), sorted({dim % len(x) for dim in self._dims()}))

    def operations(self, x: Shape) -> Operations:
        numbers = product(x)
        axes = {dim % len(x) for dim in self._dims()}
        rows = product(n for axis, n in enumerate(x) if axis not in axes)
        return norm_of(2, numbers, rows) + Operations(divisions=numbers)


AUGMENTATIONS = (
    "AugMix AutoContrast ContrastLimitedAdaptiveHistogramEqualization CutMix Equalization MixUp "
    "RandAugment RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast "
    "RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHue "
    "RandomInvert RandomPerspective RandomPosterization RandomRotation RandomSaturation RandomSharpness "
    "RandomShear RandomTranslation RandomZoom Solarization"
)


class KerasAugmentation(Pointwise, kind="augmentation", framework="keras"):
    """A change of images `[N, H, W, C]` that keeps their shape, mostly in training alone.

    `function` is the class in keras.layers, as `RandomFlip`; its settings change no shape and are left out.
    What it costs is not counted: in evaluation most do nothing. Source: keras.layers.RandomFlip and its like.

    >>> KerasAugmentation(function="RandomFlip").output((8, 224, 224, 3))
    (8, 224, 224, 3)
    """

    family = Family.ELEMENTWISE

    function: Annotated[str, OneOf(tuple(AUGMENTATIONS.split()))]

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        return rank_between(self.kind, x, 3, 4)

    def dependence(self, x: Shape, result: int) -> Dependence:
        return placed(len(x), dict.fromkeys(range(len(x) - 3, len(x))))
