"""The arguments of a call by name, from the signatures that torch itself has.

A function that torch writes in Python has Python's signature. One of C++ has an operator schema for each
overload, by which torch reads a call: `x.std(1, True)` is `std.dim(dim, unbiased, keepdim)`. Names with
neither, as `Tensor.__getitem__`, are in the table that torch keeps for testing overrides.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from types import FunctionType
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.overrides import get_testing_overrides

from shapecalc.record import record

_REQUIRED = inspect.Parameter.empty
_SPREAD = inspect.Parameter.VAR_POSITIONAL
_SYNONYMS = {
    "A": "input",
    "axis": "dim",
    "keepdims": "keepdim",
    "self": "input",
    "x": "input",
    "x1": "input",
    "x2": "other",
}
"""Other words that torch takes for arguments: NumPy's, and its own for the first tensor."""
_CHECKS: dict[str, tuple[type, ...]] = {
    "Tensor": (Tensor,),
    "bool": (bool,),
    "int": (int, type, torch.dtype, torch.layout, torch.memory_format),
    "number": (int, float, complex),
    "float": (int, float),
    "str": (str,),
}
"""The values that each type of a schema takes; enumerations of torch are integers, a dtype may be `int`."""


@record
class Parameter:
    """A parameter of a function: its type in the schema, none in Python, and its default."""

    name: str
    default: Any = _REQUIRED
    type: str = ""
    is_keyword: bool = False
    is_spread: bool = False
    """Whether it takes all positional arguments from here on, as `size` does in `x.view(2, -1)`."""
    stretches: bool = False
    """Whether a list may be a single number."""

    def accepts(self, value: Any) -> bool:
        """Return whether the parameter takes a value."""
        name = self.type.removeprefix("Optional[")
        if not name or (value is None and name != self.type):
            return True
        name = name if name == self.type else name[:-1]
        if name.startswith("List["):
            item = int if name == "List[int]" else object
            if isinstance(value, (tuple, list)):
                return all(isinstance(element, item) for element in value)
            return self.stretches and isinstance(value, item)
        if isinstance(value, bool):
            return name in ("bool", "number")
        return isinstance(value, _CHECKS.get(name, object))


Overload: TypeAlias = "tuple[Parameter, ...]"


def arguments(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the arguments of a call of one of torch's functions by name, defaults included.

    The first tensor is `input` where torch calls it `self`, and an empty list that is a default is None.
    Where no signature is known, the first argument is `input` and the keywords have their own names.

    >>> x = torch.zeros(2, 3, 4)
    >>> std = arguments(torch.Tensor.std, (x, 1, True), {})
    >>> std["dim"], std["unbiased"], std["keepdim"]
    (1, True, False)
    >>> arguments(torch.Tensor.permute, (x, 2, 0, 1), {})["dims"]
    (2, 0, 1)
    """
    for overload in overloads(function):
        bound = _bind(overload, args, kwargs)
        if bound is not None:
            return bound
    return {"input": args[0], **kwargs} if args else dict(kwargs)


@cache
def overloads(function: Callable[..., Any]) -> tuple[Overload, ...]:
    """Return the signatures of a function of torch; none where torch has none."""
    function = inspect.unwrap(function)
    if isinstance(function, FunctionType):
        signature = inspect.signature(function)
        spread = (_SPREAD, inspect.Parameter.VAR_KEYWORD)  # what dispatches to several functions
        if any(parameter.kind not in spread for parameter in signature.parameters.values()):
            return (_of_python(signature),)
    name = getattr(function, "__name__", "")
    if not name.startswith("__") and not isinstance(function, FunctionType):
        schemas = torch._C._jit_get_schemas_for_operator(f"aten::{name}")  # noqa: SLF001  (the only access)
        signatures = [_of_schema(schema.arguments) for schema in schemas if _is_of_tensors(schema)]
        if signatures:
            return tuple(signatures)
    written = get_testing_overrides().get(function)
    return () if written is None else (_of_python(inspect.signature(written)),)


def _bind(overload: Overload, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the arguments by name; None where the call does not have this signature."""
    bound: dict[str, Any] = {}
    names = {parameter.name: parameter for parameter in overload}
    positional = iter(parameter for parameter in overload if not parameter.is_keyword)
    for number, value in enumerate(args):
        parameter = next(positional, None)
        if parameter is None:
            return None
        if parameter.is_spread and (not parameter.type or not isinstance(value, (tuple, list))):
            value = args[number:]  # noqa: PLW2901
        if not parameter.accepts(value):
            return None
        bound[parameter.name] = value
        if value is not args[number]:
            break
    for key, value in kwargs.items():
        name = key if key in names else _SYNONYMS.get(key, "")
        if name not in names or name in bound or not names[name].accepts(value):
            return None
        bound[name] = value
    for parameter in overload:
        if bound.setdefault(parameter.name, parameter.default) is _REQUIRED:
            return None
    return bound


def _of_python(signature: inspect.Signature) -> Overload:
    return tuple(
        Parameter(
            _input(parameter.name, number),
            () if parameter.kind is _SPREAD else parameter.default,
            is_keyword=parameter.kind is inspect.Parameter.KEYWORD_ONLY,
            is_spread=parameter.kind is _SPREAD,
        )
        for number, parameter in enumerate(signature.parameters.values())
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    )


def _of_schema(schema: Any) -> Overload:
    positional = [argument for argument in schema if not argument.kwarg_only]
    return tuple(
        Parameter(
            _input(argument.name, number),
            _default(argument.default_value) if argument.has_default_value() else _REQUIRED,
            str(argument.type),
            is_keyword=argument.kwarg_only,
            is_spread=argument is positional[-1]
            and len(positional) <= 2
            and str(argument.type) == "List[int]",
            stretches=argument.N is not None,
        )
        for number, argument in enumerate(schema)
    )


def _is_of_tensors(schema: Any) -> bool:
    """Whether a schema is of a function of tensors that returns its result; the others are of TorchScript."""
    types = [str(argument.type) for argument in (*schema.arguments, *schema.returns)]
    return ("Tensor" in types or "List[Tensor]" in types) and not any(
        argument.is_out for argument in schema.arguments
    )


def _input(name: str, number: int) -> str:
    is_first = name in ("A", "mat_a", "tensor", "theta", "x1") and not number
    return "input" if name == "self" or is_first else name


def _default(value: Any) -> Any:
    return None if value == [] else value
