"""Pictures keep what they promise: nothing overlaps, arrows end at their boxes, volumes are to scale."""

from __future__ import annotations

import re
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from itertools import combinations, pairwise
from math import atan2, degrees, hypot, isclose
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import shapecalc
from shapecalc.cli import main
from shapecalc.errors import NotInstalled, ShapecalcError, SpecError, Undecided
from shapecalc.layers.family import Group
from shapecalc.pictures.chart import ticks
from shapecalc.pictures.graph_svg import graph_svg, height, laid_out
from shapecalc.pictures.layout import Layout, Place
from shapecalc.pictures.picture_text import brief
from shapecalc.pictures.scene import Arrow, Scene, deepest, scene
from shapecalc.pictures.solids import Solid, arrange, rows
from shapecalc.pictures.svg import COLOURS
from shapecalc.pictures.volumes import rounded, volumes
from shapecalc.pictures.volumes_svg import volumes_svg
from shapecalc.report.report import Report
from shapecalc.spec.find import locate
from tests.support.networks import networks

SVG = "{http://www.w3.org/2000/svg}"


@cache
def known(name: str) -> Report:
    """Return the report of a bundled network."""
    return shapecalc.load(name).analyze()


BROKEN = {"tutorials/keras_inception_v4", "tutorials/torch_inception_v3"}
"""They hold the mistakes of their tutorials."""
NETWORKS = [name for name in shapecalc.names() if name not in BROKEN]
assert settings.default is not None
EXAMPLES = settings.default.max_examples
THOROUGH = EXAMPLES > 1000
"""Whether the variants of a family are looked at for every law, or one for most of them."""
FAMILIES = [*{locate(name)[0]: name for name in reversed(NETWORKS)}.values()][::-1]
EVERY_FAMILY = pytest.mark.parametrize("name", NETWORKS if THOROUGH else FAMILIES)
EVERY_NETWORK = pytest.mark.parametrize("name", NETWORKS)


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_what_does_not_hold_is_not_drawn(name: str) -> None:
    with pytest.raises(ShapecalcError):
        shapecalc.load(name).draw()


# ---- what is in the graph


def test_every_group_of_families_has_its_colours() -> None:
    assert COLOURS.keys() == {*Group, "input", "output", "part"}


@pytest.mark.parametrize(
    ("layer", "group"),
    [
        ("prelu", "pointwise"),
        ("layer_scale", "pointwise"),
        ("instance_norm2d", "norm"),
        ("batch_norm2d: {affine: false}", "norm"),
        ("zero_pad2d: {padding: 1}", "padding"),
        ("upsample: {scale_factor: 2}", "resample"),
        ("spectral_norm: {layer: {conv2d: {out_channels: 4, kernel_size: 3}}}", "convolution"),
    ],
)
def test_a_box_has_the_colour_of_what_its_layer_computes(layer: str, group: str) -> None:
    written = f"{{{layer}}}" if ":" in layer else layer
    model = shapecalc.loads(f"name: x\ninput: [4, 8, 8]\nlayers: [{written}]")
    assert [box.family for box in scene(model.analyze()).boxes] == ["input", group, "output"]


@pytest.mark.sample(20)
@EVERY_FAMILY
def test_unfolded_arrows_are_the_edges_of_the_network(name: str) -> None:
    """An independent oracle: who reads whom, straight from the slots of the graph."""
    report = known(name)
    drawn = scene(report, deepest(report, folds=False), folds=False)
    path_of = {box.number: box.node.path for box in drawn.boxes if box.node is not None}
    inputs = [*report.inputs]
    makers: dict[int, str] = dict(enumerate(inputs))
    edges = set()
    for node in report.graph.nodes:
        edges |= {(makers[slot], node.path) for slot in node.sources}
        makers |= dict.fromkeys(range(node.first_slot, node.first_slot + node.results), node.path)
    edges |= {(makers[slot], f"→ {output}") for output, slot in report.graph.outputs.items()}
    for box in drawn.boxes:
        if box.family in ("input", "output"):
            path_of[box.number] = box.name if box.family == "input" else f"→ {box.name}"
    assert {(path_of[one.tail], path_of[one.head]) for one in drawn.arrows} == edges


