"""No false alarm: what a healthy line says, in every kind of conversation that there is."""

from __future__ import annotations

import pytest
from flag_line import (
    ACK,
    BREAK,
    ESC,
    FAST,
    IDENT,
    MS,
    P0,
    P2,
    R1,
    SECOND,
    SERIAL,
    START,
    Line,
    block,
    command,
    joined,
    part,
    readout,
    selected,
    signed_on,
    stream,
    streaming,
    visit,
)
from flag_meter import PASSWORD, MemoryMeter, Wire

from protocols.flag.checker import Heard, Report, check
from protocols.flag.client import FlagClient, Timing
from protocols.flag.device import PROGRAMMING
from protocols.flag.device import STREAM as STREAM_MODE

QUICK_IDENT = b"/GEc5120510070213@000\r\n"
SLOW_NULS, FAST_NULS = bytes(66), bytes(17)


def selected_after(reaction: int) -> Line:
    """A sign-on in which everybody takes so long (ms)."""
    line = Line().host(b"/?!\r\n").meter(IDENT, reaction).host(b"\x06051\r\n", reaction)
    return line.at(*FAST).meter(P0, reaction)


def given_up() -> Line:
    """A tool that comes back too late, and needs a while to see it."""
    line = visit().host(R1, 100_000).host(R1, 1_800).at(*START)
    return line.host(b"/?!\r\n", 9_000).meter(IDENT)


def partial_read() -> Line:
    line = visit().host(command(b"R3", b"P.01(;)")).meter(part(b"P.01(1)(2)\r\n"))
    return line.host(ACK).meter(part(b"(3)(4)")).host(ACK).meter(block(b"(5)")).host(BREAK)


def partial_write() -> Line:
    line = visit().host(command(b"W3", b"123(AB", b"\x04")).meter(ACK)
    return line.host(command(b"W3", b"CD", b"\x04")).meter(ACK).host(command(b"W3", b"EF)")).meter(ACK).host(BREAK)


