"""Compare what language models of transformers keep between tokens with the bytes that a real run keeps.

    python benchmarks/key_value_caches.py              # all of them; some minutes
    python benchmarks/key_value_caches.py llama gemma2 # these

`exact` means that the bytes of all floating-point tensors in the cache are those of a real run at three
lengths and two batches, by a closed form; `numbers`, that they are without one, by a trace at each length.
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter

import torch
from model_configurations import GROUPS, IDS
from torch import nn

from shapecalc import ShapecalcError
from shapecalc.bridges.torch.key_value_cache import cache_tensors, read_cache

LENGTHS, BATCHES = (12, 7, 60), (1, 3)


def real_bytes(network: nn.Module, length: int, batch: int) -> int:
    """Return the bytes of what a run keeps."""
    with torch.no_grad():
        result = network(input_ids=torch.randint(3, IDS - 1, (batch, length)), use_cache=True)
    return sum(tensor.nbytes for tensor in cache_tensors(result).values())


def verdict(network: nn.Module) -> str:
    """Return how the cache of a network compares."""
    try:
        real = {
            (length, batch): real_bytes(network, length, batch) for length in LENGTHS for batch in BATCHES
        }
    except Exception as error:  # noqa: BLE001  (whatever a library raises)
        return f"not run: {error}".partition("\n")[0]
    if not all(real.values()):
        return "keeps nothing"
    try:
        cache = read_cache(network)
        told = {key: cache.bytes(*key) for key in real}
    except ShapecalcError as error:
        return f"refused: {error}".partition("\n")[0]
    if told != real:
        return f"wrong: {told} for {real}"
    try:
        return f"exact: {cache.bytes(batch=None)}"
    except ShapecalcError:
        return "numbers"


def main() -> None:
    """Print a line for each model."""
    warnings.simplefilter("ignore")
    cases = {**GROUPS["causal"], **GROUPS["experts"]}
    totals: Counter[str] = Counter()
    for name in sys.argv[1:] or cases:
        text = verdict(cases[name].module())
        totals[text.partition(":")[0]] += 1
        print(f"{name:<16} {text}", flush=True)
    print(", ".join(f"{count} {kind}" for kind, count in totals.most_common()))


if __name__ == "__main__":
    main()
