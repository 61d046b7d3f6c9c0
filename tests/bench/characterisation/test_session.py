"""When hardware scenarios run, what they need, and what they leave behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from characterised import content_of, station

from bench import cli
from bench.defects import faults, kill_matrix
from protocols.powerlogic.energy import Quantity


def collected(capsys: pytest.CaptureFixture[str], *words: str) -> int:
    capsys.readouterr()
    cli.call(["run", *words, "--device", "new-pm850", "--no-evidence", "--", "--collect-only"])
    return sum("characterisation" in line for line in capsys.readouterr().out.splitlines())


def test_they_run_only_when_somebody_asks_for_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert collected(capsys) == 0
    assert collected(capsys, "energy_preset") == 0
    assert collected(capsys, "characterisation") == 23
    assert collected(capsys, "characterisation/test_memory.py") == 3
    assert collected(capsys, "characterisation/test_memory.py::test_how_long_it_is_silent") == 1
    capsys.readouterr()
    cli.call(["run", "--device", "new-pm850", "--no-evidence", "--", "--collect-only", "-m", "hardware"])
    assert sum("characterisation" in line for line in capsys.readouterr().out.splitlines()) == 23


def test_the_kill_matrix_does_not_run_them() -> None:
    found = kill_matrix((), faults(ids=["P23"]), seeds=0)
    assert found.matrix["P23"]
    assert not [name for names in found.matrix.values() for name in names if name.startswith("characterisation")]


def test_without_the_keys_only_what_reads_is_asked(tmp_path: Path) -> None:
    lab, file = station(tmp_path, protection="read-only"), tmp_path / "found.yaml"
    words = ["--station", str(lab), "--no-evidence", "--write-profile", str(file)]
    assert cli.call(["run", "characterisation", *words]) == 0
    assert "most_registers" in content_of(file)["profile"]
    assert content_of(file)["undetermined"]["clear_command"] == "not asked in this run"


def test_the_energies_are_put_back_and_the_audit_says_what_they_were(tmp_path: Path) -> None:
    lab, evidence = station(tmp_path), tmp_path / "evidence"
    keys = ["--station", str(lab), "--allow-destructive", "meter", "--evidence", str(evidence)]
    assert cli.call(["run", "characterisation/test_loading.py", *keys]) == 0
    entries = [json.loads(line) for line in (evidence / "audit.jsonl").read_text("utf-8").splitlines()]
    saved = [entry["facts"] for entry in entries if entry["event"] == "energies saved, to be put back"]
    back = [entry["facts"] for entry in entries if entry["event"] == "energies put back"]
    assert len(saved) == len(back) == 5
    names = [quantity.value for quantity in Quantity]
    for before, after in zip(saved, back, strict=True):
        assert [after[name] for name in names] == [before[name] for name in names]
        assert after["result"] == 0


def test_energies_that_were_not_put_back_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = ["--station", str(station(tmp_path)), "--allow-destructive", "meter", "--no-evidence"]
    words = ["characterisation/test_loading.py::test_words_of_mixed_signs", "--defect"]
    for defect, told in (("D11", "result None"), ("P19", "result 0; real energy in, ")):  # no result; not carried out
        assert cli.call(["run", *words, f"meter:{defect}", *keys]) == 1
        assert f"the energies were overwritten and not put back ({told}" in capsys.readouterr().out


def test_a_reset_that_nobody_sees_is_no_boot_time(tmp_path: Path) -> None:
    lab, file = station(tmp_path, profile={"boot": "0 s"}), tmp_path / "found.yaml"
    keys = ["--station", str(lab), "--allow-destructive", "meter", "--no-evidence", "--write-profile", str(file)]
    assert cli.call(["run", "characterisation/test_memory.py", *keys]) == 0
    assert content_of(file)["undetermined"]["boot"].startswith("lacks a reset that can be seen: after 1110")


def test_what_no_profile_can_say_is_not_determined(tmp_path: Path) -> None:
    """A clock that loses a sixth of its time: the profile takes a tenth."""
    lab, file = station(tmp_path), tmp_path / "found.yaml"
    words = ["--station", str(lab), "--no-evidence", "--write-profile", str(file), "--defect", "meter:P24"]
    assert cli.call(["run", "characterisation/test_identity.py", *words]) == 0
    why = content_of(file)["undetermined"]["clock_drift_ppm"]
    assert why.startswith("lacks a profile value for this: -166667 (two steps of the clock")


def test_what_could_lock_the_meter_is_asked_only_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lab, file = station(tmp_path, "CM4250"), tmp_path / "found.yaml"
    keys = ["--station", str(lab), "--allow-destructive", "meter", "--no-evidence", "--write-profile", str(file)]
    assert cli.call(["run", "characterisation/test_loading.py", *keys]) == 0
    why = content_of(file)["undetermined"]["revenue_lock_blocks_preset"]
    assert why.startswith("lacks --also-ask revenue-lock: it locks the meter with 1411")
    said = capsys.readouterr().out
    assert why.removeprefix("lacks ") in said
    assert "meter: the energies were overwritten again and again and put back as they were read" in said


def test_json_names_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lab, file = station(tmp_path), tmp_path / "found.yaml"
    words = ["--station", str(lab), "--no-evidence", "--write-profile", str(file), "--json"]
    capsys.readouterr()
    assert cli.call(["run", "characterisation/test_identity.py", *words]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["profile"] == str(file)
