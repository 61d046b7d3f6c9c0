"""The hand-held unit carries schemes: programmed where the list says so and the keys allow it, and brought back."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from bench.cli import call
from bench.errors import NoAnswer
from bench.handheld.records import read_records
from bench.safety import Armed
from bench.scheme.elster import ElsterScheme
from bench.scheme.snapshot import read_snapshot

LIST = """\
list: 1
name: round
meters:
  - {name: a1140, model: A1140, link: head, outstation: "094", scheme: night.yaml, program: true}
  - {name: a1120, model: A1120, link: drop, medium: rs485, outstation: "012", scheme: night.yaml}
"""
NIGHT = """\
scheme: 1
id: NIGHT
version: 1
models: [A1120, A1140]
demand: {period: 15 min}
passwords: {2: {env: NIGHT_2}}
"""
PASSWORD = "SEKRET77"


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NIGHT_2", PASSWORD)
    monkeypatch.delenv("METERBENCH_STATION", raising=False)
    Path("round.yaml").write_text(LIST, "utf-8")
    Path("night.yaml").write_text(NIGHT, "utf-8")
    assert call(["handheld", "load", "unit", "round.yaml"]) == 0
    capsys.readouterr()


def visit(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[dict[str, Any]]]:
    code = call(["handheld", "visit", "unit", "--user", "JDOE", "--json", *words])
    return code, json.loads(capsys.readouterr().out)["visits"]


def test_a_scheme_is_programmed_where_the_list_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, (one, other) = visit(capsys)
    assert (code, one["scheme"], one["result"]) == (0, "NIGHT", "done")
    assert one["sections"] == {"demand": "new", "passwords": "new", "scheme": "new"}
    assert "scheme" not in other
    assert call(["handheld", "unload", "unit", "office"]) == 0
    assert read_records(tmp_path / "office" / "round.BUD", "BUD").records[0]["result"] == "done"
    assert read_snapshot(tmp_path / "office" / "a1140.before-NIGHT.json").model == "A1140"
    assert not list(Path("unit").glob("*.json"))
    left = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert PASSWORD.encode() not in left
    assert PASSWORD.encode().hex().encode() not in left.lower()


def test_nothing_is_programmed_by_who_only_reads(capsys: pytest.CaptureFixture[str]) -> None:
    code, visits = visit(capsys, "--read-only")
    assert code == 0
    assert not any("scheme" in made for made in visits)


def test_without_the_keys_nobody_sets_out(capsys: pytest.CaptureFixture[str]) -> None:
    text = files("fixtures").joinpath("stations", "sim.yaml").read_text("utf-8")
    begin = text.index("  a1140:\n")
    protected = text[:begin] + text[begin:].replace("protection: sacrificial", "protection: read-only", 1)
    Path("lab.yaml").write_text(protected, "utf-8")
    assert call(["handheld", "visit", "unit", "--station", "lab.yaml"]) == 4
    assert "write protection: sacrificial if it may be overwritten" in capsys.readouterr().err
    assert read_records(Path("unit/visits.bud"), "BUD").records == ()
    assert visit(capsys, "--station", "lab.yaml", "--read-only")[0] == 0


def test_a_scheme_whose_password_is_missing_is_refused_before_anybody_sets_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NIGHT_2")
    assert call(["handheld", "visit", "unit", "--user", "JDOE"]) == 4
    said = "night.yaml:6: passwords.2: the environment variable that it names is not set\n"
    assert capsys.readouterr().err == said
    assert read_records(Path("unit/visits.bud"), "BUD").records == ()
    assert not Path("evidence").exists()


def _dies_at(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    write = ElsterScheme.write_object

    def cut(meter: ElsterScheme, armed: Armed, identity: int, data: bytes) -> None:
        if identity == number:
            raise NoAnswer("no answer", device=meter.name)
        write(meter, armed, identity, data)

    monkeypatch.setattr(ElsterScheme, "write_object", cut)


def test_a_programming_that_broke_off_is_taken_up_by_the_next_visit(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        _dies_at(patched, 878)
        code, (one, _) = visit(capsys)
    assert code == 1
    assert one["result"] == "a1140: no answer; old: demand, passwords; mixed: scheme"
    assert one["sections"]["scheme"] == "mixed"
    assert Path("unit/a1140.snapshot.json").exists()
    assert call(["handheld", "load", "unit", "round.yaml"]) == 4
    capsys.readouterr()
    assert visit(capsys, "a1140")[1][0]["result"] == "done"
    assert [path.name for path in Path("unit").glob("*.json")] == ["a1140.before-NIGHT.json"]


def test_a_programming_that_broke_off_is_taken_up_after_unloading_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        _dies_at(patched, 878)
        assert visit(capsys)[0] == 1
    held = Path("unit/a1140.snapshot.json").read_bytes()
    for _ in range(2):
        assert call(["handheld", "unload", "unit", "office"]) == 0
        resuming = f"meterbench scheme program SCHEME a1140 --resume {Path('office', 'a1140.snapshot.json')}"
        said = f"a1140: its programming is unfinished; the next visit takes it up, or {resuming}\n"
        assert capsys.readouterr().err == said
        assert [path.read_bytes() for path in Path("office").glob("*.json")] == [held]
    assert Path("unit/a1140.snapshot.json").read_bytes() == held
    assert visit(capsys, "a1140")[1][0]["result"] == "done"
    assert [path.name for path in Path("unit").glob("*.json")] == ["a1140.before-NIGHT.json"]
    assert call(["handheld", "unload", "unit", "office", "--json"]) == 0
    assert "unfinished" not in json.loads(capsys.readouterr().out.splitlines()[-1])
    assert not list(Path("unit").glob("*.json"))


def test_a_unit_that_is_loaded_anew_says_where_the_unfinished_programming_went(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        _dies_at(patched, 878)
        assert visit(capsys)[0] == 1
        assert call(["handheld", "unload", "unit", "office"]) == 0
    snapshot = Path("unit/a1140.snapshot.json")
    held = snapshot.read_bytes()
    snapshot.write_bytes(held + b" ")  # not the one that was unloaded
    assert call(["handheld", "load", "unit", "round.yaml"]) == 4
    assert "the unit holds a1140.snapshot.json of a meter that it programmed; unload" in capsys.readouterr().err
    snapshot.write_bytes(held)
    assert call(["handheld", "load", "unit", "round.yaml"]) == 0
    copy = Path("office", "a1140.snapshot.json").absolute()
    resuming = f"meterbench scheme program SCHEME a1140 --resume {copy}"
    assert capsys.readouterr().err == f"a1140: its programming is unfinished; to take it up: {resuming}\n"
    assert not snapshot.exists()
    words = ["--resume", str(copy), "--user", "JDOE", "--allow-destructive", "a1140"]
    assert call(["scheme", "program", "night.yaml", "a1140", *words]) == 0
