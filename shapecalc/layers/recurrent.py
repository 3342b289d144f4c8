"""Recurrent layers over sequences: a state that every position reads, changes and passes on.

One position of one layer in one direction, with G gates, an input of I, a hidden size of H and a state
of S numbers (H, or proj_size where an LSTM projects it):

    MACs = G·H·(I + S), and S·H more for the projection

The first layer reads the input, every later one the S numbers, or 2·S if both directions are read.
torch's FlopCounterMode counts this on the meta device; on the CPU it may read 0 for an LSTM, because one
fused kernel does it all.
"""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Annotated, ClassVar

from shapecalc.algebra import Dim, decide, product
from shapecalc.errors import Undecided
from shapecalc.layers.base import Joint, Named, NoBuffers, Shapes
from shapecalc.layers.counts import RELU, SIGMOID, TANH, Operations
from shapecalc.layers.dependence import EVERYTHING, Along, AxisDependence, Before, Dependence
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Count, Depth, Extent, Flag, OneOf, Probability
from shapecalc.layers.requirement import Requirement, Shape, arity, rank_between, shaped
from shapecalc.layers.roles import InFeatures, Lettered, declared
from shapecalc.layers.sequences import OverSequences

Nonlinearity = Annotated[str, OneOf(("tanh", "relu"))]


JOINED = {
    1: TANH,
    3: SIGMOID * 2 + TANH + Operations(multiplications=3, additions=2),  # r·(W·h), (1 - z)·n + z·h
    4: SIGMOID * 3 + TANH * 2 + Operations(multiplications=3, additions=1),  # f·c + i·g, o·tanh(c)
}
"""By the number of gates: the single operations that make a number of the state of them."""


class Gated(NoBuffers, Joint):
    """What recurrent layers and cells share: gates of two sums of products each."""

    framework = "torch"
    gates: ClassVar[int]
    states: ClassVar[tuple[str, ...]] = ("h_0",)
    """The initial states, all of which may be left out."""
    dimensions: ClassVar[tuple[int, int]]
    """The least and the greatest number of dimensions of the input."""

    input_size: InFeatures = None
    hidden_size: Count
    bias: Flag = True

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        names = self.state_names()
        yield arity(self.kind, len(inputs), 1, 1 + len(names))
        x, *states = inputs
        yield from rank_between(self.kind, x, *self.dimensions)
        yield from declared(self, x)
        for name, state, last in zip(names, states, self.last_states(inputs), strict=False):
            yield from shaped(self.kind, name, state, last)

    def state_names(self) -> tuple[str, ...]:
        """Return the names of the initial states."""
        return self.states

    @abstractmethod
    def last_states(self, inputs: Shapes) -> Shapes:
        """Return the shapes of the last states, which are those of the initial ones."""

    @abstractmethod
    def macs(self, inputs: Shapes) -> Dim: ...

    @abstractmethod
    def state_numbers(self, inputs: Shapes) -> Dim:
        """Return how many numbers of the state are computed: H for every position, layer and direction."""

    @property
    def state_size(self) -> Dim:
        """How many numbers a layer passes on, in each direction."""
        return self.hidden_size

    def cell(self, features: Dim) -> Named:
        """Return the weights of one layer in one direction, which reads some features and the state."""
        rows = self.gates * self.hidden_size
        named: Named = {"weight_ih": (rows, features), "weight_hh": (rows, self.state_size)}
        return named | {"bias_ih": (rows,), "bias_hh": (rows,)} if self.bias else named

    def per_position(self, features: Dim) -> Dim:
        """Return the multiply-accumulates of one layer in one direction, at one position."""
        return self.gates * self.hidden_size * (features + self.state_size)

    def biases(self) -> int:
        """Return how many biases a number of the state takes: two for each gate, or none."""
        return 2 * self.gates if self.bias else 0

    def operations(self, inputs: Shapes) -> Operations:
        """Count the gates and what joins them; a state begins with zeros, which are computed with."""
        numbers = self.state_numbers(inputs)
        additions = (self.biases() - self.gates) * numbers
        return Operations(macs=self.macs(inputs), additions=additions) + self.joined() * numbers

    def joined(self) -> Operations:
        """Return the operations that make a number of the state of its gates."""
        return RELU if getattr(self, "nonlinearity", "tanh") == "relu" else JOINED[self.gates]


