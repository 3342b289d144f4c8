"""Keras' dense layer and embedding, its dropout of channels, and its axes for joining and cutting."""

from collections.abc import Iterator
from typing import ClassVar

from shapecalc.layers.base import Named
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.dropout import Dropping
from shapecalc.layers.effect import learned
from shapecalc.layers.fields import Index
from shapecalc.layers.linear import Dense
from shapecalc.layers.merge import Concat
from shapecalc.layers.requirement import Requirement, Shape, rank_between
from shapecalc.layers.select import Chunk, Split
from shapecalc.layers.table import Table


class KerasLinear(Dense, kind="linear", framework="keras", keras="keras.layers.Dense"):
    """A matrix product on the last axis: `[N, ..., in_features]` to `[N, ..., out_features]`.

    On a map that is the axis of the channels: the map stays. Weights are `kernel: [in_features,
    out_features]` and `bias: [out_features]`; every output costs in_features MACs. Refuses fewer than two
    dimensions.

    >>> KerasLinear(out_features=1000).output((1, 7, 7, 512))
    (1, 7, 7, 1000)
    >>> KerasLinear(out_features=1000).weights((1, 2048))
    {'kernel': (2048, 1000), 'bias': (1000,)}
    """

    order = "in_features out_features * ..."

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, 2, None)
        yield from super().requirements(x)

    def weights(self, x: Shape) -> Named:
        return learned({"kernel": (x[-1], self.out_features), "bias": (self.out_features,)}, bias=self.bias)


class KerasEmbedding(Table, kind="embedding", framework="keras", keras="keras.layers.Embedding"):
    """A table read by index: `[...]` integers to `[..., embedding_dim]`.

    The weight is `embeddings: [num_embeddings, embedding_dim]`.

    >>> KerasEmbedding(num_embeddings=30522, embedding_dim=768).output((1, 128))
    (1, 128, 768)
    """

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        return iter(())

    def weights(self, x: Shape) -> Named:
        return {"embeddings": (self.num_embeddings, self.embedding_dim)}


class KerasDropping(Dropping, ranked="KerasDropout{rank}d", keras="keras.layers.SpatialDropout{rank}D"):
    """Sets complete channels of `[N, {sizes}, C]` to zero in training; the shape is kept.

    >>> KerasDropout{rank}d().output((1, {each:56}, 64))
    (1, {each:56}, 64)
    """

    framework = "keras"
    rank: ClassVar[int]

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        return rank_between(self.kind, x, self.rank + 2, self.rank + 2)


class KerasConcat(Concat, kind="concat", framework="keras", keras="keras.layers.Concatenate"):
    """Puts tensors behind one another along axis `dim`, whose sizes add up: the channels, if left out.

    Refuses tensors that differ in rank or on another axis.

    >>> KerasConcat().output(((1, 28, 28, 64), (1, 28, 28, 128)))
    (1, 28, 28, 192)
    """

    dim: Index = -1


class KerasSplit(Split, kind="split", framework="keras"):
    """Cuts axis `dim` (the channels, if left out) into pieces, as torch's `split` does.

    Keras has no layer for it; slices do it. Source: torch.split.

    >>> KerasSplit(split_size=[2, 3]).outputs((1, 8, 5))
    ((1, 8, 2), (1, 8, 3))
    """

    dim: Index = -1


class KerasChunk(Chunk, kind="chunk", framework="keras"):
    """Cuts axis `dim` (the channels, if left out) into at most `chunks` pieces, as torch's `chunk` does.

    Keras has no layer for it; slices do it. Source: torch.chunk.

    >>> KerasChunk(chunks=2).outputs((1, 28, 28, 64))
    ((1, 28, 28, 32), (1, 28, 28, 32))
    """

    dim: Index = -1


__getattr__ = of_rank(__name__)
