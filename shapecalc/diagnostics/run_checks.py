"""Every diagnostic of a model, from one inference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from shapecalc.diagnostics.design_warnings import (
    BiasBeforeNorm,
    HeadsDisagree,
    LinearOnMap,
    SharedWeights,
    UnusedPart,
    UnusedResult,
)
from shapecalc.diagnostics.diagnostic import Diagnostic, from_failure, gathered
from shapecalc.diagnostics.divergence import divergence
from shapecalc.diagnostics.misaligned_branches import MisalignedBranches
from shapecalc.diagnostics.size_findings import by_size
from shapecalc.diagnostics.violation import Violation
from shapecalc.diagnostics.window_warnings import (
    IdlePadding,
    KernelOverInput,
    PaddedPointwise,
    SilentLoss,
    SwappedPadding,
)
from shapecalc.errors import Failure
from shapecalc.report.report import Report
from shapecalc.sizes.question import Question
from shapecalc.spec.tree import Spec

Rule: TypeAlias = Callable[[Spec, Report], Iterator[Violation]]

RULES: tuple[Rule, ...] = (
    SilentLoss.find,
    LinearOnMap.find,
    SwappedPadding.find,
    PaddedPointwise.find,
    HeadsDisagree.find,
    UnusedResult.find,
    SharedWeights.find,
    BiasBeforeNorm.find,
    KernelOverInput.find,
    IdlePadding.find,
    MisalignedBranches.find,
    UnusedPart.find,
)


def findings(
    spec: Spec, report: Report, failures: Sequence[Failure] = (), question: Question | None = None
) -> list[Diagnostic]:
    """Return errors, warnings and notes, equal ones once.

    Where the model does not hold, the report covers the layers that do: what can only be said of a complete
    network is left out, and so is what is about layers whose sizes are a guess. `question` is what the
    report answers, for what the set of legal sizes shows.
    """
    diagnostics = [_with_divergence(report, failure) for failure in failures]
    tainted = report.inference.tainted
    guessed = {node.path for node in report.graph.nodes if not tainted.isdisjoint(node.sources)}
    violations = [violation for rule in RULES for violation in rule(spec, report)]
    if failures:
        violations = [one for one in violations if not (one.needs_all or guessed.intersection(one.paths))]
    elif question is not None:
        violations += by_size(question)
    return gathered([*diagnostics, *(violation.diagnostic() for violation in violations)])


def _with_divergence(report: Report, failure: Failure) -> Diagnostic:
    """Return the error of a merge with where its branches diverge, unless it has a better hint."""
    error = from_failure(failure)
    return error if error.hint else replace(error, hint=divergence(report.inference, failure))
