"""Idioms of language models: ids, caches, masks and experts; shapes and MACs are those of real runs."""

from __future__ import annotations

import contextlib
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from shapecalc import ShapecalcError, SpecError, from_torch

ROWS = 23


class Of(nn.Module):
    """A forward that is one function of the module and its input ids, over parts and tensors by name."""

    def __init__(self, function: Callable[[Any, Tensor], Any], **parts: Any) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, ids: Tensor) -> Any:
        return self.function(self, ids)


def ran(net: nn.Module, *inputs: Tensor) -> tuple[list[tuple[int, ...]], int]:
    """Return the shapes that come out of a real run, and its MACs."""
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        result = net(*inputs)
    values = result.values() if isinstance(result, Mapping) else [result]
    tensors = [value for value in values if isinstance(value, Tensor)]
    return [tuple(tensor.shape) for tensor in tensors], counter.get_total_flops() // 2


def assert_like_torch(net: nn.Module, *lengths: int) -> None:
    """Check an import of a forward of ids, traced at the first length, against real runs, and its formula."""
    model = from_torch(net.eval(), input=(lengths[0],))
    formula: Any = model.analyze(symbolic=True).macs
    for length in lengths:
        for batch in (1, 3):
            shapes, macs = ran(net, torch.randint(ROWS, (batch, length)))
            report = model.analyze(input=(length,), batch=batch)
            assert report.complete, report.not_counted
            assert ([*report.outputs.values()], report.macs) == (shapes, macs), (length, batch)
            assert report.params == sum(parameter.numel() for parameter in net.parameters())
        assert (formula if isinstance(formula, int) else formula.subs({"L": length})) * 3 == macs


# ---- ids

EMBED = nn.Embedding(ROWS, 8)
IDS: dict[str, nn.Module] = {
    "a table": Of(lambda net, ids: net.embed(ids), embed=EMBED),
    "a function": Of(
        lambda net, ids: functional.embedding(ids, net.table), table=nn.Parameter(torch.zeros(ROWS, 8))
    ),
    "rows by index": Of(lambda net, ids: net.table[ids], table=nn.Parameter(torch.zeros(ROWS, 8))),
    "in another shape first": Of(lambda net, ids: net.embed(ids.view(-1, ids.shape[-1]) + 0), embed=EMBED),
    "without their last": Of(lambda net, ids: net.embed(ids[:, :-1]), embed=EMBED),
}


@pytest.mark.parametrize("name", IDS)
def test_ids_are_integers(name: str) -> None:
    assert_like_torch(IDS[name], 6, 4, 9)


class Captioning(nn.Module):
    """A forward of features and ids, of which only the ids are integers."""

    def __init__(self) -> None:
        super().__init__()
        self.project, self.embed, self.head = nn.Linear(6, 8), nn.Embedding(ROWS, 8), nn.Linear(8, ROWS)

    def forward(self, features: Tensor, ids: Tensor) -> Any:
        return self.head(self.embed(ids) + self.project(features).mean(1, keepdim=True))


def test_only_inputs_that_are_read_as_ids_are_integers() -> None:
    net = Captioning()
    model = from_torch(net, input={"features": (10, 6), "ids": (7,)})
    for rows, length in ((10, 7), (3, 5)):
        shapes, macs = ran(net, torch.zeros(2, rows, 6), torch.randint(ROWS, (2, length)))
        report = model.analyze(input={"features": (rows, 6), "ids": (length,)}, batch=2)
        assert ([*report.outputs.values()], report.macs) == (shapes, macs)


def test_examples_keep_their_dtypes() -> None:
    net = Of(lambda net, ids: net.embed(ids), embed=EMBED)
    assert from_torch(net, args=[torch.zeros(2, 7, dtype=torch.int32)]).analyze().output == (2, 7, 8)
    with pytest.raises(SpecError, match="indices"):
        from_torch(net, args=[torch.zeros(2, 7)])


# ---- caches and results


def _cached(net: Any, ids: Tensor) -> Any:
    hidden = net.embed(ids)
    keys = torch.tensor([], dtype=hidden.dtype, device=hidden.device)
    return torch.cat([keys, hidden], dim=-2) @ hidden.transpose(1, 2)


class Output(OrderedDict[str, Any]):
    """A result that is a mapping."""


class Makers(OrderedDict[str, Any]):
    """Classes by name, of which an instance is made when they are read."""

    def __getitem__(self, key: str) -> Any:
        return super().__getitem__(key)()


class Activation(nn.Module):
    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x * self.scale)


