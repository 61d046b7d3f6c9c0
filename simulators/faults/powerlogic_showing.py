"""Defects in what registers show of what the meter knows: scales, signs, stamps, floats, torn blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from protocols.powerlogic.energy import Quantity
from protocols.powerlogic.words import encode_date
from simulators.faults.change import decide, show
from simulators.faults.registry import defect
from simulators.meters.powerlogic.face import Value
from simulators.meters.powerlogic.meter import Meter

_TRANSFER = "test_new_meter_takes_over_the_readings"
#: A register of the energy block is renewed every 20 ms, each of them once a round.
_RENEWAL, _RENEWED = 20_000_000, 28
_UTC_OFFSET = timedelta(hours=2)
_FLOATS = "test_floats_follow_a_preset"


@defect("D24", "a block is not read at one instant", "energies are torn across a carry, by 10^4 or 10^8",
        shows="over the carry|torn blocks|(real|reactive|apparent) energy (in|out|total)|energies after",
        caught_by="test_a_block_is_whole_across_a_carry")  # fmt: skip
def torn_blocks(meter: Meter) -> None:
    """A task in the background renews one register after the other, whatever carry goes through them."""
    changed = [0]

    def renewed(register: int, _first: int, now: int) -> int:
        return max(changed[0], now - (now - register * _RENEWAL) % (_RENEWED * _RENEWAL))

    def all_at_once(_sick: Meter, now: int) -> None:
        changed[0] = now

    meter.profile = replace(meter.profile, atomic_block_read=False)
    decide(meter, word_instant=renewed, after_preset=all_at_once)


@defect("D27", "the float copy is made at the start only", "after a preset the floats show the old energies",
        shows="as a float", severity="function", caught_by=_FLOATS)  # fmt: skip
def stale_floats(meter: Meter) -> None:
    """The float block is filled when the meter starts."""
    copy: dict[Quantity, int] = meter.energies(0)

    def fill(sick: Meter, now: int) -> None:
        copy.update(sick.energies(now))

    show(meter, **{f"float_{quantity.value}": _copied(copy, quantity) for quantity in Quantity})
    decide(meter, after_boot=fill)


def _copied(copy: dict[Quantity, int], quantity: Quantity) -> Callable[[Meter, int], Value]:
    def look(_meter: Meter, _now: int) -> Value:
        return copy[quantity]

    return look


@defect("D38", "a power factor is shown in two's complement", "-0.92 reads -920 where sign and magnitude belong",
        shows="no power factor|^power factor$|^lagging$", severity="function", model="PM850",
        caught_by="test_power_factor_is_real_over_apparent")  # fmt: skip
def signed_power_factor(meter: Meter) -> None:
    """A lagging power factor is a negative number."""
    decide(meter, power_factor_word=lambda thousandths, lagging: (-thousandths if lagging else thousandths) & 0xFFFF)


@defect("P04", "the bytes of a date are swapped", "10 March reads 3 October",
        why="an endianness: the date is copied as bytes between two processors", severity="function",
        shows="preset stamp|reset stamp|raised .*date", caught_by=_TRANSFER)  # fmt: skip
def swapped_bytes(meter: Meter) -> None:
    """Every word of a compressed date has its bytes the other way round."""

    def words(moment: datetime, count: int) -> tuple[int, ...]:
        return tuple((word & 0xFF) << 8 | word >> 8 for word in encode_date(moment, count))

    decide(meter, date_words=words)


@defect("P05", "stamps are in UTC while the clock shows local time", "a preset is stamped two hours ago",
        why="a time zone: the event log was moved to UTC and the stamps went with it", severity="function",
        shows="preset stamp", caught_by=_TRANSFER)  # fmt: skip
def stamps_in_utc(meter: Meter) -> None:
    """What is remembered is remembered in another zone than the clock's."""
    decide(meter, stamped=lambda shown: shown - _UTC_OFFSET)


@defect("P22", "the week begins on Monday", "the day of the week is one less", severity="cosmetic",
        why="a library function that counts from Monday where the manual counts from Sunday",
        shows="day of the week", caught_by="test_the_day_of_the_week_is_that_of_the_date")  # fmt: skip
def monday_first(meter: Meter) -> None:
    """Monday is 1."""
    show(meter, clock_weekday=lambda sick, now: sick.clock.read(now).isoweekday())


@defect("P23", "the frequency is shown in tenths", "50 Hz read 5 Hz", severity="cosmetic",
        why="a resolution: the older generation's frequency was in tenths, and its code was reused",
        shows="^frequency$", caught_by="test_frequency_is_the_nominal_one")  # fmt: skip
def tenths_of_hertz(meter: Meter) -> None:
    """The register shows a tenth of what it should."""
    show(meter, frequency=lambda sick, now: sick.measured(now).frequency // 10)


@defect("P24", "the clock counts the periods of another grid", "it goes a sixth too slow",
        why="a clock that is kept by the line, built for 60 Hz and used at 50", severity="function",
        shows="the clock went|preset stamp|restored clock|shown after|leap day|clock moved|off by|reset stamp",
        caught_by="test_the_clock_goes")  # fmt: skip
def clock_by_the_line(meter: Meter) -> None:
    """Fifty seconds pass in a minute."""
    meter.clock._drift_ppm = -166_667  # noqa: SLF001  # no healthy meter changes its drift


@defect("P25", "apparent power is the sum of real and reactive power", "kVA is too large wherever both flow",
        why="a root that was left out to save time, good enough at a power factor of 1", severity="function",
        shows="^apparent power$|^power factor$|peak|maximum|apparent energy total (grew|counted)|twice the ratio",
        caught_by="test_apparent_power_is_the_hypotenuse")  # fmt: skip
def arithmetic_apparent_power(meter: Meter) -> None:
    """|P| + |Q| stands where the root of P^2 + Q^2 belongs."""

    def total(sick: Meter, now: int) -> Value:
        seen = sick.measured(now)
        return abs(seen.real[-1]) + abs(seen.reactive[-1])

    show(meter, apparent_power_total=total)


@defect("P31", "the block shows negative energies by their complement", "-42 Wh read 9958, borrowed from the next word",
        why="an encoder that divides with floor: the words of a negative value come out with mixed signs",
        shows="words of one sign", severity="function",
        caught_by="test_negative_energies_keep_their_sign")  # fmt: skip
def borrowed_words(meter: Meter) -> None:
    """The value is right, and the words are not what other tools expect."""

    def words(_name: str, value: int) -> Sequence[int]:
        found = []
        for _ in range(3):
            value, word = divmod(value, 10_000)
            found.append(word)
        return (*found, value)

    decide(meter, words_of=words)


@defect("P32", "the preset stamp is that of the last reset", "3290 does not move with a preset",
        why="a copy and paste: two stamps share one index", severity="function",
        shows="preset stamp", caught_by=_TRANSFER)  # fmt: skip
def stamp_elsewhere(meter: Meter) -> None:
    """3290 shows what stands at 3274."""
    show(meter, energy_preset_time=lambda sick, _now: sick.stamps.get("energy_reset_time"))
