"""The registers of an Elster meter: four quadrants, rates, roll-over, and what a power cut leaves of them."""

from datetime import timedelta
from decimal import Decimal

from bench.bench import Bench
from bench.clock import Clock
from bench.control import Loads, Supplies
from bench.drivers.elster import Elster
from bench.measure import Measure, Unit
from bench.procedures.elster_sections import programmed
from bench.procedures.head_end import HeadEnd
from bench.procedures.meter_time import let_time_pass, sleep_until
from protocols.elster.configuration import DayType, MonthDay, Season, SwitchingTime, TariffStructure
from protocols.elster.registers import decode_energies
from protocols.elster.tables import Source
from scenarios.marks import catches, destructive, needs

SECOND, MINUTE, HOUR = 1_000_000_000, 60_000_000_000, 3_600_000_000_000
WATTS = 40_000
#: Real power (W) and power factor, and of the registers those that grow: at a factor of 0.8 by 40, 30 and 50 kW.
QUADRANTS: dict[str, tuple[int, float, dict[Source, int]]] = {
    "import, lagging": (WATTS, 0.8, {Source.IMPORT: 40, Source.Q1: 30, Source.VA_IMPORT: 50, Source.VA: 50}),
    "export, lagging": (-WATTS, 0.8, {Source.EXPORT: 40, Source.Q2: 30, Source.VA_EXPORT: 50, Source.VA: 50}),
    "export, leading": (-WATTS, -0.8, {Source.EXPORT: 40, Source.Q3: 30, Source.VA_EXPORT: 50, Source.VA: 50}),
    "import, leading": (WATTS, -0.8, {Source.IMPORT: 40, Source.Q4: 30, Source.VA_IMPORT: 50, Source.VA: 50}),
}
#: What a meter and a load may be off by.
ACCURACY = Decimal("0.03")
#: A load that is changed by a command does not change at an instant.
SETTLING = 2 * SECOND
RETURN = 2 * MINUTE
RATE_SOURCES = 4
SWITCH_AFTER, WATCHED = timedelta(minutes=20), timedelta(minutes=50)


@destructive("changes the load behind the meter")
@needs("read-billing")
@catches("E54", "E81", "T51", "T81")
def test_each_quadrant_has_its_registers(
    meter: Elster, loads: Loads, clock: Clock, head_end: HeadEnd, measure: Measure
) -> None:
    """In each quadrant the registers of its energies grow by what the load makes, and no others."""
    for quadrant, (watts, power_factor, kilowatts) in QUADRANTS.items():
        loads.set(meter.name, watts, power_factor)
        clock.sleep(SETTLING)
        before = head_end.totals(meter)
        clock.sleep(6 * MINUTE)
        after = head_end.totals(meter)
        least, most = after.asked_at - before.answered_at, after.answered_at - before.asked_at
        for source in before.values:
            power = 1000 * kilowatts.get(source, 0) * (source.unit != "")
            low, high = power * least * (1 - ACCURACY) / HOUR, power * most * (1 + ACCURACY) / HOUR
            grown = head_end.advance(before[source], after[source])
            measure(f"{source.title} grew on {quadrant}", grown, Unit(source.unit or "1"), device=meter.name).between(
                round(low, 3) - Decimal("0.001"), round(high, 3) + Decimal("0.001")
            )


@destructive("programs a tariff, and brings the old one back")
@needs("read-billing", "program-scheme")
@catches("E82")
def test_a_rate_counts_from_its_switching_time(
    meter: Elster, bench: Bench, clock: Clock, loads: Loads, measure: Measure
) -> None:
    """One rate counts up to the switching time, the other from then on, and nothing counts twice."""
    let_time_pass(clock, "what a switching time does")
    loads.set(meter.name, WATTS)
    start = meter.read_clock()
    switch = (start + SWITCH_AFTER).replace(second=0)
    first, second = (1, RATE_SOURCES + 1), (2, RATE_SOURCES + 2)
    day = DayType((SwitchingTime(0, first), SwitchingTime(switch.hour * 60 + switch.minute, second)))
    tariff = TariffStructure((Season(MonthDay(1, 1), (1,) * 7),), (day,))
    with programmed(meter, tariff, armed=bench.arm(meter), journal=bench.journal):
        begun, before = meter.read_clock(), rates_of(meter)
        sleep_until(meter, clock, begun + WATCHED)
        ended, after = meter.read_clock(), rates_of(meter)
    grown = [late - early for early, late in zip(before, after, strict=True)]
    for rate, (low, high) in {1: (begun, switch), 2: (switch, ended)}.items():
        expected = Decimal((high - low) / timedelta(seconds=1)) * WATTS / 3600
        measure(f"rate {rate} counted", grown[rate - 1], Unit.WH, device=meter.name).within(
            round(expected, 3), round(expected * ACCURACY, 3)
        )
    measure("other rates counted", sum(grown[2:], Decimal(0)), Unit.WH, device=meter.name).is_(Decimal(0))


def rates_of(meter: Elster) -> list[Decimal]:
    """The TOU registers (508) in Wh."""
    data = meter.image("tou")
    return [Decimal(value) / 1000 for value in meter.decoded("rates", lambda: decode_energies(data))]


@needs("read-billing")
@catches("T48")
def test_a_register_that_begins_again_has_advanced(
    meter: Elster, clock: Clock, head_end: HeadEnd, measure: Measure
) -> None:
    """Over two hours no register has run backwards, whether or not it came to its last digit."""
    let_time_pass(clock, "what a roll-over does")
    before = head_end.totals(meter)
    clock.sleep(2 * HOUR)
    after = head_end.totals(meter)
    most = Decimal(meter.rating() * (after.answered_at - before.asked_at)) / HOUR
    for source, value in before.values.items():
        over = after[source] < value
        measure(
            f"{source.title} advanced", head_end.advance(value, after[source]), Unit(source.unit or "1"),
            device=meter.name, note="over its last digit" if over else "",
        ).between(Decimal(0), round(most, 3))  # fmt: skip


@destructive("interrupts the supply for five minutes")
@needs("read-billing")
@catches("E53")
def test_a_power_cut_keeps_the_registers(
    meter: Elster, bench: Bench, clock: Clock, loads: Loads, supplies: Supplies, head_end: HeadEnd, measure: Measure
) -> None:
    """What was counted in the hour before a cut is there afterwards, and what flowed meanwhile is not."""
    let_time_pass(clock, "what a power cut leaves of an hour")
    loads.set(meter.name, WATTS)
    start = head_end.totals(meter)
    clock.sleep(HOUR)
    bench.journal.audit("power cycle", device=meter.name, off="300 s")
    off = clock.now()
    supplies.cycle(meter.name, 5 * MINUTE)
    on = clock.now()
    meter.wait_until_it_answers(RETURN)
    after = head_end.totals(meter)
    least, most = off - start.answered_at, off - start.asked_at + after.answered_at - on
    counted = head_end.advance(start[Source.IMPORT], after[Source.IMPORT])
    measure("import after a power cut", counted, Unit.WH, device=meter.name).between(
        round(WATTS * least * (1 - ACCURACY) / HOUR, 3), round(WATTS * most * (1 + ACCURACY) / HOUR, 3)
    )
