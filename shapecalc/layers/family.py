"""The family of a kind: what it computes, as far as conventions, pictures and lists distinguish kinds.

A kind names its family once; everything that treats some kinds alike reads it, and a kind of a known family
needs no entry anywhere else.
"""

from enum import Enum, StrEnum


class Group(StrEnum):
    """Families that belong together, as a picture colours them."""

    CONVOLUTION = "convolution"
    DENSE = "dense"
    RECURRENT = "recurrent"
    ATTENTION = "attention"
    NORM = "norm"
    POINTWISE = "pointwise"
    POOLING = "pooling"
    RESAMPLE = "resample"
    PADDING = "padding"
    RESHAPE = "reshape"
    MERGE = "merge"
    LOSS = "loss"
    OTHER = "other"


class Family(Enum):
    """What a kind computes; `label` is the name in lists, `group` the family among coarser ones.

    >>> Family.BATCH_NORM.label, Family.BATCH_NORM.group
    ('batch norm', <Group.NORM: 'norm'>)
    """

    CONVOLUTION = ("convolution", Group.CONVOLUTION)
    TRANSPOSED_CONVOLUTION = ("transposed convolution", Group.CONVOLUTION)
    LINEAR = ("linear", Group.DENSE)
    BILINEAR = ("bilinear", Group.DENSE)
    RADIAL_BASIS = ("radial basis", Group.DENSE)
    EMBEDDING = ("embedding", Group.DENSE)
    MATRIX_PRODUCT = ("matrix product", Group.MERGE)
    EINSUM = ("einsum", Group.MERGE)
    RECURRENT = ("recurrent", Group.RECURRENT)
    RECURRENT_CELL = ("recurrent cell", Group.RECURRENT)
    ATTENTION = ("attention", Group.ATTENTION)
    TRANSFORMER = ("transformer", Group.ATTENTION)
    BATCH_NORM = ("batch norm", Group.NORM)
    SYNC_BATCH_NORM = ("synchronized batch norm", Group.NORM)
    INSTANCE_NORM = ("instance norm", Group.NORM)
    GROUP_NORM = ("group norm", Group.NORM)
    LAYER_NORM = ("layer norm", Group.NORM)
    RMS_NORM = ("RMS norm", Group.NORM)
    RESPONSE_NORM = ("response norm", Group.NORM)
    ACTIVATION = ("activation", Group.POINTWISE)
    SOFTMAX = ("softmax", Group.POINTWISE)
    ELEMENTWISE = ("elementwise function", Group.POINTWISE)
    DROPOUT = ("dropout", Group.POINTWISE)
    IDENTITY = ("identity", Group.POINTWISE)
    MAX_POOL = ("max pooling", Group.POOLING)
    AVERAGE_POOL = ("average pooling", Group.POOLING)
    POWER_POOL = ("power pooling", Group.POOLING)
    ADAPTIVE_AVERAGE_POOL = ("adaptive average pooling", Group.POOLING)
    ADAPTIVE_MAX_POOL = ("adaptive max pooling", Group.POOLING)
    GLOBAL_POOL = ("global pooling", Group.POOLING)
    FRACTIONAL_POOL = ("fractional pooling", Group.POOLING)
    SUBSAMPLING = ("trainable subsampling", Group.POOLING)
    REDUCTION = ("reduction", Group.POOLING)
    RESAMPLE = ("resampling", Group.RESAMPLE)
    UNPOOL = ("unpooling", Group.RESAMPLE)
    PADDING = ("padding", Group.PADDING)
    CROP = ("crop", Group.PADDING)
    RESHAPE = ("reshape", Group.RESHAPE)
    FOLD = ("fold", Group.RESHAPE)
    TENSOR = ("learned or constant tensor", Group.RESHAPE)
    MERGE = ("merge", Group.MERGE)
    DISTANCE = ("distance", Group.MERGE)
    LOSS = ("loss", Group.LOSS)
    WRAPPER = ("wrapper", Group.OTHER)
    """A layer around another: `Kind.acts_as` is the family of the one inside."""
    FUNCTION = ("function of tensors", Group.OTHER)
    OPAQUE = ("opaque", Group.OTHER)
    """An operation without a rule, known by its name alone."""
    OTHER = ("other", Group.OTHER)
    """A kind of a user's own without a family: no counting tool knows it, and none counts it as 0."""

    def __init__(self, label: str, group: Group) -> None:
        self.label = label
        self.group = group

    @property
    def moves_values(self) -> bool:
        """Whether kinds of the family copy or move values, and compute nothing in evaluation."""
        moving = self.group in (Group.PADDING, Group.RESHAPE)
        return moving or self in (Family.DROPOUT, Family.IDENTITY, Family.UNPOOL)
