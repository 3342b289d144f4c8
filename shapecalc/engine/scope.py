"""What a step can see: variables, named tensors, and the tensor that arrives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from shapecalc.algebra import Dim, Expr
from shapecalc.algebra.formula import Formula, unknown_name
from shapecalc.algebra.rational import Value, listed
from shapecalc.errors import FormulaError, ShapecalcError, SpecError, Undecided, UnknownStep, nearest, quote
from shapecalc.layers import registry
from shapecalc.spec.tree import Step


class UnknownSize(ShapecalcError):
    """A size is asked of a tensor whose own layer has failed already: not a failure of its own."""


@dataclass(slots=True)
class Binding:
    """What a name stands for once its step has run: its results, its nodes, and what is inside."""

    slots: tuple[int, ...]
    inner: dict[str, Binding] = field(default_factory=dict)
    step: Step | None = None
    frame: Scope | None = None
    start: int = 0
    end: int = 0
    is_pass: bool = False
    """Whether this is one pass of the step, which repeats."""
    passes: Expr | None = None
    """How many passes of the step there are, where that is left free."""

    def __repr__(self) -> str:
        return "a tensor"


class Scope:
    """One list of steps as it runs. Frames nest; a block starts a chain of its own."""

    def __init__(
        self,
        machine: EvalContext,
        outer: Scope | None,
        steps: Sequence[Step],
        variables: dict[str, Value] | None = None,
        marks: dict[str, Binding] | None = None,
    ) -> None:
        self.machine = machine
        self.outer = outer
        self.steps = steps
        self.variables = {} if variables is None else variables
        self.marks: dict[str, Binding] = marks if marks is not None else {}
        self.skipped: set[str] = set()
        self.current: Step | None = None
        self.arriving = -1

    # ---- the Scope of formulas

    def lookup(self, name: str) -> Value:
        """Return a variable, a parameter, or `in_channels` of the arriving tensor."""
        frame: Scope | None = self
        while frame is not None:
            if name in frame.variables:
                return frame.variables[name]
            frame = frame.outer
        if name in self.machine.parameter_names:
            return self.machine.parameter(name)
        if name == "in_channels":
            return self.machine.size(self.arriving, self.machine.channel_axis)
        raise unknown_name(name, self.known_names())

    def size(self, tensor: str | None, axis: int) -> Dim:
        """Return a size of a named step's result, or of the arriving tensor."""
        slot = self.arriving if tensor is None else self.find(tensor).slots[0]
        return self.machine.size(slot, axis)

    def known_names(self) -> list[str]:
        """Return the variables in scope, for error messages."""
        found: dict[str, None] = {}
        frame: Scope | None = self
        while frame is not None:
            found |= dict.fromkeys(frame.variables)
            frame = frame.outer
        return [*found, *self.machine.parameter_names, "in_channels"]

    # ---- values

    def evaluate(self, formula: Formula) -> Value:
        """Return the value of a formula in a field."""
        return formula.evaluate(self)

    def soft(self, value: Any) -> Any:
        """Return the value of an argument: a bare word may be a variable, a tensor, or itself."""
        if isinstance(value, list):
            return listed([self.soft(item) for item in value])
        if not isinstance(value, Formula):
            return value
        if not value.is_name:
            return value.evaluate(self)
        try:
            return self.lookup(value.text)
        except UnknownSize:
            raise
        except FormulaError:
            mark = None if registry.is_known(value.text) else self.visible(value.text)
            if mark is not None:
                return mark
            return value.text

    # ---- tensors

    def visible(self, name: str) -> Binding | None:
        """Return what a name stands for here or in an enclosing list."""
        frame: Scope | None = self
        while frame is not None:
            if name in frame.marks:
                return frame.marks[name]
            found = frame.variables.get(name)
            if isinstance(found, Binding):
                return found
            frame = frame.outer
        return None

    def find(self, reference: str) -> Binding:
        """Return what a reference (`name`, `name.1`, `stage.0.conv`) stands for."""
        first, *rest = reference.split(".")
        mark = self.visible(first)
        for end in range(len(rest), 0, -1):  # a name may have dots itself: the longest that is there
            whole = self.visible(".".join([first, *rest[:end]]))
            if whole is not None:
                mark, rest = whole, rest[end:]
                break
        if mark is None:
            raise self.unknown_reference(reference if rest and self._is_step(reference) else first)
        for part in rest:
            if part in mark.inner:
                mark = mark.inner[part]
            elif mark.passes is not None and part.isdigit():
                told = f"of {mark.passes} passes, a number left free, none can be named"
                raise Undecided(f"{quote(reference)}: {told}")
            elif part in map(str, range(len(mark.slots))):
                mark = Binding((mark.slots[int(part)],))
            elif part.isdigit() and self.machine.is_guessed(mark.slots[0]):
                raise UnknownSize  # how many pieces it has is not known
            else:
                has = f"{len(mark.slots)} result" + ("s" if len(mark.slots) != 1 else "")
                raise SpecError(
                    f"{quote(reference)}: there is no {quote(part)} in it{nearest(part, [*mark.inner])}",
                    hint=f"inside: {', '.join(mark.inner)}"
                    if mark.inner
                    else f"it has {has}, counted from 0",
                    fact=UnknownStep(reference, part, mark.inner),
                )
        return mark

    def _is_step(self, name: str) -> bool:
        """Whether a step has this very name, which may have dots, here or in an enclosing list."""
        frame: Scope | None = self
        while frame is not None:
            if name in frame.skipped or any(step.name == name for step in frame.steps):
                return True
            frame = frame.outer
        return False

    def unknown_reference(self, name: str) -> SpecError:
        """Return the error for a name that is not there: skipped, later, or nowhere."""
        known: list[str] = []
        frame: Scope | None = self
        while frame is not None:
            known += frame.marks
            if name in frame.skipped:
                message = f"the step {quote(name)} is left out here by its `when`"
                return SpecError(message, fact=UnknownStep(name))
            if frame.current is not None and frame.current.name == name:
                message = f"{quote(name)} is this step itself: only earlier steps can be named"
                return SpecError(message, fact=UnknownStep(name))
            for step in frame.steps:
                if step.name == name:
                    where = f" (line {step.place.line})" if step.place.line else ""
                    return SpecError(
                        f"{quote(name)} is a later step{where}: only earlier steps can be named",
                        hint="move the step up, or this one down",
                        fact=UnknownStep(name, is_later=True),
                    )
            frame = frame.outer
        return SpecError(
            f"there is no earlier step {quote(name)}{nearest(name, known)}",
            hint=f"steps that can be named here: {', '.join(known[:20])}" if known else "",
            fact=UnknownStep(name, name, known),
        )


class EvalContext(Protocol):
    """What frames need of the expansion: sizes of tensors and values of parameters."""

    channel_axis: int
    parameter_names: tuple[str, ...]

    def parameter(self, name: str) -> Value:
        """Return the value of a parameter and remember that the expansion depends on it."""

    def size(self, slot: int, axis: int) -> Dim:
        """Return the size of an axis of a tensor and remember that the expansion depends on it."""

    def is_guessed(self, slot: int) -> bool:
        """Say whether nothing is known of a tensor."""
