"""What a layer kind is: one class with its fields and every rule about them.

    Kind                what the engine sees: fields, and `apply` over any number of tensors
    ├── Layer           one tensor in: the base of nearly every kind, and of yours
    └── Joint           several tensors in, some of which may be optional
        └── Merge       branches in, one tensor out, no weights

A rule that is missing makes the class abstract, so a kind cannot forget one; a kind without
weights or without multiplications says so by naming `NoWeights` or `NoMacs` among its bases.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self, TypeAlias

from pydantic import BaseModel, ConfigDict

from shapecalc.algebra import Dim, product
from shapecalc.algebra.formula import Formula
from shapecalc.errors import SpecError, WrongWord, nearest, quote
from shapecalc.layers.centre import Centres, middles
from shapecalc.layers.counts import NOTHING, Operations
from shapecalc.layers.dependence import Dependence, placed, unsaid
from shapecalc.layers.family import Family
from shapecalc.layers.requirement import Refused, Requirement, Shape, arity, checked
from shapecalc.layers.roles import Holds

Shapes: TypeAlias = tuple[Shape, ...]
Named: TypeAlias = dict[str, Shape]
Caller: TypeAlias = Literal["module", "custom", "function", "method"]
"""What torch calls: a module of its own, a custom one that holds the weights of a function of
torch.nn.functional, such a function alone, or another, such as `x.relu()`."""


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


class Component(NamedTuple):
    """A layer inside a layer: its inputs there, and how many times it is there."""

    layer: "Kind"
    inputs: Shapes
    times: Dim = 1


def count(tensors: Named) -> Dim:
    """Return how many numbers some named tensors hold.

    >>> count({"weight": (6, 1, 5, 5), "bias": (6,)})
    156
    """
    total: Dim = 0
    for shape in tensors.values():
        total = total + product(shape)
    return total


class Kind(BaseModel):
    """The root of every layer kind: pydantic fields in torch's spelling, and `apply`."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, arbitrary_types_allowed=True)

    kind: ClassVar[str]
    """The name in a spec: torch's class name in snake_case."""
    family: ClassVar[Family] = Family.OTHER
    """What the kind computes, read by counting conventions, pictures and lists."""
    torch: ClassVar[str | None] = None
    """The dotted name of torch's counterpart, if it has one."""
    keras: ClassVar[str | None] = None
    """The dotted name of Keras' counterpart, if it has one."""
    framework: ClassVar[str | None] = None
    """Whose rules these are, `torch` or `keras`; None where channels play no part and they agree."""
    unknown_dependence: ClassVar[tuple[str, str] | None] = None
    """The axes on which results depend in a way that is not known, and why."""
    settles_sizes: ClassVar[bool] = False
    """Whether the sizes of the results are known whatever sizes arrive."""
    statistics: ClassVar[frozenset[str]] = frozenset()
    """The tensors that training gathers and does not learn; Keras counts them as parameters."""

    @classmethod
    def channel_axis(cls, x: Shape) -> int:
        """Return the number of the axis of channels: the second, unless a kind has another layout."""
        return 1

    @property
    def acts_as(self) -> Family:
        """The family of this layer; of a layer around another, that of the one inside."""
        return self.family

    @abstractmethod
    def apply(self, inputs: Shapes) -> Effect:
        """Return outputs, weights and cost for these input shapes, or raise `Refused`."""

    def operations_on(self, inputs: Shapes) -> Operations | None:
        """Return the single operations on these inputs by part, None where they are not known."""
        return None

    def components(self, inputs: Shapes) -> tuple[Component, ...]:
        """Return the layers that a layer is made of; none, unless a kind says otherwise."""
        return ()

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        """Return what a result, counted from 0, sees of each input; None on an axis is not said."""
        return tuple([unsaid(len(x)) for x in inputs])

    def axes(self, x: Shape, number: int) -> tuple[str, ...]:
        """Return what a derivation calls the last axes of an input; none where its order says it.

        `number` counts the tensors that arrive from 0.
        """
        return ()

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
                words = self.words(name)
                wrong = f"is not one of {', '.join(words)}" if words else "is a word, not a value"
                fact = WrongWord(found[name], words, is_choice=True)
                raise SpecError(f"{name}: {quote(found[name])} {wrong}", at=(name,), fact=fact)
        return resolved

    def _complaint(self, name: str, value: Any, error: SpecError) -> SpecError:
        """Return the error of a formula as an error of the field that holds it."""
        words, message, fact = self.words(name), error.message, error.fact
        if words and isinstance(value, Formula) and value.is_name:
            known = f"{', '.join(words)}, and no name in scope"
            message = f"{quote(value.text)} is not one of {known}{nearest(value.text, words)}"
            fact = WrongWord(value.text, words, is_choice=True)
        return SpecError(f"{name}: {message}", place=error.place, hint=error.hint, at=(name,), fact=fact)

    def words(self, name: str) -> tuple[str, ...]:
        """Return the words that a field allows."""
        return next(
            (rule.words for rule in type(self).model_fields[name].metadata if hasattr(rule, "words")), ()
        )

    def all_words(self, name: str) -> bool:
        """Whether a field allows two words and nothing else, so that trying both is trying all."""
        rules = type(self).model_fields[name].metadata
        return len(self.words(name)) == 2 and all(getattr(rule, "otherwise", None) is None for rule in rules)

    def fields_set(self) -> dict[str, Any]:
        """Return the fields that were given, as a spec would write them, in declaration order."""
        return {
            name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set
        }


