"""The bridge against the real allure-pytest, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from bench.measure import Measure, Unit
from bench.reports.allure import title

if TYPE_CHECKING:
    from pathlib import Path

SCENARIO = """
from bench.evidence import Step
from bench.measure import Measure, Unit
from bench.reports.allure import attach
from bench.trace import TraceWriter

def test_voltage():
    measure = Measure("t", lambda: 2_000_000_000)
    for k in range({passing}):
        measure("voltage", 230 + k % 3, Unit.V, device="new").between(200, 250)
    measure("result word", 82, device="new", note="refused").is_(0)
    trace = TraceWriter("t", "new", model="PM850")
    trace.tx(1_000_000_000, bytes.fromhex("01031f540001c20e"))
    trace.rx(1_100_000_000, bytes.fromhex("010302005239b9"))
    steps = [Step("look", "1.000000000", "1.100000000"), Step("write", "1.1", "1.2", "no answer")]
    attach(measure.flush(), [trace, TraceWriter("t", "silent")], steps, "1.000000000", "3601.000000000")
"""


def allure_result(tmp_path: Path, passing: int) -> dict[str, Any]:
    (tmp_path / "test_it.py").write_text(SCENARIO.format(passing=passing))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:meterbench", "--alluredir=results", "test_it.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (result,) = (tmp_path / "results").glob("*-result.json")
    return json.loads(result.read_text("utf-8"))  # type: ignore[no-any-return] # JSON


def test_one_step_a_measurement_and_one_attachment_a_trace(tmp_path: Path) -> None:
    result = allure_result(tmp_path, 2)
    procedure, *measured = result["steps"]
    assert [(step["name"], step["status"]) for step in procedure["steps"]] == [
        ("1.000000000 s, 100.0 ms: look", "passed"),
        ("1.1 s, 100.0 ms: write", "failed"),
    ]
    assert [(step["name"], step["status"]) for step in measured] == [
        ("new: voltage 230 V, 200 … 250: pass", "passed"),
        ("new: voltage 231 V, 200 … 250: pass", "passed"),
        ("new: result word 82, = 0: fail", "failed"),
    ]
    assert measured[2]["statusDetails"]["message"].rstrip().endswith("refused")
    texts = {a["name"]: (tmp_path / "results" / a["source"]).read_text("utf-8") for a in result["attachments"]}
    assert texts.keys() == {"look here first: new", "wire of new in words", "wire trace of new"}
    assert "8021 = 82" in texts["look here first: new"]
    assert "    1.000000  tx    unit 1: read 8021  01031f540001c20e\n" in texts["wire of new in words"]
    assert '"hex": "010302005239b9"' in texts["wire trace of new"]
    parameters = {parameter["name"]: parameter["value"].strip("'") for parameter in result["parameters"]}
    assert parameters["bench duration"] == "1 h 0 min"
    assert parameters["bench start"] == "1.000000000 s"


def test_many_measurements_are_put_together_but_no_failure_is_hidden(tmp_path: Path) -> None:
    result = allure_result(tmp_path, 300)
    assert [step["name"] for step in result["steps"][1:]] == ["new: result word 82, = 0: fail", "new: 300 measurements"]
    (table,) = result["steps"][2]["attachments"]
    assert len((tmp_path / "results" / table["source"]).read_text("utf-8").splitlines()) == 300


@pytest.mark.parametrize(
    ("device", "text"), [("new", "new: voltage 230 V: recorded"), (None, "voltage 230 V: recorded")]
)
def test_titles(device: str | None, text: str) -> None:
    measure = Measure("t", lambda: 2_000_000_000)
    measure("voltage", 230, Unit.V, device=device)
    assert title(measure.flush()[0]) == text
