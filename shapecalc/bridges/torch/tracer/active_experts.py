"""Which parts of stacked weights one token uses: those of the experts that `topk` picked for it."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from shapecalc import layers
from shapecalc.bridges.torch.tracer.trace import Trace
from shapecalc.layers.traced import Parameter, TracedFunction
from shapecalc.spec.tree import Step

_ORDERING = ("sort", "histc", "bincount")
"""Functions of chosen numbers whose results are these in another order, or how often each is there."""


def note_active(trace: Trace, stack: Tensor, choice: Tensor) -> None:
    """Note how many items of a stack a token uses, where `choice` is made of the indices of a `topk`."""
    numbers = {step.name: number for number, step in enumerate(trace.steps)}
    name = trace.name_of(stack)
    if (number := numbers.get(name)) is None:
        return
    if isinstance(turned := trace.steps[number].body, layers.Transpose):
        if 0 in (turned.dim0 % stack.dim(), turned.dim1 % stack.dim()):
            return
        name = _sources(trace.steps, number)[0]
        number = numbers.get(name)
    if number is None or not isinstance(body := trace.steps[number].body, Parameter):
        return
    if (active := _chosen(trace, choice, body.shape[0])) is not None:
        marked = Parameter(shape=body.shape, active=active)
        trace.steps[number] = trace.steps[number].model_copy(update={"body": marked})


def _chosen(trace: Trace, choice: Tensor, experts: int) -> int | None:
    """Return the `k` of the `topk` over experts of whose indices a tensor is made alone; else None."""
    steps, tensors = trace.steps, {name: tensor for tensor, name in trace.tensors.values()}
    numbers = {step.name: number for number, step in enumerate(steps)}
    name = trace.name_of(choice)
    while True:
        step_name = name if name in numbers else name.rpartition(".")[0]
        if (number := numbers.get(step_name)) is None:
            return None
        body, sources = steps[number].body, _sources(steps, number)
        function = body.function if isinstance(body, (TracedFunction, layers.Elementwise)) else ""
        if function == "topk":
            scores, indices = tensors.get(sources[0]), tensors.get(name)
            if scores is None or indices is None or name != f"{step_name}.1":
                return None
            is_last = scores.shape[:-1] == indices.shape[:-1] and scores.shape[-1] == experts
            return indices.shape[-1] if is_last else None
        if len(sources) > 1 or not (isinstance(body, layers.View) or function in (*_ORDERING, "cumsum")):
            return None
        name = sources[0]


def _sources(steps: list[Step], number: int) -> tuple[str, ...]:
    source = steps[number].source
    return source if source is not None else (str(steps[number - 1].name),)


def forget_partly_known(trace: Trace) -> None:
    """Forget what tokens use, where a stack is also used otherwise, or by a choice that is not known."""
    active = {
        step.name: step.body.active is not None for step in trace.steps if isinstance(step.body, Parameter)
    }
    if not any(active.values()):
        return
    uses = [*_uses(trace.steps)]
    turned = {name: source for name, body, source in uses if isinstance(body, layers.Transpose)}
    for _, body, source in uses:
        is_known = active.get(turned.get(source, source))
        is_stack = isinstance(body, layers.Select) and (body.dim, body.index) == (0, 0)
        is_part = is_stack or isinstance(body, layers.Transpose) or getattr(body, "function", "") == "index"
        if (is_known is False and is_stack) or (is_known and not is_part):
            trace.steps[:] = map(_without_active, trace.steps)
            return


def _uses(steps: list[Step]) -> Iterator[tuple[str | None, object, str]]:
    for number, step in enumerate(steps):
        for source in _sources(steps, number) if number or step.source else ():
            yield step.name, step.body, source


def _without_active(step: Step) -> Step:
    if not isinstance(step.body, Parameter):
        return step
    return step.model_copy(update={"body": Parameter(shape=step.body.shape)})
