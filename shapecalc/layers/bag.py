"""Vectors that are read by index and reduced in bags."""

from collections.abc import Iterator
from typing import Annotated

from shapecalc.algebra import Dim, product
from shapecalc.layers.base import Joint, Named, NoBuffers, NoMacs, Shapes
from shapecalc.layers.counts import Operations, greatest, mean
from shapecalc.layers.dependence import Dependence, over, unknown
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Flag, Integer, Nullable, OneOf
from shapecalc.layers.requirement import Requirement, Shape, arity, rank_between, shaped
from shapecalc.layers.roles import Rows, VectorLength
from shapecalc.layers.table import inside_table


class EmbeddingBag(NoBuffers, NoMacs, Joint, framework="torch", torch="torch.nn.EmbeddingBag"):
    """The sum, mean or maximum of vectors read by index: `[B, L]` integers to `[B, embedding_dim]`.

    Instead of bags of one length, all indices may be in one row `[n]`, with `[B]` numbers that say where each
    bag begins; with include_last_offset one more says where the last ends. A last tensor, in the shape of the
    indices, may hold weights, with mode sum only. The weight is `weight: [num_embeddings, embedding_dim]`;
    MACs are 0 by the convention that counts convolutions and matrix products, as for `embedding`. Refuses
    other ranks, weights of another shape or with another mode, and a padding_idx outside the table.

    >>> EmbeddingBag(num_embeddings=1000, embedding_dim=16).output(((8, 20),))
    (8, 16)
    >>> EmbeddingBag(num_embeddings=1000, embedding_dim=16).output(((160,), (8,)))
    (8, 16)
    """

    order = "num_embeddings embedding_dim * ..."
    family = Family.EMBEDDING
    unknown_dependence = (
        "places",
        "which indices make up a bag follows from numbers in the input, not from shapes",
    )

    num_embeddings: Rows
    embedding_dim: VectorLength
    mode: Annotated[str, OneOf(("sum", "mean", "max"))] = "mean"
    include_last_offset: Flag = False
    padding_idx: Annotated[Dim | None, Nullable(Integer())] = None

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        if self.padding_idx is not None:
            yield from inside_table(self.kind, self.padding_idx, self.num_embeddings)
        yield arity(self.kind, len(inputs), 1, 2, 3)
        x, *others = inputs
        yield from rank_between(self.kind, x, 1, 2)
        if len(x) == 2:
            yield arity(f"{self.kind} of bags of one length", len(inputs), 1, 2)
            weights = others
        else:
            yield arity(f"{self.kind} of bags in one row", len(inputs), 2, 3)
            offsets, *weights = others
            yield from rank_between(f"{self.kind}: where the bags begin", offsets, 1, 1)
            says = f"{self.kind}: with include_last_offset two numbers are needed to make one bag"
            yield Requirement("offsets", offsets[0], ">=", 1 + self.include_last_offset, says)
        for weight in weights:
            says = f"{self.kind}: weights go with mode sum, not with {self.mode}"
            yield Requirement("mode", int(self.mode == "sum"), "==", 1, says)
            yield from shaped(self.kind, "the weights", weight, x)

    def output(self, inputs: Shapes) -> Shape:
        x = inputs[0]
        bags = x[0] if len(x) == 2 else inputs[1][0] - self.include_last_offset
        return (bags, self.embedding_dim)

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        if len(inputs[0]) == 1:  # the numbers say which indices make up a bag
            return tuple([unknown(1) for _ in inputs])
        return (over(2, [1]),) * len(inputs)

    def weights(self, inputs: Shapes) -> Named:
        return {"weight": (self.num_embeddings, self.embedding_dim)}

    def operations(self, inputs: Shapes) -> Operations | None:
        x, *weights = inputs
        if len(x) == 1:
            return None  # the numbers say how long each bag is
        numbers, results = product(x) * self.embedding_dim, product(self.output(inputs))
        if self.mode == "max":
            return greatest(numbers, results)
        if self.mode == "mean":
            return mean(numbers, results)
        return Operations(additions=numbers - results, multiplications=numbers if weights else 0)
