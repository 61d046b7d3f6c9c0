"""After a preset: the meter counts on, its neighbours are untouched, and a second preset is not the first one again."""

from bench.bench import Bench
from bench.clock import Clock
from bench.drivers.powerlogic import PowerLogic, Series
from bench.measure import Measure, Unit, decimal_of
from bench.procedures.neighbours import disturbed, look_at_neighbours
from bench.procedures.operator import Operator
from bench.procedures.preset import preset_energies
from bench.procedures.reading import growth_of
from bench.procedures.transfer_judgement import judge_transfer, unit_of
from bench.procedures.transfer_precheck import TransferRefused
from bench.verdicts import Verdict
from protocols.powerlogic.energy import Quantity
from scenarios.marks import catches, destructive, needs

#: How much a meter is to count before its counting is judged, and how long that may take (ns).
ENOUGH_WH, LONGEST_WAIT = 60, 36_000_000_000
START = {quantity: 7_000_000 * (index + 1) for index, quantity in enumerate(Quantity)}


def wait_for_energy(meter: Series, clock: Clock) -> int:
    """Let the load run until it has moved some Wh, at most 36 s; returns for how long (ns)."""
    watts = max(int(meter.power_ceiling()["real"]), 1)
    wait = min(LONGEST_WAIT, ENOUGH_WH * 3_600_000_000_000 // watts)
    clock.sleep(wait)
    return wait


@destructive("presets energies and lets the meter count on")
@catches("D17")
def test_the_meter_counts_on_from_there(fresh: Series, bench: Bench, clock: Clock, measure: Measure) -> None:
    """What is added after a preset is power times time: nothing lost and nothing counted twice."""
    first = preset_energies(fresh, START, armed=bench.arm(fresh), journal=bench.journal).after
    wait_for_energy(fresh, clock)
    second = fresh.read_energies()
    power = fresh.power_ceiling()
    for quantity in (Quantity.REAL_TOTAL, Quantity.APPARENT_TOTAL):
        kind = quantity.value.split("_")[0]
        shortest = second.asked_at - first.answered_at
        longest = second.answered_at - first.asked_at
        grown = abs(second[quantity] - first[quantity])
        low = decimal_of(float(power[kind]) * shortest / 3.6e12 * 0.99 - 2, 1)
        high = decimal_of(float(power[kind]) * longest / 3.6e12 * 1.01 + 2, 1)
        measure(f"{quantity.title} counted", grown, unit_of(quantity), device=fresh.name).between(low, high)


@destructive("counts conditional energy and presets the accumulated ones")
@needs("partial-energy")
@catches("D25", "P28")
def test_the_neighbours_are_left_alone(fresh: Series, bench: Bench, clock: Clock, measure: Measure) -> None:
    """Conditional and incremental energies, peak demands, extremes and set-up do not move with a preset."""
    armed = bench.arm(fresh)
    bench.journal.audit("conditional energy on", device=fresh.name, register=8000, code=6321)
    fresh.command(armed, "conditional_on")
    try:
        wait_for_energy(fresh, clock)
        fresh.command(armed, "new_incremental_interval")
        before, growth = look_at_neighbours(fresh), growth_of(fresh)
        counted = before["conditional_apparent_energy_total"]
        measure("conditional energy before", int(str(counted)), Unit.VAH, device=fresh.name).at_least(1)
        preset_energies(fresh, START, armed=armed, journal=bench.journal)
        found = disturbed(before, look_at_neighbours(fresh), growth)
        measure("changed beside the energies", "; ".join(found) or "nothing", device=fresh.name).is_("nothing")
    finally:
        fresh.command(armed, "conditional_off")


@destructive("overwrites the billing registers of the new meter, once")
@catches("O10", "D32", "P34")
def test_a_second_preset_erases_nothing(
    target: Series, old_for: PowerLogic, bench: Bench, clock: Clock, operator: type[Operator], measure: Measure
) -> None:
    """Repeating the procedure to be sure must not take back what was counted since: it is refused."""
    report = bench.transfer(old_for, target)
    judge_transfer(report, measure)
    if measure.worst >= Verdict.INCONCLUSIVE:
        return  # what was not taken over cannot be erased
    wait_for_energy(target, clock)
    before = target.read_energies()
    if not operator().repeats(target, bench.arm(target), report.words):
        try:
            bench.transfer(old_for, target)
            answer = "done again"
        except TransferRefused as error:
            answer = "refused" if "would erase" in str(error) else str(error)
        measure("a second transfer", answer, device=target.name).is_("refused")
    after = target.read_energies()
    growth = growth_of(target)
    for quantity, value in before.values.items():
        low = value - growth.down(quantity, after.answered_at - before.asked_at)
        measure(
            f"{quantity.title} after the second time", after[quantity], unit_of(quantity), device=target.name
        ).at_least(low)
