"""Everything that can be said against a model, from one walk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shapecalc.algebra.render import grouped
from shapecalc.checks.diagnostic import Diagnostic, from_failure, gathered
from shapecalc.checks.warn import RULES
from shapecalc.errors import Failure
from shapecalc.report.data import Report
from shapecalc.spec.tree import Spec

_NEED_THE_WHOLE = {"heads-disagree", "unused-result"}


def findings(
    spec: Spec,
    report: Report,
    failures: Sequence[Failure] = (),
    *,
    max_params: int | None = None,
    max_macs: int | None = None,
) -> list[Diagnostic]:
    """Return errors, broken budgets, warnings and notes, equal ones told once.

    Where the model does not hold, the report covers the layers that do, and what can only be said of
    a whole network is left unsaid.
    """
    found = [from_failure(failure) for failure in failures]
    for rule in RULES:
        found += [one for one in rule(spec, report) if not failures or one.code not in _NEED_THE_WHOLE]
    if not failures:
        found += _over_budget(spec, report, "params", max_params)
        found += _over_budget(spec, report, "macs", max_macs)
    return gathered(found)


def _over_budget(spec: Spec, report: Report, what: str, most: int | None) -> Iterator[Diagnostic]:
    spent = getattr(report, what)
    if most is None or not isinstance(spent, int) or spent <= most:
        return
    costs = sorted(
        ((cost, node.path) for node in report.nodes if isinstance(cost := getattr(node, what), int) and cost),
        reverse=True,
    )
    told = ", ".join(f"{path} {grouped(cost)} ({100 * cost / spent:.0f}%)" for cost, path in costs[:3])
    name = "parameters" if what == "params" else "MACs"
    yield Diagnostic(
        "budget",
        "error",
        f"{grouped(spent)} {name} are more than the {grouped(most)} allowed; most are in {told}",
        spec.place,
        tuple(path for _, path in costs[:3]),
    )
