"""`from_torch`: a torch module as a `Model`, from one run of its forward on tensors without memory."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn

from shapecalc.bridges.torch.tracer.call_translation import translate
from shapecalc.bridges.torch.tracer.meta_copy import without_numbers
from shapecalc.bridges.torch.tracer.size_conversions import conversions_seen
from shapecalc.bridges.torch.tracer.tensor_creation import creation_seen
from shapecalc.bridges.torch.tracer.trace_to_model import settled
from shapecalc.bridges.torch.tracer.traced_sizes import Ratio, Size, Sizes, plain
from shapecalc.bridges.torch.tracer.tracing import Recording, Trace, modules_seen
from shapecalc.errors import ShapecalcError, ShapeError, SpecError, quote
from shapecalc.layers.traced import Require, Unused
from shapecalc.model import Model

_TRACED_BATCH = 2
"""Not 1, so that the batch is told from axes that stretch."""


def traced(
    module: nn.Module, shape: Any, args: Sequence[Any], kwargs: Mapping[str, Any] | None, name: str | None
) -> Model:
    """Do what `from_torch` says."""
    if not isinstance(module, nn.Module):
        raise SpecError(f"{quote(type(module).__name__)} is not a torch module")
    bare = without_numbers(module)
    given, shapes = _arguments(bare, shape, args, kwargs)
    title, whole = name or type(module).__name__, shape is None
    last: Exception | None = None
    for dtype in (torch.float32, torch.long)[: 1 if whole else 2]:
        try:
            return _at_one(bare, given, shapes, _Way(title, dtype, whole))
        except ShapecalcError:
            raise
        except TypeError as error:  # perhaps of code that takes ordinary numbers only
            try:
                return _traced(bare, given, shapes, _Way(title, dtype, whole, batch=1, held=True))
            except ShapecalcError:
                raise
            except Exception as plainly:  # noqa: BLE001  (whatever the module's own code raises)
                last = last or (plainly if _names_ours(error) else error)
        except Exception as error:  # noqa: BLE001  (whatever the module's own code raises)
            last = last or error
    assert last is not None
    said = str(last).strip().partition("\n")[0].partition(". ")[0]
    told = f"{type(last).__name__}: {said}".rstrip(": ")
    raise SpecError(
        f"{type(module).__name__} cannot be traced on tensors without memory: {told}"[:600],
        hint="check the input's shape; a forward that reads values of tensors has no shape to tell",
    ) from last


def _names_ours(error: Exception) -> bool:
    """Whether an error is of our numbers, so that what is said of ordinary ones is the better reason."""
    return any(one.__name__ in str(error) for one in (Size, Ratio))


Given = tuple[list[Any], dict[str, Any]]


def _arguments(
    module: nn.Module, shape: Any, args: Sequence[Any], kwargs: Mapping[str, Any] | None
) -> tuple[Given, dict[str, tuple[int, ...]]]:
    """Return what the forward is called with, shapes in the place of tensors that are to be made."""
    names = _names(module)
    if shape is None:
        if not args and not kwargs:
            raise SpecError("a torch module needs the shape of its input", hint="as in input=(3, 224, 224)")
        named = dict(zip(names, args, strict=False)) | dict(kwargs or {})
        tensors = {key: value for key, value in named.items() if isinstance(value, Tensor)}
        found = {key: tuple(value.shape) for key, value in tensors.items()}
        return ([*args], dict(kwargs or {})), _renamed(found)
    shapes = dict(shape) if isinstance(shape, Mapping) else {names[0]: shape}
    for key, sizes in shapes.items():
        if not isinstance(sizes, (tuple, list)) or not all(
            isinstance(size, int) and not isinstance(size, bool) and size > 0 for size in sizes
        ):
            raise SpecError(
                f"{quote(sizes)} is not a shape: give sizes without the batch, as in (3, 224, 224)"
            )
        if isinstance(shape, Mapping) and key not in names:
            raise SpecError(
                f"the forward has no argument {quote(key)}", hint=f"it has {', '.join(names) or 'none'}"
            )
    shapes = {key: tuple(sizes) for key, sizes in shapes.items()}
    positional = [_Shape(shapes[names[0]])] if not isinstance(shape, Mapping) else []
    keywords = {key: _Shape(sizes) for key, sizes in shapes.items()} if not positional else {}
    return (positional, keywords), _renamed(shapes)


class _Shape(tuple[int, ...]):
    """A tensor that is to be made, by its shape without the batch."""

    __slots__ = ()


def _renamed(shapes: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    return {"input": next(iter(shapes.values()))} if len(shapes) == 1 else shapes


def _names(module: nn.Module) -> list[str]:
    try:
        parameters = inspect.signature(module.forward).parameters.values()
    except (TypeError, ValueError):
        return ["input"]
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [one.name for one in parameters if one.kind in (*kinds, inspect.Parameter.KEYWORD_ONLY)]
    return names or ["input"]


@dataclass(frozen=True)
class _Way:
    """How a module is traced."""

    name: str
    dtype: torch.dtype
    whole: bool
    batch: int = _TRACED_BATCH
    held: bool = False


def _at_one(module: nn.Module, given: Given, shapes: dict[str, tuple[int, ...]], way: _Way) -> Model:
    """Return the model of a trace: of that for a batch of 1, where Python decided by the batch."""
    model = _traced(module, given, shapes, way)
    if not way.whole and any(isinstance(step.body, Require) for step in model.layers):
        try:
            model.analyze()
        except ShapeError:
            return _traced(module, given, shapes, replace(way, batch=1))
        except ShapecalcError:
            return model
    return model


def _traced(module: nn.Module, given: Given, shapes: dict[str, tuple[int, ...]], way: _Way) -> Model:
    trace = Trace(module, whole=way.whole, held=way.held)
    entered = iter(shapes)

    def tensor(value: Any) -> Any:
        if isinstance(value, _Shape):
            value = torch.empty((way.batch, *value), dtype=way.dtype, device="meta")
        elif isinstance(value, Tensor):
            value = torch.empty_like(value, device="meta", requires_grad=False)
        if isinstance(value, Tensor):
            trace.enter(next(entered), value)
        return value

    args = [tensor(value) for value in given[0]]
    kwargs = {key: tensor(value) for key, value in given[1].items()}
    if not trace.inputs:
        raise SpecError("no tensor among the arguments")
    with (
        warnings.catch_warnings(),
        torch.no_grad(),
        torch.device("meta"),
        modules_seen(trace),
        _printing_is_no_question(),
        creation_seen(trace, translate),
        nullcontext() if way.held else conversions_seen(trace),
        Recording(trace, translate),
    ):
        warnings.simplefilter("ignore")
        result = module(*args, **kwargs)
    with torch.no_grad():
        outputs = _outputs(trace, result)
    if not trace.steps:
        raise SpecError(f"{type(module).__name__} does nothing with its input")
    _unused(trace, module, outputs)
    return settled(trace, shapes, outputs, way.name)


@contextmanager
def _printing_is_no_question() -> Iterator[None]:
    """Let a forward print sizes; any other text that is made of one holds for that size only."""

    def printed(*values: Any, **options: Any) -> None:
        honest(*plain(values), **options)

    honest = print
    with mock.patch("builtins.print", printed):
        yield


def _outputs(trace: Trace, result: Any) -> dict[str, str]:
    """Return the outputs by name: of a dict its keys, of a sequence their numbers."""
    found: dict[str, str] = {}

    def walk(value: Any, path: tuple[str, ...]) -> None:
        if isinstance(value, Tensor):
            found["_".join(path) or "output"] = trace.ref(value)
        elif isinstance(value, Mapping):
            for key, one in value.items():
                walk(one, (*path, str(key)))
        elif isinstance(value, (tuple, list)) and not isinstance(value, Sizes):
            fields = getattr(value, "_fields", None) or [f"output_{number}" for number in range(len(value))]
            for key, one in zip(fields, value, strict=False):
                walk(one, (*path, str(key)))

    walk(result, ())
    if not found:
        raise SpecError(f"the forward returns {quote(type(result).__name__)}, which holds no tensor")
    return found


def _unused(trace: Trace, module: nn.Module, outputs: dict[str, str]) -> None:
    """List the parameters that no step has, so that they are counted."""
    left = {name: tuple(one.shape) for name, one in module.named_parameters() if id(one) not in trace.claimed}
    if left:
        last = trace.last
        step = trace.emit(Unused(tensors=left), [last], (), trace.unique("unused"))
        if [*outputs.values()] == [last]:
            outputs[next(iter(outputs))] = step
