"""The two sides of IEC 62056-21 against each other; peers that others wrote are in tests/interoperability."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flag_meter import PASSWORD, READOUT, SEED, TENTH, MemoryMeter, Wire

from protocols.flag import frames
from protocols.flag.client import FlagClient, MeterError, NoReply, Rejected, Timing, Unusable
from protocols.flag.device import PROGRAMMING, STREAM
from protocols.flag.frames import Answer, Command
from protocols.flag.habits import bcc_of
from protocols.flag.server import State

SECOND = 10 * TENTH


@pytest.fixture
def meter() -> MemoryMeter:
    return MemoryMeter()


@pytest.fixture
def wire(meter: MemoryMeter) -> Wire:
    return Wire(meter)


def opened(wire: Wire, password: bytes | None = PASSWORD, mode: int = PROGRAMMING) -> FlagClient:
    client = FlagClient(b"094")
    wire.run(client.open(mode))
    wire.run(client.log_in(password))
    return client


def test_a_readout_at_the_meters_speed(wire: Wire) -> None:
    assert wire.run(FlagClient(b"094").read_out()) == READOUT + b"!\r\n"
    assert [line for who, _, line, _ in wire.log if who == "meter"] == [(300, "7E1"), (9600, "7E1")]


def test_the_sign_on_takes_the_line_time_that_the_standard_gives_it(wire: Wire) -> None:
    """links-concentrators 1.1: 0.167 s, 19 characters 0.633 s, 0.200 s; this request has its address in it."""
    client = FlagClient()
    wire.servers[0].device.ident = b"/GEC51205100702xx"  # 19 characters with CR LF
    wire.run(client.sign_on())
    wire.run(client._select(PROGRAMMING))
    spoken = sum(len(data) for _, _, line, data in wire.log if line[0] == 300) * 10 / 300
    assert spoken == pytest.approx(1.0, abs=0.001)


def test_reading_and_writing_in_programming_mode(wire: Wire, meter: MemoryMeter) -> None:
    client = opened(wire)
    assert client.seed == SEED
    assert wire.run(client.command("R", 1, b"798001(10)")) == Answer(b"(30303030303030303035303734343934)")
    assert wire.run(client.command("W", 1, b"576001(41)", again=False)) is None
    wire.run(client.leave())
    assert (meter.written, meter.closed) == ([b"576001(41)"], ["break"])
    assert wire.servers[0].line == (300, "7E1")


def test_the_stream_has_eight_bits_and_is_put_together(wire: Wire, meter: MemoryMeter) -> None:
    client = opened(wire, mode=STREAM)
    assert wire.run(client.read_stream(b"550001(0C)")) == meter.objects[b"550"]
    assert wire.log[-1][2] == (9600, "8N1")


def test_a_stream_of_what_is_not_there_is_refused(wire: Wire) -> None:
    client = opened(wire, mode=STREAM)
    with pytest.raises(MeterError, match="ERR2"):
        wire.run(client.read_stream(b"999001(0C)"))


def test_a_damaged_block_of_a_stream_ends_it_with_escape(wire: Wire, meter: MemoryMeter) -> None:
    client = opened(wire, mode=STREAM)
    wire.spoil[wire._answers + 1] = b"\x02" + bytes(262)
    with pytest.raises(Unusable):
        wire.run(client.read_stream(b"550001(0C)"))
    assert ("host", b"\x1b") in [(who, data) for who, _, _, data in wire.log]
    wire.run(client.leave())
    assert meter.closed == ["break"]


def test_a_meter_that_ignores_escape_goes_on_sending(wire: Wire, meter: MemoryMeter) -> None:
    meter.habits = replace(meter.habits, stream_breaks=False)
    client = opened(wire, mode=STREAM)
    wire.spoil[wire._answers + 1] = b"\x02" + bytes(262)
    with pytest.raises(Unusable):
        wire.run(client.read_stream(b"550001(0C)"))
    assert wire.log[-1][0] == "meter"


def test_read_only_is_level_0(wire: Wire) -> None:
    client = opened(wire, password=None)
    assert wire.run(client.command("R", 1, b"798001(10)"))
    with pytest.raises(MeterError, match="ERR5"):
        wire.run(client.command("W", 1, b"576001(41)"))
    wire.run(client.log_in(PASSWORD))  # a second P2 raises the level, the challenge stays (GX2)
    assert wire.run(client.command("W", 1, b"576001(41)")) is None


def test_a_wrong_password_is_told(wire: Wire) -> None:
    client = FlagClient(b"094")
    wire.run(client.open())
    with pytest.raises(Rejected):
        wire.run(client.log_in(b"11111111"))


def test_partial_blocks_are_asked_for_one_after_another(wire: Wire) -> None:
    client = opened(wire)
    assert wire.run(client.command("R", 3, b"798001(10)")) == Answer(b"(first second third)")


def test_a_damaged_partial_block_is_asked_for_again(wire: Wire) -> None:
    client = opened(wire)
    wire.spoil[wire._answers + 1] = b"\x02(spoilt\x04\x00"
    assert wire.run(client.command("R", 3, b"798001(10)")) == Answer(b"(first second third)")
    assert len(client.repeats) == 1


def test_partial_writes_carry_the_address_once(wire: Wire, meter: MemoryMeter) -> None:
    client = opened(wire)
    for data, more in ((b"576001(41", True), (b"42", True), (b"43)", False)):
        wire.send(Command("W", "3", data, more).encode())
        wire.pass_time(SECOND)
    assert meter.written == [b"576001(414243)"]
    assert client.seed


def test_a_new_command_ends_a_partial_write(wire: Wire, meter: MemoryMeter) -> None:
    opened(wire)
    wire.send(Command("W", "3", b"576001(41", more=True).encode())
    wire.pass_time(SECOND)
    wire.send(Command("W", "1", b"795001(42)").encode())
    assert meter.written == [b"795001(42)"]


def test_a_damaged_readout_is_asked_for_again(wire: Wire) -> None:
    wire.spoil[1] = b"\x02rubbish\x03\x00"
    client = FlagClient(b"094")
    assert wire.run(client.read_out()) == READOUT + b"!\r\n"
    assert len(client.repeats) == 1


@pytest.mark.parametrize("repeats", ["nothing", "next"])
def test_a_meter_that_does_not_repeat_a_readout(wire: Wire, meter: MemoryMeter, repeats: str) -> None:
    meter.habits = replace(meter.habits, repeats=repeats)
    wire.spoil[1] = b"\x02rubbish\x03\x00"
    if repeats == "nothing":
        with pytest.raises(NoReply):
            wire.run(FlagClient(b"094").read_out())
    else:
        assert wire.run(FlagClient(b"094").read_out()) != READOUT + b"!\r\n"


@pytest.mark.parametrize(
    "said",
    [b"\x06041\r\n", b"\x06951\r\n", b"\x06057\r\n", b"\x06252\r\n", b"rubbish\r\n"],
    ids=["speed", "procedure", "mode", "hdlc", "rubbish"],
)
def test_a_bad_option_select_message_brings_the_readout_at_300_baud(
    wire: Wire, meter: MemoryMeter, said: bytes
) -> None:
    wire.run(FlagClient(b"094").sign_on())
    wire.send(said)
    assert wire.log[-1][2:] == ((300, "7E1"), Answer(READOUT + b"!\r\n").encode())


def test_no_option_select_message_brings_the_readout_within_its_time(wire: Wire) -> None:
    wire.run(FlagClient(b"094").sign_on())
    asked = wire.now
    wire.pass_time(3 * SECOND)
    who, start, line, _ = wire.log[-1]
    assert (who, line) == ("meter", (300, "7E1"))
    assert 1.5 * SECOND < start - asked <= 2.2 * SECOND + 3 * TENTH


def test_a_meter_without_a_fall_back_is_silent(wire: Wire, meter: MemoryMeter) -> None:
    meter.habits = replace(meter.habits, falls_back=False)
    wire.run(FlagClient(b"094").sign_on())
    wire.pass_time(5 * SECOND)
    assert [who for who, *_ in wire.log] == ["host", "meter"]


def test_speed_0_stays_at_300(wire: Wire) -> None:
    wire.run(FlagClient(b"094").sign_on())
    wire.send(b"\x06001\r\n")
    assert wire.servers[0].line == (300, "7E1")
    assert wire.log[-1][3] == Command("P", "0", b"(FD04BE65D6157FA9)").encode()


@pytest.mark.parametrize(
    ("asked", "answers"),
    [(b"94", True), (b"094", True), (b"00094", True), (b"", True), (b"940", False), (b"95", False), (b"094A", False)],
)
def test_leading_zeros_do_not_count(wire: Wire, asked: bytes, answers: bool) -> None:
    if answers:
        assert wire.run(FlagClient(asked).sign_on()).maker == "GEC"
    else:
        with pytest.raises(NoReply):
            wire.run(FlagClient(asked).sign_on())


def test_one_of_several_meters_answers() -> None:
    meters = [MemoryMeter(address=b"%03d" % n, ident=b"/GEC5%03d" % n) for n in range(1, 33)]
    wire = Wire(*meters)
    assert wire.run(FlagClient(b"7").sign_on()).ident == "007"


def test_a_visit_ends_by_itself_between_60_and_120_seconds(wire: Wire, meter: MemoryMeter) -> None:
    opened(wire)
    wire.pass_time(60 * SECOND)
    assert wire.servers[0].state is State.VISIT
    wire.pass_time(60 * SECOND)
    assert meter.closed == ["timeout"]
    assert wire.servers[0].line == (300, "7E1")


def test_without_its_supply_a_meter_is_silent_and_forgets_the_visit(wire: Wire, meter: MemoryMeter) -> None:
    client = opened(wire)
    meter.supplied = False
    with pytest.raises(NoReply):
        wire.run(client.command("R", 1, b"798001(10)"))
    assert meter.closed == ["supply"]


def test_a_damaged_command_is_answered_with_nak_and_not_obeyed(wire: Wire, meter: MemoryMeter) -> None:
    opened(wire)
    good = Command("W", "1", b"576001(41)").encode()
    for bad in (
        good[:-1] + bytes((good[-1] ^ 1,)),
        good[:5] + bytes((good[5] | 0x80,)) + good[6:],  # a character whose parity is wrong
    ):
        wire.send(bad)
        assert wire.log[-1][3] == frames.NAK
        wire.pass_time(SECOND)
    assert meter.written == []


def test_an_unknown_command_is_an_error_message(wire: Wire) -> None:
    client = opened(wire)
    with pytest.raises(MeterError, match="ERR1"):
        wire.run(client.command("Q", 1, b"x()"))


def test_a_repeated_read_is_told_and_a_write_is_not_repeated(wire: Wire, meter: MemoryMeter) -> None:
    client = opened(wire)
    wire.spoil[wire._answers] = b"\x02(00)\x03\x00"
    assert wire.run(client.command("R", 1, b"798001(10)"))
    assert len(client.repeats) == 1
    wire.spoil[wire._answers] = b""
    with pytest.raises(NoReply):
        wire.run(client.command("W", 1, b"576001(41)", again=False))
    assert meter.written == [b"576001(41)"]


def test_behind_a_modem_nothing_changes_its_speed(meter: MemoryMeter) -> None:
    wire = Wire(meter, fixed_line=(9600, "7E1"), via="remote")
    wire.line = (9600, "7E1")
    client = FlagClient(b"094", fixed_line=True)
    wire.run(client.open(STREAM))
    wire.run(client.log_in(None))
    assert wire.run(client.read_stream(b"550001(0C)")) == meter.objects[b"550"]
    assert {line for _, _, line, _ in wire.log} == {(9600, "7E1")}


@pytest.mark.parametrize(("wake", "nulls"), [("slow", 66), ("fast", 17)])
def test_a_battery_meter_must_be_woken(wire: Wire, meter: MemoryMeter, wake: str, nulls: int) -> None:
    meter.habits = replace(meter.habits, awake=wake)
    with pytest.raises(NoReply):
        wire.run(FlagClient(b"094").sign_on())
    wire.pass_time(2 * SECOND)
    client = FlagClient(b"094", timing=Timing(wake=wake))
    assert wire.run(client.sign_on()).maker == "GEC"
    assert ("host", bytes(nulls)) in [(who, data) for who, _, _, data in wire.log]


def test_mode_b_is_not_asked_for_its_speed() -> None:
    wire = Wire(MemoryMeter(ident=b"/XYZEmodeB"))
    assert wire.run(FlagClient().read_out()) == READOUT + b"!\r\n"
    assert wire.log[2][2] == (9600, "7E1")


def test_mode_a_reads_out_at_300() -> None:
    wire = Wire(MemoryMeter(ident=b"/XYZ!modeA"))
    assert wire.run(FlagClient().read_out()) == READOUT + b"!\r\n"
    assert {line for _, _, line, _ in wire.log} == {(300, "7E1")}


@pytest.mark.parametrize(
    "check",
    [
        lambda frame: bcc_of(frame) ^ frame[0],
        lambda frame: bcc_of(frame) ^ 0x03,
        lambda frame: bcc_of(frame) ^ 0x02,
    ],
    ids=["with the first mark", "without ETX", "after STX"],
)
def test_a_meter_that_reckons_its_check_character_otherwise_is_not_believed(
    wire: Wire, meter: MemoryMeter, check
) -> None:
    meter.habits = replace(meter.habits, answer_check=check)
    with pytest.raises(Unusable):
        wire.run(FlagClient(b"094").open())


def test_a_pause_inside_a_block_loses_it(wire: Wire, meter: MemoryMeter) -> None:
    client = opened(wire)
    meter.habits = replace(meter.habits, pause=(8, 1_600_000_000))
    with pytest.raises(Unusable):
        wire.run(client.command("R", 1, b"798001(10)"))


def test_an_error_message_without_its_check_character_is_no_answer(wire: Wire, meter: MemoryMeter) -> None:
    client = opened(wire)
    meter.habits = replace(meter.habits, error_check=False)
    with pytest.raises(Unusable):
        wire.run(client.command("R", 1, b"999001(10)"))


def test_swapped_end_marks_cut_a_stream(wire: Wire, meter: MemoryMeter) -> None:
    client = opened(wire, mode=STREAM)
    meter.habits = replace(meter.habits, stream_marks=(0x04, 0x03))
    assert len(wire.run(client.read_stream(b"550001(0C)"))) == 256
