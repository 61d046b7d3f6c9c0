"""Setting the clock, and refusing a date that does not exist."""

from decimal import Decimal

from bench.bench import Bench
from bench.clock import Clock
from bench.drivers.driver import Driver
from bench.drivers.powerlogic import Series
from bench.measure import Measure, Unit
from bench.procedures.keeping import clock_kept
from protocols.powerlogic.tables import command_code
from scenarios.marks import catches, destructive, needs

INVALID_PARAMETERS = 82
WRONG_DATES = {
    "31 February": (2, 31, 2026, 12, 0, 0),
    "month 13": (13, 1, 2026, 12, 0, 0),
    "hour 24": (1, 1, 2026, 24, 0, 0),
    "second 60": (1, 1, 2026, 12, 0, 60),
    "a year of two digits": (1, 1, 26, 12, 0, 0),
}
SECONDS = Decimal(5)


@destructive("sets the clock, and sets it back")
@needs("set-clock")
@catches("E146", "P40")
def test_the_clock_takes_a_new_time(meter: Driver, bench: Bench, clock: Clock, measure: Measure) -> None:
    """A time in another year is shown at once, and the old time comes back with what has passed."""
    armed = bench.arm(meter)
    with clock_kept(meter, armed, clock, bench.journal) as kept:
        wanted = kept.before.replace(year=kept.before.year + 1, month=2, day=28, hour=23, minute=0, second=0)
        bench.journal.audit("set clock", device=meter.name, before=kept.before, value=wanted)
        began = clock.now()
        meter.set_clock(armed, wanted)
        shown = meter.read_clock()
        ahead = Decimal(str((shown - wanted).total_seconds()))
        took = max(SECONDS, Decimal((clock.now() - began) // 1_000_000_000 + 1))  # a visit of its own takes longer
        measure("shown after the set time", ahead, Unit.S, device=meter.name).between(Decimal(0), took)
    shown = meter.read_clock()
    off = Decimal(str((shown - kept.now).total_seconds()))
    measure("restored clock is off by", off, Unit.S, device=meter.name).within(Decimal(0), took)


@destructive("tries to set impossible dates")
@catches("D37")
def test_impossible_dates_are_refused(target: Series, bench: Bench, clock: Clock, measure: Measure) -> None:
    """An impossible date is answered with 82 and the clock goes on."""
    armed = bench.arm(target)
    code = command_code(target.model.family, "set_clock")
    with clock_kept(target, armed, clock, bench.journal):
        for what, parameters in WRONG_DATES.items():
            before = target.read_clock()
            bench.journal.audit("set clock", device=target.name, parameters=list(parameters))
            result = target.try_command(armed, code, parameters)
            measure(f"result for {what}", result, device=target.name).is_(INVALID_PARAMETERS)
            moved = Decimal(str((target.read_clock() - before).total_seconds()))
            measure(f"clock moved by, after {what}", moved, Unit.S, device=target.name).between(Decimal(0), SECONDS)


@destructive("sets the clock to the end of a February, and sets it back")
@needs("set-clock")
@catches("P06", "P29")
def test_a_leap_day_is_a_day(target: Series, bench: Bench, clock: Clock, measure: Measure) -> None:
    """29 February comes after the 28th of a leap year, it can be set, and it begins at midnight."""
    armed, code = bench.arm(target), command_code(target.model.family, "set_clock")
    with clock_kept(target, armed, clock, bench.journal) as kept:
        bench.journal.audit("set clock", device=target.name, before=kept.before, value="28 and 29 February 2028")
        target.try_command(armed, code, (2, 28, 2028, 23, 59, 58))
        clock.sleep(4_000_000_000)
        measure("leap day, reached", f"{target.read_clock():%d %B}", device=target.name).is_("29 February")
        result = target.try_command(armed, code, (2, 29, 2028, 0, 0, 5))
        measure("leap day, result of setting it", result, device=target.name).is_(0)
        shown = target.read_clock()
        measure("leap day, shown", f"{shown:%d %B %H:%M}", device=target.name).is_("29 February 00:00")
