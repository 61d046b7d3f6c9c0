"""Energies beside the accumulated ones: conditional, incremental, as floats; and what clears which."""

from decimal import Decimal

from bench.bench import Bench
from bench.clock import Clock
from bench.drivers.powerlogic import Series
from bench.measure import Measure, Unit
from bench.procedures.preset import preset_energies
from bench.procedures.reading import growth_of
from bench.procedures.transfer_judgement import unit_of
from protocols.powerlogic.energy import Quantity
from scenarios.marks import catches, destructive, needs

NS_PER_HOUR = 3_600_000_000_000
CONDITIONAL, INCREMENTAL = "conditional_apparent_energy_total", "incremental_apparent_energy_total"
START = {quantity: 123_456_789 + 10_000_000 * index for index, quantity in enumerate(Quantity)}
#: What single precision keeps of a value.
SINGLE = Decimal("6e-8")


def whole(meter: Series, name: str) -> int:
    """A named energy in whole Wh."""
    return int(str(meter.value(name)))


def count(meter: Series, clock: Clock) -> None:
    """Let the load move some 30 Wh, at most in a minute."""
    clock.sleep(min(60_000_000_000, 30 * NS_PER_HOUR // max(1, int(meter.power_ceiling()["apparent"]))))


@destructive("counts and clears conditional energy")
@needs("partial-energy")
@catches("P07")
def test_conditional_energy_is_counted_on_demand(target: Series, bench: Bench, clock: Clock, measure: Measure) -> None:
    """It counts from 6321 to 6320, and stands still before and after."""
    armed = bench.arm(target)
    bench.journal.audit("conditional energy on and off", device=target.name, codes=[6321, 6320])
    try:
        target.command(armed, "conditional_on")
        first = whole(target, CONDITIONAL)
        count(target, clock)
    finally:
        target.command(armed, "conditional_off")
    second = whole(target, CONDITIONAL)
    measure("conditional energy counted while on", second - first, Unit.VAH, device=target.name).at_least(10)
    measure("conditional energy status", int(str(target.value("conditional_status"))) & 1, device=target.name).is_(0)
    count(target, clock)
    still = whole(target, CONDITIONAL) - second
    measure("conditional energy counted while off", still, Unit.VAH, device=target.name).is_(0)


@destructive("begins incremental intervals")
@needs("partial-energy")
@catches("P26")
def test_an_incremental_interval_begins_at_zero(target: Series, bench: Bench, clock: Clock, measure: Measure) -> None:
    """Each interval shows what was counted in it and nothing of the one before."""
    armed, growth = bench.arm(target), growth_of(target)
    bench.journal.audit("new incremental interval", device=target.name, code=6910)
    target.command(armed, "new_incremental_interval")
    for name in ("first", "second"):
        since = clock.now()
        count(target, clock)
        target.command(armed, "new_incremental_interval")
        most = growth.within(Quantity.APPARENT_TOTAL, clock.now() - since)
        shown = whole(target, INCREMENTAL)
        measure(f"incremental energy of the {name} interval", shown, Unit.VAH, device=target.name).between(10, most)


@destructive("clears energies")
@needs("partial-energy")
@catches("P20", "P21")
def test_each_clear_clears_its_own(target: Series, bench: Bench, measure: Measure) -> None:
    """6212 clears the conditional energies and 6211 all of the accumulated ones."""
    armed = bench.arm(target)
    before = preset_energies(target, START, armed=armed, journal=bench.journal)
    bench.journal.audit("clear", device=target.name, codes=[6212, 6211])
    target.command(armed, "clear_conditional")
    kept = target.read_energies()
    fell = [q.title for q, value in before.after.values.items() if kept[q] < value // 2]
    measure("energies after clearing the conditional", ", ".join(fell) or "kept", device=target.name).is_("kept")
    since = bench.clock.now()
    target.command(armed, "clear_accumulated")
    cleared = target.read_energies()
    for quantity in Quantity:
        most = before.growth.within(quantity, cleared.answered_at - since)
        down = before.growth.down(quantity, cleared.answered_at - since)
        measure(f"{quantity.title} after clearing", cleared[quantity], unit_of(quantity), device=target.name).between(
            -down, most
        )


@destructive("enables the float registers, presets energies, and disables them again")
@needs("program-setup")
@catches("D27")
def test_floats_follow_a_preset(target: Series, bench: Bench, measure: Measure) -> None:
    """The float copy of each energy shows what the four words show, as far as single precision goes."""
    armed = bench.arm(target)
    enabled = int(target.value("enable_floats") == 1)
    bench.journal.audit("program", device=target.name, enable_floats=1, before=enabled)
    target.program(armed, {"enable_floats": 1})
    try:
        found = preset_energies(target, START, armed=armed, journal=bench.journal)
        floats = target.values([f"float_{quantity.value}" for quantity in Quantity])
        span = bench.clock.now() - found.after.asked_at
        for quantity, value in found.after.values.items():
            shown = floats[f"float_{quantity.value}"]
            name = f"{quantity.title} as a float"
            loss = abs(value) * SINGLE + 1
            low = value - found.growth.down(quantity, span) - loss
            high = value + found.growth.within(quantity, span) + loss
            wh = Decimal(str(shown)) if shown is not None else None
            measure(name, wh, unit_of(quantity), device=target.name).between(low, high)
    finally:
        target.program(armed, {"enable_floats": enabled})
