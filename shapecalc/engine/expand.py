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

from shapecalc.algebra import Expr
from shapecalc.algebra.formula import Formula
from shapecalc.algebra.rational import Value
from shapecalc.engine.evaluate import at
from shapecalc.engine.graph import Walk
from shapecalc.engine.limits import TooLarge, refuse_too_large
from shapecalc.engine.plausible import Guesses
from shapecalc.engine.recorder import Recorder
from shapecalc.engine.scope import Frame, Mark, UnknownSize
from shapecalc.errors import Place, SpecError, Undecided, nearest, quote
from shapecalc.layers import registry
from shapecalc.layers.base import Kind, Merge
from shapecalc.layers.requirement import Shape
from shapecalc.spec.build import complaint_of
from shapecalc.spec.steps import MODIFIERS
from shapecalc.spec.tree import MOST_LAYERS, Block, Call, Sequential, Side, Spec, Step

DEEPEST = 50


def expand(
    spec: Spec, parameter: Callable[[str], Value], inputs: Mapping[str, Shape], *, batched: bool = True
) -> Walk:
    """Return the expanded graph of a spec together with the walk that expanded it."""
    with _collector_paused():
        guesses = Guesses()
        walk = _Expansion(spec, parameter, inputs, batched=batched, guesses=guesses).run()
        for number in range(1, guesses.walks):
            other = _Expansion(spec, parameter, inputs, batched=batched, guesses=Guesses(number)).run()
            told = {(failure.code, failure.path) for failure in other.failures}
            walk.failures = [one for one in walk.failures if (one.code, one.path) in told]
            pairs = zip(walk.shapes, other.shapes, strict=False)
            walk.doubtful |= {slot for slot, (one, another) in enumerate(pairs) if one != another}
        return walk


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


class About:
    """Says of an error in a `with` block which part of the step it is about, and where that stands."""

    __slots__ = ("is_told", "key", "place")

    def __init__(self, key: str | int, place: Place | None = None, *, is_told: bool = True) -> None:
        self.key = key
        self.place = place
        self.is_told = is_told

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (SpecError, Undecided)) and not error.at:
            error.at = (self.key,)
            error.place = error.place or self.place or Place()
            if self.is_told:
                error.message = f"{self.key}: {error.message}"


