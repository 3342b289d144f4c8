"""The kinds as type checkers see them; written by tools/index_kinds.py.

Fields are given by position or by name, and every number may be a formula, which is a text.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from shapecalc.algebra import Expr
from shapecalc.layers.base import Kind
from shapecalc.layers import activation as _activation
from shapecalc.layers import adaptive_pool as _adaptive_pool
from shapecalc.layers import attention as _attention
from shapecalc.layers import average_pool as _average_pool
from shapecalc.layers import bag as _bag
from shapecalc.layers import batch_shape_ops as _batch_shape_ops
from shapecalc.layers import bilinear as _bilinear
from shapecalc.layers import by_name as _by_name
from shapecalc.layers import class_loss as _class_loss
from shapecalc.layers import conv as _conv
from shapecalc.layers import conv_transpose as _conv_transpose
from shapecalc.layers import crop as _crop
from shapecalc.layers import distance as _distance
from shapecalc.layers import divisible as _divisible
from shapecalc.layers import dropout as _dropout
from shapecalc.layers import einsum as _einsum
from shapecalc.layers import flatten as _flatten
from shapecalc.layers import fold as _fold
from shapecalc.layers import fractional_pool as _fractional_pool
from shapecalc.layers import functional as _functional
from shapecalc.layers import global_pool as _global_pool
from shapecalc.layers import instance_norm as _instance_norm
from shapecalc.layers import keras_attention as _keras_attention
from shapecalc.layers import keras_basic as _keras_basic
from shapecalc.layers import keras_cells as _keras_cells
from shapecalc.layers import keras_conv as _keras_conv
from shapecalc.layers import keras_conv_lstm as _keras_conv_lstm
from shapecalc.layers import keras_conv_transpose as _keras_conv_transpose
from shapecalc.layers import keras_einsum as _keras_einsum
from shapecalc.layers import keras_image as _keras_image
from shapecalc.layers import keras_merge as _keras_merge
from shapecalc.layers import keras_norm as _keras_norm
from shapecalc.layers import keras_pad as _keras_pad
from shapecalc.layers import keras_pointwise as _keras_pointwise
from shapecalc.layers import keras_pool as _keras_pool
from shapecalc.layers import keras_recurrent as _keras_recurrent
from shapecalc.layers import keras_wrapper as _keras_wrapper
from shapecalc.layers import layer_norm as _layer_norm
from shapecalc.layers import learned as _learned
from shapecalc.layers import lenet as _lenet
from shapecalc.layers import linear as _linear
from shapecalc.layers import loss as _loss
from shapecalc.layers import merge as _merge
from shapecalc.layers import norm as _norm
from shapecalc.layers import normed_weight as _normed_weight
from shapecalc.layers import onnx_attention as _onnx_attention
from shapecalc.layers import onnx_cut as _onnx_cut
from shapecalc.layers import onnx_einsum as _onnx_einsum
from shapecalc.layers import onnx_fused as _onnx_fused
from shapecalc.layers import onnx_index as _onnx_index
from shapecalc.layers import onnx_matmul as _onnx_matmul
from shapecalc.layers import onnx_norm as _onnx_norm
from shapecalc.layers import onnx_operator as _onnx_operator
from shapecalc.layers import onnx_quantized_conv as _onnx_quantized_conv
from shapecalc.layers import onnx_recurrent as _onnx_recurrent
from shapecalc.layers import onnx_reduce as _onnx_reduce
from shapecalc.layers import onnx_resize as _onnx_resize
from shapecalc.layers import onnx_sampling as _onnx_sampling
from shapecalc.layers import onnx_shape as _onnx_shape
from shapecalc.layers import onnx_window as _onnx_window
from shapecalc.layers import pad as _pad
from shapecalc.layers import pad_input as _pad_input
from shapecalc.layers import pool as _pool
from shapecalc.layers import rectifier as _rectifier
from shapecalc.layers import recurrent as _recurrent
from shapecalc.layers import recurrent_cells as _recurrent_cells
from shapecalc.layers import relu as _relu
from shapecalc.layers import resample as _resample
from shapecalc.layers import reshape as _reshape
from shapecalc.layers import select as _select
from shapecalc.layers import separable_conv as _separable_conv
from shapecalc.layers import sequence_loss as _sequence_loss
from shapecalc.layers import shuffle as _shuffle
from shapecalc.layers import softmax as _softmax
from shapecalc.layers import stochastic as _stochastic
from shapecalc.layers import table as _table
from shapecalc.layers import traced as _traced
from shapecalc.layers import transformer as _transformer
from shapecalc.layers import unpool as _unpool

_Number = int | Expr | str
_Real = int | float | Fraction | str
_Flag = bool | str
_Branch = Sequence[Any] | str

KINDS: dict[str, str]
KERAS: dict[str, str]
ONNX: dict[str, str]
BEYOND_NN: dict[str, str]

class Hardshrink(_activation.Hardshrink):
    """x where |x| > lambd, otherwise 0."""
    def __init__(self, lambd: _Real = ...) -> None: ...

class Hardsigmoid(_activation.Hardsigmoid):
    """min(max(x + 3, 0), 6)/6."""
    def __init__(self, inplace: _Flag = ...) -> None: ...

class Hardtanh(_activation.Hardtanh):
    """min(max(x, min_val), max_val). Refuses max_val <= min_val."""
    def __init__(self, min_val: _Real = ..., max_val: _Real = ..., inplace: _Flag = ...) -> None: ...

class LogSigmoid(_activation.LogSigmoid):
    """log(1/(1 + e⁻ˣ))."""
    def __init__(self) -> None: ...

class Sigmoid(_activation.Sigmoid):
    """1/(1 + e⁻ˣ)."""
    def __init__(self) -> None: ...

class Softshrink(_activation.Softshrink):
    """x moved toward 0 by lambd, and 0 where |x| <= lambd. Refuses lambd < 0."""
    def __init__(self, lambd: _Real = ...) -> None: ...

class Softsign(_activation.Softsign):
    """x/(1 + |x|)."""
    def __init__(self) -> None: ...

class Tanh(_activation.Tanh):
    """(eˣ - e⁻ˣ)/(eˣ + e⁻ˣ)."""
    def __init__(self) -> None: ...

class Tanhshrink(_activation.Tanhshrink):
    """x - tanh(x)."""
    def __init__(self) -> None: ...

class AdaptiveAvgPool1d(_adaptive_pool.AdaptiveAverage):
    """The means of as many windows as are requested: `[N, C, L]` to `[N, C, *output_size]`."""
    def __init__(self, output_size: _Number | Sequence[_Number]) -> None: ...

class AdaptiveAvgPool2d(_adaptive_pool.AdaptiveMean):
    """The means of as many windows as are requested: `[N, C, H, W]` to `[N, C, *output_size]`."""
    def __init__(self, output_size: _Number | None | Sequence[_Number | None]) -> None: ...

class AdaptiveAvgPool3d(_adaptive_pool.AdaptiveMean):
    """The means of as many windows as are requested: `[N, C, D, H, W]` to `[N, C, *output_size]`."""
    def __init__(self, output_size: _Number | None | Sequence[_Number | None]) -> None: ...

class AdaptiveMaxPool1d(_adaptive_pool.AdaptiveMax):
    """The maxima of as many windows as are requested: `[N, C, L]` to `[N, C, *output_size]`."""
    def __init__(self, output_size: _Number | Sequence[_Number], return_indices: _Flag = ...) -> None: ...

class AdaptiveMaxPool2d(_adaptive_pool.AdaptiveMax):
    """The maxima of as many windows as are requested: `[N, C, H, W]` to `[N, C, *output_size]`."""
    def __init__(self, output_size: _Number | None | Sequence[_Number | None], return_indices: _Flag = ...) -> None: ...

class AdaptiveMaxPool3d(_adaptive_pool.AdaptiveMax):
    """The maxima of as many windows as are requested: `[N, C, D, H, W]` to `[N, C, *output_size]`."""
    def __init__(self, output_size: _Number | None | Sequence[_Number | None], return_indices: _Flag = ...) -> None: ...

class MultiheadAttention(_attention.MultiheadAttention):
    """Attention of a query `[T, N, E]` to keys `[S, N, kdim]` and values `[S, N, vdim]`: the query's shape."""
    def __init__(self, embed_dim: _Number | None = ..., num_heads: _Number = ..., dropout: _Real = ..., bias: _Flag = ..., add_bias_kv: _Flag = ..., add_zero_attn: _Flag = ..., kdim: _Number | None = ..., vdim: _Number | None = ..., batch_first: _Flag = ..., *, need_weights: _Flag = ..., average_attn_weights: _Flag = ...) -> None: ...

class AvgPool1d(_average_pool.AvgPool):
    """The mean of every window: `[N, C, L]` to `[N, C, L']`, n' = ⌊(n + 2p - k)/s⌋ + 1."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] | None = ..., padding: _Number | Sequence[_Number] = ..., ceil_mode: _Flag = ..., count_include_pad: _Flag = ...) -> None: ...

class AvgPool2d(_average_pool.AvgPool):
    """The mean of every window: `[N, C, H, W]` to `[N, C, H', W']`, n' = ⌊(n + 2p - k)/s⌋ + 1."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] | None = ..., padding: _Number | Sequence[_Number] = ..., ceil_mode: _Flag = ..., count_include_pad: _Flag = ..., divisor_override: _Number | None = ...) -> None: ...

class AvgPool3d(_average_pool.AvgPool):
    """The mean of every window: `[N, C, D, H, W]` to `[N, C, D', H', W']`, n' = ⌊(n + 2p - k)/s⌋ + 1."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] | None = ..., padding: _Number | Sequence[_Number] = ..., ceil_mode: _Flag = ..., count_include_pad: _Flag = ..., divisor_override: _Number | None = ...) -> None: ...

class LPPool1d(_average_pool.LPPool):
    """(Σ xᵖ)^(1/p) over every window: `[N, C, L]` to `[N, C, L']`, n' = ⌊(n - k)/s⌋ + 1."""
    def __init__(self, norm_type: _Real, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] | None = ..., ceil_mode: _Flag = ...) -> None: ...

class LPPool2d(_average_pool.LPPool):
    """(Σ xᵖ)^(1/p) over every window: `[N, C, H, W]` to `[N, C, H', W']`, n' = ⌊(n - k)/s⌋ + 1."""
    def __init__(self, norm_type: _Real, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] | None = ..., ceil_mode: _Flag = ...) -> None: ...

class LPPool3d(_average_pool.LPPool):
    """(Σ xᵖ)^(1/p) over every window: `[N, C, D, H, W]` to `[N, C, D', H', W']`, n' = ⌊(n - k)/s⌋ + 1."""
    def __init__(self, norm_type: _Real, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] | None = ..., ceil_mode: _Flag = ...) -> None: ...

class EmbeddingBag(_bag.EmbeddingBag):
    """The sum, mean or maximum of vectors read by index: `[B, L]` integers to `[B, embedding_dim]`."""
    def __init__(self, num_embeddings: _Number, embedding_dim: _Number, *, mode: str = ..., include_last_offset: _Flag = ..., padding_idx: _Number | None = ...) -> None: ...

class BroadcastTo(_batch_shape_ops.BroadcastTo):
    """Repeats axes of size 1 until the shape is `shape`; -1 keeps an axis, new ones come in front."""
    def __init__(self, shape: Sequence[_Number] | str) -> None: ...

class Pad(_batch_shape_ops.Pad):
    """Padding of any axes: `pad` lists before and after of the last axis, then of the one before it."""
    def __init__(self, pad: Sequence[_Number] | str) -> None: ...

class View(_batch_shape_ops.View):
    """Arranges all elements anew, those of all samples together; one size may be -1."""
    def __init__(self, shape: Sequence[_Number] | str) -> None: ...

class Bilinear(_bilinear.Bilinear):
    """x₁ᵀ·A·x₂ + b for every output: `[..., in1_features]`, `[..., in2_features]` to `[..., out_features]`."""
    def __init__(self, out_features: _Number, bias: _Flag = ..., *, in1_features: _Number | None = ..., in2_features: _Number | None = ...) -> None: ...

class Combine(_by_name.Combine):
    """A function of the elements of several tensors, by its name, broadcast as `add` does."""
    def __init__(self, *branches: _Branch, function: str, **named: _Branch) -> None: ...

class Elementwise(_by_name.Elementwise):
    """A function of each element that has no kind of its own, by its name."""
    def __init__(self, function: str) -> None: ...

class Reduce(_by_name.Reduce):
    """Makes one number of the axes in `dim`, which vanish, or become 1 with keepdim."""
    def __init__(self, function: str, dim: _Number | Sequence[_Number], keepdim: _Flag = ...) -> None: ...

class CrossEntropyLoss(_class_loss.CrossEntropyLoss):
    """-log softmax(x)[y]: of `[N, C, ...]` scores and `[N, ...]` classes, or probabilities `[N, C, ...]`."""
    def __init__(self, *branches: _Branch, reduction: str | _Branch = ..., weight: _Flag | _Branch = ..., ignore_index: _Number | _Branch = ..., label_smoothing: _Real | _Branch = ..., **named: _Branch) -> None: ...

class LinearCrossEntropyLoss(_class_loss.LinearCrossEntropyLoss):
    """`linear` and `cross_entropy_loss` in one: of `[N, in_features]` and the classes `[N]`."""
    def __init__(self, in_features: _Number | None = ..., num_classes: _Number = ..., out_features: Sequence[_Number] | str = ..., bias: _Flag = ..., *, weight: _Flag = ..., reduction: str = ..., ignore_index: _Number | None = ..., label_smoothing: _Real = ...) -> None: ...

class MultiLabelMarginLoss(_class_loss.MultiLabelMarginLoss):
    """Σ max(0, 1 - (x[y] - x[i])) / C over right classes y and wrong ones i: of `[N, C]` twice, to `[N]`."""
    def __init__(self, *branches: _Branch, reduction: str | _Branch = ..., **named: _Branch) -> None: ...

