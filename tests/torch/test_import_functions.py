"""Functions of torch in imported forwards: shapes and MACs at other sizes and batches are those of real runs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

import shapecalc
from shapecalc import ShapecalcError

Forward: TypeAlias = Callable[[Tensor], Any]
Shape: TypeAlias = "tuple[int, ...]"
untyped: Any = torch  # functions that have no types there
distributions = untyped.distributions


class Forwarding(nn.Module):
    """A module that is one function."""

    def __init__(self, function: Forward) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Any:
        return self.function(x)


def shapes(value: Any) -> list[Shape]:
    if isinstance(value, Tensor):
        return [tuple(value.shape)]
    return [shape for item in value for shape in shapes(item)]


def in_torch(net: nn.Module, shape: Shape) -> tuple[list[Shape], int] | None:
    """Return the shapes of the results and the MACs that torch counts; None where it refuses."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        try:
            results = shapes(net(torch.rand(shape)))
        except (RuntimeError, IndexError, ValueError):
            return None
    return results, counter.get_total_flops() // 2


def assert_agrees(function: Forward, traced: Shape, others: list[Shape], *, is_counted: bool = True) -> None:
    net = Forwarding(function).eval()
    model = shapecalc.from_torch(net, input=traced)
    for size in (traced, *others):
        for batch in (1, 3):
            expected = in_torch(net, (batch, *size))
            report = None
            with suppress(ShapecalcError):
                report = model.analyze(input=size, batch=batch)
            found = None if report is None else ([*report.outputs.values()], report.macs)
            assert found == expected, (batch, size)
            assert report is None or report.complete is is_counted


def zeros(*sizes: int) -> Tensor:
    return torch.zeros(*sizes).long()


PLACES = torch.tensor([1, 5, 3])
PICKED = torch.arange(10) % 2 == 0


def written(x: Tensor, *index: Any) -> Tensor:
    x = x * 1
    x[index] = 0.0
    return x


