"""What a layer kind is: one class with its fields and every rule about them.

    Kind                what the engine sees: fields, and `apply` over any number of tensors
    └── Ruled           the rules, which make up the effect
        ├── Layer       one tensor in: the base of nearly every kind, and of yours
        └── Joint       several tensors in, some of which may be optional
            └── Merge   branches in, one tensor out, no weights

A rule that is missing makes the class abstract, so a kind cannot forget one; a kind without
weights or without multiplications says so by naming `NoWeights` or `NoMacs` among its bases.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict

from shapecalc.algebra import Dim, product
from shapecalc.algebra.formula import Formula
from shapecalc.layers.centre import Centres, middles
from shapecalc.layers.class_names import snake_case
from shapecalc.layers.counts import Operations
from shapecalc.layers.declaration import RANKED, arrange_fields, by_position, document, name_ranks
from shapecalc.layers.dependence import Dependence, unknown
from shapecalc.layers.effect import Caller, Component, Effect, Named, Shapes, Window, count
from shapecalc.layers.family import Family
from shapecalc.layers.memory_rule import MemoryRule
from shapecalc.layers.memory_traits import Saves
from shapecalc.layers.mixins import (
    AnyShape,
    KeepsOrder,
    NoBuffers,
    NoMacs,
    NoOperations,
    NoWeights,
    NoWindow,
    OwnPlace,
    SameShape,
)
from shapecalc.layers.requirement import Refused, Requirement, Shape, arity, checked
from shapecalc.layers.resolving import resolved
from shapecalc.layers.roles import Holds

__all__ = [
    "AnyShape", "Caller", "Component", "Effect", "Joint", "Kind", "Layer", "Merge", "Named",
    "NoBuffers", "NoMacs", "NoOperations", "NoWeights", "NoWindow", "OwnPlace", "Pointwise",
    "SameShape", "Shapes", "Window", "count",
]  # fmt: skip


class Kind(MemoryRule, BaseModel):
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
    """Whose rules these are, `torch`, `keras` or `onnx`; None where channels play no part and they agree."""
    unknown_dependence: ClassVar[tuple[str, str] | None] = None
    """The axes on which results depend in a way that is not known, and why."""
    fixes_sizes: ClassVar[bool] = False
    """Whether the sizes of the results do not depend on those of the input, as in global pooling."""
    takes_empty: ClassVar[bool] = False
    """Whether the rules hold for tensors without elements too, as torch has them."""
    saves: ClassVar[Saves | None] = None
    """What is saved for backward, where a word says it; not known, unless a kind says otherwise."""
    statistics: ClassVar[frozenset[str]] = frozenset()
    """The tensors that training gathers and does not learn; Keras counts them as parameters."""
    rank: ClassVar[int]
    """The number of spatial axes, of a kind for a fixed number."""
    order: ClassVar[str] = ""
    """The fields in the order of torch's arguments, where they are declared in another: `...` is the others,
    and what follows a `*` is not given by position."""
    remark: ClassVar[str] = ""
    """What a base class adds to the docstrings of its kinds."""
    example: ClassVar[str] = ""
    """The example in the docstrings of kinds that have none of their own, with `{name}` for the class."""

    def __init_subclass__(
        cls,
        *,
        kind: str | None = None,
        framework: str | None = None,
        torch: str | None = None,
        keras: str | None = None,
        rank: int | None = None,
        ranked: str = "",
        ranks: tuple[int, ...] = (1, 2, 3),
        **config: Any,
    ) -> None:
        """Take the names of a kind from the head of its class.

        A family names all ranks with `{rank}`, its classes in `ranked` or as torch's.
        """
        super().__init_subclass__(**config)
        ranked = ranked or (torch or "").rpartition(".")[2]
        if "{rank}" in ranked:
            kind = snake_case(ranked.removeprefix("Keras"))
            RANKED.update({(cls.__module__, ranked.format(rank=number)): (cls, number) for number in ranks})
        kind = kind or (snake_case(cls.__name__) if torch or keras else None)
        names = {"kind": kind, "framework": framework, "torch": torch, "keras": keras}
        for name in (name for name, value in names.items() if value is not None):
            setattr(cls, name, names[name])
        if rank is not None:
            name_ranks(cls, rank)

    @classmethod
    def __pydantic_init_subclass__(cls, **names: Any) -> None:
        """Arrange the fields and complete the docstring, as soon as the fields are known."""
        if cls.order:
            arrange_fields(cls)
        document(cls)

    def __init__(self, *values: Any, **fields: Any) -> None:
        """Take fields by position as torch does, or by name."""
        super().__init__(**(by_position(type(self), values, fields) if values else fields))

    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]  # validating data calls no `__init__`

    @classmethod
    def channel_axis(cls, x: Shape) -> int:
        """Return the number of the axis of channels: the second, unless a kind has another layout."""
        return 1

    @property
    def acts_as(self) -> Family:
        """The family of this layer; of a layer around another, that of the one inside."""
        return self.family

    @property
    def gathered(self) -> frozenset[str]:
        """The weights and buffers of this layer that are statistics."""
        return self.statistics

    @property
    def idle_params(self) -> int:
        """How many of its learned numbers one token does not use, where that is known."""
        return 0

    @property
    def condition(self) -> str | None:
        """The condition on sizes that it holds, for one that computes nothing else."""
        return None

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
        """Return what a result, counted from 0, sees of each input; None on an axis that is not declared."""
        return tuple([unknown(len(x)) for x in inputs])

    def axes(self, x: Shape, number: int) -> tuple[str, ...]:
        """Return what a derivation calls the last axes of an input; none where its order says it.

        `number` is the number of the tensor, from 0.
        """
        return ()

    def resolve(self, evaluate: Callable[[Formula], Any]) -> Self:
        """Return the layer with every formula evaluated and every value checked again."""
        return resolved(self, evaluate)

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
        """Return the fields that are set, as a spec would write them, in declaration order."""
        return {
            name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set
        }


for _name in Kind.__class_vars__:  # pydantic knows them now, and would evaluate them for every kind again
    del Kind.__annotations__[_name]


class Ruled(Kind):
    """A kind whose effect is that of its rules, each a method.

    A rule receives the full shape of the input, batch included, as torch's layer would; the rules of a
    `Joint` receive the shapes of all inputs. Requirements are checked in order and the first that fails
    ends the inference of this layer, so a later one may rely on an earlier one.
    """

    @classmethod
    def __pydantic_init_subclass__(cls, **names: Any) -> None:
        """Make a class abstract that defines neither operations nor MACs."""
        super().__pydantic_init_subclass__(**names)
        if cls.operations is Ruled.operations and cls.macs is Ruled.macs:
            cls.__abstractmethods__ = cls.__abstractmethods__ | {"operations"}

    def apply(self, inputs: Shapes) -> Effect:
        x = self.taken(inputs)
        conditions = checked(self.requirements(x))
        return Effect(
            outputs=self.outputs(x),
            weights=self.weights(x),
            buffers=self.buffers(x),
            macs=self.macs(x),
            window=self.window(x),
            conditions=conditions,
        )

    def taken(self, inputs: Shapes) -> Any:
        """Return what the rules receive."""
        return inputs

    @abstractmethod
    def requirements(self, x: Any) -> Iterator[Requirement]:
        """Yield what the input must satisfy for torch's layer to accept it."""

    @abstractmethod
    def output(self, x: Any) -> Shape:
        """Return the shape of the (first) result."""

    def outputs(self, x: Any) -> Shapes:
        """Return the shapes of all results; one, unless a kind says otherwise."""
        return (self.output(x),)

    @abstractmethod
    def weights(self, x: Any) -> Named:
        """Return the learned tensors by torch's names."""

    @abstractmethod
    def buffers(self, x: Any) -> Named:
        """Return the tensors that are kept but not learned, by torch's names."""

    def operations(self, x: Any) -> Operations | None:
        """Return the single operations by part, or None where they are not known."""
        return None

    def macs(self, x: Any) -> Dim | None:
        """Return the multiply-accumulates: those among the operations, or None where they are not known.

        A kind defines its operations, or its MACs alone where the others are not known.
        """
        operations = self.operations(x)
        return None if operations is None else operations.macs

    @abstractmethod
    def window(self, x: Any) -> Window | None:
        """Return the window that slides over the input, or None for a pointwise layer."""

    def shapes_of_results(self, inputs: Shapes) -> Shapes:
        return self.outputs(self.taken(inputs))

    def operations_on(self, inputs: Shapes) -> Operations | None:
        return self.operations(self.taken(inputs))


