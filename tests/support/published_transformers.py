"""The published networks that the library of transformers holds, built from its configurations."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn


class Transformer(nn.Module):
    """A model of the library by its class and its configuration's, called with tensors in a fixed order."""

    def __init__(
        self,
        model: str,
        config: str,
        arguments: tuple[str, ...],
        results: tuple[str, ...] = ("logits",),
        *,
        is_causal: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__()
        library: Any = import_module("transformers")  # when it is built: to import it takes seconds
        configuration = getattr(library, config)(attn_implementation="eager", use_cache=False, **settings)
        self.model = getattr(library, model)(configuration)
        self.arguments, self.results, self.is_causal = arguments, results, is_causal

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        named = dict(zip(self.arguments, tensors, strict=False))
        if (
            self.is_causal
        ):  # without a mask it looks for several texts in a row, which meta tensors cannot answer
            named["attention_mask"] = torch.ones_like(tensors[0])
        found = self.model(**named)
        return tuple(found[name] for name in self.results)


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "gpt2": lambda: Transformer(
        "GPT2LMHeadModel", "GPT2Config", ("input_ids", "position_ids"), is_causal=True
    ),
    "bert_base": lambda: Transformer(
        "BertModel",
        "BertConfig",
        ("input_ids", "position_ids", "token_type_ids"),
        ("last_hidden_state", "pooler_output"),
    ),
    "llama2_7b": lambda: Transformer("LlamaForCausalLM", "LlamaConfig", ("input_ids",), is_causal=True),
    "t5_small": lambda: Transformer(
        *("T5ForConditionalGeneration", "T5Config", ("input_ids", "decoder_input_ids")),
        num_decoder_layers=6,
    ),
}