HEALTHY: dict[str, Line] = {
    "readout": selected(b"0").meter(readout()).host(ACK),
    "an empty readout": selected(b"0").meter(readout(b"")),
    "readout without an option select": signed_on().meter(readout(), 1_900),
    "readout at 300 Bd": signed_on().host(b"\x06000\r\n").meter(readout()).host(ACK),
    "mode A": signed_on(b"/ABC Meter\r\n").meter(readout()),
    "mode B": signed_on(b"/ABCEMeter\r\n").at(*FAST).meter(readout()),
    "mode B, then programming at 300 Bd": signed_on(b"/ABCEMeter\r\n")
    .at(*FAST)
    .meter(readout())
    .at(*START)
    .host(command(b"P1", b"(1)"))
    .meter(ACK),
    "mode D": Line((2400, "7E1")).meter(b"/ABC3Meter\r\n", 0).meter(b"\r\n1.8.0(1*kWh)\r\n!\r\n", 0),
    "mode E, HDLC": signed_on(b"/ABC5\\2Meter\r\n").host(b"\x06252\r\n").at(9600, "8N1").host(b"\x7e\xa0\x07\x03\x7e"),
    "programming": visit().host(R1).meter(SERIAL).host(command(b"W1", b"576001(41)")).meter(ACK).host(BREAK),
    "two visits": visit().host(BREAK).at(*START).host(b"/?!\r\n", 2_000).meter(IDENT).host(b"\x06051\r\n").at(*FAST),
    "a break first": Line(FAST).host(BREAK, 0).at(*START).host(b"/?!\r\n", 500).meter(IDENT),
    "a break that is acknowledged": visit().host(command(b"B1", b"")[:3] + b"\x03\x70").meter(ACK),
    "a refusal": visit().host(command(b"R1", b"999001(10)")).meter(block(b"(ERR2)")).host(BREAK),
    "partial read": partial_read(),
    "partial write": partial_write(),
    "data stream": joined(streaming(), stream(256, 100)).host(R1).meter(SERIAL).host(BREAK),
    "data stream of one block": joined(streaming(b"00"), stream(80)).host(BREAK),
    "data stream that is refused": streaming().meter(block(b"(ERR2)")).host(BREAK),
    "data stream that is ended": joined(streaming(), [*stream(256, 256)][:1]).host(ESC, 50).host(BREAK, 3_000),
    "nobody answers": Line().host(b"/?7!\r\n").host(b"/?7!\r\n", 3_000),
    "a long silence, and a new sign-on": visit().at(*START).host(b"/?!\r\n", 130_000).meter(IDENT),
    "20 ms": Line().host(b"/?!\r\n").meter(QUICK_IDENT, 25).host(b"\x06051\r\n", 20).at(*FAST).meter(P0, 20),
    "slow wake-up": Line().host(SLOW_NULS, 0).host(b"/?!\r\n", 1_600).meter(IDENT),
    "fast wake-up": Line().host(FAST_NULS, 0).meter(ACK, 67 + 30).host(b"/?!\r\n", 300).meter(IDENT),
    "the shortest times": selected_after(200),
    "the longest times": selected_after(1_500),
    "the earliest readout by itself": signed_on().meter(readout(), 1_500),
    "the latest readout by itself": signed_on().meter(readout(), 2_200),
    "the longest packet": visit().host(command(b"R1", b"550001(40)")).meter(block(b"(" + b"41" * 64 + b")")),
    "the longest packet written": visit().host(command(b"W1", b"550001(" + b"41" * 64 + b")")).meter(ACK),
    "an identification that is all escape": signed_on(b"/ABC5\\2\r\n").host(b"\x06252\r\n"),
    "an address of 32": signed_on(address=b"1" * 32),
    "the longest line, value and unit": selected(b"0").meter(
        readout(b"1234567890123456(" + b"1" * 32 + b"*" + b"k" * 16 + b")(123456)\r\n")
    ),
    "a visit that the device has given up": given_up(),
    "the longest silence": visit().host(R1, 120_000).meter(SERIAL),
    "the shortest and the longest wake-up": Line().host(bytes(63), 0).host(b"/?!\r\n", 1_500).host(bytes(69), 3_000),
    "a stream block of one byte": joined(streaming(b"01"), stream(1)),
    "network": Line((0, "")).host(b"/?!\r\n").meter(IDENT).host(b"\x06051\r\n").meter(P0).host(P2).meter(ACK),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_line_breaks_no_rule(name: str) -> None:
    assert HEALTHY[name].check().breaches == ()


@pytest.mark.parametrize("name", HEALTHY)
def test_nor_does_it_when_every_character_comes_for_itself(name: str) -> None:
    assert check([single for piece in HEALTHY[name].pieces for single in characters(piece)]).breaches == ()


def characters(piece: Heard) -> list[Heard]:
    span, count = piece.end - piece.start, len(piece.data)
    instants = [piece.start + span * k // count for k in range(count + 1)]
    return [
        Heard(instants[k], instants[k + 1], piece.to_device, piece.data[k : k + 1], piece.baud, piece.framing)
        for k in range(count)
    ]


@pytest.mark.parametrize("framing", ["7E1", "8N1"])
def test_a_modem_never_changes_its_line(framing: str) -> None:
    line = Line((2400, framing)).host(b"/?!\r\n", 0).meter(IDENT).host(b"\x06051\r\n").meter(P0).host(P2).meter(ACK)
    assert line.check(fixed_line=(2400, framing)).breaches == ()


def test_what_an_optical_head_gives_back_is_no_breach() -> None:
    line = signed_on()
    echo = [Heard(p.start + MS, p.end + MS, to_device=False, data=p.data, baud=p.baud, framing=p.framing)
            for p in line.pieces if p.to_device]  # fmt: skip
    report = check([*line.pieces, *echo])
    assert report.breaches == ()
    assert report.echoed == 8


def test_a_masked_password_is_not_judged() -> None:
    line = selected().meter(P0).host(command(b"P2", b"(0000000000000000)")[:-1] + b"0", masked=True).meter(ACK)
    assert line.check().breaches == ()


def test_a_summary_says_what_was_heard() -> None:
    report = visit().host(R1).meter(SERIAL).host(BREAK).check()
    assert report.conforms
    assert report.identifications == ("/GEC5120510070213@000",)
    assert report.messages == {
        "device ACK": 1,
        "device block": 1,
        "device command": 1,
        "device request or identification": 1,
        "host command": 3,
        "host option select": 1,
        "host request or identification": 1,
    }


def heard_on(wire: Wire) -> Report:
    """What the two sides of the project say to each other, as a listener hears it."""
    pieces = []
    for who, start, (baud, framing), data in wire.log:
        pieces.append(Heard(start, start + len(data) * 10 * SECOND // baud, who == "host", data, baud, framing))
    return check(pieces)


@pytest.mark.parametrize("mode", [PROGRAMMING, STREAM_MODE])
def test_the_projects_own_client_and_server_conform(mode: int) -> None:
    wire = Wire(MemoryMeter())
    client = FlagClient(b"094")
    wire.run(client.open(mode))
    wire.run(client.log_in(PASSWORD))
    wire.run(client.command("R", 1, b"798001(10)"))
    wire.run(client.command("W", 1, b"576001(41)", again=False))
    if mode == STREAM_MODE:
        wire.run(client.read_stream(b"550001(03)"))
    wire.run(client.leave())
    report = heard_on(wire)
    assert report.breaches == ()
    assert report.messages["host command"] == (5 if mode == STREAM_MODE else 4)


def test_their_readout_conforms() -> None:
    wire = Wire(MemoryMeter())
    wire.run(FlagClient(b"094").read_out())
    assert heard_on(wire).breaches == ()


@pytest.mark.parametrize("kind", ["slow", "fast"])
def test_their_wake_up_conforms(kind: str) -> None:
    meter = MemoryMeter()
    meter.habits.awake = kind
    wire = Wire(meter)
    wire.run(FlagClient(timing=Timing(wake=kind)).sign_on())
    assert heard_on(wire).breaches == ()
