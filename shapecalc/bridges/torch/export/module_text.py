"""The text of a module: its docstring, the classes it takes along, and those of the network."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Collection, Iterable, Mapping

from shapecalc import __version__
from shapecalc.bridges.torch.build import refuse_unbuildable, shapes_before
from shapecalc.bridges.torch.export.class_arguments import ClassArguments
from shapecalc.bridges.torch.export.class_data import NO_VALUE, Class, Parameter, Part
from shapecalc.bridges.torch.export.constructor import Constructor
from shapecalc.bridges.torch.export.expansion_tree import Network
from shapecalc.bridges.torch.export.forward import Forward
from shapecalc.bridges.torch.export.grouping import classes_of
from shapecalc.bridges.torch.twins import standalone
from shapecalc.bridges.torch.twins.code import WIDTH, call, expression, laid, literal, quoted, text
from shapecalc.bridges.torch.twins.source import Source
from shapecalc.bridges.torch.twins.twin import twin_of
from shapecalc.errors import SpecError
from shapecalc.layers.base import Kind
from shapecalc.model import Model

HELPERS = {
    name: helper
    for name, helper in vars(standalone).items()
    if inspect.isclass(helper) and helper.__module__ == standalone.__name__
}
RESERVED = {"self", "torch", "nn", "OrderedDict", "Tensor", "range", "super", "float", "i", "_", *HELPERS}


class Export:
    """One export: which classes there are, and the text of each."""

    def __init__(self, model: Model, network: Network, shared: Mapping[str, int]) -> None:
        self.model = model
        self.network = network
        self.shared = shared
        for part in network.root.parts():
            if part.node:
                part.source = self._source(part)
        even: set[str] = set()
        while split := self._work_out(even):
            even |= split

    def _work_out(self, even: Collection[str]) -> set[str]:
        """Work out the classes; return the blocks whose passes no loop counts, each to be of one length."""
        self.classes = classes_of(self.network, even)
        taken = set(RESERVED)
        for cls in self.classes:
            cls.name = _class_name(self._title(cls), taken)
        for cls in self.classes:
            block = None if cls.is_root else self.model.blocks.get(cls.label)
            cls.args = {} if block is None else block.args
            ClassArguments(cls, self.network, self.shared, taken).work_out()
        return {
            cls.label
            for cls in self.classes
            for item in cls.items()
            if item.is_ragged and not Constructor(cls).is_written(item)
        }

    def _source(self, part: Part) -> Source:
        node = part.node
        assert node is not None
        refuse_unbuildable(node)
        shapes = shapes_before(node, self.network.shapes)
        try:
            return twin_of(node.layer).source_of(node.layer, shapes, part.written)
        except SpecError as error:
            error.path, error.place = error.path or node.path, error.place or node.place
            raise

    def _title(self, cls: Class) -> str:
        """Return what a class is called after: a network as its title spells its name, if it does."""
        if not cls.is_root:
            return cls.label
        letters = re.sub(r"[^a-z0-9]", "", self.model.name.lower())
        words = re.findall(r"[A-Za-z0-9]+", self.model.title or "")
        titles = ("".join(words[: end + 1]) for end in range(len(words)))
        return next((title for title in titles if title.lower() == letters), cls.label)

    # ---- the text

    def text(self, *, defaults: bool = True) -> str:
        """Return the module text; without `defaults` the root has none."""
        classes = [self._class(cls, defaults=defaults) for cls in self.classes]
        used = "\n\n\n".join(classes)
        helpers = [_text_of(helper) for name, helper in HELPERS.items() if re.search(rf"\b{name}\(", used)]
        body = "\n\n\n".join([*helpers, *classes])
        imports = ["import torch"] if re.search(r"\btorch\.", body) else []
        first = ["from collections import OrderedDict", ""] if "OrderedDict(" in body else []
        head = "\n".join([self._docstring(), "", *first, *imports, "from torch import Tensor, nn"])
        return f"{head}\n\n\n{body}\n"

    def _docstring(self) -> str:
        front = self.model.front
        shapes = ", ".join(
            "x".join(map(str, shape[front:])) or "one number" for shape in self.network.inputs.values()
        )
        batch = "" if front else ", no batch before it"
        title, name = _harmless(self.model.title or self.model.name), _harmless(self.model.name)
        return (
            f'"""{title}.\n\nWritten by shapecalc {__version__} from the specification {name},'
            f' for an input of {shapes}{batch}.{self._conditions()}\n"""'
        )

    def _conditions(self) -> str:
        """Return a paragraph with what a forward decided by sizes when it was traced."""
        bodies = (step.body for step in self.model.layers if isinstance(step.body, Kind))
        texts = dict.fromkeys(_harmless(each.condition) for each in bodies if each.condition)
        lines = "".join(f"\n    {text}" for text in texts)
        return f"\n\nThe traced forward does the same only where{lines}" if lines else ""

    def _class(self, cls: Class, *, defaults: bool) -> str:
        has_defaults = defaults or not cls.is_root
        signature = ["self", *(_declared(parameter, has_defaults) for parameter in cls.parameters)]
        lines = [laid(_head("__init__", signature), 4, "def ", " -> None:"), "        super().__init__()"]
        lines += Constructor(cls).assigned()
        forward = Forward(cls)
        inputs = ["x", *(f"other_{index}" if index > 1 else "other" for index in range(1, cls.inputs))]
        output: ast.expr | None = None
        count = len(cls.outputs)
        returned = "Tensor" if count == 1 else f"tuple[{', '.join(['Tensor'] * count)}]"
        if cls.is_root:
            lines += self._ties()
            inputs = self._inputs()
            if count > 1:
                names = self.network.graph.outputs
                output = ast.Dict([*map(ast.Constant, names)], [*map(ast.Name, cls.outputs)])
                returned = "dict[str, Tensor]"
        head = _head("forward", ["self", *(f"{name}: Tensor" for name in inputs)])
        lines += ["", laid(head, 4, "def ", f" -> {returned}:"), *forward.lines(inputs, output)]
        if not cls.parameters and lines[2] == "":
            del lines[:3]
        return "\n".join([f"class {cls.name}(nn.Module):", *lines])

    def _inputs(self) -> list[str]:
        names = [*self.network.inputs]
        return ["x"] if names == ["input"] else [f"{name}_" if name in RESERVED else name for name in names]

    def _ties(self) -> list[str]:
        """Write which weights are shared and which are not trained."""
        nodes = self.network.graph.nodes
        tied: list[tuple[str, str, str]] = []
        frozen: list[str] = []
        for node in nodes:
            weights = node.layer.apply(shapes_before(node, self.network.shapes)).weights
            for name in weights if node.owner is not None else ():
                inner, dot, last = name.rpartition(".")
                tied.append((f"{node.path}{dot}{inner}", f"{nodes[node.owner or 0].path}{dot}{inner}", last))
            if not node.trainable and weights:
                frozen.append(node.path)
        ties = [f"        {_access(path)}.{name} = {_access(owner)}.{name}" for path, owner, name in tied]
        calls = [f"        {_access(path)}.requires_grad_(False)" for path in frozen]
        if any(len(line) > WIDTH for line in ties):
            head = _loop("path, owner, name", tied)
            shared = "            weight = getattr(self.get_submodule(owner), name)"
            ties = [head, shared, "            setattr(self.get_submodule(path), name, weight)"]
        if any(len(line) > WIDTH for line in calls):
            calls = [_loop("path", frozen), "            self.get_submodule(path).requires_grad_(False)"]
        return [*ties, *calls]


