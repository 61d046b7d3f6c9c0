from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from bench.errors import UsageError
from bench.evidence import Evidence, RunFacts, ScenarioRecord
from bench.measure import Measure
from bench.reports.run import headline, load
from bench.verdicts import Verdict

if TYPE_CHECKING:
    from pathlib import Path


def record(outcome: str, verdict: Verdict) -> ScenarioRecord:
    return ScenarioRecord(scenario=f"t.py::test_{outcome}", outcome=outcome, verdict=verdict)  # type: ignore[arg-type] # a word of the parameter list


@pytest.mark.parametrize(
    ("counts", "code", "verdict", "word", "sentence"),
    [
        ({"pass": 212, "not_determinable": 3}, 0, "pass", "Verified", "212 checks passed, 3 not determinable"),
        ({"pass": 1}, 0, "pass", "Verified", "1 check passed"),
        ({"pass": 9, "inconclusive": 1}, 0, "inconclusive", "Verified in part", "1 check inconclusive, 9 passed"),
        ({"pass": 9, "fail": 2}, 1, "fail", "Failed", "1 of 2 scenarios failed; 2 checks failed, 9 passed"),
        ({"pass": 9, "fail": 2}, 0, "fail", "Failed", "1 of 2 scenarios failed; 2 checks failed, 9 passed"),
        ({"pass": 9}, 3, "error", "Station broken", "the station failed, not the device: 9 checks passed"),
        ({"not_determinable": 2}, 5, "not_determinable", "Nothing verified", "2 checks not determinable"),
        ({}, 5, "not_determinable", "Nothing verified", "no check was made"),
        ({"pass": 2}, 130, "aborted", "Interrupted", "the operator stopped the run: 2 checks passed"),
        ({"pass": 2}, None, "aborted", "Aborted", "the run was killed before it ended: 2 checks passed"),
        ({"pass": 2}, 4, "error", "Not run", "the bench was misused, nothing can be said"),
    ],
)
def test_headlines(counts: dict[str, int], code: int | None, verdict: str, word: str, sentence: str) -> None:
    scenarios = [record("passed", Verdict.PASS), record("failed", Verdict.FAIL)]
    verdicts = {v: counts.get(v.value, 0) for v in Verdict}
    assert headline(scenarios, verdicts, code) == (verdict, word, sentence)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    evidence = Evidence(tmp_path / "e")
    evidence.begin(RunFacts(station="lab-3", host="virtual"))
    for name in ("a", "b"):
        measure = Measure(f"t.py::test_{name}", lambda: 0)
        measure("x", 1).is_(1)
        evidence.scenario(
            ScenarioRecord(scenario=measure.scenario, outcome="passed", verdict=measure.worst), measure.flush()
        )
    evidence.close(digest="d", exit=0)
    return tmp_path / "e"


def test_a_line_cut_short_is_named_and_the_rest_is_read(folder: Path) -> None:
    path = folder / "measurements.jsonl"
    path.write_bytes(path.read_bytes()[:-10])
    run = load(folder)
    assert "measurements.jsonl:2: cut short" in run.problems
    assert "measurements.jsonl: changed" in run.problems
    assert run.verdicts[Verdict.PASS] == 1


def test_a_file_that_is_missing_is_named(folder: Path) -> None:
    (folder / "scenarios.jsonl").unlink()
    run = load(folder)
    assert run.problems == ["scenarios.jsonl: missing", "scenarios.jsonl: missing"]
    assert run.verdicts[Verdict.PASS] == 2


@pytest.mark.parametrize("line", ["{}", "[]", "7", '{"verdict": "sour"}', '{"scenario": 1, "name'])
@pytest.mark.parametrize("name", ["measurements.jsonl", "scenarios.jsonl", "audit.jsonl"])
def test_a_foreign_line_is_named_with_file_and_line(folder: Path, name: str, line: str) -> None:
    path = folder / name
    whole = path.read_text("utf-8")
    path.write_text(f"{whole}{line}\n", "utf-8")
    with pytest.raises(UsageError, match=re.escape(f"{name}:{whole.count(chr(10)) + 1}: not a record")):
        load(folder)


@pytest.mark.parametrize("text", ["", "[]"])
def test_a_broken_run_json_is_named(folder: Path, text: str) -> None:
    (folder / "run.json").write_text(text)
    with pytest.raises(UsageError, match=r"run\.json"):
        load(folder)


def test_a_folder_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no run"):
        load(tmp_path)