@pytest.mark.sample(20)
@EVERY_FAMILY
def test_boxes_hold_every_parameter_once_at_every_depth(name: str) -> None:
    report = known(name)
    for depth in range(1, min(deepest(report), 4) + 1):
        drawn = scene(report, depth, folds=False)
        params = [box.item.params for box in drawn.boxes if box.item is not None]
        assert sum(params) == report.params
        assert all(one.tail < one.head for one in drawn.arrows)
        reading = {one.head for one in drawn.arrows}
        lonely = [box for box in drawn.boxes if box.number not in reading and box.family != "input"]
        assert all(box.node is not None and not box.node.inputs for box in lonely)


def test_passes_that_are_alike_are_drawn_once() -> None:
    drawn = scene(known("vit_b_16"), 3)
    (frame,) = drawn.frames
    assert frame.item.times == 12
    inside = [box for box in drawn.boxes if box.frame == frame.number]
    assert [box.family for box in inside] == ["part", "merge", "part", "merge"]
    leaving = [one for one in drawn.arrows if one.tail in {b.number for b in inside}]
    arriving = [one for one in drawn.arrows if one.head in {b.number for b in inside}]
    first, *_, last = (box.number for box in inside)
    assert {(first - 1, first), (first - 1, first + 1)} <= {(one.tail, one.head) for one in arriving}
    assert Arrow(last, last + 1) in leaving


def test_a_merge_that_is_repeated_stands_in_a_frame() -> None:
    branches = {"main": [{"relu": {}}, {"linear": {"out_features": 4}}], "skip": []}
    spec = {"name": "x", "input": [4], "layers": [{"add": branches, "repeat": 3}, {"relu": {}}]}
    drawn = scene(shapecalc.load(spec).analyze())
    (frame,) = drawn.frames
    assert frame.item.times == 3
    assert [box.family for box in drawn.boxes if box.frame == frame.number] == ["pointwise", "dense", "merge"]
    assert [(one.tail, one.head) for one in drawn.arrows] == [(0, 1), (1, 2), (2, 3), (0, 3), (3, 4), (4, 5)]


def test_depth_that_nobody_chose_keeps_a_picture_readable() -> None:
    assert all(len(scene(known(name)).boxes) <= 40 for name in ("resnet50", "vgg16", "mobilenet_v2"))
    assert len(scene(known("resnet50"), most=10**6).boxes) > 40


# ---- where things are


def inside(inner: Place, outer: Place) -> bool:
    return (
        outer.x - 0.5 <= inner.x
        and outer.y - 0.5 <= inner.y
        and inner.x + inner.width <= outer.x + outer.width + 0.5
        and inner.y + inner.height <= outer.y + outer.height + 0.5
    )


def apart(one: Place, other: Place) -> bool:
    return (
        one.x + one.width <= other.x + 0.5
        or other.x + other.width <= one.x + 0.5
        or one.y + one.height <= other.y + 0.5
        or other.y + other.height <= one.y + 0.5
    )


def touches(point: tuple[float, float], place: Place, reach: float = 2.0) -> bool:
    """Say whether a point lies on the border of a box, or of a circle inside it."""
    x, y = point
    outer = Place(place.x - reach, place.y - reach, place.width + 2 * reach, place.height + 2 * reach)
    if not inside(Place(x, y, 0, 0), outer):
        return False
    gap = min(
        abs(x - place.x), abs(x - place.x - place.width), abs(y - place.y), abs(y - place.y - place.height)
    )
    return gap <= reach or place.width == place.height


def laws(drawn: Scene, found: Layout) -> None:
    canvas = Place(0, 0, found.width, found.height)
    assert all(inside(place, canvas) for place in found.boxes + found.frames)
    assert all(apart(one, other) for one, other in combinations(found.boxes, 2))
    for box, place in zip(drawn.boxes, found.boxes, strict=True):
        around = box.frame
        while around is not None:
            assert inside(place, found.frames[around])
            around = drawn.frames[around].parent
    for arrow, way in zip(drawn.arrows, found.paths, strict=True):
        assert len(way) % 3 == 1
        assert touches(way[0], found.boxes[arrow.tail])
        assert touches(way[-1], found.boxes[arrow.head])


