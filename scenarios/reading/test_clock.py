"""The meter's clock goes, and at the right speed."""

from decimal import Decimal

from bench.clock import Clock
from bench.drivers.driver import Driver
from bench.drivers.powerlogic import Series
from bench.measure import Measure, Unit
from scenarios.marks import catches, needs

WAIT = 10_000_000_000
#: A clock shows whole seconds: two readings lose up to one between them.
RESOLUTION = Decimal("1.1")


@needs("read-clock")
@catches("P24")
def test_the_clock_goes(meter: Driver, clock: Clock, measure: Measure) -> None:
    """In ten seconds of the bench the meter's clock goes ten seconds on."""
    before, first, begin = clock.now(), meter.read_clock(), clock.now()
    clock.sleep(WAIT)
    end, second, after = clock.now(), meter.read_clock(), clock.now()
    went = Decimal(str((second - first).total_seconds()))
    # Where a reading had to be repeated, nobody knows when in its time the clock was looked at.
    least, most = (Decimal(span) / 1_000_000_000 for span in (end - begin, after - before))
    measure("the clock went", went, Unit.S, device=meter.name).between(
        round(least - RESOLUTION, 3), round(most + RESOLUTION, 3)
    )


@needs("read-clock")
@catches("P22")
def test_the_day_of_the_week_is_that_of_the_date(target: Series, measure: Measure) -> None:
    """Sunday is 1, and the day follows the date."""
    found, shown = target.values(["clock_weekday"])["clock_weekday"], target.read_clock()
    measure("day of the week", int(str(found)), device=target.name).is_(shown.isoweekday() % 7 + 1)
