"""ONNX's operators on regions, grids and signals, and its losses of classes."""

from collections.abc import Iterator
from typing import Annotated

from shapecalc.algebra import Dim, product
from shapecalc.layers.arithmetic import transposed, window
from shapecalc.layers.base import Shapes
from shapecalc.layers.effect import replaced
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Count, Flag, Index, Integer, Listed, Nullable, OneOf
from shapecalc.layers.onnx_operator import Computing, OnnxOperator, Operands, an_axis
from shapecalc.layers.onnx_shape import Sizes
from shapecalc.layers.requirement import Requirement, Shape, divides, rank_between, shaped, shown


class OnnxGridSample(Computing, kind="onnx_grid_sample"):
    """Samples an image where a grid says: `[N, C, ...]` and `[N, *sizes, r]` to `[N, C, *sizes]`.

    r is the number of spatial axes. Refuses a grid of another rank, batch or last axis. Source: ONNX,
    GridSample.

    >>> OnnxGridSample().output({"X": (1, 3, 4, 4), "grid": (1, 6, 5, 2)})
    (1, 3, 6, 5)
    """

    family = Family.RESAMPLE
    operands = "X grid"

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        rank = len(x["X"])
        yield from rank_between(self.kind, x["X"], 3, None)
        yield from self.ranked(x, grid=rank)
        yield from self.equal(x, "grid", 0, x["X"][0])
        yield from self.equal(x, "grid", rank - 1, rank - 2)

    def output(self, x: Operands) -> Shape:
        return (*x["X"][:2], *x["grid"][1:-1])


class OnnxAffineGrid(Computing, kind="onnx_affine_grid"):
    """The grid of an affine map: `[N, r, r + 1]` and the size of an image to `[N, *sizes, r]`.

    `size` is that of the image, with batch and channels. Refuses maps of other sizes. Source: ONNX,
    AffineGrid.

    >>> OnnxAffineGrid(size=[2, 3, 5, 6]).output({"theta": (2, 2, 3)})
    (2, 5, 6, 2)
    """

    family = Family.RESAMPLE
    operands = "theta"

    size: Sizes

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        rank = len(self.size) - 2
        yield Requirement(
            "rank", rank, ">=", 2, f"{self.kind}: {list(self.size)} has no batch, channels and two sizes"
        )
        yield from shaped(self.kind, "theta", x["theta"], (self.size[0], rank, rank + 1))

    def output(self, x: Operands) -> Shape:
        return (self.size[0], *self.size[2:], len(self.size) - 2)


class OnnxRoiAlign(Computing, kind="onnx_roi_align"):
    """One picture of `output_size` for every region: `[N, C, H, W]` and R regions to `[R, C, *output_size]`.

    Regions are `[R, 4]` with numbers of images, or `[R, 5]`. Refuses others. Source: ONNX, RoiAlign,
    MaxRoiPool.

    >>> tensors = {"X": (1, 8, 10, 10), "rois": (3, 4), "batch_indices": (3,)}
    >>> OnnxRoiAlign(output_size=[5, 6]).output(tensors)
    (3, 8, 5, 6)
    """

    family = Family.RESAMPLE
    operands = "X rois batch_indices?"

    output_size: Sizes

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        yield from self.ranked(x, X=4, rois=2, batch_indices=1)
        yield Requirement(
            "axes", len(self.output_size), "==", 2, f"{self.kind}: output_size has not two sizes"
        )
        yield from self.equal(x, "rois", 1, 4 if "batch_indices" in x else 5)
        yield from self.equal(x, "batch_indices", 0, x["rois"][0])

    def output(self, x: Operands) -> Shape:
        return (x["rois"][0], x["X"][1], *self.output_size)