class MultiLabelSoftMarginLoss(_class_loss.MultiLabelSoftMarginLoss):
    """The mean over all classes of `bce_with_logits_loss`: of `[N, C]` scores and `[N, C]` targets, to `[N]`."""
    def __init__(self, *branches: _Branch, reduction: str | _Branch = ..., weight: _Flag | _Branch = ..., **named: _Branch) -> None: ...

class MultiMarginLoss(_class_loss.MultiMarginLoss):
    """Σ max(0, margin - x[y] + x[i])^p / C over the wrong classes: of `[N, C]` scores and `[N]` classes."""
    def __init__(self, *branches: _Branch, reduction: str | _Branch = ..., weight: _Flag | _Branch = ..., p: _Number | _Branch = ..., margin: _Real | _Branch = ..., **named: _Branch) -> None: ...

class NLLLoss(_class_loss.NLLLoss):
    """-x[y], the score of the right class: of `[N, C, ...]` logarithms and `[N, ...]` classes."""
    def __init__(self, *branches: _Branch, reduction: str | _Branch = ..., weight: _Flag | _Branch = ..., ignore_index: _Number | _Branch = ..., **named: _Branch) -> None: ...

class Conv1d(_conv.Convolution):
    """Convolution over length: a size n becomes ⌊(n + 2p - (d(k-1) + 1))/s⌋ + 1."""
    def __init__(self, out_channels: _Number, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., dilation: _Number | Sequence[_Number] = ..., groups: _Number = ..., bias: _Flag = ..., padding_mode: str = ..., *, in_channels: _Number | None = ...) -> None: ...

class Conv2d(_conv.Convolution):
    """Convolution over height and width: a size n becomes ⌊(n + 2p - (d(k-1) + 1))/s⌋ + 1."""
    def __init__(self, out_channels: _Number, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., dilation: _Number | Sequence[_Number] = ..., groups: _Number = ..., bias: _Flag = ..., padding_mode: str = ..., *, in_channels: _Number | None = ...) -> None: ...

class Conv3d(_conv.Convolution):
    """Convolution over depth, height and width: a size n becomes ⌊(n + 2p - (d(k-1) + 1))/s⌋ + 1."""
    def __init__(self, out_channels: _Number, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., dilation: _Number | Sequence[_Number] = ..., groups: _Number = ..., bias: _Flag = ..., padding_mode: str = ..., *, in_channels: _Number | None = ...) -> None: ...

class ConvTranspose1d(_conv_transpose.ConvTranspose):
    """Transposed convolution over length: a size n becomes (n-1)s - 2p + d(k-1) + 1 + op."""
    def __init__(self, out_channels: _Number, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] = ..., output_padding: _Number | Sequence[_Number] = ..., groups: _Number = ..., bias: _Flag = ..., dilation: _Number | Sequence[_Number] = ..., *, in_channels: _Number | None = ...) -> None: ...

class ConvTranspose2d(_conv_transpose.ConvTranspose):
    """Transposed convolution over height and width: a size n becomes (n-1)s - 2p + d(k-1) + 1 + op."""
    def __init__(self, out_channels: _Number, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] = ..., output_padding: _Number | Sequence[_Number] = ..., groups: _Number = ..., bias: _Flag = ..., dilation: _Number | Sequence[_Number] = ..., *, in_channels: _Number | None = ...) -> None: ...

class ConvTranspose3d(_conv_transpose.ConvTranspose):
    """Transposed convolution over depth, height and width: a size n becomes (n-1)s - 2p + d(k-1) + 1 + op."""
    def __init__(self, out_channels: _Number, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] = ..., output_padding: _Number | Sequence[_Number] = ..., groups: _Number = ..., bias: _Flag = ..., dilation: _Number | Sequence[_Number] = ..., *, in_channels: _Number | None = ...) -> None: ...

class Crop1d(_crop.Crop):
    """What is left of the input when its sides are cut off: `[N, C, L]`, where n becomes n - c₀ - c₁."""
    def __init__(self, crop: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]]) -> None: ...

class Crop2d(_crop.Crop):
    """What is left of the input when its sides are cut off: `[N, C, H, W]`, where n becomes n - c₀ - c₁."""
    def __init__(self, crop: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]]) -> None: ...

class Crop3d(_crop.Crop):
    """What is left of the input when its sides are cut off: `[N, C, D, H, W]`, where n becomes n - c₀ - c₁."""
    def __init__(self, crop: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]]) -> None: ...

class CosineEmbeddingLoss(_distance.CosineEmbeddingLoss):
    """1 - cos(x, y) where the target is 1, otherwise max(0, cos(x, y) - margin)."""
    def __init__(self, *branches: _Branch, reduction: str | _Branch = ..., margin: _Real | _Branch = ..., **named: _Branch) -> None: ...

class CosineSimilarity(_distance.CosineSimilarity):
    """x·y/(|x|·|y|) along axis `dim`, which vanishes: `[N, D]`, `[N, D]` to `[N]`."""
    def __init__(self, *branches: _Branch, dim: _Number | _Branch = ..., eps: _Real | _Branch = ..., **named: _Branch) -> None: ...

class MarginRankingLoss(_distance.MarginRankingLoss):
    """max(0, -t·(x - y) + margin) for each element: of two inputs and a target t of 1 or -1."""
    def __init__(self, *branches: _Branch, reduction: str | _Branch = ..., margin: _Real | _Branch = ..., **named: _Branch) -> None: ...

class PairwiseDistance(_distance.PairwiseDistance):
    """The p-norm of x - y + eps over the last axis: `[N, D]`, `[N, D]` to `[N]`."""
    def __init__(self, *branches: _Branch, p: _Real | _Branch = ..., eps: _Real | _Branch = ..., keepdim: _Flag | _Branch = ..., **named: _Branch) -> None: ...

class TripletMarginLoss(_distance.TripletMarginLoss):
    """max(0, |a - p| - |a - n| + margin): of an anchor, a positive and a negative, `[N, D]` to `[N]`."""
    def __init__(self, *branches: _Branch, reduction: str | _Branch = ..., margin: _Real | _Branch = ..., swap: _Flag | _Branch = ..., p: _Real | _Branch = ..., eps: _Real | _Branch = ..., **named: _Branch) -> None: ...

class TripletMarginWithDistanceLoss(_distance.TripletMarginWithDistanceLoss):
    """`triplet_margin_loss` by a distance of one's own; here by the default, the Euclidean one."""
    def __init__(self, *branches: _Branch, reduction: str | _Branch = ..., margin: _Real | _Branch = ..., swap: _Flag | _Branch = ..., **named: _Branch) -> None: ...

class Divisible(_divisible.Divisible):
    """Returns its input, and refuses sizes on the axes `dim` that `divisor` does not divide."""
    def __init__(self, divisor: _Number, dim: _Number | Sequence[_Number] = ...) -> None: ...

class AlphaDropout(_dropout.AlphaDropout):
    """Sets elements to the negative saturation of SELU in training, keeping mean and variance."""
    def __init__(self, p: _Real = ..., inplace: _Flag = ...) -> None: ...

class Dropout(_dropout.Dropout):
    """Sets each element to zero with probability p in training."""
    def __init__(self, p: _Real = ..., inplace: _Flag = ...) -> None: ...

class Dropout1d(_dropout.ChannelDropout):
    """Sets complete channels of `[N, C, L]` to zero in training."""
    def __init__(self, p: _Real = ..., inplace: _Flag = ...) -> None: ...

class Dropout2d(_dropout.ChannelDropout):
    """Sets complete channels of `[N, C, H, W]` to zero in training."""
    def __init__(self, p: _Real = ..., inplace: _Flag = ...) -> None: ...

class Dropout3d(_dropout.ChannelDropout):
    """Sets complete channels of `[N, C, D, H, W]` to zero in training."""
    def __init__(self, p: _Real = ..., inplace: _Flag = ...) -> None: ...

class FeatureAlphaDropout(_dropout.FeatureAlphaDropout):
    """Sets complete channels to the negative saturation of SELU in training."""
    def __init__(self, p: _Real = ..., inplace: _Flag = ...) -> None: ...

class Einsum(_einsum.Einsum):
    """Multiplies tensors and sums over the axes whose letters the result lacks, as `equation` says."""
    def __init__(self, *branches: _Branch, equation: str, **named: _Branch) -> None: ...

class Flatten(_flatten.Flatten):
    """Joins the axes start_dim to end_dim into one, as long as their product."""
    def __init__(self, start_dim: _Number = ..., end_dim: _Number = ...) -> None: ...

class Fold(_fold.Fold):
    """Columns added up as the windows of an image: `[N, C·k·k, positions]` to `[N, C, *output_size]`."""
    def __init__(self, output_size: _Number | Sequence[_Number], kernel_size: _Number | Sequence[_Number], dilation: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] = ..., stride: _Number | Sequence[_Number] = ...) -> None: ...

class Unfold(_fold.Unfold):
    """The windows of an image as columns: `[N, C, H, W]` to `[N, C·k·k, positions]`, unbatched without N."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], dilation: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] = ..., stride: _Number | Sequence[_Number] = ...) -> None: ...

class FractionalMaxPool2d(_fractional_pool.FractionalMaxPool):
    """The largest value of windows at random distances: `[N, C, H, W]` to `[N, C, *output_size]`."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], output_size: _Number | Sequence[_Number] | None = ..., output_ratio: _Real | Sequence[_Real] | None = ..., return_indices: _Flag = ...) -> None: ...

class FractionalMaxPool3d(_fractional_pool.FractionalMaxPool):
    """The largest value of windows at random distances: `[N, C, D, H, W]` to `[N, C, *output_size]`."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], output_size: _Number | Sequence[_Number] | None = ..., output_ratio: _Real | Sequence[_Real] | None = ..., return_indices: _Flag = ...) -> None: ...

class FunctionalConv1d(_functional.FunctionalConv):
    """Convolution over length by a tensor: a size n becomes ⌊(n + 2p - (d(k-1) + 1))/s⌋ + 1."""
    def __init__(self, stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] = ..., dilation: _Number | Sequence[_Number] = ..., groups: _Number = ...) -> None: ...

class FunctionalConv2d(_functional.FunctionalConv):
    """Convolution over height and width by a tensor: a size n becomes ⌊(n + 2p - (d(k-1) + 1))/s⌋ + 1."""
    def __init__(self, stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] = ..., dilation: _Number | Sequence[_Number] = ..., groups: _Number = ...) -> None: ...

class FunctionalConv3d(_functional.FunctionalConv):
    """Convolution over depth, height and width by a tensor: a size n becomes ⌊(n + 2p - (d(k-1) + 1))/s⌋ + 1."""
    def __init__(self, stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] = ..., dilation: _Number | Sequence[_Number] = ..., groups: _Number = ...) -> None: ...

class FunctionalConvTranspose1d(_functional.FunctionalConvTranspose):
    """Transposed convolution over length by a tensor: a size n becomes (n-1)s - 2p + d(k-1) + 1 + op."""
    def __init__(self, stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] = ..., output_padding: _Number | Sequence[_Number] = ..., groups: _Number = ..., dilation: _Number | Sequence[_Number] = ...) -> None: ...

class FunctionalConvTranspose2d(_functional.FunctionalConvTranspose):
    """Transposed convolution over height and width by a tensor: a size n becomes (n-1)s - 2p + d(k-1) + 1 + op."""
    def __init__(self, stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] = ..., output_padding: _Number | Sequence[_Number] = ..., groups: _Number = ..., dilation: _Number | Sequence[_Number] = ...) -> None: ...

class FunctionalConvTranspose3d(_functional.FunctionalConvTranspose):
    """Transposed convolution over depth, height and width by a tensor: a size n becomes (n-1)s - 2p + d(k-1) + 1 + op."""
    def __init__(self, stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] = ..., output_padding: _Number | Sequence[_Number] = ..., groups: _Number = ..., dilation: _Number | Sequence[_Number] = ...) -> None: ...

class FunctionalEmbedding(_functional.FunctionalEmbedding):
    """A table that is a tensor, read by index: integers `[...]` and a weight `[V, E]` to `[..., E]`."""
    def __init__(self, padding_idx: _Number | None = ...) -> None: ...

class GlobalAvgPool1d(_global_pool.GlobalAverage):
    """The mean of every channel: `[N, C, L]` to `[N, C]`, or `[N, C, 1]` with keepdim."""
    def __init__(self, keepdim: _Flag = ...) -> None: ...

class GlobalAvgPool2d(_global_pool.GlobalAverage):
    """The mean of every channel: `[N, C, H, W]` to `[N, C]`, or `[N, C, 1, 1]` with keepdim."""
    def __init__(self, keepdim: _Flag = ...) -> None: ...

class GlobalAvgPool3d(_global_pool.GlobalAverage):
    """The mean of every channel: `[N, C, D, H, W]` to `[N, C]`, or `[N, C, 1, 1, 1]` with keepdim."""
    def __init__(self, keepdim: _Flag = ...) -> None: ...

class GlobalMaxPool1d(_global_pool.GlobalMaximum):
    """The largest value of every channel: `[N, C, L]` to `[N, C]`, or `[N, C, 1]` with keepdim."""
    def __init__(self, keepdim: _Flag = ...) -> None: ...

class GlobalMaxPool2d(_global_pool.GlobalMaximum):
    """The largest value of every channel: `[N, C, H, W]` to `[N, C]`, or `[N, C, 1, 1]` with keepdim."""
    def __init__(self, keepdim: _Flag = ...) -> None: ...

class GlobalMaxPool3d(_global_pool.GlobalMaximum):
    """The largest value of every channel: `[N, C, D, H, W]` to `[N, C]`, or `[N, C, 1, 1, 1]` with keepdim."""
    def __init__(self, keepdim: _Flag = ...) -> None: ...

class InstanceNorm1d(_instance_norm.InstanceNorm):
    """Instance normalisation of `[N, C, L]` or `[C, L]`: (x - mean)/√(variance + eps)."""
    def __init__(self, num_features: _Number | None = ..., eps: _Real = ..., momentum: _Real | None = ..., affine: _Flag = ..., track_running_stats: _Flag = ...) -> None: ...

class InstanceNorm2d(_instance_norm.InstanceNorm):
    """Instance normalisation of `[N, C, H, W]` or `[C, H, W]`: (x - mean)/√(variance + eps)."""
    def __init__(self, num_features: _Number | None = ..., eps: _Real = ..., momentum: _Real | None = ..., affine: _Flag = ..., track_running_stats: _Flag = ...) -> None: ...

class InstanceNorm3d(_instance_norm.InstanceNorm):
    """Instance normalisation of `[N, C, D, H, W]` or `[C, D, H, W]`: (x - mean)/√(variance + eps)."""
    def __init__(self, num_features: _Number | None = ..., eps: _Real = ..., momentum: _Real | None = ..., affine: _Flag = ..., track_running_stats: _Flag = ...) -> None: ...

class KerasAdditiveAttention(_keras_attention.KerasAdditiveAttention):
    """Additive attention of a query `[N, T, d]` to values `[N, S, v]` and keys `[N, S, d]`: `[N, T, v]`."""
    def __init__(self, dropout: _Real = ..., need_weights: _Flag = ..., use_scale: _Flag = ...) -> None: ...

class KerasAttention(_keras_attention.KerasAttention):
    """Dot-product attention of a query `[N, T, d]` to values `[N, S, v]` and keys `[N, S, d]`: `[N, T, v]`."""
    def __init__(self, dropout: _Real = ..., need_weights: _Flag = ..., use_scale: _Flag = ..., score_mode: str = ...) -> None: ...

class KerasGroupedQueryAttention(_keras_attention.KerasGroupedQueryAttention):
    """Attention whose heads of queries share heads of keys and values: `[N, T, E]` to `[N, T, E]`."""
    def __init__(self, head_dim: _Number, num_query_heads: _Number, num_key_value_heads: _Number, *, dropout: _Real = ..., need_weights: _Flag = ..., bias: _Flag = ..., use_gate: _Flag = ...) -> None: ...

class KerasMultiheadAttention(_keras_attention.KerasMultiheadAttention):
    """Attention of a query `[N, T, E]` to values and keys `[N, S, ...]`, in Keras' order: `[N, T, E]`."""
    def __init__(self, num_heads: _Number, key_dim: _Number, value_dim: _Number | None = ..., *, dropout: _Real = ..., need_weights: _Flag = ..., bias: _Flag = ..., use_gate: _Flag = ..., output_shape: _Number | Sequence[_Number] | None = ...) -> None: ...

