"""Time shapecalc beside torchinfo, fvcore and torch's FlopCounterMode, all in one run.

    python benchmarks/compare.py                     # everything; about four minutes
    python benchmarks/compare.py process --runs 3    # one part: process, call or growth

Every figure is a median, and times are the processor's, which a busy machine lengthens less than those of a
clock. Ratios say how many times longer (or larger) the other tool is, measured in turn with ours so that both
see the same machine. Needs the extra `bench`.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

NETWORKS = ("alexnet", "resnet50", "densenet121", "googlenet")
TORCHVISION = {"googlenet": "googlenet(weights=None, init_weights=False)"}
OTHERS = ("torchinfo", "fvcore", "FlopCounterMode")


def builder(network: str) -> str:
    """Return the torchvision call that builds a network without weights."""
    return TORCHVISION.get(network, f"{network}(weights=None)")


def script(tool: str, network: str) -> str:
    """Return a program that prints one network's shapes, parameters and cost with another tool."""
    make = (
        "import torch, torchvision; torch.set_num_threads(1)\n"
        f"model = torchvision.models.{builder(network)}.eval()\n"
    )
    if tool == "torchinfo":
        return make + "import torchinfo; print(torchinfo.summary(model, (1, 3, 224, 224), verbose=0))"
    if tool == "fvcore":
        return make + (
            "import fvcore.nn as f, logging; logging.disable()\n"
            "print(f.flop_count_table(f.FlopCountAnalysis(model, torch.zeros(1, 3, 224, 224)), max_depth=9))"
        )
    return make.replace("\nmodel = ", "\ntorch.set_default_device('meta')\nmodel = ") + (
        "from torch.utils.flop_counter import FlopCounterMode\n"
        "with FlopCounterMode(display=True, depth=9), torch.no_grad(): model(torch.zeros(1, 3, 224, 224))\n"
        "print(sum(p.numel() for p in model.parameters()))"
    )


def command(tool: str, network: str) -> list[str]:
    """Return the command line that answers for one network."""
    if tool == "shapecalc":
        return [sys.executable, "-m", "shapecalc", "show", network]
    return [sys.executable, "-W", "ignore", "-c", script(tool, network)]


def run(arguments: list[str]) -> tuple[float, float]:
    """Run a command; return the processor's seconds and its peak memory in MiB."""
    # Installed packages come with bytecode; this one may not, where Python was told to write none.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, env=environment) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments[:4])} failed with status {process.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def processes(runs: int, networks: tuple[str, ...] = NETWORKS) -> None:
    """Whole processes from the shell, the tools in turn."""
    print(f"\nWhole process, median of {runs} runs each (seconds, peak MiB):")
    for network in networks:
        figures: dict[str, list[tuple[float, float]]] = {tool: [] for tool in ("shapecalc", *OTHERS)}
        run(command("shapecalc", network))
        for _ in range(runs):
            for tool, measured in figures.items():
                measured.append(run(command(tool, network)))
        report(network, {tool: [seconds for seconds, _ in runs_] for tool, runs_ in figures.items()}, "s")
        report("", {tool: [peak for _, peak in runs_] for tool, runs_ in figures.items()}, "MiB")


def report(label: str, figures: dict[str, list[float]], unit: str) -> None:
    """Print one line: our median, then each other's with its ratio, pair by pair."""
    ours = figures["shapecalc"]
    cells = [f"shapecalc {statistics.median(ours):8.4g} {unit}"]
    ratios: dict[str, float] = {}
    for tool, theirs in figures.items():
        if tool != "shapecalc":
            ratios[tool] = statistics.median(other / own for other, own in zip(theirs, ours, strict=True))
            cells.append(f"{tool} {statistics.median(theirs):8.4g} ({ratios[tool]:.1f}x)")
    print(f"  {label:<12} {'   '.join(cells)}   least ratio {min(ratios.values()):.1f}x", flush=True)


