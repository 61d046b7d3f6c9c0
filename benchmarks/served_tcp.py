"""Server CPU per 1,000 requests, meterbench serve against pymodbus's server: 16 connections, 28 registers, one run.

Ours has a live meter behind it (a load runs, energies grow), pymodbus's has fixed registers. Loopback; Linux (/proc).
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CONNECTIONS, DEPTH, SECONDS, ROUNDS = 16, 16, 1.5, 5
UNIT, REGISTER, COUNT = 1, 1700, 28
ANSWER = 9 + 2 * COUNT
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


def request(transaction: int) -> bytes:
    return struct.pack(">HHHBBHH", transaction & 0xFFFF, 0, 6, UNIT, 3, REGISTER - 1, COUNT)


def cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def receive(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        assert part, "the server closed the connection"
        data += part
    return data


def connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=2)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def load(port: int, pid: int) -> tuple[float, float]:
    """(CPU ms per 1,000 requests, requests per second) with every connection asking in turn."""
    connections = [connect(port) for _ in range(CONNECTIONS)]
    done, transaction = 0, 0
    begun, cpu = time.perf_counter(), cpu_of(pid)
    while time.perf_counter() - begun < SECONDS:
        transaction += 1
        for connection in connections:
            connection.sendall(request(transaction))
        for connection in connections:
            answer = receive(connection, ANSWER)
            assert struct.unpack(">H", answer[:2])[0] == transaction & 0xFFFF
            assert answer[7] == 3
        done += CONNECTIONS
    spent = cpu_of(pid) - cpu
    for connection in connections:
        connection.close()
    return spent / done * 1e6, done / (time.perf_counter() - begun)


def lost_of_pipeline(port: int) -> int:
    """How many of 16 requests sent at once are not answered, in order."""
    with connect(port) as connection:
        connection.sendall(b"".join(request(number) for number in range(1, DEPTH + 1)))
        answered = 0
        try:
            for number in range(1, DEPTH + 1):
                if struct.unpack(">H", receive(connection, ANSWER)[:2])[0] == number:
                    answered += 1
        except TimeoutError:
            pass
    return DEPTH - answered


def ours(folder: Path) -> tuple[subprocess.Popen[str], int]:
    station = folder / "station.yaml"
    station.write_text(STATION)
    server = subprocess.Popen(
        [sys.executable, "-m", "bench", "serve", "--station", str(station)], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    port = 0
    while True:
        line = json.loads(server.stdout.readline())
        if line.get("kind") == "modbus-tcp":
            port = int(line["url"].rsplit(":", 1)[1])
        if line.get("ready"):
            return server, port


def theirs() -> tuple[subprocess.Popen[str], int]:
    port = free_port()
    server = subprocess.Popen([sys.executable, "-c", PYMODBUS, str(port)], stderr=subprocess.DEVNULL, text=True)
    for _ in range(100):
        try:
            connect(port).close()
            break
        except OSError:
            time.sleep(0.1)
    return server, port


def main() -> dict[str, object]:
    with tempfile.TemporaryDirectory() as name:
        servers = {"meterbench": ours(Path(name)), "pymodbus": theirs()}
        found: dict[str, list[tuple[float, float]]] = {who: [] for who in servers}
        try:
            for _ in range(ROUNDS):
                for who, (server, port) in servers.items():
                    found[who].append(load(port, server.pid))
            lost = {who: lost_of_pipeline(port) for who, (_, port) in servers.items()}
        finally:
            for server, _ in servers.values():
                server.terminate()
                server.wait()
    cpu = {who: statistics.median(c for c, _ in rows) for who, rows in found.items()}
    return {
        who: {
            "server CPU ms per 1,000 requests": round(cpu[who], 1),
            "requests per s": round(statistics.median(r for _, r in found[who])),
            "lost of 16 pipelined": lost[who],
        }
        for who in servers
    } | {"pymodbus over meterbench, CPU": f"{cpu['pymodbus'] / cpu['meterbench']:.1f} x (target 3)"}


if __name__ == "__main__":
    print(json.dumps(main(), indent=1))
