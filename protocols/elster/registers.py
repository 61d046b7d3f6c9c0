"""The registers: totals (507), TOU (508), external inputs (516), cumulative and maximum demand (509, 510), sources.

Energies are whole mWh, mvarh or mVAh, demands whole mW, mvar or mVA.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from protocols.elster.bcd import decode_bcd, encode_bcd
from protocols.elster.errors import DataError, octet
from protocols.elster.moments import TIME_BYTES, decode_time, encode_time
from protocols.elster.tables import Source, model

ENERGY_BYTES, CUMULATIVE_BYTES, MAXIMUM_BYTES = 8, 9, 12
#: What eight BCD bytes hold before they roll over.
ENERGY_LIMIT = 10**16
#: The source of a record that holds nothing.
EMPTY = 0xFF
_UNUSED = "-"


def encode_energies(values: Sequence[int]) -> bytes:
    """Registers of 8 BCD bytes, one behind the other: identities 506, 508 and 516."""
    return b"".join(encode_bcd(value, ENERGY_BYTES) for value in values)


def decode_energies(data: bytes) -> tuple[int, ...]:
    """The values of registers of 8 BCD bytes.

    Raises:
        DataError: not whole registers, or a digit above 9.
    """
    return tuple(decode_bcd(chunk) for chunk in _chunks(data, ENERGY_BYTES, "registers"))


def encode_totals(name: str, values: Mapping[Source, int]) -> bytes:
    """Identity 507 in the layout of a model; what is not among `values` is zero.

    Raises:
        DataError: the model has no slot for a source.
    """
    slots = model(name)["totals"]
    missing = [source.value for source in values if source.value not in slots]
    if missing:
        raise DataError(f"the totals of the {name} have no slot for {', '.join(missing)}")
    return encode_energies([0 if slot == _UNUSED else values.get(Source(slot), 0) for slot in slots])


def decode_totals(name: str, data: bytes) -> dict[Source, int]:
    """The totals of a model by source; slots of unknown meaning are left out.

    Raises:
        DataError: not the length of the model's block, or a digit above 9.
    """
    slots = model(name)["totals"]
    values = decode_energies(data)
    if len(values) != len(slots):
        raise DataError(f"the totals of the {name} are {len(slots)} registers, not {len(values)}")
    return {Source(slot): value for slot, value in zip(slots, values, strict=True) if slot != _UNUSED}


@dataclass(frozen=True, slots=True)
class CumulativeDemand:
    """One record of identity 509: the sum of the maxima at each billing reset; source None is an empty record."""

    value: int = 0
    source: int | None = None

    def encode(self) -> bytes:
        """Nine bytes: 8 BCD, 1 source."""
        return encode_bcd(self.value, ENERGY_BYTES) + bytes((_source_byte(self.source),))


@dataclass(frozen=True, slots=True)
class MaximumDemand:
    """One record of identity 510: the maximum, when its period ended, and of what; source None is an empty record."""

    value: int = 0
    time: datetime | None = None
    source: int | None = None

    def encode(self) -> bytes:
        """Twelve bytes: 4 time, 1 source, 7 BCD."""
        return encode_time(self.time) + bytes((_source_byte(self.source),)) + encode_bcd(self.value, 7)


def encode_records(records: Sequence[CumulativeDemand] | Sequence[MaximumDemand]) -> bytes:
    """Identity 509 or 510 as a whole."""
    return b"".join(record.encode() for record in records)


def decode_cumulative(data: bytes) -> tuple[CumulativeDemand, ...]:
    """The records of identity 509; in an empty one only the source is looked at.

    Raises:
        DataError: not whole records, or a digit above 9.
    """
    return tuple(map(_cumulative, _chunks(data, CUMULATIVE_BYTES, "cumulative demands")))


def _cumulative(chunk: bytes) -> CumulativeDemand:
    source = chunk[-1]
    return CumulativeDemand() if source == EMPTY else CumulativeDemand(decode_bcd(chunk[:-1]), source)


def decode_maximum(data: bytes) -> tuple[MaximumDemand, ...]:
    """The records of identity 510; in an empty one only the source is looked at.

    Raises:
        DataError: not whole records, or a digit above 9.
    """
    return tuple(map(_maximum, _chunks(data, MAXIMUM_BYTES, "maximum demands")))


def _maximum(chunk: bytes) -> MaximumDemand:
    source = chunk[TIME_BYTES]
    if source == EMPTY:
        return MaximumDemand()
    return MaximumDemand(decode_bcd(chunk[TIME_BYTES + 1 :]), decode_time(chunk[:TIME_BYTES]), source)


def encode_sources(numbers: Sequence[int | None]) -> bytes:
    """Identities 600, 601, 667 and 668: one source number a register, None for a register that counts nothing."""
    return bytes(_source_byte(number) for number in numbers)


def decode_sources(data: bytes) -> tuple[int | None, ...]:
    """The source numbers of registers, None where one counts nothing."""
    return tuple(_source(byte) for byte in data)


def _source_byte(number: int | None) -> int:
    if number == EMPTY:
        raise DataError("FF marks an empty record and is no source")
    return EMPTY if number is None else octet(number, "a source")


def _source(byte: int) -> int | None:
    return None if byte == EMPTY else byte


def _chunks(data: bytes, size: int, what: str) -> list[bytes]:
    if len(data) % size:
        raise DataError(f"{len(data)} bytes are no whole {what} of {size} bytes")
    return [data[at : at + size] for at in range(0, len(data), size)]