_STATES = "of two directions, each sees the initial states of its own and those of the layers below"


class Recurrent(OverSequences, Gated):
    """What recurrent layers share: stacked layers, one or two directions, an initial state or none."""

    order = "input_size hidden_size num_layers ..."
    family = Family.RECURRENT
    unknown_dependence = ("states", _STATES)
    dimensions = (2, 3)

    num_layers: Depth = 1
    dropout: Probability = 0
    bidirectional: Flag = False

    def axes(self, x: Shape, number: int) -> tuple[str, ...]:
        return ("H",) if number > 0 else super().axes(x, number)

    def output(self, inputs: Shapes) -> Shape:
        return (*inputs[0][:-1], self.directions * self.state_size)

    def outputs(self, inputs: Shapes) -> Shapes:
        return (self.output(inputs), *self.last_states(inputs))

    def last_states(self, inputs: Shapes) -> Shapes:
        batch, _ = self.parts(inputs[0])
        sizes = (self.state_size, self.hidden_size)[: len(self.states)]
        return tuple((self.directions * self.num_layers, *batch, size) for size in sizes)

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        x, *states = inputs
        length = self.length_axis(x)
        batch = 1 if result else 1 - length
        views: list[AxisDependence] = [Along(batch)] * len(x)
        views[length] = EVERYTHING if result or self.bidirectional else Before(length)
        views[-1] = EVERYTHING
        of_states: Dependence = (self._layers_seen(result), *([Along(batch)] if len(x) == 3 else []))
        # of the cells, their own features or all of them, as layers and length go
        features = (EVERYTHING, None)[: len(states)]
        return (tuple(views), *((*of_states, view) for view in features))

    def _layers_seen(self, result: int) -> AxisDependence:
        """Return what is seen along the axis of the initial states: of a layer, and of those below it."""
        if self.bidirectional:
            return None
        return Before(0) if result else EVERYTHING

    def weights(self, inputs: Shapes) -> Named:
        named: Named = {}
        for layer in range(self.num_layers):
            cell = self.cell(self.read_by(layer, inputs[0]))
            for suffix in ("", "_reverse")[: self.directions]:
                named |= {f"{name}_l{layer}{suffix}": shape for name, shape in cell.items()}
        return named

    def macs(self, inputs: Shapes) -> Dim:
        x = inputs[0]
        total = self.per_position(x[-1])
        if self.num_layers > 1:
            total = total + (self.num_layers - 1) * self.per_position(self.read_by(1, x))
        return product(x[:-1]) * self.directions * total

    @property
    def directions(self) -> int:
        """One, or two if the sequence is read from both ends."""
        return 2 if self.bidirectional else 1

    def read_by(self, layer: int, x: Shape) -> Dim:
        """Return how many features a layer reads."""
        return x[-1] if layer == 0 else self.directions * self.state_size

    def state_numbers(self, inputs: Shapes) -> Dim:
        return self.hidden_size * self.num_layers * self.directions * product(inputs[0][:-1])


class RNN(Recurrent, torch="torch.nn.RNN"):
    """Elman's recurrent layer: `[L, N, input_size]` to `[L, N, H]` and the last state `[num_layers, N, H]`.

    h' = tanh(W_ih·x + b_ih + W_hh·h + b_hh). H = hidden_size, twice that in the first result, and
    2·num_layers states, if bidirectional. A second tensor, if there is one, is the initial state and has the
    shape of the last. Weights are `weight_ih_l0: [H, input_size]`, `weight_hh_l0: [H, H]`, `bias_ih_l0: [H]`,
    `bias_hh_l0: [H]`, and so on for every layer and direction; one costs H·(inputs + H) MACs a position.
    Refuses other ranks, features that do not match and a state of another shape. Source: Elman, 1990.

    >>> RNN(hidden_size=20, num_layers=2).outputs(((5, 3, 10),))
    ((5, 3, 20), (2, 3, 20))
    """

    gates = 1
    order = "input_size hidden_size num_layers nonlinearity ..."

    nonlinearity: Nonlinearity = "tanh"


