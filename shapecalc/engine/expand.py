"""From the tree to the flat graph: blocks opened, repeats written out, conditions settled.

Expansion and the first inference are one pass, because a spec may ask for the channels or the size of
what arrives. Every parameter and size that was asked for is remembered with the graph; as long as
those keep their values, the graph serves other input sizes without being expanded again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from shapecalc.algebra.formula import Formula
from shapecalc.algebra.rational import Value
from shapecalc.engine.dotted_groups import DottedGroups
from shapecalc.engine.error_context import (
    ErrorContext,
    automatic_name,
    field_error,
    has_value,
    label_of,
    place_in,
)
from shapecalc.engine.error_recovery import Guesses
from shapecalc.engine.evaluate import at
from shapecalc.engine.gc_pause import collector_paused
from shapecalc.engine.graph import Inference
from shapecalc.engine.graph_builder import Recorder
from shapecalc.engine.limits import TooLarge, refuse_too_large
from shapecalc.engine.repeats import Repeats
from shapecalc.engine.scope import Binding, Scope, UnknownSize
from shapecalc.errors import Place, SpecError, Undecided, WrongWord, nearest, quote
from shapecalc.layers import registry
from shapecalc.layers.base import Kind, Merge
from shapecalc.layers.requirement import Shape
from shapecalc.spec.tree import Block, Call, Side, Spec, Step

DEEPEST = 50


def expand(
    spec: Spec, parameter: Callable[[str], Value], inputs: Mapping[str, Shape], *, batched: bool = True
) -> Inference:
    """Return the expanded graph of a spec together with the inference that expanded it."""
    with collector_paused():
        guesses = Guesses()
        inference = Expansion(spec, parameter, inputs, batched=batched, guesses=guesses).run()
        for number in range(1, guesses.walks):
            other = Expansion(spec, parameter, inputs, batched=batched, guesses=Guesses(number)).run()
            told = {(failure.code, failure.path) for failure in other.failures}
            inference.failures = [one for one in inference.failures if (one.code, one.path) in told]
            pairs = zip(inference.shapes, other.shapes, strict=False)
            inference.doubtful |= {slot for slot, (one, another) in enumerate(pairs) if one != another}
        return inference


class Expansion:
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
        self.repeats = Repeats(self.record, self.once)
        self.trainable = True

    def run(self) -> Inference:
        refuse_too_large(self.spec, self.record.value_of)
        marks = {name: Binding((slot,)) for slot, name in enumerate(self.inputs)}
        frame = Scope(self.record, None, self.spec.layers, marks=marks)
        last = self.steps(frame, 0, "")
        self.record.graph.outputs = self.outputs(frame, last)
        return self.record.inference

    def outputs(self, frame: Scope, last: int) -> dict[str, int]:
        if self.spec.outputs is None:
            return {"output": last, **self.sides}
        found: dict[str, int] = {}
        for name, reference in self.spec.outputs.items():
            try:
                found[name] = frame.find(reference).slots[0]
            except UnknownSize:
                continue
            except SpecError as error:
                self.record.fail(error, "", self.spec.place.of("outputs", name))
            except Undecided as error:
                raise at(error, "", self.spec.place.of("outputs", name)) from None
        return found or {"output": last}

    # ---- steps

    def steps(self, frame: Scope, current: int, prefix: str) -> int:
        """Run the steps of a frame from a tensor; return the slot of the last result."""
        taken = dict.fromkeys((step.name for step in frame.steps if step.name), 1)
        parts = DottedGroups(self.record, prefix)
        for step in frame.steps:
            key = step.name or automatic_name(step, taken)
            path = f"{prefix}{key}"
            parts.reach(key)
            frame.arriving, frame.current = current, step
            try:
                current = self.step(frame, step, current, key, path)
            except UnknownSize:
                current = self.unknown(frame, key)
            except TooLarge:
                raise
            except SpecError as error:
                self.record.fail(error, path, place_in(step, error.at))
                current = self.unknown(frame, key)
            except Undecided as error:
                raise at(error, path, place_in(step, error.at)) from None
        parts.reach("")
        return current

    def step(self, frame: Scope, step: Step, current: int, key: str, path: str) -> int:
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
            read = [self.read(frame, name, ErrorContext("from"), path, step.place) for name in step.source]
            sources = self.filled(step.body, read, current)
        frame.arriving = sources[0]
        owner = None if step.share is None else self.owner(frame, step.share)
        start, failures = len(self.record.graph.nodes), len(self.record.failures)
        was_trainable, self.trainable = self.trainable, self.trainable and step.trainable is not False
        try:
            if step.repeat is None:
                mark = self.once(frame, step, sources, path)
            else:
                mark = self.repeats.run(frame, step, sources, path)
        finally:
            self.trainable = was_trainable
        mark.step, mark.frame, mark.start, mark.end = step, frame, start, len(self.record.graph.nodes)
        frame.marks[key] = mark
        if owner is not None:
            if step.body is None and step.repeat is None:
                mark.step, mark.frame, mark.is_pass = owner.step, owner.frame, owner.is_pass
            self.tie(owner, step, mark, path, failures)
        if isinstance(step.body, Side):
            if self.record.loops:
                raise Undecided(f"every pass has an output of its own, {path}")
            self.sides[path] = mark.slots[0]
            return current
        return mark.slots[0]

    def owner(self, frame: Scope, name: str) -> Binding:
        """Return the step whose weights are shared."""
        with ErrorContext("share"):
            found = frame.find(name)
            if found.step is not None:
                return found
            if self.record.is_guessed(found.slots[0]):
                raise UnknownSize
            raise SpecError(f"{quote(name)} is not a step with weights")

    def tie(self, owner: Binding, step: Step, mark: Binding, path: str, failures: int) -> None:
        """Give a step the weights of another; tell where they differ, in its turn, and go on.

        What was not known before the step may have left layers out of either.
        """
        is_unknown = self.record.is_guessed(mark.slots[0]) and failures == len(self.record.failures)
        if is_unknown or self.record.is_guessed(owner.slots[0]):
            return
        with ErrorContext("share"):
            odd = self.record.share(owner, step, mark)
        if odd is not None:
            node, error = odd
            error.message = f"share: {error.message}"
            before = self.record.failed_before(node, mark.start, failures)
            self.record.fail(error, path, place_in(step, ("share",)), before)

    def holds(self, frame: Scope, step: Step) -> bool:
        if step.when is None:
            return True
        with ErrorContext("when"):
            value = step.when.evaluate(frame) if isinstance(step.when, Formula) else step.when
            if not isinstance(value, bool):
                raise SpecError(f"{has_value(step.when, value)} not true or false")
        return value

    def once(self, frame: Scope, step: Step, sources: list[int], path: str) -> Binding:
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
        outer: Scope | None,
        steps: Sequence[Step],
        current: int,
        path: str,
        label: str,
        variables: dict[str, Value] | None = None,
        marks: dict[str, Binding] | None = None,
    ) -> Binding:
        self.record.spend()
        if self.depth >= DEEPEST:
            raise SpecError(f"blocks are nested more than {DEEPEST} deep")
        inner = Scope(self.record, outer, steps, variables, marks)
        inner.arriving = current
        group = self.record.open(path, label)
        self.depth += 1
        try:
            result = self.steps(inner, current, f"{path}.")
        finally:
            self.depth -= 1
            self.record.close(group)
        return Binding((result,), inner.marks)

    def call(self, frame: Scope, call: Call, current: int, path: str, place: Place) -> Binding:
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
                        fact=WrongWord(key, known),
                    )
            try:
                layer = cls(**fields)
            except ValidationError as error:
                raise field_error(error) from None
            return self.leaf(frame, layer, [current], path, place)
        variables = self.bound(frame, name, block, call)
        inputs = {name: Binding((slot,)) for slot, name in enumerate(self.inputs)}
        outer = self.calls
        self.calls = (*outer, place.of(call.callee))
        try:
            return self.sequence(None, block.layers, current, path, name, variables, inputs)
        finally:
            self.calls = outer

    def bound(self, frame: Scope, name: str, block: Block, call: Call) -> dict[str, Value]:
        for key in call.arguments:
            if key not in block.args:
                raise SpecError(
                    f"the block {name} has no argument {quote(key)}{nearest(key, [*block.args])}",
                    at=(key,),
                    fact=WrongWord(key, block.args),
                )
        variables: dict[str, Value] = {}
        own = Scope(self.record, None, (), variables)
        own.arriving = frame.arriving
        for key, default in block.args.items():
            if key in call.arguments:
                with ErrorContext(key):
                    variables[key] = frame.soft(call.arguments[key])
            elif default is None:
                raise SpecError(f"the block {name} needs the argument {key}")
            else:
                with ErrorContext(key, self.spec.place.of("blocks", name, "args", key)):
                    variables[key] = own.soft(default)
        return variables

    def merge(self, frame: Scope, merge: Merge, sources: list[int], path: str, place: Place) -> Binding:
        if len(sources) > 1:
            raise SpecError(f"{merge.kind} takes its tensors either from branches or from `from`")
        group = self.record.open(path, merge.kind)
        results: list[int | None] = []
        inner: dict[str, Binding] = {}
        for name, branch in merge.branches or ():
            if isinstance(branch, str):
                about = ErrorContext(int(name) if name.isdecimal() else name, is_told=False)
                results.append(self.read(frame, branch, about, path, place.of(merge.kind)))
                continue
            inner[name] = self.sequence(frame, branch, sources[0], f"{path}.{name}", "")
            results.append(inner[name].slots[0])
        plain = self.without_branches(merge)
        mark = self.leaf(frame, plain, self.filled(merge, results, sources[0]), path, place)
        self.record.close(group)
        mark.inner = inner
        return mark

    def without_branches(self, merge: Merge) -> Merge:
        fields = {name: value for name, value in merge.fields_set().items() if name != "branches"}
        return type(merge).model_construct(_fields_set=set(fields), **fields)

    def leaf(self, frame: Scope, layer: Kind, sources: list[int], path: str, place: Place) -> Binding:
        self.record.spend()
        if any(self.record.shapes[slot] is None for slot in sources):
            raise UnknownSize
        try:
            resolved = layer.resolve(frame.evaluate)
        except ValidationError as error:
            return self.instead(frame, layer, field_error(error, layer), sources, path, place)
        except SpecError as error:
            return self.instead(frame, layer, error, sources, path, place)
        if resolved is not layer or isinstance(layer, Merge):
            resolved = self.record.one(resolved)
        mark = self.record.add(resolved, sources, path, place, trainable=self.trainable)
        self.record.graph.nodes[-1].calls = self.calls
        return mark

    def instead(
        self, frame: Scope, layer: Kind, error: SpecError, sources: list[int], path: str, place: Place
    ) -> Binding:
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

    def read(self, frame: Scope, name: str, about: ErrorContext, path: str, place: Place) -> int | None:
        """Return the tensor that a name stands for; where there is none, tell."""
        try:
            with about:
                return frame.find(name).slots[0]
        except SpecError as error:
            self.record.fail(error, path, place.of(*error.at))
            return None

    def filled(self, body: object, slots: Sequence[int | None], current: int) -> list[int]:
        """Stand in for tensors that are not there, by what arrives or by another one of a sum."""
        known = [slot for slot in slots if slot is not None]
        takes_any = known and isinstance(body, Merge) and body.takes_any_number
        like = known[0] if takes_any else current
        return [self.record.lost(like) if slot is None else slot for slot in slots]

    def unknown(self, frame: Scope, key: str) -> int:
        """Stand in for a result that could not be found; what depends on it stays silent."""
        slot = self.record.unknown()
        frame.marks.setdefault(key, Binding((slot,)))
        return slot

    def again(self, frame: Scope, step: Step, sources: list[int], path: str) -> Binding:
        """Run the step that `share` names once more, on what arrives now."""
        target = frame.find(step.share or "")
        assert target.step is not None
        scope = Scope(self.record, target.frame, ())
        scope.arriving = sources[0]
        if self.depth >= DEEPEST:
            raise SpecError(f"steps run each other again more than {DEEPEST} deep")
        self.depth += 1
        try:
            if target.step.repeat is not None and not target.is_pass:
                return self.repeats.run(scope, target.step, sources, path)
            return self.once(scope, target.step, sources, path)
        finally:
            self.depth -= 1