ON_SEQUENCES: dict[str, Forward] = {
    # places that an axis may be too short for
    "fixed places": lambda x: x[:, PLACES] + x.index_select(1, PLACES + 1),
    "fixed places for all features": lambda x: x.gather(
        1, PLACES[None, :, None].expand(x.size(0), -1, x.size(2))
    ),
    "places from the end": lambda x: x[:, torch.arange(-6, x.size(1) - 5)],
    "every other place": lambda x: x[:, torch.arange(4) * 2],
    "fixed places of all numbers": lambda x: x[0].take(PLACES * 9),
    "written at a place": lambda x: written(x, slice(None), -7),
    "written at fixed places": lambda x: written(x, slice(None), PLACES),
    "written where a mask is true": lambda x: written(x, slice(None), PICKED),
    "written where it is positive": lambda x: written(x, x > 0.5),
    "filled at fixed places": lambda x: x.index_fill(1, PLACES, 0.0),
    "added at fixed places": lambda x: x.index_add(1, PLACES, torch.ones(x.size(0), 3, 8)),
    "scattered to a place": lambda x: x.select_scatter(x[:, 0], 1, 6),
    "put at fixed places": lambda x: x.index_put((torch.tensor(0), PLACES), torch.tensor(0.0)),
    "bags from fixed places": lambda x: functional.embedding_bag(
        torch.zeros(x.size(1)).long(), torch.ones(9, 4), torch.tensor([0, 6])
    ),
    "narrow but for a margin": lambda x: x.narrow(1, 0, x.size(1) - 6),
    "samples without replacement": lambda x: torch.multinomial(x[..., 0], 6),
    "samples with replacement": lambda x: torch.multinomial(x[..., 0], 12, replacement=True),
    # places
    "gather": lambda x: x.gather(1, zeros(x.size(0), 4, 8)),
    "gather the greatest": lambda x: x.gather(1, x[..., :1].topk(3, 1)[1].expand(-1, -1, x.size(2))),
    "gather fewer features": lambda x: torch.gather(x, dim=-2, index=x.argsort(1)[..., :5]),
    "scatter a number": lambda x: x.scatter(1, zeros(1, 3, 8), 1.0),
    "scatter": lambda x: torch.zeros(x.size(0), x.size(1), 8).scatter_(1, x.argsort(1), x),
    "scatter_add": lambda x: torch.zeros(x.size(0), 4, 8).scatter_add(1, x.long(), x),
    "index_add": lambda x: torch.zeros(5, x.size(1), 8).index_add(0, torch.arange(x.size(0)), x),
    "index_copy": lambda x: x.index_copy(1, torch.arange(x.size(1) // 2), x[:, : x.size(1) // 2]),
    "index_select": lambda x: x.index_select(1, torch.arange(x.size(1) // 2)),
    "take_along_dim": lambda x: torch.take_along_dim(x, x.argmax(1, keepdim=True), 1),
    "take": lambda x: torch.take(x, zeros(x.size(1), 2)),
    "select_scatter": lambda x: x.select_scatter(x[:, 0], 1, 0),
    "rows of samples": lambda x: x[torch.arange(x.size(0)), x.long().sum((1, 2)) * 0],
    "rows by rows": lambda x: x[torch.arange(x.size(0))[:, None], x.argmax(1)],
    "places apart": lambda x: x[torch.arange(x.size(0)), :, torch.arange(x.size(0))],
    "places and a number": lambda x: x[torch.arange(x.size(0)), :, 0],
    "places and a slice": lambda x: x[torch.arange(x.size(0)), 1:],
    "places behind dots": lambda x: x[..., None, torch.arange(x.size(1)) // 4],
    "lists of places": lambda x: x[:, [0, 4], [1, -1]],
    "a list by a number": lambda x: x[:, -1][:, [1, 2]],
    # copies
    "repeat_interleave": lambda x: x.repeat_interleave(2, 1),
    "repeat_interleave of samples": lambda x: torch.repeat_interleave(x, repeats=3, dim=0),
    "repeat_interleave of all": lambda x: x.repeat_interleave(2),
    "broadcast_tensors": lambda x: untyped.broadcast_tensors(x, x[:, :1]),
    "block_diag": lambda x: untyped.block_diag(x[0], torch.ones(2, 2), x[0, 0]),
    # order
    "topk": lambda x: x.topk(6, 1),
    "topk of a size": lambda x: torch.topk(x, k=x.size(1) // 2, dim=1)[0],
    "sort": lambda x: x.sort(1, descending=True),
    "kthvalue": lambda x: x.kthvalue(6, 1, keepdim=True),
    "mode": lambda x: x.mode(1),
    "median": lambda x: (x.median(1)[0], x.median(), x.nanmedian(-1)),
    "quantile": lambda x: (x.quantile(0.5, dim=1), torch.quantile(x, torch.tensor([0.1, 0.9]), dim=1)),
    "cummax": lambda x: x.cummax(1),
    "a number among bounds": lambda x: untyped.bucketize(3, torch.arange(x.size(1))),
    "the median of a number": lambda x: x.sum().median(0)[0],
    "sums over a list of axes": lambda x: (
        x.nansum([1, 2]),
        x.count_nonzero([0, 2]),
        x.nanmean([-1], keepdim=True),
    ),
    "all axes by an empty tuple": lambda x: (x.sum(()), x.amax(())),
    "bucketize": lambda x: torch.bucketize(x, torch.arange(x.size(1))),
    "searchsorted": lambda x: torch.searchsorted(x[0, 0].sort()[0], x),
    "one_hot": lambda x: functional.one_hot(x.argmax(1), 32),
    "multinomial": lambda x: torch.multinomial(x.flatten(1).softmax(-1), 4),
    "isin": lambda x: torch.isin(x, torch.ones(3)),
    # parts
    "diff": lambda x: (x.diff(dim=1), torch.diff(x, n=2, dim=1)),
    "diagonal": lambda x: torch.diagonal(x @ x.mT, 1, 1, 2),
    "diagonal of a rectangle": lambda x: x.diagonal(-1, dim1=1, dim2=2),
    "diag and diag_embed": lambda x: (torch.diag(x[0, :, 0]), torch.diag(x[0]), torch.diag_embed(x, 1)),
    "unfold": lambda x: x.unfold(1, 6, 2),
    "unfold by names": lambda x: x.unfold(dimension=-2, size=3, step=1),
    "tensor_split": lambda x: torch.tensor_split(x, 3, 1)[1:],
    "tensor_split at places": lambda x: torch.tensor_split(x, (2, -3), dim=1),
    "hsplit": lambda x: torch.hsplit(x, 2),
    "vsplit at a place": lambda x: torch.vsplit(x[0], [1]),
    # several tensors
    "cdist": lambda x: torch.cdist(x, x[:1, :3]),
    "cosine_similarity": lambda x: functional.cosine_similarity(x.unsqueeze(1), x.unsqueeze(2), -1),
    "pairwise_distance": lambda x: functional.pairwise_distance(x, x[:, :1], keepdim=True),
    "cross": lambda x: torch.cross(x[..., :3], x[:, :1, 1:4], dim=-1),
    "masked_scatter": lambda x: x.masked_scatter(x[..., :1] > 0, x),
    "losses": lambda x: (
        functional.mse_loss(x, x * 2, reduction="none"),
        functional.cross_entropy(x.mT, x.argmax(-1)),
        functional.binary_cross_entropy_with_logits(x, x.sigmoid()),
    ),
    "kron": lambda x: torch.kron(x, x[0]),
    "cartesian_prod": lambda x: torch.cartesian_prod(torch.arange(x.size(1)), torch.arange(2)),
    "combinations": lambda x: torch.combinations(torch.arange(x.size(1))),
    "complex": lambda x: torch.view_as_real(torch.complex(x, x) * torch.polar(x[:, :1], x[:, :1])),
    "vstack and hstack": lambda x: (torch.vstack([x, x]), torch.hstack([x, x]), torch.dstack([x, x])),
    "column_stack": lambda x: torch.column_stack([x[0], x[0, :, 0]]),
    "atleast": lambda x: (untyped.atleast_2d(x[0, 0]), untyped.atleast_3d(x[0])),
    "embedding_bag": lambda x: functional.embedding_bag(zeros(x.size(0), x.size(1)), torch.zeros(50, 6)),
    # products
    "bmm by names": lambda x: torch.bmm(input=x, mat2=x.mT),
    "baddbmm by names": lambda x: torch.baddbmm(input=torch.zeros(1, 1, 1), batch1=x, batch2=x.mT),
    "addmm by names": lambda x: torch.addmm(input=x[0, 0, :1], mat1=x[0], mat2=x[0].mT),
    "tensordot": lambda x: torch.tensordot(x, x[0], dims=([1], [0])),
    "tensordot of two": lambda x: torch.tensordot(x, x[0], dims=([2], [1])),
    "tensordot of the last": lambda x: torch.tensordot(x, x[0].mT, dims=1),
    "inner": lambda x: torch.inner(x, x[0]),
    "outer": lambda x: torch.outer(x[0, :, 0], x[0, 0]),
    "vecdot": lambda x: torch.linalg.vecdot(x, x[:, :1]),
    "einsum with dots": lambda x: torch.einsum("...i,i->...", x, x[0, 0]),
    "einsum with dots of two ranks": lambda x: torch.einsum("...ij,kj->...ik", x, x[0]),
    "einsum without a result": lambda x: torch.einsum("...ij,jk", x, x[0].mT),
    "einsum of a diagonal": lambda x: torch.einsum("bii->bi", x @ x.mT),
    "einsum of lists": lambda x: torch.einsum(x, [0, 1, 2], x, [0, 3, 2], [0, 1, 3]),
    # reductions
    "two at once": lambda x: (*torch.var_mean(x, 1), *torch.std_mean(x, (1, 2), keepdim=True)),
    "aminmax": lambda x: torch.aminmax(x, dim=1),
    "sums": lambda x: (x.nansum(1), x.nanmean(-1, keepdim=True), x.count_nonzero(1)),
    # a tensor itself in another shape
    "transpose_": lambda x: x.clone().transpose_(1, 2) * 2,
    "unsqueeze_ and squeeze_": lambda x: x.clone().unsqueeze_(1).squeeze_(1),
    "t_": lambda x: x[0].clone().t_().reshape(2, -1),
    # sizes
    "one number": lambda x: x.mean().view(-1).reshape(()) + x.mean().view(1),
    "ravel": lambda x: x.ravel() + x[0, 0, 0],
    "the least of two": lambda x: x[:, : min(x.size(1), 6)],
    "the greatest of a list": lambda x: x[:, : max([x.size(1) - 3, 1])],
    "padded to a length": lambda x: functional.pad(x, (0, 0, 0, max(0, 15 - x.size(1)))),
    "padded to a multiple": lambda x: functional.pad(x, (0, 0, 0, (4 - x.size(1) % 4) % 4)),
    "a range of floats": lambda x: torch.arange(0.0, x.size(1))[:, None] * x,
    "a range backwards": lambda x: torch.arange(x.size(1) - 1, -1, -1)[:, None] + x,
    "a window": lambda x: (
        torch.hann_window(x.size(1))[:, None] * x * torch.logspace(0, 1, x.size(1))[:, None]
    ),
    "a random order": lambda x: x[:, torch.randperm(x.size(1))],
    "a triangle": lambda x: (x @ x.mT)[:, *torch.triu_indices(x.size(1), x.size(1), 1)],
    "triangles": lambda x: (
        torch.tril_indices(x.size(1), x.size(1), 1),
        torch.tril_indices(x.size(1), x.size(1), -1) + x[0, 0, 0].long(),
    ),
}
LENGTHS: list[Shape] = [(length, 8) for length in (12, 7, 16, 5)]


@pytest.mark.sample(24)
@pytest.mark.parametrize("name", ON_SEQUENCES)
def test_on_sequences(name: str) -> None:
    assert_agrees(ON_SEQUENCES[name], (10, 8), LENGTHS)


def filled(x: Tensor, name: str) -> Any:
    return getattr(untyped.empty(x.shape), name)() + x


RANDOM: dict[str, Forward] = {
    **{
        name: partial(filled, name=name)
        for name in ("normal_", "uniform_", "exponential_", "random_", "cauchy_", "log_normal_")
    },
    "geometric_": lambda x: x + torch.empty_like(x).geometric_(0.5),
    "means": lambda x: torch.normal(x, 1.0) + torch.normal(0.0, x.abs()),
    "means and deviations": lambda x: torch.normal(x, x[:, :1].abs()),
    "poisson": lambda x: torch.poisson(x.exp()),
    "a normal distribution": lambda x: distributions.Normal(x, x.exp()).rsample(),
    "several samples": lambda x: distributions.Normal(x, 1.0).sample(torch.Size([4])),
    "a transformed distribution": lambda x: distributions.LogNormal(x, 1.0).rsample(),
    "categories": lambda x: distributions.Categorical(logits=x).sample(),
    "an entropy": lambda x: distributions.Categorical(logits=x).entropy(),
    "a divergence": lambda x: distributions.kl_divergence(
        distributions.Normal(x, 1.0), distributions.Normal(torch.zeros_like(x), 1.0)
    ),
    "independent axes": lambda x: distributions.Independent(distributions.Normal(x, 1.0), 1).log_prob(x),
}


@pytest.mark.sample(6)
@pytest.mark.parametrize("name", RANDOM)
def test_random_numbers_have_the_shape_of_their_parameters(name: str) -> None:
    assert_agrees(RANDOM[name], (6, 8), [(9, 8), (1, 8)])


def test_distributions_are_validated_after_an_import() -> None:
    """Tensors of a trace have no numbers that could be valid; the user's own have."""
    assert_agrees(RANDOM["a normal distribution"], (6, 8), [])
    with pytest.raises(ValueError, match="scale"):
        distributions.Normal(torch.zeros(2), torch.zeros(2))


MADE: dict[str, Forward] = {
    "new of sizes": lambda x: x.new(x.size(0), x.size(1), 4).zero_(),
    "new of a size": lambda x: x.new(x.size(1)) + x.mT,
    "new of a torch.Size": lambda x: x.data.new(x.size()).normal_() * x,
    "new of numbers": lambda x: x.new([1.0, 2.0]) + x[..., :2],
    "new without arguments": lambda x: torch.cat([x.new(), x]),
    "torch.Size": lambda x: x.new_zeros(torch.Size([x.shape[0], x.shape[1]])),
    "sums of torch.Size": lambda x: x.view(torch.Size((x.size(0),)) + torch.Size([-1])),
    "whether it is a torch.Size": lambda x: x * 2 if isinstance(x.shape, torch.Size) else x[0],
    "Variable": lambda x: x + torch.autograd.Variable(torch.zeros(x.size(0), x.size(1), 1)),
    "types of the CPU": lambda x: x.type(untyped.FloatTensor) + x.type("torch.FloatTensor"),
    "numpy's root": lambda x: x * float(np.sqrt(x.shape[-1])) + np.sqrt(x.shape[-1]),
    "numpy's product": lambda x: x.view(x.shape[0], int(np.prod(x.shape[1:]))),
    "numpy's ceiling": lambda x: x[:, : int(np.ceil(x.shape[1] / 2))],
    "numpy's minimum": lambda x: x[:, : np.minimum(x.shape[1], 3)],
    "numpy's sum": lambda x: x[:, : int(np.add(x.shape[1], -1))],
    "numbers of numpy": lambda x: x[:, : int(np.float64(0.5) * x.shape[1])] * np.float64(2),
}


@pytest.mark.sample(6)
@pytest.mark.parametrize("name", MADE)
def test_sizes_stay_free_in_older_ways_to_write_them(name: str) -> None:
    assert_agrees(MADE[name], (6, 8), [(9, 8), (4, 8)])


def test_compiled_parts_are_read_as_they_were_written() -> None:
    compiled: Any = torch.compile(nn.Linear(8, 4))
    report = shapecalc.from_torch(nn.Sequential(compiled, nn.ReLU()), input=(6, 8)).analyze(L=9)
    assert (report.output, report.params, report.macs) == ((1, 9, 4), 36, 9 * 8 * 4)


ON_MAPS: dict[str, Forward] = {
    "grid_sample": lambda x: functional.grid_sample(
        x, torch.zeros(x.size(0), 5, x.size(3), 2), align_corners=False
    ),
    "affine_grid": lambda x: functional.grid_sample(
        x,
        functional.affine_grid(
            x.mean((2, 3))[:, :2, None].expand(-1, 2, 3), [*x.size()], align_corners=False
        ),
        align_corners=False,
    ),
    "windows of two axes": lambda x: x.unfold(2, 4, 4).unfold(3, 4, 2).flatten(2, 3),
    "the greatest places": lambda x: x.flatten(2).topk(4),
    "at the greatest place": lambda x: x.flatten(2).gather(2, x.flatten(2).argmax(2, keepdim=True)),
    "padded to a square": lambda x: functional.pad(
        x, (0, max(x.size(2) - x.size(3), 0), 0, max(x.size(3) - x.size(2), 0))
    ),
    "the least side": lambda x: functional.adaptive_avg_pool2d(x, min(x.shape[2:])),
    "rectified": lambda x: functional.prelu(x, torch.zeros(4)) + functional.prelu(x, torch.zeros(1)),
    "instance_norm": lambda x: functional.instance_norm(x, weight=torch.ones(4), bias=torch.zeros(4)),
    "instance_norm of statistics": lambda x: functional.instance_norm(
        x, torch.zeros(4), torch.ones(4), use_input_stats=False
    ),
    "the greatest and their places": lambda x: functional.adaptive_max_pool2d(x, 3, return_indices=True),
    "windows of an image": lambda x: functional.fold(
        functional.unfold(x, 2, stride=2), (x.size(2) // 2 * 2, x.size(3) // 2 * 2), 2, stride=2
    ),
}
SIDES: list[Shape] = [(4, *sides) for sides in ((16, 12), (9, 15), (13, 8))]


@pytest.mark.parametrize("name", ON_MAPS)
def test_on_maps(name: str) -> None:
    assert_agrees(ON_MAPS[name], (4, 12, 12), SIDES)


TRANSFORMS: dict[str, Forward] = {
    "rfft and irfft": lambda x: torch.fft.irfft(torch.fft.rfft(x, dim=1), n=x.size(1), dim=1),
    "irfft": lambda x: torch.fft.irfft(torch.fft.rfft(x, n=16, dim=1), dim=1),
    "fft of two axes": lambda x: torch.fft.fft(torch.fft.fft(x), dim=-2).real,
    "rfft2 and irfft2": lambda x: torch.fft.irfft2(
        torch.fft.rfft2(x, norm="ortho"), s=x.shape[1:], norm="ortho"
    ),
    "modes": lambda x: torch.fft.irfftn(
        torch.fft.rfftn(x, dim=(1, 2))[:, :3, :3], s=(6, x.size(2)), dim=(1, 2)
    ),
    "hfft": lambda x: torch.fft.hfft(torch.fft.ihfft(x, dim=1), dim=1),
    "shifted": lambda x: torch.fft.fftshift(torch.fft.fftn(x)).abs(),
    "stft": lambda x: torch.stft(x.flatten(1), 16, 4, window=torch.ones(16), return_complex=True).abs(),
    "svd": lambda x: (*torch.linalg.svd(x, full_matrices=False), torch.linalg.svdvals(x)),
    "svd of full matrices": torch.linalg.svd,
    "qr": torch.linalg.qr,
    "of a square": lambda x: (
        torch.linalg.det(y := x.mT @ x + 9 * torch.eye(8)),
        torch.linalg.inv(y),
        torch.linalg.solve(y, x.mT),
        *torch.linalg.eigh(y),
    ),
    "pinv": lambda x: (torch.linalg.pinv(x), torch.linalg.matrix_norm(x)),
}


@pytest.mark.sample(5)
@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms_have_shapes_and_are_not_counted(name: str) -> None:
    assert_agrees(TRANSFORMS[name], (10, 8), LENGTHS[:3], is_counted=False)


def test_right_sides_are_vectors_where_torch_takes_them_for_vectors() -> None:
    net = Forwarding(
        lambda x: torch.linalg.solve(torch.eye(3).expand(x.size(1), 3, 3), x.sum() + torch.ones(3, 3))
    )
    model = shapecalc.from_torch(net, input=(10, 8))
    assert model.analyze(input=(5, 8)).output == (5, 3, 3)
    with pytest.raises(ShapecalcError):
        model.analyze(input=(3, 8))


class Owner(nn.Module):
    """Functions with the weights of a module."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.bias, self.slope = (nn.Parameter(torch.ones(4)) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        x = functional.instance_norm(x, weight=self.weight, bias=self.bias)
        return functional.prelu(functional.prelu(x, self.slope), self.slope)


def test_weights_of_functions_are_counted_once() -> None:
    report = shapecalc.from_torch(Owner(), input=(4, 12, 12)).analyze(H=7, W=9, batch=2)
    assert (report.output, report.params, report.complete) == ((2, 4, 7, 9), 12, True)
    assert [node.kind for node in report] == ["instance_norm2d", "prelu", "prelu"]
