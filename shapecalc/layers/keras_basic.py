"""Keras' dense layer and embedding, its dropout of channels, and its axes for joining and cutting."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated, ClassVar

from shapecalc.algebra import product
from shapecalc.layers.base import Layer, Named, NoBuffers, NoWindow
from shapecalc.layers.counts import NOTHING, TANH, Operations, products
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.dependence import Dependence, over, placed
from shapecalc.layers.dropout import Dropping
from shapecalc.layers.effect import learned
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Decimal, Flag, Index, Nullable
from shapecalc.layers.linear import Dense
from shapecalc.layers.merge import Concat
from shapecalc.layers.requirement import Requirement, Shape, rank_between, shown
from shapecalc.layers.roles import Rows, VectorLength
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


class KerasReversibleEmbedding(NoBuffers, NoWindow, Layer, kind="reversible_embedding", framework="keras"):
    """A table read by index, `[...]` to `[..., embedding_dim]`, or with reverse the product with it.

    With reverse it is `[..., embedding_dim]` to `[..., num_embeddings]`. The weight is `embeddings:
    [num_embeddings, embedding_dim]`, and unless tie_weights another for the
    product, `reverse_embeddings: [embedding_dim, num_embeddings]`. The product costs embedding_dim MACs for
    every result, and refuses a last axis that is not embedding_dim. Source: Press and Wolf, 2017.

    >>> KerasReversibleEmbedding(num_embeddings=100, embedding_dim=8, reverse=True).output((1, 5, 8))
    (1, 5, 100)
    """

    keras = "keras.layers.ReversibleEmbedding"
    order = "num_embeddings embedding_dim * ..."
    family = Family.EMBEDDING

    num_embeddings: Rows
    embedding_dim: VectorLength
    tie_weights: Flag = True
    reverse: Flag = False
    logit_soft_cap: Annotated[Fraction | int | None, Nullable(Decimal())] = None

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        if self.reverse:
            yield from rank_between(self.kind, x, 2, None)
            says = f"{self.kind}: the last axis of {shown(x)} is not embedding_dim = {self.embedding_dim}"
            yield Requirement("shape", x[-1], "==", self.embedding_dim, says)

    def output(self, x: Shape) -> Shape:
        return (*x[:-1], self.num_embeddings) if self.reverse else (*x, self.embedding_dim)

    def weights(self, x: Shape) -> Named:
        named: Named = {
            "embeddings": (self.num_embeddings, self.embedding_dim),
            "reverse_embeddings": (self.embedding_dim, self.num_embeddings),
        }
        return learned(named, reverse_embeddings=not self.tie_weights)

    def dependence(self, x: Shape, result: int) -> Dependence:
        return over(len(x), [len(x) - 1]) if self.reverse else placed(len(x))

    def operations(self, x: Shape) -> Operations:
        if not self.reverse:
            return NOTHING
        results = product(self.output(x))
        made = products(results * self.embedding_dim, results)
        if self.logit_soft_cap is None:
            return made
        return made + (TANH + Operations(divisions=1, multiplications=1)) * results


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
