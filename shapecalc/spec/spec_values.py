"""Values of a spec that no kind declares: parameters, arguments, input sizes, names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from keyword import iskeyword
from typing import Any

from pydantic_core import PydanticCustomError

from shapecalc.algebra.formula import Formula
from shapecalc.errors import FormulaError, SpecError, quote
from shapecalc.layers.fields import Integer, complaint, exact, inside
from shapecalc.spec.reference import Reference

MOST_AXES = 64
"""More axes than torch has."""
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_BINARY = {f"{letter}IB": 2 ** (10 * power) for power, letter in enumerate("KMGT", 1)}
_AMOUNT = re.compile(r"(\d{1,18}(?:\.\d{1,9})?)([KMGT]?)", re.IGNORECASE | re.ASCII)
_BYTES = re.compile(r"(\d{1,18}(?:\.\d{1,9})?)\s*([KMGT]?B?|[KMGT]iB)", re.IGNORECASE | re.ASCII)
_STEP_NAME = re.compile(r"([A-Za-z_]\w*|\d+(_\d+)?)(\.\w+)*", re.ASCII)
_LONGEST_NAME = 200


def amount(text: str) -> int:
    """Return a number written with a unit, rounded down to an integer.

    >>> amount("5M"), amount("2.5G"), amount("12")
    (5000000, 2500000000, 12)
    """
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise SpecError(f"{quote(text)} is not a number: write 5000000, 5M or 2.5G")
    return int(Fraction(match[1]) * _UNITS[match[2].upper()])


def size_in_bytes(text: str) -> int:
    """Return a number of bytes written with a unit, rounded down to an integer.

    >>> size_in_bytes("24GiB"), size_in_bytes("1.5 MB"), size_in_bytes("640K")
    (25769803776, 1500000, 640000)
    """
    match = _BYTES.fullmatch(text.strip())
    if match is None:
        raise SpecError(f"{quote(text)} is not a number of bytes: write 25769803776, 24GiB or 24GB")
    unit = match[2].upper()
    return int(Fraction(match[1]) * (_BINARY[unit] if unit in _BINARY else _UNITS[unit.removesuffix("B")]))


class Amount(Integer):
    """How many of something: an integer, a text with a unit, or arithmetic over the parameters."""

    def __init__(self) -> None:
        super().__init__(0)

    def check(self, value: Any) -> Any:
        """Return an integer, a formula, or None where there is nothing."""
        if value is None:
            return None
        if isinstance(value, str) and _AMOUNT.fullmatch(value.strip()):
            value = amount(value)
        elif isinstance(value, float):
            value = exact(value)
        if isinstance(value, Fraction) and value.denominator == 1:
            value = value.numerator  # 6e8 is as good as 600M
        return super().check(value)

    def json_schema(self) -> dict[str, Any]:
        """Return what an editor needs to know."""
        return {
            "anyOf": [
                {"type": "number", "minimum": 0},
                {"type": "string", "description": "a number with K, M, G or T, or an expression"},
            ]
        }


class Bytes(Amount):
    """How many bytes: as other amounts, or a text with a binary unit, as 8GiB."""

    def check(self, value: Any) -> Any:
        if isinstance(value, str) and _BYTES.fullmatch(value.strip()):
            value = size_in_bytes(value)
        return super().check(value)


def codes(value: Any) -> tuple[str, ...]:
    """Return the codes of diagnostics under `ignore`: a list of them, or a single code.

    >>> codes("silent-loss"), codes(["silent-loss", "bias-before-norm"])
    (('silent-loss',), ('silent-loss', 'bias-before-norm'))
    """
    listed = (value,) if isinstance(value, str) else value
    if isinstance(listed, (list, tuple)) and all(isinstance(code, str) for code in listed):
        return tuple(listed)
    raise complaint(f"{quote(value)} is neither the code of a diagnostic nor a list of codes")


def untyped(value: Any) -> Any:
    """Return a value of no declared type: text becomes a formula, decimals become exact.

    A bare word stays a word unless it names something where it is evaluated.
    """
    if isinstance(value, str):
        try:
            return Formula.parse(value)
        except FormulaError as error:
            raise complaint(error.message, fact=error.fact) from None
    if isinstance(value, (list, tuple)):
        return [inside(index, untyped, item) for index, item in enumerate(value)]
    if isinstance(value, float):
        return exact(value)
    if value is None or isinstance(value, (bool, int, Fraction, Formula)):
        return Integer().check(value) if isinstance(value, int) and not isinstance(value, bool) else value
    raise complaint(f"{quote(value)} is not a number, a word, or a list of those")


def operand(value: Any) -> Any:
    """Return an untyped value that may also be the path of a step, or a list of such.

    >>> operand("encoder[-1].features"), operand("2*width"), operand(["c3.out", "c4"])
    (Reference('encoder[-1].features'), Formula('2*width'), [Reference('c3.out'), Formula('c4')])
    """
    if isinstance(value, Reference):
        return value
    if isinstance(value, (list, tuple)):
        return [inside(index, operand, item) for index, item in enumerate(value)]
    try:
        return untyped(value)
    except PydanticCustomError:
        if not isinstance(value, str) or not is_reference(value):
            raise
        return Reference.parse(value)


def is_reference(text: str) -> bool:
    """Say whether a text can be the path of something inside a step.

    >>> is_reference("stage.0.conv"), is_reference("layers[:].skip"), is_reference("2 + x")
    (True, True, False)
    """
    try:
        reference = Reference.parse(text)
    except FormulaError:
        return False
    words = [part for part in reference.parts if isinstance(part, str)]
    return len(reference.parts) > 1 and all(part.replace("_", "a").isalnum() for part in words)


def references(names: Iterable[str]) -> None:
    """Refuse what is not the path of a step."""
    for name in names:
        try:
            Reference.parse(name)
        except FormulaError as error:
            raise complaint(error.message, fact=error.fact) from None


def output_names(value: Any) -> Any:
    """Return the names of outputs with the steps that they are; of a list, the paths make the names.

    >>> output_names(["head.boxes", "levels[:].classes"])
    {'head_boxes': 'head.boxes', 'levels_classes': 'levels[:].classes'}
    """
    names = value
    if isinstance(value, (list, tuple)):
        names = {re.sub(r"\[[^\]]*\]", "", str(name)).replace(".", "_"): name for name in value}
        if len(names) < len(value):
            raise complaint("two outputs have the same name: write a mapping of names to steps")
    if not (isinstance(names, Mapping) and names and all(isinstance(name, str) for name in names.values())):
        raise complaint(f"{quote(value)} is neither a list of steps nor a mapping of names to steps")
    references(names.values())
    return names


def names_of(value: Any) -> tuple[str, ...]:
    """Return names that are written as a list of them, or as a single one."""
    listed = (value,) if isinstance(value, str) else value
    if not isinstance(listed, (list, tuple)):
        raise complaint(f"{quote(value)} is not a list of names")
    for name in listed:
        identifier(name, "what a block uses")
    return tuple(listed)


def input_shape(name: Any, shape: Any) -> tuple[Any, ...]:
    """Return the declared shape of an input, its sizes numbers or formulas."""
    identifier(name, "an input")
    if not isinstance(shape, (list, tuple)):
        raise complaint(f"{quote(shape)} is not a list of sizes, as [3, 224, 224] is")
    if len(shape) >= MOST_AXES:
        raise complaint(f"{len(shape):,} sizes and the batch are more than the {MOST_AXES} axes of a tensor")
    return tuple(inside(index, Integer(1).check, size) for index, size in enumerate(shape))


def values_of(values: Any, what: str = "", read: Callable[[Any], Any] = untyped) -> dict[str, Any]:
    """Return a mapping with its values read, by default untyped; `what` says what its keys name."""
    if not isinstance(values, Mapping):
        raise complaint(f"{quote(values)} is not a mapping")
    for name in values if what else ():
        inside(name, identifier, name, what)
    return {name: inside(name, read, value) for name, value in values.items()}


def identifier(name: Any, what: str) -> None:
    """Refuse a name that expressions and references could not use."""
    if not (isinstance(name, str) and name.isidentifier() and name.isascii() and len(name) <= 80):
        raise complaint(f"{quote(name)} cannot name {what}: letters, digits and underscores only")
    if iskeyword(name) or name in ("true", "false", "null"):
        raise complaint(f"{quote(name)} cannot name {what}: the word has a meaning in expressions")


def is_step_name(name: str) -> bool:
    """Say whether a step may have a name: a word, or the dotted path of a torch module, `layer1.0.conv1`.

    >>> is_step_name("conv1"), is_step_name("layer1.0.conv1"), is_step_name("0"), is_step_name("a.")
    (True, True, True, False)
    """
    return len(name) <= _LONGEST_NAME and _STEP_NAME.fullmatch(name) is not None
