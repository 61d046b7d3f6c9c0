"""`meterbench list` and `meterbench handheld`, as they are typed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from bench.bench import Bench
from bench.cli import call
from bench.errors import NoAnswer
from protocols.elster.registers import encode_totals
from protocols.elster.tables import Source

sys.path.insert(0, str(Path(__file__).parents[1] / "scheme"))
from memory_meter import MemoryMeter

NORTH = str(Path(__file__).parents[1] / "lists" / "north.yaml")
STATION = """\
schema: 1
name: lab
links: {bus: {type: sim}, lan: {type: sim, medium: optical}}
devices:
  mill: {model: A1140, link: bus, outstation: "094", password: {env: MILL_PASSWORD}}
  pump: {model: A1120, link: bus, outstation: "95"}
  quarry: {model: A1700, link: lan}
"""


@pytest.fixture
def meters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, MemoryMeter]:
    monkeypatch.chdir(tmp_path)
    found = {
        name: MemoryMeter(name, model, objects={507: encode_totals(model, {Source.IMPORT: 1_234_567_890})})
        for name, model in (("mill", "A1140"), ("pump", "A1120"), ("quarry", "A1700"))
    }
    Path("lab.yaml").write_text(STATION, "utf-8")
    monkeypatch.setenv("METERBENCH_STATION", "lab.yaml")
    monkeypatch.setattr(Bench, "device", lambda _bench, name: found[name])
    return found


def test_check_says_how_a_list_is_understood(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["list", "check", NORTH]) == 0
    assert "mill             A1140  bus (rs485) outstation 094" in capsys.readouterr().out
    assert call(["list", "check", NORTH, "--json"]) == 0
    told = capsys.readouterr().out
    assert json.loads(told)["meters"][0]["outstation"] == "094"
    assert "MILL_PASSWORD" not in told


def test_a_round_from_the_command_line(meters: dict[str, MemoryMeter], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["handheld", "load", "unit", NORTH]) == 0
    assert call(["handheld", "visit", "unit"]) == 0
    assert call(["handheld", "unload", "unit", "office"]) == 0
    assert "office/north.RES: 30 readings, 30 of them new" in capsys.readouterr().out
    assert call(["handheld", "show", "office/north.RES"]) == 0
    assert "mill import 1234.567890 kWh 2026-11-21T12:00:00" in " ".join(capsys.readouterr().out.split())
    assert all(meter.written == [] for meter in meters.values())


def test_a_meter_that_the_station_does_not_have_is_refused_before_the_round(
    meters: dict[str, MemoryMeter], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["handheld", "load", "unit", NORTH, "--station", "sim"]) == 0
    assert call(["handheld", "visit", "unit", "--station", "sim"]) == 4
    assert 'station sim has no device "mill"' in capsys.readouterr().err
    assert all(meter.sessions == [] for meter in meters.values())


def test_a_silent_meter_and_a_strange_one_are_told(
    meters: dict[str, MemoryMeter], capsys: pytest.CaptureFixture[str]
) -> None:
    meters["pump"].dead = True
    meters["mill"].serial = "7"
    assert call(["handheld", "load", "unit", NORTH]) == 0
    assert call(["handheld", "visit", "unit"]) == 1
    told = capsys.readouterr().out
    assert "NOT READ: mill: another serial number (798) answers than the list promises" in told
    assert "NOT READ: pump: no answer" in told
    assert str(NoAnswer("no answer", device="pump")) in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["load", "unit", "none.csv"], "none.csv:1: cannot be read: No such file or directory"),
        (["visit", "unit"], "is no loaded unit; load it with meterbench handheld load UNIT LIST"),
        (["unload", "unit", "office"], "is no loaded unit"),
        (["show", "none.RES"], "none.RES: cannot be read: No such file or directory"),
        (["show", "."], "holds no file of a hand-held unit"),
    ],
)
def test_wrong_use_is_one_line(
    words: list[str], said: str, meters: dict[str, MemoryMeter], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["handheld", *words]) == 4
    told = capsys.readouterr().err
    assert said in told
    assert len(told.splitlines()) == 1


def test_a_damaged_file_is_shown_as_far_as_it_is_whole(
    meters: dict[str, MemoryMeter], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["handheld", "load", "unit", NORTH]) == 0
    assert call(["handheld", "visit", "unit", "mill"]) == 0
    path = Path("unit/readings.res")
    path.write_bytes(path.read_bytes()[:-200])
    capsys.readouterr()
    assert call(["handheld", "show", "unit/readings.res", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)["unit/readings.res"]
    assert len(found["records"]) == 9
    assert found["problems"]
    assert call(["handheld", "unload", "unit", "office"]) == 4


def test_a_round_on_the_built_in_station(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    example = str(Path(__file__).parents[3] / "fixtures" / "lists" / "north.yaml")
    assert call(["handheld", "load", "unit", example]) == 0
    assert call(["handheld", "visit", "unit"]) == 0
    assert call(["handheld", "unload", "unit", "office", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["new"] == 30
    assert call(["handheld", "show", "office/north.RES"]) == 0
    shown = [line.split() for line in capsys.readouterr().out.splitlines()]
    imported = next(words for words in shown if words[:2] == ["a1140", "import"])
    assert float(imported[2]) == pytest.approx(12345.678, abs=1)
