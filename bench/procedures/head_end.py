"""What a head-end makes of the bytes, numbers and moments that an Elster meter sends, step by step.

Each step is a decision that head-ends are known to get wrong (elster-flag section 6); a mistake overrides one of them
(`bench/procedures/reading_mistakes.py`). Energies are Wh, varh or VAh with three decimals, as the registers count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol, TypeVar

from protocols.elster.bcd import decode_bcd
from protocols.elster.registers import ENERGY_BYTES, ENERGY_LIMIT
from protocols.elster.tables import Source, model

if TYPE_CHECKING:
    from bench.drivers.elster import Elster

_MILLI = 3
_MINUTES = 60
_UNUSED = "-"
#: Wh (varh, VAh) at which a register of sixteen digits in mWh begins again at zero.
ROLL_OVER = Decimal(ENERGY_LIMIT).scaleb(-_MILLI)


class Dated(Protocol):
    """A value of one interval, wherever it comes from."""

    @property
    def key(self) -> object:
        """What makes it the same interval."""


D = TypeVar("D", bound=Dated)


@dataclass(frozen=True, slots=True)
class Totals:
    """The totals of a meter (507) as a head-end understands them.

    Attributes:
        values: Wh (varh, VAh) by source.
        time: what the meter's clock showed just before.
        asked_at, answered_at: bench time (ns).
    """

    values: Mapping[Source, Decimal]
    time: datetime
    asked_at: int
    answered_at: int

    def __getitem__(self, source: Source) -> Decimal:
        return self.values[source]


class HeadEnd:
    """A head-end that reads with care."""

    # -- registers ---------------------------------------------------------------------------------------------------

    def totals(self, meter: Elster) -> Totals:
        """The totals of a meter, from the bytes of identity 507 and its clock just before."""
        name = meter.device.model
        time, asked = meter.read_clock(), meter.clock.now()
        data, slots = meter.image("totals"), model(name)["totals"]
        registers = [data[at : at + ENERGY_BYTES] for at in range(0, len(data), ENERGY_BYTES)]
        found = meter.decoded("totals", lambda: [self.digits(register) for register in registers])
        pairs = zip(slots, found, strict=True)
        values = {Source(slot): self.energy(value) for slot, value in pairs if slot != _UNUSED}
        return Totals(values, time, asked, meter.clock.now())

    def digits(self, register: bytes) -> int:
        """The number in a register: packed BCD, the last byte first.

        Raises:
            ProtocolError: a digit above 9.
        """
        return decode_bcd(register)

    def energy(self, counted: int) -> Decimal:
        """A register's count in Wh: it counts mWh."""
        return Decimal(counted).scaleb(-_MILLI)

    def advance(self, before: Decimal, after: Decimal) -> Decimal:
        """What a register has advanced: behind its last digit it begins again at zero."""
        return after - before if after >= before else after - before + ROLL_OVER

    def source(self, name: str, number: int) -> Source | None:
        """What a record counts whose source number is this; each model numbers its own way."""
        found = model(name)["sources"].get(number)
        return None if found is None else Source(found)

    # -- load profile ------------------------------------------------------------------------------------------------

    def interval_energy(self, milliwatts: int, minutes: Decimal) -> Decimal:
        """The energy of a record: its value is a mean power (mW), not an energy."""
        return (Decimal(milliwatts) * minutes / (1000 * _MINUTES)).quantize(Decimal("0.001"))

    def people_read(self, standard: datetime, shift: timedelta) -> datetime:
        """The time that people read when a meter's standard time is this and daylight saving adds `shift`."""
        return standard + shift

    def joined(self, kept: Sequence[D], fresh: Sequence[D]) -> list[D]:
        """What was read before and what is read now, each interval once: a repeated reading replaces."""
        found = {each.key: each for each in kept}
        found.update({each.key: each for each in fresh})
        return list(found.values())
