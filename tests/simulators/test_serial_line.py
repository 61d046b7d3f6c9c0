"""One pair of wires: exact times, silences, collisions, misunderstandings."""

from typing import Any

import pytest

from protocols.conversation import Reply
from simulators.lines.framing import Framing
from simulators.lines.serial_line import Port, SerialLine
from simulators.world import MILLISECOND, World

CHARACTER = 10 * MILLISECOND  # of a line at 1000 Bd 8N1
SLOW = Framing(1000, "8N1")


class Parrot:
    """A device that notes what it hears and answers once, with what it is told to."""

    def __init__(self, *answers: Reply) -> None:
        self.heard: list[tuple[int, bytes]] = []
        self._answers = list(answers)

    def receive(self, frame: bytes, now: int) -> list[Reply]:
        self.heard.append((now, frame))
        answers, self._answers = self._answers, []
        return answers


def a_line(*devices: Parrot, framing: Framing = SLOW, seed: int = 1, **options: Any) -> tuple[World, SerialLine, Port]:
    world = World(seed)
    line = SerialLine(world, "desk", framing, **options)
    for device in devices:
        line.attach(device)
    return world, line, line.open()


def read(world: World, port: Port, until: int) -> bytes:
    world.advance_to(until)
    return port.inbox.take(999, world.now)


@pytest.mark.parametrize("frame", ["7E1", "8N1", "8E1"])
@pytest.mark.parametrize("baud", [300, 1200, 2400, 4800, 9600, 19200, 38400, 115200])
def test_the_time_of_a_poll_is_exact(baud: int, frame: str) -> None:
    """Eight bytes out, silence, turnaround, 25 bytes back."""
    framing = Framing(baud, frame)
    world, _, port = a_line(Parrot(Reply(bytes(25))), framing=framing, turnaround=20 * MILLISECOND)
    port.write(bytes(8))
    assert world.run_until(lambda: port.inbox.due(25), 10**12)
    bits = framing.character_bits
    exact = 33 * bits * 1e9 / baud + framing.silence + 20e6
    assert world.now == pytest.approx(exact, abs=2)


def test_the_figure_of_the_domain_reference() -> None:
    """8 + 25 bytes at 9600 8N1 with 20 ms of turnaround take 54.375 ms, and 3.646 ms of silence behind the request."""
    world, _, port = a_line(Parrot(Reply(bytes(25))), framing=Framing(9600, "8N1"))
    port.write(bytes(8))
    world.run_until(lambda: port.inbox.due(25), 10**12)
    assert world.now == pytest.approx(54.375e6 + 3.6458e6, abs=1000)


def test_the_preset_block_in_one_write_or_in_28() -> None:
    """92 ms against 738 ms at 9600 8E1 without turnaround (powerlogic.md section 5.2), silences not counted."""
    framing = Framing(9600, "8E1")
    assert framing.time_of(65 + 8 + 7) / 1e6 == pytest.approx(92, abs=0.5)
    assert 28 * framing.time_of(8 + 8 + 7) / 1e6 == pytest.approx(738, abs=0.5)


def test_a_device_is_asked_after_the_silence_and_answers_after_the_turnaround() -> None:
    device = Parrot(Reply(b"yes"))
    world, line, port = a_line(device, turnaround=100 * MILLISECOND)
    port.write(b"ask")
    assert port.inbox.due(1) is None
    world.sleep(3 * CHARACTER + 35 * MILLISECOND - 1)
    assert device.heard == []
    world.sleep(1)
    assert device.heard == [(65 * MILLISECOND, b"ask")]
    world.run_until(lambda: port.inbox.due(1), None)
    assert world.now == 65 * MILLISECOND + 100 * MILLISECOND + CHARACTER
    assert line.world is world


def test_a_delay_of_the_device_comes_on_top() -> None:
    world, _, port = a_line(Parrot(Reply(b"y", 7)), turnaround=100 * MILLISECOND)
    port.write(b"a")
    world.run_until(lambda: port.inbox.due(1), None)
    assert world.now == CHARACTER + 35 * MILLISECOND + 100 * MILLISECOND + 7 + CHARACTER


def test_bytes_come_one_after_another() -> None:
    world, _, port = a_line(Parrot(Reply(b"yes")), turnaround=0)
    port.write(b"a")
    begin = CHARACTER + 35 * MILLISECOND
    world.advance_to(begin)
    assert [port.inbox.due(count) for count in (1, 2, 3)] == [begin + count * CHARACTER for count in (1, 2, 3)]
    assert read(world, port, begin + 2 * CHARACTER) == b"ye"


def test_where_nobody_answers_there_is_silence() -> None:
    device = Parrot()
    world, _, port = a_line(device)
    port.write(b"ask")
    assert not world.run_until(lambda: port.inbox.due(1), 10**10)
    assert len(device.heard) == 1


