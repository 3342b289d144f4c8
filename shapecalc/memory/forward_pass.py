"""The forward of a program in a ledger: storages from the operation that makes them to their last holder."""

from __future__ import annotations

from shapecalc.memory.ledger import Ledger
from shapecalc.memory.program import ACTIVATION, HELD, INPUT, OUTPUT, SAVED, Program


class Holders:
    """The storages of a program that are alive, each with what holds it."""

    def __init__(self, program: Program, ledger: Ledger) -> None:
        self.program = program
        self.ledger = ledger
        self.saved = [0] * len(program.storages)
        """How many backwards hold each storage."""
        self.variable = [False] * len(program.storages)
        """Whether a variable holds each storage."""

    def begin(self) -> None:
        """Add the inputs."""
        for storage in self.program.storages:
            if storage.part == INPUT:
                self.ledger.add(INPUT, storage.bytes)

    def make(self, number: int) -> None:
        """Add a new storage, which a variable holds, or a backward alone."""
        storage = self.program.storages[number]
        self.variable[number] = storage.part != SAVED
        self.ledger.add(storage.part, storage.bytes)

    def save(self, number: int) -> None:
        """Let a backward hold a storage."""
        self.saved[number] += 1
        storage = self.program.storages[number]
        if self.saved[number] == 1 and storage.part == ACTIVATION:
            self.ledger.move(storage.bytes, ACTIVATION, SAVED)

    def release(self, number: int) -> None:
        """Let a backward release a storage; one that nothing holds any more dies."""
        self.saved[number] -= 1
        storage = self.program.storages[number]
        if self.saved[number] or number == HELD or storage.part in (INPUT, OUTPUT):
            return
        if self.variable[number]:
            self.ledger.move(storage.bytes, SAVED, ACTIVATION)
        else:
            self.ledger.add(SAVED, -storage.bytes)

    def drop(self, number: int) -> None:
        """Let the variables of a storage go."""
        storage = self.program.storages[number]
        if self.variable[number] and storage.part == ACTIVATION:
            self.variable[number] = False
            if not self.saved[number]:
                self.ledger.add(ACTIVATION, -storage.bytes)

    def drop_output(self, number: int) -> None:
        """Let an output go, after the backward."""
        storage = self.program.storages[number]
        if storage.part == OUTPUT:
            self.ledger.add(OUTPUT, -storage.bytes)


def run_forward(program: Program, ledger: Ledger, needed: list[bool]) -> Holders:
    """Enter the forward; operations that are not needed for the loss hold nothing for a backward."""
    holders = Holders(program, ledger)
    holders.begin()
    dying: dict[int, list[int]] = {}
    for number, storage in enumerate(program.storages):
        if storage.part == ACTIVATION:
            dying.setdefault(storage.last, []).append(number)
    for position, operation in enumerate(program.operations):
        for number in operation.made:
            holders.make(number)
        for number in operation.saved:
            holders.save(number)
        ledger.moment("forward", operation.path, operation.forward)
        if not needed[position]:
            for number in operation.saved:
                holders.release(number)
        for number in dying.get(position, ()):
            holders.drop(number)
    return holders
