"""The torch counterparts of kinds with several tensors: how they are built and what they are called with.

A module keeps torch's names of its weights, so tensors are gathered and results spread by hooks, which
have no name.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from shapecalc.bridges.torch.twins import standalone
from shapecalc.bridges.torch.twins.generic_modules import Builder, Fields, Shapes, Sizes, named, rank_of
from shapecalc.layers.base import Kind


def torch_class(cls: type[Kind]) -> Callable[..., nn.Module]:
    """Return the class in torch.nn that a kind names."""
    assert cls.torch is not None
    found: Callable[..., nn.Module] = named(cls.torch)
    return found


def flat(result: Any) -> tuple[Tensor, ...]:
    """Return the tensors of a nested result in order, those that are None left out."""
    if isinstance(result, Tensor):
        return (result,)
    return tuple(tensor for item in result if item is not None for tensor in flat(item))


def spread(module: nn.Module) -> nn.Module:
    """Let a module return a flat tuple of tensors."""
    module.register_forward_hook(
        lambda _module, _args, result: result if isinstance(result, Tensor) else flat(result)
    )
    return module


# ---- recurrent layers


def recurrent(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Build a recurrent layer or cell; two states are handed over as a pair.

    A state with a batch beside a position without one is not tried: torch does not look at it, may stretch
    it and may read outside of its memory.
    """
    fields = {**fields, "input_size": fields.get("input_size") or shapes[0][-1]}
    module = torch_class(cls)(**fields)

    def pair(_module: nn.Module, args: tuple[Tensor, ...]) -> tuple[Any, ...]:
        x, *states = args
        if cls.kind.endswith("cell") and any(state.dim() != x.dim() for state in states):
            raise ValueError("a batch of all, or of none")
        if not cls.kind.startswith("lstm"):
            return args
        if len(states) not in (0, 2):
            raise ValueError("both states or neither")
        return (x, tuple(states)) if states else (x,)

    module.register_forward_pre_hook(pair)
    return spread(module)


# ---- maxima and their places