class OnnxDeformConv(OnnxOperator, kind="onnx_deform_conv"):
    """Convolution at places that a tensor moves: `[N, C, ...]` and `[out, C/groups, ...]` to `[N, out, ...]`.

    The offsets are `[N, g·∏ k·r, *result]`, g being offset_group; sizes and MACs are those of a convolution.
    Refuses channels and offsets of other sizes. Source: ONNX, DeformConv.

    >>> tensors = {"X": (1, 1, 3, 3), "W": (1, 1, 2, 2), "offset": (1, 8, 2, 2)}
    >>> OnnxDeformConv().output(tensors)
    (1, 1, 2, 2)
    """

    family = Family.CONVOLUTION
    operands = "X W offset B? mask?"

    strides: Annotated[tuple[Dim, ...] | None, Nullable(Listed(Integer(1)))] = None
    dilations: Annotated[tuple[Dim, ...] | None, Nullable(Listed(Integer(1)))] = None
    pads: Annotated[tuple[Dim, ...] | None, Nullable(Listed(Integer(0)))] = None
    groups: Count = 1
    offset_group: Count = 1

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x["X"], 3, None)
        rank = len(x["X"])
        yield from self.ranked(x, W=rank, offset=rank, mask=rank, B=1)
        for values, wanted in (
            (self.strides, rank - 2),
            (self.dilations, rank - 2),
            (self.pads, 2 * rank - 4),
        ):
            if values is not None:
                yield Requirement(
                    "axes",
                    len(values),
                    "==",
                    wanted,
                    f"{self.kind}: {list(values)} is not for {rank - 2} axes",
                )
        yield from self.equal(x, "X", 1, x["W"][1] * self.groups)
        yield divides(self.kind, "groups", self.groups, "the filters", x["W"][0])
        yield from self.equal(x, "B", 0, x["W"][0])
        taps = self.offset_group * product(x["W"][2:])
        for size in self._sizes(x):
            yield Requirement(
                "too-small", size, ">=", 1, f"{self.kind}: {shown(x['X'])} is smaller than the kernel"
            )
        for name, channels in (("offset", taps * (rank - 2)), ("mask", taps)):
            if name in x:
                yield from shaped(self.kind, name, x[name], (x["X"][0], channels, *self._sizes(x)))

    def _sizes(self, x: Operands) -> Shape:
        rank = len(x["X"]) - 2
        ones = (1,) * rank
        pads = self.pads or (0,) * (2 * rank)
        columns = (
            x["X"][2:],
            x["W"][2:],
            self.strides or ones,
            self.dilations or ones,
            pads[:rank],
            pads[rank:],
        )
        return tuple(map(window, *columns))

    def output(self, x: Operands) -> Shape:
        return (x["X"][0], x["W"][0], *self._sizes(x))

    def macs(self, x: Operands) -> Dim:
        return product(self.output(x)) * product(x["W"][1:])


class OnnxMaxUnpool(Computing, kind="onnx_max_unpool"):
    """Puts maxima back where they were: `[N, C, ...]` twice to `output_size`, or n to (n - 1)s - p₀ - p₁ + k.

    `output_size` has batch and channels. Refuses places of another shape. Source: ONNX, MaxUnpool.

    >>> OnnxMaxUnpool(kernel=[2, 2], strides=[2, 2]).output({"X": (1, 1, 2, 3), "I": (1, 1, 2, 3)})
    (1, 1, 4, 6)
    """

    family = Family.UNPOOL
    operands = "X I"

    kernel: Annotated[tuple[Dim, ...], Listed(Integer(1))]
    strides: Annotated[tuple[Dim, ...] | None, Nullable(Listed(Integer(1)))] = None
    pads: Annotated[tuple[Dim, ...] | None, Nullable(Listed(Integer(0)))] = None
    output_size: Annotated[Sizes | None, Nullable(Listed(Integer(0)))] = None

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        rank = len(self.kernel)
        yield from self.ranked(x, X=rank + 2)
        yield from shaped(self.kind, "I", x["I"], x["X"])
        for values, wanted in ((self.strides, rank), (self.pads, 2 * rank), (self.output_size, rank + 2)):
            if values is not None:
                yield Requirement(
                    "axes", len(values), "==", wanted, f"{self.kind}: {list(values)} is not for {rank} axes"
                )
        for size in self.output(x):
            yield Requirement("too-small", size, ">=", 1, f"{self.kind}: nothing of {shown(x['X'])} is left")

    def output(self, x: Operands) -> Shape:
        if self.output_size is not None:
            return self.output_size
        rank = len(self.kernel)
        ones, zeros = (1,) * rank, (0,) * rank
        pads = self.pads or (0,) * (2 * rank)
        columns = (x["X"][2:], self.kernel, self.strides or ones, ones, pads[:rank], pads[rank:], zeros)
        return (*x["X"][:2], *map(transposed, *columns))


