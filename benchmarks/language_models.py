"""Read Hugging Face models of random weights with their default call, and compare with real runs.

    python benchmarks/language_models.py                  # all of them; some minutes
    python benchmarks/language_models.py llama gpt2       # these
    python benchmarks/language_models.py --group experts  # causal, experts, encoders or others
    python benchmarks/language_models.py --verbose        # reasons uncut

Each model is built from a small configuration and traced once. `exact` means that at three lengths and two
batches the output's shape and the multiply-accumulates are those of the real run, counted by torch's
FlopCounterMode, also by the closed form in the length, and that the parameters are counted once each. Others
are `at least` (flagged, with what is not counted), `as traced` (right, but for the traced size only),
`refused` with the reason, or `wrong`.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
import transformers
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import shapecalc

LENGTHS = (12, 7, 20)
BATCHES = (1, 3)
IDS = 97


@dataclass(frozen=True)
class Case:
    """A model by its configuration, and what a user calls it with: shapes without the batch."""

    config: str
    fields: Mapping[str, Any]
    head: str = "AutoModelForCausalLM"
    inputs: tuple[tuple[str, tuple[Any, ...]], ...] = (("input_ids", ("L",)),)

    def module(self) -> nn.Module:
        torch.manual_seed(0)
        config = getattr(transformers, self.config)(**self.fields)
        head = getattr(transformers, self.head)
        module: nn.Module = head.from_config(config) if hasattr(head, "from_config") else head(config)
        return module.eval()


SMALL = {
    "vocab_size": IDS,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
FULL = {**SMALL, "num_key_value_heads": 4}
HEADS = {**SMALL, "head_dim": 8}
GPT = {"vocab_size": IDS, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64}
TOKENS = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}


def bare(**fields: Any) -> dict[str, Any]:
    """Return small sizes without what a family names otherwise, and what it adds."""
    return {
        **{key: value for key, value in SMALL.items() if key != "num_key_value_heads"},
        **fields,
    }


CAUSAL = {
    "gpt2": Case(
        "GPT2Config", {"vocab_size": IDS, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64}
    ),
    "llama": Case("LlamaConfig", SMALL),
    "mistral": Case("MistralConfig", {**SMALL, "sliding_window": 32}),
    "qwen2": Case("Qwen2Config", SMALL),
    "qwen3": Case("Qwen3Config", HEADS),
    "gemma": Case("GemmaConfig", HEADS),
    "gemma2": Case("Gemma2Config", {**HEADS, "sliding_window": 32, "query_pre_attn_scalar": 8}),
    "gemma3": Case("Gemma3TextConfig", {**HEADS, "sliding_window": 32, "query_pre_attn_scalar": 8}),
    "phi": Case("PhiConfig", FULL),
    "phi3": Case("Phi3Config", SMALL),
    "falcon": Case("FalconConfig", bare(new_decoder_architecture=False, alibi=False)),
    "bloom": Case("BloomConfig", {"vocab_size": IDS, "hidden_size": 32, "n_layer": 2, "n_head": 4}),
    "opt": Case(
        "OPTConfig",
        {"vocab_size": IDS, "hidden_size": 32, "ffn_dim": 48, "num_hidden_layers": 2, **TOKENS}
        | {"num_attention_heads": 4, "max_position_embeddings": 64, "word_embed_proj_dim": 32},
    ),
    "mpt": Case(
        "MptConfig", {"vocab_size": IDS, "d_model": 32, "n_layers": 2, "n_heads": 4, "max_seq_len": 64}
    ),
    "stablelm": Case("StableLmConfig", SMALL),
    "olmo2": Case("Olmo2Config", SMALL),
    "starcoder2": Case("Starcoder2Config", {**SMALL, "sliding_window": 32}),
    "smollm3": Case("SmolLM3Config", SMALL),
    "granite": Case("GraniteConfig", SMALL),
    "gpt_neox": Case("GPTNeoXConfig", bare()),
    "gptj": Case(
        "GPTJConfig",
        GPT | {"rotary_dim": 4},
    ),
    "mamba": Case(
        "MambaConfig",
        {"vocab_size": IDS, "hidden_size": 32, "state_size": 8, "num_hidden_layers": 2, "time_step_rank": 2},
    ),
    "mamba2": Case(
        "Mamba2Config",
        {"vocab_size": IDS, "hidden_size": 32, "state_size": 8, "num_hidden_layers": 2, "num_heads": 8}
        | {"head_dim": 8, "expand": 2, "n_groups": 2, "chunk_size": 8},
    ),
    "gpt_neo": Case(
        "GPTNeoConfig",
        {"vocab_size": IDS, "hidden_size": 32, "num_layers": 2, "num_heads": 4, "max_position_embeddings": 64}
        | {"attention_types": [[["global", "local"], 1]], "window_size": 8},
    ),
    "gpt_bigcode": Case("GPTBigCodeConfig", GPT),
    "codegen": Case(
        "CodeGenConfig",
        GPT | {"rotary_dim": 4},
    ),
    "cohere": Case("CohereConfig", SMALL),
    "glm": Case("GlmConfig", HEADS),
    "mistral_cut": Case("MistralConfig", {**SMALL, "sliding_window": 8}),
    "olmo": Case("OlmoConfig", SMALL),
    "nemotron": Case("NemotronConfig", SMALL),
}

MOE = {**SMALL, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 24}
LATENT = {
    **{key: value for key, value in MOE.items() if key not in ("num_experts", "num_key_value_heads")},
    "num_key_value_heads": 4,
    "n_routed_experts": 4,
    "n_shared_experts": 1,
    "q_lora_rank": 16,
    "kv_lora_rank": 16,
    "qk_rope_head_dim": 4,
    "qk_nope_head_dim": 8,
    "v_head_dim": 8,
    "n_group": 2,
    "topk_group": 1,
    "first_k_dense_replace": 1,
}
EXPERTS = {
    "mixtral": Case("MixtralConfig", {**SMALL, "num_local_experts": 4, "num_experts_per_tok": 2}),
    "qwen2_moe": Case("Qwen2MoeConfig", {**MOE, "shared_expert_intermediate_size": 24}),
    "qwen3_moe": Case("Qwen3MoeConfig", {**MOE, "head_dim": 8}),
    "deepseek_v2": Case("DeepseekV2Config", {**LATENT, "topk_method": "group_limited_greedy"}),
    "deepseek_v3": Case("DeepseekV3Config", LATENT),
    "gpt_oss": Case(
        "GptOssConfig", {**HEADS, "num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": 32}
    ),
    "olmoe": Case("OlmoeConfig", {**SMALL, "num_experts": 4, "num_experts_per_tok": 2}),
    "granitemoe": Case("GraniteMoeConfig", {**SMALL, "num_local_experts": 4, "num_experts_per_tok": 2}),
}

ENCODER = bare(type_vocab_size=2)
TEXT_PAIR = (("input_ids", ("L",)), ("decoder_input_ids", ("L",)))
IMAGE = (("pixel_values", (3, 32, 32)),)
VISION = {
    **{
        key: SMALL[key]
        for key in ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
    },
    "image_size": 32,
    "patch_size": 8,
}
SEQ2SEQ = {
    "vocab_size": IDS,
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48,
    "max_position_embeddings": 64,
    "decoder_start_token_id": 2,
    **TOKENS,
}
ENCODERS = {
    "bert": Case("BertConfig", ENCODER, "AutoModelForMaskedLM"),
    "bert_base": Case("BertConfig", ENCODER, "AutoModel"),
    "roberta": Case("RobertaConfig", ENCODER | {"max_position_embeddings": 66}, "AutoModelForMaskedLM"),
    "distilbert": Case(
        "DistilBertConfig",
        {
            "vocab_size": IDS,
            "dim": 32,
            "hidden_dim": 48,
            "n_layers": 2,
            "n_heads": 4,
            "max_position_embeddings": 64,
        },
        "AutoModelForSequenceClassification",
    ),
    "albert": Case("AlbertConfig", ENCODER | {"embedding_size": 16}, "AutoModelForMaskedLM"),
    "electra": Case("ElectraConfig", ENCODER | {"embedding_size": 16}, "AutoModelForMaskedLM"),
    "deberta_v2": Case(
        "DebertaV2Config",
        ENCODER | {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 8},
        "AutoModelForMaskedLM",
    ),
    "modernbert": Case(
        "ModernBertConfig",
        ENCODER | {"local_attention": 8, "cls_token_id": 1, "sep_token_id": 2},
        "AutoModelForMaskedLM",
    ),
    "mpnet": Case("MPNetConfig", ENCODER | {"max_position_embeddings": 66}, "AutoModelForMaskedLM"),
    "vit": Case("ViTConfig", VISION, "AutoModelForImageClassification", IMAGE),
    "deit": Case("DeiTConfig", VISION, "DeiTForImageClassification", IMAGE),
    "beit": Case("BeitConfig", VISION, "AutoModelForImageClassification", IMAGE),
    "dinov2": Case("Dinov2Config", VISION, "AutoModel", IMAGE),
    "convnext": Case(
        "ConvNextConfig",
        {"hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 2, 1]},
        "AutoModelForImageClassification",
        IMAGE,
    ),
    "resnet": Case(
        "ResNetConfig",
        {"embedding_size": 8, "hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 2, 1]},
        "AutoModelForImageClassification",
        IMAGE,
    ),
    "swin": Case(
        "SwinConfig",
        {
            "image_size": 32,
            "patch_size": 2,
            "embed_dim": 8,
            "depths": [2, 2],
            "num_heads": [2, 4],
            "window_size": 4,
        },
        "AutoModelForImageClassification",
        IMAGE,
    ),
    "segformer": Case(
        "SegformerConfig",
        {"depths": [1, 1, 1, 1], "hidden_sizes": [8, 16, 24, 32], "num_attention_heads": [1, 2, 3, 4]}
        | {"decoder_hidden_size": 16},
        "AutoModelForSemanticSegmentation",
        IMAGE,
    ),
}
AUDIO = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "conv_dim": (16, 16),
    "conv_stride": (5, 2),
    "conv_kernel": (10, 3),
    "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
    "vocab_size": 32,
}
WHISPER = {key: value for key, value in SEQ2SEQ.items() if key != "max_position_embeddings"} | {
    "num_mel_bins": 8,
    "max_source_positions": 32,
    "max_target_positions": 64,
    "suppress_tokens": None,
    "begin_suppress_tokens": None,
}
CLIP = {
    "text_config": {**bare(), "projection_dim": 16},
    "vision_config": VISION,
    "projection_dim": 16,
}
OTHERS = {
    "t5": Case(
        "T5Config",
        {"vocab_size": IDS, "d_model": 32, "d_ff": 48, "d_kv": 8, "num_layers": 2, "num_heads": 4}
        | {"decoder_start_token_id": 0},
        "AutoModelForSeq2SeqLM",
        TEXT_PAIR,
    ),
    "mt5": Case(
        "MT5Config",
        {"vocab_size": IDS, "d_model": 32, "d_ff": 48, "d_kv": 8, "num_layers": 2, "num_heads": 4}
        | {"decoder_start_token_id": 0},
        "AutoModelForSeq2SeqLM",
        TEXT_PAIR,
    ),
    "bart": Case("BartConfig", SEQ2SEQ, "AutoModelForSeq2SeqLM", TEXT_PAIR),
    "bart_ids": Case("BartConfig", SEQ2SEQ, "AutoModelForSeq2SeqLM"),
    "mbart": Case("MBartConfig", SEQ2SEQ, "AutoModelForSeq2SeqLM", TEXT_PAIR),
    "pegasus": Case("PegasusConfig", SEQ2SEQ, "AutoModelForSeq2SeqLM", TEXT_PAIR),
    "marian": Case("MarianConfig", SEQ2SEQ | {"decoder_vocab_size": IDS}, "AutoModelForSeq2SeqLM", TEXT_PAIR),
    "whisper": Case(
        "WhisperConfig",
        WHISPER,
        "AutoModelForSpeechSeq2Seq",
        (("input_features", (8, 64)), ("decoder_input_ids", ("L",))),
    ),
    "wav2vec2": Case("Wav2Vec2Config", AUDIO, "AutoModelForCTC", (("input_values", (800,)),)),
    "hubert": Case("HubertConfig", AUDIO, "AutoModelForCTC", (("input_values", (800,)),)),
    "clip": Case("CLIPConfig", CLIP, "CLIPModel", (("input_ids", ("L",)), ("pixel_values", (3, 32, 32)))),
    "clip_text": Case("CLIPTextConfig", {**bare(), "projection_dim": 16}, "CLIPTextModel"),
    "clip_vision": Case("CLIPVisionConfig", VISION, "CLIPVisionModel", IMAGE),
}
GROUPS = {"causal": CAUSAL, "experts": EXPERTS, "encoders": ENCODERS, "others": OTHERS}


# ---- the real run


def example(name: str, shape: tuple[int, ...]) -> Tensor:
    """Return an argument of a forward: ids are integers, and none of them is a special token."""
    return torch.randint(3, IDS - 1, shape) if name.endswith("ids") else torch.randn(shape)


def main_output(result: Any) -> Tensor:
    """Return the first tensor of a result."""
    values = result.values() if isinstance(result, Mapping) else result
    return next(value for value in values if isinstance(value, Tensor))


def real(module: nn.Module, inputs: Mapping[str, tuple[int, ...]]) -> tuple[tuple[int, ...], int]:
    """Return the shape of the main output and the multiply-accumulates of a run.

    Experts run one after another, since torch does not count their grouped products.
    """
    # torch's counter of modules takes no parameters as arguments otherwise
    module.requires_grad_(requires_grad=False)
    if isinstance(module, transformers.PreTrainedModel):
        module.set_experts_implementation("eager")
    kernel = torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH)
    tensors = {name: example(name, shape) for name, shape in inputs.items()}
    with torch.no_grad(), kernel, FlopCounterMode(display=False) as counter:
        result = module(**tensors)
    return tuple(main_output(result).shape), counter.get_total_flops() // 2


# ---- the comparison


def shapes(case: Case, length: int, batch: tuple[int, ...] = ()) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the arguments at a length."""
    return {
        name: (*batch, *(length if size == "L" else size for size in sizes)) for name, sizes in case.inputs
    }


