"""Nothing secret reaches a trace: for any data, any split, any secret, written whole or written through."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.replay.exchanges import load_trace
from bench.trace import TraceWriter
from protocols.flag.frames import checked
from protocols.modbus.frames import encode_mbap, encode_rtu
from protocols.modbus.pdu import read_registers, write_register, write_registers

SECRET = st.binary(min_size=3, max_size=8)
PIECES = st.lists(st.tuples(st.sampled_from(["tx", "rx"]), st.binary(max_size=12)), max_size=12)


def bytes_shown(text: str, way: str) -> str:
    """All that went one way as hexadecimal, cut-out bytes as xx."""
    rows = [json.loads(line) for line in text.splitlines()[1:]]
    return "".join(row["hex"] for row in rows if row["dir"] == way)


def leaks(secret: bytes, shown: str) -> bool:
    """Whether the bytes stand there, byte by byte and not across halves of two."""
    text = secret.hex()
    return any(shown[k : k + len(text)] == text for k in range(0, len(shown), 2))


def taken(frames: str, events: list[tuple[str, bytes]], *secrets: bytes) -> TraceWriter:
    writer = TraceWriter("s", "d", frames=frames)
    for secret in secrets:
        writer.mask(secret)
    for t, (way, data) in enumerate(events):
        (writer.tx if way == "tx" else writer.rx)(t, data)
    return writer


@given(SECRET, PIECES, PIECES, st.lists(st.integers(1, 7), max_size=4), st.sampled_from(["", "rtu", "mbap"]))
def test_a_secret_never_shows(
    secret: bytes, before: list[tuple[str, bytes]], after: list[tuple[str, bytes]], cuts: list[int], frames: str
) -> None:
    places = sorted({0, len(secret), *(cut % len(secret) for cut in cuts)})
    split = [("rx", secret[a:b]) for a, b in pairwise(places)]
    writer = taken(frames, [*before, *split, *after], secret)
    for way in ("tx", "rx"):
        assert not leaks(secret, bytes_shown(writer.text(), way))


@given(SECRET, PIECES, st.sampled_from(["", "rtu"]))
def test_written_through_hides_what_written_whole_hides(
    tmp_path_factory: pytest.TempPathFactory, secret: bytes, pieces: list[tuple[str, bytes]], frames: str
) -> None:
    events = [*pieces, ("tx", secret[:1]), ("tx", secret[1:]), ("rx", b"\x01"), *pieces]
    through = TraceWriter("s", "d", frames=frames)
    through.mask(secret)
    path = tmp_path_factory.mktemp("t") / "x.trace.jsonl"
    through.stream(path)
    for t, (way, data) in enumerate(events):
        (through.tx if way == "tx" else through.rx)(t * 10**9, data)
        if path.exists():  # killed here, it would have told no more than this
            for direction in ("tx", "rx"):
                assert not leaks(secret, bytes_shown(path.read_text(), direction))
    assert through.close() == path
    for direction in ("tx", "rx"):
        assert not leaks(secret, bytes_shown(path.read_text(), direction))


def test_a_check_sum_over_a_secret_is_hidden_too() -> None:
    frame = encode_rtu(1, b"\x11\x06\xfa\xff4411")
    shown = bytes_shown(taken("rtu", [("tx", b"\x01"), ("rx", frame[:7]), ("rx", frame[7:])], b"4411").text(), "rx")
    assert shown == frame[:5].hex() + "xx" * 6
    assert bytes_shown(taken("", [("rx", frame)], b"4411").text(), "rx").endswith(frame[-2:].hex())


def hidden(frames: str, *events: tuple[str, bytes]) -> list[str]:
    writer = taken(frames, list(events))
    writer.masks.registers = frozenset({2028, 7721})
    return [json.loads(line)["hex"] for line in writer.text().splitlines()[1:]]


def test_a_hidden_register_is_cut_out_of_a_block_with_the_check_sum() -> None:
    ask = encode_rtu(3, read_registers(2026, 3))  # registers 2027, 2028, 2029
    answer = encode_rtu(3, bytes.fromhex("0306 1111 04d2 3333"))
    asked, shown = hidden("rtu", ("tx", ask), ("rx", answer))
    assert asked == ask.hex()
    assert shown == "0303061111xxxx3333xxxx"


def test_the_same_on_tcp_and_in_pieces() -> None:
    ask = encode_mbap(7, 3, read_registers(2027, 1))
    answer = encode_mbap(7, 3, bytes.fromhex("0302 04d2"))
    assert hidden("mbap", ("tx", ask), ("rx", answer[:10]), ("rx", answer[10:]))[1:] == ["000700000005030302xx", "xx"]


@pytest.mark.parametrize("pdu", [write_register(7720, 0x04D2), write_registers(7720, [0x04D2])])
def test_a_password_that_is_written_is_cut_out_and_so_is_its_echo(pdu: bytes) -> None:
    frame = encode_rtu(3, pdu)
    for text in hidden("rtu", ("tx", frame), ("rx", frame)):
        assert "04d2" not in text
        assert "xxxx" in text


def test_noise_in_front_of_an_answer_does_not_push_a_secret_into_the_open() -> None:
    ask = encode_rtu(3, read_registers(2027, 1))
    noise_and_answer = b"\x00" + encode_rtu(3, bytes.fromhex("0302 04d2"))
    assert set(hidden("rtu", ("tx", ask), ("rx", noise_and_answer))[1]) == {"x"}


def test_other_registers_stay_as_they_are() -> None:
    ask, answer = encode_rtu(3, read_registers(1600, 1)), encode_rtu(3, bytes.fromhex("0302 1234"))
    assert hidden("rtu", ("tx", ask), ("rx", answer)) == [ask.hex(), answer.hex()]


def test_a_masked_answer_is_played_with_a_check_sum_of_its_own(tmp_path: Path) -> None:
    writer = taken("rtu", [("tx", encode_rtu(1, b"\x11")), ("rx", encode_rtu(1, b"\x11\x06\xfa\xff4411"))], b"4411")
    path = writer.write(tmp_path)
    assert path is not None
    (exchange,) = load_trace(path).exchanges()
    assert exchange.masked_answer
    assert exchange.answer == encode_rtu(1, b"\x11\x06\xfa\xff\0\0\0\0")


def test_an_answer_that_came_twice_shows_neither_check_sum() -> None:
    frame = encode_rtu(1, b"\x11\x06\xfa\xff4411")
    shown = bytes_shown(taken("rtu", [("tx", b"\x01"), ("rx", frame + frame)], b"4411").text(), "rx")
    assert shown == frame[:5].hex() + "xx" * (len(frame) - 5 + len(frame))


def test_who_asks_ahead_is_shown_no_more() -> None:
    """Two requests before the first answer, as from a client that sends ahead; or an answer that comes too late."""
    ask, other = encode_mbap(7, 3, read_registers(2027, 1)), encode_mbap(8, 3, read_registers(1600, 1))
    secret, answer = encode_mbap(7, 3, bytes.fromhex("0302 04d2")), encode_mbap(8, 3, bytes.fromhex("0302 1234"))
    shown = hidden("mbap", ("tx", ask), ("tx", other), ("rx", secret), ("rx", answer))
    assert shown[2:] == ["000700000005030302xxxx", answer.hex()]


REPLY = b"FD04BE65D6157FA9"
NEW = b"4E45572050415353"


def flag_trace(pieces: list[bytes], *, echo: bool = False, identities: frozenset[int] = frozenset()) -> str:
    writer = TraceWriter("s", "d", frames="flag")
    writer.masks.registers = identities
    for t, data in enumerate(pieces):
        writer.tx(t, data)
        if echo:
            writer.rx(t, data)
    return writer.text()


@pytest.mark.parametrize("echo", [False, True])
@pytest.mark.parametrize("kind", [b"P1", b"P2"])
@pytest.mark.parametrize("cut", range(27))
def test_a_log_in_is_in_no_trace_however_the_line_cuts_it(kind: bytes, cut: int, echo: bool) -> None:
    frame = b"\x01" + kind + b"\x02(" + REPLY + b")\x03\x12"
    text = flag_trace([frame[:cut], frame[cut:], b"\x01R1\x02798001(10)\x03\x65"], echo=echo)
    assert REPLY.hex() not in text.replace('"}', "")
    for way in ("tx", "rx") if echo else ("tx",):
        shown = bytes_shown(text, way)
        assert shown.startswith("01" + kind.hex() + "02" + "xx" * 20)
        assert shown.endswith(b"798001(10)\x03\x65".hex())


def test_a_log_in_that_never_ends_is_hidden_too() -> None:
    assert REPLY[:9].hex() not in flag_trace([b"\x01P2\x02(" + REPLY])


def test_a_new_password_on_its_way_to_its_identity_is_hidden_with_its_check_character() -> None:
    frame = b"\x01W1\x02901001(" + NEW + b")\x03\x55"
    assert bytes_shown(flag_trace([frame], identities=frozenset({901})), "tx").endswith("28" + "xx" * 19)
    assert NEW.hex() in flag_trace([frame])


def test_a_log_in_that_is_written_through_in_pieces_is_hidden(tmp_path: Path) -> None:
    writer = TraceWriter("s", "d", frames="flag")
    path = tmp_path / "a.trace.jsonl"
    writer.stream(path)
    for t, piece in enumerate((b"/?!\r\n", b"\x01P2\x02(" + REPLY[:5], REPLY[5:] + b")\x03\x12", b"\x01B0\x03\x71")):
        writer.tx(t * 200_000_000, piece)
    writer.close()
    text = path.read_text()
    assert REPLY[:5].hex() not in text
    assert REPLY[5:].hex() not in text


FLAG_SECRETS = {
    "a reply": checked(b"\x01P2\x02(BE2C10B158593B3E)\x03"),
    "a password": checked(b"\x01P1\x02(46454443)\x03"),
    "a password that is programmed": checked(b"\x01W1\x02933001(4645444330303033)\x03"),
}


@pytest.mark.parametrize("parity", [0, 0x80])
@pytest.mark.parametrize("what", FLAG_SECRETS)
def test_what_is_secret_in_flag_is_hidden_in_every_split_written_through(
    what: str, parity: int, tmp_path: Path
) -> None:
    message = bytes(byte | parity for byte in FLAG_SECRETS[what])
    begin = FLAG_SECRETS[what].index(b"(") + 1
    for size in (1, 2, 5, 20, len(message)):
        writer = TraceWriter("s", "d", frames="flag")
        writer.masks.registers = frozenset({933})
        writer.stream(tmp_path / f"{size}.trace.jsonl")
        for start in range(0, len(message), size):
            writer.tx(start * 10**9, message[start : start + size])
        path = writer.close()
        assert path is not None
        shown = bytes_shown(path.read_text(), "tx")
        assert shown[2 * begin :] == "xx" * (len(message) - begin), size


def damaged_echoes() -> list[bytes]:
    """The echo of a log-in with a character lost, another or one too many at each place of its head, or without it."""
    frame = b"\x01P2\x02(" + REPLY + b")\x03\x12"
    lost = [frame[:k] + frame[k + 1 :] for k in range(5)]
    other = [frame[:k] + b"\x5a" + frame[k + 1 :] for k in range(5)]
    more = [frame[:k] + b"\x00" + frame[k:] for k in range(5)]
    return [*lost, *other, *more, frame[5:], frame[2:4] + frame[4:] + b"\x06"]


@pytest.mark.parametrize("echo", damaged_echoes())
def test_a_damaged_echo_shows_no_log_in(tmp_path: Path, echo: bytes) -> None:
    writer = TraceWriter("s", "d", frames="flag")
    path = tmp_path / "a.trace.jsonl"
    writer.stream(path)
    writer.tx(0, b"\x01P2\x02(" + REPLY + b")\x03\x12")
    writer.rx(1, echo)
    writer.tx(200_000_000, b"\x01R1\x02798001(10)\x03\x65")
    writer.close()
    assert REPLY[2:].hex() not in writer.text()
    assert REPLY[2:].hex() not in path.read_text()


def test_the_answer_to_a_log_in_is_shown() -> None:
    for answer in (b"\x06", b"\x02(ERR5)\x03\x68"):
        writer = TraceWriter("s", "d", frames="flag")
        writer.tx(0, b"\x01P2\x02(" + REPLY + b")\x03\x12")
        writer.rx(1, answer)
        assert bytes_shown(writer.text(), "rx") == answer.hex()


def test_a_log_in_heard_with_its_parity_bits_is_hidden() -> None:
    frame = bytes(byte | (byte.bit_count() & 1) << 7 for byte in b"\x01P2\x02(" + REPLY + b")\x03\x12")
    assert frame[5:21].hex() not in flag_trace([frame])
