"""What a framework has for a layer kind: a class per kind or family, looked up by the kind's base classes."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable
from fractions import Fraction
from importlib import import_module
from types import UnionType
from typing import Any, ClassVar, Generic, Self, TypeVar, get_args

from shapecalc.layers.base import Kind

K = TypeVar("K", bound=Kind)
LAYERS = "shapecalc.layers"
TITLES = {"torch": "torch", "keras": "Keras", "onnx": "ONNX"}
"""What frameworks call themselves."""


def plain(value: Any) -> Any:
    """Return a field's value as frameworks take it: fractions and infinities as floats."""
    if value in ("inf", "-inf") or isinstance(value, Fraction):
        return float(value)
    return tuple(map(plain, value)) if isinstance(value, tuple) else value


class Counterpart(ABC, Generic[K]):
    """The root of the twins of every framework, which are its direct subclasses.

    The type argument of a subclass names its kinds: `class PadTwin(Twin[Pad | Crop])` is for these classes
    and for every class derived from them that has no twin of its own. Defining it registers it. The modules
    of the built-in twins are imported when a kind first needs them.
    """

    framework: ClassVar[str]
    families: ClassVar[dict[str, tuple[str, ...]]]
    """The modules that define the built-in twins, each with the modules of `layers` that it covers."""
    _defined: ClassVar[dict[type[Kind], type[Any]]]
    _made: ClassVar[dict[type[Kind], Any]]

    def __init__(self, kind: type[K]) -> None:
        self.kind = kind

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if Counterpart in cls.__bases__:
            cls._defined, cls._made = {}, {}
            return
        for base in cls.__dict__.get("__orig_bases__", ()):
            for argument in get_args(base):
                kinds = get_args(argument) if isinstance(argument, UnionType) else (argument,)
                cls._defined |= {kind: cls for kind in kinds if isinstance(kind, type)}
        cls._made.clear()

    @classmethod
    def of(cls, kind: Kind | type[Kind], otherwise: Callable[[type[Kind]], type[Self]]) -> Self:
        """Return the twin of a kind: that of its first base class with a twin, or else the default."""
        own = kind if isinstance(kind, type) else type(kind)
        if own not in cls._made:
            made: Callable[[Any], Self] = cls._by_bases(own) or otherwise(own)
            cls._made[own] = made(own)
        twin: Self = cls._made[own]
        return twin

    @classmethod
    def _by_bases(cls, kind: type[Kind]) -> type[Self] | None:
        if kind.framework not in (None, cls.framework):
            return None
        for base in kind.__mro__:
            package, _, home = base.__module__.rpartition(".")
            if package == LAYERS:
                for module, homes in cls.families.items():
                    if home in homes:
                        import_module(module)
            if base in cls._defined:
                return cls._defined[base]
        return None

    @classmethod
    def all_defined(cls) -> dict[type[Kind], type[Self]]:
        """Return the class that is defined for each kind or base class, all built-in classes among them."""
        for module in cls.families:
            import_module(module)
        return cls._defined
