"""What a repair starts from: a text, how it is read, and the question that is asked of the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shapecalc.engine.graph import Inference

Reader = Callable[..., Any]


@dataclass(slots=True)
class Source:
    """The text of a model, and the question that is asked of it."""

    text: str
    reader: Reader
    """`loads`, which the checks may not know: it stands above them."""
    file: str | None = None
    variant: str | None = None
    given: Any = None
    """The input's shape, where it was given."""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def model(self) -> Any:
        """Return the model that the text says."""
        model = self.reader(self.text, file=self.file)
        return model.variant(self.variant) if self.variant else model

    def infer(self, given: Any = None) -> tuple[Any, Inference]:
        """Return the model and the inference over it."""
        model = self.model()
        return model, model.infer(given or self.given, **self.parameters)