class Layer(Ruled):
    """A kind that takes one tensor. Subclass it to add a kind of your own."""

    def taken(self, inputs: Shapes) -> Shape:
        if len(inputs) != 1:
            raise Refused(arity(self.kind, len(inputs), 1))
        return inputs[0]

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        return (self.dependence(inputs[0], result),)

    def dependence(self, x: Shape, result: int) -> Dependence:
        """Return what a result, counted from 0, sees on each axis of the input; None if not declared."""
        return unknown(len(x))

    def centres(self, x: Shape) -> Centres:
        """Return what each axis of the result is centred on.

        It is the middle of what a result sees there; where that is everything, a result of the input's
        shape is taken to be at the place of its input. A kind whose windows differ from position to
        position overrides this. None means that it is not known, and asserts nothing.
        """
        output = self.output(x)
        return middles(self.dependence(x, 0), len(output), keeps_places=output == x)


class Pointwise(KeepsOrder, OwnPlace, SameShape, AnyShape, NoWeights, NoMacs, NoWindow, Layer):
    """A function of each element: shape kept, no weights, no multiply-accumulates."""

    takes_empty = True
    example = "{name}().output((1, 64, 32, 32))\n(1, 64, 32, 32)"
    per_element: ClassVar[Operations | None] = None
    """The single operations for each element; not known, unless a kind says otherwise."""

    def operations(self, x: Shape) -> Operations | None:
        return None if self.per_element is None else self.per_element * product(x)


