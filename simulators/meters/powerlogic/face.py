"""The register face: from a block of register numbers to bytes, by the family's table.

The accumulated energies are kept as bytes, everything else is put together row by row. A register that no row
describes reads -32768 inside a block that has something, and a block that has nothing is refused (profile value
`undefined_read`).
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from protocols.modbus.pdu import ExceptionCode, ModbusException
from protocols.powerlogic.energy import BASE, WORDS, Quantity, encode
from protocols.powerlogic.tables import Register, register_map
from protocols.powerlogic.words import NOT_AVAILABLE, unsigned
from simulators.metering.energy import WH

if TYPE_CHECKING:
    from simulators.meters.powerlogic.meter import Meter

Value = int | tuple[int, bool] | datetime | None

#: How many of a register's unit-thousandths one of its units has.
_MILLI = {"A": 1000, "V": 1000, "Hz": 1000, "kW": 10**6, "kvar": 10**6, "kVA": 10**6}
_DECIMAL_SCALES = {"0.01": -2, "0.1": -1}
_WORD_LIMIT = 32_767


class EnergyBlock:
    """The 28 words of the accumulated energies as bytes, renewed when one of them can have changed."""

    __slots__ = ("_bytes", "_valid_until", "_version")

    def __init__(self) -> None:
        self._bytes = b""
        self._version = -1
        self._valid_until = -1

    def at(self, meter: Meter, now: int) -> bytes:
        """The block at the instant `now`."""
        if now >= self._valid_until or meter.energy_version != self._version:
            self._renew(meter, now)
        return self._bytes

    def _renew(self, meter: Meter, now: int) -> None:
        values = meter.energies_picojoule(now)
        rates = meter.energy_rates()
        by_quantity = dict(zip(Quantity, values, strict=True))
        words = [w for q in meter.model.order for w in meter.energy_words(q.value, meter.shown(by_quantity[q]))]
        self._bytes = struct.pack(f">{len(words)}h", *words)
        self._version = meter.energy_version
        changes = [_next_change(value, rate) for value, rate in zip(values, rates, strict=True) if rate]
        self._valid_until = now + min(changes, default=1 << 62)


def _next_change(value: int, rate: int) -> int:
    """Nanoseconds until the whole Wh of a growing (or falling) energy is another one; never too late."""
    away_from_zero = (value >= 0) == (rate > 0)
    rest = abs(value) % WH
    distance = WH - rest if away_from_zero else rest + 1
    return -(-distance // abs(rate))


@cache
def _starts(family: str) -> list[int]:
    return [row.number for row in register_map(family)]


def rows_in(family: str, first: int, end: int) -> list[Register]:
    """The rows that have a register in first..end-1."""
    rows = register_map(family).rows
    index = max(0, bisect_right(_starts(family), first) - 1)
    found = []
    while index < len(rows) and rows[index].number < end:
        if rows[index].end > first:
            found.append(rows[index])
        index += 1
    return found


def read_block(meter: Meter, first: int, count: int, now: int) -> list[int]:
    """The words of `count` registers from `first`, each read at the instant `now`, or one after another.

    Raises:
        ModbusException: 02 where nothing, or by profile not everything, is defined.
    """
    rows = rows_in(meter.model.family, first, first + count)
    if not rows:
        raise ModbusException(ExceptionCode.ILLEGAL_DATA_ADDRESS)
    words = [NOT_AVAILABLE] * count
    defined = 0
    for row in rows:
        for offset, word in enumerate(_words_at(meter, row, first, now)):
            position = row.number + offset - first
            if 0 <= position < count:
                words[position] = word
                defined += 1
    if defined < count and meter.profile.undefined_read == "refuse":
        raise ModbusException(ExceptionCode.ILLEGAL_DATA_ADDRESS)
    return words


def _words_at(meter: Meter, row: Register, first: int, now: int) -> list[int]:
    if meter.profile.atomic_block_read or row.kind != "energy":  # looking ahead at an energy changes nothing
        return words_of(meter, row, now)
    instant = meter.firmware.word_instant
    return [words_of(meter, row, instant(row.number + i, first, now))[i] for i in range(row.count)]


def words_of(meter: Meter, row: Register, now: int) -> list[int]:
    """The words of one register row at an instant."""
    own = meter.stored_words(row, now)
    if own is not None:
        return own
    return encode_row(meter, row, meter.reading(row.name, now))


def encode_row(meter: Meter, row: Register, value: Value) -> list[int]:
    """A value in its natural unit as the words of its row; not available where there is none or it does not fit."""
    if value is None:
        return [NOT_AVAILABLE] * row.count
    if isinstance(value, datetime):
        words = meter.firmware.date_words(value, min(row.count, meter.model.date_words))
        return [*words, *[NOT_AVAILABLE] * (row.count - len(words))]
    if row.kind == "float":
        return _float_words(_power_factor(*value) if isinstance(value, tuple) else value / _MILLI.get(row.unit, 1))
    if isinstance(value, tuple):
        return [meter.firmware.power_factor_word(*value)]
    if row.kind == "energy":
        return [unsigned(word) for word in _energy_words(meter, row, value)]
    return [_scaled(meter.config, row, value)]


def _power_factor(thousandths: int, lagging: bool) -> float:  # noqa: FBT001  # the two parts of one value
    return -thousandths / 1000 if lagging else thousandths / 1000


def _energy_words(meter: Meter, row: Register, value: int) -> Sequence[int]:
    """Four words as the firmware has them; incremental energies have three and begin again at zero above (assumed)."""
    if row.count == WORDS:
        return meter.energy_words(row.name, value)
    return encode(value % BASE**row.count, row.count)


def _scaled(config: Mapping[str, int], row: Register, value: int) -> int:
    unit = _MILLI.get(row.unit, 1)
    exponent = _DECIMAL_SCALES[row.scale] if row.scale in _DECIMAL_SCALES else config.get(f"scale_{row.scale}", 0)
    numerator, denominator = (abs(value) * 10**-exponent, unit) if exponent < 0 else (abs(value), unit * 10**exponent)
    word = (2 * numerator + denominator) // (2 * denominator)
    if row.kind == "bits":
        return word & 0xFFFF
    if word > _WORD_LIMIT:
        return NOT_AVAILABLE
    return unsigned(-word if value < 0 else word)


def _float_words(value: float) -> list[int]:
    """IEEE 754 single precision, the high word first (order assumed)."""
    high, low = struct.unpack(">HH", struct.pack(">f", value))
    return [high, low]
