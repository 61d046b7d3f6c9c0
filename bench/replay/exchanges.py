"""A trace as a conversation: each request with its answer, and what happened around them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.trace import TraceEvent, read_trace
from protocols.modbus.frames import FrameError, crc16, decode_rtu, mbap_length

MBAP, RTU = "mbap", "rtu"
#: Where in a frame the unit stands.
UNIT_AT = {MBAP: 6, RTU: 0}
_TID = 2
_CRC = 2
_MOST_UNIT = 255


@dataclass(slots=True)
class Exchange:
    """A request and what came for it, in pieces as it came.

    Attributes:
        number: from 1, in the order of asking.
        line: where in the file the request stands.
    """

    number: int
    line: int
    request: TraceEvent
    frames: str
    answers: list[TraceEvent] = field(default_factory=list)

    @property
    def answer(self) -> bytes:
        """The answer's bytes; a masked one reads as 0, and an RTU check sum over such is computed anew."""
        whole = b"".join(event.data for event in self.answers)
        if self.frames == RTU and self.masked_answer and len(whole) > _CRC:
            return whole[:-_CRC] + crc16(whole[:-_CRC]).to_bytes(_CRC, "little")
        return whole

    @property
    def hex(self) -> str:
        """The answer as it stands in the trace."""
        return "".join(event.hex for event in self.answers)

    @property
    def masked_answer(self) -> bool:
        """Whether something of the answer was cut out."""
        return any(event.masked for event in self.answers)

    @property
    def reaction(self) -> int | None:
        """From the request to the first byte of the answer, ns; None without one."""
        return self.answers[0].t - self.request.t if self.answers else None


@dataclass(frozen=True, slots=True)
class Trace:
    """A whole trace in memory."""

    path: Path
    header: dict[str, Any]
    events: list[TraceEvent]

    @property
    def device(self) -> str:
        """The device it is of."""
        return str(self.header.get("device", ""))

    @property
    def model(self) -> str:
        """The device's model."""
        return str(self.header.get("model", ""))

    @property
    def frames(self) -> str:
        """How frames are framed, rtu or mbap: as the header says, or as the first request looks."""
        told = self.header.get("frames")
        if told in UNIT_AT:
            return str(told)
        first = next((event for event in self.events if event.direction == "tx"), None)
        return RTU if first is None or _is_rtu(first.data) else MBAP

    @property
    def at_device(self) -> bool:
        """Whether it was recorded at the device's end of the line, by `meterbench serve --record`."""
        return self.header.get("perspective") == "device"

    @property
    def start(self) -> int:
        """The instant (ns) of the first event."""
        return self.events[0].t if self.events else 0

    def notes(self) -> list[TraceEvent]:
        """What happened that the line does not show."""
        return [event for event in self.events if event.direction == "note"]

    def exchanges(self) -> list[Exchange]:
        """Every request with what came for it."""
        return list(_paired(self))


def load_trace(path: Path) -> Trace:
    """Read a trace.

    Raises:
        UsageError: it is none, with file and line.
    """
    if path.is_dir():
        raise UsageError("this is a folder; name a trace in it", path)
    if path.exists() and not path.is_file():
        raise UsageError("this is no regular file", path)
    try:
        header, events = read_trace(path)
        _check_header(header, path)
        return Trace(path, header, sorted(events, key=lambda event: event.t))
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror or error}", path) from None


#: What stands in a header, if it stands there.
_KINDS: dict[str, type] = {"device": str, "model": str, "link": dict, "unit": int, "controls": list, "start": dict}


def _check_header(header: dict[str, Any], path: Path) -> None:
    for name, kind in _KINDS.items():
        if name in header and not isinstance(header[name], kind):
            raise UsageError(f"header: {name} is {header[name]!r}", path, 1)
    if not 0 <= header.get("unit", 0) <= _MOST_UNIT:
        raise UsageError(f"header: unit {header['unit']} is outside 0..{_MOST_UNIT}", path, 1)
    if not header.get("device", "").isprintable():
        raise UsageError("header: the device's name has characters that nobody can read", path, 1)


def _paired(trace: Trace) -> list[Exchange]:
    found: list[Exchange] = []
    primary = trace.frames
    other = MBAP if primary == RTU else RTU
    for event in trace.events:
        frames = other if event.via else primary
        if event.direction == "tx":
            found.append(Exchange(len(found) + 1, event.line, event, frames))
        elif event.direction == "rx" and found:
            _asked_by(found, event, frames).answers.append(event)
    return found


def _asked_by(found: list[Exchange], event: TraceEvent, frames: str) -> Exchange:
    """The exchange that a piece of an answer belongs to: on TCP by its number, on a line the last one."""
    mine = [exchange for exchange in found[-_AHEAD:] if exchange.request.via == event.via] or found[-1:]
    if frames == RTU:
        return mine[-1]
    begun = next((exchange for exchange in reversed(mine) if exchange.answers and not _complete(exchange)), None)
    if begun is not None:
        return begun
    tid = event.data[:_TID]
    return next((e for e in mine if not e.answers and e.request.data[:_TID] == tid), mine[-1])


_AHEAD = 64  # more requests than any client sends ahead of their answers


def _complete(exchange: Exchange) -> bool:
    whole = b"".join(event.data for event in exchange.answers)
    try:
        length = mbap_length(whole)
    except FrameError:
        return True
    return length is not None and len(whole) >= length


def _is_rtu(data: bytes) -> bool:
    try:
        decode_rtu(data)
    except FrameError:
        return False
    return True


def answered_anew(exchange: Exchange, request: bytes) -> list[tuple[int, bytes]]:
    """The answer in its pieces, (ns behind the request, bytes), as one to `request`: TCP answers bear its number."""
    whole = exchange.answer
    if exchange.frames == MBAP and len(whole) > _TID:
        whole = request[:_TID] + whole[_TID:]
    pieces, at = [], 0
    for event in exchange.answers:
        size = len(event.data)
        pieces.append((event.t - exchange.request.t, whole[at : at + size]))
        at += size
    return pieces
