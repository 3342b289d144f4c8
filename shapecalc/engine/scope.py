"""What a step can name: variables, bound tensors, and its input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from shapecalc.algebra import Dim, Expr
from shapecalc.algebra.formula import Formula, unknown_name
from shapecalc.algebra.rational import Value, listed
from shapecalc.errors import FormulaError, ShapecalcError, SpecError, Undecided, UnknownStep, nearest, quote
from shapecalc.layers import registry
from shapecalc.spec.tree import Step


class UnknownSize(ShapecalcError):
    """A size is read of a tensor whose own layer has failed already: not a failure of its own."""


@dataclass(slots=True)
class Binding:
    """What a name is bound to once its step has run: its results, its nodes, and the names inside it."""

    slots: tuple[int, ...]
    inner: dict[str, Binding] = field(default_factory=dict)
    step: Step | None = None
    scope: Scope | None = None
    start: int = 0
    end: int = 0
    is_pass: bool = False
    """Whether this is one pass of the step, which repeats."""
    passes: Expr | None = None
    """How many passes of the step there are, where that is left free."""

    def __repr__(self) -> str:
        return "a tensor"


class Scope:
    """The lexical scope of a list of steps; the steps of a block begin a chain of scopes of their own."""

    def __init__(
        self,
        context: EvalContext,
        outer: Scope | None,
        steps: Sequence[Step],
        variables: dict[str, Value] | None = None,
        bindings: dict[str, Binding] | None = None,
    ) -> None:
        self.context = context
        self.outer = outer
        self.steps = steps
        self.variables = {} if variables is None else variables
        self.bindings: dict[str, Binding] = bindings if bindings is not None else {}
        self.skipped: set[str] = set()
        self.current: Step | None = None
        self.input = -1
        """The tensor that the current step reads."""

    def chain(self) -> Iterator[Scope]:
        """Yield this scope and those around it, from the inside out."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer

    # ---- what formulas read

    def lookup(self, name: str) -> Value:
        """Return a variable, a parameter, or `in_channels` of the input."""
        for scope in self.chain():
            if name in scope.variables:
                return scope.variables[name]
        if name in self.context.parameter_names:
            return self.context.parameter(name)
        if name == "in_channels":
            return self.context.size(self.input, self.context.channel_axis)
        variables = dict.fromkeys(name for scope in self.chain() for name in scope.variables)
        raise unknown_name(name, [*variables, *self.context.parameter_names, "in_channels"])

    def size(self, tensor: str | None, axis: int) -> Dim:
        """Return a size of a named step's result, or of the input."""
        slot = self.input if tensor is None else self.find(tensor).slots[0]
        return self.context.size(slot, axis)

    def evaluate(self, formula: Formula) -> Value:
        """Return the value of a formula in a field."""
        return formula.evaluate(self)

    def argument(self, value: Any) -> Any:
        """Return the value of an argument: a bare word may be a variable, a tensor, or itself."""
        if isinstance(value, list):
            return listed([self.argument(item) for item in value])
        if not isinstance(value, Formula):
            return value
        if not value.is_name:
            return value.evaluate(self)
        if self._has_value(value.text):
            try:
                return self.lookup(value.text)
            except UnknownSize:
                raise
            except FormulaError:
                pass
        binding = None if registry.is_known(value.text) else self.visible(value.text)
        return value.text if binding is None else binding

    def _has_value(self, name: str) -> bool:
        """Say whether `lookup` knows a name: most bare words are words, and its error is costly to make."""
        known = name in self.context.parameter_names or name == "in_channels"
        return known or any(name in scope.variables for scope in self.chain())

    # ---- tensors

    def visible(self, name: str) -> Binding | None:
        """Return what a name is bound to here or in an enclosing list."""
        for scope in self.chain():
            if name in scope.bindings:
                return scope.bindings[name]
            variable = scope.variables.get(name)
            if isinstance(variable, Binding):
                return variable
        return None

    def find(self, reference: str) -> Binding:
        """Return what a reference (`name`, `name.1`, `stage.0.conv`) is bound to."""
        first, *rest = reference.split(".")
        binding = self.visible(first)
        for end in range(len(rest), 0, -1):  # a name may have dots itself: the longest that is there
            dotted = self.visible(".".join([first, *rest[:end]]))
            if dotted is not None:
                binding, rest = dotted, rest[end:]
                break
        if binding is None:
            raise self.unknown_reference(reference if rest and self._is_step(reference) else first)
        for part in rest:
            binding = self._part(binding, part, reference)
        return binding

    def _part(self, binding: Binding, part: str, reference: str) -> Binding:
        inner, results = binding.inner, len(binding.slots)
        if part in inner:
            return inner[part]
        if binding.passes is not None and part.isdigit():
            none = f"of {binding.passes} passes, a number left free, none can be named"
            raise Undecided(f"{quote(reference)}: {none}")
        if part in map(str, range(results)):
            return Binding((binding.slots[int(part)],))
        if part.isdigit() and self.context.is_unknown(binding.slots[0]):
            raise UnknownSize  # how many results it has is not known
        counted = f"it has {results} result{'s' if results != 1 else ''}, counted from 0"
        raise SpecError(
            f"{quote(reference)}: there is no {quote(part)} in it{nearest(part, [*inner])}",
            hint=f"inside: {', '.join(inner)}" if inner else counted,
            fact=UnknownStep(reference, part, inner),
        )

    def _is_step(self, name: str) -> bool:
        """Whether a step has this very name, which may have dots, here or in an enclosing list."""
        return any(
            name in scope.skipped or any(step.name == name for step in scope.steps) for scope in self.chain()
        )

    def unknown_reference(self, name: str) -> SpecError:
        """Return the error for a name that is not bound: skipped, later, or nowhere."""
        known: list[str] = []
        for scope in self.chain():
            known += scope.bindings
            if name in scope.skipped:
                message = f"the step {quote(name)} is left out here by its `when`"
                return SpecError(message, fact=UnknownStep(name))
            if scope.current is not None and scope.current.name == name:
                message = f"{quote(name)} is this step itself: only earlier steps can be named"
                return SpecError(message, fact=UnknownStep(name))
            for step in scope.steps:
                if step.name == name:
                    line = f" (line {step.place.line})" if step.place.line else ""
                    return SpecError(
                        f"{quote(name)} is a later step{line}: only earlier steps can be named",
                        hint="move the step up, or this one down",
                        fact=UnknownStep(name, is_later=True),
                    )
        return SpecError(
            f"there is no earlier step {quote(name)}{nearest(name, known)}",
            hint=f"steps that can be named here: {', '.join(known[:20])}" if known else "",
            fact=UnknownStep(name, name, known),
        )


class EvalContext(Protocol):
    """What scopes read of the expansion: sizes of tensors and values of parameters."""

    channel_axis: int
    parameter_names: tuple[str, ...]

    def parameter(self, name: str) -> Value:
        """Return the value of a parameter and remember that the expansion depends on it."""

    def size(self, slot: int, axis: int) -> Dim:
        """Return the size of an axis of a tensor and remember that the expansion depends on it."""

    def is_unknown(self, slot: int) -> bool:
        """Say whether nothing is known of a tensor."""
