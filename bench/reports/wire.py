"""The wire for a reader: a trace from both ends, and the exchange of a failed scenario that he wants to see first."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

from bench.errors import UsageError
from bench.flag_narrator import FlagNarrator
from bench.measurement import plain
from bench.narrator import Narrator
from bench.replay.exchanges import Trace, load_trace
from bench.replay.mirror import mirror
from bench.reports import departure
from bench.trace import TraceEvent

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
        trace = _loaded(folder, name)
        return TraceView(name, trace.header, *_ends(told(trace)))
    except UsageError as error:
        return TraceView(name, {}, [], 0, [], f"cannot be shown: {error.reason}")


def _loaded(folder: Path, name: str) -> Trace:
    """A trace of the run.

    Raises:
        UsageError: it lies elsewhere, or cannot be read.
    """
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UsageError("it lies outside the run folder")
    return load_trace(path)


def told(trace: Trace) -> list[Told]:
    """Every event of a trace with what it says."""
    flag = trace.header.get("frames") == "flag"
    narrator: Narrator | FlagNarrator = FlagNarrator(trace.model) if flag else Narrator(trace.model)
    return [
        Told(event, "" if event.direction == "note" or event.masked else narrator.tell(event.direction, event.data))
        for event in trace.events
    ]


def in_lines(events: Iterable[Told]) -> str:
    """Events as text: bench time in seconds, direction, words, bytes."""
    return "".join(
        f"{e.event.t / 1e9:12.6f}  {e.event.direction:4}  {e.words or e.event.mark}  {e.event.hex}".rstrip() + "\n"
        for e in events
    )


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
            trace = _loaded(folder, name)
        except UsageError:
            continue  # the trace itself says so where it is shown
        found += points_in(trace, offending, broken_off=record.outcome == "failed" and not offending)
    return found


def points_in(trace: Trace, offending: Sequence[Measurement], *, broken_off: bool) -> list[PointView]:
    """Where the device first answered as no healthy one would, and the exchange that the failed value came in.

    Args:
        trace: the wire of one device.
        offending: the values that are out of limits, of all devices.
        broken_off: whether what the device did ended the scenario; a broken station or an interrupt is not its doing.
    """
    exchanges = departure.exchanges(trace.events, flag=trace.header.get("frames") == "flag")
    words = {id(t.event): t for t in told(trace)}
    value = next((m for m in offending if m.device in (trace.device, None)), None)
    if value is None:
        point = departure.at_the_end(exchanges) if broken_off else None
        return [] if point is None else [_view(trace, "it ended here", point, words)]
    unlike = _unlike_a_healthy_one(trace, exchanges)
    came_in, title = _read_in(value, exchanges, words)
    views = []
    if unlike is not None:
        views.append(_view(trace, f"the first answer that no healthy {unlike[0]} gives", unlike[1], words))
    if came_in is not None and (unlike is None or (came_in.told and came_in.exchange is not unlike[1].exchange)):
        views.append(_view(trace, title, came_in, words))
    return views


def _view(trace: Trace, title: str, point: departure.Departure, words: Mapping[int, Told]) -> PointView:
    before = [words[id(event)] for exchange in point.before for event in exchange.events]
    return PointView(trace.device, title, point.why, before, [words[id(event)] for event in point.exchange.events])


def _unlike_a_healthy_one(
    trace: Trace, exchanges: Sequence[departure.Exchange]
) -> tuple[str, departure.Departure] | None:
    """The first answer that a healthy simulated meter of the model does not give to the same requests; its model.

    None where the mirror explains every difference, or cannot be asked.
    """
    if trace.header.get("frames") == "flag":
        return None  # the mirror knows Modbus only
    try:
        found = mirror(trace)
    except UsageError:
        return None
    first = next(iter(found.comparison.unexplained), None)
    if first is None:
        return None
    why = f"{first.what} is {first.first}, and {first.second} belongs there"
    point = departure.asked_at(exchanges, first.t, why)
    return None if point is None else (found.model, point)


def _read_in(
    value: Measurement, exchanges: Sequence[departure.Exchange], words: Mapping[int, Told]
) -> tuple[departure.Departure | None, str]:
    """The exchange that a value came in; the last one before it was judged, where no answer shows the value itself."""
    shown = re.compile(rf"= {re.escape(plain(value.value))}\b")

    def tells(exchange: departure.Exchange) -> bool:
        return any(shown.search(words[id(event)].words) for event in exchange.events if event.direction == "rx")

    found = departure.before_value(exchanges, _nanoseconds(value.t), tells)
    told_here = found is not None and found.told
    return found, f"{value.name} was read here" if told_here else f"the last exchange before {value.name} was judged"


def _nanoseconds(t: str) -> int:
    return round(Decimal(t) * 1_000_000_000)
