"""Twins of activations, normalizations, linear layers and tables, and of layers with a computed weight."""

from __future__ import annotations

from torch import nn
from torch.nn import utils

from shapecalc.bridges.torch.twins.torch_names import Fields, Shapes
from shapecalc.bridges.torch.twins.twin import ModuleTwin, Twin, build_layer
from shapecalc.layers.activation import Sigmoid, Tanh
from shapecalc.layers.layer_norm import GroupNorm, LayerNorm
from shapecalc.layers.linear import Embedding, Linear
from shapecalc.layers.norm import BatchNorm, SyncBatchNorm
from shapecalc.layers.rectifier import GELU, InPlace
from shapecalc.layers.wrapper import Wrapper


class ActivationTwin(ModuleTwin[InPlace | GELU | Sigmoid | Tanh | GroupNorm]):
    """Activations, and group normalization."""

    returns_new_tensor = True


class LinearTwin(ModuleTwin[Linear]):
    """A matrix product on the last axis."""

    returns_new_tensor = returns_contiguous = True


class EmbeddingTwin(ModuleTwin[Embedding]):
    """A table of vectors, read by index."""

    first_index = 0


class BatchNormTwin(ModuleTwin[BatchNorm]):
    """Batch normalization, whose channels are axis 1 whatever the rank."""

    returns_new_tensor = True


class SyncBatchNormTwin(BatchNormTwin, Twin[SyncBatchNorm]):
    """Batch normalization over several devices."""

    returns_new_tensor = False


class LayerNormTwin(ModuleTwin[LayerNorm]):
    """Layer normalization."""

    returns_new_tensor = returns_contiguous = True


class WrapperTwin(ModuleTwin[Wrapper]):
    """A layer of which torch replaces a weight, in the newer way or the older."""

    never_written = "torch makes it out of a layer"

    def build(self, fields: Fields, shapes: Shapes) -> nn.Module:
        fields = dict(fields)
        layer, home = fields.pop("layer"), utils if fields.pop("legacy", False) else utils.parametrizations
        module = build_layer(layer, shapes)
        if fields.get("name", "weight") not in dict(module.named_parameters(recurse=False)):
            raise ValueError("no such weight")
        made: nn.Module = getattr(home, self.kind.kind)(module, **fields)
        return made
