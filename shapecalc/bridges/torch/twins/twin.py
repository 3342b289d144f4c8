"""The torch counterpart of a kind: how it is built, called, read and written, and where torch is peculiar.

    Twin                 what the tracer, the proofs, `build` and `export` use
    ├── ModuleTwin       a class of modules; by default torch's own class with our fields
    ├── FunctionTwin     a function of tensors; by default the function in `Kind.torch`
    └── Missing          torch has no counterpart

`twin_of(layer)` looks a twin up: that of the kind or of its nearest base class, or the default.
"""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from shapecalc.bridges.counterpart import LAYERS, TITLES, Counterpart, K, plain
from shapecalc.bridges.torch.twins import standalone
from shapecalc.bridges.torch.twins.source import (
    Function,
    FunctionSource,
    ModuleSource,
    Operation,
    Source,
    TorchCall,
)
from shapecalc.bridges.torch.twins.torch_names import Fields, Shapes, Sizes, named
from shapecalc.errors import SpecError
from shapecalc.layers import registry
from shapecalc.layers.base import Kind
from shapecalc.layers.class_names import snake_case
from shapecalc.layers.family import Family
from shapecalc.layers.roles import sizes_inferred


class Twin(Counterpart[K]):
    """What torch has for a kind; `ModuleTwin` and `FunctionTwin` are the defaults to derive from."""

    framework = "torch"
    families: ClassVar[dict[str, tuple[str, ...]]] = {
        f"{__package__}.{module}": homes
        for module, homes in {
            "lenet_twins": ("lenet",),
            "convolution_twins": ("conv", "sliding"),
            "separable_twins": ("separable_conv",),
            "function_twins": (
                *("merge", "by_name", "einsum", "functional"),
                *("reshape", "flatten", "select", "batch_shape_ops"),
            ),
            "learned_twins": ("learned", "divisible", "wrapper", "normed_weight", "traced"),
            "loss_twins": ("loss", "class_loss", "sequence_loss"),
            "pooling_twins": (
                *("adaptive_pool", "average_pool", "global_pool", "pool", "unpool"),
                *("pad", "pad_input", "crop"),
            ),
            "sequence_twins": ("recurrent", "recurrent_cells", "attention", "transformer", "bag", "bilinear"),
        }.items()
    }

    own: type[nn.Module] | None = None
    """The module class for what torch lacks: that of the kind's name in `standalone`, if there is one."""
    never_written: ClassVar[str] = ""
    """Why `export` refuses every layer of this kind."""
    first_index: ClassVar[int | None] = None
    """From which tensor on the inputs are indices; by default only those of tables are."""
    on_cpu: ClassVar[str] = ""
    """Why it is compared on the CPU: on the meta device values are missing, or torch has other rules."""
    macs_not_counted: ClassVar[str] = ""
    """Why FlopCounterMode reads 0 although the layer multiplies."""
    macs_unknown: ClassVar[str] = ""
    """Why shapes do not determine the cost."""
    fused: ClassVar[bool] = False
    """Whether torch answers for a fused kernel; decomposed, it would pin the length of the sequence."""

    def __init__(self, kind: type[K]) -> None:
        super().__init__(kind)
        self.own = self.own or _standalone(kind)
        self.names = tuple(kind.model_fields)

    @classmethod
    def kind_of_own(cls, module_class: type) -> type[Kind] | None:
        """Return the kind whose twin builds modules of a class that is not torch's."""
        if module_class.__module__ == standalone.__name__:
            cls.all_defined()
            if kind := registry.find(snake_case(module_class.__name__)):
                return kind
        return next((kind for kind, twin in cls._defined.items() if twin.own is module_class), None)

    # ---- building and calling

    @abstractmethod
    def build(self, fields: Fields, shapes: Shapes) -> nn.Module:
        """Return the module for fields as torch takes them and input shapes; raise what torch raises."""

    def module(self, fields: Fields, shapes: Shapes) -> nn.Module:
        """Return the module for fields as a kind has them, in evaluation mode."""
        return self.build({name: plain(value) for name, value in fields.items()}, shapes).eval()

    def tensors(self, shapes: Shapes, device: str) -> list[Tensor]:
        """Return tensors of these shapes to call the module with."""
        first = len(shapes) if self.first_index is None else self.first_index
        first = 0 if self.kind.family is Family.EMBEDDING else first
        return [*(floats(x, device) for x in shapes[:first]), *(indices(x, device) for x in shapes[first:])]

    # ---- reading and predicting a live module

    def from_module(self, module: nn.Module) -> Fields | None:
        """Return the fields that a live module has, defaults among them; None where no fields describe it."""
        fields = {name: _setting(module, name) for name in self.names}
        unknown = [name for name, value in fields.items() if value is ...]
        is_own = self.own is not None and self.own.__module__ != standalone.__name__
        if (is_own and {*unknown} - {*sizes_inferred(self.kind)}) or getattr(module, "return_indices", False):
            return None
        return {name: value for name, value in fields.items() if value is not ...}

    def returns_new_tensor(self) -> bool:
        """Say whether the result is a new tensor of the input's dtype that depends on the weights alone."""
        return self.kind.family in _NEW_TENSOR and str(self.kind.torch).startswith("torch.nn.")

    def returns_contiguous(self) -> bool:
        """Say whether the result is contiguous whatever the memory layout of the input."""
        return self.kind.family in (Family.LINEAR, Family.LAYER_NORM)

    # ---- writing source

    @abstractmethod
    def source(self, fields: Fields, shapes: Shapes, written: Mapping[str, Any]) -> Source:
        """Return how the layer is written; `written` are the fields in the spec, formulas among them."""

    def unwritten(self, fields: Fields, shapes: Shapes) -> str:
        """Return why `export` cannot write a layer with these fields, or an empty string."""
        return self.never_written

    def source_of(self, layer: Kind, shapes: Shapes, written: Mapping[str, Any]) -> Source:
        """Return how a layer is written, with the fields that the spec writes and no others.

        Equal layers of a graph are one object, however each is written, so the layer alone does not say.
        Raises `SpecError` where the layer cannot be written.
        """
        names = (name for name in written if name in self.kind.model_fields and name != "branches")
        fields = {name: plain(getattr(layer, name)) for name in names}
        if reason := self.unwritten(fields, shapes):
            raise SpecError(f"there is no source in torch for {self.kind.kind}: {reason}")
        return self.source(fields, shapes, written)

    # ---- proving

    def absent(self) -> str:
        """Return why the installed torch has no counterpart, or an empty string."""
        return ""

    def uncovered(self, layer: Kind | type[Kind]) -> str:
        """Return why a layer cannot be compared with torch, or an empty string."""
        return self.absent()

    def stricter(self, layer: Kind) -> str:
        """Return why we refuse on purpose what torch accepts, or an empty string."""
        return ""


