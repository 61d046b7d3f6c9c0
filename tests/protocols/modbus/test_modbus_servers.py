"""A device on a line is silent unless it is meant; a TCP connection answers everything in order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modbus_memory import MemoryDevice

from protocols.conversation import Reply
from protocols.modbus import (
    ExceptionCode,
    MbapSplitter,
    Responder,
    RtuBus,
    RtuServer,
    TcpServer,
    decode_mbap,
    encode_mbap,
    encode_rtu,
    pdu,
)

READ = pdu.read_registers(1699, 28)
SECOND = 1_000_000_000


def numbered(count: int = 28) -> MemoryDevice:
    device = MemoryDevice()
    device.registers[1699 : 1699 + count] = range(count)
    return device


def answered(replies: list[Reply]) -> list[tuple[int, int, bytes]]:
    return [decode_mbap(frame) for frame in MbapSplitter().feed(b"".join(reply.data for reply in replies))]


class TestOnALine:
    def test_a_sound_frame_for_us_is_answered_at_once(self) -> None:
        (reply,) = RtuServer(3, numbered()).receive(encode_rtu(3, pdu.read_registers(1700, 1)), 5 * SECOND)
        assert reply == Reply(encode_rtu(3, bytes.fromhex("03020001")), delay=0)

    def test_refusals_are_answers(self) -> None:
        (reply,) = RtuServer(3, MemoryDevice()).receive(encode_rtu(3, b"\x64"), 0)
        assert reply.data == encode_rtu(3, b"\xe4\x01")

    @pytest.mark.parametrize("unit", [1, 2, 4, 247, 255])
    def test_frames_for_others_are_left_to_them(self, unit: int) -> None:
        device = numbered()
        assert RtuServer(3, device).receive(encode_rtu(unit, READ), 0) == []
        assert device.calls == []

    def test_a_wrong_crc_is_met_with_silence(self) -> None:
        frame = encode_rtu(3, READ)
        server = RtuServer(3, numbered())
        assert server.receive(frame[:-1] + bytes((frame[-1] ^ 1,)), 0) == []
        assert server.receive(frame[:-1], 0) == []
        assert server.receive(frame + frame, 0) == []
        assert server.responder.diagnostics.communication_errors == 3

    def test_no_supply_no_answer(self) -> None:
        device = numbered()
        device.supplied = False
        assert RtuServer(3, device).receive(encode_rtu(3, READ), 0) == []

    def test_a_broadcast_write_is_executed_in_silence(self) -> None:
        devices = [MemoryDevice(), MemoryDevice(), MemoryDevice(broadcast=False)]
        for address, device in enumerate(devices, 1):
            assert RtuServer(address, device).receive(encode_rtu(0, pdu.write_register(7, 99)), 0) == []
        assert [device.registers[7] for device in devices] == [99, 99, 0]

    @pytest.mark.parametrize("request_pdu", [READ, b"\x11", pdu.read_write_registers(0, 1, 7, [99])], ids=bytes.hex)
    def test_only_writes_are_for_everybody(self, request_pdu: bytes) -> None:
        device = MemoryDevice()
        assert RtuServer(3, device).receive(encode_rtu(0, request_pdu), 0) == []
        assert device.calls == []

    def test_a_refused_broadcast_is_silent_too(self) -> None:
        server = RtuServer(3, MemoryDevice(size=5))
        assert server.receive(encode_rtu(0, pdu.write_register(7, 99)), 0) == []
        assert server.responder.diagnostics.exceptions == 1

    @given(st.binary(max_size=300))
    def test_garbage_never_raises(self, data: bytes) -> None:
        server = RtuServer(3, MemoryDevice())
        server.receive(data, 0)
        if 1 <= len(data) <= 253:
            assert len(server.receive(encode_rtu(3, data), 0)) == 1


class TestManyOnALine:
    def test_the_one_that_is_addressed_answers(self) -> None:
        bus = RtuBus(RtuServer(address, numbered()) for address in (3, 4, 5))
        assert bus.receive(encode_rtu(4, READ), 0) == RtuServer(4, numbered()).receive(encode_rtu(4, READ), 0)
        assert bus.receive(encode_rtu(6, READ), 0) == []

    def test_everybody_who_listens_hears_every_frame(self) -> None:
        devices = [MemoryDevice(), MemoryDevice(), MemoryDevice()]
        servers = [RtuServer(address, device) for address, device in enumerate(devices, 3)]
        devices[2].supplied = False
        bus = RtuBus(servers)
        bus.receive(encode_rtu(3, READ), 0)
        bus.receive(encode_rtu(3, READ)[:-1], 0)
        heard = [server.responder.diagnostics for server in servers]
        assert [device.server_messages for device in heard] == [1, 0, 0]
        assert [device.overheard for device in heard] == [0, 1, 0]
        assert [device.communication_errors for device in heard] == [1, 1, 0]

    def test_a_broadcast_reaches_all_and_nobody_answers(self) -> None:
        devices = [MemoryDevice(), MemoryDevice()]
        bus = RtuBus(RtuServer(address, device) for address, device in enumerate(devices, 1))
        assert bus.receive(encode_rtu(0, pdu.write_register(7, 99)), 0) == []
        assert [device.registers[7] for device in devices] == [99, 99]


class TestOnAConnection:
    def test_transaction_and_unit_come_back(self) -> None:
        replies = TcpServer({9: numbered()}).receive(encode_mbap(0xBEEF, 9, pdu.read_registers(1701, 2)), 0)
        assert answered(replies) == [(0xBEEF, 9, bytes.fromhex("030400020003"))]

    def test_sixteen_in_one_segment_are_answered_in_order_and_in_one_go(self) -> None:
        segment = b"".join(encode_mbap(number, 1, pdu.read_registers(1699 + number, 1)) for number in range(16))
        replies = TcpServer({1: numbered()}).receive(segment, 0)
        assert len(replies) == 1
        assert answered(replies) == [(number, 1, bytes((3, 2, 0, number))) for number in range(16)]

    def test_sixteen_byte_by_byte(self) -> None:
        segment = b"".join(encode_mbap(number, 1, pdu.read_registers(1699 + number, 1)) for number in range(16))
        server = TcpServer({1: numbered()})
        replies = [reply for byte in segment for reply in server.receive(bytes((byte,)), 0)]
        assert answered(replies) == [(number, 1, bytes((3, 2, 0, number))) for number in range(16)]

    @given(st.lists(st.integers(1, 300), max_size=30))
    def test_segments_of_any_size(self, sizes: list[int]) -> None:
        rest = b"".join(encode_mbap(number, 1, READ) for number in range(16))
        server = TcpServer({1: numbered()})
        replies: list[Reply] = []
        for size in [*sizes, len(rest)]:
            replies += server.receive(memoryview(rest)[:size], 0)
            rest = rest[size:]
        assert [transaction for transaction, _, _ in answered(replies)] == list(range(16))

    def test_an_absent_unit_is_reported_by_the_gateway_after_its_time_out(self) -> None:
        server = TcpServer({1: numbered(), 2: numbered()}, gateway_timeout=SECOND)
        (reply,) = server.receive(encode_mbap(5, 7, READ), 0)
        assert reply.delay == SECOND
        assert answered([reply]) == [(5, 7, b"\x83\x0b")]

    def test_who_does_not_listen_is_absent(self) -> None:
        device = numbered()
        device.supplied = False
        assert answered(TcpServer({1: device}).receive(encode_mbap(5, 1, READ), 0)) == [(5, 1, b"\x83\x0b")]

    def test_the_gateway_may_use_another_code_or_be_silent(self) -> None:
        request = encode_mbap(5, 7, READ)
        path = TcpServer({1: numbered()}, absent=ExceptionCode.GATEWAY_PATH_UNAVAILABLE)
        assert answered(path.receive(request, 0)) == [(5, 7, b"\x83\x0a")]
        silent = TcpServer({1: numbered()}, absent=None)
        assert silent.receive(request, 0) == []
        assert answered(silent.receive(encode_mbap(6, 1, READ), 0))[0][0] == 6

    def test_what_is_asked_behind_an_absent_unit_waits(self) -> None:
        server = TcpServer({1: numbered(), 2: numbered()}, gateway_timeout=SECOND)
        segment = b"".join(encode_mbap(number, unit, READ) for number, unit in enumerate((1, 2, 7, 1, 8, 2)))
        replies = server.receive(segment, 10 * SECOND)
        assert [reply.delay for reply in replies] == [0, SECOND, 2 * SECOND]
        assert [transaction for transaction, _, _ in answered(replies)] == list(range(6))
        (late,) = server.receive(encode_mbap(6, 1, READ), 11 * SECOND)
        assert late.delay == SECOND
        (prompt,) = server.receive(encode_mbap(7, 1, READ), 12 * SECOND)
        assert prompt.delay == 0

    @pytest.mark.parametrize("unit", [0, 255, 4])
    def test_a_lone_device_is_addressed_directly(self, unit: int) -> None:
        ((_, echoed, answer),) = answered(TcpServer({4: numbered()}).receive(encode_mbap(1, unit, READ), 0))
        assert echoed == unit
        assert answer[0] == 3

    def test_among_several_unit_0_is_everybody(self) -> None:
        devices = [MemoryDevice(), MemoryDevice(), MemoryDevice(broadcast=False)]
        server = TcpServer(dict(enumerate(devices, 1)))
        assert server.receive(encode_mbap(1, 0, pdu.write_register(7, 99)), 0) == []
        assert [device.registers[7] for device in devices] == [99, 99, 0]
        assert answered(server.receive(encode_mbap(2, 255, READ), 0)) == [(2, 255, b"\x83\x0b")]

    def test_connections_share_the_counters_of_a_shared_responder(self) -> None:
        device = Responder(MemoryDevice())
        for transaction in range(3):
            TcpServer({1: device}).receive(encode_mbap(transaction, 1, READ), 0)
        assert device.diagnostics.server_messages == 3

    def test_a_connection_starts_sound(self) -> None:
        assert TcpServer({1: numbered()}).broken is None

    def test_another_protocol_ends_the_connection_after_what_was_answered(self) -> None:
        server = TcpServer({1: numbered()})
        replies = server.receive(encode_mbap(1, 1, READ) + b"GET / HTTP/1.1\r\n", 0)
        assert [transaction for transaction, _, _ in answered(replies)] == [1]
        assert server.broken is not None
        assert server.receive(encode_mbap(2, 1, READ), 0) == []

    @given(st.lists(st.binary(max_size=60), max_size=6), st.lists(st.binary(min_size=1, max_size=253), max_size=6))
    def test_garbage_never_raises(self, segments: list[bytes], bodies: list[bytes]) -> None:
        server = TcpServer({1: MemoryDevice(), 2: MemoryDevice()})
        for number, body in enumerate(bodies):
            assert len(answered(server.receive(encode_mbap(number, 1, body), 0))) == 1
        for segment in segments:
            server.receive(segment, 0)
