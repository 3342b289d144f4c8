"""Import public networks that nobody here wrote, and compare with real runs on meta tensors.

    python benchmarks/public_networks.py                        # all of them; an hour
    python benchmarks/public_networks.py --group transformers   # as in public_network_cases.py
    python benchmarks/public_networks.py vit_pytorch/vit        # these
    python benchmarks/public_networks.py --sizes                # legal sides of images instead

`exact`: at the traced sizes and at three others the shape of every output, the parameters and the MACs,
as FlopCounterMode counts them, are those of the real run, and what torch refuses is refused.
`at least` is flagged, with what is not counted; `some sizes` is right at the size of the trace and refused
at another that torch takes; `more` counts what FlopCounterMode does not. With `--sizes`, `exact` means that
torch runs at the legal sides and at no others. Each network has a process and `--limit` seconds.
"""

from __future__ import annotations

import argparse
import inspect
import multiprocessing
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import torch
from public_network_cases import GROUPS, Case
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import shapecalc

BATCHES = (1, 3, 2, 5)
SIDES = sorted({*range(1, 40), *range(40, 257, 8), *range(41, 257, 9), *range(223, 226)})
VECTORS = {torch.ops.aten.mv: lambda matrix, *_, **__: 2 * matrix[0] * matrix[1]}
"""What FlopCounterMode leaves out and is a product all the same."""
Shapes = tuple[tuple[int, ...], ...]

# ---- the real run


def leaves(result: Any) -> Iterator[Tensor]:
    """Yield the tensors of a result."""
    if isinstance(result, Tensor):
        yield result
    elif isinstance(result, Mapping):
        for value in result.values():
            yield from leaves(value)
    elif isinstance(result, list | tuple):
        for value in result:
            yield from leaves(value)
    elif hasattr(result, "__dict__"):
        yield from leaves(vars(result))


def real(module: nn.Module, shapes: Shapes, batch: int) -> tuple[list[tuple[int, ...]], int]:
    """Return the shapes of the outputs and the multiply-accumulates of a run."""
    with quiet(), FlopCounterMode(display=False, custom_mapping=VECTORS) as counter:
        result = module(*(torch.empty((batch, *shape), device="meta") for shape in shapes))
    return [tuple(tensor.shape) for tensor in leaves(result)], counter.get_total_flops() // 2


@contextmanager
def quiet() -> Iterator[None]:
    """Run without gradients, and attention as products, which are counted."""
    kernel = torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH)
    with torch.no_grad(), kernel, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def runs(module: nn.Module, shapes: Shapes) -> bool:
    """Return whether torch takes these sizes."""
    with quiet(), suppress(Exception):
        module(*(torch.empty((1, *shape), device="meta") for shape in shapes))
        return True
    return False


def takes(module: nn.Module, shapes: Shapes, batch: int) -> bool:
    """Return whether torch takes these sizes with numbers too, such as places in a table."""
    with quiet(), suppress(Exception):
        module(*(torch.zeros((batch, *shape)) for shape in shapes))
        return True
    return False


# ---- the comparison


def at(case: Case, number: int) -> Shapes:
    """Return the shapes of the arguments at the trace (0), or at others.

    Arguments that have the first one's sizes keep having them.
    """
    first = case.shapes[0]
    steps = ((0, 0, 0), (32, 0, 64), (32, 64, 32), (-5, 9, 1))[number]
    changed = list(first)
    for axis, step in zip(case.axes, steps[-len(case.axes) :] if case.axes else (), strict=False):
        changed[axis] = max(1, first[axis] + step)
    return tuple(tuple(changed) if shape == first else shape for shape in case.shapes)


def measured(case: Case) -> tuple[str, str]:
    """Return a verdict and its reason."""
    module = case.module()
    shapes = at(case, 0)
    names = [*inspect.signature(module.forward).parameters]
    given = shapes[0] if len(shapes) == 1 else dict(zip(names, shapes, strict=False))
    start = time.process_time()
    try:
        model = shapecalc.from_torch(module, given)
    except shapecalc.ShapecalcError as error:
        return "refused", str(error)
    seconds = time.process_time() - start
    torch.backends.mha.set_fastpath_enabled(False)
    meta = case.module().to("meta")
    meta.requires_grad_(requires_grad=False)
    params = sum(parameter.numel() for parameter in module.parameters())
    verdicts: dict[str, str] = {}
    for number, batch in enumerate(BATCHES):
        shapes = at(case, number)
        try:
            true: tuple[Any, Any] = real(meta, shapes, batch)
        except NotImplementedError as error:
            return "no truth", str(error)
        except Exception as error:  # noqa: BLE001  (whatever the network raises)
            true = (None, f"{type(error).__name__}: {error}"[:160])
        verdict, reason = compared(model, shapes, batch, params, true)
        if verdict == "refused" and number:
            verdict = "some sizes" if takes(module, shapes, batch) else ""
        if verdict:
            verdicts.setdefault(verdict, f"{shapes} batch={batch}: {reason}")
    for verdict in ("wrong", "no truth", "refused", "at least", "some sizes", "more"):
        if verdict in verdicts:
            return verdict, verdicts[verdict]
    return "exact", f"{seconds:.1f} s"