def questions(case: Case) -> Iterator[tuple[int, int]]:
    """Yield lengths and batches; those of the trace come first."""
    lengths = LENGTHS if any("L" in sizes for _, sizes in case.inputs) else LENGTHS[:1]
    yield from ((length, batch) for length in lengths for batch in BATCHES)


def measured(case: Case) -> tuple[str, str]:
    """Return a verdict and its reason."""
    module, same = case.module(), case.module()
    try:
        at_trace = shapes(case, LENGTHS[0])
        model = shapecalc.from_torch(
            module, input=next(iter(at_trace.values())) if len(at_trace) == 1 else at_trace
        )
    except shapecalc.ShapecalcError as error:
        return "refused", str(error)
    titles = [*model.input] if isinstance(model.input, Mapping) else ["input"]
    names = dict(zip(at_trace, titles, strict=True))
    wrong: list[str] = []
    refused: list[str] = []
    missing: list[str] = []
    for length, batch in questions(case):
        inputs = {names[name]: shape for name, shape in shapes(case, length).items()}
        question = inputs if len(inputs) > 1 else next(iter(inputs.values()))
        shape, macs = real(same, shapes(case, length, (batch,)))
        try:
            report = model.analyze(input=question, batch=batch)
        except shapecalc.ShapecalcError as error:
            refused.append(f"L={length} batch={batch}: {error}")
            continue
        got = next(iter(report.outputs.values()))
        if got != shape:
            wrong.append(f"L={length} batch={batch}: output {got}, true {shape}")
        if not report.complete:
            missing = report.not_counted
        elif report.macs != macs:
            wrong.append(f"L={length} batch={batch}: {report.macs:,} MACs, true {macs:,}")
        params = sum(parameter.numel() for parameter in module.parameters())
        if report.params != params:
            wrong.append(f"{report.params:,} parameters, true {params:,}")
    if wrong:
        return "wrong", "; ".join(dict.fromkeys(wrong))
    if missing:
        return "at least", f"{len(missing)} not counted: {', '.join(sorted(set(map(kind_of, missing))))}"
    if refused:
        return "as traced", refused[0]
    return closed_form(case, same, model)


