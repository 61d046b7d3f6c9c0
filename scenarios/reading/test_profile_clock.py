"""The load profile when the clock moves: set forward, set back, advanced and retarded by daylight saving."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta

from bench.bench import Bench
from bench.clock import Clock
from bench.drivers.elster import Elster
from bench.measure import Measure
from bench.procedures.head_end import HeadEnd
from bench.procedures.keeping import clock_kept
from bench.procedures.meter_time import let_time_pass, sleep_to_end_of, sleep_until
from bench.procedures.profile_reading import ProfileReading, read_profile
from bench.procedures.quality import Quality
from protocols.elster.profile import Interval, IntervalStatus
from scenarios.marks import catches, destructive, needs

MINUTE, HOUR = 60_000_000_000, 3_600_000_000_000
HALF_HOUR = timedelta(minutes=30)
FORWARD, BACK = timedelta(hours=3, minutes=5), timedelta(hours=2, minutes=5)
#: Days on which the United Kingdom's rule changes the clock, and the half hours they have.
SPRING, AUTUMN = datetime(2027, 3, 28), datetime(2026, 10, 25)  # noqa: DTZ001  # a meter keeps local time
SHORT_DAY, LONG_DAY = 46, 50


@contextmanager
def other_time(meter: Elster, bench: Bench, moment: datetime) -> Iterator[None]:
    """Have the clock at another time for a while."""
    armed = bench.arm(meter)
    with clock_kept(meter, armed, bench.clock, bench.journal) as kept:
        bench.journal.audit("set clock", device=meter.name, before=kept.before, value=moment)
        meter.set_clock(armed, moment)
        yield


def tell(measure: Measure, meter: Elster, found: ProfileReading) -> None:
    """What the profile says against itself; nothing on a healthy meter."""
    said = "; ".join(found.contradictions)
    measure("the profile contradicts itself", said or "no", device=meter.name).is_("no")


@destructive("sets the clock forward, and sets it back")
@needs("read-profile", "set-clock")
@catches("E41", "E92")
def test_a_clock_set_forward_is_marked(meter: Elster, bench: Bench, clock: Clock, measure: Measure) -> None:
    """The intervals that the clock jumped over are accounted for by a marker, and the one it left says so."""
    let_time_pass(clock, "what a clock set forward leaves in a load profile")
    sleep_to_end_of(meter, clock, HALF_HOUR)
    clock.sleep(4 * HOUR + 10 * MINUTE)
    with other_time(meter, bench, meter.read_clock() + FORWARD):
        clock.sleep(2 * HOUR)
        found = read_profile(meter, days=2)
        jumped = [each for each in found.findings if each.kind == "clock set"]
        measure("clock settings that are marked", len(jumped), device=meter.name).is_(1)
        measure("intervals jumped over", sum(each.intervals for each in jumped), device=meter.name).is_(5)
        touched = sum(
            isinstance(each, Interval) and bool(each.status & IntervalStatus.TIME_SYNC)
            for each in meter.read_profile(days=2)
        )
        measure("records with the status of a clock setting", touched, device=meter.name).is_(1)
        tell(measure, meter, found)


@destructive("sets the clock back, and sets it forward again")
@needs("read-profile", "set-clock")
@catches("E42")
def test_a_clock_set_back_is_marked(meter: Elster, bench: Bench, clock: Clock, measure: Measure) -> None:
    """Intervals that occur twice are accounted for by a marker, and the second of each says that it is one."""
    let_time_pass(clock, "what a clock set back leaves in a load profile")
    sleep_to_end_of(meter, clock, HALF_HOUR)
    clock.sleep(4 * HOUR + 10 * MINUTE)
    with other_time(meter, bench, meter.read_clock() - BACK):
        clock.sleep(4 * HOUR)
        found = read_profile(meter, days=2)
        doubled = [each for each in found.duplicates if each.explained]
        measure("clock settings that are marked", len(doubled), device=meter.name).is_(1)
        named = sum(each.intervals for each in doubled)
        second = sum(Quality.DUPLICATE in each.quality for each in found.intervals)
        measure("intervals that stand twice", second, device=meter.name).is_(named)
        tell(measure, meter, found)


@destructive("sets the clock to the eve of a change in spring, and sets it back")
@needs("read-profile", "set-clock")
@catches("E43", "E90", "T43")
def test_a_day_in_spring_is_shorter(
    meter: Elster, bench: Bench, clock: Clock, head_end: HeadEnd, measure: Measure
) -> None:
    """The day on which the clock is advanced has 46 half hours, and the profile says why."""
    changed_day(meter, bench, clock, head_end, measure, SPRING, SHORT_DAY)


@destructive("sets the clock to the eve of a change in autumn, and sets it back")
@needs("read-profile", "set-clock")
@catches("E43", "E90", "T43")
def test_a_day_in_autumn_is_longer(
    meter: Elster, bench: Bench, clock: Clock, head_end: HeadEnd, measure: Measure
) -> None:
    """The day on which the clock is put back has 50 half hours, and the profile says why."""
    changed_day(meter, bench, clock, head_end, measure, AUTUMN, LONG_DAY)


def changed_day(
    meter: Elster, bench: Bench, clock: Clock, head_end: HeadEnd, measure: Measure, day: datetime, half_hours: int
) -> None:
    """Let the meter live through a day on which its clock is changed, and look at that day's intervals."""
    let_time_pass(clock, "what daylight saving does to a load profile")
    with other_time(meter, bench, day - timedelta(hours=3)):
        sleep_until(meter, clock, datetime.combine(day.date() + timedelta(days=1), time(1)))
        found = read_profile(meter, days=3, head_end=head_end)
        inside = next((each for each in found.days(head_end) if each.date == day.date()), None)
        shown = len(inside.intervals) if inside else 0
        measure("half hours of the day", shown, device=meter.name).is_(half_hours)
        measure("half hours of the day as the clock changed", inside.expected if inside else 0, device=meter.name).is_(
            half_hours
        )
        changes = [each for each in found.findings if each.kind == "daylight saving"]
        measure("changes of the clock that are marked", len(changes), device=meter.name).is_(1)
        tell(measure, meter, found)
