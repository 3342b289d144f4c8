"""Assertions for tests: `assert_shapes` about a network, and `check_kind`, the laws that every kind keeps.

`check_kind` tries these on a kind of your own:

    integers stay integers      a rule returns numbers for numbers
    symbols, then numbers       a result for a free size holds for every number substituted later
    fields round-trip           a layer is rebuilt from its fields, and a spec that is written is read again
    inferred sizes              may be set explicitly: nothing changes, and `diff` is empty
    a refusal has a message     in one line, with the name of the kind
    torch                       shapes, weights, buffers, cost and refusals are those of the real module

The project holds its own kinds to them with random fields and inputs; these are the same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shapecalc.algebra import Dim, Expr, symbol
from shapecalc.bridges.torch.api import from_torch
from shapecalc.errors import ForwardError, ShapecalcError, ShapeError, Undecided, unknown
from shapecalc.layers import registry
from shapecalc.layers.base import Effect, Joint, Kind, Shapes
from shapecalc.layers.requirement import Refused, Requirement, shown
from shapecalc.layers.roles import inferred
from shapecalc.layers.select import EmptySlice
from shapecalc.model import Model, load, loads
from shapecalc.report.report import Report
from shapecalc.spec.tree import Step


def assert_shapes(
    model: Any,
    *,
    input: Any = None,  # noqa: A002  (the word that a spec uses)
    output: int | Sequence[int | None] | Mapping[str, Sequence[int | None]] | None = None,
    **parameters: Any,
) -> Report:
    """Assert that a network accepts an input and puts out a shape, both without the batch; return its report.

    `model` is a `Model`, a torch module, or the name or path of a spec. Several outputs are a shape by name,
    and None is a size that may be any. What fails is explained as `shapecalc check` and `derive` do.

    >>> assert_shapes("resnet18", input=(3, 64, 64), output=(100,))
    Traceback (most recent call last):
    AssertionError: resnet18: the output is 1000, not 100
    ...
    """
    __tracebackhide__ = True  # pytest then shows the line of the test
    network, shape = model, input
    try:
        if isinstance(model, (str, Path)):
            network = load(model)
        elif not isinstance(model, Model):
            network, shape = from_torch(model, input=input), None
        report: Report = network.analyze(input=shape, **parameters)
    except ForwardError as error:
        raise AssertionError(str(error)) from None
    except ShapeError:
        raise AssertionError("\n\n".join(map(str, network.check(input=shape, **parameters)))) from None
    for name, wanted in _outputs(report, output):
        if name not in report.outputs:
            raise unknown(f"{report.name} has no output", name, report.outputs)
        actual = report.visible(report.outputs[name])
        sizes = zip(actual, wanted, strict=False)
        if len(actual) != len(wanted) or any(size not in (None, own) for own, size in sizes):
            which = name if len(report.outputs) > 1 else "the output"
            needed = "x".join("any" if size is None else str(size) for size in wanted)
            producer = report.graph.producer(report.graph.outputs[name])
            why = "" if producer is None else f"\n\n{report.derive(producer.path)}"
            raise AssertionError(f"{report.name}: {which} is {shown(actual)}, not {needed}{why}")
    return report


def _outputs(report: Report, output: Any) -> Iterator[tuple[str, tuple[int | None, ...]]]:
    """Yield the shapes that the outputs must have, a single one being that of the first."""
    if isinstance(output, Mapping):
        yield from ((name, tuple(shape)) for name, shape in output.items())
    elif output is not None:
        yield next(iter(report.outputs)), (output,) if isinstance(output, int) else tuple(output)


def check_kind(
    cls: type[Kind],
    *examples: tuple[Mapping[str, Any], *tuple[Sequence[int], ...]],
    torch: Callable[..., Any] | None = None,
) -> None:
    """Assert every law for a kind on examples: fields, then the shape of each input tensor.

    Include examples that are refused, by the fields or by the input. `torch` builds the real
    module from a layer and the shapes; without it, nothing is compared with torch.
    """
    registry.check(cls)
    accepted = 0
    for fields, *inputs in examples:
        shapes = tuple(map(tuple, inputs))
        try:
            layer = cls.model_validate(fields)
        except ValidationError:
            continue
        check_fields(layer)
        check_refusal(layer, shapes)
        check_integers(layer, shapes)
        check_operations(layer, shapes)
        check_inferred(layer, shapes)
        for free in _free_sizes(cls, shapes):
            check_symbols(layer, shapes, free)
        if registry.find(cls.kind) is cls:
            check_text(layer, shapes)
        if torch is not None:
            check_torch(layer, shapes, torch)
        accepted += applied(layer, shapes) is not None
    assert accepted, f"{cls.kind}: no example is accepted, so nothing was checked"


def _free_sizes(cls: type[Kind], shapes: Shapes) -> Iterator[set[tuple[int, int]]]:
    """Yield every size alone and all together; a size of 1 stays where several tensors are broadcast."""
    several = issubclass(cls, Joint)
    places = {
        (number, axis)
        for number, shape in enumerate(shapes)
        for axis, size in enumerate(shape)
        if not (several and size == 1)
    }
    yield from ({place} for place in sorted(places))
    yield places


# ---- the laws


def check_integers(layer: Kind, shapes: Shapes) -> None:
    """Assert that numbers go in and numbers come out, none of them below 1 in a shape."""
    effect = applied(layer, shapes)
    if effect is not None:
        others = sorted({type(number).__name__ for number in flat(numbers(effect))} - {"int"})
        assert not others, f"{layer!r}: integers went in, {' and '.join(others)} came out"
        assert effect.conditions == (), f"{layer!r}: a condition is left although every size is known"
        least = 0 if isinstance(layer, EmptySlice) or layer.framework == "onnx" else 1
        assert all(size >= least for shape in effect.outputs for size in shape), (
            f"{layer!r}: {effect.outputs}"
        )


def check_operations(layer: Kind, shapes: Shapes) -> None:
    """Assert that the MACs are those among the single operations, where these are known."""
    effect = applied(layer, shapes)
    operations = None if effect is None else layer.operations_on(shapes)
    if effect is not None and operations is not None:
        assert operations.macs == effect.macs, f"{layer!r}: {effect.macs} MACs, {operations.macs} by parts"


def check_symbols(layer: Kind, shapes: Shapes, free: Iterable[tuple[int, int]]) -> bool:
    """Assert that the result for free sizes, with numbers substituted, is the result for the numbers.

    `free` holds the number of the tensor and the axis of every size that is left free. Returns False
    where the rule raises `Undecided`, which is allowed.
    """
    sizes: dict[str, int] = {}
    mixed: list[list[Dim]] = [list(shape) for shape in shapes]
    for number, axis in free:
        name = f"x{number}_{axis}"
        size = mixed[number][axis]
        assert isinstance(size, int)
        sizes[name], mixed[number][axis] = size, symbol(name)
    numeric = applied(layer, shapes)
    try:
        symbolic = applied(layer, tuple(map(tuple, mixed)))
    except Undecided:
        return False
    if symbolic is None:
        assert numeric is None, f"{layer!r}: refused for every size, but accepted at {shapes}"
        return True
    broken = [str(condition) for condition in symbolic.conditions if not holds(condition, sizes)]
    if numeric is None:
        assert broken, f"{layer!r}: refused at {shapes}, but no condition says so"
        return True
    assert not broken, f"{layer!r}: accepted at {shapes} against the conditions {broken}"
    for name in ("outputs", "weights", "buffers", "macs", "params", "buffer_count", "elements"):
        put, known = put_in(getattr(symbolic, name), sizes), getattr(numeric, name)
        assert put == known, (
            f"{layer!r}: {name} are {getattr(symbolic, name)}, so {put}, but {known} at {shapes}"
        )
    for condition in symbolic.conditions:
        assert condition.message
        assert str(condition)
    return True


def check_fields(layer: Kind) -> None:
    """Assert that a layer made of its own fields is the same layer."""
    again = type(layer).model_validate(layer.fields_set())
    assert again == layer, f"{again!r} came back for {layer!r}"
    assert again.fields_set() == layer.fields_set()
    assert hash(again) == hash(layer)
    assert layer.resolve(_unexpected) is layer


def _unexpected(formula: object) -> Any:
    raise AssertionError(f"{formula} is left to evaluate")


def check_refusal(layer: Kind, shapes: Shapes) -> None:
    """Assert that a refusal names the kind, in one line, and is true."""
    try:
        layer.apply(shapes)
    except Refused as refused:
        requirement = refused.requirement
        assert requirement.code, f"{layer!r}: a requirement has no code"
        assert layer.kind in requirement.message, f"{requirement.message!r} does not name {layer.kind}"
        assert "\n" not in requirement.message, f"{requirement.message!r} is more than one line"
        assert requirement.verdict() is False
        assert isinstance(requirement.advice, str)


def check_inferred(layer: Kind, shapes: Shapes) -> None:
    """Assert that inferred sizes may be set explicitly: the layer is the same, and `diff` is empty."""
    from shapecalc.report.comparison import compare

    follows = inferred(layer, shapes) if applied(layer, shapes) is not None else {}
    chosen = {name: value for name, value in layer.fields_set().items() if name not in follows}
    if not follows or chosen.keys() | follows.keys() == chosen.keys():
        return
    short, full = type(layer).model_validate(chosen), type(layer).model_validate(chosen | follows)
    if applied(short, shapes) is None:  # the written sizes are not those that are inferred
        return
    assert applied(full, shapes) == applied(short, shapes), f"{full!r} is not {short!r} on {shapes}"
    left, right = (_alone(each, shapes).analyze(batch=None) for each in (short, full))
    assert compare(left, right).is_equal, f"{full!r} differs from {short!r}: {compare(left, right)}"


def check_text(layer: Kind, shapes: Shapes) -> None:
    """Assert that a network of this layer alone can be written and read again, with the same report."""
    model = _alone(layer, shapes)
    again = loads(model.to_yaml())
    assert again == model, f"{layer!r} is not what its YAML says:\n{model.to_yaml()}"
    assert _dict_or_error(again) == _dict_or_error(model)


def _alone(layer: Kind, shapes: Shapes) -> Model:
    """Return the network of one layer."""
    names = [f"x{number}" for number in range(len(shapes))]
    framework = "keras" if type(layer).framework == "keras" else "torch"
    inputs = dict(zip(names, shapes, strict=True))
    return Model(framework=framework, input=inputs, layers=[Step(layer, **{"from": names})])


def _dict_or_error(model: Model) -> Any:
    try:
        return model.analyze(batch=None).to_dict()
    except ShapecalcError as error:
        return type(error)


def check_torch(layer: Kind, shapes: Shapes, build: Callable[..., Any]) -> None:
    """Assert that the module that `build(layer, *shapes)` returns does what we say of the layer.

    Whether torch refuses is tried with real numbers, in evaluation mode; shapes, weights, buffers and
    cost are compared on the meta device, where nothing is computed.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    effect, why = applied(layer, shapes), _refusal_of_torch(layer, shapes, build)
    if effect is None:
        assert why is not None, f"{layer!r}: torch accepts {shapes}, and we refuse"
        return
    assert why is None, f"{layer!r}: torch refuses {shapes} ({why!r}), and we accept"
    with torch.no_grad(), torch.device("meta"), FlopCounterMode(display=False) as counter:
        module = build(layer, *shapes).eval()
        result = module(*(torch.zeros(shape) for shape in shapes))  # type: ignore[arg-type]
    tensors = result if isinstance(result, (tuple, list)) else (result,)
    _same(layer, "outputs", effect.outputs, tuple(tuple(tensor.shape) for tensor in tensors))
    _same(layer, "weights", effect.weights, _named(module.named_parameters()))
    _same(layer, "buffers", effect.buffers, _named(module.named_buffers()))
    if effect.macs is not None:
        _same(layer, "MACs", effect.macs, counter.get_total_flops() / 2)


