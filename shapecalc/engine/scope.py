"""What a step can name: variables, bound tensors, and its input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Protocol

from shapecalc.algebra import Dim, Expr
from shapecalc.algebra.formula import Formula, unknown_name
from shapecalc.algebra.rational import Value, listed, position
from shapecalc.errors import FormulaError, ShapecalcError, SpecError, Undecided, UnknownStep, nearest, quote
from shapecalc.layers import registry
from shapecalc.spec.reference import Reference, Slice
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
    key: str = ""
    start: int = 0
    end: int = 0
    is_pass: bool = False
    """Whether this is one pass of the step, which repeats."""
    passes: Expr | None = None
    """How many passes of the step there are, where that is left free."""
    count: int | None = None
    """How many passes there are, or items in a list of tensors; they are in `inner` by their numbers."""
    is_list: bool = False
    """Whether this is a list of tensors, of which a merge takes every one."""
    skipped: set[str] = field(default_factory=set)
    """The names inside it that are left out by their `when`."""

    def __repr__(self) -> str:
        return "a list of tensors" if self.is_list else "a tensor"

    @classmethod
    def listing(cls, items: Sequence[Binding]) -> Binding:
        """Return a list of tensors."""
        inner = {str(number): item for number, item in enumerate(items)}
        return cls(items[-1].slots if items else (), inner, count=len(items), is_list=True)

    @property
    def items(self) -> list[Binding]:
        """The passes or the items, in order."""
        return [self.inner[str(number)] for number in range(self.count or 0)]

    @property
    def tensors(self) -> Binding:
        """The tensors alone, and those of each pass, without the names inside: what a repeat carries."""
        inner = {str(number): item.tensors for number, item in enumerate(self.items)}
        return Binding(self.slots, inner, passes=self.passes, count=self.count, is_list=self.is_list)

    @property
    def slot(self) -> int:
        """The tensor; raise `SpecError` for a list of them."""
        if self.is_list:
            raise SpecError(f"this is a list of {self.count} tensors, where one tensor is read")
        return self.slots[0]


def as_binding(value: Any) -> Binding | None:
    """Return the tensors that a variable holds, or None for another value."""
    if isinstance(value, Binding):
        return value
    items = [as_binding(item) for item in value] if isinstance(value, list) else [None]
    known = [item for item in items if item is not None]
    return Binding.listing(known) if len(known) == len(items) else None


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
        self.own: tuple[str, Binding] | None = None
        """In a pass: the name of its repeat, and the passes so far."""
        self.caller: Scope | None = None
        """In a block: where it is called."""
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
        slot = self.input if tensor is None else self.find(tensor).slot
        return self.context.size(slot, axis)

    def evaluate(self, formula: Formula) -> Value:
        """Return the value of a formula in a field."""
        return formula.evaluate(self)

    def argument(self, value: Any) -> Any:
        """Return the value of an argument: a bare word may be a variable, a tensor, or itself."""
        if isinstance(value, list):
            return listed([self.argument(item) for item in value])
        if isinstance(value, Reference):
            return self.find(value.text)
        if not isinstance(value, Formula):
            return value
        if not value.is_name:
            first, bracket, _ = value.text.partition("[")
            is_path = bracket and value.text.endswith("]") and self.visible(first) is not None
            return self.find(value.text) if is_path else value.evaluate(self)
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

    def visible(self, name: str, *, is_indexed: bool = False) -> Binding | None:
        """Return what a name is bound to here or in an enclosing list; with an index, also passes so far."""
        own: Binding | None = None
        for scope in self.chain():
            if name in scope.bindings:
                if own is not None:
                    raise SpecError(
                        f"{quote(name)} is an earlier step and also this repeat: call one of them otherwise"
                    )
                return scope.bindings[name]
            if name in scope.variables and (variable := as_binding(scope.variables[name])) is not None:
                return variable
            if is_indexed and own is None and scope.own is not None and scope.own[0] == name:
                own = scope.own[1]
        return own

    def find(self, reference: str) -> Binding:
        """Return what a reference (`name`, `name.1`, `stage[-1].conv`, `layers[:].skip`) is bound to."""
        first, *rest = Reference.parse(reference).parts
        binding = self.visible(str(first), is_indexed=bool(rest))
        texts = [str(part) for part in takewhile(lambda part: isinstance(part, str), rest)]
        for end in range(len(texts), 0, -1):  # a name may have dots itself: the longest that is there
            dotted = self.visible(".".join([str(first), *texts[:end]]), is_indexed=end < len(rest))
            if dotted is not None:
                binding, rest = dotted, rest[end:]
                break
        if binding is None:
            raise self.unknown_reference(reference if rest and self._is_step(reference) else str(first))
        items, is_list = [binding], False
        for part in rest:
            if isinstance(part, Slice):
                is_list = True
                items = [item for each in items for item in self._slice(each, part, reference)]
            elif isinstance(part, Formula):
                items = [self._pass(each, part, reference) for each in items]
            else:
                items = [self._part(each, part, reference) for each in items]
        return Binding.listing(items) if is_list else items[0]

    def find_all(self, reference: str) -> list[Binding]:
        """Return what a merge reads by a reference: one tensor, or every tensor of a list."""
        binding = self.find(reference)
        items = binding.items if binding.is_list else [binding]
        return [inner for item in items for inner in (item.items if item.is_list else [item])]

    def _pass(self, binding: Binding, part: Formula, reference: str) -> Binding:
        count = self._count(binding, reference)
        number = self._position(part, count, count - 1, reference) % count
        return Binding((binding.slots[number],)) if binding.count is None else binding.inner[str(number)]

    def _slice(self, binding: Binding, part: Slice, reference: str) -> list[Binding]:
        count = self._count(binding, reference)
        self.context.count_work(count)
        items = [Binding((slot,)) for slot in binding.slots] if binding.count is None else binding.items
        ends = (None if end is None else self._position(end, count, count, reference) for end in part)
        return items[slice(*ends)]

    def _position(self, part: Formula, length: int, last: int, reference: str) -> int:
        try:
            return position(part.evaluate(self), length, last)
        except FormulaError as error:
            message = f"{quote(reference)}: {error.message}"
            raise SpecError(message, hint=error.hint, fact=error.fact) from None

    def _count(self, binding: Binding, reference: str) -> int:
        """Return how much can be counted in a binding: passes, items, or results."""
        self._refuse_free(binding, reference)
        if binding.count is not None:
            return binding.count
        if len(binding.slots) > 1:
            return len(binding.slots)
        if self.context.is_unknown(binding.slots[0]):
            raise UnknownSize  # how many there are is not known
        raise SpecError(f"{quote(reference)}: brackets count the passes of a repeat, and there is none")

    def _refuse_free(self, binding: Binding, reference: str) -> None:
        if binding.passes is not None:
            none = f"of {binding.passes} passes, a number left free, none can be named"
            raise Undecided(
                f"{quote(reference)}: {none}", hint="what each pass adds can be handed on with `carry`"
            )

    def _part(self, binding: Binding, part: str, reference: str) -> Binding:
        inner, results = binding.inner, len(binding.slots)
        is_later = part.isdigit() and binding.count is not None and int(part) >= binding.count
        if part in inner and not is_later:
            return inner[part]
        if part.isdigit():
            self._refuse_free(binding, reference)
        if part in map(str, range(results)):
            return Binding((binding.slots[int(part)],))
        if part.isdigit() and binding.slots and self.context.is_unknown(binding.slots[0]):
            raise UnknownSize  # how many results it has is not known
        if part in binding.skipped:
            message = f"{quote(reference)}: the step {quote(part)} is left out there by its `when`"
            raise SpecError(message, fact=UnknownStep(reference, part))
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
        caller = scope.caller
        if caller is not None and (caller.visible(name) is not None or name in caller.variables):
            return SpecError(
                f"there is no earlier step {quote(name)} in this block, only where it is called",
                hint=f"let the block say `uses: [{name}]`, or give it an argument",
                fact=UnknownStep(name),
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

    def count_work(self, amount: int = 1) -> None:
        """Count pieces of work; raise where there have been too many."""