# ---- names and texts


def _loop(names: str, items: Iterable[object]) -> str:
    """Return the head of a loop over constants."""
    return laid(expression(repr(tuple(items))), 8, f"for {names} in ", ":")


def _access(path: str) -> str:
    """Return how the module at a path is reached from the root."""
    if not all(part.isidentifier() for part in path.split(".")):
        return f"self.get_submodule({quoted(path)})"
    return f"self.{path}"


def _declared(parameter: Parameter, has_default: bool) -> str:
    """Return an argument of a class as its signature has it."""
    kind = "type[nn.Module]" if parameter.is_module else _type_of(parameter)
    if parameter.default is NO_VALUE or not has_default:
        return f"{parameter.name}: {kind}"
    return f"{parameter.name}: {kind} = {text(literal(parameter.default))}"


def _head(name: str, arguments: Iterable[str]) -> ast.expr:
    """Return the head of a function, laid out as a call."""
    return call(name, *map(ast.Name, arguments))


def _type_of(parameter: Parameter) -> str:
    types = {type(value).__name__ for value in parameter.values.values()}
    if types == {"tuple"}:
        return "tuple[int, ...]"
    renamed = {"Fraction": "float", "NoneType": "None"}
    names = {renamed.get(name, name) for name in types}
    names -= {"int"} if "float" in names else set()
    return " | ".join(sorted(names, key=lambda name: (name == "None", name)))


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


def _harmless(text: str) -> str:
    r"""Return a text of the spec that may be put into a docstring: one line without quotes and escapes.

    >>> _harmless('a\\\\b' + '"' * 3 + 'c')
    'abc'
    """
    kept = "".join(letter for letter in text if letter.isprintable() and letter not in '"\\')
    return kept.strip()[:100] or "A model"


def _text_of(helper: type) -> str:
    return re.sub(r"  # type: ignore.*", "", inspect.getsource(helper)).rstrip()
