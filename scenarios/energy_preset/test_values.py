"""Values at the edges of the format: signs, full words, carries."""

from bench.bench import Bench
from bench.drivers.powerlogic import Series
from bench.measure import Measure
from bench.procedures.preset import Preset, preset_energies, preset_words
from bench.procedures.transfer_judgement import unit_of
from protocols.powerlogic.energy import Quantity, encode_set
from scenarios.marks import catches, destructive

FULL_TO_THE_SECOND_WORD = 99_999_999
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
@catches("D04", "D06")
def test_negative_energies_keep_their_sign(fresh: Series, bench: Bench, measure: Measure) -> None:
    """A meter that was run backwards hands a negative energy over."""
    energies = dict.fromkeys(Quantity, -5_420_042) | {Quantity.APPARENT_TOTAL: 6_000_000}
    found = preset_energies(fresh, energies, armed=bench.arm(fresh), journal=bench.journal)
    judge_loaded(energies, found, fresh, measure)


@destructive("presets energies with every word in use")
@catches("D02", "D03")
def test_all_four_words_are_loaded_in_their_order(fresh: Series, bench: Bench, measure: Measure) -> None:
    """A value whose four words all differ shows a wrong order and a wrong base."""
    energies = {quantity: DIGITS_APART * (index + 1) for index, quantity in enumerate(Quantity)}
    found = preset_energies(fresh, energies, armed=bench.arm(fresh), journal=bench.journal)
    judge_loaded(energies, found, fresh, measure)


@destructive("presets energies just below a carry")
@catches("D23")
def test_the_next_watt_hour_carries(fresh: Series, bench: Bench, measure: Measure) -> None:
    """From 9999 in every lower word the next unit carries through; every word stays within -9999..9999."""
    energies = dict.fromkeys(Quantity, FULL_TO_THE_SECOND_WORD)
    found = preset_energies(fresh, energies, armed=bench.arm(fresh), journal=bench.journal)
    judge_loaded(energies, found, fresh, measure)


@destructive("presets energies near the end of the register")
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
