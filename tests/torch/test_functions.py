"""What we know of torch's functions by name, held to what torch says: signatures, and which are pointwise."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import get_testing_overrides
from torch.utils._python_dispatch import TorchDispatchMode

from shapecalc.bridges.torch.proof.verify_layer import quiet
from shapecalc.bridges.torch.tracer.function_rules import RULES
from shapecalc.bridges.torch.tracer.plain_names import plain_name
from shapecalc.bridges.torch.tracer.signatures import arguments, overloads
from shapecalc.bridges.torch.twins.torch_names import REJECTIONS
from shapecalc.layers.by_name import FUNCTIONS, LIKE, MOVING, POINTWISE
from shapecalc.layers.index import KINDS

HOMES = (torch, Tensor, functional, torch.special, torch.linalg, torch.fft)
IS_2_14 = torch.__version__.startswith("2.14.")


def functions(name: str) -> list[Callable[..., Any]]:
    """Return what torch has under a name: a function, a method of tensors, a function of layers."""
    names = (name, name, name, *(name.removeprefix(f"{room}_") for room in ("special", "linalg", "fft")))
    return [one for home, key in zip(HOMES, names, strict=True) if callable(one := getattr(home, key, None))]


# ---- which functions are pointwise


class Operators(TorchDispatchMode):
    """Collects the operators that a function runs."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch has no types here
        self.operators: list[Any] = []

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.operators.append(function)
        return function(*args, **(kwargs or {}))


COPIES = {
    "_to_copy",
    "_conj",
    "_local_scalar_dense",
    "alias",
    "clone",
    "detach",
    "empty",
    "empty_like",
    "ones_like",
}
"""Operators without a tag that compute nothing of other elements, or make constants."""
FURTHER: tuple[tuple[Any, ...], ...] = ((), (2,), (0.5,), (0, 1))
"""What a function may take beside its tensors."""


def pointwise_calls(function: Callable[..., Any]) -> Iterator[bool]:
    """Yield for each way to call a function with tensors of one shape whether all that it runs is pointwise."""
    for count in (1, 2, 3):
        for further in FURTHER:
            for dtype in (torch.float32, torch.bool, torch.int64):
                tensors = [torch.ones((3, 5), dtype=dtype, device="meta") for _ in range(count)]
                if count > 1 and plain_name(function.__name__) in ("masked_fill", "where"):
                    tensors[1 if "fill" in function.__name__ else 0] = tensors[0].bool()
                mode = Operators()
                try:
                    with quiet(), mode:
                        result = function(*tensors, *further)
                except Exception:  # noqa: BLE001  (whatever torch raises where it is no way to call)
                    continue
                names = [operator.name().partition("::")[2].partition(".")[0] for operator in mode.operators]
                tags = [torch.Tag.pointwise in operator.tags for operator in mode.operators]
                is_pointwise = any(tags) and all(
                    tag or name in COPIES for tag, name in zip(tags, names, strict=True)
                )
                yield is_pointwise and isinstance(result, Tensor) and result.shape == (3, 5)


UNTAGGED = {
    "floor_divide": "its operator has no tag",
    "tril": "elements stay in their place or become 0",
    "triu": "elements stay in their place or become 0",
    "conj_physical": "it returns a real tensor as it is",
    "positive": "it returns its tensor",
}
"""Pointwise functions that torch's tags do not show, with the reason."""
SOMETIMES = {"isfinite", "pow", "rsub", "where", "xlogy"}
"""Functions that are constant for some dtypes or numbers, or return indices where they are given one tensor."""


@pytest.mark.parametrize("name", POINTWISE)
def test_what_we_have_for_pointwise_is_tagged_so(name: str) -> None:
    candidates = functions(name)
    assert candidates or not IS_2_14
    calls = [call for function in candidates for call in pointwise_calls(function)]
    if name in UNTAGGED:
        assert not all(calls)
    elif candidates:
        assert calls
        assert any(calls) if name in SOMETIMES else all(calls)


