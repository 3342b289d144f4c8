"""A spec that answers for its memory: what `Model` has of this room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shapecalc.engine.inferred_spec import InferredSpec

if TYPE_CHECKING:
    from shapecalc.memory.memory_use import MemoryUse
    from shapecalc.memory.time_bound import Roofline


class MeasuredSpec(InferredSpec):
    """A spec whose live bytes can be asked for."""

    def memory(
        self, *, training: bool = False, optimizer: str | None = None, dtype: str = "float32", **at: Any
    ) -> MemoryUse:
        """Return the bytes alive at each moment of a forward, or of a training step, and their peak.

        `at` are `input`, `batch`, `symbolic` and parameters as in `analyze`. `training` adds gradients, what
        layers save for backward, and the state of the `optimizer`: `sgd`, `momentum`, `nesterov`, `adam`,
        `adamw`, `adamax`, `nadam`, `rmsprop` or `adagrad`; naming one implies it.

        >>> import shapecalc
        >>> shapecalc.load("lenet5").memory(symbolic="batch").peak
        41,728·batch + 246,824
        """
        from shapecalc.memory.measure_memory import ask
        from shapecalc.memory.memory_use import Setting

        return ask(self, Setting(dtype, training or optimizer is not None, optimizer), **at)

    def roofline(
        self,
        device: str | None = None,
        *,
        flops: float | None = None,
        bandwidth: float | None = None,
        **at: Any,
    ) -> Roofline:
        """Return a lower bound on the time of each layer: max(FLOPs / peak, bytes / bandwidth), in seconds.

        `device` is `v100`, `a100` or `h100`, with the figures of its datasheet; `flops` and `bandwidth`, per
        second, replace them. `at` are `input`, `batch`, `dtype` and parameters as in `analyze`. The sum is
        for layers that run one after another, their tensors in the device's memory, and no prediction.

        >>> import shapecalc
        >>> bound = shapecalc.load("vgg16").roofline("a100", dtype="float16", batch=64)
        >>> round(bound.seconds * 1e3, 2), max(bound.layers, key=lambda layer: layer.seconds).path
        (8.78, 'stage1.conv.1.conv2d')
        """
        from shapecalc.memory.time_bound import Roofline, device_named

        model: Any = self  # which analyses
        report = model.analyze(**at)
        return Roofline(report, device_named(device, report.dtype, flops, bandwidth))
