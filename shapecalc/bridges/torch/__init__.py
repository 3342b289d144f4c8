"""torch: modules traced into models, a layer's counterpart built, and our rules proved equal to torch's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import nn

    from shapecalc.model import Model


def from_torch(
    module: nn.Module,
    input: Any = None,  # noqa: A002  (the word that a spec uses)
    *,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    name: str | None = None,
) -> Model:
    """Return the model that a torch module is: its own names as paths, the sides of its input left free.

    `input` is a shape without the batch, or one for each argument of the forward by its name. Instead,
    `args` and `kwargs` are what the forward is called with, whose shapes count whole, batched or not.
    The module is copied to torch's meta device and run once in evaluation mode, so that nothing is
    computed and the module stays as it is. What has no rule becomes `opaque`, and totals are "at least".

    Raises `SpecError` where the module cannot be traced, or torch is not installed.

    >>> from torch import nn
    >>> net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(2048, 10))
    >>> report = from_torch(net, input=(3, 16, 16)).analyze()
    >>> report.params, report["0"].weights["weight"]
    (20714, (8, 3, 3, 3))
    """
    from shapecalc.bridges import need
    from shapecalc.engine.gc_pause import collector_paused

    need("torch")
    with collector_paused():  # a look through all that torch holds takes longer than what is loaded here
        from shapecalc.bridges.torch.tracer.importing import traced

        return traced(module, input, args, kwargs, name)
