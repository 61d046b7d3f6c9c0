"""A served station as a process of its own: what it prints, how it ends, what it keeps."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from pymodbus.client import ModbusTcpClient

from bench import served
from bench.errors import UsageError
from bench.serving import control
from bench.serving import serve as serve_station
from bench.station import load_station
from protocols.powerlogic.energy import Quantity, decode

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a process is ended by SIGTERM here")

STATION = """
schema: 1
name: desk
links:
  bus: {type: sim, medium: rs485, baud: 9600, framing: 8E1}
  lan: {type: sim, medium: ethernet, delay: 0 ms, turnaround: 0 ms}
  real: {type: tcp, host: 192.0.2.1}
devices:
  old: {model: CM2350, link: bus, address: 3, simulate: {load: 36 MW, energies: {real_energy_in: 123456}}}
  new: {model: PM850, link: lan, address: 1, protection: sacrificial, simulate: {load: 36 MW}}
  elsewhere: {model: PM850, link: real, address: 1}
"""


class Server:
    def __init__(self, station: str, *options: str) -> None:
        command = [sys.executable, "-m", "bench", "serve", "--station", station, *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines: list[dict[str, Any]] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(json.loads(line))
            if "ready" in self.lines[-1]:
                break

    @property
    def control(self) -> str:
        return str(self.lines[-1]["control"])

    def url(self, device: str, kind: str) -> str:
        return next(line["url"] for line in self.lines if (line.get("device"), line.get("kind")) == (device, kind))

    def end(self, number: int = signal.SIGTERM) -> tuple[int, float, str, str]:
        """Exit code, how long it took (s), and what was said after "ready"."""
        began = perf_counter()
        self.process.send_signal(number)
        said, complained = self.process.communicate(timeout=30)
        return self.process.returncode, perf_counter() - began, said, complained


@pytest.fixture
def desk(tmp_path: Path) -> str:
    file = tmp_path / "desk.yaml"
    file.write_text(STATION)
    return str(file)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(*arguments: str) -> Server:
        servers.append(Server(*arguments))
        return servers[-1]

    yield start
    for server in servers:
        server.process.terminate()
        server.process.communicate(timeout=30)


def energy(server: Server, device: str = "new", unit: int = 1) -> int:
    """The real energy in (Wh) of a meter of the series."""
    with ModbusTcpClient("127.0.0.1", port=int(server.url(device, "modbus-tcp").rpartition(":")[2])) as client:
        words = client.read_holding_registers(1699, count=4, device_id=unit).registers
    return decode([word - 0x10000 if word & 0x8000 else word for word in words])


def test_every_simulated_device_has_an_endpoint_of_each_kind(serve: Callable[..., Server], desk: str) -> None:
    server = serve(desk)
    kinds = ["modbus-tcp", "rfc2217", "raw-tcp", *(["pty"] if sys.platform == "linux" else [])]
    assert [(line["device"], line["kind"]) for line in server.lines[:-1]] == [
        (device, kind) for device in ("old", "new") for kind in kinds
    ]
    first, second = server.lines[:2]
    assert {**first, "url": ""} == {"device": "old", "model": "CM2350", "address": 3, "kind": "modbus-tcp", "url": ""}
    assert (second["baud"], second["framing"], second["link"]) == (9600, "8E1", "bus")
    assert first["url"].startswith("tcp://127.0.0.1:")
    assert second["url"].startswith("rfc2217://127.0.0.1:")
    assert server.lines[-1]["ready"] is True


def test_a_served_device_has_its_defects_for_everybody(serve: Callable[..., Server], tmp_path: Path) -> None:
    file = tmp_path / "sick.yaml"
    file.write_text(STATION.replace("simulate: {load: 36 MW}}", "simulate: {load: 0 kW, defects: [D30, P12]}}"))
    server = serve(str(file))
    with ModbusTcpClient("127.0.0.1", port=int(server.url("new", "modbus-tcp").rpartition(":")[2])) as client:
        assert client.read_holding_registers(8019, count=125, device_id=1).exception_code == 3
        assert len(client.read_holding_registers(8019, count=124, device_id=1).registers) == 124
        assert not client.write_register(1699, 4321, device_id=1).isError()
    assert energy(server) == 4321


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once_and_without_a_word(serve: Callable[..., Server], desk: str, number: int) -> None:
    server = serve(desk)
    with socket.create_connection(("127.0.0.1", int(server.url("new", "modbus-tcp").rpartition(":")[2]))):
        code, took, said, complained = server.end(number)
    assert (code, said, complained) == (0, "", "")
    assert took < 5  # usually a tenth of a second


def test_state_is_saved_and_restored_exactly(serve: Callable[..., Server], desk: str, tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    first = serve(desk, "--state", str(file))
    assert control(first.control, ["load", "new", "0"])["ok"]
    seen = energy(first)
    assert seen > 0
    assert first.end()[0] == 0
    kept = json.loads(file.read_text())["meters"]["new"]["accumulated"]
    assert kept[0] // 3_600_000_000_000_000 == seen
    second = serve(desk, "--state", str(file))
    assert energy(second) >= seen
    assert second.end()[0] == 0
    after = json.loads(file.read_text())["meters"]["new"]["accumulated"]
    assert after[0] > kept[0]
    assert after[0] - kept[0] < 36_000_000_000 * 60_000_000_000  # a minute at full load


def test_a_damaged_state_file_is_refused_before_any_port_opens(
    serve: Callable[..., Server], desk: str, tmp_path: Path
) -> None:
    file = tmp_path / "state.json"
    file.write_text('{"format": "meterbench-sta')
    server = serve(desk, "--state", str(file))
    _, complained = server.process.communicate(timeout=30)
    assert (server.process.returncode, server.lines) == (4, [])
    assert complained == f"{file}: this is no state file: it is not JSON\n"
    assert file.read_text() == '{"format": "meterbench-sta'


def test_ports_count_up_from_a_base_and_a_taken_one_is_named(serve: Callable[..., Server], desk: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        base = port - 1 if port > 1024 else port
        server = serve(desk, "--base-port", str(base))
        _, complained = server.process.communicate(timeout=30)
    assert (server.process.returncode, server.lines) == (4, [])
    assert complained.count("\n") == 1
    assert "cannot serve old on 127.0.0.1:" in complained


def test_all_endpoints_are_registered_for_as_long_as_it_runs(serve: Callable[..., Server], desk: str) -> None:
    server = serve(desk)
    told = {line["url"].partition("://")[2] for line in server.lines[:-1] if line["kind"] != "pty"}
    assert told <= served.endpoints()
    server.end()
    assert not told & served.endpoints()


@pytest.mark.parametrize("via", ["tcp", "rfc2217", "pty"])
def test_the_station_file_leads_to_the_served_devices(
    serve: Callable[..., Server], desk: str, tmp_path: Path, via: str
) -> None:
    if via == "pty" and sys.platform != "linux":
        pytest.skip("ptys are served on Linux only")
    file = tmp_path / "served.yaml"
    server = serve(desk, "--write-station", str(file), "--via", via)
    station = load_station(file)
    assert list(station.devices) == ["old", "new"]
    assert {name: device.protection for name, device in station.devices.items()} == {
        "old": "read-only",
        "new": "sacrificial",
    }
    assert served.leads_only_there(station)
    new = station.devices["new"]
    assert new.power is not None
    assert new.power.off == f"meterbench control {server.control} power new off"
    assert new.power.on == f"meterbench control {server.control} power new on"
    assert new.power.boot == 8_000_000_000
    assert new.load is not None
    assert new.load.command_for(500, -0.8) == f"meterbench control {server.control} load new 500 -0.8"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--via", "carrier-pigeon"], "'carrier-pigeon' is not one of"),
        (["--speed", "0"], "0 is not in the range"),
        (["--base-port", "70000"], "70000 is not in the range"),
        (["--host", "192.0.2.77"], "cannot serve old on 192.0.2.77"),
        (["--state", "no/such/folder"], "the folder for the state file does not exist"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_4(
    serve: Callable[..., Server], desk: str, arguments: list[str], reason: str
) -> None:
    server = serve(desk, *arguments)
    _, complained = server.process.communicate(timeout=30)
    assert (server.process.returncode, server.lines, complained.count("\n")) == (4, [], 1)
    assert reason in complained


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"via": "carrier-pigeon"}, '"carrier-pigeon" is no way to reach a served station'),
        ({"speed": 0}, "a speed of 0 does not exist"),
        ({"base_port": 70_000}, "70000 is no port"),
        ({"base_port": 65_535}, "not enough"),
    ],
)
def test_wrong_usage_from_python_is_a_usage_error(desk: str, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        serve_station(load_station(Path(desk)), emit=lambda _: pytest.fail("nothing is served"), **options)


def test_a_station_without_a_simulated_device_is_not_served(serve: Callable[..., Server], tmp_path: Path) -> None:
    file = tmp_path / "real.yaml"
    file.write_text("schema: 1\nname: r\nlinks: {a: {type: serial, port: COM3}}\n"
                    "devices: {m: {model: PM850, link: a, address: 1}}\n")  # fmt: skip
    server = serve(str(file))
    _, complained = server.process.communicate(timeout=30)
    assert server.process.returncode == 4
    assert "there is nothing to serve" in complained


def test_the_quantities_are_those_of_the_file(serve: Callable[..., Server], desk: str, tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    server = serve(desk, "--state", str(file))
    server.end()
    accumulated = json.loads(file.read_text())["meters"]["old"]["accumulated"]
    position = list(Quantity).index(Quantity.REAL_IN)
    assert accumulated[position] // 3_600_000_000_000_000 >= 123456
