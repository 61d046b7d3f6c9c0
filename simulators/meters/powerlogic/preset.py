"""What a preset makes of pointer #3 and of the part of a Wh that was counted before: questions for a real meter.

No public document says what 6209 does with a pointer at 0 or outside the user area, nor whether the remainder below one
Wh stays (domain reference, sections 5.3 and 11.7); each is a value of the profile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from protocols.modbus.pdu import ModbusException
from protocols.powerlogic.energy import WORDS, Quantity
from protocols.powerlogic.words import signed
from simulators.metering.energy import WH
from simulators.meters.powerlogic.face import read_block

if TYPE_CHECKING:
    from simulators.meters.powerlogic.series import SeriesMeter

DONE = 0
INVALID_PARAMETERS = 82
#: Where data begin if nobody says otherwise (PM800 user guide p. 83: return data start at 8020 by default).
_DEFAULT_BUFFER = 8020
_COUNT = WORDS * len(Quantity)


def preset_words(meter: SeriesMeter, now: int) -> list[int] | int:
    """The 28 signed words that a preset loads, or the result word with which it ends at once."""
    words = meter.buffer(_COUNT)
    if words is not None:
        return words
    profile, start = meter.profile, meter.data_pointer
    match profile.null_data_pointer if start == 0 else profile.stray_data_pointer:
        case "default":
            return meter.buffer(_COUNT, _DEFAULT_BUFFER) or INVALID_PARAMETERS
        case "follow":
            return _there(meter, start, now)
        case "ignore":
            return DONE
        case _:
            return INVALID_PARAMETERS


def _there(meter: SeriesMeter, start: int, now: int) -> list[int] | int:
    """The words of any registers, as a master would read them."""
    try:
        return [signed(word) for word in read_block(meter, start, _COUNT, now)]
    except ModbusException:
        return INVALID_PARAMETERS


def with_fractions(loaded: Sequence[int], before: Sequence[int]) -> list[int]:
    """Energies (picojoule) just loaded, with the parts of a Wh that were counted before the preset."""
    parts = [abs(value) % WH for value in before]
    return [value + part if value >= 0 else value - part for value, part in zip(loaded, parts, strict=True)]
