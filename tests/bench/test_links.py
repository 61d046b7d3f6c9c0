"""Every kind of link passes one suite: `check_link(open_stand)`. What a link must be is said here and nowhere else."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.resources import files
from pathlib import Path

import pytest
from bench_stand import (
    BUS,
    GOLDEN,
    LAN,
    Stand,
    golden_meter,
    modbus_rtu,
    modbus_tcp,
    stand,
    tcp_stand_in,
    two_meters,
)

from bench.drivers.modbus import ModbusSession
from bench.errors import Exit, NoAnswer, Refused, StationError
from bench.links import KINDS, protocol_sim
from bench.links.link import _overlap
from protocols.modbus.frames import decode_mbap, decode_rtu

Maker = Callable[[Path], AbstractContextManager[Stand]]


# -- the suite ---------------------------------------------------------------------------------------------------------


def check_link(open_stand: Maker, folder: Path) -> None:
    """What every link must do; whoever writes one calls this. The station's `new` is a PM850 with golden readings."""
    with open_stand(folder / "reads") as on:
        it_reads_and_writes(on)
    with open_stand(folder / "silence") as on:
        it_survives_a_silent_unit_and_a_refusal(on)
    with open_stand(folder / "trace") as on:
        it_shows_what_went_over_it(on)
    with open_stand(folder / "reopen") as on:
        it_can_be_closed_and_opened_again(on)


def it_reads_and_writes(on: Stand) -> None:
    assert on.new.read_energies().values == GOLDEN
    armed = on.bench.arm(on.new)
    on.new.session.write_block(armed, 8022, [1, 2, -3])
    on.new.session.write(armed, 8024, -9)
    assert on.new.session.read(8022, 3) == [1, 2, 0xFFF7]


def it_survives_a_silent_unit_and_a_refusal(on: Stand) -> None:
    ghost = ModbusSession(on.new.session.link, 99, "ghost")
    with pytest.raises(NoAnswer, match="unit 99"):
        ghost.read(1700)
    with pytest.raises(Refused) as refused:
        on.new.session.read(40_000)
    assert refused.value.code == 2
    assert on.new.read_energies().values == GOLDEN


def it_shows_what_went_over_it(on: Stand) -> None:
    heard: list[tuple[str, bytes]] = []
    on.new.session.record = lambda direction, data: heard.append((direction, data))
    (word,) = on.new.session.read(1700)
    asked = b"".join(data for direction, data in heard if direction == "tx")
    answered = b"".join(data for direction, data in heard if direction == "rx")
    decode: Callable[[bytes], tuple[int, bytes]] = (
        (lambda frame: decode_mbap(frame)[1:]) if on.new.session.link.pdu_offset == 7 else decode_rtu
    )
    assert decode(asked) == (1, bytes.fromhex("03 06A3 0001"))
    assert decode(answered) == (1, bytes.fromhex("03 02") + word.to_bytes(2, "big"))
    before = len(heard)
    ModbusSession(on.new.session.link, 1, "somebody else").read(1700)
    assert len(heard) == before, "a device's record holds the traffic of that device only"


def it_can_be_closed_and_opened_again(on: Stand) -> None:
    first = on.new.read_energies().values
    on.new.session.link.close()
    on.new.session.link.close()
    assert on.new.read_energies().values == first


# -- the links ---------------------------------------------------------------------------------------------------------


def simulated(link: str) -> Maker:
    shown = ", ".join(f"{quantity.value}: {value}" for quantity, value in GOLDEN.items())
    return lambda folder: stand(two_meters(link=link, of_new=f", energies: {{{shown}}}"), folder)


def real(modbus: str) -> Maker:
    @contextmanager
    def open_stand(folder: Path) -> Iterator[Stand]:
        units = {1: golden_meter()}
        with tcp_stand_in(modbus_tcp(units) if modbus == "tcp" else modbus_rtu(units)) as server:
            link = f"{{type: tcp, host: 127.0.0.1, port: {server.port}, modbus: {modbus}, timeout: 200 ms}}"
            text = two_meters(link=link).replace(", simulate: {load: 0 kW}", "")
            text = "\n".join(line for line in text.splitlines() if not line.startswith("  old:"))
            with stand(text, folder) as on:
                yield on

    return open_stand


LINKS: dict[str, Maker] = {
    "sim serial": simulated(BUS),
    "sim serial at 300 baud": simulated("{type: sim, medium: rs485, baud: 300, timeout: 10 s}"),
    "sim serial with echo": simulated("{type: sim, medium: rs485, baud: 19200, framing: 8N1, echo: true}"),
    "sim ethernet": simulated(LAN),
    "tcp": real("tcp"),
    "rtu over tcp": real("rtu"),
}