class KerasChunk(_keras_basic.KerasChunk):
    """Cuts axis `dim` (the channels, if left out) into at most `chunks` pieces, as torch's `chunk` does."""
    def __init__(self, chunks: _Number, dim: _Number = ...) -> None: ...

class KerasConcat(_keras_basic.KerasConcat):
    """Puts tensors behind one another along axis `dim`, whose sizes add up: the channels, if left out."""
    def __init__(self, *branches: _Branch, dim: _Number | _Branch = ..., **named: _Branch) -> None: ...

class KerasDropout1d(_keras_basic.KerasDropping):
    """Sets complete channels of `[N, L, C]` to zero in training; the shape is kept."""
    def __init__(self, p: _Real = ..., inplace: _Flag = ...) -> None: ...

class KerasDropout2d(_keras_basic.KerasDropping):
    """Sets complete channels of `[N, H, W, C]` to zero in training; the shape is kept."""
    def __init__(self, p: _Real = ..., inplace: _Flag = ...) -> None: ...

class KerasDropout3d(_keras_basic.KerasDropping):
    """Sets complete channels of `[N, D, H, W, C]` to zero in training; the shape is kept."""
    def __init__(self, p: _Real = ..., inplace: _Flag = ...) -> None: ...

class KerasEmbedding(_keras_basic.KerasEmbedding):
    """A table read by index: `[...]` integers to `[..., embedding_dim]`."""
    def __init__(self, num_embeddings: _Number, embedding_dim: _Number) -> None: ...

class KerasLinear(_keras_basic.KerasLinear):
    """A matrix product on the last axis: `[N, ..., in_features]` to `[N, ..., out_features]`."""
    def __init__(self, out_features: _Number, *, in_features: _Number | None = ..., bias: _Flag = ...) -> None: ...

class KerasReversibleEmbedding(_keras_basic.KerasReversibleEmbedding):
    """A table read by index, `[...]` to `[..., embedding_dim]`, or with reverse the product with it."""
    def __init__(self, num_embeddings: _Number, embedding_dim: _Number, *, tie_weights: _Flag = ..., reverse: _Flag = ..., logit_soft_cap: _Real | None = ...) -> None: ...

class KerasSplit(_keras_basic.KerasSplit):
    """Cuts axis `dim` (the channels, if left out) into pieces, as torch's `split` does."""
    def __init__(self, split_size: _Number | Sequence[_Number], dim: _Number = ...) -> None: ...

class KerasGRUCell(_keras_cells.KerasGRUCell):
    """One step of `gru`, with G = 3 gates: `[N, input_size]` and a state to output and state, `[N, H]`."""
    def __init__(self, hidden_size: _Number, *, input_size: _Number | None = ..., bias: _Flag = ..., nonlinearity: str = ..., dropout: _Real = ..., recurrent_dropout: _Real = ..., recurrent_nonlinearity: str = ..., reset_after: _Flag = ...) -> None: ...

class KerasLSTMCell(_keras_cells.KerasLSTMCell):
    """One step of `lstm`, with G = 4 gates: `[N, input_size]`, state and cell to the output and both again."""
    def __init__(self, hidden_size: _Number, *, input_size: _Number | None = ..., bias: _Flag = ..., nonlinearity: str = ..., dropout: _Real = ..., recurrent_dropout: _Real = ..., recurrent_nonlinearity: str = ...) -> None: ...

class KerasRNNCell(_keras_cells.KerasRNNCell):
    """One step of `rnn`, with G = 1 gate: `[N, input_size]` and a state to output and state, `[N, H]`."""
    def __init__(self, hidden_size: _Number, *, input_size: _Number | None = ..., bias: _Flag = ..., nonlinearity: str = ..., dropout: _Real = ..., recurrent_dropout: _Real = ...) -> None: ...

class KerasRNNOfCells(_keras_cells.KerasRNNOfCells):
    """A layer of recurrent cells: `[N, L, F]` to what the last cell puts out, `[N, H]` or `[N, L, H]`."""
    def __init__(self, return_sequences: _Flag = ..., return_state: _Flag = ..., go_backwards: _Flag = ..., cells: Any = ...) -> None: ...

class KerasConv1d(_keras_conv.KerasConvolution):
    """Convolution over length: `[N, L, C]` to `[N, L', out_channels]`, n' = ⌈n/s⌉ for `same`."""
    def __init__(self, out_channels: _Number, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: str = ..., *, in_channels: _Number | None = ..., dilation: _Number | Sequence[_Number] = ..., bias: _Flag = ..., groups: _Number = ...) -> None: ...

class KerasConv2d(_keras_conv.KerasConvolution):
    """Convolution over height and width: `[N, H, W, C]` to `[N, H', W', out_channels]`, n' = ⌈n/s⌉ for `same`."""
    def __init__(self, out_channels: _Number, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: str = ..., *, in_channels: _Number | None = ..., dilation: _Number | Sequence[_Number] = ..., bias: _Flag = ..., groups: _Number = ...) -> None: ...

class KerasConv3d(_keras_conv.KerasConvolution):
    """Convolution over depth, height and width: `[N, D, H, W, C]` to `[N, D', H', W', out_channels]`, n' = ⌈n/s⌉ for `same`."""
    def __init__(self, out_channels: _Number, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: str = ..., *, in_channels: _Number | None = ..., dilation: _Number | Sequence[_Number] = ..., bias: _Flag = ..., groups: _Number = ...) -> None: ...

class KerasDepthwiseConv1d(_keras_conv.KerasDepthwise):
    """Depthwise convolution over length: `[N, L, C]` to `[N, L', C·depth_multiplier]`."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: str = ..., depth_multiplier: _Number = ..., *, in_channels: _Number | None = ..., dilation: _Number | Sequence[_Number] = ..., bias: _Flag = ...) -> None: ...

class KerasDepthwiseConv2d(_keras_conv.KerasDepthwise):
    """Depthwise convolution over height and width: `[N, H, W, C]` to `[N, H', W', C·depth_multiplier]`."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: str = ..., depth_multiplier: _Number = ..., *, in_channels: _Number | None = ..., dilation: _Number | Sequence[_Number] = ..., bias: _Flag = ...) -> None: ...

class KerasSeparableConv1d(_keras_conv.KerasSeparable):
    """Depthwise, then pointwise convolution over length: `[N, L, C]` to `[N, L', out_channels]`."""
    def __init__(self, out_channels: _Number, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: str = ..., *, in_channels: _Number | None = ..., dilation: _Number | Sequence[_Number] = ..., bias: _Flag = ..., depth_multiplier: _Number = ...) -> None: ...

class KerasSeparableConv2d(_keras_conv.KerasSeparable):
    """Depthwise, then pointwise convolution over height and width: `[N, H, W, C]` to `[N, H', W', out_channels]`."""
    def __init__(self, out_channels: _Number, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: str = ..., *, in_channels: _Number | None = ..., dilation: _Number | Sequence[_Number] = ..., bias: _Flag = ..., depth_multiplier: _Number = ...) -> None: ...

class KerasConvLSTM1d(_keras_conv_lstm.KerasConvLSTM):
    """An LSTM of convolutions over length: `[N, L, L, C]` to `[N, L', out_channels]`."""
    def __init__(self, out_channels: _Number, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: str = ..., *, in_channels: _Number | None = ..., return_sequences: _Flag = ..., return_state: _Flag = ..., go_backwards: _Flag = ..., dilation: _Number | Sequence[_Number] = ..., bias: _Flag = ..., nonlinearity: str = ..., recurrent_nonlinearity: str = ..., dropout: _Real = ..., recurrent_dropout: _Real = ...) -> None: ...

class KerasConvLSTM2d(_keras_conv_lstm.KerasConvLSTM):
    """An LSTM of convolutions over height and width: `[N, L, H, W, C]` to `[N, H', W', out_channels]`."""
    def __init__(self, out_channels: _Number, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: str = ..., *, in_channels: _Number | None = ..., return_sequences: _Flag = ..., return_state: _Flag = ..., go_backwards: _Flag = ..., dilation: _Number | Sequence[_Number] = ..., bias: _Flag = ..., nonlinearity: str = ..., recurrent_nonlinearity: str = ..., dropout: _Real = ..., recurrent_dropout: _Real = ...) -> None: ...

class KerasConvLSTM3d(_keras_conv_lstm.KerasConvLSTM):
    """An LSTM of convolutions over depth, height and width: `[N, L, D, H, W, C]` to `[N, D', H', W', out_channels]`."""
    def __init__(self, out_channels: _Number, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: str = ..., *, in_channels: _Number | None = ..., return_sequences: _Flag = ..., return_state: _Flag = ..., go_backwards: _Flag = ..., dilation: _Number | Sequence[_Number] = ..., bias: _Flag = ..., nonlinearity: str = ..., recurrent_nonlinearity: str = ..., dropout: _Real = ..., recurrent_dropout: _Real = ...) -> None: ...

class KerasConvTranspose1d(_keras_conv_transpose.KerasConvTranspose):
    """Transposed convolution over length: `[N, L, C]` to `[N, L', out_channels]`."""
    def __init__(self, out_channels: _Number, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: str = ..., output_padding: _Number | Sequence[_Number] | None = ..., *, in_channels: _Number | None = ..., dilation: _Number | Sequence[_Number] = ..., bias: _Flag = ...) -> None: ...

class KerasConvTranspose2d(_keras_conv_transpose.KerasConvTranspose):
    """Transposed convolution over height and width: `[N, H, W, C]` to `[N, H', W', out_channels]`."""
    def __init__(self, out_channels: _Number, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: str = ..., output_padding: _Number | Sequence[_Number] | None = ..., *, in_channels: _Number | None = ..., dilation: _Number | Sequence[_Number] = ..., bias: _Flag = ...) -> None: ...

class KerasConvTranspose3d(_keras_conv_transpose.KerasConvTranspose):
    """Transposed convolution over depth, height and width: `[N, D, H, W, C]` to `[N, D', H', W', out_channels]`."""
    def __init__(self, out_channels: _Number, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: str = ..., output_padding: _Number | Sequence[_Number] | None = ..., *, in_channels: _Number | None = ..., dilation: _Number | Sequence[_Number] = ..., bias: _Flag = ...) -> None: ...

class KerasEinsumDense(_keras_einsum.KerasEinsumDense):
    """A tensor times a kernel by an equation, as in `abc,cd->abd`: letters that the result lacks are summed."""
    def __init__(self, equation: Any, output_shape: Sequence[_Number | None] | str, bias_axes: Any | None = ...) -> None: ...

class KerasCenterCrop(_keras_image.KerasCenterCrop):
    """The middle of images: `[N, H, W, C]` to `[N, height, width, C]`; smaller images are enlarged first."""
    def __init__(self, height: _Number, width: _Number) -> None: ...

class KerasRandomCrop(_keras_image.KerasRandomCrop):
    """A random part of images in training, in evaluation all of it resized: `[N, height, width, C]`."""
    def __init__(self, height: _Number, width: _Number) -> None: ...

