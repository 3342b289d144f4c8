"""Time the import of a torch module with its full report beside torchinfo on the same module, in one run.

    python benchmarks/importing.py             # three networks; about twenty seconds
    python benchmarks/importing.py --runs 20

Both are handed a module that exists and answer with shape, parameters and cost of every layer. The figures
are medians of the processor's seconds, taken in turn after a first call of each. Needs the extra `bench`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable

NETWORKS = ("resnet50", "densenet121", "vit_b_16")


def clocked(call: Callable[[], object]) -> float:
    """Return the processor's seconds of one call, which a busy machine does not lengthen."""
    before = time.process_time()
    call()
    return time.process_time() - before


def compare(network: str, runs: int) -> None:
    """Print one line: both medians in milliseconds, and how many times longer torchinfo takes."""
    import torch
    import torchinfo
    import torchvision

    import shapecalc

    torch.set_num_threads(1)
    module = torchvision.models.get_model(network, weights=None).eval()

    def ours() -> object:
        report = shapecalc.from_torch(module, input=(3, 224, 224)).analyze()
        rows = [(node.path, node.output, node.params, node.macs, node.weights) for node in report]
        return rows, report.params, report.macs

    def theirs() -> object:
        return torchinfo.summary(module, (1, 3, 224, 224), verbose=0)

    figures = [(clocked(ours), clocked(theirs)) for _ in range(runs + 1)]
    first, *counted = figures
    mine, other = (1000 * statistics.median(column) for column in zip(*counted, strict=True))
    ratio = statistics.median(long / short for short, long in counted)
    print(
        f"  {network:<14} shapecalc {mine:7.1f} ms   torchinfo {other:7.1f} ms   {ratio:.1f}x   "
        f"(first calls {1000 * first[0]:.0f} and {1000 * first[1]:.0f} ms)",
        flush=True,
    )


def main() -> None:
    """Compare on each network."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("networks", nargs="*", default=NETWORKS, metavar="NETWORK", help="torchvision's name")
    parser.add_argument("--runs", type=int, default=9)
    options = parser.parse_args()
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} processors")
    for network in options.networks:
        compare(network, options.runs)


if __name__ == "__main__":
    main()
