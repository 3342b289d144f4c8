"""The text of a module: its docstring, the classes it takes along, and those of the network."""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Mapping
from typing import Any

from shapecalc import __version__
from shapecalc.bridges.torch.build import refuse_unbuildable, shapes_before
from shapecalc.bridges.torch.export.bodies import Bodies, Body
from shapecalc.bridges.torch.export.class_data import UNSAID, Class, Parameter
from shapecalc.bridges.torch.export.classes import Writer
from shapecalc.bridges.torch.export.expansion_tree import Network, Part
from shapecalc.bridges.torch.export.forward import Forward
from shapecalc.bridges.torch.export.making import Maker
from shapecalc.bridges.torch.twins import standalone
from shapecalc.bridges.torch.twins.code import Call, Code, laid, value_text
from shapecalc.bridges.torch.twins.source import Source
from shapecalc.bridges.torch.twins.twin import twin_of
from shapecalc.errors import SpecError
from shapecalc.model import Model

HELPERS = {
    name: one
    for name, one in vars(standalone).items()
    if inspect.isclass(one) and one.__module__ == standalone.__name__
}
RESERVED = {"self", "torch", "nn", "OrderedDict", "Tensor", "range", "super", "float", "i", "_", *HELPERS}


class Export:
    """One export: which classes there are, and what is written for each."""

    def __init__(self, model: Model, network: Network, shared: Mapping[str, int]) -> None:
        self.model = model
        self.network = network
        self.sources = {id(part): self._source(part) for part in network.root.parts() if part.node}
        self.shared = shared
        even: set[str] = set()
        while torn := self._work_out(even):
            even |= torn

    def _work_out(self, even: Collection[str]) -> set[str]:
        """Work out the classes; return the blocks whose passes no loop counts, each to be of one length."""
        model, network = self.model, self.network
        self.bodies = Bodies(network, self.sources, even)
        self.classes: dict[int, Class] = {}
        self.root = self.bodies.of[id(network.root)]
        taken = set(RESERVED)
        in_order = self.bodies.in_order()
        names = {id(body): _class_name(self._title(body), taken) for body in in_order}
        for body in in_order:
            block = None if body is self.root else model.blocks.get(body.label)
            args = block.args if block is not None else None if body is self.root else {}
            one = Class(names[id(body)], body, frozenset(args or ()))
            Writer(one, args, self.shared, self.classes, self.sources, network.shapes, taken).work_out()
            self.classes[id(body)] = one
        ragged = [
            (one, item) for one in self.classes.values() for item in one.body.items.items() if item.is_ragged
        ]
        return {one.body.label for one, item in ragged if not Maker(one, one.body.reads()).is_written(item)}

    def _source(self, part: Part) -> Source:
        node = part.node
        assert node is not None
        refuse_unbuildable(node)
        shapes = shapes_before(node, _as_walk(self.network))
        try:
            return twin_of(node.layer).source_of(node.layer, shapes, part.written)
        except SpecError as error:
            error.path, error.place = error.path or node.path, error.place or node.place
            raise

    def _title(self, body: Body) -> str:
        """Return what a class is called after: a network as its title spells its name, if it does."""
        if body is not self.root:
            return body.label
        letters = re.sub(r"[^a-z0-9]", "", self.model.name.lower())
        words = re.findall(r"[A-Za-z0-9]+", self.model.title or "")
        titles = ("".join(words[: end + 1]) for end in range(len(words)))
        return next((title for title in titles if title.lower() == letters), body.label)

    # ---- the text

    @property
    def parameters(self) -> list[Parameter]:
        """The arguments of the root."""
        return self.classes[id(self.root)].parameters

    def text(self, *, defaults: bool = True) -> str:
        """Return the module text; without `defaults` the root has none."""
        classes = [self._class(one, defaults=defaults) for one in self.classes.values()]
        body = "\n\n\n".join(classes)
        helpers = [_helper(one) for name, one in HELPERS.items() if re.search(rf"\b{name}\(", body)]
        whole = "\n\n\n".join([*helpers, *classes])
        imports = ["import torch"] if re.search(r"\btorch\.", whole) else []
        imports.append("from torch import Tensor, nn")
        first = ["from collections import OrderedDict", ""] if "OrderedDict(" in whole else []
        head = "\n".join([self._docstring(), "", *first, *imports])
        return f"{head}\n\n\n{whole}\n"

    def _docstring(self) -> str:
        front = self.model.front
        shapes = ", ".join(
            "x".join(map(str, shape[front:])) or "one number" for shape in self.network.inputs.values()
        )
        whole = "" if front else ", no batch before it"
        title = _harmless(self.model.title or self.model.name)
        name = _harmless(self.model.name)
        return (
            f'"""{title}.\n\nWritten by shapecalc {__version__} from the specification {name},'
            f' for an input of {shapes}{whole}.\n"""'
        )

    def _class(self, one: Class, *, defaults: bool) -> str:
        is_root = one.body is self.root
        reads = one.body.reads()
        said = defaults or not is_root
        signature = ["self", *(_declared(each, is_default_said=said) for each in one.parameters)]
        lines = [laid(Call("def __init__", tuple(("", name) for name in signature)), 4, after=" -> None:")]
        lines.append("        super().__init__()")
        lines += Maker(one, reads).assigned()
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
        return ["x"] if names == ["input"] else [f"{name}_" if name in RESERVED else name for name in names]

    def _outputs(self, forward: Forward) -> Code | None:
        outputs = self.network.graph.outputs
        if len(outputs) == 1:
            return None
        named = zip(outputs, forward.body.outputs, strict=True)
        pairs = tuple((f"{value_text(name)}: ", f"{{{forward.of(ref)}}}") for name, ref in named)
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
                lines += [laid(f"{there}.{name}", 8, f"{here}.{name} = ") for name in weights.of(node)]
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


# ---- names and texts


def _access(path: str) -> str:
    """Return how the module at a path is reached from the root."""
    if not all(part.isidentifier() for part in path.split(".")):
        return f'self.get_submodule("{path}")'
    return f"self.{path}"


def _declared(one: Parameter, *, is_default_said: bool) -> str:
    """Return an argument of a class as its signature has it."""
    kind = "type[nn.Module]" if one.is_module else _type_of(one)
    if one.default is UNSAID or not is_default_said:
        return f"{one.name}: {kind}"
    return f"{one.name}: {kind} = {value_text(one.default)}"


def _type_of(one: Parameter) -> str:
    types = {type(value).__name__ for value in one.values.values()}
    if types == {"tuple"}:
        return "tuple[int, ...]"
    names = {"Fraction": "float", "NoneType": "None"}
    found = {names.get(name, name) for name in types}
    found = found - {"int"} if "float" in found else found
    return " | ".join(sorted(found, key=lambda name: (name == "None", name)))


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
    r"""Return a text of the spec that may stand in a docstring: one line without quotes and escapes.

    >>> _harmless('a\\\\b' + '"' * 3 + 'c')
    'abc'
    """
    kept = "".join(one for one in said if one.isprintable() and one not in '"\\')
    return kept.strip()[:100] or "A model"


def _helper(one: type) -> str:
    return re.sub(r"  # type: ignore.*", "", inspect.getsource(one)).rstrip()
