"""What a language model keeps between tokens, in closed form: keys and values, latents, or states."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from torch import Tensor, nn

from shapecalc.algebra import Dim, product
from shapecalc.algebra.expr import ceildiv, decide, symbol
from shapecalc.bridges.torch.tracer.containers import named_tensors
from shapecalc.bridges.torch.tracer.importing import traced
from shapecalc.errors import ShapecalcError, SpecError, Undecided
from shapecalc.model import Model
from shapecalc.report.report import Report
from shapecalc.report.totals import item_bits

LENGTH, BATCH = "L", "N"
TRACED = 12
"""The tokens of a text that a network is traced with."""
MOST = 1 << 50
"""Of longer texts, and larger batches, a cache that always fits is said to fit any."""
_ATTRIBUTES = ("cache", "past_key_values", "cache_params", "mems", "state")
"""Where results of transformers have their caches."""


class _Cached(nn.Module):
    """A language model whose result is its cache: a tensor of numbers for each part that it keeps."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: Tensor) -> dict[str, Tensor]:
        """Return the tensors of the cache by their names in it."""
        kept = cache_tensors(self.network(input_ids=input_ids, use_cache=True))
        if not kept:
            raise SpecError(f"{type(self.network).__name__} keeps nothing between tokens")
        return kept


class _Continued(nn.Module):
    """A language model that reads a text and then a token more, with the cache of the text."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: Tensor, token: Tensor) -> Tensor:
        """Return the scores after the token."""
        cache = _cache_in(self.network(input_ids=input_ids, use_cache=True))
        scores: Tensor = self.network(input_ids=token, past_key_values=cache, use_cache=True).logits
        return scores


def _cache_in(result: object) -> object:
    return next((part for name in _ATTRIBUTES if (part := getattr(result, name, None)) is not None), None)


def cache_tensors(result: object) -> dict[str, Tensor]:
    """Return the floating-point tensors in the cache of a network's result, by their paths in it."""
    cache = _cache_in(result)
    kept: dict[int, tuple[str, Tensor]] = {}
    for path, tensor in named_tensors(cache, in_objects=True):
        if tensor.is_floating_point() and tensor.ndim:
            kept.setdefault(id(tensor), ("_".join(path), tensor))
    return dict(kept.values())


def read_cache(network: nn.Module, length: int = TRACED) -> KeyValueCache:
    """Return the cache of a language model, traced with a text of so many tokens on the meta device."""
    model = _traced(_Cached(network), {"input_ids": (length,)}, type(network).__name__)
    return KeyValueCache(type(network).__name__, network, model)


def _traced(module: nn.Module, shapes: Mapping[str, tuple[int, ...]], name: str | None = None) -> Model:
    return traced(module, shapes, (), None, name)


