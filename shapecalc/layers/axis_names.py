"""What axes are called: the spatial axes by their number, and axes by their letters."""

AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
"""What the spatial axes are called in messages, by their number."""

AXIS_NAMES = {
    "N": "batch",
    "C": "channels",
    "E": "features",
    "F": "features",
    "k": "inner size",
    "m": "columns",
    "n": "rows",
    **{name[0].upper(): name for names in AXES.values() for name in names},
}
"""What an axis is called in words, by its letter."""


def spatial_letters(rank: int) -> tuple[str, ...]:
    """Return the letters of the spatial axes; none for another number of axes than 1, 2 and 3.

    >>> spatial_letters(1), spatial_letters(3), spatial_letters(4)
    (('L',), ('D', 'H', 'W'), ())
    """
    return tuple(name[0].upper() for name in AXES.get(rank, ()))
