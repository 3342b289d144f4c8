"""Twins of layers on sequences: recurrent layers, attention, transformers, bags, and bilinear products."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from shapecalc.bridges.torch.twins import standalone
from shapecalc.bridges.torch.twins.source import ModuleSource
from shapecalc.bridges.torch.twins.torch_names import Fields, Shapes
from shapecalc.bridges.torch.twins.twin import ModuleTwin, Twin, floats, gather, indices, spread
from shapecalc.layers.attention import MultiheadAttention
from shapecalc.layers.bag import EmbeddingBag
from shapecalc.layers.bilinear import Bilinear
from shapecalc.layers.recurrent import LSTM, Recurrent
from shapecalc.layers.recurrent_cells import RecurrentCell
from shapecalc.layers.transformer import Stack, Transforming


class RecurrentTwin(ModuleTwin[Recurrent | RecurrentCell]):
    """A recurrent layer or cell, its states taken and returned one by one."""

    def connected(self, module: nn.Module, fields: Fields, shapes: Shapes) -> nn.Module:
        return spread(gather(module, lambda *inputs: (self.paired(*inputs), {})))

    def paired(self, x: Tensor, *states: Tensor) -> tuple[Any, ...]:
        """Return the arguments of torch's forward, where two states are a pair.

        A state with a batch beside an input without one is refused: torch does not look at it, may stretch
        it and may read outside of its memory.
        """
        if issubclass(self.kind, RecurrentCell) and any(state.dim() != x.dim() for state in states):
            raise ValueError("a batch of all, or of none")
        if len(self.kind.states) == 1:
            return (x, *states)
        if len(states) not in (0, 2):
            raise ValueError("both states or neither")
        return (x, states) if states else (x,)


class LSTMTwin(RecurrentTwin, Twin[LSTM]):
    """torch answers for the fused kernel that it runs."""

    fused = True


# ---- attention and transformers


class AttentionTwin(ModuleTwin[MultiheadAttention]):
    """Attention of a sequence to itself is a module of one tensor, any other torch's class with a hook."""

    own = standalone.SelfAttention

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        refuse_improbable(fields)
        arguments = super().arguments(fields, shapes)
        return {name: value for name, value in arguments.items() if name not in _OF_FORWARD}

    def build(self, fields: Fields, shapes: Shapes) -> nn.Module:
        if _is_alone(fields, shapes):
            return super().build(fields, shapes)
        wanted = {"need_weights": False, **{name: fields[name] for name in _OF_FORWARD if name in fields}}

        def three(*inputs: Tensor) -> tuple[tuple[Tensor, ...], Fields]:
            if len(inputs) not in (1, 3):
                raise ValueError("one tensor or three")
            return inputs * 3 if len(inputs) == 1 else inputs, wanted

        return spread(gather(nn.MultiheadAttention(**self.arguments(fields, shapes)), three))

    def unwritten(self, fields: Fields, shapes: Shapes) -> str:
        is_alone = _is_alone(fields, shapes)
        return "" if is_alone else "the class that is written takes one tensor and returns no weights"

    def from_module(self, module: nn.Module) -> Fields | None:
        """Return the fields of attention to itself; None with keys of another width, or added keys."""
        assert isinstance(module, nn.MultiheadAttention)
        is_plain = module.kdim == module.vdim == module.embed_dim and not module.add_zero_attn
        fields = super().from_module(module)
        if fields is None or not is_plain or module.bias_k is not None:
            return None
        return {**fields, "bias": module.in_proj_bias is not None}


_OF_FORWARD = ("need_weights", "average_attn_weights")
"""Fields that torch takes as arguments of its forward."""


def _is_alone(fields: Fields, shapes: Shapes) -> bool:
    return len(shapes) == 1 and not fields.get("need_weights")


def refuse_improbable(fields: Fields) -> None:
    """Refuse a dropout that torch would refuse in training only."""
    if not 0 <= fields.get("dropout", 0) <= 1:
        raise ValueError("a probability")


class TransformingTwin(ModuleTwin[Transforming]):
    """A transformer, or one layer of it."""

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        refuse_improbable(fields)
        return super().arguments(fields, shapes)

    def connected(self, module: nn.Module, fields: Fields, shapes: Shapes) -> nn.Module:
        """Refuse other numbers of tensors, where torch would take the next for a mask."""

        def checked(*inputs: Tensor) -> tuple[tuple[Tensor, ...], Fields]:
            if len(inputs) != len(self.kind.tensors):
                raise ValueError(f"{len(self.kind.tensors)} tensors")
            return inputs, {}

        return gather(module, checked)


class StackTwin(TransformingTwin, Twin[Stack]):
    """A stack of layers, which torch makes of a single layer."""

    never_written = "torch makes it out of a layer"

    def call(self, fields: Fields, shapes: Shapes, written: Mapping[str, Any]) -> ModuleSource:
        arguments = self.arguments(fields, shapes)
        count, norm = arguments.pop("num_layers"), arguments.pop("norm", False)
        last = nn.LayerNorm(arguments["d_model"], bias=arguments.get("bias", True)) if norm else None
        layer = getattr(nn, f"{self.target().__name__}Layer")(**arguments)
        name = "encoder_layer" if "encoder" in self.kind.kind else "decoder_layer"
        return ModuleSource(self.kind, self.target(), {name: layer, "num_layers": count, "norm": last})


# ---- bags and pairs


class EmbeddingBagTwin(ModuleTwin[EmbeddingBag]):
    """A table whose rows are added up in bags."""

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        """Refuse a single offset that says both where a bag begins and where the last ends.

        There is no bag then, and torch writes outside of its memory.
        """
        if fields.get("include_last_offset") and (1,) in shapes[1:2]:
            raise ValueError("no bag")
        return fields

    def connected(self, module: nn.Module, fields: Fields, shapes: Shapes) -> nn.Module:
        """Pass weights by name."""

        def named_weights(*inputs: Tensor) -> tuple[tuple[Tensor, ...], Fields]:
            *others, last = inputs
            if others and last.is_floating_point():
                return tuple(others), {"per_sample_weights": last}
            return inputs, {}

        return gather(module, named_weights)

    def tensors(self, shapes: Shapes, device: str) -> list[Tensor]:
        """Return indices, where bags begin if the indices are in one row, and weights."""
        count = 2 if len(shapes[0]) == 1 else 1
        weights = [floats(shape, device) for shape in shapes[count:]]
        return [*(indices(shape, device) for shape in shapes[:count]), *weights]


class BilinearTwin(ModuleTwin[Bilinear]):
    """A product of two tensors' features."""

    macs_not_counted = "it is one operation, aten._trilinear; as two matrix products it would be counted"
