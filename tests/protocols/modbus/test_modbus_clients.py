"""Clients joined to servers in memory, each question in both envelopes; and what a client does with bad company."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from modbus_memory import PM850, MemoryDevice, join

from protocols.conversation import Receive, Reply, Send, Wait
from protocols.modbus import (
    Client,
    ForeignAnswer,
    FrameError,
    ModbusException,
    NoAnswer,
    RtuClient,
    RtuServer,
    TcpClient,
    TcpServer,
    encode_mbap,
    encode_rtu,
    pdu,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Joined = tuple[Client, Callable[[bytes, int], list[Reply]]]


@pytest.fixture
def device() -> MemoryDevice:
    return MemoryDevice(size=2000)


@pytest.fixture(params=["rtu", "tcp"])
def both(request: pytest.FixtureRequest, device: MemoryDevice) -> Joined:
    if request.param == "rtu":
        return RtuClient(17), RtuServer(17, device).receive
    return TcpClient(17), TcpServer({17: device}).receive


def says(*answers: bytes) -> Callable[[bytes, int], list[Reply]]:
    """A server that answers these frames, one a request, whatever is asked."""
    following = iter(answers)
    return lambda _data, _now: [Reply(next(following))]


def test_registers(both: Joined, device: MemoryDevice) -> None:
    client, server = both
    join(client.write_registers(100, [1, 2, 0xFFD6]), server)
    join(client.write_register(103, 6209), server)
    join(client.mask_write_register(100, 0x00FF, 0xAB00), server)
    assert join(client.read_registers(100, 4), server) == [0xAB01, 2, 0xFFD6, 6209]
    assert join(client.read_registers(100, 4, function=4), server) == device.registers[100:104]
    assert join(client.read_write_registers(99, 3, 99, [5]), server) == [5, 0xAB01, 2]


def test_bits(both: Joined) -> None:
    client, server = both
    join(client.write_bits(5, [True] * 9), server)
    join(client.write_bit(6, value=False), server)
    expected = [False, True, False, *[True] * 7, False]
    assert join(client.read_bits(4, 11), server) == expected
    assert join(client.read_bits(4, 11, function=2), server) == expected
    assert join(client.read_bits(4, 1996), server) == expected + [False] * 1985


def test_identity(both: Joined) -> None:
    client, server = both
    assert join(client.report_server_id(), server) == b"\xfa\xffPM850 Power Meter"
    assert join(client.identify(), server) == PM850
    assert join(client.identify_object(2), server) == b"V10.600"
    assert join(client.diagnose(0, b"ok"), server) == b"ok"
    assert join(client.diagnose(13), server) == b"\x00\x00"


def test_refusals_are_raised(both: Joined) -> None:
    client, server = both
    with pytest.raises(ModbusException, match="exception 02"):
        join(client.read_registers(1999, 2), server)
    with pytest.raises(ModbusException, match="exception 02"):
        join(client.write_registers(1999, [1, 2]), server)


def test_silence(both: Joined, device: MemoryDevice) -> None:
    client, _ = both
    with pytest.raises(NoAnswer, match="unit 17 is silent"):
        join(client.read_registers(0, 1), lambda _data, _now: [])


def test_nothing_is_ever_asked_twice(both: Joined) -> None:
    client, _ = both
    asked: list[bytes] = []

    def deaf(data: bytes, _now: int) -> list[Reply]:
        asked.append(data)
        return []

    with pytest.raises(NoAnswer):
        join(client.write_register(7999, 6209), deaf)
    assert len(asked) == 1


def test_a_timeout_is_for_the_whole_answer() -> None:
    conversation = RtuClient(1, timeout=250_000_000).read_registers(0, 1)
    assert next(conversation) == Send(bytes.fromhex("010300000001840A"))
    waiting = conversation.send(b"")
    assert isinstance(waiting, Receive)
    assert waiting.timeout == 250_000_000


class TestRtu:
    def test_a_broadcast_waits_for_nobody(self, device: MemoryDevice) -> None:
        conversation = RtuClient(0, turnaround=150_000_000).write_register(7, 99)
        assert next(conversation) == Send(encode_rtu(0, pdu.write_register(7, 99)))
        assert conversation.send(b"") == Wait(150_000_000)
        join(RtuClient(0).write_register(7, 99), RtuServer(17, device).receive)
        assert device.registers[7] == 99

    def test_the_answer_of_another_unit(self) -> None:
        with pytest.raises(ForeignAnswer, match="unit 1 was asked, unit 2 answers"):
            join(RtuClient(1).read_registers(0, 1), says(encode_rtu(2, bytes.fromhex("03020000"))))

    @pytest.mark.parametrize("frame", [encode_rtu(1, bytes.fromhex("03020000"))[:-1], b"\x00", bytes(7)])
    def test_a_damaged_answer(self, frame: bytes) -> None:
        with pytest.raises(FrameError):
            join(RtuClient(1).read_registers(0, 1), says(frame))

    def test_an_echo_that_is_not_the_write(self) -> None:
        with pytest.raises(ForeignAnswer, match="echoed"):
            join(RtuClient(1).write_register(7999, 6209), says(encode_rtu(1, pdu.write_register(7999, 0))))


class TestTcp:
    zero = bytes.fromhex("03020000")

    def test_transactions_are_numbered_through_and_begin_again(self) -> None:
        client = TcpClient(1)
        seen: list[int] = []

        def server(data: bytes, _now: int) -> list[Reply]:
            seen.append(data[0] << 8 | data[1])
            return [Reply(data[:4] + b"\x00\x05\x01" + self.zero)]

        join(client.read_registers(0, 1), server)
        client._transaction = 0xFFFE
        join(client.read_registers(0, 1), server)
        join(client.read_registers(0, 1), server)
        assert seen == [1, 0xFFFF, 1]

    def test_another_transaction_or_unit(self) -> None:
        for frame in (encode_mbap(7, 1, self.zero), encode_mbap(1, 2, self.zero)):
            with pytest.raises(ForeignAnswer):
                join(TcpClient(1).read_registers(0, 1), says(frame))

    def test_a_late_answer_is_not_taken_for_the_next(self) -> None:
        client = TcpClient(1)
        with pytest.raises(NoAnswer):
            join(client.read_registers(0, 1), lambda _data, _now: [])
        late, prompt = encode_mbap(1, 1, self.zero), encode_mbap(2, 1, bytes.fromhex("03020051"))
        assert join(client.read_registers(8020, 1), says(late + prompt)) == [0x51]

    def test_an_answer_that_comes_twice_is_foreign(self) -> None:
        client = TcpClient(1)
        join(client.read_registers(0, 1), says(encode_mbap(1, 1, self.zero)))
        with pytest.raises(ForeignAnswer, match="transaction 2 was asked, 1 is answered"):
            join(client.read_registers(0, 1), says(encode_mbap(1, 1, self.zero)))

    @pytest.mark.parametrize("frame", [b"HTTP/1.1 400", b"\x00\x01\x00", encode_mbap(1, 1, zero)[:-1]])
    def test_a_damaged_answer(self, frame: bytes) -> None:
        with pytest.raises(FrameError):
            join(TcpClient(1).read_registers(0, 1), says(frame))

    def test_an_absent_unit_behind_a_gateway(self, device: MemoryDevice) -> None:
        with pytest.raises(ModbusException, match="exception 0B"):
            join(TcpClient(5).read_registers(0, 1), TcpServer({17: device, 18: device}).receive)
