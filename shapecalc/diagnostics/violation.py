"""A violation: what a rule finds, as facts from which its message, help and diagnostic are made."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from shapecalc.diagnostics.diagnostic import Diagnostic, Severity
from shapecalc.engine.graph import GraphNode
from shapecalc.errors import Fact, Place
from shapecalc.report.node import Node


class Violation(Fact, ABC):
    """What is found by the rule of a code; the facts are attributes of a subclass.

    A new diagnostic is a subclass with its message, a place in `run_checks.RULES`, and an entry in
    `rules.yaml`.
    """

    code: ClassVar[str]
    severity: Severity = "warning"
    needs_all: ClassVar[bool] = False
    """Whether it can only be said of a network in which nothing failed."""
    place: Place = Place()
    paths: tuple[str, ...] = ()

    @property
    @abstractmethod
    def message(self) -> str:
        """What is wrong, with the numbers in it."""

    @property
    def hint(self) -> str:
        """What to change, or nothing."""
        return ""

    def diagnostic(self) -> Diagnostic:
        """Return the violation as a diagnostic."""
        return Diagnostic(
            self.code, self.severity, self.message, self.place, self.paths, self.hint, fact=self
        )


class LayerViolation(Violation):
    """A violation by one layer."""

    def __init__(self, node: Node | GraphNode) -> None:
        self.layer = node.layer
        self.place, self.paths = node.place.of(node.layer.kind), (node.path,)
