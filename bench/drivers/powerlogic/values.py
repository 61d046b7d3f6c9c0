"""Registers as values: named readings of a meter in their units, decoded by the family's table."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from protocols.conversation import ProtocolError
from protocols.powerlogic.energy import Quantity, checked, decode
from protocols.powerlogic.tables import Register
from protocols.powerlogic.words import NOT_AVAILABLE, decode_date, decode_power_factor, signed

_DECIMAL_SCALES = {"0.01": -2, "0.1": -1}
Value = Decimal | datetime | int | None


@dataclass(frozen=True, slots=True)
class EnergyReading:
    """Seven accumulated energies read in one request: whole Wh (varh, VAh), and the bench time (ns) it took."""

    values: dict[Quantity, int]
    words: tuple[int, ...]
    asked_at: int
    answered_at: int

    def __getitem__(self, quantity: Quantity) -> int:
        return self.values[quantity]


@dataclass(frozen=True, slots=True)
class PowerFactor:
    """A power factor: magnitude 0..1.000 and whether the current lags."""

    magnitude: Decimal
    lagging: bool


def decode_register(row: Register, words: list[int], scales: dict[str, int]) -> Value | PowerFactor:
    """The value of a register row in its unit; None where the meter shows -32768, "does not apply".

    Args:
        row: the register.
        words: its unsigned words.
        scales: the exponent of each scale group.

    Raises:
        ProtocolError: words that are no value of that kind.
    """
    if row.kind == "pf":
        # A lagging zero is bit for bit the mark for "not available"; a single word cannot tell which it is.
        return None if words[0] == NOT_AVAILABLE else _power_factor(words[0])
    if all(word == NOT_AVAILABLE for word in words):
        return None
    if row.kind == "date":
        return decode_date(words[:4])
    if row.kind == "energy":
        return decode(checked([signed(word) for word in words]))
    if row.kind == "float":
        (value,) = struct.unpack(">f", struct.pack(">HH", *words))
        return Decimal(str(value)) if value == value else None  # noqa: PLR0124  # NaN is unequal to itself
    if row.kind in ("bits", "block", "u32x3"):
        return words[0]
    return _scaled(row, words[0], scales)


def _power_factor(word: int) -> PowerFactor:
    thousandths, lagging = decode_power_factor(word)
    return PowerFactor(Decimal(thousandths) / 1000, lagging)


def _scaled(row: Register, word: int, scales: dict[str, int]) -> Value:
    number = signed(word) if row.kind == "s16" else word
    if not row.scale:
        return number
    exponent = _DECIMAL_SCALES.get(row.scale)
    if exponent is None:
        exponent = scales[row.scale]
    return Decimal(number).scaleb(exponent)


def date_of(value: object) -> datetime | None:
    """A decoded date register as what it is.

    Raises:
        ProtocolError: the register is no date.
    """
    if value is None or isinstance(value, datetime):
        return value
    raise ProtocolError(f"{value!r} is no date")
