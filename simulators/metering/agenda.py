"""What comes next for a meter that never ticks: recurring appointments, kept when somebody looks.

Each appointment knows its next instant after a given one. A look keeps all that were due, in order of time and, at the
same instant, in the order in which they stand here, so looking once or often leads to the same state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Appointment:
    """Something that recurs: the instant after a given one (None: never again), and what is done at it."""

    name: str
    after: Callable[[int], int | None]
    keep: Callable[[int], None]


class Agenda:
    """The appointments of one meter.

    Args:
        appointments: in the order in which they are kept at the same instant.
        now: the instant (ns) from which on they are kept.
    """

    __slots__ = ("_appointments", "_due", "_next")

    def __init__(self, appointments: Sequence[Appointment], now: int = 0) -> None:
        self._appointments = tuple(appointments)
        self._due: list[int | None] = []
        self._next: int | None = None
        self.plan(now)

    def plan(self, now: int) -> None:
        """Ask every appointment anew for its next instant: the clock was set, or what they follow has changed."""
        self._due = [appointment.after(now) for appointment in self._appointments]
        self._look_ahead()

    def _look_ahead(self) -> None:
        self._next = min((due for due in self._due if due is not None), default=None)

    def settle(self, now: int) -> None:
        """Keep every appointment that is due at the instant `now` (ns) or before."""
        while self._next is not None and self._next <= now:
            self._keep(self._next)

    def _keep(self, at: int) -> None:
        """Keep all appointments of one instant; one that plans anew (a clock that moves) loses none of the others."""
        due = [index for index, when in enumerate(self._due) if when == at]
        for index in due:
            self._appointments[index].keep(at)
        for index in due:
            self._due[index] = self._appointments[index].after(at)
        self._look_ahead()
