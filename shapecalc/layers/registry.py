"""Finding the class of a kind: built in, registered by the user, or from an installed package.

A spec follows the rules of one framework. Most kinds are the same under both; where Keras differs, it
has a class of its own, and a kind whose rule is torch's alone has none under Keras.

Built-in kinds load on demand: the index names the module of each, and only that module is
imported. Packages offer kinds through the entry-point group `shapecalc.kinds`: an entry's name is the
kind's, its value the class, and it is loaded when a spec first uses the name.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from shapecalc.errors import SpecError, WrongWord, nearest, quote
from shapecalc.layers.base import Kind
from shapecalc.layers.family import Family
from shapecalc.layers.index import KERAS, KINDS, ONNX

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

FRAMEWORKS = ("torch", "keras")

ENTRY_POINTS = "shapecalc.kinds"

_registered: dict[str, type[Kind]] = {}
_loaded: dict[tuple[str, str], type[Kind]] = {}
_K = TypeVar("_K", bound=type[Kind])


def register(cls: _K) -> _K:
    """Make a kind of your own known by its name; use it as a decorator.

    Defining a class again, as running a notebook's cell twice does, replaces it. Raises `SpecError` for
    a name that is taken or not lower snake_case, and for a class that still misses a rule.
    """
    check(cls)
    known = _registered.get(cls.kind)
    again = known is not None and (known.__module__, known.__qualname__) == (cls.__module__, cls.__qualname__)
    if is_builtin(cls.kind) or (known is not None and known is not cls and not again):
        raise SpecError(f"the kind {cls.kind!r} exists already")
    _registered[cls.kind] = cls
    return cls


def check(cls: object) -> None:
    """Raise `SpecError` unless this is a class of layers, complete and with a name that a spec can use."""
    if not (isinstance(cls, type) and issubclass(cls, Kind)):
        raise SpecError(f"{quote(cls)} is not a kind: derive a class from shapecalc.Layer or shapecalc.Merge")
    name = getattr(cls, "kind", None)
    if not (isinstance(name, str) and name.isidentifier() and name.isascii() and name == name.lower()):
        raise SpecError(f"{cls.__name__} needs a `kind` in lower snake_case, not {quote(name)}")
    if name in RESERVED:
        raise SpecError(f"{name!r} cannot name a kind: the word has a meaning in a step")
    if not isinstance(cls.family, Family):
        raise SpecError(
            f"the family of {name!r} is {quote(cls.family)}, not a Family",
            hint="Family.OTHER, which is the default, is that of a kind that no counting tool knows",
        )
    missing = sorted(getattr(cls, "__abstractmethods__", ()))
    if missing:
        raise SpecError(
            f"the kind {name!r} misses the rules {', '.join(missing)}",
            hint="NoWeights, NoBuffers, NoMacs and NoWindow among its bases say that there is none",
        )


def unregister(name: str) -> None:
    """Forget a kind that `register` made known."""
    _registered.pop(name, None)


MODIFIERS = ("name", "repeat", "carry", "when", "from", "share", "trainable", "called", "ignore")
"""What a step may have beside its kind."""
RESERVED = frozenset({*MODIFIERS, "layers", "sequential", "side"})
"""Words that cannot name a kind, because a step uses them itself."""


def is_known(name: str) -> bool:
    """Say whether a name is that of a kind wherever it is used; installed packages are not searched.

    A kind of another framework alone leaves its name to blocks, which may have had it before.
    """
    return name in KINDS or name in _registered


def is_builtin(name: str) -> bool:
    """Say whether a kind is built in, under any framework."""
    return name in KINDS or name in KERAS or name in ONNX


def find(name: str, framework: str = "torch") -> type[Kind] | None:
    """Return the class of a kind under a framework's rules, or None if nobody offers it there."""
    if (name, framework) in _loaded:
        return _loaded[name, framework]
    cls = _registered.get(name)
    places = KERAS if framework == "keras" else ONNX
    target = places.get(name) or KINDS.get(name)
    if cls is None and target is not None:
        module, _, attribute = target.partition(":")
        cls = getattr(import_module(module), attribute)
        if fits(cls, framework):
            _loaded[name, framework] = cls
    if cls is None:
        cls = _from_package(name)
    return cls if cls is not None and fits(cls, framework) else None


def fits(cls: type[Kind], framework: str) -> bool:
    """Say whether a class may be used in a spec of this framework; ONNX has the layout of torch."""
    return cls.framework in (None, framework) or (cls.framework == "onnx" and framework == "torch")


def get(name: str, framework: str = "torch") -> type[Kind]:
    """Return the class of a kind; raise `SpecError` with the nearest name for an unknown one."""
    cls = find(name, framework)
    if cls is None:
        belongs(name, framework)
        raise unknown(name, kinds(framework), framework)
    return cls


def unknown(name: str, known: Sequence[str], framework: str = "torch") -> SpecError:
    """Return the error for a kind that nobody offers; the hint is the framework's class, where it has one."""
    from shapecalc.layers.not_kinds import reason

    message = f"unknown kind {quote(name)}{nearest(name, known)}"
    return SpecError(message, hint=reason(name, framework), fact=WrongWord(name, known))


def belongs(name: str, framework: str) -> None:
    """Raise `SpecError` for a kind that only the other framework has."""
    other = FRAMEWORKS[framework == FRAMEWORKS[0]]
    if find(name, framework) is None and find(name, other) is not None:
        raise SpecError(
            f"{name} follows the rules of {other}, but this spec says framework: {framework}",
            hint=f"`shapecalc kinds --framework {framework}` lists what there is",
        )


def kinds(framework: str = "torch") -> list[str]:
    """Return the names of all kinds that a spec of this framework may use, sorted.

    Those with rules of ONNX, which a spec with torch's layout may use too, are listed for `onnx` alone.
    """
    if framework == "onnx":
        return sorted(ONNX)
    if framework == "torch":
        return sorted({*KINDS, *_registered, *_offers()})
    named = sorted({*KINDS, *KERAS, *_registered, *_offers()})
    return [name for name in named if find(name, framework) is not None]


@lru_cache(maxsize=1)
def _offers() -> dict[str, dict[str, EntryPoint]]:
    """Return what installed packages offer: by the kind's name, by where it is; nothing is imported yet."""
    from importlib.metadata import entry_points

    offers: dict[str, dict[str, EntryPoint]] = {}
    for point in entry_points(group=ENTRY_POINTS):
        offers.setdefault(point.name, {})[point.value] = point
    return offers


@lru_cache(maxsize=256)
def _from_package(name: str) -> type[Kind] | None:
    """Return the kind of this name that an installed package offers."""
    points = _offers().get(name)
    if not points:
        return None
    first, *others = points.values()
    if others:
        places = " and ".join(sorted(points))
        raise SpecError(f"several packages offer the kind {name!r}: {places}")
    try:
        cls: type[Kind] = first.load()
    except Exception as error:  # whatever a package does when it is imported
        reason = f"{type(error).__name__}: {error}"
        raise SpecError(f"the kind {name!r} of {first.value} does not load: {reason}") from error
    check(cls)
    if cls.kind != name:
        raise SpecError(f"{first.value} is offered as {name!r}, but its kind is {cls.kind!r}")
    return cls