class KerasRepeatVector(_keras_image.KerasRepeatVector):
    """Copies of a vector: `[N, F]` to `[N, n, F]`. Refuses other ranks."""
    def __init__(self, n: _Number) -> None: ...

class KerasResizing(_keras_image.KerasResizing):
    """Images interpolated to height and width: `[N, H, W, C]` to `[N, height, width, C]`."""
    def __init__(self, height: _Number, width: _Number, *, mode: str = ..., crop_to_aspect_ratio: _Flag = ..., pad_to_aspect_ratio: _Flag = ...) -> None: ...

class KerasAverage(_keras_merge.KerasAverage):
    """The mean of tensors, element by element: sizes are equal, or 1 and stretched."""
    def __init__(self, *branches: _Branch, **named: _Branch) -> None: ...

class KerasDot(_keras_merge.KerasDot):
    """The dot product of two tensors along an axis of each: `[N, *a, *b]`, or `[N, 1]` of vectors."""
    def __init__(self, *branches: _Branch, dim: _Number | Sequence[_Number], normalize: _Flag | _Branch = ..., **named: _Branch) -> None: ...

class KerasMaximum(_keras_merge.KerasMaximum):
    """The greatest of tensors, element by element. Refuses what `average` refuses."""
    def __init__(self, *branches: _Branch, **named: _Branch) -> None: ...

class KerasMinimum(_keras_merge.KerasMinimum):
    """The least of tensors, element by element. Refuses what `average` refuses."""
    def __init__(self, *branches: _Branch, **named: _Branch) -> None: ...

class KerasSubtract(_keras_merge.KerasSubtract):
    """The first of two tensors less the second, element by element. Refuses what `average` refuses."""
    def __init__(self, *branches: _Branch, **named: _Branch) -> None: ...

class KerasBatchNorm1d(_keras_norm.KerasBatchNorm):
    """Batch normalisation of `[N, L, C]`: (x - mean)/√(variance + eps) per channel."""
    def __init__(self, *, eps: _Real = ..., affine: _Flag = ..., scale: _Flag = ..., center: _Flag = ..., num_features: _Number | None = ..., momentum: _Real = ...) -> None: ...

class KerasBatchNorm2d(_keras_norm.KerasBatchNorm):
    """Batch normalisation of `[N, H, W, C]`: (x - mean)/√(variance + eps) per channel."""
    def __init__(self, *, eps: _Real = ..., affine: _Flag = ..., scale: _Flag = ..., center: _Flag = ..., num_features: _Number | None = ..., momentum: _Real = ...) -> None: ...

class KerasBatchNorm3d(_keras_norm.KerasBatchNorm):
    """Batch normalisation of `[N, D, H, W, C]`: (x - mean)/√(variance + eps) per channel."""
    def __init__(self, *, eps: _Real = ..., affine: _Flag = ..., scale: _Flag = ..., center: _Flag = ..., num_features: _Number | None = ..., momentum: _Real = ...) -> None: ...

class KerasGroupNorm(_keras_norm.KerasGroupNorm):
    """Group normalisation of `[N, ..., C]`: mean and variance over C/num_groups channels."""
    def __init__(self, *, eps: _Real = ..., affine: _Flag = ..., scale: _Flag = ..., center: _Flag = ..., num_groups: _Number, num_channels: _Number | None = ...) -> None: ...

class KerasLayerNorm(_keras_norm.KerasLayerNorm):
    """Layer normalisation over the last axes: (x - mean)/√(variance + eps) · gamma + beta."""
    def __init__(self, *, normalized_shape: _Number | Sequence[_Number] | None = ..., elementwise_affine: _Flag = ..., eps: _Real = ..., bias: _Flag = ...) -> None: ...

class KerasRMSNorm(_keras_norm.KerasRMSNorm):
    """Root-mean-square normalisation over the last axes: x/√(mean of x² + eps) · scale."""
    def __init__(self, *, normalized_shape: _Number | Sequence[_Number] | None = ..., eps: _Real = ...) -> None: ...

class KerasCrop1d(_keras_pad.KerasCrop):
    """What is left of the input when its sides are cut off: `[N, L, C]`, where n becomes n - c₀ - c₁."""
    def __init__(self, crop: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]]) -> None: ...

class KerasCrop2d(_keras_pad.KerasCrop):
    """What is left of the input when its sides are cut off: `[N, H, W, C]`, where n becomes n - c₀ - c₁."""
    def __init__(self, crop: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]]) -> None: ...

class KerasCrop3d(_keras_pad.KerasCrop):
    """What is left of the input when its sides are cut off: `[N, D, H, W, C]`, where n becomes n - c₀ - c₁."""
    def __init__(self, crop: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]]) -> None: ...

class KerasUpsample(_keras_pad.KerasUpsample):
    """Every element repeated or interpolated: `[N, *n, C]` to `[N, *n·scale_factor, C]`."""
    def __init__(self, scale_factor: _Number | Sequence[_Number], *, mode: str = ...) -> None: ...

class KerasZeroPad1d(_keras_pad.KerasPad):
    """Zeros around: `[N, L, C]`, where n becomes n + p₀ + p₁; no side is negative."""
    def __init__(self, padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]]) -> None: ...

class KerasZeroPad2d(_keras_pad.KerasPad):
    """Zeros around: `[N, H, W, C]`, where n becomes n + p₀ + p₁; no side is negative."""
    def __init__(self, padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]]) -> None: ...

class KerasZeroPad3d(_keras_pad.KerasPad):
    """Zeros around: `[N, D, H, W, C]`, where n becomes n + p₀ + p₁; no side is negative."""
    def __init__(self, padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]]) -> None: ...

class KerasActivityRegularization(_keras_pointwise.KerasActivityRegularization):
    """Adds a cost for large values to the loss in training; the values stay."""
    def __init__(self, l1: _Real = ..., l2: _Real = ...) -> None: ...

class KerasAugmentation(_keras_pointwise.KerasAugmentation):
    """A change of images `[N, H, W, C]` that keeps their shape, mostly in training alone."""
    def __init__(self, function: str) -> None: ...

class KerasGaussianDropout(_keras_pointwise.KerasGaussianDropout):
    """Multiplies by random numbers of mean 1 in training; in evaluation the identity."""
    def __init__(self, p: _Real = ..., inplace: _Flag = ...) -> None: ...

class KerasGaussianNoise(_keras_pointwise.KerasGaussianNoise):
    """Adds random numbers of deviation stddev in training; in evaluation the identity."""
    def __init__(self, stddev: _Real) -> None: ...

class KerasMasking(_keras_pointwise.KerasMasking):
    """Sets positions to 0 all of whose numbers are mask_value, which later layers leave out."""
    def __init__(self, mask_value: _Real = ...) -> None: ...

class KerasNormalization(_keras_pointwise.KerasNormalization):
    """(x - mean)/√variance with statistics of the data, one for each place on the axes `dim`."""
    def __init__(self, dim: _Number | Sequence[_Number] | None = ..., fixed: _Flag = ..., invert: _Flag = ...) -> None: ...

class KerasPReLU(_keras_pointwise.KerasPReLU):
    """max(x, 0) + alpha · min(x, 0), with a trained slope for every element of a sample."""
    def __init__(self, shared_axes: _Number | Sequence[_Number] | None = ...) -> None: ...

class KerasRescaling(_keras_pointwise.KerasRescaling):
    """x·scale + offset, with numbers that are not trained."""
    def __init__(self, scale: _Real, offset: _Real = ...) -> None: ...

class KerasUnitNormalization(_keras_pointwise.KerasUnitNormalization):
    """Division by the length of the vector along the axes `dim`. Refuses axes that the input lacks."""
    def __init__(self, dim: _Number | Sequence[_Number] = ...) -> None: ...

class KerasAdaptiveAvgPool1d(_keras_pool.KerasAdaptiveAverage):
    """The means of as many windows as are requested: `[N, L, C]` to `[N, *output_size, C]`."""
    def __init__(self, output_size: _Number | Sequence[_Number]) -> None: ...

class KerasAdaptiveAvgPool2d(_keras_pool.KerasAdaptiveAverage):
    """The means of as many windows as are requested: `[N, H, W, C]` to `[N, *output_size, C]`."""
    def __init__(self, output_size: _Number | Sequence[_Number]) -> None: ...

class KerasAdaptiveAvgPool3d(_keras_pool.KerasAdaptiveAverage):
    """The means of as many windows as are requested: `[N, D, H, W, C]` to `[N, *output_size, C]`."""
    def __init__(self, output_size: _Number | Sequence[_Number]) -> None: ...

class KerasAdaptiveMaxPool1d(_keras_pool.KerasAdaptiveMaximum):
    """The maxima of as many windows as are requested: `[N, L, C]` to `[N, *output_size, C]`."""
    def __init__(self, output_size: _Number | Sequence[_Number]) -> None: ...

class KerasAdaptiveMaxPool2d(_keras_pool.KerasAdaptiveMaximum):
    """The maxima of as many windows as are requested: `[N, H, W, C]` to `[N, *output_size, C]`."""
    def __init__(self, output_size: _Number | Sequence[_Number]) -> None: ...

class KerasAdaptiveMaxPool3d(_keras_pool.KerasAdaptiveMaximum):
    """The maxima of as many windows as are requested: `[N, D, H, W, C]` to `[N, *output_size, C]`."""
    def __init__(self, output_size: _Number | Sequence[_Number]) -> None: ...

class KerasAvgPool1d(_keras_pool.KerasAvgPool):
    """The mean of every window: `[N, L, C]` to `[N, L', C]`, n' = ⌈n/s⌉ for `same`."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] | None = ..., padding: str = ...) -> None: ...

class KerasAvgPool2d(_keras_pool.KerasAvgPool):
    """The mean of every window: `[N, H, W, C]` to `[N, H', W', C]`, n' = ⌈n/s⌉ for `same`."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] | None = ..., padding: str = ...) -> None: ...

class KerasAvgPool3d(_keras_pool.KerasAvgPool):
    """The mean of every window: `[N, D, H, W, C]` to `[N, D', H', W', C]`, n' = ⌈n/s⌉ for `same`."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] | None = ..., padding: str = ...) -> None: ...

class KerasGlobalAvgPool1d(_keras_pool.KerasGlobalAvgPool):
    """The mean of every channel: `[N, L, C]` to `[N, C]`, or `[N, 1, C]` with keepdim."""
    def __init__(self, keepdim: _Flag = ...) -> None: ...

class KerasGlobalAvgPool2d(_keras_pool.KerasGlobalAvgPool):
    """The mean of every channel: `[N, H, W, C]` to `[N, C]`, or `[N, 1, 1, C]` with keepdim."""
    def __init__(self, keepdim: _Flag = ...) -> None: ...

class KerasGlobalAvgPool3d(_keras_pool.KerasGlobalAvgPool):
    """The mean of every channel: `[N, D, H, W, C]` to `[N, C]`, or `[N, 1, 1, 1, C]` with keepdim."""
    def __init__(self, keepdim: _Flag = ...) -> None: ...

class KerasGlobalMaxPool1d(_keras_pool.KerasGlobalMaxPool):
    """The largest value of every channel: `[N, L, C]` to `[N, C]`, or `[N, 1, C]` with keepdim."""
    def __init__(self, keepdim: _Flag = ...) -> None: ...

class KerasGlobalMaxPool2d(_keras_pool.KerasGlobalMaxPool):
    """The largest value of every channel: `[N, H, W, C]` to `[N, C]`, or `[N, 1, 1, C]` with keepdim."""
    def __init__(self, keepdim: _Flag = ...) -> None: ...

class KerasGlobalMaxPool3d(_keras_pool.KerasGlobalMaxPool):
    """The largest value of every channel: `[N, D, H, W, C]` to `[N, C]`, or `[N, 1, 1, 1, C]` with keepdim."""
    def __init__(self, keepdim: _Flag = ...) -> None: ...

class KerasMaxPool1d(_keras_pool.KerasMaxPool):
    """The largest value of every window: `[N, L, C]` to `[N, L', C]`, n' = ⌈n/s⌉ for `same`."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] | None = ..., padding: str = ...) -> None: ...

class KerasMaxPool2d(_keras_pool.KerasMaxPool):
    """The largest value of every window: `[N, H, W, C]` to `[N, H', W', C]`, n' = ⌈n/s⌉ for `same`."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] | None = ..., padding: str = ...) -> None: ...

class KerasMaxPool3d(_keras_pool.KerasMaxPool):
    """The largest value of every window: `[N, D, H, W, C]` to `[N, D', H', W', C]`, n' = ⌈n/s⌉ for `same`."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] | None = ..., padding: str = ...) -> None: ...

class KerasGRU(_keras_recurrent.KerasGRU):
    """Gated recurrent units: `[N, L, input_size]` to `[N, H]`, or to `[N, L, H]` with return_sequences."""
    def __init__(self, hidden_size: _Number, *, input_size: _Number | None = ..., return_sequences: _Flag = ..., return_state: _Flag = ..., go_backwards: _Flag = ..., bias: _Flag = ..., nonlinearity: str = ..., dropout: _Real = ..., recurrent_dropout: _Real = ..., bidirectional: _Flag = ..., recurrent_nonlinearity: str = ..., reset_after: _Flag = ...) -> None: ...

class KerasLSTM(_keras_recurrent.KerasLSTM):
    """Long short-term memory: `[N, L, input_size]` to `[N, H]`, or to `[N, L, H]` with return_sequences."""
    def __init__(self, hidden_size: _Number, *, input_size: _Number | None = ..., return_sequences: _Flag = ..., return_state: _Flag = ..., go_backwards: _Flag = ..., bias: _Flag = ..., nonlinearity: str = ..., dropout: _Real = ..., recurrent_dropout: _Real = ..., bidirectional: _Flag = ..., recurrent_nonlinearity: str = ...) -> None: ...