def kind_of(entry: str) -> str:
    """Return the function's name from an entry of `not_counted`."""
    return entry.partition(" (")[0].rpartition(".")[2].rstrip("_0123456789")


def closed_form(case: Case, module: nn.Module, model: shapecalc.Model) -> tuple[str, str]:
    """Return the verdict on the closed form in the length, where there is a length."""
    if not any("L" in sizes for _, sizes in case.inputs):
        return "exact", ""
    try:
        macs: Any = model.analyze(symbolic=True).macs
    except shapecalc.ShapecalcError as error:
        return "numbers", str(error)
    if not isinstance(macs, shapecalc.Expr):
        return "numbers", f"no closed form: {macs}"
    for length in LENGTHS:
        sizes = {name: model.parameters[name] for name in macs.free_symbols}
        value = macs.subs({name: length if size == LENGTHS[0] else size for name, size in sizes.items()})
        if value != (true := real(module, shapes(case, length, (1,)))[1]):
            return "wrong", f"closed form {macs} at {length}: {value}, true {true}"
    return "exact", str(macs)


def main() -> None:
    """Print a line for each model, and how often each verdict and reason is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--group", choices=GROUPS, action="append")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    groups = {name: cases for name, cases in GROUPS.items() if not options.group or name in options.group}
    verdicts: Counter[str] = Counter()
    for title, cases in groups.items():
        for name, case in cases.items():
            if options.names and name not in options.names:
                continue
            try:
                verdict, reason = measured(case)
            except Exception as error:  # noqa: BLE001  (a crash is a verdict too)
                verdict, reason = "crash", f"{type(error).__name__}: {error}"
            verdicts[verdict] += 1
            text = reason if options.verbose else " ".join(reason.split())[:220]
            print(f"{title:<9}{name:<14}{verdict:<10}{text}", flush=True)
    print(", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common()))


if __name__ == "__main__":
    main()
