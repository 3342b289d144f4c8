"""What torch's own tracers make of the modules that our import is tried on: traced or not, and right elsewhere or not.

Each module is traced at one size, and what comes out is asked at others what torch's shape is there.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.export import Dim, export

from shapecalc import Model, ShapecalcError, from_torch, load
from tests.support.traced_modules import MODULES
from tests.support.tutorial_modules import TUTORIALS
from tests.torch.test_import_sizes import HOLDS, POINTS, STAYS, Forward, Net

Point = tuple[int, int, int]
Traced = Callable[[Point], "tuple[int, ...] | None"]
"""A trace: the shape at a batch, a height and a width, None where it refuses."""

TRACED_AT: Point = (2, 8, 8)


def image(point: Point) -> Tensor:
    batch, height, width = point
    return torch.zeros(batch, 3, height, width)


def ran(module: Callable[[Tensor], Any], point: Point) -> tuple[int, ...] | None:
    """Return the shape that comes out, None where the module refuses."""
    try:
        with torch.no_grad():
            return tuple(module(image(point)).shape)
    except Exception:  # noqa: BLE001  (whatever the code raises)
        return None


def by_fx(module: nn.Module) -> Traced:
    traced = fx.symbolic_trace(module)
    return lambda point: ran(traced, point)


def by_export(module: nn.Module) -> Traced:
    free = {0: Dim.AUTO, 2: Dim.AUTO, 3: Dim.AUTO}
    exported = export(module, (image(TRACED_AT),), dynamic_shapes=(free,)).module()
    return lambda point: ran(exported, point)


def by_us(module: nn.Module) -> Traced:
    model = from_torch(module, input=(3, *TRACED_AT[1:]))

    def at(point: Point) -> tuple[int, ...] | None:
        batch, height, width = point
        try:
            return _numbers(model, batch, height, width)
        except ShapecalcError:
            return None

    return at


def _numbers(model: Model, batch: int, height: int, width: int) -> tuple[int, ...]:
    output = model.analyze(batch=batch, H=height, W=width).output
    return tuple(size for size in output if isinstance(size, int))


TRACERS: dict[str, Callable[[nn.Module], Traced]] = {
    "torch.fx": by_fx,
    "torch.export": by_export,
    "shapecalc": by_us,
}
FORWARDS: dict[str, dict[str, Forward]] = {"arithmetic with sizes": STAYS, "decisions by sizes": HOLDS}


@dataclass
class Found:
    """How many forwards a tracer traced, and what became of them at other sizes; their names."""

    traced: list[str] = field(default_factory=list)
    right: list[str] = field(default_factory=list)
    """The same answer as torch's at every size, refusals included."""
    refusing: list[str] = field(default_factory=list)
    """Some sizes refused that torch takes, all others right."""
    wrong: list[str] = field(default_factory=list)
    """Another shape than torch's at some size, or a shape where torch refuses."""


def measured(tracer: str, forwards: dict[str, Forward]) -> Found:
    """Return what a tracer makes of forwards."""
    found = Found()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, forward in forwards.items():
            try:
                traced = TRACERS[tracer](Net(forward).eval())
            except Exception:  # noqa: BLE001  (whatever the tracer raises)
                continue
            found.traced.append(name)
            answers = [*_answers(Net(forward).eval(), traced)]
            if any(mine not in (None, theirs) for mine, theirs in answers):
                found.wrong.append(name)
            elif any(mine != theirs for mine, theirs in answers):
                found.refusing.append(name)
            else:
                found.right.append(name)
    return found


def _answers(module: nn.Module, traced: Traced) -> Iterator[tuple[Any, Any]]:
    for point in POINTS:
        yield traced(point), ran(module, point)


def modules() -> dict[str, tuple[Callable[[], nn.Module], Any]]:
    """Return the modules of the tests and the tutorials', each with its inputs without the batch."""
    return {
        **{cls.__name__: (cls, shapes) for cls, shapes in MODULES.items()},
        **{
            name: (make, tuple(load(f"tutorials/{name}").analyze().input[1:]))
            for name, make in TUTORIALS.items()
        },
    }


def given_up(tracer: str) -> list[str]:
    """Return the modules that a tracer does not trace."""
    found: list[str] = []
    for name, (make, shapes) in modules().items():
        with torch.device("meta"):
            module = make().eval()
        named = {"": shapes} if isinstance(shapes, tuple) else shapes
        kind = torch.long if name == "Tied" else torch.float32
        tensors = tuple(torch.empty((2, *shape), device="meta", dtype=kind) for shape in named.values())
        trace: dict[str, Callable[[], object]] = {
            "torch.fx": partial(fx.symbolic_trace, module),
            "torch.export": partial(export, module, tensors),
            "shapecalc": partial(from_torch, module, input=shapes),
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                trace[tracer]()
            except Exception:  # noqa: BLE001  (whatever the tracer raises)
                found.append(name)
    return found


def leaves(tracer: str, module: nn.Module, example: Tensor) -> int:
    """Return how many modules of torch stand in a trace as what they are."""
    if tracer == "shapecalc":
        return sum(node.kind in ("conv2d", "relu") for node in from_torch(module, args=(example,)).analyze())
    graph = fx.symbolic_trace(module).graph if tracer == "torch.fx" else export(module, (example,)).graph
    return sum(node.op == "call_module" for node in graph.nodes)
