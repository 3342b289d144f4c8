"""Plain data that remembers where each value was written, and the bounds of a text.

Apart from the reader of YAML, which models that are not read from a text do without.
"""

from __future__ import annotations

from typing import Any

from shapecalc.errors import Place

LARGEST_FILE = 2**20
DEEPEST = 60
FLOW_HINT = (
    "an expression with commas, brackets or a colon inside {...} or [...] must be quoted, "
    'as in {depth: "depths[0]"}'
)


class Map(dict[str, Any]):
    """A mapping that knows where it and each of its values are written."""

    place: Place = Place()
    places: dict[str, Place]


class Seq(list[Any]):
    """A list that knows where it and each of its items are written."""

    place: Place = Place()
    places: list[Place]


def place_of(container: Any, key: Any = None) -> Place:
    """Return where a value of a container was written; an empty place for plain data."""
    if isinstance(container, Map):
        return container.places.get(key, container.place) if key is not None else container.place
    if isinstance(container, Seq):
        return container.places[key] if isinstance(key, int) else container.place
    return Place()