def calls(runs: int) -> None:
    """One process, network loaded, another input size at every call, everything read out."""
    import logging
    import warnings

    warnings.simplefilter("ignore")
    logging.disable()
    import torch
    import torchinfo
    import torchvision
    from fvcore.nn import FlopCountAnalysis
    from torch.utils.flop_counter import FlopCounterMode

    import shapecalc

    torch.set_num_threads(1)
    print(
        f"\nOne call in process, network loaded, a new input size each time, median of {runs} (milliseconds):"
    )
    for network in NETWORKS:
        spec = shapecalc.load(network)
        options = {"init_weights": False} if network == "googlenet" else {}
        module = torchvision.models.get_model(network, weights=None, **options).eval()
        with torch.device("meta"):
            ghost = torchvision.models.get_model(network, weights=None, **options).eval()

        def ours(size: int, spec: shapecalc.Model = spec) -> None:
            assert spec.analyze(input=(3, size, size)).to_dict()["macs"]

        def by_torchinfo(size: int, module: torch.nn.Module = module) -> None:
            torchinfo.summary(module, (1, 3, size, size), verbose=0)

        def by_fvcore(size: int, module: torch.nn.Module = module) -> None:
            FlopCountAnalysis(module, torch.zeros(1, 3, size, size)).by_module()

        def by_counter(size: int, ghost: torch.nn.Module = ghost) -> None:
            with FlopCounterMode(display=False) as counter, torch.no_grad():
                ghost(torch.zeros(1, 3, size, size, device="meta"))
            counter.get_flop_counts()

        tools: dict[str, Callable[[int], None]] = {
            "shapecalc": ours,
            "torchinfo": by_torchinfo,
            "fvcore": by_fvcore,
            "FlopCounterMode": by_counter,
        }
        figures: dict[str, list[float]] = {tool: [] for tool in tools}
        for number in range(runs + 1):
            for tool, call in tools.items():
                seconds = clocked(call, 224 + 32 * number)
                if number:
                    figures[tool].append(1000 * seconds)
        report(network, figures, "ms")


def clocked(call: Callable[[int], None], size: int) -> float:
    """Return the processor's seconds of one call."""
    before = time.process_time()
    call(size)
    return time.process_time() - before


def growth(runs: int) -> None:
    """Chains of 1,000 to 100,000 layers: the time per layer stays what it is."""
    from shapecalc import Model, Step
    from shapecalc.layers import Conv2d, ReLU

    print("\nGrowth with depth, chain of convolutions and ReLUs (microseconds per layer):")
    for layers in (1_000, 10_000, 100_000):
        half = layers // 2
        pair = [Conv2d(out_channels=8, kernel_size=3, padding=1), ReLU()]
        unrolled = Model(name="chain", input=[8, 32, 32], layers=pair * half)
        repeated = Model(name="chain", input=[8, 32, 32], layers=[Step(pair, repeat=half)])
        for label, model in (("unrolled", unrolled), ("repeated", repeated)):

            def analysed(size: int, model: Model = model) -> None:
                assert model.analyze(input=(8, size, size)).macs

            first = clocked(analysed, 32)
            again = [clocked(analysed, 33 + number) for number in range(runs)]
            per = 1e6 / layers
            print(
                f"  {layers:>7,} layers, {label:<12} first call {first * per:6.1f} ({first:.2f} s)   "
                f"next calls {statistics.median(again) * per:6.1f} ({statistics.median(again):.2f} s)",
                flush=True,
            )
    print(
        f"  peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB"
    )


def main() -> None:
    """Run the requested parts."""
    parts: dict[str, Callable[[int], None]] = {"process": processes, "call": calls, "growth": growth}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(parts)}; all by default")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    if unknown := set(options.parts) - set(parts):
        parser.error(f"unknown part {', '.join(sorted(unknown))}")
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} processors")
    for part in options.parts or [*parts]:
        parts[part](options.runs)


if __name__ == "__main__":
    main()