def test_writes_follow_one_another_and_are_one_frame() -> None:
    device = Parrot()
    world, _, port = a_line(device)
    assert port.write(b"ab") == 2 * CHARACTER
    assert port.write(b"cd") == 4 * CHARACTER
    world.sleep(100 * CHARACTER)
    assert device.heard == [(4 * CHARACTER + 35 * MILLISECOND, b"abcd")]


@pytest.mark.parametrize(("gap", "frames"), [(15, [b"abcd"]), (16, []), (34, []), (35, [b"ab", b"cd"])])
def test_three_and_a_half_characters_of_silence_end_a_frame_and_more_than_one_and_a_half_spoil_it(
    gap: int, frames: list[bytes]
) -> None:
    device = Parrot()
    world, _, port = a_line(device)
    port.write(b"ab")
    world.sleep(2 * CHARACTER + gap * MILLISECOND)
    port.write(b"cd")
    world.sleep(100 * CHARACTER)
    assert [frame for _, frame in device.heard] == frames


# -- several talkers ---------------------------------------------------------------------------------------------------


def test_two_devices_that_answer_at_once_garble_each_other() -> None:
    first, second = Parrot(Reply(b"AAAA")), Parrot(Reply(b"AAAA"))
    world, _, port = a_line(first, second)
    port.write(b"ask")
    heard = read(world, port, 10**10)
    assert len(heard) == 8
    assert b"A" not in heard


def test_only_the_bytes_that_overlap_are_garbled() -> None:
    early, late = Parrot(Reply(b"AAAA")), Parrot(Reply(b"BBBB", 2 * CHARACTER + 1))
    world, _, port = a_line(early, late)
    port.write(b"ask")
    heard = read(world, port, 10**10)
    assert heard[:2] == b"AA"
    assert b"A" not in heard[2:4]
    assert b"B" not in heard[4:6]
    assert heard[6:] == b"BB"


def test_talkers_one_after_the_other_do_not_collide() -> None:
    early, late = Parrot(Reply(b"AA")), Parrot(Reply(b"BB", 2 * CHARACTER))
    world, _, port = a_line(early, late)
    port.write(b"ask")
    assert read(world, port, 10**10) == b"AABB"


def test_a_request_into_an_answer_damages_both() -> None:
    device = Parrot(Reply(b"ANSWER"))
    world, _, port = a_line(device, turnaround=0)
    port.write(b"ask")
    world.sleep(3 * CHARACTER + 35 * MILLISECOND + CHARACTER)  # the first byte of the answer is through
    port.write(b"again")
    heard = read(world, port, 10**10)
    assert heard[:1] == b"A"
    assert heard[1:] != b"NSWER"
    assert device.heard[1][1] != b"again"
    assert len(device.heard[1][1]) == 5


def test_a_collision_draws_on_the_seed() -> None:
    def digest(seed: int) -> str:
        world, _, port = a_line(Parrot(Reply(b"AAAA")), Parrot(Reply(b"BBBB")), seed=seed)
        port.write(b"ask")
        world.advance_to(10**10)
        return world.digest.hexdigest()

    assert digest(1) == digest(1)
    assert digest(1) != digest(2)


def test_every_master_hears_the_answers_and_the_other_master() -> None:
    world, line, port = a_line(Parrot(Reply(b"yes")))
    other = line.open()
    port.write(b"ask")
    world.advance_to(10**10)
    assert port.inbox.take(99, world.now) == b"yes"
    assert other.inbox.take(99, world.now) == b"askyes"


def test_each_master_reads_for_itself() -> None:
    world, line, port = a_line(Parrot(Reply(b"yes")))
    other = line.open()
    port.write(b"ask")
    world.advance_to(10**10)
    port.inbox.clear(world.now)
    assert port.inbox.available(world.now) == 0
    assert other.inbox.available(world.now) == 6


@pytest.mark.parametrize("shared", [True, False], ids=["one UART", "two UARTs"])
def test_the_callers_of_one_uart_follow_one_another_also_behind_one_who_has_left(shared: bool) -> None:
    device = Parrot()
    world, line, first = a_line(device)
    second, third = line.open(), line.open()
    if shared:
        first.uart = second.uart = third.uart = object()
    first.write(b"first")
    line.close(first)
    second.write(b"then")
    third.write(b"last")
    assert line.out_at(third) == (13 if shared else 4) * CHARACTER
    world.advance_to(10**10)
    assert ([heard for _, heard in device.heard] == [b"firstthenlast"]) is shared


def test_who_is_cut_off_on_a_shared_uart_takes_nothing_from_the_others() -> None:
    device = Parrot()
    world, line, first = a_line(device)
    second = line.open()
    first.uart = second.uart = object()
    first.write(b"first")
    second.write(b"then")
    world.advance_to(CHARACTER)
    line.break_off(lambda burst: burst.sender is first)
    assert line.out_at(second) == 9 * CHARACTER
    second.write(b"!")
    world.advance_to(10**10)
    assert device.heard[-1][1] == b"then!"