class _Expansion:
    """One pass over the tree, which tells a recorder what it comes to."""

    def __init__(
        self,
        spec: Spec,
        parameter: Callable[[str], Value],
        inputs: Mapping[str, Shape],
        *,
        batched: bool,
        guesses: Guesses,
    ) -> None:
        self.spec = spec
        self.inputs = inputs
        self.record = Recorder(spec, parameter, inputs, batched=batched, guesses=guesses)
        self.sides: dict[str, int] = {}
        self.depth = 0
        self.calls: tuple[Place, ...] = ()
        self.multiplicity = 1
        self.trainable = True

    def run(self) -> Walk:
        refuse_too_large(self.spec, self.record.value_of)
        marks = {name: Mark((slot,)) for slot, name in enumerate(self.inputs)}
        frame = Frame(self.record, None, self.spec.layers, marks=marks)
        last = self.steps(frame, 0, "")
        self.record.graph.outputs = self.outputs(frame, last)
        return self.record.walk

    def outputs(self, frame: Frame, last: int) -> dict[str, int]:
        if self.spec.outputs is None:
            return {"output": last, **self.sides}
        found: dict[str, int] = {}
        for name, reference in self.spec.outputs.items():
            try:
                found[name] = frame.find(reference).slots[0]
            except SpecError as error:
                self.record.fail(error, "", self.spec.place.of("outputs", name))
        return found or {"output": last}

    # ---- steps

    def steps(self, frame: Frame, current: int, prefix: str) -> int:
        """Run the steps of a frame from a tensor; return the slot of the last result."""
        taken = dict.fromkeys((step.name for step in frame.steps if step.name), 1)
        for step in frame.steps:
            key = step.name or automatic_name(step, taken)
            path = f"{prefix}{key}"
            frame.arriving, frame.current = current, step
            try:
                current = self.step(frame, step, current, key, path)
            except UnknownSize:
                current = self.unknown(frame, key)
            except TooLarge:
                raise
            except SpecError as error:
                self.record.fail(error, path, _place(step, error.at))
                current = self.unknown(frame, key)
            except Undecided as error:
                raise at(error, path, _place(step, error.at)) from None
        return current

    def step(self, frame: Frame, step: Step, current: int, key: str, path: str) -> int:
        if not self.holds(frame, step):
            frame.skipped.add(key)
            return current
        if key in frame.marks and step.name is not None:
            first = frame.marks[key].step
            where = (
                f"an earlier step (line {first.place.line})"
                if first and first.place.line
                else "an earlier step"
            )
            raise SpecError(
                f"the name {quote(key)} is taken by {where if first else 'an input'}", at=("name",)
            )
        sources = [current]
        if step.source is not None:
            with About("from"):
                sources = [frame.find(name).slots[0] for name in step.source]
        frame.arriving = sources[0]
        owner = None
        if step.share is not None:
            with About("share"):
                owner = frame.find(step.share)
                if owner.step is None:
                    raise SpecError(f"{quote(step.share)} is not a step with weights")
        start = len(self.record.graph.nodes)
        was_trainable, self.trainable = self.trainable, self.trainable and step.trainable is not False
        try:
            if step.repeat is None:
                mark = self.once(frame, step, sources, path)
            else:
                mark = self.repeated(frame, step, sources, path)
        finally:
            self.trainable = was_trainable
        mark.step, mark.frame, mark.start, mark.end = step, frame, start, len(self.record.graph.nodes)
        frame.marks[key] = mark
        if owner is not None:
            if step.body is None and step.repeat is None:
                mark.step, mark.frame, mark.is_pass = owner.step, owner.frame, owner.is_pass
            with About("share"):
                self.record.share(owner, step, mark)
        if isinstance(step.body, Side):
            self.sides[path] = mark.slots[0]
            return current
        return mark.slots[0]

    def holds(self, frame: Frame, step: Step) -> bool:
        if step.when is None:
            return True
        with About("when"):
            value = step.when.evaluate(frame) if isinstance(step.when, Formula) else step.when
            if not isinstance(value, bool):
                raise SpecError(f"{_has(step.when, value)} not true or false")
        return value

    def repeated(self, frame: Frame, step: Step, sources: list[int], path: str) -> Mark:
        with About("repeat"):
            passes = self.passes(frame, step.repeat)
        group = self.record.open(path, label_of(step), len(passes))
        position = len(self.record.graph.groups)
        mark = Mark(tuple(sources[:1]))
        outer, self.multiplicity = self.multiplicity, self.multiplicity * max(len(passes), 1)
        if self.multiplicity > MOST_LAYERS:
            raise TooLarge(
                f"repeats within repeats come to {self.multiplicity:,} passes, "
                f"more than the {MOST_LAYERS:,} layers allowed",
                place=step.place.of("repeat"),
                path=path,
            )
        try:
            for index, variables in enumerate(passes):
                self.record.spend()
                inner = Frame(self.record, frame, (), variables)
                inner.arriving = sources[0]
                start = len(self.record.graph.nodes)
                one = self.once(inner, step, sources, f"{path}.{index}")
                one.step, one.frame, one.start, one.end = step, inner, start, len(self.record.graph.nodes)
                one.is_pass = True
                mark.inner[str(index)] = one
                sources = [one.slots[0]]
        finally:
            self.multiplicity = outer
        mark.slots = tuple(sources[:1])
        self.record.close(group)
        first = self.record.graph.groups[position] if position < len(self.record.graph.groups) else group
        if first.path == f"{path}.0":
            group.label = first.label  # the block that an argument chose, rather than the argument
        return mark

    def passes(self, frame: Frame, repeat: Any) -> list[dict[str, Value]]:
        if not isinstance(repeat, Mapping):
            return [{}] * self.times(
                repeat, repeat.evaluate(frame) if isinstance(repeat, Formula) else repeat
            )
        columns: dict[str, list[Value]] = {}
        for name, given in repeat.items():
            value = frame.soft(given)
            columns[name] = value if isinstance(value, list) else [*range(self.times(given, value))]
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) != 1:
            told = ", ".join(f"{name} has {length}" for name, length in lengths.items()) or "no variable"
            raise SpecError(f"the lists differ in length ({told})")
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def times(self, written: Any, count: Any) -> int:
        if isinstance(count, Expr):
            raise Undecided(f"the number of passes, {count}, cannot be left free", at=("repeat",))
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise SpecError(f"{_has(written, count)} not a number of passes")
        if count > MOST_LAYERS - len(self.record.graph.nodes):
            raise SpecError(f"{count:,} passes are more than the {MOST_LAYERS:,} layers allowed")
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
        return self.sequence(frame, body.steps, sources[0], path, label_of(step))

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
        self.record.spend()
        if self.depth >= DEEPEST:
            raise SpecError(f"blocks are nested more than {DEEPEST} deep")
        inner = Frame(self.record, outer, steps, variables, marks)
        inner.arriving = current
        group = self.record.open(path, label)
        self.depth += 1
        try:
            result = self.steps(inner, current, f"{path}.")
        finally:
            self.depth -= 1
            self.record.close(group)
        return Mark((result,), inner.marks)

    def call(self, frame: Frame, call: Call, current: int, path: str, place: Place) -> Mark:
        name: Any = call.callee
        if name not in self.spec.blocks:
            name = frame.soft(Formula.parse(name))
        if not isinstance(name, str):
            raise SpecError(
                f"{call.callee} is {quote(name)}, which names neither a kind nor a block", at=(call.callee,)
            )
        block = self.spec.blocks.get(name)
        if block is None:
            fields = {key: frame.soft(value) for key, value in call.arguments.items()}
            cls = registry.get(name, self.spec.framework)
            for key in fields:
                if key not in cls.model_fields:
                    known = [*cls.model_fields]
                    raise SpecError(
                        f"{name} has no field {quote(key)}{nearest(key, known)}",
                        hint=f"fields of {name}: {', '.join(known) or 'none'}",
                        at=(key,),
                    )
            try:
                layer = cls(**fields)
            except ValidationError as error:
                raise _spec_error(error) from None
            return self.leaf(frame, layer, [current], path, place)
        variables = self.bound(frame, name, block, call)
        inputs = {name: Mark((slot,)) for slot, name in enumerate(self.inputs)}
        outer = self.calls
        self.calls = (*outer, place.of(call.callee))
        try:
            return self.sequence(None, block.layers, current, path, name, variables, inputs)
        finally:
            self.calls = outer

    def bound(self, frame: Frame, name: str, block: Block, call: Call) -> dict[str, Value]:
        for key in call.arguments:
            if key not in block.args:
                raise SpecError(
                    f"the block {name} has no argument {quote(key)}{nearest(key, [*block.args])}", at=(key,)
                )
        variables: dict[str, Value] = {}
        own = Frame(self.record, None, (), variables)
        own.arriving = frame.arriving
        for key, default in block.args.items():
            if key in call.arguments:
                with About(key):
                    variables[key] = frame.soft(call.arguments[key])
            elif default is None:
                raise SpecError(f"the block {name} needs the argument {key}")
            else:
                with About(key, self.spec.place.of("blocks", name, "args", key)):
                    variables[key] = own.soft(default)
        return variables

    def merge(self, frame: Frame, merge: Merge, sources: list[int], path: str, place: Place) -> Mark:
        if len(sources) > 1:
            raise SpecError(f"{merge.kind} takes its tensors either from branches or from `from`")
        group = self.record.open(path, merge.kind)
        results: list[int] = []
        inner: dict[str, Mark] = {}
        lost: list[SpecError] = []
        for name, branch in merge.branches or ():
            if isinstance(branch, str):
                try:
                    with About(int(name) if name.isdecimal() else name, is_told=False):
                        results.append(frame.find(branch).slots[0])
                except SpecError as error:
                    lost.append(error)
                continue
            inner[name] = self.sequence(frame, branch, sources[0], f"{path}.{name}", "")
            results.append(inner[name].slots[0])
        if lost and not (results and merge.takes_any_number):
            raise lost[0]
        for one in lost:
            self.record.fail(one, path, place.of(merge.kind, *one.at))
        plain = self.without_branches(merge)
        mark = self.leaf(frame, plain, results, path, place)
        self.record.close(group)
        mark.inner = inner
        return mark

    def without_branches(self, merge: Merge) -> Merge:
        fields = {name: value for name, value in merge.fields_set().items() if name != "branches"}
        return type(merge).model_construct(_fields_set=set(fields), **fields)

    def leaf(self, frame: Frame, layer: Kind, sources: list[int], path: str, place: Place) -> Mark:
        self.record.spend()
        if any(self.record.shapes[slot] is None for slot in sources):
            raise UnknownSize
        try:
            resolved = layer.resolve(frame.evaluate)
        except ValidationError as error:
            return self.instead(frame, layer, _spec_error(error, layer), sources, path, place)
        except SpecError as error:
            return self.instead(frame, layer, error, sources, path, place)
        if resolved is not layer or isinstance(layer, Merge):
            resolved = self.record.one(resolved)
        mark = self.record.add(resolved, sources, path, place, trainable=self.trainable)
        self.record.graph.nodes[-1].calls = self.calls
        return mark

    def instead(
        self, frame: Frame, layer: Kind, error: SpecError, sources: list[int], path: str, place: Place
    ) -> Mark:
        """Tell what is wrong with a field and go on with a legal value: one of its words, or its default."""
        fields = layer.fields_set()
        name = str(error.at[0]) if error.at else ""
        if fields.pop(name, None) is None:
            raise error
        if words := layer.words(name):
            fields[name] = words[min(self.record.guesses.pick(), len(words) - 1)]
        try:
            legal = type(layer)(**fields)
        except ValidationError:
            raise error from None  # a field that must be there, and nothing says what was meant
        self.record.fail(error, path, place.of(layer.kind, *error.at))
        mark = self.leaf(frame, legal, sources, path, place)
        if not layer.all_words(name):
            self.record.doubtful |= {slot: frozenset({slot}) for slot in mark.slots}
        return mark

    def unknown(self, frame: Frame, key: str) -> int:
        """Stand in for a result that could not be found; what depends on it stays silent."""
        slot = self.record.unknown()
        frame.marks.setdefault(key, Mark((slot,)))
        return slot

    def again(self, frame: Frame, step: Step, sources: list[int], path: str) -> Mark:
        """Run the step that `share` names once more, on what arrives now."""
        target = frame.find(step.share or "")
        assert target.step is not None
        scope = Frame(self.record, target.frame, ())
        scope.arriving = sources[0]
        if self.depth >= DEEPEST:
            raise SpecError(f"steps run each other again more than {DEEPEST} deep")
        self.depth += 1
        try:
            if target.step.repeat is not None and not target.is_pass:
                return self.repeated(scope, target.step, sources, path)
            return self.once(scope, target.step, sources, path)
        finally:
            self.depth -= 1


