"""Shared weights: the nodes of a step use those of another step, node by node and pass by pass."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

from shapecalc.algebra import Dim
from shapecalc.engine.error_context import ErrorContext, place_in
from shapecalc.engine.graph import Loop
from shapecalc.engine.graph_builder import GraphBuilder
from shapecalc.engine.scope import Binding, Scope, UnknownSize
from shapecalc.errors import OtherWeights, SpecError, Undecided, quote
from shapecalc.layers.base import Effect
from shapecalc.spec.tree import Step


def owner_of(builder: GraphBuilder, scope: Scope, name: str) -> Binding:
    """Return the step whose weights are shared."""
    with ErrorContext("share"):
        owner = scope.find(name)
        if owner.step is not None:
            return owner
        if builder.is_unknown(owner.slots[0]):
            raise UnknownSize
        raise SpecError(f"{quote(name)} is not a step with weights")


def share_weights(
    builder: GraphBuilder, owner: Binding, step: Step, user: Binding, path: str, failures: int
) -> None:
    """Give a step the weights of another; report where they differ, and go on.

    `failures` says how many failures there were before the step. What was not known before it may have left
    layers out of either.
    """
    is_unknown = builder.is_unknown(user.slots[0]) and failures == len(builder.failures)
    if is_unknown or builder.is_unknown(owner.slots[0]):
        return
    with ErrorContext("share"):
        mismatch = match_nodes(builder, owner, step, user)
    if mismatch is not None:
        node, error = mismatch
        error.message = f"share: {error.message}"
        earlier = {other.path for other in builder.graph.nodes[user.start : node + 1]}
        known = [number for number, other in enumerate(builder.failures) if other.path in earlier]
        before = max((number + 1 for number in known), default=failures)
        builder.add_failure(error, path, place_in(step, ("share",)), before)


def match_nodes(
    builder: GraphBuilder, owner: Binding, step: Step, user: Binding
) -> tuple[int, SpecError] | None:
    """Let the nodes of a step use the weights of another, one by one; a repeat does so every pass.

    Return the first node that cannot, with the error to report of it.
    """
    nodes, effects = builder.graph.nodes, builder.effects
    owners, users = range(owner.start, owner.end), range(user.start, user.end)
    again = step.repeat is not None and len(owners) > 0 and len(users) % len(owners) == 0
    if len(owners) != len(users) and not again:
        if any(nodes[index].loops != builder.loops for index in (*owners, *users)):
            raise Undecided(f"{quote(step.share)} and this step go through their passes differently")
        message = f"{quote(step.share)} has {_layers(owners)}, but this step has {_layers(users)}"
        last = max(user.start, user.end - 1) if owners else user.start
        return next((at for _, at in _differing(builder, owners, users)), last), SpecError(message)
    for theirs, mine in _differing(builder, owners, users):
        there, here = nodes[theirs].path, nodes[mine].path
        message = f"{there} has {_weights(effects[theirs])}, but {here} needs {_weights(effects[mine])}"
        return mine, SpecError(message, fact=OtherWeights(there, here))
    for theirs, mine in zip(cycle(owners), users, strict=False):
        if effects[mine] is None or effects[theirs] is None:
            continue
        if not _pass_by_pass(nodes[theirs].loops, nodes[mine].loops):
            raise Undecided(
                f"which pass of {quote(step.share)} shares its weights depends on how many there are"
            )
        first = nodes[theirs].owner
        nodes[mine].owner = theirs if first is None else first
    return None


def _differing(builder: GraphBuilder, owners: range, users: range) -> Iterator[tuple[int, int]]:
    """Yield the pairs of nodes, of those that are known, whose weights differ."""
    for owner, user in zip(cycle(owners), users, strict=False):
        mine, theirs = builder.effects[user], builder.effects[owner]
        if mine is not None and theirs is not None and mine.weights != theirs.weights:
            yield owner, user


def _pass_by_pass(owner: tuple[Loop, ...], user: tuple[Loop, ...]) -> bool:
    """Say whether every pass of a user has its owner: in the same pass of loops that go alike."""
    together = 0
    while together < min(len(owner), len(user)) and owner[together] == user[together]:
        together += 1
    own = owner[together:]
    return [_passes(loop) for loop in own] == [_passes(loop) for loop in user[len(user) - len(own) :]]


def _passes(loop: Loop) -> tuple[str, int, Dim]:
    return loop.index, loop.first, loop.count


def _layers(nodes: range) -> str:
    return "1 layer" if len(nodes) == 1 else f"{len(nodes)} layers"


def _weights(effect: Effect | None) -> str:
    weights = effect.weights if effect else {}
    return ", ".join(f"{name} {list(shape)}" for name, shape in weights.items()) or "none"
