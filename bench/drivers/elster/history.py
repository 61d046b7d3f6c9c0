"""What a meter has kept: billing sets, daily sets and the load profile."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from bench.drivers.flag import PACKET, FlagSession
from bench.errors import ForeignAnswer, Refused, UsageError
from protocols.elster import history, moments, profile, requests
from protocols.elster.profile_width import decode_either
from protocols.elster.tables import Identity, Model
from protocols.flag import profile_text
from protocols.flag.device import PROGRAMMING, STREAM

T = TypeVar("T")
#: Fewer blocks than this are as quick by packets.
_STREAM_FROM = 4
#: How often a profile is begun anew when its visit breaks off.
_ATTEMPTS = 2
#: A command names blocks by two hexadecimal digits; none asks for all there is.
_MOST_BLOCKS = 0xFF


class History(ABC):
    """The part of the driver that reads what was kept."""

    name: str
    model: Model
    session: FlagSession
    #: Whether intervals of its load profile have a second status byte, as an earlier reading has shown.
    _two_status_bytes: bool | None = None

    @abstractmethod
    def identity(self, name: str) -> Identity:
        """An identity of this model by its name."""

    @abstractmethod
    def decoded(self, what: str, decode: Callable[[], T]) -> T:
        """What an object says."""

    def read_billing(
        self, sets: int | None = None, *, since: datetime | None = None
    ) -> tuple[history.HistoricalSet, ...]:
        """The newest billing sets (543), the newest first; all of them if no number and no moment is given.

        Args:
            sets: how many at the most.
            since: the first that is older than this moment ends the row.
        """
        return self._sets("billing_history", sets, since)

    def read_daily(
        self, sets: int | None = None, *, since: datetime | None = None
    ) -> tuple[history.HistoricalSet, ...]:
        """The newest daily sets (545), as `read_billing`."""
        return self._sets("daily_history", sets, since)

    def _sets(self, name: str, sets: int | None, since: datetime | None) -> tuple[history.HistoricalSet, ...]:
        """Set by set: each begins with a packet of its own (elster-flag 3.3)."""
        row = self.identity(name)
        packets = -(-row.size // PACKET)
        found: list[history.HistoricalSet] = []
        for number in range(row.sets if sets is None else min(sets, row.sets)):
            data = self.session.read(row.number, row.size, offset=number * packets * PACKET)
            kept = self.decoded(name, lambda data=data: history.decode_set(self.model.name, data))  # type: ignore[misc]  # a default binds it
            if kept.time is None or (since is not None and kept.time < since):
                break
            found.append(kept)
        return tuple(found)

    def read_profile(
        self,
        days: int | None = None,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        stream: bool = True,
    ) -> Sequence[profile.Record]:
        """The load profile: of the last days (all if none are given), or from one moment to another.

        Args:
            days: how many, the day of now included.
            start: from; None for the oldest.
            end: to; None for now.
            stream: whether the data stream may be used; else it is read packet by packet.

        Raises:
            UsageError: days and moments together.
        """
        if days is not None and (start is not None or end is not None):
            raise UsageError("a load profile is read either by days or by dates")
        for _ in range(_ATTEMPTS):
            data = self._profile(days, start, end, STREAM if stream else PROGRAMMING)
            if data is not None:
                self.session.leave()
                return self._records(data)
        raise ForeignAnswer("load profile: each visit broke off in the middle of it", device=self.name)

    def _records(self, data: bytes) -> Sequence[profile.Record]:
        """The records of a stream, with the width of an interval that this meter has."""

        def decoded() -> tuple[Sequence[profile.Record], bool]:
            return decode_either(self.model.name, data, known=self._two_status_bytes, now=self._unix_now)

        records, extended = self.decoded("load profile", decoded)
        if any(isinstance(record, profile.Interval) for record in records):
            self._two_status_bytes = extended
        return records

    def _unix_now(self) -> datetime | None:
        """The meter's own seconds now (863); None where it does not tell them."""
        try:
            block = self.session.read(self.identity("clock_block").number, self.identity("clock_block").size)
        except Refused:
            return None
        return self.decoded("clock block", lambda: moments.decode_clock_block(block)).time

    def read_profile_text(
        self, start: datetime | None = None, end: datetime | None = None
    ) -> tuple[profile_text.Run, ...]:
        """The load profile as text (R5 P.01), from one interval's end to another's; few meters know it."""
        data = self.session.formatted(profile_text.encode_request(start, end))
        return self.decoded("load profile as text", lambda: profile_text.decode_profile(data))

    def _profile(self, days: int | None, start: datetime | None, end: datetime | None, mode: int) -> bytes | None:
        """The stream of what is selected; None if another visit had to be opened, which knows of no selection."""
        self.session.require(1, mode)
        visit = self.session.visits
        size = self._select(days, start, end, mode)
        row = self.identity("profile")
        if mode == STREAM and size.large >= _STREAM_FROM:
            data = self.session.stream(row.number, size.large if size.large <= _MOST_BLOCKS else 0, level=1)
        else:
            data = self.session.read(row.number, size.small * PACKET, level=1, mode=mode)
        return data if self.session.visits == visit else None

    def _select(
        self, days: int | None, start: datetime | None, end: datetime | None, mode: int
    ) -> requests.BlockCounts:
        """Say what is to be read in this visit, and hear how many blocks that is."""
        asked = self.identity("profile_days")
        if start is not None or end is not None:
            self.session.select(
                self.identity("profile_range").number, requests.ProfileRange(start, end).encode(), mode=mode
            )
        else:
            wanted = requests.encode_days(requests.ALL_DAYS if days is None else days)
            self.session.select(asked.number, wanted, mode=mode)
        counts = self.session.read(asked.number, requests.COUNTS_BYTES, level=1, mode=mode)
        return self.decoded("block counts", lambda: requests.decode_counts(counts))
