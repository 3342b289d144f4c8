"""Further runs of the module of an import, each compared with what the import infers at the same sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from torch import Tensor

from shapecalc.bridges.torch.build import numbers
from shapecalc.bridges.torch.tracer.branch_sites import BranchTest
from shapecalc.bridges.torch.tracer.call_log import CallLog
from shapecalc.bridges.torch.tracer.module_run import Run, error_text, outcome
from shapecalc.engine.graph import Inference
from shapecalc.engine.lifetimes import Lifetimes
from shapecalc.layers.requirement import Shape, shown


class NotRun(Exception):
    """A module does not run a second time, not even at the traced sizes."""


@dataclass(eq=False, repr=False)
class Rerun:
    """How a module is run again; `leaves` has in order the steps that are modules, each with its path.

    `tests` has the conditions that decided whether one variable was padded, cropped or resized, by step.
    """

    run: Run
    leaves: Mapping[str, str]
    tests: Mapping[str, BranchTest]
    log: CallLog
    partial: frozenset[str]
    """The steps that do not read a single number which was computed of tensors."""

    def lifetimes(self) -> Lifetimes | None:
        """Return when the tensors of the forward die; None where the module does not run so again."""
        result = outcome(lambda: replace(self.run.lifetimes(self.log), partial=self.partial))
        return None if isinstance(result, Exception) else result

    def at(self, shapes: Sequence[Shape]) -> tuple[dict[str, Tensor], dict[str, list[Tensor]]]:
        """Return the outputs of a run at inputs of these shapes, and what layers returned, by step.

        A module that torch alone does not run without memory is recorded, its sizes as ordinary numbers;
        once that is known it is not tried again, so that what counts a second run counts all of one.
        Raises `NotRun` where that fails at the traced sizes too, and else what the module itself raises.
        """
        sizes = [*map(numbers, shapes)]
        if not isinstance(vars(self).get("_plain"), Exception):
            plain = outcome(lambda: self.run.plain(sizes, self.leaves))
            if not isinstance(plain, Exception):
                return plain
            if not isinstance(self._plain, Exception):
                raise plain
        recorded = outcome(lambda: self._recorded(sizes))
        if not isinstance(recorded, Exception):
            return recorded, {}
        if not isinstance(self._recorded_as_traced, Exception):
            raise recorded
        raise NotRun(f"{self.run.name} does not run again without memory: {error_text(self._plain)}")

    def difference(self, inference: Inference, shapes: Sequence[Shape]) -> str:
        """Return how the module differs from an inference at inputs of these shapes, or nothing.

        Raises `NotRun` where it cannot be run.
        """
        at = f"for an input of {' and '.join(map(shown, shapes))}"
        result = outcome(lambda: self.at(shapes))
        if isinstance(result, NotRun):
            raise result
        if isinstance(result, Exception):
            return f"{self.run.name} raises an error {at}, which its import accepts: {error_text(result)}"
        return self.compared(inference, at, *result)

    def compared(
        self, inference: Inference, at: str, outputs: Mapping[str, Tensor], layers: Mapping[str, list[Tensor]]
    ) -> str:
        """Return how the results of a run differ from an inference, or nothing; `at` has the sizes."""
        compared = [(node.path, node.slots, layers.get(node.path, ())) for node in inference.graph.nodes]
        for name, slot in inference.graph.outputs.items():
            title = self.run.name if len(outputs) == 1 else f"{self.run.name}'s output {name}"
            compared.append((title, range(slot, slot + 1), [outputs[name]]))
        for title, slots, tensors in compared:
            for slot, tensor in zip(slots, tensors, strict=False):
                theirs, ours = tuple(tensor.shape), inference.shapes[slot]
                if theirs != ours:
                    return f"{title} gives {shown(theirs)} {at}, and its import {shown(ours or ())}"
        return ""

    @cached_property
    def _plain(self) -> Any:
        return outcome(lambda: self.run.plain(self.run.shapes))

    @cached_property
    def _recorded_as_traced(self) -> Any:
        return outcome(lambda: self._recorded(self.run.shapes))

    def _recorded(self, sizes: Sequence[Sequence[int]]) -> dict[str, Tensor]:
        run = replace(self.run, pinned=True)
        return run.recorded(run.trace(), sizes)
