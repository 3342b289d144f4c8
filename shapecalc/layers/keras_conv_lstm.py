"""Keras' convolutional LSTM: the gates of an LSTM are convolutions of the input and of the state."""

from collections.abc import Iterator
from typing import cast

from shapecalc.algebra import product
from shapecalc.layers import keras_conv
from shapecalc.layers.base import Named, Shapes
from shapecalc.layers.counts import Operations
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.dependence import EVERYTHING, Along, Dependence
from shapecalc.layers.effect import replaced
from shapecalc.layers.fields import Flag, Probability
from shapecalc.layers.keras_conv import KerasConvolution, SameOrValid
from shapecalc.layers.keras_recurrent import GateFunction, OverSteps, lstm_joined
from shapecalc.layers.requirement import Requirement, Shape, arity, rank_between, shaped
from shapecalc.layers.roles import Dilation, InChannels, KernelSize, OutChannels, Stride, declared
from shapecalc.layers.spatial import OverAxes
from shapecalc.layers.wrapper import apply_inside


class KerasConvLSTM(OverSteps, OverAxes, ranked="KerasConvLSTM{rank}d", keras="keras.layers.ConvLSTM{rank}D"):
    """An LSTM of convolutions over {axes}: `[N, L, {sizes}, C]` to `[N, {sizes:'}, out_channels]`.

    With return_sequences it puts out every step, with return_state the last state and cell too. Two further
    tensors are the initial ones. The input is convolved with stride, padding and dilation as in
    `conv{rank}d`, the state with stride 1, padded to its own size. Weights are `kernel: [{each:k}, C,
    4·out]`, `recurrent_kernel: [{each:k}, out, 4·out]` and `bias: [4·out]`. Refuses what `conv{rank}d`
    refuses. Source: Shi et al., 2015.

    >>> KerasConvLSTM{rank}d(out_channels=8, kernel_size=3).output(((1, 5, {each:16}, 3),))
    (1, {each:14}, 8)
    """

    framework = "keras"
    order = "in_channels out_channels kernel_size stride padding * ..."
    unknown_dependence = ("pixels", "what a state sees grows with every step")

    in_channels: InChannels = None
    out_channels: OutChannels
    kernel_size: KernelSize
    stride: Stride = 1
    padding: SameOrValid = "valid"
    dilation: Dilation = 1
    bias: Flag = True
    nonlinearity: GateFunction = "tanh"
    recurrent_nonlinearity: GateFunction = "sigmoid"
    dropout: Probability = 0
    recurrent_dropout: Probability = 0

    @classmethod
    def channel_axis(cls, x: Shape) -> int:
        return len(x) - 1

    def axes(self, x: Shape, number: int) -> tuple[str, ...]:
        channels, *sizes = super().axes(x, number)
        return (*(("T",) if number == 0 else ()), *sizes, channels)

    @property
    def input_conv(self) -> KerasConvolution:
        """The convolution of the input, for all gates together."""
        names = ("kernel_size", "stride", "padding", "dilation", "bias")
        return self._conv(**{name: getattr(self, name) for name in names})

    @property
    def state_conv(self) -> KerasConvolution:
        """The convolution of the state, for all gates together."""
        return self._conv(kernel_size=self.kernel_size, padding="same", bias=False)

    def _conv(self, **fields: object) -> KerasConvolution:
        cls = getattr(keras_conv, f"KerasConv{self.rank}d")
        return cast(KerasConvolution, cls(out_channels=4 * self.out_channels, **fields))

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        yield arity(self.kind, len(inputs), 1, 3)
        x, *states = inputs
        yield from rank_between(self.kind, x, self.rank + 3, self.rank + 3)
        yield from declared(self, x)
        yield from apply_inside(self.kind, self.input_conv, (replaced(x, 1),)).conditions
        for name, state in zip(("h_0", "c_0"), states, strict=False):
            yield from shaped(self.kind, name, state, self.step_output(inputs))

    def step_output(self, inputs: Shapes) -> Shape:
        return (*self.input_conv.output(replaced(inputs[0], 1))[:-1], self.out_channels)

    def last_states(self, inputs: Shapes) -> Shapes:
        return (self.step_output(inputs),) * 2

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        pixels = (None,) * self.rank
        states: Dependence = (Along(0), *pixels, None)
        return ((Along(0), self.steps_seen(result), *pixels, EVERYTHING), *(states,) * (len(inputs) - 1))

    def weights(self, inputs: Shapes) -> Named:
        kernel, *bias = self.input_conv.weights(replaced(inputs[0], 1)).items()
        recurrent = self.state_conv.weights(self.step_output(inputs))["kernel"]
        return dict([kernel, ("recurrent_kernel", recurrent), *bias])

    def operations(self, inputs: Shapes) -> Operations:
        """Both convolutions, whose results are added, and what joins the gates."""
        state = self.step_output(inputs)
        numbers = product(state)
        made = self.input_conv.operations(replaced(inputs[0], 1)) + self.state_conv.operations(state)
        joined = lstm_joined(self.nonlinearity, self.recurrent_nonlinearity) * numbers
        return (made + Operations(additions=4 * numbers) + joined) * inputs[0][1]


__getattr__ = of_rank(__name__)
