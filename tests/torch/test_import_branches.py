"""Branches of imported forwards for sizes that do not divide: what is answered at other sizes is right."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from shapecalc import ShapecalcError, ShapeError, from_torch
from shapecalc.bridges.torch.tracer import joined_branches


class Net(nn.Module):
    def __init__(self, function: Callable[[Any, Tensor], Any]) -> None:
        super().__init__()
        self.function = function
        self.conv, self.mix = nn.Conv2d(3, 8, 4, 4), nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Any:
        return self.function(self, x)


def _windows(net: Any, x: Tensor) -> Any:
    """Patches, windows and pairs as in Swin, each padded where it has to be."""
    if x.shape[3] % 4 != 0:
        x = functional.pad(x, (0, 4 - x.shape[3] % 4))
    if x.shape[2] % 4 != 0:
        x = functional.pad(x, (0, 0, 0, 4 - x.shape[2] % 4))
    y = net.conv(x).permute(0, 2, 3, 1)
    b, h, w, c = y.shape
    below, right = (7 - h % 7) % 7, (7 - w % 7) % 7
    y = functional.pad(y, (0, 0, 0, right, 0, below))
    rows, columns = y.shape[1] // 7, y.shape[2] // 7
    y = net.mix(y.view(b, rows, 7, columns, 7, c).transpose(2, 3).reshape(-1, 49, c))
    y = y.view(b, rows, columns, 7, 7, c).transpose(2, 3).reshape(b, rows * 7, columns * 7, c)
    if below > 0 or right > 0:
        y = y[:, :h, :w, :].contiguous()
    if h % 2 == 1 or w % 2 == 1:
        y = functional.pad(y, (0, 0, 0, w % 2, 0, h % 2))
    return y[:, 0::2, 0::2] + y[:, 1::2, 1::2]


def _both_at_once(net: Any, x: Tensor) -> Any:
    if x.size(2) % 2 or x.size(3) % 2:
        x = functional.pad(x, (0, x.size(3) % 2, 0, x.size(2) % 2))
    return net.conv(x)


def _one_row(net: Any, x: Tensor) -> Any:
    if x.size(2) % 2:
        x = functional.pad(x, (0, 0, 0, 1), mode="replicate")
    return x[:, :, ::2] + x[:, :, 1::2]


def _multiple(net: Any, x: Tensor) -> Any:
    if (rest := x.size(3) % 4) > 0:
        x = functional.pad(x, (0, 4 - rest))
    return x.view(*x.shape[:3], -1, 4)


POINTS = [
    (1, 112, 112),
    (2, 83, 83),
    (1, 84, 83),
    (3, 85, 90),
    (1, 57, 64),
    (1, 58, 62),
    (2, 61, 59),
    (1, 96, 80),
]


def answers(net: nn.Module, base: int) -> tuple[list[Any], list[Any]]:
    """Return the shapes of an import at the points, None where it refuses, and those of real runs."""
    model = from_torch(net, input=(3, base, base))
    ours: list[Any] = []
    for batch, height, width in POINTS:
        try:
            ours.append(model.analyze(input=(3, height, width), batch=batch).output)
        except ShapecalcError:
            ours.append(None)
    return ours, [tuple(net(torch.zeros(batch, 3, *sides)).shape) for batch, *sides in POINTS]


def _cropped(net: Any, x: Tensor) -> Any:
    return net.conv(x[:, :, :-1] if x.size(2) % 2 else x)


def _too_much(net: Any, x: Tensor) -> Any:
    return net.conv(functional.pad(x, (0, 0, 0, 4 + x.size(2) % 4)) if x.size(2) % 4 else x)


def _another_layer(net: Any, x: Tensor) -> Any:
    return net.conv(x) if x.size(2) % 2 else x.relu()


def _of_three(net: Any, x: Tensor) -> Any:
    return net.conv(functional.pad(x, (0, 0, 1, 1)) if x.size(2) % 3 == 1 else x)


def _only_at_multiples(net: Any, x: Tensor) -> Any:
    return net.conv(functional.max_pool2d(x, 2) if x.size(2) % 16 == 0 else x)


def _both_divide(net: Any, x: Tensor) -> Any:
    """Each branch by itself changes nothing where its size divides; where both divide, another one does."""
    height = x.size(2)
    for divisor in (3, 7):
        if height % divisor:
            x = functional.pad(x, (0, 0, 0, divisor - height % divisor))
    return net.conv(functional.max_pool2d(x, 2) if height % 3 == 0 and height % 7 == 0 else x)


def _of_the_quotient(net: Any, x: Tensor) -> Any:
    if x.size(2) % 4:
        x = functional.pad(x, (0, 0, 0, 4 - x.size(2) % 4))
    return net.conv(x[:, :, 1:] if x.size(2) // 4 % 5 == 0 else x)


BRANCHES = {
    "windows": _windows,
    "both at once": _both_at_once,
    "one row": _one_row,
    "a multiple": _multiple,
    "cropped": _cropped,
    "too much": _too_much,
    "another layer": _another_layer,
    "of three": _of_three,
    "only at multiples": _only_at_multiples,
    "both divide": _both_divide,
    "of the quotient": _of_the_quotient,
}


ANSWERED = {
    **dict.fromkeys(("both at once", "one row", "a multiple", "too much", "of three"), 8),
    **dict.fromkeys(("cropped", "another layer"), 4),
}
"""At how many of the points an import answers, at either base, where it answers beyond the traced side."""


@pytest.mark.sample(6)
@pytest.mark.parametrize("base", [112, 83])
@pytest.mark.parametrize("name", BRANCHES)
def test_what_is_answered_beyond_a_branch_is_right(name: str, base: int) -> None:
    """The other side is answered where it is proved to be the same network, and else refused."""
    ours, theirs = answers(Net(BRANCHES[name]).eval(), base)
    assert ours[base == 83] == theirs[base == 83]
    assert [answer for answer, true in zip(ours, theirs, strict=True) if answer not in (None, true)] == []
    assert len(ours) - ours.count(None) >= ANSWERED.get(name, 1)


class Decoder(nn.Module):
    """Resizes what was pooled where an odd size lost a row, as U-Nets do."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 4, 3, 2, 1), nn.ConvTranspose2d(4, 4, 2, 2)
        self.mix = nn.Conv2d(7, 2, 1)

    def forward(self, x: Tensor) -> Any:
        y = self.up(self.down(x))[:, :, : x.shape[2] // 2 * 2, : x.shape[3] // 2 * 2]
        if y.shape[2:] != x.shape[2:]:
            y = functional.interpolate(y, size=x.shape[2:])
        return self.mix(torch.cat([x, y], 1))


class Flags(nn.Module):
    """Each decision by itself changes nothing; a flag of both does."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)

    def forward(self, x: Tensor) -> Any:
        padded = 0
        if x.shape[2] % 2:
            x, padded = functional.pad(x, (0, 0, 0, 1)), padded + 1
        if x.shape[3] % 2:
            x, padded = functional.pad(x, (0, 1)), padded + 1
        return self.conv(functional.avg_pool2d(x, 2) if padded == 2 else x)


class OfTheBatch(Flags):
    def forward(self, x: Tensor) -> Any:
        if x.shape[0] % 3 == 0:
            x = functional.pad(x, (1, 1))
        if x.shape[2] % 2:
            x = functional.pad(x, (0, 0, 0, 1))
        return self.conv(x)


class Padded(Flags):
    """As `Flags`, but an odd size is padded in front or behind, by a choice that no size makes."""

    in_front = True

    def forward(self, x: Tensor) -> Any:
        for axis in (2, 3):
            if x.shape[axis] % 2 == 1:
                sides = [1, 0] if self.in_front else [0, 1]
                x = functional.pad(x, [0, 0, *sides] if axis == 2 else sides)
        return self.conv(x)


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    ("cls", "sizes", "beyond"),
    [
        (Decoder, [(32, 32), (33, 32), (32, 35), (31, 47)], 4),
        (Padded, [(8, 8), (8, 9), (9, 8), (11, 13)], 4),
        (Flags, [(8, 8), (8, 9), (9, 8), (11, 13)], 2),
        (OfTheBatch, [(8, 8), (9, 8), (9, 9), (11, 13)], 2),
    ],
)
@pytest.mark.parametrize("traced", [0, 1, 2, 3])
def test_branches_of_several_sizes_are_held_to_real_runs(
    cls: type[nn.Module], sizes: list[tuple[int, int]], beyond: int, traced: int
) -> None:
    net = cls().eval()
    model = from_torch(net, input=(3, *sizes[traced]))
    answered = 0
    for batch in (1, 3):
        for size in sizes:
            true = tuple(net(torch.zeros(batch, 3, *size)).shape)
            try:
                report = model.analyze(input=(3, *size), batch=batch)
            except ShapecalcError:
                assert size != sizes[traced] or batch != 1
                continue
            answered += 1
            assert report.output == true
            with FlopCounterMode(display=False) as counter:
                net(torch.zeros(batch, 3, *size))
            assert report.macs * 2 == counter.get_total_flops()
    assert answered >= beyond


class UNet(nn.Module):
    """Four levels, at each of which a map is resized to what it is joined with, if need be."""

    def __init__(self) -> None:
        super().__init__()
        widths = (2, 3, 4, 5)
        self.downs = nn.ModuleList(nn.Conv2d(a, b, 3, 1, 1) for a, b in pairwise((3, *widths)))
        self.middle = nn.Conv2d(5, 6, 1)
        self.ups = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, 2) for a, b in pairwise((*widths, 6)))
        self.mixes = nn.ModuleList(nn.Conv2d(2 * width, width, 1) for width in widths)

    def forward(self, x: Tensor) -> Any:
        skips = []
        for down in self.downs:
            x = down(x)
            skips.append(x)
            x = functional.max_pool2d(x, 2)
        x = self.middle(x)
        for up, mix, skip in zip(self.ups[::-1], self.mixes[::-1], skips[::-1], strict=True):
            x = up(x)
            if x.shape[2:] != skip.shape[2:]:
                x = functional.interpolate(x, size=skip.shape[2:])
            x = mix(torch.cat([skip, x], 1))
        return x


class PaddedUNet(UNet):
    def forward(self, x: Tensor) -> Any:
        skips = []
        for down in self.downs:
            x = down(x)
            skips.append(x)
            x = functional.avg_pool2d(x, 2)
        x = self.middle(x)
        for up, mix, skip in zip(self.ups[::-1], self.mixes[::-1], skips[::-1], strict=True):
            y = up(x)
            if y.size(2) != skip.size(2):
                y = functional.pad(y, [0, 0, 0, 1], mode="reflect")
            if y.size(3) != skip.size(3):
                more = skip.size(3) - y.size(3)
                y = functional.pad(y, [0, more])
            x = mix(torch.cat([skip, y], 1))
        return x


@pytest.mark.sample(1)
@pytest.mark.parametrize("cls", [UNet, PaddedUNet])
@pytest.mark.parametrize("traced", [(64, 48), (83, 83), (175, 97)])
def test_many_branches_that_do_not_depend_on_each_other(
    cls: type[nn.Module], traced: tuple[int, int]
) -> None:
    net = cls().eval()
    model = from_torch(net, input=(3, *traced))
    sizes = model.sizes()
    assert all(size in sizes for size in [(64, 48), (83, 83), (175, 97), (17, 31)])
    for size in [
        (64, 64),
        (83, 83),
        (17, 130),
        (31, 47),
        (79, 64),
        *[(side, side + 3) for side in range(20, 29)],
    ]:
        for batch in (1, 2):
            x = torch.zeros(batch, 3, *size, device="meta")
            with FlopCounterMode(display=False) as counter, torch.no_grad():
                output = net.to("meta")(x)
            report = model.analyze(input=(3, *size), batch=batch)
            assert (report.output, 2 * report.macs) == (tuple(output.shape), counter.get_total_flops())


LOG: list[int] = []


def _logged(value: Any) -> Any:
    LOG.append(1)
    return value


def _by_a_flag(net: Any, x: Tensor, h: int, w: int) -> Any:
    count = 0
    if h:
        x = functional.pad(x, (0, 0, 0, 1))
        count += 1
    if w:
        x = functional.pad(x, (0, 1))
        count += 1
    return functional.max_pool2d(x, 2) if count == 2 else x


def _by_a_temporary(net: Any, x: Tensor, h: int, w: int) -> Any:
    above = below = 0
    if h:
        above = 1
        x = functional.pad(x, (0, 0, 0, above))
    if w:
        below = 1
        x = functional.pad(x, (0, below))
    return functional.max_pool2d(x, 2) if above + below == 2 else x


def _by_a_function(net: Any, x: Tensor, h: int, w: int) -> Any:
    LOG.clear()
    if h:
        x = _logged(functional.pad(x, (0, 0, 0, 1)))
    if w:
        x = functional.pad(x, (0, _logged(1)))
    return functional.max_pool2d(x, 2) if len(LOG) == 2 else x


def _by_an_attribute(net: Any, x: Tensor, h: int, w: int) -> Any:
    net.padded = 0
    if h:
        x = functional.pad(x, (0, 0, 0, 1))
        net.padded += 1
    if w:
        x = functional.pad(x, (0, 1))
        net.padded += 1
    return functional.max_pool2d(x, 2) if net.padded == 2 else x


def _by_the_same_number(net: Any, x: Tensor, h: int, w: int) -> Any:
    if h:
        x = functional.pad(x, (0, 0, 0, 1))
    if w:
        x = functional.pad(x, (0, 1))
    return functional.max_pool2d(x, 2) if h and w else x


def _another_variable(net: Any, x: Tensor, h: int, w: int) -> Any:
    y = functional.max_pool2d(x, 2)
    if h:
        x = functional.pad(y, (0, 0, 0, 1))
    if w:
        x = functional.pad(x, (0, 1))
    return x


def _more_than_padding(net: Any, x: Tensor, h: int, w: int) -> Any:
    if h:
        x = functional.max_pool2d(functional.pad(x, (0, 0, 0, 1)), 2, 1)
    if w:
        x = functional.pad(x, (0, 1))
    return x


def _either_way(net: Any, x: Tensor, h: int, w: int) -> Any:
    if h:
        x = functional.pad(x, (0, 0, 0, 1))
    else:
        x = functional.pad(x, (0, 0, 0, 1))
        x = functional.pad(x, (0, 0, 0, 1))
    if w and h:
        x = functional.pad(x, (0, 1))
    return x


def _by_another_remainder(net: Any, x: Tensor, h: int, w: int) -> Any:
    if h:
        x = functional.pad(x, (0, 0, 0, 1))
    if w:
        x = functional.pad(x, (0, h + w))
    return x


def _by_either_test(net: Any, x: Tensor, h: int, w: int) -> Any:
    if x.shape[2] % 4 != 0 or w:
        x = functional.pad(x, (0, 0, 0, 4 - x.shape[2] % 4))
    return x


def _padded_again(net: Any, x: Tensor, h: int, w: int) -> Any:
    if h:
        x = functional.pad(x, (0, 0, 0, 1))
    if w:
        x = functional.pad(x, (0, 1))
    if x.shape[2] % 4:
        more = 4 - x.shape[2] % 4
        x = functional.pad(x, (0, 0, 0, more))
    return x


DEPENDENT: list[Callable[..., Any]] = [
    _by_a_flag,
    _by_a_temporary,
    _by_a_function,
    _by_an_attribute,
    _by_the_same_number,
    _another_variable,
    _more_than_padding,
    _either_way,
    _by_either_test,
]
PROVED = [(_padded_again, (8, 8)), (_padded_again, (11, 13)), (_by_another_remainder, (8, 8))]
"""Branches of which each is proved by itself, with the sizes of the trace."""


@pytest.mark.sample(3)
@pytest.mark.parametrize("traced", [(8, 8), (11, 13)])
@pytest.mark.parametrize("function", [*DEPENDENT, _padded_again, _by_another_remainder])
def test_branches_that_depend_on_each_other_are_held(
    monkeypatch: pytest.MonkeyPatch, function: Callable[..., Any], traced: tuple[int, int]
) -> None:
    """Only what their bytecode shows to be independent is answered without a run of every combination."""
    monkeypatch.setattr(joined_branches, "_MOST_DECISIONS", 0)
    net = Net(lambda net, x: function(net, net.first(x), x.shape[2] % 2, x.shape[3] % 2))
    net.first = nn.Conv2d(3, 4, 1)
    model = from_torch(net.eval(), input=(3, *traced))
    answered = 0
    for size in product((7, 8, 9, 11, 14), (6, 7, 8, 13)):
        try:
            output = model.analyze(input=(3, *size)).output
        except ShapecalcError:
            continue
        answered += 1
        assert output == tuple(net(torch.zeros(1, 3, *size)).shape)
    assert (answered == 20) is ((function, traced) in PROVED)


def test_a_proved_branch_is_in_the_closed_form_and_a_held_one_is_named() -> None:
    assert str(from_torch(Net(_multiple).eval(), input=(3, 8, 6)).analyze(symbolic=True).output) == (
        "(1, 3, H, W - ⌊3·W/4⌋, 4)"
    )
    model = from_torch(Net(_only_at_multiples).eval(), input=(3, 9, 8))
    line = _only_at_multiples.__code__.co_firstlineno + 1
    held = f"a branch or loop of the forward, as traced (tests/torch/test_import_branches.py:{line}"
    assert held in str(model.sizes()).replace(str(Path.cwd()), "").replace("(/", "(")
    assert "elsewhere is not in this table" in str(model.analyze())
    with pytest.raises(ShapeError) as refused:
        model.analyze(input=(3, 16, 8))
    assert f"test_import_branches.py:{line}:" in str(refused.value)
    assert "import the module at them" in str(refused.value)
