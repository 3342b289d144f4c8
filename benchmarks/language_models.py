"""Read Hugging Face models of random weights with their default call, and compare with real runs.

    python benchmarks/language_models.py                  # all of them; some minutes
    python benchmarks/language_models.py llama gpt2       # these
    python benchmarks/language_models.py --group experts  # as in model_configurations.py
    python benchmarks/language_models.py --verbose        # reasons uncut

Each model is built from a small configuration and traced once. `exact` means that at three sizes and two
batches the output's shape and the multiply-accumulates are those of the real run, counted by torch's
FlopCounterMode, also by the closed form, and that the parameters are counted once each. Others are
`some sizes` (right at the size of the trace, and refused at others that the model takes), `numbers` (right,
without a closed form), `at least` (flagged, with what is not counted), `refused`, or `wrong`.
"""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from collections.abc import Mapping
from itertools import product
from typing import Any

import torch
from model_configurations import GROUPS, IDS, Case
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import shapecalc

SIZES = {"L": (12, 7, 20), "H": (64, 96, 73), "T": (800, 1000, 673)}
"""Values of what is free in the shapes of arguments; the first are those of the trace."""
BATCHES = (1, 3)

# ---- the real run


def example(name: str, shape: tuple[int, ...]) -> Tensor:
    """Return an argument of a forward: ids are integers, and none of them is a special token."""
    if name == "bbox":
        return torch.zeros(shape, dtype=torch.long)
    return torch.randint(3, IDS - 1, shape) if name.endswith("ids") else torch.randn(shape)


def main_output(result: Any) -> Tensor:
    """Return the first tensor of a result."""
    values = result.values() if isinstance(result, Mapping) else result
    return next(value for value in values if isinstance(value, Tensor))


def real(module: nn.Module, inputs: Mapping[str, tuple[int, ...]]) -> tuple[tuple[int, ...], int]:
    """Return the shape of the main output and the multiply-accumulates of a run.

    Experts run one after another, since torch does not count their grouped products.
    """
    # torch's counter of modules takes no parameters as arguments otherwise
    module.requires_grad_(requires_grad=False)
    if callable(set_experts := getattr(module, "set_experts_implementation", None)):
        set_experts("eager")
    kernel = torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH)
    # recurrent layers as products, which are counted
    parts = torch.backends.mkldnn.flags(enabled=False)
    tensors = {name: example(name, shape) for name, shape in inputs.items()}
    with torch.no_grad(), kernel, parts, FlopCounterMode(display=False) as counter:
        result = module(**tensors)
    return tuple(main_output(result).shape), counter.get_total_flops() // 2


# ---- the comparison


def shapes(case: Case, number: int, batch: tuple[int, ...] = ()) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the arguments, with the values of that number for the free sizes."""
    return {
        name: (*batch, *(SIZES[size][number] if isinstance(size, str) else size for size in sizes))
        for name, sizes in case.inputs
    }


def numbers(case: Case) -> range:
    """Return the numbers of the values for the free sizes; that of the trace is the first."""
    free = any(isinstance(size, str) for _, sizes in case.inputs for size in sizes)
    return range(3 if free else 1)


def truth(module: nn.Module, inputs: Mapping[str, tuple[int, ...]]) -> tuple[Any, Any]:
    """Return the shape of the main output and the MACs; twice None where torch does not take the sizes."""
    try:
        return real(module, inputs)
    except (RuntimeError, ValueError, IndexError):
        return None, None


def measured(case: Case) -> tuple[str, str]:
    """Return a verdict and its reason."""
    module, same = case.module(), case.module()
    at_trace = shapes(case, 0)
    try:
        model = shapecalc.from_torch(
            module, input=next(iter(at_trace.values())) if len(at_trace) == 1 else at_trace
        )
    except shapecalc.ShapecalcError as error:
        return "refused", str(error)
    titles = [*model.input] if isinstance(model.input, Mapping) else ["input"]
    params = sum(parameter.numel() for parameter in module.parameters())
    wrong: list[str] = []
    refused: dict[tuple[int, int], str] = {}
    missing: list[str] = []
    for number, batch in product(numbers(case), BATCHES):
        sizes = dict(zip(titles, shapes(case, number).values(), strict=True))
        shape, macs = truth(same, shapes(case, number, (batch,)))
        try:
            report = model.analyze(input=sizes if len(sizes) > 1 else sizes[titles[0]], batch=batch)
        except shapecalc.ShapecalcError as error:
            if shape is not None:
                refused[number, batch] = f"{sizes} batch={batch}: {error}"
            continue
        missing += report.not_counted
        answer = (next(iter(report.outputs.values())), report.params, report.macs)
        is_short = not report.complete and shape is not None and report.macs < macs
        if answer != (shape, params, report.macs if is_short else macs):
            wrong.append(f"{sizes} batch={batch}: {answer}, true {(shape, params, macs)}")
    if wrong:
        return "wrong", "; ".join(wrong)
    if missing:
        return "at least", f"not counted: {', '.join(sorted(set(map(kind_of, missing))))}"
    if refused:
        reason = next(iter(refused.values()))
        return ("refused" if (0, 1) in refused else "some sizes"), reason
    return closed_form(case, same, model)


def kind_of(entry: str) -> str:
    """Return the function's name from an entry of `not_counted`."""
    return entry.partition(" (")[0].rpartition(".")[2].rstrip("_0123456789")


def closed_form(case: Case, module: nn.Module, model: shapecalc.Model) -> tuple[str, str]:
    """Return the verdict on the closed form in the free sizes, where there are any."""
    if len(numbers(case)) == 1:
        return "exact", ""
    try:
        macs: Any = model.analyze(symbolic=True).macs
    except shapecalc.ShapecalcError as error:
        return "numbers", str(error)
    if not isinstance(macs, shapecalc.Expr):
        return "numbers", f"no closed form: {macs}"
    letters = {size for _, sizes in case.inputs for size in sizes if isinstance(size, str)}
    traced = {SIZES[letter][0]: letter for letter in letters}
    for number in numbers(case):
        values = {name: model.parameters[name] for name in macs.free_symbols}
        values |= {name: SIZES[traced[size]][number] for name, size in values.items() if size in traced}
        true = truth(module, shapes(case, number, (1,)))[1]
        if true is not None and (value := macs.subs(values)) != true:
            return "wrong", f"closed form {macs} at {values}: {value}, true {true}"
    return "exact", str(macs)


def main() -> None:
    """Print a line for each model, and how often each verdict and reason is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--group", choices=GROUPS, action="append")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    groups = {name: cases for name, cases in GROUPS.items() if not options.group or name in options.group}
    verdicts: Counter[str] = Counter()
    for title, cases in groups.items():
        for name, case in cases.items():
            if options.names and name not in options.names:
                continue
            try:
                verdict, reason = measured(case)
            except Exception as error:  # noqa: BLE001  (a crash is a verdict too)
                verdict, reason = "crash", f"{type(error).__name__}: {error}"
            verdicts[verdict] += 1
            text = reason if options.verbose else " ".join(reason.split())[:220]
            print(f"{title:<11}{name:<20}{verdict:<11}{text}", flush=True)
    print(", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common()))


if __name__ == "__main__":
    main()
