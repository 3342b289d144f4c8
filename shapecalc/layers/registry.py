"""Finding the class of a kind: built in, registered by the user, or from an installed package.

A spec follows the rules of one framework. Most kinds are the same under both; where Keras differs, it
has a class of its own, and a kind whose rule is torch's alone has none under Keras.

Built-in kinds load on demand: the index names the module of each, and only that module is
imported. Packages offer kinds through the entry-point group `shapecalc.kinds`.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import TypeVar

from shapecalc.errors import SpecError, nearest, quote
from shapecalc.layers.base import Kind
from shapecalc.layers.index import KERAS, KINDS

FRAMEWORKS = ("torch", "keras")

ENTRY_POINTS = "shapecalc.kinds"

_registered: dict[str, type[Kind]] = {}
_loaded: dict[tuple[str, str], type[Kind]] = {}
_K = TypeVar("_K", bound=type[Kind])


def register(cls: _K) -> _K:
    """Make a kind of your own known by its name; use it as a decorator.

    Raises `SpecError` for a name that is taken or not lower snake_case, and for a class that still
    misses a rule.
    """
    name = getattr(cls, "kind", "")
    if not (isinstance(name, str) and name.isidentifier() and name == name.lower()):
        raise SpecError(f"{cls.__name__} needs a kind in lower snake_case, not {quote(name)}")
    missing = sorted(getattr(cls, "__abstractmethods__", ()))
    if missing:
        raise SpecError(f"the kind {name!r} misses the rules {', '.join(missing)}")
    if name in KINDS or name in RESERVED or _registered.get(name, cls) is not cls:
        raise SpecError(f"the kind {name!r} exists already")
    _registered[name] = cls
    return cls


def unregister(name: str) -> None:
    """Forget a kind that `register` made known."""
    _registered.pop(name, None)


RESERVED = frozenset({"name", "repeat", "when", "from", "share", "trainable", "sequential", "side"})
"""Words that cannot name a kind, because a step uses them itself."""


def is_known(name: str) -> bool:
    """Say whether a kind is built in or registered; installed packages are not asked."""
    return name in KINDS or name in _registered


def find(name: str, framework: str = "torch") -> type[Kind] | None:
    """Return the class of a kind under a framework's rules, or None if nobody offers it there."""
    if (name, framework) in _loaded:
        return _loaded[name, framework]
    cls = _registered.get(name)
    if cls is None and name in KINDS:
        target = KERAS.get(name, KINDS[name]) if framework == "keras" else KINDS[name]
        module, _, attribute = target.partition(":")
        cls = getattr(import_module(module), attribute)
        if fits(cls, framework):
            _loaded[name, framework] = cls
    if cls is None:
        cls = _from_packages().get(name)
    return cls if cls is not None and fits(cls, framework) else None


def fits(cls: type[Kind], framework: str) -> bool:
    """Say whether a class may stand in a spec of this framework."""
    return cls.framework in (None, framework)


def get(name: str, framework: str = "torch") -> type[Kind]:
    """Return the class of a kind; raise `SpecError` with the nearest name for an unknown one."""
    found = find(name, framework)
    if found is None:
        belongs(name, framework)
        raise SpecError(f"unknown kind {quote(name)}{nearest(name, kinds(framework))}")
    return found


def belongs(name: str, framework: str) -> None:
    """Raise `SpecError` for a kind that only the other framework has."""
    other = FRAMEWORKS[framework == FRAMEWORKS[0]]
    if find(name, framework) is None and find(name, other) is not None:
        raise SpecError(
            f"{name} follows the rules of {other}, but this spec says framework: {framework}",
            hint=f"`shapecalc kinds --framework {framework}` lists what there is",
        )


def kinds(framework: str = "torch") -> list[str]:
    """Return the names of all kinds that a spec of this framework may use, sorted."""
    named = sorted({*KINDS, *_registered, *_from_packages()})
    return named if framework == "torch" else [name for name in named if find(name, framework) is not None]


@lru_cache(maxsize=1)
def _from_packages() -> dict[str, type[Kind]]:
    """Return the kinds of installed packages; asked only when a name is not built in."""
    from importlib.metadata import entry_points

    found: dict[str, type[Kind]] = {}
    for point in entry_points(group=ENTRY_POINTS):
        if point.name in KINDS:
            continue
        try:
            cls = point.load()
        except (ImportError, AttributeError) as error:
            raise SpecError(f"the kind {point.name!r} of {point.value} does not load: {error}") from error
        if not (isinstance(cls, type) and issubclass(cls, Kind)):
            raise SpecError(f"{point.value} is offered as a kind but is not a layer class")
        found[point.name] = cls
    return found
