"""Characters on a line: no silence ends a frame, every device has its own speed, and it changes."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from talkers import REACTION, Repeater, Talker

from simulators.faults.line_registry import Site, fault_called, put_on, take_off
from simulators.lines.character_line import CharacterLine, CharacterPort
from simulators.lines.framing import Framing
from simulators.world import MILLISECOND, SECOND, World

SLOW = Framing(300, "7E1")
FAST = Framing(9600, "7E1")
STREAM = Framing(9600, "8N1")
REQUEST = b"/?!\r\n"
IDENTIFICATION = b"/GEC5120510070213@000\r\n"
SELECT = b"\x06056\r\n"
SIGN_ON = {REQUEST: (IDENTIFICATION, None), SELECT: (b"\x01P0\x02(0123)\x03\x00", (9600, "8N1"))}


def a_line(*devices: Talker, medium: str = "rs485", seed: int = 1, **options: Any) -> tuple[World, CharacterLine]:
    world = World(seed, budget=3600 * SECOND)
    line = CharacterLine(world, "desk", medium, **options)
    for number, device in enumerate(devices):
        line.attach(device, name=f"meter{number}")
    return world, line


def read(port: CharacterPort, world: World, until: int) -> bytes:
    world.advance_to(until)
    return port.inbox.take(99_999, world.now)


# -- who is asked, and when --------------------------------------------------------------------------------------------


def test_a_device_is_asked_at_the_end_of_a_burst_without_any_silence() -> None:
    device = Talker(SIGN_ON)
    world, line = a_line(device)
    port = line.open()
    port.write(REQUEST)
    world.sleep(SECOND)
    assert device.heard == [(SLOW.time_of(5), REQUEST)]


def test_the_sign_on_of_the_domain_reference_takes_a_second_of_line_time() -> None:
    """Request 0.167 s, 19 characters of identification 0.633 s, option select 0.200 s, and two reactions."""
    ident = b"/GEC51205100702@0\r\n"
    device = Talker({REQUEST: (ident, None), SELECT: (b"\x06", None)})
    world, line = a_line(device)
    port = line.open()
    port.write(REQUEST)
    assert world.run_until(lambda: port.inbox.due(len(ident)), None)
    assert world.now == pytest.approx((0.167 + 0.2 + 0.633) * SECOND, abs=MILLISECOND)
    out = port.write(SELECT)
    assert out - world.now == pytest.approx(0.2 * SECOND, abs=MILLISECOND)


def test_speed_and_framing_change_within_a_visit() -> None:
    device = Talker(SIGN_ON)
    world, line = a_line(device)
    port = line.open()
    port.write(REQUEST)
    assert read(port, world, 2 * SECOND) == IDENTIFICATION
    out = port.write(SELECT)
    world.advance_to(out)
    port.inbox.clear(world.now)
    port.framing = STREAM
    assert read(port, world, out + SECOND) == b"\x01P0\x02(0123)\x03\x00"
    assert line.framing == STREAM


def test_who_changes_too_late_hears_garbage() -> None:
    """Defect 8: the answer begins 200 ms behind the option select message, and the reader is still at 300 Bd."""
    device = Talker(SIGN_ON)
    world, line = a_line(device)
    port = line.open()
    port.write(SELECT)
    garbage = read(port, world, 2 * SECOND)
    assert len(garbage) < 5
    assert b"P0" not in garbage


def test_who_changes_before_the_bytes_have_left_is_not_understood() -> None:
    """Defect 7: an operating system changes the speed at once, and what is not out yet goes at the new one."""
    device = Talker(SIGN_ON)
    world, line = a_line(device)
    port = line.open()
    port.write(SELECT)
    world.sleep(2 * SLOW.time_of(1) + MILLISECOND)
    line.retune(port, STREAM)
    assert line.out_at(port) == world.now + STREAM.time_of(4), "two are out, and the third begins again"
    world.sleep(SECOND)
    assert device.heard[0] == (SLOW.time_of(2), b"\x060")
    assert SELECT not in device.said_to_it
    assert device.line == (300, "7E1")


def test_who_has_drained_its_port_changes_nothing_of_what_is_out() -> None:
    device = Talker(SIGN_ON)
    world, line = a_line(device)
    port = line.open()
    world.advance_to(port.write(SELECT))
    line.retune(port, STREAM)
    assert read(port, world, SECOND) == b"\x01P0\x02(0123)\x03\x00"


# -- how it is heard ---------------------------------------------------------------------------------------------------


def test_a_port_without_parity_finds_it_in_bit_7() -> None:
    world, line = a_line(Talker({b"?": (b"AC", None)}, reaction=0))
    port = line.open(Framing(300, "8N1"))
    port.write(b"\x3f")  # six ones: the parity of a "?" is even, so that the meter does not mind
    assert read(port, world, SECOND) == b"A\xc3"


def test_a_device_of_seven_bits_marks_a_wrong_parity() -> None:
    device = Talker()
    world, line = a_line(device)
    line.open(Framing(300, "8N1")).write(b"\xafA\x2fC")
    world.sleep(SECOND)
    assert device.said_to_it == b"/A\xaf\xc3"


def test_a_port_of_seven_bits_never_sees_an_eighth() -> None:
    """Where two talk at once the parity is wrong half of the time; an adapter with seven bits has no place for it."""
    world, line = a_line(Talker({b"?": (b"A" * 60, None)}), Talker({b"?": (b"B" * 60, None)}))
    port = line.open()
    port.write(b"?")
    garbled = read(port, world, 60 * SECOND)
    assert len(garbled) == 120
    assert max(garbled) < 0x80


def test_another_speed_is_garbage_and_is_over_when_the_burst_is() -> None:
    device = Talker()
    world, line = a_line(device)
    port = line.open(STREAM)
    out = port.write(REQUEST * 20)
    world.sleep(10 * SECOND)
    assert device.said_to_it
    assert REQUEST[:2] not in device.said_to_it
    assert device.heard[-1][0] <= out


def test_a_port_that_follows_the_line_understands_whatever_the_devices_speak() -> None:
    device = Talker(SIGN_ON)
    world, line = a_line(device)
    port = line.open(follows="line")
    port.write(REQUEST)
    assert read(port, world, 2 * SECOND) == IDENTIFICATION
    port.write(SELECT)
    assert read(port, world, 3 * SECOND) == b"\x01P0\x02(0123)\x03\x00"
    assert port.framing == STREAM


def test_the_line_speaks_as_the_one_of_its_devices_that_has_changed_last() -> None:
    world, line = a_line(Talker(), Talker(SIGN_ON), medium="rs232")
    port = line.open(follows="line")
    port.write(SELECT)
    assert read(port, world, SECOND) == b"\x01P0\x02(0123)\x03\x00"
    assert line.framing == STREAM
    line.lose("meter1")
    assert line.framing == SLOW


def test_a_port_that_follows_the_frame_keeps_its_speed() -> None:
    device = Talker(SIGN_ON)
    world, line = a_line(device)
    port = line.open(Framing(300, "8N1"), follows="frame")
    assert port.framing == SLOW
    port.write(SELECT)
    world.sleep(SECOND)
    assert port.framing == Framing(300, "8N1")
    port.framing = Framing(9600, "7E1")
    assert port.framing == STREAM


# -- deadlines ---------------------------------------------------------------------------------------------------------


def test_a_device_is_woken_at_its_deadline() -> None:
    device = Talker(patience=1500 * MILLISECOND)
    world, line = a_line(device)
    port = line.open()
    port.write(b"/?")
    assert read(port, world, 3 * SECOND) == b"timeout"
    assert device.woken == [SLOW.time_of(2) + 1500 * MILLISECOND]


def test_a_deadline_that_has_moved_wakes_nobody() -> None:
    device = Talker(patience=1500 * MILLISECOND)
    world, line = a_line(device)
    port = line.open()
    for _ in range(5):
        port.write(b"/")
        world.sleep(SECOND)
    assert device.woken == []
    world.sleep(SECOND)
    assert len(device.woken) == 1


def test_a_device_that_hears_a_long_burst_is_not_woken_in_the_midst_of_it() -> None:
    """100 characters at 300 Bd take 3.3 s; the pause between two of them is none."""
    device = Talker(patience=1500 * MILLISECOND)
    world, line = a_line(device)
    port = line.open()
    port.write(b"/")
    port.write(bytes(100))
    world.advance_to(SLOW.time_of(101))
    assert device.woken == []
    assert device.said_to_it == b"/" + bytes(100)
    assert device.heard[1] == (SLOW.time_of(46), bytes(45)), "what has come by the deadline, as of its last character"


def test_a_character_that_is_whole_exactly_at_the_deadline_counts() -> None:
    device = Talker(patience=SLOW.time_of(3))
    world, line = a_line(device)
    port = line.open()
    port.write(b"a")
    world.advance_to(SLOW.time_of(3))
    port.write(b"b")
    world.advance_to(SLOW.time_of(4))
    assert device.woken == []
    assert device.said_to_it == b"ab"


# -- several of them ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("medium", "room"), [("optical", 1), ("rs232", 10), ("rs485", 32)])
def test_a_medium_has_room_for_so_many(medium: str, room: int) -> None:
    _, line = a_line(*(Talker() for _ in range(room)), medium=medium)
    assert line.device_count == room
    with pytest.raises(ValueError, match=f"carries {room} devices"):
        line.attach(Talker())


@pytest.mark.parametrize("medium", ["rs232", "rs485"])
def test_two_that_answer_at_once_garble_each_other(medium: str) -> None:
    world, line = a_line(*(Talker({REQUEST: (b"AAAA", None)}) for _ in range(2)), medium=medium)
    port = line.open()
    port.write(REQUEST)
    heard = read(port, world, 10 * SECOND)
    assert len(heard) == 8
    assert heard != b"AAAAAAAA"


def test_one_of_ten_answers_and_the_others_are_not_disturbed() -> None:
    meters = [Talker({b"/?%03d!\r\n" % number: (b"me%d" % number, None)}) for number in range(10)]
    world, line = a_line(*meters, medium="rs232")
    port = line.open()
    for number in range(10):
        port.write(b"/?%03d!\r\n" % number)
        assert read(port, world, world.now + 2 * SECOND) == b"me%d" % number


def test_meters_hear_each_other_on_two_wires_and_not_behind_a_splitter() -> None:
    for medium, heard in (("rs485", REQUEST + b"hello"), ("rs232", REQUEST)):
        speaker, other = Talker({REQUEST: (b"hello", None)}), Talker()
        world, line = a_line(speaker, other, medium=medium)
        line.open().write(REQUEST)
        world.sleep(10 * SECOND)
        assert other.said_to_it == heard, medium


def test_who_speaks_into_an_answer_garbles_it_on_two_wires_only() -> None:
    """ESC into a data stream reaches the meter over RS-232, and is lost on RS-485."""
    for medium, through in (("rs485", False), ("rs232", True), ("optical", True)):
        device = Talker({REQUEST: (bytes(50), None)})
        world, line = a_line(device, medium=medium)
        port = line.open()
        port.write(REQUEST)
        world.sleep(SECOND)
        port.write(b"\x1b")
        assert (read(port, world, 10 * SECOND) == bytes(50)) is through, medium
        assert device.said_to_it.endswith(b"\x1b") is through, medium


def test_a_meter_at_rest_hears_garbage_while_another_is_read_fast() -> None:
    reading, resting = Talker({REQUEST: (b"hello", None)}, line=(9600, "8N1")), Talker()
    world, line = a_line(reading, resting)
    port = line.open(STREAM)
    port.write(REQUEST)
    assert read(port, world, SECOND) == b"hello"
    assert REQUEST not in resting.said_to_it


# -- echo, faults, supply ----------------------------------------------------------------------------------------------


def test_an_optical_head_hears_itself() -> None:
    world, line = a_line(Talker(SIGN_ON), medium="optical", echo=True)
    port = line.open()
    port.write(REQUEST)
    assert read(port, world, 2 * SECOND) == REQUEST + IDENTIFICATION


def test_a_device_that_loses_its_supply_stops_in_mid_word_and_forgets() -> None:
    device = Talker(SIGN_ON, patience=10 * SECOND)
    world, line = a_line(device)
    port = line.open()
    port.write(REQUEST)
    answer = SLOW.time_of(5) + REACTION
    world.advance_to(answer + SLOW.time_of(6) + MILLISECOND)
    line.lose("meter0")
    assert read(port, world, 60 * SECOND) == IDENTIFICATION[:6]
    assert device.lost == [answer + SLOW.time_of(6) + MILLISECOND]
    assert device.woken == []


def test_a_device_that_loses_its_supply_is_silent_for_who_hears_it_wrongly_too() -> None:
    device = Talker({REQUEST: (b"U" * 100, None)})
    world, line = a_line(device)
    port, wrong = line.open(), line.open(Framing(600, "7E1"))
    port.write(REQUEST)
    world.sleep(SECOND)
    line.lose("meter0")
    assert len(port.inbox.take(999, world.now)) == len(read(port, world, 9 * SECOND)) + 19
    heard = wrong.inbox.take(999, SECOND)
    assert heard
    assert wrong.inbox.take(999, world.now) == b""


def test_a_device_that_loses_its_supply_in_a_request_never_hears_the_rest_of_it() -> None:
    device = Talker(SIGN_ON)
    world, line = a_line(device)
    line.open().write(REQUEST)
    world.sleep(SLOW.time_of(2))
    line.lose("meter0")
    world.sleep(10 * SECOND)
    assert device.heard == []


def test_nobody_of_that_name_cannot_lose_its_supply() -> None:
    _, line = a_line(Talker())
    with pytest.raises(KeyError, match="no device elsewhere"):
        line.lose("elsewhere")


@pytest.mark.parametrize(("fault", "understood"), [("L10", False), ("L11", False), ("L09", True)])
def test_line_faults_act_here_as_on_any_line(fault: str, understood: bool) -> None:
    device = Talker(SIGN_ON)
    world, line = a_line(device)
    port = line.open()
    put_on(fault_called(fault), Site("desk", line, (), world.stream("line:desk", fault)))
    port.write(REQUEST)
    assert (IDENTIFICATION in read(port, world, 10 * SECOND)) is understood
    take_off(line)
    assert line.framing == SLOW
    port.write(REQUEST)
    assert read(port, world, 20 * SECOND).endswith(IDENTIFICATION)


def test_a_tap_is_told_whose_words_they_are() -> None:
    told: list[tuple[str, str, bytes]] = []
    world, line = a_line(Talker(SIGN_ON), Talker())
    line.tap = lambda where, way, _t, data: told.append((where.name, way, data))  # type: ignore[attr-defined]
    line.open().write(REQUEST)
    world.sleep(5 * SECOND)
    assert told == [
        ("meter0", "tx", REQUEST),
        ("meter0", "rx", IDENTIFICATION),
        ("meter1", "tx", REQUEST),
        ("meter1", "tx", IDENTIFICATION),
    ]


def test_equal_seeds_give_equal_digests() -> None:
    def digest(seed: int) -> str:
        world, line = a_line(Talker(SIGN_ON), Talker({REQUEST: (b"BBBB", None)}), seed=seed)
        line.open().write(REQUEST)
        world.sleep(5 * SECOND)
        return world.digest.hexdigest()

    assert digest(1) == digest(1) != digest(2)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.binary(min_size=1, max_size=20),
            st.sampled_from([SLOW, FAST, STREAM]),
            st.integers(0, 2 * SECOND),
        ),
        max_size=12,
    )
)
def test_whatever_is_said_and_heard_the_world_goes_on(words: list[tuple[bytes, Framing, int]]) -> None:
    meters = [Repeater(patience=SECOND), Repeater(patience=SECOND, line=(9600, "8N1")), Talker(SIGN_ON)]
    world, line = a_line(*meters)
    port, other = line.open(), line.open(STREAM)
    for said, framing, pause in words:
        line.retune(port, framing)
        port.write(said)
        other.write(said)
        world.sleep(pause)
        line.lose("meter0")
    for device in meters:
        line.break_off(lambda burst, device=device: burst.sender is device)  # type: ignore[misc]
    world.sleep(300 * SECOND)
    for listening in (port, other):
        listening.inbox.take(99_999, world.now)
        assert listening.inbox.bursts == []
