"""One way to set a layer's window: its fields, its layer, and what the layer makes of sizes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from shapecalc.algebra import Dim, Expr
from shapecalc.algebra.integer_set import IntegerSet
from shapecalc.algebra.relation import Relation
from shapecalc.algebra.solution import solve
from shapecalc.errors import SpecError, Undecided, nearest, quote
from shapecalc.layers import registry
from shapecalc.layers.arithmetic import extent
from shapecalc.layers.fields import OneOf
from shapecalc.layers.requirement import Refused, Requirement, Shape
from shapecalc.layers.spatial import ChannelsLast, Spatial

if TYPE_CHECKING:
    from shapecalc.solving.bounds import Bounds

_NEEDED = {"out_channels": 1, "norm_type": 1}
"""Required fields that do not change sizes."""
_PLAIN: dict[str, Any] = {
    "stride": 1,
    "padding": 0,
    "dilation": 1,
    "output_padding": 0,
    "ceil_mode": False,
}
_ANY = IntegerSet.at_least(0)

Padding: TypeAlias = Dim | str | tuple[Dim, Dim]


@dataclass(frozen=True, slots=True)
class Setting:
    """A kind with the fields that decide its sizes; fields the kind does not have keep their defaults.

    >>> print(Setting("conv2d", 3, stride=2, padding=1))
    conv2d: {kernel_size: 3, stride: 2, padding: 1}
    """

    kind: str
    kernel_size: int
    stride: int = 1
    padding: Padding = 0
    dilation: int = 1
    output_padding: int | None = 0
    ceil_mode: bool = False
    framework: str = "torch"
    unread: int = 0
    """How many positions at the end of the input no window reads, where that is known to be a loss."""

    @property
    def cls(self) -> type[Spatial]:
        return kind_of(self.kind, self.framework)

    @property
    def values(self) -> dict[str, Any]:
        """The value of every field that the kind has."""
        names = ("kernel_size", *_PLAIN)
        return {name: getattr(self, name) for name in names if name in self.cls.model_fields}

    @property
    def fields(self) -> dict[str, Any]:
        """The fields as a spec writes them, those at their defaults left out."""
        cls = self.cls
        return {
            name: [[*value] for _ in range(cls.rank)] if isinstance(value, tuple) else value
            for name, value in self.values.items()
            if name == "kernel_size" or value != self._default(cls, name)
        }

    def _default(self, cls: type[Spatial], name: str) -> Any:
        default = cls.model_fields[name].default
        return self.kernel_size if name == "stride" and default is None else default

    def layer(self) -> Spatial:
        """Return the layer, every field checked as in a spec."""
        cls = self.cls
        return cls.model_validate(self.fields | needed(cls))

    def unchecked(self) -> Spatial:
        """Return the layer without checks; its padding may be left free."""
        cls = self.cls
        values = {name: (v,) * cls.rank if isinstance(v, tuple) else v for name, v in self.values.items()}
        return cls.model_construct(None, **(values | needed(cls)))

    def outputs(self, sizes: Sequence[Dim]) -> tuple[Shape, tuple[Requirement, ...]] | None:
        """Return what the unchecked layer makes of sizes, and under which conditions; None for never."""
        try:
            return applied(self.unchecked(), sizes)
        except Refused:
            return None

    def padded(self, padding: int) -> Setting:
        """Return the setting with a number for a padding that was left free; any other as it is."""
        if isinstance(self.padding, tuple):
            return replace(self, padding=(padding, padding + 1))
        return replace(self, padding=padding) if isinstance(self.padding, Expr) else self

    def variants(self, bounds: Bounds) -> list[Setting]:
        """Return the settings with what may be added to reach a size, plainest first."""
        cls = self.cls
        paddings: list[int | None] = [0]
        if "output_padding" in cls.model_fields:
            paddings = [*bounds.output_paddings(self.stride, self.dilation)]
            if padding_words(cls) and bounds.output_padding is None:
                paddings = [None, *paddings]
        sides: list[Padding] = [self.padding]
        if bounds.uneven and takes_sides(cls) and not isinstance(self.padding, (str, tuple)):
            sides.append((self.padding, self.padding + 1))
        ceils = (False, True) if "ceil_mode" in cls.model_fields else (False,)
        return [
            replace(self, padding=padding, output_padding=op, ceil_mode=ceil)
            for padding in sides
            for op in paddings
            for ceil in ceils
        ]

    def confirmed(self, sizes: tuple[int, ...], wanted: tuple[int, ...]) -> Setting:
        """Verify an answer with the layer itself; add how many positions its windows leave unread.

        Raises `Undecided` where the layer, built as a spec builds it, makes something else of the sizes.
        """
        layer = self.layer()
        x = shape_of(type(layer), sizes)
        effect = layer.apply((x,))
        got = layer.sizes(effect.outputs[0])
        if got != wanted:
            raise Undecided(f"{self} turns {sizes_text(sizes)} into {got}, not what its closed form says")
        unread = [left for left in layer.unread(effect.window, x, effect.outputs[0]) if isinstance(left, int)]
        return replace(self, unread=max([0, *unread]))

    @property
    def order(self) -> tuple[Any, ...]:
        """The sort key of settings, simplest first.

        Without dilation before with; without output padding; the same padding on both sides; without
        ceil_mode; windows that leave no position out, between them or at the end; then the smaller kernel,
        the smaller stride and the smaller padding.
        """
        padding = self.padding if isinstance(self.padding, int) else 0
        return (
            self.dilation,
            self.output_padding or 0,
            isinstance(self.padding, tuple),
            self.ceil_mode,
            extent(self.kernel_size, self.dilation) < self.stride,
            self.unread > 0,
            self.kernel_size,
            self.stride,
            padding,
            str(self.padding),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the setting as plain data for JSON: the kind and every field it has."""
        values = {name: [*v] if isinstance(v, tuple) else v for name, v in self.values.items()}
        return {"kind": self.kind, **values, "unread": self.unread}

    def __str__(self) -> str:
        return f"{self.kind}: {written(self.fields)}"