class KerasRNN(_keras_recurrent.KerasRNN):
    """Elman's recurrent layer: `[N, L, input_size]` to `[N, H]`, or to `[N, L, H]` with return_sequences."""
    def __init__(self, hidden_size: _Number, *, input_size: _Number | None = ..., return_sequences: _Flag = ..., return_state: _Flag = ..., go_backwards: _Flag = ..., bias: _Flag = ..., nonlinearity: str = ..., dropout: _Real = ..., recurrent_dropout: _Real = ..., bidirectional: _Flag = ...) -> None: ...

class KerasBidirectional(_keras_wrapper.KerasBidirectional):
    """A recurrent layer over a sequence from both ends: `[N, L, F]`, the results joined by merge_mode."""
    def __init__(self, layer: Kind | str | Mapping[str, Any], merge_mode: str | None = ..., backward_layer: Kind | str | Mapping[str, Any] | None = ...) -> None: ...

class KerasSpectralNorm(_keras_wrapper.KerasSpectralNorm):
    """A layer whose kernel is divided by its largest singular value in training, step by step."""
    def __init__(self, layer: Kind | str | Mapping[str, Any], activation: Kind | str | Mapping[str, Any] | None = ..., power_iterations: _Number = ...) -> None: ...

class KerasTimeDistributed(_keras_wrapper.KerasTimeDistributed):
    """A layer of one tensor at every position: `[N, T, ...]`, where the layer takes and returns `[N, ...]`."""
    def __init__(self, layer: Kind | str | Mapping[str, Any], activation: Kind | str | Mapping[str, Any] | None = ...) -> None: ...

class CrossMapLRN2d(_layer_norm.CrossMapLRN2d):
    """`local_response_norm` as torch had it first, for `[N, C, H, W]` alone."""
    def __init__(self, size: _Number, alpha: _Real = ..., beta: _Real = ..., k: _Real = ...) -> None: ...

class GroupNorm(_layer_norm.GroupNorm):
    """Group normalisation of `[N, C, ...]`: mean and variance over C/num_groups channels."""
    def __init__(self, num_groups: _Number, num_channels: _Number | None = ..., eps: _Real = ..., affine: _Flag = ...) -> None: ...

class LayerNorm(_layer_norm.LayerNorm):
    """Layer normalisation over the last axes: (x - mean)/√(variance + eps) · weight + bias."""
    def __init__(self, normalized_shape: _Number | Sequence[_Number] | None = ..., eps: _Real = ..., elementwise_affine: _Flag = ..., bias: _Flag = ...) -> None: ...

class LocalResponseNorm(_layer_norm.LocalResponseNorm):
    """Division by the activity of neighbouring channels: x/(k + alpha/size · ∑ x²)^beta."""
    def __init__(self, size: _Number, alpha: _Real = ..., beta: _Real = ..., k: _Real = ...) -> None: ...

class RMSNorm(_layer_norm.RMSNorm):
    """Root-mean-square normalisation over the last axes: x/√(mean of x² + eps) · weight."""
    def __init__(self, normalized_shape: _Number | Sequence[_Number] | None = ..., eps: _Real | None = ..., elementwise_affine: _Flag = ...) -> None: ...

class ClassToken(_learned.ClassToken):
    """A learned vector put in front of every sequence: `[N, L, E]` to `[N, L + 1, E]`."""
    def __init__(self, *, embed_dim: _Number | None = ...) -> None: ...

class LayerScale(_learned.LayerScale):
    """A learned scale for every channel, by which the channel is multiplied."""
    def __init__(self, dim: _Number = ..., init: _Real = ...) -> None: ...

class PositionEmbedding(_learned.PositionEmbedding):
    """A learned vector for every position, added to `[N, L, E]`, whose shape is kept."""
    def __init__(self, *, length: _Number | None = ..., embed_dim: _Number | None = ...) -> None: ...

class PartialConv2d(_lenet.PartialConv2d):
    """Convolution where each output channel sees the input channels that `connections` lists for it."""
    def __init__(self, connections: Sequence[Sequence[_Number] | str] | str, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., dilation: _Number | Sequence[_Number] = ..., padding_mode: str = ..., bias: _Flag = ...) -> None: ...

class RBF(_lenet.RBF):
    """The squared distance to fixed centres: `[..., in_features]` to `[..., out_features]`."""
    def __init__(self, out_features: _Number, *, in_features: _Number | None = ...) -> None: ...

