"""Einsum and resizing: every small case against torch, nothing drawn.

The multiply-accumulates of an einsum are those of the matrix products that torch makes of it.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate
from torch.utils.flop_counter import FlopCounterMode

from shapecalc.algebra import maximum, minimum
from shapecalc.layers import Einsum, Upsample
from shapecalc.layers.dependence import Along, Everything, Fixed
from shapecalc.layers.requirement import Refused

EQUATIONS = ["ij,jk->ik", "ij,ij->i", "ij,kj->ijk", "bij,bjk->bik", "i,ij,j->", "ij,jk,kl->il", "abc,ca->b"]


def stretched(equation: str) -> list[tuple[tuple[int, ...], ...]]:
    """Return inputs in which each letter has one size, and each of its axes that size or 1."""
    terms = equation.partition("->")[0].split(",")
    sizes = {letter: size for size, letter in enumerate(dict.fromkeys("".join(terms)), start=2)}
    axes = [(letter,) for term in terms for letter in term]
    found = []
    for kept in product([False, True], repeat=len(axes)):
        flat = iter(sizes[letter] if is_kept else 1 for (letter,), is_kept in zip(axes, kept, strict=True))
        found.append(tuple(tuple(next(flat) for _ in term) for term in terms))
    return found


@pytest.mark.parametrize("equation", EQUATIONS)
def test_an_einsum_multiplies_what_torch_multiplies(equation: str) -> None:
    layer = Einsum(equation=equation)
    for shapes in stretched(equation):
        tensors = [torch.ones(shape) for shape in shapes]
        with FlopCounterMode(display=False) as counter, torch.backends.opt_einsum.flags(enabled=False):
            result = torch.einsum(equation, *tensors)
        assert layer.output(shapes) == tuple(result.shape), shapes
        assert 2 * layer.macs(shapes) == counter.get_total_flops(), shapes


@pytest.mark.parametrize("equation", EQUATIONS)
def test_an_einsum_refuses_what_torch_refuses(equation: str) -> None:
    """One axis after the other is made longer by one."""
    layer = Einsum(equation=equation)
    for shapes in stretched(equation)[:: max(1, len(stretched(equation)) // 16)]:
        for at, axis in [(at, axis) for at, x in enumerate(shapes) for axis in range(len(x))]:
            longer = [list(x) for x in shapes]
            longer[at][axis] += 5
            own = tuple(map(tuple, longer))
            try:
                theirs = tuple(torch.einsum(equation, *map(torch.ones, own)).shape)
            except RuntimeError:
                with pytest.raises(Refused):
                    layer.apply(own)
            else:
                assert layer.apply(own).outputs == (theirs,)


def read_by(function: Any, shapes: tuple[tuple[int, ...], ...], at: tuple[int, ...]) -> list[Tensor]:
    """Return where each input has a gradient for one position of the result."""
    tensors = [torch.rand(shape, dtype=torch.float64).add(0.5).requires_grad_() for shape in shapes]
    gradients = torch.autograd.grad(function(*tensors)[at], tensors)
    return [gradient != 0 for gradient in gradients]


@pytest.mark.parametrize("equation", EQUATIONS)
def test_an_einsum_reads_what_its_gradient_says(equation: str) -> None:
    layer = Einsum(equation=equation)
    for shapes in stretched(equation)[::3]:
        at: tuple[Any, ...] = tuple(size - 1 for size in layer.output(shapes))
        dependence = layer.depends_on(shapes, 0)
        read = read_by(lambda *x: torch.einsum(equation, *x), shapes, at)
        for views, shape, mask in zip(dependence, shapes, read, strict=True):
            expected = torch.ones(shape, dtype=torch.bool)
            for axis, (view, size) in enumerate(zip(views, shape, strict=True)):
                places: Any = torch.arange(size)
                match view:
                    case Along(onto):
                        kept = places == at[onto]
                    case Fixed(0, 0):
                        kept = places == 0
                    case _:
                        assert isinstance(view, Everything)
                        kept = places >= 0
                expected &= kept.reshape([-1 if other == axis else 1 for other in range(len(shape))])
            assert torch.equal(mask, expected), (shapes, views)


# ---- resizing

SCALES = [
    Fraction(1, 2),
    Fraction(29, 100),
    Fraction(7, 4),
    2,
    3,
    Fraction(11, 10),
    Fraction(1, 3),
    Fraction(5, 2),
]
LINEAR = ["nearest", "nearest-exact", "linear", "area"]


def resize(mode: str, corners: bool | None, **how: Any) -> Any:
    return lambda x: interpolate(x, mode=mode, align_corners=corners, **how)


@pytest.mark.parametrize("scale", SCALES)
def test_a_scale_makes_the_size_that_torch_makes(scale: Fraction | int) -> None:
    layer = Upsample(scale_factor=scale)
    for n in [*range(1, 130), 1000, 4099]:
        x = torch.empty((1, 1, n), device="meta")
        try:
            theirs = tuple(interpolate(x, scale_factor=float(scale)).shape)
        except RuntimeError:
            theirs = ()
        if not theirs or 0 in theirs:
            with pytest.raises(Refused):
                layer.apply(((1, 1, n),))
        else:
            assert layer.apply(((1, 1, n),)).outputs == (theirs,), n


CASES = [
    (mode, corners, {"scale_factor": scale})
    for mode in LINEAR
    for corners in ((None, True) if mode == "linear" else (None,))
    for scale in (2, 3, Fraction(1, 2), Fraction(3, 2), Fraction(21, 20))
] + [
    (mode, corners, {"size": size})
    for mode in LINEAR
    for corners in ((None, True) if mode == "linear" else (None,))
    for size in (1, 4, 9, 12, 18)
]


@pytest.mark.parametrize(("mode", "corners", "how"), CASES)
def test_a_result_reads_what_its_gradient_says(mode: str, corners: bool | None, how: dict[str, Any]) -> None:
    """Every position of every result; one on the border reads no farther than the border."""
    layer = Upsample(mode=mode, align_corners=corners, **how)
    numbers = {name: float(value) if name == "scale_factor" else value for name, value in how.items()}
    for n in (6, 9, 12):
        (view,) = layer.dependence((1, 1, n), 0)[2:]
        size = layer.output((1, 1, n))[2]
        assert isinstance(size, int)
        for i in range(size):
            (mask,) = read_by(resize(mode, corners, **numbers), ((1, 1, n),), (0, 0, i))
            places = mask[0, 0].nonzero()[:, 0].tolist()
            match view:
                case Along(_, ranges, shift):
                    turns, at = divmod(i, len(ranges))
                    span = ranges[at]
                    assert span is not None
                    first, last = span[0] + turns * shift, span[1] + turns * shift
                case Fixed(first, last):
                    pass
                case _:
                    assert isinstance(view, Everything)
                    first, last = 0, n - 1
            assert (maximum(first, 0), minimum(last, n - 1)) == (places[0], places[-1]), (n, i)
