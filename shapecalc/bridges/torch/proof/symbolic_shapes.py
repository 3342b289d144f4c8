"""torch's own symbolic shapes: a module run on tensors without memory whose sizes are left free.

torch gives each free size a *hint* and decides by it wherever its code asks; what it decided is a guard.
The answer is that of all sizes for which the guards hold, be it shapes or a refusal.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

import sympy
import torch
from torch import SymInt
from torch._dispatch.python import enable_python_dispatcher
from torch._dynamo.source import ConstantSource
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensorMode,
    UnsupportedOperatorException,
)
from torch.fx.experimental.symbolic_shapes import DimDynamic, GuardOnDataDependentSymNode, ShapeEnv
from torch.utils._sympy.numbers import int_oo
from torch.utils._sympy.value_ranges import ValueRanges

from shapecalc.algebra import Dim, ceildiv, decide, symbol
from shapecalc.algebra.rational import FUNCTIONS, divide
from shapecalc.algebra.relation import Relation
from shapecalc.algebra.sympy_bridge import from_sympy
from shapecalc.bridges.torch.proof.cells import Condition, Every, Some, negation
from shapecalc.bridges.torch.twins.torch_names import REJECTIONS
from shapecalc.errors import FormulaError, Undecided
from shapecalc.layers.base import Shapes

_NO_ANSWER = (
    DataDependentOutputException,
    DynamicOutputShapeException,
    GuardOnDataDependentSymNode,
    UnsupportedOperatorException,
)
"""Errors that say that torch has no symbolic answer, not that it refuses the layer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What torch says of all sizes that satisfy its guards."""

    guards: tuple[Condition, ...]
    outputs: Shapes | None = None
    """The shapes of the results, or None when torch refuses."""
    refusal: str = ""


def answer(
    build: Callable[[], Callable[..., Any]],
    shapes: Shapes,
    hints: Mapping[str, int],
    dtypes: Sequence[torch.dtype] = (torch.float32,),
    *,
    fused: bool = False,
) -> Answer:
    """Return torch's answer for inputs with these shapes, in which letters are free sizes.

    `build` makes the module, whose weights then take no memory either; the last of `dtypes` is that of all
    inputs that follow. With `fused` torch may answer for the fused kernels that it runs on the CPU.
    Raises `Undecided` when torch has no symbolic answer, or one that is not integer arithmetic.
    """
    env = ShapeEnv(specialize_zero_one=False, duck_shape=False)
    with _traced(env, fused=fused):
        free = {name: _size(env, name, hint) for name, hint in hints.items()}
        kinds = chain(dtypes, repeat(dtypes[-1]))
        inputs = [
            torch.empty([_torch_size(dim, free) for dim in shape], dtype=kind)
            for shape, kind in zip(shapes, kinds, strict=False)
        ]
        letters = {str(size.node.expr): symbol(name) for name, size in free.items()}
        before = len(env.guards)
        refusal, result = "", None
        try:
            result = build()(*inputs)
        except _NO_ANSWER as error:
            raise Undecided(f"torch has no symbolic answer: {type(error).__name__}") from None
        except REJECTIONS as error:
            refusal = f"{type(error).__name__}: {error}"
    try:
        outputs = None if refusal else read(result, letters)
        guards = tuple(condition(guard.expr, letters) for guard in env.guards[before:])
    except FormulaError as error:
        raise Undecided(f"torch's symbolic answer cannot be read: {error.message}") from None
    return Answer(guards, outputs, refusal)


def read(result: Any, letters: Mapping[str, Dim]) -> Shapes:
    """Return the shapes of results in our letters."""
    tensors = result if isinstance(result, (tuple, list)) else (result,)
    return tuple(tuple(_read(dim, letters) for dim in tensor.shape) for tensor in tensors)


def _read(dim: int | SymInt, letters: Mapping[str, Dim]) -> Dim:
    return size(dim.node.expr if isinstance(dim, SymInt) else int(dim), letters)


def _size(env: ShapeEnv, name: str, hint: int) -> Any:
    source = ConstantSource(name)
    made = env.create_symbol(hint, source, dynamic_dim=DimDynamic.DYNAMIC)
    env.var_to_range[made] = ValueRanges(1, int_oo)
    return env.create_symintnode(made, hint=hint, source=source)


def _torch_size(dim: Dim, free: Mapping[str, Any]) -> Any:
    if isinstance(dim, int):
        return dim
    name = str(dim)
    if name not in free:
        raise Undecided(f"{dim} is no size of an input but something computed from sizes")
    return free[name]


class _Mode(FakeTensorMode):
    """The world of one run: a copy of a tensor in it, as stacks make of their layer, stays in it."""

    def __deepcopy__(self, memo: dict[int, object]) -> _Mode:
        return self


@contextmanager
def _traced(env: ShapeEnv, *, fused: bool) -> Iterator[None]:
    """Run in a world where tensors have no memory and sizes are symbols, and torch warns of nothing."""
    log = logging.getLogger("torch._subclasses.fake_tensor")
    level = log.level
    mode = _Mode(shape_env=env)
    mode.cache_enabled = False  # a remembered shape would come without its guards
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        stack.enter_context(mode)
        stack.enter_context(torch.backends.mkldnn.flags(enabled=fused))  # elsewhere asked for by size, for
        stack.enter_context(torch.backends.nnpack.flags(enabled=False))  # speed alone
        stack.enter_context(torch.no_grad())
        stack.enter_context(enable_python_dispatcher())  # what is composed of other calls stays symbolic
        log.setLevel(logging.CRITICAL + 1)
        try:
            yield
        finally:
            log.setLevel(level)


# ---- sizes and guards of torch, which are sympy's expressions, in our canonical form


def size(expression: Any, names: Mapping[str, Dim]) -> Dim:
    """Return one of torch's sizes; `names` says which of ours its symbols are.

    Raises `Undecided` for what is not integer arithmetic, and names it.
    """
    if isinstance(expression, int):
        return expression
    return from_sympy(expression, names=names, functions=FUNCTIONS_OF_TORCH)


def condition(guard: Any, names: Mapping[str, Dim]) -> Condition:
    """Return one of torch's guards as a condition on sizes; raise `Undecided` for what is none."""
    if isinstance(guard, sympy.And):
        return Every(tuple(condition(part, names) for part in guard.args))
    if isinstance(guard, sympy.Or):
        return Some(tuple(condition(part, names) for part in guard.args))
    if isinstance(guard, sympy.Not):
        return negation(condition(guard.args[0], names))
    if isinstance(guard, sympy.logic.boolalg.BooleanAtom):
        return Relation(int(bool(guard)), "==", 1)
    relation = RELATIONS.get(type(guard).__name__)
    if relation is None:
        raise Undecided(f"{guard} is not a relation of sizes: it is a {type(guard).__name__}")
    left, right = guard.args
    return Relation(size(left, names), relation, size(right, names))