class Subsample2d(_lenet.Subsample2d):
    """The sum over each window times one trained coefficient per channel, plus a trained bias."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] | None = ...) -> None: ...

class Identity(_linear.Identity):
    """Returns its input unchanged."""
    def __init__(self) -> None: ...

class Linear(_linear.Linear):
    """A matrix product on the last axis: `[..., in_features]` to `[..., out_features]`."""
    def __init__(self, out_features: _Number, bias: _Flag = ..., *, in_features: _Number | None = ...) -> None: ...

class BCELoss(_loss.BCELoss):
    """-(y·log x + (1 - y)·log(1 - x)) for each element, x being probabilities."""
    def __init__(self, *branches: _Branch, reduction: str | _Branch = ..., **named: _Branch) -> None: ...

class BCEWithLogitsLoss(_loss.BCEWithLogitsLoss):
    """`bce_loss` of sigmoid(x), in one step that loses no digits."""
    def __init__(self, *branches: _Branch, reduction: str | _Branch = ..., **named: _Branch) -> None: ...

class GaussianNLLLoss(_loss.GaussianNLLLoss):
    """(log v + (x - y)²/v)/2 for each element: of the input, the target and the variance."""
    def __init__(self, *branches: _Branch, reduction: str | _Branch = ..., full: _Flag | _Branch = ..., eps: _Real | _Branch = ..., **named: _Branch) -> None: ...

class HingeEmbeddingLoss(_loss.HingeEmbeddingLoss):
    """x where y = 1, and max(0, margin - x) where y = -1."""
    def __init__(self, *branches: _Branch, reduction: str | _Branch = ..., margin: _Real | _Branch = ..., **named: _Branch) -> None: ...

class HuberLoss(_loss.HuberLoss):
    """(x - y)²/2 where |x - y| <= delta, otherwise delta·(|x - y| - delta/2), delta > 0."""
    def __init__(self, *branches: _Branch, reduction: str | _Branch = ..., delta: _Real | _Branch = ..., **named: _Branch) -> None: ...

class KLDivLoss(_loss.KLDivLoss):
    """y·(log y - x) for each element, x being logarithms."""
    def __init__(self, *branches: _Branch, reduction: str | _Branch = ..., log_target: _Flag | _Branch = ..., **named: _Branch) -> None: ...

class L1Loss(_loss.L1Loss):
    """|x - y| for each element, and by default their mean."""
    def __init__(self, *branches: _Branch, reduction: str | _Branch = ..., **named: _Branch) -> None: ...

class MSELoss(_loss.MSELoss):
    """(x - y)² for each element, and by default their mean."""
    def __init__(self, *branches: _Branch, reduction: str | _Branch = ..., **named: _Branch) -> None: ...

class PoissonNLLLoss(_loss.PoissonNLLLoss):
    """eˣ - y·x for each element, or x - y·log(x + eps) if log_input is false."""
    def __init__(self, *branches: _Branch, reduction: str | _Branch = ..., log_input: _Flag | _Branch = ..., full: _Flag | _Branch = ..., eps: _Real | _Branch = ..., **named: _Branch) -> None: ...

class SmoothL1Loss(_loss.SmoothL1Loss):
    """(x - y)²/(2·beta) where |x - y| < beta, otherwise |x - y| - beta/2."""
    def __init__(self, *branches: _Branch, reduction: str | _Branch = ..., beta: _Real | _Branch = ..., **named: _Branch) -> None: ...

class SoftMarginLoss(_loss.SoftMarginLoss):
    """log(1 + e^(-y·x)) for each element, y being 1 or -1."""
    def __init__(self, *branches: _Branch, reduction: str | _Branch = ..., **named: _Branch) -> None: ...

class Add(_merge.Add):
    """The sum of tensors, element by element: sizes are equal, or 1 and stretched."""
    def __init__(self, *branches: _Branch, **named: _Branch) -> None: ...

class Concat(_merge.Concat):
    """Puts tensors behind one another along axis `dim`, whose sizes add up."""
    def __init__(self, *branches: _Branch, dim: _Number | _Branch = ..., **named: _Branch) -> None: ...

class Matmul(_merge.Matmul):
    """The matrix product of two tensors: `[..., n, k]` and `[..., k, m]` to `[..., n, m]`."""
    def __init__(self, *branches: _Branch, **named: _Branch) -> None: ...

class Multiply(_merge.Multiply):
    """The product of tensors, element by element: sizes are equal, or 1 and stretched."""
    def __init__(self, *branches: _Branch, **named: _Branch) -> None: ...

class BatchNorm1d(_norm.BatchNorm):
    """Batch normalisation of `[N, C, L]`: (x - mean)/√(variance + eps) per channel."""
    def __init__(self, num_features: _Number | None = ..., eps: _Real = ..., momentum: _Real | None = ..., affine: _Flag = ..., track_running_stats: _Flag = ...) -> None: ...

class BatchNorm2d(_norm.BatchNorm):
    """Batch normalisation of `[N, C, H, W]`: (x - mean)/√(variance + eps) per channel."""
    def __init__(self, num_features: _Number | None = ..., eps: _Real = ..., momentum: _Real | None = ..., affine: _Flag = ..., track_running_stats: _Flag = ...) -> None: ...

class BatchNorm3d(_norm.BatchNorm):
    """Batch normalisation of `[N, C, D, H, W]`: (x - mean)/√(variance + eps) per channel."""
    def __init__(self, num_features: _Number | None = ..., eps: _Real = ..., momentum: _Real | None = ..., affine: _Flag = ..., track_running_stats: _Flag = ...) -> None: ...

class SyncBatchNorm(_norm.SyncBatchNorm):
    """Batch normalisation whose statistics are those of all processes together."""
    def __init__(self, num_features: _Number | None = ..., eps: _Real = ..., momentum: _Real | None = ..., affine: _Flag = ..., track_running_stats: _Flag = ...) -> None: ...

class SpectralNorm(_normed_weight.SpectralNorm):
    """A layer whose weight is divided by its largest singular value, which is approximated step by step."""
    def __init__(self, layer: Kind | str | Mapping[str, Any], name: str = ..., n_power_iterations: _Number = ..., eps: _Real = ..., dim: _Number | None = ..., legacy: _Flag = ...) -> None: ...

class WeightNorm(_normed_weight.WeightNorm):
    """A layer whose weight is g·v/|v|: a length and a direction are learned in place of the weight."""
    def __init__(self, layer: Kind | str | Mapping[str, Any], name: str = ..., dim: _Number | None = ..., legacy: _Flag = ...) -> None: ...

class OnnxAttention(_onnx_attention.OnnxAttention):
    """Attention of ONNX: the result has the query's shape, with the values' size; keys may have fewer heads."""
    def __init__(self, q_num_heads: _Number | None = ..., kv_num_heads: _Number | None = ..., results: _Number = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxCausalConv(_onnx_attention.OnnxCausalConv):
    """Depthwise convolution of a sequence that goes on: `[N, C, L]` to itself, and its last k - 1 positions."""
    def __init__(self, held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxGroupQueryAttention(_onnx_attention.OnnxGroupQueryAttention):
    """Attention with a cache of keys and values, of fewer heads: `[N, L, heads·size]` to the same."""
    def __init__(self, num_heads: _Number, kv_num_heads: _Number, results: _Number = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxLinearAttention(_onnx_attention.OnnxLinearAttention):
    """Attention by a state that every position updates: the query's shape, the values' size; and the state."""
    def __init__(self, q_num_heads: _Number, kv_num_heads: _Number, held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxMultiHeadAttention(_onnx_attention.OnnxMultiHeadAttention):
    """Attention over projected queries, keys and values: `[N, L, heads·size]` to `[N, L, heads·value size]`."""
    def __init__(self, num_heads: _Number, results: _Number = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxCenterCropPad(_onnx_cut.OnnxCenterCropPad):
    """Crops or pads axes on both sides until they have these sizes. Refuses axes that there are not."""
    def __init__(self, shape: Sequence[_Number] | str, dims: Sequence[_Number] | str, held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxPad(_onnx_cut.OnnxPad):
    """Pads or, by a negative amount, crops the axes in `dims`, or all: n becomes n + before + after."""
    def __init__(self, pads: Sequence[_Number] | str, dims: Sequence[_Number] | str | None = ..., mode: str = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxSlice(_onnx_cut.OnnxSlice):
    """Takes every step-th position from start to end of some axes: max(⌈(end - start)/step⌉, 0) of them."""
    def __init__(self, dims: Sequence[_Number] | str, start: Sequence[_Number | None] | str, end: Sequence[_Number | None] | str, step: Sequence[_Number] | str | None = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxSplit(_onnx_cut.OnnxSplit):
    """Cuts axis `dim` into pieces: of the sizes listed, or `chunks` of ⌈n/chunks⌉, the last maybe smaller."""
    def __init__(self, dim: _Number = ..., sizes: Sequence[_Number] | str | None = ..., chunks: _Number = ..., even: _Flag = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxEinsum(_onnx_einsum.OnnxEinsum):
    """Multiplies and sums as `einsum` does, of the diagonal where a tensor names a letter twice."""
    def __init__(self, *branches: _Branch, equation: Any, **named: _Branch) -> None: ...

class OnnxFusedAttention(_onnx_fused.OnnxFusedAttention):
    """Self-attention with its projections: `[N, L, I]` by weights `[I, Q + K + V]` to `[N, L, V]`."""
    def __init__(self, num_heads: _Number, qkv_hidden_sizes: Sequence[_Number] | str | None = ..., results: _Number = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxFusedEmbedding(_onnx_fused.OnnxFusedEmbedding):
    """The sum of embeddings of words, positions and perhaps segments, normalized: `[N, L]` to `[N, L, E]`."""
    def __init__(self, results: _Number = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxGather(_onnx_index.OnnxGather):
    """Takes positions of axis `dim` by indices, whose axes replace it. Refuses an axis that there is not."""
    def __init__(self, dim: _Number = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxGatherElements(_onnx_index.OnnxGatherElements):
    """Takes one element for each index, along axis `dim`: the result has the shape of the indices."""
    def __init__(self, dim: _Number = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxGatherND(_onnx_index.OnnxGatherND):
    """Takes slices by indices of several axes, `indices[-1]` of them behind `batch_dims` shared ones."""
    def __init__(self, batch_dims: _Number = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxOneHot(_onnx_index.OnnxOneHot):
    """Vectors that are on at the index alone: a new axis of `depth` at place `dim` of the result."""
    def __init__(self, depth: _Number, dim: _Number = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxScatterElements(_onnx_index.OnnxScatterElements):
    """Puts one update for each index, along axis `dim`: the shape is that of the data."""
    def __init__(self, dim: _Number = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxScatterND(_onnx_index.OnnxScatterND):
    """Puts slices by indices of several axes: the shape is that of the data."""
    def __init__(self, held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxTensorScatter(_onnx_index.OnnxTensorScatter):
    """Puts new keys or values into a cache, at axis `dim`: the shape is that of the cache."""
    def __init__(self, dim: _Number = ..., circular: _Flag = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxTopK(_onnx_index.OnnxTopK):
    """The `k` greatest or least along axis `dim`, and where they are: n becomes k in both results."""
    def __init__(self, k: _Number, dim: _Number = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxDynamicQuantizeLinear(_onnx_matmul.OnnxDynamicQuantizeLinear):
    """Small integers for a tensor, by its least and greatest element; and the scale and zero point."""
    def __init__(self, held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxGemm(_onnx_matmul.OnnxGemm):
    """A'·B' + C of matrices, A' and B' being turned where the flags say so; C is stretched to the product."""
    def __init__(self, trans_a: _Flag = ..., trans_b: _Flag = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxMatMulInteger(_onnx_matmul.OnnxMatMulInteger):
    """The product of matrices of small integers, each with a zero point or none, in integers."""
    def __init__(self, held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxMatMulNBits(_onnx_matmul.OnnxMatMulNBits):
    """The product by a matrix that is packed in `bits` bits, a scale for each block of one column."""
    def __init__(self, in_features: _Number, out_features: _Number, bits: _Number = ..., block_size: _Number = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxQLinearMatMul(_onnx_matmul.OnnxQLinearMatMul):
    """The product of quantized matrices, quantized again: a scale and a zero point for each of the three."""
    def __init__(self, held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxChannelNorm(_onnx_norm.OnnxChannelNorm):
    """Normalizes channels by vectors that are tensors, one number a channel, or one a group with `per_group`."""
    def __init__(self, groups: _Number = ..., per_group: _Flag = ..., results: _Number = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxLayerNorm(_onnx_norm.OnnxLayerNorm):
    """Normalizes the axes from `dim` on, by a scale and perhaps a shift that stretch to them."""
    def __init__(self, dim: _Number = ..., results: _Number = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxSkipLayerNorm(_onnx_norm.OnnxSkipLayerNorm):
    """Adds a tensor, and perhaps a bias, and normalizes the last axis; the last of four results is the sum."""
    def __init__(self, results: _Number = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxLike(_onnx_operator.OnnxLike):
    """An operator whose results have the shape of one of its tensors, by ONNX's name of the operator."""
    def __init__(self, function: str, of: _Number = ..., results: _Number = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxConvInteger(_onnx_quantized_conv.OnnxConvInteger):
    """Convolution of small integers, each tensor with a zero point or none, in integers."""
    def __init__(self, stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., dilation: _Number | Sequence[_Number] = ..., groups: _Number = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxQLinearConv(_onnx_quantized_conv.OnnxQLinearConv):
    """Convolution of quantized tensors, quantized again: a scale and a zero point for each of the three."""
    def __init__(self, stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., dilation: _Number | Sequence[_Number] = ..., groups: _Number = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxGRU(_onnx_recurrent.OnnxGRU):
    """A gated recurrent unit, of three gates: shapes are those of `onnx_rnn`. Refuses what it refuses."""
    def __init__(self, batch_first: _Flag = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxLSTM(_onnx_recurrent.OnnxLSTM):
    """A long short-term memory, of four gates and a second state: shapes are those of `onnx_rnn`."""
    def __init__(self, batch_first: _Flag = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxRNN(_onnx_recurrent.OnnxRNN):
    """A recurrent layer: a sequence `[L, N, I]` to all states `[L, D, N, H]` and the last ones `[D, N, H]`."""
    def __init__(self, batch_first: _Flag = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxReduce(_onnx_reduce.OnnxReduce):
    """Makes one number of the axes in `dim`, which vanish, or become 1 with keepdim."""
    def __init__(self, function: str, dim: _Number | Sequence[_Number], keepdim: _Flag = ...) -> None: ...

class OnnxResize(_onnx_resize.OnnxResize):
    """Resizes the axes in `dims`, all if left out, to `sizes` or by `scales`: n becomes ⌊n·scale⌋."""
    def __init__(self, sizes: Sequence[_Number] | str | None = ..., scales: Sequence[_Real] | str | None = ..., dims: Sequence[_Number] | str | None = ..., mode: str = ..., policy: str = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxAffineGrid(_onnx_sampling.OnnxAffineGrid):
    """The grid of an affine map: `[N, r, r + 1]` and the size of an image to `[N, *sizes, r]`."""
    def __init__(self, size: Sequence[_Number] | str, held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxClassLoss(_onnx_sampling.OnnxClassLoss):
    """The loss of scores `[N, C, ...]` for the classes `[N, ...]`: one number, or one for each place."""
    def __init__(self, reduction: str = ..., results: _Number = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxDFT(_onnx_sampling.OnnxDFT):
    """The discrete Fourier transform along axis `dim`: n becomes `length`, of pairs in the last axis."""
    def __init__(self, dim: _Number = ..., length: _Number | None = ..., onesided: _Flag = ..., inverse: _Flag = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxDeformConv(_onnx_sampling.OnnxDeformConv):
    """Convolution at places that a tensor moves: `[N, C, ...]` and `[out, C/groups, ...]` to `[N, out, ...]`."""
    def __init__(self, strides: Sequence[_Number] | str | None = ..., dilations: Sequence[_Number] | str | None = ..., pads: Sequence[_Number] | str | None = ..., groups: _Number = ..., offset_group: _Number = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxGridSample(_onnx_sampling.OnnxGridSample):
    """Samples an image where a grid says: `[N, C, ...]` and `[N, *sizes, r]` to `[N, C, *sizes]`."""
    def __init__(self, held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxMaxUnpool(_onnx_sampling.OnnxMaxUnpool):
    """Puts maxima back where they were: `[N, C, ...]` twice to `output_size`, or n to (n - 1)s - p₀ - p₁ + k."""
    def __init__(self, kernel: Sequence[_Number] | str, strides: Sequence[_Number] | str | None = ..., pads: Sequence[_Number] | str | None = ..., output_size: Sequence[_Number] | str | None = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxRoiAlign(_onnx_sampling.OnnxRoiAlign):
    """One picture of `output_size` for every region: `[N, C, H, W]` and R regions to `[R, C, *output_size]`."""
    def __init__(self, output_size: Sequence[_Number] | str, held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxSTFT(_onnx_sampling.OnnxSTFT):
    """Fourier transforms of frames of a signal: `[N, L, 1 or 2]` to `[N, ⌊(L - frame)/step⌋ + 1, bins, 2]`."""
    def __init__(self, step: _Number, length: _Number, onesided: _Flag = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxCol2Im(_onnx_shape.OnnxCol2Im):
    """Puts columns back to where they are in an image: `[N, C·∏ k, L]` to `[N, C, *output_size]`."""
    def __init__(self, output_size: Sequence[_Number] | str, block: Sequence[_Number] | str, strides: Sequence[_Number] | str | None = ..., dilations: Sequence[_Number] | str | None = ..., pads: Sequence[_Number] | str | None = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxDepthToSpace(_onnx_shape.OnnxDepthToSpace):
    """Channels become blocks of pixels, the blocks slowest: `[N, C·b², H, W]` to `[N, C, H·b, W·b]`."""
    def __init__(self, block_size: _Number, held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxExpand(_onnx_shape.OnnxExpand):
    """Stretches a tensor and `shape` to one another: in both, axes of size 1 are repeated."""
    def __init__(self, shape: Sequence[_Number] | str, held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxFlatten(_onnx_shape.OnnxFlatten):
    """Makes a matrix of a tensor: the axes before `dim` are the rows, the others the columns."""
    def __init__(self, dim: _Number = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxReshape(_onnx_shape.OnnxReshape):
    """Arranges all elements anew: `shape` includes the batch, one size may be -1, and 0 keeps the axis."""
    def __init__(self, shape: Sequence[_Number] | str, allowzero: _Flag = ..., held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxSpaceToDepth(_onnx_shape.OnnxSpaceToDepth):
    """Blocks of pixels become channels, the blocks slowest: `[N, C, H·b, W·b]` to `[N, C·b², H, W]`."""
    def __init__(self, block_size: _Number, held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxSqueeze(_onnx_shape.OnnxSqueeze):
    """Drops axes of size 1. Refuses axes that are not 1, that there are not, or that come twice."""
    def __init__(self, dims: Sequence[_Number] | str, held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxTile(_onnx_shape.OnnxTile):
    """Repeats a tensor along every axis: n becomes n·repeats. Refuses another number of repeats than axes."""
    def __init__(self, repeats: Sequence[_Number] | str, held: Any = ..., skipped: Sequence[str] | str = ...) -> None: ...

class OnnxAvgPool1d(_onnx_window.OnnxAveragePooling):
    """The mean of every window as in ONNX: dilation, padding by side, `valid`, `same_upper`, `same_lower`."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., ceil_mode: _Flag = ..., count_include_pad: _Flag = ..., dilation: _Number | Sequence[_Number] = ...) -> None: ...

class OnnxAvgPool2d(_onnx_window.OnnxAveragePooling):
    """The mean of every window as in ONNX: dilation, padding by side, `valid`, `same_upper`, `same_lower`."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., ceil_mode: _Flag = ..., count_include_pad: _Flag = ..., dilation: _Number | Sequence[_Number] = ...) -> None: ...

class OnnxAvgPool3d(_onnx_window.OnnxAveragePooling):
    """The mean of every window as in ONNX: dilation, padding by side, `valid`, `same_upper`, `same_lower`."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., ceil_mode: _Flag = ..., count_include_pad: _Flag = ..., dilation: _Number | Sequence[_Number] = ...) -> None: ...

class OnnxConv1d(_onnx_window.OnnxConvolution):
    """Convolution over length as in ONNX: padding by side, or `valid`, `same_upper`, `same_lower`."""
    def __init__(self, out_channels: _Number, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., dilation: _Number | Sequence[_Number] = ..., groups: _Number = ..., bias: _Flag = ..., *, in_channels: _Number | None = ...) -> None: ...

class OnnxConv2d(_onnx_window.OnnxConvolution):
    """Convolution over height and width as in ONNX: padding by side, or `valid`, `same_upper`, `same_lower`."""
    def __init__(self, out_channels: _Number, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., dilation: _Number | Sequence[_Number] = ..., groups: _Number = ..., bias: _Flag = ..., *, in_channels: _Number | None = ...) -> None: ...

class OnnxConv3d(_onnx_window.OnnxConvolution):
    """Convolution over depth, height and width as in ONNX: padding by side, or `valid`, `same_upper`, `same_lower`."""
    def __init__(self, out_channels: _Number, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., dilation: _Number | Sequence[_Number] = ..., groups: _Number = ..., bias: _Flag = ..., *, in_channels: _Number | None = ...) -> None: ...

class OnnxConvTranspose1d(_onnx_window.OnnxTransposedConvolution):
    """Transposed convolution over length as in ONNX: padding by side or `same`, or the size of the result."""
    def __init__(self, out_channels: _Number, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., output_padding: _Number | Sequence[_Number] = ..., groups: _Number = ..., bias: _Flag = ..., dilation: _Number | Sequence[_Number] = ..., output_size: _Number | Sequence[_Number] | None = ..., *, in_channels: _Number | None = ...) -> None: ...

class OnnxConvTranspose2d(_onnx_window.OnnxTransposedConvolution):
    """Transposed convolution over height and width as in ONNX: padding by side or `same`, or the size of the result."""
    def __init__(self, out_channels: _Number, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., output_padding: _Number | Sequence[_Number] = ..., groups: _Number = ..., bias: _Flag = ..., dilation: _Number | Sequence[_Number] = ..., output_size: _Number | Sequence[_Number] | None = ..., *, in_channels: _Number | None = ...) -> None: ...

class OnnxConvTranspose3d(_onnx_window.OnnxTransposedConvolution):
    """Transposed convolution over depth, height and width as in ONNX: padding by side or `same`, or the size of the result."""
    def __init__(self, out_channels: _Number, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., output_padding: _Number | Sequence[_Number] = ..., groups: _Number = ..., bias: _Flag = ..., dilation: _Number | Sequence[_Number] = ..., output_size: _Number | Sequence[_Number] | None = ..., *, in_channels: _Number | None = ...) -> None: ...

class OnnxFunctionalConv1d(_onnx_window.OnnxFunctionalConvolution):
    """Convolution over length by a tensor as in ONNX: padding by side, `valid`, `same_upper`, `same_lower`."""
    def __init__(self, stride: _Number | Sequence[_Number] = ..., groups: _Number = ..., dilation: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ...) -> None: ...

class OnnxFunctionalConv2d(_onnx_window.OnnxFunctionalConvolution):
    """Convolution over height and width by a tensor as in ONNX: padding by side, `valid`, `same_upper`, `same_lower`."""
    def __init__(self, stride: _Number | Sequence[_Number] = ..., groups: _Number = ..., dilation: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ...) -> None: ...

class OnnxFunctionalConv3d(_onnx_window.OnnxFunctionalConvolution):
    """Convolution over depth, height and width by a tensor as in ONNX: padding by side, `valid`, `same_upper`, `same_lower`."""
    def __init__(self, stride: _Number | Sequence[_Number] = ..., groups: _Number = ..., dilation: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ...) -> None: ...

class OnnxFunctionalConvTranspose1d(_onnx_window.OnnxFunctionalTransposedConvolution):
    """Transposed convolution over length by a tensor as in ONNX: padding by side, `same`, or a size."""
    def __init__(self, stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., output_padding: _Number | Sequence[_Number] = ..., groups: _Number = ..., dilation: _Number | Sequence[_Number] = ..., output_size: _Number | Sequence[_Number] | None = ...) -> None: ...

class OnnxFunctionalConvTranspose2d(_onnx_window.OnnxFunctionalTransposedConvolution):
    """Transposed convolution over height and width by a tensor as in ONNX: padding by side, `same`, or a size."""
    def __init__(self, stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., output_padding: _Number | Sequence[_Number] = ..., groups: _Number = ..., dilation: _Number | Sequence[_Number] = ..., output_size: _Number | Sequence[_Number] | None = ...) -> None: ...

class OnnxFunctionalConvTranspose3d(_onnx_window.OnnxFunctionalTransposedConvolution):
    """Transposed convolution over depth, height and width by a tensor as in ONNX: padding by side, `same`, or a size."""
    def __init__(self, stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., output_padding: _Number | Sequence[_Number] = ..., groups: _Number = ..., dilation: _Number | Sequence[_Number] = ..., output_size: _Number | Sequence[_Number] | None = ...) -> None: ...

class OnnxLPPool1d(_onnx_window.OnnxPowerPooling):
    """(Σ xᵖ)^(1/p) over every window as in ONNX: dilation, padding by side, `valid` or `same`."""
    def __init__(self, norm_type: _Real, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., ceil_mode: _Flag = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., dilation: _Number | Sequence[_Number] = ...) -> None: ...

class OnnxLPPool2d(_onnx_window.OnnxPowerPooling):
    """(Σ xᵖ)^(1/p) over every window as in ONNX: dilation, padding by side, `valid` or `same`."""
    def __init__(self, norm_type: _Real, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., ceil_mode: _Flag = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., dilation: _Number | Sequence[_Number] = ...) -> None: ...

class OnnxLPPool3d(_onnx_window.OnnxPowerPooling):
    """(Σ xᵖ)^(1/p) over every window as in ONNX: dilation, padding by side, `valid` or `same`."""
    def __init__(self, norm_type: _Real, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., ceil_mode: _Flag = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., dilation: _Number | Sequence[_Number] = ...) -> None: ...

class OnnxMaxPool1d(_onnx_window.OnnxMaxPooling):
    """The largest value of every window as in ONNX: padding by side, `valid`, `same_upper` or `same_lower`."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., dilation: _Number | Sequence[_Number] = ..., return_indices: _Flag = ..., ceil_mode: _Flag = ...) -> None: ...

class OnnxMaxPool2d(_onnx_window.OnnxMaxPooling):
    """The largest value of every window as in ONNX: padding by side, `valid`, `same_upper` or `same_lower`."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., dilation: _Number | Sequence[_Number] = ..., return_indices: _Flag = ..., ceil_mode: _Flag = ...) -> None: ...

class OnnxMaxPool3d(_onnx_window.OnnxMaxPooling):
    """The largest value of every window as in ONNX: padding by side, `valid`, `same_upper` or `same_lower`."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., dilation: _Number | Sequence[_Number] = ..., return_indices: _Flag = ..., ceil_mode: _Flag = ...) -> None: ...

class ConstantPad1d(_pad.FilledPad):
    """A `value` around: `[..., L]`, where n becomes n + p₀ + p₁; a negative side crops."""
    def __init__(self, padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]], value: _Real) -> None: ...

class ConstantPad2d(_pad.FilledPad):
    """A `value` around: `[..., H, W]`, where n becomes n + p₀ + p₁; a negative side crops."""
    def __init__(self, padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]], value: _Real) -> None: ...

class ConstantPad3d(_pad.FilledPad):
    """A `value` around: `[..., D, H, W]`, where n becomes n + p₀ + p₁; a negative side crops."""
    def __init__(self, padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]], value: _Real) -> None: ...

class ZeroPad1d(_pad.ZeroPad):
    """Zeros around: `[..., L]`, where n becomes n + p₀ + p₁; a negative side crops."""
    def __init__(self, padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]]) -> None: ...

class ZeroPad2d(_pad.ZeroPad):
    """Zeros around: `[..., H, W]`, where n becomes n + p₀ + p₁; a negative side crops."""
    def __init__(self, padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]]) -> None: ...

class ZeroPad3d(_pad.ZeroPad):
    """Zeros around: `[..., D, H, W]`, where n becomes n + p₀ + p₁; a negative side crops."""
    def __init__(self, padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]]) -> None: ...

class CircularPad1d(_pad_input.CircularPad):
    """The input wrapped around: `[N, C, L]`, where n becomes n + p₀ + p₁."""
    def __init__(self, padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]]) -> None: ...

class CircularPad2d(_pad_input.CircularPad):
    """The input wrapped around: `[N, C, H, W]`, where n becomes n + p₀ + p₁."""
    def __init__(self, padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]]) -> None: ...

class CircularPad3d(_pad_input.CircularPad):
    """The input wrapped around: `[N, C, D, H, W]`, where n becomes n + p₀ + p₁."""
    def __init__(self, padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]]) -> None: ...

class ReflectionPad1d(_pad_input.ReflectionPad):
    """The input mirrored at its border: `[N, C, L]`, where n becomes n + p₀ + p₁."""
    def __init__(self, padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]]) -> None: ...

class ReflectionPad2d(_pad_input.ReflectionPad):
    """The input mirrored at its border: `[N, C, H, W]`, where n becomes n + p₀ + p₁."""
    def __init__(self, padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]]) -> None: ...

