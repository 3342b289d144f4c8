"""Keras' dense layer and embedding, its dropout of channels, and its axes for joining and cutting."""

from collections.abc import Iterator
from typing import ClassVar

from shapecalc.layers.base import Merge, Named
from shapecalc.layers.dropout import Dropping
from shapecalc.layers.fields import Index
from shapecalc.layers.linear import Dense, Table
from shapecalc.layers.merge import Concat
from shapecalc.layers.requirement import Requirement, Shape, rank_between
from shapecalc.layers.select import Chunk, Split


class KerasLinear(Dense):
    """A matrix product on the last axis: `[N, ..., in_features]` to `[N, ..., out_features]`.

    On a map that is the axis of the channels: the map stays. Weights are
    `kernel: [in_features, out_features]` and `bias: [out_features]`; every output costs in_features
    MACs. Refuses fewer than two dimensions. Source: keras.layers.Dense.

    >>> KerasLinear(out_features=1000).output((1, 7, 7, 512))
    (1, 7, 7, 1000)
    >>> KerasLinear(out_features=1000).weights((1, 2048))
    {'kernel': (2048, 1000), 'bias': (1000,)}
    """

    kind: ClassVar[str] = "linear"
    framework: ClassVar[str | None] = "keras"
    keras: ClassVar[str | None] = "keras.layers.Dense"

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, 2, None)
        yield from super().requirements(x)

    def weights(self, x: Shape) -> Named:
        named: Named = {"kernel": (x[-1], self.out_features)}
        return named | {"bias": (self.out_features,)} if self.bias else named


class KerasEmbedding(Table):
    """A table read by index: `[...]` whole numbers to `[..., embedding_dim]`.

    The weight is `embeddings: [num_embeddings, embedding_dim]`. Source: keras.layers.Embedding.

    >>> KerasEmbedding(num_embeddings=30522, embedding_dim=768).output((1, 128))
    (1, 128, 768)
    """

    kind: ClassVar[str] = "embedding"
    framework: ClassVar[str | None] = "keras"
    keras: ClassVar[str | None] = "keras.layers.Embedding"

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        return iter(())

    def weights(self, x: Shape) -> Named:
        return {"embeddings": (self.num_embeddings, self.embedding_dim)}


class KerasDropping(Dropping):
    """Dropout of whole channels, which are the last axis; the shape is kept."""

    framework: ClassVar[str | None] = "keras"
    rank: ClassVar[int]

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        return rank_between(self.kind, x, self.rank + 2, self.rank + 2)


class KerasDropout1d(KerasDropping):
    """Sets whole channels of `[N, L, C]` to zero in training. Source: keras.layers.SpatialDropout1D.

    >>> KerasDropout1d().output((1, 100, 64))
    (1, 100, 64)
    """

    kind: ClassVar[str] = "dropout1d"
    rank: ClassVar[int] = 1
    keras: ClassVar[str | None] = "keras.layers.SpatialDropout1D"


class KerasDropout2d(KerasDropping):
    """Sets whole channels of `[N, H, W, C]` to zero in training. Source: keras.layers.SpatialDropout2D.

    >>> KerasDropout2d().output((1, 56, 56, 64))
    (1, 56, 56, 64)
    """

    kind: ClassVar[str] = "dropout2d"
    rank: ClassVar[int] = 2
    keras: ClassVar[str | None] = "keras.layers.SpatialDropout2D"


class KerasDropout3d(KerasDropping):
    """Sets whole channels of `[N, D, H, W, C]` to zero in training. Source: keras.layers.SpatialDropout3D.

    >>> KerasDropout3d().output((1, 4, 8, 8, 16))
    (1, 4, 8, 8, 16)
    """

    kind: ClassVar[str] = "dropout3d"
    rank: ClassVar[int] = 3
    keras: ClassVar[str | None] = "keras.layers.SpatialDropout3D"


class KerasConcat(Concat):
    """Puts tensors behind one another along axis `dim`, whose sizes add up: the channels, if left out.

    Refuses tensors that differ in rank or on another axis. Source: keras.layers.Concatenate.

    >>> KerasConcat().output(((1, 28, 28, 64), (1, 28, 28, 128)))
    (1, 28, 28, 192)
    """

    kind: ClassVar[str] = "concat"
    framework: ClassVar[str | None] = "keras"
    keras: ClassVar[str | None] = "keras.layers.Concatenate"

    __init__ = Merge.__init__

    dim: Index = -1


class KerasSplit(Split):
    """Cuts axis `dim` (the channels, if left out) into pieces, as torch's `split` does.

    Keras has no layer for it; slices do it. Source: torch.split.

    >>> KerasSplit(split_size=[2, 3]).outputs((1, 8, 5))
    ((1, 8, 2), (1, 8, 3))
    """

    kind: ClassVar[str] = "split"
    framework: ClassVar[str | None] = "keras"

    dim: Index = -1


class KerasChunk(Chunk):
    """Cuts axis `dim` (the channels, if left out) into at most `chunks` pieces, as torch's `chunk` does.

    Keras has no layer for it; slices do it. Source: torch.chunk.

    >>> KerasChunk(chunks=2).outputs((1, 28, 28, 64))
    ((1, 28, 28, 32), (1, 28, 28, 32))
    """

    kind: ClassVar[str] = "chunk"
    framework: ClassVar[str | None] = "keras"

    dim: Index = -1
