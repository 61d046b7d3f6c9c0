"""`meterbench serve` under 200 clients of which half are hostile: the others do not notice."""

from __future__ import annotations

import asyncio
import json
import random
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

GOOD = HOSTILE = 100
POLLS = 15
STATION = """\
schema: 1
name: crowded
links: {lan: {type: sim, medium: ethernet, delay: 0 ms, turnaround: 0 ms}}
devices:
  meter: {model: PM850, link: lan, address: 1, simulate: {load: 0 W, energies: {real_energy_in: 98765432101234}}}
"""
WORDS = struct.pack(">4h", 1234, 3210, 7654, 98)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    station = tmp_path / "station.yaml"
    station.write_text(STATION)
    command = [sys.executable, "-m", "bench", "serve", "--station", str(station)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    port = 0
    for text in process.stdout:
        line = json.loads(text)
        port = int(line["url"].rpartition(":")[2]) if line.get("kind") == "modbus-tcp" else port
        if "ready" in line:
            break
    yield process, port
    process.terminate()
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in said


async def poll(port: int) -> int:
    """A client that asks for the energy and gets it, every time."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number in range(POLLS):
        writer.write(struct.pack(">HHHBBHH", number, 0, 6, 1, 3, 1699, 4))
        answer = await asyncio.wait_for(reader.readexactly(17), timeout=10)
        assert answer == struct.pack(">HHHBBB", number, 0, 11, 1, 3, 8) + WORDS
        await asyncio.sleep(0.05)
    writer.close()
    return POLLS


async def half_open(port: int, over: asyncio.Event, draw: random.Random) -> None:
    """Begins a request and says no more."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"\0\1\0\0\0\6\1\3"[: draw.randrange(8)])
    await over.wait()
    writer.close()


async def slow(port: int, over: asyncio.Event, draw: random.Random) -> None:
    """Sends a byte at a time, now and then."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    for byte in struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, 1699, 28) * 20:
        if over.is_set():
            break
        writer.write(bytes((byte,)))
        await asyncio.sleep(draw.random() / 20)
    writer.close()


async def garbage(port: int, over: asyncio.Event, draw: random.Random) -> None:
    """Sends bytes that are no Modbus, again and again on new connections, as it is thrown out each time."""
    while not over.is_set():
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(draw.randbytes(2000))
        await asyncio.sleep(0.05)
        writer.close()


async def huge(port: int, over: asyncio.Event, draw: random.Random) -> None:
    """Announces frames of 64 KiB, and such of none."""
    while not over.is_set():
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(struct.pack(">HHHB", 1, 0, draw.choice((0xFFFF, 0, 1, 255)), 1) + bytes(3000))
        await asyncio.sleep(0.05)
        writer.close()


async def deaf(port: int, over: asyncio.Event, draw: random.Random) -> None:
    """Asks and asks, and takes no answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
    reader._transport.pause_reading()  # type: ignore[attr-defined]  # no other way to stop listening for good
    del draw
    while not over.is_set():
        writer.write(struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, 1099, 125) * 200)
        with suppress(TimeoutError):
            await asyncio.wait_for(writer.drain(), timeout=0.1)
    writer.transport.abort()


async def crowd(port: int) -> int:
    """Everybody at once; returns how many polls were answered."""
    over = asyncio.Event()
    kinds = (half_open, slow, garbage, huge, deaf)
    hostile = [
        asyncio.ensure_future(kinds[number % len(kinds)](port, over, random.Random(number)))
        for number in range(HOSTILE)
    ]
    await asyncio.sleep(0.2)
    polled = await asyncio.gather(*(poll(port) for _ in range(GOOD)))
    over.set()
    for outcome in await asyncio.gather(*hostile, return_exceptions=True):
        assert outcome is None or isinstance(outcome, OSError), outcome  # a hostile client may well be cut off
    return sum(polled)


def resident(pid: int) -> int:
    """Resident memory in KiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the server's memory from /proc")
def test_a_hundred_hostile_clients_do_not_disturb_a_hundred_others(server: tuple[subprocess.Popen[str], int]) -> None:
    process, port = server
    before = resident(process.pid)
    assert asyncio.run(crowd(port)) == GOOD * POLLS
    assert process.poll() is None
    assert resident(process.pid) < before + 40 * 1024, "what nobody takes must not pile up"
    assert asyncio.run(poll(port)) == POLLS