class ReflectionPad3d(_pad_input.ReflectionPad):
    """The input mirrored at its border: `[N, C, D, H, W]`, where n becomes n + p₀ + p₁."""
    def __init__(self, padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]]) -> None: ...

class ReplicationPad1d(_pad_input.ReplicationPad):
    """The border repeated: `[N, C, L]`, where n becomes n + p₀ + p₁."""
    def __init__(self, padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]]) -> None: ...

class ReplicationPad2d(_pad_input.ReplicationPad):
    """The border repeated: `[N, C, H, W]`, where n becomes n + p₀ + p₁."""
    def __init__(self, padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]]) -> None: ...

class ReplicationPad3d(_pad_input.ReplicationPad):
    """The border repeated: `[N, C, D, H, W]`, where n becomes n + p₀ + p₁."""
    def __init__(self, padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]]) -> None: ...

class MaxPool1d(_pool.MaxPool):
    """The largest value of every window: `[N, C, L]`, where n becomes ⌊(n + 2p - (d(k-1) + 1))/s⌋ + 1."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] | None = ..., padding: _Number | Sequence[_Number] = ..., dilation: _Number | Sequence[_Number] = ..., return_indices: _Flag = ..., ceil_mode: _Flag = ...) -> None: ...

class MaxPool2d(_pool.MaxPool):
    """The largest value of every window: `[N, C, H, W]`, where n becomes ⌊(n + 2p - (d(k-1) + 1))/s⌋ + 1."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] | None = ..., padding: _Number | Sequence[_Number] = ..., dilation: _Number | Sequence[_Number] = ..., return_indices: _Flag = ..., ceil_mode: _Flag = ...) -> None: ...

class MaxPool3d(_pool.MaxPool):
    """The largest value of every window: `[N, C, D, H, W]`, where n becomes ⌊(n + 2p - (d(k-1) + 1))/s⌋ + 1."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] | None = ..., padding: _Number | Sequence[_Number] = ..., dilation: _Number | Sequence[_Number] = ..., return_indices: _Flag = ..., ceil_mode: _Flag = ...) -> None: ...

class CELU(_rectifier.CELU):
    """max(x, 0) + min(alpha(e^(x/alpha) - 1), 0). Refuses alpha = 0."""
    def __init__(self, alpha: _Real = ..., inplace: _Flag = ...) -> None: ...

class ELU(_rectifier.ELU):
    """max(x, 0) + min(alpha(eˣ - 1), 0)."""
    def __init__(self, alpha: _Real = ..., inplace: _Flag = ...) -> None: ...

class GELU(_rectifier.GELU):
    """x · Φ(x), Φ the normal distribution, exactly or through tanh."""
    def __init__(self, approximate: str = ...) -> None: ...

class Hardswish(_rectifier.Hardswish):
    """x · min(max(x + 3, 0), 6)/6."""
    def __init__(self, inplace: _Flag = ...) -> None: ...

class LeakyReLU(_rectifier.LeakyReLU):
    """max(x, 0) + negative_slope · min(x, 0)."""
    def __init__(self, negative_slope: _Real = ..., inplace: _Flag = ...) -> None: ...

class Mish(_rectifier.Mish):
    """x · tanh(log(1 + eˣ))."""
    def __init__(self, inplace: _Flag = ...) -> None: ...

class PReLU(_rectifier.PReLU):
    """max(x, 0) + weight · min(x, 0), with one trained slope for all or one per channel."""
    def __init__(self, num_parameters: _Number = ..., init: _Real = ...) -> None: ...

class RReLU(_rectifier.RReLU):
    """max(x, 0) + a · min(x, 0), a random in [lower, upper] in training, their mean in evaluation."""
    def __init__(self, lower: _Real = ..., upper: _Real = ..., inplace: _Flag = ...) -> None: ...

class SELU(_rectifier.SELU):
    """1.0507(max(x, 0) + min(1.6733(eˣ - 1), 0))."""
    def __init__(self, inplace: _Flag = ...) -> None: ...

class SiLU(_rectifier.SiLU):
    """x · sigmoid(x), also called swish."""
    def __init__(self, inplace: _Flag = ...) -> None: ...

class Softplus(_rectifier.Softplus):
    """log(1 + e^(beta·x))/beta, and x itself where beta·x > threshold."""
    def __init__(self, beta: _Real = ..., threshold: _Real = ...) -> None: ...

class Threshold(_rectifier.Threshold):
    """x where x > threshold, otherwise `value`."""
    def __init__(self, threshold: _Real, value: _Real, inplace: _Flag = ...) -> None: ...

class GRU(_recurrent.GRU):
    """Gated recurrent units: `[L, N, input_size]` to `[L, N, H]` and the last state `[num_layers, N, H]`."""
    def __init__(self, input_size: _Number | None = ..., hidden_size: _Number = ..., num_layers: _Number = ..., bias: _Flag = ..., batch_first: _Flag = ..., dropout: _Real = ..., bidirectional: _Flag = ...) -> None: ...

class LSTM(_recurrent.LSTM):
    """Long short-term memory: `[L, N, input_size]` to `[L, N, S]`, and `[num_layers, N, S]` and `[..., H]`."""
    def __init__(self, input_size: _Number | None = ..., hidden_size: _Number = ..., num_layers: _Number = ..., bias: _Flag = ..., batch_first: _Flag = ..., dropout: _Real = ..., bidirectional: _Flag = ..., proj_size: _Number = ...) -> None: ...

class RNN(_recurrent.RNN):
    """Elman's recurrent layer: `[L, N, input_size]` to `[L, N, H]` and the last state `[num_layers, N, H]`."""
    def __init__(self, input_size: _Number | None = ..., hidden_size: _Number = ..., num_layers: _Number = ..., nonlinearity: str = ..., bias: _Flag = ..., batch_first: _Flag = ..., dropout: _Real = ..., bidirectional: _Flag = ...) -> None: ...

class GRUCell(_recurrent_cells.GRUCell):
    """One step of `gru`, with G = 3 gates: `[N, input_size]`, maybe with the state, to the next `[N, H]`."""
    def __init__(self, input_size: _Number | None = ..., hidden_size: _Number = ..., bias: _Flag = ...) -> None: ...

class LSTMCell(_recurrent_cells.LSTMCell):
    """One step of `lstm`, with G = 4 gates: `[N, input_size]`, maybe with state and cell, to the next two."""
    def __init__(self, input_size: _Number | None = ..., hidden_size: _Number = ..., bias: _Flag = ...) -> None: ...

class RNNCell(_recurrent_cells.RNNCell):
    """One step of `rnn`, with G = 1 gate: `[N, input_size]`, maybe with the state, to the next `[N, H]`."""
    def __init__(self, input_size: _Number | None = ..., hidden_size: _Number = ..., bias: _Flag = ..., nonlinearity: str = ...) -> None: ...

class ReLU(_relu.ReLU):
    """max(x, 0)."""
    def __init__(self, inplace: _Flag = ...) -> None: ...

class ReLU6(_relu.ReLU6):
    """min(max(x, 0), 6)."""
    def __init__(self, inplace: _Flag = ...) -> None: ...

class Upsample(_resample.Upsample):
    """Interpolation to `size`, or by `scale_factor`: `[N, C, *n]` to `[N, C, *⌊n·scale_factor⌋]`."""
    def __init__(self, size: _Number | Sequence[_Number] | None = ..., scale_factor: _Real | Sequence[_Real] | None = ..., mode: str = ..., align_corners: _Flag | None = ..., recompute_scale_factor: _Flag | None = ...) -> None: ...

