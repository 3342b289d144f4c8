"""The cache of language models in closed form: the bytes of a real run at other lengths and batches."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import transformers
from click.testing import CliRunner
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from shapecalc import SpecError, Undecided
from shapecalc.bridges.torch.key_value_cache import cache_tensors, read_cache
from shapecalc.cli import main

SIZES: dict[str, Any] = {
    "vocab_size": 97,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "pad_token_id": 0,
}
LATENT = {
    "kv_lora_rank": 16,
    "q_lora_rank": 16,
    "qk_rope_head_dim": 4,
    "qk_nope_head_dim": 8,
    "v_head_dim": 8,
}
HYBRID = {
    "attn_layer_period": 2,
    "attn_layer_offset": 1,
    "mamba_d_state": 4,
    "mamba_d_conv": 3,
    "mamba_dt_rank": 4,
}
FAMILIES: dict[str, tuple[dict[str, Any], str | None]] = {
    "Llama": (SIZES, "256·L·N"),
    "Mistral": (SIZES | {"sliding_window": 20}, "256·L·N - 256·N·max(L - 19, 0)"),
    "Falcon": (
        {"vocab_size": 97, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4},
        "128·L·N",
    ),
    "DeepseekV3": (SIZES | LATENT | {"n_routed_experts": 8, "num_key_value_heads": 4}, "160·L·N"),
    "Mamba": ({"vocab_size": 97, "hidden_size": 32, "num_hidden_layers": 2, "state_size": 8}, "6,144·N"),
    "Gemma2": (SIZES | {"head_dim": 8, "sliding_window": 20}, "256·L·N - 128·N·max(L - 19, 0)"),
    "Jamba": (SIZES | HYBRID | {"use_mamba_kernels": False}, None),
}


def network(name: str, **fields: Any) -> nn.Module:
    config = getattr(transformers, f"{name}Config")(**FAMILIES[name][0] | fields)
    torch.manual_seed(0)
    return getattr(transformers, f"{name}ForCausalLM")(config).eval()  # type: ignore[no-any-return]


def real_bytes(module: nn.Module, length: int, batch: int) -> int:
    with torch.no_grad():
        result = module(input_ids=torch.randint(1, 90, (batch, length)), use_cache=True)
    return sum(tensor.nbytes for tensor in cache_tensors(result).values())


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.filterwarnings("ignore")
def test_the_bytes_are_those_of_a_real_run(name: str) -> None:
    module = network(name)
    cache = read_cache(module)
    for length, batch in ((12, 1), (7, 3), (45, 2)):
        assert cache.bytes(length, batch) == real_bytes(module, length, batch) > 0
        assert cache.per_token(length, batch) == cache.bytes(length + 1, batch) - cache.bytes(length, batch)
    if (formula := FAMILIES[name][1]) is not None:
        assert str(cache.bytes(batch=None)) == formula


def counted(module: nn.Module, length: int) -> tuple[int, int]:
    """Return the MACs of reading a text, and of a token after it, as torch's counter has them."""
    module.requires_grad_(requires_grad=False)
    if callable(set_experts := getattr(module, "set_experts_implementation", None)):
        set_experts("eager")
    flops = []
    cache = None
    for tokens in (length, 1):
        ids = torch.randint(1, 90, (1, tokens))
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            result = module(
                input_ids=ids, use_cache=True, **({} if cache is None else {"past_key_values": cache})
            )
        cache = result.past_key_values
        flops.append(counter.get_total_flops() // 2)
    return flops[0], flops[1]


@pytest.mark.ci
@pytest.mark.parametrize(
    ("name", "formula"), [("Llama", "128·L + 18,592"), ("Falcon", None), ("DeepseekV3", None)]
)
@pytest.mark.filterwarnings("ignore")
def test_the_macs_of_a_token_are_those_of_a_real_run(name: str, formula: str | None) -> None:
    cache = read_cache(network(name))
    for length in (12, 7, 40):
        assert (cache.prefill_macs(length), cache.decode_macs(length)) == counted(network(name), length)
    assert formula is None or str(cache.decode_macs()) == formula


@pytest.mark.filterwarnings("ignore")
def test_the_longest_text_and_the_largest_batch() -> None:
    cache = read_cache(network("Mistral"))
    for room in (0, 255, 256, 4096, 5119, 5120):
        longest, largest = cache.longest(room, batch=1), cache.largest_batch(room, length=3)
        assert longest is None or cache.bytes(longest) <= room < cache.bytes(longest + 1) or longest == 0
        assert largest is not None
        assert cache.bytes(3, largest or 1) <= room or largest == 0
        assert cache.bytes(3, largest + 1) > room
    assert cache.longest(256 * 19) is None  # the window is full, and no text needs more
    assert cache.bytes(10, 2, "bf16") * 2 == cache.bytes(10, 2)


@pytest.mark.filterwarnings("ignore")
def test_without_a_closed_form_the_longest_text_is_not_searched_for(tmp_path: Path) -> None:
    """Heads of a single number have rotations that are empty slices, which have no rule."""
    file = tmp_path / "config.json"
    fields = SIZES | {"num_attention_heads": 32, "num_key_value_heads": 32}
    file.write_text(json.dumps(fields | {"model_type": "llama", "architectures": ["LlamaForCausalLM"]}))
    result = CliRunner().invoke(main, ["memory", str(file), "--kv", "40", "--fit", "1MiB"])
    assert result.exit_code == 0, result.output
    assert "at batch 1: the longest text is not known" in result.output
    assert "at 40 tokens: a batch of at most " in result.output


def test_a_cache_that_may_shrink_has_no_longest_text() -> None:
    """Of a text of L tokens the first 20 - L are kept."""

    class Forgetful(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(97, 1)

        def forward(self, input_ids: torch.Tensor, use_cache: bool) -> SimpleNamespace:
            kept = self.words(input_ids)
            return SimpleNamespace(logits=kept, cache=(kept[:, : max(0, 20 - input_ids.shape[1])],))

    cache = read_cache(Forgetful())
    assert (cache.elements(12, 1), cache.elements(15, 1)) == (8, 5)
    with pytest.raises(Undecided, match="a longer text may have a smaller cache"):
        cache.longest(100)


def test_what_keeps_nothing_is_refused() -> None:
    class Plain(nn.Module):
        def forward(self, input_ids: torch.Tensor, use_cache: bool) -> torch.Tensor:
            return input_ids * 2

    with pytest.raises(SpecError, match="Plain keeps nothing between tokens"):
        read_cache(Plain())


@pytest.mark.sample(1)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("room", "fits"), [("1MiB", True), ("50KiB", False)])
def test_the_command(room: str, fits: bool, tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(SIZES | {"model_type": "llama", "architectures": ["LlamaForCausalLM"]}))
    words = ["memory", str(file), "--kv", "1K", "--batch", "3", "--dtype", "bf16", "--fit", room]
    result = CliRunner().invoke(main, [*words, "--format", "json"])
    answer = json.loads(result.output)
    llama = network("Llama")
    weights = sum(item.numel() for item in (*llama.parameters(), *llama.buffers()))
    assert answer["weight_bytes"] == 2 * weights
    assert answer["cache_bytes"] == 1024 * 3 * 128
    assert answer["fits"] is fits
    assert result.exit_code == (not fits)
    text = CliRunner().invoke(main, words).output
    assert "Cache: 128·L·N bytes for N texts of L tokens" in text
    expected = "any length up to the 2,048 of the model" if fits else f"at most {answer['longest']} tokens"
    assert f"at batch 3: a text of {expected}" in text


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["lenet5", "--kv", "3"], "lenet5 is not a torch module"),
        (["lenet5", "--kv", "no"], "'no' is not a number of tokens: write 32768 or 32K"),
        (["lenet5", "--kv", "3", "--train", "adam"], "--kv goes with --batch, --dtype and --fit"),
    ],
)
def test_what_the_option_does_not_go_with(words: list[str], says: str) -> None:
    result = CliRunner().invoke(main, ["memory", *words])
    assert result.exit_code == 2
    assert says in result.output
