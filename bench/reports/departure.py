"""Where the wire left the expected path: the exchange that a reader of a failed scenario wants to see first.

Three things lead there. A device answered as a healthy one does not: its simulated twin, asked the same, says something
else (`bench/replay/mirror.py`). A scenario that an error ended has its mishap on the wire: nothing came, or what came
was damaged, somebody else's, or a refusal. A value that is out of its limits came in some exchange before it was
judged: the last one that told this value, or where none did, the last one that was over by then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.flag_narrator import flag_mishap
from bench.wire import pdu_of
from protocols.modbus.pdu import EXCEPTION_BIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bench.trace import TraceEvent

#: Exceptions 0A and 0B: a gateway speaks, and not the device.
_NOBODY = (b"\x0a", b"\x0b")
#: How many exchanges are shown before the one in question.
BEFORE = 2


@dataclass(slots=True)
class Exchange:
    """A request and what came until the next one.

    Attributes:
        request: the event that asked.
        events: the request, every answer or part of one, and remarks in between.
        flag: whether it is FLAG; else it is Modbus.
    """

    request: TraceEvent
    events: list[TraceEvent] = field(default_factory=list)
    flag: bool = False

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
    """The exchange in question, with those before it.

    Attributes:
        why: what is wrong with it, as far as that is known.
        told: whether its answer tells the value that is looked for.
    """

    exchange: Exchange
    before: Sequence[Exchange]
    why: str
    told: bool = False


def exchanges(events: Iterable[TraceEvent], *, flag: bool = False) -> list[Exchange]:
    """A trace cut at its requests; what came before the first request is left out."""
    found: list[Exchange] = []
    for event in events:
        if event.direction == "tx":
            found.append(Exchange(event, flag=flag))
        if found:
            found[-1].events.append(event)
    return found


def mishap(exchange: Exchange) -> str:
    """What is wrong with an answer as such, empty if nothing is; whether its values are right is another question."""
    return flag_mishap(exchange.request.data, exchange.answer) if exchange.flag else _modbus_mishap(exchange)


def _modbus_mishap(exchange: Exchange) -> str:
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
    if not answered[1][0] & EXCEPTION_BIT:
        return ""
    silent = answered[1][1:2] in _NOBODY
    return "the gateway reports that nobody answers" if silent else "the device refused"


def at_the_end(trace: Sequence[Exchange]) -> Departure | None:
    """The last exchange that went wrong as such: where a scenario was that an error ended."""
    wrong = [number for number, exchange in enumerate(trace) if mishap(exchange)]
    return _departure(trace, wrong[-1], mishap(trace[wrong[-1]])) if wrong else None


def before_value(trace: Sequence[Exchange], t: int, tells: Callable[[Exchange], bool]) -> Departure | None:
    """The exchange that a value judged at `t` (ns) came in: the last that tells it, else the last that was over."""
    over = [number for number, exchange in enumerate(trace) if exchange.over <= t]
    if not over:
        return None
    told = next((number for number in reversed(over) if tells(trace[number])), None)
    number = over[-1] if told is None else told
    return _departure(trace, number, mishap(trace[number]), told=told is not None)


def asked_at(trace: Sequence[Exchange], t: int, why: str) -> Departure | None:
    """The exchange whose request went out at `t` (ns)."""
    found = next((number for number, exchange in enumerate(trace) if exchange.request.t == t), None)
    return None if found is None else _departure(trace, found, why)


def _departure(trace: Sequence[Exchange], number: int, why: str, *, told: bool = False) -> Departure:
    return Departure(trace[number], trace[max(0, number - BEFORE) : number], why, told)
