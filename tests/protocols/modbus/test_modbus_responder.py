"""One request PDU in, one answer PDU out: what is answered, and what is refused with which exception."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modbus_memory import ALL_CODES, MemoryDevice
from pymodbus.pdu import DecodePDU

from protocols.modbus import Responder, pdu

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3


def respond(device: MemoryDevice, request: bytes | str) -> bytes:
    return Responder(device).respond(bytes.fromhex(request) if isinstance(request, str) else request, 0)


def test_registers_come_high_byte_first() -> None:
    device = MemoryDevice()
    device.registers[1699:1701] = [4567, 0xFFD6]
    assert respond(device, pdu.read_registers(1699, 2)).hex() == "030411d7ffd6"
    assert respond(device, pdu.read_registers(1699, 2, 4)).hex() == "040411d7ffd6"


def test_a_single_write_is_echoed_even_if_the_device_keeps_another_value() -> None:
    device = MemoryDevice()
    device.write_registers = lambda *_: None  # type: ignore[method-assign]  # a command register that stays zero
    assert respond(device, "061F3F1841").hex() == "061f3f1841"


def test_a_block_is_written_in_one_go() -> None:
    device = MemoryDevice()
    assert respond(device, pdu.write_registers(8021, [1, 2, 0xFFFF])).hex() == "101f550003"
    assert device.registers[8020:8025] == [0, 1, 2, 0xFFFF, 0]
    assert device.calls == [("write", 16, 8021)]


def test_bits() -> None:
    device = MemoryDevice()
    assert respond(device, pdu.write_bits(19, [True, False, True] * 3)).hex() == "0f00130009"
    assert respond(device, pdu.write_bit(20, value=True)).hex() == "050014ff00"
    assert respond(device, pdu.read_bits(19, 9)).hex() == "01026f01"


def test_a_mask_changes_only_its_bits() -> None:
    device = MemoryDevice()
    device.registers[4] = 0x12
    assert respond(device, "16000400F20025").hex() == "16000400f20025"  # the example of the standard, 6.16
    assert device.registers[4] == 0x17


def test_function_23_writes_before_it_reads() -> None:
    device = MemoryDevice()
    assert respond(device, pdu.read_write_registers(10, 3, 11, [7, 8])).hex() == "1706000000070008"


def test_function_23_refused_has_written_nothing() -> None:
    device = MemoryDevice(size=100)
    assert respond(device, pdu.read_write_registers(99, 2, 0, [7])).hex() == "9702"
    assert device.registers == [0] * 100


def test_who_is_there() -> None:
    assert respond(MemoryDevice(), "11") == b"\x11\x13\xfa\xffPM850 Power Meter"


@pytest.mark.parametrize("code", sorted(ALL_CODES))
def test_the_gate_refuses_what_the_model_does_not_know(code: int) -> None:
    device = MemoryDevice(codes=ALL_CODES - {code})
    assert respond(device, bytes((code, 0, 0, 0, 1))) == bytes((code | 0x80, ILLEGAL_FUNCTION))
    assert device.calls == []


@pytest.mark.parametrize("code", [0, 7, 12, 20, 21, 24, 100, 127, 128, 255])
def test_what_nobody_here_knows_is_refused_even_if_a_model_names_it(code: int) -> None:
    assert respond(MemoryDevice(codes=frozenset(range(256))), bytes((code,))) == bytes((code | 0x80, ILLEGAL_FUNCTION))


@pytest.mark.parametrize(
    "request_hex",
    [
        "0100000000",  # no bits
        "01000007D1",  # 2001 bits
        "0300000000",
        "030000007E",  # 126 registers
        "04FFFF0000",  # the quantity is looked at before the address
        "050000FF01",  # a coil is FF00 or 0000
        "0F0000000000",
        "0F00000008020000",  # 8 coils in two bytes
        "0F000007B1F7" + "00" * 247,  # 1969 coils
        "100000000204000100",  # 2 registers, 4 bytes said, 3 there
        "10000000020200010002",  # 2 registers, 2 bytes said
        "1000000002040001000200",  # a byte too many
        "1000000000" + "00",
        "100000007CF8" + "00" * 248,  # 124 registers
        "1700000000000000010200" + "01",
        "170000007E000000010200" + "01",
        "17000000010000000000",
        "170000000100000002020001",
        "1700000001000000" + "7AF4" + "00" * 244,
        "08000B0001",  # a counter is asked for with a zero
        "080001FF01",
        "1101",
        "2B0E0000",  # read code 0
        "2B0E0500",
        "2B0E01",
    ],
)
def test_wrong_quantities_and_byte_counts_are_refused(request_hex: str) -> None:
    device = MemoryDevice()
    assert respond(device, request_hex) == bytes((int(request_hex[:2], 16) | 0x80, ILLEGAL_VALUE))
    assert device.calls == []


@pytest.mark.parametrize("code", sorted(ALL_CODES - {17, 43}))
@pytest.mark.parametrize("size", [0, 1, 3])
def test_short_requests_are_refused(code: int, size: int) -> None:
    assert respond(MemoryDevice(), bytes((code, *bytes(size)))) == bytes((code | 0x80, ILLEGAL_VALUE))


@pytest.mark.parametrize(
    "request_pdu",
    [
        pdu.read_bits(0xFFFF, 2),
        pdu.read_registers(0xFFFF, 2),
        pdu.write_bits(0xFFFF, [True, True]),
        pdu.write_registers(0xFFFF, [1, 2]),
        pdu.read_write_registers(0xFFFF, 2, 0, [1]),
        pdu.read_write_registers(0, 1, 0xFFFF, [1, 2]),
    ],
    ids=bytes.hex,
)
def test_nothing_lies_beyond_the_last_address(request_pdu: bytes) -> None:
    device = MemoryDevice()
    assert respond(device, request_pdu) == bytes((request_pdu[0] | 0x80, ILLEGAL_ADDRESS))
    assert device.calls == []


@pytest.mark.parametrize(
    "request_pdu",
    [
        pdu.read_bits(0xFFFF, 1),
        pdu.read_bits(0x10000 - 2000, 2000),
        pdu.read_registers(0xFFFF, 1),
        pdu.read_registers(0x10000 - 125, 125),
        pdu.write_bits(0xFFFF, [True]),
        pdu.write_bits(0x10000 - 1968, [True] * 1968),
        pdu.write_registers(0xFFFF, [1]),
        pdu.write_registers(0x10000 - 123, [1] * 123),
        pdu.read_write_registers(0xFFFF, 1, 0xFFFF, [1]),
        pdu.read_write_registers(0x10000 - 125, 125, 0x10000 - 121, [1] * 121),
    ],
    ids=lambda request_pdu: request_pdu[:5].hex(),
)
def test_the_last_address_and_the_largest_quantity_belong_to_it(request_pdu: bytes) -> None:
    assert respond(MemoryDevice(), request_pdu)[0] == request_pdu[0]


@pytest.mark.parametrize(
    ("request_pdu", "calls"),
    [
        (pdu.read_registers(9, 1, 4), [("read", 4, 9)]),
        (pdu.read_bits(9, 1, 2), [("read", 2, 9)]),
        (pdu.write_register(9, 1), [("write", 6, 9)]),
        (pdu.mask_write_register(9, 1, 1), [("read", 22, 9), ("write", 22, 9)]),
        (pdu.read_write_registers(8, 1, 9, [1]), [("read", 23, 8), ("write", 23, 9), ("read", 23, 8)]),
    ],
    ids=lambda value: value.hex() if isinstance(value, bytes) else "",
)
def test_the_model_is_told_which_function_asks(request_pdu: bytes, calls: list[tuple[str, int, int]]) -> None:
    device = MemoryDevice()
    respond(device, request_pdu)
    assert device.calls == calls


def test_a_model_refuses_with_its_own_code() -> None:
    assert respond(MemoryDevice(size=10), pdu.read_registers(8, 3)).hex() == "8302"


def test_a_mei_type_that_is_not_there() -> None:
    assert respond(MemoryDevice(), "2B0D0100").hex() == "ab01"


def test_an_empty_request_has_no_function() -> None:
    assert respond(MemoryDevice(), b"").hex() == "8001"


def test_the_largest_answers_fit_a_pdu() -> None:
    assert len(respond(MemoryDevice(), pdu.read_registers(0, 125))) == 252
    assert len(respond(MemoryDevice(), pdu.read_bits(0, 2000))) == 252


@given(st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=121), st.integers(0, 0xFF00))
def test_what_was_written_is_read_by_pymodbus(values: list[int], start: int) -> None:
    device = MemoryDevice()
    respond(device, pdu.write_registers(start, values))
    read = DecodePDU(is_server=False).decode(respond(device, pdu.read_registers(start, len(values))))
    assert read is not None
    assert list(read.registers) == values
    assert respond(device, pdu.read_write_registers(start, len(values), start, values))[2:] == pdu.pack_registers(
        values
    )


@given(st.sampled_from(sorted(ALL_CODES)), st.binary(max_size=260))
def test_garbage_never_raises_and_is_always_answered(code: int, data: bytes) -> None:
    device = MemoryDevice()
    for request_pdu in (bytes((code,)) + data, data):
        answer = Responder(device).respond(request_pdu, 0)
        function = request_pdu[0] if request_pdu else 0
        assert answer[0] in (function, function | 0x80)
