"""`meterbench serve` with FLAG meters under hostile clients: the meters of other lines do not notice.

Who is on a line talks on it, so a line full of strangers is of no use to anybody; when they have gone it has to be.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from flag_fuzzing import framed

QUIET = ("north", "south", "east")
HOSTILE = 36
VISITS = 2
#: World seconds in a second. Nobody waits 120 s for a visit to be given up here, so the meters' patience is short.
SPEED, GIVEN_UP = 2, 6
#: How often a line is tried that strangers have left: for a minute, since what they had sent goes on for some time.
ATTEMPTS = 8
_SIMULATE = f"simulate: {{load: 0 W, profile: {{inactivity: {GIVEN_UP} s}}}}"
STATION = f"""\
schema: 1
name: crowded
links:
  loud: {{type: sim, medium: network}}
  shrill: {{type: sim, medium: network}}
  north: {{type: sim, medium: network}}
  south: {{type: sim, medium: rs485}}
  east: {{type: sim, medium: optical}}
devices:
  loud: {{model: A1140, link: loud, outstation: "094", serial: LOUD, {_SIMULATE}}}
  shrill: {{model: A1700, link: shrill, outstation: "017", serial: SHRILL, {_SIMULATE}}}
  north: {{model: A1140, link: north, outstation: "001", serial: NORTH, {_SIMULATE}}}
  south: {{model: A1700, link: south, outstation: "002", serial: SOUTH, {_SIMULATE}}}
  east: {{model: A1120, link: east, outstation: "003", serial: EAST, {_SIMULATE}}}
"""
Ports = dict[tuple[str, str], int]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Ports]]:
    station = tmp_path / "station.yaml"
    station.write_text(STATION)
    command = [sys.executable, "-m", "bench", "serve", "--station", str(station), "--speed", str(SPEED)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    ports: Ports = {}
    for text in process.stdout:
        line = json.loads(text)
        if "ready" in line:
            break
        if line["kind"] != "pty":
            ports[line["device"], line["kind"]] = int(line["url"].rpartition(":")[2])
    yield process, ports
    process.terminate()
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in said


async def visit(port: int, *, patience: float = 20) -> str:
    """A visit to the end: sign on, log in to read, read the serial number (798), break."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"/?!\r\n")
        ident = await asyncio.wait_for(reader.readuntil(b"\r\n"), patience)
        assert ident.endswith(b"@000\r\n"), ident
        writer.write(b"\x06051\r\n")
        assert (await asyncio.wait_for(reader.readexactly(24), patience))[:5] == b"\x01P0\x02("
        writer.write(framed(b"\x01P2\x02(0000000000000000)\x03"))
        assert await asyncio.wait_for(reader.readexactly(1), patience) == b"\x06"
        writer.write(framed(b"\x01R1\x02798001(10)\x03"))
        answer = await asyncio.wait_for(reader.readexactly(37), patience)
        writer.write(framed(b"\x01B0\x03"))
        await asyncio.sleep(1 / SPEED)
    finally:
        writer.close()
    return bytes.fromhex(answer[2:34].decode()).decode().lstrip("0")


async def visits(port: int) -> list[str]:
    return [await visit(port) for _ in range(VISITS)]


SAID = (b"/?!\r\n", b"\x06051\r\n", framed(b"\x01P2\x02(0000000000000000)\x03"), framed(b"\x01R1\x02507001(40)\x03"))


async def torn(port: int, over: asyncio.Event, draw: random.Random) -> None:
    """Says what belongs to a visit in pieces, with pauses at the wrong places, and hangs up in the middle."""
    while not over.is_set():
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        said = b"".join(draw.choices(SAID, k=6))
        for at in range(0, draw.randrange(len(said)), 7):
            writer.write(said[at : at + 7])
            await asyncio.sleep(draw.random() / 20)
        writer.transport.abort()


async def flood(port: int, over: asyncio.Event, draw: random.Random) -> None:
    """Sends as fast as it is let, requests and rubbish."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    while not over.is_set():
        writer.write(draw.choice((b"/?!\r\n" * 400, draw.randbytes(2000), b"\xff" * 2000, b"\xff\xfa,\x01" * 500)))
        with suppress(TimeoutError):
            await asyncio.wait_for(writer.drain(), timeout=0.1)
    writer.transport.abort()


async def half_open(port: int, over: asyncio.Event, draw: random.Random) -> None:
    """Connects and says nothing, nor takes anything."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
    reader._transport.pause_reading()  # type: ignore[attr-defined]  # no other way to stop listening for good
    del draw
    await over.wait()
    writer.transport.abort()


async def crowd(ports: Ports) -> dict[str, list[str]]:
    """Everybody at once; what the visitors of the quiet lines read."""
    over = asyncio.Event()
    kinds = (torn, flood, half_open)
    doors = [ports[device, kind] for device in ("loud", "shrill") for kind in ("raw-tcp", "rfc2217")]
    hostile = [
        asyncio.ensure_future(kinds[number % 3](doors[number % 4], over, random.Random(number)))
        for number in range(HOSTILE)
    ]
    hostile += [
        asyncio.ensure_future(half_open(ports[device, "raw-tcp"], over, random.Random(0)))
        for device in QUIET
        for _ in range(5)
    ]
    await asyncio.sleep(0.2)
    try:
        read = await asyncio.gather(*(visits(ports[device, "raw-tcp"]) for device in QUIET))
    finally:
        over.set()
    for outcome in await asyncio.gather(*hostile, return_exceptions=True):
        assert outcome is None or isinstance(outcome, OSError), outcome  # a hostile client may well be cut off
    return dict(zip(QUIET, read, strict=True))


async def afterwards(port: int) -> str:
    """A visit, once the line has sent what was left behind and the meter has given up whatever was left open."""
    for _ in range(ATTEMPTS):
        await asyncio.sleep((GIVEN_UP + 2) / SPEED)
        with suppress(TimeoutError, AssertionError):
            return await visit(port, patience=4)
    return "nobody"


def resident(pid: int) -> int:
    """Resident memory in KiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the server's memory from /proc")
def test_hostile_clients_disturb_no_other_line_and_leave_theirs_usable(
    server: tuple[subprocess.Popen[str], Ports],
) -> None:
    process, ports = server
    before = resident(process.pid)
    assert asyncio.run(crowd(ports)) == {device: [device.upper()] * VISITS for device in QUIET}
    assert process.poll() is None
    assert resident(process.pid) < before + 40 * 1024, "what nobody takes must not pile up"
    for device in ("loud", "shrill"):
        assert asyncio.run(afterwards(ports[device, "raw-tcp"])) == device.upper()