def test_a_collision_is_heard_by_all_masters_alike() -> None:
    world, line, port = a_line(Parrot(Reply(b"AAAA")), Parrot(Reply(b"BBBB")))
    other = line.open()
    port.write(b"ask")
    world.advance_to(10**10)
    assert other.inbox.take(99, world.now) == b"ask" + port.inbox.take(99, world.now)


def test_a_closed_port_hears_nothing_and_leaves_nothing_behind() -> None:
    world, line, port = a_line(Parrot(Reply(b"yes")))
    port.write(b"ask")
    line.close(port)
    world.advance_to(10**10)
    assert port.inbox.available(world.now) == 0
    assert line._ports == []
    assert id(port) not in line._free_at


def test_bursts_are_passed_on_to_a_served_port() -> None:
    world, _, port = a_line(Parrot(Reply(b"yes")))
    passed: list[bytes] = []
    port.on_burst = lambda burst: passed.append(burst.data)
    port.write(b"ask")
    world.advance_to(10**10)
    assert passed == [b"yes"]


# -- echo and misunderstandings ----------------------------------------------------------------------------------------


def test_a_port_with_echo_hears_itself() -> None:
    world, _, port = a_line(Parrot(Reply(b"yes")), echo=True)
    port.write(b"ask")
    assert port.inbox.due(3) == 3 * CHARACTER
    assert read(world, port, 10**10) == b"askyes"


@pytest.mark.parametrize("framing", [Framing(1200, "8N1"), Framing(1000, "8E1"), Framing(1000, "7E1")])
def test_a_device_of_another_speed_or_framing_is_silent(framing: Framing) -> None:
    world, line, port = a_line()
    device = Parrot(Reply(b"yes"))
    line.attach(device, framing)
    port.write(b"ask")
    assert read(world, port, 10**10) == b""
    assert device.heard == []


def test_a_port_of_another_speed_hears_garbage() -> None:
    world, line, port = a_line(Parrot(Reply(b"yes")))
    stranger = line.open(Framing(1200, "8N1"))
    port.write(b"ask")
    world.advance_to(10**10)
    heard = stranger.inbox.take(99, world.now)
    assert len(heard) == 6
    assert all(one != other for one, other in zip(heard, b"askyes", strict=True))


def test_a_port_that_changes_its_speed_is_understood_from_then_on() -> None:
    device = Parrot(Reply(b"yes"))
    world, _, port = a_line(device)
    port.framing = Framing(1200, "8N1")
    port.write(b"ask")
    world.sleep(10**9)
    assert device.heard == []
    port.framing = SLOW
    port.write(b"ask")
    world.sleep(10**9)
    assert len(device.heard) == 1


def test_characters_of_seven_bits_lose_the_eighth() -> None:
    device = Parrot(Reply(b"\xff\x41"))
    world, _, port = a_line(device, framing=Framing(1000, "7E1"))
    port.write(b"\x81\x42")
    heard = read(world, port, 10**10)
    assert device.heard[0][1] == b"\x01\x42"
    assert heard == b"\x7f\x41"


# -- a talker that loses its supply ------------------------------------------------------------------------------------


def test_a_device_that_loses_its_supply_breaks_off_in_the_middle_of_its_answer() -> None:
    device, other = Parrot(Reply(b"answer")), Parrot()
    world, line, port = a_line(device, other, turnaround=0)
    port.write(b"ask")
    asked = 3 * CHARACTER + SLOW.silence
    world.advance_to(asked + 2 * CHARACTER + CHARACTER // 2)
    line.break_off(lambda burst: burst.sender is device)
    assert read(world, port, 10**12) == b"an"
    assert other.heard[-1] == (asked + 2 * CHARACTER + CHARACTER // 2 + SLOW.silence, b"an")


def test_a_device_that_loses_its_supply_before_its_answer_says_nothing() -> None:
    device = Parrot(Reply(b"answer"))
    world, line, port = a_line(device, turnaround=20 * MILLISECOND)
    port.write(b"ask")
    world.advance_to(3 * CHARACTER + SLOW.silence + 10 * MILLISECOND)
    line.break_off(lambda burst: burst.sender is device)
    assert read(world, port, 10**12) == b""


def test_what_others_say_goes_on_and_what_was_said_stays() -> None:
    device = Parrot(Reply(b"answer"))
    world, line, port = a_line(device, turnaround=0)
    port.write(b"ask")
    line.break_off(lambda burst: burst.sender is device)
    assert read(world, port, 10**11) == b"answer"
    line.break_off(lambda burst: burst.sender is device)
    port.write(b"more")
    line.break_off(lambda burst: isinstance(burst.sender, Port))
    world.advance_to(10**12)
    assert [frame for _, frame in device.heard] == [b"ask"]
