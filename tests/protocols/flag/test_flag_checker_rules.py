"""Every rule of the checker, each fired by the smallest conversation that breaks it, and by nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flag_line import (
    ACK,
    BREAK,
    ESC,
    FAST,
    IDENT,
    MS,
    NAK,
    P0,
    P2,
    R1,
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
    spoilt,
    stream,
    streaming,
    visit,
)
from hypothesis import given
from hypothesis import strategies as st

from protocols.flag.checker import RULES, Checker, Heard, check
from protocols.flag.checker_rules import BREACH, ELSTER, REMARK
from protocols.flag.frames import bcc, checked
from protocols.flag.stream import StreamBlock, encode_block

HOST, DEVICE = True, False
SLOW_NULS, FAST_NULS = bytes(66), bytes(17)
LOWER_TWO = b"/GeC5120510070213@000\r\n"


def overlapping(line: Line, by: float) -> Line:
    """The last piece begins so many ms before the one in front of it has ended."""
    before, last = line.pieces[-2:]
    span = last.end - last.start
    start = before.end - int(by * MS)
    line.pieces[-1] = replace(last, start=start, end=start + span)
    return line


def paused(line: Line, data: bytes, at: int, pause: float) -> Line:
    """The device says the data with a pause inside."""
    return line.meter(data[:at]).meter(data[at:], pause)


def spread(line: Line, data: bytes, gap: float) -> Line:
    """The host says the characters one by one."""
    line.host(data[:1], 0)
    for k in range(1, len(data)):
        line.host(data[k : k + 1], gap)
    return line


def without_parity_bit(frame: bytes) -> bytes:
    return frame[:3] + bytes((frame[3] | 0x80,)) + frame[4:]


def asked(name: bytes, data: bytes) -> Line:
    return visit().host(command(name, data))


def partial(first: bytes = b"123(AB") -> Line:
    return visit().host(command(b"W3", first, b"\x04")).meter(ACK)


def eight_bit_check(data: bytes) -> bytes:
    """In eight bits, with the check character over all of them."""
    frame = b"\x02" + data + b"\x03"
    return frame + bytes((bcc(frame[1:]) | 0x80,))


def exchanged_marks(*sizes: int) -> list[bytes]:
    return [
        encode_block(StreamBlock(k + 1, bytes(size), k == len(sizes) - 1), more=4, last=3)
        for k, size in enumerate(sizes)
    ]


def repeats(count: int) -> Line:
    line = selected(b"0").meter(spoilt(readout(), 0x55))
    for _ in range(count):
        line.host(NAK).meter(spoilt(readout(), 0x55))
    return line


FIRST, SECOND_BLOCK = stream(256, 100)
EIGHT = (9600, "8N1")
R2 = command(b"R2", b"1()")
#: The first block of short ones in which no byte needs its bit 7.
SEVEN_BITS = next(
    data for size in range(1, 128) if max(data := encode_block(StreamBlock(1, bytes(range(size)), last=True))) < 0x80
)
DAMAGED = selected(b"0").meter(spoilt(readout(), 0x55)).host(NAK)
CHANGED = visit().host(R1).meter(SERIAL).host(NAK).meter(block(b"(31)"))
FIFTH = encode_block(StreamBlock(1, bytes(256), last=True), last=5)
#: Rule, whose fault, the conversation, and what else it must break.
BROKEN: list[tuple[str, bool, Line, set[str]]] = [
    ("char.parity", HOST, visit().host(without_parity_bit(R1)).meter(NAK), set()),
    ("char.format", DEVICE, signed_on(IDENT).host(b"\x06051\r\n").at(9600, "8N1").meter(P0), set()),
    ("char.code", DEVICE, selected(b"0").meter(readout(b"1.8.0(1\x052)\r\n")), set()),
    ("line.collision", DEVICE, overlapping(signed_on(), 20), {"tr.short"}),
    ("speed.start", HOST, Line(FAST).host(b"/?!\r\n"), set()),
    ("speed.agreed", DEVICE, selected(b"1", line=(4800, "7E1")).meter(P0), set()),
    ("speed.agreed", HOST, visit().at(*START).host(R1), set()),
    ("speed.midway", HOST, signed_on().host(b"\x0605").at(*FAST).host(b"1\r\n", 0), {"speed.agreed"}),
    ("message.unknown", DEVICE, visit().meter(b"xyz").host(R1), set()),
    ("message.cut", HOST, visit().host(R1[:8]).meter(NAK), set()),
    ("message.cut", DEVICE, joined(streaming(), [FIRST[:100]]).host(BREAK, 2_000), set()),
    ("bcc.missing", DEVICE, asked(b"W1", b"999001(00)").meter(b"\x02(ERR2)\x03").host(BREAK), set()),
    ("bcc.start", DEVICE, visit().host(R1).meter(spoilt(SERIAL, SERIAL[-1] ^ 2)), set()),
    ("bcc.start", HOST, visit().host(spoilt(R1, R1[-1] ^ 1)), set()),
    ("bcc.stx", HOST, visit().host(spoilt(R1, bcc(R1[4:-1]))), set()),
    ("bcc.etx", DEVICE, visit().host(R1).meter(spoilt(SERIAL, SERIAL[-1] ^ 3)), set()),
    ("bcc.parity", DEVICE, visit(b"6", EIGHT).host(R2).meter(eight_bit_check(b"(\xb0)")), set()),
    ("bcc.sum", DEVICE, visit().host(R1).meter(spoilt(SERIAL, sum(SERIAL[1:-1]) & 0x7F)), set()),
    ("bcc.sum", DEVICE, visit(b"6", EIGHT).host(R1).meter(spoilt(SERIAL, sum(SERIAL[1:-1]) & 0xFF)), set()),
    ("bcc.wrong", DEVICE, visit().host(R1).meter(spoilt(SERIAL, 0x55)), set()),
    ("request.form", HOST, Line().host(b"/?094\r\n"), set()),
    ("request.form", HOST, Line().host(b"/?094!\n"), set()),
    ("request.address.length", HOST, Line().host(b"/?" + b"1" * 33 + b"!\r\n"), set()),
    ("request.address.characters", HOST, Line().host(b"/?09-4!\r\n"), set()),
    ("ident.form", DEVICE, signed_on(b"/GE\r\n"), set()),
    ("ident.maker", DEVICE, signed_on(LOWER_TWO), set()),
    ("ident.speed", DEVICE, signed_on(b"/GEC\x7fabc\r\n"), set()),
    ("ident.length", DEVICE, signed_on(b"/GEC512345678901234567\r\n"), set()),
    ("ident.characters", DEVICE, signed_on(b"/GEC5ab!c\r\n"), set()),
    ("ident.escape", DEVICE, signed_on(b"/GEC5abc\\\r\n"), set()),
    ("ident.mode_d", DEVICE, Line((2400, "7E1")).meter(b"/ABC5Meter\r\n"), set()),
    ("option.form", HOST, signed_on().host(b"\x06051\n").meter(readout()), set()),
    ("option.procedure", HOST, signed_on().host(b"\x06551\r\n").meter(readout()), set()),
    ("option.speed", HOST, signed_on().host(b"\x06061\r\n").meter(readout()), set()),
    ("option.mode", HOST, signed_on().host(b"\x06054\r\n").meter(readout()), set()),
    ("option.hdlc", HOST, signed_on().host(b"\x06252\r\n").meter(readout()), set()),
    ("option.unasked", HOST, signed_on(b"/ABCEMeter\r\n").at(*FAST).host(b"\x06"), set()),
    ("fallback.missing", DEVICE, signed_on().host(b"\x06061\r\n").host(b"/?!\r\n", 5_000), {"option.speed"}),
    ("fallback.wrong", DEVICE, signed_on().host(b"\x06061\r\n").meter(P0), {"option.speed"}),
    ("mode.answer", DEVICE, selected(b"1").meter(readout()), set()),
    ("mode.answer", DEVICE, selected(b"0").meter(P0), set()),
    ("readout.form", DEVICE, selected(b"0").meter(block(b"1.8.0(1)\r\n")), set()),
    ("set.form", DEVICE, selected(b"0").meter(readout(b"1.8.0(1\r\n")), set()),
    ("set.address", DEVICE, selected(b"0").meter(readout(b"12345678901234567(1)\r\n")), set()),
    ("set.value", DEVICE, selected(b"0").meter(readout(b"1.8.0(" + b"1" * 33 + b")\r\n")), set()),
    ("set.value", HOST, asked(b"W2", b"1(" + b"1" * 129 + b")"), set()),
    ("set.unit", DEVICE, selected(b"0").meter(readout(b"1.8.0(1*" + b"k" * 17 + b")\r\n")), set()),
    ("set.line", DEVICE, selected(b"0").meter(readout(b"1.8.0(1)" * 10 + b"\r\n")), set()),
    ("set.characters", DEVICE, selected(b"0").meter(readout(b"1.8.0(1/2)\r\n")), set()),
    ("set.decimal", DEVICE, selected(b"0").meter(readout(b"1.8.0(1,2*kWh)\r\n")), set()),
    ("command.form", HOST, visit().host(checked(b"\x01R1798001(10)\x03")), set()),
    ("command.letter", HOST, asked(b"X1", b"(1)"), set()),
    ("command.type", HOST, asked(b"R7", b"1()"), set()),
    ("command.data", HOST, asked(b"P1", b"12345"), set()),
    ("command.data", HOST, visit().host(checked(b"\x01R2\x03")), set()),
    ("command.side", HOST, visit().host(P0), set()),
    ("command.side", DEVICE, selected().meter(P2), set()),
    ("answer.kind", DEVICE, visit().host(R1).meter(ACK), set()),
    ("answer.kind", DEVICE, asked(b"W1", b"576001(41)").meter(block(b"1(2)")), set()),
    ("answer.kind", DEVICE, selected().meter(NAK), set()),
    ("answer.missing", DEVICE, visit().host(R1).host(R1, 1_600), set()),
    ("error.form", DEVICE, asked(b"W1", b"999001(00)").meter(block(b"(" + b"X" * 33 + b")")), set()),
    ("error.text", DEVICE, asked(b"W1", b"999001(00)").meter(block(b"(0.25)")), set()),
    ("break.form", HOST, visit().host(command(b"B0", b"(1)")), set()),
    ("break.answered", DEVICE, visit().host(BREAK).at(*START).meter(ACK), set()),
    ("partial.command", HOST, visit().host(command(b"W1", b"576001(41)", b"\x04")), set()),
    ("partial.command", DEVICE, visit().host(R1).meter(part(SERIAL[1:-2])), set()),
    ("partial.address", HOST, partial().host(command(b"W3", b"123(CD)")), set()),
    ("partial.address", HOST, visit().host(command(b"W3", b"AB", b"\x04")), set()),
    ("ack.unfounded", DEVICE, visit().host(spoilt(R1, 0x55)).meter(SERIAL), {"bcc.wrong"}),
    ("ack.unfounded", DEVICE, Line().host(b"/094!\r\n").meter(IDENT), {"request.form"}),
    ("ack.unfounded", HOST, selected(b"0").meter(spoilt(readout(), 0x55)).host(ACK), {"bcc.wrong"}),
    ("nak.unfounded", DEVICE, visit().host(R1).meter(NAK), set()),
    ("nak.unfounded", HOST, visit().host(R1).meter(SERIAL).host(NAK).meter(SERIAL), set()),
    ("repeat.changed", DEVICE, DAMAGED.meter(readout(b"")), {"bcc.wrong"}),
    ("repeat.changed", DEVICE, CHANGED, {"nak.unfounded", "elster.count"}),
    ("repeat.many", HOST, repeats(4), {"bcc.wrong"}),
    ("turn.device", DEVICE, visit().meter(SERIAL), set()),
    ("turn.device", DEVICE, signed_on().meter(IDENT), set()),
    ("turn.host", HOST, visit().host(R1).host(R1, 500), set()),
    ("turn.unexpected", HOST, visit().host(ACK), set()),
    ("turn.unexpected", HOST, selected(b"0").meter(readout()).host(R1), set()),
    ("turn.sign_on", HOST, visit().at(*START).host(b"/?!\r\n", 20_000), set()),
    ("tr.short", DEVICE, Line().host(b"/?!\r\n").meter(IDENT, 199), set()),
    ("tr.short", HOST, signed_on().host(b"\x06051\r\n", 150), set()),
    ("tr.short", DEVICE, Line().host(b"/?!\r\n").meter(b"/GEc5abc\r\n", 19), set()),
    ("tr.long", DEVICE, visit().host(R1).meter(SERIAL, 1_501), set()),
    ("ta.long", DEVICE, paused(visit().host(R1), SERIAL, 9, 1_501), set()),
    ("tt.short", DEVICE, signed_on().meter(readout(), 1_400), set()),
    ("tt.long", DEVICE, signed_on().meter(readout(), 2_300), set()),
    ("inactivity.short", DEVICE, visit().at(*START).host(b"/?!\r\n", 20_000).meter(IDENT), {"turn.sign_on"}),
    ("inactivity.long", DEVICE, visit().host(R1, 121_000).meter(SERIAL), set()),
    ("wake.length", HOST, Line().host(bytes(60), 0).host(b"/?!\r\n", 1_600), set()),
    ("wake.gap", HOST, spread(Line(), bytes(55), 6).host(b"/?!\r\n", 1_600), set()),
    ("wake.pause", HOST, Line().host(SLOW_NULS, 0).host(b"/?!\r\n", 1_800), set()),
    ("wake.again", HOST, Line().host(SLOW_NULS, 0).host(b"/?!\r\n", 1_600).host(SLOW_NULS, 1_400), set()),
    ("wake.again", HOST, Line().host(SLOW_NULS, 0).host(SLOW_NULS, 1_400), set()),
    ("fast.length", HOST, Line().host(bytes(10), 0).meter(ACK, 67 + 30), set()),
    ("fast.answer", DEVICE, Line().host(FAST_NULS, 0).meter(ACK, 67 + 50), set()),
    ("fast.pause", HOST, Line().host(FAST_NULS, 0).meter(ACK, 67 + 30).host(b"/?!\r\n", 1_600), set()),
    ("elster.address", HOST, asked(b"R1", b"798000(10)"), set()),
    ("elster.address", HOST, asked(b"R1", b"798001(41)"), set()),
    ("elster.address", HOST, asked(b"W1", b"57600g(41)"), set()),
    ("elster.address", HOST, asked(b"W1", b"795001(" + b"41" * 65 + b")"), {"set.value"}),
    ("elster.address", HOST, asked(b"W1", b"795001(414)"), set()),
    ("elster.count", DEVICE, visit().host(R1).meter(block(b"(3030)")), set()),
    ("stream.request", HOST, asked(b"RD", b"550001(02)"), set()),
    ("stream.request", HOST, visit(b"6", (9600, "8N1")).host(command(b"RD", b"550(02)")), set()),
    ("stream.format", DEVICE, joined(streaming(b"01").at(9600, "7E1"), [SEVEN_BITS]), set()),
    ("stream.crc", DEVICE, joined(streaming(), [FIRST, SECOND_BLOCK[:-1] + b"\x00"]), set()),
    ("stream.number", DEVICE, joined(streaming(), [FIRST, *stream(100, first=3)]), {"stream.count"}),
    ("stream.length", DEVICE, joined(streaming(), stream(255, 100)), set()),
    ("stream.mark", DEVICE, joined(streaming(b"01"), [FIFTH]), set()),
    ("stream.last", DEVICE, joined(streaming(), exchanged_marks(256, 256)), {"stream.count"}),
    ("stream.unfinished", DEVICE, joined(streaming(b"01"), exchanged_marks(256)).host(BREAK, 2_000), set()),
    ("stream.count", DEVICE, joined(streaming(b"03"), stream(256, 100)), set()),
    ("stream.gap", DEVICE, streaming().meter(FIRST).meter(SECOND_BLOCK, 1_600), set()),
    ("stream.escape", DEVICE, streaming().meter(FIRST).host(ESC, 50).meter(SECOND_BLOCK, 50), set()),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "side", "line", "also"), BROKEN, ids=[f"{k}-{row[0]}" for k, row in enumerate(BROKEN)]
)
def test_a_rule_and_its_breach(rule: str, side: bool, line: Line, also: set[str]) -> None:
    found = line.check().breaches
    assert {breach.rule for breach in found} == {rule} | also
    mine = next(breach for breach in found if breach.rule == rule)
    assert mine.to_device is side
    assert (mine.clause, mine.severity) == (RULES[rule].clause, RULES[rule].severity)
    assert mine.what.startswith(RULES[rule].title)


def test_every_rule_has_its_test() -> None:
    assert {row[0] for row in BROKEN} == set(RULES)


def test_rules_are_data() -> None:
    for name, rule in RULES.items():
        assert rule.id == name
        assert rule.clause[0] in "456AE"
        assert (rule.clause == ELSTER) is name.startswith(("elster.", "stream."))
        assert rule.severity in {BREACH, REMARK}


def test_a_remark_is_no_breach() -> None:
    assert visit().host(R1).meter(NAK).check().conforms
    assert not visit().host(R1).meter(ACK).check().conforms


def test_a_breach_says_when_where_and_what() -> None:
    (breach,) = visit().host(R1).meter(SERIAL, 1_700).check().breaches
    assert breach.at == visit().host(R1).now + 1_700 * MS
    assert breach.what == "a reaction time of more than 1500 ms: 1700.0 ms"


def test_an_ordinary_clock_is_given_its_due() -> None:
    line = Line().host(b"/?!\r\n").meter(IDENT, 190)
    assert not line.check().conforms
    assert line.check(tolerance=20 * MS).conforms


def test_who_listens_long_enough_hears_that_nothing_comes() -> None:
    line = visit().host(R1)
    assert line.check(until=line.now + 1_400 * MS).conforms
    (breach,) = line.check(until=line.now + 1_600 * MS).breaches
    assert (breach.rule, breach.at, breach.to_device) == ("answer.missing", line.now + 1_500 * MS, False)


def test_two_devices_at_once_are_a_collision() -> None:
    line = overlapping(Line().host(b"/?!\r\n").meter(IDENT).meter(b"/GEC5120510070299@000\r\n"), 600)
    assert "line.collision" in {breach.rule for breach in line.check().breaches}


def test_the_checker_goes_on_after_a_breach() -> None:
    line = visit().host(spoilt(R1, 0x55)).meter(NAK).host(R1).meter(SERIAL).host(R1).meter(spoilt(SERIAL, 0x55))
    assert [breach.rule for breach in line.check().breaches] == ["bcc.wrong", "bcc.wrong"]


CONTROLS = st.sampled_from([bytes((byte,)) for byte in b"\x00\x01\x02\x03\x04\x06\x15\x1b/?!()\r\n059RWPBD\xff"])
WHOLE = st.sampled_from([b"/?!\r\n", IDENT, b"\x06051\r\n", b"\x06056\r\n", b"\x06050\r\n", P0, P2, R1, SERIAL, BREAK,
                         readout(), FIRST, SECOND_BLOCK, command(b"RD", b"550001(02)"), part(b"1("), bytes(66),
                         command(b"W3", b"1(2", b"\x04")])  # fmt: skip
PIECES = st.lists(
    st.tuples(
        st.integers(0, 2 * 10**9),
        st.booleans(),
        st.binary(max_size=12) | st.lists(CONTROLS, max_size=12).map(b"".join) | WHOLE,
        st.sampled_from([0, 300, 9600]),
        st.sampled_from(["7E1", "8N1", ""]),
        st.booleans(),
    ),
    max_size=25,
)


@given(PIECES, st.sampled_from([None, (9600, "8N1")]))
def test_nothing_that_is_heard_raises(drawn: list[tuple], fixed: tuple[int, str] | None) -> None:
    now = 0
    checker = Checker(fixed_line=fixed)
    for pause, to_device, data, baud, framing, masked in drawn:
        now += pause - 10**8  # some overlap
        end = now + (len(data) * 10**10 // baud if baud else 0)
        checker.hear(Heard(now, end, to_device, data, baud, framing, masked))
        now = end
    report = checker.finish(now + 10**10)
    assert all(breach.rule in RULES and breach.what for breach in report.breaches)


def test_one_error_in_a_healthy_visit_is_one_finding() -> None:
    """Each message of a visit, spoilt in one character, is told at that message."""
    healthy = visit().host(R1).meter(SERIAL).host(command(b"W1", b"576001(41)")).meter(ACK).host(BREAK).pieces
    for index, piece in enumerate(healthy):
        for place in range(len(piece.data)):
            data = bytearray(piece.data)
            data[place] |= 0x80  # a parity error: the character is still known
            found = check([*healthy[:index], replace(piece, data=bytes(data)), *healthy[index + 1 :]]).breaches
            assert found[0].rule == "char.parity"
            assert found[0].at == piece.start


def test_no_finding_tells_a_password_or_the_reply_to_a_challenge() -> None:
    """Whatever is broken in the log-in, or in a write, its digits are in no words."""
    write = command(b"W1", b"7A0001(5345435245542121)")
    healthy = visit().host(write).meter(ACK).host(command(b"P1", b"(SECRET!!)")).meter(ACK).pieces
    secrets = [b"669A287D6388D770"[k : k + 6] for k in range(11)] + [b"534543", b"SECRET"]
    for index, piece in enumerate(healthy):
        for place in range(len(piece.data)):
            for changed in (piece.data[:place], piece.data[:place] + b"\x83" + piece.data[place + 1 :]):
                found = check([*healthy[:index], replace(piece, data=changed), *healthy[index + 1 :]]).breaches
                told = " ".join(breach.what for breach in found).encode()
                assert not [secret for secret in secrets if secret in told]


def test_three_repeats_are_nothing_to_remark() -> None:
    assert "repeat.many" not in {breach.rule for breach in repeats(3).check().breaches}
    assert "repeat.many" in {breach.rule for breach in repeats(4).check().breaches}
