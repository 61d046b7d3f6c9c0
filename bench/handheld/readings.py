"""Readings as they are brought back, and how they are put together without a reading standing twice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.handheld.records import Record, read_records

#: What makes a reading the same reading.
Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one meter.

    Attributes:
        meter: its name in the list.
        serial: its serial number, as it answered.
        quantity: what was read, for example import.
        value: exact decimal text in `unit`.
        unit: kWh, kvarh, kVAh ...
        meter_time: what the meter's clock showed, ISO without a zone.
        taken: when the unit read it, ISO.
    """

    meter: str
    serial: str
    quantity: str
    value: str
    unit: str
    meter_time: str
    taken: str

    @property
    def key(self) -> Key:
        """The meter, what and when by the meter's clock."""
        return (self.meter, self.serial, self.quantity, self.meter_time)

    def as_record(self) -> dict[str, Any]:
        """The reading, ready for JSON."""
        return asdict(self)


def readings_of(path: Path) -> list[Reading]:
    """The readings in a .RES file.

    Raises:
        UsageError: it cannot be read, is no such file, damaged, or holds a record that is no reading; says which.
    """
    return [_reading(record, path, line) for line, record in enumerate(read_records(path, "RES").records, 2)]


def _reading(record: Record, path: Path, line: int) -> Reading:
    try:
        found = Reading(**record)
    except TypeError:
        raise UsageError("is no reading: it has other entries than a reading has", path, line) from None
    if not all(isinstance(value, str) for value in asdict(found).values()):
        raise UsageError(f"the reading of {found.meter} holds something else than text", path, line)
    return found


def joined(first: Iterable[Reading], second: Iterable[Reading]) -> list[Reading]:
    """Both, in order; what stands in both stands once.

    Raises:
        UsageError: a reading of one meter, quantity and meter time has two values.
    """
    found: dict[Key, Reading] = {}
    for reading in (*first, *second):
        known = found.setdefault(reading.key, reading)
        if (known.value, known.unit) != (reading.value, reading.unit):
            raise UsageError(
                f"{reading.meter}, {reading.quantity} at {reading.meter_time}: {known.value} {known.unit} is there "
                f"already and {reading.value} {reading.unit} would be added; nothing was changed"
            )
    return list(found.values())
