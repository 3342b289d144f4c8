"""Public networks by their constructors, and the shapes they are called with, for `public_networks.py`."""

from __future__ import annotations

import importlib
import importlib.util
import operator
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from torch import nn


@dataclass(frozen=True)
class Case:
    """A network by its constructor, `module:name`, and the shapes of its arguments without the batch.

    `free` are the axes of the first argument that are asked at other values.
    """

    constructor: str
    arguments: Mapping[str, Any]
    shapes: tuple[tuple[int, ...], ...]
    free: tuple[int, ...] | None = None
    positional: tuple[Any, ...] = field(default=())

    def module(self) -> nn.Module:
        """Return the network with random weights, in evaluation mode."""
        origin, _, name = self.constructor.partition(":")
        constructor = operator.attrgetter(name)(importlib.import_module(origin))
        module: nn.Module = constructor(*self.positional, **self.arguments)
        return module.eval()

    @property
    def library(self) -> str:
        return self.constructor.partition(":")[0].partition(".")[0]

    @property
    def is_installed(self) -> bool:
        return importlib.util.find_spec(self.library) is not None

    @property
    def is_image(self) -> bool:
        return len(self.shapes) == 1 and len(self.axes) == 2

    @property
    def axes(self) -> tuple[int, ...]:
        """The free axes: those behind the channels where nothing else is said."""
        return tuple(range(1, len(self.shapes[0]))) if self.free is None else self.free


def by_name(
    constructor: str, names: str, *shapes: tuple[int, ...], free: Any = None, **arguments: Any
) -> dict[str, Case]:
    """Return the cases of a library that makes its networks by name."""
    return {
        f"{constructor.partition('.')[0].partition(':')[0]}/{name}": Case(
            constructor, arguments, shapes, free, (name,)
        )
        for name in names.split()
    }


def of_classes(prefix: str, *shapes: tuple[int, ...], free: Any = None, **classes: Any) -> dict[str, Case]:
    """Return the cases of a library by class: the arguments of each, beneath its name."""
    library = prefix.partition(".")[0]
    return {
        f"{library}/{name}": Case(f"{prefix}:{name}", arguments, shapes, free)
        for name, arguments in classes.items()
    }


PYTORCHCV = "pytorchcv.model_provider:get_model"
VIT = {"image_size": 64, "patch_size": 8, "num_classes": 10, "dim": 32, "depth": 2, "heads": 2, "mlp_dim": 64}
VIDEO = {
    **{name: size for name, size in VIT.items() if name not in ("patch_size", "depth")},
    "image_patch_size": 8,
    "frames": 4,
    "frame_patch_size": 2,
}


def vit(
    file: str, name: str = "ViT", shape: tuple[int, ...] = (3, 64, 64), **arguments: Any
) -> dict[str, Case]:
    """Return a network of vit_pytorch with small sizes; an argument of None is left out."""
    sizes = {key: value for key, value in ({**VIT, **arguments}).items() if value is not None}
    return {f"vit_pytorch/{file}": Case(f"vit_pytorch.{file}:{name}", sizes, (shape,))}


def only(file: str, name: str, shape: tuple[int, ...] = (3, 64, 64), **arguments: Any) -> dict[str, Case]:
    """Return a network of vit_pytorch with these arguments alone."""
    return {f"vit_pytorch/{file}": Case(f"vit_pytorch.{file}:{name}", arguments, (shape,))}


