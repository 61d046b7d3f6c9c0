"""When something comes next for a meter: ends of periods, switching times, billing dates, midnights, saves.

The order is that of appointments at the same instant: a demand period ends before a billing reset stores its maximum,
and a billing reset comes before the new day and its rates.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from protocols.elster.configuration import BillingDate
from simulators.metering.agenda import Appointment
from simulators.metering.daylight_saving import to_ns

if TYPE_CHECKING:
    from simulators.meters.elster.metrology import Metrology

_DECEMBER = 12
_YEARS = 9  # 29 February comes within eight years


def appointments(meter: Metrology) -> list[Appointment]:
    """The appointments of a meter that has its supply."""
    clock = meter.clock
    found = [
        Appointment(
            "demand", lambda now: clock.next_multiple(now, meter.registers.demand.period.step), meter.end_demand_period
        ),
        Appointment("profile", lambda now: clock.next_multiple(now, meter.profile_period), meter.end_profile_period),
        Appointment("daylight saving", clock.next_change, meter.daylight_changed),
        Appointment("billing", lambda now: next_billing(meter, now), meter.billing_date),
        Appointment("midnight", clock.next_midnight, meter.midnight),
        Appointment("tariff", lambda now: next_switch(meter, now), meter.switch_rates),
        Appointment("adjustment", lambda now: next_step(meter, now), meter.step_clock),
        Appointment("save", lambda now: clock.next_multiple(now, meter.profile.save_period), meter.save),
    ]
    return [each for each in found if each.name != "profile" or meter.recorder is not None]


def next_switch(meter: Metrology, now: int) -> int:
    """The instant of the next switching time of the tariff."""
    return meter.clock.next_reading(now, to_ns(meter.calendar.next_switch(meter.clock.read(now))))


def next_step(meter: Metrology, now: int) -> int | None:
    """The middle of the next period, while the clock is being adjusted.

    A step back must not lead to the same middle again, so one that is nearer than a step is left out.
    """
    clock = meter.clock
    if not clock.pending:
        return None
    period = meter.profile_period
    half = period // 2
    return clock.instant((clock.standard(now) + meter.profile.adjust_step - half) // period * period + period + half)


def next_billing(meter: Metrology, now: int) -> int | None:
    """The instant of the next billing date."""
    local = meter.clock.read(now)
    found = [_next_date(each, local) for each in meter.configuration.sections["billing"].dates]
    return meter.clock.next_reading(now, to_ns(min(found))) if found else None


def missed_billing(meter: Metrology, before: datetime, after: datetime) -> bool:
    """Whether a billing date fell between two readings of the clock."""
    return any(_next_date(each, before) <= after for each in meter.configuration.sections["billing"].dates)


def _next_date(when: BillingDate, local: datetime) -> datetime:
    """The first such moment after a moment of local time."""
    months = range(1, _DECEMBER + 1) if when.month is None else (when.month,)
    candidates = (
        datetime(year, month, when.day, when.hour, when.minute)  # noqa: DTZ001  # a meter keeps local time
        for year in range(local.year, local.year + _YEARS)
        for month in months
        if _exists(year, month, when.day)
    )
    return next(moment for moment in candidates if moment > local)


def _exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
