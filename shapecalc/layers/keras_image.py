"""Keras' layers that make images of one size, and copies of a vector."""

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import model_validator

from shapecalc.layers.base import Layer, NoMacs, NoOperations, NoWeights, NoWindow
from shapecalc.layers.dependence import Along, Dependence, placed
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Count, Flag, OneOf, complaint
from shapecalc.layers.keras_pad import INTERPOLATIONS
from shapecalc.layers.requirement import Requirement, Shape, rank_between
from shapecalc.layers.roles import Lettered

Height = Annotated[Count, Lettered("H")]
Width = Annotated[Count, Lettered("W")]


class OfOneSize(NoWeights, NoMacs, NoWindow, Layer):
    """What makes images of a set size: `[N, H, W, C]`, or one image without N."""

    framework = "keras"
    fixes_sizes = True
    order = "height width * ..."
    unknown_dependence = ("pixels", "where a pixel comes from depends on the size of the image")

    height: Height
    width: Width

    @classmethod
    def channel_axis(cls, x: Shape) -> int:
        return len(x) - 1

    def axes(self, x: Shape, number: int) -> tuple[str, ...]:
        return ("H", "W", "C")

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        return rank_between(self.kind, x, 3, 4)

    def output(self, x: Shape) -> Shape:
        return (*x[:-3], self.height, self.width, x[-1])

    def dependence(self, x: Shape, result: int) -> Dependence:
        return placed(len(x), {len(x) - 3: None, len(x) - 2: None})


class KerasResizing(OfOneSize, kind="resizing", keras="keras.layers.Resizing"):
    """Images interpolated to height and width: `[N, H, W, C]` to `[N, height, width, C]`.

    With crop_to_aspect_ratio or pad_to_aspect_ratio their proportions are kept, which changes no shape.

    >>> KerasResizing(height=224, width=224).output((8, 480, 640, 3))
    (8, 224, 224, 3)
    """

    family = Family.RESAMPLE

    mode: Annotated[str, OneOf(INTERPOLATIONS)] = "bilinear"
    crop_to_aspect_ratio: Flag = False
    pad_to_aspect_ratio: Flag = False

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.crop_to_aspect_ratio is True and self.pad_to_aspect_ratio is True:
            raise complaint("images are cropped or padded, not both", "pad_to_aspect_ratio")
        return self


class KerasCenterCrop(OfOneSize, kind="center_crop", keras="keras.layers.CenterCrop"):
    """The middle of images: `[N, H, W, C]` to `[N, height, width, C]`; smaller images are enlarged first.

    >>> KerasCenterCrop(height=224, width=224).output((8, 256, 256, 3))
    (8, 224, 224, 3)
    """

    family = Family.CROP


class KerasRandomCrop(OfOneSize, kind="random_crop", keras="keras.layers.RandomCrop"):
    """A random part of images in training, in evaluation all of it resized: `[N, height, width, C]`.

    >>> KerasRandomCrop(height=224, width=224).output((8, 256, 256, 3))
    (8, 224, 224, 3)
    """

    family = Family.CROP


class KerasRepeatVector(NoWeights, NoOperations, NoWindow, Layer, kind="repeat_vector", framework="keras"):
    """Copies of a vector: `[N, F]` to `[N, n, F]`. Refuses other ranks.

    >>> KerasRepeatVector(n=3).output((8, 64))
    (8, 3, 64)
    """

    keras = "keras.layers.RepeatVector"
    family = Family.RESHAPE

    n: Annotated[Count, Lettered("n")]

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        return rank_between(self.kind, x, 2, 2)

    def output(self, x: Shape) -> Shape:
        return (x[0], self.n, x[1])

    def dependence(self, x: Shape, result: int) -> Dependence:
        return (Along(0), Along(2))
