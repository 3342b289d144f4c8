"""What imports read of values: buffers, arguments in containers, tensors without elements, decisions by numbers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import shapecalc
from shapecalc import ShapecalcError, Undecided, layers
from shapecalc.bridges.torch.twins.twin import build_layer
from shapecalc.layers.base import Kind


class Holder(nn.Module):
    """A forward over parts and buffers that are attributes."""

    def __init__(self, forward: Callable[..., Any], **parts: Any) -> None:
        super().__init__()
        for name, part in parts.items():
            if type(part) is Tensor:
                self.register_buffer(name, part, persistent=name != "passing")
            else:
                setattr(self, name, part)
        self.does = forward

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.does(self, *args, **kwargs)


class Normalized(nn.BatchNorm2d):
    """A normalization whose forward is its own."""

    def forward(self, x: Tensor) -> Any:
        return functional.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias)


TABLE = torch.zeros(2, 16, 8)
BUFFERS: dict[str, nn.Module] = {
    "used": Holder(lambda net, x: x - net.mean, mean=torch.zeros(1, 3, 1, 1)),
    "sliced": Holder(lambda net, x: x + net.table[0, : x.shape[2], :8], table=TABLE),
    "not persistent": Holder(lambda net, x: x * net.passing, passing=torch.ones(8)),
    "not used": Holder(lambda net, x: net.norm(x), anchors=torch.zeros(9, 4), norm=nn.BatchNorm2d(3)),
    "all unused": Holder(lambda net, x: x.relu(), anchors=torch.zeros(9, 4), steps=torch.tensor(0)),
    "of two modules": Holder(
        lambda net, x: net.first(net.second(x)),
        first=Holder(lambda net, x: x + net.table[0, :8], table=TABLE),
        second=Holder(lambda net, x: x * net.table[1, :8], table=TABLE),
    ),
    "statistics twice": Holder(lambda net, x: net.norm(net.norm(x)), norm=nn.BatchNorm2d(3)),
    "statistics by a function": Holder(lambda net, x: net.norm(x), norm=Normalized(3)),
    "without statistics": Holder(
        lambda net, x: net.norm(x), norm=nn.BatchNorm2d(3, track_running_stats=False)
    ),
    "spectral": nn.utils.parametrizations.spectral_norm(nn.Conv2d(3, 4, 3)),
}


@pytest.mark.parametrize("name", BUFFERS)
def test_buffers_are_counted_once(name: str) -> None:
    net = BUFFERS[name].eval()
    report = shapecalc.from_torch(net, input=(3, 8, 8)).analyze()
    assert report.buffer_count == sum(buffer.numel() for buffer in net.buffers())
    assert report.params == sum(parameter.numel() for parameter in net.parameters())
    assert report.output == tuple(net(torch.zeros(1, 3, 8, 8)).shape)


# ---- arguments and results in containers


class Pair(NamedTuple):
    first: Tensor
    second: Tensor


@dataclass
class Batch:
    image: Tensor
    scale: Tensor | None = None
    name: str = ""


class Answer(OrderedDict[str, Any]):
    """A mapping with attributes, as the results of some libraries are."""

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        raise AttributeError(name)


class Masked:
    """A tensor with its mask, as detection networks have them."""

    def __init__(self, tensors: Tensor, mask: Tensor) -> None:
        self.tensors, self.mask = tensors, mask


X, Y = torch.zeros(2, 5, 8), torch.zeros(2, 5, 1)
LIN = nn.Linear(8, 3)
NESTED: dict[str, tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = {
    "list": (lambda net, xs: net.lin(xs[0]) * xs[1], ([X, Y],), {}),
    "named tuple": (lambda net, pair: Pair(pair.second, net.lin(pair.first)), (Pair(X, Y),), {}),
    "dataclass": (lambda net, batch: Batch(net.lin(batch.image), batch.scale), (Batch(X, Y),), {}),
    "dataclass with None": (lambda net, batch: Batch(net.lin(batch.image)), (Batch(X, name="x"),), {}),
    "mapping with attributes": (lambda net, x: Answer(a=net.lin(x.a), b=(x.b, x.a)), (Answer(a=X, b=Y),), {}),
    "object": (lambda net, x: net.lin(x.tensors) * x.mask, (Masked(X, Y),), {}),
    "object out": (lambda net, x: Masked(net.lin(x), x), (X,), {}),
    "deep": (lambda net, x: {"a": [net.lin(x["p"][0]["q"])]}, ({"p": ({"q": X}, Y), "n": 3},), {}),
    "keyword": (lambda net, x, *, scale, more: net.lin(x) * scale + more[0], (X,), {"scale": Y, "more": [Y]}),
    "any number": (lambda net, *xs: net.lin(xs[0]) * xs[1] + xs[2], (X, Y, X[:, :1, :1]), {}),
    "same twice": (lambda net, x, y: net.lin(x) if x is y else x, (X, X), {}),
}


def outputs(value: Any) -> list[tuple[int, ...]]:
    if value is None or isinstance(value, (str, int)):
        return []
    if isinstance(value, Tensor):
        return [tuple(value.shape)]
    parts = value if isinstance(value, (tuple, list)) else None
    if parts is None:
        parts = [*(value if isinstance(value, dict) else vars(value)).values()]
    return [shape for part in parts for shape in outputs(part)]


@pytest.mark.parametrize("name", NESTED)
def test_tensors_in_containers_are_inputs_and_outputs(name: str) -> None:
    forward, args, kwargs = NESTED[name]
    net = Holder(forward, lin=LIN).eval()
    report = shapecalc.from_torch(net, args=args, kwargs=kwargs).analyze()
    assert [*report.outputs.values()] == outputs(net(*args, **kwargs))
    distinct = {id(item): tuple(item.shape) for item in (*_tensors(args), *_tensors(kwargs))}
    assert [*report.inputs.values()] == [*distinct.values()]


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, (Batch, Masked)):
        value = vars(value)
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list)) else ()
    return [tensor for part in parts for tensor in _tensors(part)]


def test_the_sizes_of_nested_inputs_may_be_others() -> None:
    net = Holder(lambda net, batch: net.lin(batch["x"]) * batch["y"], lin=LIN).eval()
    model = shapecalc.from_torch(net, input={"batch": {"x": (5, 8), "y": (5, 1)}})
    for batch, length in ((1, 5), (3, 9)):
        sizes = {"batch_x": (length, 8), "batch_y": (length, 1)}
        assert model.analyze(input=sizes, batch=batch).output == (batch, length, 3)
    listed = shapecalc.from_torch(Holder(NESTED["list"][0], lin=LIN).eval(), input=[(5, 8), (5, 1)])
    assert listed.analyze(batch=3).output == (3, 5, 3)


# ---- tensors without elements

EMPTY: list[tuple[Kind, list[tuple[int, ...]]]] = [
    (layers.Linear(out_features=3), [(2, 0, 8)]),
    (layers.LayerNorm(), [(2, 0, 8)]),
    (layers.Embedding(num_embeddings=9, embedding_dim=4), [(2, 0)]),
    (layers.ReLU(), [(2, 0, 8)]),
    (layers.Softmax(dim=1), [(2, 0, 8)]),
    (layers.Dropout(), [(0, 8)]),
    (layers.Add(), [(2, 0, 8), (2, 1, 8)]),
    (layers.Add(), [(2, 0, 8), (2, 3, 8)]),
    (layers.Multiply(), [(1,), (2, 0, 8), (8,)]),
    (layers.Concat(dim=1), [(2, 0, 8), (2, 5, 8)]),
    (layers.Concat(dim=1), [(2, 0, 8), (2, 0, 8)]),
    (layers.Concat(dim=2), [(2, 0, 8), (2, 5, 8)]),
    (layers.Matmul(), [(2, 0, 8), (2, 8, 5)]),
    (layers.Matmul(), [(2, 5, 0), (2, 0, 7)]),
    (layers.Matmul(), [(2, 5, 4), (2, 0, 7)]),
    (layers.Flatten(), [(2, 0, 8)]),
    (layers.View(shape=(-1, 4)), [(2, 0, 8)]),
    (layers.View(shape=(2, 4)), [(2, 0, 8)]),
    (layers.Reshape(shape=(-1, 4)), [(2, 0, 8)]),
    (layers.Permute(dims=(2, 0, 1)), [(2, 0, 8)]),
    (layers.Transpose(dim0=1, dim1=2), [(2, 0, 8)]),
    (layers.Squeeze(), [(2, 0, 1)]),
    (layers.Unsqueeze(dim=0), [(2, 0)]),
    (layers.BroadcastTo(shape=(3, -1, 8)), [(1, 0, 8)]),
    (layers.BroadcastTo(shape=(3, 5, 8)), [(1, 0, 8)]),
    (layers.Select(dim=2, index=0), [(2, 0, 8)]),
    (layers.Select(dim=1, index=0), [(2, 0, 8)]),
    (layers.EmptySlice(dim=-1), [(2, 3, 8)]),
    (layers.EmptySlice(dim=1), [(2, 0, 8)]),
    (layers.Mean(dim=1), [(2, 0, 8)]),
]  # fmt: skip
REDUCTIONS = "sum amax amin any all var std norm logsumexp prod argmax argmin"
EMPTY += [
    (layers.Reduce(function=name, dim=axis), [(2, 0, 8)]) for name in REDUCTIONS.split() for axis in (1, 2)
]


@pytest.mark.filterwarnings("ignore:.*degrees of freedom")
@pytest.mark.parametrize(("layer", "inputs"), EMPTY, ids=lambda value: getattr(value, "kind", None))
def test_layers_take_no_elements_as_torch_does(layer: Kind, inputs: list[tuple[int, ...]]) -> None:
    dtype = torch.long if isinstance(layer, layers.Embedding) else torch.float32
    try:
        ours = layer.apply(tuple(inputs)).outputs
    except ShapecalcError:
        ours = ()
    try:
        result = build_layer(layer, tuple(inputs)).eval()(
            *(torch.zeros(shape, dtype=dtype) for shape in inputs)
        )
    except (RuntimeError, IndexError, ValueError):
        assert not ours
    else:
        assert ours == (tuple(result.shape),)


def test_layers_that_are_not_known_to_take_no_elements_are_undecided() -> None:
    spec = [layers.EmptySlice(dim=2), layers.Conv2d(out_channels=4, kernel_size=1)]
    with pytest.raises(Undecided, match="has no elements"):
        shapecalc.Model(input=(3, 8, 8), layers=spec).analyze()


class Registers(nn.Module):
    """Tokens in front of which a setting puts registers, here of none."""

    def __init__(self, count: int = 0) -> None:
        super().__init__()
        self.cls, self.registers = nn.Parameter(torch.zeros(1, 1, 8)), nn.Parameter(torch.zeros(1, count, 8))
        self.norm, self.count = nn.LayerNorm(8), count

    def forward(self, x: Tensor) -> Any:
        parts = [self.cls.expand(x.size(0), -1, -1), self.registers.expand(x.size(0), -1, -1), x]
        x = self.norm(torch.cat(parts, 1))
        return x[:, 0], x[:, 1 : 1 + self.count], x[:, 1 + self.count :]


def _cached(net: Any, x: Tensor) -> Any:
    keys, values = x.new_zeros(x.size(0), 0, 8), torch.tensor([])
    keys, values = torch.cat([keys, net.lin(x)], dim=1), torch.cat([values, x], dim=-2)
    return keys @ values.mT


SQUARE = nn.Linear(8, 8)
NOTHING: dict[str, nn.Module] = {
    "registers": Registers(),
    "cache": Holder(_cached, lin=SQUARE),
    "cache of zeros": Holder(
        lambda net, x: torch.cat([torch.zeros(x.shape[0], 0, x.shape[2]), net.lin(x)], 1), lin=SQUARE
    ),
    "slices": Holder(lambda net, x: (x[:, :0], x[..., 3:3], x[:, -2:-4], x[:, -3:0], x[:, 5:2]), lin=SQUARE),
    "slice and index": Holder(lambda net, x: (x[:, :0, 2], x[:, None, 4:4], x[0, 1:1]), lin=SQUARE),
    "narrow": Holder(lambda net, x: torch.cat([x.narrow(1, 2, 0), net.lin(x)], 1), lin=SQUARE),
    "linear": Holder(lambda net, x: net.lin(x[:, :0]).relu().sum(1), lin=SQUARE),
    "past the end": Holder(lambda net, x: x[:, 10:], lin=SQUARE),
    "before the start": Holder(lambda net, x: x[:, : x.shape[1] - 10], lin=SQUARE),
    "of sizes": Holder(lambda net, x: torch.cat([x[:, x.shape[1] :], net.lin(x)], 1), lin=SQUARE),
    "views": Holder(lambda net, x: torch.cat([x[:, :0].view(x.shape[0], 0, 8), net.lin(x)], 1), lin=SQUARE),
    "open views": Holder(lambda net, x: torch.cat([x[:, :0].reshape(len(x), -1, 8), x], 1), lin=SQUARE),
    "views past the end": Holder(lambda net, x: x[:, 10:].reshape(x.shape[0], 0, 2), lin=SQUARE),
    "new of sizes": Holder(lambda net, x: x.new_zeros(x.shape[0], max(x.shape[1] - 10, 0), 2), lin=SQUARE),
}


@pytest.mark.parametrize("name", NOTHING)
def test_empty_tensors_are_torchs_or_refused(name: str) -> None:
    net = NOTHING[name].eval()
    model = shapecalc.from_torch(net, input=(10, 8))
    for batch, length in ((1, 10), (3, 7), (2, 3), (2, 14)):
        with suppress(ShapecalcError):
            answer = [*model.analyze(input=(length, 8), batch=batch).outputs.values()]
            assert answer == outputs(net(torch.zeros(batch, length, 8))), (batch, length)
            continue
        assert (batch, length) != (1, 10)
        free = ("registers", "cache", "cache of zeros", "slice and index", "narrow", "linear", "views")
        assert name not in (*free, "open views")
    assert model.analyze().params == sum(parameter.numel() for parameter in net.parameters())


# ---- decisions by numbers of tensors


def _drop_paths(net: Any, x: Tensor) -> Any:
    rates = [rate.item() for rate in torch.linspace(0, 0.3, 4)]
    return torch.cat([net.lin(x) for rate in rates if rate > 0.15], -1)


def _masked(net: Any, x: Tensor) -> Any:
    mask = torch.ones(x.shape[:2], dtype=torch.long)
    if bool((mask == 1).all()):
        return net.lin(x)
    return x.sum(1)


def _packed(net: Any, x: Tensor) -> Any:
    positions = torch.arange(x.shape[1]).unsqueeze(0).expand(x.shape[0], -1) + 3
    differences = torch.diff(positions, prepend=positions[:, :1] - 1, dim=-1)
    is_packed = (differences != 1).cumsum(-1)
    return net.lin(x) if (is_packed[:, -1] == 0).all() else x.sum(1)


def _padded_ids(net: Any, x: Tensor) -> Any:
    ids = torch.full((x.size(0), x.size(1)), 5)
    return x.sum(1) if net.padding in ids[:, [-1, 0]] else net.lin(x)


def _causal(net: Any, x: Tensor) -> Any:
    mask = torch.full((x.size(1), x.size(1)), float("-inf")).triu(1)
    return net.lin(x) if (mask.isinf().sum() > 20).item() else x.mean(1)


def _written(net: Any, x: Tensor) -> Any:
    mask = torch.ones(x.size(1), dtype=torch.bool)
    mask[12:] = False
    return net.lin(x) if mask.all() else x.sum(1)


def _longest(net: Any, x: Tensor) -> Any:
    positions = torch.arange(x.size(1))
    return net.lin(x) if positions.max() < 12 else x.sum(1)


def _written_view(net: Any, x: Tensor) -> Any:
    flags = torch.zeros(4)
    flags[1:3] += 1
    flags.view(2, 2)[0, 0] = 7
    return net.lin(x).repeat(1, 1, int(flags.sum()))


def _picked(net: Any, x: Tensor) -> Any:
    return net.lin(x)[:, net.keep.nonzero().squeeze(1)]


VALUED: dict[str, tuple[nn.Module, bool]] = {
    "drop path rates": (Holder(_drop_paths, lin=SQUARE), True),
    "rates in a loop": (Holder(lambda net, x: [net.lin(x) for rate in torch.linspace(0, 0.3, 4) if rate > 0.15], lin=SQUARE), True),
    "mask of ones": (Holder(_masked, lin=SQUARE), True),
    "packed positions": (Holder(_packed, lin=SQUARE), True),
    "padding among ids": (Holder(_padded_ids, lin=SQUARE, padding=0), True),
    "padding is among ids": (Holder(_padded_ids, lin=SQUARE, padding=5), True),
    "ones near the diagonal": (Holder(lambda net, x: net.lin(x) if torch.ones(x.size(1), x.size(1)).triu(-20).all() else x.sum(1), lin=SQUARE), False),
    "causal mask": (Holder(_causal, lin=SQUARE), False),
    "written mask": (Holder(_written, lin=SQUARE), False),
    "greatest position": (Holder(_longest, lin=SQUARE), False),
    "written view": (Holder(_written_view, lin=SQUARE), True),
    "int of a buffer": (Holder(lambda net, x: net.lin(x)[:, : int(net.n)], lin=SQUARE, n=torch.tensor(3)), True),
    "list of a buffer": (Holder(lambda net, x: net.lin(x).split(net.n.tolist(), -1), lin=SQUARE, n=torch.tensor([3, 5])), True),
    "range of a buffer": (Holder(lambda net, x: net.lin(x) + torch.arange(net.n), lin=SQUARE, n=torch.tensor(8)), True),
    "loop over a buffer": (Holder(lambda net, x: [net.lin(x) for _ in range(net.n)], lin=SQUARE, n=torch.tensor(3)), True),
    "numpy of a buffer": (Holder(lambda net, x: net.lin(x)[..., : net.n.numpy()[1]], lin=SQUARE, n=torch.tensor([3, 5])), True),
    "places of a buffer": (Holder(_picked, lin=SQUARE, keep=torch.tensor([1, 0, 1, 1, 0])), True),
    "mask as an index": (Holder(lambda net, x: net.lin(x)[:, torch.arange(x.shape[1]) % 2 == 0], lin=SQUARE), False),
    "fixed mask as an index": (Holder(lambda net, x: net.lin(x)[..., torch.arange(8) % 3 == 0], lin=SQUARE), True),
    "mask of rows": (Holder(lambda net, x: net.lin(x)[:, 1][:, net.m, None], lin=SQUARE, m=torch.arange(8) < 3), True),
    "sign of a parameter": (Holder(lambda net, x: net.lin(x) if net.a > 0 else x.sum(1), lin=SQUARE, a=nn.Parameter(torch.ones(()))), True),
    "first position": (Holder(lambda net, x: net.lin(x) if torch.arange(x.size(1))[0] == 0 else x.sum(1), lin=SQUARE), True),
    "index of a tensor": (Holder(lambda net, x: net.lin(x)[:, torch.tensor([4, 2]).max()], lin=SQUARE), True),
    "slice by a tensor": (Holder(lambda net, x: net.lin(x)[:, : torch.tensor([4, 2]).max()], lin=SQUARE), True),
    "mean of ones": (Holder(lambda net, x: net.lin(x) if torch.ones_like(x[..., 0]).amin() > 0 else x.sum(1), lin=SQUARE), True),
    "ones of fewer rows": (Holder(lambda net, x: net.lin(x) if functional.interpolate(torch.ones_like(x), size=3).bool().all() else x.sum(1), lin=SQUARE), True),
    "sum of ones": (Holder(lambda net, x: net.lin(x) if torch.ones(x.size(1)).sum() < 12 else x.sum(1), lin=SQUARE), False),
    "size in a tensor": (Holder(lambda net, x: net.lin(x) if torch.tensor(x.shape[1:]).max() < 12 else x.sum(1), lin=SQUARE), False),
}  # fmt: skip
"""Forwards, each with whether it is answered at other sizes than those of the trace."""


@pytest.mark.parametrize("name", VALUED)
def test_values_without_data_decide_as_in_torch(name: str) -> None:
    net, is_free = VALUED[name]
    model = shapecalc.from_torch(net.eval(), input=(10, 8))
    for batch, length in ((1, 10), (2, 10), (3, 7), (2, 9), (2, 14), (4, 25)):
        truth = outputs(net(torch.zeros(batch, length, 8)))
        try:
            answer = [*model.analyze(input=(length, 8), batch=batch).outputs.values()]
        except ShapecalcError:
            assert not is_free or name == "places of a buffer", (batch, length)
            assert length != 10, (batch, length)
        else:
            assert answer == truth, (batch, length)


def test_tensors_of_the_user_are_not_written_to() -> None:
    counts, steps = torch.zeros(3), nn.Parameter(torch.ones(2))

    def forward(net: Any, x: Tensor) -> Any:
        net.counts += 1
        net.steps.data.mul_(2)
        return net.lin(x) if x.size(0) else x

    net = Holder(forward, lin=SQUARE, counts=counts, steps=steps).eval()
    assert shapecalc.from_torch(net, input=(5, 8)).analyze(batch=3).output == (3, 5, 8)
    assert not counts.any()
    assert (steps == 1).all()


# ---- what depends on the data


def _sure(net: Any, x: Tensor) -> Any:
    padded = functional.pad(x, (1, 1), mode="reflect")
    if padded.isnan().any():
        raise ValueError("not a number")
    if not (x <= 1).all():
        raise ValueError("more than 1")
    return net.lin(padded[..., 1:-1])


def test_a_check_of_the_data_is_taken_to_hold() -> None:
    model = shapecalc.from_torch(Holder(_sure, lin=SQUARE).eval(), input=(5, 8))
    assert model.analyze(input=(9, 8), batch=3).output == (3, 9, 8)


def _either(net: Any, x: Tensor) -> Any:
    if x.mean() > 0:
        return net.lin(x)
    return x.sum(1)


def _caught(net: Any, x: Tensor) -> Any:
    try:
        assert (x > 0).all()
    except AssertionError:
        return x.sum(1)
    return net.lin(x)


def _lost(net: Any, x: Tensor) -> Any:
    mask = torch.ones(5)
    part = mask[:3]
    part.copy_(x[0, :3, 0])
    return net.lin(x) if mask.sum() > 2 else x.sum(1)


def _counter(net: Any, x: Tensor) -> Any:
    net.counts += 1
    return net.lin(x) if net.counts.sum() > 2 else x.sum(1)


@pytest.mark.parametrize(
    ("forward", "reads"),
    [
        (_either, "bool"),
        (_caught, "bool"),
        (_lost, "bool"),
        (_counter, "bool"),
        (lambda net, x: net.lin(x)[:, : int(x.sum())], "int"),
        (lambda net, x: net.lin(x[x[..., 0] > 0].nonzero().float()), "getitem"),
        (lambda net, x: [net.lin(x)] * len(x.sum().tolist()), "tolist"),
    ],
)
def test_what_depends_on_the_data_is_refused_with_its_line(forward: Callable[..., Any], reads: str) -> None:
    net = Holder(forward, lin=SQUARE, counts=torch.zeros(3)).eval()
    with pytest.raises(shapecalc.SpecError, match=rf"the values of the input .{reads} reads them") as caught:
        shapecalc.from_torch(net, input=(5, 8)).analyze()
    assert __file__ in str(caught.value.place)


def test_what_fails_whichever_way_a_decision_goes_is_that_failure() -> None:
    def warns(net: Any, x: Tensor) -> Any:
        if (x > 0).all():
            print("positive")
        return net.lin(x)

    with pytest.raises(ShapecalcError, match="declares in_features: 8, but the input"):
        shapecalc.from_torch(Holder(warns, lin=SQUARE).eval(), input=(5, 6))


# ---- devices and dtypes


def _by_device(net: Any, x: Tensor) -> Any:
    y = net.lin(x)
    if y.device.type == "meta" or x.is_meta or y.is_cuda or not net.lin.weight.is_cpu:
        return y.sum(1)
    if y.device != torch.device("cpu"):
        return y.mean(1)
    return y.cpu() + torch.ones(x.shape[1], 1, device=y.device) * torch.zeros(8, device="cpu").to(x.device)


def _device_of_a_range(net: Any, x: Tensor) -> Any:
    positions = torch.arange(x.shape[1], device=x.device).to("cpu")
    return net.lin(x) if positions.max() < 12 else x.sum(1)


@pytest.mark.parametrize(("forward", "is_free"), [(_by_device, True), (_device_of_a_range, False)])
def test_the_device_is_the_cpu(forward: Callable[..., Any], is_free: bool) -> None:
    net = Holder(forward, lin=SQUARE).eval()
    model = shapecalc.from_torch(net, input=(10, 8))
    for batch, length in ((1, 10), (3, 10), (2, 7), (2, 14)):
        try:
            answer = [*model.analyze(input=(length, 8), batch=batch).outputs.values()]
        except ShapecalcError:
            assert not is_free
            assert length != 10
        else:
            assert answer == outputs(net(torch.zeros(batch, length, 8)))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_inputs_have_the_precision_of_the_parameters(dtype: torch.dtype) -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 5)).to(dtype)
    model = shapecalc.from_torch(net.eval(), input=(3, 8, 8))
    assert model.analyze(batch=3).output == (3, 5)
    ids = nn.Sequential(nn.Embedding(9, 8), nn.Linear(8, 3)).to(dtype)
    assert shapecalc.from_torch(ids.eval(), input=(7,)).analyze(batch=2).output == (2, 7, 3)
