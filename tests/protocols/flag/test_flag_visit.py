"""A visit between its messages: what a NAK repeats, and what puts off its end (IEC 62056-21, Annex A and 6.4)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flag_meter import PASSWORD, MemoryMeter, Wire

from protocols.flag import frames
from protocols.flag.client import FlagClient, NoReply
from protocols.flag.device import PROGRAMMING, STREAM
from protocols.flag.frames import ACK, NAK, Command
from protocols.flag.server import State

MS = 1_000_000
SECOND = 1_000 * MS
READ = Command("R", "1", b"798001(10)").encode()
WRITE = Command("W", "1", b"576001(41)").encode()


@pytest.fixture
def meter() -> MemoryMeter:
    return MemoryMeter()


@pytest.fixture
def wire(meter: MemoryMeter) -> Wire:
    return Wire(meter)


def visit(wire: Wire, mode: int = PROGRAMMING) -> FlagClient:
    client = FlagClient(b"094")
    wire.run(client.open(mode))
    wire.run(client.log_in(PASSWORD))
    return client


def answer(wire: Wire, message: bytes) -> bytes:
    wire.send(message)
    said = [data for who, _, _, data in wire.log if who == "meter"]
    wire.pass_time(2 * SECOND)
    return said[-1]


@pytest.mark.parametrize(
    "message",
    [READ, WRITE, Command("R", "1", b"999001(10)").encode(), READ[:-1] + b"\x7f"],
    ids=["data", "ACK", "error", "NAK"],
)
def test_a_nak_repeats_what_was_said_last_whatever_it_was(wire: Wire, meter: MemoryMeter, message: bytes) -> None:
    visit(wire)
    answer(wire, READ)  # what must not come again after something else was said
    last = answer(wire, message)
    heard = len(wire.log)
    assert answer(wire, NAK) == last
    assert len(wire.log) == heard + 2
    assert meter.written in ([], [b"576001(41)"])  # a write is acknowledged again and not executed again


def test_a_nak_after_the_option_select_repeats_the_challenge(wire: Wire) -> None:
    wire.run(FlagClient(b"094").open())
    challenge = wire.log[-1][3]
    assert challenge.startswith(frames.SOH + b"P0")
    assert answer(wire, NAK) == challenge


def test_a_nak_after_a_stream_repeats_its_last_block(wire: Wire) -> None:
    client = visit(wire, STREAM)
    wire.run(client.read_stream(b"550001(0C)"))
    last = wire.log[-1][3]
    assert answer(wire, NAK) == last


def test_an_ack_that_asks_for_nothing_is_not_answered_and_changes_nothing(wire: Wire) -> None:
    visit(wire)
    data = answer(wire, READ)
    heard = len(wire.log)
    wire.send(ACK)
    wire.pass_time(2 * SECOND)
    assert len(wire.log) == heard + 1
    assert answer(wire, NAK) == data


@pytest.mark.parametrize(("prolongs", "over"), [(False, True), (True, False)])
def test_noise_does_not_keep_a_visit_open_unless_that_is_a_meters_habit(
    wire: Wire, meter: MemoryMeter, prolongs: bool, over: bool
) -> None:
    meter.habits = replace(meter.habits, noise_prolongs=prolongs)
    visit(wire)
    for _ in range(13):
        wire.send(b"\x55")
        wire.pass_time(10 * SECOND)
    assert (meter.closed == ["timeout"]) is over
    assert (wire.servers[0].state is State.VISIT) is not over


def test_a_host_that_signs_on_in_vain_is_let_in_after_two_minutes(wire: Wire, meter: MemoryMeter) -> None:
    """It asks at 300 Bd what listens at 9600, every half minute; that must not keep the old visit open for ever."""
    visit(wire)
    for attempt in range(5):
        try:
            assert wire.run(FlagClient(b"094").sign_on()).maker == "GEC"
            break
        except NoReply:
            assert attempt < 4
            wire.pass_time(30 * SECOND)
    assert meter.closed == ["timeout"]


def test_a_command_that_is_under_way_when_the_time_is_up_is_obeyed(wire: Wire, meter: MemoryMeter) -> None:
    visit(wire)
    end = wire.servers[0].deadline()
    assert end is not None
    wire.pass_time(end - wire.now - 10 * MS)
    wire.send(WRITE[:8])
    wire.pass_time(500 * MS)
    wire.send(WRITE[8:])
    assert meter.written == [b"576001(41)"]


def test_half_a_command_puts_the_end_off_by_its_longest_pause_only(wire: Wire, meter: MemoryMeter) -> None:
    visit(wire)
    end = wire.servers[0].deadline()
    assert end is not None
    wire.pass_time(end - wire.now - 10 * MS)
    wire.send(WRITE[:8])
    wire.pass_time(1_600 * MS)
    assert meter.closed == ["timeout"]
