"""Recorded at the device's end: served in one process, asked from another, replayed, mirrored, held to a defect."""

from __future__ import annotations

import gc
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.bench import Bench
from bench.cli import call
from bench.errors import StationError, UsageError
from bench.evidence import Evidence
from bench.host import Host
from bench.redaction import is_tagged
from bench.replay.conformance import judge
from bench.replay.exchanges import load_trace
from bench.safety import Safety
from bench.serving.recording import Recording, recorded, writer_of
from bench.stage import stage_of
from bench.station import Station, load_station
from protocols.modbus.frames import encode_mbap, encode_rtu
from protocols.modbus.pdu import read_registers
from simulators.stage import Stage
from simulators.world import SECOND, World

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a process is ended by SIGTERM here")

STATION = """
schema: 1
name: desk
links:
  bus: {type: sim, medium: rs485, baud: 19200, framing: 8E1}
  lan: {type: sim, medium: ethernet}
devices:
  old: {model: CM2350, link: bus, address: 3, serial: "07E123456", simulate: {load: 36 kW, energies: {real_energy_in: 9123456, real_energy_total: 9123456, apparent_energy_total: 9200000}}}
  new: {model: PM850, link: lan, address: 1, protection: sacrificial, simulate: {load: 36 kW, profile: {boot: 100 ms}}}
"""  # noqa: E501  # one device a line


