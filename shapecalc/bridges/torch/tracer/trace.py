"""The steps of a spec that a forward has been recorded as so far, and the calls that become steps."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import get_ident
from types import MappingProxyType
from typing import Any, TypeAlias

from torch import Tensor, nn

from shapecalc.bridges.torch.tracer.branch_sites import BranchTests
from shapecalc.bridges.torch.tracer.call_log import CallLog
from shapecalc.bridges.torch.tracer.callers import caller_in_module
from shapecalc.bridges.torch.tracer.data_decisions import Decisions
from shapecalc.bridges.torch.tracer.kept_tensors import MetaTwins, kept_tensors
from shapecalc.bridges.torch.tracer.module_parts import by_identity, named_parts, tensors_of
from shapecalc.bridges.torch.tracer.source_lines import current_place
from shapecalc.bridges.torch.tracer.table_rows import end_of, require_rows
from shapecalc.bridges.torch.tracer.tensor_values import Values
from shapecalc.bridges.torch.tracer.traced_number import Guard, concrete, mapped, pinned
from shapecalc.bridges.torch.tracer.traced_sizes import Location, Size, Sizes, field_value, spec_text
from shapecalc.layers.base import Caller, Kind, Merge
from shapecalc.layers.select import EmptySlice
from shapecalc.layers.table import Embedding
from shapecalc.layers.traced import Buffer, Constant, Opaque, Parameter
from shapecalc.spec.tree import Step

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.]")


class Trace:
    """A recording of one run of a module.

    With `has_batch` the first axis of each input is a batch, put in front of the shape in the spec. With
    `pinned` sizes are ordinary numbers, so that the recording holds for the sizes of its inputs only.
    `copies` has by identity the copies of what a closure of the forward may still hold the original of, and
    `originals` the tensors of the user's module by the identity of their copies.
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        copies: Mapping[int, Any] = MappingProxyType({}),
        originals: Mapping[int, Tensor] = MappingProxyType({}),
        has_batch: bool = True,
        pinned: bool = False,
    ) -> None:
        self.module = module
        self.module_copies = {key: item for key, item in copies.items() if isinstance(item, nn.Module)}
        self.tensor_copies = {key: item for key, item in copies.items() if isinstance(item, Tensor)}
        self.has_batch = has_batch
        self.pinned = pinned
        self.thread = get_ident()
        self.steps: list[Step] = []
        self.guards: dict[Guard, int] = {}
        """What Python decided by sizes, each with the number of steps before it."""
        self.tests = BranchTests()
        self.indices: dict[Location, list[Guard]] = {}
        """The guards of sizes that were read as indices since the last call of torch, by location."""
        self.tensors: dict[int, tuple[Tensor, str]] = {}
        """The tensors that are known, by identity, each with its name in the spec."""
        self.names: dict[str, int] = {}
        parts = named_parts(module)
        self.paths, self.parameters = by_identity(parts), by_identity(tensors_of(parts, "_parameters"))
        self.buffers = by_identity(tensors_of(parts, "_buffers"))
        self.buffer_ids = {path: key for key, path in self.buffers.items()}
        self.owners: dict[int, str] = {}
        """The step that has each parameter and each buffer, by the tensor's identity."""
        self.scope: list[str] = []
        """The paths of the modules that are running."""
        self.inputs: list[str] = []
        self.inside_leaf = False
        self.called: Caller = "module"
        """What is being recorded: a module of torch, a function of torch.nn.functional, or another."""
        self.running: list[type[nn.Module]] = []
        """The classes of the modules that are running, the innermost last."""
        self.last = ""
        """What the next step reads where it says nothing."""
        self.literals = {id(tensor): tensor for tensor in kept_tensors(parts.values())}
        """Tensors kept on the module, or made in its forward of numbers that are no sizes."""
        self.values = Values(originals)
        self.decisions = Decisions()
        self.meta_twins = MetaTwins(self.literals, self.values)
        self.ranges: dict[str, Any] = {}
        """What integers that count up to a size are less than, by the name of their tensor."""
        self.leaves: dict[str, str] = {}
        """The path of the module that a step is, by the name of the step."""
        self.log = CallLog()
        self.has_opaque_batch = False
        """Whether an operation without a rule is taken to keep the batch, which other runs confirm."""
        self.has_unknown = False
        """Whether a tensor or number was read without a known origin: it may depend on any size."""

    # ---- names

    def unique(self, name: str) -> str:
        """Return a name that no step has yet: this one, or with a number behind it."""
        name = _NOT_IN_NAMES.sub("_", name) or "model"
        number = self.names.get(name, 0) + 1
        self.names[name] = number
        return name if number == 1 else self.unique(f"{name}_{number}")

    def local(self, function: str) -> str:
        """Return a new name for a call in the module that is running."""
        prefix = self.scope[-1] if self.scope else ""
        return self.unique(f"{prefix}.{function}" if prefix else function)

    # ---- tensors

    def add_input(self, name: str, tensor: Tensor) -> None:
        """Make an input known."""
        self.names[name] = 1
        self.inputs.append(name)
        self.tensors[id(tensor)] = (tensor, name)
        self.last = self.last or name

    def name_of(self, tensor: Tensor) -> str:
        """Return the name of a tensor; a parameter or a constant becomes a step at its first use.

        A tensor of unknown origin is a constant too, in a recording that has to be pinned.
        """
        tensor = self.meta_twins.of(tensor)
        if id(tensor) not in self.tensors:
            shape = [int(size) for size in concrete(tuple(tensor.shape))]
            is_buffer = id(tensor) in self.buffers
            path = self.parameters.get(id(tensor)) or self.buffers.get(id(tensor))
            self.has_unknown |= path is None and id(tensor) not in self.literals and tensor.is_meta
            is_first = path is not None and id(tensor) not in self.owners
            shown = path if is_first else (path or "").replace(".", "_")  # a layer may have it by its path
            name = self.unique(shown) if shown else self.local("constant")
            if not is_first or not tensor.numel():
                self.append_new(shape, tensor, name)
            else:
                layer, own = (Buffer(shape=shape), []) if is_buffer else (Parameter(shape=shape), [tensor])
                self.append(layer, [self.inputs[0]], [tensor], name, parameters=own)
            if path is not None:
                self.owners.setdefault(id(tensor), path)
        return self.tensors[id(tensor)][1]

    def alias(self, result: Any, tensor: Tensor) -> None:
        """Let a result have the name of the tensor that it was made of."""
        if isinstance(result, Tensor):
            self.bind(self.name_of(tensor), [result])

    def sizes(self, tensor: Tensor) -> Sizes:
        """Return the sizes of a tensor, traced; those of parameters and literals are ordinary numbers."""
        if self.pinned or id(tensor) in self.parameters or id(tensor) in self.literals:
            return Sizes(tensor.shape)
        name = self.name_of(tensor)
        return Sizes(
            Size(size, f"size('{name}', {axis})", self.guard) for axis, size in enumerate(tensor.shape)
        )

    def copied(self, value: Any) -> Any:
        """Return nested arguments with copies of the user's own tensors."""
        return mapped(lambda leaf: self.tensor_copies.get(id(leaf), leaf), value)

    # ---- steps

    def append(
        self,
        layer: Kind,
        sources: Sequence[str],
        results: Sequence[Any],
        name: str,
        share: str | None = None,
        parameters: Iterable[Tensor] = (),
    ) -> str:
        """Append a step and return its name; `share` is a step whose layer and weights it has."""
        if isinstance(layer, Embedding):
            require_rows(layer, self._end(sources[0]))
        data: dict[str, Any] = {"name": name, "place": current_place()}
        if {parameter.requires_grad for parameter in parameters} == {False}:
            data["trainable"] = False
        if [*sources] != [self.last] or isinstance(layer, Merge):
            data["from"] = tuple(sources)
        running = self.running[-1] if self.running else type(self.module)
        if (caller := caller_in_module(self.called, layer, running)) != "module":
            data["called"] = caller
        self.steps.append(Step(layer, **data) if share is None else Step(share=share, **data))
        self.last = name
        self.bind(name, results)
        return name

    def _end(self, name: str) -> Any:
        return self.ranges[name] if name in self.ranges else end_of(name, self.tensors, self.values)

    def append_new(self, sizes: Sequence[Any], result: Tensor, name: str) -> str:
        """Append a tensor that is no input and return the name of its step.

        A size of 0 is no field of a spec: nothing is taken of an axis of 1.
        """
        sizes = [size if concrete(size) else pinned(size) for size in sizes]
        layer = Constant(shape=field_value([1 if type(size) is int and not size else size for size in sizes]))
        last = self.append(layer, [self.inputs[0]], [result], name)
        for axis in (axis for axis, size in enumerate(sizes) if type(size) is int and not size):
            last = self.append(EmptySlice(dim=axis), [last], [result], self.unique(name))
        return last

    def bind(self, name: str, results: Sequence[Any]) -> None:
        """Record which tensors a step made."""
        for number, result in enumerate(results):
            if isinstance(result, Tensor):
                tensor = self.meta_twins.of(result)
                self.tensors[id(tensor)] = (tensor, name if len(results) == 1 else f"{name}.{number}")

    def bind_layer(self, name: str, results: Sequence[Tensor]) -> None:
        """Record the results of a layer: the first has its name, the others a number behind it."""
        self.bind(name, results[:1])
        for number, result in enumerate(results[1:], 1):
            self.tensors[id(result)] = (result, f"{name}.{number}")

    def claim(
        self,
        layer: Kind,
        parameters: Iterable[Tensor],
        sources: Sequence[str],
        results: Sequence[Any],
        name: str,
    ) -> bool:
        """Append a layer that owns some parameters, or shares them with the equal layer that owns them.

        Return False where they are of several layers or of another, and where only some of them are trained,
        which a layer cannot say.
        """
        parameters = [*parameters]
        if len({parameter.requires_grad for parameter in parameters}) > 1:
            return False
        ids = [id(parameter) for parameter in parameters]
        owners = {self.owners.get(parameter) for parameter in ids}
        owner = next(iter(owners), None)
        if len(owners) > 1 or not (
            owner is None or any(step.name == owner and step.body == layer for step in self.steps)
        ):
            return False
        name = self.append(layer, sources, results, self.unique(name), share=owner, parameters=parameters)
        if owner is None:
            self.owners |= dict.fromkeys(ids, name)
        return True

    def own_buffers(self, *buffers: Tensor | None) -> None:
        """Note that a layer counts these buffers, and the number of batches that is kept beside them."""
        paths = [self.buffers.get(id(buffer), "") for buffer in buffers]
        counts = {f"{path.rpartition('.')[0]}.num_batches_tracked".lstrip(".") for path in paths if path}
        owned = counts.union(paths) & self.buffer_ids.keys()
        self.owners |= {self.buffer_ids[path]: path for path in owned}

    def append_opaque(
        self, function: str, tensors: Sequence[Tensor], results: Sequence[Tensor], macs: int | None
    ) -> None:
        """Append an operation without a rule, with the shapes that it was seen with.

        The batch may be in any size of a result but the batch in front, and an index without a batch may
        pick items of one: such results hold for one batch only.
        """
        first = next(tensor for tensor, name in self.tensors.values() if name == self.inputs[0])
        operands = [*tensors] or [first]
        batch = self.batch()
        has_batch = not self.pinned and any(tensor.shape[:1] == (batch,) for tensor in operands)
        is_plain = all(y.shape[:1] in ((batch,), ()) and batch not in y.shape[1:] for y in results)
        indices = (each.shape[0] for each in operands if each.dim() and not each.is_floating_point())
        self.has_unknown |= has_batch and not (is_plain and {*indices} <= {batch})
        self.has_opaque_batch |= has_batch

        def seen(tensor: Tensor) -> list[int]:
            return [-1, *tensor.shape[1:]] if has_batch and tensor.shape[:1] == (batch,) else [*tensor.shape]

        layer = Opaque(
            function=re.sub(r"\W", "_", function).lstrip("_0123456789") or "function",
            takes=[*map(seen, operands)],
            gives=[*map(seen, results)],
            **({} if macs is None else {"macs_known": macs}),
        )
        self.append(layer, [*map(self.name_of, operands)], results, self.local(function))

    def batch(self) -> int:
        """Return the first size of the first input; 0 for a single number, and where no axis is a batch."""
        sizes = (tensor.shape for tensor, name in self.tensors.values() if name == self.inputs[0])
        return next((shape[0] for shape in sizes if shape), 0) if self.has_batch else 0

    # ---- guards

    def guard(self, guard: Guard, location: Location | None = None) -> None:
        """Record what was decided by a size; `location` is where it was read as an index."""
        is_new = guard not in self.guards
        self.tests.note(guard, self.tensors, is_new=is_new)
        if location is not None and is_new:
            self.indices.setdefault(location, []).append(guard)
        self.guards.setdefault(guard, len(self.steps))

    def guard_expansion(self, tensor: Tensor, name: str, shape: Sequence[int]) -> None:
        """Record that a tensor expands to the shape of a step, which is written to or stays as it is.

        An axis of the step's size keeps it, another has size 1.
        """
        first = len(shape) - tensor.dim()
        for axis, size in enumerate(() if self.pinned else self.sizes(tensor), first):
            if axis >= 0 and concrete(size) in (1, shape[axis]):
                wanted = f"size('{name}', {axis})" if concrete(size) == shape[axis] else "1"
                if wanted != spec_text(size):
                    self.guard((wanted, "equal", spec_text(size)))

    def forget_indices(self, location: Location) -> None:
        """Drop the guards of the indices of the call that is recorded now, which has the sizes themselves."""
        for guard in self.indices.pop(location, ()):
            del self.guards[guard]
        self.indices.clear()


# ---- calls of functions


@dataclass(slots=True, eq=False, repr=False)
class Call:
    """The name of a function, its arguments by name, and its result."""

    trace: Trace
    name: str
    arguments: dict[str, Any]
    result: Any

    @property
    def input(self) -> Tensor:
        """The first tensor."""
        tensor: Tensor = self.arguments["input"]
        return tensor

    def first(self, *names: str) -> Any:
        """Return the first of some arguments that is given, or None."""
        return next((self.arguments[name] for name in names if self.arguments.get(name) is not None), None)

    def step(
        self, layer: Kind, *operands: Tensor | str, results: Sequence[Any] = (), name: str | None = None
    ) -> str:
        """Append a layer that reads tensors or steps; return its name, by default that of the kind."""
        sources = [each if isinstance(each, str) else self.trace.name_of(each) for each in operands]
        return self.trace.append(layer, sources, results, self.trace.local(name or layer.kind))

    def ends(self, layer: Kind, *operands: Tensor | str, name: str | None = None) -> bool:
        """Append the layer that gives the result of the call."""
        return bool(self.step(layer, *operands, results=[self.result], name=name))


Rule: TypeAlias = Callable[[Call], bool]
"""Appends the steps of a call; returns False where the call is not as the rule has it."""
