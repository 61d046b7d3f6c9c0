"""Three Modbus TCP servers under the same load in one run: `meterbench serve`, pymodbus's server, libmodbus.

Ours has a live meter behind it (a load runs, energies grow); the other two have fixed registers. The load and the
libmodbus server are small C programs, compiled here (gcc, libmodbus-dev); without libmodbus that column is missing.
Each round asks each server in turn, so that what else the machine does falls on all of them. Loopback; Linux (/proc).
"""

from __future__ import annotations

import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

PEERS = Path(__file__).parent / "peers"
#: (connections, requests under way on each): one client that waits, sixteen that wait, sixteen that do not.
LOADS = ((1, 1), (16, 1), (16, 16))
#: First register and how many: two words, the accumulated energies, the most that one request may ask for.
READS = ((1700, 2), (1700, 28), (1100, 125))
SECONDS, ROUNDS = 0.8, 5
#: Peer, whether its figure is divided by ours, and what that is to be.
RATIOS = (
    ("pymodbus", True, "pymodbus over meterbench (target 3.4 or more)"),
    ("libmodbus", False, "meterbench over libmodbus (target 1.8 or less)"),
)
STATION = """\
schema: 1
name: benchmark
links: {lan: {type: sim, medium: ethernet, delay: 0 ms, turnaround: 0 ms}}
devices:
  meter: {model: PM850, link: lan, address: 1, simulate: {load: 30 kW, power_factor: 0.9}}
"""
PYMODBUS = """
import asyncio, sys
from pymodbus.server import StartAsyncTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
device = SimDevice(id=1, simdata=[SimData(0, values=7, count=4000, datatype=DataType.REGISTERS)])
asyncio.run(StartAsyncTcpServer(device, address=("127.0.0.1", int(sys.argv[1]))))
"""


@dataclass(slots=True)
class Server:
    """A server that runs, and what was measured on it: by load, one row a round."""

    process: subprocess.Popen[str]
    port: int
    rows: dict[str, list[dict[str, float]]] = field(default_factory=dict)

    def cpu(self) -> float:
        """CPU seconds that the process has taken."""
        fields = Path(f"/proc/{self.process.pid}/schedstat").read_text().split()
        return int(fields[0]) / 1e9


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def when_open(process: subprocess.Popen[str], port: int) -> Server:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=2).close()
            return Server(process, port)
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"nobody listens on port {port}")


def ours(folder: Path) -> Server:
    station = folder / "station.yaml"
    station.write_text(STATION)
    process = subprocess.Popen(
        [sys.executable, "-m", "bench", "serve", "--station", str(station)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    port = 0
    while True:
        line = json.loads(process.stdout.readline())
        if line.get("kind") == "modbus-tcp":
            port = int(line["url"].rsplit(":", 1)[1])
        if line.get("ready"):
            return Server(process, port)


def pymodbus() -> Server:
    port = free_port()
    return when_open(
        subprocess.Popen([sys.executable, "-c", PYMODBUS, str(port)], stderr=subprocess.DEVNULL, text=True), port
    )


def libmodbus(folder: Path) -> Server | None:
    if not Path("/usr/include/modbus/modbus.h").exists():
        return None
    program = compiled(folder, "libmodbus_server", "-I/usr/include/modbus", "-lmodbus")
    port = free_port()
    return when_open(subprocess.Popen([program, str(port)], text=True), port)


def compiled(folder: Path, name: str, *options: str) -> str:
    target = str(folder / name)
    subprocess.run(["gcc", "-O2", "-o", target, str(PEERS / f"{name}.c"), *options], check=True)
    return target


def measure(server: Server, load: str, depth: int, connections: int, register: int, count: int) -> dict[str, float]:
    before = server.cpu()
    words = [load, server.port, connections, depth, register - 1, count, SECONDS]
    said = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True).stdout
    found = json.loads(said)
    assert not found["wrong"], said
    return {
        "CPU ms per 1,000": (server.cpu() - before) / max(1, found["answered"]) * 1e6,
        "requests/s": found["answered"] / max(found["seconds"], 1e-6),
        "p50 us": found["p50_us"],
        "p99 us": found["p99_us"],
        "lost %": 100 * found["lost"] / max(1, found["lost"] + found["answered"]),
    }


def rounds(servers: dict[str, Server], load: str) -> None:
    for _ in range(ROUNDS):
        for connections, depth in LOADS:
            for register, count in READS:
                for server in servers.values():
                    row = measure(server, load, depth, connections, register, count)
                    server.rows.setdefault(f"{connections} x {depth}, {count} registers", []).append(row)


def table(servers: dict[str, Server]) -> dict[str, dict[str, dict[str, float]]]:
    """Load -> server -> medians over the rounds."""
    first = next(iter(servers.values()))
    return {
        load: {
            name: {
                what: round(statistics.median(row[what] for row in server.rows[load]), 1)
                for what in first.rows[load][0]
            }
            for name, server in servers.items()
        }
        for load, (row, *_) in first.rows.items()
    }


def ratios(servers: dict[str, Server]) -> dict[str, str]:
    """CPU ratios at 16 waiting connections, each the median of the ratios within a round."""
    found = {}
    for load, rows in servers["meterbench"].rows.items():
        if not load.startswith("16 x 1,"):
            continue
        for name, over, words in RATIOS:
            if name in servers:
                pairs = [
                    (theirs["CPU ms per 1,000"], mine["CPU ms per 1,000"])
                    for theirs, mine in zip(servers[name].rows[load], rows, strict=True)
                ]
                ratio = statistics.median(t / m if over else m / t for t, m in pairs)
                found[f"{load}: {words}"] = f"{ratio:.2f}"
    return found


def main() -> dict[str, object]:
    if shutil.which("gcc") is None or not Path("/proc/self/schedstat").exists():
        return {"left out": "needs gcc and Linux"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        load = compiled(folder, "modbus_load")
        servers = {"meterbench": ours(folder), "pymodbus": pymodbus()}
        third = libmodbus(folder)
        servers |= {"libmodbus": third} if third else {}
        try:
            rounds(servers, load)
            return {"CPU ratios": ratios(servers), "medians": table(servers)}
        finally:
            for server in servers.values():
                server.process.terminate()
                server.process.wait()


if __name__ == "__main__":
    print(json.dumps(main(), indent=1))
