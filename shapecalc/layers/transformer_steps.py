"""The layers of a transformer step by step, as torch computes them where gradients are taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shapecalc.algebra import Dim
from shapecalc.layers.attention import AttentionToMemory, MultiheadAttention
from shapecalc.layers.dropout import Dropout
from shapecalc.layers.effect import Shapes
from shapecalc.layers.layer_norm import LayerNorm
from shapecalc.layers.linear import Linear
from shapecalc.layers.memory_traits import Step
from shapecalc.layers.merge import Add
from shapecalc.layers.rectifier import GELU
from shapecalc.layers.relu import ReLU
from shapecalc.layers.step_list import StepList

if TYPE_CHECKING:
    from shapecalc.layers.transformer import Stacked, Transforming


def transformer_steps(layer: Transforming, inputs: Shapes) -> tuple[Step, ...]:
    """Return the steps of a layer or of stacks; a decoder looks at the encoder's result, if there is one."""
    steps = StepList(inputs)
    results: list[int] = []
    for number, stack in enumerate(layer.stacks(inputs)):
        memory = None if stack.memory is None else (results or [len(inputs) - 1])[-1]
        results.append(_Stack(steps, layer, stack, memory).run(number))
    return steps.finish(results[-1])


class _Stack:
    """Adds the layers of a stack."""

    def __init__(self, steps: StepList, layer: Transforming, stack: Stacked, memory: int | None) -> None:
        self.steps = steps
        self.layer = layer
        self.stack = stack
        self.memory = memory
        self.e: Dim = stack.x[-1]
        self.path = ""

    def run(self, x: int) -> int:
        """Add all layers and the last norm, and return the result."""
        name = self.stack.name
        held = f"{name}." if name else ""
        for number in range(self.stack.layers):
            self.path = "" if name is None else f"{held}layers.{number}."
            x = self._layer(x)
        self.path = held
        return self._norm(x, "norm") if self.stack.norm else x

    def _layer(self, x: int) -> int:
        parts = [self._self_attention, self._feedforward]
        if self.memory is not None:
            parts.insert(1, self._cross_attention)
        for number, part in enumerate(parts, start=1):
            if self.layer.norm_first:
                x = self.steps.add(Add(), x, part(self._norm(x, f"norm{number}")))
            else:
                x = self._norm(self.steps.add(Add(), x, part(x)), f"norm{number}")
        return x

    def _self_attention(self, x: int) -> int:
        return self._attention(MultiheadAttention, "self_attn", x)

    def _cross_attention(self, x: int) -> int:
        assert self.memory is not None
        return self._attention(AttentionToMemory, "multihead_attn", x, self.memory, self.memory)

    def _attention(self, kind: type[MultiheadAttention], name: str, *sources: int) -> int:
        attention = kind(
            num_heads=self.layer.nhead,
            dropout=self.layer.dropout,
            bias=self.layer.bias,
            batch_first=self.layer.batch_first,
        )
        names = ("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias")
        named = (f"{self.path}{name}.{weight}" for weight in names if self.layer.bias or "bias" not in weight)
        return self._dropped(self.steps.add(attention, *sources, weights=tuple(named)))

    def _feedforward(self, x: int) -> int:
        wide = self._linear(x, "linear1", self.layer.dim_feedforward)
        active = self.steps.add(ReLU() if self.layer.activation == "relu" else GELU(), wide)
        return self._dropped(self._linear(self._dropped(active), "linear2", self.e))

    def _linear(self, x: int, name: str, features: Dim) -> int:
        linear = Linear(out_features=features, bias=self.layer.bias)
        return self.steps.add(linear, x, weights=self._named(name))

    def _norm(self, x: int, name: str) -> int:
        return self.steps.add(LayerNorm(bias=self.layer.bias), x, weights=self._named(name))

    def _dropped(self, x: int) -> int:
        return self.steps.add(Dropout(p=self.layer.dropout), x)

    def _named(self, name: str) -> tuple[str, ...]:
        return (f"{self.path}{name}.weight", f"{self.path}{name}.bias")[: 1 + self.layer.bias]