@pytest.mark.sample(30)
@EVERY_NETWORK
def test_boxes_stand_apart_and_arrows_end_at_them(name: str) -> None:
    report = known(name)
    drawn = scene(report)
    laws(drawn, laid_out(drawn))


@pytest.mark.sample(4)
@EVERY_NETWORK
def test_other_directions_and_levels_keep_the_laws(name: str) -> None:
    report = known(name)
    across, levels = replace(scene(report), is_across=True), scene(report, 0)
    for drawn in (across, levels):
        places = laid_out(drawn)
        laws(drawn, places)
        for tail, head in drawn.arrows:
            (left, top), (right, bottom) = (places.boxes[number].centre for number in (tail, head))
            assert left < right if drawn.is_across else top < bottom
        root = ET.fromstring(graph_svg(drawn, places))
        assert isclose(float(root.attrib["height"]), height(places), abs_tol=0.01)
        assert float(root.attrib["width"]) >= places.width
        assert len([*root.iter(f"{SVG}g")]) == 2 + len(drawn.boxes)
    held = [node.path for box in levels.boxes if box.item is not None for node in box.item.nodes]
    assert sorted(held) == sorted(node.path for node in report.nodes if not node.layer.condition)
    assert len(levels.boxes) <= len(scene(report, 1).boxes)


def flat_unet(levels: int = 4, convolutions: int = 4) -> shapecalc.Model:
    """Return a U-Net without blocks, in which each convolution of the encoder is copied across."""
    layers: list[dict[str, object]] = []
    convolution = {"conv2d": {"out_channels": 8, "kernel_size": 3, "padding": 1}}
    for level in range(levels):
        layers += [{**convolution, "name": f"down{level}_{number}"} for number in range(convolutions)]
        if level < levels - 1:
            layers.append({"max_pool2d": {"kernel_size": 2}, "name": f"half{level}"})
    for level in reversed(range(levels - 1)):
        layers.append({"upsample": {"scale_factor": 2}, "name": f"twice{level}"})
        before = f"twice{level}"
        for number in reversed(range(convolutions)):
            layers.append(
                {"concat": None, "from": [before, f"down{level}_{number}"], "name": f"c{level}_{number}"}
            )
            before = f"up{level}_{number}"
            layers.append({**convolution, "name": before})
    return shapecalc.load({"name": "flat", "input": [8, 32, 32], "layers": layers})


def test_a_deep_u_net_is_folded_to_its_levels() -> None:
    """By default, and where its picture would be too tall; the copies lead from level to level."""
    model = flat_unet()
    drawn = scene(model.analyze())
    assert [box.output[-1] for box in drawn.boxes] == [32, 32, 16, 8, 4, 8, 16, 32, 32]
    assert set(drawn.arrows) == {Arrow(n, n + 1) for n in range(8)} | {(1, 7), (2, 6), (3, 5)}
    assert [box.item.kind for box in drawn.boxes if box.item] == [
        "conv2d ×4", "5 parts", "5 parts", "5 parts", "9 parts", "9 parts", "9 parts",
    ]  # fmt: skip
    drawings = (model.draw(), model.draw(max_height=700), model.draw(depth=1), model.draw(max_height=9000))
    tall = [float(ET.fromstring(drawing.svg()).attrib["height"]) for drawing in drawings]
    assert tall[0] == tall[1] < 700
    assert 2000 < tall[2] == tall[3] < 9000


def test_the_laws_of_places_can_fail() -> None:
    drawn = scene(known("lenet5"))
    found = laid_out(drawn)
    found.boxes[1] = found.boxes[2]
    with pytest.raises(AssertionError):
        laws(drawn, found)
    found = laid_out(drawn)
    found.paths[0][-1] = (0.0, 0.0)
    with pytest.raises(AssertionError):
        laws(drawn, found)


# ---- volumes


