"""Time the import of a torch module with its full report beside torchinfo on the same module, in one run.

    python benchmarks/importing.py             # four networks; about a minute
    python benchmarks/importing.py --runs 20

Both are handed a module that exists and answer with shape, parameters and cost of every layer. The figures
are medians of the processor's seconds, taken in turn after a first call of each. The first calls are
measured apart, in a process each, with what they load on the way, three times. Needs the extra `bench`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

FIRST = 3
NETWORKS = ("resnet50", "densenet121", "vit_b_16", "mobilenet_v2")


def clocked(call: Callable[[], object]) -> float:
    """Return the processor's seconds of one call, which a busy machine does not lengthen."""
    before = time.process_time()
    call()
    return time.process_time() - before


def calls(network: str) -> dict[str, Callable[[], object]]:
    """Return the two calls for a network of torchvision, neither made before."""
    import torch
    import torchvision

    torch.set_num_threads(1)
    module = torchvision.models.get_model(network, weights=None).eval()

    def ours() -> object:
        import shapecalc

        report = shapecalc.from_torch(module, input=(3, 224, 224)).analyze()
        rows = [(node.path, node.output, node.params, node.macs, node.weights) for node in report]
        return rows, report.params, report.macs

    def theirs() -> object:
        import torchinfo

        return torchinfo.summary(module, (1, 3, 224, 224), verbose=0)

    return {"shapecalc": ours, "torchinfo": theirs}


def first(network: str, tool: str) -> float:
    """Return the milliseconds of a first call in a process of its own, all sources compiled before."""
    command = [sys.executable, __file__, network, "--first", tool]
    setting = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    runs = (
        subprocess.run(command, capture_output=True, text=True, check=True, env=setting)
        for _ in range(FIRST + 1)
    )
    return 1000 * statistics.median([float(run.stdout) for run in runs][1:])


def compare(network: str, runs: int) -> None:
    """Print one line: both medians in milliseconds, and the ratios, of first calls as well."""
    ours, theirs = calls(network).values()
    figures = [(clocked(ours), clocked(theirs)) for _ in range(runs + 1)][1:]
    mine, other = (1000 * statistics.median(column) for column in zip(*figures, strict=True))
    ratio = statistics.median(long / short for short, long in figures)
    apart = [first(network, tool) for tool in ("shapecalc", "torchinfo")]
    print(
        f"  {network:<14} shapecalc {mine:7.1f} ms   torchinfo {other:7.1f} ms   {ratio:.1f}x   "
        f"(first calls {apart[0]:.0f} and {apart[1]:.0f} ms, {apart[1] / apart[0]:.1f}x)",
        flush=True,
    )


def main() -> None:
    """Compare on each network."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("networks", nargs="*", default=NETWORKS, metavar="NETWORK", help="torchvision's name")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--first", choices=("shapecalc", "torchinfo"), help="print seconds of one first call")
    options = parser.parse_args()
    if options.first:
        print(clocked(calls(options.networks[0])[options.first]))
        return
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} processors")
    for network in options.networks:
        compare(network, options.runs)


if __name__ == "__main__":
    main()
