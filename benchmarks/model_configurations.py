"""Hugging Face models by small configurations, and what each is called with, for `language_models.py`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
import transformers
from torch import nn

IDS = 97


@dataclass(frozen=True)
class Case:
    """A model by its configuration, and what a user calls it with: shapes without the batch.

    Free sizes have names: L is a length, H the side of an image, T a number of samples.
    """

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

CAUSAL |= {
    "cohere2": Case("Cohere2Config", {**HEADS, "sliding_window": 32}),
    "helium": Case("HeliumConfig", HEADS),
    "olmo3": Case("Olmo3Config", {**HEADS, "sliding_window": 32}),
    "persimmon": Case("PersimmonConfig", FULL),
    "biogpt": Case("BioGptConfig", FULL),
    "xglm": Case(
        "XGLMConfig",
        {"vocab_size": IDS, "d_model": 32, "ffn_dim": 48, "num_layers": 2, "attention_heads": 4}
        | {"max_position_embeddings": 64},
    ),
    "ctrl": Case("CTRLConfig", {**GPT, "dff": 48}),
    "openai": Case("OpenAIGPTConfig", GPT),
    "recurrent_gemma": Case(
        "RecurrentGemmaConfig",
        {**SMALL, "num_hidden_layers": 3, "attention_window_size": 32, "lru_width": 32},
    ),
    "jamba": Case(
        "JambaConfig",
        {
            **SMALL,
            "num_experts": 4,
            "attn_layer_period": 2,
            "attn_layer_offset": 1,
            "use_mamba_kernels": False,
        }
        | {"mamba_d_state": 4, "mamba_dt_rank": 2},
    ),
    "lfm2": Case("Lfm2Config", {**SMALL, "layer_types": ["conv", "full_attention"]}),
    "bitnet": Case("BitNetConfig", SMALL),
    "xlnet": Case(
        "XLNetConfig", {"vocab_size": IDS, "d_model": 32, "n_layer": 2, "n_head": 4, "d_inner": 48}
    ),
}
EXPERTS |= {
    "llama4": Case("Llama4TextConfig", {**HEADS, "num_local_experts": 4, "intermediate_size_mlp": 48}),
    "phimoe": Case("PhimoeConfig", {**SMALL, "num_local_experts": 4}),
    "jetmoe": Case("JetMoeConfig", {**SMALL, "num_local_experts": 4, "kv_channels": 8}),
    "flex_olmo": Case("FlexOlmoConfig", {**HEADS, "num_experts": 4, "num_experts_per_tok": 2}),
    "glm4_moe": Case(
        "Glm4MoeConfig", {**MOE, "n_routed_experts": 4, "n_group": 2, "topk_group": 1, "head_dim": 8}
    ),
    "switch": Case(
        "SwitchTransformersConfig",
        {"vocab_size": IDS, "d_model": 32, "d_ff": 48, "d_kv": 8, "num_layers": 2, "num_heads": 4}
        | {"num_experts": 4, "decoder_start_token_id": 0},
        "AutoModelForSeq2SeqLM",
        TEXT_PAIR,
    ),
}
MASKED = "AutoModelForMaskedLM"
ENCODERS |= {
    "xlm_roberta": Case("XLMRobertaConfig", ENCODER | {"max_position_embeddings": 66}, MASKED),
    "deberta": Case(
        "DebertaConfig", ENCODER | {"relative_attention": True, "pos_att_type": ["p2c", "c2p"]}, MASKED
    ),
    "convbert": Case("ConvBertConfig", ENCODER | {"embedding_size": 32}, MASKED),
    "esm": Case("EsmConfig", ENCODER, MASKED),
    "fnet": Case("FNetConfig", ENCODER, MASKED),
    "funnel": Case(
        "FunnelConfig",
        {"vocab_size": IDS, "d_model": 32, "n_head": 4, "d_head": 8, "d_inner": 48, "block_sizes": [1, 1]}
        | {"num_decoder_layers": 1},
        MASKED,
    ),
    "ibert": Case("IBertConfig", ENCODER, MASKED),
    "layoutlm": Case("LayoutLMConfig", ENCODER, MASKED, (("input_ids", ("L",)), ("bbox", ("L", 4)))),
    "longformer": Case("LongformerConfig", ENCODER | {"attention_window": 4}, MASKED),
    "big_bird": Case("BigBirdConfig", ENCODER | {"attention_type": "original_full"}, MASKED),
    "mobilebert": Case(
        "MobileBertConfig", ENCODER | {"embedding_size": 16, "intra_bottleneck_size": 16}, MASKED
    ),
    "nystromformer": Case("NystromformerConfig", ENCODER | {"segment_means_seq_len": 64}, MASKED),
    "rembert": Case("RemBertConfig", ENCODER | {"input_embedding_size": 16}, MASKED),
    "roformer": Case("RoFormerConfig", ENCODER, MASKED),
    "squeezebert": Case("SqueezeBertConfig", ENCODER | {"embedding_size": 32}, MASKED),
    "tapas": Case("TapasConfig", ENCODER, MASKED),
    "xlm": Case(
        "XLMConfig", {"vocab_size": IDS, "emb_dim": 32, "n_layers": 2, "n_heads": 4}, "XLMWithLMHeadModel"
    ),
    "canine": Case(
        "CanineConfig",
        ENCODER | {"num_hash_buckets": 64, "local_transformer_stride": 8, "max_position_embeddings": 128},
        "AutoModel",
    ),
}
SQUARE = (("pixel_values", (3, "H", "H")),)
IMAGE64 = (("pixel_values", (3, 64, 64)),)
CLASSIFIER = "AutoModelForImageClassification"
STAGES = {"hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 2, 1]}
CLIP_AUDIO = {"hidden_size": 32}
VISIONS = {
    "vit_mae": Case("ViTMAEConfig", VISION, "AutoModel", IMAGE),
    "vit_msn": Case("ViTMSNConfig", VISION, CLASSIFIER, IMAGE),
    "dinov2_registers": Case("Dinov2WithRegistersConfig", VISION, CLASSIFIER, IMAGE),
    "dinov3_vit": Case("DINOv3ViTConfig", VISION, "AutoModel", IMAGE),
    "siglip_vision": Case("SiglipVisionConfig", VISION, "AutoModel", IMAGE),
    "data2vec_vision": Case("Data2VecVisionConfig", VISION, CLASSIFIER, IMAGE),
    "vitdet": Case("VitDetConfig", VISION | {"pretrain_image_size": 32}, "AutoModel", IMAGE),
    "hiera": Case(
        "HieraConfig", {"image_size": [64, 64], "embed_dim": 8, "depths": [1, 1, 1, 1]}, CLASSIFIER, IMAGE64
    ),
    "pvt": Case(
        "PvtConfig",
        {"image_size": 64, "hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 1, 1]}
        | {"num_attention_heads": [1, 2, 2, 4]},
        CLASSIFIER,
        IMAGE64,
    ),
    "pvt_v2": Case(
        "PvtV2Config",
        {"hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 1, 1]} | {"num_attention_heads": [1, 2, 2, 4]},
        CLASSIFIER,
        SQUARE,
    ),
    "levit": Case(
        "LevitConfig",
        {
            "image_size": 64,
            "hidden_sizes": [16, 24, 32],
            "num_attention_heads": [2, 3, 4],
            "depths": [1, 1, 1],
        }
        | {"key_dim": [8, 8, 8]},
        "LevitForImageClassification",
        IMAGE64,
    ),
    "mobilevit": Case(
        "MobileViTConfig",
        {"image_size": 64, "hidden_sizes": [16, 24, 32], "neck_hidden_sizes": [8, 8, 16, 16, 24, 24, 32]},
        CLASSIFIER,
        SQUARE,
    ),
    "mobilevitv2": Case(
        "MobileViTV2Config", {"image_size": 64, "width_multiplier": 0.25}, CLASSIFIER, SQUARE
    ),
    "mobilenet_v1": Case("MobileNetV1Config", {"depth_multiplier": 0.25}, CLASSIFIER, SQUARE),
    "mobilenet_v2": Case("MobileNetV2Config", {"depth_multiplier": 0.25}, CLASSIFIER, SQUARE),
    "efficientnet": Case(
        "EfficientNetConfig",
        {"width_coefficient": 0.25, "depth_coefficient": 0.3, "hidden_dim": 320},
        CLASSIFIER,
        SQUARE,
    ),
    "regnet": Case("RegNetConfig", {**STAGES, "embedding_size": 8, "groups_width": 8}, CLASSIFIER, SQUARE),
    "bit": Case("BitConfig", {**STAGES, "embedding_size": 8, "num_groups": 4}, CLASSIFIER, SQUARE),
    "convnextv2": Case("ConvNextV2Config", STAGES, CLASSIFIER, SQUARE),
    "cvt": Case(
        "CvtConfig",
        {"embed_dim": [8, 16, 32], "num_heads": [1, 2, 4], "depth": [1, 2, 3]}
        | {"cls_token": [False, False, True]},
        CLASSIFIER,
        SQUARE,
    ),
    "focalnet": Case(
        "FocalNetConfig",
        {"image_size": 64, "embed_dim": 8, "depths": [1, 1, 1, 1], "hidden_sizes": [8, 16, 32, 64]},
        CLASSIFIER,
        SQUARE,
    ),
    "poolformer": Case(
        "PoolFormerConfig", {"hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 1, 1]}, CLASSIFIER, SQUARE
    ),
    "swinv2": Case(
        "Swinv2Config",
        {"image_size": 32, "patch_size": 2, "embed_dim": 8, "depths": [2, 2], "num_heads": [2, 4]}
        | {"window_size": 4},
        CLASSIFIER,
        SQUARE,
    ),
    "swiftformer": Case(
        "SwiftFormerConfig", {"depths": [1, 1, 1, 1], "embed_dims": [8, 16, 24, 32]}, CLASSIFIER, SQUARE
    ),
    "hgnet_v2": Case(
        "HGNetV2Config",
        {"embedding_size": 8, "stem_channels": [3, 8, 8], "stage_in_channels": [8, 16, 24, 32]}
        | {"stage_mid_channels": [4, 8, 8, 16], "stage_out_channels": [16, 24, 32, 40]}
        | {"hidden_sizes": [16, 24, 32, 40]},
        CLASSIFIER,
        SQUARE,
    ),
    "dpt": Case(
        "DPTConfig",
        VISION
        | {"num_hidden_layers": 4, "backbone_out_indices": [0, 1, 2, 3], "neck_hidden_sizes": [8, 8, 16, 16]}
        | {"fusion_hidden_size": 8, "image_size": 64, "readout_type": "project", "is_hybrid": False},
        "DPTForDepthEstimation",
        IMAGE64,
    ),
    "glpn": Case(
        "GLPNConfig",
        {"depths": [1, 1, 1, 1], "hidden_sizes": [8, 16, 24, 32], "num_attention_heads": [1, 2, 3, 4]}
        | {"decoder_hidden_size": 8},
        "GLPNForDepthEstimation",
        SQUARE,
    ),
    "swin2sr": Case(
        "Swin2SRConfig",
        {"image_size": 32, "embed_dim": 16, "depths": [2], "num_heads": [2], "window_size": 4},
        "Swin2SRForImageSuperResolution",
        SQUARE,
    ),
    "upernet": Case(
        "UperNetConfig",
        {
            "backbone_config": transformers.AutoConfig.for_model(
                "convnext",
                hidden_sizes=[8, 16, 24, 32],
                depths=[1, 1, 2, 1],
                out_features=["stage1", "stage2", "stage3", "stage4"],
            ),
            "hidden_size": 16,
            "auxiliary_in_channels": 24,
            "auxiliary_channels": 8,
        },
        "UperNetForSemanticSegmentation",
        SQUARE,
    ),
    "yolos": Case(
        "YolosConfig",
        VISION | {"image_size": [32, 32], "num_detection_tokens": 5},
        "YolosForObjectDetection",
        IMAGE,
    ),
    "detr": Case(
        "DetrConfig",
        {
            **{key: size for key, size in SEQ2SEQ.items() if key not in ("vocab_size", *TOKENS)},
            "use_timm_backbone": False,
            "backbone": None,
            "use_pretrained_backbone": False,
            "backbone_config": transformers.AutoConfig.for_model(
                "resnet",
                embedding_size=8,
                hidden_sizes=[8, 16, 24, 32],
                depths=[1, 1, 2, 1],
                out_features=["stage4"],
            ),
            "num_queries": 5,
        },
        "DetrForObjectDetection",
        SQUARE,
    ),
    "videomae": Case(
        "VideoMAEConfig", VISION | {"num_frames": 4}, "AutoModel", (("pixel_values", (4, 3, 32, 32)),)
    ),
    "timesformer": Case(
        "TimesformerConfig", VISION | {"num_frames": 4}, "AutoModel", (("pixel_values", (4, 3, 32, 32)),)
    ),
    "vivit": Case(
        "VivitConfig",
        {key: size for key, size in VISION.items() if key != "patch_size"}
        | {"num_frames": 4, "tubelet_size": [2, 8, 8]},
        "AutoModel",
        (("pixel_values", (4, 3, 32, 32)),),
    ),
}
WAVES = (("input_values", ("T",)),)
SPEECH = {
    "wavlm": Case("WavLMConfig", AUDIO, "AutoModelForCTC", WAVES),
    "unispeech": Case("UniSpeechConfig", AUDIO, "AutoModelForCTC", WAVES),
    "sew": Case("SEWConfig", AUDIO | {"squeeze_factor": 2}, "AutoModelForCTC", WAVES),
    "data2vec_audio": Case("Data2VecAudioConfig", AUDIO, "AutoModelForCTC", WAVES),
    "wav2vec2_conformer": Case("Wav2Vec2ConformerConfig", AUDIO, "AutoModelForCTC", WAVES),
    "audio_spectrogram": Case(
        "ASTConfig",
        {key: size for key, size in VISION.items() if key not in ("image_size", "patch_size")}
        | {"max_length": 64, "num_mel_bins": 32},
        "AutoModelForAudioClassification",
        (("input_values", (64, 32)),),
    ),
    "speech_to_text": Case(
        "Speech2TextConfig",
        SEQ2SEQ
        | {"input_feat_per_channel": 8, "max_source_positions": 64, "max_target_positions": 64}
        | {"conv_channels": 16},
        "AutoModelForSpeechSeq2Seq",
        (("input_features", (64, 8)), ("decoder_input_ids", ("L",))),
    ),
    "encodec": Case(
        "EncodecConfig",
        {
            "num_filters": 4,
            "hidden_size": 16,
            "codebook_dim": 16,
            "codebook_size": 32,
            "upsampling_ratios": [4, 2],
        },
        "AutoModel",
        (("input_values", (1, "T")),),
    ),
    "moonshine": Case(
        "MoonshineConfig",
        {"vocab_size": IDS, "hidden_size": 32, "intermediate_size": 48, "encoder_num_hidden_layers": 2}
        | {
            "decoder_num_hidden_layers": 2,
            "encoder_num_attention_heads": 4,
            "decoder_num_attention_heads": 4,
        },
        "AutoModelForSpeechSeq2Seq",
        (("input_values", (1600,)), ("decoder_input_ids", ("L",))),
    ),
}
IMAGE_AND_TEXT = (("input_ids", ("L",)), ("pixel_values", (3, 32, 32)))
MULTIMODAL = {
    "siglip": Case(
        "SiglipConfig", {"text_config": bare(), "vision_config": VISION}, "SiglipModel", IMAGE_AND_TEXT
    ),
    "chinese_clip": Case(
        "ChineseCLIPConfig",
        {"text_config": ENCODER, "vision_config": VISION, "projection_dim": 16},
        "ChineseCLIPModel",
        IMAGE_AND_TEXT,
    ),
    "clipseg": Case(
        "CLIPSegConfig",
        CLIP
        | {"extract_layers": [0, 1], "reduce_dim": 8, "decoder_num_attention_heads": 2}
        | {"decoder_intermediate_size": 16},
        "CLIPSegForImageSegmentation",
        IMAGE_AND_TEXT,
    ),
    "blip": Case(
        "BlipConfig",
        {"text_config": {**bare(), "encoder_hidden_size": 32, "projection_dim": 16}, "vision_config": VISION}
        | {"projection_dim": 16, "image_text_hidden_size": 16},
        "BlipForConditionalGeneration",
        IMAGE_AND_TEXT,
    ),
    "git": Case("GitConfig", bare(vision_config=VISION), "AutoModelForCausalLM", IMAGE_AND_TEXT),
    "vilt": Case("ViltConfig", bare(image_size=32, patch_size=8), "AutoModel", IMAGE_AND_TEXT),
    "align": Case(
        "AlignConfig",
        {"text_config": ENCODER, "vision_config": {"width_coefficient": 0.25, "depth_coefficient": 0.3}}
        | {"projection_dim": 80},
        "AlignModel",
        IMAGE_AND_TEXT,
    ),
    "visual_bert": Case(
        "VisualBertConfig",
        ENCODER | {"visual_embedding_dim": 16},
        "AutoModel",
        (("input_ids", ("L",)), ("visual_embeds", (5, 16))),
    ),
    "lxmert": Case(
        "LxmertConfig",
        ENCODER | {"l_layers": 1, "x_layers": 1, "r_layers": 1, "visual_feat_dim": 16},
        "AutoModel",
        (("input_ids", ("L",)), ("visual_feats", (5, 16)), ("visual_pos", (5, 4))),
    ),
    "patchtst": Case(
        "PatchTSTConfig",
        {"d_model": 16, "num_attention_heads": 2, "ffn_dim": 24, "num_hidden_layers": 2, "context_length": 32}
        | {"num_input_channels": 2, "patch_length": 8, "patch_stride": 8, "prediction_length": 4},
        "PatchTSTForPrediction",
        (("past_values", (32, 2)),),
    ),
}
OTHERS |= {
    "m2m_100": Case("M2M100Config", SEQ2SEQ, "AutoModelForSeq2SeqLM", TEXT_PAIR),
    "blenderbot": Case("BlenderbotConfig", SEQ2SEQ, "AutoModelForSeq2SeqLM", TEXT_PAIR),
    "blenderbot_small": Case("BlenderbotSmallConfig", SEQ2SEQ, "AutoModelForSeq2SeqLM", TEXT_PAIR),
    "plbart": Case("PLBartConfig", SEQ2SEQ, "AutoModelForSeq2SeqLM", TEXT_PAIR),
    "led": Case(
        "LEDConfig",
        {key: size for key, size in SEQ2SEQ.items() if key != "max_position_embeddings"}
        | {
            "attention_window": 4,
            "max_encoder_position_embeddings": 64,
            "max_decoder_position_embeddings": 64,
        },
        "AutoModelForSeq2SeqLM",
        TEXT_PAIR,
    ),
    "bigbird_pegasus": Case(
        "BigBirdPegasusConfig",
        SEQ2SEQ | {"attention_type": "original_full"},
        "AutoModelForSeq2SeqLM",
        TEXT_PAIR,
    ),
    "fsmt": Case(
        "FSMTConfig",
        {key: size for key, size in SEQ2SEQ.items() if key != "vocab_size"}
        | {"src_vocab_size": IDS, "tgt_vocab_size": IDS, "langs": ["en", "de"]},
        "AutoModelForSeq2SeqLM",
        TEXT_PAIR,
    ),
    "umt5": Case(
        "UMT5Config",
        {"vocab_size": IDS, "d_model": 32, "d_ff": 48, "d_kv": 8, "num_layers": 2, "num_heads": 4}
        | {"decoder_start_token_id": 0},
        "AutoModelForSeq2SeqLM",
        TEXT_PAIR,
    ),
    "longt5": Case(
        "LongT5Config",
        {"vocab_size": IDS, "d_model": 32, "d_ff": 48, "d_kv": 8, "num_layers": 2, "num_heads": 4}
        | {"decoder_start_token_id": 0, "local_radius": 4},
        "AutoModelForSeq2SeqLM",
        TEXT_PAIR,
    ),
    "prophetnet": Case(
        "ProphetNetConfig",
        {"vocab_size": IDS, "hidden_size": 32, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48}
        | {"num_encoder_layers": 2, "num_decoder_layers": 2, "num_encoder_attention_heads": 4}
        | {"num_decoder_attention_heads": 4, "max_position_embeddings": 64, **TOKENS},
        "AutoModelForSeq2SeqLM",
        TEXT_PAIR,
    ),
}
GROUPS = {
    "causal": CAUSAL,
    "experts": EXPERTS,
    "encoders": ENCODERS,
    "others": OTHERS,
    "vision": VISIONS,
    "speech": SPEECH,
    "multimodal": MULTIMODAL,
}
