"""Billing dates with the lock-out of manual resets, and the demand period.

Lock-out until midnight or for a time, and the button: A1140 manual p. 124. The demand period (878) is a code, a
sub-interval and a count; the layout of the billing dates is assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from protocols.elster import moments
from protocols.elster.configuration_items import ConfigurationError, Layout, pack_entries, sized, unpack_entries
from protocols.elster.moments import PERIODS

#: The last day that every month has.
LAST_COMMON_DAY = 28
_EVERY_MONTH = 0
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_BUTTON, _UNTIL_MIDNIGHT = 1, 2
_DATE_BYTES = 4


@dataclass(frozen=True, slots=True)
class BillingDate:
    """Every month (None) or every year in `month`, on `day` at `hour:minute` of the meter's local time."""

    day: int
    month: int | None = None
    hour: int = 0
    minute: int = 0

    def __post_init__(self) -> None:
        if self.month is not None and not 1 <= self.month <= len(_LONGEST):
            raise ConfigurationError(f"month {self.month} does not exist")
        longest = LAST_COMMON_DAY if self.month is None else _LONGEST[self.month - 1]
        if not 1 <= self.day <= longest:
            where = "every month" if self.month is None else f"month {self.month}"
            raise ConfigurationError(f"{where} has no day {self.day}")
        if not (0 <= self.hour < 24 and 0 <= self.minute < 60):  # noqa: PLR2004  # hours and minutes
            raise ConfigurationError(f"{self.hour}:{self.minute} is no time of day")


@dataclass(frozen=True, slots=True)
class BillingDates:
    """When billing periods end; after a manual reset the next is locked out for minutes, or until midnight (None)."""

    dates: tuple[BillingDate, ...]
    lock_out: int | None = 0
    button: bool = True

    def __post_init__(self) -> None:
        if self.lock_out is not None and not 0 <= self.lock_out <= 0xFFFF:  # noqa: PLR2004  # two bytes
            raise ConfigurationError(f"a lock-out of {self.lock_out} min does not fit")

    def encode(self, model: Layout) -> dict[str, bytes]:
        """The bytes of its identity.

        Raises:
            ConfigurationError: more dates than the model has room for.
        """
        flags = (_BUTTON if self.button else 0) | (_UNTIL_MIDNIGHT if self.lock_out is None else 0)
        entries = [bytes([d.month or _EVERY_MONTH, d.day, d.hour, d.minute]) for d in self.dates]
        size = model.items["billing_dates"].size
        head = bytes([flags]) + (self.lock_out or 0).to_bytes(2, "little")
        return {"billing_dates": head + pack_entries(entries, size - len(head), "billing_dates")}

    @classmethod
    def decode(cls, objects: Mapping[str, bytes], model: Layout) -> Self:
        """The billing dates that lie in its identity.

        Raises:
            ConfigurationError: no billing dates.
        """
        data = sized(objects, model.items["billing_dates"])
        dates = [
            BillingDate(day, month or None, hour, minute)
            for month, day, hour, minute in unpack_entries(data[3:], _DATE_BYTES, "billing_dates")
        ]
        lock_out = None if data[0] & _UNTIL_MIDNIGHT else int.from_bytes(data[1:3], "little")
        return cls(tuple(dates), lock_out, bool(data[0] & _BUTTON))


@dataclass(frozen=True, slots=True)
class DemandPeriod:
    """Minutes of a demand period, and of the sub-interval by which it slides; equal where it does not slide."""

    minutes: int
    subinterval: int

    def __post_init__(self) -> None:
        if self.minutes not in PERIODS or self.subinterval not in PERIODS or self.minutes % self.subinterval:
            raise ConfigurationError(f"a demand period of {self.minutes} min by {self.subinterval} min does not exist")

    def encode(self, model: Layout) -> dict[str, bytes]:  # noqa: ARG002  # every section is asked alike
        """The bytes of its identity: code, code of the sub-interval, count of sub-intervals."""
        count = self.minutes // self.subinterval
        return {"demand_period": moments.DemandPeriod(self.minutes, self.subinterval, count).encode()}

    @classmethod
    def decode(cls, objects: Mapping[str, bytes], model: Layout) -> Self:
        """The demand period that lies in its identity.

        Raises:
            ConfigurationError: no demand period.
        """
        found = moments.decode_demand_period(sized(objects, model.items["demand_period"]))
        if found.period != found.count * found.sub_interval:
            raise ConfigurationError(
                f"demand_period: {found.count} times {found.sub_interval} min are not {found.period} min"
            )
        return cls(found.period, found.sub_interval)
