"""A forward run once on tensors without memory, every operation written down as a step of a spec.

torch hands each of its functions, tensor methods and properties to a `TorchFunctionMode` before it runs
them, and each call of a module goes through `nn.Module.__call__`; so the forward itself is ordinary
Python, decisions included. A module of torch that has a kind is one step, and so is a function.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import CodeType
from typing import Any, TypeAlias
from unittest import mock

import torch
from pydantic import ValidationError
from torch import Tensor, nn
from torch._C import DisableTorchFunction
from torch.overrides import TorchFunctionMode

from shapecalc.bridges.torch.tracer.module_to_kind import as_layer
from shapecalc.bridges.torch.tracer.predicted_output import foretold, joined
from shapecalc.bridges.torch.tracer.traced_sizes import Guard, Size, Sizes, called_from, plain
from shapecalc.errors import ShapecalcError
from shapecalc.layers.base import Caller, Effect, Kind, Merge
from shapecalc.layers.traced import Constant, Opaque, Parameter
from shapecalc.spec.tree import Step

Place: TypeAlias = "tuple[CodeType, int]"
"""An instruction of the interpreter: the code, and how far into it."""

_ODD = re.compile(r"[^A-Za-z0-9_.]")


class Trace:
    """The steps so far, and which of them made each tensor."""

    def __init__(self, module: nn.Module, *, whole: bool = False, held: bool = False) -> None:
        self.module = module
        self.whole = whole
        """Whether the shapes of inputs count as they are, no axis a batch."""
        self.held = held
        """Whether sizes are ordinary numbers, so that the trace holds for the sizes of its inputs only."""
        self.steps: list[Step] = []
        self.guards: dict[Guard, int] = {}
        """What Python decided by sizes, each with the number of steps that stood before it."""
        self.read: dict[Place, list[Guard]] = {}
        """Which of them came of a number read as an index since the last call of torch, by where."""
        self.refs: dict[int, tuple[Tensor, str]] = {}
        self.names: dict[str, int] = {}
        self.paths = {id(one): name for name, one in module.named_modules()}
        self.parameters = {id(one): name for name, one in module.named_parameters()}
        self.claimed: dict[int, str] = {}
        """The step that has each parameter, by the parameter's identity."""
        self.scope: list[str] = []
        self.inputs: list[str] = []
        self.inside_leaf = False
        self.called: Caller = "module"
        """What is being recorded: a module of torch, a function of torch.nn.functional, or another."""
        self.running: list[type[nn.Module]] = []
        """The classes of the modules whose forward is running, the innermost last."""
        self.last = ""
        """What the next step reads when it says nothing."""

    # ---- names

    def unique(self, name: str) -> str:
        """Return a name that no step has yet: itself, or with a number behind it."""
        name = _ODD.sub("_", name) or "model"
        number = self.names.get(name, 0) + 1
        self.names[name] = number
        return name if number == 1 else self.unique(f"{name}_{number}")

    def here(self, function: str) -> str:
        """Return a new name for a function that is called in the module that is running."""
        prefix = self.scope[-1] if self.scope else ""
        return self.unique(f"{prefix}.{function}" if prefix else function)

    # ---- tensors

    def enter(self, name: str, tensor: Tensor) -> None:
        """Make an input known."""
        self.names[name] = 1
        self.inputs.append(name)
        self.refs[id(tensor)] = (tensor, name)
        self.last = self.last or name

    def knows(self, tensor: Tensor) -> bool:
        """Whether a tensor came from the input or from a step."""
        return id(tensor) in self.refs

    def ref(self, tensor: Tensor) -> str:
        """Return the name of a tensor; a parameter or a constant becomes a step when it is first used."""
        if id(tensor) not in self.refs:
            shape = [int(size) for size in plain(tuple(tensor.shape))]
            name = self.parameters.get(id(tensor))
            if name is not None and id(tensor) not in self.claimed:
                self.claimed[id(tensor)] = name
                self.emit(Parameter(shape=shape), [self.inputs[0]], (tensor,), self.unique(name))
            else:
                known = name or next((n for n, one in self.module.named_buffers() if one is tensor), None)
                title = self.unique(known) if known else self.here("constant")
                self.emit(Constant(shape=shape), [self.inputs[0]], (tensor,), title)
        return self.refs[id(tensor)][1]

    def alias(self, result: Any, tensor: Tensor) -> None:
        """Let a result be the tensor that it was made of."""
        if isinstance(result, Tensor):
            self.refs[id(result)] = (result, self.ref(tensor))

    # ---- steps

    def emit(
        self, layer: Kind, sources: Sequence[str], results: Sequence[Any], name: str, share: str | None = None
    ) -> str:
        """Append a step; its results are known from now on."""
        data: dict[str, Any] = {"name": name}
        if [*sources] != [self.last] or isinstance(layer, Merge):
            data["from"] = tuple(sources)
        if (caller := self.caller(layer)) != "module":
            data["called"] = caller
        if share is not None:
            self.steps.append(Step(share=share, **data))
        else:
            self.steps.append(Step(layer, **data))
        self.last = name
        self.settle(name, results)
        return name

    def caller(self, layer: Kind) -> Caller:
        """Return what calls a layer that tools may count: they tell torch's modules from functions."""
        if self.called == "module" or not is_module(layer):
            return "module"
        inside = self.running[-1] if self.running else type(self.module)
        if self.called == "custom" or not is_of_torch(inside):
            return self.called
        return "module" if layer.torch == f"torch.nn.{inside.__name__}" else "method"

    def settle(self, name: str, results: Sequence[Any]) -> None:
        """Say which tensors a step made."""
        for number, result in enumerate(results):
            if isinstance(result, Tensor):
                self.refs[id(result)] = (result, name if len(results) == 1 else f"{name}.{number}")

    def note(self, guard: Guard, place: Place | None = None) -> None:
        """Remember what was decided by a size; `place` is where it was read as an index."""
        if place is not None and guard not in self.guards:
            self.read.setdefault(place, []).append(guard)
        self.guards.setdefault(guard, len(self.steps))

    def recorded_at(self, place: Place) -> None:
        """Forget what was read as an index by the call that is recorded now: it will say so itself."""
        for guard in self.read.pop(place, ()):
            del self.guards[guard]
        self.read.clear()

    def sizes(self, tensor: Tensor) -> Sizes:
        """Return the sizes of a tensor with their origin."""
        if self.held:
            return Sizes(tensor.shape)
        name = self.ref(tensor)
        return Sizes(
            Size(size, f"size('{name}', {axis})", self.note) for axis, size in enumerate(tensor.shape)
        )

    def opaque(
        self, name: str, function: str, tensors: Sequence[Tensor], results: Sequence[Tensor], **more: Any
    ) -> None:
        """Append an operation that has no rule, with the shapes that it was seen with."""
        operands = [*tensors] or [next(tensor for tensor, ref in self.refs.values() if ref == self.inputs[0])]
        sources = [self.ref(tensor) for tensor in operands]
        batch = self.batch_of(self.inputs[0])
        carries = any(shape[:1] == (batch,) for shape in (tuple(one.shape) for one in operands))

        def told(tensor: Tensor) -> list[int]:
            shape = [*tensor.shape]
            return [-1, *shape[1:]] if carries and shape and shape[0] == batch else shape

        layer = Opaque(
            function=re.sub(r"\W", "_", function).lstrip("_0123456789") or "function",
            takes=[told(one) for one in operands],
            gives=[told(one) for one in results],
            **more,
        )
        self.emit(layer, sources, results, name)

    def batch_of(self, name: str) -> int:
        """Return the first size of an input; 0 for a single number, and where no axis is a batch."""
        if self.whole:
            return 0
        return next((t.shape[0] for t, ref in self.refs.values() if ref == name and t.dim()), 0)


