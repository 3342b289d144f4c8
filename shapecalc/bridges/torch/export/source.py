"""`export`: the whole module text of a model in PyTorch."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Mapping
from itertools import takewhile
from typing import Any

from torch import nn

from shapecalc import __version__
from shapecalc.bridges.torch import standalone
from shapecalc.bridges.torch.build import refuse_keras, refuse_unbuildable, shapes_before
from shapecalc.bridges.torch.export.bodies import Bodies, Body, Item
from shapecalc.bridges.torch.export.classes import UNSAID, Class, Made, Parameter, Writer
from shapecalc.bridges.torch.export.code import Call, Choice, Code, Loop, call, code_of, flat, laid, text
from shapecalc.bridges.torch.export.forward import Forward, is_chain, is_sliceable, present
from shapecalc.bridges.torch.export.layers import Source, source_of
from shapecalc.bridges.torch.export.symbols import literal
from shapecalc.bridges.torch.export.tree import Network, Part, expanded
from shapecalc.errors import SpecError, quote
from shapecalc.model import Model

HELPERS = {
    name: one
    for name, one in vars(standalone).items()
    if inspect.isclass(one) and one.__module__ == standalone.__name__
}
_RESERVED = {"self", "torch", "nn", "OrderedDict", "Tensor", "range", "super", "float", "i", "_", *HELPERS}
_POSITIONAL = ("in_channels", "out_channels", "in_features", "out_features", "num_features", "embed_dim")


def export(
    model: Model,
    *,
    input: Any = None,  # noqa: A002  (the word that a spec uses)
    **parameters: Any,
) -> str:
    """Return a model as PyTorch source that needs torch alone.

    Blocks become classes with their arguments, repeats `nn.Sequential`, and every submodule has the name
    that the report gives its layer. Run, it has the model's named parameters, shapes and MACs.

    Raises `ShapeError` where the model does not hold, and `SpecError` for a model of Keras and for a layer
    or a name that cannot be written.

    >>> from shapecalc import load
    >>> print(export(load("lenet5")).splitlines()[7])
    class Lenet5(nn.Module):
    """
    model.analyze(input=input, **parameters)
    refuse_keras(model)
    network = expanded(model, input, parameters)
    return _Export(model, network, parameters).text()


class _Export:
    """One export: which classes there are, and what is written for each."""

    def __init__(self, model: Model, network: Network, values: Mapping[str, Any]) -> None:
        self.model = model
        self.network = network
        self.values = values
        self.sources = {id(part): self._source(part) for part in network.root.parts() if part.node}
        self.bodies = Bodies(network, self.sources)
        self.classes: dict[int, Class] = {}
        self.root = self.bodies.of[id(network.root)]
        taken = set(_RESERVED)
        for one in [Class(_class_name(body.label, taken), body) for body in self.bodies.in_order()]:
            body = one.body
            block = None if body is self.root else model.blocks.get(body.label)
            Writer(one, block, self.classes, self.sources, network.shapes, taken).work_out()
            self.classes[id(body)] = one

    def _source(self, part: Part) -> Source:
        node = part.node
        assert node is not None
        refuse_unbuildable(node)
        shapes = shapes_before(node, _as_walk(self.network))
        try:
            return source_of(node.layer, shapes, dict(part.written))
        except SpecError as error:
            error.path, error.place = error.path or node.path, error.place or node.place
            raise

    # ---- the text

    def text(self) -> str:
        """Return the module text."""
        classes = [self._class(one) for one in self.classes.values()]
        body = "\n\n\n".join(classes)
        helpers = [_helper(one) for name, one in HELPERS.items() if re.search(rf"\b{name}\(", body)]
        whole = "\n\n\n".join([*helpers, *classes])
        imports = ["import torch"] if re.search(r"\btorch\.", whole) else []
        imports.append("from torch import Tensor, nn")
        first = ["from collections import OrderedDict", ""] if "OrderedDict(" in whole else []
        head = "\n".join([self._docstring(), "", *first, *imports])
        return f"{head}\n\n\n{whole}\n"

    def _docstring(self) -> str:
        shapes = ", ".join(
            "x".join(map(str, shape[1:])) or "one number" for shape in self.network.inputs.values()
        )
        title = _harmless(self.model.title or self.model.name)
        name = _harmless(self.model.name)
        return (
            f'"""{title}.\n\nWritten by shapecalc {__version__} from the specification {name},'
            f' for an input of {shapes}.\n"""'
        )

    def _class(self, one: Class) -> str:
        is_root = one.body is self.root
        reads = one.body.reads()
        signature = ["self", *map(_declared, one.parameters)]
        lines = [laid(Call("def __init__", tuple(("", name) for name in signature)), 4, after=" -> None:")]
        lines.append("        super().__init__()")
        maker = _Maker(one, reads)
        for item in present(one.body.items):
            lines += maker.assigned(item)
        if is_root:
            lines += self._ties()
        forward = Forward(one.body)
        forward.write(one.body.items, "self")
        inputs = self._inputs(one.body, is_root=is_root)
        output = self._outputs(forward) if is_root else None
        returned = "Tensor"
        if output is not None:
            returned = "dict[str, Tensor]"
        elif len(one.body.outputs) > 1:
            returned = f"tuple[{', '.join(['Tensor'] * len(one.body.outputs))}]"
        head = Call("def forward", (("", "self"), *(("", f"{name}: Tensor") for name in inputs)))
        lines += ["", laid(head, 4, after=f" -> {returned}:"), *forward.lines(inputs, output)]
        if not one.parameters and lines[2] == "":
            del lines[:3]
        return "\n".join([f"class {one.name}(nn.Module):", *lines])

    def _inputs(self, body: Body, *, is_root: bool) -> list[str]:
        if not is_root:
            return ["x", *(f"other_{index}" if index > 1 else "other" for index in range(1, body.inputs))]
        names = [*self.network.inputs]
        return ["x"] if names == ["input"] else [f"{name}_" if name in _RESERVED else name for name in names]

    def _outputs(self, forward: Forward) -> Code | None:
        outputs = self.network.graph.outputs
        if len(outputs) == 1:
            return None
        named = zip(outputs, forward.body.outputs, strict=True)
        pairs = tuple((f"{text(literal(name))}: ", f"{{{forward.of(ref)}}}") for name, ref in named)
        return Call("", pairs, "{}")

    def _ties(self) -> list[str]:
        """Write which weights are shared and which are not trained."""
        lines = []
        paths = {id(part.node): _access(part.path) for part in self.network.root.parts() if part.node}
        weights = _Weights(self.network)
        for node in self.network.graph.nodes:
            here = paths[id(node)]
            if node.owner is not None:
                there = paths[id(self.network.graph.nodes[node.owner])]
                for name in weights.of(node):
                    lines.append(laid(f"{there}.{name}", 8, f"{here}.{name} = "))
            if not node.trainable and weights.of(node):
                lines.append(f"        {here}.requires_grad_(False)")
        return lines


