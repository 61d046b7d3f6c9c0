"""A load profile as text: P.01, a header and a line of values for each interval, again whenever something changes.

::

    P.01(0260310001500)(00)(15)(2)(1.5)(kW)(2.5)(kW)     season and time, status, period, channels, each with its unit
    (00001.250)(00000.000)
    (00001.248)(00000.000)

Source: a header as public readers meet it (elster-flag 5): leading season digit, then yymmddhhmmss; a profile with a
gap begins a new header. The time is taken to be the end of the first interval, the season to be 0 for standard and 1
for summer time (both assumed).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from protocols.flag.frames import CRLF
from protocols.flag.readout import DataSet, ReadoutError, parse_sets

CODE = "P.01"
_MOMENT = "%y%m%d%H%M%S"
_HEADER = re.compile(
    r"(?P<season>[0-9])(?P<time>[0-9]{12}) (?P<status>[0-9A-F]+) (?P<period>0*[1-9][0-9]*) (?P<count>[0-9]+)"
)
_RANGE = re.compile(rb"P\.01\(([0-9]{13})?;([0-9]{13})?\)")
#: Season and time, status, period, number of channels.
_HEAD = 4
_FORM = f"{CODE}(Zyymmddhhmmss)(status)(period)(channels), and (code)(unit) of each"


@dataclass(frozen=True, slots=True)
class Channel:
    """What a column is: its OBIS code without medium and channel, and its unit."""

    code: str
    unit: str


@dataclass(frozen=True, slots=True)
class Run:
    """Intervals without a gap under one header.

    Attributes:
        end: of the first interval, in the meter's local time.
        summer: whether that is summer time.
        status: of all of these intervals.
        period: minutes.
        channels: what each value of an interval is.
        intervals: values as text, as the meter wrote them.
    """

    end: datetime
    summer: bool
    status: int
    period: int
    channels: tuple[Channel, ...]
    intervals: tuple[tuple[str, ...], ...]

    @property
    def moments(self) -> list[datetime]:
        """The end of each interval."""
        return [self.end + number * timedelta(minutes=self.period) for number in range(len(self.intervals))]

    def encode(self) -> bytes:
        """Header and lines, each with its CR LF."""
        time = f"{int(self.summer)}{self.end:{_MOMENT}}"
        columns = "".join(f"({channel.code})({channel.unit})" for channel in self.channels)
        head = f"{CODE}({time})({self.status:02X})({self.period})({len(self.channels)}){columns}"
        lines = [head, *("".join(f"({value})" for value in values) for values in self.intervals)]
        return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def encode_request(start: datetime | None, end: datetime | None, *, summer: bool = False) -> bytes:
    """What an R5 for a part of the profile names: from and to, either of which may be open."""
    season = int(summer)
    first, last = ("" if each is None else f"{season}{each:{_MOMENT}}" for each in (start, end))
    return f"{CODE}({first};{last})".encode("ascii")


def decode_request(data: bytes) -> tuple[datetime | None, datetime | None]:
    """From and to of a request for a part of the profile; the season digit is not needed.

    Raises:
        ValueError: it is none, or a date that does not exist.
    """
    found = _RANGE.fullmatch(data)
    if found is None:
        raise ValueError(f"{data!r} is no request for a profile: {CODE}(from;to)")
    first, last = (None if part is None else _moment(part[1:].decode("ascii")) for part in found.groups())
    return first, last


def encode_profile(runs: Iterable[Run]) -> bytes:
    """Runs one after the other; of a part that has none, what a meter says instead: the code with nothing in it."""
    return b"".join(run.encode() for run in runs) or f"{CODE}()".encode("ascii") + CRLF


def decode_profile(block: bytes) -> tuple[Run, ...]:
    """The runs of an answer, between STX and ETX.

    Raises:
        ReadoutError: a data set is none, a header is none, or a line has other than a value for each channel.
    """
    runs: list[Run] = []
    head: Run | None = None
    lines: list[tuple[str, ...]] = []
    for number, line in enumerate(parse_sets(block).lines, 1):
        if line[0].address:
            runs += _closed(head, lines)
            head, lines = _header(line, number), []
        elif head is None:
            raise ReadoutError(number, 1, "an interval without a header before it")
        else:
            lines.append(_values(line, number, head))
    return tuple(runs + _closed(head, lines))


def _closed(head: Run | None, lines: list[tuple[str, ...]]) -> list[Run]:
    if head is None:
        return []
    return [Run(head.end, head.summer, head.status, head.period, head.channels, tuple(lines))]


def _header(line: list[DataSet], number: int) -> Run | None:
    if line[0].address != CODE:
        raise ReadoutError(number, 1, f"{line[0].address} where {CODE} belongs")
    values = [each.value for each in line]
    if values == [""]:
        return None
    found = _HEADER.fullmatch(" ".join(values[:_HEAD]))
    columns = values[_HEAD:]
    if found is None or len(columns) != 2 * int(found["count"]):
        raise ReadoutError(number, 1, f"no header of a profile: {_FORM}")
    try:
        end = _moment(found["time"])
    except ValueError:
        raise ReadoutError(number, len(CODE) + 2, f"{values[0]} is no season and time that exists") from None
    channels = tuple(Channel(*pair) for pair in zip(columns[::2], columns[1::2], strict=True))
    return Run(end, found["season"] == "1", int(found["status"], 16), int(found["period"]), channels, ())


def _values(line: list[DataSet], number: int, head: Run) -> tuple[str, ...]:
    if len(line) != len(head.channels) or any(each.address for each in line):
        raise ReadoutError(number, 1, f"{len(line)} values where {len(head.channels)} channels have one each")
    return tuple(each.value for each in line)


def _moment(text: str) -> datetime:
    return datetime.strptime(text, _MOMENT)  # noqa: DTZ007  # a meter keeps local time without a zone
