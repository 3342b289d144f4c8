"""What the tools that people count with say of a module, each run as its documentation does."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


@contextmanager
def alone() -> Iterator[None]:
    """Let a tool replace functions of torch, and put them back: calflops leaves them after an error."""
    homes = (torch, torch.Tensor, nn.functional)
    before = [dict(vars(home)) for home in homes]
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for home, names in zip(homes, before, strict=True):
            for name, value in names.items():
                if vars(home).get(name) is not value:
                    setattr(home, name, value)


class Called(nn.Module):
    """A module by which ptflops takes what is counted for one sample, and calflops finds a parameter."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner
        self.unused = nn.Parameter(torch.zeros(1, device=next((p.device for p in inner.parameters()), None)))

    def forward(self, *given: Tensor, **named: Tensor) -> object:
        return self.inner(*given, *named.values())


def by_flop_counter(module: nn.Module, *given: Tensor) -> int:
    with FlopCounterMode(display=False) as counter:
        module(*given)
    return int(counter.get_total_flops())


def by_fvcore(module: nn.Module, *given: Tensor) -> int:
    from fvcore.nn import FlopCountAnalysis

    found = FlopCountAnalysis(module, given)
    found.unsupported_ops_warnings(enabled=False)
    found.uncalled_modules_warnings(enabled=False)
    return int(found.total())


def by_ptflops(module: nn.Module, *given: Tensor) -> int:
    from ptflops import get_model_complexity_info

    named = {f"x{number}": x for number, x in enumerate(given)}
    macs, _ = get_model_complexity_info(
        Called(module),
        (1,),
        input_constructor=lambda _: named,
        as_strings=False,
        print_per_layer_stat=False,
        backend="pytorch",
    )
    return int(macs)


def by_thop(module: nn.Module, *given: Tensor) -> int:
    from thop import profile

    return int(profile(module, inputs=given, verbose=False)[0])


def by_torchinfo(module: nn.Module, *given: Tensor) -> int:
    from torchinfo import summary

    return int(summary(module, input_data=given, verbose=0, mode="eval").total_mult_adds)


def _by_calflops(module: nn.Module, *given: Tensor) -> tuple[int, int]:
    from calflops import calculate_flops

    flops, macs, _ = calculate_flops(
        Called(module), args=[*given], print_results=False, output_as_string=False
    )
    return int(macs), int(flops)


TOOLS: dict[str, Callable[..., int]] = {
    "flop_counter": by_flop_counter,
    "fvcore": by_fvcore,
    "ptflops": by_ptflops,
    "thop": by_thop,
    "torchinfo": by_torchinfo,
    "calflops": lambda module, *given: _by_calflops(module, *given)[0],
    "calflops FLOPs": lambda module, *given: _by_calflops(module, *given)[1],
}


def said(tool: str, module: nn.Module, *given: Tensor) -> int:
    """Return what a tool says of a module in evaluation, called with these tensors."""
    with alone():
        return TOOLS[tool](module.eval(), *given)
