"""Where counting is difficult: a carry while a block is read, the end of the register, a cut of the supply."""

from bench.bench import Bench
from bench.clock import Clock
from bench.control import Supplies
from bench.drivers.powerlogic import Series
from bench.drivers.powerlogic.values import EnergyReading
from bench.measure import Measure
from bench.procedures.preset import preset_energies
from bench.procedures.reading import Growth, growth_of
from bench.procedures.transfer_judgement import unit_of
from protocols.powerlogic.energy import LIMIT, WORD_LIMIT, WORDS, Quantity, decode
from protocols.powerlogic.words import signed
from scenarios.marks import catches, destructive

THREE_WORDS = 100_000_000
NS_PER_HOUR = 3_600_000_000_000
TENTH, SECOND, MINUTE = 100_000_000, 1_000_000_000, 60_000_000_000
#: How long (ns) and how often a block is read around a carry.
WATCHED, MOST_LOOKS = SECOND, 200
START = {quantity: 5_000_000 * (index + 1) for index, quantity in enumerate(Quantity)}
MOVING = (Quantity.REAL_TOTAL, Quantity.APPARENT_TOTAL)
RETURN = 2 * MINUTE


@destructive("presets energies just below a carry")
@catches("D24")
def test_a_block_is_whole_across_a_carry(target: Series, bench: Bench, clock: Clock, measure: Measure) -> None:
    """While 9999 9999 becomes 0 0 1, no block shows an energy that never was."""
    growth = growth_of(target)
    rate = max(1, int(growth.ceiling["real"] / 3600))
    energies = dict.fromkeys(Quantity, THREE_WORDS - 1 - rate)
    found = preset_energies(target, energies, armed=bench.arm(target), journal=bench.journal)
    clock.sleep(max(0, SECOND - TENTH - (clock.now() - found.commanded_at)))
    for quantity, wrong in worst_steps(target, growth, clock).items():
        measure(f"{quantity.title} over the carry", wrong or "step by step", device=target.name).is_("step by step")


def worst_steps(meter: Series, growth: Growth, clock: Clock) -> dict[Quantity, str]:
    """Read block after block; what no load explains between two of them, by quantity."""
    wrong: dict[Quantity, str] = dict.fromkeys(MOVING, "")
    end, before = clock.now() + WATCHED, meter.read_energies()
    for _ in range(MOST_LOOKS):
        after = meter.read_energies()
        for quantity in MOVING:
            if not follows(before, after, quantity, growth):
                wrong[quantity] = f"{before[quantity]}, then {after[quantity]}"
        if clock.now() > end:
            break
        before = after
    return wrong


def follows(before: EnergyReading, after: EnergyReading, quantity: Quantity, growth: Growth) -> bool:
    """Whether an energy can have gone from one reading to the next."""
    span = after.answered_at - before.asked_at
    moved = after[quantity] - before[quantity]
    return -growth.down(quantity, span) <= moved <= growth.within(quantity, span)


@destructive("presets energies just below the end of the register")
@catches("D22")
def test_the_register_ends_in_an_orderly_way(target: Series, bench: Bench, clock: Clock, measure: Measure) -> None:
    """After sixteen nines the energy stays or begins again: no document says which, and there is nothing else."""
    armed, growth = bench.arm(target), growth_of(target)
    start = LIMIT - 10
    since = clock.now()
    try:
        preset_energies(target, dict.fromkeys(Quantity, start), armed=armed, journal=bench.journal)
        clock.sleep(min(MINUTE, 60 * NS_PER_HOUR // max(1, int(growth.ceiling["real"]))))
        for quantity in MOVING:
            words = [signed(word) for word in target.words(quantity.value)]
            again = growth.within(quantity, clock.now() - since + SECOND)
            orderly = decode(words) >= start or 0 <= decode(words) <= again
            fits = all(-WORD_LIMIT <= word <= WORD_LIMIT for word in words)
            shown = "orderly" if orderly and fits and len(words) == WORDS else f"shows {words}"
            measure(f"{quantity.title} beyond the register", shown, device=target.name).is_("orderly")
    finally:
        preset_energies(target, START, armed=armed, journal=bench.journal)


@destructive("presets energies and interrupts the supply for a minute")
@catches("P10", "P11")
def test_a_power_cut_takes_and_adds_nothing(
    target: Series, bench: Bench, clock: Clock, supplies: Supplies, measure: Measure
) -> None:
    """What was counted before a cut is there afterwards, and what flowed meanwhile was not counted."""
    preset_energies(target, START, armed=bench.arm(target), journal=bench.journal)
    growth = growth_of(target)
    clock.sleep(2 * MINUTE)  # far more is at stake than a start takes
    before = target.read_energies()
    bench.journal.audit("power cycle", device=target.name, off="60 s")
    supplies.cycle(target.name, MINUTE)
    target.wait_until_it_answers(RETURN)
    after = target.read_energies()
    span = after.answered_at - before.asked_at - MINUTE
    for quantity, value in before.values.items():
        low, high = value - growth.down(quantity, span), value + growth.within(quantity, span)
        measure(f"{quantity.title} after a power cut", after[quantity], unit_of(quantity), device=target.name).between(
            low, high
        )
