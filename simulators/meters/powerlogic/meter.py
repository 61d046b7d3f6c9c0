"""A PowerLogic meter as Modbus sees it: its metrology behind the registers that both generations answer alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from protocols.modbus.pdu import ExceptionCode, ModbusException
from protocols.powerlogic.energy import WORDS, Quantity
from protocols.powerlogic.tables import Model, Register, register_map
from protocols.powerlogic.words import pack_words, unpack_words, unsigned
from simulators.meters.powerlogic.face import EnergyBlock, Value, read_block, rows_in
from simulators.meters.powerlogic.metrology import Installation, Metrology
from simulators.meters.powerlogic.profile import Profile
from simulators.meters.powerlogic.readings import is_steady, readings
from simulators.power.feeder import Feeder

_ENERGY_WORDS = WORDS * len(Quantity)
_STEADY_BLOCKS = 64


class Meter(Metrology):
    """A PowerLogic meter of either generation: the data model that a Modbus responder asks.

    Args:
        model: what kind it is.
        feeder: the supply and load it is connected to.
        epoch: its local time at the world's instant 0.
        profile: what documents leave open.
        installation: the transformers in front of it; its set-up starts with the same ratios.
    """

    #: Whose defects it can have.
    family = "powerlogic"
    __slots__ = ("_energy_block", "_energy_start", "accepts_broadcast", "function_codes", "readings")

    def __init__(
        self, model: Model, feeder: Feeder, epoch: datetime, profile: Profile, installation: Installation
    ) -> None:
        self.function_codes = profile.function_codes
        self.accepts_broadcast = profile.accepts_broadcast
        self.readings: Mapping[str, Callable[[Meter, int], Value]] = readings(model.family)
        self._energy_block = EnergyBlock()
        self._energy_start = register_map(model.family)[model.order[0].value].number
        super().__init__(model, feeder, epoch, profile, installation)

    def read_registers(self, function: int, start: int, count: int, now: int) -> bytes:
        """Words from the PDU address `start` as big-endian bytes; both register functions show the same space."""
        self.settle(now)
        firmware = self.firmware
        if count > firmware.most_registers or count > self.profile.most_registers:
            raise ModbusException(ExceptionCode.ILLEGAL_DATA_VALUE)
        first = firmware.first_register(function, start)
        block_start = self._energy_start
        if block_start <= first and first + count <= block_start + _ENERGY_WORDS and self.profile.atomic_block_read:
            begin = 2 * (first - block_start)
            return self._energy_block.at(self, now)[begin : begin + 2 * count]
        return self._steady.get((first, count)) or self._read_block(first, count, now)

    def _read_block(self, first: int, count: int, now: int) -> bytes:
        """Words row by row; kept where all of them follow from what the feeder carries and nothing from the time."""
        block = pack_words(read_block(self, first, count, now))
        if self.readings is readings(self.model.family) and is_steady(self.model.family, first, count):
            if len(self._steady) == _STEADY_BLOCKS:  # whoever asks for ever other blocks gets no memory for it
                self._steady.clear()
            self._steady[first, count] = block
        return block

    def write_registers(self, start: int, data: bytes, now: int, function: int) -> None:
        """Words for the PDU address `start`: all of them are written, or none and the request is refused.

        Raises:
            ModbusException: the profile's `locked_write` for a register that takes no write (now), 03 for a value.
        """
        self.settle(now)
        self._steady.clear()
        values = self.firmware.stored(function, start + 1, unpack_words(data))
        rows = [self._writable(start + 1 + i, now) for i in range(len(values))]
        for row, value in zip(rows, values, strict=True):
            self.check_write(row, value)
        self.store(start + 1, rows, values, now)
        self.firmware.after_write(self, now)

    def _writable(self, register: int, now: int) -> Register:
        rows = rows_in(self.model.family, register, register + 1)
        if not rows or not self.may_write(rows[0], now):
            raise ModbusException(self.profile.locked_write)
        return rows[0]

    def may_write(self, row: Register, _now: int) -> bool:
        """Whether a register takes a write at this instant."""
        return row.access == "rw"

    def check_write(self, row: Register, value: int) -> None:
        """Refuse a value that its register does not take, with exception 03."""

    def store(self, first: int, rows: Sequence[Register], values: Sequence[int], now: int) -> None:
        """Put checked values in place and do what they start."""

    def reading(self, name: str, now: int) -> Value:
        """What a named register shows, in its natural unit; None where the meter has nothing to show."""
        found = self.readings.get(name)
        return found(self, now) if found else None

    def energy_words(self, name: str, value: int) -> Sequence[int]:
        """The four signed words of an energy of whole Wh, as the registers show them."""
        return self.firmware.words_of(name, value)

    def stored_words(self, row: Register, _now: int) -> list[int] | None:
        """The words of a register that is stored rather than measured; None for the others."""
        value = self.config.get(row.name)
        return None if value is None or row.count > 1 else [unsigned(value)]

    @property
    def checks_byte_count(self) -> bool:
        """Whether a write of several registers is refused when its byte count is not that of its quantity."""
        return self.firmware.checks_byte_count

    def report_server_id(self, _now: int) -> bytes:
        """Function 17: 64h, FFh and the product id (PM600 bulletin); PM800: 250, FFh, its name (user guide p. 80)."""
        head = bytes([self.profile.slave_id, 0xFF])
        if self.model.identification == "named":
            return head + f"{self.profile.product_name} Power Meter".encode()
        return head + self.profile.product_id.to_bytes(2, "big")

    @property
    def conformity_level(self) -> int:
        """Function 43/14: basic objects, stream access only (PM800 user guide p. 81: conformity 1)."""
        return 1

    def device_identification(self, _now: int) -> Mapping[int, bytes]:
        """Function 43/14, basic objects 0 to 2 (PM800 user guide p. 81); the gate of the others refuses it before."""
        vendor = b"Square D" if self.profile.vendor_label else b"Schneider Electric"
        version = self.profile.os_version
        return {0: vendor, 1: self.profile.product_name.encode(), 2: b"V%d.%03d" % divmod(version, 1000)}

    def read_bits(self, _function: int, _start: int, _count: int, _now: int) -> list[bool]:
        """PowerLogic meters show no bits; their gate answers exception 01 before this is reached."""
        return []

    def write_bits(self, _start: int, _values: list[bool], _now: int) -> None:
        """PowerLogic meters take no bits; their gate answers exception 01 before this is reached."""