NOT_OF_ELEMENTS = {
    "chain_matmul": "of one matrix it is the matrix",
    "sym_sum": "a sum of numbers",
    "clone": "a copy",
}


@pytest.mark.skipif(not IS_2_14, reason="the names are those of torch 2.14")
def test_what_is_tagged_pointwise_is_known_by_name() -> None:
    """Each function of torch that runs pointwise operators alone is in the list, or a kind."""
    unknown = set()
    for function in get_testing_overrides():
        raw = getattr(function, "__name__", "")
        name = plain_name(raw)
        is_public = raw and (not raw.startswith("_") or raw.startswith("__")) and "backward" not in raw
        if is_public and name not in (*POINTWISE, *KINDS, *NOT_OF_ELEMENTS):
            calls = [*pointwise_calls(function)]
            if calls and all(calls):
                unknown.add(name)
    assert unknown == set()


@pytest.mark.parametrize("name", [*MOVING, *LIKE])
def test_functions_that_are_not_pointwise_keep_the_shape(name: str) -> None:
    further = {
        "renorm": (2, 0, 1.0),
        "roll": (1, 0),
        "full_like": (0,),
        "fill": (0,),
        "randint_like": (3,),
        "fill_diagonal": (0,),
        "geometric": (0.5,),
    }
    x = torch.zeros(3, 5)
    given = further.get(name, (0,) if "cum" in name else ((0,),) if name == "flip" else ())
    in_place = getattr(Tensor, f"{name}_", None) if name in LIKE or not functions(name) else None
    function = in_place or functions(name)[0]
    assert function(x, *given).shape == x.shape


def test_no_name_is_in_two_lists() -> None:
    assert len(FUNCTIONS) == len(POINTWISE) + len(MOVING) + len(LIKE)


# ---- what their arguments are called

