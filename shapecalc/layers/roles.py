"""Field roles: what a field of a layer is for, declared once in its annotation.

    Declares        a size of the input, checked where it is given
    Inferred        the same, and inferred where it is left out
    Makes           the number of channels or features of the result
    Divides         must divide sizes of the input or of other fields
    WindowField     a part of the sliding window: kernel, stride, padding, dilation
    Lettered        a number with a letter of its own in formulas, and no other role
    AsNumbers       sizes that formulas show as numbers, without letters
    Implementation  how a framework computes the result, not what the result is
    Holds           layers or steps inside the layer

Requirements, derivations, `diff`, export, repair, error recovery, the counterparts in the frameworks and the
test strategies read the roles, so that none of them keeps a list of field names.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from shapecalc.algebra import Dim
from shapecalc.layers.fields import Count, CountPerAxis, ExtentPerAxis, Flag, OptionalCount
from shapecalc.layers.requirement import DeclaredSize, Requirement, Shape, divides
from shapecalc.record import record

if TYPE_CHECKING:
    from shapecalc.layers.base import Kind, Shapes


@record
class Role:
    """What a field is for. A formula calls the field by its letter, or by its own name if it has none."""

    letter: str = ""
    neutral: int | None = None
    """The value at which formulas leave the field out, as textbooks do."""
    same_as: str = ""
    """The field whose value this one takes where it is left out."""


@record
class Declares(Role):
    """The field declares a size of the input."""

    axis: int | None = None
    """The axis of the input; None for the axis of channels."""
    tensor: int = 0
    what: str = ""
    """What the size counts, in messages."""

    def size(self, cls: type[Kind], inputs: Shapes) -> Dim | None:
        """Return the size that is declared, or None where there is no such axis."""
        x = self.tensor_in(inputs)
        axis = cls.channel_axis(x) if self.axis is None else self.axis
        return x[axis] if -len(x) <= axis < len(x) and (self.axis is not None or axis >= 0) else None

    def tensor_in(self, inputs: Shapes) -> Shape:
        """Return the shape of the tensor; one tensor alone is query, key and value at once."""
        return inputs[min(self.tensor, len(inputs) - 1)]

    @property
    def counted(self) -> str:
        """What the size counts."""
        return self.what or ("features in its last axis" if self.axis == -1 else "channels")


@record
class Inferred(Declares):
    """The field declares a size of the input, and is inferred where it is left out.

    With `same_as` it is the other field's size that is taken, which must then be the input's as well.
    """


@record
class Makes(Role):
    """The field is the number of channels or features of the result, whatever the input has."""


@record
class Divides(Role):
    """The field must divide sizes: those of the fields named, or the input's channels where none is."""

    of: tuple[str, ...] = ()
    why: str = ""
    """The reason, for the hint."""


@record
class WindowField(Role):
    """The field is a part of the sliding window, per axis: a small number, whatever the sizes are."""

    is_shown: bool = True
    """Whether `Window` has it, so that comparing windows compares it."""


@record
class Lettered(Role):
    """The field has a letter in formulas."""

    per_axis: bool = False
    """Whether a list has an entry for each spatial axis, of a kind for any number of axes."""


@record
class AsNumbers(Role):
    """The field holds sizes that formulas show as numbers: a target shape, a -1, a table."""


@record
class Implementation(Role):
    """The field says how the framework computes the result, not what the result is."""


@record
class Holds(Role):
    """The field holds layers or steps."""


R = TypeVar("R", bound=Role)


@cache
def roles(cls: type[Kind]) -> dict[str, Role]:
    """Return the role of every field of a kind that declares one.

    >>> from shapecalc.layers.conv import Conv2d
    >>> roles(Conv2d)["out_channels"].letter
    'C_out'
    """
    return {  # the last role counts: a field may give the role of its type another letter
        name: item
        for name, info in cls.model_fields.items()
        for item in info.metadata
        if isinstance(item, Role)
    }


@cache
def sizes_inferred(cls: type[Kind]) -> dict[str, Inferred]:
    """Return the fields that are read off the input where they are left out."""
    return {name: role for name, role in fields_with(cls, Inferred).items() if not role.same_as}


@cache
def fields_with(cls: type[Kind], role: type[R]) -> dict[str, R]:
    """Return the fields that have a role, in the order of their declaration.

    >>> from shapecalc.layers.conv import Conv2d
    >>> [*fields_with(Conv2d, Makes)], [*fields_with(Conv2d, Inferred)]
    (['out_channels'], ['in_channels'])
    """
    return {name: item for name, item in roles(cls).items() if isinstance(item, role)}


def declared(layer: Kind, *inputs: Shape) -> Iterator[Requirement]:
    """Require that the sizes which a layer declares are those of its input; those left out are inferred."""
    cls = type(layer)
    for name, role in fields_with(cls, Declares).items():
        value = getattr(layer, name)
        if value is not None and (size := role.size(cls, inputs)) is not None:
            yield DeclaredSize(layer.kind, name, value, size, role.tensor_in(inputs), role.counted)


def divided(layer: Kind, *inputs: Shape) -> Iterator[Requirement]:
    """Require that the fields which must divide sizes do."""
    cls = type(layer)
    for name, role in fields_with(cls, Divides).items():
        divisor = getattr(layer, name)
        if divisor == 1:
            continue
        hint = f"{role.why}: choose {name} among the divisors" if role.why else ""
        for other in role.of or ("channels",):
            declares = roles(cls).get(other, Declares())
            size = declares.size(cls, inputs) if isinstance(declares, Declares) else getattr(layer, other)
            if size is not None:
                yield divides(layer.kind, name, divisor, other, size).saying(hint=hint)


def inferred(layer: Kind, inputs: Shapes) -> dict[str, Any]:
    """Return what each field is that may be left out and then follows from the input or from another field.

    >>> from shapecalc.layers import Conv2d, MaxPool2d
    >>> inferred(Conv2d(out_channels=6, kernel_size=5), ((1, 1, 32, 32),))
    {'in_channels': 1}
    >>> inferred(MaxPool2d(kernel_size=2), ((1, 6, 28, 28),))
    {'stride': 2}
    """
    cls = type(layer)
    values: dict[str, Any] = {}
    for name, role in roles(cls).items():
        if isinstance(role, Inferred):
            if (size := role.size(cls, inputs)) is not None:
                values[name] = size
        elif role.same_as:
            values[name] = getattr(layer, role.same_as)
    return values


InChannels = Annotated[OptionalCount, Inferred()]
"""The channels of the input."""
InFeatures = Annotated[OptionalCount, Inferred(axis=-1)]
"""The size of the input's last axis."""
OutChannels = Annotated[Count, Makes("C_out")]
OutFeatures = Annotated[Count, Makes("F_out")]
Groups = Annotated[Count, Divides("g", 1, of=("in_channels", "out_channels"))]
KernelSize = Annotated[CountPerAxis, WindowField("k")]
Stride = Annotated[CountPerAxis, WindowField("s")]
Dilation = Annotated[CountPerAxis, WindowField("d", 1)]
PaddingPerAxis = Annotated[ExtentPerAxis, WindowField("p")]
OutputPadding = Annotated[ExtentPerAxis, WindowField("o", 0, is_shown=False)]
InPlaceFlag = Annotated[Flag, Implementation()]
Multiplier = Annotated[Count, Lettered("m", 1)]
OutputSize = Annotated[CountPerAxis, Lettered("o")]
Rows = Annotated[Count, Lettered("V")]
VectorLength = Annotated[Count, Lettered("E_out")]
