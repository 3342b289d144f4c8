"""A forward that fails as findings: each with its place, its reason, its repairs, and what ran before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod

from shapecalc.bridges.torch.tracer.declared_place import declared_place
from shapecalc.bridges.torch.tracer.forward_attempt import Attempt
from shapecalc.bridges.torch.tracer.forward_repairs import fixes_of
from shapecalc.bridges.torch.tracer.misfit import Misfit
from shapecalc.bridges.torch.tracer.module_run import Run
from shapecalc.bridges.torch.tracer.value_reads import DependsOnData
from shapecalc.diagnostics.diagnostic import Diagnostic
from shapecalc.errors import ForwardError
from shapecalc.layers.flatten import Flatten
from shapecalc.layers.requirement import DeclaredSize, Refused, shown

_MOST_FINDINGS = 8
_OF_VALUES = "it was run without memory: a forward that reads values of tensors has no shape to report"
_BY_VALUES = "what follows depends on the values of the input"
_READS_VALUES = ("Tensor.item()", "data-independent", "no data!", "to numpy")
"""What torch says where a value of a tensor without memory is needed."""


def forward_error(run: Run, error: Exception) -> ForwardError:
    """Return why a module fails, from runs of it at a batch of 1; `error` is what another run raised."""
    start = Attempt(run)
    misfit = start.misfit()
    if misfit is None or type(misfit.error) is not type(error):
        return ForwardError([_finding(Misfit(error, run.trace()))])
    findings: list[Diagnostic] = []
    following: Attempt | None = start
    while misfit is not None and following is not None and len(findings) < _MOST_FINDINGS:
        finding = _finding(misfit)
        fixes, following = fixes_of(following, misfit)
        findings.append(replace(finding, fixes=tuple(fixes)))
        misfit = None if following is None else following.misfit()
    return ForwardError(findings)


def _finding(misfit: Misfit) -> Diagnostic:
    """Return what is known of a misfit, without repairs."""
    fact, notes = misfit.requirement, tuple(_notes(misfit))
    paths = (misfit.path,) if misfit.path else ()
    if fact is None:
        says, hint = misfit.says, _OF_VALUES if "meta" in misfit.says else ""
        if isinstance(misfit.error, DependsOnData):
            says, hint = f"{_BY_VALUES} ({misfit.error})", DependsOnData.hint
        elif any(words in says for words in _READS_VALUES):
            says = f"{_BY_VALUES} ({says.partition('. ')[0]})"
        return Diagnostic("forward", "error", says, misfit.place, paths, hint, notes=notes)
    hint = "" if isinstance(fact, DeclaredSize) else fact.advice
    return Diagnostic(fact.code, "error", fact.message, misfit.place, paths, hint, fact=fact, notes=notes)


def _notes(misfit: Misfit) -> Iterator[str]:
    """Yield how the size that came in is made, the layers before, and the words of torch."""
    fact = misfit.requirement
    if isinstance(fact, DeclaredSize) and misfit.layer is not None:
        weights = (
            f"{name} {shown(tuple(item.shape))}" for name, item in misfit.layer.module.named_parameters()
        )
        now = next(weights, "")
        axis = (
            fact.axis.replace("its ", "the input's ") if "its " in fact.axis else f"{fact.axis} of the input"
        )
        yield f"{fact.name} is the number of {axis}{_product(misfit, fact)}{now and f'; {now} now'}"
    if misfit.layer is not None:
        declared = declared_place(misfit.trace.module, misfit.layer.path)
        if declared.line:
            is_near = declared.file == misfit.place.file
            yield f"the layer is declared in {f'line {declared.line}' if is_near else declared}"
    if misfit.call is not None and misfit.layer is None and fact is None:
        yield f"{misfit.call.name} of {' and '.join(map(shown, misfit.call.shapes))}"
    if ran := ", ".join(misfit.last_steps):
        yield f"the layers before it: {ran}"
    if fact is not None and not isinstance(misfit.error, Refused):
        yield f"torch says: {misfit.says}"


def _product(misfit: Misfit, fact: DeclaredSize) -> str:
    """Return how a flattened size is made of those of a map, where the step before flattens one."""
    steps = misfit.trace.steps
    last = steps[-1] if steps else None
    if last is None or not isinstance(last.body, Flatten):
        return ""
    source = (last.source or (steps[-2].name if len(steps) > 1 else misfit.trace.inputs[0],))[0]
    sizes = misfit.shapes.get(source or "", ())[1:]
    return f", {'·'.join(map(str, sizes))} = {fact.right}" if prod(sizes) == fact.right else ""
