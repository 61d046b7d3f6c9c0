"""Values at the edges of the format: signs, full words, carries."""

from decimal import Decimal

from bench.bench import Bench
from bench.control import Loads
from bench.drivers.powerlogic import Series
from bench.measure import Measure, Unit
from bench.procedures.preset import Preset, preset_energies, preset_words
from bench.procedures.transfer_judgement import unit_of
from protocols.powerlogic.energy import Quantity, encode_set
from scenarios.marks import catches, destructive

FULL_TO_THE_SECOND_WORD = 99_999_999
ONE_WH_A_SECOND, NEARLY_A_WH, PRESETS, NS_PER_HOUR = 3_600, 850_000_000, 8, 3_600_000_000_000
A_CARRY_LATER = 2_000_000_000
LARGEST = 9_999_999_999_000_000
DIGITS_APART = 1_002_003_004_005


def judge_loaded(energies: dict[Quantity, int], found: Preset, meter: Series, measure: Measure) -> None:
    """Each energy is what was loaded and what the load has added since."""
    measure("result word", found.result, device=meter.name).is_(0)
    for quantity, value in energies.items():
        low = value - found.growth.down(quantity, found.after.answered_at - found.commanded_at)
        high = value + found.most(quantity)
        measure(quantity.title, found.after[quantity], unit_of(quantity), device=meter.name).between(low, high)


@destructive("presets negative energies")
@catches("D04", "D06", "P31")
def test_negative_energies_keep_their_sign(fresh: Series, bench: Bench, measure: Measure) -> None:
    """A meter that was run backwards hands a negative energy over."""
    energies = dict.fromkeys(Quantity, -5_420_042) | {Quantity.APPARENT_TOTAL: 6_000_000}
    found = preset_energies(fresh, energies, armed=bench.arm(fresh), journal=bench.journal)
    judge_loaded(energies, found, fresh, measure)
    words = found.after.words
    mixed = [
        q.title for i, q in enumerate(Quantity) if min(words[4 * i : 4 * i + 4]) < 0 < max(words[4 * i : 4 * i + 4])
    ]
    measure("words of one sign", ", ".join(mixed) or "in every energy", device=fresh.name).is_("in every energy")


@destructive("presets energies with every word in use")
@catches("D01", "D02", "D03", "D19", "P02", "P03")
def test_all_four_words_are_loaded_in_their_order(fresh: Series, bench: Bench, measure: Measure) -> None:
    """A value whose four words all differ shows a wrong order and a wrong base."""
    energies = {quantity: DIGITS_APART * (index + 1) for index, quantity in enumerate(Quantity)}
    found = preset_energies(fresh, energies, armed=bench.arm(fresh), journal=bench.journal)
    judge_loaded(energies, found, fresh, measure)


@destructive("presets energies just below a carry")
@catches("D23", "P27")
def test_the_next_watt_hour_carries(fresh: Series, bench: Bench, measure: Measure) -> None:
    """From 9999 in every lower word the next unit carries through; every word stays within -9999..9999."""
    energies = dict.fromkeys(Quantity, FULL_TO_THE_SECOND_WORD)
    found = preset_energies(fresh, energies, armed=bench.arm(fresh), journal=bench.journal)
    judge_loaded(energies, found, fresh, measure)
    bench.clock.sleep(A_CARRY_LATER)
    later = fresh.read_energies()
    for quantity, value in found.after.values.items():
        span = later.answered_at - found.after.asked_at
        low, high = value - found.growth.down(quantity, span), value + found.growth.within(quantity, span)
        measure(f"{quantity.title} over the carry", later[quantity], unit_of(quantity), device=fresh.name).between(
            low, high
        )


@destructive("presets energies near the end of the register")
@catches("P27")
def test_a_full_register_is_loaded(fresh: Series, bench: Bench, measure: Measure) -> None:
    """Sixteen digits are taken; what comes after the last is in no document and is not tried here."""
    energies = dict.fromkeys(Quantity, LARGEST)
    found = preset_energies(fresh, energies, armed=bench.arm(fresh), journal=bench.journal)
    judge_loaded(energies, found, fresh, measure)


@destructive("presets words of mixed sign")
def test_words_of_mixed_sign_are_their_sum(fresh: Series, bench: Bench, measure: Measure) -> None:
    """-1 and +1 in neighbouring words are 9999: values count, not words."""
    words = encode_set(dict.fromkeys(Quantity, 0))
    words[0], words[1] = -1, 1
    found = preset_words(fresh, words, armed=bench.arm(fresh), journal=bench.journal)
    energies = dict.fromkeys(Quantity, 0) | {Quantity.REAL_IN: 9_999}
    judge_loaded(energies, found, fresh, measure)


@destructive("presets energies again and again under a small load")
@catches("D18", "P19")
def test_no_part_of_a_watt_hour_is_left(fresh: Series, bench: Bench, loads: Loads, measure: Measure) -> None:
    """A preset is absolute: what was counted of the next Wh before it does not make that Wh come early."""
    watts = int(Decimal(str(fresh.value("real_power_total"))) * 1000)
    loads.set(fresh.name, ONE_WH_A_SECOND)
    try:
        for time in range(1, PRESETS + 1):
            energies = dict.fromkeys(Quantity, 1_000_000 * time)
            found = preset_energies(fresh, energies, armed=bench.arm(fresh), journal=bench.journal)
            bench.clock.sleep(max(0, found.commanded_at + NEARLY_A_WH - bench.clock.now()))
            after = fresh.read_energies()
            most = int(found.growth.ceiling["real"] * (after.answered_at - found.commanded_at) / NS_PER_HOUR)
            excess = after[Quantity.REAL_TOTAL] - energies[Quantity.REAL_TOTAL]
            measure(f"read at once after preset {time}, in excess", excess, Unit.WH, device=fresh.name).between(0, most)
    finally:
        loads.set(fresh.name, watts)
