"""The torch counterparts of kinds with several tensors: how they are built and what they are called with.

A module keeps torch's names of its weights, so tensors are gathered and results spread by hooks, which
have no name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from shapecalc.layers.base import Kind

if TYPE_CHECKING:
    from tests.strategies import Fields, Sizes

    Shapes = tuple[Sizes, ...]
    Builder = Callable[[type[Kind], Fields, Shapes], nn.Module]


def torch_class(cls: type[Kind]) -> Callable[..., nn.Module]:
    """Return the class in torch.nn that a kind names."""
    assert cls.torch is not None
    found: Callable[..., nn.Module] = getattr(nn, cls.torch.removeprefix("torch.nn."))
    return found


def flat(result: Any) -> tuple[Tensor, ...]:
    """Return the tensors of a nested result in order, those that are None left out."""
    if isinstance(result, Tensor):
        return (result,)
    return tuple(tensor for item in result if item is not None for tensor in flat(item))


def spread(module: nn.Module) -> nn.Module:
    """Let a module return a flat tuple of tensors."""
    module.register_forward_hook(lambda _module, _args, result: flat(result))
    return module


# ---- recurrent layers


def recurrent(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Build a recurrent layer or cell; two states are handed over as a pair."""
    fields = {**fields, "input_size": fields.get("input_size") or shapes[0][-1]}
    module = torch_class(cls)(**fields)

    def pair(_module: nn.Module, args: tuple[Tensor, ...]) -> tuple[Any, ...]:
        x, *states = args
        if len(states) not in (0, 2):
            raise ValueError("both states or neither")
        return (x, tuple(states)) if states else (x,)

    if cls.kind.startswith("lstm"):
        module.register_forward_pre_hook(pair)
    return spread(module)


# ---- attention and transformers


def attention(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Build attention whose width is inferred, and call it with one tensor three times if one arrives."""
    _probability(fields)
    fields = {**fields, "embed_dim": fields.get("embed_dim") or shapes[0][-1]}
    wanted: Fields = {
        name: fields.pop(name) for name in ("need_weights", "average_attn_weights") if name in fields
    }
    module = nn.MultiheadAttention(**fields)

    def three(_module: nn.Module, args: tuple[Tensor, ...], _: Any) -> tuple[tuple[Tensor, ...], Fields]:
        if len(args) not in (1, 3):
            raise ValueError("one tensor or three")
        return args * 3 if len(args) == 1 else args, {"need_weights": False, **wanted}

    module.register_forward_pre_hook(three, with_kwargs=True)
    return spread(module)


def _probability(fields: Fields) -> None:
    """Refuse what torch would refuse in training only."""
    if not 0 <= fields.get("dropout", 0) <= 1:
        raise ValueError("a probability")


def transformer(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Build a transformer, or a part of one, whose width is inferred."""
    _probability(fields)
    module = torch_class(cls)(**{**fields, "d_model": fields.get("d_model") or shapes[0][-1]})
    return exactly(module, 1 if "encoder" in cls.kind else 2)


def transformer_stack(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Build the layer, and the stack out of it."""
    _probability(fields)
    fields = {**fields, "d_model": fields.get("d_model") or shapes[0][-1]}
    count, norm = fields.pop("num_layers"), fields.pop("norm", False)
    last = nn.LayerNorm(fields["d_model"], bias=fields.get("bias", True)) if norm else None
    layer = getattr(nn, f"{torch_class(cls).__name__}Layer")(**fields)
    return exactly(torch_class(cls)(layer, count, norm=last), 1 if "encoder" in cls.kind else 2)


def exactly(module: nn.Module, count: int) -> nn.Module:
    """Refuse other numbers of tensors, where torch would take the next for a mask."""

    def check(_module: nn.Module, args: tuple[Tensor, ...]) -> None:
        if len(args) != count:
            raise ValueError(f"{count} tensors")

    module.register_forward_pre_hook(check)
    return module


MORE_BUILDERS: dict[str, Builder] = {
    **dict.fromkeys(("rnn", "lstm", "gru", "rnn_cell", "lstm_cell", "gru_cell"), recurrent),
    "multihead_attention": attention,
    **dict.fromkeys(("transformer", "transformer_encoder_layer", "transformer_decoder_layer"), transformer),
    **dict.fromkeys(("transformer_encoder", "transformer_decoder"), transformer_stack),
}
"""Kinds by the way their counterpart is built."""

ARGUMENTS: dict[str, Callable[[Shapes, str], list[Tensor]]] = {}
"""Kinds that take other tensors than floating point numbers, by how to make what they take."""

torch.set_num_threads(1)
