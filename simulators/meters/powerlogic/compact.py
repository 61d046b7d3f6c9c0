"""The PM800's second door: registers 4000-4005, 4126 and 7016-7021 in the manner of a PM750.

Six words are three two-word quantities (PM800 user guide table B-4; that they are real, apparent and reactive energy in
kWh with the high word first is assumed). 4126 always reads 0, and what is written there leaves no trace at 8021.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.powerlogic.energy import Quantity
from protocols.powerlogic.tables import Register, commands
from simulators.metering.energy import WH
from simulators.meters.powerlogic.commands import COMMANDS

if TYPE_CHECKING:
    from simulators.meters.powerlogic.series import SeriesMeter

DOOR = "PM8@4126"
_KWH = 1000
_SHOWN = (Quantity.REAL_TOTAL, Quantity.APPARENT_TOTAL, Quantity.REACTIVE_TOTAL)
#: Which registers a compact quantity replaces: the total and its incoming part; the outgoing part becomes zero.
_REPLACES = {
    Quantity.REAL_TOTAL: (Quantity.REAL_TOTAL, Quantity.REAL_IN),
    Quantity.REACTIVE_TOTAL: (Quantity.REACTIVE_TOTAL, Quantity.REACTIVE_IN),
    Quantity.APPARENT_TOTAL: (Quantity.APPARENT_TOTAL,),
}


class CompactDoor:
    """The six preset words and what a code written to 4126 does with them."""

    __slots__ = ("_preset",)

    def __init__(self) -> None:
        self._preset = [0] * 6

    def words(self, meter: SeriesMeter, row: Register, now: int) -> list[int] | None:
        """What the rows named `compact_...` read."""
        if row.name == "compact_energy":
            energies = meter.energies(now)
            values = [abs(energies[quantity]) // _KWH & 0xFFFFFFFF for quantity in _SHOWN]
            return [word for value in values for word in divmod(value, 0x10000)]
        if row.name == "compact_preset":
            return list(self._preset)
        return [meter.config.get(row.name, 0) & 0xFFFF] * row.count

    def write(self, meter: SeriesMeter, index: int, name: str, value: int, now: int) -> None:
        """A word for 7016-7021, or a code for 4126."""
        if name == "compact_preset":
            self._preset[index] = value
        elif name == "compact_command":
            command = commands(DOOR).get(value)
            if command == "preset_energies":
                meter.later(now + meter.profile.exec_delay, lambda when: self._load(meter, when))
            elif command is not None:
                meter.later(now + meter.profile.exec_delay, lambda when: self._run(meter, command, when))

    @staticmethod
    def _run(meter: SeriesMeter, command: str, now: int) -> None:
        COMMANDS[command](meter, now)

    def _load(self, meter: SeriesMeter, now: int) -> None:
        values = dict.fromkeys(Quantity, 0)
        for index, quantity in enumerate(_SHOWN):
            kwh = self._preset[2 * index] << 16 | self._preset[2 * index + 1]
            for replaced in _REPLACES[quantity]:
                values[replaced] = kwh * _KWH * WH
        meter.put_energies(now, [values[quantity] for quantity in Quantity])
        meter.stamp("energy_preset_time", now)
