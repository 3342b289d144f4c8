"""Budgets: what a spec may write, where a broken one is told, and `validate_design`, which raises."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from textwrap import dedent

import jsonschema
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import shapecalc
from shapecalc import DesignError, Dim, Model, SpecError
from shapecalc.cli import main
from shapecalc.layers import Conv2d
from shapecalc.layers.base import AnyShape, NoWeights, NoWindow, SameShape
from shapecalc.spec.json_schema import schema

FAMILY = """\
name: family
parameters: {width: 8, H: 8, W: 8}
input: [3, H, W]
layers:
  - conv2d: {out_channels: width, kernel_size: 3}
budget: {params: 28*width, macs: 1K}
variants:
  big:
    parameters: {width: 16}
    budget:
      macs: 243*H*W
  plain:
    parameters: {width: 10}
"""


def written(budget: str) -> Model:
    text = f"input: [3, 8, 8]\nlayers: [{{conv2d: {{out_channels: 8, kernel_size: 3}}}}]\nbudget: {budget}\n"
    return shapecalc.loads(text, file="net.yaml")


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("7775", 7775),
        ("7776", None),
        ("7.775K", 7775),
        ("7.776k", None),
        ("0.007776M", None),
        ("7.775e3", 7775),
        ("'7000 + 775'", 7775),
        ("0", 0),
    ],
)
def test_an_amount_is_a_number_a_unit_or_arithmetic(text: str, most: int | None) -> None:
    """The network spends 7,776 MACs."""
    found = written(f"{{macs: {text}}}").check()
    assert [one.code for one in found] == ([] if most is None else ["budget"])
    if most is not None:
        assert found[0].message.startswith(
            f"7,776 MACs are more than the {most:,} allowed; most are in conv2d"
        )
        assert (found[0].severity, found[0].place.line, found[0].place.column) == ("error", 3, 10)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{macs: -1}", "macs: -1 is less than 0"),
        ("{macs: 5.5}", "macs: 5.5 is not an integer"),
        ("{macs: true}", "macs: true is not an integer"),
        ("{macs: [1]}", "macs: [1] is not an integer"),
        ("{macs: 5X}", "macs: '5X': a number runs into a name"),
        ("{macs: 2000000T}", "macs: a number is larger than 10^18"),
        ("{macs: 0 - 1}", "macs: -1 is less than 0"),
        ("{macs: 3 < 4}", "macs: '3 < 4' is not a number"),
        ("{macs: 1 // (1 - 1)}", "macs: in '1 // (1 - 1)': division by zero"),
        ("{flops: 5}", "unknown key 'flops'"),
        ("5M", "budget must be a mapping, not '5M'"),
    ],
)
def test_what_is_no_budget_is_refused_where_it_stands(text: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        written(text)
    assert caught.value.message.startswith(message)
    assert (caught.value.place.file, caught.value.place.line) == ("net.yaml", 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("wide", "in 'wide': unknown name 'wide'"),
        ("width - 9", "-1 is less than 0"),
        ("width < 9", "true is not an integer"),
        ("1 // (8 - width)", "in '1 // (8 - width)': division by zero"),
        ("size(conv2d, 1)", "in 'size(conv2d, 1)': size needs a tensor"),
    ],
)
def test_arithmetic_that_comes_to_no_amount_is_told_by_check(text: str, message: str) -> None:
    model = shapecalc.loads(FAMILY.replace("28*width", json.dumps(text)), file="family.yaml")
    with pytest.raises(SpecError) as caught:
        model.check()
    assert caught.value.message.startswith(
        ("budget: params: " + message, "budget: params: " + message.partition(": ")[2])
    )
    assert (caught.value.place.line, caught.value.place.column) == (6, 10)
    assert model.check(max_params=10**6)[0].message.startswith("7,776 MACs")  # what is given is not evaluated


def test_members_of_a_family_have_budgets_of_their_own() -> None:
    """A variant's amounts stand before the family's, one by one; both see the variant's parameters."""
    family = shapecalc.loads(FAMILY, file="family.yaml")
    assert [(one.code, one.place.line) for one in family.check()] == [("budget", 6)]
    big = family.variant("big")
    assert big.check() == []
    assert [one.place.line for one in big.check(width=17)] == [11]  # 27*17*6*6 MACs of 243*8*8
    plain = family.variant("plain")
    assert [one.place.line for one in plain.check()] == [6]
    assert plain.check(max_macs="9720") == []
    assert [one.message.split(";")[0] for one in plain.check(max_params=279, max_macs=10**9)] == [
        "280 parameters are more than the 279 allowed"
    ]


def test_a_given_input_settles_the_parameters_of_a_budget() -> None:
    big = shapecalc.loads(FAMILY).variant("big")
    assert big.check(input=(3, 100, 100)) != []  # 432*98*98 MACs of 243*100*100
    assert big.check(input=(3, 8, 8)) == []


def test_the_command_line_stands_before_the_spec(tmp_path: Path) -> None:
    file = tmp_path / "family.yaml"
    file.write_text(FAMILY)
    runner = CliRunner()
    result = runner.invoke(main, ["check", str(file)])
    assert result.exit_code == 1
    assert f"--> {file}:6:28" in result.output
    assert runner.invoke(main, ["check", str(file), "--max-macs", "8K"]).exit_code == 0
    assert runner.invoke(main, ["check", f"{file}:big"]).exit_code == 0
    assert runner.invoke(main, ["check", f"{file}:big", "--max-params", "400"]).exit_code == 1
    missing = runner.invoke(main, ["check", f"{file}:bug"])
    assert missing.exit_code == 2
    assert "family has no variant 'bug' (did you mean 'big'?)" in missing.output


