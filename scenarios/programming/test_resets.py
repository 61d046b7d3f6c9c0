"""Resets: peak demand and extremes begin anew, and nothing else does."""

from decimal import Decimal

from bench.bench import Bench
from bench.clock import Clock
from bench.control import Loads
from bench.drivers.driver import Driver
from bench.drivers.powerlogic import PowerLogic
from bench.measure import Measure, Unit
from bench.procedures.reading import growth_of
from scenarios.marks import catches, destructive, needs

EXTREMES, SMALLEST = "max_real_power_total", "min_real_power_total"


def number(value: object) -> Decimal:
    """A reading as a number."""
    return Decimal(value) if isinstance(value, Decimal | int) else Decimal(0)


@destructive("resets minima and maxima")
@needs("reset-extremes")
@catches("P09")
def test_extremes_begin_anew(meter: PowerLogic, bench: Bench, loads: Loads, measure: Measure) -> None:
    """After a reset the maximum is that of the load of now, not of the higher one before."""
    power = int(growth_of(meter).ceiling["real"])
    loads.set(meter.name, 2 * power)
    bench.clock.sleep(2_000_000_000)
    highest = number(meter.value(EXTREMES))
    loads.set(meter.name, power)
    bench.clock.sleep(2_000_000_000)
    measure("maximum kept while the load falls", number(meter.value(EXTREMES)), Unit.KW, device=meter.name).is_(highest)
    bench.journal.audit("reset min/max", device=meter.name)
    meter.reset_extremes(bench.arm(meter))
    measure("maximum after the reset", number(meter.value(EXTREMES)), Unit.KW, device=meter.name).at_most(
        highest * Decimal("0.6")
    )
    lowest = abs(number(meter.value(SMALLEST)))
    measure("minimum after the reset", lowest, Unit.KW, device=meter.name).at_least(highest * Decimal("0.4"))


@destructive("resets the peak demand")
@needs("reset-demand")
@catches("P08")
def test_peak_demand_begins_anew(meter: Driver, bench: Bench, clock: Clock, measure: Measure) -> None:
    """A reset of the demand leaves the energies alone and stamps itself."""
    clock.sleep(4_000_000_000)  # something to lose
    before, growth = meter.read_energies(), growth_of(meter)
    stamp = meter.demand_reset_stamp()
    clock.sleep(2_000_000_000)
    bench.journal.audit("reset demand", device=meter.name)
    meter.reset_demand(bench.arm(meter))
    measure("reset stamp is new", meter.demand_reset_stamp() not in (None, stamp), device=meter.name).is_(expected=True)
    after = meter.read_energies()
    span = after.answered_at - before.asked_at
    for quantity, value in before.values.items():
        low = value - growth.down(quantity, span)
        measure(quantity.title, after[quantity], device=meter.name).between(low, value + growth.within(quantity, span))
