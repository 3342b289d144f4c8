"""The way back from max pooling, over 1, 2 and 3 axes: maxima return to their places, zeros around them.

    out = (n - 1)s - 2p + k      or output_size, which may differ from it by less than s

The places are the second result of `max_pool1d` and its like, with `return_indices: true`.
"""

from collections.abc import Iterator
from typing import Annotated

from shapecalc.algebra import Dim
from shapecalc.layers.arithmetic import transposed
from shapecalc.layers.axis_names import AXES
from shapecalc.layers.base import Joint, NoOperations, NoWeights, Shapes
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.dependence import Dependence, placed, unknown
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Each, Integer, Nullable, PerAxis
from shapecalc.layers.memory_traits import Input, Mode, Storage
from shapecalc.layers.pool import StridePerAxis
from shapecalc.layers.requirement import Requirement, Shape, arity, rank_between, shaped
from shapecalc.layers.roles import KernelSize, Lettered, PaddingPerAxis
from shapecalc.layers.spatial import OverAxes

OptionalSize = Annotated[PerAxis | None, Nullable(Each(Integer(1))), Lettered("o")]


class MaxUnpool(NoWeights, NoOperations, OverAxes, Joint, torch="torch.nn.MaxUnpool{rank}d"):
    """Puts maxima back to their places: `[N, C, {sizes}]` to `[N, C, {sizes:'}]`, n' = (n - 1)s - 2p + k.

    It takes the maxima, batched or not, and the places, of the same shape. The stride is the kernel's size if
    left out. output_size chooses another size, by less than the stride. Refuses places of another shape, an
    output_size out of that range, and an empty output. Source: Zeiler and Fergus, 2014.

    >>> MaxUnpool{rank}d(kernel_size=2, output_size=7).output(((1, 64, {each:3}), (1, 64, {each:3})))
    (1, 64, {each:7})
    """

    family = Family.UNPOOL

    def saved(self, inputs: Shapes, mode: Mode) -> tuple[Storage, ...]:
        """The places."""
        return (Input(1),)

    unknown_dependence = ("places", "the places of the maxima are numbers in the input, not shapes")

    kernel_size: KernelSize
    stride: StridePerAxis = None
    padding: PaddingPerAxis = 0
    output_size: OptionalSize = None

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        yield arity(self.kind, len(inputs), 2)
        x, indices = inputs
        yield from rank_between(self.kind, x, self.rank + 1, self.rank + 2)
        yield from shaped(self.kind, "the places of the maxima", indices, x)
        if self.output_size is None:
            yield from self.large_enough(transposed, **self._letters(x))
            return
        columns = self.sizes(self.output(inputs)), self._usual(x), self._strides()
        for axis, out, n, s in zip(AXES[self.rank], *columns, strict=True):
            says = (
                f"{self.kind}: output_size has the {axis} {out}, but it must be more than {n} - {s} and "
                f"less than {n} + {s}, which are the usual size and the stride"
            )
            yield Requirement("output-size", out, ">=", n - s + 1, says)
            yield Requirement("output-size", n + s - 1, ">=", out, says)

    def output(self, inputs: Shapes) -> Shape:
        x = inputs[0]
        return self.resized(x, self._usual(x) if self.output_size is None else self.spread(self.output_size))

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        apart = len(inputs[0]) - self.rank
        return ((*placed(apart), *unknown(self.rank)),) * 2

    def _usual(self, x: Shape) -> Shape:
        return tuple(map(transposed, *self._letters(x).values()))

    def _strides(self) -> tuple[Dim, ...]:
        return self.spread(self.kernel_size if self.stride is None else self.stride)

    def _letters(self, x: Shape) -> dict[str, tuple[Dim, ...]]:
        p = self.padding
        fields = {"k": self.kernel_size, "s": self._strides(), "d": 1, "p0": p, "p1": p, "op": 0}
        return {"n": self.sizes(x)} | {letter: self.spread(value) for letter, value in fields.items()}


__getattr__ = of_rank(__name__)
