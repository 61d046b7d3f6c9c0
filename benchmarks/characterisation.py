"""Characterisation end to end: two served meters whose profiles are far from the default, asked by another process.

`python benchmarks/characterisation.py [SCENARIO]...` serves a PM850 and a CM4250 in one process, runs `meterbench run
characterisation` against each over TCP in others, and compares what was found out with what is served. Exit code 1 if a
value is not the served one within its own uncertainty. All of it takes some minutes of the wall clock, since meters
boot, save and drift in it; the tests run a part.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import yaml

from simulators.meters.powerlogic.profile import duration

METERBENCH = [sys.executable, "-P", "-m", "bench"]
COMMON = {
    "boot": "1.4 s",
    "save_delay": "2.2 s",
    "clock_drift_ppm": 60_000,
    "atomic_block_read": False,
    "clear_command": True,
    "keep_pointers": True,
    "rollover": "saturate",
    "undefined_read": "refuse",
    "locked_write": 4,
    "exec_order": "before_store",
    "most_registers": 77,
    "normalise_signs": False,
}
SERVED: dict[str, tuple[str, dict[str, Any]]] = {
    "pm": (
        "PM850",
        {
            **COMMON,
            "exec_delay": "310 ms",
            "fraction": "keep",
            "null_data_pointer": "default",
            "stray_data_pointer": "ignore",
            "os_version": 11_050,
            "vendor_label": 1,
            "needs_setup_for_floats": False,
        },
    ),
    "cm": (
        "CM4250",
        {
            **COMMON,
            "exec_delay": "40 ms",
            "fraction": "clear",
            "null_data_pointer": "ignore",
            "stray_data_pointer": "follow",
            "slave_id": 99,
            "product_id": 4000,
            "function_codes": [3, 6, 16, 17],
            "revenue_lock_blocks_preset": True,
        },
    ),
}
_UNITS = {"ms": 1e6, "s": 1e9, "ppm": 1}


def station_text() -> str:
    """The station that is served: each meter on an Ethernet of its own."""
    devices = {
        name: {
            "model": model,
            "link": name,
            "address": 1,
            "protection": "sacrificial",
            "simulate": {"load": "110 kW", "ct": {"primary": 400, "secondary": 5}, "profile": profile},
        }
        for name, (model, profile) in SERVED.items()
    }
    links = {name: {"type": "sim", "medium": "ethernet", "turnaround": "2 ms", "timeout": "250 ms"} for name in SERVED}
    return str(yaml.safe_dump({"schema": 1, "name": "characterised", "links": links, "devices": devices}))


class Server:
    """`meterbench serve` in a process of its own, and the station file that leads to it."""

    def __init__(self, folder: Path) -> None:
        (folder / "lab.yaml").write_text(station_text(), encoding="utf-8")
        self.station = folder / "served.yaml"
        words = ["serve", "--station", str(folder / "lab.yaml"), "--write-station", str(self.station)]
        self._process = subprocess.Popen([*METERBENCH, *words], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if json.loads(line).get("ready"):
                return
        raise SystemExit("the server ended before it was ready")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate(timeout=30)


def characterise(station: Path, device: str, scenarios: list[str], watch: str) -> tuple[dict[str, Any], str]:
    """Characterise a served device; returns the profile file as data and what the command said."""
    file = station.with_name(f"{device}.profile.yaml")
    words = ["--station", str(station), "--device", device, "--allow-destructive", device, "--no-evidence"]
    words += ["--write-profile", str(file), "--also-ask", "revenue-lock", "--watch-clock", watch]
    done = subprocess.run([*METERBENCH, "run", *scenarios, *words], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    return (yaml.safe_load(file.read_text("utf-8")) if file.exists() else {}), said


def differences(found: dict[str, Any], truth: dict[str, Any]) -> dict[str, str]:
    """What was found out and is not what is served, by name."""
    entries = found.get("profile", {})
    return {
        name: f"served {truth[name]}, found {entry}"
        for name, entry in entries.items()
        if name in truth and not _agrees(entry, truth[name])
    }


def _agrees(entry: dict[str, Any], truth: Any) -> bool:
    value, said = entry["value"], re.fullmatch(r"(?:\+-|at most) ([0-9.]+) (\w+)", entry.get("uncertainty", ""))
    if said is None:
        return bool(value == truth)
    off = float(said[1]) * _UNITS[said[2]]
    if isinstance(truth, str):
        return abs(duration(value) - duration(truth)) <= off
    return bool(abs(value - truth) <= off)


def main(scenarios: list[str] | None = None) -> dict[str, Any]:
    """Serve, ask, compare."""
    told: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name, Server(Path(name)) as server:
        for device, (model, profile) in SERVED.items():
            began = time.monotonic()
            found, said = characterise(server.station, device, scenarios or ["characterisation"], "10 s")
            values = found.get("profile", {})
            told[model] = {
                "wall s": round(time.monotonic() - began),
                "values found": len(values),
                "of them other than the default": sum(key in values for key in profile),
                "other values not found": [key for key in profile if key not in values],
                "differences": differences(found, profile),
                "found": {key: entry["value"] for key, entry in values.items()},
                "uncertainty": {k: entry["uncertainty"] for k, entry in values.items() if "uncertainty" in entry},
                "verdicts": [line for line in said.splitlines() if " failed" in line or " passed" in line][-1:],
            }
    return told


if __name__ == "__main__":
    result = main(sys.argv[1:])
    print(json.dumps(result, indent=1))
    sys.exit(any(row["differences"] or row["other values not found"] for row in result.values()))
