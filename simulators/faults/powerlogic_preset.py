"""Defects in what command 6209 makes of its 28 words; D.. as in the domain reference (powerlogic.md section 9)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from protocols.powerlogic.energy import BASE, CM2_ORDER, WORD_LIMIT, WORDS, Quantity, decode
from simulators.faults.change import command, decide
from simulators.faults.registry import defect
from simulators.metering.energy import WH
from simulators.meters.powerlogic.commands import COMMANDS, DONE
from simulators.meters.powerlogic.firmware import energies_of, every_word_in_range
from simulators.meters.powerlogic.meter import Meter
from simulators.meters.powerlogic.series import SeriesMeter

_MODULUS: int = BASE**WORDS
_AN_ENERGY = r"(real|reactive|apparent) energy (in|out|total)|^apparent total$|read at once after preset"
_TRANSFER = "test_new_meter_takes_over_the_readings"
_ALL_WORDS = "test_all_four_words_are_loaded_in_their_order"
_SWEEP = "test_one_word_out_of_range_refuses_the_whole_preset"
#: Between the result word and the execution that should have come before it.
_HASTE = 400_000_000


def _values(words: Sequence[int], decode_one: Callable[[Sequence[int]], int]) -> list[int]:
    return [decode_one(words[i : i + WORDS]) * WH for i in range(0, len(words), WORDS)]


def _largest(words: Sequence[int], limit: int) -> bool:
    return all(abs(word) <= limit for word in words)


@defect("D01", "the order of a CM2 is not mapped", "status 0, and three quantities have changed places",
        shows=_AN_ENERGY, caught_by=(_TRANSFER, _ALL_WORDS))  # fmt: skip
def cm2_order(meter: Meter) -> None:
    """The words are taken in the order in which a Series 2000 meter shows them."""

    def load(words: Sequence[int], before: Sequence[int]) -> list[int]:
        found = dict(zip(CM2_ORDER, energies_of(words, before), strict=True))
        return [found[quantity] for quantity in Quantity]

    decide(meter, energies_of=load)


@defect("D02", "word order reversed on load", "values off by powers of 10,000; small numbers become 10^12",
        shows=_AN_ENERGY, caught_by=(_TRANSFER, _ALL_WORDS))  # fmt: skip
def word_order_reversed(meter: Meter) -> None:
    """The first word of the buffer is taken as the most significant."""
    decide(meter, energies_of=lambda words, _before: _values(words, lambda four: decode(four[::-1])))


@defect("D03", "base 65,536 instead of 10,000 on load", "values too large, the lowest word right",
        shows=_AN_ENERGY, caught_by=(_TRANSFER, _ALL_WORDS))  # fmt: skip
def binary_base(meter: Meter) -> None:
    """The words are put together as one binary number."""

    def binary(four: Sequence[int]) -> int:
        value = sum((word & 0xFFFF) << 16 * i for i, word in enumerate(four))
        return value % _MODULUS

    decide(meter, energies_of=lambda words, _before: _values(words, binary))


@defect("D04", "sign lost on load", "negative energies come back positive with the same magnitude",
        shows=_AN_ENERGY, caught_by=(_TRANSFER, "test_negative_energies_keep_their_sign"))  # fmt: skip
def sign_lost(meter: Meter) -> None:
    """The magnitude is loaded, the sign is not."""
    decide(meter, energies_of=lambda words, _before: _values(words, lambda four: abs(decode(four))))


@defect("D06", "unsigned compare in the range check", "every negative preset is refused with 82",
        shows=r"^result word$|" + _AN_ENERGY,
        caught_by=(_TRANSFER, "test_negative_energies_keep_their_sign"))  # fmt: skip
def unsigned_range_check(meter: Meter) -> None:
    """The words are compared as unsigned numbers."""
    decide(meter, preset_in_range=lambda words: all((word & 0xFFFF) <= WORD_LIMIT for word in words))


@defect("D07", "the range check is off by one", "10,000 and -10,000 are accepted in a word",
        shows=r"(result with|energies after) word \d+ out of range", caught_by=_SWEEP)  # fmt: skip
def ten_thousand_accepted(meter: Meter) -> None:
    """`<= 10000` stands where `< 10000` belongs."""
    decide(meter, preset_in_range=lambda words: _largest(words, WORD_LIMIT + 1))


@defect("D08", "only the first quantity is range-checked", "82 is missing when a later word is out of range",
        shows=r"(result with|energies after) word ([5-9]|[12]\d) out of range", caught_by=_SWEEP)  # fmt: skip
def first_quantity_checked_only(meter: Meter) -> None:
    """The check looks at four words of 28."""
    decide(meter, preset_in_range=lambda words: every_word_in_range(words[:WORDS]))


@defect("D09", "words before the bad one are applied", "after 82 the live block is half new, half old",
        shows=r"energies after word \d+ out of range", caught_by=_SWEEP)  # fmt: skip
def applied_until_refused(meter: Meter) -> None:
    """The refusal comes while the copy is already under way."""

    def after(words: Sequence[int], before: Sequence[int]) -> list[int]:
        values = list(before)
        for index in range(len(values)):
            four = words[WORDS * index : WORDS * index + WORDS]
            if not every_word_in_range(four):
                break
            values[index] = decode(four) * WH
        return values

    decide(meter, after_refusal=after)


@defect("D15", "the preset is not saved", "right until the supply is cut, then the old values",
        shows=r"(energy .*|energies|preset stamp) after a power c",
        caught_by=(_TRANSFER, "test_a_meter_that_is_written_to_saves_too"))  # fmt: skip
def preset_not_saved(meter: Meter) -> None:
    """The new energies stay in fast memory."""
    decide(meter, preset_save_time=lambda _now, _delay: 1 << 62)


@defect("D18", "the part of a Wh counted before is kept", "the first Wh after a preset comes too early",
        shows="read at once after preset", caught_by="test_no_part_of_a_watt_hour_is_left")  # fmt: skip
def fraction_kept(meter: Meter) -> None:
    """The words are loaded over whole Wh and the accumulator behind them goes on."""
    decide(
        meter,
        energies_of=lambda words, before: [
            value + old % WH for value, old in zip(energies_of(words, before), before, strict=True)
        ],
    )


@defect("D19", "totals are recomputed from in and out", "the totals differ from the words that were written",
        shows=r"(real|reactive) energy total|read at once after preset", caught_by=_ALL_WORDS)  # fmt: skip
def totals_recomputed(meter: Meter) -> None:
    """What was loaded for the two totals is overwritten by the sum of their parts."""

    def load(words: Sequence[int], before: Sequence[int]) -> list[int]:
        real_in, reactive_in, real_out, reactive_out, _, _, apparent = energies_of(words, before)
        totals = (real_in + real_out, reactive_in + reactive_out)
        return [real_in, reactive_in, real_out, reactive_out, *totals, apparent]

    decide(meter, energies_of=load)


@defect("D25", "the preset clears its neighbours", "conditional energies and peak demands are gone after a preset",
        shows="changed beside the energies", caught_by=(_TRANSFER, "test_the_neighbours_are_left_alone"))  # fmt: skip
def clears_neighbours(meter: Meter) -> None:
    """The preset runs through the code that clears everything."""

    def clear(sick: SeriesMeter, now: int) -> None:
        sick.clear_partial("conditional", now)
        sick.demand.reset(now)

    decide(meter, after_preset=clear)


@defect("P02", "the result is told before the preset is done", "8021 says 0 and the energies are still the old ones",
        why="a race: the communication task answers, the metering task loads at its next round",
        shows=_AN_ENERGY + "|preset stamp|preset while locked", caught_by=(_TRANSFER, _ALL_WORDS))  # fmt: skip
def told_too_early(meter: Meter) -> None:
    """The words are taken at once and loaded later; pointers cleared meanwhile do not matter."""

    def answer(sick: SeriesMeter, now: int) -> int:
        words = sick.buffer(WORDS * len(Quantity))
        if words is None or not every_word_in_range(words):
            return COMMANDS["preset_energies"](sick, now)

        def load(when: int) -> None:
            sick.put_energies(when, energies_of(words, ()))
            sick.stamp("energy_preset_time", when)

        sick.later(now + _HASTE, load)
        return DONE

    command(meter, preset_energies=answer)


@defect("P03", "the seventh energy is not loaded", "apparent energy stays what it was",
        why="an off-by-one: the loop over the quantities ends before the last, which older meters did not have there",
        shows=r"apparent (energy )?total", caught_by=(_TRANSFER, _ALL_WORDS))  # fmt: skip
def six_of_seven(meter: Meter) -> None:
    """The copy ends one quantity too early."""
    decide(meter, energies_of=lambda words, before: [*energies_of(words, before)[:-1], before[-1]])


@defect("P19", "a second preset is taken for a repetition of the first", "0 is answered and other words are not loaded",
        why="a stale cache: a guard against repeated commands compares the code and not the words",
        shows="read at once after preset", caught_by="test_no_part_of_a_watt_hour_is_left")  # fmt: skip
def repetition_swallowed(meter: Meter) -> None:
    """Of the presets between two starts of the meter only the first is obeyed."""
    seen: list[Sequence[int]] = []

    def first_time(_sick: SeriesMeter, words: Sequence[int]) -> bool:
        seen.append(words)
        return len(seen) == 1

    decide(meter, carries_out=first_time, after_boot=lambda _sick, _now: seen.clear())


@defect("P27", "9999 is refused in a word", "82 is answered to a full register",
        why="an off-by-one on the other side: `< 9999` stands where `<= 9999` belongs",
        shows=r"^result word$|" + _AN_ENERGY,
        caught_by=("test_a_full_register_is_loaded", "test_the_next_watt_hour_carries"))  # fmt: skip
def full_word_refused(meter: Meter) -> None:
    """The largest word of all is taken for too large."""
    decide(meter, preset_in_range=lambda words: _largest(words, WORD_LIMIT - 1))


@defect("P28", "a preset switches the conditional energy off", "conditional energy no longer counts after a preset",
        why="a flag word is cleared as a whole where one bit was meant",
        shows="changed beside the energies",
        caught_by="test_the_neighbours_are_left_alone")  # fmt: skip
def conditional_switched_off(meter: Meter) -> None:
    """The status of the conditional energies is lost with the preset."""
    decide(meter, after_preset=lambda sick, now: sick.count_conditional(now, on=False))