def measure(solid: Solid, style: str, pixel: float, channel: float, feature: float) -> None:
    """Hold a solid to the shape that it stands for."""
    volume = solid.volume
    broad, high = solid.front
    if volume.is_vector:
        assert isclose(high, volume.channels * feature)
        return
    assert isclose(high, volume.height * pixel)
    if style == "planes":
        assert isclose(broad, volume.width * pixel)
        assert solid.planes == volume.channels
        assert isclose(hypot(*solid.depth), channel * (volume.channels - 1))
        assert isclose(3 * solid.depth[0], 4 * solid.depth[1])  # to the right and down
        return
    assert isclose(broad, volume.channels * channel)
    if style == "solids":
        right, down = solid.depth
        assert isclose(hypot(right, down), 0.5 * volume.width * pixel, rel_tol=1e-3)
        assert isclose(degrees(atan2(-down, right)), 30, rel_tol=1e-3)


@pytest.mark.sample(30)
@EVERY_NETWORK
def test_volumes_are_to_scale(name: str) -> None:
    found = volumes(known(name))
    stand = arrange(found)
    assert len(stand.solids) == len(found.volumes) > 0
    for solid in stand.solids:
        measure(solid, stand.style, stand.scale.pixel, stand.scale.channel, stand.scale.feature)
    root = ET.fromstring(volumes_svg(found))
    assert f"{stand.scale.channel:g}" in "".join(root.itertext())


@pytest.mark.sample(20)
@EVERY_FAMILY
def test_volumes_are_shapes_of_the_network(name: str) -> None:
    report = known(name)
    shapes = {node.output for node in report} | {*report.inputs.values()}
    for one in volumes(report).volumes:
        assert one.box.output in shapes
        numbers = sorted(one.box.output[1:] if one.sides or len(one.box.output) > 1 else one.box.output)
        assert sorted([one.channels, *one.sides]) == numbers


def test_the_papers_figures() -> None:
    sizes = {
        name: [one.size for one in volumes(known(name)).volumes] for name in ("lenet5", "alexnet", "vgg16")
    }
    assert sizes["lenet5"][:5] == [(1, 32, 32), (6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5)]
    assert sizes["lenet5"][5:] == [(120, 0, 0), (84, 0, 0), (10, 0, 0)]
    assert [one for one in sizes["alexnet"] if one[1]][-1] == (256, 6, 6)
    assert sizes["vgg16"].count((64, 224, 224)) == 2
    assert sizes["vgg16"].count((512, 28, 28)) == 3
    assert [arrange(volumes(known(name))).style for name in sizes] == ["planes", "solids", "solids"]


def test_the_u_of_u_net() -> None:
    """Figure 1 of the paper: four copies across, five rows, the concatenations half copied."""
    found = volumes(known("unet"))
    drawn = found.volumes
    assert [(drawn[a].size, drawn[b].size) for a, b in found.copies] == [
        ((64, 568, 568), (128, 392, 392)),
        ((128, 280, 280), (256, 200, 200)),
        ((256, 136, 136), (512, 104, 104)),
        ((512, 64, 64), (1024, 56, 56)),
    ]
    assert [drawn[b].copied / drawn[b].channels for _, b in found.copies] == [0.5] * 4
    levels = rows(drawn)
    assert max(levels) == 4
    assert all(levels[a] == levels[b] for a, b in found.copies)
    assert {abs(one - other) for one, other in pairwise(levels)} == {0, 1}
    stand = arrange(found)
    assert stand.style == "u"
    assert all(
        isclose(
            stand.solids[a].y + stand.solids[a].front[1] / 2, stand.solids[b].y + stand.solids[b].front[1] / 2
        )
        for a, b in found.copies
    )


@pytest.mark.parametrize("name", ["resnet50", "googlenet", "efficientnet_b0", "densenet121", "fcn_resnet50"])
def test_short_branches_are_no_u(name: str) -> None:
    assert volumes(known(name)).copies == []


def test_long_runs_stand_for_themselves_once() -> None:
    times = [one.times for one in volumes(known("resnet152")).volumes]
    assert [one for one in times if one > 1] == [8, 36]


