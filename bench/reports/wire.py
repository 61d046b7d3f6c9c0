"""The wire for a reader: a trace from both ends, and the exchange of a failed scenario that he wants to see first."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

from bench.errors import UsageError
from bench.measurement import plain
from bench.narrator import Narrator
from bench.replay.exchanges import load_trace
from bench.replay.mirror import mirror
from bench.reports import departure
from bench.trace import TraceEvent, read_trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from bench.evidence import ScenarioRecord
    from bench.measurement import Measurement

FIRST_EVENTS, LAST_EVENTS = 60, 20
"""How much of a long trace is shown; the file in the run folder holds all of it."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event of a wire trace with what it says."""

    event: TraceEvent
    words: str


@dataclass(frozen=True, slots=True)
class TraceView:
    """The beginning and the end of a wire trace."""

    name: str
    header: Mapping[str, Any]
    first: list[Told]
    left_out: int
    last: list[Told]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class PointView:
    """Where the wire left the expected path: what led there, and the exchange itself."""

    device: str
    title: str
    why: str
    before: list[Told]
    events: list[Told]


def trace_view(folder: Path, name: str) -> TraceView:
    """A trace of the run folder, or why it cannot be shown."""
    try:
        header, events = _events(folder, name)
        return TraceView(name, header, *_ends(_told(header, events)))
    except (UsageError, OSError) as error:
        reason = error.reason if isinstance(error, UsageError) else error.strerror
        return TraceView(name, {}, [], 0, [], f"cannot be shown: {reason}")


def _events(folder: Path, name: str) -> tuple[dict[str, Any], Iterable[TraceEvent]]:
    """Header and events of a trace of the run.

    Raises:
        UsageError, OSError: it lies elsewhere, or cannot be read.
    """
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UsageError("it lies outside the run folder")
    return read_trace(path)


def _told(header: Mapping[str, Any], events: Iterable[TraceEvent]) -> Iterable[Told]:
    narrator = Narrator(str(header.get("model", "")))
    for event in events:
        words = "" if event.direction == "note" else narrator.tell(event.direction, event.data)
        yield Told(event, words)


def _ends(events: Iterable[Told]) -> tuple[list[Told], int, list[Told]]:
    rows = iter(events)
    first = list(islice(rows, FIRST_EVENTS))
    last: deque[Told] = deque(maxlen=LAST_EVENTS)
    rest = 0
    for event in rows:
        last.append(event)
        rest += 1
    return first, rest - len(last), list(last)


def points(folder: Path, record: ScenarioRecord, offending: Sequence[Measurement]) -> list[PointView]:
    """The points of a failed scenario that a reader wants to see first, two a device at the most."""
    found = []
    for name in record.traces:
        try:
            header, events = _events(folder, name)
            found += _points(record, offending, Header(folder / name, header), list(events))
        except (UsageError, OSError):
            continue  # the trace itself says so where it is shown
    return found


@dataclass(frozen=True, slots=True)
class Header:
    """The head of a trace and its file."""

    path: Path
    facts: Mapping[str, Any]

    @property
    def device(self) -> str:
        """Whose trace it is."""
        return str(self.facts.get("device", ""))


def _points(
    record: ScenarioRecord, offending: Sequence[Measurement], header: Header, events: list[TraceEvent]
) -> list[PointView]:
    """Where the device first answered as no healthy one would, and the exchange that the failed value came in."""
    trace = departure.exchanges(events)
    told = {id(t.event): t for t in _told(header.facts, events)}
    value = next((m for m in offending if m.device in (header.device, None)), None)
    if value is None:
        ended = record.outcome in ("failed", "error") and not offending
        return [_view(header, "it ended here", point, told)] if ended and (point := departure.at_the_end(trace)) else []
    unlike = _unlike_a_healthy_one(header, trace)
    came_in, title = _read_in(value, trace, told)
    views = (
        []
        if unlike is None
        else [_view(header, f"the first answer that no healthy {unlike[0]} gives", unlike[1], told)]
    )
    if came_in is not None and (unlike is None or (came_in.told and came_in.exchange is not unlike[1].exchange)):
        views.append(_view(header, title, came_in, told))
    return views


def _view(header: Header, title: str, point: departure.Departure, told: Mapping[int, Told]) -> PointView:
    before = [told[id(event)] for exchange in point.before for event in exchange.events]
    return PointView(header.device, title, point.why, before, [told[id(event)] for event in point.exchange.events])


def _unlike_a_healthy_one(
    header: Header, trace: Sequence[departure.Exchange]
) -> tuple[str, departure.Departure] | None:
    """The first answer that a healthy simulated meter of the model does not give to the same requests; its model.

    None where the mirror explains every difference, or cannot be asked.
    """
    try:
        found = mirror(load_trace(header.path))
    except UsageError:
        return None
    first = next(iter(found.comparison.unexplained), None)
    if first is None:
        return None
    why = f"{first.what} is {first.first}, and {first.second} belongs there"
    point = departure.asked_at(trace, first.t, why)
    return None if point is None else (found.model, point)


def _read_in(
    value: Measurement, trace: Sequence[departure.Exchange], told: Mapping[int, Told]
) -> tuple[departure.Departure | None, str]:
    """The exchange that a value came in; the last one before it was judged, where no answer shows the value itself."""
    shown = re.compile(rf"= {re.escape(plain(value.value))}\b")

    def tells(exchange: departure.Exchange) -> bool:
        return any(shown.search(told[id(event)].words) for event in exchange.events if event.direction == "rx")

    found = departure.before_value(trace, _nanoseconds(value.t), tells)
    told_here = found is not None and found.told
    return found, f"{value.name} was read here" if told_here else f"the last exchange before {value.name} was judged"


def _nanoseconds(t: str) -> int:
    return round(Decimal(t) * 1_000_000_000)
