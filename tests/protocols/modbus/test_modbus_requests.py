"""Every request that we build is the one that pymodbus builds, and the limits of the standard are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.pdu import bit_message as bit
from pymodbus.pdu import diag_message as diag
from pymodbus.pdu import mei_message as mei
from pymodbus.pdu import other_message as other
from pymodbus.pdu import register_message as reg

from protocols.modbus import ExceptionCode, ModbusException, pdu

if TYPE_CHECKING:
    from collections.abc import Callable

    from pymodbus.pdu import ModbusPDU

words = st.integers(0, 0xFFFF)
word_lists = st.lists(words, min_size=1, max_size=121)


def encoded(message: ModbusPDU) -> bytes:
    return bytes((message.function_code,)) + message.encode()


@given(words, st.integers(1, 125))
def test_reading_registers(start: int, count: int) -> None:
    assert pdu.read_registers(start, count) == encoded(reg.ReadHoldingRegistersRequest(address=start, count=count))
    assert pdu.read_registers(start, count, 4) == encoded(reg.ReadInputRegistersRequest(address=start, count=count))


@given(words, st.integers(1, 2000))
def test_reading_bits(start: int, count: int) -> None:
    assert pdu.read_bits(start, count) == encoded(bit.ReadCoilsRequest(address=start, count=count))
    assert pdu.read_bits(start, count, 2) == encoded(bit.ReadDiscreteInputsRequest(address=start, count=count))


@given(words, words)
def test_writing_one_register(address: int, value: int) -> None:
    assert pdu.write_register(address, value) == encoded(
        reg.WriteSingleRegisterRequest(address=address, registers=[value])
    )


@given(words, word_lists)
def test_writing_registers(start: int, values: list[int]) -> None:
    assert pdu.write_registers(start, values) == encoded(
        reg.WriteMultipleRegistersRequest(address=start, registers=values)
    )


@given(words, words, words)
def test_masking_a_register(address: int, and_mask: int, or_mask: int) -> None:
    theirs = reg.MaskWriteRegisterRequest(address=address, and_mask=and_mask, or_mask=or_mask)
    assert pdu.mask_write_register(address, and_mask, or_mask) == encoded(theirs)


@given(words, st.integers(1, 125), words, word_lists)
def test_writing_and_reading_at_once(read_start: int, read_count: int, write_start: int, values: list[int]) -> None:
    theirs = reg.ReadWriteMultipleRegistersRequest(
        read_address=read_start, read_count=read_count, write_address=write_start, write_registers=values
    )
    assert pdu.read_write_registers(read_start, read_count, write_start, values) == encoded(theirs)


@given(words, st.booleans())
def test_writing_one_bit(address: int, value: bool) -> None:  # drawn by hypothesis
    assert pdu.write_bit(address, value=value) == encoded(bit.WriteSingleCoilRequest(address=address, bits=[value]))


@given(words, st.lists(st.booleans(), min_size=1, max_size=1968))
def test_writing_bits(start: int, values: list[bool]) -> None:
    assert pdu.write_bits(start, values) == encoded(bit.WriteMultipleCoilsRequest(address=start, bits=values))
    assert pdu.unpack_bits(pdu.pack_bits(values), len(values)) == values


def test_asking_who_is_there() -> None:
    assert pdu.report_server_id() == encoded(other.ReportDeviceIdRequest())
    for read_code in (1, 2, 3, 4):
        theirs = mei.ReadDeviceInformationRequest(read_code=read_code, object_id=2)
        assert pdu.read_device_identification(read_code, 2) == encoded(theirs)


def test_asking_how_the_line_is() -> None:
    assert pdu.diagnose(11) == encoded(diag.ReturnBusMessageCountRequest())
    assert pdu.diagnose(18) == encoded(diag.ReturnDeviceBusCharacterOverrunCountRequest())
    assert pdu.diagnose(0, b"\xa5\x37") == encoded(diag.ReturnQueryDataRequest(b"\xa5\x37"))


@pytest.mark.parametrize(
    "build",
    [
        lambda: pdu.read_bits(0, 0),
        lambda: pdu.read_bits(0, 2001),
        lambda: pdu.read_registers(0, 126),
        lambda: pdu.write_bits(0, []),
        lambda: pdu.write_bits(0, [True] * 1969),
        lambda: pdu.write_registers(0, [0] * 124),
        lambda: pdu.read_write_registers(0, 126, 0, [0]),
        lambda: pdu.read_write_registers(0, 1, 0, [0] * 122),
        lambda: pdu.read_registers(65536, 1),
        lambda: pdu.write_register(-1, 0),
        lambda: pdu.write_register(0, 65536),
        lambda: pdu.write_registers(0, [-42]),
    ],
)
def test_what_no_request_can_carry_is_the_callers_mistake(build: Callable[[], bytes]) -> None:
    with pytest.raises(ValueError, match=r"one request carries|do not fit"):
        build()


def test_the_largest_requests_fit_a_pdu() -> None:
    assert len(pdu.write_registers(0, [0] * 123)) == 252
    assert len(pdu.read_write_registers(0, 125, 0, [0] * 121)) == 252
    assert len(pdu.write_bits(0, [True] * 1968)) == 252


def test_refusals_say_what_they_mean() -> None:
    assert str(ModbusException(ExceptionCode.ILLEGAL_DATA_ADDRESS)) == "exception 02: illegal data address"
    assert str(ModbusException(0x0B)) == "exception 0B: gateway target failed to respond"
    assert str(ModbusException(0x55)) == "exception 55: not in the standard"
