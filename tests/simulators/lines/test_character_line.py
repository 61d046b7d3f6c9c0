"""Characters on a line: no silence ends a frame, every device has its own speed, and it changes; deadlines."""

import pytest
from character_desk import IDENTIFICATION, REQUEST, SELECT, SIGN_ON, SLOW, STREAM, a_line, read
from talkers import Talker

from simulators.lines.framing import Framing
from simulators.world import MILLISECOND, SECOND

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
