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
from bench.measure import Measure, Unit
from bench.reports.allure import attach

def test_voltage():
    measure = Measure("t", lambda: 0)
    for k in range({passing}):
        measure("voltage", 230 + k % 3, Unit.V, device="new").between(200, 250)
    measure("result word", 82, device="new", note="refused").is_(0)
    attach(measure.flush(), {{"new.trace": '{{"t": 0}}\\n'}}, "1.000000000", "3601.000000000")
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
    assert [(step["name"], step["status"]) for step in result["steps"]] == [
        ("new: voltage 230 V, 200 … 250: pass", "passed"),
        ("new: voltage 231 V, 200 … 250: pass", "passed"),
        ("new: result word 82, = 0: fail", "failed"),
    ]
    assert result["steps"][2]["statusDetails"]["message"].rstrip().endswith("refused")
    (attached,) = result["attachments"]
    assert attached["name"] == "new.trace"
    assert (tmp_path / "results" / attached["source"]).read_text("utf-8") == '{"t": 0}\n'
    parameters = {parameter["name"]: parameter["value"].strip("'") for parameter in result["parameters"]}
    assert parameters["bench duration"] == "1 h 0 min"
    assert parameters["bench start"] == "1.000000000 s"


def test_many_measurements_are_put_together_but_no_failure_is_hidden(tmp_path: Path) -> None:
    result = allure_result(tmp_path, 300)
    assert [step["name"] for step in result["steps"]] == ["new: result word 82, = 0: fail", "new: 300 measurements"]
    (table,) = result["steps"][1]["attachments"]
    assert len((tmp_path / "results" / table["source"]).read_text("utf-8").splitlines()) == 300


@pytest.mark.parametrize(
    ("device", "text"), [("new", "new: voltage 230 V: recorded"), (None, "voltage 230 V: recorded")]
)
def test_titles(device: str | None, text: str) -> None:
    measure = Measure("t", lambda: 0)
    measure("voltage", 230, Unit.V, device=device)
    assert title(measure.flush()[0]) == text
