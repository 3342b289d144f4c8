"""A picture that can be shown, turned into pixels, and written into a file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from shapecalc.errors import SpecError, nearest, quote
from shapecalc.pictures.extras import png


class Picture(ABC):
    """A picture of a network; notebooks show it as it is."""

    @abstractmethod
    def svg(self) -> str:
        """Return the picture as SVG: no fonts, no scripts, with a title and a description."""

    def png(self, scale: float = 2) -> bytes:
        """Return the picture as PNG on white, `scale` pixels for each unit of the SVG.

        Raises `NotInstalled` without the extra `draw`.
        """
        return png(self.svg(), scale)

    def _repr_svg_(self) -> str:
        return self.svg()

    @property
    def forms(self) -> dict[str, Callable[[], str | bytes]]:
        """What makes the picture, by the suffix of a file."""
        return {"svg": self.svg, "png": self.png}

    def save(self, path: str | Path) -> None:
        """Write the picture into a file, in the form that its suffix says; one that is there is replaced.

        Raises `SpecError` for a suffix that is none of `forms`, and where the file cannot be written.
        """
        made = self.made(Path(path).suffix.removeprefix(".").lower())
        try:
            Path(path).write_bytes(made if isinstance(made, bytes) else made.encode("utf-8"))
        except OSError as error:
            raise SpecError(f"{quote(str(path))} cannot be written: {error.strerror}") from None

    def made(self, form: str) -> str | bytes:
        """Return the picture in a form that is named by its suffix."""
        if form not in self.forms:
            known = ", ".join(self.forms)
            raise SpecError(
                f"a picture cannot be written as {quote(form)}{nearest(form, [*self.forms])}",
                hint=f"known: {known}; the suffix of the file says which",
            )
        return self.forms[form]()
