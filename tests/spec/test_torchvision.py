"""What torchvision writes beside its weights, and the settings of its layers, as witnesses of the specs.

The shapes and costs themselves are compared with the modules in test_specs.
"""

from __future__ import annotations

import re

import pytest
import torch
import torchvision
from torch import nn
from torchvision.models.regnet import BlockParams
from torchvision.ops import StochasticDepth

import shapecalc
from shapecalc import Report, ShapeError
from shapecalc.spec.find import folder
from tests.support.torchvision_networks import IN_TORCHVISION, built, told

every_name = pytest.mark.parametrize("name", IN_TORCHVISION)

WITHOUT_HEADS = {"googlenet_torchvision": ("params", "macs"), "inception_v3": ("macs",)}
"""Where torchvision's figures leave out the auxiliary heads; elsewhere they count them."""

SMALLER_IS_FINE = {"efficientnet_v2_s", "efficientnet_v2_m", "efficientnet_v2_l"}
"""torchvision asks for 33 pixels, of which the network itself knows nothing: it takes any."""


def trunk(name: str, height: int, width: int) -> Report:
    model = shapecalc.load(name)
    if "aux" in model.parameters:
        return model.analyze(H=height, W=width, aux=False)
    return model.analyze(H=height, W=width)


NOT_WRITTEN = {
    "quantized_": "the same layers in integers",
    "(faster|mask|keypoint)rcnn|fcos|retinanet|ssd": "a number of boxes that depends on the pixels",
    "raft|swin|maxvit|mvit|s3d": "operations that have no kind yet",
    "deeplabv3_mobilenet": "a head that stands in dilated_resnet already",
}
"""What torchvision has and we have not, by how its names begin, and why."""


def test_all_of_torchvision_is_written_or_listed() -> None:
    others = {*torchvision.models.list_models()} - {*IN_TORCHVISION.values()}
    assert [name for name in sorted(others) if not re.match("|".join(NOT_WRITTEN), name)] == []
    assert all(any(re.match(pattern, name) for name in others) for pattern in NOT_WRITTEN)


@pytest.mark.sample(20)
@every_name
def test_torchvisions_own_figures(name: str) -> None:
    assert told(name)
    for said in told(name):
        found: dict[str, Report] = {"params": shapecalc.load(name).analyze(H=said.size, W=said.size)}
        found["macs"] = found["params"]
        found |= dict.fromkeys(WITHOUT_HEADS.get(name, ()), trunk(name, said.size, said.size))
        macs = found["macs"].macs
        assert isinstance(macs, int)
        assert found["params"].params == said.params, said.weights
        assert round(macs / 1e9, 3) == said.giga_macs, said.weights


@pytest.mark.sample(20)
@every_name
def test_the_smallest_input(name: str) -> None:
    for said in told(name):
        if said.min_size is None:
            continue
        height, width = said.min_size
        trunk(name, height, width)
        for smaller in [(height - 1, width), (height, width - 1)]:
            if min(smaller) == 0:
                continue
            if name in SMALLER_IS_FINE:
                assert trunk(name, *smaller).output == (1, 1000)
                assert built(name)(torch.zeros(1, 3, *smaller, device="meta")).shape == (1, 1000)
                continue
            with pytest.raises(ShapeError):
                trunk(name, *smaller)


SETTINGS: dict[type[nn.Module], tuple[str, ...]] = {
    nn.BatchNorm2d: ("eps", "momentum"),
    nn.LayerNorm: ("eps",),
    nn.Dropout: ("p",),
    StochasticDepth: ("p",),
}
"""What no shape depends on, but the network does, by the class of torch."""
KINDS = {
    nn.BatchNorm2d: "batch_norm2d",
    nn.LayerNorm: "layer_norm",
    nn.Dropout: "dropout",
    StochasticDepth: "stochastic_depth",
}


def used(module: nn.Module, cls: type[nn.Module]) -> list[nn.Module]:
    """Return the modules of a class, without the stochastic depth of a branch that is not added to anything."""
    unused = {
        id(one.stochastic_depth)
        for one in module.modules()
        if hasattr(one, "stochastic_depth") and not getattr(one, "use_res_connect", True)
    }
    return [one for one in module.modules() if isinstance(one, cls) and id(one) not in unused]


@pytest.mark.sample(15)
@every_name
def test_settings_that_no_shape_depends_on(name: str) -> None:
    report, module = shapecalc.load(name).analyze(), built(name)
    for cls, settings in SETTINGS.items():
        ours = [node.layer for node in report if node.kind == KINDS[cls]]
        for setting in settings:
            theirs = [float(getattr(one, setting)) for one in used(module, cls)]
            assert [float(getattr(layer, setting)) for layer in ours] == pytest.approx(theirs), (cls, setting)


LINE = re.compile(r"  (regnet_\w+): +# (\d+) blocks, w_0 = (\d+), w_a = ([\d.]+), w_m = ([\d.]+)")


def test_the_lines_from_which_regnets_widths_are_quantised() -> None:
    told_by_comments = LINE.findall((folder() / "regnet.yaml").read_text("utf-8"))
    assert [name for name, *_ in told_by_comments] == [*shapecalc.load("regnet").variants]
    for name, depth, w_0, w_a, w_m in told_by_comments:
        ours = shapecalc.load(name).parameters
        found = BlockParams.from_init_params(
            depth=int(depth), w_0=int(w_0), w_a=float(w_a), w_m=float(w_m), group_width=ours["group_width"]
        )
        assert (ours["widths"], ours["depths"]) == (found.widths, found.depths), name
