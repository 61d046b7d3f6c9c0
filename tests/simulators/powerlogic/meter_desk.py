"""A meter on a desk for the tests: registers by their manual numbers, and time that the test moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from protocols.modbus import pdu
from protocols.modbus.pdu import EXCEPTION_BIT, ModbusException
from protocols.modbus.responder import Responder
from protocols.powerlogic.energy import Quantity, decode_set, encode_set
from protocols.powerlogic.tables import register_map
from protocols.powerlogic.words import decode_date, signed, unpack_words, unsigned
from simulators.meters.powerlogic import Installation, build_meter
from simulators.power.feeder import Feeder, Load

MS = 1_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 3600 * SECOND
SENTINEL = 32_767
#: Energies that look like those of a meter in service: totals are the sums of their parts.
IN_SERVICE = {
    Quantity.REAL_IN: 12_345_678,
    Quantity.REACTIVE_IN: 2_345_678,
    Quantity.REAL_OUT: 1_000,
    Quantity.REACTIVE_OUT: 42,
    Quantity.REAL_TOTAL: 12_346_678,
    Quantity.REACTIVE_TOTAL: 2_345_720,
    Quantity.APPARENT_TOTAL: 12_600_000,
}
#: 28 words of a preset, each quantity another.
PRESET = {quantity: 1_0001_0001 * (index + 1) for index, quantity in enumerate(Quantity)}


class Desk:
    """One meter, asked over Modbus as a master asks it, with an instant that only the test moves.

    Args:
        model: a name from the table of models.
        load: what its feeder carries.
        energies: its first readings in Wh.
        installation: the transformers in front of it.
        profile: profile values that differ from the model's.
    """

    def __init__(
        self,
        model: str = "PM850",
        load: Load | None = None,
        *,
        energies: Mapping[Quantity, int] = IN_SERVICE,
        installation: Installation | None = None,
        **profile: Any,
    ) -> None:
        self.feeder = Feeder(load=load)
        self.meter = build_meter(
            model, self.feeder, energies=energies, installation=installation, profile={"clock_drift_ppm": 0, **profile}
        )
        self.map = register_map(self.meter.model.family)
        self.now = 0
        self._responder = Responder(self.meter)

    def ask(self, request: bytes) -> bytes:
        """The answer PDU; raises ModbusException for a refusal."""
        answer = self._responder.respond(request, self.now)
        if answer[0] & EXCEPTION_BIT:
            raise ModbusException(answer[1])
        return answer

    def listens(self) -> bool:
        """Whether the meter would answer now."""
        return self.meter.listening(self.now)

    def read(self, register: int, count: int = 1) -> list[int]:
        """Registers as unsigned words, in as many requests as they need."""
        first = min(count, pdu.MAX_READ_REGISTERS)
        words = unpack_words(self.ask(pdu.read_registers(register - 1, first))[2:])
        return words if first == count else words + self.read(register + first, count - first)

    def word(self, register: int) -> int:
        """One register, signed."""
        return signed(self.read(register)[0])

    def named(self, name: str) -> list[int]:
        """All words of a named register, unsigned."""
        return self.read(self.map[name].number, self.map[name].count)

    def value(self, name: str) -> int:
        """A named register of one word, signed."""
        return signed(self.named(name)[0])

    def date(self, name: str) -> datetime | None:
        """A named date."""
        return decode_date(self.named(name)[: self.meter.model.date_words])

    def energies(self) -> dict[Quantity, int]:
        """The accumulated energies from one read of 28 registers."""
        first = self.map[self.meter.model.order[0].value].number
        return decode_set([signed(word) for word in self.read(first, 28)], self.meter.model.order)

    def write(self, register: int, *values: int) -> None:
        """Function 16."""
        self.ask(pdu.write_registers(register - 1, [unsigned(value) for value in values]))

    def poke(self, register: int, value: int) -> None:
        """Function 6."""
        self.ask(pdu.write_register(register - 1, unsigned(value)))

    def wait(self, duration: int) -> None:
        """Let time (ns) pass."""
        self.now += duration

    def command(self, code: int, *parameters: int, data: int = 0) -> int:
        """Carry out a command of the series with the usual pointers; returns the result word."""
        self.write(8020, SENTINEL, SENTINEL)
        self.write(8017, 8020, 8021, data)
        if parameters:
            self.write(8001, *parameters)
        self.poke(8000, code)
        self.wait(200 * MS)
        return self.word(8021)

    def preset(self, values: Mapping[Quantity, int] | Sequence[int] = PRESET) -> int:
        """Command 6209 with seven energies, or with 28 words as they are; returns the result word."""
        words = encode_set(dict(values)) if isinstance(values, Mapping) else values
        self.write(8022, *words)
        return self.command(6209, data=8022)

    def program(self, **settings: int) -> None:
        """Write set-up registers in a setup session, save, and wait for the meter to come back."""
        assert self.command(9020) == 0
        for name, value in settings.items():
            self.poke(self.map[name].number, value)
        self.command_and_reset(9021, 1)

    def command_and_reset(self, code: int, *parameters: int) -> None:
        """Carry out a command that ends in a reset, and wait for the meter to come back."""
        if parameters:
            self.write(8001, *parameters)
        self.poke(8000, code)
        self.wait(30 * SECOND)
        assert self.listens()

    def change(self, load: Load) -> None:
        """Another load from now on."""
        self.feeder.change(self.now, load=load)

    def supply(self, *, on: bool) -> None:
        """Switch the meter's own supply."""
        self.feeder.switch_supply(self.now, on=on)

    def power_cycle(self, off: int = 5 * SECOND) -> None:
        """Supply off, on again, and the boot waited for."""
        self.supply(on=False)
        self.wait(off)
        self.supply(on=True)
        self.wait(10 * SECOND)


def refused(desk: Desk, action: Any) -> int | None:
    """The exception code that an action on the desk is refused with, None if it is not."""
    try:
        action(desk)
    except ModbusException as refusal:
        return refusal.code
    return None