def command(*words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "bench", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def done(*words: object, code: int = 0) -> str:
    process = command(*words)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    return out


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what a served station recorded while it was read and written to from other processes."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "desk.yaml").write_text(STATION)
    server = command("serve", "--station", folder / "desk.yaml", "--record", folder / "traces", "--seed", "11",
                     "--write-station", folder / "there.yaml")  # fmt: skip
    assert server.stdout is not None
    try:
        for line in server.stdout:
            if "ready" in json.loads(line):
                break
        there = folder / "there.yaml"
        shown = done("read", "old", "--station", there, "--json")
        done("transfer", "--from", "old", "--to", "new", "--station", there, "--allow-destructive", "new",
             "--evidence", folder / "evidence")  # fmt: skip
        (folder / "shown.json").write_text(shown)
    finally:
        server.send_signal(signal.SIGTERM)
        _, complaint = server.communicate(timeout=30)
    assert (server.returncode, complaint) == (0, "")
    return folder


def mirror(capsys: pytest.CaptureFixture[str], trace: Path, *words: str) -> tuple[int, dict[str, Any]]:
    code = call(["trace", "mirror", str(trace), "--json", *words])
    return code, json.loads(capsys.readouterr().out)


def test_it_replays_strictly(served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The gateway put RTU on the line, and the driver asks the same in RTU: what it shows is what it showed."""
    (served / "replay.yaml").write_text(
        "schema: 1\nname: replay\nlinks: {wire: {type: replay, trace: traces}}\n"
        "devices: {old: {model: CM2350, link: wire, address: 3}}\n"
    )
    assert call(["read", "old", "--station", str(served / "replay.yaml"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((served / "shown.json").read_text())


def test_a_healthy_device_mirrors_with_zero_differences(served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for device in ("old", "new"):
        code, found = mirror(capsys, served / "traces" / f"{device}.trace.jsonl")
        assert code == 0
        assert found["exact"]
        assert found["exchanges"] > 10
        assert found["differences"] == found["beyond_tolerance"] == []
        assert found["timing"]["shift_max"] == 0


@pytest.mark.parametrize(("defect", "register"), [("D04", None), ("D01", "17"), ("D15", "17")])
def test_a_defective_device_is_named_with_its_first_differing_frame(
    served: Path, capsys: pytest.CaptureFixture[str], defect: str, register: str | None
) -> None:
    code, found = mirror(capsys, served / "traces" / "new.trace.jsonl", "--defect", defect)
    if register is None:  # nothing negative was handed over: a lost sign cannot show
        assert code == 0
        return
    assert code == 1
    assert f"register {register}" in found["first"]["what"]
    line = (served / "traces" / "new.trace.jsonl").read_text().splitlines()[found["first"]["line"] - 1]
    assert json.loads(line)["dir"] == "tx"


def test_connections_and_supplies_are_noted_and_the_power_cycle_is_mirrored(served: Path) -> None:
    marks = [event.mark for event in load_trace(served / "traces" / "new.trace.jsonl").notes()]
    assert any(mark.startswith("modbus-tcp: connected from 127.0.0.1:") for mark in marks)
    assert "modbus-tcp: connection closed" in marks
    assert [mark for mark in marks if mark.startswith("supply")] == ["supply off", "supply on"]


def test_the_header_has_a_tag_of_the_serial_number_and_nowhere_the_number(served: Path) -> None:
    for path in (served / "traces").iterdir():
        assert "07E123456" not in path.read_text()
    assert is_tagged("07E123456", load_trace(served / "traces" / "old.trace.jsonl").header["serial"])


def test_the_bench_recorded_the_same_frames_at_its_own_end(served: Path) -> None:
    ours = load_trace(next((served / "evidence" / "traces").glob("*new*"))).exchanges()
    theirs = load_trace(served / "traces" / "new.trace.jsonl").exchanges()
    asked = [(exchange.request.hex, exchange.hex) for exchange in ours if exchange.answers]
    answered = [(exchange.request.hex, exchange.hex) for exchange in theirs]
    assert asked == [pair for pair in answered if pair in set(asked)]


# -- in virtual time ---------------------------------------------------------------------------------------------------


def desk(tmp_path: Path) -> tuple[Station, Stage]:
    file = tmp_path / "desk.yaml"
    file.write_text(STATION)
    station = load_station(file)
    return station, stage_of(station, World(1), {})


def test_a_device_is_recorded_on_its_network_and_on_its_line(tmp_path: Path) -> None:
    station, stage = desk(tmp_path)
    with recorded(tmp_path / "traces", stage, station, {"seed": 1}, kept=False):
        stage.network("lan").connect().write(encode_mbap(7, 1, read_registers(1699, 1)))
        stage.world.sleep(SECOND)
        stage.line("lan").open().write(encode_rtu(1, read_registers(1699, 1)))
        stage.world.sleep(SECOND)
    trace = load_trace(tmp_path / "traces" / "new.trace.jsonl")
    assert [(event.direction, event.via) for event in trace.events] == [
        ("tx", ""), ("rx", ""), ("tx", "line"), ("rx", "line"),
    ]  # fmt: skip
    assert [exchange.reaction for exchange in trace.exchanges()] == [20_000_000, 20_000_000]
    assert not (tmp_path / "traces" / "old.trace.jsonl").exists(), "nobody asked it"
    assert call(["trace", "mirror", str(trace.path)]) == 0


def test_a_trace_that_cannot_be_written_takes_no_other_with_it(tmp_path: Path) -> None:
    station, stage = desk(tmp_path)
    folder = tmp_path / "traces"
    with pytest.raises(StationError, match=r"old\.trace\.jsonl"):  # noqa: SIM117, PT012  # its end is what fails
        with recorded(folder, stage, station, {"seed": 1}, kept=False):
            (folder / "old.trace.jsonl").mkdir()
            stage.line("bus").open().write(encode_rtu(3, read_registers(1699, 1)))
            stage.network("lan").connect().write(encode_mbap(7, 1, read_registers(1699, 1)))
            stage.world.sleep(SECOND)
    assert len(load_trace(folder / "new.trace.jsonl").exchanges()) == 1


def test_requests_that_come_in_one_piece_and_in_pieces_are_recorded_whole(tmp_path: Path) -> None:
    station, stage = desk(tmp_path)
    asks = [encode_mbap(number, 1, read_registers(1699, 1)) for number in (1, 2, 3)]
    stream = b"".join(asks)
    with recorded(tmp_path / "traces", stage, station, {"seed": 1}, kept=False):
        connection = stage.network("lan").connect()
        for piece in (stream[:5], stream[5:30], stream[30:]):
            connection.write(piece)
            stage.world.sleep(SECOND)
    exchanges = load_trace(tmp_path / "traces" / "new.trace.jsonl").exchanges()
    assert [exchange.request.data for exchange in exchanges] == asks
    assert all(exchange.answers for exchange in exchanges)


def test_recording_changes_nothing_in_the_world(tmp_path: Path) -> None:
    digests = []
    for folder in (tmp_path / "traces", None):
        station, stage = desk(tmp_path)
        with recorded(folder, stage, station, {"seed": 1}, kept=False):
            stage.network("bus").connect().write(encode_mbap(1, 3, read_registers(1600, 28)))
            stage.world.sleep(SECOND)
        digests.append(stage.world.digest.hexdigest())
    assert digests[0] == digests[1]


def test_a_device_with_a_past_is_mirrored_with_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    station, stage = desk(tmp_path)
    stage.meters["new"].put_energies(0, [k * 10**18 + 7 for k in range(7)])
    with recorded(tmp_path / "traces", stage, station, {"seed": 1}, kept=True):
        stage.network("lan").connect().write(encode_mbap(1, 1, read_registers(1699, 28)))
        stage.world.sleep(SECOND)
    code, found = mirror(capsys, tmp_path / "traces" / "new.trace.jsonl")
    assert (code, found["differences"]) == (0, [])


def test_a_kept_past_is_in_the_header(tmp_path: Path) -> None:
    station, stage = desk(tmp_path)
    assert writer_of("new", stage, station, {}).header["start"]["state"] is None
    assert writer_of("new", stage, station, {}, kept=True).header["start"]["state"]["model"] == "PM850"


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    station, stage = desk(tmp_path)
    with pytest.raises(UsageError, match="is not empty"), recorded(tmp_path, stage, station, {}, kept=False):
        pass


def test_who_leaves_in_the_middle_of_a_request_is_forgotten(tmp_path: Path) -> None:
    """Else every half-open client of a long recording stays in memory, and all others pay for him."""
    station, stage = desk(tmp_path)
    recording = Recording(stage, {"new": writer_of("new", stage, station, {"seed": 1})})
    connection = stage.network("lan").connect()
    connection.write(encode_mbap(1, 1, read_registers(1699, 1))[:5])
    stage.world.sleep(SECOND)
    assert len(recording._begun) == 1
    del connection
    gc.collect()
    assert not recording._begun


def test_a_flag_meter_is_recorded_with_the_speed_of_its_line(tmp_path: Path) -> None:
    file = tmp_path / "flag.yaml"
    file.write_text(FLAG)
    station = load_station(file)
    stage = stage_of(station, World(0), {})
    host = Host(station, stage=stage)
    with recorded(tmp_path / "traces", stage, station, {"seed": 0}, kept=False):
        meter: Any = Bench(host, Safety(station), Evidence(None), "recording", None).device("meter")
        meter.read_out()
        meter.read_clock()
        meter.session.leave()
    host.close()
    trace = load_trace(tmp_path / "traces" / "meter.trace.jsonl")
    told = [event.mark for event in trace.notes()]
    assert told == ["line 300 7E1", "line 9600 7E1", "line 300 7E1", "line 9600 7E1"]
    assert judge(trace).report.breaches == ()


FLAG = """
schema: 1
name: flag
links: {head: {type: sim, medium: optical}}
devices: {meter: {model: A1140, link: head, outstation: "094", simulate: {load: 1 kW}}}
"""