class OnnxDFT(Computing, kind="onnx_dft"):
    """The discrete Fourier transform along axis `dim`: n becomes `length`, of pairs in the last axis.

    One-sided, ⌊length/2⌋ + 1 of a real signal; and back, to 2(n - 1) if no length is given. What it costs is
    not counted. Refuses an axis that there is not, and other numbers than reals or pairs. Source: ONNX, DFT.

    >>> OnnxDFT(dim=1, onesided=True).output({"input": (1, 10, 3, 1)})
    (1, 6, 3, 2)
    """

    operands = "input"

    dim: Index = -2
    length: Annotated[Dim | None, Nullable(Integer(1))] = None
    onesided: Flag = False
    inverse: Flag = False

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        data = x["input"]
        yield from rank_between(self.kind, data, 2, None)
        yield from an_axis(self.kind, self.dim, data)
        says = f"{self.kind}: the last axis of {shown(data)} holds neither reals nor pairs"
        yield Requirement("shape", 2, ">=", data[-1], says)
        if self.onesided:
            pairs = "pairs" if self.inverse else "reals"
            says = f"{self.kind}: the last axis of {shown(data)} does not hold {pairs}"
            yield Requirement("shape", data[-1], "==", 2 if self.inverse else 1, says)
        yield Requirement(
            "axis",
            len(data) - 2,
            ">=",
            self.dim % len(data),
            f"{self.kind}: the last axis is not transformed",
        )
        yield Requirement(
            "too-small", self.output(x)[self.dim], ">=", 1, f"{self.kind}: nothing of {shown(data)} is left"
        )

    def output(self, x: Operands) -> Shape:
        data = x["input"]
        n = data[self.dim]
        if self.onesided and self.inverse:
            return (*replaced(data, self.dim, 2 * (n - 1) if self.length is None else self.length)[:-1], 1)
        length = n if self.length is None else self.length
        return (*replaced(data, self.dim, length // 2 + 1 if self.onesided else length)[:-1], 2)

    def macs(self, x: Operands) -> Dim | None:
        return None


class OnnxSTFT(Computing, kind="onnx_stft"):
    """Fourier transforms of frames of a signal: `[N, L, 1 or 2]` to `[N, ⌊(L - frame)/step⌋ + 1, bins, 2]`.

    There are ⌊frame/2⌋ + 1 bins, or as many as a frame is long if not one-sided. What it costs is not
    counted.
    Refuses a frame that is longer than the signal. Source: ONNX, STFT.

    >>> OnnxSTFT(step=8, length=16).output({"signal": (1, 128, 1)})
    (1, 15, 9, 2)
    """

    operands = "signal window?"

    step: Count
    length: Count
    onesided: Flag = True

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        yield from self.ranked(x, signal=3, window=1)
        yield from self.equal(x, "window", 0, self.length)
        says = f"{self.kind}: a frame of {self.length} is longer than the signal, {shown(x['signal'])}"
        yield Requirement("too-small", x["signal"][1], ">=", self.length, says)

    def output(self, x: Operands) -> Shape:
        n, length, _ = x["signal"]
        bins = self.length // 2 + 1 if self.onesided else self.length
        return (n, window(length, self.length, self.step, 1, 0, 0), bins, 2)

    def macs(self, x: Operands) -> Dim | None:
        return None


class OnnxClassLoss(Computing, kind="onnx_class_loss"):
    """The loss of scores `[N, C, ...]` for the classes `[N, ...]`: one number, or one for each place.

    The second result are the logarithms of the probabilities. Refuses classes of another shape, and weights
    that are not one for each class. Source: ONNX, SoftmaxCrossEntropyLoss, NegativeLogLikelihoodLoss.

    >>> OnnxClassLoss(reduction="none", results=2).outputs({"scores": (3, 5, 2), "labels": (3, 2)})
    ((3, 2), (3, 5, 2))
    """

    family = Family.LOSS
    operands = "scores labels weights?"

    reduction: Annotated[str, OneOf(("mean", "sum", "none"))] = "mean"
    results: Annotated[int, Integer(1, 2, may_be_free=False)] = 1

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        scores = x["scores"]
        yield from rank_between(self.kind, scores, 2, None)
        yield from shaped(self.kind, "labels", x["labels"], (scores[0], *scores[2:]))
        if "weights" in x:
            yield from shaped(self.kind, "weights", x["weights"], (scores[1],))

    def output(self, x: Operands) -> Shape:
        return x["labels"] if self.reduction == "none" else ()

    def outputs(self, x: Operands) -> Shapes:
        return (self.output(x), x["scores"])[: self.results]