def written(fields: Mapping[str, Any]) -> str:
    """Return fields as a spec writes them in one line.

    >>> written({"kernel_size": 3, "ceil_mode": True})
    '{kernel_size: 3, ceil_mode: true}'
    """
    pairs = [f"{name}: {str(v).lower() if isinstance(v, bool) else v}" for name, v in fields.items()]
    return f"{{{', '.join(pairs)}}}"


def sizes_text(sizes: tuple[int, ...]) -> str:
    """Return sizes as a reader writes them: one number where all are equal."""
    return str(sizes[0]) if len(set(sizes)) == 1 else "x".join(map(str, sizes))


# ---- what a layer makes of sizes


def shape_of(cls: type[Spatial], sizes: Sequence[Dim]) -> Shape:
    """Return a shape with one channel and these sizes, as a kind's framework lays it out."""
    return (1, *sizes, 1) if issubclass(cls, ChannelsLast) else (1, 1, *sizes)


def applied(layer: Spatial, sizes: Sequence[Dim]) -> tuple[Shape, tuple[Requirement, ...]]:
    """Return what a layer makes of sizes, and under which conditions; raise `Refused` where it never does."""
    effect = layer.apply((shape_of(type(layer), sizes),))
    return layer.sizes(effect.outputs[0]), effect.conditions


def meeting(conditions: Iterable[Requirement]) -> IntegerSet:
    """Return the values of the one unknown for which all conditions hold."""
    values = _ANY
    for condition in conditions:
        values &= solutions(condition.relation)
    return values


def solutions(relation: Relation) -> IntegerSet:
    """Return the values of the one unknown for which a relation holds; all or none where it has none."""
    if isinstance(relation.difference, int):
        return _ANY if relation.verdict() else IntegerSet()
    solved = solve(*relation)
    if solved is None:
        left, op, right = relation
        raise Undecided(f"for which numbers {left} {op} {right} holds is not decided here")
    return solved[1]


# ---- kinds with a window


def kind_of(name: str, framework: str = "torch") -> type[Spatial]:
    """Return the class of a kind that slides a window whose settings can be solved for."""
    cls = registry.get(name, framework)
    if not _has_window(cls):
        known = [kind for kind in registry.kinds(framework) if _has_window(registry.find(kind, framework))]
        raise SpecError(
            f"{quote(name)} has no window to solve for{nearest(name, known)}",
            hint="kinds with a window are convolutions, transposed ones, and pools",
        )
    assert issubclass(cls, Spatial)
    return cls


def _has_window(cls: object) -> bool:
    if not isinstance(cls, type) or not issubclass(cls, Spatial):
        return False
    required = {name for name, field in cls.model_fields.items() if field.is_required()}
    return "kernel_size" in required and required <= {"kernel_size", *_NEEDED}


def needed(cls: type[Spatial]) -> dict[str, int]:
    """Return values for the required fields that do not change sizes."""
    fields = cls.model_fields
    return {name: value for name, value in _NEEDED.items() if name in fields and fields[name].is_required()}


def padding_words(cls: type[Spatial]) -> tuple[str, ...]:
    """Return the legal words for a padding where it is no number, as under Keras."""
    rule = _padding_rule(cls)
    return rule.words if rule is not None and rule.otherwise is None else ()


def has_numeric_padding(cls: type[Spatial]) -> bool:
    """Say whether a kind takes its padding as a number."""
    return "padding" in cls.model_fields and not padding_words(cls)


def takes_sides(cls: type[Spatial]) -> bool:
    """Say whether a kind takes padding per side: its rule knows words besides."""
    rule = _padding_rule(cls)
    return rule is not None and rule.otherwise is not None


def _padding_rule(cls: type[Spatial]) -> OneOf | None:
    info = cls.model_fields.get("padding")
    return next((rule for rule in info.metadata if isinstance(rule, OneOf)), None) if info else None
