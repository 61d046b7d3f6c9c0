"""Billing: what a reset stores, what it leaves alone, who may do it twice, and what is kept at every midnight."""

from datetime import datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise

from bench.bench import Bench
from bench.clock import Clock
from bench.control import Loads, Supplies
from bench.drivers.elster import Elster
from bench.errors import CallLost, DeviceError, Refused
from bench.measure import Measure, Unit
from bench.procedures.daylight_shift import read_daylight_shift
from bench.procedures.elster_sections import programmed, read_section
from bench.procedures.head_end import HeadEnd
from bench.procedures.keeping import clock_kept
from bench.procedures.meter_time import let_time_pass, sleep_to_end_of, sleep_until
from protocols.elster.configuration import BillingDate, BillingDates
from protocols.elster.history import HistoricalSet, Trigger
from protocols.elster.logs import COUNTS
from protocols.elster.registers import MaximumDemand
from protocols.elster.tables import Source, model
from scenarios.marks import catches, destructive, needs

SECOND, MINUTE, HOUR = 1_000_000_000, 60_000_000_000, 3_600_000_000_000
MANUAL = Trigger.SERIAL_PORT | Trigger.OPTICAL | Trigger.BUTTON
DEMAND_PERIOD = timedelta(minutes=30)
#: A period of demand, and the one under way when billing is reset after twenty minutes: 26.7 kW over its whole length.
QUIET, HIGH, HIGHEST = 1_000, 10_000, 40_000
ACCURACY = Decimal("1.03")
LOCKED = 10
DAYS = 3


def mean_of_period(time: int) -> Decimal:
    """What the highest load, there for a time (ns), makes over the whole length of a period (W)."""
    return HIGHEST * Decimal(time) / (30 * MINUTE)


@destructive("resets billing")
@needs("read-billing")
@catches("E38", "E83", "E84")
def test_a_billing_reset_stores_what_was(
    meter: Elster, bench: Bench, clock: Clock, loads: Loads, head_end: HeadEnd, measure: Measure
) -> None:
    """Set 0 holds the registers, and the maximum with its moment and the period that was under way; energy stays."""
    let_time_pass(clock, "what a billing reset stores of a demand")
    armed = bench.arm(meter)
    loads.set(meter.name, QUIET)
    reset(meter, bench)
    sleep_to_end_of(meter, clock, DEMAND_PERIOD)
    loads.set(meter.name, HIGH)
    clock.sleep(30 * MINUTE)
    loads.set(meter.name, HIGHEST)
    since = clock.now()
    clock.sleep(20 * MINUTE)
    before, begun = head_end.totals(meter), meter.read_clock()
    bench.journal.audit("reset billing", device=meter.name)
    meter.reset_demand(armed)
    after, ended = head_end.totals(meter), meter.read_clock()
    kept = newest(meter)
    for source, value in before.values.items():
        stored = head_end.energy(kept.totals[source])
        most = value + head_end.advance(value, after[source])
        measure(f"{source.title} in set 0", stored, Unit(source.unit or "1"), device=meter.name).between(value, most)
        grown = head_end.advance(value, after[source])
        most = Decimal(HIGHEST * (after.answered_at - before.asked_at)) / HOUR * ACCURACY
        measure(f"{source.title} after the reset", grown, Unit(source.unit or "1"), device=meter.name).between(
            Decimal(0), round(most, 3)
        )
    manual = bool(kept.trigger & MANUAL)
    measure("set 0 names its trigger", manual, device=meter.name).is_(expected=True)
    zone = read_daylight_shift(meter)
    measure_moment(measure, meter, "set 0 stored", kept.time, zone.unix(begun), zone.unix(ended))
    maximum = import_maximum(meter, head_end, kept.maximum)
    shown = Decimal(maximum.value) / 1000 if maximum else None
    # Over a call nobody knows to the minute when the reset came, only what came before and after it.
    least, most = (mean_of_period(at - since) for at in (before.asked_at, after.answered_at))
    measure("maximum in set 0", shown, Unit.W, device=meter.name).between(
        round(least / ACCURACY, 3), round(most * ACCURACY, 3)
    )
    moment = maximum.time if maximum else None
    measure_moment(measure, meter, "maximum in set 0 is of", moment, zone.unix(begun), zone.unix(ended))
    left = import_maximum(meter, head_end, meter.read_maximum_demand())
    measure("maximum after the reset", left.value if left else 0, device=meter.name).is_(0)


def measure_moment(
    measure: Measure, meter: Elster, name: str, moment: datetime | None, first: datetime, last: datetime
) -> None:
    """Whether a moment lies between two, to the second."""
    fits = moment is not None and first - timedelta(seconds=2) <= moment <= last
    measure(name, "its moment" if fits else f"{moment}", device=meter.name).is_("its moment")


def newest(meter: Elster) -> HistoricalSet:
    """The newest billing set; one that was never filled if there is none."""
    found = meter.read_billing(1)
    return found[0] if found else HistoricalSet()


def reset(meter: Elster, bench: Bench) -> None:
    """Reset billing, so that the maxima begin anew."""
    bench.journal.audit("reset billing", device=meter.name)
    meter.reset_demand(bench.arm(meter))


