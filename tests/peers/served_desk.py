"""A served desk for programs that others wrote: a meter on a line of 8E1, one on a line of 8N1, one on an Ethernet."""

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import pytest

STATION = """
schema: 1
name: desk
links:
  even: {type: sim, medium: rs485, baud: 9600, framing: 8E1}
  none: {type: sim, medium: rs485, baud: 9600, framing: 8N1}
  lan: {type: sim, medium: ethernet}
devices:
  even: {model: PM850, link: even, address: 7, simulate: {load: 0 W, energies: {real_energy_in: 98765432101234}}}
  none: {model: PM850, link: none, address: 7, simulate: {load: 0 W, energies: {real_energy_in: 98765432101234}}}
  lan: {model: PM850, link: lan, address: 7, simulate: {load: 0 W, energies: {real_energy_in: 98765432101234}}}
"""
UNIT = 7
#: The register of the first energy word, and what the four words of 98,765,432,101,234 Wh are.
ENERGY, WORDS = 1700, [1234, 3210, 7654, 98]


def tool(name: str) -> str:
    """Where a program is; without it the test is skipped, or fails where peers are required."""
    found = shutil.which(name)
    if found is None:
        without(f"{name} is not installed")
    return found


def library(package: str, module: str) -> ModuleType:
    """A Python library that only these tests use; without it as `tool`."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        without(f"the Python package {package} is not installed: pip install 'meterbench[peers]'")


def npm(*packages: str) -> str:
    """Where Node is; without it or these packages in its search path (NODE_PATH) as `tool`."""
    node = tool("node")
    for package in packages:
        if subprocess.run(
            [node, "-e", f"require({package!r})"], capture_output=True, check=False, timeout=60
        ).returncode:
            without(f"the npm package {package} is not in NODE_PATH")
    return node


def without(missing: str) -> NoReturn:
    """Skip a test, or fail it where peers are required."""
    if os.environ.get("METERBENCH_PEERS") == "required":
        pytest.fail(missing)
    pytest.skip(missing)


class Desk:
    """The desk, served by a process of its own; `options` are more of `serve`."""

    def __init__(self, folder: Path, station: str = STATION, *options: object) -> None:
        file = folder / "desk.yaml"
        file.write_text(station)
        command = [sys.executable, "-m", "bench", "serve", "--station", str(file), *map(str, options)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._lines: list[dict[str, Any]] = []
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.append(json.loads(line))
            if "ready" in self._lines[-1]:
                break

    def url(self, device: str, kind: str) -> str:
        return next(end["url"] for end in self._lines if (end.get("device"), end.get("kind")) == (device, kind))

    def port(self, device: str, kind: str = "modbus-tcp") -> int:
        return int(self.url(device, kind).rpartition(":")[2])

    def close(self) -> None:
        self._process.terminate()
        self._process.communicate(timeout=30)
        assert self._process.returncode == 0
