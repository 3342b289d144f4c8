"""What follows from the roles of fields: sizes that are inferred, divisors, letters."""

from __future__ import annotations

import pytest
from hypothesis import given

from shapecalc import loads
from shapecalc.layers.base import Kind
from shapecalc.layers.registry import get, kinds
from shapecalc.layers.roles import Declares, Divides, Inferred, WindowField, fields_with, inferred, roles
from shapecalc.report.comparison import compare
from shapecalc.testing import applied, check_inferred
from tests.layers.test_laws import layer_of
from tests.support.strategies import Case, case, cases


def may_be_left_out(cls: type[Kind]) -> bool:
    """Say whether a kind infers a field, or takes it from another field."""
    follows = [role for role in fields_with(cls, WindowField).values() if role.same_as]
    return bool(follows or fields_with(cls, Inferred))


@pytest.mark.parametrize("kind", [kind for kind in kinds() if may_be_left_out(get(kind))])
def test_a_size_that_is_inferred_may_be_written(kind: str) -> None:
    """The layer stays what it is, and `diff` finds nothing."""

    @given(cases(kind))
    def check(drawn: Case) -> None:
        layer = layer_of(drawn)
        if layer is not None:
            check_inferred(layer, drawn.inputs)

    check()


def test_the_layer_inside_another_is_compared_like_any_other() -> None:
    left, right = (
        loads(
            f"{{input: [20], layers: [weight_norm: {{layer: {{linear: {{out_features: 4{more}}}}}}}]}}"
        ).analyze()
        for more in ("", ", in_features: 20")
    )
    assert compare(left, right).is_equal


def test_the_law_of_inferred_sizes_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    example = layer_of(case("lstm", (5, 2, 3), hidden_size=4))
    assert example is not None
    check_inferred(example, ((5, 2, 3),))
    monkeypatch.setattr("shapecalc.report.align.inferred", lambda layer, inputs: {})
    with pytest.raises(AssertionError, match=r"input_size none \| 3"):
        check_inferred(example, ((5, 2, 3),))


@pytest.mark.parametrize("kind", [kind for kind in kinds() if fields_with(get(kind), Inferred)])
def test_another_size_than_the_inferred_one_is_refused(kind: str) -> None:
    """Unless nothing is as long: norms without weights and statistics compare nothing, as in torch."""

    @given(cases(kind))
    def check(drawn: Case) -> None:
        layer = layer_of(drawn)
        effect = None if layer is None else applied(layer, drawn.inputs)
        if layer is None or effect is None or not (effect.weights or effect.buffers):
            return
        for name in fields_with(drawn.cls, Inferred):
            wrong = inferred(layer, drawn.inputs)[name] + 1
            other = layer_of(Case(drawn.cls, {**layer.fields_set(), name: wrong}, drawn.inputs))
            assert other is None or applied(other, drawn.inputs) is None, f"{other!r} accepts {drawn.inputs}"

    check()


@pytest.mark.parametrize("kind", kinds())
def test_roles_name_fields_that_there_are(kind: str) -> None:
    cls = get(kind)
    for role in roles(cls).values():
        named = role.of if isinstance(role, Divides) else ()
        named += (role.same_as,) if isinstance(role, WindowField) and role.same_as else ()
        assert {*named} <= {*cls.model_fields}
        assert not isinstance(role, Declares) or role.counted


def test_a_divisor_names_what_it_does_not_divide() -> None:
    for drawn, said in [
        (case("conv2d", (1, 4, 9, 9), out_channels=6, kernel_size=3, groups=3), "in_channels = 4"),
        (case("conv2d", (1, 3, 9, 9), out_channels=4, kernel_size=3, groups=3), "out_channels = 4"),
        (case("channel_shuffle", (1, 4, 9), groups=3), "channels = 4"),
        (case("group_norm", (1, 4, 9), num_groups=3), "num_channels = 4"),
        (case("multihead_attention", (5, 1, 64), num_heads=3), "embed_dim = 64"),
    ]:
        layer = layer_of(drawn)
        assert layer is not None
        with pytest.raises(Exception, match=f"does not divide {said} .remainder 1.$"):
            layer.apply(drawn.inputs)