ACTIVATIONS = Makers(relu=nn.ReLU, scaled=Activation)  # the second cannot be made without a scale


def _mapped(net: Any, ids: Tensor) -> Output:
    logits = net.head(ACTIVATIONS["relu"](net.embed(ids)))
    return Output(logits=logits, past=None, hidden=logits[:, -1:])


RESULTS: dict[str, nn.Module] = {
    "a cache that is empty": Of(_cached, embed=EMBED),
    "a mapping": Of(_mapped, embed=EMBED, head=nn.Linear(8, ROWS)),
}


@pytest.mark.parametrize("name", RESULTS)
def test_caches_and_results(name: str) -> None:
    assert_like_torch(RESULTS[name], 6, 4, 9)


# ---- attention with fewer keys than queries, experts


class Grouped(nn.Module):
    """Attention of 8 heads in groups, each group with keys and values of its own."""

    def __init__(self, groups: int, *, is_masked: bool) -> None:
        super().__init__()
        self.is_masked, self.embed, self.out = is_masked, nn.Embedding(ROWS, 32), nn.Linear(32, 32)
        self.query, self.both = nn.Linear(32, 32), nn.Linear(32, 2 * groups * 4)

    def forward(self, ids: Tensor) -> Any:
        hidden = self.embed(ids)
        shape = (*hidden.shape[:-1], -1, 4)
        query = self.query(hidden).view(shape).transpose(1, 2)
        keys, values = self.both(hidden).view(shape).transpose(1, 2).chunk(2, dim=1)
        length = ids.shape[1]
        mask = torch.arange(length)[:, None] >= torch.arange(length)[None, :] if self.is_masked else None
        attended = functional.scaled_dot_product_attention(
            query, keys, values, attn_mask=mask, is_causal=mask is None, enable_gqa=True
        )
        return self.out(attended.transpose(1, 2).reshape(hidden.shape))


@pytest.mark.parametrize("is_masked", [False, True])
@pytest.mark.parametrize("groups", [1, 2, 8])
def test_heads_in_groups_share_keys(groups: int, *, is_masked: bool) -> None:
    assert_like_torch(Grouped(groups, is_masked=is_masked), 6, 4, 9)


@pytest.mark.skipif(not hasattr(functional, "grouped_mm"), reason="since torch 2.10")
def test_each_row_is_multiplied_by_one_matrix_of_its_group() -> None:
    class Experts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.up, self.down = nn.Parameter(torch.ones(4, 12, 8)), nn.Parameter(torch.ones(4, 12, 8))

        def forward(self, x: Tensor) -> Any:
            rows = x.flatten(0, 1)
            ends = torch.arange(1, 5, dtype=torch.int32)
            hidden = functional.grouped_mm(rows, self.up.transpose(1, 2), offs=ends).relu()
            return functional.grouped_mm(hidden, self.down, offs=ends).view_as(x)

    net = Experts()
    model = from_torch(net, input=(10, 8))
    for length in (10, 7):
        report = model.analyze(input=(length, 8), batch=3)
        assert report.output == tuple(net(torch.zeros(3, length, 8)).shape)
        assert (report.complete, report.macs, report.params) == (
            True,
            3 * length * 2 * 12 * 8,
            2 * 4 * 12 * 8,
        )


