"""A report by path: the layers, the groups that the table prints, and the error for a path that leads nowhere."""

from __future__ import annotations

import json

import pytest

import shapecalc
from shapecalc import SpecError
from shapecalc.render.piece import plain
from shapecalc.report.comparison import compare
from shapecalc.report.node import Node
from shapecalc.report.outline import Item, lines, outline
from shapecalc.report.report import Report
from shapecalc.views.layer_table import layer_table

REPORT = shapecalc.load("resnet50").analyze()


@pytest.mark.parametrize("name", ["resnet50", "googlenet", "vit_b_16", "unet"])
def test_every_group_is_the_sum_of_its_layers(name: str) -> None:
    report = shapecalc.load(name).analyze()
    for group in report.groups:
        if group.start == group.end:
            continue
        item = report[group.path]
        if isinstance(item, Node):  # a merge: the group of its branches has the same path
            assert item.path == group.path
            continue
        inside = report.inside(group.path)
        assert [*item] == inside
        assert item.path == group.path
        assert item.params == sum(node.params for node in inside) >= sum(one.params for one in item.children)
        assert item.macs == sum(node.macs or 0 for node in inside)
        assert item.output == inside[-1].output


def test_a_group_is_what_the_table_prints() -> None:
    table = layer_table(REPORT, 1)
    rows = {plain(row.cells[0]): [*map(plain, row.cells)] for row in table.rows}
    stem = REPORT["stem"]
    assert isinstance(stem, Item)
    assert (stem.params, stem.macs, stem.output) == (9_536, 118_013_952, (1, 64, 112, 112))
    assert {"64x112x112", "9,536", f"{stem.macs:,}"} <= {*rows["stem"]}
    assert [child.path for child in stem.children] == ["stem.conv2d", "stem.batch_norm2d"]
    assert stem.weights["conv2d.weight"] == (64, 3, 7, 7)
    assert json.loads(json.dumps(stem.to_dict()))["children"][0]["path"] == "stem.conv2d"
    assert "Holds" in stem._repr_html_()


def test_a_group_that_the_table_folds_into_its_only_item_has_its_path() -> None:
    shown = {item.path for item in lines(outline(REPORT))}
    hidden = [group.path for group in REPORT.groups if group.path not in shown and group.start < group.end]
    assert hidden
    assert all(REPORT[path].params >= 0 for path in hidden)


def test_an_unknown_path_suggests_the_nearest() -> None:
    assert isinstance(REPORT["stem.conv2d"], Node)
    with pytest.raises(KeyError):
        REPORT["nope"]
    with pytest.raises(
        SpecError, match=r"resnet50 has no layer or block 'stage5' \(did you mean 'stage\d'\?\)"
    ):
        REPORT["stage5"]
    with pytest.raises(SpecError, match="'stem' is a group of 2 layers, not one layer"):
        REPORT.layer("stem")


@pytest.mark.parametrize("entry", [REPORT, REPORT.layer("stem.conv2d")])
def test_the_former_name_of_a_flag_warns_and_works(entry: Report | Node) -> None:
    with pytest.warns(DeprecationWarning, match="`fields` is called `receptive_fields` now") as warned:
        data = entry.to_dict(fields=True)
    assert warned[0].filename == __file__
    assert data == entry.to_dict(receptive_fields=True) != entry.to_dict()


def test_an_item_inside_a_free_repeat_counts_one_pass_of_it() -> None:
    conv = "conv2d: {out_channels: 4, kernel_size: 3, padding: 1}"
    steps = f"[{{{conv}}}, batch_norm2d]"
    model = shapecalc.loads(
        f"parameters: {{n: 3}}\ninput: [4, 8, 8]\nlayers: [{{repeat: n, sequential: {steps}}}]"
    )
    (row,) = [item for item in lines(outline(model.analyze(symbolic="n"))) if item.kind == "batch_norm2d"]
    assert (row.params, row.trainable_params, row.buffer_count) == (8, 8, 9)


def test_no_total_depends_on_how_a_network_is_written() -> None:
    """Memory of results is of single layers: its sum was 1.5 MiB for an encoder as one kind, else 360 MiB."""
    report = shapecalc.load("lenet5").analyze()
    assert not hasattr(report, "bytes")
    assert "bytes" not in report.to_dict()
    assert all("bytes" in node for node in report.to_dict()["nodes"])
    assert [
        name for name, _, _ in compare(report, shapecalc.load("lenet_300_100")).totals if name == "bytes"
    ] == []
