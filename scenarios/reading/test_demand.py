"""Maximum demand: the highest period with its moment and its source, and the sum that each billing reset adds to."""

from datetime import datetime, timedelta
from decimal import Decimal

from bench.bench import Bench
from bench.clock import Clock
from bench.control import Loads
from bench.drivers.elster import Elster
from bench.measure import Measure, Unit
from bench.procedures.daylight_shift import read_daylight_shift
from bench.procedures.head_end import HeadEnd
from bench.procedures.meter_time import let_time_pass, sleep_to_end_of
from protocols.elster.tables import Source
from scenarios.marks import catches, destructive, needs

MINUTE = 60_000_000_000
PERIOD = timedelta(minutes=30)
STEPS = (10_000, 30_000, 5_000)
QUIET = 1_000
PERCENT = Decimal("0.01")


@destructive("resets billing, changes the load behind the meter")
@needs("read-demand", "read-billing")
@catches("E86", "T50")
def test_the_maximum_names_its_moment_and_its_source(
    meter: Elster, bench: Bench, clock: Clock, loads: Loads, head_end: HeadEnd, measure: Measure
) -> None:
    """Of three periods the highest stands first, with the moment of its end, and it is one of import."""
    let_time_pass(clock, "what a maximum demand is")
    begun = steps(meter, bench, clock, loads)
    found = meter.read_maximum_demand()[0]
    zone = read_daylight_shift(meter)
    highest = STEPS.index(max(STEPS))
    source = None if found.source is None else head_end.source(meter.device.model, found.source)
    measure("maximum demand", Decimal(found.value) / 1000, Unit.W, device=meter.name).within(
        Decimal(STEPS[highest]), STEPS[highest] * PERCENT
    )
    shown = zone.people_read(found.time) if found.time else None
    measure("moment of the maximum", str(shown), device=meter.name).is_(str(begun + (highest + 1) * PERIOD))
    measure("source of the maximum", source.value if source else "none", device=meter.name).is_(Source.IMPORT.value)


@destructive("resets billing, changes the load behind the meter")
@needs("read-demand", "read-billing")
@catches("E85")
def test_a_reset_adds_to_the_cumulative_maximum(
    meter: Elster, bench: Bench, clock: Clock, loads: Loads, measure: Measure
) -> None:
    """The cumulative maximum demand rises by the maximum that a reset takes away."""
    let_time_pass(clock, "what a cumulative maximum demand adds up")
    steps(meter, bench, clock, loads)
    before, maximum = meter.read_cumulative_demand()[0].value, meter.read_maximum_demand()[0]
    meter.reset_demand(bench.arm(meter))
    added = Decimal(meter.read_cumulative_demand()[0].value - before) / 1000
    measure("added to the cumulative maximum", added, Unit.W, device=meter.name).within(
        Decimal(maximum.value) / 1000, round(Decimal(maximum.value) / 1000 * PERCENT, 3)
    )


def steps(meter: Elster, bench: Bench, clock: Clock, loads: Loads) -> datetime:
    """Begin a billing period with three periods of demand; returns when the first of them began."""
    loads.set(meter.name, QUIET)
    bench.journal.audit("reset billing", device=meter.name)
    meter.reset_demand(bench.arm(meter))
    begun = sleep_to_end_of(meter, clock, PERIOD)
    for watts in STEPS:
        loads.set(meter.name, watts)
        clock.sleep(30 * MINUTE)
    loads.set(meter.name, QUIET)
    return begun
