"""`meterbench scheme`, as it is typed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from bench.bench import Bench
from bench.cli import call
from bench.errors import StationError
from bench.evidence import Evidence
from bench.safety import Armed
from protocols.elster.configuration import layout

sys.path.insert(0, str(Path(__file__).parents[1] / "scheme"))
from memory_meter import MemoryMeter

FIXTURES = Path(__file__).parents[3] / "fixtures" / "schemes"
INDUSTRIAL = str(FIXTURES / "industrial.yaml")
PASSWORD = "SEKRET77"
STATION = """\
schema: 1
name: lab
links: {head: {type: sim, medium: optical}}
devices:
  a1140: {model: A1140, link: head, outstation: "094", serial: "5074494", protection: sacrificial}
"""


@pytest.fixture
def meter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryMeter:
    """The one meter of a station in `lab.yaml`, and a folder of one's own."""
    found = MemoryMeter()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("METER_PASSWORD_LEVEL_3", PASSWORD)
    monkeypatch.setenv("METERBENCH_STATION", "lab.yaml")
    Path("lab.yaml").write_text(STATION, "utf-8")
    monkeypatch.setattr(Bench, "device", lambda _bench, _name: found)
    return found


def program(*words: str) -> int:
    return call(["scheme", "program", INDUSTRIAL, "a1140", "--user", "JDOE", "--on", "2026-11-21", *words])


def allowed(*words: str) -> int:
    return program("--allow-destructive", "a1140", *words)


def test_check_says_how_a_scheme_is_understood(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["scheme", "check", INDUSTRIAL, "--on", "2026-11-21"]) == 0
    told = capsys.readouterr().out
    assert "scheme IND-3T-2, version 2, for A1140" in told
    assert "2 seasons, 3 day types, 3 special days" in told
    assert "METER_PASSWORD" not in told
    assert call(["scheme", "check", INDUSTRIAL, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["passwords"] == ["3"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["check", "none.yaml"], "none.yaml:1: there is no such file"),
        (["check", "."], ".:1: this is a directory; name the scheme in it"),
        (["check", INDUSTRIAL, "--on", "tomorrow"], "--on tomorrow is no date"),
        (["diff", INDUSTRIAL], "name either a second file or --meter ID"),
        (["diff", INDUSTRIAL, INDUSTRIAL, "--meter", "x"], "name either a second file or --meter ID"),
        (["program", INDUSTRIAL, "nobody"], 'has no device "nobody"'),
        (
            ["program", INDUSTRIAL, "a1140", "--user", "THIRTEENCHARS"],
            "--user 'THIRTEENCHARS' is no user name for a meter",
        ),
        (["program", INDUSTRIAL, "a1140"], "is not armed"),
        (["restore", "none.json", "a1140"], "none.json: cannot be read: No such file or directory"),
        (["verify", INDUSTRIAL], "Missing argument 'METER'"),
        (["template", "--model", "A1150"], "'A1150' is not one of"),
    ],
)
def test_wrong_use_is_one_line(
    words: list[str], said: str, meter: MemoryMeter, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["scheme", *words]) == 4
    told = capsys.readouterr()
    assert said in told.err
    assert len(told.err.splitlines()) == 1
    assert meter.written == []


