"""The family of every kind: what conventions, pictures and lists tell kinds apart by."""

from __future__ import annotations

import pytest

from shapecalc import Layer, SpecError, register
from shapecalc.layers import Conv2d, WeightNorm
from shapecalc.layers.family import Family, Group
from shapecalc.layers.registry import FRAMEWORKS, find, get, kinds

GROUPS = {
    Group.CONVOLUTION: "conv2d depthwise_conv2d separable_conv2d conv_transpose2d partial_conv2d",
    Group.DENSE: "linear bilinear rbf embedding embedding_bag",
    Group.NORM: "batch_norm2d sync_batch_norm instance_norm2d group_norm layer_norm rms_norm cross_map_lrn2d",
    Group.POINTWISE: "relu prelu gelu glu softmax layer_scale position_embedding dropout identity elementwise",
    Group.POOLING: "max_pool2d lp_pool2d adaptive_avg_pool1d global_max_pool2d fractional_max_pool2d mean reduce",
    Group.PADDING: "zero_pad2d reflection_pad2d pad crop2d",
    Group.RESAMPLE: "upsample upsampling_nearest2d max_unpool2d",
    Group.RESHAPE: "flatten view broadcast_to split pixel_shuffle fold parameter class_token",
    Group.MERGE: "add multiply concat combine matmul einsum cosine_similarity",
}


@pytest.mark.parametrize("group", GROUPS)
def test_groups(group: Group) -> None:
    assert {kind: get(kind).family.group for kind in GROUPS[group].split()} == dict.fromkeys(
        GROUPS[group].split(), group
    )


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_kind_has_a_family_and_both_frameworks_agree(framework: str) -> None:
    for kind in kinds(framework):
        family = get(kind, framework).family
        assert family is not Family.OTHER, kind
        other = find(kind)
        assert other is None or family is other.family, kind


def test_a_layer_around_another_acts_as_the_one_inside() -> None:
    layer = WeightNorm(layer=Conv2d(out_channels=4, kernel_size=3))
    assert (layer.family, layer.acts_as) == (Family.WRAPPER, Family.CONVOLUTION)


def test_a_family_that_is_none_is_refused() -> None:
    class Odd(Layer):
        kind = "odd"
        family = "convolution"  # type: ignore[assignment]

    with pytest.raises(SpecError, match="the family of 'odd' is 'convolution', not a Family"):
        register(Odd)
