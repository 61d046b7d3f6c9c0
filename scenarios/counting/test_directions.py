"""Where energy goes: in or out, real or reactive, in the direction of its power; and no Wh is left out."""

from itertools import pairwise

from bench.clock import Clock
from bench.control import Loads
from bench.drivers.powerlogic import Series
from bench.measure import Measure, Unit
from bench.procedures.reading import growth_of
from bench.procedures.transfer_judgement import unit_of
from protocols.powerlogic.energy import Quantity
from scenarios.marks import catches, destructive

SIX_SECONDS, ONE_SECOND = 6_000_000_000, 1_000_000_000
QUADRANTS = {
    "import, lagging": (40_000, 0.8),
    "export, lagging": (-40_000, 0.8),
    "export, leading": (-40_000, -0.8),
    "import, leading": (40_000, -0.8),
}
PARTS = {
    "real": (Quantity.REAL_IN, Quantity.REAL_OUT),
    "reactive": (Quantity.REACTIVE_IN, Quantity.REACTIVE_OUT),
}
ONE_WH_A_SECOND, LOOKS = 3_600, 12


@destructive("changes the load behind the meter")
@catches("P15")
def test_each_energy_grows_on_its_side(target: Series, load_restored: Loads, clock: Clock, measure: Measure) -> None:
    """In each of the four quadrants the energies grow in the direction in which the powers flow."""
    for quadrant, (watts, power_factor) in QUADRANTS.items():
        load_restored.set(target.name, watts, power_factor)
        before = target.read_energies()
        clock.sleep(SIX_SECONDS)
        after = target.read_energies()
        for kind, (inward, outward) in PARTS.items():
            flows_in = int(str(target.value(f"{kind}_power_total")).split(".")[0]) > 0
            for quantity, grows in ((inward, flows_in), (outward, not flows_in)):
                grown = after[quantity] - before[quantity]
                check = measure(f"{quantity.title} grew on {quadrant}", grown, unit_of(quantity), device=target.name)
                check.at_least(40) if grows else check.between(0, 1)


@destructive("changes the load behind the meter")
@catches("P30")
def test_every_watt_hour_is_shown(target: Series, load_restored: Loads, clock: Clock, measure: Measure) -> None:
    """At one Wh a second the register moves by no more at a time than a second can have counted."""
    load_restored.set(target.name, ONE_WH_A_SECOND)
    growth = growth_of(target)
    readings = [target.read_energies()]
    for _ in range(LOOKS):
        clock.sleep(ONE_SECOND)
        readings.append(target.read_energies())
    for before, after in pairwise(readings):
        moved = after[Quantity.REAL_TOTAL] - before[Quantity.REAL_TOTAL]
        most = growth.within(Quantity.REAL_TOTAL, after.answered_at - before.asked_at)
        measure("real energy total moves by", moved, Unit.WH, device=target.name).between(0, most)
