"""An `if` of a forward that does nothing but pad, crop or resize one variable, as its bytecode shows.

Whichever way it goes, Python's state is the same but for the tensor of that variable. So it takes no part in
what the forward decides later, but by sizes.
"""

from __future__ import annotations

import builtins
import dis
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import CodeType, FrameType
from typing import Any

from torch import Tensor

from shapecalc.bridges.torch.tracer.source_lines import current_place, frame_above
from shapecalc.bridges.torch.tracer.traced_number import Guard
from shapecalc.errors import Place
from shapecalc.record import record

_TRUE = {"==": "equal", "!=": "unequal", "<": "less", "<=": "at_most", ">": "more", ">=": "at_least"}
"""The relation of a guard where a comparison was true."""
_IGNORED = ("CACHE", "EXTENDED_ARG", "NOP", "PRECALL", "TO_BOOL")
_PLAIN = (
    *("LOAD_CONST", "LOAD_FAST", "LOAD_GLOBAL", "LOAD_ATTR", "LOAD_METHOD", "STORE_FAST"),
    *("CALL", "CALL_KW", "KW_NAMES", "BINARY_OP", "BINARY_SUBSCR", "BINARY_SLICE", "UNARY_NEGATIVE"),
    *("BUILD_SLICE", "BUILD_TUPLE", "BUILD_LIST", "LIST_EXTEND"),
)
"""Instructions that change nothing but the stack and local variables."""
_ATTRIBUTES = ("shape", "size", "contiguous")
_BUILTINS = ("int", "len", "min", "max")


@record
class Site:
    """The body of an `if`: its code, its first and last offset, its lines, and the variable that it sets."""

    code: CodeType
    start: int
    end: int
    lines: tuple[int, int]
    variable: str


@record
class BranchTest:
    """A comparison in the test of a site; `tensor` is the step that made the variable's tensor before it."""

    site: Site
    tensor: str
    is_true: bool


class BranchTests:
    """The guards that are comparisons in the tests of sites, and where each guard was recorded."""

    def __init__(self) -> None:
        self.places: dict[Guard, Place] = {}
        self.by_step: dict[str, BranchTest] = {}
        """The comparison that a condition of the model is, by its step."""
        self._by_guard: dict[Guard, BranchTest] = {}

    def note(self, guard: Guard, tensors: Mapping[int, tuple[Tensor, str]], *, is_new: bool) -> None:
        """Note a guard that is recorded now; one that decides in several places is of no site."""
        if not is_new:
            self._by_guard.pop(guard, None)
            return
        self.places[guard] = current_place()
        frame = frame_above(1)
        while frame.f_back is not None and str(frame.f_globals.get("__name__")).startswith("shapecalc."):
            frame = frame.f_back
        if (test := _test(guard, frame, tensors)) is not None:
            self._by_guard[guard] = test

    def bind(self, guard: Guard, steps: Sequence[str]) -> None:
        """Note the steps that a guard became."""
        if len(steps) == 1 and guard in self._by_guard:
            self.by_step[steps[0]] = self._by_guard[guard]


def _test(guard: Guard, frame: FrameType, tensors: Mapping[int, tuple[Tensor, str]]) -> BranchTest | None:
    read = _site(frame.f_code, frame.f_lasti)
    if read is None or not _calls_torch(read[0], frame):
        return None
    site, operator = read
    tensor = frame.f_locals.get(site.variable)
    if not isinstance(tensor, Tensor) or id(tensor) not in tensors:
        return None
    return BranchTest(site, tensors[id(tensor)][1], guard[1] == _TRUE[operator])


@lru_cache(maxsize=512)
def _instructions(code: CodeType) -> list[dis.Instruction]:
    return [each for each in dis.get_instructions(code) if each.opname not in _IGNORED]