X = torch.arange(24.0).reshape(2, 3, 4)
CALLS: dict[str, list[tuple[tuple[Any, ...], dict[str, Any]]]] = {
    "std": [((1, True), {}), ((True,), {}), ((1,), {"keepdim": True}), ((), {"axis": 1, "correction": 0})],
    "var": [((1, False, True), {}), (((0, 2), True, True), {}), ((), {})],
    "mean": [((1,), {}), (((1, 2), True), {}), ((), {"dim": -1}), ((), {})],
    "sum": [((1,), {}), (([0, 2], True), {}), ((), {})],
    "amax": [((1,), {}), (((1, 2), True), {}), ((), {})],
    "amin": [((), {"dim": (0, 1)})],
    "prod": [((1,), {}), ((1, True), {})],
    "any": [((1,), {}), ((-1, True), {})],
    "argmax": [((1, True), {}), ((), {})],
    "max": [((1, True), {}), ((), {"dim": 2})],
    "logsumexp": [(((1, 2), True), {})],
    "norm": [((2, 1, True), {}), ((), {"p": 1, "dim": (1, 2)})],
    "vector_norm": [((1, 2, True), {}), ((), {"ord": 2.0})],
    "permute": [((2, 0, 1), {}), (((2, 0, 1),), {}), ((), {"dims": (2, 0, 1)})],
    "view": [((6, -1), {}), (((6, 4),), {}), ((-1,), {}), ((torch.int32,), {})],
    "reshape": [((6, -1), {}), (((24,),), {})],
    "expand": [((2, -1, 4), {}), (((5, 2, 3, 4),), {})],
    "broadcast_to": [(((5, 2, 3, 4),), {})],
    "repeat": [((2, 1, 1), {})],
    "flip": [((0, 1), {}), (((0, 1),), {})],
    "squeeze": [((), {}), ((0,), {}), (((0, 1),), {})],
    "unsqueeze": [((0,), {}), ((), {"dim": -1})],
    "flatten": [((), {}), ((1,), {}), ((), {"end_dim": 1})],
    "unflatten": [((2, (2, 2)), {})],
    "transpose": [((0, 2), {})],
    "swapaxes": [((0, 2), {})],
    "movedim": [((0, 2), {}), (((0, 1), (1, 0)), {})],
    "narrow": [((1, 0, 2), {})],
    "select": [((1, 0), {})],
    "chunk": [((2,), {}), ((2, -1), {})],
    "split": [((2,), {}), (([1, 2],), {"dim": 1})],
    "unbind": [((), {}), ((1,), {})],
    "softmax": [((-1,), {})],
    "log_softmax": [((), {"dim": 1})],
    "rot90": [((), {}), ((1, (1, 2)), {})],
    "cumsum": [((1,), {})],
    "clamp": [((0, 3), {}), ((), {"max": 3})],
    "masked_fill": [((X > 3, 0.0), {})],
    "roll": [((1,), {}), (((1, 2), (0, 1)), {})],
    "leaky_relu": [((), {}), ((0.3,), {})],
    "elu": [((0.3,), {})],
    "gelu": [((), {}), ((), {"approximate": "tanh"})],
    "softplus": [((2, 10), {})],
    "hardtanh": [((-2.0, 2.0), {})],
    "threshold": [((1.0, 0.0), {})],
    "dropout": [((0.5, False), {})],
    "max_pool1d": [((2,), {}), ((2, 1, 1), {}), ((3,), {"stride": 1, "ceil_mode": True})],
    "avg_pool1d": [((2,), {}), ((2, 1, 1, True), {})],
    "lp_pool1d": [((2.0, 2), {}), ((2.0, 2, 1, True), {})],
    "adaptive_avg_pool1d": [((2,), {})],
    "interpolate": [((8,), {}), ((None, 2.0, "linear"), {})],
    "pad": [(((1, 1),), {}), (((1, 1), "reflect"), {})],
    "glu": [((), {}), ((2,), {})],
    "layer_norm": [(((4,),), {}), (((4,), torch.ones(4), None, 0.1), {})],
    "conv1d": [((torch.ones(2, 3, 2), None, 2, 1), {})],
    "linear": [((torch.ones(2, 4),), {})],
}
"""Calls of functions of a tensor, by position and by keyword, of every function that rules read arguments of."""


@pytest.mark.parametrize("name", CALLS)
def test_arguments_have_torchs_own_names(name: str) -> None:
    """A call is the same with every argument given by the name that we take it to have."""
    for function in functions(name):
        for args, kwargs in CALLS[name]:
            try:
                expected = function(X, *args, **kwargs)
            except REJECTIONS:
                continue  # a form that only the method or only the function has
            named = arguments(function, (X, *args), kwargs)
            assert named["input"] is X
            again = called_by_name(function, named)
            pairs = zip(results(again), results(expected), strict=True)
            assert all(torch.equal(one, other) for one, other in pairs), (function, args, kwargs)


def results(value: Any) -> tuple[Tensor, ...]:
    return value if isinstance(value, tuple) else (value,)


def called_by_name(function: Callable[..., Any], named: dict[str, Any]) -> Any:
    """Call a function with all that was not left out given by keyword, except its tensor."""
    given = {name: value for name, value in named.items() if name != "input" and value is not None}
    return function(X, **given)


def test_every_function_with_a_rule_has_a_signature() -> None:
    known = {name: functions(name) for name in RULES}
    methods = {"copy", "getitem", "setitem", "_weight_norm"}
    assert {name for name, found in known.items() if not found} <= methods
    for name, found in known.items():
        assert all(overloads(function) for function in found), name


def test_signatures_of_functions_in_python_are_pythons() -> None:
    for function in (functional.interpolate, functional.pad, torch.split):
        names = [parameter.name for parameter in overloads(function)[0]]
        expected = [*inspect.signature(function).parameters]
        assert names == ["input" if name == "tensor" else name for name in expected]