@pytest.mark.parametrize("kind", LINKS)
def test_a_link_passes_the_suite(kind: str, tmp_path: Path) -> None:
    check_link(LINKS[kind], tmp_path)


def test_every_link_type_has_a_module_that_makes_it() -> None:
    from importlib import import_module  # noqa: PLC0415  # the modules are found lazily, so they are here too

    assert all(callable(import_module(module).make) for module in KINDS.values())


# -- golden frames -----------------------------------------------------------------------------------------------------


def golden_frames() -> dict[str, bytes]:
    text = (files("fixtures") / "powerlogic" / "golden_frames.csv").read_text(encoding="utf-8")
    return {row["step"]: bytes.fromhex(row["frame_hex"]) for row in csv.DictReader(text.splitlines())}


def test_a_transfer_sends_the_golden_frames(tmp_path: Path) -> None:
    """Frames that two encoders agree on appear on the line, in the order of the procedure (powerlogic.md 5.2)."""
    sent: list[bytes] = []
    received: list[bytes] = []
    with stand(two_meters(), tmp_path) as on:
        on.new.session.record = lambda way, data: (sent if way == "tx" else received).append(data)
        on.bench.transfer(on.old, on.new)
    golden = golden_frames()
    in_order = [frame for step, frame in golden.items() if not step.startswith(("reply", "read 1601"))]
    by_first_use = sorted(in_order, key=sent.index)
    named = {frame: step for step, frame in golden.items()}
    assert [named[frame].split(" = ")[0] for frame in by_first_use] == [
        "read 1700 x28",
        "write 8022 x28",
        "8017 := 8020",
        "8018 := 8021",
        "8019 := 8022",
        "8000 := 6209",
        "read 8021",
    ]
    assert sent.count(golden["8000 := 6209"]) == 1
    assert golden["reply to write 8022 x28"] in b"".join(received)


def test_the_source_is_read_with_the_golden_frame_of_a_cm2(tmp_path: Path) -> None:
    sent: list[bytes] = []
    with stand(two_meters().replace("address: 1,", "address: 2,").replace("address: 3", "address: 1"), tmp_path) as on:
        on.old.session.record = lambda way, data: sent.append(data) if way == "tx" else None
        on.old.read_energies()
    assert sent == [golden_frames()["read 1601 x28 (CM2)"]]


# -- what cannot be opened ---------------------------------------------------------------------------------------------

CLOSED = {
    "tcp": ("{type: tcp, host: 127.0.0.1, port: 1, timeout: 200 ms}", "127.0.0.1:1"),
    "serial": ("{type: serial, port: /dev/no-such-port}", "/dev/no-such-port"),
    "pyserial url": ("{type: serial, port: 'socket://127.0.0.1:1'}", "socket://127.0.0.1:1"),
    "rfc2217": ("{type: rfc2217, host: 127.0.0.1, port: 1}", "rfc2217://127.0.0.1:1"),
}


@pytest.mark.parametrize("kind", CLOSED)
def test_a_port_that_does_not_exist_is_the_stations_fault(kind: str, tmp_path: Path) -> None:
    link, target = CLOSED[kind]
    text = two_meters(link=link)
    text = text.replace(", simulate: {load: 0 kW}", "")
    text = "\n".join(line for line in text.splitlines() if not line.startswith("  old:"))
    with stand(text, tmp_path) as on, pytest.raises(StationError) as broken:
        on.new.read_energies()
    assert str(broken.value) == f"link line: cannot open {target}"
    assert broken.value.exit is Exit.STATION


def test_a_simulated_port_ends_with_its_host(tmp_path: Path) -> None:
    with stand(two_meters(), tmp_path) as on:
        on.new.read_energies()
        assert len(protocol_sim._LINES) == 1
    assert protocol_sim._LINES == {}


# -- the record of the wire --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "data", "shown_before"),
    [
        (b"", b"abc", 0),
        (b"abc", b"abcd", 3),  # more of the same answer
        (b"abcd", b"abcdef", 4),
        (b"foreign", b"mine", 0),  # a foreign frame was dropped whole
        (b"foreignmi", b"mine", 2),  # ... and the beginning of the right one came with it
        (b"same", b"same", 0),  # an answer that came twice
    ],
)
def test_what_pymodbus_shows_twice_is_recorded_once(before: bytes, data: bytes, shown_before: int) -> None:
    assert _overlap(before, data) == shown_before