class _Weights:
    """The names of the weights of nodes."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def of(self, node: Any) -> list[str]:
        """Return the names of a node's weights."""
        shapes = shapes_before(node, _as_walk(self.network))
        return [*node.layer.apply(shapes).weights]


def _as_walk(network: Network) -> Any:
    """Return what holds the shapes of a network."""
    return network


class _Maker:
    """Writes how the modules of one class are made."""

    def __init__(self, one: Class, reads: Counter[str]) -> None:
        self.one = one
        self.reads = reads

    def assigned(self, item: Item) -> list[str]:
        """Write a module of the class by its name, if there is any in the item."""
        if not item.has_modules:
            return []
        if item.is_optional and item.is_module:
            made = self._plain(item)
            return [
                f"        if {text(self.one.conditions[id(item)])}:",
                laid(made, 12, f"self.{item.key} = "),
                "        else:",
                f"            self.{item.key} = nn.Identity()",
            ]
        return [laid(self.code(item), 8, f"self.{item.key} = ")]

    def code(self, item: Item) -> Code:
        """Return how an item is made."""
        if item.is_module:
            made = self._plain(item)
            if item.is_optional:
                return Choice(text(self.one.conditions[id(item)]), made, "nn.Identity()")
            return made
        inside = [one for one in present(item) if one.has_modules]
        codes = [self.code(one) for one in inside]
        in_order = [one.key for one in inside] == [str(index) for index in range(len(inside))]
        if is_chain(item, self.reads) or is_sliceable(item, self.reads):
            if in_order:
                return Call("nn.Sequential", tuple(("", one) for one in looped(codes)))
            return call("nn.Sequential", _keywords("OrderedDict", inside, codes))
        if in_order:
            return call("nn.ModuleList", Call("", tuple(("", one) for one in looped(codes)), "[]"))
        for one in inside:
            if hasattr(nn.ModuleDict, one.key):
                part = one.parts[0]
                told = f"the name {quote(one.key)} has a meaning of its own in torch's ModuleDict"
                raise SpecError(told, path=part.path, hint="name the step otherwise")
        pairs = tuple((f'"{one.key}": ', code) for one, code in zip(inside, codes, strict=True))
        return call("nn.ModuleDict", Call("", pairs, "{}"))

    def _plain(self, item: Item) -> Code:
        return made_code(self.one.made[id(item)])


