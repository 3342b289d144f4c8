"""Compare the peaks of torchvision's networks with what is alive in eager torch, to the byte.

    PYTHONPATH=. python benchmarks/memory.py                          # everything; some two hours
    PYTHONPATH=. python benchmarks/memory.py resnet18 r3d_18 --batch 2

Inference, and two steps of training with AdamW and with SGD and momentum (`foreach=False`), on meta tensors.
Storages are counted by a dispatch mode (`tests/support/live_bytes.py`), under which autograd adds up
gradients out of place; without one it does so in place. Both are compared: `exact` is the usual answer,
and `exact under the mode` the one for additions out of place.
"""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from typing import Any

import torch
from torch import nn
from torchvision import models

import shapecalc
from shapecalc.memory.measure_memory import memory_use
from shapecalc.memory.memory_use import MemoryUse, Setting
from shapecalc.model import Model
from tests.support.live_bytes import inference_peak, training_peak

SEGMENTATION = models.list_models(module=models.segmentation)
VIDEO = models.list_models(module=models.video)
NETWORKS = (*models.list_models(module=models), *SEGMENTATION, *VIDEO)
MODES = ("inference", "adamw", "momentum")


def built(name: str) -> nn.Module:
    """Return a network without weights, on the meta device."""
    options: dict[str, Any] = {"weights_backbone": None} if name in SEGMENTATION else {}
    if name in ("googlenet", "inception_v3"):
        options["init_weights"] = False
    module: nn.Module = models.get_model(name, weights=None, **options).to("meta")
    return module.eval()


def shape(name: str) -> tuple[int, ...]:
    """Return an input without the batch that the network takes."""
    if name in VIDEO:
        side = 224 if name.startswith(("mvit", "swin", "s3d")) else 112
        return (3, 16, side, side)
    side = {"inception_v3": 299}.get(name, 224)
    return (3, side, side)


def peaks(model: Model, mode: str, batch: int) -> tuple[MemoryUse, MemoryUse]:
    """Return the usual answer, and that for gradients that are added up out of place."""
    if mode == "inference":
        use = model.memory(batch=batch)
        return use, use
    witness: Any = model.graphs.witness
    spec = witness.in_training
    inference, inputs = spec.infer_at(None, batch, symbolic=False, values={})
    setting, lives = Setting("float32", training=True, optimizer=mode), spec.graphs.witness.lifetimes
    under_a_mode = memory_use("", "", inference, inputs, setting, lives, in_place=False)
    return model.memory(batch=batch, optimizer=mode), under_a_mode


def main() -> None:
    """Print a line for each network and mode, and how many were exact."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("networks", nargs="*", default=NETWORKS)
    parser.add_argument("--batch", type=int, nargs="*", default=(2, 8))
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    counts: Counter[str] = Counter()
    for name in chosen.networks:
        try:
            module = built(name)
            model = shapecalc.from_torch(module, input=shape(name))
        except shapecalc.ShapecalcError as error:
            counts["not imported"] += 1
            print(f"{name}: {error}", flush=True)
            continue
        for mode in MODES:
            for batch in chosen.batch:
                x = torch.empty(batch, *shape(name), device="meta")
                is_inference = mode == "inference"
                truth = (
                    inference_peak(module, x) if is_inference else training_peak(module, x, optimizer=mode)
                )
                usual, under_a_mode = peaks(model, mode, batch)
                assert isinstance(usual.peak, int)
                off = (usual.peak - truth) / truth
                kind = "inference" if is_inference else "training"
                counts[f"{kind}: compared"] += 1
                counts[f"{kind}: exact"] += usual.peak == truth
                counts[f"{kind}: exact under the mode"] += under_a_mode.peak == truth
                counts[f"{kind}: within 1 %"] += abs(off) <= 0.01
                counts[f"{kind}: said to be at least"] += not usual.complete
                kinds = sorted({entry.rpartition("(")[2][:-1] for entry in usual.unknown})
                verdict = "exact" if not off else f"{off:+.3%}"
                under = "exact" if under_a_mode.peak == truth else under_a_mode.peak - truth
                without = f"; without a rule: {', '.join(kinds)}" if kinds else ""
                print(
                    f"{name} {mode} {batch}: {truth:,} {verdict}; under the mode {under}{without}", flush=True
                )
    for what, count in sorted(counts.items()):
        print(f"{what}: {count}")


if __name__ == "__main__":
    main()
