"""An answer is believed for a reason: what is none becomes the right error, writes go out once, the line lives on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from bench_stand import Stand, golden_meter, modbus_tcp, stand, tcp_stand_in, two_meters

from bench.drivers.modbus import ModbusSession
from bench.errors import BenchError, DeviceError, ForeignAnswer, NoAnswer, NotArmed, Refused, StationError
from bench.safety import Armed
from protocols.conversation import Reply
from protocols.modbus.frames import decode_rtu, encode_rtu
from simulators.world import MILLISECOND, SECOND

UNIT = 20
Answer = Callable[[bytes], bytes]


@dataclass
class Scripted:
    """A device on the simulated line that answers each request with the next of its answers, then as it should."""

    answers: list[Answer] = field(default_factory=list)
    delays: list[int] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)

    def receive(self, frame: bytes, _now: int) -> list[Reply]:
        unit, pdu = decode_rtu(frame)
        if unit != UNIT:
            return []
        self.heard.append(pdu)
        answer = self.answers.pop(0) if self.answers else right
        delay = self.delays.pop(0) if self.delays else 0
        data = answer(pdu)
        return [Reply(data, delay)] if data else []


def right(pdu: bytes) -> bytes:
    """The right answer: to a read, words that are the numbers of their registers."""
    if pdu[0] in (3, 4):
        start, count = int.from_bytes(pdu[1:3], "big") + 1, int.from_bytes(pdu[3:5], "big")
        words = b"".join((start + i).to_bytes(2, "big") for i in range(count))
        return encode_rtu(UNIT, bytes([pdu[0], len(words)]) + words)
    return encode_rtu(UNIT, pdu[:5])


@dataclass
class Line:
    session: ModbusSession
    device: Scripted
    armed: Armed
    stand: Stand


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    with stand(two_meters(), tmp_path) as on:
        device = Scripted()
        on.host.stage.line("line").attach(device)
        session = ModbusSession(on.host.link("line"), UNIT, "new")
        yield Line(session, device, on.bench.arm(on.new), on)


def silent(_pdu: bytes) -> bytes:
    return b""


def truncated(pdu: bytes) -> bytes:
    return right(pdu)[:-3]


def damaged(pdu: bytes) -> bytes:
    frame = bytearray(right(pdu))
    frame[-1] ^= 0xFF
    return bytes(frame)


def of_another_unit(pdu: bytes) -> bytes:
    return encode_rtu(UNIT + 1, decode_rtu(right(pdu))[1])


def of_another_function(pdu: bytes) -> bytes:
    return encode_rtu(UNIT, bytes([4 if pdu[0] == 3 else 3, 2, 0, 7]))


def late_echo(_pdu: bytes) -> bytes:
    return encode_rtu(UNIT, bytes.fromhex("06 1F3F 1841"))


def too_long(pdu: bytes) -> bytes:
    return encode_rtu(UNIT, bytes([pdu[0], 4, 0, 1, 0, 2])) if pdu[0] in (3, 4) else right(pdu)


def exception(code: int) -> Answer:
    return lambda pdu: encode_rtu(UNIT, bytes([pdu[0] | 0x80, code]))


NO_ANSWERS: dict[str, tuple[Answer, type[DeviceError]]] = {
    "silence": (silent, NoAnswer),
    "truncated": (truncated, ForeignAnswer),
    "wrong check sum": (damaged, ForeignAnswer),
    "another unit": (of_another_unit, ForeignAnswer),
    "another function": (of_another_function, ForeignAnswer),
    "gateway: no path": (exception(0x0A), NoAnswer),
    "gateway: no answer": (exception(0x0B), NoAnswer),
}


@pytest.mark.parametrize("what", NO_ANSWERS)
def test_a_read_is_asked_again_once_and_then_told(what: str, line: Line) -> None:
    answer, error = NO_ANSWERS[what]
    line.device.answers = [answer] * 5
    with pytest.raises(error) as told:
        line.session.read(1700)
    assert type(told.value) is error
    assert str(told.value).startswith("new: ")
    assert len(line.device.heard) == 2
    assert line.session.retried == 1


@pytest.mark.parametrize("what", NO_ANSWERS)
def test_a_read_passes_at_the_second_time_of_asking(what: str, line: Line) -> None:
    line.device.answers = [NO_ANSWERS[what][0]]
    assert line.session.read(1700, 2) == [1700, 1701]
    assert line.session.retried == 1


WRITES: dict[str, Callable[[Line], None]] = {
    "one word": lambda line: line.session.write(line.armed, 8000, 6209),
    "block": lambda line: line.session.write_block(line.armed, 8022, [1, 2]),
}


@pytest.mark.parametrize("what", NO_ANSWERS)
@pytest.mark.parametrize("write", WRITES)
def test_a_write_is_never_sent_twice(what: str, write: str, line: Line) -> None:
    answer, error = NO_ANSWERS[what]
    line.device.answers = [answer]
    with pytest.raises(error):
        WRITES[write](line)
    assert len(line.device.heard) == len(line.session.writes) == 1


@pytest.mark.parametrize("what", NO_ANSWERS)
def test_the_line_is_usable_afterwards(what: str, line: Line) -> None:
    line.device.answers = [NO_ANSWERS[what][0]]
    with pytest.raises(DeviceError):
        line.session.write(line.armed, 8000, 1)
    assert line.session.read(1234) == [1234]
    assert line.session.retried == 0
    assert len(line.stand.new.read_energies().words) == 28


@pytest.mark.parametrize(("code", "name"), [(1, "illegal function"), (2, "illegal data address"), (0x55, "unknown")])
def test_an_exception_is_an_answer_and_is_not_asked_again(code: int, name: str, line: Line) -> None:
    line.device.answers = [exception(code)]
    with pytest.raises(Refused, match=rf"new: exception {code:02X} \({name}\)") as refused:
        line.session.read(1700)
    assert refused.value.code == code
    assert len(line.device.heard) == 1


def test_another_number_of_words_is_no_answer(line: Line) -> None:
    line.device.answers = [too_long, too_long]
    with pytest.raises(ForeignAnswer, match="2 words where 1 were asked for"):
        line.session.read(1700)


def test_the_echo_of_a_write_is_no_reading(line: Line) -> None:
    """A late echo has one word too; taken for the result word it would say that command 6209 was answered with 6209."""
    line.device.answers = [late_echo, late_echo]
    with pytest.raises(ForeignAnswer, match="function 3 was answered as function 6"):
        line.session.read(8021)


@pytest.mark.parametrize("echo", ["06 1F3F 1842", "06 1F40 1841"], ids=["another word", "another register"])
def test_a_wrong_echo_is_seen_though_pymodbus_takes_it(echo: str, line: Line) -> None:
    line.device.answers = [lambda _pdu: encode_rtu(UNIT, bytes.fromhex(echo))]
    with pytest.raises(ForeignAnswer, match="8000 := 6209 was echoed as"):
        line.session.write(line.armed, 8000, 6209)
    assert len(line.device.heard) == 1


@pytest.mark.parametrize("echo", ["10 1F55 001B", "10 1F54 001C"], ids=["another count", "another register"])
def test_a_wrong_echo_of_a_block_is_seen(echo: str, line: Line) -> None:
    line.device.answers = [lambda _pdu: encode_rtu(UNIT, bytes.fromhex(echo))]
    with pytest.raises(ForeignAnswer, match="28 words from 8022 were echoed as"):
        line.session.write_block(line.armed, 8022, [0] * 28)


def test_negative_words_go_out_and_come_back_as_sixteen_bits(line: Line) -> None:
    line.session.write(line.armed, 8022, -42)
    assert line.device.heard == [bytes.fromhex("06 1F55 FFD6")]


def test_an_answer_that_comes_late_is_not_the_next_ones(line: Line) -> None:
    """Half a second after the time-out; RTU frames bear no number, so only patience tells it from the next answer."""
    assert line.session.link.timeout == SECOND
    line.device.delays = [3 * SECOND // 2]
    with pytest.raises(NoAnswer):
        line.session.write(line.armed, 8000, 6209)
    line.device.answers = [lambda _pdu: encode_rtu(UNIT, bytes.fromhex("06 1F3F 0001"))]
    with pytest.raises(ForeignAnswer, match="was echoed as"):  # this answer, and not the late one before it
        line.session.write(line.armed, 8000, 6209)
    assert line.session.read(1700) == [1700]


def test_a_late_answer_to_a_read_does_not_shift_all_the_others(line: Line) -> None:
    line.device.delays = [3 * SECOND // 2]
    assert line.session.read(1000) == [1000]
    assert [line.session.read(register) for register in (2000, 3000, 4000)] == [[2000], [3000], [4000]]


def test_a_late_answer_is_in_the_record(line: Line) -> None:
    heard: list[tuple[str, bytes]] = []
    line.session.record = lambda way, data: heard.append((way, data))
    line.device.delays = [1200 * MILLISECOND]
    with pytest.raises(NoAnswer):
        line.session.write(line.armed, 8000, 1)
    assert [way for way, _ in heard] == ["tx", "rx"]


def test_an_interrupt_between_request_and_answer_leaves_the_line_usable(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = line.session.link.client()
    receive = client.recv

    def interrupted(_size: int | None) -> bytes:
        monkeypatch.setattr(client, "recv", receive)
        raise KeyboardInterrupt

    monkeypatch.setattr(client, "recv", interrupted)
    with pytest.raises(KeyboardInterrupt):
        line.session.read(1000)
    assert line.session.link.listener is None
    assert line.session.read(2000) == [2000]
    assert line.session.retried == 0


def test_nothing_is_written_with_the_permission_for_another_device(line: Line) -> None:
    stranger = ModbusSession(line.session.link, UNIT, "old")
    with pytest.raises(NotArmed, match="old is not armed"):
        stranger.write(line.armed, 8000, 6209)
    with pytest.raises(NotArmed):
        stranger.write_block(line.armed, 8022, [1])
    assert line.device.heard == []
    assert stranger.writes == []


def test_a_damaged_block_differs_from_a_right_one_in_its_byte_count_only(line: Line) -> None:
    line.session.write_block(line.armed, 8022, [5, 0xFFFA])
    line.device.answers = [exception(3)]
    with pytest.raises(Refused, match="illegal data value"):
        line.session.write_damaged(line.armed, 8022, [5, 0xFFFA], byte_count=6)
    right_one, damaged_one = line.device.heard[-2:]
    assert right_one.hex() == "101f550002040005fffa"
    assert damaged_one.hex() == "101f550002060005fffa"
    assert line.session.writes[-1] == (8022, (5, 0xFFFA))


def test_a_broadcast_goes_out_once_and_waits_for_nobody(tmp_path: Path) -> None:
    with stand(two_meters(of_new=", profile: {accepts_broadcast: true}"), tmp_path) as on:
        began, armed = on.host.clock.now(), on.bench.arm(on.new)
        on.new.session.broadcast(armed, 8100, 4321)
        on.host.clock.sleep(SECOND // 10)
        assert on.new.session.read(8100) == [4321]
        assert on.host.clock.now() - began < SECOND
        assert on.new.session.writes == [(8100, (4321,))]
        with pytest.raises(NotArmed):
            on.old.session.broadcast(armed, 8100, 1)


def test_what_was_sent_is_known_even_if_no_answer_came(line: Line) -> None:
    line.device.answers = [silent]
    with pytest.raises(NoAnswer):
        line.session.write(line.armed, 8000, 6209)
    assert line.session.writes == [(8000, (6209,))]


# -- a connection that breaks ------------------------------------------------------------------------------------------


def test_a_gateway_that_reports_a_silent_unit_is_believed_and_the_unit_is_named(tmp_path: Path) -> None:
    with stand(two_meters(link="{type: sim, medium: ethernet}"), tmp_path) as on:
        ghost = ModbusSession(on.host.link("line"), 77, "ghost")
        with pytest.raises(NoAnswer, match=r"ghost: the gateway reports that unit 77 does not answer \(0B\)"):
            ghost.read(1700)


def over_tcp(port: int, modbus: str = "tcp") -> str:
    link = f"{{type: tcp, host: 127.0.0.1, port: {port}, modbus: {modbus}, timeout: 200 ms}}"
    text = two_meters(link=link).replace(", simulate: {load: 0 kW}", "")
    return "\n".join(row for row in text.splitlines() if not row.startswith("  old:"))


def test_a_connection_that_drops_is_the_stations_fault_and_is_opened_again(tmp_path: Path) -> None:
    serve = modbus_tcp({1: golden_meter()})
    drops = [True]

    def once(data: bytes) -> bytes | None:
        if drops:
            drops.pop()
            return None
        return serve(data)

    with tcp_stand_in(once) as server, stand(over_tcp(server.port), tmp_path) as on:
        with pytest.raises(StationError, match=f"link line: the connection to 127.0.0.1:{server.port} was lost"):
            on.new.session.read(1700)
        assert len(server.requests) == 1
        assert on.new.session.read(1700) == [4567]


def test_a_connection_that_drops_in_the_middle_of_an_answer(tmp_path: Path) -> None:
    serve = modbus_tcp({1: golden_meter()})
    half = [True]

    def handle(data: bytes) -> bytes:
        return serve(data)[: 9 if half else None]

    with tcp_stand_in(handle) as server, stand(over_tcp(server.port), tmp_path) as on:
        with pytest.raises(ForeignAnswer, match="no answer to the request"):
            on.new.session.read(1700, 28)
        half.clear()
        assert on.new.session.read(1700) == [4567]


def test_a_connection_that_is_reset_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pymodbus lets a reset through as the operating system tells it."""
    with tcp_stand_in(modbus_tcp({1: golden_meter()})) as server, stand(over_tcp(server.port), tmp_path) as on:
        client = on.new.session.link.client()

        def reset(_size: int | None) -> bytes:
            raise ConnectionResetError(104, "Connection reset by peer")

        with monkeypatch.context() as patch:
            patch.setattr(client, "recv", reset)
            with pytest.raises(StationError, match="was lost"):
                on.new.session.read(1700)
        assert on.new.session.read(1700) == [4567]


