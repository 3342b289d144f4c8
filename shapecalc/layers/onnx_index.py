"""ONNX's operators that pick elements by indices and put them: Gather, Scatter, TopK, OneHot and others."""

from collections.abc import Iterator

from shapecalc.errors import Undecided
from shapecalc.layers.base import Shapes
from shapecalc.layers.effect import replaced
from shapecalc.layers.fields import Count, Extent, Flag, Index
from shapecalc.layers.onnx_operator import Computing, Moving, Operands, an_axis
from shapecalc.layers.requirement import Requirement, Shape, shaped, shown


class OnnxGather(Moving, kind="onnx_gather"):
    """Takes positions of axis `dim` by indices, whose axes replace it. Refuses an axis that there is not.

    Source: ONNX, Gather.

    >>> OnnxGather(dim=1).output({"data": (5, 4, 3), "indices": (2, 6)})
    (5, 2, 6, 3)
    """

    operands = "data indices"

    dim: Index = 0

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        return an_axis(self.kind, self.dim, x["data"])

    def output(self, x: Operands) -> Shape:
        return replaced(x["data"], self.dim, *x["indices"])


class OnnxGatherElements(Moving, kind="onnx_gather_elements"):
    """Takes one element for each index, along axis `dim`: the result has the shape of the indices.

    Refuses indices of another rank. Source: ONNX, GatherElements.

    >>> OnnxGatherElements(dim=1).output({"data": (3, 3), "indices": (2, 3)})
    (2, 3)
    """

    operands = "data indices"

    dim: Index = 0

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        yield from an_axis(self.kind, self.dim, x["data"])
        yield from self.ranked(x, indices=len(x["data"]))

    def output(self, x: Operands) -> Shape:
        return x["indices"]


class OnnxGatherND(Moving, kind="onnx_gather_nd"):
    """Takes slices by indices of several axes, `indices[-1]` of them behind `batch_dims` shared ones.

    The result is `indices[:-1]` and what of the data is left. Refuses more indices than axes, and batches
    that differ; how many axes are indexed cannot be free. Source: ONNX, GatherND.

    >>> OnnxGatherND(batch_dims=1).output({"data": (2, 3, 4, 5), "indices": (2, 7, 2)})
    (2, 7, 5)
    """

    operands = "data indices"

    batch_dims: Extent = 0

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        data, indices, shared = x["data"], x["indices"], self.shared
        says = f"{self.kind}: {shown(indices)} are no indices of {shown(data)} with {shared} shared axes"
        yield Requirement("rank", min(len(indices), len(data)), ">=", shared + 1, says)
        for axis in range(shared):
            yield Requirement("shape", indices[axis], "==", data[axis], says)
        yield Requirement("index", len(data) - shared, ">=", indices[-1], says)
        yield Requirement("index", indices[-1], ">=", 1, says)

    @property
    def shared(self) -> int:
        """How many axes are shared."""
        if not isinstance(self.batch_dims, int):
            raise Undecided(f"{self.kind}: batch_dims cannot be left free")
        return self.batch_dims

    def output(self, x: Operands) -> Shape:
        data, indices = x["data"], x["indices"]
        return (*indices[:-1], *data[self.shared + _fixed(self.kind, indices) :])


def _fixed(kind: str, indices: Shape) -> int:
    """Return how many axes are indexed."""
    if not isinstance(indices[-1], int):
        raise Undecided(f"{kind}: how many axes are indexed, {indices[-1]}, cannot be left free")
    return indices[-1]


class OnnxScatterElements(Computing, kind="onnx_scatter_elements"):
    """Puts one update for each index, along axis `dim`: the shape is that of the data.

    Refuses indices and updates that differ, or of another rank than the data. Source: ONNX, ScatterElements,
    Scatter.

    >>> OnnxScatterElements(dim=1).output({"data": (1, 5), "indices": (1, 2), "updates": (1, 2)})
    (1, 5)
    """

    operands = "data indices updates"

    dim: Index = 0

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        yield from an_axis(self.kind, self.dim, x["data"])
        yield from self.ranked(x, indices=len(x["data"]))
        yield from shaped(self.kind, "updates", x["updates"], x["indices"])

    def output(self, x: Operands) -> Shape:
        return x["data"]


class OnnxScatterND(Computing, kind="onnx_scatter_nd"):
    """Puts slices by indices of several axes: the shape is that of the data.

    Refuses more indices than axes, and updates that are not `indices[:-1]` and what of the data is left.
    Source: ONNX, ScatterND.

    >>> OnnxScatterND().output({"data": (4, 4, 4), "indices": (2, 1), "updates": (2, 4, 4)})
    (4, 4, 4)
    """

    operands = "data indices updates"

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        data, indices = x["data"], x["indices"]
        says = f"{self.kind}: {shown(indices)} are no indices of {shown(data)}"
        yield Requirement("rank", min(len(indices), len(data)), ">=", 1, says)
        last = _fixed(self.kind, indices)
        yield Requirement("index", len(data), ">=", last, says)
        yield from shaped(self.kind, "updates", x["updates"], (*indices[:-1], *data[last:]))

    def output(self, x: Operands) -> Shape:
        return x["data"]


class OnnxTopK(Computing, kind="onnx_top_k"):
    """The `k` greatest or least along axis `dim`, and where they are: n becomes k in both results.

    Refuses more than there are. Source: ONNX, TopK.

    >>> OnnxTopK(k=3).outputs({"data": (2, 8)})
    ((2, 3), (2, 3))
    """

    operands = "data"

    k: Extent
    dim: Index = -1

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        data = x["data"]
        yield from an_axis(self.kind, self.dim, data)
        says = f"{self.kind}: axis {self.dim} of {shown(data)} has fewer than {self.k}"
        yield Requirement("index", data[self.dim], ">=", self.k, says)

    def output(self, x: Operands) -> Shape:
        return replaced(x["data"], self.dim, self.k)

    def outputs(self, x: Operands) -> Shapes:
        return (self.output(x),) * 2


class OnnxOneHot(Moving, kind="onnx_one_hot"):
    """Vectors that are on at the index alone: a new axis of `depth` at place `dim` of the result.

    Refuses a place outside. Source: ONNX, OneHot.

    >>> OnnxOneHot(depth=10, dim=1).output({"indices": (2, 3)})
    (2, 10, 3)
    """

    operands = "indices values?"

    depth: Count
    dim: Index = -1

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        return an_axis(self.kind, self.dim, x["indices"], 1)

    def output(self, x: Operands) -> Shape:
        indices = x["indices"]
        at = self.dim % (len(indices) + 1)
        return (*indices[:at], self.depth, *indices[at:])


class OnnxTensorScatter(Computing, kind="onnx_tensor_scatter"):
    """Puts new keys or values into a cache, at axis `dim`: the shape is that of the cache.

    Refuses an update of another rank, or longer than the cache. Source: ONNX, TensorScatter.

    >>> OnnxTensorScatter().output({"past_cache": (2, 8, 64), "update": (2, 1, 64)})
    (2, 8, 64)
    """

    operands = "past_cache update write_indices?"

    dim: Index = -2
    circular: Flag = False

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        past, update = x["past_cache"], x["update"]
        yield from an_axis(self.kind, self.dim, past)
        yield from self.ranked(x, update=len(past))
        says = f"{self.kind}: {shown(update)} is not part of {shown(past)}"
        for axis, (n, new) in enumerate(zip(past, update, strict=True)):
            op = ">=" if axis == self.dim % len(past) else "=="
            yield Requirement("shape", n, op, new, says)

    def output(self, x: Operands) -> Shape:
        return x["past_cache"]
