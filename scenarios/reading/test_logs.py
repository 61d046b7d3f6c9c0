"""Event logs: how often, when the last three times, and over from 65535 to 0; who programmed, and how often."""

from datetime import datetime, timedelta
from itertools import pairwise

from bench.bench import Bench
from bench.clock import Clock
from bench.control import Loads, Supplies
from bench.drivers.elster import Elster
from bench.errors import Refused
from bench.measure import Measure
from bench.procedures.daylight_shift import read_daylight_shift
from bench.procedures.keeping import clock_kept, object_kept
from bench.procedures.meter_time import let_time_pass
from protocols.elster.logs import COUNTS, KEPT
from scenarios.marks import catches, destructive, needs

SECOND, MINUTE = 1_000_000_000, 60_000_000_000
CUTS = 4
#: How far a stamp and the bench's own note of the moment can be apart.
NEAR = timedelta(seconds=5)
WATTS = 20_000
WHO, OTHER = "QA ENGINEER", "SOMEBODY"


def standard_time(meter: Elster) -> datetime:
    """What the meter's Unix seconds count now."""
    return read_daylight_shift(meter).unix(meter.read_clock())


def rises(before: int, after: int) -> int:
    """By how much a count of 16 bits has risen."""
    return (after - before) % COUNTS


@destructive("interrupts the supply four times")
@needs("read-logs")
@catches("E36")
def test_power_failures_are_logged(
    meter: Elster, bench: Bench, clock: Clock, supplies: Supplies, measure: Measure
) -> None:
    """Each cut counts once, and the last three have their times, the latest first."""
    let_time_pass(clock, "what four power cuts leave in a log")
    before = meter.read_log("power_failure")
    moments = []
    for _ in range(CUTS):
        clock.sleep(10 * MINUTE)
        moments.append(standard_time(meter))
        bench.journal.audit("power cycle", device=meter.name, off="60 s")
        supplies.cycle(meter.name, MINUTE)
        meter.wait_until_it_answers(2 * MINUTE)
    found = meter.read_log("power_failure")
    measure("power failures counted", rises(before.count, found.count), device=meter.name).is_(CUTS)
    for place, moment in enumerate(reversed(moments[-KEPT:])):
        shown = found.times[place]
        fits = shown is not None and abs(shown - moment) <= NEAR
        measure(f"stamp {place} of the power failures", "its moment" if fits else str(shown), device=meter.name).is_(
            "its moment"
        )
    stamps = [each for each in found.times if each is not None]
    measure("stamps in order", all(a >= b for a, b in pairwise(stamps)), device=meter.name).is_(expected=True)


@destructive("changes the load behind the meter")
@needs("read-logs")
@catches("E93")
def test_a_count_goes_over_to_zero(meter: Elster, clock: Clock, loads: Loads, measure: Measure) -> None:
    """Three times export: the count of reverse running rises by three, and 65535 is followed by 0."""
    loads.set(meter.name, WATTS)
    clock.sleep(2 * SECOND)
    before = meter.read_log("reverse_running")
    for _ in range(KEPT):
        for watts in (-WATTS, WATTS):
            loads.set(meter.name, watts)
            clock.sleep(20 * SECOND)
    found = meter.read_log("reverse_running")
    over = "over from 65535 to 0" if found.count < before.count else ""
    measure("reverse runnings counted", rises(before.count, found.count), device=meter.name, note=over).is_(KEPT)


@destructive("programs the scheme's name twice, and brings the old one back")
@needs("read-logs", "program-scheme")
@catches("E35", "E37")
def test_a_session_is_one_programming(meter: Elster, bench: Bench, measure: Measure) -> None:
    """Whatever a session programs counts once, under the name that was given in it and from where it came."""
    armed, row = bench.arm(meter), meter.identity("scheme_id")
    before = meter.read_programming_log()
    with object_kept(meter, armed, bench.journal, row.number, row.size) as held:
        for who in (OTHER, WHO):
            bench.journal.audit("program", device=meter.name, identity=row.number, user=who)
            meter.log_in(armed, 3, who)
            meter.write_object(armed, row.number, b"METERBEN".ljust(row.size))
            meter.write_object(armed, row.number, held)
            meter.log_out()
    found = meter.read_programming_log()
    measure("programmings counted", rises(before.count, found.count), device=meter.name).is_(2)
    dated = found.times[0] is not None
    measure("latest programming has its time", dated, device=meter.name).is_(expected=True)
    if not any(found.users):
        measure.not_applicable("programmer", f"an {meter.device.model} keeps no names", device=meter.name)
        return
    names = ", ".join(user.decode("ascii", "replace") for user in found.users[:2])
    measure("programmer", names, device=meter.name).is_(f"{WHO}, {OTHER}")
    measure("programmed from the same place", len(set(found.sources[:2])), device=meter.name).is_(1)


@destructive("tries to program nonsense")
@needs("read-logs", "program-scheme")
@catches("E94")
def test_what_is_refused_is_no_programming(meter: Elster, bench: Bench, measure: Measure) -> None:
    """A write that the meter refuses changes nothing and counts nothing."""
    armed = bench.arm(meter)
    before = meter.read_programming_log().count
    with clock_kept(meter, armed, bench.clock, bench.journal) as kept:
        bench.journal.audit("program", device=meter.name, identity="clock", value="month 13")
        try:
            meter.log_in(armed, 3)
            meter.write_object(armed, meter.identity("clock").number, bytes.fromhex("00000001130026"))
            answer = "taken"
        except Refused:
            answer = "refused"
        meter.log_out()
        measure("answer to month 13", answer, device=meter.name).is_("refused")
        measure("clock goes on", not kept.is_off(), device=meter.name).is_(expected=True)
        counted = rises(before, meter.read_programming_log().count)
        measure("programmings counted of a refusal", counted, device=meter.name).is_(0)
