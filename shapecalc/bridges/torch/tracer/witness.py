"""The module of an import, run once more at other sizes before the import answers for any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import RLock
from typing import TypeAlias

from shapecalc.algebra.relation import Relation, combined
from shapecalc.bridges.torch.tracer.rerun import NotRun, Rerun
from shapecalc.engine.inferred_spec import InferredSpec
from shapecalc.errors import ShapecalcError, Undecided
from shapecalc.layers.requirement import Shape
from shapecalc.spec.tree import Spec

Point: TypeAlias = dict[str, int]
"""The named sizes of the inputs."""

_STEPS = (1, 3, 2, 8, 16, 32, 64)
"""How far from the traced sizes others are tried, after twice and half: odd, then as halvings need."""
_BATCHES = (3, 1)
"""The batches at larger and at smaller sizes than the traced ones."""


class ModuleWitness:
    """Confirms an import by two runs of its module at other sizes, without memory and only when needed."""

    def __init__(self, rerun: Rerun) -> None:
        self.rerun = rerun
        self._lock = RLock()
        self._is_running = False
        self._unconfirmed: str | None = None
        self._refutation = ""

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        """Let a model be stored without its module."""
        return type(None), ()

    def confirm(self, spec: Spec, inputs: Mapping[str, Shape]) -> str:
        """Return why inputs of these sizes are not confirmed, if so; raise `Undecided` where refuted."""
        if self._is_traced(inputs) or not isinstance(spec, InferredSpec):
            return ""
        with self._lock:
            if self._is_running:
                return ""
            if self._unconfirmed is None:
                self._is_running = True
                try:
                    self._unconfirmed = self._compared(spec)
                finally:
                    self._is_running = False
        if self._refutation:
            message = f"{self._refutation}: the import holds for the traced sizes only"
            raise Undecided(message, hint="import the module at the sizes that you need")
        return self._unconfirmed

    def _is_traced(self, inputs: Mapping[str, Shape]) -> bool:
        sizes = self.rerun.run.arguments.shapes
        return all(shape in (tuple(sizes[name]), (1, *sizes[name])) for name, shape in inputs.items())

    def _compared(self, spec: InferredSpec) -> str:
        """Run the module at other sizes; return why that was not possible, and keep how it differs there."""
        traced = {name: size for name in spec.free_names() if isinstance(size := spec.parameters[name], int)}
        relations = _conditions(spec)
        varied: set[str] = set()
        for batch, point in zip(_BATCHES, _other_sizes(spec, traced, relations), strict=True):
            inference, inputs = spec.infer_at(
                None, batch if spec.batched else 1, symbolic=False, values=point
            )
            if inference.failures:
                continue
            varied |= {name for name in traced if point[name] != traced[name]}
            try:
                self._refutation = self.rerun.difference(inference, [*inputs.values()])
            except NotRun as reason:
                return str(reason)
            if self._refutation:
                return ""
        fixed = [name for name, sizes in combined(relations or ())[0].items() if sizes.is_finite]
        held = [name for name in traced if name not in varied and name not in fixed]
        return f"no other size is known that it accepts for {', '.join(held)}" if held else ""


def _conditions(spec: InferredSpec) -> list[Relation] | None:
    """Return the conditions on the named sizes of the inputs, or None where there is no closed form."""
    try:
        inference = spec.infer_at(None, 1, symbolic=True, values={})[0]
    except ShapecalcError:
        return None
    if inference.failures:
        return None
    effects = [effect for effect in inference.effects if effect is not None]
    requirements = [each for effect in effects for each in effect.conditions]
    return [each.relation for each in (*requirements, *(each for _, each in inference.graph.conditions))]


def _other_sizes(spec: InferredSpec, traced: Point, relations: list[Relation] | None) -> Iterator[Point]:
    """Yield larger and smaller sizes that a model accepts, none that it can spare as traced."""

    def is_legal(point: Point) -> bool:
        if any(size < 1 for size in point.values()):
            return False
        if relations is not None:
            return all(relation.holds_at(point) for relation in relations)
        try:
            return not spec.infer_at(None, 1, symbolic=False, values=point)[0].failures
        except ShapecalcError:
            return False

    for sign in (1, -1):
        steps = [sign * step for step in _STEPS]
        moved = {name: [_far(n, sign), *(n + step for step in steps)] for name, n in traced.items()}
        together = (point for point in _moved_together(moved, sign) if is_legal(point))
        yield next(together, {}) or _moved_alone(moved, traced, is_legal)


def _far(size: int, sign: int) -> int:
    """Return a size that limits within a module forbid more likely, of the other parity where larger."""
    return 2 * size + 1 if sign > 0 else size // 2


def _moved_together(moved: Mapping[str, Sequence[int]], sign: int) -> Iterator[Point]:
    """Yield sizes all of which are moved: each to another size, or all by one distance."""
    steps = (1, *_STEPS)
    for spread in (sign, 0):
        for number, step in enumerate(steps):
            yield {
                name: sizes[number] + spread * step * place
                for place, (name, sizes) in enumerate(moved.items())
            }


def _moved_alone(
    moved: Mapping[str, Sequence[int]], traced: Point, is_legal: Callable[[Point], bool]
) -> Point:
    """Return sizes of which each is moved that can be moved alone."""
    point = traced
    for name, sizes in moved.items():
        point = next(filter(is_legal, ({**point, name: size} for size in sizes)), point)
    return point