@dataclass(frozen=True)
class KeyValueCache:
    """The cache of a language model: keys and values, latents or states, for any length and batch.

    Integers that count positions are left out: they are a few bytes for each layer.
    """

    name: str
    network: nn.Module = field(repr=False)
    model: Model = field(repr=False)
    """The network as traced, its outputs the tensors of the cache."""
    _held: dict[int, Dim] = field(default_factory=dict, repr=False, compare=False)
    _counted: dict[tuple[str, int | None], Dim | ShapecalcError] = field(
        default_factory=dict, repr=False, compare=False
    )

    @cached_property
    def shapes(self) -> dict[str, tuple[Dim, ...]]:
        """The shape of each tensor, in the batch `N` and the length `L`.

        Raises `ShapecalcError` where the forward depends on the length otherwise than by its shapes.
        """
        report: Report = self.model.analyze(symbolic=(LENGTH,), batch=symbol(BATCH))
        return dict(report.outputs)

    def weights(self, dtype: str = "float32") -> int:
        """Return the bytes of the parameters, those that are shared once, and of the buffers."""
        tensors = (*self.network.parameters(), *self.network.buffers())
        numbers = sum(tensor.numel() for tensor in tensors if tensor.is_floating_point())
        others = sum(tensor.nbytes for tensor in tensors if not tensor.is_floating_point())
        return -(-numbers * item_bits(dtype) // 8) + others

    @cached_property
    def used_params(self) -> int:
        """The parameters that one token uses: all of them, but of experts those that it is sent to."""
        report: Report[int] = _traced(self.network, {"input_ids": (TRACED,)}).analyze()
        return report.params if report.active_params is None else report.active_params

    @property
    def most_positions(self) -> int | None:
        """The longest text that the configuration says the model is for; None where it says nothing."""
        config = getattr(self.network, "config", None)
        limit = getattr(config, "max_position_embeddings", None)
        return limit if isinstance(limit, int) and limit > 0 else None

    def elements(self, length: int | None = None, batch: int | None = None) -> Dim:
        """Return how many numbers it holds; in closed form in what is left out.

        Where there is no closed form, the network is traced again with a text of this length.
        """
        try:
            total = _elements(self.shapes)
        except ShapecalcError:
            if length is None:
                raise
            total = self._elements_at(length)
        known = {LENGTH: length, BATCH: batch}
        values = {name: value for name, value in known.items() if value is not None}
        return total if isinstance(total, int) else total.subs(values)

    def _elements_at(self, length: int) -> Dim:
        """Return how many numbers it holds after a text of one length, in the batch."""
        if length not in self._held:
            model = read_cache(self.network, length).model
            self._held[length] = _elements(model.analyze(input=(length,), batch=symbol(BATCH)).outputs)
        return self._held[length]

    def prefill_macs(self, length: int | None = None) -> Dim:
        """Return the multiply-accumulates of reading a text of so many tokens, in closed form of None."""
        return self._macs("read", length)

    def decode_macs(self, length: int | None = None) -> Dim:
        """Return those of a token after so many, with their cache: reading both, less reading the text.

        Raises `ShapecalcError` where the forward has no closed form, or an operation is not counted.
        """
        return self._macs("continued", length) - self._macs("read", length)

    def _macs(self, run: str, length: int | None) -> Dim:
        """Return the multiply-accumulates of a run; where it is another at a length, it is traced there."""
        total = self._tried(run, None)
        if isinstance(total, ShapecalcError) and length is not None:
            total = self._tried(run, length)
        if isinstance(total, ShapecalcError):
            raise total
        return total if isinstance(total, int) or length is None else total.subs({LENGTH: length})

    def _tried(self, run: str, length: int | None) -> Dim | ShapecalcError:
        """Return what a run comes to, or why that is not known: it is traced once."""
        if (run, length) not in self._counted:
            try:
                self._counted[run, length] = self._counted_at(run, length)
            except ShapecalcError as error:
                self._counted[run, length] = error
        return self._counted[run, length]

    def _counted_at(self, run: str, length: int | None) -> Dim:
        tokens = TRACED if length is None else length
        if run == "read":
            model = _traced(self.network, {"input_ids": (tokens,)})
        else:
            model = _traced(_Continued(self.network), {"input_ids": (tokens,), "token": (1,)})
        report: Report = model.analyze(symbolic=(LENGTH,) if length is None else False)
        if not report.complete:
            raise Undecided(f"not all multiply-accumulates are known: {', '.join(report.not_counted[:3])}")
        return report.macs

    def bytes(self, length: int | None = None, batch: int | None = 1, dtype: str = "float32") -> Dim:
        """Return its bytes after so many tokens, in closed form in what is None."""
        return ceildiv(self.elements(length, batch) * item_bits(dtype), 8)

    def per_token(self, length: int, batch: int = 1, dtype: str = "float32") -> int:
        """Return the bytes that the next token adds after so many."""
        grown = self.bytes(length + 1, batch, dtype) - self.bytes(length, batch, dtype)
        assert isinstance(grown, int)
        return grown

    def longest(self, room: int, batch: int = 1, dtype: str = "float32") -> int | None:
        """Return the longest text whose cache takes at most so many bytes; None where every text does.

        Raises `ShapecalcError` where there is no closed form, or where it is not proved that a longer text
        never has a smaller cache.
        """
        total = self.elements(batch=batch)
        if not isinstance(total, int) and not decide(total.subs(LENGTH, symbol(LENGTH) + 1) - total, ">=", 0):
            raise Undecided("a longer text may have a smaller cache")
        return _greatest(lambda length: self.bytes(length, batch, dtype) <= room)

    def largest_batch(self, room: int, length: int, dtype: str = "float32") -> int | None:
        """Return the most texts of a length whose cache takes at most so many bytes; None for any number."""
        return _greatest(lambda batch: self.bytes(length, batch, dtype) <= room)


def _elements(shapes: Mapping[str, tuple[Dim, ...]]) -> Dim:
    total: Dim = 0
    for shape in shapes.values():
        total += product(shape)
    return total


def _greatest(fits: Callable[[int], bool]) -> int | None:
    """Return the greatest number that fits, of numbers of which no greater than one that does not fits."""
    above = 1
    while fits(above):
        above *= 2
        if above > MOST:
            return None
    return bisect_left(range(1, above), 1, key=lambda number: not fits(number))
