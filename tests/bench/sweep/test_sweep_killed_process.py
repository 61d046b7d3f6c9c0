"""The model of a killed bench, held against real ones: SIGKILL to `meterbench transfer`, in the middle of it.

Where exactly the signal falls nobody can choose; what must be true afterwards is the same everywhere.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymodbus.client import ModbusTcpClient

from bench.errors import Exit
from bench.sweep.invariants import registers_of
from protocols.powerlogic.energy import Quantity, decode_set
from protocols.powerlogic.words import signed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a process is killed by SIGKILL here")

#: What the old meter hands over, and what the new ones hold before: nothing moves, so each is exactly old or new.
OLD = {quantity: 1_000_001 * (index + 2) for index, quantity in enumerate(Quantity)}
NEW = {quantity: 11 * (index + 2) for index, quantity in enumerate(Quantity)}
#: The bench is killed when this stands in its audit: nothing written yet, half written, commanded, answered.
KILLED_AT = ("transfer", "write", "command", "result")
SERVED = """
schema: 1
name: desk
links: {{lan: {{type: sim, medium: ethernet, delay: 1 ms, turnaround: 2 ms}}}}
devices:
  old: {{model: CM2350, link: lan, address: 1, simulate: {{load: 0 W, energies: {old}}}}}
"""
DEVICE = "  {name}: {{model: PM850, link: lan, address: {unit}, simulate: {{load: 0 W, energies: {new}}}}}\n"
WAIT = 20


def written(energies: dict[Quantity, int]) -> str:
    return "{" + ", ".join(f"{quantity.value}: {value}" for quantity, value in energies.items()) + "}"


#: By when (s) a meter has carried out a command that it has got.
_CARRIED_OUT = 1.5


class Desk:
    """A served old meter and a new one for each kill; the bench's own station file leads there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        text = SERVED.format(old=written(OLD))
        self.units = {f"new-{event}": unit for unit, event in enumerate(KILLED_AT, 2)}
        text += "".join(DEVICE.format(name=name, unit=unit, new=written(NEW)) for name, unit in self.units.items())
        (folder / "desk.yaml").write_text(text)
        command = [sys.executable, "-m", "bench", "serve", "--station", str(folder / "desk.yaml")]
        self.server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.server.stdout is not None
        self.ports: dict[str, int] = {}
        for line in map(json.loads, self.server.stdout):
            if line.get("kind") == "modbus-tcp":
                self.ports[line["device"]] = int(line["url"].rpartition(":")[2])
            if "ready" in line:
                break
        self.station = folder / "bench.yaml"
        self.station.write_text(self._station())

    def _station(self) -> str:
        links = "".join(
            f"  to-{name}: {{type: tcp, host: 127.0.0.1, port: {port}}}\n" for name, port in self.ports.items()
        )
        devices = "".join(
            f"  {name}: {{model: PM850, link: to-{name}, address: {unit}, protection: sacrificial}}\n"
            for name, unit in self.units.items()
        )
        old = "  old: {model: CM2350, link: to-old, address: 1}\n"
        return f"schema: 1\nname: bench\nlinks:\n{links}devices:\n{old}{devices}"

    def transfer(self, name: str, evidence: Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "bench", "transfer", "--from", "old", "--to", name, "--station",
                   str(self.station), "--allow-destructive", name, "--evidence", str(evidence), "--json"]  # fmt: skip
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.folder)

    def words(self, name: str, register: int, count: int) -> list[int]:
        with ModbusTcpClient("127.0.0.1", port=self.ports[name]) as client:
            answer = client.read_holding_registers(register - 1, count=count, device_id=self.units[name])
        return [signed(word) for word in answer.registers]

    def energies(self, name: str, *, may_change: bool) -> dict[Quantity, int]:
        """What the meter holds; a command that is on its way when its sender dies is carried out all the same."""
        deadline = time.monotonic() + (_CARRIED_OUT if may_change else 0)
        while (found := decode_set(self.words(name, 1700, 28), tuple(Quantity))) == NEW and time.monotonic() < deadline:
            pass  # each look is a connection of its own
        return found

    def close(self) -> None:
        self.server.terminate()
        self.server.communicate(timeout=WAIT)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    it = Desk(tmp_path_factory.mktemp("desk"))
    yield it
    it.close()


def audit(evidence: Path) -> list[dict[str, Any]]:
    """The audit as it is on the disk; a line that is not whole is no entry."""
    file = evidence / "audit.jsonl"
    lines = file.read_text().splitlines(keepends=True) if file.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def kill_at(process: subprocess.Popen[str], evidence: Path, event: str) -> None:
    """SIGKILL as soon as the audit names the event."""
    deadline = time.monotonic() + WAIT
    while not any(entry["event"] == event for entry in audit(evidence)):
        assert time.monotonic() < deadline, "the transfer never came so far"
        assert process.poll() is None, process.communicate()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=WAIT)
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("event", KILLED_AT)
def test_a_bench_that_is_killed_leaves_one_set_and_an_audit_that_is_true(
    event: str, desk: Desk, tmp_path: Path
) -> None:
    name = f"new-{event}"
    kill_at(desk.transfer(name, tmp_path / "killed"), tmp_path / "killed", event)
    entries = audit(tmp_path / "killed")
    commanded = any(entry["facts"].get("code") == 6209 for entry in entries)
    found = desk.energies(name, may_change=commanded)
    assert found in (OLD, NEW)
    answered = [entry["facts"]["value"] for entry in entries if entry["event"] == "result"]
    if found == OLD:
        assert commanded
    if answered == [0]:
        assert found == OLD
    named = set().union(*(registers_of(entry["facts"]) for entry in entries))
    left = {register for register, word in zip(range(8017, 8050), desk.words(name, 8017, 33), strict=True) if word}
    assert left <= named | {8020, 8021}  # what the meter itself has answered
    second = desk.transfer(name, tmp_path / "second")
    said, complained = second.communicate(timeout=WAIT)
    done = found == OLD
    assert second.returncode == (Exit.FAILED if done else Exit.NOTHING), said + complained
    assert ("would erase what it has counted since" in complained) is done
    assert decode_set(desk.words(name, 1700, 28), tuple(Quantity)) == OLD
    assert desk.words(name, 8017, 3) == [0, 0, 0]
