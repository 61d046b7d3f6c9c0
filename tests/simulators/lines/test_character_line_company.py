"""A line of characters and its company: several devices, echo, faults, a lost supply, and whatever is said."""

import pytest
from character_desk import FAST, IDENTIFICATION, REQUEST, SIGN_ON, SLOW, STREAM, a_line, read
from hypothesis import given, settings
from hypothesis import strategies as st
from talkers import REACTION, Repeater, Talker

from simulators.faults.line_registry import Site, fault_called, put_on, take_off
from simulators.lines.framing import Framing
from simulators.world import MILLISECOND, SECOND

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
