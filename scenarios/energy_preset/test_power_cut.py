"""A cut of the supply after a preset: all of the old energies or all of the new ones, whenever it comes."""

from dataclasses import dataclass

from bench.bench import Bench
from bench.clock import Clock
from bench.control import Supplies
from bench.drivers.powerlogic import Series
from bench.drivers.powerlogic.values import EnergyReading
from bench.measure import Measure
from bench.procedures.preset import Preset, preset_energies
from bench.procedures.reading import Growth
from protocols.powerlogic.energy import Quantity
from scenarios.marks import catches, destructive

SECOND = 1_000_000_000
KEPT = "energies after a power cut"
RETURN = 120 * SECOND
#: How long after a preset was answered the supply is cut: in the middle of a save, if the meter takes its time for one.
SOON = (0, SECOND // 4)
#: After so long, whatever a meter puts off has been done; no document gives a time.
LONG = 20 * SECOND
#: How often somebody writes to a busy meter.
OFTEN = 2 * SECOND
#: Above 10^8, so that old and new differ in their upper words as well as in their lower ones.
OLD = {quantity: 1_123_456_780 * (index + 1) for index, quantity in enumerate(Quantity)}
NEW = {quantity: 52_345_600_130 * (index + 1) for index, quantity in enumerate(Quantity)}


@dataclass
class Seen:
    """What a meter showed after a cut, and the instants (ns) between which the energies in it were preset."""

    reading: EnergyReading
    growth: Growth
    since: int

    def holds(self, energies: dict[Quantity, int], quantity: Quantity) -> bool:
        """Whether an energy is one of these and what was counted since; the sets are far apart, so a rating will do."""
        most = self.growth.at_most(self.reading.answered_at - self.since)
        return abs(self.reading[quantity] - energies[quantity]) <= most

    def set_of(self, **sets: dict[Quantity, int]) -> str:
        """The set that all seven are of; which is of which if they are not."""
        whole = [name for name, energies in sets.items() if all(self.holds(energies, q) for q in Quantity)]
        if whole:
            return whole[0]
        shown = {q: [name for name, energies in sets.items() if self.holds(energies, q)] for q in Quantity}
        return ", ".join(f"{q.title} {names[0] if names else self.reading[q]}" for q, names in shown.items())


def cut(meter: Series, bench: Bench, supplies: Supplies) -> EnergyReading:
    """Cut the supply of a meter and read it when it is back."""
    bench.journal.audit("power cycle", device=meter.name)
    supplies.cycle(meter.name)
    meter.wait_until_it_answers(RETURN)
    return meter.read_energies()


def load(meter: Series, bench: Bench, measure: Measure, energies: dict[Quantity, int]) -> Preset | None:
    """Preset a meter and see that it took the energies; None if not, which is no question of its supply."""
    found = preset_energies(meter, energies, armed=bench.arm(meter), journal=bench.journal)
    if Seen(found.after, found.growth, found.commanded_at).set_of(loaded=energies) == "loaded":
        return found
    measure.not_determinable(KEPT, "a preset that is right before the cut", device=meter.name)
    return None


@destructive("presets energies and interrupts the supply soon afterwards, twice")
@catches("P33", "P34", "P37", "P38", "P39")
def test_a_cut_soon_after_a_preset_leaves_one_set(
    fresh: Series, bench: Bench, clock: Clock, supplies: Supplies, measure: Measure
) -> None:
    """Saved or not yet saved, and never a part of it; 3290 tells of what is kept, and a second preset recovers."""
    since = clock.now()
    if load(fresh, bench, measure, OLD) is None:
        return
    for wait in SOON:
        clock.sleep(LONG)
        before = fresh.stamp("energy_preset_time")
        found = load(fresh, bench, measure, NEW)
        if found is None:
            return
        clock.sleep(wait)
        seen = Seen(cut(fresh, bench, supplies), found.growth, since)
        kept = seen.set_of(new=NEW, old=OLD)
        measure(KEPT, kept, device=fresh.name).one_of(("new", "old"))
        stamp = "of the last preset" if fresh.stamp("energy_preset_time") != before else "of none since"
        told = "of the last preset" if kept == "new" else "of none since"
        measure("preset stamp after a power cut", stamp, device=fresh.name).is_(told)
        load(fresh, bench, measure, OLD)
        clock.sleep(LONG)
        again = Seen(cut(fresh, bench, supplies), found.growth, since).set_of(new=NEW, old=OLD)
        measure("energies after a power cut, preset again before it", again, device=fresh.name).is_("old")


@destructive("presets energies, writes to the buffer for a minute, and interrupts the supply")
@catches("D15", "P35")
def test_a_meter_that_is_written_to_saves_too(
    fresh: Series, bench: Bench, clock: Clock, supplies: Supplies, measure: Measure
) -> None:
    """A master that never rests must not keep a meter from saving what it was told."""
    armed, since = bench.arm(fresh), clock.now()
    found = load(fresh, bench, measure, NEW)
    if found is None:
        return
    bench.journal.audit("write", device=fresh.name, registers="8022", values=[0], often=True)
    while clock.now() < found.commanded_at + LONG:
        fresh.session.write(armed, 8022, 0)
        clock.sleep(OFTEN)
    seen = Seen(cut(fresh, bench, supplies), found.growth, since)
    measure(KEPT, seen.set_of(new=NEW), device=fresh.name).is_("new")
