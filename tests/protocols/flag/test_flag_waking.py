"""Meters that sleep (IEC 62056-21, Annex B): what wakes them, what does not, and what a host does about it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flag_meter import MemoryMeter, Wire

from protocols.flag.checker import Heard, Report, check
from protocols.flag.client import FlagClient, NoReply, Timing

MS = 1_000_000
SECOND = 1_000 * MS
REQUEST = b"/?!\r\n"


def sleeping(kind: str, **habits: object) -> Wire:
    meter = MemoryMeter()
    meter.habits = replace(meter.habits, awake=kind, **habits)  # type: ignore[arg-type]  # what the test gives
    return Wire(meter)


def answers(wire: Wire) -> list[bytes]:
    return [data for who, _, _, data in wire.log if who == "meter"]


def checked(wire: Wire) -> Report:
    return check(
        [
            Heard(start, start + len(data) * 10 * SECOND // line[0], who == "host", data, *line)
            for who, start, line, data in wire.log
        ]
    )


@pytest.mark.parametrize("kind", ["slow", "fast"])
def test_a_meter_that_sleeps_is_read_only_when_it_is_woken(kind: str) -> None:
    wire = sleeping(kind)
    with pytest.raises(NoReply):
        wire.run(FlagClient(b"094").sign_on())
    wire.pass_time(2 * SECOND)
    assert wire.run(FlagClient(b"094", timing=Timing(wake=kind)).sign_on()).maker == "GEC"


@pytest.mark.parametrize("pieces", [1, 2, 66])
def test_nuls_add_up_however_they_are_cut(pieces: int) -> None:
    wire = sleeping("slow")
    for _ in range(pieces):
        wire.send(bytes(66 // pieces))
        wire.pass_time(4 * MS)
    wire.pass_time(1_600 * MS)
    wire.send(REQUEST)
    assert answers(wire)


@pytest.mark.parametrize(
    ("first", "gap", "second", "pause"),
    [(33, 600, 33, 1_600), (33, 4, 20, 1_600), (66, 0, 0, 1_000)],
    ids=["a long gap", "too short", "no time to get up"],
)
def test_what_does_not_wake_slowly(first: int, gap: int, second: int, pause: int) -> None:
    wire = sleeping("slow")
    wire.send(bytes(first))
    wire.pass_time(gap * MS)
    wire.send(bytes(second))
    wire.pass_time(pause * MS)
    wire.send(REQUEST)
    assert not answers(wire)


def test_another_character_among_the_nuls_spoils_the_wake_up() -> None:
    wire = sleeping("slow")
    wire.send(bytes(40))
    wire.send(b"x")
    wire.send(bytes(40))
    wire.pass_time(1_600 * MS)
    wire.send(REQUEST)
    assert not answers(wire)


def test_a_fast_wake_up_is_answered_two_characters_and_30_ms_behind_the_last_nul() -> None:
    wire = sleeping("fast")
    for _ in range(17):
        wire.send(bytes(1))
    ended = wire.now
    wire.pass_time(SECOND)
    assert [(start - ended) // MS for who, start, _, _ in wire.log if who == "meter"] == [66 + 30]
    assert answers(wire) == [b"\x06"]


def test_one_that_looks_now_and_then_is_tried_for_four_and_a_half_seconds() -> None:
    wire = sleeping("fast", wake_look=4 * SECOND)
    wire.pass_time(100 * MS)
    assert wire.run(FlagClient(timing=Timing(wake="fast")).sign_on()).maker == "GEC"
    tries = [start for who, start, _, data in wire.log if who == "host" and not data.strip(b"\0")]
    assert len(tries) > 4
    assert checked(wire).breaches == ()


def test_one_that_is_never_woken_is_signed_on_to_all_the_same() -> None:
    wire = Wire(MemoryMeter())  # it is always awake, and says no ACK to NULs
    assert wire.run(FlagClient(timing=Timing(wake="fast")).sign_on()).maker == "GEC"
    last_try, request = [start for who, start, _, _ in wire.log if who == "host"][-2:]
    assert request - last_try > 4_500 * MS / 6 + 1_500 * MS


@pytest.mark.parametrize("kind", ["slow", "fast"])
def test_a_second_visit_wakes_it_again(kind: str) -> None:
    wire = sleeping(kind)
    client = FlagClient(timing=Timing(wake=kind))
    for _ in range(2):
        wire.run(client.open())
        wire.run(client.log_in(None))
        wire.run(client.leave())
        wire.pass_time(70 * SECOND)
    assert checked(wire).breaches == ()


def test_a_meter_goes_back_to_sleep() -> None:
    wire = sleeping("slow")
    wire.send(bytes(66))
    wire.pass_time(70 * SECOND)
    wire.send(REQUEST)
    assert not answers(wire)


def test_without_its_supply_it_forgets_that_it_was_woken() -> None:
    wire = sleeping("slow")
    wire.send(bytes(66))
    wire.servers[0].lose(wire.now)
    wire.pass_time(1_600 * MS)
    wire.send(REQUEST)
    assert not answers(wire)
