"""Adjusting the clock of an Elster meter: 5 s in each integration period, and 7.5 min at the most."""

from datetime import timedelta
from decimal import Decimal

from bench.bench import Bench
from bench.clock import Clock
from bench.drivers.elster import Elster
from bench.errors import DeviceError, Refused
from bench.measure import Measure, Unit
from bench.procedures.keeping import KeptClock
from bench.procedures.meter_time import ahead, let_time_pass, sleep_to_end_of
from bench.procedures.profile_reading import read_profile
from scenarios.marks import catches, destructive, needs

MINUTE = 60_000_000_000
HALF_HOUR = timedelta(minutes=30)
STEP, PERIODS = Decimal(5), 4
SLOW = timedelta(minutes=2)
#: More than 7.5 minutes, in either direction.
TOO_MUCH = (timedelta(minutes=8), -timedelta(minutes=8))
#: Two readings of whole seconds.
RESOLUTION = Decimal(3)


@destructive("adjusts the clock by seconds, and sets it back")
@needs("read-billing", "set-clock")
@catches("E44")
def test_an_adjustment_takes_its_time(meter: Elster, bench: Bench, clock: Clock, measure: Measure) -> None:
    """The clock moves by 5 s in each period until it is where it is to be, and the profile stays of one piece."""
    let_time_pass(clock, "what an adjustment of the clock does over hours")
    armed = bench.arm(meter)
    kept = KeptClock(meter, armed, clock, bench.journal)
    sleep_to_end_of(meter, clock, HALF_HOUR)
    before = ahead(meter, clock)
    bench.journal.audit("adjust clock", device=meter.name, by=str(SLOW))
    try:
        meter.adjust_clock(armed, meter.read_clock() + SLOW)
        for period in range(1, PERIODS + 1):
            clock.sleep(30 * MINUTE)
            moved = ahead(meter, clock) - before
            measure(f"adjusted after {period} periods", round(moved, 1), Unit.S, device=meter.name).within(
                STEP * period, RESOLUTION
            )
        if "read-profile" in meter.capabilities:
            found = read_profile(meter, days=1, against_registers=False)
            said = "; ".join(found.contradictions)
            measure("the profile contradicts itself", said or "no", device=meter.name).is_("no")
    finally:
        kept.restore()  # which ends an adjustment that is under way, too


@destructive("tries to adjust the clock by 8 minutes")
@needs("read-billing", "set-clock")
@catches("E95")
def test_an_adjustment_beyond_the_limit_is_refused(meter: Elster, bench: Bench, clock: Clock, measure: Measure) -> None:
    """More than 7.5 minutes is no adjustment: it is refused, and the clock goes on as before."""
    armed, before = bench.arm(meter), ahead(meter, clock)
    kept = KeptClock(meter, armed, clock, bench.journal)
    for by in TOO_MUCH:
        bench.journal.audit("adjust clock", device=meter.name, by=str(by))
        try:
            meter.adjust_clock(armed, meter.read_clock() + by)
            answer = "taken"
        except Refused:
            answer = "refused"
        except DeviceError:
            kept.restore()
            raise
        meter.log_out()
        if answer == "taken":
            kept.restore()
        measure(f"adjustment by {by // timedelta(minutes=1)} min", answer, device=meter.name).is_("refused")
    clock.sleep(MINUTE)
    moved = round(ahead(meter, clock) - before, 1)
    measure("clock moved by", moved, Unit.S, device=meter.name).within(Decimal(0), RESOLUTION)
