"""Modbus TCP: straight to a meter, and through a gateway onto a serial line."""

from typing import Any

import pytest

from protocols.conversation import Reply
from protocols.modbus.frames import decode_mbap, encode_mbap
from protocols.modbus.pdu import read_registers, write_register
from protocols.powerlogic.energy import Quantity
from simulators.lines.framing import Framing
from simulators.lines.network import Network
from simulators.stage import ETHERNET, DevicePlan, LinkPlan, Stage
from simulators.world import MILLISECOND, SECOND, World

READ = read_registers(1699, 28)
DELAY = 3 * MILLISECOND


class Far:
    """A far end that notes what arrives when, and answers everything at its own pace."""

    broken = None

    def __init__(self, *delays: int) -> None:
        self.seen: list[tuple[int, bytes]] = []
        self._delays = list(delays)

    def receive(self, data: bytes, now: int) -> list[Reply]:
        self.seen.append((now, data))
        return [Reply(data.upper(), self._delays.pop(0) if self._delays else 0)]


def a_network(far: Far, **options: Any) -> tuple[World, Network]:
    world = World()
    return world, Network(world, "lan", lambda _answer: far, delay=DELAY, **options)


def test_a_message_takes_the_delay_each_way_and_the_turnaround_between() -> None:
    far = Far()
    world, network = a_network(far, turnaround=20 * MILLISECOND)
    connection = network.connect()
    connection.write(b"ask")
    assert world.run_until(lambda: connection.inbox.due(3), SECOND)
    assert far.seen == [(DELAY, b"ask")]
    assert world.now == 2 * DELAY + 20 * MILLISECOND


def test_all_bytes_of_a_message_arrive_together() -> None:
    world, network = a_network(Far(), turnaround=0)
    connection = network.connect()
    connection.write(b"x" * 250)
    world.advance_to(2 * DELAY - 1)
    assert connection.inbox.available(world.now) == 0
    world.advance_to(2 * DELAY)
    assert connection.inbox.available(world.now) == 250


def test_a_shorter_delay_does_not_overtake() -> None:
    far = Far()
    world, network = a_network(far)
    connection = network.connect()
    connection.write(b"first")
    network.delay = 0
    connection.write(b"second")
    world.advance_to(SECOND)
    assert [data for _, data in far.seen] == [b"first", b"second"]
    assert far.seen[1][0] == DELAY


def test_connections_do_not_hear_each_other() -> None:
    world, network = a_network(Far())
    one, other = network.connect(), network.connect()
    one.write(b"ask")
    world.advance_to(SECOND)
    assert one.inbox.available(world.now) == 3
    assert other.inbox.available(world.now) == 0


def test_what_travels_is_in_the_digest() -> None:
    def digest(message: bytes) -> str:
        world, network = a_network(Far())
        network.connect().write(message)
        world.advance_to(SECOND)
        return world.digest.hexdigest()

    assert digest(b"ask") == digest(b"ask")
    assert digest(b"ask") != digest(b"asK")


# -- meters ------------------------------------------------------------------------------------------------------------

ENERGIES = [{Quantity.REAL_IN: 1_234_567}, {Quantity.REAL_IN: 7}]


def a_stage(medium: str = "rs485", turnaround: int = 20 * MILLISECOND) -> tuple[World, Stage, Any]:
    """Two PM850 at addresses 1 and 2, with 1,234,567 Wh and 7 Wh, and a connection to them."""
    world = World(budget=3600 * SECOND)
    link = LinkPlan("desk", medium, Framing(9600, "8E1"), turnaround=turnaround, delay=DELAY)
    devices = [DevicePlan(f"m{i}", "PM850", "desk", i, energies=ENERGIES[i - 1]) for i in (1, 2)]
    stage = Stage(world, [link], devices)
    return world, stage, stage.network("desk").connect()


def answers(world: World, connection: Any, until: int = 60 * SECOND) -> list[tuple[int, int, bytes]]:
    """Everything that comes back: transaction, unit, PDU."""
    world.advance_to(world.now + until)
    data = connection.inbox.take(9999, world.now)
    found = []
    while data:
        size = 6 + int.from_bytes(data[4:6], "big")
        found.append(decode_mbap(data[:size]))
        data = data[size:]
    return found


@pytest.mark.parametrize("medium", ["rs485", ETHERNET])
def test_a_meter_is_read_over_tcp(medium: str) -> None:
    world, _, connection = a_stage(medium)
    connection.write(encode_mbap(7, 1, READ))
    [(transaction, unit, pdu)] = answers(world, connection)
    assert (transaction, unit) == (7, 1)
    assert pdu[:6] == bytes([3, 56]) + (4567).to_bytes(2, "big") + (123).to_bytes(2, "big")


