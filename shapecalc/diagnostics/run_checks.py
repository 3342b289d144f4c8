"""Every diagnostic of a model, from one inference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from shapecalc.diagnostics import branch_checks, design_warnings, window_warnings
from shapecalc.diagnostics.diagnostic import Diagnostic, from_failure, gathered
from shapecalc.diagnostics.ignored import reported
from shapecalc.diagnostics.size_findings import by_size
from shapecalc.diagnostics.violation import Violation
from shapecalc.errors import Failure
from shapecalc.report.report import Report
from shapecalc.sizes.question import Question
from shapecalc.spec.tree import Spec

Check: TypeAlias = Callable[[Spec, Report], Iterator[Violation]]

CHECKS: tuple[Check, ...] = (
    window_warnings.silent_loss,
    design_warnings.linear_on_map,
    window_warnings.swapped_padding,
    window_warnings.padded_pointwise,
    design_warnings.heads_disagree,
    design_warnings.unused_result,
    design_warnings.bias_before_norm,
    window_warnings.kernel_over_input,
    window_warnings.idle_padding,
    branch_checks.drifting_centres,
    design_warnings.unused_block,
    design_warnings.unused_parameter,
)


def findings(
    spec: Spec,
    report: Report,
    failures: Sequence[Failure] = (),
    question: Question | None = None,
    ignore: Iterable[str] = (),
) -> list[Diagnostic]:
    """Return errors, warnings and notes, those of one origin once, without those of the codes in `ignore`.

    Where the model does not hold, the report covers the layers that do: what can only be said of a complete
    network is left out, and so is what is about layers whose sizes are a guess. `question` is what the
    report answers, for what the set of legal sizes shows.
    """
    diagnostics = [_with_divergence(report, failure) for failure in failures]
    tainted = report.inference.tainted
    guessed = {node.path for node in report.graph.nodes if not tainted.isdisjoint(node.sources)}
    violations = [violation for check in CHECKS for violation in check(spec, report)]
    if failures:
        violations = [each for each in violations if not (each.needs_all or guessed.intersection(each.paths))]
    elif question is not None:
        violations += by_size(question)
    warnings = [violation.diagnostic() for violation in violations]
    return gathered([*diagnostics, *reported(warnings, spec, report, ignore)])


def _with_divergence(report: Report, failure: Failure) -> Diagnostic:
    """Return the error of a merge with where its branches diverge, unless it has a better hint."""
    error = from_failure(failure)
    return error if error.hint else replace(error, hint=branch_checks.divergence(report.inference, failure))
