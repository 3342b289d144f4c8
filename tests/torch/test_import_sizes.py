"""Sizes on their way through Python: what a forward does with them stays arithmetic, or becomes a condition.

Each forward here is run by torch itself at sizes that it was not traced at. Our answer is torch's shape and
cost, or a refusal; it is never another shape.
"""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  (as everybody writes it)
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from shapecalc import Model, ShapeError, SpecError, Undecided, export, from_torch, loads

Forward = Callable[["Net", Any], Any]


class Net(nn.Module):
    def __init__(self, forward: Forward) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.does = forward

    def forward(self, x: Tensor) -> Any:
        return self.does(self, x)


def in_place(net: Net, x: Tensor) -> Tensor:
    found: Tensor = net.conv(x)
    found *= x.shape[2]
    found += x.shape[3]
    return found


STAYS: dict[str, Forward] = {
    "half": lambda net, x: F.interpolate(net.conv(x), size=(x.shape[2] // 2, x.shape[3])),
    "floor of a quotient": lambda net, x: net.conv(x)[:, :, : math.floor(x.shape[2] / 3) + 1],
    "ceiling of a quotient": lambda net, x: net.conv(x)[:, :, : math.ceil(x.shape[2] / 3)],
    "divmod": lambda net, x: net.conv(x).flatten(2)[:, :, : 1 + divmod(x.shape[2], 3)[0]],
    "square": lambda net, x: net.conv(x).flatten(2)[:, :, : x.shape[2] ** 2],
    "shift": lambda net, x: net.conv(x).flatten(2)[:, :, : x.shape[2] >> 1],
    "padding to a multiple": lambda net, x: F.pad(net.conv(x), [0, -x.shape[3] % 5, 0, -x.shape[2] % 5]),
    "padding as TensorFlow has it": lambda net, x: F.max_pool2d(
        F.pad(net.conv(x), [0, (math.ceil(x.shape[3] / 2) - 1) * 2 + 3 - x.shape[3]]), 3, 2
    ),
    "kernel of the whole map": lambda net, x: F.avg_pool2d(net.conv(x), kernel_size=x.size()[2:]),
    "adaptive": lambda net, x: F.adaptive_avg_pool2d(net.conv(x), (x.shape[2] // 2, 1)),
    "zeros beside": lambda net, x: torch.cat([net.conv(x), x.new_zeros(x.shape[0], 1, *x.shape[2:])], 1),
    "positions": lambda net, x: net.conv(x) + torch.arange(x.shape[3]),
    "steps between": lambda net, x: torch.linspace(0, 1, x.shape[3]) + net.conv(x)[:1, :1, :1, :1],
    "positions from the second on": lambda net, x: net.conv(x)[..., 1:] + torch.arange(1, x.shape[3]),
    "every other position": lambda net, x: net.conv(x)[..., ::2] + torch.arange(0, x.shape[3], 2),
    "a square": lambda net, x: torch.eye(x.shape[3], x.shape[2]) @ net.conv(x),
    "a grid": lambda net, x: (
        torch.meshgrid(torch.arange(x.shape[2]), torch.arange(x.shape[3]), indexing="ij")[1] + net.conv(x)
    ),
    "floor of a half": lambda net, x: net.conv(x)[:, :, : int(x.shape[2] // 0.5)],
    "copies": lambda net, x: net.conv(x).repeat(1, 2, 1, x.shape[2]) + x[:, :1, :, :1].tile(8, 1, 1),
    "copies in front": lambda net, x: x.shape[2] + net.conv(x).repeat(2, 1, 1, 1, 1),
    "a turn": lambda net, x: torch.rot90(net.conv(x), 1, (2, 3)),
    "data": lambda net, x: net.conv(x).data.mT,
    "like": lambda net, x: torch.full_like(net.conv(x), x.shape[2]),
    "a scale": lambda net, x: net.conv(x) * x.shape[2] / x.shape[3],
    "a clamp": lambda net, x: net.conv(x).clamp(0, x.shape[3] - 1),
    "a number added": lambda net, x: torch.add(net.conv(x), x.shape[2]).sub_(x.shape[3]),
    "a number filled in": lambda net, x: net.conv(x).masked_fill(x[:, :1] > x.shape[2], max(x.shape[3], 0)),
    "a number in place": in_place,
    "a view": lambda net, x: net.conv(x).view(*x.shape[:1], -1),
    "printed": lambda net, x: (print(x.shape[2]), net.conv(x))[1],
    "the middle row": lambda net, x: net.conv(x)[:, :, x.shape[2] // 2],
    "int of a product": lambda net, x: F.interpolate(net.conv(x), size=(int(x.shape[2] * 0.5), 4)),
    "int of a quotient": lambda net, x: F.interpolate(net.conv(x), size=(int(x.shape[2] / 2), 4)),
    "int of a size": lambda net, x: net.conv(x)[:, :, : int(x.shape[2]) - 1],
    "truncated": lambda net, x: F.interpolate(net.conv(x), size=(math.trunc(x.shape[2] * 0.75), 4)),
    "round": lambda net, x: F.interpolate(net.conv(x), size=(round(x.shape[2] * 0.5), 4)),
    "round a third": lambda net, x: F.interpolate(net.conv(x), size=(round(x.shape[2] / 3), 4)),
    "round a quotient": lambda net, x: net.conv(x)[:, :, : 1 + round(x.shape[2] / x.shape[3])],
    "len": lambda net, x: net.conv(x).view(len(x), -1),
    "len of a row": lambda net, x: F.pad(net.conv(x), (0, len(x[0, 0]) // 2)),
    "parts of a list": lambda net, x: net.conv(x).split([x.shape[2] // 2, x.shape[2] - x.shape[2] // 2], 2)[
        0
    ],
    "the smaller": lambda net, x: F.interpolate(net.conv(x), size=(min(x.shape[2], 8), 4)),
    "a number of elements": lambda net, x: net.conv(x).view(x.shape[0], 4, x.shape[2:].numel()),
}
"""Sizes that stay arithmetic: the same answer as torch's at every size."""

HOLDS: dict[str, Forward] = {
    "range": lambda net, x: [net.conv(x) for _ in range(x.shape[2])][-1],
    "range of a half": lambda net, x: [net.conv(x) for _ in range(3, x.shape[2] // 2 + 4)][-1],
    "range of a len": lambda net, x: [net.conv(x) for _ in range(len(x[0, 0]))][-1],
    "rows one by one": lambda net, x: [net.conv(x) for _ in x[0, 0]][-1],
    "rows unbound": lambda net, x: sum(net.conv(row[:, :, None]) for row in x.unbind(2)),
    "parts": lambda net, x: torch.cat([net.conv(part).sum(2) for part in x.split(3, 2)], 1),
    "chunks": lambda net, x: torch.cat([net.conv(part).sum(2) for part in x.chunk(4, 2)], 1),
    "rows stacked": lambda net, x: torch.stack([net.conv(x)[:, :, i] for i in range(0, x.shape[2], 2)], 1),
    "an index": lambda net, x: [lambda: net.conv(x), lambda: x][x.shape[2] % 2](),
    "int of a negative": lambda net, x: F.pad(net.conv(x), (0, -int((3 - x.shape[2]) / 2))),
    "bits of a half": lambda net, x: [net.conv(x) for _ in range(int(x.shape[2] * 0.5).bit_length())][-1],
    "decimals": lambda net, x: net.conv(x)[:, :, : int(round(x.shape[2] / 3, 1))],
    "a decimal": lambda net, x: net.conv(x)[:, :, : int(x.shape[2] * 0.3)],
    "float": lambda net, x: F.interpolate(net.conv(x), size=(int(float(x.shape[2]) / 2), 4)),
    "root": lambda net, x: net.conv(x).flatten(2)[:, :, : int(math.sqrt(x.shape[2]))],
    "bits": lambda net, x: [net.conv(x) for _ in range(x.shape[2].bit_length())][-1],
    "and": lambda net, x: net.conv(x)[:, :, : 1 + (x.shape[2] & 7)],
    "a key": lambda net, x: net.conv(x) if {9: 1}.get(x.shape[2]) else x.relu(),
    "a member": lambda net, x: net.conv(x) if x.shape[2] in {9, 10} else x.relu(),
    "a text": lambda net, x: net.conv(x) if str(x.shape[2]) == "8" else x.relu(),
    "a formatted text": lambda net, x: net.conv(x) if f"{x.shape[2]}" == "8" else x.relu(),
    "as often": lambda net, x: torch.cat([net.conv(x)] * x.shape[2], 1),
    "a branch": lambda net, x: net.conv(x) if x.shape[2] > 8 else x.relu(),
    "truth": lambda net, x: net.conv(x) if x.shape[2] % 2 else x.relu(),
    "a quotient compared": lambda net, x: net.conv(x) if x.shape[2] / 2 > 4.5 else x.relu(),
    "a shape compared": lambda net, x: net.conv(x) if x.shape[2:] == (8, 8) else x.relu(),
    "another axis in front": lambda net, x: net.conv(x) if x.permute(2, 0, 1, 3).shape[0] == 8 else x.relu(),
    "the batch": lambda net, x: net.conv(x) if x.shape[0] == 1 else x.relu(),
    "all elements": lambda net, x: net.conv(x) if x.numel() > 300 else x.relu(),
    "squeezed": lambda net, x: net.conv(x)[:, :, : x.shape[2] - 7].squeeze(),
}
"""Sizes that come to a decision: the same answer as torch's where it is the same decision, otherwise a refusal."""

POINTS = [(1, 8, 8), (2, 8, 8), (1, 9, 8), (1, 10, 8), (3, 5, 10), (1, 3, 3)]


def by_torch(forward: Forward, point: tuple[int, int, int]) -> tuple[Any, int] | None:
    batch, height, width = point
    counter = FlopCounterMode(display=False)
    try:
        with counter, torch.no_grad():
            shape = Net(forward).eval()(torch.zeros(batch, 3, height, width)).shape
    except (RuntimeError, IndexError):
        return None
    return tuple(shape), counter.get_total_flops() // 2


def by_us(model: Model, point: tuple[int, int, int]) -> tuple[Any, int] | None:
    batch, height, width = point
    try:
        report = model.analyze(H=height, W=width, batch=batch)
    except (ShapeError, SpecError, Undecided):
        return None
    assert isinstance(report.macs, int)
    return report.output, report.macs


@pytest.mark.parametrize("name", STAYS)
def test_arithmetic_stays_arithmetic(name: str) -> None:
    model = from_torch(Net(STAYS[name]), input=(3, 8, 8))
    assert [by_us(model, point) for point in POINTS] == [by_torch(STAYS[name], point) for point in POINTS]


@pytest.mark.parametrize("name", HOLDS)
def test_decisions_are_conditions(name: str) -> None:
    model = from_torch(Net(HOLDS[name]), input=(3, 8, 8))
    ours = [by_us(model, point) for point in POINTS]
    theirs = [by_torch(HOLDS[name], point) for point in POINTS]
    assert ours[0] == theirs[0] is not None
    assert [mine for mine, one in zip(ours, theirs, strict=True) if mine not in (None, one)] == []
    assert None in ours


def test_a_condition_is_told_and_imposes_the_legal_sizes() -> None:
    model = from_torch(Net(HOLDS["range"]), input=(3, 8, 9))
    with pytest.raises(ShapeError, match="16 is not equal 8, as the traced code had it"):
        model.analyze(H=16)
    sizes = model.sizes()
    assert (8, 20) in sizes
    assert (9, 9) not in sizes
    assert "H = 8" in str(sizes)


# ---- Python's int and len


HALVES = """
from functools import cache, wraps
import torch
from torch import nn

def decorated(function):
    @wraps(function)
    def inner(*args):
        return function(*args)
    return inner

class Half(nn.Module):
    def forward(self, x):
        return x[:, :, : int(x.shape[2] * 0.5)]
"""
LOOKS_AT_INT = {
    "a type": "def check(n):\n    return type(n) is int",
    "a type in a function that is decorated": "@decorated\ndef check(n):\n    return type(n) is int",
    "a type in a function that is remembered": "@cache\ndef check(n):\n    return int is type(n)",
    "a type in a method": "class Other:\n    def check(n):\n        return type(n) is not int",
    "a type in a function inside": "def outer():\n    def check(n):\n        return type(n) is int\n    return check",
    "a type of number": "def made():\n    return torch.zeros(1, dtype=int)",
    "a name of its own": "int = lambda n: 4",
}
CALLS_INT = {
    "nothing else": "",
    "calls it": "def other(text):\n    return int(text, 16)",
    "asks for instances": "def other(n):\n    return isinstance(n, (int, float)) and isinstance(n, int)",
    "annotates": "def other(n: int) -> int:\n    return n",
}


def halves(more: str) -> ModuleType:
    """Return a module of Python with a forward that calls `int`, and more code."""
    written = ModuleType("written")
    exec(HALVES + more, vars(written))
    return written


@pytest.mark.parametrize("more", CALLS_INT)
def test_int_stays_arithmetic_where_it_is_only_called(more: str) -> None:
    written = halves(CALLS_INT[more])
    before = dict(vars(written))
    model = from_torch(written.Half(), input=(3, 8, 8))
    assert model.analyze(H=31).output == (1, 3, 15, 8)
    assert dict(vars(written)) == before


@pytest.mark.parametrize("more", LOOKS_AT_INT)
def test_int_is_pythons_where_it_is_looked_at(more: str) -> None:
    model = from_torch(halves(LOOKS_AT_INT[more]).Half(), input=(3, 8, 8))
    assert model.analyze().output == (1, 3, 4, 8)
    if more != "a name of its own":
        with pytest.raises(ShapeError, match="as the traced code had it"):
            model.analyze(H=31)


def test_what_stands_for_int_is_like_it() -> None:
    written = halves(
        """
class Asks(nn.Module):
    def forward(self, x):
        found = {int: "whole", float: "broken"}
        assert int("ff", 16) == 255 and int() == 0 and int(2.5) == 2 and int.from_bytes(b"a", "big") == 97
        assert isinstance(3, int) and isinstance(True, int) and not isinstance(3.0, int)
        assert isinstance(x.shape[2], int) and issubclass(bool, int) and type(3) == int and int == type(3)
        assert found[type(3)] == "whole" and [*map(int, "12")] == [1, 2] and len([1, 2]) == 2 and len(x) == 2
        return x[:, :, : int(x.shape[2] / 2)]
"""
    )
    assert from_torch(written.Asks(), args=(torch.zeros(2, 3, 8, 8),)).analyze(H=31).output == (2, 3, 15, 8)


def test_what_a_forward_leaves_in_its_module_stays_there() -> None:
    written = halves(
        """
class Counts(nn.Module):
    def forward(self, x):
        global calls
        calls = len(x)
        return x.relu()
"""
    )
    from_torch(written.Counts(), args=(torch.zeros(2, 3, 8, 8),))
    assert written.calls == 2
    assert not {"len", "int"} & vars(written).keys()


def test_code_that_takes_ordinary_numbers_only_holds_for_its_inputs() -> None:
    written = halves(
        """
def doubled(size):
    if type(size) is not int:  # as compiled code asks
        raise TypeError("an integer is needed")
    return 2 * size

class Doubled(nn.Module):
    def forward(self, x):
        return nn.functional.pad(x, [0, doubled(x.shape[2])])
"""
    )
    model = from_torch(written.Doubled(), input=(3, 8, 8))
    assert model.analyze().output == (1, 3, 8, 24)
    with pytest.raises(ShapeError, match="as the traced code had it"):
        model.analyze(H=9)


# ---- shapes taken whole


class Flat(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.head = nn.Linear(4 * 36, 5)

    def forward(self, x: Tensor) -> Any:
        x = self.conv(x)
        return self.head(x.view(-1) if x.dim() == 3 else x.view(x.size(0), -1))


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (nn.Linear(5, 3), (5,)),
        (nn.Linear(5, 3), (2, 5)),
        (nn.Conv2d(3, 8, 3), (3, 9, 11)),
        (nn.Conv2d(3, 8, 3), (4, 3, 9, 11)),
        (nn.Sequential(nn.Conv1d(3, 8, 3), nn.ReLU()), (3, 9)),
        (nn.TransformerEncoderLayer(16, 4, 32, batch_first=True), (7, 16)),
        (nn.TransformerEncoderLayer(16, 4, 32, batch_first=True), (2, 7, 16)),
        (Flat(), (3, 8, 8)),
        (Flat(), (2, 3, 8, 8)),
    ],
    ids=lambda one: "x".join(map(str, one)) if isinstance(one, tuple) else type(one).__name__,
)
def test_example_arguments_count_whole(module: nn.Module, shape: tuple[int, ...]) -> None:
    example = torch.zeros(shape)
    model = from_torch(module, args=(example,))
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        expected = module.to("meta").eval()(example.to("meta"))
    report = model.analyze()
    assert report.input == shape
    assert (report.output, report.macs) == (tuple(expected.shape), counter.get_total_flops() // 2)
    assert loads(model.to_yaml()) == model
    with pytest.raises(SpecError, match="already include the batch"):
        model.analyze(batch=2)


def test_the_first_axis_of_a_whole_shape_is_free_and_so_are_its_sides() -> None:
    model = from_torch(nn.Conv2d(3, 8, 3), args=(torch.zeros(4, 3, 9, 11),))
    assert model.parameters == {"N": 4, "H": 9, "W": 11}
    assert model.analyze(N=7, H=5).output == (7, 8, 3, 9)
    assert (3, 3) in model.sizes()
    assert (2, 3) not in model.sizes()
    assert "on 4×3×H×W" in str(model.sizes())


def test_whole_shapes_are_compared_and_told_whole() -> None:
    left, right = (from_torch(nn.Conv2d(3, 8, side), args=(torch.zeros(3, 9, 11),)) for side in (3, 1))
    told = left.agreement(right)
    assert str(told.shapes) == "at H = 3, W = 3 the left puts out 8x1x1, the right 8x3x3"
    assert str(told.accepted) == "at H = 1, W = 1 the left puts out nothing (refused), the right 8x1x1"
    several = [from_torch(nn.Conv2d(3, 8, side), args=(torch.zeros(4, 3, 9, 11),)) for side in (3, 1)]
    assert str(several[0].agreement(several[1]).shapes).endswith(
        "the left puts out 4x8x1x1, the right 4x8x3x3"
    )
    one = from_torch(nn.Conv2d(3, 8, 3), input=(3, 9, 11))
    assert left.agreement(one).is_whole  # an image alone, and one in a batch
    assert one.agreement(left).is_whole
    assert not one.agreement(right).is_whole


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ((3, 8, 8), "3x8x8, no batch before it"),
        ((2, 3, 8, 8), "2x3x8x8, no batch before it"),
        (None, "3x8x8"),
    ],
)
def test_source_that_is_written_says_which_input_it_is_for(shape: tuple[int, ...] | None, told: str) -> None:
    layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    model = from_torch(layers, (3, 8, 8)) if shape is None else from_torch(layers, args=(torch.zeros(shape),))
    source = export(model)
    assert f"for an input of {told}." in source
    found: dict[str, Any] = {}
    exec(source, found)
    whole = shape or (1, 3, 8, 8)
    assert found["Sequential"]()(torch.zeros(whole)).shape == layers(torch.zeros(whole)).shape


def test_torch_is_left_as_it_was() -> None:
    """The functions that make tensors heed a device afterwards, in a process that imports first of all."""
    program = """
import torch
from torch import nn
import shapecalc
class Made(nn.Module):
    def forward(self, x):
        return x + torch.zeros(x.shape[-1])
shapecalc.from_torch(Made(), input=(3, 8, 8))
with torch.device("meta"):
    print(*(make(2, 2).device for make in (torch.empty, torch.ones, torch.zeros, torch.rand)))
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["meta"] * 4


class _SamePadded(nn.Module):
    """Convolutions of stride 2 padded as TensorFlow pads, by numbers computed from sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(3, 3, size, stride=2) for size in (3, 5, 3, 5, 3))

    def forward(self, x: Tensor) -> Any:
        conv: Any
        for conv in self.convs:
            k = conv.kernel_size[0]
            below, right = (max((math.ceil(n / 2) - 1) * 2 + k - n, 0) for n in x.shape[2:])
            x = conv(F.pad(x, [right // 2, right - right // 2, below // 2, below - below // 2]))
        return x


def test_padding_to_the_same_size_holds_at_any_size() -> None:
    model = from_torch(_SamePadded(), input=(3, 224, 224))
    first = model.analyze(symbolic=("H", "W")).nodes[0].output
    assert str(first[2]) == "2·H - 2·⌊H/2⌋ + 1"  # at least one row is added, so there is no maximum
    for height, width in ((83, 301), (1, 2), (64, 31)):
        expected = (1, 3, math.ceil(height / 32), math.ceil(width / 32))
        assert model.analyze(input=(3, height, width)).output == expected


class _CropsSkip(nn.Module):
    """Half the size after convolutions without padding, doubled, and a skip cut down to it."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 5)
        self.up = nn.ConvTranspose2d(4, 4, 2, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        skip = self.first(x)
        y: Tensor = self.up(self.second(F.max_pool2d(skip, 2)))
        return torch.cat([skip[:, :, : y.shape[2], : y.shape[3]], y], 1)


def test_a_skip_is_cut_down_to_what_is_smaller() -> None:
    legal = from_torch(_CropsSkip(), input=(3, 40, 40)).sizes()
    net = _CropsSkip().to("meta")

    def runs(side: int) -> bool:
        try:
            net(torch.empty(1, 3, side, side, device="meta"))
        except RuntimeError:
            return False
        return True

    assert [side for side in range(1, 60) if (side, side) in legal] == [*filter(runs, range(1, 60))]
