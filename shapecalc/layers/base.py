"""What a layer kind is: one class with its fields and every rule about them.

    Kind                what the engine sees: fields, and `apply` over any number of tensors
    ├── Layer           one tensor in: the base of nearly every kind, and of yours
    └── Merge           several tensors in, one out

A rule that is missing makes the class abstract, so a kind cannot forget one; a kind without
weights or without multiplications says so by naming `NoWeights` or `NoMacs` among its bases.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, TypeAlias

from pydantic import BaseModel, ConfigDict

from shapecalc.algebra import Dim, product
from shapecalc.algebra.decide import decide
from shapecalc.algebra.formula import Formula
from shapecalc.algebra.render import grouped
from shapecalc.errors import ShapecalcError, SpecError, nearest, quote

Shape: TypeAlias = tuple[Dim, ...]
Shapes: TypeAlias = tuple[Shape, ...]
Named: TypeAlias = dict[str, Shape]
Message: TypeAlias = "str | Callable[[], str]"


@dataclass(slots=True)  # not frozen: that would double what it costs to make one, and many are made
class Requirement:
    """A relation between two sizes that must hold before a layer's output exists.

    `says` tells what was needed and what came, with the numbers in it; it may be a function, so
    that nothing is written down for the requirements that hold.
    """

    code: str
    left: Dim
    relation: str
    right: Dim
    says: Message
    hint: Message = ""

    def verdict(self) -> bool | None:
        """Return whether the relation holds: always, never, or (None) only for some sizes."""
        left, right = self.left, self.right
        if isinstance(left, int) and isinstance(right, int):
            if self.relation == ">=":
                return left >= right
            if self.relation == "==":
                return left == right
        return decide(left, self.relation, right)

    @property
    def message(self) -> str:
        """The sentence for a reader."""
        return self.says if isinstance(self.says, str) else self.says()

    @property
    def advice(self) -> str:
        """What to change, or nothing."""
        return self.hint if isinstance(self.hint, str) else self.hint()

    def __str__(self) -> str:
        return f"{grouped(self.left)} {_SIGNS[self.relation]} {grouped(self.right)}"


_SIGNS = {"==": "=", "!=": "≠", "<": "<", "<=": "≤", ">": ">", ">=": "≥"}


class Refused(ShapecalcError):
    """A layer refuses its input; the engine turns this into a `Failure` with its place."""

    def __init__(self, requirement: Requirement) -> None:
        super().__init__(requirement.message)
        self.requirement = requirement


@dataclass(frozen=True, slots=True)
class Window:
    """The input pixels that one output pixel sees, per spatial axis."""

    kernel: tuple[Dim, ...]
    stride: tuple[Dim, ...]
    before: tuple[Dim, ...]
    after: tuple[Dim, ...]
    dilation: tuple[Dim, ...]
    transposed: bool = False


@dataclass(slots=True)
class Effect:
    """Everything that one layer does to the tensors it is given."""

    outputs: Shapes
    weights: Named
    buffers: Named
    macs: Dim | None
    window: Window | None
    conditions: tuple[Requirement, ...] = ()
    params: Dim = field(init=False)
    buffer_count: Dim = field(init=False)
    elements: Dim = field(init=False)

    def __post_init__(self) -> None:
        self.params = count(self.weights)
        self.buffer_count = count(self.buffers) if self.buffers else 0
        self.elements = product(self.outputs[0])
        for shape in self.outputs[1:]:
            self.elements = self.elements + product(shape)


def count(tensors: Named) -> Dim:
    """Return how many numbers some named tensors hold.

    >>> count({"weight": (6, 1, 5, 5), "bias": (6,)})
    156
    """
    total: Dim = 0
    for shape in tensors.values():
        total = total + product(shape)
    return total


def shown(shape: Shape) -> str:
    """Return a shape as it stands in tables and messages; × where an x could be part of a name.

    >>> from shapecalc.algebra import symbol
    >>> shown((1, 3, 224, 224)), shown((3, symbol("H") - 4))
    ('1x3x224x224', '3×(H - 4)')
    """
    if all(isinstance(dim, int) for dim in shape):
        return "x".join(map(str, shape)) or "a single number"
    texts = map(str, shape)
    return "×".join(f"({text})" if " " in text else text for text in texts)


class Kind(BaseModel):
    """The root of every layer kind: pydantic fields in torch's spelling, and `apply`."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, arbitrary_types_allowed=True)

    kind: ClassVar[str]
    """The name in a spec: torch's class name in snake_case."""
    torch: ClassVar[str | None] = None
    """The dotted name of torch's counterpart, if it has one."""
    keras: ClassVar[str | None] = None
    """The dotted name of Keras' counterpart, if it has one."""
    framework: ClassVar[str | None] = None
    """Whose rules these are, `torch` or `keras`; None where channels play no part and they agree."""
    statistics: ClassVar[frozenset[str]] = frozenset()
    """The tensors that training gathers and does not learn; Keras counts them as parameters."""

    @abstractmethod
    def apply(self, inputs: Shapes) -> Effect:
        """Return outputs, weights and cost for these input shapes, or raise `Refused`."""

    def resolve(self, evaluate: Callable[[Formula], Any]) -> Self:
        """Return the layer with every formula evaluated and every value checked again."""
        values = {name: getattr(self, name) for name in self.model_fields_set}
        found: dict[str, Any] = {}
        for name, value in values.items():
            try:
                found[name] = _evaluated(value, evaluate)
            except SpecError as error:
                raise self._complaint(name, value, error) from None
        changed = [name for name, value in values.items() if found[name] is not value]
        if not changed:
            return self
        resolved = type(self).model_validate(found)
        for name in changed:
            if _evaluated(getattr(resolved, name), lambda formula: formula.text) is not getattr(
                resolved, name
            ):
                raise SpecError(f"{name}: {quote(found[name])} is a word, not a value", at=(name,))
        return resolved

    def _complaint(self, name: str, value: Any, error: SpecError) -> SpecError:
        """Return the error of a formula as an error of the field that holds it."""
        words, message = self._words(name), error.message
        if words and isinstance(value, Formula) and value.is_name:
            known = f"{', '.join(words)}, and no name in scope"
            message = f"{quote(value.text)} is not one of {known}{nearest(value.text, words)}"
        return SpecError(f"{name}: {message}", place=error.place, hint=error.hint, at=(name,))

    def _words(self, name: str) -> tuple[str, ...]:
        """Return the words that a field allows."""
        return next(
            (rule.words for rule in type(self).model_fields[name].metadata if hasattr(rule, "words")), ()
        )

    def fields_set(self) -> dict[str, Any]:
        """Return the fields that were given, as a spec would write them, in declaration order."""
        return {
            name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set
        }


