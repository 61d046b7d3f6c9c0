"""Logs: event logs (691-702), the programming log (680), event histories (544), status (724), battery support (546).

A log is a 16-bit count that rolls over from 65535 to 0 and the last three time stamps, the newest first (maker's
manual p. 28); some carry one byte of information for each time stamp.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntFlag

from protocols.elster.errors import DataError, exactly, octet
from protocols.elster.moments import TIME_BYTES, decode_time, encode_seconds, encode_time
from protocols.elster.tables import model

KEPT = 3
COUNT_BYTES = 2
COUNTS = 1 << 16
LOG_BYTES = COUNT_BYTES + KEPT * TIME_BYTES
INFO_LOG_BYTES = LOG_BYTES + KEPT
USER_BYTES = 12
PROGRAMMING_BYTES = LOG_BYTES + KEPT + KEPT * USER_BYTES
#: Source byte of the programming log: 0 is the optical port, anything else a remote one.
OPTICAL, REMOTE = 0, 1

Times = tuple[datetime | None, datetime | None, datetime | None]
NEVER: Times = (None, None, None)


class Phases(IntFlag):
    """Information of the phase failure log."""

    A = 0x01
    B = 0x02
    C = 0x04


@dataclass(frozen=True, slots=True)
class EventLog:
    """A count with the last three times, newest first; `info` has three bytes or none, `extra` is what is not known."""

    count: int = 0
    times: Times = NEVER
    info: bytes = b""
    extra: bytes = b""

    def encode(self) -> bytes:
        """14 bytes, 17 with information, and what is extra.

        Raises:
            DataError: a count beyond 16 bits, or information of another length.
        """
        if len(self.info) not in {0, KEPT}:
            raise DataError(f"information has {KEPT} bytes or none, not {len(self.info)}")
        return _head(self.count, self.times) + self.info + self.extra

    def with_event(self, time: datetime, info: int | None = None) -> EventLog:
        """The log after one event more: the oldest time goes, the count rolls over."""
        kept = self.info if info is None else bytes((octet(info, "information"), *(self.info or bytes(KEPT))[:-1]))
        return replace(self, count=(self.count + 1) % COUNTS, times=(time, *self.times[:-1]), info=kept)


def decode_event_log(data: bytes, *, info: bool = False) -> EventLog:
    """A log of 14 bytes or, with `info`, of 17; some A1700 have more, which is kept as it is.

    Raises:
        DataError: too short.
    """
    size = INFO_LOG_BYTES if info else LOG_BYTES
    if len(data) < size:
        raise DataError(f"a log has {size} bytes, not {len(data)}")
    return EventLog(*_count_and_times(data), data[LOG_BYTES:size], data[size:])


@dataclass(frozen=True, slots=True)
class ProgrammingLog:
    """Identity 680: count, times, from where (0 optical, else remote) and who; an A1700 has only count and times."""

    count: int = 0
    times: Times = NEVER
    sources: tuple[int, int, int] = (0, 0, 0)
    users: tuple[bytes, bytes, bytes] = (b"", b"", b"")

    def encode(self, *, users: bool = True) -> bytes:
        """53 bytes, or 14 without `users`; names are padded with blanks.

        Raises:
            DataError: a name of more than 12 characters.
        """
        if not users:
            return _head(self.count, self.times)
        named = b"".join(_padded(user) for user in self.users)
        return _head(self.count, self.times) + bytes(octet(s, "a source") for s in self.sources) + named

    def with_session(self, time: datetime, source: int, user: bytes) -> ProgrammingLog:
        """The log after one programming session more."""
        return ProgrammingLog(
            (self.count + 1) % COUNTS,
            (time, *self.times[:-1]),
            (source, *self.sources[:-1]),
            (user, *self.users[:-1]),
        )


def decode_programming_log(data: bytes) -> ProgrammingLog:
    """Identity 680 in either layout, told by its length; the padding of names is dropped.

    Raises:
        DataError: neither 53 nor 14 bytes.
    """
    if len(data) == LOG_BYTES:
        return ProgrammingLog(*_count_and_times(data))
    exactly(data, PROGRAMMING_BYTES, "the programming log")
    at = LOG_BYTES + KEPT
    first, second, third = (data[at + k * USER_BYTES :][:USER_BYTES].rstrip(b" \0") for k in range(KEPT))
    a, b, c = data[LOG_BYTES:at]
    return ProgrammingLog(*_count_and_times(data), (a, b, c), (first, second, third))


def encode_event_set(name: str, logs: Sequence[EventLog]) -> bytes:
    """One set of identity 544: the logs of a model in its order, without their information.

    Raises:
        DataError: more logs than the set has room for.
    """
    size, reserved = model(name)["event_logs"] * LOG_BYTES, model(name)["event_reserved"]
    data = b"".join(_head(log.count, log.times) for log in logs)
    if len(data) > size:
        raise DataError(f"{len(logs)} logs where a set of the {name} has {model(name)['event_logs']}")
    return data.ljust(size + reserved, b"\0")


def decode_event_set(name: str, data: bytes) -> tuple[EventLog, ...]:
    """The logs of one set of identity 544.

    Raises:
        DataError: not its length.
    """
    count, reserved = model(name)["event_logs"], model(name)["event_reserved"]
    exactly(data, count * LOG_BYTES + reserved, f"an event set of the {name}")
    return tuple(decode_event_log(data[k * LOG_BYTES :][:LOG_BYTES]) for k in range(count))


@dataclass(frozen=True, slots=True)
class Status:
    """Identity 724: 32 status bits and, on an A1140, 32 error bits; what each bit says is in no public source."""

    status: int = 0
    error: int | None = None

    def encode(self) -> bytes:
        """Eight bytes, or four without errors."""
        return b"".join(encode_seconds(word) for word in (self.status, self.error) if word is not None)


def decode_status(data: bytes) -> Status:
    """Identity 724 in either layout.

    Raises:
        DataError: neither eight nor four bytes.
    """
    if len(data) not in {4, 8}:
        raise DataError(f"the status has 4 or 8 bytes, not {len(data)}")
    error = int.from_bytes(data[4:], "little") if len(data) > 4 else None  # noqa: PLR2004  # status and error
    return Status(int.from_bytes(data[:4], "little"), error)


@dataclass(frozen=True, slots=True)
class BatterySupport:
    """Identity 546, in seconds; which of the three counters says what is assumed."""

    supported: int = 0
    last: int = 0
    remaining: int = 0

    def encode(self) -> bytes:
        """Twelve bytes."""
        return b"".join(encode_seconds(value) for value in (self.supported, self.last, self.remaining))


def decode_battery_support(data: bytes) -> BatterySupport:
    """Identity 546.

    Raises:
        DataError: not twelve bytes.
    """
    exactly(data, 3 * TIME_BYTES, "battery support")
    return BatterySupport(*(int.from_bytes(data[at : at + 4], "little") for at in (0, 4, 8)))


def _head(count: int, times: Times) -> bytes:
    if not 0 <= count < COUNTS:
        raise DataError(f"a count of {count} does not fit into 16 bits")
    return count.to_bytes(COUNT_BYTES, "little") + b"".join(encode_time(time) for time in times)


def _count_and_times(data: bytes) -> tuple[int, Times]:
    first, second, third = (decode_time(data[at : at + TIME_BYTES]) for at in range(COUNT_BYTES, LOG_BYTES, TIME_BYTES))
    return int.from_bytes(data[:COUNT_BYTES], "little"), (first, second, third)


def _padded(user: bytes) -> bytes:
    if len(user) > USER_BYTES:
        raise DataError(f"a user name of {len(user)} characters, at most {USER_BYTES}")
    return user.ljust(USER_BYTES)
