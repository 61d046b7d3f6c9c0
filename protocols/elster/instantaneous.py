"""Instantaneous values of an A1700: asked for with 605, read with 606.

Write 605 with phase and quantity, poll it until bit 80 says ready (up to 60 s), read 606: a format byte and 6 BCD.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

from protocols.elster.bcd import decode_bcd, encode_bcd
from protocols.elster.errors import DataError, exactly

READY = 0x80
SIGN = 0x80
VALUE_BYTES = 7
_TOO_LARGE, _NOT_AVAILABLE, _PLACES = 7, 0xFF, 7
#: Decimals of format n are this less n.
_MOST_DECIMALS = 4


class Phase(IntEnum):
    """Whose value."""

    TOTAL = 0x00
    A = 0x10
    B = 0x20
    C = 0x40


class Instant(IntEnum):
    """Which value; A to E are the scaled ones, and which of them is which is assumed."""

    CURRENT = 1
    VOLTAGE = 2
    POWER_FACTOR = 3
    ACTIVE_POWER = 4
    REACTIVE_POWER = 5
    APPARENT_POWER = 6
    ROTATION = 7
    FREQUENCY = 8
    ANGLE = 9
    SCALED_CURRENT = 0xA
    SCALED_VOLTAGE = 0xB
    SCALED_ACTIVE_POWER = 0xC
    SCALED_REACTIVE_POWER = 0xD
    SCALED_APPARENT_POWER = 0xE


@dataclass(frozen=True, slots=True)
class Request:
    """Identity 605: what is asked for and, when it is read, whether its value stands ready."""

    quantity: Instant
    phase: Phase = Phase.TOTAL
    ready: bool = False

    def encode(self) -> bytes:
        """One byte."""
        return bytes((self.phase | self.quantity | (READY if self.ready else 0),))


def decode_request(data: bytes) -> Request:
    """Identity 605.

    Raises:
        DataError: not one byte, two phases at once, or no such quantity.
    """
    byte = exactly(data, 1, "an instantaneous request")[0]
    try:
        return Request(Instant(byte & 0x0F), Phase(byte & 0x70), bool(byte & READY))
    except ValueError:
        raise DataError(f"{byte:02X} asks for no instantaneous value") from None


@dataclass(frozen=True, slots=True)
class InstantValue:
    """Identity 606: twelve digits with -2 to 4 decimals; or no value, because too large or not available."""

    value: Decimal | None
    too_large: bool = False

    def encode(self) -> bytes:
        """Seven bytes, with as many decimals as the value carries, at most four.

        Raises:
            DataError: no format holds the value.
        """
        if self.value is None:
            return bytes((_TOO_LARGE if self.too_large else _NOT_AVAILABLE,)).ljust(VALUE_BYTES, b"\0")
        form, digits = _scaled(self.value)
        sign = SIGN if self.value.is_signed() and digits else 0
        return bytes((sign | form,)) + encode_bcd(digits, VALUE_BYTES - 1)


def _scaled(value: Decimal) -> tuple[int, int]:
    if not value.is_finite():
        raise DataError(f"{value} is no value")
    for form in range(_PLACES):
        digits = abs(value).scaleb(_MOST_DECIMALS - form)
        if digits < 10 ** (2 * (VALUE_BYTES - 1)) - 1:
            return form, int(digits.to_integral_value())
    raise DataError(f"{value} is too large for twelve digits")


def decode_value(data: bytes) -> InstantValue:
    """Identity 606.

    Raises:
        DataError: not seven bytes, or a digit above 9.
    """
    form = exactly(data, VALUE_BYTES, "an instantaneous value")[0]
    if form == _NOT_AVAILABLE:
        return InstantValue(None)
    if form & 7 == _TOO_LARGE:
        return InstantValue(None, too_large=True)
    value = Decimal(decode_bcd(data[1:])).scaleb((form & 7) - _MOST_DECIMALS)
    return InstantValue(-value if form & SIGN else value)