def unpool(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Build unpooling, and hand it the output size, one for all axes where one is given."""
    fields = dict(fields)
    size, rank = fields.pop("output_size", None), rank_of(cls)
    module = torch_class(cls)(**fields)
    if size is not None:
        sizes = size if isinstance(size, tuple) else (size,) * rank

        def sized(_module: nn.Module, args: tuple[Tensor, ...]) -> tuple[Any, ...]:
            return (*args, sizes)

        module.register_forward_pre_hook(sized)
    return module


def places(shapes: Shapes, device: str) -> list[Tensor]:
    """Return maxima, and the first place for all of them."""
    first, *others = shapes
    return [torch.zeros(first, device=device), *map(partial(whole, device=device), others)]


def whole(shape: Sizes, device: str) -> Tensor:
    """Return zeros that are whole numbers, which are an index of everything."""
    return torch.zeros(shape, dtype=torch.long, device=device)


# ---- bags, and pairs of tensors


def bags(shapes: Shapes, device: str) -> list[Tensor]:
    """Return indices, where bags begin if the indices are in one row, and weights."""
    x, *others = shapes
    begins = others[: 1 if len(x) == 1 else 0]
    weights = [torch.zeros(shape, device=device) for shape in others[len(begins) :]]
    return [*map(partial(whole, device=device), (x, *begins)), *weights]


def bag(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Build a bag whose weights, if they arrive, are named.

    Where one offset is to say both where a bag begins and where the last ends there is no bag, and
    torch writes outside of its memory: that is not tried.
    """
    if fields.get("include_last_offset") and (1,) in shapes[1:2]:
        raise ValueError("no bag")
    module = torch_class(cls)(**fields)

    def name_weights(
        _module: nn.Module, args: tuple[Tensor, ...], _: Any
    ) -> tuple[tuple[Tensor, ...], Fields]:
        *indices, last = args
        if indices and last.is_floating_point():
            return tuple(indices), {"per_sample_weights": last}
        return args, {}

    module.register_forward_pre_hook(name_weights, with_kwargs=True)
    return module


def bilinear(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Build a bilinear layer whose features are inferred."""
    left, right = shapes
    sizes = {"in1_features": left[-1], "in2_features": right[-1]}
    return torch_class(cls)(**{**fields, **{name: fields.get(name) or size for name, size in sizes.items()}})


# ---- losses


def loss(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Build a loss; where classes have weights they are a tensor of as many."""
    if not 0 <= fields.get("label_smoothing", 0) <= 1:
        raise ValueError("a probability")
    fields = dict(fields)
    if fields.pop("weight", False):
        fields["weight"] = torch.ones(fields.get("num_classes") or classes(cls, shapes[0]))
    if "in_features" in cls.model_fields:
        fields["in_features"] = fields.get("in_features") or shapes[0][-1]
    module = spread(torch_class(cls)(**fields))
    if cls.kind == "linear_cross_entropy_loss":
        scores = (*shapes[0][:-1], fields["num_classes"], *fields.get("out_features", ()))
        module.register_forward_pre_hook(
            lambda _module, args: tuple(
                x if number != 1 or x.shape == scores else x.long() for number, x in enumerate(args)
            )
        )
    return module


def classes(cls: type[Kind], scores: Sizes) -> int:
    """Return how many classes a loss has weights for."""
    if cls.kind in ("nll_loss", "cross_entropy_loss"):
        return scores[1] if len(scores) > 1 else scores[0]
    return scores[-1] if scores else 1


def scores_and_classes(shapes: Shapes, device: str) -> list[Tensor]:
    """Return scores, and the numbers of the classes that are right."""
    first, *others = shapes
    return [torch.rand(first, device=device), *map(partial(whole, device=device), others)]


def scores_and_target(shapes: Shapes, device: str) -> list[Tensor]:
    """Return scores, and probabilities where they have that shape, otherwise numbers of classes."""
    if len(set(shapes)) == 1:
        return [torch.rand(shape, device=device) for shape in shapes]
    return scores_and_classes(shapes, device)


def alignments(shapes: Shapes, device: str) -> list[Tensor]:
    """Return logarithms, targets, and lengths that fit them: all of a row goes to the first sequence."""
    x, *others = shapes
    made = [torch.rand(x, device=device), *map(partial(whole, device=device), others)]
    if len(shapes) == 4 and others[0]:
        made[2] += x[0]
        if len(others[0]) == 2:
            made[3] += others[0][1]
        elif made[3].numel():
            made[3].view(-1)[0] = others[0][0]
    return made


# ---- attention and transformers


def attention(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Build attention whose width is inferred, and call it with one tensor three times if one arrives."""
    _probability(fields)
    fields = {**fields, "embed_dim": fields.get("embed_dim") or shapes[0][-1]}
    wanted: Fields = {
        name: fields.pop(name) for name in ("need_weights", "average_attn_weights") if name in fields
    }
    if len(shapes) == 1 and not wanted.get("need_weights"):
        return standalone.SelfAttention(**fields)
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


OF_SEVERAL: dict[str, Builder] = {
    **dict.fromkeys(("rnn", "lstm", "gru", "rnn_cell", "lstm_cell", "gru_cell"), recurrent),
    **{f"max_unpool{rank}d": unpool for rank in (1, 2, 3)},
    "embedding_bag": bag,
    **dict.fromkeys(
        (
            "nll_loss",
            "cross_entropy_loss",
            "multi_margin_loss",
            "multi_label_soft_margin_loss",
            "linear_cross_entropy_loss",
            "adaptive_log_softmax_with_loss",
        ),
        loss,
    ),
    "bilinear": bilinear,
    "multihead_attention": attention,
    **dict.fromkeys(("transformer", "transformer_encoder_layer", "transformer_decoder_layer"), transformer),
    **dict.fromkeys(("transformer_encoder", "transformer_decoder"), transformer_stack),
}
"""Kinds by the way their counterpart is built."""

ARGUMENTS: dict[str, Callable[[Shapes, str], list[Tensor]]] = {
    **{f"max_unpool{rank}d": places for rank in (1, 2, 3)},
    "embedding_bag": bags,
    **dict.fromkeys(
        ("nll_loss", "multi_margin_loss", "multi_label_margin_loss", "adaptive_log_softmax_with_loss"),
        scores_and_classes,
    ),
    "cross_entropy_loss": scores_and_target,
    "ctc_loss": alignments,
}
"""Kinds that take other tensors than floating point numbers, by how to make what they take."""