CLASSIFIERS = by_name(
    PYTORCHCV,
    "alexnet zfnet vgg11 bn_vgg11b bninception resnet10 preresnet10 resnext14_16x4d seresnet10 sepreresnet10 "
    "seresnext50_32x4d senet16 resnestabc14 ibn_resnet50 ibnb_resnet50 ibn_resnext50_32x4d ibn_densenet121 "
    "airnet50_1x64d_r2 airnext50_32x4d_r2 bam_resnet18 cbam_resnet18 resattnet56 sknet50 scnet50 regnetx002 "
    "regnety002 diaresnet10 diapreresnet10 diracnet18v2 sharesnet18 densenet121 condensenet74_c4_g4 "
    "sparsenet121 peleenet wrn50_2 drnc26 drnd22 dpn68 darknet_ref darknet53 channelnet revnet38 irevnet301 "
    "bagnet9 dla34 dla46xc msdnet22 fishnet99 espnetv2_wd2 dicenet_wd5 hrnet_w18_small_v1 vovnet27s "
    "selecsls42 hardnet39ds xdensenet121_2 squeezenet_v1_0 squeezeresnet_v1_0 sqnxt23_w1 shufflenet_g1_w1 "
    "shufflenetv2_wd2 shufflenetv2b_wd2 menet108_8x1_g3 mobilenet_wd4 mobilenetb_wd4 fdmobilenet_wd4 "
    "mobilenetv2_wd4 mobilenetv3_small_wd2 igcv3_wd4 ghostnet mnasnet_small darts proxylessnas_cpu fbnet_cb "
    "nasnet_4a1056 spnasnet efficientnet_b0 efficientnet_edge_small_b mixnet_s isqrtcovresnet18 resneta10 "
    "resnetd50b octresnet10_ad2 resnet10_cub tresnet_m",
    (3, 224, 224),
) | by_name(
    PYTORCHCV,
    "xception inceptionv3 inceptionv4 inceptionresnetv1 inceptionresnetv2",
    (3, 299, 299),
)
SMALL = by_name(
    PYTORCHCV,
    "nin_cifar10 resnet20_cifar10 preresnet20_cifar10 resnext20_16x4d_cifar10 seresnet20_cifar10 "
    "sepreresnet20_cifar10 pyramidnet110_a48_cifar10 densenet40_k12_cifar10 xdensenet40_2_k24_bc_cifar10 "
    "wrn16_10_cifar10 wrn20_10_1bit_cifar10 ror3_56_cifar10 rir_cifar10 msdnet22_cifar10 "
    "resdropresnet20_cifar10 shakeshakeresnet20_2x16d_cifar10 shakedropresnet20_cifar10 fractalnet_cifar10 "
    "diaresnet20_cifar10 diapreresnet20_cifar10",
    (3, 32, 32),
)
DENSE = (
    by_name(
        PYTORCHCV,
        "fcn8sd_resnetd50b_voc pspnet_resnetd50b_voc deeplabv3_resnetd50b_voc danet_resnetd50b_cityscapes",
        (3, 480, 480),
        in_size=(480, 480),
        aux=False,
    )
    | by_name(
        PYTORCHCV,
        "fastscnn_cityscapes cgnet_cityscapes dabnet_cityscapes sinet_cityscapes fpenet_cityscapes "
        "ctxnet_cityscapes lednet_cityscapes esnet_cityscapes edanet_cityscapes enet_cityscapes "
        "erfnet_cityscapes linknet_cityscapes segnet_cityscapes unet_cityscapes sqnet_cityscapes "
        "bisenet_resnet18_celebamaskhq icnet_resnetd50b_cityscapes espcnet_cityscapes",
        (3, 256, 256),
        in_size=(256, 256),
    )
    | by_name(
        PYTORCHCV,
        "alphapose_fastseresnet101b_coco simplepose_resnet18_coco simplepose_mobile_resnet18_coco "
        "lwopenpose2d_mobilenet_cmupan_coco ibppose_coco centernet_resnet18_voc lffd20x5s320v2_widerface "
        "superpointnet prnet pfpcnet",
        (3, 256, 256),
    )
    | by_name(PYTORCHCV, "jasper5x3", (64, 128))
    | by_name(PYTORCHCV, "quartznet5x5_en_ls", (64, 128))
    | by_name(PYTORCHCV, "raft_small", (3, 128, 128), (3, 128, 128))
)
TRANSFORMERS = (
    vit("vit")
    | vit("simple_vit", "SimpleViT")
    | vit("deepvit", "DeepViT")
    | vit("cait", "CaiT", cls_depth=2)
    | vit("local_vit", "LocalViT")
    | vit("rvt", "RvT")
    | vit("parallel_vit")
    | vit("learnable_memory_vit")
    | vit("ats_vit", max_tokens_per_depth=(16, 8))
    | vit("vit_for_small_dataset")
    | vit("vit_with_patch_merger", patch_merge_layer=1)
    | vit("vit_with_patch_dropout")
    | vit("vit_with_decorr")
    | vit("vit_with_keel_post_ln")
    | vit("vit_detpool", "ViTDetPool")
    | vit("vit_5")
    | vit("vaat")
    | vit("vat")
    | vit("mp3")
    | vit("normalized_vit", "nViT")
    | vit("jumbo_vit", "JumboViT")
    | vit("jet_vit", "JetViT", window_size=4, dim=64, heads=8)
    | vit("simple_flash_attn_vit", "SimpleViT")
    | vit("simple_uvit", "SimpleUViT")
    | vit("simple_vit_attn_residual", "SimpleViTAttnResidual")
    | vit("simple_vit_orthog_residual_update", "SimpleViT")
    | vit("simple_vit_with_fft", "SimpleViT", freq_patch_size=8)
    | vit("simple_vit_with_hyper_connections", "SimpleViT", num_residual_streams=4)
    | vit("simple_vit_with_patch_dropout", "SimpleViT")
    | vit("simple_vit_with_qk_norm", "SimpleViT")
    | vit("simple_vit_with_register_tokens", "SimpleViT")
    | vit("simple_vit_with_relative_proj_pos_bias", "SimpleViT")
    | vit("simple_vit_with_sparse_gating", "SimpleViTWithSparseGating")
    | vit("simple_vit_with_specialized_cls", "SimpleViT")
    | vit("simple_vit_with_value_residual", "SimpleViT")
    | vit("attn_residual_with_dca_simple_vit", "SimpleViT")
    | vit("xcit", "XCiT", cls_depth=2)
    | vit("t2t", "T2TViT", (3, 224, 224), image_size=224, patch_size=None)
    | vit("pit", "PiT", depth=(2, 2), patch_size=8)
    | vit("look_vit", "LookViT", patch_size=8, highres_patch_size=4, mlp_dim=None, depth=2)
    | vit(
        "looped_vit",
        "LoopedViT",
        depth=None,
        pre_loop_depth=1,
        num_looped_blocks=1,
        post_loop_depth=1,
        loop_depth=2,
    )
    | vit("wwt", "WWT", num_slots=(8, 4))
    | vit(
        "levit",
        "LeViT",
        (3, 224, 224),
        image_size=224,
        patch_size=None,
        mlp_dim=None,
        mlp_mult=2,
        dim=(64, 96, 128),
        depth=2,
        heads=(2, 4, 4),
    )
    | vit("nest", "NesT", depth=None, mlp_dim=None, num_hierarchies=2, block_repeats=(2, 2), patch_size=4)
    | vit("vit_1d", "ViT", (3, 64), image_size=None, seq_len=64)
    | vit("simple_vit_1d", "SimpleViT", (3, 64), image_size=None, seq_len=64)
    | vit("vit_3d", "ViT", (3, 4, 64, 64), patch_size=None, image_patch_size=8, frames=4, frame_patch_size=2)
    | vit(
        "simple_vit_3d",
        "SimpleViT",
        (3, 4, 64, 64),
        patch_size=None,
        image_patch_size=8,
        frames=4,
        frame_patch_size=2,
    )
    | vit(
        "simple_flash_attn_vit_3d",
        "SimpleViT",
        (3, 4, 64, 64),
        patch_size=None,
        image_patch_size=8,
        frames=4,
        frame_patch_size=2,
    )
    | vit(
        "vivit",
        "ViViT",
        (3, 4, 64, 64),
        patch_size=None,
        depth=None,
        image_patch_size=8,
        frames=4,
        frame_patch_size=2,
        spatial_depth=1,
        temporal_depth=1,
    )
    | vit(
        "vivit_with_moss",
        "ViViT",
        (3, 4, 64, 64),
        patch_size=None,
        depth=None,
        image_patch_size=8,
        frames=4,
        frame_patch_size=2,
        spatial_depth=1,
        temporal_depth=1,
    )
    | vit("vit_nd", "ViTND", image_size=None, ndim=2, input_shape=64)
    | vit("vit_nd_rotary", "ViTND", image_size=None, ndim=2, input_shape=64)
    | vit("vit_nd_pope", "ViTND", image_size=None, ndim=2, input_shape=64)
    | only("cct", "CCT", img_size=64, embedding_dim=32, num_layers=2, num_heads=2)
    | only(
        "cct_3d",
        "CCT",
        (3, 8, 64, 64),
        img_size=64,
        num_frames=8,
        embedding_dim=32,
        num_layers=2,
        num_heads=2,
    )
    | only(
        "cross_vit",
        "CrossViT",
        image_size=64,
        num_classes=10,
        sm_dim=32,
        lg_dim=48,
        sm_patch_size=8,
        lg_patch_size=16,
        depth=1,
    )
    | only("crossformer", "CrossFormer", (3, 224, 224), dim=(32, 64, 96, 128), depth=(1, 1, 1, 1))
    | only("cvt", "CvT", num_classes=10, s3_depth=1)
    | only("max_vit", "MaxViT", (3, 224, 224), num_classes=10, dim=32, depth=(1, 1, 1, 1))
    | only("max_vit_with_registers", "MaxViT", (3, 224, 224), num_classes=10, dim=32, depth=(1, 1, 1, 1))
    | only(
        "mobile_vit",
        "MobileViT",
        (3, 256, 256),
        image_size=(256, 256),
        dims=[96, 120, 144],
        channels=[16, 32, 48, 48, 64, 64, 80, 80, 96, 96, 384],
        num_classes=10,
    )
    | only("regionvit", "RegionViT", (3, 224, 224), dim=(16, 32, 64, 96), depth=(1, 1, 1, 1))
    | only(
        "scalable_vit",
        "ScalableViT",
        (3, 256, 256),
        num_classes=10,
        dim=16,
        heads=(2, 4, 8, 8),
        depth=(1, 1, 1, 1),
        reduction_factor=(8, 4, 2, 1),
        window_size=(64, 32, None, None),
    )
    | only("sep_vit", "SepViT", (3, 224, 224), num_classes=10, dim=16, heads=(1, 2, 4, 8), depth=(1, 1, 1, 1))
    | only("twins_svt", "TwinsSVT", (3, 224, 224), num_classes=10, s3_depth=1, s4_depth=1)
    | only("vat_siglip", "SigLIP", (3, 56, 56), image_size=56, dim=32, depth=2, heads=2, mlp_dim=64)
)
SMP = {"encoder_name": "resnet18", "encoder_weights": None, "classes": 2}
SEGMENTATION = of_classes(
    "segmentation_models_pytorch",
    (3, 256, 256),
    **dict.fromkeys(
        (
            "Unet",
            "UnetPlusPlus",
            "MAnet",
            "Linknet",
            "FPN",
            "PSPNet",
            "DeepLabV3",
            "DeepLabV3Plus",
            "PAN",
            "UPerNet",
        ),
        SMP,
    ),
    Segformer={**SMP, "encoder_name": "mit_b0"},
    DPT={"encoder_name": "tu-vit_tiny_patch16_224", "encoder_weights": None, "dynamic_img_size": True},
)
VOLUME = {"spatial_dims": 3, "in_channels": 1, "out_channels": 2}
MONAI = of_classes(
    "monai.networks.nets",
    (1, 64, 64, 64),
    UNet={**VOLUME, "channels": (4, 8, 16), "strides": (2, 2), "num_res_units": 2},
    AttentionUnet={**VOLUME, "channels": (4, 8, 16), "strides": (2, 2)},
    BasicUNet={**VOLUME, "features": (4, 4, 8, 16, 32, 4)},
    BasicUNetPlusPlus={**VOLUME, "features": (4, 4, 8, 16, 32, 4)},
    DynUNet={**VOLUME, "kernel_size": [3, 3, 3], "strides": [1, 2, 2], "upsample_kernel_size": [2, 2]},
    SegResNet={**VOLUME, "init_filters": 8},
    SegResNetVAE={"input_image_size": (64, 64, 64), "in_channels": 1, "init_filters": 8},
    SegResNetDS={**VOLUME, "init_filters": 8},
    UNETR={
        "in_channels": 1,
        "out_channels": 2,
        "img_size": (64, 64, 64),
        "feature_size": 8,
        "hidden_size": 24,
        "mlp_dim": 48,
        "num_heads": 2,
    },
    SwinUNETR={"in_channels": 1, "out_channels": 2, "feature_size": 12},
    VNet={},
    HighResNet=VOLUME,
    AHNet={"spatial_dims": 3, "in_channels": 1, "out_channels": 2, "upsample_mode": "trilinear"},
    FlexibleUNet={"in_channels": 1, "out_channels": 2, "backbone": "efficientnet-b0", "spatial_dims": 3},
    DenseNet121=VOLUME,
    SENet154={"spatial_dims": 3, "in_channels": 1, "num_classes": 2},
    ViT={
        "in_channels": 1,
        "img_size": (64, 64, 64),
        "patch_size": (16, 16, 16),
        "hidden_size": 24,
        "mlp_dim": 48,
        "num_layers": 2,
        "num_heads": 2,
    },
    ViTAutoEnc={
        "in_channels": 1,
        "img_size": (64, 64, 64),
        "patch_size": (16, 16, 16),
        "hidden_size": 24,
        "mlp_dim": 48,
        "num_layers": 2,
        "num_heads": 2,
    },
    AutoEncoder={**VOLUME, "channels": (4, 8), "strides": (2, 2)},
    VarAutoEncoder={
        **VOLUME,
        "in_shape": (1, 64, 64, 64),
        "latent_size": 8,
        "channels": (4, 8),
        "strides": (2, 2),
    },
    Regressor={"in_shape": (1, 64, 64, 64), "out_shape": (1,), "channels": (4, 8), "strides": (2, 2)},
    Classifier={"in_shape": (1, 64, 64, 64), "classes": 2, "channels": (4, 8), "strides": (2, 2)},
    MedNeXt={"spatial_dims": 3, "init_filters": 8, "in_channels": 1, "out_channels": 2},
    RegUNet={**VOLUME, "num_channel_initial": 4, "depth": 2},
    LocalNet={**VOLUME, "num_channel_initial": 4, "extract_levels": (0, 1, 2)},
    VoxelMorphUNet={
        "spatial_dims": 3,
        "in_channels": 1,
        "unet_out_channels": 32,
        "channels": (16, 32, 32, 32),
        "final_conv_channels": (16,),
    },
) | of_classes(
    "monai.networks.nets",
    (3, 256, 256),
    CellSamWrapper={"auto_resize_inputs": False, "network_resize_roi": (256, 256), "checkpoint": None},
    TorchVisionFCModel={"model_name": "resnet18", "num_classes": 2, "pretrained": False},
    EfficientNetBN={"model_name": "efficientnet-b0", "pretrained": False},
    HoVerNet={},
)
UNET2D = {
    "sample_size": 32,
    "block_out_channels": (32, 64),
    "layers_per_block": 1,
}
DIFFUSERS = (
    of_classes(
        "diffusers",
        (4, 32, 32),
        (),
        UNet2DModel={
            "in_channels": 4,
            "out_channels": 4,
            **UNET2D,
            "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
            "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
        },
    )
    | of_classes(
        "diffusers",
        (4, 32, 32),
        (),
        (7, 32),
        UNet2DConditionModel={
            **UNET2D,
            "cross_attention_dim": 32,
            "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
            "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
        },
    )
    | of_classes(
        "diffusers",
        (3, 64, 64),
        AutoencoderKL={
            "block_out_channels": (32, 64),
            "down_block_types": ("DownEncoderBlock2D",) * 2,
            "up_block_types": ("UpDecoderBlock2D",) * 2,
        },
        VQModel={
            "block_out_channels": (32, 64),
            "down_block_types": ("DownEncoderBlock2D",) * 2,
            "up_block_types": ("UpDecoderBlock2D",) * 2,
        },
        AutoencoderTiny={},
        AsymmetricAutoencoderKL={
            "down_block_out_channels": (32, 64),
            "down_block_types": ("DownEncoderBlock2D",) * 2,
            "up_block_out_channels": (32, 64),
            "up_block_types": ("UpDecoderBlock2D",) * 2,
        },
        ConsistencyDecoderVAE={},
        AutoencoderDC={
            "encoder_block_out_channels": (32, 64),
            "decoder_block_out_channels": (32, 64),
            "encoder_layers_per_block": (1, 1),
            "decoder_layers_per_block": (1, 1),
            "encoder_block_types": "ResBlock",
            "decoder_block_types": "ResBlock",
            "encoder_qkv_multiscales": ((), ()),
            "decoder_qkv_multiscales": ((), ()),
            "decoder_norm_types": "rms_norm",
            "decoder_act_fns": "silu",
        },
    )
    | of_classes(
        "diffusers",
        (4, 16, 16),
        (),
        (),
        DiTTransformer2DModel={
            "num_attention_heads": 2,
            "attention_head_dim": 16,
            "num_layers": 2,
            "sample_size": 16,
            "num_embeds_ada_norm": 10,
        },
    )
)
AUDIO = {
    "torchaudio/Wav2Letter": Case("torchaudio.models:Wav2Letter", {}, ((1, 8000),)),
    "torchaudio/DeepSpeech": Case("torchaudio.models:DeepSpeech", {"n_feature": 32}, ((1, 50, 32),), (1,)),
    "torchaudio/ConvTasNet": Case("torchaudio.models:ConvTasNet", {"num_sources": 2}, ((1, 8000),)),
    "torchaudio/HDemucs": Case("torchaudio.models:hdemucs_low", {"sources": ["a", "b"]}, ((2, 44100),)),
    "torchaudio/Wav2Vec2": Case("torchaudio.models:wav2vec2_base", {}, ((16000,),), (0,)),
    "torchaudio/HuBERT": Case("torchaudio.models:hubert_base", {}, ((16000,),), (0,)),
    "torchaudio/WavLM": Case("torchaudio.models:wavlm_base", {}, ((16000,),), (0,)),
    "torchaudio/SquimObjective": Case("torchaudio.models:squim_objective_base", {}, ((16000,),), (0,)),
    "torchaudio/SquimSubjective": Case(
        "torchaudio.models:squim_subjective_base", {}, ((16000,), (16000,)), (0,)
    ),
    "torchaudio/WaveRNN": Case(
        "torchaudio.models:WaveRNN",
        {"upsample_scales": [5, 5, 8], "n_classes": 16, "hop_length": 200, "n_rnn": 16, "n_fc": 16},
        ((1, 1200), (1, 128, 10)),
        (),
    ),
    "torchaudio/Conformer": Case(
        "torchaudio.models:Conformer",
        {"input_dim": 80, "num_heads": 4, "ffn_dim": 128, "num_layers": 2, "depthwise_conv_kernel_size": 31},
        ((50, 80), ()),
        (0,),
    ),
    "wavenet_vocoder/WaveNet": Case(
        "wavenet_vocoder:WaveNet",
        {
            "out_channels": 16,
            "layers": 4,
            "stacks": 2,
            "residual_channels": 16,
            "gate_channels": 16,
            "skip_out_channels": 16,
        },
        ((16, 200),),
        (1,),
    ),
}
OTHERS = by_name("efficientnet_pytorch:EfficientNet.from_name", "efficientnet-b0", (3, 224, 224)) | {
    "lightly/SimCLRProjectionHead": Case("lightly.models.modules:SimCLRProjectionHead", {}, ((2048,),), ()),
    "lightly/DINOProjectionHead": Case("lightly.models.modules:DINOProjectionHead", {}, ((2048,),), ()),
    "speechbrain/ECAPA": Case(
        "speechbrain.lobes.models.ECAPA_TDNN:ECAPA_TDNN",
        {"input_size": 80, "channels": [32, 32, 32, 32, 96], "lin_neurons": 16},
        ((50, 80),),
        (0,),
    ),
    "speechbrain/Xvector": Case(
        "speechbrain.lobes.models.Xvector:Xvector", {"in_channels": 40, "device": "cpu"}, ((50, 40),), (0,)
    ),
    "speechbrain/CRDNN": Case(
        "speechbrain.lobes.models.CRDNN:CRDNN", {"input_shape": [None, None, 40]}, ((50, 40),), (0,)
    ),
    "speechbrain/ContextNet": Case(
        "speechbrain.lobes.models.ContextNet:ContextNet", {"input_shape": (8, 48, 40)}, ((48, 40),), (0,)
    ),
    "speechbrain/HifiGAN": Case(
        "speechbrain.lobes.models.HifiGAN:HifiganGenerator",
        {
            "in_channels": 80,
            "out_channels": 1,
            "resblock_type": "1",
            "resblock_dilation_sizes": [[1, 3, 5]],
            "resblock_kernel_sizes": [3],
            "upsample_kernel_sizes": [16, 4],
            "upsample_initial_channel": 32,
            "upsample_factors": [8, 2],
        },
        ((80, 33),),
        (1,),
    ),
    "open_clip/ModifiedResNet": Case(
        "open_clip.modified_resnet:ModifiedResNet",
        {"layers": [1, 1, 1, 1], "output_dim": 16, "heads": 4, "image_size": 64, "width": 16},
        ((3, 64, 64),),
    ),
    "open_clip/VisionTransformer": Case(
        "open_clip.transformer:VisionTransformer",
        {"image_size": 64, "patch_size": 16, "width": 32, "layers": 2, "heads": 2, "mlp_ratio": 2.0},
        ((3, 64, 64),),
    ),
}
TIMM = by_name(
    "timm:create_model",
    "resnet18 convnext_atto convnextv2_atto efficientformer_l1 efficientvit_b0 mobilevitv2_050 "
    "edgenext_xx_small  "
    "poolformer_s12 xcit_nano_12_p16_224 levit_128s coat_tiny cait_xxs24_224 ghostnetv2_100 lcnet_050 "
    "tinynet_e  "
    "hrnet_w18_small repvgg_a0 fastvit_t8 starnet_s1 mambaout_femto inception_next_atto caformer_s18 "
    "regnetv_040 nfnet_f0 resnetv2_50x1_bit sequencer2d_s mixer_s16_224 gmlp_ti16_224 resmlp_12_224 "
    "swin_tiny_patch4_window7_224 swinv2_cr_tiny_ns_224 pvt_v2_b0 twins_pcpvt_small maxvit_rmlp_pico_rw_256 "
    "tiny_vit_5m_224 nest_tiny pit_ti_224 crossvit_9_240 visformer_tiny hiera_tiny_224 hgnet_tiny "
    "focalnet_tiny_srf  "
    "volo_d1_224 davit_tiny mvitv2_tiny deit_tiny_distilled_patch16_224 beit_base_patch16_224 "
    "vit_tiny_patch16_224",
    (3, 224, 224),
    pretrained=False,
)
VISION = (
    by_name(
        "torchvision.models:get_model",
        "lraspp_mobilenet_v3_large deeplabv3_mobilenet_v3_large fcn_resnet50",
        (3, 224, 224),
        weights=None,
        weights_backbone=None,
    )
    | by_name(
        "torchvision.models:get_model",
        "swin_t swin_v2_t maxvit_t vit_b_32 "
        "convnext_tiny regnet_x_400mf mnasnet0_5 googlenet inception_v3 shufflenet_v2_x0_5 "
        "efficientnet_v2_s squeezenet1_0",
        (3, 224, 224),
        weights=None,
    )
    | by_name(
        "torchvision.models:get_model",
        "r3d_18 mc3_18 r2plus1d_18 s3d mvit_v1_b swin3d_t",
        (3, 16, 224, 224),
        weights=None,
    )
    | by_name("torchvision.models:get_model", "raft_small", (3, 128, 128), (3, 128, 128), weights=None)
)
GROUPS = {
    "classifiers": CLASSIFIERS,
    "small": SMALL,
    "dense": DENSE,
    "transformers": TRANSFORMERS,
    "segmentation": SEGMENTATION,
    "volumes": MONAI,
    "diffusion": DIFFUSERS,
    "audio": AUDIO,
    "others": OTHERS,
    "timm": TIMM,
    "vision": VISION,
}