@given(st.floats(1e-6, 1e9))
def test_round_numbers_are_below_and_not_far(value: float) -> None:
    assert rounded(value) <= value * (1 + 1e-5) < 2 * rounded(value)


# ---- words


@given(st.integers(0, 10**18))
def test_brief_numbers_are_right_to_three_digits(value: int) -> None:
    text, _, prefix = brief(value).partition(" ")
    back = float(text.replace(",", "")) * 1000 ** " KMGTP".index(prefix or " ")
    assert abs(back - value) <= 0.00501 * value
    assert "e" not in text


@given(st.floats(1e-3, 1e18))
def test_ticks_reach_the_highest_in_equal_steps(highest: float) -> None:
    found = ticks(highest)
    steps = [b - a for a, b in pairwise(found)]
    assert found[0] == 0
    assert found[-1] >= highest > found[-2]
    assert all(isclose(step, steps[0], rel_tol=1e-6) for step in steps)
    assert 2 <= len(found) <= 6


def hostile() -> shapecalc.Model:
    title = '</title><script>alert("1")</script> & \x00\x1b[31m \\N %% "; #quot; ]]> \u202e'
    return shapecalc.load(
        {
            "name": "x",
            "title": title,
            "parameters": {"H": 8, "W": 8},
            "input": [1, "H", "W"],
            "layers": [{"conv2d": {"out_channels": 2, "kernel_size": 3}, "name": "end"}, "relu"],
        }
    )


def test_hostile_words_stay_words() -> None:
    model = hostile()
    for picture in (model.draw(), model.draw(style="volumes"), model.plot(), model.plot(against="size")):
        text = picture.svg()
        root = ET.fromstring(text)
        assert root.tag == f"{SVG}svg"
        assert not [*root.iter(f"{SVG}script")]
        assert text.isprintable() or set(filter(lambda one: not one.isprintable(), text)) == {"\n"}
    pygraphviz = pytest.importorskip("pygraphviz")
    read = pygraphviz.AGraph(string=model.draw().dot())
    assert [*read.nodes()] == ["b0", "b1", "b2", "b3"]
    assert "<script>" in read.graph_attr["label"]
    written = model.draw().mermaid()
    assert "<script" not in written.replace("accTitle: ", "").partition("\n")[2].partition("accDescr")[2]
    assert [line.count('"') for line in written.splitlines() if line.startswith("  b")][:4] == [2, 2, 2, 2]


