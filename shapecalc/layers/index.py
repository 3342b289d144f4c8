"""Which module holds the class of each built-in kind; written by tools/index_kinds.py."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shapecalc.layers.activation import Hardshrink as Hardshrink
    from shapecalc.layers.activation import Hardsigmoid as Hardsigmoid
    from shapecalc.layers.activation import Hardtanh as Hardtanh
    from shapecalc.layers.activation import LogSigmoid as LogSigmoid
    from shapecalc.layers.activation import Sigmoid as Sigmoid
    from shapecalc.layers.activation import Softshrink as Softshrink
    from shapecalc.layers.activation import Softsign as Softsign
    from shapecalc.layers.activation import Tanh as Tanh
    from shapecalc.layers.activation import Tanhshrink as Tanhshrink
    from shapecalc.layers.adaptive_pool import AdaptiveAvgPool1d as AdaptiveAvgPool1d
    from shapecalc.layers.adaptive_pool import AdaptiveAvgPool2d as AdaptiveAvgPool2d
    from shapecalc.layers.adaptive_pool import AdaptiveAvgPool3d as AdaptiveAvgPool3d
    from shapecalc.layers.adaptive_pool import AdaptiveMaxPool1d as AdaptiveMaxPool1d
    from shapecalc.layers.adaptive_pool import AdaptiveMaxPool2d as AdaptiveMaxPool2d
    from shapecalc.layers.adaptive_pool import AdaptiveMaxPool3d as AdaptiveMaxPool3d
    from shapecalc.layers.adaptive_pool import GlobalAvgPool1d as GlobalAvgPool1d
    from shapecalc.layers.adaptive_pool import GlobalAvgPool2d as GlobalAvgPool2d
    from shapecalc.layers.adaptive_pool import GlobalAvgPool3d as GlobalAvgPool3d
    from shapecalc.layers.adaptive_pool import GlobalMaxPool1d as GlobalMaxPool1d
    from shapecalc.layers.adaptive_pool import GlobalMaxPool2d as GlobalMaxPool2d
    from shapecalc.layers.adaptive_pool import GlobalMaxPool3d as GlobalMaxPool3d
    from shapecalc.layers.attention import MultiheadAttention as MultiheadAttention
    from shapecalc.layers.bag import EmbeddingBag as EmbeddingBag
    from shapecalc.layers.batch_shape_ops import BroadcastTo as BroadcastTo
    from shapecalc.layers.batch_shape_ops import Pad as Pad
    from shapecalc.layers.batch_shape_ops import View as View
    from shapecalc.layers.bilinear import Bilinear as Bilinear
    from shapecalc.layers.by_name import Combine as Combine
    from shapecalc.layers.by_name import Elementwise as Elementwise
    from shapecalc.layers.by_name import Reduce as Reduce
    from shapecalc.layers.class_loss import CrossEntropyLoss as CrossEntropyLoss
    from shapecalc.layers.class_loss import LinearCrossEntropyLoss as LinearCrossEntropyLoss
    from shapecalc.layers.class_loss import MultiLabelMarginLoss as MultiLabelMarginLoss
    from shapecalc.layers.class_loss import MultiLabelSoftMarginLoss as MultiLabelSoftMarginLoss
    from shapecalc.layers.class_loss import MultiMarginLoss as MultiMarginLoss
    from shapecalc.layers.class_loss import NLLLoss as NLLLoss
    from shapecalc.layers.conv import Conv1d as Conv1d
    from shapecalc.layers.conv import Conv2d as Conv2d
    from shapecalc.layers.conv import Conv3d as Conv3d
    from shapecalc.layers.conv import DepthwiseConv1d as DepthwiseConv1d
    from shapecalc.layers.conv import DepthwiseConv2d as DepthwiseConv2d
    from shapecalc.layers.conv import DepthwiseConv3d as DepthwiseConv3d
    from shapecalc.layers.conv import SeparableConv1d as SeparableConv1d
    from shapecalc.layers.conv import SeparableConv2d as SeparableConv2d
    from shapecalc.layers.conv_transpose import ConvTranspose1d as ConvTranspose1d
    from shapecalc.layers.conv_transpose import ConvTranspose2d as ConvTranspose2d
    from shapecalc.layers.conv_transpose import ConvTranspose3d as ConvTranspose3d
    from shapecalc.layers.crop import Crop1d as Crop1d
    from shapecalc.layers.crop import Crop2d as Crop2d
    from shapecalc.layers.crop import Crop3d as Crop3d
    from shapecalc.layers.distance import CosineEmbeddingLoss as CosineEmbeddingLoss
    from shapecalc.layers.distance import CosineSimilarity as CosineSimilarity
    from shapecalc.layers.distance import MarginRankingLoss as MarginRankingLoss
    from shapecalc.layers.distance import PairwiseDistance as PairwiseDistance
    from shapecalc.layers.distance import TripletMarginLoss as TripletMarginLoss
    from shapecalc.layers.distance import TripletMarginWithDistanceLoss as TripletMarginWithDistanceLoss
    from shapecalc.layers.divisible import Divisible as Divisible
    from shapecalc.layers.dropout import AlphaDropout as AlphaDropout
    from shapecalc.layers.dropout import Dropout as Dropout
    from shapecalc.layers.dropout import Dropout1d as Dropout1d
    from shapecalc.layers.dropout import Dropout2d as Dropout2d
    from shapecalc.layers.dropout import Dropout3d as Dropout3d
    from shapecalc.layers.dropout import FeatureAlphaDropout as FeatureAlphaDropout
    from shapecalc.layers.einsum import Einsum as Einsum
    from shapecalc.layers.fold import Fold as Fold
    from shapecalc.layers.fold import Unfold as Unfold
    from shapecalc.layers.fractional_pool import FractionalMaxPool2d as FractionalMaxPool2d
    from shapecalc.layers.fractional_pool import FractionalMaxPool3d as FractionalMaxPool3d
    from shapecalc.layers.keras_basic import KerasChunk as KerasChunk
    from shapecalc.layers.keras_basic import KerasConcat as KerasConcat
    from shapecalc.layers.keras_basic import KerasDropout1d as KerasDropout1d
    from shapecalc.layers.keras_basic import KerasDropout2d as KerasDropout2d
    from shapecalc.layers.keras_basic import KerasDropout3d as KerasDropout3d
    from shapecalc.layers.keras_basic import KerasEmbedding as KerasEmbedding
    from shapecalc.layers.keras_basic import KerasLinear as KerasLinear
    from shapecalc.layers.keras_basic import KerasSplit as KerasSplit
    from shapecalc.layers.keras_conv import KerasConv1d as KerasConv1d
    from shapecalc.layers.keras_conv import KerasConv2d as KerasConv2d
    from shapecalc.layers.keras_conv import KerasConv3d as KerasConv3d
    from shapecalc.layers.keras_conv import KerasDepthwiseConv1d as KerasDepthwiseConv1d
    from shapecalc.layers.keras_conv import KerasDepthwiseConv2d as KerasDepthwiseConv2d
    from shapecalc.layers.keras_conv import KerasSeparableConv1d as KerasSeparableConv1d
    from shapecalc.layers.keras_conv import KerasSeparableConv2d as KerasSeparableConv2d
    from shapecalc.layers.keras_conv_transpose import KerasConvTranspose1d as KerasConvTranspose1d
    from shapecalc.layers.keras_conv_transpose import KerasConvTranspose2d as KerasConvTranspose2d
    from shapecalc.layers.keras_conv_transpose import KerasConvTranspose3d as KerasConvTranspose3d
    from shapecalc.layers.keras_norm import KerasBatchNorm1d as KerasBatchNorm1d
    from shapecalc.layers.keras_norm import KerasBatchNorm2d as KerasBatchNorm2d
    from shapecalc.layers.keras_norm import KerasBatchNorm3d as KerasBatchNorm3d
    from shapecalc.layers.keras_norm import KerasGroupNorm as KerasGroupNorm
    from shapecalc.layers.keras_norm import KerasLayerNorm as KerasLayerNorm
    from shapecalc.layers.keras_pad import KerasCrop1d as KerasCrop1d
    from shapecalc.layers.keras_pad import KerasCrop2d as KerasCrop2d
    from shapecalc.layers.keras_pad import KerasCrop3d as KerasCrop3d
    from shapecalc.layers.keras_pad import KerasUpsample as KerasUpsample
    from shapecalc.layers.keras_pad import KerasZeroPad1d as KerasZeroPad1d
    from shapecalc.layers.keras_pad import KerasZeroPad2d as KerasZeroPad2d
    from shapecalc.layers.keras_pad import KerasZeroPad3d as KerasZeroPad3d
    from shapecalc.layers.keras_pool import KerasAvgPool1d as KerasAvgPool1d
    from shapecalc.layers.keras_pool import KerasAvgPool2d as KerasAvgPool2d
    from shapecalc.layers.keras_pool import KerasAvgPool3d as KerasAvgPool3d
    from shapecalc.layers.keras_pool import KerasGlobalAvgPool1d as KerasGlobalAvgPool1d
    from shapecalc.layers.keras_pool import KerasGlobalAvgPool2d as KerasGlobalAvgPool2d
    from shapecalc.layers.keras_pool import KerasGlobalAvgPool3d as KerasGlobalAvgPool3d
    from shapecalc.layers.keras_pool import KerasGlobalMaxPool1d as KerasGlobalMaxPool1d
    from shapecalc.layers.keras_pool import KerasGlobalMaxPool2d as KerasGlobalMaxPool2d
    from shapecalc.layers.keras_pool import KerasGlobalMaxPool3d as KerasGlobalMaxPool3d
    from shapecalc.layers.keras_pool import KerasMaxPool1d as KerasMaxPool1d
    from shapecalc.layers.keras_pool import KerasMaxPool2d as KerasMaxPool2d
    from shapecalc.layers.keras_pool import KerasMaxPool3d as KerasMaxPool3d
    from shapecalc.layers.layer_norm import CrossMapLRN2d as CrossMapLRN2d
    from shapecalc.layers.layer_norm import GroupNorm as GroupNorm
    from shapecalc.layers.layer_norm import LayerNorm as LayerNorm
    from shapecalc.layers.layer_norm import LocalResponseNorm as LocalResponseNorm
    from shapecalc.layers.layer_norm import RMSNorm as RMSNorm
    from shapecalc.layers.learned import ClassToken as ClassToken
    from shapecalc.layers.learned import LayerScale as LayerScale
    from shapecalc.layers.learned import PositionEmbedding as PositionEmbedding
    from shapecalc.layers.lenet import PartialConv2d as PartialConv2d
    from shapecalc.layers.lenet import RBF as RBF
    from shapecalc.layers.lenet import Subsample2d as Subsample2d
    from shapecalc.layers.linear import Embedding as Embedding
    from shapecalc.layers.linear import Identity as Identity
    from shapecalc.layers.linear import Linear as Linear
    from shapecalc.layers.loss import BCELoss as BCELoss
    from shapecalc.layers.loss import BCEWithLogitsLoss as BCEWithLogitsLoss
    from shapecalc.layers.loss import GaussianNLLLoss as GaussianNLLLoss
    from shapecalc.layers.loss import HingeEmbeddingLoss as HingeEmbeddingLoss
    from shapecalc.layers.loss import HuberLoss as HuberLoss
    from shapecalc.layers.loss import KLDivLoss as KLDivLoss
    from shapecalc.layers.loss import L1Loss as L1Loss
    from shapecalc.layers.loss import MSELoss as MSELoss
    from shapecalc.layers.loss import PoissonNLLLoss as PoissonNLLLoss
    from shapecalc.layers.loss import SmoothL1Loss as SmoothL1Loss
    from shapecalc.layers.loss import SoftMarginLoss as SoftMarginLoss
    from shapecalc.layers.merge import Add as Add
    from shapecalc.layers.merge import Concat as Concat
    from shapecalc.layers.merge import Matmul as Matmul
    from shapecalc.layers.merge import Multiply as Multiply
    from shapecalc.layers.norm import BatchNorm1d as BatchNorm1d
    from shapecalc.layers.norm import BatchNorm2d as BatchNorm2d
    from shapecalc.layers.norm import BatchNorm3d as BatchNorm3d
    from shapecalc.layers.norm import InstanceNorm1d as InstanceNorm1d
    from shapecalc.layers.norm import InstanceNorm2d as InstanceNorm2d
    from shapecalc.layers.norm import InstanceNorm3d as InstanceNorm3d
    from shapecalc.layers.norm import SyncBatchNorm as SyncBatchNorm
    from shapecalc.layers.pad import ConstantPad1d as ConstantPad1d
    from shapecalc.layers.pad import ConstantPad2d as ConstantPad2d
    from shapecalc.layers.pad import ConstantPad3d as ConstantPad3d
    from shapecalc.layers.pad import ZeroPad1d as ZeroPad1d
    from shapecalc.layers.pad import ZeroPad2d as ZeroPad2d
    from shapecalc.layers.pad import ZeroPad3d as ZeroPad3d
    from shapecalc.layers.pad_input import CircularPad1d as CircularPad1d
    from shapecalc.layers.pad_input import CircularPad2d as CircularPad2d
    from shapecalc.layers.pad_input import CircularPad3d as CircularPad3d
    from shapecalc.layers.pad_input import ReflectionPad1d as ReflectionPad1d
    from shapecalc.layers.pad_input import ReflectionPad2d as ReflectionPad2d
    from shapecalc.layers.pad_input import ReflectionPad3d as ReflectionPad3d
    from shapecalc.layers.pad_input import ReplicationPad1d as ReplicationPad1d
    from shapecalc.layers.pad_input import ReplicationPad2d as ReplicationPad2d
    from shapecalc.layers.pad_input import ReplicationPad3d as ReplicationPad3d
    from shapecalc.layers.pool import AvgPool1d as AvgPool1d
    from shapecalc.layers.pool import AvgPool2d as AvgPool2d
    from shapecalc.layers.pool import AvgPool3d as AvgPool3d
    from shapecalc.layers.pool import LPPool1d as LPPool1d
    from shapecalc.layers.pool import LPPool2d as LPPool2d
    from shapecalc.layers.pool import LPPool3d as LPPool3d
    from shapecalc.layers.pool import MaxPool1d as MaxPool1d
    from shapecalc.layers.pool import MaxPool2d as MaxPool2d
    from shapecalc.layers.pool import MaxPool3d as MaxPool3d
    from shapecalc.layers.rectifier import CELU as CELU
    from shapecalc.layers.rectifier import ELU as ELU
    from shapecalc.layers.rectifier import GELU as GELU
    from shapecalc.layers.rectifier import Hardswish as Hardswish
    from shapecalc.layers.rectifier import LeakyReLU as LeakyReLU
    from shapecalc.layers.rectifier import Mish as Mish
    from shapecalc.layers.rectifier import PReLU as PReLU
    from shapecalc.layers.rectifier import RReLU as RReLU
    from shapecalc.layers.rectifier import ReLU as ReLU
    from shapecalc.layers.rectifier import ReLU6 as ReLU6
    from shapecalc.layers.rectifier import SELU as SELU
    from shapecalc.layers.rectifier import SiLU as SiLU
    from shapecalc.layers.rectifier import Softplus as Softplus
    from shapecalc.layers.rectifier import Threshold as Threshold
    from shapecalc.layers.recurrent import GRU as GRU
    from shapecalc.layers.recurrent import GRUCell as GRUCell
    from shapecalc.layers.recurrent import LSTM as LSTM
    from shapecalc.layers.recurrent import LSTMCell as LSTMCell
    from shapecalc.layers.recurrent import RNN as RNN
    from shapecalc.layers.recurrent import RNNCell as RNNCell
    from shapecalc.layers.resample import Upsample as Upsample
    from shapecalc.layers.resample import UpsamplingBilinear2d as UpsamplingBilinear2d
    from shapecalc.layers.resample import UpsamplingNearest2d as UpsamplingNearest2d
    from shapecalc.layers.reshape import Flatten as Flatten
    from shapecalc.layers.reshape import Permute as Permute
    from shapecalc.layers.reshape import Reshape as Reshape
    from shapecalc.layers.reshape import Squeeze as Squeeze
    from shapecalc.layers.reshape import Transpose as Transpose
    from shapecalc.layers.reshape import Unflatten as Unflatten
    from shapecalc.layers.reshape import Unsqueeze as Unsqueeze
    from shapecalc.layers.select import Chunk as Chunk
    from shapecalc.layers.select import Mean as Mean
    from shapecalc.layers.select import Select as Select
    from shapecalc.layers.select import Slice as Slice
    from shapecalc.layers.select import Split as Split
    from shapecalc.layers.sequence_loss import AdaptiveLogSoftmaxWithLoss as AdaptiveLogSoftmaxWithLoss
    from shapecalc.layers.sequence_loss import CTCLoss as CTCLoss
    from shapecalc.layers.shuffle import ChannelShuffle as ChannelShuffle
    from shapecalc.layers.shuffle import PixelShuffle as PixelShuffle
    from shapecalc.layers.shuffle import PixelUnshuffle as PixelUnshuffle
    from shapecalc.layers.softmax import GLU as GLU
    from shapecalc.layers.softmax import LogSoftmax as LogSoftmax
    from shapecalc.layers.softmax import Softmax as Softmax
    from shapecalc.layers.softmax import Softmax2d as Softmax2d
    from shapecalc.layers.softmax import Softmin as Softmin
    from shapecalc.layers.stochastic import StochasticDepth as StochasticDepth
    from shapecalc.layers.traced import Constant as Constant
    from shapecalc.layers.traced import Opaque as Opaque
    from shapecalc.layers.traced import Parameter as Parameter
    from shapecalc.layers.traced import Require as Require
    from shapecalc.layers.traced import Unused as Unused
    from shapecalc.layers.transformer import Transformer as Transformer
    from shapecalc.layers.transformer import TransformerDecoder as TransformerDecoder
    from shapecalc.layers.transformer import TransformerDecoderLayer as TransformerDecoderLayer
    from shapecalc.layers.transformer import TransformerEncoder as TransformerEncoder
    from shapecalc.layers.transformer import TransformerEncoderLayer as TransformerEncoderLayer
    from shapecalc.layers.unpool import MaxUnpool1d as MaxUnpool1d
    from shapecalc.layers.unpool import MaxUnpool2d as MaxUnpool2d
    from shapecalc.layers.unpool import MaxUnpool3d as MaxUnpool3d
    from shapecalc.layers.wrapper import SpectralNorm as SpectralNorm
    from shapecalc.layers.wrapper import WeightNorm as WeightNorm

KINDS: dict[str, str] = {
    "adaptive_avg_pool1d": "shapecalc.layers.adaptive_pool:AdaptiveAvgPool1d",
    "adaptive_avg_pool2d": "shapecalc.layers.adaptive_pool:AdaptiveAvgPool2d",
    "adaptive_avg_pool3d": "shapecalc.layers.adaptive_pool:AdaptiveAvgPool3d",
    "adaptive_log_softmax_with_loss": "shapecalc.layers.sequence_loss:AdaptiveLogSoftmaxWithLoss",
    "adaptive_max_pool1d": "shapecalc.layers.adaptive_pool:AdaptiveMaxPool1d",
    "adaptive_max_pool2d": "shapecalc.layers.adaptive_pool:AdaptiveMaxPool2d",
    "adaptive_max_pool3d": "shapecalc.layers.adaptive_pool:AdaptiveMaxPool3d",
    "add": "shapecalc.layers.merge:Add",
    "alpha_dropout": "shapecalc.layers.dropout:AlphaDropout",
    "avg_pool1d": "shapecalc.layers.pool:AvgPool1d",
    "avg_pool2d": "shapecalc.layers.pool:AvgPool2d",
    "avg_pool3d": "shapecalc.layers.pool:AvgPool3d",
    "batch_norm1d": "shapecalc.layers.norm:BatchNorm1d",
    "batch_norm2d": "shapecalc.layers.norm:BatchNorm2d",
    "batch_norm3d": "shapecalc.layers.norm:BatchNorm3d",
    "bce_loss": "shapecalc.layers.loss:BCELoss",
    "bce_with_logits_loss": "shapecalc.layers.loss:BCEWithLogitsLoss",
    "bilinear": "shapecalc.layers.bilinear:Bilinear",
    "broadcast_to": "shapecalc.layers.batch_shape_ops:BroadcastTo",
    "celu": "shapecalc.layers.rectifier:CELU",
    "channel_shuffle": "shapecalc.layers.shuffle:ChannelShuffle",
    "chunk": "shapecalc.layers.select:Chunk",
    "circular_pad1d": "shapecalc.layers.pad_input:CircularPad1d",
    "circular_pad2d": "shapecalc.layers.pad_input:CircularPad2d",
    "circular_pad3d": "shapecalc.layers.pad_input:CircularPad3d",
    "class_token": "shapecalc.layers.learned:ClassToken",
    "combine": "shapecalc.layers.by_name:Combine",
    "concat": "shapecalc.layers.merge:Concat",
    "constant": "shapecalc.layers.traced:Constant",
    "constant_pad1d": "shapecalc.layers.pad:ConstantPad1d",
    "constant_pad2d": "shapecalc.layers.pad:ConstantPad2d",
    "constant_pad3d": "shapecalc.layers.pad:ConstantPad3d",
    "conv1d": "shapecalc.layers.conv:Conv1d",
    "conv2d": "shapecalc.layers.conv:Conv2d",
    "conv3d": "shapecalc.layers.conv:Conv3d",
    "conv_transpose1d": "shapecalc.layers.conv_transpose:ConvTranspose1d",
    "conv_transpose2d": "shapecalc.layers.conv_transpose:ConvTranspose2d",
    "conv_transpose3d": "shapecalc.layers.conv_transpose:ConvTranspose3d",
    "cosine_embedding_loss": "shapecalc.layers.distance:CosineEmbeddingLoss",
    "cosine_similarity": "shapecalc.layers.distance:CosineSimilarity",
    "crop1d": "shapecalc.layers.crop:Crop1d",
    "crop2d": "shapecalc.layers.crop:Crop2d",
    "crop3d": "shapecalc.layers.crop:Crop3d",
    "cross_entropy_loss": "shapecalc.layers.class_loss:CrossEntropyLoss",
    "cross_map_lrn2d": "shapecalc.layers.layer_norm:CrossMapLRN2d",
    "ctc_loss": "shapecalc.layers.sequence_loss:CTCLoss",
    "depthwise_conv1d": "shapecalc.layers.conv:DepthwiseConv1d",
    "depthwise_conv2d": "shapecalc.layers.conv:DepthwiseConv2d",
    "depthwise_conv3d": "shapecalc.layers.conv:DepthwiseConv3d",
    "divisible": "shapecalc.layers.divisible:Divisible",
    "dropout": "shapecalc.layers.dropout:Dropout",
    "dropout1d": "shapecalc.layers.dropout:Dropout1d",
    "dropout2d": "shapecalc.layers.dropout:Dropout2d",
    "dropout3d": "shapecalc.layers.dropout:Dropout3d",
    "einsum": "shapecalc.layers.einsum:Einsum",
    "elementwise": "shapecalc.layers.by_name:Elementwise",
    "elu": "shapecalc.layers.rectifier:ELU",
    "embedding": "shapecalc.layers.linear:Embedding",
    "embedding_bag": "shapecalc.layers.bag:EmbeddingBag",
    "feature_alpha_dropout": "shapecalc.layers.dropout:FeatureAlphaDropout",
    "flatten": "shapecalc.layers.reshape:Flatten",
    "fold": "shapecalc.layers.fold:Fold",
    "fractional_max_pool2d": "shapecalc.layers.fractional_pool:FractionalMaxPool2d",
    "fractional_max_pool3d": "shapecalc.layers.fractional_pool:FractionalMaxPool3d",
    "gaussian_nll_loss": "shapecalc.layers.loss:GaussianNLLLoss",
    "gelu": "shapecalc.layers.rectifier:GELU",
    "global_avg_pool1d": "shapecalc.layers.adaptive_pool:GlobalAvgPool1d",
    "global_avg_pool2d": "shapecalc.layers.adaptive_pool:GlobalAvgPool2d",
    "global_avg_pool3d": "shapecalc.layers.adaptive_pool:GlobalAvgPool3d",
    "global_max_pool1d": "shapecalc.layers.adaptive_pool:GlobalMaxPool1d",
    "global_max_pool2d": "shapecalc.layers.adaptive_pool:GlobalMaxPool2d",
    "global_max_pool3d": "shapecalc.layers.adaptive_pool:GlobalMaxPool3d",
    "glu": "shapecalc.layers.softmax:GLU",
    "group_norm": "shapecalc.layers.layer_norm:GroupNorm",
    "gru": "shapecalc.layers.recurrent:GRU",
    "gru_cell": "shapecalc.layers.recurrent:GRUCell",
    "hardshrink": "shapecalc.layers.activation:Hardshrink",
    "hardsigmoid": "shapecalc.layers.activation:Hardsigmoid",
    "hardswish": "shapecalc.layers.rectifier:Hardswish",
    "hardtanh": "shapecalc.layers.activation:Hardtanh",
    "hinge_embedding_loss": "shapecalc.layers.loss:HingeEmbeddingLoss",
    "huber_loss": "shapecalc.layers.loss:HuberLoss",
    "identity": "shapecalc.layers.linear:Identity",
    "instance_norm1d": "shapecalc.layers.norm:InstanceNorm1d",
    "instance_norm2d": "shapecalc.layers.norm:InstanceNorm2d",
    "instance_norm3d": "shapecalc.layers.norm:InstanceNorm3d",
    "kl_div_loss": "shapecalc.layers.loss:KLDivLoss",
    "l1_loss": "shapecalc.layers.loss:L1Loss",
    "layer_norm": "shapecalc.layers.layer_norm:LayerNorm",
    "layer_scale": "shapecalc.layers.learned:LayerScale",
    "leaky_relu": "shapecalc.layers.rectifier:LeakyReLU",
    "linear": "shapecalc.layers.linear:Linear",
    "linear_cross_entropy_loss": "shapecalc.layers.class_loss:LinearCrossEntropyLoss",
    "local_response_norm": "shapecalc.layers.layer_norm:LocalResponseNorm",
    "log_sigmoid": "shapecalc.layers.activation:LogSigmoid",
    "log_softmax": "shapecalc.layers.softmax:LogSoftmax",
    "lp_pool1d": "shapecalc.layers.pool:LPPool1d",
    "lp_pool2d": "shapecalc.layers.pool:LPPool2d",
    "lp_pool3d": "shapecalc.layers.pool:LPPool3d",
    "lstm": "shapecalc.layers.recurrent:LSTM",
    "lstm_cell": "shapecalc.layers.recurrent:LSTMCell",
    "margin_ranking_loss": "shapecalc.layers.distance:MarginRankingLoss",
    "matmul": "shapecalc.layers.merge:Matmul",
    "max_pool1d": "shapecalc.layers.pool:MaxPool1d",
    "max_pool2d": "shapecalc.layers.pool:MaxPool2d",
    "max_pool3d": "shapecalc.layers.pool:MaxPool3d",
    "max_unpool1d": "shapecalc.layers.unpool:MaxUnpool1d",
    "max_unpool2d": "shapecalc.layers.unpool:MaxUnpool2d",
    "max_unpool3d": "shapecalc.layers.unpool:MaxUnpool3d",
    "mean": "shapecalc.layers.select:Mean",
    "mish": "shapecalc.layers.rectifier:Mish",
    "mse_loss": "shapecalc.layers.loss:MSELoss",
    "multi_label_margin_loss": "shapecalc.layers.class_loss:MultiLabelMarginLoss",
    "multi_label_soft_margin_loss": "shapecalc.layers.class_loss:MultiLabelSoftMarginLoss",
    "multi_margin_loss": "shapecalc.layers.class_loss:MultiMarginLoss",
    "multihead_attention": "shapecalc.layers.attention:MultiheadAttention",
    "multiply": "shapecalc.layers.merge:Multiply",
    "nll_loss": "shapecalc.layers.class_loss:NLLLoss",
    "opaque": "shapecalc.layers.traced:Opaque",
    "pad": "shapecalc.layers.batch_shape_ops:Pad",
    "pairwise_distance": "shapecalc.layers.distance:PairwiseDistance",
    "parameter": "shapecalc.layers.traced:Parameter",
    "partial_conv2d": "shapecalc.layers.lenet:PartialConv2d",
    "permute": "shapecalc.layers.reshape:Permute",
    "pixel_shuffle": "shapecalc.layers.shuffle:PixelShuffle",
    "pixel_unshuffle": "shapecalc.layers.shuffle:PixelUnshuffle",
    "poisson_nll_loss": "shapecalc.layers.loss:PoissonNLLLoss",
    "position_embedding": "shapecalc.layers.learned:PositionEmbedding",
    "prelu": "shapecalc.layers.rectifier:PReLU",
    "rbf": "shapecalc.layers.lenet:RBF",
    "reduce": "shapecalc.layers.by_name:Reduce",
    "reflection_pad1d": "shapecalc.layers.pad_input:ReflectionPad1d",
    "reflection_pad2d": "shapecalc.layers.pad_input:ReflectionPad2d",
    "reflection_pad3d": "shapecalc.layers.pad_input:ReflectionPad3d",
    "relu": "shapecalc.layers.rectifier:ReLU",
    "relu6": "shapecalc.layers.rectifier:ReLU6",
    "replication_pad1d": "shapecalc.layers.pad_input:ReplicationPad1d",
    "replication_pad2d": "shapecalc.layers.pad_input:ReplicationPad2d",
    "replication_pad3d": "shapecalc.layers.pad_input:ReplicationPad3d",
    "require": "shapecalc.layers.traced:Require",
    "reshape": "shapecalc.layers.reshape:Reshape",
    "rms_norm": "shapecalc.layers.layer_norm:RMSNorm",
    "rnn": "shapecalc.layers.recurrent:RNN",
    "rnn_cell": "shapecalc.layers.recurrent:RNNCell",
    "rrelu": "shapecalc.layers.rectifier:RReLU",
    "select": "shapecalc.layers.select:Select",
    "selu": "shapecalc.layers.rectifier:SELU",
    "separable_conv1d": "shapecalc.layers.conv:SeparableConv1d",
    "separable_conv2d": "shapecalc.layers.conv:SeparableConv2d",
    "sigmoid": "shapecalc.layers.activation:Sigmoid",
    "silu": "shapecalc.layers.rectifier:SiLU",
    "slice": "shapecalc.layers.select:Slice",
    "smooth_l1_loss": "shapecalc.layers.loss:SmoothL1Loss",
    "soft_margin_loss": "shapecalc.layers.loss:SoftMarginLoss",
    "softmax": "shapecalc.layers.softmax:Softmax",
    "softmax2d": "shapecalc.layers.softmax:Softmax2d",
    "softmin": "shapecalc.layers.softmax:Softmin",
    "softplus": "shapecalc.layers.rectifier:Softplus",
    "softshrink": "shapecalc.layers.activation:Softshrink",
    "softsign": "shapecalc.layers.activation:Softsign",
    "spectral_norm": "shapecalc.layers.wrapper:SpectralNorm",
    "split": "shapecalc.layers.select:Split",
    "squeeze": "shapecalc.layers.reshape:Squeeze",
    "stochastic_depth": "shapecalc.layers.stochastic:StochasticDepth",
    "subsample2d": "shapecalc.layers.lenet:Subsample2d",
    "sync_batch_norm": "shapecalc.layers.norm:SyncBatchNorm",
    "tanh": "shapecalc.layers.activation:Tanh",
    "tanhshrink": "shapecalc.layers.activation:Tanhshrink",
    "threshold": "shapecalc.layers.rectifier:Threshold",
    "transformer": "shapecalc.layers.transformer:Transformer",
    "transformer_decoder": "shapecalc.layers.transformer:TransformerDecoder",
    "transformer_decoder_layer": "shapecalc.layers.transformer:TransformerDecoderLayer",
    "transformer_encoder": "shapecalc.layers.transformer:TransformerEncoder",
    "transformer_encoder_layer": "shapecalc.layers.transformer:TransformerEncoderLayer",
    "transpose": "shapecalc.layers.reshape:Transpose",
    "triplet_margin_loss": "shapecalc.layers.distance:TripletMarginLoss",
    "triplet_margin_with_distance_loss": "shapecalc.layers.distance:TripletMarginWithDistanceLoss",
    "unflatten": "shapecalc.layers.reshape:Unflatten",
    "unfold": "shapecalc.layers.fold:Unfold",
    "unsqueeze": "shapecalc.layers.reshape:Unsqueeze",
    "unused": "shapecalc.layers.traced:Unused",
    "upsample": "shapecalc.layers.resample:Upsample",
    "upsampling_bilinear2d": "shapecalc.layers.resample:UpsamplingBilinear2d",
    "upsampling_nearest2d": "shapecalc.layers.resample:UpsamplingNearest2d",
    "view": "shapecalc.layers.batch_shape_ops:View",
    "weight_norm": "shapecalc.layers.wrapper:WeightNorm",
    "zero_pad1d": "shapecalc.layers.pad:ZeroPad1d",
    "zero_pad2d": "shapecalc.layers.pad:ZeroPad2d",
    "zero_pad3d": "shapecalc.layers.pad:ZeroPad3d",
}

KERAS: dict[str, str] = {
    "avg_pool1d": "shapecalc.layers.keras_pool:KerasAvgPool1d",
    "avg_pool2d": "shapecalc.layers.keras_pool:KerasAvgPool2d",
    "avg_pool3d": "shapecalc.layers.keras_pool:KerasAvgPool3d",
    "batch_norm1d": "shapecalc.layers.keras_norm:KerasBatchNorm1d",
    "batch_norm2d": "shapecalc.layers.keras_norm:KerasBatchNorm2d",
    "batch_norm3d": "shapecalc.layers.keras_norm:KerasBatchNorm3d",
    "chunk": "shapecalc.layers.keras_basic:KerasChunk",
    "concat": "shapecalc.layers.keras_basic:KerasConcat",
    "conv1d": "shapecalc.layers.keras_conv:KerasConv1d",
    "conv2d": "shapecalc.layers.keras_conv:KerasConv2d",
    "conv3d": "shapecalc.layers.keras_conv:KerasConv3d",
    "conv_transpose1d": "shapecalc.layers.keras_conv_transpose:KerasConvTranspose1d",
    "conv_transpose2d": "shapecalc.layers.keras_conv_transpose:KerasConvTranspose2d",
    "conv_transpose3d": "shapecalc.layers.keras_conv_transpose:KerasConvTranspose3d",
    "crop1d": "shapecalc.layers.keras_pad:KerasCrop1d",
    "crop2d": "shapecalc.layers.keras_pad:KerasCrop2d",
    "crop3d": "shapecalc.layers.keras_pad:KerasCrop3d",
    "depthwise_conv1d": "shapecalc.layers.keras_conv:KerasDepthwiseConv1d",
    "depthwise_conv2d": "shapecalc.layers.keras_conv:KerasDepthwiseConv2d",
    "dropout1d": "shapecalc.layers.keras_basic:KerasDropout1d",
    "dropout2d": "shapecalc.layers.keras_basic:KerasDropout2d",
    "dropout3d": "shapecalc.layers.keras_basic:KerasDropout3d",
    "embedding": "shapecalc.layers.keras_basic:KerasEmbedding",
    "global_avg_pool1d": "shapecalc.layers.keras_pool:KerasGlobalAvgPool1d",
    "global_avg_pool2d": "shapecalc.layers.keras_pool:KerasGlobalAvgPool2d",
    "global_avg_pool3d": "shapecalc.layers.keras_pool:KerasGlobalAvgPool3d",
    "global_max_pool1d": "shapecalc.layers.keras_pool:KerasGlobalMaxPool1d",
    "global_max_pool2d": "shapecalc.layers.keras_pool:KerasGlobalMaxPool2d",
    "global_max_pool3d": "shapecalc.layers.keras_pool:KerasGlobalMaxPool3d",
    "group_norm": "shapecalc.layers.keras_norm:KerasGroupNorm",
    "layer_norm": "shapecalc.layers.keras_norm:KerasLayerNorm",
    "linear": "shapecalc.layers.keras_basic:KerasLinear",
    "max_pool1d": "shapecalc.layers.keras_pool:KerasMaxPool1d",
    "max_pool2d": "shapecalc.layers.keras_pool:KerasMaxPool2d",
    "max_pool3d": "shapecalc.layers.keras_pool:KerasMaxPool3d",
    "separable_conv1d": "shapecalc.layers.keras_conv:KerasSeparableConv1d",
    "separable_conv2d": "shapecalc.layers.keras_conv:KerasSeparableConv2d",
    "split": "shapecalc.layers.keras_basic:KerasSplit",
    "upsample": "shapecalc.layers.keras_pad:KerasUpsample",
    "zero_pad1d": "shapecalc.layers.keras_pad:KerasZeroPad1d",
    "zero_pad2d": "shapecalc.layers.keras_pad:KerasZeroPad2d",
    "zero_pad3d": "shapecalc.layers.keras_pad:KerasZeroPad3d",
}
"""The kinds for which Keras has a rule, a layout or weight names of its own."""

TORCH: dict[str, str] = {
    "torch.nn.AdaptiveAvgPool1d": "adaptive_avg_pool1d",
    "torch.nn.AdaptiveAvgPool2d": "adaptive_avg_pool2d",
    "torch.nn.AdaptiveAvgPool3d": "adaptive_avg_pool3d",
    "torch.nn.AdaptiveLogSoftmaxWithLoss": "adaptive_log_softmax_with_loss",
    "torch.nn.AdaptiveMaxPool1d": "adaptive_max_pool1d",
    "torch.nn.AdaptiveMaxPool2d": "adaptive_max_pool2d",
    "torch.nn.AdaptiveMaxPool3d": "adaptive_max_pool3d",
    "torch.nn.AlphaDropout": "alpha_dropout",
    "torch.nn.AvgPool1d": "avg_pool1d",
    "torch.nn.AvgPool2d": "avg_pool2d",
    "torch.nn.AvgPool3d": "avg_pool3d",
    "torch.nn.BCELoss": "bce_loss",
    "torch.nn.BCEWithLogitsLoss": "bce_with_logits_loss",
    "torch.nn.BatchNorm1d": "batch_norm1d",
    "torch.nn.BatchNorm2d": "batch_norm2d",
    "torch.nn.BatchNorm3d": "batch_norm3d",
    "torch.nn.Bilinear": "bilinear",
    "torch.nn.CELU": "celu",
    "torch.nn.CTCLoss": "ctc_loss",
    "torch.nn.ChannelShuffle": "channel_shuffle",
    "torch.nn.CircularPad1d": "circular_pad1d",
    "torch.nn.CircularPad2d": "circular_pad2d",
    "torch.nn.CircularPad3d": "circular_pad3d",
    "torch.nn.ConstantPad1d": "constant_pad1d",
    "torch.nn.ConstantPad2d": "constant_pad2d",
    "torch.nn.ConstantPad3d": "constant_pad3d",
    "torch.nn.Conv1d": "conv1d",
    "torch.nn.Conv2d": "conv2d",
    "torch.nn.Conv3d": "conv3d",
    "torch.nn.ConvTranspose1d": "conv_transpose1d",
    "torch.nn.ConvTranspose2d": "conv_transpose2d",
    "torch.nn.ConvTranspose3d": "conv_transpose3d",
    "torch.nn.CosineEmbeddingLoss": "cosine_embedding_loss",
    "torch.nn.CosineSimilarity": "cosine_similarity",
    "torch.nn.CrossEntropyLoss": "cross_entropy_loss",
    "torch.nn.CrossMapLRN2d": "cross_map_lrn2d",
    "torch.nn.Dropout": "dropout",
    "torch.nn.Dropout1d": "dropout1d",
    "torch.nn.Dropout2d": "dropout2d",
    "torch.nn.Dropout3d": "dropout3d",
    "torch.nn.ELU": "elu",
    "torch.nn.Embedding": "embedding",
    "torch.nn.EmbeddingBag": "embedding_bag",
    "torch.nn.FeatureAlphaDropout": "feature_alpha_dropout",
    "torch.nn.Flatten": "flatten",
    "torch.nn.Fold": "fold",
    "torch.nn.FractionalMaxPool2d": "fractional_max_pool2d",
    "torch.nn.FractionalMaxPool3d": "fractional_max_pool3d",
    "torch.nn.GELU": "gelu",
    "torch.nn.GLU": "glu",
    "torch.nn.GRU": "gru",
    "torch.nn.GRUCell": "gru_cell",
    "torch.nn.GaussianNLLLoss": "gaussian_nll_loss",
    "torch.nn.GroupNorm": "group_norm",
    "torch.nn.Hardshrink": "hardshrink",
    "torch.nn.Hardsigmoid": "hardsigmoid",
    "torch.nn.Hardswish": "hardswish",
    "torch.nn.Hardtanh": "hardtanh",
    "torch.nn.HingeEmbeddingLoss": "hinge_embedding_loss",
    "torch.nn.HuberLoss": "huber_loss",
    "torch.nn.Identity": "identity",
    "torch.nn.InstanceNorm1d": "instance_norm1d",
    "torch.nn.InstanceNorm2d": "instance_norm2d",
    "torch.nn.InstanceNorm3d": "instance_norm3d",
    "torch.nn.KLDivLoss": "kl_div_loss",
    "torch.nn.L1Loss": "l1_loss",
    "torch.nn.LPPool1d": "lp_pool1d",
    "torch.nn.LPPool2d": "lp_pool2d",
    "torch.nn.LPPool3d": "lp_pool3d",
    "torch.nn.LSTM": "lstm",
    "torch.nn.LSTMCell": "lstm_cell",
    "torch.nn.LayerNorm": "layer_norm",
    "torch.nn.LeakyReLU": "leaky_relu",
    "torch.nn.Linear": "linear",
    "torch.nn.LinearCrossEntropyLoss": "linear_cross_entropy_loss",
    "torch.nn.LocalResponseNorm": "local_response_norm",
    "torch.nn.LogSigmoid": "log_sigmoid",
    "torch.nn.LogSoftmax": "log_softmax",
    "torch.nn.MSELoss": "mse_loss",
    "torch.nn.MarginRankingLoss": "margin_ranking_loss",
    "torch.nn.MaxPool1d": "max_pool1d",
    "torch.nn.MaxPool2d": "max_pool2d",
    "torch.nn.MaxPool3d": "max_pool3d",
    "torch.nn.MaxUnpool1d": "max_unpool1d",
    "torch.nn.MaxUnpool2d": "max_unpool2d",
    "torch.nn.MaxUnpool3d": "max_unpool3d",
    "torch.nn.Mish": "mish",
    "torch.nn.MultiLabelMarginLoss": "multi_label_margin_loss",
    "torch.nn.MultiLabelSoftMarginLoss": "multi_label_soft_margin_loss",
    "torch.nn.MultiMarginLoss": "multi_margin_loss",
    "torch.nn.MultiheadAttention": "multihead_attention",
    "torch.nn.NLLLoss": "nll_loss",
    "torch.nn.PReLU": "prelu",
    "torch.nn.PairwiseDistance": "pairwise_distance",
    "torch.nn.PixelShuffle": "pixel_shuffle",
    "torch.nn.PixelUnshuffle": "pixel_unshuffle",
    "torch.nn.PoissonNLLLoss": "poisson_nll_loss",
    "torch.nn.RMSNorm": "rms_norm",
    "torch.nn.RNN": "rnn",
    "torch.nn.RNNCell": "rnn_cell",
    "torch.nn.RReLU": "rrelu",
    "torch.nn.ReLU": "relu",
    "torch.nn.ReLU6": "relu6",
    "torch.nn.ReflectionPad1d": "reflection_pad1d",
    "torch.nn.ReflectionPad2d": "reflection_pad2d",
    "torch.nn.ReflectionPad3d": "reflection_pad3d",
    "torch.nn.ReplicationPad1d": "replication_pad1d",
    "torch.nn.ReplicationPad2d": "replication_pad2d",
    "torch.nn.ReplicationPad3d": "replication_pad3d",
    "torch.nn.SELU": "selu",
    "torch.nn.SiLU": "silu",
    "torch.nn.Sigmoid": "sigmoid",
    "torch.nn.SmoothL1Loss": "smooth_l1_loss",
    "torch.nn.SoftMarginLoss": "soft_margin_loss",
    "torch.nn.Softmax": "softmax",
    "torch.nn.Softmax2d": "softmax2d",
    "torch.nn.Softmin": "softmin",
    "torch.nn.Softplus": "softplus",
    "torch.nn.Softshrink": "softshrink",
    "torch.nn.Softsign": "softsign",
    "torch.nn.SyncBatchNorm": "sync_batch_norm",
    "torch.nn.Tanh": "tanh",
    "torch.nn.Tanhshrink": "tanhshrink",
    "torch.nn.Threshold": "threshold",
    "torch.nn.Transformer": "transformer",
    "torch.nn.TransformerDecoder": "transformer_decoder",
    "torch.nn.TransformerDecoderLayer": "transformer_decoder_layer",
    "torch.nn.TransformerEncoder": "transformer_encoder",
    "torch.nn.TransformerEncoderLayer": "transformer_encoder_layer",
    "torch.nn.TripletMarginLoss": "triplet_margin_loss",
    "torch.nn.TripletMarginWithDistanceLoss": "triplet_margin_with_distance_loss",
    "torch.nn.Unflatten": "unflatten",
    "torch.nn.Unfold": "unfold",
    "torch.nn.Upsample": "upsample",
    "torch.nn.UpsamplingBilinear2d": "upsampling_bilinear2d",
    "torch.nn.UpsamplingNearest2d": "upsampling_nearest2d",
    "torch.nn.ZeroPad1d": "zero_pad1d",
    "torch.nn.ZeroPad2d": "zero_pad2d",
    "torch.nn.ZeroPad3d": "zero_pad3d",
    "torchvision.ops.StochasticDepth": "stochastic_depth",
}
"""The kind of each class of torch that a kind names as its counterpart."""