def _evaluated(value: Any, evaluate: Callable[[Formula], Any]) -> Any:
    if isinstance(value, Formula):
        return evaluate(value)
    if isinstance(value, tuple):
        items = tuple(_evaluated(item, evaluate) for item in value)
        return value if all(a is b for a, b in zip(items, value, strict=True)) else items
    return value


def checked(requirements: Iterable[Requirement]) -> tuple[Requirement, ...]:
    """Return the requirements that hold only for some sizes; raise `Refused` for one that fails."""
    conditions: list[Requirement] = []
    for requirement in requirements:
        verdict = requirement.verdict()
        if verdict is False:
            raise Refused(requirement)
        if verdict is None:
            conditions.append(requirement)
    return tuple(conditions)


class Layer(Kind):
    """A kind that takes one tensor. Subclass it to add a kind of your own.

    Every rule receives the whole shape of the input, batch included, as torch's layer would.
    Requirements are asked in order and the first that fails ends the walk of this layer, so a
    later one may rely on an earlier one.
    """

    def apply(self, inputs: Shapes) -> Effect:
        """Ask each rule in turn."""
        if len(inputs) != 1:
            raise Refused(arity(self.kind, len(inputs), 1))
        x = inputs[0]
        conditions = checked(self.requirements(x))
        return Effect(
            outputs=self.outputs(x),
            weights=self.weights(x),
            buffers=self.buffers(x),
            macs=self.macs(x),
            window=self.window(x),
            conditions=conditions,
        )

    @abstractmethod
    def requirements(self, x: Shape) -> Iterator[Requirement]:
        """Yield what the input must satisfy for torch's layer to accept it."""

    @abstractmethod
    def output(self, x: Shape) -> Shape:
        """Return the shape of the (first) result."""

    def outputs(self, x: Shape) -> Shapes:
        """Return the shapes of all results; one, unless a kind says otherwise."""
        return (self.output(x),)

    @abstractmethod
    def weights(self, x: Shape) -> Named:
        """Return the learned tensors by torch's names."""

    @abstractmethod
    def buffers(self, x: Shape) -> Named:
        """Return the tensors that are kept but not learned, by torch's names."""

    @abstractmethod
    def macs(self, x: Shape) -> Dim | None:
        """Return the multiply-accumulates, or None when they cannot be counted."""

    @abstractmethod
    def window(self, x: Shape) -> Window | None:
        """Return the window that slides over the input, or None for a pointwise layer."""