def _evaluated(value: Any, evaluate: Callable[[Formula], Any]) -> Any:
    if isinstance(value, Formula):
        return evaluate(value)
    if isinstance(value, Kind):
        return value.resolve(evaluate)
    if isinstance(value, tuple):
        items = tuple(_evaluated(item, evaluate) for item in value)
        return value if all(a is b for a, b in zip(items, value, strict=True)) else items
    return value


class Layer(Kind):
    """A kind that takes one tensor. Subclass it to add a kind of your own.

    Every rule receives the whole shape of the input, batch included, as torch's layer would.
    Requirements are asked in order and the first that fails ends the inference of this layer, so a
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

    def operations_on(self, inputs: Shapes) -> Operations | None:
        return self.operations(inputs[0])

    def operations(self, x: Shape) -> Operations | None:
        """Return the single operations by part; not known, unless a kind says otherwise.

        Multiplications that are MACs are those of `macs`: `Operations(macs=self.macs(x), ...)`.
        """
        return None

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        return (self.sight(inputs[0], result),)

    def sight(self, x: Shape, result: int) -> Dependence:
        """Return what a result, counted from 0, sees on each axis of the input; None is not said."""
        return unsaid(len(x))

    def centres(self, x: Shape) -> Centres:
        """Return what each axis of the result is centred on.

        It is the middle of what a result sees there; where that is everything, a result of the input's
        shape is taken to stand where its input stands. A kind whose windows differ from position to
        position says so here. None says that it is not known, and asserts nothing.
        """
        output = self.output(x)
        return middles(self.sight(x, 0), len(output), keeps_places=output == x)


class NoWeights:
    """Says that a kind has no weights and no buffers."""

    def weights(self, x: object) -> Named:
        """No learned tensors."""
        return {}

    def buffers(self, x: object) -> Named:
        """No buffers."""
        return {}


class NoBuffers:
    """Says that a kind has no buffers."""

    def buffers(self, x: object) -> Named:
        """No buffers."""
        return {}


class NoMacs:
    """Says that a kind does no multiply-accumulates: it copies, compares, or acts per element."""

    def macs(self, x: object) -> Dim | None:
        """Zero, and meant."""
        return 0


class NoOperations(NoMacs):
    """Says that a kind computes nothing: it copies or moves values, or hands them on."""

    def operations(self, x: object) -> Operations | None:
        """Nothing, and meant."""
        return NOTHING


class NoWindow:
    """Says that no window slides over the input: each output sees one position, or all."""

    def window(self, x: Shape) -> Window | None:
        """No window."""
        return None


class OwnPlace:
    """Says that every result sees its own place in the input and no other."""

    def sight(self, x: Shape, result: int) -> Dependence:
        """The place itself, on every axis."""
        return placed(len(x))


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


class Elementwise(OwnPlace, SameShape, AnyShape, NoWeights, NoMacs, NoWindow, Layer):
    """A function of each element by itself: shape kept, no weights, no multiply-accumulates."""

    per_element: ClassVar[Operations | None] = None
    """The single operations for each element; not known, unless a kind says otherwise."""

    def operations(self, x: Shape) -> Operations | None:
        return None if self.per_element is None else self.per_element * product(x)


class Joint(Kind):
    """A kind that takes several tensors, the later of which may be optional, and may have weights.

    Every rule receives the shapes of all tensors that arrive, in order. What a tensor is for is told
    by its position, so the number of tensors is the first thing to require.
    """

    def apply(self, inputs: Shapes) -> Effect:
        """Ask each rule in turn; no window slides over several tensors."""
        conditions = checked(self.requirements(inputs))
        return Effect(
            outputs=self.outputs(inputs),
            weights=self.weights(inputs),
            buffers=self.buffers(inputs),
            macs=self.macs(inputs),
            window=None,
            conditions=conditions,
        )

    @abstractmethod
    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        """Yield what the inputs must satisfy together."""

    @abstractmethod
    def output(self, inputs: Shapes) -> Shape:
        """Return the shape of the (first) result."""

    def outputs(self, inputs: Shapes) -> Shapes:
        """Return the shapes of all results; one, unless a kind says otherwise."""
        return (self.output(inputs),)

    @abstractmethod
    def weights(self, inputs: Shapes) -> Named:
        """Return the learned tensors by torch's names."""

    @abstractmethod
    def buffers(self, inputs: Shapes) -> Named:
        """Return the tensors that are kept but not learned, by torch's names."""

    @abstractmethod
    def macs(self, inputs: Shapes) -> Dim | None:
        """Return the multiply-accumulates, or None when they cannot be counted."""

    def operations_on(self, inputs: Shapes) -> Operations | None:
        return self.operations(inputs)

    def operations(self, inputs: Shapes) -> Operations | None:
        """Return the single operations by part; not known, unless a kind says otherwise."""
        return None


class Merge(Joint):
    """A kind that makes one tensor of several, without weights; a spec may hold the branches for them."""

    takes_any_number: ClassVar[bool] = False
    """Whether the result has the same shape with a tensor less, as that of a sum has."""
    keeps_places: ClassVar[bool] = True
    """Whether elements meet that stand at the same place, as in a sum; in a matrix product they do not."""

    branches: Annotated[tuple[tuple[str, Any], ...] | None, Holds()] = None

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

    def weights(self, inputs: Shapes) -> Named:
        """No learned tensors."""
        return {}

    def buffers(self, inputs: Shapes) -> Named:
        """No buffers, unless a kind says otherwise."""
        return {}
