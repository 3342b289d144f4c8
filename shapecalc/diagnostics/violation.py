"""A violation: what a check finds, as facts by name, from which its message and diagnostic are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shapecalc.diagnostics.diagnostic import Diagnostic, Severity
from shapecalc.engine.graph import GraphNode
from shapecalc.errors import Fact, Place
from shapecalc.layers.requirement import shown
from shapecalc.report.node import Node


@dataclass(frozen=True, slots=True, eq=False)
class Violation(Fact):
    """What a check finds.

    A new diagnostic is a check in `run_checks` that yields violations, and the entry of its code in
    `rules.yaml`.
    """

    code: str
    template: str
    """The message, which quotes a fact as `{name}`, a shape as tables show it."""
    facts: Mapping[str, Any]
    place: Place = field(default_factory=Place)
    paths: tuple[str, ...] = ()
    severity: Severity = "warning"
    hint: str = ""
    """What to change, or nothing."""
    needs_all: bool = False
    """Whether it can only be said of a network in which nothing failed."""
    origin: str = ""
    """What the passes of a repeat in a spec have in common; nothing where messages have to be equal."""

    def diagnostic(self) -> Diagnostic:
        texts = {name: shown(fact) if isinstance(fact, tuple) else fact for name, fact in self.facts.items()}
        message = self.template.format_map(texts)
        return Diagnostic(
            self.code,
            self.severity,
            message,
            self.place,
            self.paths,
            self.hint,
            fact=self,
            origin=self.origin,
        )


def of_layer(
    code: str,
    node: Node | GraphNode,
    template: str,
    *,
    severity: Severity = "warning",
    hint: str = "",
    needs_all: bool = False,
    **facts: Any,
) -> Violation:
    """Return a violation by one layer; its kind is a fact."""
    kind = node.layer.kind
    facts = {"kind": kind, **facts}
    place = node.place.of(kind)
    origin = ".".join(name for name in node.path.split(".") if not name.isdigit()) if node.place.parts else ""
    return Violation(code, template, facts, place, (node.path,), severity, hint, needs_all, origin)