@settings(max_examples=max(EXAMPLES // 4, 5))
@given(networks())
def test_general_networks_are_drawn(spec: shapecalc.Model) -> None:
    try:
        report = spec.analyze()
    except ShapecalcError:
        return
    drawn = scene(report)
    laws(drawn, laid_out(drawn))
    ET.fromstring(graph_svg(drawn))
    for other in (replace(drawn, is_across=True), scene(report, 0)):
        laws(other, laid_out(other))
    with suppress(SpecError):  # of vectors alone
        ET.fromstring(volumes_svg(volumes(report)))


# ---- the texts


@pytest.mark.parametrize("name", ["lenet5", "resnet50", "unet", "googlenet", "vit_b_16"])
def test_graphviz_reads_what_is_written_for_it(name: str) -> None:
    pygraphviz = pytest.importorskip("pygraphviz")
    drawn = scene(known(name))
    read = pygraphviz.AGraph(string=shapecalc.load(name).draw().dot())
    assert len(read.nodes()) == len(drawn.boxes)
    assert {(int(a[1:]), int(b[1:])) for a, b in read.edges()} == {
        (one.tail, one.head) for one in drawn.arrows
    }


def test_pictures_in_text(golden: Callable[[str, str], None]) -> None:
    model = shapecalc.load("lenet5")
    golden("pictures/lenet5.mmd", model.draw().mermaid())
    golden("pictures/lenet5.dot", model.draw().dot())
    golden("pictures/lenet5.svg", model.draw().svg())
    golden("pictures/lenet5_volumes.svg", model.draw(style="volumes").svg())
    golden("pictures/lenet5_plot.svg", model.plot().svg())
    golden("pictures/vit_b_16.mmd", shapecalc.load("vit_b_16").draw(depth=3).mermaid())


@pytest.mark.parametrize("style", ["graph", "volumes"])
def test_svg_is_small_and_tells_itself(style: str) -> None:
    text = shapecalc.load("resnet50").draw(style=style, depth=2).svg()
    root = ET.fromstring(text)
    assert len(text) < 20_000
    assert root.attrib["role"] == "img"
    ids = {one.attrib["id"] for one in root.iter() if "id" in one.attrib}
    assert {*root.attrib["aria-labelledby"].split()} <= ids
    assert root[0].tag == f"{SVG}title"
    assert "ResNet-50" in (root[0].text or "")
    assert root[1].tag == f"{SVG}desc"
    assert "prefers-color-scheme:dark" in text
    assert not re.search(r"@font-face|href|<script|data:", text)
    rules = (root.find(f"{SVG}style") or root[2]).text or ""
    selectors = re.findall(r"^([^@}\n][^{\n]*)\{", rules, flags=re.MULTILINE)
    assert selectors
    assert all(one.startswith(f"#{root.attrib['id']} ") for one in selectors)


def test_a_png_has_the_size_that_was_asked_for() -> None:
    drawing = shapecalc.load("lenet5").draw(style="volumes")
    root = ET.fromstring(drawing.svg())
    for scale in (1, 2.5):
        data = drawing.png(scale)
        assert data.startswith(b"\x89PNG")
        width, height = struct.unpack(">II", data[16:24])
        assert abs(width - scale * float(root.attrib["width"])) <= 1
        assert abs(height - scale * float(root.attrib["height"])) <= 1


PAGE = (Path(__file__).parents[2] / "docs" / "pictures.md").read_text(encoding="utf-8")
SHOWN = "".join(
    page.read_text(encoding="utf-8") for page in (Path(__file__).parents[2] / "docs").rglob("*.md")
)
WRITTEN = re.findall(r"^shapecalc ((?:draw|plot) .*) -o docs/pictures/(.*)$", PAGE, flags=re.MULTILINE)


@pytest.mark.parametrize(("arguments", "name"), WRITTEN)
def test_pictures_of_the_page_are_what_the_commands_write(
    arguments: str, name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """To the letter; of a graph only what it says, for another release of Graphviz may place it otherwise."""
    kept = Path(__file__).parents[2] / "docs" / "pictures" / name
    made = kept if request.config.getoption("--update-golden") else tmp_path / name
    result = CliRunner().invoke(main, [*arguments.split(), "-o", str(made)])
    assert (result.exit_code, result.output) == (0, "")
    if "draw" in arguments and "volumes" not in arguments:
        told, stood = ([*ET.parse(one).getroot().itertext()] for one in (made, kept))
        assert told == stood
    else:
        assert made.read_bytes() == kept.read_bytes()
    assert f"pictures/{name})" in SHOWN


def test_every_picture_of_the_page_is_written_by_a_command() -> None:
    folder = Path(__file__).parents[2] / "docs" / "pictures"
    assert {one.name for one in folder.iterdir()} == {name for _, name in WRITTEN}


# ---- plots


@pytest.mark.sample(20)
@EVERY_FAMILY
def test_bars_add_up_to_the_totals(name: str) -> None:
    report = known(name)
    chart = shapecalc.load(name).plot().chart
    params, macs, elements = (sum(bar.amount for bar in panel.bars) for panel in chart.panels)
    assert (params, macs, elements * 4) == (report.params, report.macs, sum(node.bytes for node in report))
    assert chart.bands[-1][1] == len(report.nodes)


def test_curves_end_at_the_totals() -> None:
    names = ("resnet50", "densenet121", "lenet5")
    first, *others = map(shapecalc.load, names)
    params, macs, _ = first.plot(*others).chart.panels
    for name, weights, work in zip(names, params.lines, macs.lines, strict=True):
        for line, total in ((weights, known(name).params), (work, known(name).macs)):
            at, amount = line.stretches[-1][-1]
            assert isclose(at, 100)
            assert amount == total


@pytest.mark.parametrize(
    ("name", "between"), [("unet", (180, 240)), ("resnet50", (30, 70)), ("alexnet", (58, 80))]
)
def test_costs_against_the_size_are_those_of_each_size(name: str, between: tuple[int, int]) -> None:
    model = shapecalc.load(name)
    sizes = model.sizes()
    chart = model.plot(against="size", between=between).chart
    first, last = between
    refused = {n for start, end in chart.refused[0] for n in range(int(start), int(end) + 1)}
    assert refused == {n for n in range(first, last + 1) if (n, n) not in sizes}
    for panel, cost in zip(chart.panels, ("macs",), strict=True):
        points = dict(point for stretch in panel.lines[0].stretches for point in stretch)
        assert set(points) == {*range(first, last + 1)} - refused
        for n in [*points][:: max(len(points) // 5, 1)]:
            assert points[n] == getattr(model.analyze(H=int(n), W=int(n)), cost)


def test_a_network_that_only_fits_when_built_anew() -> None:
    chart = shapecalc.load("lenet5").plot(against="size", between=(30, 40)).chart
    assert chart.refused[0] == [(30, 31), (36, 40)]
    anew = shapecalc.load("lenet5").plot(against="size", between=(30, 40), rebuild=True).chart
    assert anew.refused[0] == []


# ---- what cannot be drawn


def test_what_cannot_be_drawn_is_said(tmp_path: Path) -> None:
    model = shapecalc.load("lenet5")
    with pytest.raises(SpecError, match=r"unknown style 'volume' .did you mean 'volumes'"):
        model.draw(style="volume")
    for wrong, says in (
        ({"depth": -1}, "depth is an integer from 0, not -1"),
        ({"max_height": 0}, "max_height is an integer from 1, not 0"),
        ({"depth": 1, "max_height": 500}, "max_height chooses the depth: give one of the two"),
        ({"direction": "left"}, "unknown direction 'left'"),
        ({"style": "volumes", "depth": 0}, "a depth of 0, .* are for graphs, not for volumes"),
        ({"style": "volumes", "direction": "down"}, "the direction down and max_height are for graphs"),
    ):
        with pytest.raises(SpecError, match=says):
            model.draw(**wrong)
    with pytest.raises(SpecError, match=r"the picture is at least 4\d\d units tall, more than 300"):
        model.draw(max_height=300).svg()
    with pytest.raises(SpecError, match="max_height is for SVG and PNG: Mermaid does not say"):
        model.draw(max_height=300).mermaid()
    with pytest.raises(SpecError, match="cannot be written as 'pdf'"):
        model.draw().save(tmp_path / "x.pdf")
    with pytest.raises(SpecError, match="volumes cannot be written as dot, only a graph can"):
        model.draw(style="volumes").save(tmp_path / "x.dot")
    with pytest.raises(SpecError, match="cannot be written: No such file"):
        model.draw(style="volumes").save(tmp_path / "none" / "x.svg")
    with pytest.raises(Undecided, match="drawn to scale, and the sizes of input depend on H"):
        model.draw(style="volumes", symbolic="H").svg()
    with pytest.raises(Undecided, match="a plot has numbers"):
        shapecalc.load("resnet20_cifar").plot(symbolic="H")
    with pytest.raises(SpecError, match="against depth or size, not 'height'"):
        model.plot(against="height")
    with pytest.raises(SpecError, match="3,000 sizes are too many"):
        model.plot(against="size", between=(1, 3000))
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (
            "input: [10]\nlayers: [{linear: {out_features: 20}}, relu, {linear: {out_features: 5}}]",
            "are vectors",
        ),
        ("input: [3, 8, 8]\nlayers: [relu, batch_norm2d]", "none of its parts changes the map"),
    ],
)
def test_a_network_without_volumes_is_no_empty_picture(spec: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(f"name: net\n{spec}", encoding="utf-8")
    done = CliRunner().invoke(
        main, ["draw", str(file), "--style", "volumes", "-o", str(tmp_path / "net.svg")]
    )
    assert done.exit_code == 2
    assert "error: net has no volumes to draw: " in done.output
    assert says in done.output
    assert "draw its graph" in done.output
    assert not (tmp_path / "net.svg").exists()


def test_the_commands_options_place_and_fold(tmp_path: Path) -> None:
    file = tmp_path / "net.svg"
    options = ["--direction", "right", "--max-height", "300", "-o", str(file)]
    assert CliRunner().invoke(main, ["draw", "resnet50", *options]).exit_code == 0
    root = ET.parse(file).getroot()
    assert float(root.attrib["height"]) <= 300 < float(root.attrib["width"])
    printed = CliRunner().invoke(main, ["draw", "unet", "--direction", "right", "--depth", "0"]).output
    assert printed.startswith("flowchart LR\n")
    model = shapecalc.load("lenet5")
    assert model.draw(direction="down").dot() == model.draw().dot()
    pygraphviz = pytest.importorskip("pygraphviz")
    read = pygraphviz.AGraph(string=model.draw(direction="right").dot())
    assert read.graph_attr["rankdir"] == "LR"


def test_too_many_boxes_are_refused_and_many_are_not() -> None:
    def chain(layers: int) -> shapecalc.Model:
        return shapecalc.load({"name": "long", "input": [4], "layers": [{"relu": {}}] * layers})

    with pytest.raises(SpecError, match="2,002 boxes are more than can be laid out, 2,000"):
        chain(2000).draw(depth=1).svg()
    assert chain(2000).draw(depth=1).dot().count(" -> ") == 2001
    drawn = scene(chain(300).analyze(), 1)
    laws(drawn, laid_out(drawn))
    assert 'b1["relu … relu_300 relu ×300<br/>4"]' in chain(300).draw().mermaid()


def test_a_graph_of_formulas() -> None:
    text = shapecalc.load("resnet50").draw(depth=1, symbolic=True).mermaid()
    assert "2048×⌈H/32⌉×⌈W/32⌉" in text


@pytest.mark.parametrize(("module", "arguments"), [("pygraphviz", "-o x.svg"), ("resvg_py", "-o x.png")])
def test_a_missing_library_is_named(
    module: str, arguments: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, module, None)
    result = CliRunner().invoke(main, ["draw", "lenet5", *arguments.split()])
    assert result.exit_code == 2
    assert f"needs {module}: python -m pip install {module.replace('_', '-')} (" in result.output
    assert not [*tmp_path.iterdir()]
    with pytest.raises(NotInstalled):
        shapecalc.load("lenet5").draw().png()


@pytest.mark.parametrize(
    ("arguments", "starts"),
    [
        ("draw lenet5 -o x.svg", b"<svg"),
        ("draw lenet5 -o x.PNG", b"\x89PNG"),
        ("draw lenet5 -o x.mmd", b"flowchart TD"),
        ("draw lenet5 -o x.dot", b"digraph"),
        ("draw lenet5 -o x.txt --format mmd", b"flowchart TD"),
        ("draw lenet5 --style volumes -o x.svg", b"<svg"),
        ("plot lenet5 resnet18 -o x.svg", b"<svg"),
        ("plot lenet5 -o x.png", b"\x89PNG"),
    ],
)
def test_the_command_writes_files(
    arguments: str, starts: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, arguments.split())
    assert (result.exit_code, result.output) == (0, "")
    (file,) = tmp_path.iterdir()
    assert file.read_bytes().startswith(starts)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("draw lenet5 -o x.jpg", "a picture cannot be written as 'jpg'"),
        ("draw lenet5 -o x", "a picture cannot be written as ''"),
        ("draw lenet5 --format png", "a PNG is not printed"),
        ("plot lenet5 --from 3", "--from, --to and --rebuild go with --against size"),
        ("plot lenet5 --against size --from 3", "--from and --to go together"),
        ("plot lenet5 --against size --from 9 --to 3", "from a smaller to a larger one"),
        ("plot lenet5 -o x.mmd", "cannot be written as 'mmd'"),
    ],
)
def test_the_command_refuses(
    arguments: str, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, arguments.split())
    assert result.exit_code == 2
    assert message in result.output
