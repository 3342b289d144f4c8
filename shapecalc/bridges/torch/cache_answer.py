"""Whether the cache of a language model fits: its bytes, the longest text, the largest batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from torch import nn

from shapecalc.algebra import Dim, symbol
from shapecalc.bridges.torch.key_value_cache import LENGTH, KeyValueCache, read_cache
from shapecalc.bridges.torch.tracer.module_locator import with_module
from shapecalc.errors import ShapecalcError
from shapecalc.render.lines import LONGEST_LIST, Answer, IndentedLine
from shapecalc.render.piece import Line, amount
from shapecalc.views.notes import memory

KIB = 1024
LEFT_OUT = "Not included: activations, the integers of positions, and what an allocator adds."


@dataclass(frozen=True, slots=True)
class CacheAnswer(Answer):
    """The cache of a language model after a text, and what fits beside its weights."""

    cache: KeyValueCache
    length: int
    batch: int
    dtype: str
    room: int | None = None
    """The bytes that weights and cache share."""

    @property
    def formula(self) -> Dim | None:
        """The bytes in the batch `N` and the length `L`; None where there is no closed form."""
        try:
            return self.cache.bytes(batch=None, dtype=self.dtype)
        except ShapecalcError:
            return None

    @property
    def weights(self) -> int:
        """The bytes of the parameters and buffers."""
        return self.cache.weights(self.dtype)

    @property
    def bytes(self) -> Dim:
        """The bytes after the text."""
        return self.cache.bytes(self.length, self.batch, self.dtype)

    @property
    def per_token(self) -> int:
        """The bytes that the next token of each text adds."""
        return self.cache.per_token(self.length, self.batch, self.dtype)

    @property
    def prefill_macs(self) -> Dim | None:
        """The multiply-accumulates of reading a text of `L` tokens; None where there is no closed form."""
        return _known(self.cache.prefill_macs)

    @property
    def decode_macs(self) -> Dim | None:
        """The multiply-accumulates of a token after `L`; None where there is no closed form."""
        return _known(self.cache.decode_macs)

    def rule_error(self, macs: Dim) -> Dim:
        """Return 2·P·L, with the P parameters that a token uses, less the FLOPs of reading L tokens.

        That of 6·P·L for training is three times this, where backward costs twice the forward's products.
        """
        return 2 * self.cache.used_params * symbol(LENGTH) - 2 * macs

    @property
    def left(self) -> int:
        """The bytes beside the weights; negative where these do not fit."""
        return (self.room or 0) - self.weights

    @property
    def longest(self) -> int | None:
        """The longest text that fits at the batch, 0 for none; None where every text does.

        Raises `ShapecalcError` where the cache has no closed form.
        """
        return self.cache.longest(self.left, self.batch, self.dtype)

    @property
    def largest_batch(self) -> int | None:
        """The largest batch that fits at the length, 0 for none."""
        return self.cache.largest_batch(self.left, self.length, self.dtype)

    def __bool__(self) -> bool:
        """Whether weights and cache fit."""
        return self.room is None or self.weights + self.bytes <= self.room

    def lines(self, limit: int | None = LONGEST_LIST) -> Iterator[IndentedLine]:
        """Yield the formula, the bytes, and what fits."""
        yield 0, (f"{self.cache.name} in {self.dtype}, batch {self.batch} of {self.length:,} tokens",)
        yield 0, ()
        if self.formula is not None:
            yield 0, ("Cache: ", amount(self.formula), f" bytes for N texts of L tokens{self._where}")
        yield 0, ("Cache after the text: ", *_bytes(self.bytes))
        yield 0, ("The next token of each text adds ", *_bytes(self.per_token))
        yield 0, ("Weights and buffers: ", *_bytes(self.weights))
        yield from self._costs()
        if self.room is not None:
            yield from self._fit()
        yield 0, ()
        yield 0, (LEFT_OUT,)

    def _costs(self) -> Iterator[IndentedLine]:
        """Yield the MACs of a text and of a token after it, and what the rule of thumb misses."""
        if (macs := self.prefill_macs) is not None:
            yield 0, ("Reading L tokens: ", amount(macs), " MACs for each text")
            yield 1, ("2 FLOPs a parameter and token differ from it by ", amount(self.rule_error(macs)))
        if (macs := self.decode_macs) is not None:
            yield 0, ("The token after L: ", amount(macs), " MACs for each text")

    def _fit(self) -> Iterator[IndentedLine]:
        verdict = "fit" if self else "do not fit"
        yield 0, ()
        yield 0, (f"Weights and cache {verdict} in ", *memory(self.room or 0))
        if self.left < 0:
            yield 1, ("the weights alone do not",)
            return
        if self.formula is None:
            text = "the longest text is not known, since the cache has no closed form in the length"
        elif (longest := self.longest) is None:
            text = "a text of any length"
        elif longest >= (limit := self.cache.most_positions or longest + 1):
            text = f"a text of any length up to the {limit:,} of the model"
        else:
            text = f"a text of at most {longest:,} tokens"
        largest = self.largest_batch
        batch = "any batch" if largest is None else f"a batch of at most {largest:,}"
        yield 1, (f"at batch {self.batch}: {text}",)
        yield 1, (f"at {self.length:,} tokens: {batch}",)

    @property
    def _where(self) -> str:
        limit = self.cache.most_positions
        return "" if limit is None else f", L at most {limit:,} (max_position_embeddings)"

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as plain data for JSON."""
        data: dict[str, Any] = {
            "name": self.cache.name,
            "dtype": self.dtype,
            "batch": self.batch,
            "length": self.length,
            "formula": None if self.formula is None else str(self.formula),
            "cache_bytes": self.bytes,
            "bytes_per_token": self.per_token,
            "weight_bytes": self.weights,
            "prefill_macs": None if self.prefill_macs is None else str(self.prefill_macs),
            "decode_macs": None if self.decode_macs is None else str(self.decode_macs),
            "max_position_embeddings": self.cache.most_positions,
        }
        if self.room is not None:
            data |= {"room": self.room, "fits": bool(self)}
            if self.left >= 0:
                data["largest_batch"] = self.largest_batch
                data |= {} if self.formula is None else {"longest": self.longest}
        return data


def cache_at(
    path: str, settings: Mapping[str, Any], length: int, batch: int, dtype: str, room: int | None
) -> CacheAnswer:
    """Return the answer for the module at a path, as `module_locator` finds it."""

    def run(module: nn.Module, _: object) -> CacheAnswer:
        answer = CacheAnswer(read_cache(module), length, batch, dtype, room)
        answer.to_dict()  # a forward may import
        return answer

    return with_module(path, settings, run)


def _known(count: Callable[[], Dim]) -> Dim | None:
    with suppress(ShapecalcError):
        return count()
    return None


def _bytes(size: Dim) -> Line:
    return (*memory(size), f" ({size:,} bytes)") if isinstance(size, int) and size >= KIB else memory(size)
