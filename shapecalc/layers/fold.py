"""Windows as columns, and columns as windows again: `unfold` and `fold`, over height and width.

    positions = Π (⌊(n + 2p - (d(k - 1) + 1))/s⌋ + 1)      over both axes

They copy and add; nothing is multiplied. A position of the columns is one of a list, not of a map, so
there is no window in the sense of a convolution.
"""

from collections.abc import Iterator

from shapecalc.algebra import Dim, product
from shapecalc.layers.arithmetic import window
from shapecalc.layers.base import NoMacs, NoOperations, NoWeights, NoWindow
from shapecalc.layers.counts import Operations
from shapecalc.layers.dependence import Along, AxisDependence, Dependence, placed, unknown
from shapecalc.layers.family import Family
from shapecalc.layers.requirement import Requirement, Shape, divides, rank_between
from shapecalc.layers.roles import Dilation, KernelSize, OutputSize, PaddingPerAxis, Stride
from shapecalc.layers.spatial import Spatial


class Columns(NoWeights, NoMacs, NoWindow, Spatial):
    """What both ways share: a window over height and width, and how many times it fits."""

    family = Family.FOLD
    saves = "nothing"

    rank = 2

    kernel_size: KernelSize
    dilation: Dilation = 1
    padding: PaddingPerAxis = 0
    stride: Stride = 1

    def fits(self, sizes: Shape) -> Iterator[Requirement]:
        """Require that the window fits into sides of these sizes."""
        return self.large_enough(window, **self._letters(sizes))

    def positions(self, sizes: Shape) -> Dim:
        """Return how many positions the window has."""
        return product(map(window, *self._letters(sizes).values()))

    def elements(self) -> Dim:
        """Return how many elements the window has."""
        return product(self.spread(self.kernel_size))

    def _letters(self, sizes: Shape) -> dict[str, tuple[Dim, ...]]:
        fields = {"k": self.kernel_size, "s": self.stride, "d": self.dilation}
        fields |= {"p0": self.padding, "p1": self.padding}
        return {"n": sizes} | {letter: self.spread(value) for letter, value in fields.items()}


class Unfold(NoOperations, Columns, torch="torch.nn.Unfold"):
    """The windows of an image as columns: `[N, C, H, W]` to `[N, C·k·k, positions]`, unbatched without N.

    Refuses other ranks and an image in which the window does not fit.

    >>> Unfold(kernel_size=3, padding=1).output((1, 3, 224, 224))
    (1, 27, 50176)
    """

    unknown_dependence = ("places", "the columns are a list of windows over two axes in one")

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from self.spatial_rank(x)
        yield from self.fits(self.sizes(x))

    def output(self, x: Shape) -> Shape:
        return (*x[:-3], self.channels(x) * self.elements(), self.positions(self.sizes(x)))

    def dependence(self, x: Shape, result: int) -> Dependence:
        elements, axis = self.elements(), len(x) - 3
        own: AxisDependence = Along(axis, ((0, 0),) * elements) if isinstance(elements, int) else None
        return (*placed(axis), own, *unknown(2))


class Fold(Columns, torch="torch.nn.Fold"):
    """Columns added up as the windows of an image: `[N, C·k·k, positions]` to `[N, C, *output_size]`.

    Unbatched without N. What overlaps is added, which is no MAC. Refuses other ranks, channels that k·k does
    not divide, and a number of columns that is not that of the positions.

    >>> Fold(output_size=224, kernel_size=16, stride=16).output((1, 768, 196))
    (1, 3, 224, 224)
    """

    order = "output_size ..."
    unknown_dependence = ("places and channels", "the columns are a list of windows over two axes in one")

    output_size: OutputSize

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, 2, 3)
        yield divides(self.kind, "the window's size", self.elements(), "the channels", x[-2])
        sizes = self.spread(self.output_size)
        yield from self.fits(sizes)
        positions = self.positions(sizes)
        says = f"{self.kind}: the window has {positions} positions in output_size, the input {x[-1]} columns"
        yield Requirement("elements", x[-1], "==", positions, says)

    def output(self, x: Shape) -> Shape:
        return (*x[:-2], x[-2] // self.elements(), *self.spread(self.output_size))

    def dependence(self, x: Shape, result: int) -> Dependence:
        return (*placed(len(x) - 2), *unknown(2))

    def operations(self, x: Shape) -> Operations:
        return Operations(additions=product(x))  # onto zeros