def test_a_foreign_number_on_tcp_is_dropped_and_the_right_answer_behind_it_taken(tmp_path: Path) -> None:
    serve = modbus_tcp({1: golden_meter()})
    heard: list[bytes] = []

    def handle(data: bytes) -> bytes:
        answer = serve(data)
        foreign = (int.from_bytes(answer[:2], "big") + 7).to_bytes(2, "big") + answer[2:-2] + b"\x00\x01"
        return foreign + answer

    with tcp_stand_in(handle) as server, stand(over_tcp(server.port), tmp_path) as on:
        on.new.session.record = lambda way, data: heard.append(data) if way == "rx" else None
        assert on.new.session.read(1700) == [4567]
        assert len(b"".join(heard)) == 2 * (9 + 2)


def test_every_error_of_a_session_is_one_line(line: Line) -> None:
    told: list[BenchError] = []
    for answer, _ in NO_ANSWERS.values():
        line.device.answers = [answer]
        try:
            line.session.write(line.armed, 8000, 1)
        except BenchError as error:
            told.append(error)
    assert len(told) == len(NO_ANSWERS)
    assert all("\n" not in str(error) for error in told)


def test_an_answer_that_comes_in_pieces_is_in_the_record_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bytes] = []
    with tcp_stand_in(modbus_tcp({1: golden_meter()})) as server, stand(over_tcp(server.port), tmp_path) as on:
        on.new.session.record = lambda way, data: heard.append(data) if way == "rx" else None
        client = on.new.session.link.client()
        receive, pieces = client.recv, list[bytes]()

        def recv(size: int | None) -> bytes:
            if not pieces:
                whole = receive(size)
                pieces.extend((whole[:5], whole[5:12], whole[12:]))
            return pieces.pop(0)

        monkeypatch.setattr(client, "recv", recv)
        assert on.new.session.read(1700, 7)[0] == 4567
    assert [len(piece) for piece in heard] == [5, 7, 11]
