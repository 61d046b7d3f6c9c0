"""A station with one meter whose profile is known, and what a characterisation finds out about it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from bench import cli
from simulators.meters.powerlogic.profile import duration

LAN = "{type: sim, medium: ethernet}"
BUS = "{type: sim, medium: rs485, baud: 9600, framing: 8E1}"
SERIAL = "SN-4711"
_UNITS = {"ms": 1e6, "s": 1e9, "ppm": 1}


def station(
    folder: Path, model: str = "PM850", *, link: str = LAN, protection: str = "sacrificial", profile: Any = None
) -> Path:
    """A station file with the device `meter`; `profile` is a mapping or the name of a file."""
    device = {
        "model": model,
        "link": "line",
        "address": 1,
        "serial": SERIAL,
        "protection": protection,
        "simulate": {"load": "110 kW", "ct": {"primary": 400, "secondary": 5}, "profile": profile or {}},
    }
    content = {"schema": 1, "name": "bench", "links": {"line": yaml.safe_load(link)}, "devices": {"meter": device}}
    file = folder / "station.yaml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return file


def ask(station_file: Path, *words: str, to: str = "found.yaml") -> tuple[int, Path]:
    """Characterise the meter of a station; returns the exit code and the profile file."""
    file = station_file.parent / to
    keys = ["--station", str(station_file), "--allow-destructive", "meter", "--no-evidence"]
    return cli.call(["run", *words, *keys, "--write-profile", str(file)]), file


def content_of(file: Path) -> dict[str, Any]:
    """A profile file as plain data."""
    found: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    return found


def agrees(entry: dict[str, Any], truth: Any) -> bool:
    """Whether a value that was found is the true one, as far as it says that it is known."""
    value, said = entry["value"], re.fullmatch(r"(?:\+-|at most) ([0-9.]+) (\w+)", entry.get("uncertainty", ""))
    if said is None:
        return bool(value == truth)
    off = float(said[1]) * _UNITS[said[2]]
    if isinstance(truth, str):
        return abs(duration(value) - duration(truth)) <= off
    return bool(abs(value - truth) <= off)