def is_of_torch(module: type[nn.Module]) -> bool:
    """Whether a class of modules is torch's own: tools go by the exact class."""
    return module.__module__.startswith("torch.nn.")


def is_module(layer: Kind) -> bool:
    """Whether torch has a module for a kind that a tool may count, so that it matters what is called."""
    return (layer.torch or "").startswith("torch.nn.") and not layer.family.moves_values


def caller_of(function: Any) -> Caller:
    """Return how a function of torch is called: tools replace those of torch.nn.functional by their names.

    Fused attention is told apart, since nothing sees the products and the softmax inside it.
    """
    name = getattr(function, "__name__", "")
    is_functional = getattr(nn.functional, name, None) is function and not name.endswith("_")
    fused = nn.functional.scaled_dot_product_attention
    return "function" if is_functional and function is not fused else "method"


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Yield the tensors in nested arguments or results."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from tensors_in(one)
    elif isinstance(value, (tuple, list)):
        for one in value:
            yield from tensors_in(one)


class Recording(TorchFunctionMode):
    """Shows every function that torch is about to run to a trace."""

    def __init__(self, trace: Trace, translate: Callable[..., Any]) -> None:
        super().__init__()
        self.trace = trace
        self.translate = translate

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        self.trace.recorded_at(called_from())
        result = joined(args, kwargs) if func is torch.cat else None
        if result is None:
            result = func(*plain(args), **plain(kwargs))
        self.trace.called = caller_of(func)
        try:
            return self.translate(self.trace, func, args, kwargs, result)
        finally:
            self.trace.called = "module"


