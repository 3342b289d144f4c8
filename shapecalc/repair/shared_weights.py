"""What may repair a step whose weights are not those that it shares."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shapecalc.diagnostics.diagnostic import Diagnostic
from shapecalc.engine.graph import GraphNode, Inference
from shapecalc.repair.edit_sites import EditSites
from shapecalc.repair.proposal import Proposal

_DIFFER = re.compile(r"share: (.+?) has .+, but (.+?) needs ")
_NO_WEIGHTS = frozenset({"stride", "padding", "padding_mode", "dilation", "output_padding"})
"""Fields on which no weight depends."""
_PRICE_OF_OWN_WEIGHTS = 3
"""Weights that are no longer shared make everything fit, and are seldom meant."""
_PRICE_OF_A_STEP = 3


class Shared:
    """Knows an inference in which a step and the one that it shares with came to different weights."""

    def __init__(self, spots: EditSites, inference: Inference) -> None:
        self.spots = spots
        self.text = spots.text
        self.inference = inference
        self.nodes = inference.graph.nodes
        self.index = {node.path: number for number, node in enumerate(self.nodes)}

    def proposals(self, one: Diagnostic) -> Iterator[Proposal]:
        """Yield fields that agree, channels that agree, and weights of its own."""
        found = _DIFFER.match(one.message)
        if found and found[1] in self.index and found[2] in self.index:
            owner, user = self.index[found[1]], self.index[found[2]]
            yield from self.fields(self.nodes[owner], self.nodes[user])
            begin = self.index[one.path] if one.path in self.index else self.first_inside(one.path)
            if begin is not None and owner - (user - begin) >= 0:
                yield from self.channels(one, owner - (user - begin), begin)
        yield from self.last_resorts(one)

    def last_resorts(self, one: Diagnostic) -> Iterator[Proposal]:
        """Yield that the step has weights of its own, or is left out."""
        if one.message.startswith("share: "):
            own = self.text.drop_field(one.place)
            if own is not None:
                yield Proposal((own,), ("weights of its own, no share",), price=_PRICE_OF_OWN_WEIGHTS)
            holder = self.text.holder(one.place)
            gone = None if holder is None else self.text.drop_step(holder)
            if gone is not None:
                yield Proposal((gone,), ("leave the step that shares out",), price=_PRICE_OF_A_STEP)

    def first_inside(self, path: str) -> int | None:
        """Return the first layer of a step."""
        return next((n for n, node in enumerate(self.nodes) if node.path.startswith(f"{path}.")), None)

    def fields(self, owner: GraphNode, user: GraphNode) -> Iterator[Proposal]:
        """Yield one layer's field as the other has it."""
        if type(owner.layer) is not type(user.layer):
            return
        for name in type(owner.layer).model_fields:
            mine, theirs = getattr(user.layer, name), getattr(owner.layer, name)
            if mine != theirs and name not in _NO_WEIGHTS:
                for node, value in ((user, theirs), (owner, mine)):
                    if value is not None:
                        yield from self.spots.field(node, name, value)

    def channels(self, one: Diagnostic, owner: int, user: int) -> Iterator[Proposal]:
        """Yield what brings the channels that arrive at one step to those that arrive at the other."""
        there, here = self.nodes[owner].sources[0], self.nodes[user].sources[0]
        axis = self.inference.graph.channel_axis
        theirs, mine = self.inference.shapes[there], self.inference.shapes[here]
        if not theirs or not mine or len(theirs) != len(mine) or theirs[axis] == mine[axis]:
            return
        for slot, wanted in ((here, theirs[axis]), (there, mine[axis])):
            maker = self.spots.maker_of_channels(slot)
            if maker is not None:
                yield from self.spots.channels(maker, wanted)
        holder = self.text.holder(one.place)
        if holder is not None:
            yield from self.spots.adapter(holder, mine, theirs[axis])
        found = self.spots.found(self.nodes[owner])
        if found is not None:
            yield from self.spots.adapter(found.step.place, theirs, mine[axis])
