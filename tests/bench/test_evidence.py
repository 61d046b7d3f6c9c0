from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from decimal import Decimal
from errno import ENOSPC
from typing import TYPE_CHECKING, Any

import pytest

from bench.errors import Exit, StationError, UsageError
from bench.evidence import Evidence, RunFacts, ScenarioRecord, Step
from bench.manifest import verify_manifest
from bench.measure import Measure, Unit
from bench.reports.run import load
from bench.trace import TraceWriter
from bench.verdicts import Verdict

if TYPE_CHECKING:
    from pathlib import Path

NODE = "scenarios/reading/test_registers.py::test_voltage[PM850]"
FACTS = RunFacts(station="lab-3", host="virtual", resolved={"devices": {"new": {"model": "PM850"}}}, seed=7)


def measured() -> Measure:
    measure = Measure(NODE, lambda: 2_000_000_000)
    measure("voltage", Decimal("230.1"), Unit.V, device="new").within(230, 1)
    measure("result word", 82, device="new").is_(0)
    return measure


def scenario(evidence: Evidence, outcome: Any = "failed") -> ScenarioRecord:
    measure = measured()
    taken = TraceWriter(NODE, "new")
    taken.tx(0, b"\x01")
    trace = evidence.trace(taken)
    record = ScenarioRecord(
        scenario=NODE,
        title="Voltages are right",
        outcome=outcome,
        verdict=measure.worst,
        start="1.000000000",
        end="2.000000000",
        devices=("new",),
        traces=(trace,) if trace else (),
        steps=(Step("read", "1.000000000", "1.500000000"),),
    )
    return evidence.scenario(record, measure.flush())


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_folder_with_anything_in_it_is_refused(tmp_path: Path) -> None:
    """The seal is over the whole folder: in a home folder it would be over everything that lies there."""
    (tmp_path / "thesis.txt").write_text("precious", encoding="utf-8")
    with pytest.raises(UsageError, match=r"is not empty, .* name a new folder"):
        Evidence(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_disk_that_fills_up_at_the_end_leaves_a_run_that_was_not_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence = Evidence(tmp_path / "ev")
    evidence.begin(FACTS)
    scenario(evidence)

    def full(path: Path, text: str, *_: object) -> None:
        path.write_bytes(text[:10].encode())
        raise OSError(ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr("pathlib.Path.write_text", full)
    with pytest.raises(StationError, match="No space left"):
        evidence.close(digest="d1", exit=Exit.FAILED)
    assert sorted(path.name for path in (tmp_path / "ev").glob("*.json*")) == [
        "audit.jsonl", "measurements.jsonl", "scenarios.jsonl",
    ]  # fmt: skip
    assert load(tmp_path / "ev").aborted


def test_the_life_of_a_run_folder(tmp_path: Path) -> None:
    folder = tmp_path / "evidence" / "lab-3"
    evidence = Evidence(folder)
    evidence.begin(FACTS)
    evidence.identify("new", serial="4411")
    evidence.audit("write registers", device="new", t=1_500_000_000, address=8022, words=[1, 2], raw=b"\x01")
    record = scenario(evidence)
    run = evidence.close(digest="d1", exit=Exit.FAILED)

    assert sorted(path.name for path in folder.iterdir()) == [
        "audit.jsonl", "manifest.json", "measurements.jsonl", "run.json", "scenarios.jsonl", "traces",
    ]  # fmt: skip
    assert verify_manifest(folder) == []
    assert json.loads((folder / "run.json").read_text("utf-8")) == run
    assert run["station"] == {"name": "lab-3", "devices": {"new": {"model": "PM850"}}}
    assert (run["host"], run["seed"], run["digest"], run["exit"]) == ("virtual", 7, "d1", 1)
    assert run["verdicts"] == {verdict.value: 0 for verdict in Verdict} | {"pass": 1, "fail": 1}
    assert run["scenarios"] == {"passed": 0, "failed": 1, "skipped": 0, "error": 0}
    assert run["devices"] == {"new": {"serial": "4411"}}
    assert record.counts == {"pass": 1, "fail": 1}
    assert record.traces == ("traces/scenarios_reading_test_registers.py_test_voltage_PM850.new.trace.jsonl",)
    assert (folder / record.traces[0]).exists()
    assert evidence.seal == json.loads((folder / "manifest.json").read_text("utf-8"))["seal"]


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    evidence = Evidence(tmp_path / "e")
    evidence.begin(FACTS)
    record = scenario(evidence)
    evidence.close(digest="d1", exit=1)
    run = load(tmp_path / "e")
    assert run.scenarios == [record]
    assert run.measurements == {NODE: measured().flush()}
    assert run.seal == evidence.seal
    assert run.problems == []


def test_an_audit_entry_is_in_the_file_before_audit_returns(tmp_path: Path) -> None:
    evidence = Evidence(tmp_path / "e")
    evidence.audit("command", device="new", t=1, register=8000, value=6209, raw=b"\x18\x41", limit=Decimal("0.10"))
    (entry,) = lines(tmp_path / "e" / "audit.jsonl")
    evidence.abandon()
    assert (entry["seq"], entry["event"], entry["device"], entry["t"]) == (1, "command", "new", "0.000000001")
    assert entry["facts"] == {"register": 8000, "value": 6209, "raw": "1841", "limit": "0.10"}
    assert entry["wall"].endswith("Z")


@pytest.mark.parametrize(("durable", "synced"), [(True, 3), (False, 0)])
def test_a_durable_audit_reaches_the_disk_entry_by_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, durable: bool, synced: int
) -> None:
    calls: list[int] = []
    monkeypatch.setattr(os, "fsync", calls.append)
    evidence = Evidence(tmp_path / "e", durable=durable)
    for _ in range(3):
        evidence.audit("write")
    evidence.abandon()
    assert len(calls) == synced


KILLED = """
import os, signal, sys
from pathlib import Path
from bench.evidence import Evidence, RunFacts
evidence = Evidence(Path(sys.argv[1]))
evidence.begin(RunFacts(station="lab-3", host="real", argv=["meterbench", "run"]))
for register in range(8022, 8050):
    evidence.audit("write register", device="new", address=register)
os.kill(os.getpid(), signal.SIGTERM)
"""


def test_a_killed_run_still_says_what_was_written(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "e")], check=False)
    assert done.returncode in (-signal.SIGTERM, signal.SIGTERM)
    run = load(tmp_path / "e")
    assert run.aborted
    assert run.problems == ["aborted run: no run.json"]
    assert run.facts["station"] == {"name": "lab-3"}
    assert [entry.facts.get("address") for entry in run.audit] == [None, *range(8022, 8050)]
    assert run.headline[:2] == (Verdict.ABORTED, "Aborted")


