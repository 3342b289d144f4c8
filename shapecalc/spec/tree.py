"""The spec as a tree of pydantic models: what YAML is read into and what Python writes directly.

Spec (a model)
├── parameters, input, expect, variants …
├── blocks: Block, with arguments and steps of its own
└── layers: Step, which holds one body
        Kind        a layer or merge (a merge holds branches of steps)
        Call        a block, or a kind that an argument chooses
        Sequential  steps under one name
        Side        steps beside the trunk, whose result is an output of its own
        Unread      what could not be read, while further mistakes are searched for
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Self, TypeAlias, get_args

from pydantic import (
    BeforeValidator,
    Field,
    PrivateAttr,
    StrictBool,
    ValidationInfo,
    field_validator,
    model_validator,
)

from shapecalc.errors import Place, WrongWord, nearest, quote
from shapecalc.layers import registry
from shapecalc.layers.base import Caller, Kind, Merge
from shapecalc.layers.fields import Integer, Nullable, Truth, complaint, inside
from shapecalc.spec.dialect import translated
from shapecalc.spec.metadata import Budget, Expect, Node, OneLine, Paper, Variant
from shapecalc.spec.reference import Reference
from shapecalc.spec.spec_values import (
    codes,
    identifier,
    input_shape,
    is_step_name,
    names_of,
    operand,
    output_names,
    references,
    values_of,
)

Steps: TypeAlias = "Annotated[tuple[Step, ...], BeforeValidator(as_steps)]"
MOST_LAYERS = 20_000
"""More layers than this are refused, and so are more passes of one repeat."""


class Call(Node):
    """A block by its name, or a kind chosen by an argument, with its arguments.

    >>> Call("bottleneck", width=128, stride=2).arguments
    {'width': 128, 'stride': 2}
    """

    callee: str
    arguments: Annotated[dict[str, Any], BeforeValidator(lambda args: values_of(args, read=operand))] = Field(
        default_factory=dict
    )

    def __init__(self, callee: str | None = None, /, **data: Any) -> None:
        super().__init__(**(data if callee is None else {"callee": callee, "arguments": data}))

    @field_validator("callee")
    @classmethod
    def _no_kind(cls, callee: str) -> str:
        if registry.is_known(callee):
            raise complaint(
                f"{callee} is a kind, so it is not called: write {registry.get(callee).__name__}(...)"
            )
        return callee


class Sequential(Node):
    """Steps that run one after the other, under one name."""

    steps: Steps

    def __init__(self, steps: Sequence[Any] = (), /, **data: Any) -> None:
        super().__init__(**({"steps": steps} | data))


class Side(Sequential):
    """Steps that run beside the trunk: their result is an output named as the step is."""

    __init__ = Sequential.__init__  # repeated for type checkers, which expect fields only


class Unread(Node):
    """A body that could not be read: what the step makes is not known."""

    label: str = "step"


class Step(Node):
    """One line of a layer list: a body, and how it is connected, repeated and shared."""

    body: Kind | Call | Sequential | Unread | None = None
    name: str | None = None
    repeat: Any = None
    carry: dict[str, Any] | None = None
    when: Annotated[Any, Nullable(Truth())] = None
    source: tuple[str, ...] | None = Field(default=None, alias="from")
    share: str | None = None
    trainable: StrictBool | None = None
    called: Caller | None = None
    ignore: Annotated[tuple[str, ...], BeforeValidator(codes)] = ()
    place: Place = Field(default_factory=Place, repr=False)

    def __init__(self, body: Any = None, /, **data: Any) -> None:
        super().__init__(**(data if body is None else {"body": body} | data))

    @field_validator("body", mode="before")
    @classmethod
    def _body(cls, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return Sequential(value)
        if isinstance(value, Merge) and value.branches is not None:
            return _with_steps(value)
        return value

    @field_validator("name")
    @classmethod
    def _plain_name(cls, name: str | None) -> str | None:
        if name is not None and not is_step_name(name):
            raise complaint(f"the name {quote(name)} is not letters, digits and underscores")
        return name

    @field_validator("source", mode="before")
    @classmethod
    def _sources(cls, value: Any) -> Any:
        names = (value,) if isinstance(value, str) else value
        if names is None or (isinstance(names, (list, tuple)) and names and _are_texts(names)):
            references(names or ())
            return names
        raise complaint(f"an earlier step or a list of them is named here, not {quote(value)}")

    @field_validator("called", mode="before")
    @classmethod
    def _caller(cls, value: Any) -> Any:
        words = get_args(Caller)
        if value is None or value in words:
            return value
        message = f"{quote(value)} is not one of {', '.join(words)}{nearest(str(value), words)}"
        raise complaint(message, fact=WrongWord(value, words, is_choice=True))

    @field_validator("repeat", mode="before")
    @classmethod
    def _times(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            return values_of(value, "a loop variable", operand)
        return None if value is None else Integer(0, MOST_LAYERS).check(value)

    @field_validator("carry", mode="before")
    @classmethod
    def _carried(cls, value: Any) -> Any:
        return None if value is None else values_of(value, "what is carried", operand)

    @field_validator("share")
    @classmethod
    def _shared(cls, value: str | None) -> str | None:
        references(() if value is None else (value,))
        return value

    @model_validator(mode="after")
    def _has_something_to_do(self) -> Step:
        if self.body is None and self.share is None:
            raise complaint("a step needs a kind, or `share` with the step to run again")
        if self.carry is not None and self.repeat is None:
            raise complaint("tensors are handed from pass to pass, and this step does not repeat", "carry")
        for name in self.carry or ():
            if isinstance(self.repeat, Mapping) and name in self.repeat:
                raise complaint(f"{quote(name)} is a loop variable already", "carry", name)
        if isinstance(self.body, Merge) and not self.body.branches and self.source is None:
            hint = "give it branches, or `from` with earlier steps"
            raise complaint(f"{self.body.kind} has nothing to merge: {hint}")
        return self

    @property
    def reads_in_every_pass(self) -> bool:
        """Whether `from` names what differs from pass to pass, so that each reads a tensor of its own."""
        if self.repeat is None or self.source is None:
            return False
        loops = self.repeat if isinstance(self.repeat, Mapping) else ()
        own = {*loops, *(self.carry or ()), self.name}
        references = map(Reference.parse, self.source)
        return any(not own.isdisjoint(reference.names) for reference in references)


def _are_texts(values: Iterable[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


class Block(Node):
    """A list of steps with arguments; an argument whose default is None is required.

    What it `uses` is read where the block is called: steps, arguments and loop variables of its caller.
    """

    args: Annotated[dict[str, Any], BeforeValidator(lambda args: values_of(args, "an argument"))] = Field(
        default_factory=dict
    )
    uses: Annotated[tuple[str, ...], BeforeValidator(names_of)] = ()
    layers: Steps
    place: Place = Field(default_factory=Place, repr=False)

    @model_validator(mode="after")
    def _names_differ(self) -> Block:
        for name in self.uses:
            if name in self.args:
                raise complaint(f"{quote(name)} is an argument of the block already", "uses")
        return self


class Spec(Node):
    """A model as written: parameters, input, blocks, layers and what it must come to."""

    name: OneLine = "model"
    title: OneLine | None = None
    description: str | None = None
    paper: Paper | None = None
    framework: str = "torch"
    batched: StrictBool = True
    parameters: dict[str, Any] = Field(default_factory=dict)
    input: dict[str, tuple[Any, ...]]
    blocks: dict[str, Block] = Field(default_factory=dict)
    layers: tuple[Step, ...]
    outputs: dict[str, str] | None = None
    expect: Expect | None = None
    budget: Budget | None = None
    ignore: Annotated[tuple[str, ...], BeforeValidator(codes)] = ()
    variants: dict[str, Variant] = Field(default_factory=dict)
    place: Place = Field(default_factory=Place, repr=False)
    _is_member: bool = PrivateAttr(default=False)

    @field_validator("framework", mode="before")
    @classmethod
    def _framework(cls, value: Any) -> Any:
        if not isinstance(value, str) or value not in registry.FRAMEWORKS:
            raise complaint(f"{quote(value)} is not a framework; known are {', '.join(registry.FRAMEWORKS)}")
        return value

    @field_validator("blocks", "layers", mode="after")
    @classmethod
    def _in_its_classes(cls, value: Any, info: ValidationInfo) -> Any:
        framework = info.data.get("framework", "torch")
        if isinstance(value, tuple):
            return translated(value, framework)
        return {
            name: block.model_copy(update={"layers": translated(block.layers, framework)})
            for name, block in value.items()
        }

    @field_validator("parameters", mode="before")
    @classmethod
    def _parameters(cls, value: Any) -> Any:
        values = values_of(value, "a parameter")
        for name in RESERVED_PARAMETERS & values.keys():
            raise complaint(f"{name!r} cannot name a parameter: a model's methods take it as an option", name)
        return values

    @field_validator("blocks")
    @classmethod
    def _block_names(cls, blocks: dict[str, Block]) -> dict[str, Block]:
        for name in blocks:
            inside(name, identifier, name, "a block")
            if registry.is_known(name) or name in registry.RESERVED:
                raise complaint(f"the block {quote(name)} has the name of a kind", name)
        return blocks

    @field_validator("input", mode="before")
    @classmethod
    def _input(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return {"input": input_shape("input", value)}
        if not value:
            raise complaint("a model needs at least one input")
        return {name: inside(name, input_shape, name, shape) for name, shape in value.items()}

    @field_validator("layers", mode="before")
    @classmethod
    def _steps(cls, value: Any) -> Any:
        steps = as_steps(value)
        if not steps:
            raise complaint("a model needs at least one layer")
        return steps

    @field_validator("outputs", mode="before")
    @classmethod
    def _outputs(cls, value: Any) -> Any:
        return None if value is None else output_names(value)

    @property
    def front(self) -> int:
        """How many axes there are before the sizes of the input: the batch, unless they are complete."""
        return int(self.batched)

    def variant(self, name: str) -> Self:
        """Return the member of the family with this name."""
        chosen = self.variants[name]
        changes = {
            "name": name,
            "title": chosen.title or self.title,
            "paper": chosen.paper or self.paper,
            "parameters": {**self.parameters, **chosen.parameters},
            "expect": chosen.expect,
            "budget": chosen.budget.over(self.budget) if chosen.budget else self.budget,
            "variants": {},
        }
        member = self.model_copy(update=changes)
        member._is_member = True  # noqa: SLF001  (a copy of this very class)
        return member

    @property
    def is_member(self) -> bool:
        """Whether this is one of a family, whose file also holds what only the others use."""
        return self._is_member


RESERVED_PARAMETERS = frozenset(
    {"input", "batch", "symbolic", "dtype", "count", "max_params", "max_macs", "strict", "ignore", "self"}
)


def as_steps(value: Any) -> tuple[Step, ...]:
    """Return steps from a list of steps, layers, calls and lists."""
    if isinstance(value, (Kind, Call, Sequential, Step)):
        value = [value]
    if not isinstance(value, (list, tuple)):
        raise complaint(f"{quote(value)} is not a list of layers")
    return tuple(item if isinstance(item, Step) else Step(item) for item in value)


def _with_steps(merge: Merge) -> Merge:
    branches = merge.branches or ()
    if len(dict(branches)) < len(branches):
        raise complaint("two branches have the same name")
    for name, _ in branches:
        if not name.isdigit():
            identifier(name, "a branch")
    for name, branch in branches:
        inside(name, references, (branch,) if isinstance(branch, str) else ())
    read = [(name, branch if isinstance(branch, str) else as_steps(branch)) for name, branch in branches]
    return merge.model_copy(update={"branches": tuple(read)})
