"""Which module holds the class of each built-in kind; written by tools/index_kinds.py."""

from shapecalc.layers.class_names import targets

KINDS = targets(
    {
        "activation": (
            "Hardshrink Hardsigmoid Hardtanh LogSigmoid Sigmoid Softshrink Softsign Tanh Tanhshrink"
        ),
        "adaptive_pool": (
            "AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d "
            "AdaptiveMaxPool3d"
        ),
        "attention": "MultiheadAttention",
        "average_pool": "AvgPool1d AvgPool2d AvgPool3d LPPool1d LPPool2d LPPool3d",
        "bag": "EmbeddingBag",
        "batch_shape_ops": "BroadcastTo Pad View",
        "bilinear": "Bilinear",
        "by_name": "Combine Elementwise Reduce",
        "class_loss": (
            "CrossEntropyLoss LinearCrossEntropyLoss MultiLabelMarginLoss MultiLabelSoftMarginLoss "
            "MultiMarginLoss NLLLoss"
        ),
        "conv": "Conv1d Conv2d Conv3d",
        "conv_transpose": "ConvTranspose1d ConvTranspose2d ConvTranspose3d",
        "crop": "Crop1d Crop2d Crop3d",
        "distance": (
            "CosineEmbeddingLoss CosineSimilarity MarginRankingLoss PairwiseDistance TripletMarginLoss "
            "TripletMarginWithDistanceLoss"
        ),
        "divisible": "Divisible",
        "dropout": "AlphaDropout Dropout Dropout1d Dropout2d Dropout3d FeatureAlphaDropout",
        "einsum": "Einsum",
        "flatten": "Flatten",
        "fold": "Fold Unfold",
        "fractional_pool": "FractionalMaxPool2d FractionalMaxPool3d",
        "functional": (
            "FunctionalConv1d FunctionalConv2d FunctionalConv3d FunctionalConvTranspose1d "
            "FunctionalConvTranspose2d FunctionalConvTranspose3d FunctionalEmbedding"
        ),
        "global_pool": (
            "GlobalAvgPool1d GlobalAvgPool2d GlobalAvgPool3d GlobalMaxPool1d GlobalMaxPool2d GlobalMaxPool3d"
        ),
        "instance_norm": "InstanceNorm1d InstanceNorm2d InstanceNorm3d",
        "layer_norm": "CrossMapLRN2d GroupNorm LayerNorm LocalResponseNorm RMSNorm",
        "learned": "ClassToken LayerScale PositionEmbedding",
        "lenet": "PartialConv2d RBF Subsample2d",
        "linear": "Identity Linear",
        "loss": (
            "BCELoss BCEWithLogitsLoss GaussianNLLLoss HingeEmbeddingLoss HuberLoss KLDivLoss L1Loss MSELoss "
            "PoissonNLLLoss SmoothL1Loss SoftMarginLoss"
        ),
        "merge": "Add Concat Matmul Multiply",
        "norm": "BatchNorm1d BatchNorm2d BatchNorm3d SyncBatchNorm",
        "normed_weight": "SpectralNorm WeightNorm",
        "pad": "ConstantPad1d ConstantPad2d ConstantPad3d ZeroPad1d ZeroPad2d ZeroPad3d",
        "pad_input": (
            "CircularPad1d CircularPad2d CircularPad3d ReflectionPad1d ReflectionPad2d ReflectionPad3d "
            "ReplicationPad1d ReplicationPad2d ReplicationPad3d"
        ),
        "pool": "MaxPool1d MaxPool2d MaxPool3d",
        "rectifier": (
            "CELU ELU GELU Hardswish Mish SELU Softplus Threshold leaky_relu:LeakyReLU prelu:PReLU "
            "rrelu:RReLU silu:SiLU"
        ),
        "recurrent": "GRU LSTM RNN",
        "recurrent_cells": "GRUCell LSTMCell RNNCell",
        "relu": "relu6:ReLU6 relu:ReLU",
        "resample": "Upsample UpsamplingBilinear2d UpsamplingNearest2d",
        "reshape": "Permute Reshape Squeeze Transpose Unflatten Unsqueeze",
        "select": "Chunk EmptySlice Mean Select Slice Split",
        "separable_conv": "DepthwiseConv1d DepthwiseConv2d DepthwiseConv3d SeparableConv1d SeparableConv2d",
        "sequence_loss": "AdaptiveLogSoftmaxWithLoss CTCLoss",
        "shuffle": "ChannelShuffle PixelShuffle PixelUnshuffle",
        "softmax": "GLU LogSoftmax Softmax Softmax2d Softmin",
        "stochastic": "StochasticDepth",
        "table": "Embedding",
        "traced": "Buffer Constant Opaque Parameter Require TracedFunction Unused",
        "transformer": (
            "Transformer TransformerDecoder TransformerDecoderLayer TransformerEncoder "
            "TransformerEncoderLayer"
        ),
        "unpool": "MaxUnpool1d MaxUnpool2d MaxUnpool3d",
    }
)
"""The module and the class of each kind."""
KERAS = targets(
    {
        "keras_attention": "AdditiveAttention Attention GroupedQueryAttention MultiheadAttention",
        "keras_basic": (
            "Chunk Concat Dropout1d Dropout2d Dropout3d Embedding Linear ReversibleEmbedding Split"
        ),
        "keras_cells": "GRUCell LSTMCell RNNCell RNNOfCells",
        "keras_conv": "Conv1d Conv2d Conv3d DepthwiseConv1d DepthwiseConv2d SeparableConv1d SeparableConv2d",
        "keras_conv_lstm": "ConvLSTM1d ConvLSTM2d ConvLSTM3d",
        "keras_conv_transpose": "ConvTranspose1d ConvTranspose2d ConvTranspose3d",
        "keras_einsum": "EinsumDense",
        "keras_image": "CenterCrop RandomCrop RepeatVector Resizing",
        "keras_merge": "Average Dot Maximum Minimum Subtract",
        "keras_norm": "BatchNorm1d BatchNorm2d BatchNorm3d GroupNorm LayerNorm RMSNorm",
        "keras_pad": "Crop1d Crop2d Crop3d Upsample ZeroPad1d ZeroPad2d ZeroPad3d",
        "keras_pointwise": (
            "ActivityRegularization Augmentation GaussianDropout GaussianNoise Masking Normalization "
            "Rescaling UnitNormalization prelu:PReLU"
        ),
        "keras_pool": (
            "AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d "
            "AdaptiveMaxPool3d AvgPool1d AvgPool2d AvgPool3d GlobalAvgPool1d GlobalAvgPool2d GlobalAvgPool3d "
            "GlobalMaxPool1d GlobalMaxPool2d GlobalMaxPool3d MaxPool1d MaxPool2d MaxPool3d"
        ),
        "keras_recurrent": "GRU LSTM RNN",
        "keras_wrapper": "Bidirectional SpectralNorm TimeDistributed",
    },
    prefix="Keras",
)
"""The same for kinds that Keras alone has, or has with rules or weights of its own."""
ONNX = targets(
    {
        "onnx_attention": (
            "OnnxAttention OnnxCausalConv OnnxGroupQueryAttention OnnxLinearAttention OnnxMultiHeadAttention"
        ),
        "onnx_cut": "OnnxCenterCropPad OnnxPad OnnxSlice OnnxSplit",
        "onnx_einsum": "OnnxEinsum",
        "onnx_fused": "OnnxFusedAttention OnnxFusedEmbedding",
        "onnx_index": (
            "OnnxGather OnnxGatherElements OnnxGatherND OnnxOneHot OnnxScatterElements OnnxScatterND "
            "OnnxTensorScatter OnnxTopK"
        ),
        "onnx_matmul": (
            "OnnxDynamicQuantizeLinear OnnxGemm OnnxMatMulInteger OnnxMatMulNBits OnnxQLinearMatMul"
        ),
        "onnx_norm": "OnnxChannelNorm OnnxLayerNorm OnnxSkipLayerNorm",
        "onnx_operator": "OnnxLike",
        "onnx_quantized_conv": "OnnxConvInteger OnnxQLinearConv",
        "onnx_recurrent": "OnnxGRU OnnxLSTM OnnxRNN",
        "onnx_reduce": "OnnxReduce",
        "onnx_resize": "OnnxResize",
        "onnx_sampling": (
            "OnnxAffineGrid OnnxClassLoss OnnxDFT OnnxDeformConv OnnxGridSample OnnxMaxUnpool OnnxRoiAlign "
            "OnnxSTFT"
        ),
        "onnx_shape": (
            "OnnxDepthToSpace OnnxExpand OnnxFlatten OnnxReshape OnnxSpaceToDepth OnnxSqueeze OnnxTile "
            "onnx_col2im:OnnxCol2Im"
        ),
        "onnx_window": (
            "OnnxAvgPool1d OnnxAvgPool2d OnnxAvgPool3d OnnxConv1d OnnxConv2d OnnxConv3d OnnxConvTranspose1d "
            "OnnxConvTranspose2d OnnxConvTranspose3d OnnxFunctionalConv1d OnnxFunctionalConv2d "
            "OnnxFunctionalConv3d OnnxFunctionalConvTranspose1d OnnxFunctionalConvTranspose2d "
            "OnnxFunctionalConvTranspose3d OnnxLPPool1d OnnxLPPool2d OnnxLPPool3d OnnxMaxPool1d "
            "OnnxMaxPool2d OnnxMaxPool3d"
        ),
    }
)
"""The same for the kinds with rules of ONNX, which specs with the layout of torch may use."""
BEYOND_NN = {"StochasticDepth": "torchvision.ops"}
"""Where torch's class of a kind is, if not in torch.nn."""
