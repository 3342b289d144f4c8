"""From the tree to the flat graph: blocks opened, repeats written out, conditions settled.

Expansion and the first walk are one pass, because a spec may ask for the channels or the size of
what arrives. Every parameter and size that was asked for is remembered with the graph; as long as
those keep their values, the graph serves other input sizes without being expanded again.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError

from shapecalc.algebra import Dim, Expr
from shapecalc.algebra.formula import Formula
from shapecalc.algebra.rational import Value
from shapecalc.engine.evaluate import Evaluator, at, failure
from shapecalc.engine.graph import Graph, GraphNode, Group, Walk
from shapecalc.engine.scope import Frame, Mark, UnknownSize
from shapecalc.errors import Failure, FormulaError, Place, SpecError, Undecided, quote
from shapecalc.layers import registry
from shapecalc.layers.base import Effect, Kind, Merge, Refused, Shape
from shapecalc.spec.read import complaint_of
from shapecalc.spec.tree import Block, Call, Sequential, Side, Spec, Step

MOST_NODES = 200_000
DEEPEST = 50


def expand(
    spec: Spec, parameter: Callable[[str], Value], inputs: Mapping[str, Shape], *, batched: bool = True
) -> Walk:
    """Return the expanded graph of a spec together with the walk that expanded it."""
    with _collector_paused():
        return _Expansion(spec, parameter, inputs, batched=batched).run()


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Nothing in a growing graph is garbage; looking for some makes deep networks cost more a layer."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class TooLarge(SpecError):
    """The network would not fit in memory; nothing after this is tried."""


class _Expansion:
    """One pass over the tree; it is the `Machine` that frames ask for sizes and parameters."""

    def __init__(
        self, spec: Spec, parameter: Callable[[str], Value], inputs: Mapping[str, Shape], *, batched: bool
    ) -> None:
        self.spec = spec
        self.batched = batched
        self.parameter_names = tuple(spec.parameters)
        self.value_of = parameter
        self.inputs = inputs
        self.graph = Graph(slots=len(inputs), batched=batched)
        self.shapes: list[Shape | None] = list(inputs.values())
        self.effects: list[Effect | None] = []
        self.failures: list[Failure] = []
        self.evaluator = Evaluator()
        self.interned: dict[Kind, Kind] = {}
        self.sides: dict[str, int] = {}
        self.depth = 0
        self.work = 0
        self.multiplicity = 1
        self.trainable = True

    def run(self) -> Walk:
        least = _least_size(self.spec)
        if least > MOST_NODES:
            raise TooLarge(
                f"the model has at least {least:,} layers, more than the {MOST_NODES:,} allowed",
                place=self.spec.place,
            )
        marks = {name: Mark((slot,)) for slot, name in enumerate(self.inputs)}
        frame = Frame(self, None, self.spec.layers, marks=marks)
        last = self.steps(frame, 0, "")
        self.graph.outputs = self.outputs(frame, last)
        return Walk(self.graph, self.shapes, self.effects, self.failures)

    def outputs(self, frame: Frame, last: int) -> dict[str, int]:
        if self.spec.outputs is None:
            return {"output": last, **self.sides}
        found: dict[str, int] = {}
        for name, reference in self.spec.outputs.items():
            try:
                found[name] = frame.find(reference).slots[0]
            except SpecError as error:
                self.fail(error, f"outputs.{name}", self.spec.place)
        return found or {"output": last}

    # ---- Machine

    def parameter(self, name: str) -> Value:
        value = self.value_of(name)
        self.graph.parameters_read[name] = value
        return value

    def size(self, slot: int, axis: int) -> Dim:
        shape = self.shapes[slot]
        if shape is None:
            raise UnknownSize
        if not -len(shape) <= axis < len(shape):
            raise FormulaError(f"the tensor has {len(shape)} axes, so there is no axis {axis}")
        self.graph.sizes_read[slot, axis] = shape[axis]
        return shape[axis]

    # ---- steps

    def steps(self, frame: Frame, current: int, prefix: str) -> int:
        """Run the steps of a frame from a tensor; return the slot of the last result."""
        taken = dict.fromkeys((step.name for step in frame.steps if step.name), 1)
        for step in frame.steps:
            key = step.name or _automatic(step, taken)
            path = f"{prefix}{key}"
            frame.arriving = current
            try:
                current = self.step(frame, step, current, key, path)
            except UnknownSize:
                current = self.unknown(frame, key)
            except TooLarge:
                raise
            except SpecError as error:
                self.fail(error, path, step.place)
                current = self.unknown(frame, key)
            except Undecided as error:
                raise at(error, path) from None
        return current

    def step(self, frame: Frame, step: Step, current: int, key: str, path: str) -> int:
        if not self.holds(frame, step):
            frame.skipped.add(key)
            return current
        if key in frame.marks and step.name is not None:
            raise SpecError(f"the name {quote(key)} is taken by an earlier step or input")
        sources = [current] if step.source is None else [frame.find(name).slots[0] for name in step.source]
        frame.arriving = sources[0]
        start = len(self.graph.nodes)
        was_trainable, self.trainable = self.trainable, self.trainable and step.trainable is not False
        try:
            if step.repeat is None:
                mark = self.once(frame, step, sources, path)
            else:
                mark = self.repeated(frame, step, sources, path)
        finally:
            self.trainable = was_trainable
        mark.step, mark.frame, mark.start, mark.end = step, frame, start, len(self.graph.nodes)
        frame.marks[key] = mark
        if step.share is not None:
            self.share(frame, step, mark)
        if isinstance(step.body, Side):
            self.sides[path] = mark.slots[0]
            return current
        return mark.slots[0]

    def holds(self, frame: Frame, step: Step) -> bool:
        if step.when is None:
            return True
        value = step.when.evaluate(frame) if isinstance(step.when, Formula) else step.when
        if not isinstance(value, bool):
            raise SpecError(f"when: {quote(value)} is not true or false")
        return value

    def repeated(self, frame: Frame, step: Step, sources: list[int], path: str) -> Mark:
        passes = self.passes(frame, step.repeat)
        group = self.open(path, _label(step), len(passes))
        position = len(self.graph.groups)
        mark = Mark(tuple(sources[:1]))
        outer, self.multiplicity = self.multiplicity, self.multiplicity * max(len(passes), 1)
        if self.multiplicity > MOST_NODES:
            raise TooLarge(
                f"repeats within repeats come to {self.multiplicity:,} passes, "
                f"more than the {MOST_NODES:,} layers allowed",
                place=step.place,
                path=path,
            )
        for index, variables in enumerate(passes):
            self.spend()
            inner = Frame(self, frame, (), variables)
            inner.arriving = sources[0]
            one = self.once(inner, step, sources, f"{path}.{index}")
            mark.inner[str(index)] = one
            sources = [one.slots[0]]
        mark.slots = tuple(sources[:1])
        self.multiplicity = outer
        self.close(group)
        first = self.graph.groups[position] if position < len(self.graph.groups) else group
        if first.path == f"{path}.0":
            group.label = first.label  # the block that an argument chose, rather than the argument
        return mark

    def passes(self, frame: Frame, repeat: Any) -> list[dict[str, Value]]:
        if not isinstance(repeat, Mapping):
            return [{}] * self.times(repeat.evaluate(frame) if isinstance(repeat, Formula) else repeat)
        columns: dict[str, list[Value]] = {}
        for name, given in repeat.items():
            value = frame.soft(given)
            columns[name] = value if isinstance(value, list) else [*range(self.times(value))]
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) != 1:
            told = ", ".join(f"{name} has {length}" for name, length in lengths.items()) or "no variable"
            raise SpecError(f"repeat: the lists differ in length ({told})")
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def times(self, count: Any) -> int:
        if isinstance(count, Expr):
            raise Undecided(f"repeat: {count} must be a number to write the passes out")
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise SpecError(f"repeat: {quote(count)} is not a number of passes")
        if count > MOST_NODES - len(self.graph.nodes):
            raise SpecError(f"repeat: {count:,} passes are more than the {MOST_NODES:,} layers allowed")
        return count

    def once(self, frame: Frame, step: Step, sources: list[int], path: str) -> Mark:
        body = step.body
        if body is None:
            return self.again(frame, step, sources, path)
        if isinstance(body, Kind):
            if isinstance(body, Merge) and body.branches is not None:
                return self.merge(frame, body, sources, path, step.place)
            return self.leaf(frame, body, sources, path, step.place)
        if len(sources) > 1:
            raise SpecError("only a single layer takes several tensors", hint="name them inside instead")
        if isinstance(body, Call):
            return self.call(frame, body, sources[0], path, step.place)
        return self.sequence(frame, body.steps, sources[0], path, _label(step))

    def sequence(
        self,
        outer: Frame | None,
        steps: Sequence[Step],
        current: int,
        path: str,
        label: str,
        variables: dict[str, Value] | None = None,
        marks: dict[str, Mark] | None = None,
    ) -> Mark:
        self.spend()
        if self.depth >= DEEPEST:
            raise SpecError(f"blocks are nested more than {DEEPEST} deep")
        inner = Frame(self, outer, steps, variables, marks)
        inner.arriving = current
        group = self.open(path, label)
        self.depth += 1
        try:
            result = self.steps(inner, current, f"{path}.")
        finally:
            self.depth -= 1
            self.close(group)
        return Mark((result,), inner.marks)

    def call(self, frame: Frame, call: Call, current: int, path: str, place: Place) -> Mark:
        name: Any = call.callee
        if name not in self.spec.blocks:
            name = frame.soft(Formula.parse(name))
        if not isinstance(name, str):
            raise SpecError(f"{call.callee} is {quote(name)}, which names neither a kind nor a block")
        block = self.spec.blocks.get(name)
        if block is None:
            fields = {key: frame.soft(value) for key, value in call.arguments.items()}
            cls = registry.get(name)
            try:
                layer = cls(**fields)
            except ValidationError as error:
                raise _spec_error(error) from None
            return self.leaf(frame, layer, [current], path, place)
        variables = self.bound(frame, name, block, call)
        inputs = {name: Mark((slot,)) for slot, name in enumerate(self.inputs)}
        return self.sequence(None, block.layers, current, path, name, variables, inputs)

    def bound(self, frame: Frame, name: str, block: Block, call: Call) -> dict[str, Value]:
        for key in call.arguments:
            if key not in block.args:
                raise SpecError(f"the block {name} has no argument {quote(key)}")
        variables: dict[str, Value] = {}
        own = Frame(self, None, (), variables)
        own.arriving = frame.arriving
        for key, default in block.args.items():
            if key in call.arguments:
                variables[key] = frame.soft(call.arguments[key])
            elif default is None:
                raise SpecError(f"the block {name} needs the argument {key}")
            else:
                variables[key] = own.soft(default)
        return variables

    def merge(self, frame: Frame, merge: Merge, sources: list[int], path: str, place: Place) -> Mark:
        if len(sources) > 1:
            raise SpecError(f"{merge.kind} takes its tensors either from branches or from `from`")
        group = self.open(path, merge.kind)
        results: list[int] = []
        inner: dict[str, Mark] = {}
        for name, branch in merge.branches or ():
            if isinstance(branch, str):
                results.append(frame.find(branch).slots[0])
                continue
            inner[name] = self.sequence(frame, branch, sources[0], f"{path}.{name}", "")
            results.append(inner[name].slots[0])
        plain = self.without_branches(merge)
        mark = self.leaf(frame, plain, results, path, place)
        self.close(group)
        mark.inner = inner
        return mark

    def without_branches(self, merge: Merge) -> Merge:
        fields = {name: value for name, value in merge.fields_set().items() if name != "branches"}
        return type(merge).model_construct(_fields_set=set(fields), **fields)

    def leaf(self, frame: Frame, layer: Kind, sources: list[int], path: str, place: Place) -> Mark:
        self.spend()
        if any(self.shapes[slot] is None for slot in sources):
            raise UnknownSize
        try:
            resolved = layer.resolve(frame.evaluate)
        except ValidationError as error:
            raise _spec_error(error) from None
        if resolved is not layer or isinstance(layer, Merge):
            resolved = self.interned.setdefault(resolved, resolved)
        inputs = tuple(shape for slot in sources if (shape := self.shapes[slot]) is not None)
        answer = self.evaluator.apply(resolved, inputs)
        node = GraphNode(path, resolved, tuple(sources), self.graph.slots, 1, place, self.trainable)
        self.graph.nodes.append(node)
        if isinstance(answer, Refused):
            self.failures.append(failure(answer, path, place))
            self.effects.append(None)
            self.shapes.append(None)
        else:
            self.effects.append(answer)
            self.shapes.extend(answer.outputs)
            node.results = len(answer.outputs)
        self.graph.slots += node.results
        return Mark(tuple(range(node.first_slot, self.graph.slots)))

    # ---- weights in common

    def again(self, frame: Frame, step: Step, sources: list[int], path: str) -> Mark:
        """Run the step that `share` names once more, on what arrives now."""
        target = frame.find(step.share or "")
        if target.step is None or target.frame is None:
            raise SpecError(f"share: {quote(step.share)} is not a step with weights")
        scope = Frame(self, target.frame, ())
        scope.arriving = sources[0]
        if target.step.repeat is not None and "0" in target.inner:
            return self.repeated(scope, target.step, sources, path)
        return self.once(scope, target.step, sources, path)

    def share(self, frame: Frame, step: Step, mark: Mark) -> None:
        """Let the nodes of a step use the weights of the step that it names, one by one."""
        target = frame.find(step.share or "")
        owners, users = range(target.start, target.end), range(mark.start, mark.end)
        if len(owners) != len(users):
            raise SpecError(
                f"share: {quote(step.share)} has {len(owners)} layers, but this step has {len(users)}"
            )
        for owner, user in zip(owners, users, strict=True):
            mine, theirs = self.effects[user], self.effects[owner]
            if mine is None or theirs is None:
                continue
            if mine.weights != theirs.weights:
                there, here = self.graph.nodes[owner].path, self.graph.nodes[user].path
                raise SpecError(
                    f"share: the weights of {there} are {_weights(theirs)}, but {here} needs {_weights(mine)}"
                )
            first = self.graph.nodes[owner].owner
            self.graph.nodes[user].owner = owner if first is None else first

    # ---- bookkeeping

    def unknown(self, frame: Frame, key: str) -> int:
        """Stand in for a result that could not be found; what depends on it stays silent."""
        self.shapes.append(None)
        self.graph.slots += 1
        slot = self.graph.slots - 1
        frame.marks.setdefault(key, Mark((slot,)))
        return slot

    def spend(self) -> None:
        self.work += 1
        if self.work > MOST_NODES:
            raise TooLarge(f"the model has more than {MOST_NODES:,} layers", place=self.spec.place)

    def fail(self, error: SpecError, path: str, place: Place) -> None:
        self.failures.append(
            Failure("spec", error.message, path, error.place or place, error.hint, is_spec_error=True)
        )

    def open(self, path: str, label: str, passes: int = 1) -> Group:
        start = len(self.graph.nodes)
        group = Group(path, label, start, start, path.count("."), passes)
        self.graph.groups.append(group)
        return group

    def close(self, group: Group) -> None:
        group.end = len(self.graph.nodes)


def _least_size(spec: Spec) -> int:
    """Return how many layers a spec has at the least, from what is a plain number in it."""
    known: dict[str, int] = {}

    def size(steps: Sequence[Step]) -> int:
        total = 0
        for step in steps:
            if step.when is not None:
                continue
            times = step.repeat if isinstance(step.repeat, int) else 1
            body = step.body
            if isinstance(body, Call) and body.callee in spec.blocks:
                if body.callee not in known:
                    known[body.callee] = 0  # a circle counts as nothing here
                    known[body.callee] = size(spec.blocks[body.callee].layers)
                total += times * known[body.callee]
            elif isinstance(body, Sequential):
                total += times * size(body.steps)
            elif isinstance(body, Merge):
                inner = [branch for _, branch in body.branches or () if not isinstance(branch, str)]
                total += times * (1 + sum(map(size, inner)))
            else:
                total += times
        return total

    return size(spec.layers)


def _automatic(step: Step, taken: dict[str, int]) -> str:
    """Return `conv2d`, `conv2d_2`, … for unnamed steps, passing over names that were given."""
    label = _label(step)
    while True:
        taken[label] = taken.get(label, 0) + 1
        key = label if taken[label] == 1 else f"{label}_{taken[label]}"
        if key == label or key not in taken:
            return key


def _label(step: Step) -> str:
    body = step.body
    if isinstance(body, Kind):
        return body.kind
    if isinstance(body, Call):
        return body.callee
    if isinstance(body, Sequential):
        return "side" if isinstance(body, Side) else "sequential"
    return (step.share or "").rpartition(".")[2]


def _spec_error(error: ValidationError) -> SpecError:
    where, message = complaint_of(error)
    dotted = ".".join(map(str, where))
    return SpecError(f"{dotted}: {message}" if dotted else message)


def _weights(effect: Effect) -> str:
    return ", ".join(f"{name} {list(shape)}" for name, shape in effect.weights.items()) or "none"
