"""From the spec to the flat graph: blocks are inlined, repeats unrolled, conditions evaluated.

Expansion and the first shape inference are one pass, because a spec may read the channels or a size of its
input. Every parameter and size that was read is remembered with the graph; as long as those keep their
values, the graph serves other input sizes without being expanded again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from shapecalc.algebra.formula import Formula
from shapecalc.algebra.rational import Value
from shapecalc.engine.calls import block_arguments, called_layer
from shapecalc.engine.error_context import ErrorContext, field_error, has_value, place_in
from shapecalc.engine.error_recovery import TieBreaks
from shapecalc.engine.evaluate import at
from shapecalc.engine.gc_pause import collector_paused
from shapecalc.engine.graph import Inference
from shapecalc.engine.graph_builder import GraphBuilder
from shapecalc.engine.limits import TooLarge, refuse_too_large
from shapecalc.engine.named_outputs import named_outputs
from shapecalc.engine.repeats import Repeats
from shapecalc.engine.scope import Binding, Scope, UnknownSize
from shapecalc.engine.sharing import owner_of, share_weights
from shapecalc.engine.step_names import DottedGroups, automatic_name, label_of
from shapecalc.errors import Place, SpecError, Undecided, quote
from shapecalc.layers.base import Caller, Kind, Merge
from shapecalc.layers.requirement import Shape
from shapecalc.spec.tree import Call, Side, Spec, Step, Unread

DEEPEST = 50


def expand(
    spec: Spec,
    parameter: Callable[[str], Value],
    inputs: Mapping[str, Shape],
    *,
    batched: bool = True,
    confirm: bool = True,
) -> Inference:
    """Return the expanded graph of a spec together with the inference that expanded it.

    `confirm` keeps the failures that do not depend on how others were recovered from; the first never does.
    """
    with collector_paused():
        ties = TieBreaks()
        first = Expansion(spec, parameter, inputs, batched=batched, ties=ties)
        inference = first.run()
        for number in range(1, ties.runs if confirm else 1):
            again = Expansion(spec, parameter, inputs, batched=batched, ties=TieBreaks(number))
            again.builder.share_answers(first.builder)
            other = again.run()
            confirmed = {(failure.code, failure.path) for failure in other.failures}
            inference.failures = [
                failure for failure in inference.failures if (failure.code, failure.path) in confirmed
            ]
            pairs = zip(inference.shapes, other.shapes, strict=False)
            inference.tainted |= {slot for slot, (shape, another) in enumerate(pairs) if shape != another}
        return inference


class Expansion:
    """One pass over the tree, which appends each layer to a graph builder."""

    def __init__(
        self,
        spec: Spec,
        parameter: Callable[[str], Value],
        inputs: Mapping[str, Shape],
        *,
        batched: bool,
        ties: TieBreaks,
    ) -> None:
        self.spec = spec
        self.inputs = inputs
        self.builder = GraphBuilder(spec, parameter, inputs, batched=batched, ties=ties)
        self.sides: dict[str, int] = {}
        self.depth = 0
        self.calls: tuple[Place, ...] = ()
        self.repeats = Repeats(self.builder, self.run_once, self.sources)
        self.trainable = True
        self.called: Caller = "module"
        self.ignored: tuple[str, ...] = ()

    def run(self) -> Inference:
        refuse_too_large(self.spec, self.builder.value_of)
        bindings = {name: Binding((slot,)) for slot, name in enumerate(self.inputs)}
        scope = Scope(self.builder, None, self.spec.layers, bindings=bindings)
        last = self.steps(scope, 0, "")
        self.builder.graph.outputs = named_outputs(self.builder, scope) or {"output": last, **self.sides}
        return self.builder.inference

    # ---- steps

    def steps(self, scope: Scope, current: int, prefix: str) -> int:
        """Run the steps of a scope from a tensor; return the slot of the last result."""
        taken = dict.fromkeys((step.name for step in scope.steps if step.name), 1)
        groups = DottedGroups(self.builder, prefix)
        for step in scope.steps:
            key = step.name or automatic_name(step, taken)
            path = f"{prefix}{key}"
            groups.enter(key)
            scope.input, scope.current = current, step
            try:
                current = self.step(scope, step, current, key, path)
            except UnknownSize:
                current = self.bind_unknown(scope, key)
            except TooLarge:
                raise
            except SpecError as error:
                self.builder.add_failure(error, path, place_in(step, error.at))
                current = self.bind_unknown(scope, key)
            except Undecided as error:
                raise at(error, path, place_in(step, error.at)) from None
        groups.enter("")
        return current

    def step(self, scope: Scope, step: Step, current: int, key: str, path: str) -> int:
        if not self.is_enabled(scope, step):
            scope.skipped.add(key)
            return current
        if key in scope.bindings and step.name is not None:
            first = scope.bindings[key].step
            line = f" (line {first.place.line})" if first and first.place.line else ""
            taken_by = f"an earlier step{line}" if first else "an input"
            raise SpecError(f"the name {quote(key)} is taken by {taken_by}", at=("name",))
        sources = [current]
        if step.source is not None and not step.reads_in_every_pass:
            sources = self.sources(scope, step, current, path)
        scope.input = sources[0]
        owner = None if step.share is None else owner_of(self.builder, scope, step.share)
        start, failures = len(self.builder.graph.nodes), len(self.builder.failures)
        outer = self.trainable, self.called, self.ignored
        self.trainable = self.trainable and step.trainable is not False
        self.called = step.called or self.called
        self.ignored += step.ignore
        try:
            if step.repeat is None:
                binding = self.run_once(scope, step, sources, path)
            else:
                binding = self.repeats.run(scope, step, sources, path, key)
        finally:
            self.trainable, self.called, self.ignored = outer
        binding.step, binding.scope, binding.key = step, scope, key
        binding.start, binding.end = start, len(self.builder.graph.nodes)
        scope.bindings[key] = binding
        if owner is not None:
            if step.body is None and step.repeat is None:
                binding.step, binding.scope, binding.is_pass = owner.step, owner.scope, owner.is_pass
            share_weights(self.builder, owner, step, binding, path, failures)
        if isinstance(step.body, Side):
            if self.builder.loops:
                raise Undecided(f"every pass has an output of its own, {path}")
            self.sides[path] = binding.slots[0]
            return current
        return binding.slots[0]

    def is_enabled(self, scope: Scope, step: Step) -> bool:
        if step.when is None:
            return True
        with ErrorContext("when"):
            value = step.when.evaluate(scope) if isinstance(step.when, Formula) else step.when
            if not isinstance(value, bool):
                raise SpecError(f"{has_value(step.when, value)} not true or false")
        return value

    def run_once(self, scope: Scope, step: Step, sources: list[int], path: str) -> Binding:
        body = step.body
        if isinstance(body, Unread):
            raise UnknownSize
        if body is None:
            return self.rerun(scope, step, sources, path)
        if isinstance(body, Kind):
            if isinstance(body, Merge) and body.branches is not None:
                return self.merge(scope, body, sources, path, step.place)
            return self.add_layer(scope, body, sources, path, step.place)
        if len(sources) > 1:
            raise SpecError("only a single layer takes several tensors", hint="name them inside instead")
        if isinstance(body, Call):
            return self.call(scope, body, sources[0], path, step.place)
        return self.sequence(scope, body.steps, sources[0], path, label_of(step))

    def sequence(
        self,
        outer: Scope | None,
        steps: Sequence[Step],
        current: int,
        path: str,
        label: str,
        variables: dict[str, Value] | None = None,
        bindings: dict[str, Binding] | None = None,
        caller: Scope | None = None,
    ) -> Binding:
        self.builder.count_work()
        if self.depth >= DEEPEST:
            raise SpecError(f"blocks are nested more than {DEEPEST} deep")
        inner = Scope(self.builder, outer, steps, variables, bindings)
        inner.caller = caller
        inner.input = current
        group = self.builder.open(path, label)
        self.depth += 1
        try:
            result = self.steps(inner, current, f"{path}.")
        finally:
            self.depth -= 1
            self.builder.close(group)
        return Binding((result,), inner.bindings, skipped=inner.skipped)

    def call(self, scope: Scope, call: Call, current: int, path: str, place: Place) -> Binding:
        name: Any = call.callee
        if name not in self.spec.blocks:
            name = scope.argument(Formula.parse(name))
        if not isinstance(name, str):
            raise SpecError(
                f"{call.callee} is {quote(name)}, which names neither a kind nor a block", at=(call.callee,)
            )
        block = self.spec.blocks.get(name)
        if block is None:
            layer = called_layer(scope, name, call, self.spec.framework)
            return self.add_layer(scope, layer, [current], path, place)
        variables = block_arguments(scope, name, block, call, block.place)
        inputs = {name: Binding((slot,)) for slot, name in enumerate(self.inputs)}
        outer = self.calls
        self.calls = (*outer, place.of(call.callee))
        try:
            return self.sequence(None, block.layers, current, path, name, variables, inputs, scope)
        finally:
            self.calls = outer

    def merge(self, scope: Scope, merge: Merge, sources: list[int], path: str, place: Place) -> Binding:
        if len(sources) > 1:
            raise SpecError(f"{merge.kind} takes its tensors either from branches or from `from`")
        group = self.builder.open(path, merge.kind)
        results: list[int | None] = []
        inner: dict[str, Binding] = {}
        for name, branch in merge.branches or ():
            if isinstance(branch, str):
                about = ErrorContext(int(name) if name.isdecimal() else name, names_key=False)
                results += self.tensors(scope, branch, about, path, place.of(merge.kind))
                continue
            inner[name] = self.sequence(scope, branch, sources[0], f"{path}.{name}", "")
            results.append(inner[name].slots[0])
        fields = {name: value for name, value in merge.fields_set().items() if name != "branches"}
        plain = type(merge).model_construct(_fields_set=set(fields), **fields)
        inputs = self.with_placeholders(merge, results, sources[0])
        if not inputs:
            raise SpecError("every branch is an empty list here")
        binding = self.add_layer(scope, plain, inputs, path, place)
        self.builder.close(group)
        binding.inner = inner
        return binding

    def add_layer(self, scope: Scope, layer: Kind, sources: list[int], path: str, place: Place) -> Binding:
        self.builder.count_work()
        if any(self.builder.shapes[slot] is None for slot in sources):
            raise UnknownSize
        try:
            resolved = layer.resolve(scope.evaluate)
        except ValidationError as error:
            return self.add_corrected(scope, layer, field_error(error, layer), sources, path, place)
        except SpecError as error:
            return self.add_corrected(scope, layer, error, sources, path, place)
        if resolved is not layer or isinstance(layer, Merge):
            resolved = self.builder.intern(resolved)
        binding = self.builder.add(resolved, sources, path, place, trainable=self.trainable)
        node = self.builder.graph.nodes[-1]
        node.calls, node.called = self.calls, self.called
        node.ignored, node.written = self.ignored, layer
        return binding

    def add_corrected(
        self, scope: Scope, layer: Kind, error: SpecError, sources: list[int], path: str, place: Place
    ) -> Binding:
        """Report a wrong field and go on with a legal value: one of its words, or its default."""
        fields = layer.fields_set()
        name = str(error.at[0]) if error.at else ""
        if fields.pop(name, None) is None:
            raise error
        if words := layer.words(name):
            fields[name] = words[min(self.builder.ties.pick(), len(words) - 1)]
        try:
            legal = type(layer)(**fields)
        except ValidationError:
            raise error from None  # a required field, and nothing says what was meant
        self.builder.add_failure(error, path, place.of(layer.kind, *error.at))
        binding = self.add_layer(scope, legal, sources, path, place)
        if not layer.all_words(name):
            self.builder.taints |= {slot: frozenset({slot}) for slot in binding.slots}
        return binding

    def sources(self, scope: Scope, step: Step, current: int, path: str) -> list[int]:
        """Return the tensors that a step reads by its `from`."""
        names = step.source or ()
        about = ErrorContext("from")
        read = [slot for name in names for slot in self.tensors(scope, name, about, path, step.place)]
        sources = self.with_placeholders(step.body, read, current)
        if not sources:
            raise SpecError(f"{', '.join(names)} is an empty list here", at=("from",))
        return sources

    def tensors(
        self, scope: Scope, name: str, about: ErrorContext, path: str, place: Place
    ) -> list[int | None]:
        """Return the tensor of a name, or those of a list; where there is none, report it."""
        try:
            with about:
                slots = [binding.slot for binding in scope.find_all(name)]
        except SpecError as error:
            self.builder.add_failure(error, path, place.of(*error.at))
            return [None]
        self.builder.count_work(len(slots) - 1)
        return [*slots]

    def with_placeholders(self, body: object, slots: Sequence[int | None], current: int) -> list[int]:
        """Replace missing tensors by the current one, or by another input of a sum."""
        known = [slot for slot in slots if slot is not None]
        takes_any = known and isinstance(body, Merge) and body.takes_any_number
        like = known[0] if takes_any else current
        return [self.builder.placeholder(like) if slot is None else slot for slot in slots]

    def bind_unknown(self, scope: Scope, key: str) -> int:
        """Bind a name to a tensor of unknown shape; nothing that depends on it is reported."""
        slot = self.builder.new_tensor()
        scope.bindings.setdefault(key, Binding((slot,)))
        return slot

    def rerun(self, scope: Scope, step: Step, sources: list[int], path: str) -> Binding:
        """Run the step that `share` names once more, on another input."""
        target = scope.find(step.share or "")
        assert target.step is not None
        inner = Scope(self.builder, target.scope, ())
        inner.input = sources[0]
        if self.depth >= DEEPEST:
            raise SpecError(f"steps run each other again more than {DEEPEST} deep")
        self.depth += 1
        try:
            if target.step.repeat is not None and not target.is_pass:
                if target.step.reads_in_every_pass:
                    message = f"every pass of {quote(step.share)} reads a tensor of its own, and no other"
                    raise SpecError(message, at=("share",))
                return self.repeats.run(inner, target.step, sources, path, target.key)
            return self.run_once(inner, target.step, sources, path)
        finally:
            self.depth -= 1
