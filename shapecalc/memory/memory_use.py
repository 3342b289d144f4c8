"""What a network needs in memory: the peak, where it is, what it is for, and all moments before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

from shapecalc.algebra import Dim, maximum
from shapecalc.algebra.relation import Relation
from shapecalc.errors import Undecided
from shapecalc.layers.requirement import Shape
from shapecalc.memory.ledger import Ledger, Moment
from shapecalc.memory.peaks import Peak, peaks
from shapecalc.record import record
from shapecalc.render.display import Shown
from shapecalc.report.node import number, plain


@record
class Setting:
    """What was asked: the number format, and the optimizer where the network is trained."""

    dtype: str = "float32"
    training: bool = False
    optimizer: str | None = None


class MemoryUse(Shown):
    """The result of `Model.memory`: live bytes of eager execution, moment by moment.

    Where sizes are free, bytes are closed forms, and the peak may be the maximum of several: `peaks` has
    a moment for each. When `complete` is false, bytes are at least those: `unknown` names the layers whose
    memory has no rule. `is_recorded` says whether tensors die where the module's own variables let them go;
    else each dies after its last use, the least that an executor can reach in this order.
    """

    _view: ClassVar[str] = "shapecalc.views.memory_page:memory_page"

    def __init__(
        self,
        name: str,
        title: str,
        inputs: Mapping[str, Shape],
        setting: Setting,
        ledger: Ledger,
        saved: Mapping[str, Dim],
        unknown: Mapping[str, str],
        conditions: Sequence[Relation],
        *,
        is_recorded: bool,
    ) -> None:
        self.name = name
        self.title = title
        self.inputs = dict(inputs)
        """The shapes of the inputs, the batch included."""
        self.setting = setting
        self.ledger = ledger
        self.timeline: tuple[Moment, ...] = tuple(ledger.moments)
        self.saved = dict(saved)
        """The bytes that each layer is the first to save for backward, by path."""
        self.unknown = [f"{path} ({kind})" for path, kind in unknown.items()]
        self.conditions = [*conditions]
        """What must hold for the sizes that are free."""
        self.is_recorded = is_recorded

    @property
    def complete(self) -> bool:
        """Whether every layer has a rule, so that the bytes are all of them."""
        return not self.unknown

    @cached_property
    def peaks(self) -> tuple[Peak, ...]:
        """The moments at which the peak is reached for some sizes; one without free sizes."""
        return peaks(self.timeline)

    @cached_property
    def peak(self) -> Dim:
        """The greatest number of bytes alive at once."""
        return maximum(*[peak.moment.bytes for peak in self.peaks])

    @property
    def at(self) -> Moment:
        """The moment of the peak; raises `Undecided` where it depends on free sizes."""
        if len(self.peaks) > 1:
            places = "; ".join(str(peak.moment) for peak in self.peaks)
            raise Undecided(f"where the peak is depends on the sizes that are free: {places}")
        return self.peaks[0].moment

    @property
    def parts(self) -> dict[str, Dim]:
        """What the bytes of the peak are for."""
        return self.ledger.parts(self.at)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data for JSON; closed forms become text."""
        return {
            "name": self.name,
            "inputs": {name: plain(shape) for name, shape in self.inputs.items()},
            "dtype": self.setting.dtype,
            "training": self.setting.training,
            "optimizer": self.setting.optimizer,
            "peak": number(self.peak),
            "complete": self.complete,
            "unknown": self.unknown,
            "lifetimes": "recorded" if self.is_recorded else "last use",
            "peaks": [
                {
                    **_moment(peak.moment),
                    **({} if peak.start is None else {"from": dict([peak.start])}),
                    "parts": {part: number(size) for part, size in self.ledger.parts(peak.moment).items()},
                }
                for peak in self.peaks
            ],
            "saved": {path: number(size) for path, size in self.saved.items()},
            "timeline": [_moment(moment) for moment in self.timeline],
        }

    def __str__(self) -> str:
        return self._plain()

    def __repr__(self) -> str:
        return f"<MemoryUse of {self.name}: {'' if self.complete else 'at least '}{self.peak} bytes>"


def _moment(moment: Moment) -> dict[str, Any]:
    return {"phase": moment.phase, "path": moment.path, "bytes": number(moment.bytes)}