def _keywords(name: str, inside: list[Item], codes: list[Code]) -> Call:
    return Call(name, tuple((f"{one.key}=", code) for one, code in zip(inside, codes, strict=True)))


def made_code(made: Made) -> Code:
    """Return the call that makes a module."""
    if made.inside:
        inner = tuple((f"{name}=", made_code(one)) for name, one in made.inside)
        return call(made.callee, Call("OrderedDict", inner))
    first = [one.name for one in takewhile(lambda one: one.name in _POSITIONAL, made.arguments)]
    said = [one for one in made.arguments if not one.is_unsaid]
    names = ("" if one.name in first else f"{one.name}=" for one in said)
    return Call(made.callee, tuple((name, code_of(one.code)) for name, one in zip(names, said, strict=True)))


def looped(codes: list[Code]) -> list[Code]:
    """Return codes with runs of equal ones, or of ones that grow by a step, as loops."""
    found: list[Code] = []
    start = 0
    while start < len(codes):
        end, loop = _run(codes, start)
        found.append(codes[start] if loop is None else loop)
        start = end
    return found


def _run(codes: list[Code], start: int) -> tuple[int, Loop | None]:
    """Return where the longest run from a place ends, and the loop that it is."""
    end = start + 1
    while end < len(codes) and codes[end] == codes[start]:
        end += 1
    if end - start > 1:
        return end, Loop(codes[start], "_", str(end - start))
    best = start + 1
    for stop in range(start + 3, len(codes) + 1):
        if _growing(codes[start:stop]) is None:
            break
        best = stop
    if best - start < 3:
        return start + 1, None
    element = _growing(codes[start:best])
    assert element is not None
    return best, Loop(element, "i", str(best - start))


def _growing(codes: list[Code]) -> Code | None:
    """Return the element of a loop over `i` that comes to these codes, or None."""
    first = codes[0]
    if not all(isinstance(one, Call) for one in codes) or not isinstance(first, Call):
        return None
    calls = [one for one in codes if isinstance(one, Call)]
    names = [[before for before, _ in one.arguments] for one in calls]
    if any(one.name != first.name or names[0] != own for one, own in zip(calls, names, strict=True)):
        return None
    arguments: list[tuple[str, Code]] = []
    for index, before in enumerate(names[0]):
        column = [one.arguments[index][1] for one in calls]
        if all(one == column[0] for one in column):
            arguments.append((before, column[0]))
            continue
        if not all(isinstance(one, str) and one.isdecimal() for one in column):
            return None
        numbers = [int(flat(one)) for one in column]
        step = numbers[1] - numbers[0]
        if step == 0 or any(b - a != step for a, b in zip(numbers, numbers[1:], strict=False)):
            return None
        times = "i" if abs(step) == 1 else f"{abs(step)} * i"
        arguments.append((before, f"{numbers[0]} {'+' if step > 0 else '-'} {times}"))
    return Call(first.name, tuple(arguments))


# ---- names and texts


def _access(path: str) -> str:
    """Return how the module at a path is reached from the root."""
    first, *rest = path.split(".")
    return "self." + first + "".join(f"[{part}]" if part.isdecimal() else f".{part}" for part in rest)


def _declared(one: Parameter) -> str:
    """Return an argument of a class as its signature has it."""
    kind = "type[nn.Module]" if one.is_module else _type_of(one)
    return f"{one.name}: {kind}" if one.default is UNSAID else f"{one.name}: {kind} = {one.default!r}"


def _type_of(one: Parameter) -> str:
    types = {type(value).__name__ for value in one.values.values()}
    if types == {"tuple"}:
        return "tuple[int, ...]"
    names = {"Fraction": "float", "NoneType": "None"}
    found = {names.get(name, name) for name in types}
    return " | ".join(sorted(found - {"int"} if "float" in found else found))


def _class_name(label: str, taken: set[str]) -> str:
    """Return a name for a class that is free, and take it."""
    words = re.findall(r"[A-Za-z0-9]+", label) or ["Model"]
    name = "".join(word[0].upper() + word[1:] for word in words)[:60]
    name = name if name[0].isalpha() else f"Model{name}"
    free, number = name, 2
    while free in taken or free in ("None", "True", "False"):
        free, number = f"{name}{number}" if not name[-1].isdigit() else f"{name}_{number}", number + 1
    taken.add(free)
    return free


def _harmless(said: str) -> str:
    """Return a text of the spec that may stand in a docstring: one line without quotes and escapes.

    >>> _harmless('a\\\\b' + '"' * 3 + 'c')
    'abc'
    """
    kept = "".join(one for one in said if one.isprintable() and one not in '"\\')
    return kept.strip()[:100] or "A model"


def _helper(one: type) -> str:
    return re.sub(r"  # type: ignore.*", "", inspect.getsource(one)).rstrip()