Elementwise = Pointwise  # its former name


class Joint(NoWindow, Ruled):
    """A kind that takes several tensors, the later of which may be optional, and may have weights.

    Every rule receives the shapes of all input tensors, in order. A tensor is identified
    by its position, so the number of tensors is the first thing to require.
    """


class Merge(NoWeights, Joint):
    """A kind that makes one tensor of several, without weights; a spec may hold the branches for them."""

    order = "* ..."
    takes_any_number: ClassVar[bool] = False
    """Whether the result has the same shape with a tensor less, as that of a sum has."""
    keeps_places: ClassVar[bool] = True
    """Whether elements meet that are at the same place, as in a sum; in a matrix product they do not."""

    symbol: ClassVar[str] = ""
    """The sign of the operation, if it has one; a picture writes it instead of the name."""

    branches: Annotated[tuple[tuple[str, Any], ...] | None, Holds()] = None

    def __init__(self, *unnamed: Any, **named: Any) -> None:
        """Take branches by position or by name: `Add([...], [])`, `Add(main=[...], skip=[])`."""
        fields = {name: named.pop(name) for name in type(self).model_fields if name in named}
        branches = [(str(index), branch) for index, branch in enumerate(unnamed)] + [*named.items()]
        for name, branch in branches:
            if not isinstance(branch, (list, tuple, str)):
                raise TypeError(f"{type(self).__name__}: {name} is neither a field nor a list of layers")
        if branches:
            fields["branches"] = tuple(branches)
        super().__init__(**fields)