@lru_cache(maxsize=1024)
def _site(code: CodeType, offset: int) -> tuple[Site, str] | None:
    """Return the site that an instruction is a test of, and the comparison that it is."""
    all_of = _instructions(code)
    at = next((number for number, each in enumerate(all_of) if each.offset == offset), len(all_of))
    if at >= len(all_of) - 1:
        return None
    operator = "!="
    if all_of[at].opname == "COMPARE_OP":
        operator = str(all_of[at].argval)
        of_constant = all_of[at - 1].opname == "LOAD_CONST" and type(all_of[at - 1].argval) is int
        if operator not in _TRUE or not (of_constant or operator == "!="):  # tuples may differ in many ways
            return None
        at += 1
    body = _body(all_of, at)
    if not body or not all(each.opname in _PLAIN for each in body):
        return None
    stored = [each.argval for each in body if each.opname == "STORE_FAST"]
    inside = {each.offset for each in body}
    used = {each.argval for each in all_of if each.offset not in inside and each.opname.startswith("LOAD_")}
    if body[-1].opname != "STORE_FAST" or any(name in used for name in stored if name != stored[-1]):
        return None
    for statement in _statements(body):
        first = next((each.argval for each in statement if each.opname == "LOAD_FAST"), None)
        is_call = statement[-2].opname in ("CALL", "CALL_KW", "BINARY_SUBSCR", "BINARY_SLICE")
        if statement[-1].argval == stored[-1] and (first != stored[-1] or not is_call):
            return None
    lines = [each.positions.lineno for each in body if each.positions and each.positions.lineno]
    if not lines:
        return None
    return Site(code, body[0].offset, body[-1].offset, (min(lines), max(lines)), stored[-1]), operator


def _body(all_of: Sequence[dis.Instruction], at: int) -> list[dis.Instruction]:
    """Return what runs where a test is true that ends with a jump; nothing where there is more to it."""
    jump = all_of[at]
    start = at + 1
    if jump.opname.endswith("IF_TRUE"):  # `or`
        start = next((n for n, each in enumerate(all_of) if each.offset >= jump.argval), 0)
        jumps = [each for each in all_of[at : start - 1] if "JUMP" in each.opname]
        if start <= at or any(
            not each.opname.endswith("IF_TRUE") or each.argval != jump.argval for each in jumps
        ):
            return []
        jump = all_of[start - 1]
    if "JUMP" not in jump.opname or not jump.opname.endswith("IF_FALSE"):
        return []
    if jump.argval > jump.offset:
        return [each for each in all_of[start:] if each.offset < jump.argval]
    ends = (n for n, each in enumerate(all_of) if n > start and each.opname == "JUMP_BACKWARD")
    end = next((n for n in ends if all_of[n].argval == jump.argval), start)
    return [*all_of[start:end]]


def _statements(body: Sequence[dis.Instruction]) -> Iterator[Sequence[dis.Instruction]]:
    start = 0
    for number, each in enumerate(body, 1):
        if each.opname == "STORE_FAST":
            yield body[start:number]
            start = number


def _calls_torch(site: Site, frame: FrameType) -> bool:
    """Return whether a body calls nothing but functions of torch and of numbers, and methods of tensors."""
    value: Any = None
    before = ""
    for each in _instructions(site.code):
        if not site.start <= each.offset <= site.end:
            continue
        is_plain = False
        if each.opname == "LOAD_GLOBAL":
            value = frame.f_globals.get(each.argval, getattr(builtins, each.argval, None))
            is_plain, before = each.argval in _BUILTINS, "global"
        elif each.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            is_of_tensor = each.argval in _ATTRIBUTES and isinstance(frame.f_locals.get(before), Tensor)
            if before != "global" and not is_of_tensor:
                return False
            value = None if is_of_tensor else getattr(value, each.argval, None)
        else:
            value, before = None, each.argval if each.opname == "LOAD_FAST" else ""
        if callable(value) and not is_plain and not _is_of_torch(value):
            return False
    return True


def _is_of_torch(function: Any) -> bool:
    home = getattr(function, "__module__", None) or getattr(function, "__self__", None)
    return str(getattr(home, "__name__", home)).partition(".")[0] == "torch"
