"""What is imported, built again and written out: the module's own parameters, costs and shapes, or a reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from shapecalc import Model, SpecError, build, export, from_torch
from shapecalc.bridges.torch.proof.run_network import forward
from shapecalc.bridges.torch.proof.verification import verify
from shapecalc.cli import main
from tests.support.traced_modules import MODULES, ByKeyword, Nested, Siamese
from tests.support.tutorial_modules import TUTORIALS
from tests.torch.test_import import FEW, built, measured, parameters, side_of

NAMELESS = "torch.mul takes more than a tensor"
TRACED = "it notes what was seen of a forward"
UNWRITTEN = {
    **dict.fromkeys(("ByKeyword", "Attention"), NAMELESS),
    **dict.fromkeys(("Tied", "ByEquation", "Tokens", "Spare", "Scaled"), TRACED),
    "Normed": "torch makes it out of a layer",
    "LuckyGoogLeNet": "another is in it or around it",
}
"""Modules whose import cannot be written as source, and what is said of them."""

MODULES_AND_TUTORIALS: dict[str, tuple[Callable[[], nn.Module], Any]] = {
    **{cls.__name__: (cls, shapes) for cls, shapes in MODULES.items()},
    "TanhLeNet": (TUTORIALS["torch_lenet5"], (1, 32, 32)),
    "RepeatedVgg": (TUTORIALS["torch_vgg16"], (3, 224, 224)),
    "LuckyGoogLeNet": (TUTORIALS["torch_inception_v1"], (3, 224, 224)),
    "GreyDenseNet": (TUTORIALS["fashion_densenet"], (1, 96, 96)),
    "normed_lenet": (TUTORIALS["fashion_lenet_bn"], (1, 28, 28)),
}


def ran(network: nn.Module, model: Model) -> tuple[int, list[tuple[int, ...]]]:
    """Return the MACs of a network, and the shapes that come out of it."""
    counter = FlopCounterMode(display=False)
    shapes = [[size for size in shape if isinstance(size, int)] for shape in model.analyze().inputs.values()]
    inputs = [torch.empty(shape, device="meta") for shape in shapes]
    with counter, torch.no_grad(), torch.device("meta"):
        found = network.eval()(*inputs)
    results = found.values() if isinstance(found, dict) else found if isinstance(found, tuple) else [found]
    return counter.get_total_flops() // 2, [tuple(one.shape) for one in results if isinstance(one, Tensor)]


def executed(source: str) -> nn.Module:
    """Return the network that a source defines last."""
    found: dict[str, Any] = {"__name__": "written"}
    exec(source, found)
    classes = [one for one in found.values() if isinstance(one, type) and one.__module__ == "written"]
    with torch.device("meta"):
        made: nn.Module = classes[-1]()
    return made


def named(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(one.shape) for name, one in module.named_parameters()}


@pytest.mark.sample(10)
@pytest.mark.parametrize("name", MODULES_AND_TUTORIALS)
def test_source_of_an_import_runs_and_is_the_module(name: str) -> None:
    make, shapes = MODULES_AND_TUTORIALS[name]
    with torch.device("meta"):
        module = make()
    model = from_torch(module, input=shapes)
    if name in UNWRITTEN:
        with pytest.raises(SpecError, match=UNWRITTEN[name]):
            export(model)
        return
    network = executed(export(model))
    assert named(network) == named(module)
    assert ran(network, model) == measured(module, shapes)


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    "name", ["resnet18", "mobilenet_v3_small", "densenet121", "lraspp_mobilenet_v3_large"]
)
def test_source_of_torchvisions_networks(name: str) -> None:
    assert name in FEW
    module, side = built(name), side_of(name)
    model = from_torch(module, input=(3, side, side))
    network = executed(export(model))
    assert named(network) == named(module)
    assert ran(network, model) == measured(module, (3, side, side))


@pytest.mark.sample(10)
@pytest.mark.parametrize("cls", MODULES, ids=lambda cls: cls.__name__)
def test_an_import_is_built_again(cls: type[nn.Module]) -> None:
    model = from_torch(cls(), input=MODULES[cls])
    network = build(model, device="meta")
    assert parameters(network) == parameters(cls())
    found = forward(model, model.analyze(), None, {})
    assert found.on_numbers
    assert not found.is_refuted, found.differences


def test_shared_weights_stay_shared_in_the_source() -> None:
    network = executed(export(from_torch(Siamese(), input=MODULES[Siamese])))
    assert network.get_parameter("tower.0.weight") is network.get_submodule("tower.0_2").weight


class Masked(nn.Module):
    """A function that takes more than a number beside its tensor."""

    def forward(self, x: Tensor) -> Tensor:
        return x.masked_fill(x > 0, 1.0)


def test_functions_whose_numbers_are_not_noted_are_verified_by_what_is_known() -> None:
    scaled = verify(from_torch(ByKeyword(), input=MODULES[ByKeyword]))
    assert scaled.counts == {"proved": 3}
    assert not scaled.forward.is_refuted
    masked = verify(from_torch(Masked(), input=(3, 4)))
    assert masked.counts == {"proved": 1, "uncovered": 1}
    assert "what else masked_fill takes is not known" in str(masked)
    assert not masked.forward.is_refuted


def test_an_import_that_was_saved_is_written_by_the_command(tmp_path: Path) -> None:
    saved = tmp_path / "nested.yaml"
    saved.write_text(from_torch(Nested(depth=3), input=(3, 12, 12)).to_yaml(), encoding="utf-8")
    result = CliRunner().invoke(main, ["export", str(saved)])
    assert result.exit_code == 0, result.output
    assert named(executed(result.output)) == named(Nested(depth=3))