def test_a_folder_with_evidence_is_never_written_again(tmp_path: Path) -> None:
    Evidence(tmp_path / "ended").close(digest="", exit=0)
    Evidence(tmp_path / "killed").abandon()
    for name in ("ended", "killed"):
        with pytest.raises(UsageError, match="holds the evidence of an earlier run; name a new folder"):
            Evidence(tmp_path / name)


def test_a_folder_that_cannot_be_written_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"file.*: no evidence can be written here"):
        Evidence(tmp_path / "file" / "e")


def test_a_disk_that_fills_up_is_the_station_s_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    evidence = Evidence(tmp_path / "e")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StationError, match=r"audit\.jsonl: No space left on device"):
        evidence.audit("write")
    evidence.abandon()
    assert load(tmp_path / "e").aborted


def test_without_a_folder_it_counts_and_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    evidence = Evidence(None)
    evidence.begin(FACTS)
    evidence.audit("write registers", device="new")
    record = scenario(evidence)
    run = evidence.close(digest="d1", exit=1)
    assert run["verdicts"]["fail"] == 1
    assert record.traces == ()
    assert evidence.seal == ""
    assert list(tmp_path.iterdir()) == []


def test_secrets_of_the_command_line_are_not_kept(tmp_path: Path) -> None:
    words = ["run", "--password", "p1", "--api-token=p2", "-k", "expr", "--mapping", "m", "rfc2217://me:p3@host:1",
             "--token", "-p4"]  # fmt: skip
    evidence = Evidence(tmp_path / "e")
    evidence.begin(RunFacts(station="lab-3", host="real", argv=words))
    run = evidence.close(digest="", exit=0)
    assert run["argv"] == [
        "run", "--password", "***", "--api-token=***", "-k", "expr", "--mapping", "m", "rfc2217://***@host:1",
        "--token", "***",
    ]  # fmt: skip
    kept = b"".join(path.read_bytes() for path in (tmp_path / "e").rglob("*") if path.is_file())
    assert not any(secret in kept for secret in (b"p1", b"p2", b"p3", b"p4"))
