"""Everything that can be said against a model, from one inference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shapecalc.diagnostics.design_warnings import RULES
from shapecalc.diagnostics.diagnostic import Diagnostic, from_failure, gathered
from shapecalc.diagnostics.divergence import parting
from shapecalc.diagnostics.size_findings import by_size
from shapecalc.errors import Failure
from shapecalc.report.report import Report
from shapecalc.sizes.question import Question
from shapecalc.spec.tree import Spec

_NEED_THE_WHOLE = {"heads-disagree", "unused-result"}


def findings(
    spec: Spec, report: Report, failures: Sequence[Failure] = (), asked: Question | None = None
) -> list[Diagnostic]:
    """Return errors, warnings and notes, equal ones told once.

    Where the model does not hold, the report covers the layers that do, and what can only be said of
    a whole network is left unsaid, as is what would be said of layers whose sizes are a guess. `asked` is
    what the report answers, for what the set of legal sizes shows.
    """
    found = [_with_parting(report, from_failure(failure), failure) for failure in failures]
    tainted = report.inference.tainted
    guessed = {node.path for node in report.graph.nodes if not tainted.isdisjoint(node.sources)}
    for rule in RULES:
        found += [
            one
            for one in rule(spec, report)
            if not failures or (one.code not in _NEED_THE_WHOLE and one.path not in guessed)
        ]
    if asked is not None and not failures:
        found += by_size(asked)
    return gathered(found)


def _with_parting(report: Report, one: Diagnostic, failure: Failure) -> Diagnostic:
    """Return the error of a merge with where its branches part, unless it has a better hint."""
    return one if one.hint else replace(one, hint=parting(report.inference, failure))