def compared(model: shapecalc.Model, shapes: Shapes, batch: int, params: int, true: Any) -> tuple[str, str]:
    """Return the verdict at some sizes and its reason; nothing where all is equal."""
    titles = [*model.input] if isinstance(model.input, Mapping) else ["input"]
    asked: Any = dict(zip(titles, shapes, strict=True)) if len(shapes) > 1 else shapes[0]
    try:
        report = model.analyze(input=asked, batch=batch)
    except shapecalc.ShapecalcError as error:
        return ("refused", str(error)) if true[0] is not None else ("", "")
    if true[0] is None:
        return "wrong", f"answered, torch raises {true[1]}"
    outputs = [tuple(shape) for shape in report.outputs.values()]
    if (report.params, sorted(outputs)) != (params, sorted(set_of(outputs, true[0]))):
        return "wrong", f"{report.params} {outputs}, true {params} {true[0]}"
    if not report.complete:
        missing = ", ".join(sorted({entry.rpartition(".")[2] for entry in report.not_counted})[:6])
        return ("at least" if report.macs <= true[1] else "more"), f"{missing}: {report.macs}, true {true[1]}"
    if report.macs != true[1]:
        return ("more" if report.macs > true[1] else "wrong"), f"{report.macs} MACs, true {true[1]}"
    return "", ""


def set_of(ours: list[tuple[int, ...]], true: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Return the true shapes, once each where as many outputs are distinct tensors."""
    return true if len(ours) == len(true) else [*dict.fromkeys(true)]


def legal(case: Case) -> tuple[str, str]:
    """Return a verdict on the legal sides of images, and its reason."""
    module = case.module()
    start = time.process_time()
    try:
        sizes = shapecalc.from_torch(module, case.shapes[0]).sizes()
        answered = {side for side in SIDES if (side,) * len(case.axes) in sizes}
    except shapecalc.ShapecalcError as error:
        return "refused", str(error)
    seconds = time.process_time() - start
    meta = case.module().to("meta")
    channels = case.shapes[0][: -len(case.axes)]
    true = {side for side in SIDES if runs(meta, ((*channels, *(side,) * len(case.axes)),))}
    if answered == true:
        return "exact", f"{len(true)} of {len(SIDES)} sides, {seconds:.1f} s"
    return "wrong", f"too many {sorted(answered - true)[:9]}, missing {sorted(true - answered)[:9]}"


# ---- the processes


def answer(case: Case, is_sizes: bool, send: Any) -> None:
    """Send a verdict, of a crash too."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    try:
        send.send(legal(case) if is_sizes else measured(case))
    except ModuleNotFoundError as error:
        send.send(("not installed", str(error)))
    except Exception as error:  # noqa: BLE001  (a crash is a verdict too)
        send.send(("crash", f"{type(error).__name__}: {error}"))


def in_process(case: Case, is_sizes: bool, limit: int) -> tuple[str, str]:
    """Return the verdict of a process, which ends after some seconds."""
    receive, send = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=answer, args=(case, is_sizes, send))
    process.start()
    send.close()
    try:
        return receive.recv() if receive.poll(limit) else ("too long", f"more than {limit} s")
    except EOFError:
        return "crash", "the process ended"
    finally:
        process.kill()
        process.join()


def main() -> None:
    """Print a line for each network, and how often each verdict is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--group", choices=GROUPS, action="append")
    parser.add_argument("--sizes", action="store_true")
    parser.add_argument("--limit", type=int, default=120)
    parser.add_argument("--part", default="1/1", help="such as 2/3, of the networks chosen")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    verdicts: Counter[str] = Counter()
    chosen = {
        name: case
        for title in options.group or GROUPS
        for name, case in GROUPS[title].items()
        if name in (options.names or [name]) and not (options.sizes and not case.is_image)
    }
    number, count = map(int, options.part.split("/"))
    for name in [*chosen][number - 1 :: count]:
        if not chosen[name].is_installed:
            verdicts["not installed"] += 1
            continue
        start = time.monotonic()
        verdict, reason = in_process(chosen[name], options.sizes, options.limit)
        verdicts[verdict] += 1
        text = reason if options.verbose else " ".join(reason.split())[:260]
        print(f"{name:<46} {verdict:<11}{time.monotonic() - start:4.0f} s  {text}", flush=True)
    print(", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common()))


if __name__ == "__main__":
    main()
