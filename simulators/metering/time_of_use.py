"""Time-of-use registers: each counts one chosen source while its rate is active.

A register keeps what it had when the rates were last switched, and the reading of its source at that instant; nothing
is added while a rate goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a register counts: the index of its source (None: nothing) and the rate during which it does."""

    source: int | None
    rate: int


class TouRegisters:
    """Registers in picojoule.

    Args:
        assignments: what each register counts.
        rates: those that are active first.
    """

    __slots__ = ("_marks", "_values", "assignments", "rates")

    def __init__(self, assignments: Sequence[Assignment], rates: frozenset[int]) -> None:
        self.assignments = tuple(assignments)
        self._values = [0] * len(assignments)
        self._marks = [0] * len(assignments)
        #: The active rates.
        self.rates = rates

    def at(self, energies: Sequence[int]) -> list[int]:
        """The registers when the sources read `energies`."""
        return [
            value + self._since(assignment, mark, energies)
            for value, mark, assignment in zip(self._values, self._marks, self.assignments, strict=True)
        ]

    def _since(self, assignment: Assignment, mark: int, energies: Sequence[int]) -> int:
        if assignment.source is None or assignment.rate not in self.rates:
            return 0
        return energies[assignment.source] - mark

    def switch(self, energies: Sequence[int], rates: frozenset[int]) -> None:
        """Other rates are active from when the sources read `energies`."""
        self._values = self.at(energies)
        self._mark(energies)
        self.rates = rates

    def assign(self, energies: Sequence[int], assignments: Sequence[Assignment]) -> None:
        """Have as many registers count something else from now on; what they have counted stays."""
        self._values = self.at(energies)
        self.assignments = tuple(assignments)
        self._mark(energies)

    def put(self, energies: Sequence[int], values: Sequence[int]) -> None:
        """Put readings in place (picojoule)."""
        self._values = list(values)
        self._mark(energies)

    def _mark(self, energies: Sequence[int]) -> None:
        self._marks = [0 if each.source is None else energies[each.source] for each in self.assignments]
