"""Layers over sequences: `[L, N, E]`, or with batch_first `[N, L, E]`; unbatched without N."""

from shapecalc.algebra import Dim
from shapecalc.layers.base import Joint, NoBuffers
from shapecalc.layers.effect import replaced
from shapecalc.layers.fields import Flag
from shapecalc.layers.requirement import Shape


class OverSequences(NoBuffers, Joint):
    """A layer over sequences, the batch of which is the second axis or the first."""

    framework = "torch"
    remark = "With batch_first the batch is the first axis; unbatched without N."

    batch_first: Flag = False

    def axes(self, x: Shape, number: int) -> tuple[str, ...]:
        return ("L", "E") if self.batch_first or len(x) == 2 else ("L", "N", "E")

    def length_axis(self, x: Shape) -> int:
        """Return the number of the axis of positions."""
        return 1 if self.batch_first and len(x) == 3 else 0

    def parts(self, x: Shape) -> tuple[Shape, Dim]:
        """Return the batch axis, if there is one, and the length of a sequence."""
        return replaced(x[:-1], self.length_axis(x)), x[self.length_axis(x)]

    def sequence(self, batch: Shape, length: Dim, features: Dim) -> Shape:
        """Return the shape of a sequence with this batch axis, or none."""
        return (*batch, length, features) if self.batch_first else (length, *batch, features)
