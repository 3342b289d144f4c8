"""What might repair a finding: changes to the text, likeliest first. Nothing here has been tried yet."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest
from math import gcd

from shapecalc.algebra import product
from shapecalc.diagnostics.diagnostic import Diagnostic
from shapecalc.engine.graph import GraphNode, Inference
from shapecalc.errors import ShapecalcError
from shapecalc.layers.base import Kind, Merge, Shapes
from shapecalc.layers.linear import Dense
from shapecalc.layers.merge import Concat
from shapecalc.layers.requirement import Refused, Requirement, Shape
from shapecalc.repair.edit_sites import EditSites
from shapecalc.repair.field_changes import alternatives, changed, per_axis, result
from shapecalc.repair.proposal import Proposal
from shapecalc.repair.reference_fixes import references, without
from shapecalc.repair.shared_weights import Shared
from shapecalc.repair.source_map import trace
from shapecalc.repair.yaml_edits import YamlText
from shapecalc.spec.tree import Spec

MOST_PATHS = 12
_IMAGE = 4
_PRICE_OF_A_STEP = 3
_STRIDES = (1, 2, 3, 4, 8)
_DECLARES = re.compile(r"declares (\w+): ")
_DIVIDES = re.compile(r": (\w+) = (\d+) does not divide \w+ = (\d+) ")
_MEANT = re.compile(r"'([^']+)'(?=[^']*\(did you mean '([^']+)'\?\))")
_BOUND = re.compile(r"(-?\d+) is (?:less|more) than (-?\d+)$")
_ONE_OF = re.compile(r"'([^']+)' is not one of ([\w, ]+?)(?:, and no name in scope)?(?: \(|$)")


class Proposer:
    """Knows a spec, its text, and what the inference found."""

    def __init__(self, spec: Spec, inference: Inference, text: YamlText) -> None:
        self.spec = spec
        self.inference = inference
        self.text = text
        self.spots = EditSites(spec, inference.graph, text)
        self.nodes = {node.path: node for node in inference.graph.nodes}
        self.producer = self.spots.producer

    def proposals(self, one: Diagnostic) -> Iterator[Proposal]:
        """Yield what might repair a finding in all the layers that it is about."""
        if one.code == "spec":
            yield from words(one, self.text)
            yield from references(one, self.text)
            yield from without(one, self.text)
            yield from Shared(self.spots, self.inference).proposals(one)
        each = [[*self.of_layer(path)] for path in one.paths[:MOST_PATHS] if path in self.nodes]
        for row in zip_longest(*each):
            found = [proposal for proposal in row if proposal is not None]
            if len(found) == len(each) and found:
                together = found[0]
                for proposal in found[1:]:
                    together = together.and_also(proposal)
                yield together

    def of_layer(self, path: str) -> Iterator[Proposal]:
        """Yield what might make one layer accept what arrives."""
        node = self.nodes[path]
        inputs = self.inputs(node)
        needed = refusal(node.layer, inputs)
        if needed is None or self.spots.found(node) is None:
            return
        if needed.code == "channels":
            yield from self.channels(node, inputs[0], needed)
        elif needed.code == "divisibility":
            yield from self.divisors(node, inputs[0], needed)
        elif needed.code == "padding" and "half of the kernel" in needed.message:
            rank = len(inputs[0]) - 2
            halves = [k // 2 for k in per_axis(getattr(node.layer, "kernel_size", 0), rank)]
            for paddings in (halves, [0] * rank):
                yield from self.spots.field(node, "padding", paddings)
        elif needed.code == "too-small":
            yield from self.windows(node, inputs[0])
        elif needed.code in ("concat", "broadcast") and isinstance(node.layer, Merge):
            yield from self.branches(node, node.layer, inputs)

    def last_resorts(self, one: Diagnostic) -> Iterator[Proposal]:
        """Yield that a failing layer is left out, or does nothing in its place."""
        yield from Shared(self.spots, self.inference).last_resorts(one)
        for path in one.paths[:1]:
            node = self.nodes.get(path)
            if node is not None:
                omitted, identity = self.spots.omitted_step(node), self.spots.identity(node)
                yield from (proposal for proposal in (identity, omitted) if proposal is not None)
            elif (found := trace(self.spec, path)) is not None:
                gone = self.text.drop_step(found.step.place)
                if gone is not None:
                    yield Proposal((gone,), ("leave the step out",), price=_PRICE_OF_A_STEP)

    # ---- single layers

    def channels(self, node: GraphNode, x: Shape, needed: Requirement) -> Iterator[Proposal]:
        named = _DECLARES.search(needed.message)
        if named is None:
            return
        name, arriving, layer = named[1], needed.right, node.layer
        if name not in type(layer).model_fields:
            return  # the field of a layer inside this one
        if isinstance(layer, Dense) and len(x) > 2:
            flattened = self.spots.insertion(node, "flatten", "a flatten before it")
            flat = product(x[1:])
            if flattened is not None:
                if flat == needed.left:
                    yield flattened
                elif len(x) > 3:
                    for fields in self.spots.field(node, name, flat):
                        yield replace(flattened.and_also(fields), price=1)  # the number only follows
                if flat == needed.left or len(x) > 3:
                    return
        yield from self.spots.field(node, name, arriving)
        yield from self.spots.omission(node, name)
        found = self.spots.found(node)
        if found is not None and found.step.source is None:
            yield from self.spots.adapter(found.step.place, x, needed.left)

    def divisors(self, node: GraphNode, x: Shape, needed: Requirement) -> Iterator[Proposal]:
        named, layer = _DIVIDES.search(needed.message), node.layer
        if named is None or named[1] not in type(layer).model_fields:
            return
        name, divisor, whole = named[1], int(named[2]), int(named[3])
        outward = getattr(layer, "out_channels", None)
        arriving = getattr(layer, "channels", lambda _: whole)(x)
        if isinstance(outward, int) and isinstance(arriving, int):
            whole = gcd(arriving, outward)
        legal = [n for n in range(1, min(whole, 100_000) + 1) if whole % n == 0]
        for nearest in sorted(legal, key=lambda n: (abs(n - divisor), n))[:2]:
            yield from self.spots.field(node, name, nearest)

    def windows(self, node: GraphNode, x: Shape) -> Iterator[Proposal]:
        """Yield windows for which an input is not too small: padded, or with the smaller kernel."""
        for name, value in alternatives(node.layer, (), ()):
            other = changed(node.layer, name, value)
            if other is not None and refusal(other, (x,)) is None:
                yield from self.spots.field(node, name, value)

    # ---- branches

    def branches(self, node: GraphNode, merge: Merge, inputs: Shapes) -> Iterator[Proposal]:
        """Yield changes to the branches that disagree with most, or with what arrives."""
        if len({len(x) for x in inputs}) != 1 or len(inputs) < 2:
            return
        free = merge.dim % len(inputs[0]) if isinstance(merge, Concat) else None
        axes = [axis for axis in range(1, len(inputs[0])) if axis != free]
        chains = [self.chain(node.sources, number) for number in range(len(inputs))]
        seen: list[Shape] = []
        for target in self.targets(inputs, chains, axes):
            aim = tuple(target[axis] for axis in axes)
            if aim in seen:
                continue
            seen.append(aim)
            each = [
                self.towards(chain, begin, axes, aim)
                for (begin, chain), x in zip(chains, inputs, strict=True)
                if tuple(x[axis] for axis in axes) != aim
            ]
            if not each or not all(each):
                continue
            for choice in range(min(3, max(map(len, each)))):
                together = each[0][min(choice, len(each[0]) - 1)]
                for options in each[1:]:
                    together = together.and_also(options[min(choice, len(options) - 1)])
                yield together

        if self.spec.framework == "torch":
            yield from self.projections(node, inputs, axes)

    def projections(self, node: GraphNode, inputs: Shapes, axes: Sequence[int]) -> Iterator[Proposal]:
        """Yield a 1x1 convolution in the one branch that is not as the others, channels and sizes at once."""
        for number, x in enumerate(inputs):
            others = {
                tuple(other[axis] for axis in axes) for index, other in enumerate(inputs) if index != number
            }
            if len(others) != 1 or len(x) != _IMAGE:
                continue
            aim = dict(zip(axes, others.pop(), strict=True))
            for stride in _STRIDES:
                if all((x[axis] - 1) // stride + 1 == aim[axis] for axis in axes if axis > 1):
                    added = self.spots.projection(node, number, aim.get(1, x[1]), stride)
                    if added is not None:
                        yield added
                    break

    def targets(
        self, inputs: Shapes, chains: Sequence[tuple[Shape | None, list[GraphNode]]], axes: Sequence[int]
    ) -> Iterator[Shape]:
        """Yield the shapes that branches might be meant to have: by vote, as what arrives, or as one."""
        votes = Counter(tuple(x[axis] for axis in axes) for x in inputs).most_common(2)
        if len(votes) < 2 or votes[0][1] > votes[1][1]:
            yield next(x for x in inputs if tuple(x[axis] for axis in axes) == votes[0][0])
            return
        begin = next((begin for begin, chain in chains if begin is not None and chain), None)
        if begin is not None and len(begin) == len(inputs[0]):
            for x in inputs:  # channels as in a branch, sizes as they arrive
                yield (
                    (x[0], x[1], *begin[2:])
                    if self.spec.framework == "torch"
                    else (
                        x[0],
                        *begin[1:-1],
                        x[-1],
                    )
                )
        yield from inputs

    def chain(self, sources: Sequence[int], number: int) -> tuple[Shape | None, list[GraphNode]]:
        """Return the layers that only one branch goes through, and the shape that enters the first."""
        others = self.above([slot for index, slot in enumerate(sources) if index != number])
        slot, found = sources[number], []
        while slot not in others and (maker := self.producer(slot)) and len(maker.sources) == 1:
            found.append(maker)
            slot = maker.sources[0]
        return self.inference.shapes[slot], found[::-1]

    def above(self, slots: Sequence[int]) -> set[int]:
        """Return tensors and all that they are made from."""
        found: set[int] = set()
        pending = [*slots]
        while pending:
            slot = pending.pop()
            if slot not in found:
                found.add(slot)
                maker = self.producer(slot)
                pending += maker.sources if maker else ()
        return found

    def towards(
        self, chain: Sequence[GraphNode], begin: Shape | None, axes: Sequence[int], aim: Shape
    ) -> list[Proposal]:
        """Return the single changes to a chain of layers after which its result has the sizes aimed at."""
        found: list[Proposal] = []
        if begin is None:
            return found
        layers = [node.layer for node in chain]
        for number, node in reversed([*enumerate(chain)]):
            for name, value in alternatives(node.layer, aim, axes):
                other = changed(node.layer, name, value)
                if other is None:
                    continue
                shape = result([*layers[:number], other, *layers[number + 1 :]], begin)
                if shape is None or len(shape) <= max(axes) or tuple(shape[a] for a in axes) != aim:
                    continue
                found += [*self.spots.field(node, name, value)][:1]
        return sorted(found, key=lambda one: not one.told[0].startswith("padding"))

    def inputs(self, node: GraphNode) -> Shapes:
        """Return the shapes that a layer reads, where all are known."""
        found = tuple(shape for slot in node.sources if (shape := self.inference.shapes[slot]) is not None)
        return found if len(found) == len(node.sources) else ()


def refusal(layer: Kind, inputs: Shapes) -> Requirement | None:
    """Return what a layer misses in its inputs, or None."""
    if not inputs:
        return None
    try:
        layer.apply(inputs)
    except Refused as refused:
        return refused.requirement
    except ShapecalcError:
        return None
    return None


def words(one: Diagnostic, text: YamlText) -> Iterator[Proposal]:
    """Yield legal words and numbers for one that is not: what the message names, then what begins alike."""
    named = (found for said in (_MEANT, _BOUND) for found in said.finditer(one.message))
    pairs: list[tuple[str, str]] = [(found[1], found[2]) for found in named]
    for found in _ONE_OF.finditer(one.message):
        known = [word.strip() for word in found[2].split(",")]
        pairs += [(found[1], word) for word in known if word.startswith(found[1][:1])]
    for wrong, right in pairs:
        whole = re.compile(rf"(?<![\w'\"]){re.escape(wrong)}(?!\w)")
        value, key = text.value(one.place), text.key(one.place)
        for old, change in ((value, text.replace_value), (key, text.replace_key)):
            if old is not None and whole.search(old):
                edit = change(one.place, whole.sub(right, old))
                if edit is not None:
                    yield Proposal((edit,), (f"{right}, not {wrong}",))