class Merge(Kind):
    """A kind that takes several tensors; in a spec it may hold the branches that make them."""

    branches: tuple[tuple[str, Any], ...] | None = None

    def __init__(self, *unnamed: Any, **given: Any) -> None:
        """Take branches by position or by name: `Add([...], [])`, `Add(main=[...], skip=[])`."""
        fields = {name: given.pop(name) for name in type(self).model_fields if name in given}
        branches = [(str(index), branch) for index, branch in enumerate(unnamed)] + [*given.items()]
        for name, branch in branches:
            if not isinstance(branch, (list, tuple, str)):
                raise TypeError(f"{type(self).__name__}: {name} is neither a field nor a list of layers")
        if branches:
            fields["branches"] = tuple(branches)
        super().__init__(**fields)

    def apply(self, inputs: Shapes) -> Effect:
        """Ask the rules of the merge; a merge has no weights, and no window slides over it."""
        conditions = checked(self.requirements(inputs))
        return Effect((self.output(inputs),), {}, {}, self.macs(inputs), None, conditions)

    @abstractmethod
    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        """Yield what the inputs must satisfy together."""

    @abstractmethod
    def output(self, inputs: Shapes) -> Shape:
        """Return the shape of the result."""

    @abstractmethod
    def macs(self, inputs: Shapes) -> Dim | None:
        """Return the multiply-accumulates, or None when they cannot be counted."""


class NoWeights:
    """Says that a kind has no weights and no buffers."""

    def weights(self, x: Shape) -> Named:
        """No learned tensors."""
        return {}

    def buffers(self, x: Shape) -> Named:
        """No buffers."""
        return {}


class NoBuffers:
    """Says that a kind has no buffers."""

    def buffers(self, x: Shape) -> Named:
        """No buffers."""
        return {}


class NoMacs:
    """Says that a kind does no multiply-accumulates: it copies, compares, or acts per element."""

    def macs(self, x: Shape) -> Dim | None:
        """Zero, and meant."""
        return 0


class NoWindow:
    """Says that no window slides over the input: each output sees one position, or all."""

    def window(self, x: Shape) -> Window | None:
        """No window."""
        return None


class SameShape:
    """Says that the output has the shape of the input."""

    def output(self, x: Shape) -> Shape:
        """The input's shape."""
        return x


class AnyShape:
    """Says that every input is accepted."""

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        """Nothing is required."""
        return iter(())


class Elementwise(SameShape, AnyShape, NoWeights, NoMacs, NoWindow, Layer):
    """A function of each element by itself: shape kept, no weights, no multiply-accumulates."""


# ---- requirements that many kinds share


def arity(kind: str, given: int, wanted: int) -> Requirement:
    """Require a number of input tensors."""
    return Requirement("arity", given, "==", wanted, lambda: f"{kind} takes {wanted} tensor, not {given}")


def rank_between(kind: str, x: Shape, low: int, high: int | None) -> Iterator[Requirement]:
    """Require a number of dimensions, batch included."""
    has = len(x)
    if low <= has and (high is None or has <= high):
        return
    if high is None:
        wanted = f"{low} or more dimensions"
    elif low == high:
        wanted = f"{low} dimensions"
    else:
        wanted = f"{low} or {high} dimensions" if high == low + 1 else f"{low} to {high} dimensions"
    says = lambda: f"{kind} needs {wanted}, but {shown(x)} arrives, which has {has}"  # noqa: E731
    yield Requirement("rank", has, ">=", low, says)
    if high is not None:
        yield Requirement("rank", high, ">=", has, says)


def matches(
    kind: str, name: str, declared: Dim | None, arriving: Dim, x: Shape, what: str = "channels"
) -> Iterator[Requirement]:
    """Require that a declared size is the one that arrives; a size left out is inferred."""
    if declared is not None:
        yield Requirement(
            "channels",
            declared,
            "==",
            arriving,
            lambda: (
                f"{kind} declares {name}: {declared}, but {shown(x)} arrives, which has {arriving} {what}"
            ),
            lambda: f"{name}: {arriving}, or leave {name} out: it is inferred",
        )


def divides(kind: str, divisor: str, d: Dim, name: str, n: Dim) -> Requirement:
    """Require that one size divides another."""
    return Requirement(
        "divisibility",
        n % d,
        "==",
        0,
        lambda: f"{kind}: {divisor} = {d} does not divide {name} = {n} (remainder {n % d})",
    )


def axis_exists(kind: str, name: str, axis: int, rank: int, x: Shape) -> Iterator[Requirement]:
    """Require that an axis, counted from either end, exists."""
    says = lambda: (  # noqa: E731
        f"{kind}: {name} = {axis} is not an axis of {shown(x)} (legal: {-rank} to {rank - 1})"
    )
    yield Requirement("axis", axis, ">=", -rank, says)
    yield Requirement("axis", rank - 1, ">=", axis, says)
