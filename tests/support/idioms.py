"""Small forwards in the idioms of torch code, each over a few layers, for comparison with torch itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

Forward = Callable[[Any, Any], Any]
Make = Callable[[], nn.Module]


class Idiom(nn.Module):
    """A forward over layers, parameters and buffers that are attributes."""

    def __init__(self, forward: Forward, parts: dict[str, Any]) -> None:
        super().__init__()
        for name, part in parts.items():
            if type(part) is Tensor:
                self.register_buffer(name, part)
            else:
                setattr(self, name, part)
        self.does = forward

    def forward(self, x: Tensor) -> Any:
        return self.does(self, x)


def _of(forward: Forward, **parts: Callable[[], Any]) -> Make:
    return lambda: Idiom(forward, {name: make() for name, make in parts.items()})


def _statements(**parts: Callable[[], Any]) -> Callable[[Forward], Make]:
    return lambda forward: _of(forward, **parts)


def _kept(make: Callable[[], Any]) -> Callable[[], Any]:
    part = make()
    return lambda: part


class Pair(NamedTuple):
    first: Tensor
    second: Tensor


@dataclass
class Answer:
    logits: Tensor
    hidden: Tensor


block_diag: Any = torch.block_diag
ON, OFF = True, False
lin = partial(nn.Linear, 8, 8)
conv = partial(nn.Conv2d, 3, 4, 3, padding=1)
attention = partial(nn.MultiheadAttention, 8, 2, batch_first=True)


def table() -> nn.Parameter:
    return nn.Parameter(torch.zeros(1, 16, 8))


def causal() -> Tensor:
    return torch.ones(12, 12).tril()


# ---- over time


@_statements(lin=lin)
def _copied_in_place(net: Any, x: Tensor) -> Tensor:
    y = torch.zeros(x.shape[0], x.shape[1], 8)
    y.copy_(net.lin(x))
    return y


@_statements(lin=lin)
def _copied_over_a_step(net: Any, x: Tensor) -> Any:
    y = net.lin(x).clone()
    y[:, 2:] = net.lin(x[:, :-2])
    return y


@_statements(lin=lin)
def _set_by_a_fixed_table(net: Any, x: Tensor) -> Any:
    y = net.lin(x).clone()
    y[:] = torch.zeros(10, 8)
    return y


@_statements(lin=lin)
def _added_in_place(net: Any, x: Tensor) -> Tensor:
    y: Tensor = net.lin(x)
    y.add_(torch.zeros(10, 1))
    return y


@_statements(lin=lin)
def _added_in_place_of_sizes(net: Any, x: Tensor) -> Tensor:
    y: Tensor = net.lin(x)
    y += torch.arange(x.shape[1])[:, None]
    return y


@_statements(cell=lambda: nn.GRUCell(8, 6))
def _cell_over_time(net: Any, x: Tensor) -> Tensor:
    h = x.new_zeros(x.shape[0], 6)
    for step in x.unbind(1):
        h = net.cell(step, h)
    return h


@_statements(lstm=lambda: nn.LSTM(8, 6, 2, batch_first=True, bidirectional=True))
def _state_of_both_directions(net: Any, x: Tensor) -> Tensor:
    _, (h, c) = net.lstm(x)
    return torch.cat([h[-2], h[-1], c[0]], 1)


@_statements(lstm=lambda: nn.LSTM(8, 6, 2, batch_first=True))
def _first_state_of_zeros(net: Any, x: Tensor) -> Any:
    h = torch.zeros(2, x.size(0), 6)
    y, (h, _) = net.lstm(x, (h, h.clone()))
    return y[:, -1], h


@_statements(gru=lambda: nn.GRU(8, 6))
def _first_state_of_a_fixed_batch(net: Any, x: Tensor) -> Any:
    return net.gru(x, torch.zeros(1, 10, 6))


@_statements(a=attention)
def _causal_attention_of_sizes(net: Any, x: Tensor) -> Tensor:
    t = x.shape[1]
    mask = torch.triu(torch.ones(t, t, dtype=torch.bool), diagonal=1)
    y: Tensor = net.a(x, x, x, attn_mask=mask, need_weights=False)[0]
    return y


@_statements(a=attention, mask=causal)
def _causal_attention_of_a_buffer(net: Any, x: Tensor) -> Any:
    return net.a(x, x, x, attn_mask=net.mask[: x.size(1), : x.size(1)])


@_statements(a=attention)
def _padding_of_attention(net: Any, x: Tensor) -> Any:
    return net.a(x, x, x, key_padding_mask=torch.zeros(x.shape[:2], dtype=torch.bool))


@_statements(a=attention)
def _padding_of_attention_of_the_input(net: Any, x: Tensor) -> Any:
    return net.a(x, x, x, key_padding_mask=x.sum(-1) > 0)[0]


@_statements(layer=lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True))
def _encoder_with_a_mask(net: Any, x: Tensor) -> Any:
    return net.layer(x, src_mask=nn.Transformer.generate_square_subsequent_mask(10))


@_statements(layer=lambda: nn.TransformerDecoderLayer(8, 2, 16, batch_first=True))
def _decoder_over_a_memory(net: Any, x: Tensor) -> Any:
    return net.layer(x, x[:, :3], tgt_mask=torch.zeros(x.size(1), x.size(1)))


@_statements(lin=lin, mask=causal)
def _attention_by_hand(net: Any, x: Tensor) -> Tensor:
    q = k = net.lin(x).view(x.size(0), -1, 2, 4).transpose(1, 2)
    scores = q @ k.transpose(-2, -1) / math.sqrt(k.size(-1))
    scores = scores.masked_fill(net.mask[: x.size(1), : x.size(1)] == 0, float("-inf"))
    y: Tensor = (scores.softmax(-1) @ q).transpose(1, 2).reshape(x.size(0), -1, 8)
    return y


@_statements(lin=lin)
def _called_by_a_closure(net: Any, x: Tensor) -> Tensor:
    def block(y: Any) -> Any:
        return net.lin(y) + y.size(1)

    result: Tensor = block(block(x))
    return result


@_statements(lin=lin)
def _vmapped(net: Any, x: Tensor) -> Any:
    return torch.vmap(lambda row: row.mean(0))(net.lin(x))


@_statements(lin=lin)
def _called_with_other_weights(net: Any, x: Tensor) -> Any:
    return functional_call(net.lin, dict(net.lin.named_parameters()), (x,))


@_statements(lin=lin)
def _odd_lengths_are_padded(net: Any, x: Tensor) -> Any:
    if x.shape[1] % 2:
        x = functional.pad(x, (0, 0, 0, 1))
    return net.lin(x.reshape(x.shape[0], -1, 2, 8))


@_statements(lin=lin)
def _windows(net: Any, x: Tensor) -> Any:
    y = net.lin(functional.pad(x, (0, 0, 0, -x.shape[1] % 4)))
    return y.view(x.shape[0], y.shape[1] // 4, 4, 8).flatten(0, 1)


@_statements(lin=lin)
def _pieces_joined(net: Any, x: Tensor) -> Any:
    a, b = net.lin(x).chunk(2, 1)
    return a.mean(1), b


@_statements(lin=lin)
def _list_of_pieces(net: Any, x: Tensor) -> Any:
    return torch.stack([part.sum(1) for part in net.lin(x).split(4, dim=1)], 1)


@_statements(lin=lin)
def _split_at_a_size(net: Any, x: Tensor) -> Any:
    half = x.size(1) // 2
    return net.lin(x).split([half, x.size(1) - half], 1)


SEQUENCES: dict[str, Make] = {
    "copy_": _copied_in_place,
    "setitem shifted": _copied_over_a_step,
    "setitem of a fixed table": _set_by_a_fixed_table,
    "add_ of a fixed table": _added_in_place,
    "iadd of a range": _added_in_place_of_sizes,
    "cell over time": _cell_over_time,
    "lstm states": _of(lambda net, x: net.r(x), r=lambda: nn.LSTM(8, 6, 3, batch_first=True)),
    "lstm time first": _of(lambda net, x: net.r(x), r=lambda: nn.LSTM(8, 6, 2, bidirectional=True)),
    "lstm projected": _of(lambda net, x: net.r(x), r=lambda: nn.LSTM(8, 6, proj_size=2, batch_first=True)),
    "gru last state": _of(lambda net, x: net.r(x)[1][-1], r=lambda: nn.GRU(8, 6, 2, batch_first=True)),
    "rnn both": _of(lambda net, x: net.r(x), r=lambda: nn.RNN(8, 6, bidirectional=True, batch_first=True)),
    "both directions": _state_of_both_directions,
    "first state of zeros": _first_state_of_zeros,
    "first state of a fixed batch": _first_state_of_a_fixed_batch,
    "attention weights": _of(lambda net, x: net.a(x, x, x)[1], a=attention),
    "attention weights by head": _of(lambda net, x: net.a(x, x, x, average_attn_weights=False), a=attention),
    "attention of a part": _of(lambda net, x: net.a(x[:, :2], x, x), a=attention),
    "attention to a table": _of(
        lambda net, x: net.a(net.q.expand(x.shape[0], -1, -1), x, x), a=attention, q=table
    ),
    "attention time first": _of(lambda net, x: net.a(x, x, x)[1], a=lambda: nn.MultiheadAttention(8, 2)),
    "causal of sizes": _causal_attention_of_sizes,
    "causal of a buffer": _causal_attention_of_a_buffer,
    "key padding": _padding_of_attention,
    "key padding of the input": _padding_of_attention_of_the_input,
    "encoder with a mask": _encoder_with_a_mask,
    "decoder over a memory": _decoder_over_a_memory,
    "attention by hand": _attention_by_hand,
    "functional attention": _of(
        lambda net, x: functional.scaled_dot_product_attention(net.lin(x), x, x, attn_mask=torch.zeros(10, 10)), lin=lin
    ),
    "functional attention of sizes": _of(
        lambda net, x: functional.scaled_dot_product_attention(
            net.lin(x), x, x, attn_mask=torch.zeros(x.size(1), x.size(1))
        ),
        lin=lin,
    ),
    "functional attention causal": _of(
        lambda net, x: functional.scaled_dot_product_attention(net.lin(x), x, x, is_causal=True), lin=lin
    ),
    "masked_fill of a buffer": _of(
        lambda net, x: (x @ x.mT).masked_fill(net.mask[: x.size(1), : x.size(1)] > 0, 0.0), mask=causal
    ),
    "masked_fill fixed": _of(lambda net, x: net.lin(x).masked_fill(torch.ones(10, 1) > 0, 0.0), lin=lin),
    "masked_fill larger mask": _of(lambda net, x: net.lin(x).masked_fill_(net.mask[:10, :8] > 0, 0), lin=lin, mask=causal),
    "where fixed": _of(lambda net, x: torch.where(torch.ones(10, 1) > 0, net.lin(x), 0.0), lin=lin),
    "where broadcasts": _of(lambda net, x: torch.where(x[:1, :, :1] > 0, x, net.lin(x)), lin=lin),
    "where of a table": _of(lambda net, x: torch.where(net.lin(x) > 0, x, net.t[:, : x.size(1)]), lin=lin, t=table),
    "clamp by a tensor": _of(lambda net, x: net.lin(x).clamp(min=torch.zeros(10, 1)), lin=lin),
    "clamp by sizes": _of(lambda net, x: net.lin(x).clamp(0, x.size(1)), lin=lin),
    "clamp by two": _of(lambda net, x: torch.clamp(net.lin(x), x[:, :1], x[:, -1:]), lin=lin),
    "float_power": _of(lambda net, x: net.lin(x).float_power(torch.ones(10, 1)), lin=lin),
    "lerp": _of(lambda net, x: torch.lerp(net.lin(x), x, torch.ones(10, 8)), lin=lin),
    "addcmul": _of(lambda net, x: torch.addcmul(net.lin(x), torch.ones(10, 1), x), lin=lin),
    "position table": _of(lambda net, x: net.lin(x) + net.t[:, : x.size(1)], lin=lin, t=table),
    "position table by narrow": _of(lambda net, x: x + net.t.narrow(1, 0, x.size(1)), t=table),
    "position embedding": _of(
        lambda net, x: net.lin(x) + net.e(torch.arange(x.size(1))), lin=lin, e=lambda: nn.Embedding(16, 8)
    ),
    "narrow past the end": _of(lambda net, x: net.lin(x).narrow(1, 2, 7), lin=lin),
    "narrow backwards": _of(lambda net, x: net.lin(x).narrow(1, -4, 3), lin=lin),
    "select from the end": _of(lambda net, x: net.lin(x).select(1, -3), lin=lin),
    "index past the end": _of(lambda net, x: net.lin(x)[:, 6], lin=lin),
    "index by a list": _of(lambda net, x: net.lin(x)[:, [0, 4]], lin=lin),
    "index by a tensor": _of(lambda net, x: net.lin(x)[:, torch.arange(x.size(1) // 2)], lin=lin),
    "index by a mask": _of(lambda net, x: net.lin(x)[:, torch.ones(10) > 0], lin=lin),
    "slice with a step": _of(lambda net, x: net.lin(x)[:, 1::3], lin=lin),
    "slice that crops": _of(lambda net, x: net.lin(x)[:, 2:-1], lin=lin),
    "slice of a fixed length": _of(lambda net, x: net.lin(x)[:, -5:], lin=lin),
    "std by position": _of(lambda net, x: net.lin(x).std(1, ON), lin=lin),
    "var by position": _of(lambda net, x: net.lin(x).var(1, OFF, ON), lin=lin),
    "mean by position": _of(lambda net, x: net.lin(x).mean(1, ON), lin=lin),
    "var_mean": _of(lambda net, x: torch.var_mean(net.lin(x), 1), lin=lin),
    "max with dim": _of(lambda net, x: net.lin(x).max(1)[0], lin=lin),
    "topk": _of(lambda net, x: net.lin(x).topk(3, 1), lin=lin),
    "sort": _of(lambda net, x: net.lin(x).sort(1).values, lin=lin),
    "argmax": _of(lambda net, x: net.lin(x).argmax(-1), lin=lin),
    "cumsum": _of(lambda net, x: net.lin(x).cumsum(1), lin=lin),
    "norm": _of(lambda net, x: net.lin(x).norm(dim=-1, keepdim=True), lin=lin),
    "gather": _of(lambda net, x: net.lin(x).gather(1, torch.zeros(x.size(0), 4, 8).long()), lin=lin),
    "repeat_interleave": _of(lambda net, x: net.lin(x).repeat_interleave(2, 1), lin=lin),
    "tile": _of(lambda net, x: net.lin(x).tile(1, x.size(1), 1), lin=lin),
    "roll": _of(lambda net, x: net.lin(x).roll(x.size(1) // 2, 1), lin=lin),
    "flip": _of(lambda net, x: torch.cat([net.lin(x), x.flip(1)], 1), lin=lin),
    "unfold": _of(lambda net, x: net.lin(x).unfold(1, 4, 2), lin=lin),
    "diagonal": _of(lambda net, x: torch.diagonal(net.lin(x) @ x.mT, dim1=1, dim2=2), lin=lin),
    "outer": _of(lambda net, x: net.lin(x)[:, :, None] * x[:, None], lin=lin),
    "einsum": _of(lambda net, x: torch.einsum("bid,bjd->bij", net.lin(x), x[:, :3]), lin=lin),
    "einsum of a table": _of(lambda net, x: torch.einsum("btd,od->bto", x, net.w), w=lambda: nn.Parameter(torch.zeros(5, 8))),
    "einsum of a fixed length": _of(lambda net, x: torch.einsum("btd,t->bd", net.lin(x), torch.ones(10)), lin=lin),
    "baddbmm": _of(lambda net, x: torch.baddbmm(torch.zeros(1, 10, 10), net.lin(x), x.mT), lin=lin),
    "view batch and time": _of(lambda net, x: net.lin(x.view(-1, 8)).view(x.size(0), x.size(1), -1), lin=lin),
    "view of a fixed length": _of(lambda net, x: net.lin(x).view(-1, 80), lin=lin),
    "view of pairs": _of(lambda net, x: net.lin(x).reshape(x.size(0), -1, 16), lin=lin),
    "flatten": _of(lambda net, x: net.lin(x).flatten(1), lin=lin),
    "flatten and linear": _of(lambda net, x: net.out(x.flatten(1)), out=lambda: nn.Linear(80, 2)),
    "torch.tensor of a size": _of(lambda net, x: net.lin(x) * torch.tensor(x.size(1)), lin=lin),
    "torch.tensor of sizes": _of(lambda net, x: torch.cat([torch.tensor([x.size(1)] * 3)]) + x[..., :3], lin=lin),
    "torch.tensor of a range": _of(lambda net, x: x[..., 0] + torch.tensor([*range(x.size(1))]), lin=lin),
    "numpy of a size": _of(lambda net, x: net.lin(x) + torch.from_numpy(np.zeros((x.size(1), 1), "f4")), lin=lin),
    "numpy of a fixed size": _of(lambda net, x: net.lin(x) + torch.from_numpy(np.zeros((10, 1), "f4")), lin=lin),
    "full_like": _of(lambda net, x: torch.full_like(net.lin(x)[:, 1:], 2.0), lin=lin),
    "zeros_like of a part": _of(lambda net, x: torch.zeros_like(net.lin(x)[:, :4]), lin=lin),
    "new_tensor": _of(lambda net, x: net.lin(x) + x.new_tensor([1.0] * 8), lin=lin),
    "strides": _of(lambda net, x: net.lin(x).as_strided((x.size(0), 2, 8), (x.stride(0), 8, 1)), lin=lin),
    "stride as a size": _of(lambda net, x: torch.zeros(net.lin(x).stride(0)), lin=lin),
    "nbytes as a size": _of(lambda net, x: torch.zeros(net.lin(x).nbytes), lin=lin),
    "storage as a size": _of(lambda net, x: torch.zeros(net.lin(x).untyped_storage().nbytes()), lin=lin),
    "data": _of(lambda net, x: net.lin(x).data + x.detach(), lin=lin),
    "data of a shifted": _of(lambda net, x: net.lin(x)[:, 1:].data.mT, lin=lin),
    "closure": _called_by_a_closure,
    "vmap": _vmapped,
    "functional_call": _called_with_other_weights,
    "odd lengths are padded": _odd_lengths_are_padded,
    "windows": _windows,
    "chunk": _pieces_joined,
    "split": _list_of_pieces,
    "split at a size": _split_at_a_size,
    "shared layer": _of(lambda net, x: net.lin(net.same(x)), **dict.fromkeys(("lin", "same"), _kept(lin))),
    "layers in a dict": _of(lambda net, x: sum(each(x) for each in net.d.values()), d=lambda: nn.ModuleDict({"a": lin(), "b": lin()})),
    "layers in a list": _of(lambda net, x: [each(x) for each in net.d], d=lambda: nn.ModuleList([lin(), lin()])),
    "dict output": _of(lambda net, x: {"a-b": net.lin(x), "a_b": x.mean(1)}, lin=lin),
    "nested output": _of(lambda net, x: {"a": [net.lin(x), (x[:, 1:],)]}, lin=lin),
    "named tuple output": _of(lambda net, x: Pair(net.lin(x), x.sum(1)), lin=lin),
    "dataclass output": _of(lambda net, x: Answer(net.lin(x), x.mean(1)), lin=lin),
    "rotary": _of(lambda net, x: torch.cat([x * torch.outer(torch.arange(x.size(1)), torch.ones(8)).cos(), net.lin(x)], -1), lin=lin),
    "relative positions": _of(lambda net, x: (torch.arange(x.size(1))[:, None] - torch.arange(x.size(1))[None]) + net.lin(x) @ x.mT, lin=lin),
    "alibi": _of(lambda net, x: (x @ x.mT)[:, None] + torch.arange(1 - x.size(1), 1)[None, None, None] * net.s, s=lambda: torch.ones(2, 1, 1)),
    "conv over time": _of(lambda net, x: net.c(x.mT).mT[:, : x.size(1)], c=lambda: nn.Conv1d(8, 4, 4, padding=3)),
    "max over sizes": _of(lambda net, x: net.lin(x)[:, : max(x.size(1) - 3, 1)], lin=lin),
    "min over sizes": _of(lambda net, x: net.lin(x)[:, : min(x.size(1), 6)], lin=lin),
    "power of two": _of(lambda net, x: functional.pad(net.lin(x), (0, 0, 0, 2 ** math.ceil(math.log2(x.size(1))) - x.size(1))), lin=lin),
    "root": _of(lambda net, x: net.lin(x)[:, : int(x.size(1) ** 0.5)], lin=lin),
    "decimal floor": _of(lambda net, x: net.lin(x)[:, : int(x.size(1) // 2.5)], lin=lin),
    "decimal product": _of(lambda net, x: net.lin(x)[:, : int(x.size(1) * 0.7)], lin=lin),
    "squeeze_": _of(lambda net, x: net.lin(x).mean(1, keepdim=True).squeeze_(1), lin=lin),
    "squeeze all": _of(lambda net, x: net.lin(x).squeeze(), lin=lin),
    "transpose_": _of(lambda net, x: net.lin(x).clone().transpose_(1, 2), lin=lin),
    "unsqueeze_": _of(lambda net, x: net.lin(x).unsqueeze_(1), lin=lin),
    "resize by a batch": _of(lambda net, x: net.lin(x).reshape(2, -1, 8), lin=lin),
    "table of the batch": _of(lambda net, x: net.lin(x) + torch.zeros(2, 1, 8), lin=lin),
    "class token": _of(lambda net, x: torch.cat([net.t[:, :1].expand(x.shape[0], -1, -1), net.lin(x)], 1), lin=lin, t=table),
    "cat of an empty": _of(lambda net, x: torch.cat([x[:, :0], net.lin(x)], 1), lin=lin),
    "cdist": _of(lambda net, x: torch.cdist(net.lin(x), x[:, :3]), lin=lin),
    "cosine_similarity": _of(lambda net, x: functional.cosine_similarity(net.lin(x), x[:, :1], dim=-1), lin=lin),
    "fft": _of(lambda net, x: torch.fft.rfft(net.lin(x), dim=1).abs(), lin=lin),
    "norm of a length": _of(lambda net, x: functional.layer_norm(net.lin(x), (10, 8)), lin=lin),
    "norm of sizes": _of(lambda net, x: functional.layer_norm(net.lin(x), x.shape[1:]), lin=lin),
    "scatter": _of(lambda net, x: net.lin(x).scatter(1, torch.zeros(1, 3, 8).long(), 1.0), lin=lin),
    "index_select": _of(lambda net, x: net.lin(x).index_select(1, torch.tensor([0, 3])), lin=lin),
    "meshgrid of lengths": _of(lambda net, x: torch.stack(torch.meshgrid(torch.arange(x.size(1)), torch.arange(3), indexing="xy")), lin=lin),
    "tri of sizes": _of(lambda net, x: torch.tril_indices(x.size(1), x.size(1)), lin=lin),
    "cartesian": _of(lambda net, x: torch.cartesian_prod(torch.arange(x.size(1)), torch.arange(2)), lin=lin),
    "one_hot": _of(lambda net, x: functional.one_hot(torch.arange(x.size(1)), 32) + net.lin(x)[:, :1, :1], lin=lin),
    "bucketize": _of(lambda net, x: torch.bucketize(net.lin(x), torch.arange(x.size(1))), lin=lin),
    "kron": _of(lambda net, x: torch.kron(net.lin(x)[0], torch.ones(1, 2)), lin=lin),
    "block_diag": _of(lambda net, x: block_diag(net.lin(x)[0], torch.ones(2, 2)), lin=lin),
    "tensordot": _of(lambda net, x: torch.tensordot(net.lin(x), x[0], dims=([1], [0])), lin=lin),
    "unflatten": _of(lambda net, x: net.lin(x).unflatten(1, (-1, 2)), lin=lin),
    "swapaxes": _of(lambda net, x: net.lin(x).swapaxes(1, 2).contiguous().view(x.size(0), -1), lin=lin),
    "tensor_split": _of(lambda net, x: torch.tensor_split(net.lin(x), 3, 1)[2], lin=lin),
    "hsplit": _of(lambda net, x: torch.hsplit(net.lin(x), 2)[1], lin=lin),
    "expand by a size": _of(lambda net, x: net.lin(x)[:, :1].expand(-1, x.size(1), -1), lin=lin),
    "expand to a number": _of(lambda net, x: net.lin(x).expand(-1, 10, -1), lin=lin),
}  # fmt: skip

# ---- over maps


@_statements(conv=conv)
def _grid(net: Any, x: Tensor) -> Any:
    y = net.conv(x)
    rows, columns = torch.meshgrid(
        torch.linspace(-1, 1, y.size(2)), torch.linspace(0, 1, y.shape[-1]), indexing="ij"
    )
    grid = torch.stack([rows, columns]).expand(x.size(0), -1, -1, -1)
    return torch.cat([y, grid], 1)


@_statements(conv=conv, down=lambda: nn.MaxPool2d(2), up=lambda: nn.ConvTranspose2d(4, 4, 2, 2))
def _cropped_skip(net: Any, x: Tensor) -> Any:
    y = net.conv(x)
    z = net.up(net.down(y))
    return torch.cat([y[:, :, : z.size(2), : z.size(3)], z], 1)


@_statements(conv=conv, down=lambda: nn.MaxPool2d(2))
def _padded_skip(net: Any, x: Tensor) -> Any:
    y = net.conv(x)
    z = functional.interpolate(net.down(y), scale_factor=2)
    dh, dw = y.size(2) - z.size(2), y.size(3) - z.size(3)
    return y + functional.pad(z, [dw // 2, dw - dw // 2, dh // 2, dh - dh // 2])


@_statements(conv=conv, relative=lambda: torch.zeros(12, 12, 4))
def _permuted_table(net: Any, x: Tensor) -> Any:
    y = net.conv(x)
    return y + net.relative[: y.size(2), : y.size(3)].permute(2, 0, 1)


@_statements(conv=conv)
def _same_as_input(net: Any, x: Tensor) -> Any:
    y = functional.avg_pool2d(net.conv(x), 3, 2, 1)
    return functional.interpolate(y, size=x.shape[-2:], mode="bilinear", align_corners=False)


@_statements(conv=conv)
def _computed_factor(net: Any, x: Tensor) -> Any:
    y = functional.avg_pool2d(net.conv(x), 2)
    return functional.interpolate(y, scale_factor=x.shape[2] / y.shape[2])


@_statements(conv=conv, p=lambda: nn.MaxPool2d(2, return_indices=True), u=lambda: nn.MaxUnpool2d(2))
def _unpooled(net: Any, x: Tensor) -> Any:
    y = net.conv(x)
    z, where = net.p(y)
    return net.u(z, where, output_size=y.shape[2:])


@_statements(conv=conv)
def _channel_shuffle(net: Any, x: Tensor) -> Any:
    y = net.conv(x)
    n, c, h, w = y.shape
    return y.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, -1, h, w)


@_statements(conv=conv)
def _window_partition(net: Any, x: Tensor) -> Any:
    y = net.conv(x)
    n, c, h, w = y.shape
    return y.view(n, c, h // 2, 2, w // 3, 3).permute(0, 2, 4, 3, 5, 1).reshape(-1, 6, c)


@_statements(conv=conv)
def _set_in_a_part(net: Any, x: Tensor) -> Any:
    y = torch.zeros(x.size(0), 4, x.size(2) + 2, x.size(3) + 2)
    y[:, :, 1:-1, 1:-1] = net.conv(x)
    return y


@_statements(conv=conv)
def _set_in_a_fixed_part(net: Any, x: Tensor) -> Any:
    y = torch.zeros(x.size(0), 4, 14, 14)
    y[:, :, 1:-1, 1:-1] = net.conv(x)
    return y


@_statements(conv=conv)
def _until_it_is_small(net: Any, x: Tensor) -> Any:
    y = net.conv(x)
    while y.size(2) > 4:
        y = functional.max_pool2d(y, 2)
    return y


@_statements(conv=conv)
def _one_branch_by_size(net: Any, x: Tensor) -> Any:
    y = net.conv(x)
    return y.mean(2) if x.size(2) >= x.size(3) else y.mean(3)


@_statements(conv=conv)
def _weights_by_a_closure(net: Any, x: Tensor) -> Any:
    def strided(y: Tensor) -> Tensor:
        return functional.conv2d(y, net.conv.weight, stride=2)

    return strided(x)


@_statements(conv=conv)
def _centre_crop(net: Any, x: Tensor) -> Any:
    y = net.conv(x)
    top, left = (y.size(2) - 6) // 2, (y.size(3) - 6) // 2
    return y[:, :, top : top + 6, left : left + 6]


IMAGES: dict[str, Make] = {
    "grid": _grid,
    "cropped skip": _cropped_skip,
    "padded skip": _padded_skip,
    "permuted table": _permuted_table,
    "same as input": _same_as_input,
    "computed factor": _computed_factor,
    "unpooled": _unpooled,
    "channel shuffle": _channel_shuffle,
    "window partition": _window_partition,
    "set in a part": _set_in_a_part,
    "set in a fixed part": _set_in_a_fixed_part,
    "until it is small": _until_it_is_small,
    "branch by size": _one_branch_by_size,
    "weights by a lambda": _weights_by_a_closure,
    "centre crop": _centre_crop,
    "rot90": _of(lambda net, x: net.conv(x).rot90(1, (2, 3)), conv=conv),
    "rot90 default": _of(lambda net, x: torch.rot90(net.conv(x)), conv=conv),
    "rot90 by a size": _of(lambda net, x: torch.rot90(net.conv(x), x.size(2), [2, 3]), conv=conv),
    "flip and roll": _of(lambda net, x: net.conv(x).flip(-1).roll((x.size(2) // 2, 1), (2, 3)), conv=conv),
    "factor of 17 digits": _of(lambda net, x: functional.interpolate(net.conv(x), scale_factor=1.3333333333333333), conv=conv),
    "factors of 17 digits": _of(lambda net, x: net.u(net.conv(x)), conv=conv, u=lambda: nn.Upsample(scale_factor=(0.7, 1.1))),
    "factor kept": _of(lambda net, x: functional.interpolate(net.conv(x), scale_factor=0.6, recompute_scale_factor=True), conv=conv),
    "size by a decimal": _of(lambda net, x: functional.interpolate(net.conv(x), size=[int(s * 1.5) for s in x.shape[2:]]), conv=conv),
    "upsample made here": _of(lambda net, x: nn.Upsample(size=x.shape[2:])(functional.max_pool2d(net.conv(x), 2)), conv=conv),
    "pad to a square": _of(lambda net, x: functional.pad(net.conv(x), (0, max(x.size(2) - x.size(3), 0), 0, max(x.size(3) - x.size(2), 0))), conv=conv),
    "pad by sizes": _of(lambda net, x: net.conv(functional.pad(x, (0, x.size(2) % 3, x.size(3) // 2, 0))), conv=conv),
    "pad reflected": _of(lambda net, x: net.conv(functional.pad(x, (3, 3, 3, 3), mode="reflect")), conv=conv),
    "pad circular": _of(lambda net, x: net.conv(functional.pad(x, (5, 0, 0, 5), mode="circular")), conv=conv),
    "adaptive to sizes": _of(lambda net, x: functional.adaptive_avg_pool2d(net.conv(x), (x.size(2) // 2, 3)), conv=conv),
    "kernel of the map": _of(lambda net, x: functional.max_pool2d(net.conv(x), x.size()[2:]).flatten(1), conv=conv),
    "fixed kernel": _of(lambda net, x: functional.avg_pool2d(net.conv(x), 5, ceil_mode=True), conv=conv),
    "flatten and linear": _of(lambda net, x: net.fc(functional.adaptive_avg_pool2d(net.conv(x), 2).flatten(1)), conv=conv, fc=lambda: nn.Linear(16, 5)),
    "fixed features": _of(lambda net, x: net.fc(net.conv(x).view(x.size(0), -1)), conv=conv, fc=lambda: nn.Linear(4 * 144, 5)),
    "patches": _of(lambda net, x: net.p(x).flatten(2).mT + net.t, p=lambda: nn.Conv2d(3, 8, 3, 3), t=table),
    "unfold": _of(lambda net, x: functional.unfold(net.conv(x), 3, padding=1, stride=2), conv=conv),
    "fold": _of(lambda net, x: functional.fold(functional.unfold(net.conv(x), 3), x.shape[2:], 3), conv=conv),
    "pixel_shuffle": _of(lambda net, x: functional.pixel_shuffle(net.conv(x), 2), conv=conv),
    "pixel_unshuffle": _of(lambda net, x: functional.pixel_unshuffle(net.conv(x), 2), conv=conv),
    "grid_sample": _of(lambda net, x: functional.grid_sample(net.conv(x), functional.affine_grid(torch.zeros(x.size(0), 2, 3), [x.size(0), 3, x.size(2), 7], OFF), align_corners=False), conv=conv),
    "gate": _of(lambda net, x: net.conv(x) * net.conv(x).mean((2, 3), keepdim=True).sigmoid(), conv=conv),
    "softmax of the map": _of(lambda net, x: net.conv(x).flatten(2).softmax(-1).view_as(net.conv(x)), conv=conv),
    "gram": _of(lambda net, x: (y := net.conv(x).flatten(2)) @ y.mT / y.numel(), conv=conv),
    "non local": _of(lambda net, x: torch.einsum("bchw,bcxy->bhwxy", net.conv(x), functional.max_pool2d(net.conv(x), 2)), conv=conv),
    "chunks of channels": _of(lambda net, x: torch.chunk(net.conv(x), 2, dim=1), conv=conv),
    "chunks of rows": _of(lambda net, x: net.conv(x).chunk(4, 2)[-1], conv=conv),
    "rows": _of(lambda net, x: torch.stack([*net.conv(x).unbind(2)], 1), conv=conv),
    "rows in a loop": _of(lambda net, x: sum(row.sum(-1) for row in net.conv(x).permute(2, 0, 1, 3)), conv=conv),
    "loop over sizes": _of(lambda net, x: torch.stack([net.conv(x)[:, :, i] for i in range(x.size(2))], -1), conv=conv),
    "norm of the map": _of(lambda net, x: functional.layer_norm(net.conv(x), net.conv(x).shape[1:]), conv=conv),
    "instance_norm": _of(lambda net, x: functional.instance_norm(net.conv(x)), conv=conv),
    "group_norm": _of(lambda net, x: functional.group_norm(net.conv(x), 2), conv=conv),
    "mask of rows": _of(lambda net, x: net.conv(x) * (torch.arange(x.size(2)) < 4)[:, None], conv=conv),
    "mask of fixed rows": _of(lambda net, x: net.conv(x).masked_fill((torch.arange(12) < 4)[:, None], 0.0), conv=conv),
    "where of maps": _of(lambda net, x: torch.where(x.mean(1, ON) > 0, net.conv(x), torch.zeros(12)), conv=conv),
    "maximum": _of(lambda net, x: torch.maximum(net.conv(x), functional.max_pool2d(net.conv(x), 3, 1, 1)), conv=conv),
    "amax": _of(lambda net, x: net.conv(x).amax((-1, -2)), conv=conv),
    "std and mean": _of(lambda net, x: torch.std_mean(net.conv(x), (2, 3)), conv=conv),
    "std by position": _of(lambda net, x: net.conv(x).std((2, 3), OFF, ON), conv=conv),
    "item of numpy": _of(lambda net, x: net.conv(x)[..., : int(np.ceil(x.size(3) / 2))], conv=conv),
    "numpy product": _of(lambda net, x: net.conv(x).view(x.size(0), int(np.prod(x.shape[2:])), -1), conv=conv),
    "array of sizes": _of(lambda net, x: net.conv(x).view(*np.array(x.shape[:1]).tolist(), -1), conv=conv),
    "tensor of sizes": _of(lambda net, x: net.conv(x)[..., : torch.tensor(x.shape[2:]).shape[0]], conv=conv),
    "in-place copy": _of(lambda net, x: torch.empty(1, 4, 12, 12).copy_(net.conv(x)[:1]), conv=conv),
    "in-place sum": _of(lambda net, x: net.conv(x).add_(net.conv(x)[:, :, :1]), conv=conv),
    "in-place table": _of(lambda net, x: net.conv(x).mul_(torch.ones(12)), conv=conv),
    "T of the map": _of(lambda net, x: net.conv(x).mT.contiguous().flatten(2), conv=conv),
    "data of a square": _of(lambda net, x: net.conv(x).data.transpose(2, 3), conv=conv),
    "strided": _of(lambda net, x: net.conv(x)[:, :, ::2, 1::2], conv=conv),
    "narrow": _of(lambda net, x: net.conv(x).narrow(2, 3, x.size(2) - 5), conv=conv),
    "take every corner": _of(lambda net, x: net.conv(x)[..., [0, -1], :][..., [0, -1]], conv=conv),
    "transposed with a size": _of(lambda net, x: net.u(net.d(x), output_size=x.shape[2:]), d=lambda: nn.Conv2d(3, 4, 3, 2, 1), u=lambda: nn.ConvTranspose2d(4, 3, 3, 2, 1)),
    "sequential of lambdas": _of(lambda net, x: net.s(x), s=lambda: nn.Sequential(conv(), nn.AdaptiveAvgPool2d((3, None)), nn.Flatten(2))),
    "reflect conv": _of(lambda net, x: net.c(x), c=lambda: nn.Conv2d(3, 4, 7, padding=3, padding_mode="reflect")),
    "same conv": _of(lambda net, x: net.c(x), c=lambda: nn.Conv2d(3, 4, 4, padding="same", dilation=2)),
    "rows as a sequence": _of(lambda net, x: net.r(net.conv(x).permute(0, 3, 1, 2).flatten(2)), conv=conv, r=lambda: nn.GRU(48, 5, batch_first=True)),
    "columns as a batch": _of(lambda net, x: net.r(net.conv(x).permute(3, 0, 2, 1).flatten(0, 1))[1], conv=conv, r=lambda: nn.LSTM(4, 5, batch_first=True)),
    "attention over the map": _of(lambda net, x: net.a(*[net.conv(x).flatten(2).mT] * 3), conv=conv, a=lambda: nn.MultiheadAttention(4, 2, batch_first=True)),
}  # fmt: skip