def _standalone(kind: type[Kind]) -> type[nn.Module] | None:
    return getattr(standalone, kind.__name__, None) if kind.__module__.startswith(f"{LAYERS}.") else None


_NEW_TENSOR = frozenset(
    (
        *(Family.ACTIVATION, Family.LINEAR, Family.CONVOLUTION, Family.TRANSPOSED_CONVOLUTION),
        *(Family.BATCH_NORM, Family.GROUP_NORM, Family.LAYER_NORM),
        *(Family.AVERAGE_POOL, Family.MAX_POOL, Family.ADAPTIVE_AVERAGE_POOL, Family.ADAPTIVE_MAX_POOL),
    )
)


def floats(shape: Sizes, device: str) -> Tensor:
    """Return numbers between 0 and 1; zeros on the meta device, which draws none."""
    return (torch.zeros if device == "meta" else torch.rand)(shape, device=device)


def indices(shape: Sizes, device: str) -> Tensor:
    """Return integers that are an index of anything."""
    return torch.zeros(shape, dtype=torch.long, device=device)


def _setting(module: nn.Module, name: str) -> Any:
    """Return a setting of a module as a field has it: of weights, whether there are any; `...` of none."""
    value = getattr(module, name, ...)
    is_weight = name == "weight" and isinstance(value, (Tensor, type(None)))
    if is_weight or (name == "bias" and value is not ...):
        return value is not None
    return tuple(value) if isinstance(value, (list, tuple)) else value


class Missing(Twin[K]):
    """The twin of a kind that torch has nothing for."""

    def absent(self) -> str:
        if self.kind.framework not in (None, self.framework):
            return f"a rule of {TITLES[str(self.kind.framework)]}, and the proofs are against torch"
        return f"torch has no counterpart of {self.kind.kind}"

    def build(self, fields: Fields, shapes: Shapes) -> nn.Module:
        raise LookupError(self.absent())

    def source(self, fields: Fields, shapes: Shapes, written: Mapping[str, Any]) -> Source:
        raise LookupError(self.absent())


# ---- modules


