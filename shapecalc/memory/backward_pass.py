"""The backward of a program in a ledger: in the reverse order, as autograd's engine runs it.

A gradient lives from the operation that makes it until the operation that reads it has run. Where a tensor
was read several times its gradients are added up: in place where nothing else holds one of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from shapecalc.algebra import Dim
from shapecalc.layers.memory_traits import Own, Place, Result
from shapecalc.memory.forward_pass import Holders
from shapecalc.memory.ledger import Ledger
from shapecalc.memory.program import Key, Operation, Program

GRADIENT, OF_ACTIVATION, LOSS = "gradients", "activation_gradients", "loss"


@dataclass(slots=True, eq=False)
class Gradient:
    """A storage of gradients, and how many hold it; an expanded one cannot be added to in place."""

    bytes: Dim
    holders: int = 0
    is_expanded: bool = False


def needed_for(program: Program) -> list[bool]:
    """Say which operations the loss, of all outputs, depends on by something that learns."""
    wanted = {program.tensors[output].grad for output in program.outputs if program.tensors[output].learns}
    needed = [False] * len(program.operations)
    for position in range(len(program.operations) - 1, -1, -1):
        operation = program.operations[position]
        made = {program.tensors[result].grad for result in operation.results}
        if not wanted.isdisjoint(made):
            needed[position] = True
            wanted |= {
                tensor.grad for number in operation.inputs if (tensor := program.tensors[number]).learns
            }
    return needed


def run_backward(program: Program, ledger: Ledger, holders: Holders, *, in_place: bool) -> None:
    """Enter the backward of a loss, the sum of all outputs."""
    _Backward(program, ledger, holders, in_place=in_place).run()


class _Backward:
    """Enters the backward of a program."""

    def __init__(self, program: Program, ledger: Ledger, holders: Holders, *, in_place: bool) -> None:
        self.program = program
        self.ledger = ledger
        self.holders = holders
        self.in_place = in_place
        """Whether gradients are added up in place, as they are unless a dispatch mode is on."""
        self.pending: dict[int, Gradient] = {}
        """The gradients of tensors, which wait for the operation that made them."""
        self.learned: dict[Key, Gradient] = {}
        """The gradients of weights."""

    def make(self, size: Dim, *, is_expanded: bool = False) -> Gradient:
        """Add a gradient."""
        self.ledger.add(OF_ACTIVATION, size)
        return Gradient(size, 1, is_expanded)

    def release(self, gradient: Gradient) -> None:
        """Let one holder of a gradient go."""
        gradient.holders -= 1
        if not gradient.holders:
            self.ledger.add(OF_ACTIVATION, -gradient.bytes)

    def summed(self, path: str, old: Gradient | None, new: Gradient, size: Dim) -> Gradient:
        """Return the sum of two gradients, of so many bytes; one holder of each goes."""
        if old is None:
            return new
        for kept, other in ((old, new), (new, old)):
            if self.in_place and kept.holders == 1 and not kept.is_expanded and kept.bytes == size:
                self.release(other)
                return kept
        total = self.make(size)
        self.ledger.moment("backward", path)
        self.release(old)
        self.release(new)
        return total

    def run(self) -> None:
        """Enter all operations, the last first."""
        program = self.program
        outputs = [tensor for number in program.outputs if (tensor := program.tensors[number]).learns]
        self.ledger.add(LOSS, program.item)
        self.ledger.moment("backward", LOSS)
        one = self.make(program.item, is_expanded=True)  # which all outputs have, expanded
        for tensor in outputs:
            one.holders += 1
            self.pending[tensor.grad] = self.summed(LOSS, self.pending.get(tensor.grad), one, tensor.bytes)
        for operation in reversed(program.operations):
            self._operation(operation)
        for output in {program.tensors[output].storage for output in program.outputs}:
            self.holders.drop_output(output)
        self.release(one)
        self.ledger.add(LOSS, -program.item)

    def _operation(self, operation: Operation) -> None:
        program = self.program
        keys = dict.fromkeys(program.tensors[result].grad for result in operation.results)
        own = {key for key in keys if key in operation.results}
        incoming = {key: self.pending.pop(key) for key in own if key in self.pending}
        if not incoming:
            return
        if operation.is_weight:
            for gradient in incoming.values():
                self._learn(operation, gradient)
            return
        results = [incoming.get(number) for number in operation.results]
        outgoing: list[tuple[int, Gradient]] = []
        for position, number in enumerate(operation.inputs):
            tensor = program.tensors[number]
            if tensor.learns:
                place = operation.memory.gradients[position]
                outgoing.append((tensor.grad, self._gradient(place, results, tensor.bytes)))
        weights = [(weight, self.make(weight.bytes)) for weight in operation.weights]
        self.ledger.moment("backward", operation.path, operation.backward)
        for gradient in incoming.values():
            self.release(gradient)
        for storage in operation.saved:
            self.holders.release(storage)
        for key, gradient in outgoing:
            size = program.tensors[key].bytes
            self.pending[key] = self.summed(operation.path, self.pending.get(key), gradient, size)
        for weight, gradient in weights:
            self._keep(operation.path, weight.key, gradient)

    def _gradient(self, place: Place | None, results: list[Gradient | None], size: Dim) -> Gradient:
        """Return the gradient of an input: that of a result, or a new one."""
        of = None if place is None else place.of
        if isinstance(of, Result) and (same := results[of.number]) is not None:
            same.holders += 1
            return same
        return self.make(of.bytes(self.program.item) if isinstance(of, Own) else size)

    def _learn(self, operation: Operation, gradient: Gradient) -> None:
        """Keep the gradient of a weight that is an operand; one that something else holds is copied."""
        (weight,) = operation.weights
        if gradient.holders > 1 or gradient.is_expanded:
            copy = self.make(weight.bytes)
            self.ledger.moment("backward", operation.path)
            self.release(gradient)
            gradient = copy
        self._keep(operation.path, weight.key, gradient)

    def _keep(self, path: str, key: Key, gradient: Gradient) -> None:
        """Keep the gradient of a weight, with those of other uses of it."""
        if (known := self.learned.get(key)) is not None:
            self.ledger.move(known.bytes, GRADIENT, OF_ACTIVATION)
            gradient = self.summed(path, known, gradient, known.bytes)
        self.learned[key] = gradient
        self.ledger.move(gradient.bytes, OF_ACTIVATION, GRADIENT)
