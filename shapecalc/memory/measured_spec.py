"""A spec that answers for its memory: what `Model` has of this room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shapecalc.engine.inferred_spec import InferredSpec

if TYPE_CHECKING:
    from shapecalc.memory.memory_use import MemoryUse


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