class ModuleTwin(Twin[K]):
    """A class of modules, by default that in `Kind.torch`, whose arguments are called as our fields."""

    path: ClassVar[str] = ""
    """The class of every kind where it is not that in `Kind.torch`; `{}` is the number of axes."""

    def target(self) -> Callable[..., nn.Module]:
        """Return the class."""
        path = self.path.format(self.kind.rank) if self.path else str(self.kind.torch)
        cls: Callable[..., nn.Module] = self.own or named(path)
        return cls

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        """Return the arguments of the class: the sizes that we infer and torch requires, and our fields."""
        missing: Fields = {
            name: role.size(self.kind, shapes) or 1  # where the input has no such axis torch refuses it
            for name, role in sizes_inferred(self.kind).items()
            if fields.get(name) is None
        }
        return missing | {name: value for name, value in fields.items() if name not in missing}

    def call(self, fields: Fields, shapes: Shapes, written: Mapping[str, Any]) -> ModuleSource:
        """Return the call of the class, which `build` makes and `export` writes."""
        return ModuleSource(self.kind, self.target(), self.arguments(fields, shapes), written, shapes)

    def connected(self, module: nn.Module, fields: Fields, shapes: Shapes) -> nn.Module:
        """Return the module with hooks, where a flat list of tensors is not what it takes or returns."""
        return module

    def build(self, fields: Fields, shapes: Shapes) -> nn.Module:
        return self.connected(self.call(fields, shapes, {}).module(), fields, shapes)

    def source(self, fields: Fields, shapes: Shapes, written: Mapping[str, Any]) -> Source:
        source = self.call(fields, shapes, written)
        of_flat_lists = getattr(standalone, f"Flat{self.target().__name__}", None)
        return replace(source, target=of_flat_lists) if of_flat_lists else source

    def unwritten(self, fields: Fields, shapes: Shapes) -> str:
        home = self.target().__module__
        is_torch = home.startswith(("torch.", standalone.__name__))
        return self.never_written or ("" if is_torch else f"{home} is not a part of torch")

    def absent(self) -> str:
        try:
            self.target()
        except ImportError as error:
            return str(error)
        return ""


def flat(result: Any) -> tuple[Tensor, ...]:
    """Return the tensors of a nested result in order, those that are None left out."""
    if isinstance(result, Tensor):
        return (result,)
    return tuple(tensor for item in result if item is not None for tensor in flat(item))


def gather(module: nn.Module, arguments: Callable[..., tuple[tuple[Any, ...], Fields]]) -> nn.Module:
    """Let a module take a flat list of tensors, of which a function makes its arguments."""
    module.register_forward_pre_hook(lambda _module, args, _: arguments(*args), with_kwargs=True)
    return module


def spread(module: nn.Module) -> nn.Module:
    """Let a module return a flat tuple of tensors."""
    module.register_forward_hook(
        lambda _module, _args, result: result if isinstance(result, Tensor) else flat(result)
    )
    return module


# ---- functions


class FunctionTwin(Twin[K]):
    """A function of tensors, by default that in `Kind.torch`, whose arguments are called as our fields."""

    positional: ClassVar[tuple[str, ...]] = ()
    """Fields that are passed by position, after the tensors."""
    always: ClassVar[tuple[str, ...]] = ()
    """Fields that are passed even where they have their defaults, which are not torch's."""

    def operation(self, fields: Fields, shapes: Shapes) -> Operation:
        """Return the operation for these fields."""
        after = tuple(fields[name] for name in self.positional)
        settings = {name: self.kind.model_fields[name].default for name in self.always} | fields
        settings = {
            name: value
            for name, value in settings.items()
            if value is not None and name not in self.positional
        }
        return TorchCall(str(self.kind.torch), after=after, settings=settings)

    def build(self, fields: Fields, shapes: Shapes) -> nn.Module:
        return Function(self.operation(fields, shapes), self.kind.kind, fields)

    def source(self, fields: Fields, shapes: Shapes, written: Mapping[str, Any]) -> Source:
        return FunctionSource((self.kind.kind, *fields.items()), self.operation(fields, shapes).write)

    def unwritten(self, fields: Fields, shapes: Shapes) -> str:
        is_torch = str(self.kind.torch or "torch.").startswith("torch.")
        return self.never_written or ("" if is_torch else f"{self.kind.torch} is not a function of torch")


# ---- looking up


def twin_of(kind: Kind | type[Kind]) -> Twin[Kind]:
    """Return the torch counterpart of a layer or a kind.

    >>> from shapecalc.layers import Conv2d, DepthwiseConv2d
    >>> type(twin_of(Conv2d)).__name__, type(twin_of(DepthwiseConv2d)).__name__
    ('ConvolutionTwin', 'DepthwiseTwin')
    """
    return Twin.of(kind, _by_name)


def _by_name(kind: type[Kind]) -> type[Twin[Kind]]:
    """Return the twin by the name in `Kind.torch`, of a class, a function or a twin."""
    if _standalone(kind):
        return ModuleTwin
    if kind.torch is None or kind.framework not in (None, Twin.framework):
        return Missing
    try:
        target = named(kind.torch)
    except ImportError:  # what torch is too old for
        return ModuleTwin
    if not inspect.isclass(target):
        return FunctionTwin
    return target if issubclass(target, Twin) else ModuleTwin


def build_layer(layer: Kind, shapes: Shapes) -> nn.Module:
    """Return the counterpart of a layer for these input shapes; raise what torch raises."""
    return twin_of(layer).module(layer.fields_set(), shapes)