def test_a_powerlogic_takes_no_scheme(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call(["scheme", "export", "pm850", "--station", "sim"]) == 4
    assert "takes no scheme; A1120, A1140 and A1700 do" in capsys.readouterr().err
    assert call(["scheme", "program", INDUSTRIAL, "pm850", "--station", "sim"]) == 4
    assert "takes no scheme; A1120, A1140 and A1700 do" in capsys.readouterr().err
    assert not Path("evidence").exists()


def test_the_third_key_is_needed(meter: MemoryMeter, capsys: pytest.CaptureFixture[str]) -> None:
    assert program() == 4
    assert "--allow-destructive a1140" in capsys.readouterr().err
    assert meter.written == []


def test_programmed_verified_exported_and_the_same(meter: MemoryMeter, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["scheme", "verify", INDUSTRIAL, "a1140"]) == 1
    assert allowed() == 0
    assert "a1140, scheme IND-3T-2: pass" in capsys.readouterr().out
    assert call(["scheme", "verify", INDUSTRIAL, "a1140"]) == 0
    assert call(["scheme", "diff", INDUSTRIAL, "--meter", "a1140"]) == 0
    assert call(["scheme", "export", "a1140", "-o", "held.yaml"]) == 0
    assert call(["scheme", "check", "held.yaml"]) == 0
    capsys.readouterr()
    assert call(["scheme", "diff", "held.yaml", INDUSTRIAL, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)["differences"]
    assert {row["section"] for row in found} == {"scheme", "passwords"}
    assert call(["scheme", "export", "a1140", "-o", "held.yaml"]) == 4


def test_a_meter_that_holds_something_else_is_told_by_what_it_means(
    meter: MemoryMeter, capsys: pytest.CaptureFixture[str]
) -> None:
    assert allowed() == 0
    meter.objects[878] = bytes([10, 10, 1])
    capsys.readouterr()
    assert call(["scheme", "verify", INDUSTRIAL, "a1140", "--json"]) == 1
    rows = json.loads(capsys.readouterr().out)["differences"]
    assert rows[0] == {"section": "demand", "fact": "period", "first": "30 min", "second": "60 min"}


def test_what_is_broken_off_says_so_and_can_be_resumed_or_restored(
    meter: MemoryMeter, capsys: pytest.CaptureFixture[str]
) -> None:
    items = layout("A1140").items
    before = {item.number: meter.objects[item.number] for item in items.values() if item.readable}
    meter.refuse = {878}
    assert allowed("--snapshot", "held.json") == 1
    told = capsys.readouterr().err
    assert "a1140: new: transformers, sources, tariff; old: demand" in told
    assert "scheme program ... --resume, or scheme restore" in told
    meter.refuse = set()
    assert allowed() == 1
    assert "resume it with --resume SNAPSHOT" in capsys.readouterr().err
    meter.refuse = {901}
    assert allowed("--resume", "held.json") == 1
    assert "what it held before is in held.json" in capsys.readouterr().err
    meter.refuse = set()
    assert allowed("--resume", "held.json") == 0
    assert call(["scheme", "restore", "held.json", "a1140", "--user", "JDOE", "--allow-destructive", "a1140"]) == 0
    assert {number: meter.objects[number] for number in before} == before


def test_what_is_assumed_is_not_written_into_a_real_meter(
    meter: MemoryMeter, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.commands.scheme_program.host_kind", lambda _station: "real")
    assert allowed() == 4
    told = capsys.readouterr().err
    assert "a1140 is a real meter, and no public document gives it 905 (tariff_seasons)" in told
    assert meter.written == []
    Path("known.yaml").write_text("scheme: 1\nid: A\nversion: 1\nmodels: [A1140]\ndemand: {period: 30 min}\n", "utf-8")
    words = ["scheme", "program", "known.yaml", "a1140", "--user", "JDOE", "--allow-destructive", "a1140"]
    assert call(words) == 0
    assert allowed("--write-assumed") == 0


def test_another_meter_behind_the_address_gets_no_byte(meter: MemoryMeter, capsys: pytest.CaptureFixture[str]) -> None:
    meter.serial = "0000000000000007"
    assert allowed() == 1
    told = capsys.readouterr().err
    assert "a1140: nothing was written" in told
    assert "another serial number (798) answers than the station promises" in told
    assert meter.written == []


def test_a_password_is_found_nowhere(meter: MemoryMeter, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert allowed("--json") == 0
    meter.objects[795], meter.mute = bytes(8), {933}
    assert allowed() == 0  # taken and not answered: it is tried, and given once more in the visit that concludes
    assert call(["scheme", "export", "a1140"]) == 0
    assert call(["scheme", "diff", INDUSTRIAL, "--meter", "a1140"]) in {0, 1}
    told = capsys.readouterr()
    seen = told.out + told.err
    for path in tmp_path.rglob("*"):
        if path.is_file():
            seen += path.read_bytes().decode("utf-8", "replace")
    assert "snapshot" in seen
    for secret in (PASSWORD, PASSWORD.encode().hex(), PASSWORD.encode().hex().upper()):
        assert secret not in seen


def test_every_template_is_a_good_scheme(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for model in ("A1120", "A1140", "A1700"):
        assert call(["scheme", "template", "--model", model]) == 0
        (tmp_path / "t.yaml").write_text(capsys.readouterr().out, "utf-8")
        assert call(["scheme", "check", str(tmp_path / "t.yaml")]) == 0
        capsys.readouterr()
    assert call(["scheme", "template", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "meterbench scheme"


def test_an_operator_who_breaks_off_is_told_what_is_mixed_and_no_empty_line(
    meter: MemoryMeter, capsys: pytest.CaptureFixture[str]
) -> None:
    write = meter.write_object

    def interrupted(armed: Armed, identity: int, data: bytes) -> None:
        write(armed, identity, data)
        if identity == 616:
            raise KeyboardInterrupt

    meter.write_object = interrupted  # type: ignore[method-assign]
    assert allowed("--evidence", "ev") == 130
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("a1140: new: transformers; old: sources, tariff")
    assert told[1:] == ["evidence: ev", "interrupted"]


def test_a_mixture_says_so_to_whoever_looks_at_it(meter: MemoryMeter, capsys: pytest.CaptureFixture[str]) -> None:
    assert allowed() == 0
    meter.objects[795] = b"*PARTIAL"
    for words in (["verify", INDUSTRIAL, "a1140"], ["diff", INDUSTRIAL, "--meter", "a1140"]):
        assert call(["scheme", *words]) == 1
        said = "a1140: 795 reads *PARTIAL: a programming was broken off, this is a mixture"
        assert said in capsys.readouterr().err.splitlines()
    assert call(["scheme", "export", "a1140"]) in {0, 1}
    assert "this is a mixture" in capsys.readouterr().err


def test_a_snapshot_that_has_no_place_is_refused_before_the_meter_is_asked(
    meter: MemoryMeter, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("held.json").touch()
    for place, said in (("held.json", "exists already"), ("none/held.json", "there is no such folder")):
        assert allowed("--snapshot", place, "--evidence", f"ev-{said[0]}") == 4
        assert said in capsys.readouterr().err
    assert (meter.sessions, meter.written) == ([], [])


def _full(monkeypatch: pytest.MonkeyPatch, name: str, event: str = "") -> None:
    """The disk is full when this file of the evidence, or this event of its audit, is written."""
    append: Callable[..., None] = Evidence._append

    def full(evidence: Evidence, file: str, rows: Iterable[Any], **more: Any) -> None:
        found = list(rows)
        if file == name and event in str(found):
            raise StationError(f"{file}: No space left on device")
        append(evidence, file, found, **more)

    monkeypatch.setattr(Evidence, "_append", full)


@pytest.mark.parametrize("event", ["snapshot", "'program'", "write"])
def test_without_an_audit_nothing_is_written(
    event: str, meter: MemoryMeter, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _full(monkeypatch, "audit.jsonl", event)
    assert allowed() == 3
    assert capsys.readouterr().err.splitlines()[-1] == "audit.jsonl: No space left on device"
    assert meter.written == []


def test_an_audit_that_ends_in_the_middle_ends_the_writing_and_says_what_is_mixed(
    meter: MemoryMeter, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _full(monkeypatch, "audit.jsonl", "'identity': 906")
    assert allowed("--snapshot", "held.json") == 3
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("a1140: new: transformers, sources; old: demand")
    assert "what it held before is in held.json" in told[0]
    assert 906 not in {number for number, _ in meter.written}
    assert meter.objects[795] == b"*PARTIAL"


def test_who_has_programmed_a_meter_knows_it_though_the_evidence_has_no_room(
    meter: MemoryMeter, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _full(monkeypatch, "measurements.jsonl")
    assert allowed() == 3
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("a1140: transformers new, ")
    assert told[0].endswith("scheme new, clock new; and the evidence of it is not complete")
