"""Which module holds the class of each built-in kind; written by tools/index_kinds.py."""

_OF_TORCH = {
    "activation": (
        "hardshrink:Hardshrink hardsigmoid:Hardsigmoid hardtanh:Hardtanh log_sigmoid:LogSigmoid "
        "sigmoid:Sigmoid softshrink:Softshrink softsign:Softsign tanh:Tanh tanhshrink:Tanhshrink"
    ),
    "adaptive_pool": (
        "adaptive_avg_pool1d:AdaptiveAvgPool1d adaptive_avg_pool2d:AdaptiveAvgPool2d "
        "adaptive_avg_pool3d:AdaptiveAvgPool3d adaptive_max_pool1d:AdaptiveMaxPool1d "
        "adaptive_max_pool2d:AdaptiveMaxPool2d adaptive_max_pool3d:AdaptiveMaxPool3d "
        "global_avg_pool1d:GlobalAvgPool1d global_avg_pool2d:GlobalAvgPool2d "
        "global_avg_pool3d:GlobalAvgPool3d global_max_pool1d:GlobalMaxPool1d "
        "global_max_pool2d:GlobalMaxPool2d global_max_pool3d:GlobalMaxPool3d"
    ),
    "attention": "multihead_attention:MultiheadAttention",
    "bag": "embedding_bag:EmbeddingBag",
    "batch_shape_ops": "broadcast_to:BroadcastTo pad:Pad view:View",
    "bilinear": "bilinear:Bilinear",
    "by_name": "combine:Combine elementwise:Elementwise reduce:Reduce",
    "class_loss": (
        "cross_entropy_loss:CrossEntropyLoss linear_cross_entropy_loss:LinearCrossEntropyLoss "
        "multi_label_margin_loss:MultiLabelMarginLoss multi_label_soft_margin_loss:MultiLabelSoftMarginLoss "
        "multi_margin_loss:MultiMarginLoss nll_loss:NLLLoss"
    ),
    "conv": (
        "conv1d:Conv1d conv2d:Conv2d conv3d:Conv3d depthwise_conv1d:DepthwiseConv1d "
        "depthwise_conv2d:DepthwiseConv2d depthwise_conv3d:DepthwiseConv3d separable_conv1d:SeparableConv1d "
        "separable_conv2d:SeparableConv2d"
    ),
    "conv_transpose": (
        "conv_transpose1d:ConvTranspose1d conv_transpose2d:ConvTranspose2d conv_transpose3d:ConvTranspose3d"
    ),
    "crop": "crop1d:Crop1d crop2d:Crop2d crop3d:Crop3d",
    "distance": (
        "cosine_embedding_loss:CosineEmbeddingLoss cosine_similarity:CosineSimilarity "
        "margin_ranking_loss:MarginRankingLoss pairwise_distance:PairwiseDistance "
        "triplet_margin_loss:TripletMarginLoss "
        "triplet_margin_with_distance_loss:TripletMarginWithDistanceLoss"
    ),
    "divisible": "divisible:Divisible",
    "dropout": (
        "alpha_dropout:AlphaDropout dropout1d:Dropout1d dropout2d:Dropout2d dropout3d:Dropout3d "
        "dropout:Dropout feature_alpha_dropout:FeatureAlphaDropout"
    ),
    "einsum": "einsum:Einsum",
    "fold": "fold:Fold unfold:Unfold",
    "fractional_pool": "fractional_max_pool2d:FractionalMaxPool2d fractional_max_pool3d:FractionalMaxPool3d",
    "layer_norm": (
        "cross_map_lrn2d:CrossMapLRN2d group_norm:GroupNorm layer_norm:LayerNorm "
        "local_response_norm:LocalResponseNorm rms_norm:RMSNorm"
    ),
    "learned": "class_token:ClassToken layer_scale:LayerScale position_embedding:PositionEmbedding",
    "lenet": "partial_conv2d:PartialConv2d rbf:RBF subsample2d:Subsample2d",
    "linear": "embedding:Embedding identity:Identity linear:Linear",
    "loss": (
        "bce_loss:BCELoss bce_with_logits_loss:BCEWithLogitsLoss gaussian_nll_loss:GaussianNLLLoss "
        "hinge_embedding_loss:HingeEmbeddingLoss huber_loss:HuberLoss kl_div_loss:KLDivLoss l1_loss:L1Loss "
        "mse_loss:MSELoss poisson_nll_loss:PoissonNLLLoss smooth_l1_loss:SmoothL1Loss "
        "soft_margin_loss:SoftMarginLoss"
    ),
    "merge": "add:Add concat:Concat matmul:Matmul multiply:Multiply",
    "norm": (
        "batch_norm1d:BatchNorm1d batch_norm2d:BatchNorm2d batch_norm3d:BatchNorm3d "
        "instance_norm1d:InstanceNorm1d instance_norm2d:InstanceNorm2d instance_norm3d:InstanceNorm3d "
        "sync_batch_norm:SyncBatchNorm"
    ),
    "pad": (
        "constant_pad1d:ConstantPad1d constant_pad2d:ConstantPad2d constant_pad3d:ConstantPad3d "
        "zero_pad1d:ZeroPad1d zero_pad2d:ZeroPad2d zero_pad3d:ZeroPad3d"
    ),
    "pad_input": (
        "circular_pad1d:CircularPad1d circular_pad2d:CircularPad2d circular_pad3d:CircularPad3d "
        "reflection_pad1d:ReflectionPad1d reflection_pad2d:ReflectionPad2d reflection_pad3d:ReflectionPad3d "
        "replication_pad1d:ReplicationPad1d replication_pad2d:ReplicationPad2d "
        "replication_pad3d:ReplicationPad3d"
    ),
    "pool": (
        "avg_pool1d:AvgPool1d avg_pool2d:AvgPool2d avg_pool3d:AvgPool3d lp_pool1d:LPPool1d "
        "lp_pool2d:LPPool2d lp_pool3d:LPPool3d max_pool1d:MaxPool1d max_pool2d:MaxPool2d "
        "max_pool3d:MaxPool3d"
    ),
    "rectifier": (
        "celu:CELU elu:ELU gelu:GELU hardswish:Hardswish leaky_relu:LeakyReLU mish:Mish prelu:PReLU "
        "relu6:ReLU6 relu:ReLU rrelu:RReLU selu:SELU silu:SiLU softplus:Softplus threshold:Threshold"
    ),
    "recurrent": "gru:GRU lstm:LSTM rnn:RNN",
    "recurrent_cells": "gru_cell:GRUCell lstm_cell:LSTMCell rnn_cell:RNNCell",
    "resample": (
        "upsample:Upsample upsampling_bilinear2d:UpsamplingBilinear2d "
        "upsampling_nearest2d:UpsamplingNearest2d"
    ),
    "reshape": (
        "flatten:Flatten permute:Permute reshape:Reshape squeeze:Squeeze transpose:Transpose "
        "unflatten:Unflatten unsqueeze:Unsqueeze"
    ),
    "select": "chunk:Chunk mean:Mean select:Select slice:Slice split:Split",
    "sequence_loss": "adaptive_log_softmax_with_loss:AdaptiveLogSoftmaxWithLoss ctc_loss:CTCLoss",
    "shuffle": "channel_shuffle:ChannelShuffle pixel_shuffle:PixelShuffle pixel_unshuffle:PixelUnshuffle",
    "softmax": "glu:GLU log_softmax:LogSoftmax softmax2d:Softmax2d softmax:Softmax softmin:Softmin",
    "stochastic": "stochastic_depth:StochasticDepth",
    "traced": "constant:Constant opaque:Opaque parameter:Parameter require:Require unused:Unused",
    "transformer": (
        "transformer:Transformer transformer_decoder:TransformerDecoder "
        "transformer_decoder_layer:TransformerDecoderLayer transformer_encoder:TransformerEncoder "
        "transformer_encoder_layer:TransformerEncoderLayer"
    ),
    "unpool": "max_unpool1d:MaxUnpool1d max_unpool2d:MaxUnpool2d max_unpool3d:MaxUnpool3d",
    "wrapper": "spectral_norm:SpectralNorm weight_norm:WeightNorm",
}
_OF_KERAS = {
    "keras_basic": (
        "chunk:KerasChunk concat:KerasConcat dropout1d:KerasDropout1d dropout2d:KerasDropout2d "
        "dropout3d:KerasDropout3d embedding:KerasEmbedding linear:KerasLinear split:KerasSplit"
    ),
    "keras_conv": (
        "conv1d:KerasConv1d conv2d:KerasConv2d conv3d:KerasConv3d depthwise_conv1d:KerasDepthwiseConv1d "
        "depthwise_conv2d:KerasDepthwiseConv2d separable_conv1d:KerasSeparableConv1d "
        "separable_conv2d:KerasSeparableConv2d"
    ),
    "keras_conv_transpose": (
        "conv_transpose1d:KerasConvTranspose1d conv_transpose2d:KerasConvTranspose2d "
        "conv_transpose3d:KerasConvTranspose3d"
    ),
    "keras_norm": (
        "batch_norm1d:KerasBatchNorm1d batch_norm2d:KerasBatchNorm2d batch_norm3d:KerasBatchNorm3d "
        "group_norm:KerasGroupNorm layer_norm:KerasLayerNorm"
    ),
    "keras_pad": (
        "crop1d:KerasCrop1d crop2d:KerasCrop2d crop3d:KerasCrop3d upsample:KerasUpsample "
        "zero_pad1d:KerasZeroPad1d zero_pad2d:KerasZeroPad2d zero_pad3d:KerasZeroPad3d"
    ),
    "keras_pool": (
        "avg_pool1d:KerasAvgPool1d avg_pool2d:KerasAvgPool2d avg_pool3d:KerasAvgPool3d "
        "global_avg_pool1d:KerasGlobalAvgPool1d global_avg_pool2d:KerasGlobalAvgPool2d "
        "global_avg_pool3d:KerasGlobalAvgPool3d global_max_pool1d:KerasGlobalMaxPool1d "
        "global_max_pool2d:KerasGlobalMaxPool2d global_max_pool3d:KerasGlobalMaxPool3d "
        "max_pool1d:KerasMaxPool1d max_pool2d:KerasMaxPool2d max_pool3d:KerasMaxPool3d"
    ),
}


def _targets(modules: dict[str, str]) -> dict[str, str]:
    return {
        kind: f"shapecalc.layers.{module}:{name}"
        for module, kinds in modules.items()
        for pair in kinds.split()
        for kind, _, name in [pair.partition(":")]
    }


KINDS = _targets(_OF_TORCH)
"""The module and the class of each kind."""
KERAS = _targets(_OF_KERAS)
"""The same for the kinds for which Keras has a rule, a layout or weight names of its own."""
BEYOND_NN = {"StochasticDepth": "torchvision.ops"}
"""Where torch's class of a kind is, if not in torch.nn."""
