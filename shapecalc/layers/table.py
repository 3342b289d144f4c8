"""Tables of embeddings: [...] of indices to [..., embedding_dim]."""

from collections.abc import Iterator
from typing import Annotated

from shapecalc.algebra import Dim
from shapecalc.layers.base import Layer, Named, NoBuffers, NoOperations, NoWindow, OwnPlace
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Integer, Nullable
from shapecalc.layers.requirement import Requirement, Shape
from shapecalc.layers.roles import Rows, VectorLength


class Table(OwnPlace, NoBuffers, NoOperations, NoWindow, Layer):
    """The rules of a table read by index, under either framework."""

    family = Family.EMBEDDING
    saves = "weighted"
    takes_empty = True

    num_embeddings: Rows
    embedding_dim: VectorLength

    def output(self, x: Shape) -> Shape:
        return (*x, self.embedding_dim)


def inside_table(kind: str, index: Dim, rows: Dim) -> Iterator[Requirement]:
    """Require a padding_idx that is a row of the table, which may be counted from the end."""
    says = f"{kind}: padding_idx = {index} is outside the table of {rows} rows"
    yield Requirement("index", index, ">=", -rows, says)
    yield Requirement("index", rows - 1, ">=", index, says)


class Embedding(Table, framework="torch", torch="torch.nn.Embedding", keras="keras.layers.Embedding"):
    """A table read by index: `[...]` integers to `[..., embedding_dim]`.

    The weight is `weight: [num_embeddings, embedding_dim]`; reading multiplies nothing. Refuses a padding_idx
    outside the table, which may count from its end.

    >>> Embedding(num_embeddings=30522, embedding_dim=768).output((1, 128))
    (1, 128, 768)
    """

    padding_idx: Annotated[Dim | None, Nullable(Integer())] = None

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        if self.padding_idx is not None:
            yield from inside_table(self.kind, self.padding_idx, self.num_embeddings)

    def weights(self, x: Shape) -> Named:
        return {"weight": (self.num_embeddings, self.embedding_dim)}