def _choice(net: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the experts of the rows, in order, and the rows."""
    chosen, rows = net.router(x).topk(net.picks, dim=-1)[1].view(-1).sort()
    return chosen, x[rows // net.picks]


def _ends(chosen: Tensor) -> Tensor:
    return torch.cumsum(torch.histc(chosen.float(), bins=6, min=0, max=5), 0, dtype=torch.int32)


def _grouped(net: Any, x: Tensor) -> Any:
    chosen, rows = _choice(net, x.flatten(0, 1))
    return functional.grouped_mm(rows, net.up.transpose(-2, -1), offs=_ends(chosen)) + net.bias[chosen]


def _gathered(net: Any, x: Tensor) -> Any:
    chosen, rows = _choice(net, x.flatten(0, 1))
    return torch.bmm(net.up[chosen], rows[..., None]).squeeze(-1) + net.bias[chosen]


def _also_summed(net: Any, x: Tensor) -> Any:
    return _grouped(net, x) + net.up.sum((0, 2))


def _of_pairs(net: Any, x: Tensor) -> Any:
    chosen, rows = _choice(net, x.flatten(0, 1))
    return functional.grouped_mm(rows, net.up.transpose(-2, -1), offs=_ends(chosen // 2 * 2))


def _partly_unknown(net: Any, x: Tensor) -> Any:
    chosen, rows = _choice(net, x.flatten(0, 1))
    ends = torch.arange(1, 7, dtype=torch.int32) * (rows.shape[0] // 6)
    return functional.grouped_mm(rows, net.up.transpose(-2, -1), offs=ends) + net.bias[chosen]


def _with_a_codebook(net: Any, x: Tensor) -> Any:
    return _grouped(net, x) + net.codes[net.router(x.flatten(0, 1)).argmax(-1)].repeat_interleave(
        net.picks, 0
    )


@pytest.mark.skipif(not hasattr(functional, "grouped_mm"), reason="since torch 2.10")
@pytest.mark.sample(6)
@pytest.mark.parametrize("picks", [1, 5])
@pytest.mark.parametrize(
    ("forward", "is_known"),
    [
        (_grouped, True),
        (_gathered, True),
        (_with_a_codebook, True),
        (_also_summed, False),
        (_of_pairs, False),
        (_partly_unknown, False),
    ],
)
def test_parameters_active_per_token(
    forward: Callable[[Any, Tensor], Any], is_known: bool, picks: int
) -> None:
    stacks = {"up": (6, 12, 8), "bias": (6, 12), "codes": (6, 12)}
    tensors = {name: nn.Parameter(torch.ones(shape)) for name, shape in stacks.items()}
    net = Of(forward, router=nn.Linear(8, 6), picks=picks, **tensors)
    report = from_torch(net, input=(12, 8)).analyze()
    idle = (6 - picks) * (12 * 8 + 12)
    assert report.active_params == (report.params - idle if is_known else None)
    assert report.to_dict().get("active_params") == report.active_params
    assert (f"one token uses {report.active_params}" in str(report).replace(",", "")) == is_known


# ---- positions


def _partly_rotated(net: Any, ids: Tensor) -> Any:
    """Rotate as many features as there are angles: here all of them, so that none is left."""
    hidden = net.embed(ids)
    angles = net.frequencies[None, :] * torch.arange(ids.shape[1])[:, None]
    turned, kept = hidden[..., : angles.shape[-1]], hidden[..., angles.shape[-1] :]
    return net.head(torch.cat([turned * angles.cos(), kept], dim=-1))


def _with_slopes(net: Any, ids: Tensor) -> Any:
    """Add a bias by distance, the last columns of a longer one."""
    hidden = net.embed(ids)
    bias = torch.arange(1 - 16, 1)[None, :] * torch.ones(1, 1)
    bias = bias[:, max(0, bias.size(1) - ids.shape[1]) :]
    return (hidden @ hidden.mT + bias).softmax(-1) @ hidden


def _counted(net: Any, ids: Tensor) -> Any:
    integer: Any = int
    first = torch.zeros(ids.shape[0], dtype=integer)
    return net.embed(torch.arange(ids.shape[1])[None, :] - first[:, None])


POSITIONS: dict[str, nn.Module] = {
    "from a first one in each row": Of(_counted, embed=EMBED),
    "all features are rotated": Of(
        _partly_rotated, embed=EMBED, head=nn.Linear(8, ROWS), frequencies=nn.Parameter(torch.ones(8))
    ),
    "the end of a longer bias": Of(_with_slopes, embed=EMBED),
}


@pytest.mark.parametrize("name", POSITIONS)
def test_positions(name: str) -> None:
    assert_like_torch(POSITIONS[name], 6, 4, 9)


def test_a_slice_past_the_end_holds_while_it_is_empty() -> None:
    net = Of(lambda net, ids: torch.cat([net.embed(ids), net.embed(ids[:, 8:])], dim=1), embed=EMBED)
    model = from_torch(net, input=(6,))
    for length in (3, 8):
        assert model.analyze(input=(length,)).output == (1, length, 8)
    with pytest.raises(ShapecalcError, match="10 is not at most 8"):
        model.analyze(input=(10,))


# ---- masks, and decisions by the ids


def _all_kept(net: Any, ids: Tensor, *, by_sum: bool) -> Any:
    """Attend with a mask only where a position is left out, which none is."""
    hidden = net.embed(ids)
    kept = torch.ones(ids.shape, dtype=torch.bool)[:, torch.arange(ids.shape[1])]
    is_complete = kept.sum() == kept.numel() if by_sum else kept.all()
    scores = hidden @ hidden.mT
    return (scores if is_complete else scores.masked_fill(~kept[:, None], -1e9)).softmax(-1) @ hidden


def _warned(net: Any, ids: Tensor) -> Any:
    """Log a warning where an id is that of padding."""
    if 0 in ids[:, [-1, 0]]:
        LOG.warning("padded")
    name = "padded" if ids.eq(0).any().item() else "complete"
    return {name: net.embed(ids)}[name]


LOG = logging.getLogger(__name__)
DECIDED: dict[str, nn.Module] = {
    "all": Of(partial(_all_kept, by_sum=False), embed=EMBED),
    "a sum": Of(partial(_all_kept, by_sum=True), embed=EMBED),
    "a warning": Of(_warned, embed=EMBED),
}


@pytest.mark.parametrize("name", DECIDED)
def test_decisions_that_change_nothing_are_no_conditions(name: str, caplog: pytest.LogCaptureFixture) -> None:
    model = from_torch(DECIDED[name], input=(6,))
    assert not caplog.records
    assert not model.analyze(symbolic=True).conditions
    assert_like_torch(DECIDED[name], 6, 4, 9)


def _twice_if_both(net: Any, ids: Tensor) -> Any:
    first, second = bool((ids == 1).any()), bool((ids == 2).any())
    return net.embed(ids) * (net.embed(ids) if first and second else 1)


def _while_any(net: Any, ids: Tensor) -> Any:
    while not (ids == 0).all():
        ids = ids // 2
    return net.embed(ids)


def _of_several(net: Any, ids: Tensor) -> Any:
    return net.embed(ids) if (ids == 1)[0] else net.embed(ids) + 0


@pytest.mark.parametrize("forward", [_twice_if_both, _while_any, _of_several])
def test_decisions_that_change_the_record_are_refused(forward: Any) -> None:
    with pytest.raises(SpecError, match=r"values of the input|ambiguous"):
        from_torch(Of(forward, embed=EMBED), input=(6,))


COMPARED: dict[str, Callable[[Tensor], Any]] = {
    "numbers by a size": lambda ids: (torch.arange(5) < ids.shape[1]).all(),
    "a size by numbers": lambda ids: (ids.shape[1] > torch.arange(5)).all(),
    "by a method": lambda ids: torch.arange(5).lt(ids.shape[1]).all(),
    "a product": lambda ids: (torch.ones(5).mul(ids.shape[1]) > 5).all(),
    "a sum of ones": lambda ids: torch.ones(ids.shape[1]).sum() > 4,
    "a sum by another size": lambda ids: torch.ones(ids.shape[1]).sum() == 2 * ids.shape[1] - 6,
    "the greatest": lambda ids: (
        (torch.arange(len(ids[0])) * 0 + 5).maximum(torch.arange(len(ids[0]))).max() == 5
    ),
}


@pytest.mark.parametrize("name", COMPARED)
def test_numbers_that_sizes_went_into_hold_for_these(name: str) -> None:
    def forward(net: Any, ids: Tensor) -> Any:
        return net.embed(ids if COMPARED[name](ids) else torch.cat([ids, ids]))

    net = Of(forward, embed=EMBED)
    model = from_torch(net, input=(6,))
    for length in (6, 4, 9):
        expected = ran(net, torch.zeros(1, length, dtype=torch.long))[0][0]
        with contextlib.suppress(ShapecalcError):
            assert model.analyze(input=(length,)).output == expected


# ---- models of the library that most people have

SMALL = {
    "vocab_size": ROWS,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "pad_token_id": 0,
}
LIBRARY: dict[str, dict[str, Any]] = {
    "Llama": {},
    "GPT2": {"n_embd": 32, "n_layer": 2, "n_head": 4},
    "Mixtral": {"num_local_experts": 4, "num_experts_per_tok": 2},
}


@pytest.mark.ci
@pytest.mark.parametrize("family", LIBRARY)
def test_language_models_of_transformers(family: str) -> None:
    transformers: Any = pytest.importorskip("transformers", minversion="5.0")
    config = getattr(transformers, f"{family}Config")(**SMALL | LIBRARY[family])
    net = transformers.AutoModelForCausalLM.from_config(config).eval()
    model = from_torch(net, input=(6,))
    if hasattr(net, "set_experts_implementation"):
        net.set_experts_implementation("eager")  # torch does not count grouped products
    formula: Any = model.analyze(symbolic=True).macs
    for length in (6, 4, 9):
        shapes, macs = ran(net, torch.randint(1, ROWS, (3, length)))
        report = model.analyze(input=(length,), batch=3)
        assert (report.output, report.macs, report.complete) == (shapes[0], macs, True)
        assert formula.subs({"L": length}) * 3 == macs
        assert report.params == sum(parameter.numel() for parameter in net.parameters())
