"""`meterbench run --replay`: an earlier run again, on its own wire and with no device."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.cli import call
from bench.manifest import write_manifest

FEW = ("reading/test_clock.py", "energy_preset/test_refusals.py")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "evidence"
    assert call(["run", *FEW, "--device", "cm2350", "--device", "new-pm850", "--evidence", str(folder)]) == 0
    return folder


def replay(
    folder: Path, to: Path, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[int, str, dict[str, object]]:
    code = call(["run", *FEW, "--replay", str(folder), "--evidence", str(to), *words])
    run = json.loads((to / "run.json").read_text())
    return code, capsys.readouterr().out, run


def test_every_verdict_comes_out_as_it_did(recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, run = replay(recorded, tmp_path / "again", capsys)
    assert code == 0
    assert "every one as recorded" in out
    assert run["verdicts"] == json.loads((recorded / "run.json").read_text())["verdicts"]
    assert run["host"] == "virtual"


def changed(recorded: Path, folder: Path) -> Path:
    """A copy of a run in whose wire the last answer of one trace is another."""
    (folder / "traces").mkdir(parents=True)
    for path in recorded.rglob("*"):
        if path.is_file():
            (folder / path.relative_to(recorded)).write_bytes(path.read_bytes())
    trace = next((folder / "traces").glob("*test_the_clock_goes_new-pm850*"))
    *lines, last = trace.read_text().splitlines()
    row = json.loads(last)
    row["hex"] = row["hex"][:-2] + f"{(int(row['hex'][-2:], 16) + 30) % 60:02x}"  # the clock's second
    trace.write_text("\n".join([*lines, json.dumps(row)]) + "\n")
    return folder


def test_the_evidence_of_a_command_is_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "e"
    assert call(["transfer", "--from", "cm2350", "--to", "new-pm850", "--evidence", str(folder)]) == 0
    assert call(["run", "--replay", str(folder), "--no-evidence"]) == 4
    assert "only a run of scenarios can be replayed" in capsys.readouterr().err


def test_evidence_that_was_changed_is_not_replayed(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = changed(recorded, tmp_path / "changed")
    assert call(["run", *FEW, "--replay", str(folder), "--no-evidence"]) == 4
    assert "what was changed since it was sealed proves nothing" in capsys.readouterr().err


def test_a_wire_with_nothing_of_the_device_is_no_verdict_on_it(recorded: Path, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(
        f"schema: 1\nname: other\nlinks: {{a: {{type: replay, trace: {recorded / 'traces'}}}}}\n"
        "devices: {stranger: {model: PM850, link: a, address: 9}}\n"
    )
    assert call(["run", "reading/test_clock.py", "--station", str(tmp_path / "s.yaml"), "--no-evidence"]) == 6


def test_a_changed_wire_changes_a_verdict_and_is_told(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = changed(recorded, tmp_path / "changed")
    (folder / "manifest.json").unlink()
    write_manifest(folder)  # as if the meter had said so
    code, out, run = replay(folder, tmp_path / "again", capsys)
    assert code == 6
    assert run["exit"] == 6
    assert "not as recorded: reading/test_clock.py::test_the_clock_goes[new-pm850]" in out


def test_what_was_not_recorded_is_skipped_and_says_so(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = call(["run", "reading", "--replay", str(recorded), "--no-evidence", "--", "-rs"])
    assert code == 0
    assert "not in the recorded run" in capsys.readouterr().out


def test_another_station_beside_a_replay_is_wrong_usage(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["run", "--replay", str(recorded), "--station", "sim"]) == 4
    assert "brings its own station" in capsys.readouterr().err


def test_a_folder_without_a_run_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["run", "--replay", str(tmp_path)]) == 4
    assert "holds no run" in capsys.readouterr().err


def test_a_mistake_of_the_recorded_run_is_made_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "mistaken"
    words = ["energy_preset/test_transfer.py", "--device", "cm2350", "--device", "new-pm850", "--mistake", "O02"]
    assert call(["run", *words, "--evidence", str(folder)]) == 1
    facts = json.loads((folder / "run.json").read_text())
    facts["argv"] = ["meterbench", "run", *words]  # here it is pytest's own command line
    (folder / "run.json").write_text(json.dumps(facts))
    (folder / "manifest.json").unlink()
    write_manifest(folder)
    code = call(["run", words[0], "--replay", str(folder), "--no-evidence"])
    assert "every one as recorded" in capsys.readouterr().out
    assert code == 1, "a verdict that was bad is bad again"


def test_who_disturbs_a_simulated_line_is_left_out_and_the_others_are_replayed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "faults"
    words = ["line_faults", "reading/test_clock.py"]
    assert call(["run", *words, "--evidence", str(folder)]) == 0
    assert call(["run", *words, "--replay", str(folder), "--no-evidence", "--", "-rs"]) == 0
    out = capsys.readouterr().out
    assert "it puts faults on a simulated line, and a recording has none" in out
    assert "every one as recorded" in out
    assert "that put faults on a simulated line)" in out


def test_flag_meters_are_left_out_of_a_replay_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    both = tmp_path / "both"
    few = ("reading/test_clock.py",)
    assert call(["run", *few, "--device", "cm2350", "--device", "a1140", "--evidence", str(both)]) == 0
    assert call(["run", *few, "--replay", str(both), "--evidence", str(tmp_path / "again")]) == 0
    assert "(not 1 of FLAG meters), every one as recorded" in capsys.readouterr().out


def test_a_run_of_flag_meters_only_has_no_replay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "flag"
    assert call(["run", "reading/test_clock.py", "--device", "a1140", "--evidence", str(folder)]) == 0
    assert call(["run", "reading/test_clock.py", "--replay", str(folder), "--no-evidence"]) == 4
    assert "a FLAG visit cannot be replayed" in capsys.readouterr().err
