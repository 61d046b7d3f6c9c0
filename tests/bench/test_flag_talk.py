"""Talking to a FLAG meter in single messages: what is heard, with its times, and what may not be said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from bench.bench import Bench
from bench.errors import DeviceError, NotArmed
from bench.evidence import Evidence
from bench.host import Host
from bench.procedures.elster_memory import changes, programmed
from bench.procedures.flag_talk import (
    MS,
    SECOND,
    Talk,
    address_of,
    conformance,
    error_text,
    kind_of,
    never,
    overhearing,
    talking,
)
from bench.safety import Safety
from bench.station import find_station
from protocols.flag.device import STREAM
from protocols.flag.frames import ACK, ETX, NAK, SOH, STX, checked
from simulators.faults.line_registry import fault_called

SERIAL, SCHEME, NO_SUCH = 798, 795, 999


def bench_with(**defects: list[str]) -> tuple[Bench, Host]:
    station = find_station("sim")
    host = Host(station, defects={name.replace("_", "-"): ids for name, ids in defects.items()})
    return Bench(host, Safety(station), Evidence(None), "test", "test"), host


@pytest.fixture
def bench() -> Iterator[Bench]:
    found, host = bench_with()
    yield found
    host.close()


def error(text: bytes) -> bytes:
    return checked(STX + b"(" + text + b")" + ETX)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", "silence"),
        (ACK, "ACK"),
        (NAK, "NAK"),
        (error(b"ERR2"), "error message"),
        (error(b"3132"), "data"),
        (checked(SOH + b"P0" + STX + b"(00)" + ETX), "a challenge"),
        (error(b"3132")[:-1] + b"\x7f", "no message: CheckError"),
        (error(b"ERR2")[:-1], "no message: FrameError"),
    ],
)
def test_an_answer_has_a_kind(answer: bytes, kind: str) -> None:
    assert kind_of(answer) == kind
    assert error_text(answer) == ("ERR2" if kind == "error message" else None)


def test_a_visit_in_single_messages(bench: Bench) -> None:
    meter = bench.elster("a1140")
    with talking(meter) as talk:
        assert kind_of(talk.answer_with(None)) == "silence"  # nobody has signed on
        assert len(talk.enter()) == 8
        assert kind_of(talk.answer_with(None)) == "ACK"
        assert kind_of(talk.read(SERIAL, 16)) == "data"
        assert error_text(talk.read(NO_SUCH, 1)) == "ERR2"
        assert talk.break_off() == b""
    assert meter.image("serial_number")


@pytest.mark.parametrize("message", [b"\x01W1\x02795001(58)\x03", b"\x01W1", b"rubbish\x01E2\x02655001()\x03"])
def test_who_is_not_armed_may_not_say_what_writes(bench: Bench, message: bytes) -> None:
    talk = Talk(bench.elster("a1140").session)
    with pytest.raises(NotArmed, match="a1140 is not armed"):
        talk.say(message)
    with pytest.raises(NotArmed, match="a1140 is not armed"):
        talk.say_with_odd_parity(message)
    other = Talk(bench.elster("a1140").session, bench.arm(bench.elster("a1700")))
    with pytest.raises(NotArmed, match="permission to write is for a1700"):
        other.say(message)


def test_who_is_armed_may_and_it_is_written(bench: Bench) -> None:
    meter = bench.elster("a1140")
    armed = bench.arm(meter)
    with talking(meter, armed) as talk:
        talk.enter()
        talk.answer_with(meter.session.given_password())
        assert kind_of(talk.write(SCHEME, b"ANOTHER ")) == "ACK"
    assert meter.image("scheme_id") == b"ANOTHER "


def test_listening_ends_when_the_time_is_over_whatever_is_said(bench: Bench) -> None:
    meter = bench.elster("a1140")
    with talking(meter) as talk:
        talk.enter(STREAM)
        talk.answer_with(None)
        began = bench.clock.now()
        asked = checked(SOH + b"RD" + STX + b"543001(10)" + ETX)
        assert len(talk.say(asked, until=never, within=SECOND)) > 256
        assert bench.clock.now() - began < 2 * SECOND
        assert talk.listen(SECOND)


def test_a_talk_stands_outside_the_visits_of_the_session(bench: Bench) -> None:
    meter = bench.elster("a1700")
    serial = meter.image("serial_number")
    with talking(meter) as talk:
        talk.enter()
    assert meter.image("serial_number") == serial
    assert meter.session.retried == 0


def test_what_is_overheard_has_its_times_and_its_speeds(bench: Bench) -> None:
    meter = bench.elster("a1140")
    with overhearing(meter) as heard:
        meter.session.identification()
        meter.session.leave()
    request, identification, option, challenge = heard[:4]
    assert request.data == b"/?094!\r\n"
    assert (request.end - request.start, request.baud, request.framing) == (266_666_666, 300, "7E1")
    assert identification.start - request.end == pytest.approx(300 * MS, abs=1_000)
    assert (option.baud, challenge.baud, challenge.framing) == (300, 9600, "7E1")
    assert [piece.to_device for piece in heard[:4]] == [True, False, True, False]
    assert meter.session.line.listener is None


def test_behind_a_module_there_is_no_speed_to_be_heard(bench: Bench) -> None:
    meter = bench.elster("a1140-tcp")
    with overhearing(meter) as heard:
        meter.image("serial_number")
        meter.session.leave()
    assert {(piece.baud, piece.framing, piece.end - piece.start) for piece in heard} == {(0, "", 0)}
    assert conformance(meter, heard).breaches == ()


@pytest.mark.parametrize(("defect", "rule"), [("E01", "bcc.start"), ("E11", "tr.short"), ("E12", "ta.long")])
def test_the_checker_hears_what_a_lenient_reader_swallows(defect: str, rule: str) -> None:
    bench, host = bench_with(a1140=[defect])
    meter = bench.elster("a1140")
    with overhearing(meter) as heard:
        talk = Talk(meter.session)
        talk.choose_offered(0, talk.sign_on())
    assert rule in {breach.rule for breach in conformance(meter, heard).breaches}
    host.close()


def test_a_read_that_came_to_nothing_leaves_no_meter_in_its_visit(bench: Bench) -> None:
    """The break comes before the next sign-on: a meter in a visit listens at another speed."""
    meter = bench.elster("a1140")
    serial = meter.image("serial_number")
    bench.disturbances.put(meter.name, fault_called("drop(p=100%, times=3)"))
    assert meter.image("serial_number") == serial
    assert meter.session.retried == 1


def test_a_sign_on_whose_challenge_was_lost_is_broken_off_too(bench: Bench) -> None:
    meter = bench.elster("a1140")
    bench.disturbances.put(meter.name, fault_called("drop(p=100%, after=1, times=1)"))
    assert meter.image("serial_number")
    assert meter.session.retried == 1


def test_one_bit_is_found_whatever_bit_it_is(bench: Bench) -> None:
    """Behind a module characters have eight bits: one in the top bit is found as well."""
    for name in ("a1140", "a1140-tcp"):
        meter = bench.elster(name)
        truth = meter.image("outstation")
        bench.disturbances.put(name, fault_called("one-bit(p=30%, after=3)"))
        found = []
        for _ in range(40):
            with suppress(DeviceError):
                found.append(meter.image("outstation"))
        bench.disturbances.calm(name)
        assert set(found) == {truth}


def test_a_meter_can_be_called_by_another_name(bench: Bench) -> None:
    meter = bench.elster("a1140")
    meter.session.call(b"00094")
    assert meter.image("serial_number")
    assert address_of(meter) == b"00094"
    assert address_of(bench.elster("a1140-tcp")) == bench.elster("a1140-tcp").image("outstation")


def test_what_is_programmed_is_read_as_a_whole(bench: Bench) -> None:
    meter = bench.elster("a1140")
    before = programmed(meter)
    assert {"scheme_id", "tariff_special_days", "programming_log", "outstation", "profile_mask"} <= before.keys()
    assert not {"clock", "totals", "password_1"} & before.keys()
    assert changes(before, programmed(meter)) == "nothing"
    meter.session.write(bench.arm(meter), SCHEME, b"ANOTHER ")
    assert changes(before, programmed(meter)) == "programming log, scheme id"


def test_an_object_goes_both_ways_in_partial_blocks(bench: Bench) -> None:
    meter = bench.elster("a1140")
    number, size = meter.scheme_item("tariff_special_days")
    wanted = bytes((0xFF, 1, 6, 1)).ljust(100, b"\xff").ljust(size, b"\xff")
    meter.session.write_in_parts(bench.arm(meter), number, wanted)
    assert meter.session.read_in_parts(number) == meter.session.read(number, size) == wanted
    assert meter.session.writes[-1] == (number, wanted)