def _refusal_of_torch(layer: Kind, shapes: Shapes, build: Callable[..., Any]) -> Exception | None:
    import torch

    try:
        with torch.no_grad():
            build(layer, *shapes).eval()(*(torch.rand(shape) for shape in shapes))  # type: ignore[arg-type]
    except Exception as error:  # noqa: BLE001  (modules raise what they like)
        return error
    return None


def _named(tensors: Iterable[tuple[str, Any]]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors}


def _same(layer: Kind, what: str, ours: object, theirs: object) -> None:
    assert ours == theirs, f"{layer!r}: our {what} are {ours}, torch's {theirs}"


# ---- what an effect consists of


def applied(layer: Kind, shapes: Shapes) -> Effect | None:
    """Return what a layer does, or None where it refuses."""
    try:
        return layer.apply(shapes)
    except Refused:
        return None


def numbers(effect: Effect) -> Iterator[Any]:
    """Yield every number that an effect consists of, in tuples."""
    yield from effect.outputs
    yield from effect.weights.values()
    yield from effect.buffers.values()
    yield from (effect.params, effect.buffer_count, effect.elements)
    if effect.macs is not None:
        yield effect.macs
    if effect.window is not None:
        window = effect.window
        yield from (window.kernel, window.stride, window.before, window.after, window.dilation)


def flat(values: Iterable[Any]) -> Iterator[Any]:
    """Yield what nested tuples hold."""
    for value in values:
        if isinstance(value, tuple):
            yield from flat(value)
        else:
            yield value


def put_in(value: Any, sizes: Mapping[str, int]) -> Any:
    """Return a size, or shapes of sizes, with numbers for the symbols."""
    if isinstance(value, Expr):
        return value.subs(sizes)
    if isinstance(value, tuple):
        return tuple(put_in(item, sizes) for item in value)
    if isinstance(value, dict):
        return {name: put_in(item, sizes) for name, item in value.items()}
    return value


def holds(condition: Requirement, sizes: Mapping[str, int]) -> bool:
    """Say whether a condition on free sizes holds at these numbers."""
    return condition.relation.holds_at(sizes)
