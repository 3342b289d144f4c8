"""What is said about an imported module: findings of `check`, membership of sizes, outputs, and errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  (as everybody writes it)
from torch import Tensor, nn

from shapecalc import SpecError, from_torch, loads
from tests.support.broken_tracer import Forward


def padded(net: Any, x: Tensor) -> Tensor:
    assert x.shape[1] == 3
    assert x.shape[-1] >= 8
    odd = x.shape[-1] % 2
    result: Tensor = net.conv(F.pad(x, (0, 1)) if odd else x)
    return result


def with_shape_of_weight(net: Any, x: Tensor) -> Tensor:
    return x.reshape(x.shape[0], net.conv.weight.shape[1], -1)


@pytest.mark.parametrize("forward", [padded, with_shape_of_weight])
def test_check_reports_no_record_of_the_import_as_an_unused_result(forward: Any) -> None:
    model = from_torch(Forward(forward, conv=nn.Conv1d(3, 8, 3)), input=(3, 32))
    assert not [str(each) for each in model.check() if each.severity == "warning"]


def test_check_sees_a_cancelled_bias_beside_a_condition() -> None:
    def forward(net: Any, x: Tensor) -> Any:
        y = net.conv(x)
        return net.norm(y) if y.shape[2] > 4 else y

    net = Forward(forward, conv=nn.Conv2d(3, 8, 3), norm=nn.BatchNorm2d(8))
    assert [each.code for each in from_torch(net, input=(3, 16, 16)).check()] == ["bias-before-norm"]


def test_a_size_at_which_a_window_is_empty_is_not_legal() -> None:
    def forward(net: Any, x: Tensor) -> Tensor:
        y = net.conv(x)
        window = (y.size(2) // 3, y.size(3) // 5)
        return F.max_pool2d(y, window, window)

    net = Forward(forward, conv=nn.Conv2d(3, 4, 3, stride=4, padding=1)).eval()
    sizes = from_torch(net, input=(3, 96, 96)).sizes()
    for height in (1, 7, 8, 9, 12, 40):
        for width in (3, 16, 17, 20, 33):
            try:
                net(torch.zeros(1, 3, height, width))
            except RuntimeError:
                assert (height, width) not in sizes
            else:
                assert (height, width) in sizes


MADE: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "pool to half": lambda x, y: nn.AdaptiveAvgPool2d((y.shape[2] // 2, y.shape[3] // 2))(x),
    "pool of all": lambda _, y: nn.AvgPool2d(kernel_size=cast("Any", y.size()[2:]))(y),
    "pad to the input": lambda x, y: nn.ZeroPad2d((0, x.shape[3] - y.shape[3], 0, 1))(y),
    "replicate": lambda _, y: nn.ReplicationPad2d((y.shape[2] // 4,) * 4)(y),
    "in a sequence": lambda x, y: nn.Sequential(nn.ReLU(), nn.Upsample(size=x.shape[-2:]))(y),
    "layer norm": lambda _, y: nn.LayerNorm(y.shape[1:], elementwise_affine=False)(y),
    "unflatten": lambda _, y: nn.Unflatten(1, (2, y.shape[1] // 2))(y),
    "fold": lambda _, y: nn.Fold(y.shape[2:], 1)(y.flatten(2)),
}


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_a_module_that_the_forward_makes_with_sizes(make: Callable[[Tensor, Tensor], Tensor]) -> None:
    net = Forward(lambda self, x: make(x, self.conv(x)), conv=nn.Conv2d(3, 4, 3, 2, 1)).eval()
    model = from_torch(net, input=(3, 32, 32))
    json.dumps(model.analyze().to_dict())
    model = loads(model.to_yaml())
    for height, width in ((32, 32), (20, 24), (64, 16)):
        shape = tuple(net(torch.zeros(1, 3, height, width)).shape)
        assert model.analyze(H=height, W=width).output == shape


@pytest.mark.parametrize(
    "make",
    [
        lambda x: {"a.b": x, "a b": x.mean(1), "a_b_2": x.sum()[None]},
        lambda x: {"a": [x, x.mean(1)], "a_output_0": x[:, :3]},
        lambda x: ({"output_1": x}, x.mean(1), x[:, :3]),
    ],
)
def test_outputs_with_equal_names_are_all_kept(make: Callable[[Tensor], Any]) -> None:
    model = from_torch(Forward(lambda _, x: make(2 * x)), input=(10, 8))
    assert len(model.analyze().outputs) == 3


# ---- errors of a forward


def mistake(net: nn.Module, *shape: int) -> SpecError:
    with pytest.raises(SpecError) as error:
        from_torch(net, input=shape)
    return error.value


def run_all(net: Any, x: Tensor) -> Tensor:
    for layer in net.children():
        x = layer(x)
    return x


@pytest.mark.parametrize(
    ("layers", "shape", "path", "hint", "numbers"),
    [
        ([nn.Conv2d(3, 8, 3), nn.Conv2d(4, 8, 3)], (3, 9, 9), "tail.1", "in_channels: 8", "1x8x7x7"),
        ([nn.Conv2d(3, 8, 3), nn.BatchNorm2d(6)], (3, 9, 9), "tail.1", "num_features: 8", "1x8x7x7"),
        ([nn.Flatten(), nn.Linear(28, 7)], (3, 9), "tail.1", "in_features: 27", "1x27"),
        ([nn.LSTM(5, 7)], (3, 9), "tail.0", "input_size: 9", "1x3x9"),
        ([nn.Conv2d(3, 8, 3), nn.MaxPool2d(9)], (3, 9, 9), "tail.1", "", "9"),
    ],
)
def test_a_layer_that_does_not_fit_is_named_with_its_sizes_and_the_fix(
    layers: list[nn.Module], shape: tuple[int, ...], path: str, hint: str, numbers: str
) -> None:
    error = mistake(Forward(run_all, head=nn.Identity(), tail=nn.Sequential(*layers)), *shape)
    assert error.path == path
    assert error.hint.startswith(hint)
    assert numbers in error.message
    assert "[2," not in error.message
    assert str(error.place.file) == __file__
    assert error.place.line == run_all.__code__.co_firstlineno + 2


def test_a_function_that_does_not_fit_has_its_line_and_all_that_torch_says() -> None:
    def forward(net: Any, x: Tensor) -> Any:
        return net.conv(x) + x

    error = mistake(Forward(forward, conv=nn.Conv2d(3, 3, 3)), 3, 9, 9)
    assert error.place.line == forward.__code__.co_firstlineno + 1
    for words in ("1x3x7x7", "1x3x9x9", "tensor a (7) must match the size of tensor b (9)", "conv 1x3x7x7"):
        assert words in str(error)
