"""What a spec says of a model beside its layers: paper, expected figures, budget, and members of a family."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StrictInt

from shapecalc.spec.spec_values import Amount, Bytes, values_of

OneLine: TypeAlias = Annotated[str, AfterValidator(lambda text: " ".join(text.split()))]
"""A text that is printed on a line of its own: line ends in it become blanks."""


class Node(BaseModel):
    """The settings that every part of the tree shares."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, populate_by_name=True, defer_build=True
    )


class Paper(Node):
    """Where an architecture was published."""

    title: OneLine
    authors: OneLine | None = None
    year: StrictInt | None = None
    url: str | None = None


class Expect(Node):
    """What a model must come to at its own input and parameters: `check` and `show` report a difference."""

    params: StrictInt | None = None
    trainable_params: StrictInt | None = None
    buffers: StrictInt | None = None
    macs: StrictInt | None = None
    output: tuple[StrictInt, ...] | dict[str, tuple[StrictInt, ...]] | None = None


class Budget(Node):
    """The most that a model may cost; `check` names the layers that spend it when it is exceeded."""

    params: Annotated[Any, Amount()] = None
    macs: Annotated[Any, Amount()] = None
    memory: Annotated[Any, Bytes()] = None
    training: OneLine | None = None
    batch: StrictInt | None = None

    def over(self, other: Budget | None) -> Budget:
        """Return this budget, with the amounts of another where it has none of its own."""
        theirs = {} if other is None else dict(other)
        return Budget(**{name: theirs.get(name) if own is None else own for name, own in self})


class Variant(Node):
    """A named member of a family: the same layers under other parameters."""

    title: OneLine | None = None
    paper: Paper | None = None
    parameters: Annotated[dict[str, Any], BeforeValidator(values_of)] = {}
    expect: Expect | None = None
    budget: Budget | None = None
