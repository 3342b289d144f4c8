"""A picture that can be shown, turned into pixels, and written into a file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from shapecalc.atomic_write import write_file
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
    def forms(self) -> dict[str, Callable[[], str]]:
        """What writes the picture as text, by the suffix of a file."""
        return {"svg": self.svg}

    def save(self, path: str | Path, form: str | None = None, scale: float = 2) -> None:
        """Write the picture into a file, in the form that its suffix says; one that is there is replaced.

        Raises `SpecError` for a form that the picture does not have, and where the file cannot be written.
        """
        made = self.made(form or Path(path).suffix.removeprefix(".").lower(), scale)
        write_file(Path(path), made if isinstance(made, bytes) else made.encode("utf-8"))

    def made(self, form: str, scale: float = 2) -> str | bytes:
        """Return the picture in a form that is named by its suffix: text, or the bytes of a PNG."""
        if form == "png":
            return self.png(scale)
        if form not in self.forms:
            known = ["svg", "png", *(form_ for form_ in self.forms if form_ != "svg")]
            raise SpecError(
                f"a picture cannot be written as {quote(form)}{nearest(form, known)}",
                hint=f"known: {', '.join(known)}; the suffix of the file says which",
            )
        return self.forms[form]()