class LSTM(Recurrent, torch="torch.nn.LSTM"):
    """Long short-term memory: `[L, N, input_size]` to `[L, N, S]`, and `[num_layers, N, S]` and `[..., H]`.

    The results are the sequence, the last states and the last cells. S = hidden_size = H, or proj_size where
    that is not 0; twice that in the sequence, and 2·num_layers states, if bidirectional. Initial states and
    cells are both there or neither, in the shapes of the last. Weights per layer and direction are
    `weight_ih_l0: [4·H, input_size]`, `weight_hh_l0: [4·H, S]`, `bias_ih_l0: [4·H]`, `bias_hh_l0: [4·H]`, and
    `weight_hr_l0: [S, H]` with a projection; a position costs 4·H·(inputs + S) MACs, and S·H for the
    projection. Refuses what `rnn` refuses, and a proj_size that is not below hidden_size. Source: Hochreiter
    and Schmidhuber, 1997; Sak et al., 2014.

    >>> LSTM(hidden_size=20, bidirectional=True).outputs(((5, 3, 10),))
    ((5, 3, 40), (2, 3, 20), (2, 3, 20))
    >>> LSTM(hidden_size=512, proj_size=128).weights(((1, 1, 40),))["weight_hr_l0"]
    (128, 512)
    """

    gates = 4
    states = ("h_0", "c_0")
    unknown_dependence = ("states", f"{_STATES}; of a cell, few features or all, as length and layers go")

    proj_size: Annotated[Extent, Lettered(neutral=0)] = 0

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        says = f"{self.kind}: proj_size = {self.proj_size} is not below hidden_size = {self.hidden_size}"
        yield Requirement("projection", self.hidden_size - 1, ">=", self.proj_size, says)
        yield from super().requirements(inputs)

    @property
    def projects(self) -> bool:
        """Whether the state is projected to fewer numbers than the cell has."""
        verdict = decide(self.proj_size, ">=", 1)
        if verdict is None:
            raise Undecided(f"{self.kind}: whether proj_size = {self.proj_size} is 0 depends on what is free")
        return verdict

    @property
    def state_size(self) -> Dim:
        return self.proj_size if self.projects else self.hidden_size

    def cell(self, features: Dim) -> Named:
        named = super().cell(features)
        return named | {"weight_hr": (self.state_size, self.hidden_size)} if self.projects else named

    def per_position(self, features: Dim) -> Dim:
        gates = super().per_position(features)
        return gates + self.proj_size * self.hidden_size if self.projects else gates

    def operations(self, inputs: Shapes) -> Operations:
        projected = self.num_layers * self.directions * product(inputs[0][:-1]) * self.proj_size
        return super().operations(inputs) + Operations(additions=-projected)


class GRU(Recurrent, torch="torch.nn.GRU"):
    """Gated recurrent units: `[L, N, input_size]` to `[L, N, H]` and the last state `[num_layers, N, H]`.

    All is as for `rnn` with three gates: weights are `weight_ih_l0: [3·H, input_size]`, `weight_hh_l0: [3·H,
    H]`, `bias_ih_l0: [3·H]`, `bias_hh_l0: [3·H]`, and so on for every layer and direction; one costs
    3·H·(inputs + H) MACs a position. Refuses what `rnn` refuses. Source: Cho et al., 2014.

    >>> GRU(hidden_size=20, batch_first=True).outputs(((3, 5, 10),))
    ((3, 5, 20), (1, 3, 20))
    """

    gates = 3
