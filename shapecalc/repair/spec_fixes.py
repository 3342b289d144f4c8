"""Candidate fixes of an error of the spec: words, references, conditions, repeats and shared weights."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shapecalc.diagnostics.diagnostic import Diagnostic
from shapecalc.engine.graph import GraphNode
from shapecalc.errors import Fact, OtherWeights, Place, UnknownStep, WrongWord
from shapecalc.repair.candidate import Candidate, single
from shapecalc.repair.edit_sites import EditSites
from shapecalc.repair.yaml_edits import YamlText
from shapecalc.report.paths import is_under

_PRICE = 3
"""A tensor, a condition or weights that are no longer read make nearly anything fit, and are seldom meant."""
_WITHOUT = {"when": "always, no when", "repeat": "once, no repeat"}
_NO_WEIGHTS = frozenset({"stride", "padding", "padding_mode", "dilation", "output_padding"})
"""Fields on which no weight depends."""


def spec_fixes(sites: EditSites, finding: Diagnostic) -> Iterator[Candidate]:
    """Yield what might fix an error of the spec."""
    text, place, fact = sites.text, finding.place, finding.fact
    yield from word_fixes(text, place, fact)
    if isinstance(fact, UnknownStep):
        yield from _references(text, place, fact)
    key = text.key(place)
    if key in _WITHOUT:
        yield from single(text.drop_field(place), _WITHOUT[key], price=_PRICE)
    if isinstance(fact, OtherWeights):
        yield from _equal_weights(sites, finding, fact)
    yield from _not_shared(text, place)


def last_resorts(sites: EditSites, finding: Diagnostic) -> Iterator[Candidate]:
    """Yield that a step shares no weights, does nothing, or is left out: meant least."""
    yield from _not_shared(sites.text, finding.place)
    if finding.path in sites.index:
        node = sites.nodes[sites.index[finding.path]]
        yield from sites.identity(node)
        yield from sites.omitted_step(node)
    else:
        step = sites.text.step(finding.place)
        yield from single(sites.text.drop_step(step), "leave the step out", price=_PRICE)


def word_fixes(text: YamlText, place: Place, fact: Fact | None) -> Iterator[Candidate]:
    """Yield legal words and numbers in the place of one that is not."""
    value, key = text.value(place), text.key(place)
    for meant in fact.meant if isinstance(fact, WrongWord) else ():
        assert isinstance(fact, WrongWord)
        word = re.compile(rf"(?<![\w'\"]){re.escape(fact.word)}(?!\w)")
        for old, change in ((value, text.replace_value), (key, text.replace_key)):
            if old is not None and word.search(old):
                yield from single(change(place, word.sub(meant, old)), f"{meant}, not {fact.word}")


def _references(text: YamlText, place: Place, fact: UnknownStep) -> Iterator[Candidate]:
    """Yield the later step moved up, the input's size, the complete result, and the list without the name."""
    name = fact.reference
    if fact.is_later:
        edit = text.move_up(name.partition(".")[0], place)
        yield from single(edit, f"move the step {name} up before this one")
    old = text.value(place)
    if old is None:
        return
    size = re.compile(rf"\bsize\(\s*{re.escape(name)}\s*,\s*(-?\d+)\s*\)")
    if match := size.search(old):
        edit = text.replace_value(place, size.sub(r"size(\1)", old))
        yield from single(edit, f"size({match[1]}), not {match[0]}", price=_PRICE)
    if text.key(place) != "from":
        return
    if head := name.rpartition(".")[0]:
        word = re.compile(rf"(?<![\w.]){re.escape(name)}(?![\w.])")
        yield from single(text.replace_value(place, word.sub(head, old)), f"{head}, not {name}")
    left = ", ".join(item for item in map(str.strip, old.strip("[]").split(",")) if item != name)
    if old.startswith("[") and left:
        yield from single(text.replace_value(place, f"[{left}]"), f"from: [{left}]", price=_PRICE)
    yield from single(text.drop_field(place), "the step before, no from", price=_PRICE)


# ---- shared weights


def _not_shared(text: YamlText, place: Place) -> Iterator[Candidate]:
    """Yield that a step has weights of its own, or is left out."""
    if text.key(place) == "share":
        yield from single(text.drop_field(place), "weights of its own, no share", price=_PRICE)
        yield from single(text.drop_step(text.step(place)), "leave the step that shares out", price=_PRICE)


def _equal_weights(sites: EditSites, finding: Diagnostic, fact: OtherWeights) -> Iterator[Candidate]:
    """Yield fields and channels with which the weights of two layers are equal."""
    if fact.owner not in sites.index or fact.user not in sites.index:
        return
    owner, user = sites.index[fact.owner], sites.index[fact.user]
    yield from _equal_fields(sites, sites.nodes[owner], sites.nodes[user])
    inside = (index for index, node in enumerate(sites.nodes) if is_under(node.path, finding.path))
    begin = next(inside, None)
    if begin is not None and owner - (user - begin) >= 0:
        yield from _equal_channels(sites, finding, owner - (user - begin), begin)


def _equal_fields(sites: EditSites, owner: GraphNode, user: GraphNode) -> Iterator[Candidate]:
    """Yield one layer's field as the other has it."""
    if type(owner.layer) is not type(user.layer):
        return
    for name in (name for name in type(owner.layer).model_fields if name not in _NO_WEIGHTS):
        mine, theirs = getattr(user.layer, name), getattr(owner.layer, name)
        for node, value in ((user, theirs), (owner, mine)):
            if mine != theirs and value is not None:
                yield from sites.field(node, name, value)


def _equal_channels(sites: EditSites, finding: Diagnostic, owner: int, user: int) -> Iterator[Candidate]:
    """Yield what gives the input of one step the channels that the input of the other has."""
    there, here = sites.nodes[owner].sources[0], sites.nodes[user].sources[0]
    axis, shapes = sites.graph.channel_axis, sites.inference.shapes
    theirs, mine = shapes[there], shapes[here]
    if not theirs or not mine or len(theirs) != len(mine) or theirs[axis] == mine[axis]:
        return
    yield from sites.channels(here, theirs[axis])
    yield from sites.channels(there, mine[axis])
    yield from sites.adapter(sites.text.step(finding.place), mine, theirs[axis])
    yield from sites.adapter(sites.nodes[owner].place, theirs, mine[axis])
