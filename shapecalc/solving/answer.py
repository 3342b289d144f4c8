"""What every answer to a question backwards has in common: it is text, and shows itself as its pieces."""

from __future__ import annotations

from typing import Any

from shapecalc.pieces.display import Shown
from shapecalc.pieces.outline import outline
from shapecalc.pieces.piece import Page


class Answer(Shown):
    """A base of answers, whose lines are indented under what they belong to."""

    __slots__ = ()

    def page(self, limit: int | None = None) -> Page:
        """Return the answer as pieces, of a long list at most `limit`."""
        return outline(self.told(limit))

    def told(self, limit: int | None = None) -> str:
        """Return the answer as text, of a long list at most `limit`."""
        del limit  # most answers are short
        return str(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as plain data for JSON."""
        raise NotImplementedError

    def _page(self) -> Page:
        return outline(str(self))