def automatic_name(step: Step, taken: dict[str, int]) -> str:
    """Return `conv2d`, `conv2d_2`, … for unnamed steps, passing over names that were given."""
    label = label_of(step)
    while True:
        taken[label] = taken.get(label, 0) + 1
        key = label if taken[label] == 1 else f"{label}_{taken[label]}"
        if key == label or key not in taken:
            return key


def label_of(step: Step) -> str:
    """Return what an unnamed step is called after: its kind, its block, or the step that it shares."""
    body = step.body
    if isinstance(body, Kind):
        return body.kind
    if isinstance(body, Call):
        return body.callee
    if isinstance(body, Sequential):
        return "side" if isinstance(body, Side) else "sequential"
    names = [part for part in (step.share or "").split(".") if not part.isdigit()]
    return names[-1] if names else "share"


def _place(step: Step, at: tuple[str | int, ...]) -> Place:
    """Return where a part of a step is written: a modifier, or something inside its body."""
    return step.place.of(*at) if at and at[0] in MODIFIERS else step.place.of(label_of(step), *at)


def _spec_error(error: ValidationError, layer: Kind | None = None) -> SpecError:
    """Return a complaint about a field, together with the formula whose value is not legal there."""
    keys, message = complaint_of(error)
    written = getattr(layer, str(keys[0])) if layer and keys else None
    if isinstance(written, Formula) and written.text != keys[0]:
        message = message.replace(f"{keys[0]}: ", f"{keys[0]}: in {quote(written.text)}: ", 1)
    return SpecError(message, at=keys)


def _has(written: Any, value: Any) -> str:
    """Return the start of a sentence about a value that a formula has, or that stands there itself."""
    return f"{written} is {quote(value)}," if isinstance(written, Formula) else f"{quote(value)} is"
