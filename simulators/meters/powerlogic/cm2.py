"""CM2: the older generation. Commands at 7700, protected writes at 7720/7721, the clock written in place.

Source: PM600 bulletin 3020IM9503R6/98, the same generation and fully documented. Where the protected edit window lies
(7755 on) is public, how it is laid out is not: it is not simulated, and the ratios of a CM2 are read-only here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from protocols.modbus.pdu import ExceptionCode, ModbusException
from protocols.powerlogic.energy import Quantity
from protocols.powerlogic.tables import Register, commands
from protocols.powerlogic.words import WordError, decode_date
from simulators.meters.powerlogic.meter import Meter

_DATE_WORDS = 3


class CM2Meter(Meter):
    """A Series 2000 Circuit Monitor."""

    __slots__ = ()

    def store(self, _first: int, rows: Sequence[Register], values: Sequence[int], now: int) -> None:
        """Carry out a command at 7700, or set the clock by its three words.

        Raises:
            ModbusException: 03 for a command or a date that does not exist, 02 for a part of the clock.
        """
        if rows[0].name == "clock":
            self._set_clock(values, now)
        elif rows[0].name == "command":
            command = _COMMANDS.get(commands("CM2").get(values[0], ""))
            if command is None:
                raise ModbusException(ExceptionCode.ILLEGAL_DATA_VALUE)
            self.later(now + self.profile.exec_delay, lambda when: command(self, when))

    def _set_clock(self, words: Sequence[int], now: int) -> None:
        if len(words) != _DATE_WORDS:
            raise ModbusException(ExceptionCode.ILLEGAL_DATA_ADDRESS)
        try:
            moment = decode_date(words)
        except WordError:
            moment = None
        if moment is None:
            raise ModbusException(ExceptionCode.ILLEGAL_DATA_VALUE)
        self.set_clock(now, moment)


def _clear_energies(meter: CM2Meter, now: int) -> None:
    meter.put_energies(now, [0] * len(Quantity))
    meter.stamp("energy_reset_time", now)


def _reset_demand(meter: CM2Meter, now: int) -> None:
    meter.reset_demand(now)
    meter.stamp("demand_reset_time", now)


def _reset_minmax(meter: CM2Meter, now: int) -> None:
    meter.reset_extremes(now)
    meter.stamp("minmax_reset_time", now)


_COMMANDS: dict[str, Callable[[CM2Meter, int], None]] = {
    "clear_energies": _clear_energies,
    "reset_demand": _reset_demand,
    "reset_current_demand": lambda _meter, _now: None,
    "reset_minmax": _reset_minmax,
}