def test_a_repaired_file_is_held_to_its_budget_too(tmp_path: Path) -> None:
    file = tmp_path / "family.yaml"
    file.write_text(FAMILY.replace("out_channels: width", "in_channels: 4, out_channels: width"))
    runner = CliRunner()
    result = runner.invoke(main, ["check", "--fix", str(file)])
    assert (result.exit_code, result.output.splitlines()[-1]) == (1, "1 repaired, 1 error left")
    result = runner.invoke(main, ["check", "--fix", str(file), "--max-macs", "8K"])
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "0 repaired, 0 errors left")


def test_a_budget_is_not_told_beside_an_error() -> None:
    """What a broken network costs is not known."""
    found = shapecalc.load("lenet5").check(input=(1, 8, 8), max_params=1)
    assert [one.code for one in found] == ["too-small"]


def test_where_something_cannot_be_counted_the_budget_says_so() -> None:
    class Odd(SameShape, AnyShape, NoWeights, NoWindow, shapecalc.Layer):
        """A layer that multiplies, nobody knows how often."""

        kind = "odd_one"

        def macs(self, x: tuple[Dim, ...]) -> Dim | None:
            return None

    model = Model(input=[3, 8, 8], layers=[Conv2d(out_channels=8, kernel_size=3), Odd()])
    (enough,) = model.check(max_macs="8K")
    assert (enough.code, enough.severity) == ("budget", "error")
    assert (
        enough.message
        == "at least 7,776 MACs of the 8,000 allowed: those of odd_one (odd_one) cannot be counted"
    )
    (too_many,) = model.check(max_macs="7K")
    assert too_many.severity == "error"
    assert too_many.message.startswith("at least 7,776 MACs are more than the 7,000 allowed")


AMOUNTS = st.one_of(
    st.none(),
    st.integers(0, 10**18),
    st.sampled_from(["5M", "2.5g", "7K", "0.1T", "width", "3*H*W", "H if W > 3 else 1", "width / 3"]),
)


@given(AMOUNTS, AMOUNTS, AMOUNTS)
def test_budgets_are_written_out_and_read_again(
    params: int | str | None, macs: int | str | None, own: int | str | None
) -> None:
    model = Model(
        parameters={"H": 8, "W": 8, "width": 4},
        input=[3, "H", "W"],
        layers=[Conv2d(out_channels="width", kernel_size=3)],
        budget={"params": params, "macs": macs},
        variants={"one": {"budget": {"params": own}}},
    )
    assert shapecalc.loads(model.to_yaml()) == model
    assert shapecalc.load(model.to_data()) == model
    member = model.variant("one")
    assert member.budget is not None
    assert member.budget.macs == model.budget.macs  # type: ignore[union-attr]
    assert shapecalc.loads(member.to_yaml()).budget == member.budget
    assert [one.code for one in model.check()] == [
        one.code for one in shapecalc.loads(model.to_yaml()).check()
    ]


def test_editors_know_what_a_budget_is() -> None:
    validator = jsonschema.Draft202012Validator(schema())
    validator.validate(shapecalc.loads(FAMILY).to_data())
    data = shapecalc.loads(FAMILY).to_data()
    for broken in ({"params": [1]}, {"params": -1}, {"flops": 1}, 5):
        assert not validator.is_valid(data | {"budget": broken})


@pytest.mark.parametrize("given_", [-1, 2.5, True, "many", "width", [5]])
def test_a_budget_that_is_given_is_an_amount(given_: object) -> None:
    with pytest.raises(SpecError, match=r"^max_params: "):
        shapecalc.load("lenet5").check(max_params=given_)  # type: ignore[arg-type]


# ---- validate_design


def test_a_design_that_holds_returns_what_is_worth_a_look() -> None:
    model = shapecalc.load("squeezenet1_0")
    found = model.validate_design()
    assert found == model.check()
    assert {one.severity for one in found} == {"warning"}
    with pytest.raises(DesignError) as caught:
        model.validate_design(strict=True)
    assert caught.value.diagnostics == tuple(found)


def test_a_design_that_does_not_hold_raises_all_that_is_wrong() -> None:
    model = shapecalc.loads(
        dedent("""\
        input: [3, 8, 8]
        layers:
          - conv2d: {in_channels: 4, out_channels: 8, kernel_size: 3}
          - conv2d: {in_channels: 9, out_channels: 8, kernel_size: 3}
        """),
        file="net.yaml",
    )
    with pytest.raises(DesignError) as caught:
        model.validate_design()
    error = caught.value
    assert [one.path for one in error.diagnostics] == ["conv2d", "conv2d_2"]
    assert (error.place.file, error.place.line, error.path) == ("net.yaml", 3, "conv2d")
    assert str(error).count("error[channels]") == 2
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # as when a worker of pytest raises it
    assert isinstance(error, shapecalc.ShapecalcError)


def test_a_budget_of_a_design_is_held() -> None:
    model = shapecalc.loads(FAMILY)
    with pytest.raises(DesignError, match=r"7,776 MACs are more than the 1,000 allowed"):
        model.validate_design()
    assert model.validate_design(max_macs="8K") == []
