"""The load profile: what it says of loads, power cuts and its own clearing, and whether the registers agree."""

from datetime import timedelta
from decimal import Decimal

from bench.bench import Bench
from bench.clock import Clock
from bench.control import Loads, Supplies
from bench.drivers.elster import Elster
from bench.measure import Measure, Unit
from bench.procedures.head_end import HeadEnd
from bench.procedures.meter_time import let_time_pass, sleep_to_end_of
from bench.procedures.profile_intervals import ProfileInterval
from bench.procedures.profile_reading import ProfileReading, read_profile
from bench.procedures.quality import Quality
from bench.procedures.register_check import summed
from protocols.elster.tables import Source
from scenarios.marks import catches, destructive, needs

SECOND, MINUTE, HOUR = 1_000_000_000, 60_000_000_000, 3_600_000_000_000
HALF_HOUR = timedelta(minutes=30)
#: A load with more digits than the profile keeps, and for how many periods.
WATTS, PERIODS = 123_459, 8
#: Smaller ones, in which every digit fits.
STEPS = (42, 4_321)
CONSTANT, OFF = 12_000, 3


@destructive("changes the load behind the meter")
@needs("read-profile")
@catches("E46", "T49")
def test_a_profile_sums_up_to_its_registers(
    meter: Elster, clock: Clock, loads: Loads, head_end: HeadEnd, measure: Measure
) -> None:
    """Steps of the load come out as mean powers, and the sum of all intervals is what the register advanced."""
    let_time_pass(clock, "what a load profile shows")
    loads.set(meter.name, 0)
    begun = sleep_to_end_of(meter, clock, HALF_HOUR)
    before = head_end.totals(meter)
    for watts in (WATTS, *STEPS):
        loads.set(meter.name, watts)
        clock.sleep((PERIODS if watts == WATTS else 2) * 30 * MINUTE)
    loads.set(meter.name, 0)
    sleep_to_end_of(meter, clock, HALF_HOUR)
    after = head_end.totals(meter)
    found = read_profile(meter, days=1, head_end=head_end, against_registers=False)
    mine = [each for each in found.intervals if each.end + each.shift > begun]
    whole = {mine[2]: WATTS, mine[PERIODS + 1]: STEPS[0], mine[PERIODS + 3]: STEPS[1]}
    for each, watts in whole.items():
        measure(f"mean power at {watts} W", each.power(Source.IMPORT), Unit.W, device=meter.name).within(
            Decimal(watts), round(Decimal(watts) / 10_000 + Decimal("0.002"), 3)
        )
    pieces = [piece for each in mine for piece in each.pieces]
    sums, rounding = summed(pieces, mine[0].channels.index(Source.IMPORT))
    advanced = head_end.advance(before[Source.IMPORT], after[Source.IMPORT])
    measure("summed up against the register", sums, Unit.WH, device=meter.name).within(
        advanced, rounding + Decimal("0.001")
    )
    tell(measure, meter, found)


def tell(measure: Measure, meter: Elster, found: ProfileReading) -> None:
    """What the profile says against itself; nothing on a healthy meter."""
    said = "; ".join(found.contradictions)
    measure("the profile contradicts itself", said or "no", device=meter.name).is_("no")


@destructive("interrupts the supply for hours")
@needs("read-profile")
@catches("E89")
def test_an_outage_is_marked(
    meter: Elster, bench: Bench, clock: Clock, loads: Loads, supplies: Supplies, measure: Measure
) -> None:
    """The periods of an outage are missing and accounted for, and those that it cut short say so."""
    let_time_pass(clock, "what an outage leaves in a load profile")
    loads.set(meter.name, CONSTANT)
    sleep_to_end_of(meter, clock, HALF_HOUR)
    clock.sleep(10 * MINUTE)
    bench.journal.audit("power cycle", device=meter.name, off=f"{OFF} h")
    off = meter.read_clock()
    supplies.cycle(meter.name, OFF * HOUR)
    meter.wait_until_it_answers(2 * MINUTE)
    clock.sleep(HOUR)
    found = read_profile(meter, days=2)
    outages = [each for each in found.findings if each.kind == "outage"]
    measure("outages that are accounted for", len(outages), device=meter.name).is_(1)
    for each in outages[-1:]:
        late = abs((each.start + shift_of(found) - off).total_seconds())
        measure("outage began", Decimal(str(late)), Unit.S, device=meter.name).at_most(Decimal(10))
        measure("intervals in the outage", each.intervals, device=meter.name).is_(2 * OFF - 1)
    cut = [each for each in found.intervals if {Quality.SHORT, Quality.POWER_FAIL} <= set(each.quality)]
    measure("outage cut intervals short", len(cut), device=meter.name).is_(2)
    tell(measure, meter, found)


def shift_of(found: ProfileReading) -> timedelta:
    """What daylight saving added at the end of a reading."""
    return found.intervals[-1].shift if found.intervals else timedelta(0)


@destructive("clears the load profile")
@needs("read-profile", "program-scheme")
@catches("E91")
def test_a_cleared_profile_says_so(meter: Elster, bench: Bench, clock: Clock, measure: Measure) -> None:
    """Of a cleared profile nothing is left but what came since, and a marker says that it was cleared."""
    let_time_pass(clock, "what is left of a cleared load profile")
    clock.sleep(5 * HOUR)
    bench.journal.audit("clear profile", device=meter.name)
    meter.log_in(bench.arm(meter), 3)
    meter.write_object(bench.arm(meter), meter.identity("profile_clear").number, b"\x01")
    meter.log_out()
    clock.sleep(HOUR)
    found = read_profile(meter, against_registers=False)
    measure("intervals after clearing", len(found.intervals), device=meter.name).between(2, 3)
    said = any(each.kind == "cleared" for each in found.findings)
    measure("clearing is marked", said, device=meter.name).is_(expected=True)
    tell(measure, meter, found)


@needs("read-profile")
@catches("T55")
def test_a_repeated_reading_keeps_each_interval_once(
    meter: Elster, clock: Clock, head_end: HeadEnd, measure: Measure
) -> None:
    """A schedule that reads again after a failure has each interval once, and none is lost."""
    let_time_pass(clock, "what a schedule collects over days")
    kept: list[ProfileInterval] = []
    for days in (1, 2, 2, 3):
        clock.sleep(17 * HOUR)
        kept = head_end.joined(
            kept, read_profile(meter, days=days, head_end=head_end, against_registers=False).intervals
        )
    once = read_profile(meter, head_end=head_end, against_registers=False)
    twice = len(kept) - len({each.key for each in kept})
    missing = {each.key for each in once.intervals} - {each.key for each in kept}
    measure("intervals kept twice", twice, device=meter.name).is_(0)
    measure("intervals kept less than the meter has", len(missing), device=meter.name).is_(0)
    tell(measure, meter, once)
