"""What attention is about: how many positions look, at how many, with how many features and heads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from shapecalc.algebra import Dim
from shapecalc.conventions.layer_call import LayerCall


@dataclass(frozen=True, slots=True)
class Attention:
    """The sizes of one attention; `keys` are those that arrive, without positions that it adds."""

    batch: Dim
    queries: Dim
    keys: Dim
    features: Dim
    heads: Dim

    @classmethod
    def of(cls, asked: LayerCall) -> Self:
        """Return the sizes of a layer of attention."""
        from shapecalc.layers.attention import batch_and_length

        first = asked.flag("batch_first")
        query = asked.inputs[0]
        key = asked.inputs[1] if len(asked.inputs) > 1 else query
        batch, queries = batch_and_length(query, batch_first=first)
        _, keys = batch_and_length(key, batch_first=first)
        return cls(batch[0] if batch else 1, queries, keys, query[-1], asked.whole("num_heads"))