class UpsamplingBilinear2d(_resample.UpsamplingBilinear2d):
    """Bilinear interpolation with aligned corners: `[N, C, H, W]` to `[N, C, ⌊H·scale⌋, ⌊W·scale⌋]`."""
    def __init__(self, size: _Number | Sequence[_Number] | None = ..., scale_factor: _Real | Sequence[_Real] | None = ...) -> None: ...

class UpsamplingNearest2d(_resample.UpsamplingNearest2d):
    """Interpolation by the nearest element: `[N, C, H, W]` to `[N, C, ⌊H·scale⌋, ⌊W·scale⌋]`."""
    def __init__(self, size: _Number | Sequence[_Number] | None = ..., scale_factor: _Real | Sequence[_Real] | None = ...) -> None: ...

class Permute(_reshape.Permute):
    """Puts the axes in the order `dims`, which names every axis once, the batch included."""
    def __init__(self, dims: Sequence[_Number] | str) -> None: ...

class Reshape(_reshape.Reshape):
    """Arranges the elements of every sample anew: `[N, ...]` to `[N, *shape]`; one size may be -1."""
    def __init__(self, shape: Sequence[_Number] | str) -> None: ...

class Squeeze(_reshape.Squeeze):
    """Drops the axes in `dim` that have size 1 and keeps the others; without `dim`, all of size 1."""
    def __init__(self, dim: _Number | Sequence[_Number] | None = ...) -> None: ...

class Transpose(_reshape.Transpose):
    """Exchanges two axes. Refuses axes that do not exist."""
    def __init__(self, dim0: _Number, dim1: _Number) -> None: ...

class Unflatten(_reshape.Unflatten):
    """Splits axis `dim` into the axes of `unflattened_size`; one of them may be -1."""
    def __init__(self, dim: _Number, unflattened_size: Sequence[_Number] | str) -> None: ...

class Unsqueeze(_reshape.Unsqueeze):
    """Inserts an axis of size 1 at `dim`, from -(rank + 1) to rank."""
    def __init__(self, dim: _Number) -> None: ...

class Chunk(_select.Chunk):
    """Cuts axis `dim` into pieces of ⌈n/chunks⌉, the last maybe smaller: at most `chunks` of them."""
    def __init__(self, chunks: _Number, dim: _Number = ...) -> None: ...

class EmptySlice(_select.EmptySlice):
    """Takes nothing of axis `dim`: x[:, :0] for dim 1, whatever the size of the axis."""
    def __init__(self, dim: _Number) -> None: ...

class Mean(_select.Mean):
    """The mean over the axes in `dim`, which vanish, or become 1 with keepdim."""
    def __init__(self, dim: _Number | Sequence[_Number], keepdim: _Flag = ...) -> None: ...

class Select(_select.Select):
    """Takes position `index` of axis `dim`, which vanishes: x[:, index] for dim 1."""
    def __init__(self, dim: _Number, index: _Number) -> None: ...

class Slice(_select.Slice):
    """x[start:end:step] along axis `dim`: ⌈(end - start)/step⌉ positions stay."""
    def __init__(self, dim: _Number, start: _Number = ..., end: _Number | None = ..., step: _Number = ...) -> None: ...

class Split(_select.Split):
    """Cuts axis `dim` into pieces: of `split_size` each, the last maybe smaller, or as listed."""
    def __init__(self, split_size: _Number | Sequence[_Number], dim: _Number = ...) -> None: ...

class DepthwiseConv1d(_separable_conv.Depthwise):
    """Depthwise convolution over length: `[N, C, L]` to `[N, C·depth_multiplier, L']`."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., dilation: _Number | Sequence[_Number] = ..., *, padding_mode: str = ..., in_channels: _Number | None = ..., bias: _Flag = ..., depth_multiplier: _Number = ...) -> None: ...

class DepthwiseConv2d(_separable_conv.Depthwise):
    """Depthwise convolution over height and width: `[N, C, H, W]` to `[N, C·depth_multiplier, H', W']`."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., dilation: _Number | Sequence[_Number] = ..., *, padding_mode: str = ..., in_channels: _Number | None = ..., bias: _Flag = ..., depth_multiplier: _Number = ...) -> None: ...

class DepthwiseConv3d(_separable_conv.Depthwise):
    """Depthwise convolution over depth, height and width: `[N, C, D, H, W]` to `[N, C·depth_multiplier, D', H', W']`."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., dilation: _Number | Sequence[_Number] = ..., *, padding_mode: str = ..., in_channels: _Number | None = ..., bias: _Flag = ..., depth_multiplier: _Number = ...) -> None: ...

class SeparableConv1d(_separable_conv.Separable):
    """Depthwise, then pointwise convolution over length: `[N, C, L]` to `[N, out_channels, L']`."""
    def __init__(self, out_channels: _Number, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., dilation: _Number | Sequence[_Number] = ..., *, in_channels: _Number | None = ..., padding_mode: str = ..., bias: _Flag = ..., depth_multiplier: _Number = ...) -> None: ...

class SeparableConv2d(_separable_conv.Separable):
    """Depthwise, then pointwise convolution over height and width: `[N, C, H, W]` to `[N, out_channels, H', W']`."""
    def __init__(self, out_channels: _Number, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] = ..., padding: _Number | Sequence[_Number] | Sequence[_Number | Sequence[_Number]] = ..., dilation: _Number | Sequence[_Number] = ..., *, in_channels: _Number | None = ..., padding_mode: str = ..., bias: _Flag = ..., depth_multiplier: _Number = ...) -> None: ...

class AdaptiveLogSoftmaxWithLoss(_sequence_loss.AdaptiveLogSoftmaxWithLoss):
    """A softmax whose rare classes are scored by narrower layers: `[N, in_features]` and the classes `[N]`."""
    def __init__(self, in_features: _Number | None = ..., n_classes: _Number = ..., cutoffs: Sequence[_Number] | str = ..., div_value: _Real = ..., head_bias: _Flag = ...) -> None: ...

class CTCLoss(_sequence_loss.CTCLoss):
    """-log of the sum over all alignments of a target: `[T, N, C]` logarithms, to a loss for each sequence."""
    def __init__(self, *branches: _Branch, reduction: str | _Branch = ..., blank: _Number | _Branch = ..., zero_infinity: _Flag | _Branch = ..., **named: _Branch) -> None: ...

class ChannelShuffle(_shuffle.ChannelShuffle):
    """The channels of several groups dealt out in turn: `[N, C, *]` stays `[N, C, *]`."""
    def __init__(self, groups: _Number) -> None: ...

class PixelShuffle(_shuffle.PixelShuffle):
    """Channels spread out in space: `[..., C·r², H, W]` to `[..., C, H·r, W·r]`, r the upscale factor."""
    def __init__(self, upscale_factor: _Number) -> None: ...

class PixelUnshuffle(_shuffle.PixelUnshuffle):
    """Space folded into channels: `[..., C, H·r, W·r]` to `[..., C·r², H, W]`, r the downscale factor."""
    def __init__(self, downscale_factor: _Number) -> None: ...

class GLU(_softmax.GLU):
    """The first half of axis `dim` times the sigmoid of the second: that axis becomes n/2."""
    def __init__(self, dim: _Number = ...) -> None: ...

class LogSoftmax(_softmax.LogSoftmax):
    """x - log ∑eˣ along `dim`."""
    def __init__(self, dim: _Number | None = ...) -> None: ...

class Softmax(_softmax.Softmax):
    """eˣ/∑eˣ along `dim`."""
    def __init__(self, dim: _Number | None = ...) -> None: ...

class Softmax2d(_softmax.Softmax2d):
    """Softmax over the channels at every pixel of `[N, C, H, W]` or `[C, H, W]`."""
    def __init__(self) -> None: ...

class Softmin(_softmax.Softmin):
    """e⁻ˣ/∑e⁻ˣ along `dim`."""
    def __init__(self, dim: _Number | None = ...) -> None: ...

class StochasticDepth(_stochastic.StochasticDepth):
    """Sets the complete branch to zero with probability p in training, for each sample or for the batch."""
    def __init__(self, p: _Real, mode: str = ...) -> None: ...

class Embedding(_table.Embedding):
    """A table read by index: `[...]` integers to `[..., embedding_dim]`."""
    def __init__(self, num_embeddings: _Number, embedding_dim: _Number, padding_idx: _Number | None = ...) -> None: ...

class Buffer(_traced.Buffer):
    """A tensor that a module keeps and does not learn: whatever the input, its result is `shape`."""
    def __init__(self, shape: Sequence[_Number] | str) -> None: ...

class Constant(_traced.Constant):
    """A tensor that is not learned: whatever the input, its result is `shape`, batch and all."""
    def __init__(self, shape: Sequence[_Number] | str) -> None: ...

class Opaque(_traced.Opaque):
    """An operation that no rule is known for: its shapes are those seen when it was traced."""
    def __init__(self, *branches: _Branch, function: str, takes: Sequence[Sequence[_Number] | str] | str, gives: Sequence[Sequence[_Number] | str] | str, tensors: Any | _Branch = ..., macs_known: _Number | None | _Branch = ..., **named: _Branch) -> None: ...

class Parameter(_traced.Parameter):
    """A learned tensor: whatever the input, its result is `shape`, batch and all."""
    def __init__(self, shape: Sequence[_Number] | str, active: _Number | None = ...) -> None: ...

class Require(_traced.Require):
    """Returns its input, and refuses sizes for which the relation of `left` to `right` does not hold."""
    def __init__(self, left: _Number, relation: str, right: _Number) -> None: ...

class TracedFunction(_traced.TracedFunction):
    """A function of tensors by its name, with the shape of its results: `shape`, batch and all."""
    def __init__(self, *branches: _Branch, function: str, shape: Sequence[_Number] | str, results: _Number | _Branch = ..., **named: _Branch) -> None: ...

class Unused(_traced.Unused):
    """Returns its input, and lists parameters and buffers that the network holds and never uses."""
    def __init__(self, tensors: Any = ..., kept: Any = ...) -> None: ...

class Transformer(_transformer.Transformer):
    """An encoder, and a decoder that attends to its result: `[S, N, E]` and `[T, N, E]` to `[T, N, E]`."""
    def __init__(self, d_model: _Number | None = ..., nhead: _Number = ..., num_encoder_layers: _Number = ..., num_decoder_layers: _Number = ..., dim_feedforward: _Number = ..., dropout: _Real = ..., activation: str = ..., *, batch_first: _Flag = ..., layer_norm_eps: _Real = ..., norm_first: _Flag = ..., bias: _Flag = ...) -> None: ...

class TransformerDecoder(_transformer.TransformerDecoder):
    """num_layers of `transformer_decoder_layer` on one another, all looking at one memory."""
    def __init__(self, *, d_model: _Number | None = ..., nhead: _Number, dim_feedforward: _Number = ..., dropout: _Real = ..., activation: str = ..., layer_norm_eps: _Real = ..., batch_first: _Flag = ..., norm_first: _Flag = ..., bias: _Flag = ..., num_layers: _Number, norm: _Flag = ...) -> None: ...

class TransformerDecoderLayer(_transformer.TransformerDecoderLayer):
    """Self-attention, attention to a memory `[S, N, E]`, and two linear layers on `[T, N, E]`."""
    def __init__(self, d_model: _Number | None = ..., nhead: _Number = ..., dim_feedforward: _Number = ..., dropout: _Real = ..., activation: str = ..., layer_norm_eps: _Real = ..., batch_first: _Flag = ..., norm_first: _Flag = ..., bias: _Flag = ...) -> None: ...

class TransformerEncoder(_transformer.TransformerEncoder):
    """num_layers of `transformer_encoder_layer` on one another: the shape is kept."""
    def __init__(self, *, d_model: _Number | None = ..., nhead: _Number, dim_feedforward: _Number = ..., dropout: _Real = ..., activation: str = ..., layer_norm_eps: _Real = ..., batch_first: _Flag = ..., norm_first: _Flag = ..., bias: _Flag = ..., num_layers: _Number, norm: _Flag = ...) -> None: ...

class TransformerEncoderLayer(_transformer.TransformerEncoderLayer):
    """Self-attention and two linear layers on `[S, N, E]`, each added to what it reads: the shape is kept."""
    def __init__(self, d_model: _Number | None = ..., nhead: _Number = ..., dim_feedforward: _Number = ..., dropout: _Real = ..., activation: str = ..., layer_norm_eps: _Real = ..., batch_first: _Flag = ..., norm_first: _Flag = ..., bias: _Flag = ...) -> None: ...

class MaxUnpool1d(_unpool.MaxUnpool):
    """Puts maxima back to their places: `[N, C, L]` to `[N, C, L']`, n' = (n - 1)s - 2p + k."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] | None = ..., padding: _Number | Sequence[_Number] = ..., output_size: _Number | Sequence[_Number] | None = ...) -> None: ...

class MaxUnpool2d(_unpool.MaxUnpool):
    """Puts maxima back to their places: `[N, C, H, W]` to `[N, C, H', W']`, n' = (n - 1)s - 2p + k."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] | None = ..., padding: _Number | Sequence[_Number] = ..., output_size: _Number | Sequence[_Number] | None = ...) -> None: ...

class MaxUnpool3d(_unpool.MaxUnpool):
    """Puts maxima back to their places: `[N, C, D, H, W]` to `[N, C, D', H', W']`, n' = (n - 1)s - 2p + k."""
    def __init__(self, kernel_size: _Number | Sequence[_Number], stride: _Number | Sequence[_Number] | None = ..., padding: _Number | Sequence[_Number] = ..., output_size: _Number | Sequence[_Number] | None = ...) -> None: ...
