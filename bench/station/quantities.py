"""Numbers with a unit, as people write them: "20 ms", "1.5 s", "30 kW"; exact integers of the small unit inside.

A duration becomes integer nanoseconds, a power integer milliwatts. Nothing passes through a float: what cannot be said
exactly in the small unit is refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from bench.station.mistakes import shown

_WRITTEN = re.compile(r"(?P<number>[+-]?[0-9]{1,18}(?:\.[0-9]{1,18})?) ?(?P<unit>[^\W\d].*|%)?")


class QuantityError(ValueError):
    """The text is not a quantity of the kind asked for; the message says what is."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """One kind of quantity: its name, its units with their worth in the small unit, an example and its bounds."""

    name: str
    units: Mapping[str, int]
    example: str
    lowest: int
    highest: int

    def parse(self, text: str) -> int:
        """The value of `text` in the small unit.

        Raises:
            QuantityError: Not "NUMBER UNIT", another unit, finer than the small unit, or out of bounds.
        """
        said = shown(text)
        written = _WRITTEN.fullmatch(text.strip())
        if written is None:
            raise QuantityError(f"{said} is not {self.name}; write a number and a unit, such as {self.example}")
        unit = written["unit"]
        if unit is None:
            raise QuantityError(f"{said} has no unit; write {self.name} as in {self.example} ({self._known()})")
        if unit not in self.units:
            known = f"{self._known()}{self._hint(unit)}"
            raise QuantityError(f"{said} has the unit {shown(unit)}; {self.name} has one of {known}")
        value = Decimal(written["number"]) * self.units[unit]
        if value != value.to_integral_value():
            raise QuantityError(f"{said} is finer than 1 {self._smallest()}")
        if not self.lowest <= value <= self.highest:
            raise QuantityError(f"{said} is outside {self.format(self.lowest)} to {self.format(self.highest)}")
        return int(value)

    def format(self, value: int) -> str:
        """The shortest exact text in the largest unit that divides `value` (small units)."""
        fitting = [unit for unit, worth in self.units.items() if value % worth == 0]
        unit = max(fitting, key=self.units.__getitem__) if value else self._smallest()
        return f"{value // self.units[unit]} {unit}"

    def _smallest(self) -> str:
        return min(self.units, key=self.units.__getitem__)

    def _known(self) -> str:
        return ", ".join(self.units)

    def _hint(self, unit: str) -> str:
        same = [known for known in self.units if known.casefold() == unit.casefold()]
        return f"; did you mean {' or '.join(same)}?" if same else ""


DURATION = Quantity(
    name="a duration",
    units={
        "ns": 1,
        "us": 1_000,
        "ms": 1_000_000,
        "s": 1_000_000_000,
        "min": 60_000_000_000,
        "h": 3_600_000_000_000,
    },
    example="20 ms",
    lowest=0,
    highest=24 * 3_600_000_000_000,
)

POWER = Quantity(
    name="a power",
    units={"mW": 1, "W": 1_000, "kW": 1_000_000, "MW": 1_000_000_000},
    example="30 kW",
    lowest=-1_000_000_000_000,
    highest=1_000_000_000_000,
)
