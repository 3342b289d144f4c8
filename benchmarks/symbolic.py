"""Time closed forms and legal sizes beside torch.export's symbolic shape, and their growth with depth.

    python benchmarks/symbolic.py                    # both parts; about a minute
    python benchmarks/symbolic.py export --runs 3    # one part: export, onnx or growth

`export` pairs, in one process, what torch.export takes for the symbolic output shape of a built module alone
with what we take for every closed form and the exact set of legal sizes of a spec just loaded. `onnx`
pairs reading an exported ResNet-50 with the symbolic shape inference of onnxruntime. Needs the extra `bench`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable

NETWORKS = {"resnet50": "resnet50", "inception_v3": "inception_v3", "densenet121": "densenet121"}
"""A bundled network with torchvision's name for it."""


def clocked(call: Callable[[], object]) -> float:
    """Return the processor's seconds of one call, which a busy machine does not lengthen."""
    before = time.process_time()
    call()
    return time.process_time() - before


def export(runs: int) -> None:
    """Closed forms and legal sizes against the symbolic shape by torch.export, in turn."""
    import torch
    import torchvision
    from torch.export import Dim

    import shapecalc

    torch.set_num_threads(1)
    print(f"\nSymbolic answers in one process, median of {runs} (milliseconds):")
    for ours, theirs in NETWORKS.items():
        options = {"init_weights": False} if theirs == "inception_v3" else {}
        module = torchvision.models.get_model(theirs, weights=None, **options).eval()
        example = torch.zeros(1, 3, 320, 320)

        def by_export(module: torch.nn.Module = module, example: torch.Tensor = example) -> object:
            dynamic = ({2: Dim.AUTO, 3: Dim.AUTO},)
            return torch.export.export(module, (example,), dynamic_shapes=dynamic)

        figures: dict[str, list[float]] = {"export": [], "closed forms": [], "legal sizes": []}
        for _ in range(runs):
            spec = shapecalc.load(ours)

            def forms(spec: shapecalc.Model = spec) -> object:
                report = spec.analyze(symbolic=("H", "W"))
                return [(node.output, node.params, node.macs) for node in report.nodes], report.macs

            parts: list[Callable[[], object]] = [by_export, forms, spec.sizes]
            for seconds, call in zip(figures.values(), parts, strict=True):
                seconds.append(clocked(call))
        first = figures["export"][0] / (figures["closed forms"][0] + figures["legal sizes"][0])
        rows = zip(*figures.values(), strict=True)
        ratio = statistics.median(theirs / (forms_ + sizes_) for theirs, forms_, sizes_ in rows)
        cells = "   ".join(
            f"{part} {1000 * statistics.median(seconds):8.1f}" for part, seconds in figures.items()
        )
        print(f"  {ours:<14} {cells}   export takes {ratio:.0f}x both ({first:.0f}x at first)", flush=True)


def onnx(runs: int) -> None:
    """An exported ResNet-50, read and shown, against onnxruntime's symbolic inference."""
    from pathlib import Path
    from tempfile import TemporaryDirectory

    import onnx as onnx_package
    import torch
    import torchvision
    from onnxruntime.tools.symbolic_shape_infer import SymbolicShapeInference

    import shapecalc

    module = torchvision.models.resnet50(weights=None).eval()
    free = {0: "batch", 2: "H", 3: "W"}
    with TemporaryDirectory() as folder:
        file = Path(folder) / "resnet50.onnx"
        torch.onnx.export(
            *(module, (torch.zeros(1, 3, 224, 224),), file),
            dynamo=False,
            input_names=["x"],
            dynamic_axes={"x": free},
        )

        def ours() -> object:
            return str(shapecalc.load(file).analyze())

        def theirs() -> object:
            return SymbolicShapeInference.infer_shapes(onnx_package.load(file), auto_merge=True)

        ours()  # what is imported once
        mine, other = (statistics.median(clocked(call) for _ in range(runs)) for call in (ours, theirs))
    print(f"\nAn exported ResNet-50, median of {runs} (milliseconds):")
    print(f"  show {1000 * mine:8.1f}   onnxruntime {1000 * other:8.1f}   {other / mine:.0f}x", flush=True)


def growth(runs: int) -> None:
    """Chains of 1,000 and of 10,000 layers: the time per layer stays what it is."""
    from shapecalc import Model
    from shapecalc.layers import Conv2d, MaxPool2d, ReLU

    print("\nGrowth with depth (microseconds per layer):")
    for layers in (1_000, 10_000):
        chain = [Conv2d(out_channels=8, kernel_size=3, padding=1), ReLU()] * (layers // 2)
        pools = [MaxPool2d(kernel_size=2), MaxPool2d(kernel_size=2)]
        sides = {"H": 64, "W": 64}
        model = Model(name="chain", parameters=sides, input=[8, "H", "W"], layers=[*pools, *chain])

        def forms(model: Model = model) -> object:
            return model.analyze(symbolic=True).macs

        questions: dict[str, Callable[[], object]] = {"closed forms": forms, "legal sizes": model.sizes}
        for label, call in questions.items():
            first = clocked(call) * 1e6 / layers
            again = statistics.median(clocked(call) for _ in range(runs)) * 1e6 / layers
            told = f"first call {first:6.1f}   next calls {again:6.1f}"
            print(f"  {layers:>7,} layers, {label:<13} {told}", flush=True)


def main() -> None:
    """Run the parts that were requested."""
    parts: dict[str, Callable[[int], None]] = {"export": export, "onnx": onnx, "growth": growth}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(parts)}; all by default")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    if unknown := set(options.parts) - set(parts):
        parser.error(f"unknown part {', '.join(sorted(unknown))}")
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} processors")
    for part in options.parts or [*parts]:
        parts[part](options.runs)


if __name__ == "__main__":
    main()