@pytest.mark.parametrize("medium", ["rs485", ETHERNET])
def test_pipelined_requests_are_all_answered_in_their_order(medium: str) -> None:
    world, _, connection = a_stage(medium)
    connection.write(b"".join(encode_mbap(number, 1 + number % 2, READ) for number in range(16)))
    found = answers(world, connection)
    assert [(transaction, unit) for transaction, unit, _ in found] == [(n, 1 + n % 2) for n in range(16)]
    assert [pdu[3] for _, _, pdu in found] == [(4567 & 0xFF, 7)[n % 2] for n in range(16)]


def test_a_gateway_asks_one_after_the_other_and_so_takes_the_line_time() -> None:
    world, stage, connection = a_stage()
    framing = stage.line("desk").framing
    connection.write(b"".join(encode_mbap(number, 1, READ) for number in range(4)))
    one = framing.time_of(8 + 61) + 2 * framing.silence + 20 * MILLISECOND
    size = 4 * (7 + 2 + 56)
    assert world.run_until(lambda: connection.inbox.due(size), 60 * SECOND)
    assert world.now == pytest.approx(2 * DELAY + 4 * one, abs=2 * MILLISECOND)


@pytest.mark.parametrize("medium", ["rs485", ETHERNET])
def test_an_absent_unit_is_reported_with_0b_after_the_time_out(medium: str) -> None:
    world, _, connection = a_stage(medium)
    connection.write(encode_mbap(1, 99, READ))
    assert world.run_until(lambda: connection.inbox.due(9), 60 * SECOND)
    assert SECOND // 2 < world.now < SECOND // 2 + 100 * MILLISECOND
    assert answers(world, connection) == [(1, 99, bytes([0x83, 0x0B]))]


def test_behind_an_absent_unit_the_queue_waits_and_is_served() -> None:
    world, _, connection = a_stage()
    connection.write(encode_mbap(1, 99, READ) + encode_mbap(2, 2, READ))
    assert [(transaction, pdu[0]) for transaction, _, pdu in answers(world, connection)] == [(1, 0x83), (2, 3)]


def test_a_meter_without_supply_is_absent() -> None:
    world, stage, connection = a_stage()
    stage.switch_supply("m1", on=False)
    connection.write(encode_mbap(1, 1, READ) + encode_mbap(2, 2, READ))
    assert [pdu[:2] for _, _, pdu in answers(world, connection)] == [bytes([0x83, 0x0B]), bytes([3, 56])]


@pytest.mark.parametrize("medium", ["rs485", ETHERNET])
def test_a_meter_that_loses_its_supply_after_a_request_does_not_answer_it(medium: str) -> None:
    world, stage, connection = a_stage(medium, turnaround=50 * MILLISECOND)
    connection.write(encode_mbap(1, 1, READ))
    due = world.run_until(lambda: connection.inbox.due(1), SECOND)
    assert due
    at = world.now
    world, stage, connection = a_stage(medium, turnaround=50 * MILLISECOND)
    connection.write(encode_mbap(1, 1, READ))
    world.advance_to(at - 10 * MILLISECOND)
    stage.switch_supply("m1", on=False)
    assert [pdu[0] for _, _, pdu in answers(world, connection)] in ([], [0x83])  # a gateway says so itself


def test_a_broadcast_through_a_gateway_is_not_answered_and_holds_nobody_up() -> None:
    world, _, connection = a_stage()
    connection.write(encode_mbap(1, 0, write_register(8020, 5)) + encode_mbap(2, 1, READ))
    assert [(transaction, unit) for transaction, unit, _ in answers(world, connection)] == [(2, 1)]


def test_an_answer_that_a_second_master_damages_counts_as_none() -> None:
    world, stage, connection = a_stage()
    line = stage.line("desk")
    connection.write(encode_mbap(1, 1, READ))
    world.advance_to(DELAY + line.framing.time_of(8) + line.framing.silence + 25 * MILLISECOND)
    line.open().write(b"noise")
    assert [pdu for _, _, pdu in answers(world, connection)] == [bytes([0x83, 0x0B])]


def test_two_connections_share_the_line_and_get_their_own_answers() -> None:
    world, stage, first = a_stage()
    second = stage.network("desk").connect()
    first.write(encode_mbap(5, 1, READ))
    second.write(encode_mbap(5, 2, READ))
    world.advance_to(10 * SECOND)
    assert [pdu[3] for _, _, pdu in answers(world, first)] == [4567 & 0xFF]
    assert [pdu[3] for _, _, pdu in answers(world, second)] == [7]


def test_a_damaged_header_breaks_the_connection() -> None:
    world, _, connection = a_stage()
    connection.write(b"\x00\x01\x12\x34\x00\x06\x01")
    assert answers(world, connection) == []
    assert connection.broken is not None
