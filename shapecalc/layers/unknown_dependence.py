"""The axes on which a kind does not know its dependence, each with the reason; a test covers every kind."""

from __future__ import annotations

_GROUPS = "channels of one group see those of their group alone"
_FILTERS = "with several filters a channel, several results see one channel"
_BY_NUMBERS = "the places of the maxima are numbers that arrive, not shapes"
_AT_RANDOM = "the windows stand at random distances"
_STATES = "of two directions, each sees the initial states of its own and those of the layers below"

UNKNOWN_DEPENDENCE: dict[str, tuple[str, str]] = {
    "combine": ("places and channels", "a function that is not known to work on each element by itself"),
    "conv1d": ("channels", _GROUPS),
    "conv2d": ("channels", _GROUPS),
    "conv3d": ("channels", _GROUPS),
    "conv_transpose1d": ("channels", _GROUPS),
    "conv_transpose2d": ("channels", _GROUPS),
    "conv_transpose3d": ("channels", _GROUPS),
    "cross_map_lrn2d": ("channels", "torch's running sum never lets go of the first channel"),
    "ctc_loss": ("targets", "where the target of each sequence begins is in the lengths, which are numbers"),
    "depthwise_conv1d": ("channels", _FILTERS),
    "depthwise_conv2d": ("channels", _FILTERS),
    "depthwise_conv3d": ("channels", _FILTERS),
    "elementwise": ("places and channels", "a function such as roll keeps the shape and moves elements"),
    "embedding_bag": ("places", "which indices make up a bag is told by numbers that arrive, not by shapes"),
    "fold": ("places and channels", "the columns are a list of windows over two axes in one"),
    "fractional_max_pool2d": ("places", _AT_RANDOM),
    "fractional_max_pool3d": ("places", _AT_RANDOM),
    "group_norm": ("channels", _GROUPS),
    "gru": ("states", _STATES),
    "lstm": ("states", f"{_STATES}; of a cell, few features or all, as length and layers go"),
    "max_unpool1d": ("places", _BY_NUMBERS),
    "max_unpool2d": ("places", _BY_NUMBERS),
    "max_unpool3d": ("places", _BY_NUMBERS),
    "opaque": ("places and channels", "no rule is known for the operation"),
    "partial_conv2d": ("channels", "a table says which channels see which"),
    "pixel_shuffle": ("channels", "channels become places"),
    "pixel_unshuffle": ("channels", "places become channels"),
    "rnn": ("states", _STATES),
    "spectral_norm": ("channels", "it sees what the layer inside sees, and says what that says"),
    "unfold": ("places", "the columns are a list of windows over two axes in one"),
    "weight_norm": ("channels", "it sees what the layer inside sees, and says what that says"),
}
"""By kind: the axes of which nothing may be said, and why. On all others every kind says what it sees."""
