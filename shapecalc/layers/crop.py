"""Cropping over 1, 2 and 3 axes.

    out = n - c₀ - c₁        per axis

`crop` is one number for all sides, one per axis, or `[[before, after], ...]` per side, axes in the
order of the shape.
"""

from collections.abc import Iterator
from typing import Annotated

from shapecalc.algebra import Dim
from shapecalc.layers.arithmetic import cropped
from shapecalc.layers.base import NoOperations, NoWeights, NoWindow
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.dependence import Dependence
from shapecalc.layers.family import Family
from shapecalc.layers.fields import ExtentPerSide
from shapecalc.layers.requirement import Requirement, Shape
from shapecalc.layers.roles import Lettered
from shapecalc.layers.spatial import Spatial


class Crop(
    NoWeights, NoOperations, NoWindow, Spatial, ranked="Crop{rank}d", keras="keras.layers.Cropping{rank}D"
):
    """What is left of the input when its sides are cut off: `[N, C, {sizes}]`, where n becomes n - c₀ - c₁.

    In torch it is a slice. Refuses to leave nothing. Source: Ronneberger et al., U-Net, 2015, which crops
    before every concatenation.

    >>> Crop{rank}d(crop=4).output((1, 512, {each:64}))
    (1, 512, {each:56})
    """

    family = Family.CROP
    saves = "nothing"

    crop: Annotated[ExtentPerSide, Lettered("c")]

    def sides(self) -> dict[str, tuple[Dim, ...]]:
        """Return what is cut off before (c0) and after (c1) every axis, in the order of the shape."""
        before, after = self.per_side(self.crop)
        return {"c0": before, "c1": after}

    def fitting(self, x: Shape) -> Iterator[Requirement]:
        return self.large_enough(cropped, n=self.sizes(x), **self.sides())

    def output(self, x: Shape) -> Shape:
        return self.resized(x, tuple(map(cropped, self.sizes(x), *self.sides().values())))

    def dependence(self, x: Shape, result: int) -> Dependence:
        return self.moved_on(x, self.sides()["c0"])


__getattr__ = of_rank(__name__)