@contextmanager
def modules_seen(trace: Trace) -> Iterator[None]:
    """Make each call of a module go through the trace: one step where it has a kind, else its own forward."""
    honest = nn.Module.__call__

    def called(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
        with DisableTorchFunction():
            if trace.inside_leaf:
                return honest(module, *args, **kwargs)
            if not args and [*kwargs] == ["input"]:
                args, kwargs = (kwargs["input"],), {}
            trace.called = "module" if is_of_torch(type(module)) else "custom"
            effect = _as_step(trace, module, args) if _is_unary(module, args, kwargs) else None
            trace.called = "module"
            if effect is not None:
                result = foretold(module, args[0], effect)
                if result is None:
                    trace.inside_leaf = True
                    try:
                        result = honest(module, *plain(args), **plain(kwargs))
                    finally:
                        trace.inside_leaf = False
                first = result if isinstance(result, Tensor) else result[0]
                trace.settle(trace.last, [first])
                return result
        trace.scope.append(trace.paths.get(id(module), trace.scope[-1] if trace.scope else ""))
        trace.running.append(type(module))
        try:
            return honest(module, *args, **kwargs)
        finally:
            trace.scope.pop()
            trace.running.pop()

    with mock.patch.object(nn.Module, "__call__", called):
        yield


def _is_unary(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    if isinstance(module, nn.MultiheadAttention) and len(args) > 1:
        return len(args) == 3 and args[0] is args[1] is args[2] and _plain_attention(kwargs)
    return len(args) == 1 and not kwargs and isinstance(args[0], Tensor)


def _plain_attention(kwargs: dict[str, Any]) -> bool:
    """Whether no mask is given, or one that hides a part and changes no shape and no cost."""
    return all(value is None or isinstance(value, bool) for name, value in kwargs.items() if "mask" in name)


def held(module: nn.Module) -> dict[str, nn.Parameter]:
    """Return the parameters of a module itself, by name."""
    return {name: one for name, one in vars(module)["_parameters"].items() if one is not None}


def _as_step(trace: Trace, module: nn.Module, args: tuple[Any, ...]) -> Effect | None:
    """Append the step that a module is, if it is one, and return its effect; its result is not known yet."""
    layer = as_layer(module)
    if layer is None:
        return None
    own = dict(module.named_parameters()) if vars(module)["_modules"] else held(module)
    x = tuple(plain(tuple(args[0].shape)))
    try:
        effect = layer.apply((x,))
    except ShapecalcError:
        return None  # torch will say itself what it does not take
    except ValidationError:
        return None
    if effect.weights != {name: tuple(one.shape) for name, one in own.items()}:
        return None  # weights that are computed, as under a parametrization
    owners = {trace.claimed.get(id(one)) for one in own.values()}
    path = trace.paths.get(id(module)) or layer.kind
    name = trace.unique(path)
    source = [trace.ref(args[0])]
    if owners <= {None}:
        trace.claimed |= {id(one): name for one in own.values()}
        trace.emit(layer, source, (), name)
        return effect
    owner = owners.pop()
    if owners or owner is None:
        return None  # some of its weights are another's
    holder = next(step for step in trace.steps if step.name == owner)
    if holder.body == layer:
        trace.emit(layer, source, (), name, share=owner)
        return effect
    return None
