"""A module that torch does not make, since a number does not divide another: a finding with repairs."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from inspect import signature
from math import gcd
from types import FrameType
from typing import Any
from unittest import mock

from torch import nn

from shapecalc.bridges.torch.tracer.forward_repairs import divisors_near
from shapecalc.bridges.torch.tracer.misfit import words
from shapecalc.bridges.torch.tracer.module_run import outcome
from shapecalc.bridges.torch.tracer.module_to_kind import classes_with_kinds
from shapecalc.bridges.torch.tracer.source_lines import place_in
from shapecalc.diagnostics.diagnostic import Diagnostic, Fix
from shapecalc.errors import ForwardError
from shapecalc.layers import registry
from shapecalc.layers.requirement import Divisibility
from shapecalc.layers.roles import Divides, fields_with


def constructor_error(
    error: BaseException | None, build: Callable[[], nn.Module], run: Callable[[nn.Module], object]
) -> ForwardError | None:
    """Return why a module is not made, if it is that a number does not divide another.

    `build` makes it again and `run` imports it, for the repairs.
    """
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__ if error else None)]
    for frame in reversed(frames):
        cls = type(frame.f_locals.get("self"))
        if error is None or frame.f_code.co_name != "__init__" or not issubclass(cls, nn.Module):
            continue
        if (fact := _divisibility(cls, frame)) is not None:
            finding = Diagnostic(
                *("divisibility", "error", fact.message, place_in(reversed(frames))),
                hint=fact.advice,
                fact=fact,
                notes=(f"torch says: {words(error)}",),
            )
            arguments = {key: item for key, item in frame.f_locals.items() if isinstance(item, int)}
            return ForwardError([replace(finding, fixes=tuple(_repairs(cls, arguments, fact, build, run)))])
    return None


def _divisibility(cls: type, frame: FrameType) -> Divisibility | None:
    """Return the first field that does not divide what it has to, of a class that is being made."""
    kind = registry.find(classes_with_kinds(with_torchvision=False).get(cls, ""))
    for name, role in () if kind is None else fields_with(kind, Divides).items():
        divisor = frame.f_locals.get(name)
        for of in role.of:
            n = frame.f_locals.get(of)
            if (
                kind is not None
                and isinstance(n, int)
                and isinstance(divisor, int)
                and divisor
                and n % divisor
            ):
                return Divisibility(kind.kind, name, divisor, of, n)
    return None


def _repairs(
    cls: type[nn.Module],
    given: Mapping[str, int],
    fact: Divisibility,
    build: Callable[[], nn.Module],
    run: Callable[[nn.Module], object],
) -> Iterator[Fix]:
    """Yield the nearest numbers that divide, with which the module is made; a fix that is all lets it run."""
    kind = registry.get(fact.kind)
    n = gcd(*(given[of] for of in fields_with(kind, Divides)[fact.name].of if of in given))
    original = cls.__init__
    takes = signature(original)
    for value in divisors_near(n, given[fact.name]):

        def made(self: nn.Module, *args: Any, value: int = value, **kwargs: Any) -> None:
            bound = takes.bind(self, *args, **kwargs)
            if all(bound.arguments.get(name, item) == item for name, item in given.items()):
                bound.arguments[fact.name] = value
            original(*bound.args, **bound.kwargs)

        with mock.patch.object(cls, "__init__", made):
            module = outcome(build)
        if isinstance(module, nn.Module):
            left = outcome(partial(run, module))
            yield Fix(f"{fact.name}: {value}", fixes_all=not isinstance(left, Exception))