def import_maximum(meter: Elster, head_end: HeadEnd, records: tuple[MaximumDemand, ...]) -> MaximumDemand | None:
    """The highest maximum of what was imported."""
    mine = [
        each
        for each in records
        if each.source is not None and head_end.source(meter.device.model, each.source) is Source.IMPORT
    ]
    return mine[0] if mine else None


@destructive("resets billing")
@needs("read-billing", "read-logs", "reset-demand")
@catches("E141")
def test_a_billing_reset_counts_once(meter: Elster, bench: Bench, measure: Measure) -> None:
    """A reset is acknowledged, and the count of billing events is one higher: done once, and said to be done."""
    before = meter.read_log("billing_events").count
    try:
        reset(meter, bench)
        answer = "ACK"
    except CallLost:
        raise
    except DeviceError as error:
        answer = error.reason
    measure("answer to a billing reset", answer, device=meter.name).is_("ACK")
    counted = (meter.read_log("billing_events").count - before) % COUNTS
    measure("billing resets counted", counted, device=meter.name).is_(1)


@destructive("programs a lock-out and resets billing twice")
@needs("read-billing", "program-scheme")
@catches("E39")
def test_a_second_reset_is_locked_out(meter: Elster, bench: Bench, clock: Clock, measure: Measure) -> None:
    """Within the lock-out time a second reset is refused and stores nothing; after it there is a third."""
    let_time_pass(clock, "what a lock-out does")
    armed = bench.arm(meter)
    dates = read_section(meter, BillingDates)
    with programmed(meter, BillingDates(dates.dates, LOCKED, dates.button), armed=armed, journal=bench.journal):
        reset(meter, bench)
        first = newest(meter).time
        measure("second reset within the lock-out", try_reset(meter, bench), device=meter.name).is_("refused")
        measure("second reset left set 0", newest(meter).time == first, device=meter.name).is_(expected=True)
        clock.sleep((LOCKED + 1) * MINUTE)
        measure("reset after the lock-out", try_reset(meter, bench), device=meter.name).is_("done")


def try_reset(meter: Elster, bench: Bench) -> str:
    """What comes of a reset."""
    try:
        reset(meter, bench)
    except Refused:
        return "refused"
    return "done"


@destructive("sets the clock to the end of a month, and sets it back")
@needs("read-billing", "set-clock")
@catches("E87")
def test_a_billing_date_without_supply_is_made_up(
    meter: Elster, bench: Bench, clock: Clock, supplies: Supplies, measure: Measure
) -> None:
    """A billing date that comes in an outage is stored when the supply returns, and the set says so."""
    let_time_pass(clock, "what an outage leaves of a billing date")
    armed = bench.arm(meter)
    dates = BillingDates((BillingDate(1),), 0)
    now = meter.read_clock()
    first = datetime.combine((now.replace(day=1) + timedelta(days=32)).replace(day=1), time())
    restored = clock_kept(meter, armed, clock, bench.journal)
    with programmed(meter, dates, armed=armed, journal=bench.journal), restored:
        bench.journal.audit("set clock", device=meter.name, value=first - timedelta(minutes=30))
        meter.set_clock(armed, first - timedelta(minutes=30))
        supplies.cycle(meter.name, HOUR)
        meter.wait_until_it_answers(2 * MINUTE)
        kept = newest(meter)
        expected = Trigger.BILLING_DATE | Trigger.POWER_UP
        measure("billing date in an outage", kept.trigger, device=meter.name).is_(int(expected))


@destructive("changes the load behind the meter")
@needs("read-billing")
@catches("E88")
def test_every_midnight_keeps_a_set(
    meter: Elster, clock: Clock, loads: Loads, head_end: HeadEnd, measure: Measure
) -> None:
    """Of each day there is a set at its midnight, and from one to the next the registers have a day of the load."""
    if not model(meter.device.model)["daily_sets"]:
        measure.not_applicable("midnights kept", f"an {meter.device.model} keeps no daily sets", device=meter.name)
        return
    let_time_pass(clock, "what is kept at midnight")
    loads.set(meter.name, HIGH)
    start = meter.read_clock()
    sleep_until(meter, clock, datetime.combine(start.date() + timedelta(days=DAYS), time(1)))
    zone = read_daylight_shift(meter)
    found = meter.read_daily(DAYS)
    midnights = [datetime.combine(start.date() + timedelta(days=back), time()) for back in range(DAYS, 0, -1)]
    kept = [zone.people_read(each.time) for each in found if each.time]
    measure("midnights kept", ", ".join(f"{each:%d %H:%M}" for each in kept), device=meter.name).is_(
        ", ".join(f"{each:%d %H:%M}" for each in midnights)
    )
    for newer, older in pairwise(found):
        counted = head_end.advance(
            head_end.energy(older.totals[Source.IMPORT]), head_end.energy(newer.totals[Source.IMPORT])
        )
        measure("midnights kept: import of a day", counted, Unit.WH, device=meter.name).within(
            Decimal(24 * HIGH), Decimal(24 * HIGH) / 100
        )
