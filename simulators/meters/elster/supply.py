"""What a meter does when its supply fails and when it returns.

It saves its registers when the supply fails (A1140 manual p. 28), the battery keeps the clock going, and a billing date
that was missed is made up for at power-up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from protocols.elster.history import Trigger
from simulators.metering.profile_recorder import Mark
from simulators.meters.elster.events import Event
from simulators.meters.elster.schedule import missed_billing

if TYPE_CHECKING:
    from simulators.meters.elster.metrology import Metrology


@dataclass(slots=True)
class Battery:
    """What the battery has done: seconds that it kept the clock going, in all and the last time (ns)."""

    supported: int = 0
    last: int = 0


@dataclass(slots=True)
class Outage:
    """When the supply failed: the instant (ns), what the clock read, and standard time."""

    since: int
    read: datetime
    standard: int


@dataclass(slots=True)
class Supply:
    """Whether the meter has its supply, and since when it answers."""

    on: bool = True
    booted_at: int = 0
    outage: Outage | None = None
    battery: Battery = field(default_factory=Battery)


def lose_power(meter: Metrology, now: int) -> None:
    """The supply fails at the instant `now` (ns): what is not saved yet is undone."""
    meter.notice("supply lost", now)
    meter.journal.power_lost(now)
    if meter.firmware.saves_at_power_fail:
        meter.save(now)
    meter.log(Event.POWER_FAILURE, now)
    meter.end_profile_period(now)
    if meter.firmware.marks_power:
        meter.mark(Mark.POWER_DOWN, now)
    meter.supply.on = False
    meter.supply.outage = Outage(now, meter.clock.read(now), meter.clock.standard(now))
    meter.clock.pending = 0
    meter.forget(now)


def power_up(meter: Metrology, now: int) -> None:
    """The supply returns at the instant `now` (ns): the registers are those that were saved."""
    supply, outage = meter.supply, meter.supply.outage
    assert outage is not None
    supply.on, supply.outage = True, None
    supply.booted_at = now + meter.profile.boot
    meter.notice("start", now)
    meter.notice("started", supply.booted_at)
    _clock_after(meter, outage, now)
    meter.registers.put(now, meter.saved)
    _begin_anew(meter, outage, now)
    meter.firmware.after_boot(meter, now)


def _clock_after(meter: Metrology, outage: Outage, now: int) -> None:
    """The battery has kept the clock going; without one it goes on where it stood."""
    if meter.profile.battery and Event.BATTERY not in meter.events.lasting:
        meter.supply.battery.last = now - outage.since
        meter.supply.battery.supported += now - outage.since
    else:
        meter.clock.put(now, outage.standard)


def _begin_anew(meter: Metrology, outage: Outage, now: int) -> None:
    energies = meter.registers.energies(now)
    if meter.recorder is not None:
        meter.recorder.begin(now, energies)
        if meter.clock.read(now).date() != outage.read.date():
            meter.new_day(now)
        if meter.firmware.marks_power:
            meter.mark(Mark.POWER_UP, now)
    meter.switch_rates(now)
    meter.agenda.plan(now)
    if meter.firmware.makes_up_billing and missed_billing(meter, outage.read, meter.clock.read(now)):
        meter.bill_if_switched_on(now, Trigger.BILLING_DATE | Trigger.POWER_UP)
