"""Function 8 and the counters of the serial line."""

from __future__ import annotations

import pytest
from modbus_memory import MemoryDevice, join

from protocols.modbus import ExceptionCode, ModbusException, RtuClient, RtuServer, encode_rtu, pdu
from protocols.modbus.responder import Responder


def counter(server: RtuServer, sub_function: int) -> int:
    return int.from_bytes(join(RtuClient(server.address).diagnose(sub_function), server.receive), "big")


def test_a_loop_comes_back() -> None:
    server = RtuServer(1, MemoryDevice())
    assert join(RtuClient(1).diagnose(0, b"\xa5\x37"), server.receive) == b"\xa5\x37"
    assert join(RtuClient(1).diagnose(0, bytes(range(200))), server.receive) == bytes(range(200))


def test_every_counter_counts_its_own_thing() -> None:
    device = MemoryDevice()
    server = RtuServer(1, device)
    server.receive(encode_rtu(1, b"\x11"), 0)  # for us
    server.receive(encode_rtu(2, b"\x11"), 0)  # for somebody else
    server.receive(encode_rtu(1, b"\x64"), 0)  # refused
    server.receive(encode_rtu(0, pdu.write_register(5, 6)), 0)  # for everybody
    server.receive(b"\x01\x11\x00\x00", 0)  # damaged
    server.receive(b"\x01", 0)  # too short to have a CRC
    server.responder.diagnostics.overruns = 65536 + 3  # counters have 16 bits
    got = {sub_function: counter(server, sub_function) for sub_function in range(11, 19)}
    # The questions themselves are messages too: 11 is asked first, 14 fourth.
    assert got == {11: 4 + 1, 12: 2, 13: 1, 14: 3 + 4, 15: 1, 16: 0, 17: 0, 18: 3}


@pytest.mark.parametrize(
    ("code", "sub_function"), [(ExceptionCode.NEGATIVE_ACKNOWLEDGE, 16), (ExceptionCode.SERVER_DEVICE_BUSY, 17)]
)
def test_busy_and_nak_have_counters_of_their_own(code: ExceptionCode, sub_function: int) -> None:
    class Unwilling(MemoryDevice):
        def report_server_id(self, now: int) -> bytes:  # noqa: ARG002  # as in DataModel
            raise ModbusException(code)

    server = RtuServer(1, Unwilling())
    assert server.receive(encode_rtu(1, b"\x11"), 0)[0].data == encode_rtu(1, bytes((0x91, code)))
    assert counter(server, sub_function) == 1
    assert counter(server, 13) == 1


@pytest.mark.parametrize("request_pdu", [pdu.diagnose(10), pdu.diagnose(1), pdu.diagnose(1, b"\xff\x00")])
def test_clearing_and_restarting(request_pdu: bytes) -> None:
    server = RtuServer(1, MemoryDevice())
    server.receive(b"noise", 0)
    assert server.receive(encode_rtu(1, request_pdu), 0)[0].data == encode_rtu(1, request_pdu)
    assert counter(server, 12) == 0
    assert counter(server, 14) == 2


@pytest.mark.parametrize("sub_function", [2, 3, 4, 9, 19, 20, 21, 0xFFFF])
def test_other_sub_functions_are_refused(sub_function: int) -> None:
    with pytest.raises(ModbusException, match="exception 01"):
        join(RtuClient(1).diagnose(sub_function), RtuServer(1, MemoryDevice()).receive)


def test_without_supply_nothing_is_counted() -> None:
    device = MemoryDevice()
    server = RtuServer(1, device)
    device.supplied = False
    for frame in (b"noise", encode_rtu(1, b"\x11"), encode_rtu(2, b"\x11"), encode_rtu(0, b"\x11")):
        assert server.receive(frame, 0) == []
    device.supplied = True
    assert [counter(server, 11), counter(server, 12), counter(server, 15)] == [1, 0, 0]


def test_function_11_counts_what_was_carried_out() -> None:
    """Neither a refusal nor the question itself is an event (AP 6.9)."""
    device = Responder(MemoryDevice(codes=frozenset(range(256))))
    for request in (b"\x11", b"\x64", b"\x11", b"\x0b"):
        device.respond(request, 0)
    assert device.respond(b"\x0b", 0) == bytes.fromhex("0b 0000 0002")
    assert device.respond(b"\x0b\x00", 0) == bytes.fromhex("8b 03")
    device.respond(pdu.diagnose(10), 0)
    assert device.respond(b"\x0b", 0) == bytes.fromhex("0b 0000 0001")  # the clearing itself