RELATIONS = {
    "Equality": "==",
    "Unequality": "!=",
    "StrictLessThan": "<",
    "LessThan": "<=",
    "StrictGreaterThan": ">",
    "GreaterThan": ">=",
}


def _quotient(base: Dim, divisor: Dim) -> Dim:
    """Return ⌊base/divisor⌋; with a divisor d in letters ⌊(q·d + d - 1)/d⌋, which `arange` gives, is q."""
    if not isinstance(divisor, int) and decide(divisor, ">=", 1):
        multiple = base - divisor + 1
        if (quotient := multiple // divisor) * divisor == multiple:
            return quotient
    return base // divisor


def _truncated(value: Any) -> Any:
    floor = FUNCTIONS["floor"](value)
    if decide(floor, ">=", 0):
        return floor
    raise Undecided(f"{value} is rounded towards zero, and may be negative")


FUNCTIONS_OF_TORCH: dict[str, Callable[..., Any]] = {
    "FloorDiv": _quotient,
    "CleanDiv": lambda base, divisor: base // divisor,
    "CeilDiv": ceildiv,
    "PythonMod": lambda base, divisor: base % divisor,
    "ModularIndexing": lambda base, divisor, modulus: base // divisor % modulus,
    "PowByNatural": lambda base, exponent: base**exponent,
    "Identity": lambda value: value,
    "ToFloat": lambda value: value,
    "IntTrueDiv": divide,
    "FloatTrueDiv": divide,
    "FloorToInt": FUNCTIONS["floor"],
    "CeilToInt": FUNCTIONS["ceil"],
    "TruncToInt": _truncated,
}
"""The functions of torch.utils._sympy.functions that are integer arithmetic, by the name of the class."""
