"""Defects of PowerLogic firmware, numbered as in the domain reference (powerlogic.md section 9)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from protocols.powerlogic.energy import BASE, WORD_LIMIT, WORDS, decode
from simulators.faults.registry import defect
from simulators.metering.energy import WH
from simulators.meters.powerlogic.firmware import every_word_in_range
from simulators.meters.powerlogic.meter import Meter

_MODULUS: int = BASE**WORDS


def _replace(meter: Meter, **decisions: Any) -> None:
    meter.firmware = replace(meter.firmware, **decisions)


def _values(words: Sequence[int], decode_one: Callable[[Sequence[int]], int]) -> list[int]:
    return [decode_one(words[i : i + WORDS]) * WH for i in range(0, len(words), WORDS)]


@defect("D02", "word order reversed on load", "values off by powers of 10,000; small numbers become 10^12")
def word_order_reversed(meter: Meter) -> None:
    """The first word of the buffer is taken as the most significant."""
    _replace(meter, energies_of=lambda words, _before: _values(words, lambda four: decode(four[::-1])))


@defect("D03", "base 65,536 instead of 10,000 on load", "values too large, the lowest word right")
def binary_base(meter: Meter) -> None:
    """The words are put together as one binary number."""

    def binary(four: Sequence[int]) -> int:
        value = sum((word & 0xFFFF) << 16 * i for i, word in enumerate(four))
        return value % _MODULUS

    _replace(meter, energies_of=lambda words, _before: _values(words, binary))


@defect("D04", "sign lost on load", "negative energies come back positive with the same magnitude")
def sign_lost(meter: Meter) -> None:
    """The magnitude is loaded, the sign is not."""
    _replace(meter, energies_of=lambda words, _before: _values(words, lambda four: abs(decode(four))))


@defect("D06", "unsigned compare in the range check", "every negative preset is refused with 82")
def unsigned_range_check(meter: Meter) -> None:
    """The words are compared as unsigned numbers."""
    _replace(meter, preset_in_range=lambda words: all((word & 0xFFFF) <= WORD_LIMIT for word in words))


@defect("D08", "only the first quantity is range-checked", "82 is missing when a later word is out of range")
def first_quantity_checked_only(meter: Meter) -> None:
    """The check looks at four words of 28."""
    _replace(meter, preset_in_range=lambda words: every_word_in_range(words[:WORDS]))


@defect("D09", "words before the bad one are applied", "after 82 the live block is half new, half old")
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

    _replace(meter, after_refusal=after)


@defect("D11", "the result word is left stale", "8021 keeps what it held; a sentinel there does not change")
def stale_result(meter: Meter) -> None:
    """The result is written for all commands but this one."""
    _replace(meter, writes_result=lambda code, _result: code != 6209)  # noqa: PLR2004  # the preset's code


@defect("D15", "the preset is not saved", "right until the supply is cut, then the old values")
def preset_not_saved(meter: Meter) -> None:
    """The new energies stay in fast memory."""
    _replace(meter, save_time=lambda _now, _delay: 1 << 62)


@defect("D20", "the accumulation mode is ignored", "a signed meter adds what was exported instead of subtracting it")
def mode_ignored(meter: Meter) -> None:
    """Totals are absolute whatever 3232 says."""
    _replace(meter, total_rates=lambda _signed, real, reactive: (abs(real), abs(reactive)))


@defect("D25", "the preset clears its neighbours", "conditional energies and peak demands are gone after a preset")
def clears_neighbours(meter: Meter) -> None:
    """The preset runs through the code that clears everything."""
    _replace(meter, preset_clears_neighbours=True)


@defect("D30", "the live energy registers take writes", "a direct write to 1700-1727 changes billing data")
def energies_writable(meter: Meter) -> None:
    """The write protection of the energy block is missing."""
    _replace(meter, energies_writable=True)
