"""The same seed gives the same run: in every process, at every hour of the day, for either family of meters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import pytest

from bench.cli import call
from bench.scheme import station as scheme_station

SCHEME = Path(__file__).parents[2] / "fixtures" / "schemes" / "industrial.yaml"
#: What asks meters of either family for much, in an order of its own: sets, histories, blocks, single messages.
RUNS = {
    "modbus": ("line_faults/test_gateway.py",),
    "flag": (
        "reading/test_billing.py",
        "communication/test_stream.py",
        "security/test_refusals.py",
        "--device",
        "a1140",
    ),
}


def told(folder: Path) -> tuple[str, dict[str, bytes]]:
    """The digest of a run, and its traces."""
    traces = {path.name: path.read_bytes() for path in (folder / "traces").iterdir()}
    assert traces
    return json.loads((folder / "run.json").read_text())["digest"], traces


@pytest.mark.parametrize("family", RUNS)
def test_scenarios_ask_in_the_same_order_whatever_the_process_hashes_like(tmp_path: Path, family: str) -> None:
    """Strings hash otherwise in every process: an order that came of a set would show in the digest."""
    found = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        words = [sys.executable, "-m", "bench", "run", *RUNS[family], "--evidence", str(folder)]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run(words, env=environment, capture_output=True, check=True, timeout=60)
        found.append(told(folder))
    assert found[0] == found[1]


def test_a_clock_is_set_to_the_time_of_the_simulated_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheme that sets the clock leaves the same trace in the morning and at night."""
    monkeypatch.setenv("METER_PASSWORD_LEVEL_3", "NEWPASS3")
    found = []
    for hour in (6, 23):

        class Today(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:
                return datetime(2026, 11, 21, hour, 30, tzinfo=tz or UTC)  # noqa: B023  # it is called in this round

        monkeypatch.setattr(scheme_station, "datetime", Today)
        folder = tmp_path / str(hour)
        words = ["--user", "JDOE", "--on", "2026-11-21", "--evidence", str(folder)]
        assert call(["scheme", "program", str(SCHEME), "a1140", *words]) == 0
        found.append(told(folder))
    assert found[0] == found[1]
    assert any(b"57310238363130" in trace for trace in found[0][1].values()), "the clock was set: W1, STX, 861"
