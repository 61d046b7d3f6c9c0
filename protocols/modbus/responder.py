"""The answering side without an envelope: what a device shows, and one request PDU in, one answer PDU out.

Every check stands in the order of the state diagrams of AP 6: function (01), length and quantity (03), address (02),
and only then does the device execute. So a refused request has changed nothing.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from protocols.modbus import pdu as words
from protocols.modbus.diagnostics import Diagnostics
from protocols.modbus.identification import conformity_of, encode_page
from protocols.modbus.pdu import ExceptionCode, FunctionCode, ModbusException

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TWO_WORDS = Struct(">HH").unpack_from
_THREE_WORDS = Struct(">HHH").unpack_from
_FOUR_WORDS = Struct(">HHHH").unpack_from


class DataModel(Protocol):
    """What a device shows. Addresses are PDU addresses: register N of a manual is N - 1.

    Every method may raise `ModbusException`; the quantities have been checked before it is called.
    """

    @property
    def function_codes(self) -> frozenset[int]:
        """The codes that this model knows; anything else is refused with exception 01."""

    @property
    def accepts_broadcast(self) -> bool:
        """Whether writes to unit 0 are executed; they are never answered."""

    def listening(self, now: int) -> bool:
        """False without supply or while booting: nothing is heard, nothing answered."""

    def read_registers(self, function: int, start: int, count: int, now: int) -> bytes:
        """2 * count bytes, high byte first. `function` is the code that asks: 3, 4, 22 or 23."""

    def write_registers(self, start: int, data: bytes, now: int, function: int) -> None:
        """Set len(data) / 2 registers. `function` is the code that asks: 6, 16, 22 or 23."""

    def read_bits(self, function: int, start: int, count: int, now: int) -> list[bool]:
        """`count` coils (function 1) or discrete inputs (function 2)."""

    def write_bits(self, start: int, values: list[bool], now: int) -> None:
        """Set coils (functions 5 and 15)."""

    def report_server_id(self, now: int) -> bytes:
        """What function 17 answers behind its byte count, at most 251 bytes."""

    def device_identification(self, now: int) -> Mapping[int, bytes]:
        """The objects of function 43/14 by id; none at all is exception 01."""


@runtime_checkable
class StatesConformity(Protocol):
    """A data model with a conformity level of its own for function 43/14; 01..03 refuse individual access."""

    conformity_level: int


class Responder:
    """One device: its data model, its diagnostic counters, and the answers it gives."""

    __slots__ = ("diagnostics", "model")

    def __init__(self, model: DataModel) -> None:
        self.model = model
        self.diagnostics = Diagnostics()

    def respond(self, pdu: bytes, now: int) -> bytes:
        """The answer PDU to a request PDU; never raises because of what the request holds."""
        self.diagnostics.server_messages += 1
        function = pdu[0] if pdu else 0
        handler = _HANDLERS.get(function)
        if handler is None or function not in self.model.function_codes:
            return self._refuse(function, ExceptionCode.ILLEGAL_FUNCTION)
        try:
            answer = handler(self, pdu, now)
        except ModbusException as refusal:
            return self._refuse(function, refusal.code)
        self.diagnostics.events += function != FunctionCode.GET_COMM_EVENT_COUNTER
        return answer

    def broadcast(self, pdu: bytes, now: int) -> None:
        """Execute a request that came to everybody, if it is a write and this device takes part; say nothing."""
        if not self.model.listening(now):
            return
        if self.model.accepts_broadcast and pdu and pdu[0] in words.BROADCAST_CODES:
            self.respond(pdu, now)
        else:
            self.diagnostics.server_messages += 1
        self.diagnostics.no_responses += 1

    def _refuse(self, function: int, code: int) -> bytes:
        self.diagnostics.count_refusal(code)
        return bytes((function | words.EXCEPTION_BIT, code))


def _read_registers(device: Responder, pdu: bytes, now: int) -> bytes:
    if len(pdu) != 5:  # noqa: PLR2004  # function code and two words
        raise ModbusException(ExceptionCode.ILLEGAL_DATA_VALUE)
    start, count = _TWO_WORDS(pdu, 1)
    if not 0 < count <= words.MAX_READ_REGISTERS:
        raise ModbusException(ExceptionCode.ILLEGAL_DATA_VALUE)
    if start + count > words.ADDRESSES:
        raise ModbusException(ExceptionCode.ILLEGAL_DATA_ADDRESS)
    function = pdu[0]
    return bytes((function, 2 * count)) + device.model.read_registers(function, start, count, now)


def _read_bits(device: Responder, pdu: bytes, now: int) -> bytes:
    _check(len(pdu) == 5)  # noqa: PLR2004  # function code and two words
    start, count = _TWO_WORDS(pdu, 1)
    _check(0 < count <= words.MAX_READ_BITS)
    _check_range(start, count)
    data = words.pack_bits(device.model.read_bits(pdu[0], start, count, now))
    return bytes((pdu[0], len(data))) + data


def _write_bit(device: Responder, pdu: bytes, now: int) -> bytes:
    _check(len(pdu) == 5)  # noqa: PLR2004  # function code and two words
    address, value = _TWO_WORDS(pdu, 1)
    _check(value in (words.COIL_ON, words.COIL_OFF))
    device.model.write_bits(address, [value == words.COIL_ON], now)
    return pdu


def _write_register(device: Responder, pdu: bytes, now: int) -> bytes:
    _check(len(pdu) == 5)  # noqa: PLR2004  # function code and two words
    device.model.write_registers(_TWO_WORDS(pdu, 1)[0], pdu[3:], now, pdu[0])
    return pdu


def _write_bits(device: Responder, pdu: bytes, now: int) -> bytes:
    _check(len(pdu) > 6)  # noqa: PLR2004  # function code, two words, byte count, data
    start, count = _TWO_WORDS(pdu, 1)
    _check(0 < count <= words.MAX_WRITE_BITS)
    _check(pdu[5] == (count + 7) // 8 == len(pdu) - 6)
    _check_range(start, count)
    device.model.write_bits(start, words.unpack_bits(pdu[6:], count), now)
    return pdu[:5]


def _write_registers(device: Responder, pdu: bytes, now: int) -> bytes:
    _check(len(pdu) > 6)  # noqa: PLR2004  # function code, two words, byte count, data
    start, count = _TWO_WORDS(pdu, 1)
    _check(0 < count <= words.MAX_WRITE_REGISTERS)
    if not pdu[5] == 2 * count == len(pdu) - 6:
        _check(getattr(device.model, "checks_byte_count", True) is False and len(pdu) % 2 == 0)
    _check_range(start, count)
    device.model.write_registers(start, pdu[6:], now, pdu[0])
    return pdu[:5]


def _mask_write_register(device: Responder, pdu: bytes, now: int) -> bytes:
    _check(len(pdu) == 7)  # noqa: PLR2004  # function code and three words
    address, and_mask, or_mask = _THREE_WORDS(pdu, 1)
    old = int.from_bytes(device.model.read_registers(pdu[0], address, 1, now), "big")
    new = old & and_mask | or_mask & ~and_mask
    device.model.write_registers(address, new.to_bytes(2, "big"), now, pdu[0])
    return pdu


def _read_write_registers(device: Responder, pdu: bytes, now: int) -> bytes:
    _check(len(pdu) > 10)  # noqa: PLR2004  # function code, four words, byte count, data
    function = pdu[0]
    read_start, read_count, write_start, write_count = _FOUR_WORDS(pdu, 1)
    _check(0 < read_count <= words.MAX_READ_REGISTERS)
    _check(0 < write_count <= words.MAX_READ_WRITE_REGISTERS)
    _check(pdu[9] == 2 * write_count == len(pdu) - 10)
    _check_range(read_start, read_count)
    _check_range(write_start, write_count)
    model = device.model
    model.read_registers(function, read_start, read_count, now)  # an unmapped one must refuse before the write
    model.write_registers(write_start, pdu[10:], now, function)
    return bytes((function, 2 * read_count)) + model.read_registers(function, read_start, read_count, now)


def _diagnose(device: Responder, pdu: bytes, _now: int) -> bytes:
    return device.diagnostics.answer(pdu)


def _count_events(device: Responder, pdu: bytes, _now: int) -> bytes:
    """Function 11: a status word, which is 0 as nothing goes on in the background here, and the counter."""
    _check(len(pdu) == 1)
    return bytes((pdu[0], 0, 0)) + (device.diagnostics.events & 0xFFFF).to_bytes(2, "big")


def _report_server_id(device: Responder, pdu: bytes, now: int) -> bytes:
    _check(len(pdu) == 1)
    data = device.model.report_server_id(now)
    return bytes((pdu[0], len(data))) + data


def _identify(device: Responder, pdu: bytes, now: int) -> bytes:
    if len(pdu) > 1 and pdu[1] != words.MEI_READ_DEVICE_IDENTIFICATION:
        raise ModbusException(ExceptionCode.ILLEGAL_FUNCTION)
    _check(len(pdu) == 4)  # noqa: PLR2004  # function code, MEI type, read code, object id
    model = device.model
    objects = model.device_identification(now)
    level = model.conformity_level if isinstance(model, StatesConformity) else conformity_of(objects)
    return encode_page(objects, level, pdu[2], pdu[3])


def _check(sound: bool) -> None:  # noqa: FBT001  # reads like an assertion
    if not sound:
        raise ModbusException(ExceptionCode.ILLEGAL_DATA_VALUE)


def _check_range(start: int, count: int) -> None:
    if start + count > words.ADDRESSES:
        raise ModbusException(ExceptionCode.ILLEGAL_DATA_ADDRESS)


_HANDLERS: dict[int, Callable[[Responder, bytes, int], bytes]] = {
    FunctionCode.READ_COILS: _read_bits,
    FunctionCode.READ_DISCRETE_INPUTS: _read_bits,
    FunctionCode.READ_HOLDING_REGISTERS: _read_registers,
    FunctionCode.READ_INPUT_REGISTERS: _read_registers,
    FunctionCode.WRITE_SINGLE_COIL: _write_bit,
    FunctionCode.WRITE_SINGLE_REGISTER: _write_register,
    FunctionCode.DIAGNOSTICS: _diagnose,
    FunctionCode.GET_COMM_EVENT_COUNTER: _count_events,
    FunctionCode.WRITE_MULTIPLE_COILS: _write_bits,
    FunctionCode.WRITE_MULTIPLE_REGISTERS: _write_registers,
    FunctionCode.REPORT_SERVER_ID: _report_server_id,
    FunctionCode.MASK_WRITE_REGISTER: _mask_write_register,
    FunctionCode.READ_WRITE_MULTIPLE_REGISTERS: _read_write_registers,
    FunctionCode.ENCAPSULATED_INTERFACE: _identify,
}
