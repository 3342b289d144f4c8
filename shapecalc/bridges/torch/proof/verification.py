"""A complete model against torch: every layer for all sizes, its weights and cost, and the network at once.

Proofs compose: where every layer's rule is torch's for all sizes, so is the network's. The network is run
in letters as well, once, which needs no such argument but holds only under the guards of that run; and it is
built and run at its own sizes, every layer watched. Of an import it is the module itself that runs, not one
built from what the import says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from shapecalc.algebra.expr_text import grouped
from shapecalc.bridges.torch.build import numbers
from shapecalc.bridges.torch.proof.free_sizes import lettered
from shapecalc.bridges.torch.proof.prove import prove
from shapecalc.bridges.torch.proof.run_network import Forward, forward
from shapecalc.bridges.torch.proof.verdict import OUTCOMES, Outcome, Verdict
from shapecalc.bridges.torch.proof.verify_layer import question_of, structure
from shapecalc.bridges.torch.proof.verify_module import module_forward, verify_module
from shapecalc.bridges.torch.proof.verify_network import verify_network
from shapecalc.bridges.torch.tracer.witness import ModuleWitness
from shapecalc.bridges.torch.twins.twin import twin_of
from shapecalc.errors import SpecError
from shapecalc.layers.base import Kind, Shapes
from shapecalc.model import Model
from shapecalc.report.node import Node

Progress = Callable[[int, int], None]

MOST_INPUTS = 100
"""The most inputs of a layer that is proved."""
MOST_PROOFS = 1_000
"""The most layers of a module that are proved in one run, equal ones once."""
MOST_LAYERS, MOST_DIFFERENT, MOST_FIELDS = 1_500, 500, 150
"""The most layers of a spec, those that differ or have other inputs, and those that differ themselves."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One layer, what is proved of it, and how it differs at the sizes of the model, if it does."""

    path: str
    kind: str
    inputs: Shapes
    verdict: Verdict
    difference: str = ""
    ran: str = ""
    """How it differs in the forward of the built network, if it does."""

    @property
    def is_refuted(self) -> bool:
        """Whether our layer is not torch's."""
        return self.verdict.outcome == "refuted" or bool(self.difference or self.ran)

    def __str__(self) -> str:
        differences = dict.fromkeys(filter(None, (self.difference, self.ran)))
        return "; refuted: ".join([str(self.verdict), *differences])

    def to_dict(self) -> dict[str, Any]:
        """Return the layer as plain data."""
        layer = {"path": self.path, "kind": self.kind, "inputs": [list(shape) for shape in self.inputs]}
        return layer | self.verdict.to_dict() | {"difference": self.difference, "forward": self.ran}


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of `verify`: a verdict a layer, and one for the complete network."""

    name: str
    layers: tuple[Checked, ...]
    network: Verdict
    forward: Forward
    """How the built network ran."""
    proofs: int
    """How many different proofs the layers came to."""
    is_module: bool = False
    """Whether `network` and `forward` are of the module that was imported, not of one built from the spec."""

    @property
    def is_refuted(self) -> bool:
        """Whether anything is not as torch has it."""
        is_refuted = self.network.outcome == "refuted" or self.forward.is_refuted
        return is_refuted or any(layer.is_refuted for layer in self.layers)

    @property
    def counts(self) -> dict[Outcome, int]:
        """How many layers came to each outcome."""
        count = Counter("refuted" if layer.is_refuted else layer.verdict.outcome for layer in self.layers)
        return {outcome: count[outcome] for outcome in OUTCOMES if count[outcome]}

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {
            "name": self.name,
            "module": self.is_module,
            "refuted": self.is_refuted,
            "counts": self.counts,
            "proofs": self.proofs,
            "network": self.network.to_dict(),
            "forward": self.forward.to_dict(),
            "layers": [layer.to_dict() for layer in self.layers],
        }

    def __str__(self) -> str:
        return text(self)


@torch.random.fork_rng(devices=[])
def verify(
    model: Model,
    shape: Any = None,
    values: Mapping[str, Any] | None = None,
    progress: Progress = lambda done, of: None,
) -> Verification:
    """Return the verification of a model; equal layers are proved once.

    `shape` and `values` are the input and the parameters as for `Model.analyze`; `progress` receives how
    many layers of how many are done. Raises `SpecError` for more layers than are proved in seconds.

    >>> from shapecalc import load
    >>> verify(load("lenet5")).counts
    {'proved': 12}
    """
    values, witness = values or {}, model.graphs.witness
    if witness is not None:
        model = model.model_copy()
        model.graphs.witness = None  # what it would refuse is to be reported here
    report = model.analyze(input=shape, **values)
    _refuse_too_many(model.name, report.nodes, is_module=witness is not None)
    proofs: dict[tuple[Kind, Shapes], Verdict] = {}
    differences: dict[tuple[Kind, Shapes], str] = {}
    layers: list[Checked] = []
    for number, node in enumerate(report.nodes):
        progress(number, len(report.nodes))
        checked = _checked(node, proofs, differences)
        layers.append(Checked(node.path, node.kind, node.inputs, *checked))
    if isinstance(witness, ModuleWitness):
        network = verify_module(witness.rerun, model, report, shape, values)
        ran = module_forward(witness.rerun, report)
    else:
        network = verify_network(model, report, shape, values)
        ran = forward(model, report, shape, values)
    layers = [replace(layer, ran=ran.differences.get(layer.path, "")) for layer in layers]
    progress(len(report.nodes), len(report.nodes))
    return Verification(model.name, tuple(layers), network, ran, len(proofs), is_module=witness is not None)


def _refuse_too_many(name: str, nodes: Sequence[Node], *, is_module: bool) -> None:
    """Refuse what would take long: a few lines of a spec may repeat a layer thousands of times."""
    different = len({(node.layer, node.inputs) for node in nodes})
    bounds = [(different, MOST_PROOFS if is_module else MOST_DIFFERENT, "different layers")]
    if not is_module:
        bounds += [(len(nodes), MOST_LAYERS, "layers")]
        bounds += [(len({node.layer for node in nodes}), MOST_FIELDS, "layers with other fields")]
    for count, most, what in bounds:
        if count > most:
            says = f"{name} has {grouped(count)} {what}; at most {grouped(most)} are proved"
            raise SpecError(says, hint="verify a part of it")


def _checked(
    node: Node, proofs: dict[tuple[Kind, Shapes], Verdict], differences: dict[tuple[Kind, Shapes], str]
) -> tuple[Verdict, str]:
    """Return the proof of a node's layer and how it differs in numbers, remembered for equal layers."""
    layer, shapes = node.layer, tuple(map(numbers, node.inputs))
    why = twin_of(layer).uncovered(layer)
    if len(shapes) > MOST_INPUTS:
        why = f"it has {grouped(len(shapes))} inputs; layers of at most {MOST_INPUTS} are proved"
    if why:
        return Verdict("uncovered", why=why), ""
    letters = lettered(layer, shapes).proved
    if (layer, letters) not in proofs:
        proofs[layer, letters] = prove(question_of(layer, shapes))
    if (layer, shapes) not in differences:
        differences[layer, shapes] = structure(layer, shapes, node.weights, node.buffers, node.macs)
    return proofs[layer, letters], differences[layer, shapes]


# ---- for a reader


def text(result: Verification) -> str:
    """Return a line per layer, one for the network, and the counts."""
    layers = result.layers
    rows = [(layer.path, layer.kind, str(layer)) for layer in layers]
    widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    lines = [f"{path:<{widths[0]}}  {kind:<{widths[1]}}  {verdict}".rstrip() for path, kind, verdict in rows]
    counts = ", ".join(f"{count} {OUTCOMES[outcome]}" for outcome, count in result.counts.items())
    of = f"{len(layers)} layers" if len(layers) != 1 else "1 layer"
    compared = [layer for layer in layers if layer.verdict.outcome != "uncovered"]
    whose = " of the layers that are covered" if len(compared) < len(layers) else ""
    summary = f"weights, buffers and MACs{whose} are torch's at these sizes"
    if any(layer.difference for layer in compared):
        summary = "weights, buffers or MACs differ where it is said"
    lines += [
        "",
        f"{'module' if result.is_module else 'network'}: {result.network}",
        f"forward: {result.forward}",
        f"{of}, {result.proofs} different: {counts or 'nothing to prove'}",
    ]
    return "\n".join([*lines, *([summary] if compared else [])])
