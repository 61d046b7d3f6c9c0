"""Where the wire left the expected path: the exchange that a reader of a failed scenario wants to see first.

Two things lead there. A scenario that an error ended has its mishap on the wire: nothing came, or what came was
damaged, somebody else's, or a refusal. A value that is out of its limits came in some exchange before it was judged:
the last one that told this value, or where none did, the last one that was over by then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.wire import pdu_of
from protocols.modbus.pdu import EXCEPTION_BIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bench.trace import TraceEvent

#: How many exchanges are shown before the one in question.
BEFORE = 2


@dataclass(slots=True)
class Exchange:
    """A request and what came until the next one.

    Attributes:
        request: the event that asked.
        events: the request, every answer or part of one, and remarks in between.
        place: number of the request among the events of the trace, from 0.
    """

    request: TraceEvent
    place: int
    events: list[TraceEvent] = field(default_factory=list)

    @property
    def answer(self) -> bytes:
        """Everything that came, in one piece."""
        return b"".join(event.data for event in self.events if event.direction == "rx")

    @property
    def over(self) -> int:
        """Bench time (ns) of its last event."""
        return self.events[-1].t


@dataclass(frozen=True, slots=True)
class Departure:
    """The exchange in question, with those before it; `why` says what is wrong with it, as far as the wire shows it."""

    exchange: Exchange
    before: Sequence[Exchange]
    why: str


def exchanges(events: Iterable[TraceEvent]) -> list[Exchange]:
    """A trace cut at its requests; what came before the first request is left out."""
    found: list[Exchange] = []
    for place, event in enumerate(events):
        if event.direction == "tx":
            found.append(Exchange(event, place))
        if found:
            found[-1].events.append(event)
    return found


def mishap(exchange: Exchange) -> str:
    """What is wrong with an answer as such, empty if nothing is; whether its values are right is another question."""
    asked, answered = pdu_of(exchange.request.data), pdu_of(exchange.answer)
    if not exchange.answer:
        return "no answer came"
    if answered is None:
        return "what came is no frame"
    if asked is None:
        return ""
    if answered[0] != asked[0]:
        return f"unit {answered[0]} answered where unit {asked[0]} was asked"
    if answered[1][0] & ~EXCEPTION_BIT != asked[1][0]:
        return f"function {asked[1][0]} was answered as function {answered[1][0] & ~EXCEPTION_BIT}"
    return "the device refused" if answered[1][0] & EXCEPTION_BIT else ""


def at_the_end(trace: Sequence[Exchange]) -> Departure | None:
    """The last exchange that went wrong as such: where a scenario was that an error ended."""
    wrong = [number for number, exchange in enumerate(trace) if mishap(exchange)]
    return _departure(trace, wrong[-1], mishap(trace[wrong[-1]])) if wrong else None


def before_value(trace: Sequence[Exchange], t: int, tells: Callable[[Exchange], bool]) -> tuple[Departure, bool] | None:
    """The exchange that a value judged at `t` (ns) came in, and whether its answer does tell the value."""
    over = [number for number, exchange in enumerate(trace) if exchange.over <= t]
    if not over:
        return None
    told = next((number for number in reversed(over) if tells(trace[number])), None)
    number = over[-1] if told is None else told
    return _departure(trace, number, mishap(trace[number])), told is not None


def at_event(trace: Sequence[Exchange], place: int, why: str) -> Departure | None:
    """The exchange that an event of the trace, by its number, belongs to."""
    found = [number for number, exchange in enumerate(trace) if exchange.place <= place]
    return _departure(trace, found[-1], why) if found else None


def _departure(trace: Sequence[Exchange], number: int, why: str) -> Departure:
    return Departure(trace[number], trace[max(0, number - BEFORE) : number], why)
