"""The hand-held unit programs as strictly as `scheme program`: the right meter, once, written down, taken up again."""

from __future__ import annotations

import getpass
import json
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from bench.bench import Bench
from bench.cli import call
from bench.errors import StationError
from bench.evidence import Evidence
from bench.handheld.memory import Memory
from bench.handheld.records import read_records
from bench.safety import Armed
from bench.scheme import programming
from protocols.elster.registers import encode_totals
from protocols.elster.tables import Source

sys.path.insert(0, str(Path(__file__).parents[1] / "scheme"))
from memory_meter import MemoryMeter

PASSWORD = "SEKRET77"
STATION = """\
schema: 1
name: lab
links: {bus: {type: sim}, head: {type: sim, medium: optical}}
devices:
  mill: {model: A1140, link: bus, outstation: "094", serial: "5074494", password: {env: MILL}, protection: sacrificial}
  pump: {model: A1140, link: bus, outstation: "095"}
"""
LIST = """\
list: 1
name: round
meters:
  - {name: mill, model: A1140, link: bus, medium: rs485, outstation: "94", password: {env: MILL}, scheme: night.yaml,
     program: true}
  - {name: pump, model: A1140, link: bus, medium: rs485, outstation: "095"}
"""
NIGHT = """\
scheme: 1
id: N/IGHT
version: 1
models: [A1140]
transformers: {ct: {primary: 200, secondary: 5}}
demand: {period: 15 min}
passwords: {2: {env: NIGHT_2}}
"""


@pytest.fixture
def meter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> MemoryMeter:
    """The mill, behind a unit that is loaded."""
    totals = {507: encode_totals("A1140", {Source.IMPORT: 1_234_567_890})}
    found = {name: MemoryMeter(name, objects=dict(totals)) for name in ("mill", "pump")}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NIGHT_2", PASSWORD)
    monkeypatch.setenv("METERBENCH_STATION", "lab.yaml")
    monkeypatch.setattr(Bench, "device", lambda _bench, name: found[name])
    for name, text in (("lab.yaml", STATION), ("round.yaml", LIST), ("night.yaml", NIGHT)):
        Path(name).write_text(text, "utf-8")
    assert call(["handheld", "load", "unit", "round.yaml"]) == 0
    capsys.readouterr()
    return found["mill"]


def visit(*words: str) -> int:
    return call(["handheld", "visit", "unit", "--user", "JDOE", "--allow-destructive", "mill", *words])


def last_visit_of_the_mill() -> dict[str, Any]:
    records = read_records(Path("unit/visits.bud"), "BUD").records
    return dict([record for record in records if record["meter"] == "mill"][-1])


# -- the right meter ---------------------------------------------------------------------------------------------------

OTHERWISE = {
    "outstation": ('outstation: "094"', 'outstation: "096"', "mill.outstation: the list says 94, and devices.mill"),
    "link": (
        'mill: {model: A1140, link: bus, outstation: "094"', 'mill: {model: A1140, link: head, outstation: "094"',
        "mill.link: the list says bus",
    ),
    "medium": ("bus: {type: sim}", "bus: {type: sim, medium: network}", "mill.medium: the list says rs485"),
    "model": ("mill: {model: A1140", "mill: {model: A1700", "mill.model: the list says A1140"),
    "password": ("{env: MILL}", "{env: PUMP}", "mill.password: the list names another password"),
    "simulated password": ("{env: MILL}", "simulated", "mill.password: the list names another password"),
    "no meter": ("  mill:", "  mills:", 'has no device "mill"'),
}  # fmt: skip


@pytest.mark.parametrize("what", OTHERWISE)
def test_a_list_that_means_another_meter_is_refused_before_anything_is_sent(
    what: str, meter: MemoryMeter, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new, said = OTHERWISE[what]
    assert old in STATION
    Path("other.yaml").write_text(STATION.replace(old, new, 1), "utf-8")
    words = [] if what == "no meter" else ["--allow-destructive", "mill"]
    assert call(["handheld", "visit", "unit", "--station", "other.yaml", *words]) == 4
    told = capsys.readouterr().err
    assert said in told
    assert what == "no meter" or told.startswith("unit/load.hhu:2: mill.")
    assert "PUMP" not in told
    assert "MILL" not in told
    assert (meter.sessions, meter.written) == ([], [])
    assert read_records(Path("unit/visits.bud"), "BUD").records == ()


def test_a_serial_number_that_only_the_station_knows_is_compared_too(meter: MemoryMeter) -> None:
    meter.serial = "0000000000000007"
    assert visit() == 1
    assert "another serial number (798) answers than the station promises" in last_visit_of_the_mill()["result"]
    assert meter.written == []


# -- once --------------------------------------------------------------------------------------------------------------


def test_no_second_visit_programs_a_meter_again(meter: MemoryMeter, capsys: pytest.CaptureFixture[str]) -> None:
    assert visit() == 0
    written, count = list(meter.written), meter.log.count
    at = last_visit_of_the_mill()["at"]
    capsys.readouterr()
    assert visit() == 0
    assert f"scheme N/IGHT was programmed at {at} and is not once more" in capsys.readouterr().out
    assert last_visit_of_the_mill()["before"] == at
    assert call(["handheld", "unload", "unit", "office"]) == 0  # what is unloaded is not forgotten
    assert visit("mill") == 0
    assert (meter.written, meter.log.count) == (written, count)
    assert last_visit_of_the_mill()["result"] == "done"


def test_another_meter_in_its_place_is_programmed(meter: MemoryMeter) -> None:
    Path("lab.yaml").write_text(STATION.replace(', serial: "5074494"', ""), "utf-8")
    assert visit() == 0
    meter.objects |= {795: bytes(8), 878: bytes(3)}
    meter.serial = "0000000000000007"
    assert visit() == 0
    assert meter.objects[795] == b"N/IGHT  "
    assert sorted(path.name for path in Path("unit").glob("*.json")) == [
        "mill.before-N_IGHT.2.json", "mill.before-N_IGHT.json",
    ]  # fmt: skip


@pytest.mark.parametrize("last_act", ["mark", "put_by", "keep_visits"])
def test_a_unit_that_is_switched_off_right_after_a_programming_does_not_repeat_it(
    last_act: str, meter: MemoryMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SwitchedOffError(BaseException):
        """Nobody handles it."""

    def off(*_arguments: object) -> None:
        raise SwitchedOffError

    with monkeypatch.context() as patched:
        patched.setattr(Memory, last_act, off)
        with pytest.raises(SwitchedOffError):
            visit("mill")
    written, count = list(meter.written), meter.log.count
    assert written[-1] == (795, b"N/IGHT  ")
    assert visit("mill") == 0
    assert (meter.written, meter.log.count) == (written, count)
    assert last_visit_of_the_mill()["result"] == "done"
    assert [path.name for path in Path("unit").glob("*.json")] == ["mill.before-N_IGHT.json"]


# -- written down, and taken up again ----------------------------------------------------------------------------------


def test_every_write_stands_in_the_audit_before_it_is_sent(meter: MemoryMeter) -> None:
    audit = Path("ev/audit.jsonl")
    seen: list[int] = []
    write = meter.write_object

    def watched(armed: Armed, identity: int, data: bytes) -> None:
        seen.append(json.loads(audit.read_text("utf-8").splitlines()[-1])["facts"]["identity"])
        write(armed, identity, data)

    meter.write_object = watched  # type: ignore[method-assign]
    assert visit("--evidence", "ev") == 0
    assert seen == [number for number, _ in meter.written]
    assert [json.loads(line)["event"] for line in audit.read_text("utf-8").splitlines()][-1] == "verify"
    assert PASSWORD.encode() not in b"".join(path.read_bytes() for path in Path().rglob("*") if path.is_file())


def test_without_an_audit_nothing_is_written(meter: MemoryMeter, monkeypatch: pytest.MonkeyPatch) -> None:
    append: Callable[..., None] = Evidence._append

    def full(evidence: Evidence, name: str, rows: Iterable[Any], **more: Any) -> None:
        found = list(rows)
        if name == "audit.jsonl" and found[0]["event"] == "write":
            raise StationError(f"{name}: No space left on device")
        append(evidence, name, found, **more)

    monkeypatch.setattr(Evidence, "_append", full)
    assert visit("mill") == 1
    assert meter.written == []
    assert last_visit_of_the_mill()["result"].startswith("audit.jsonl: No space left on device; ")


def test_an_operator_who_breaks_off_is_told_and_the_next_visit_takes_it_up(
    meter: MemoryMeter, capsys: pytest.CaptureFixture[str]
) -> None:
    write = meter.write_object

    def interrupted(armed: Armed, identity: int, data: bytes) -> None:
        write(armed, identity, data)
        if identity == 616:
            raise KeyboardInterrupt

    meter.write_object = interrupted  # type: ignore[method-assign]
    assert visit("--evidence", "ev") == 130
    told = capsys.readouterr().err
    states = "new: transformers; old: demand, passwords; mixed: scheme"
    assert f"mill: scheme N/IGHT: interrupted by the operator; {states}; the next visit takes it up\n" in told
    record = last_visit_of_the_mill()
    assert (record["outcome"], record["result"]) == ("read", f"interrupted by the operator; {states}")
    assert record["sections"]["transformers"] == "new"
    meter.write_object = write  # type: ignore[method-assign]
    del meter.written[:]
    assert visit() == 0
    assert 616 not in {number for number, _ in meter.written}
    assert meter.objects[795] == b"N/IGHT  "


def test_a_meter_that_counts_wrongly_is_told_by_what_is_wrong(meter: MemoryMeter) -> None:
    meter.counts = 2
    assert visit() == 1
    assert re.match(r"programming counter went up by: 2, not 1 … 1", last_visit_of_the_mill()["result"])
    assert Path("unit/mill.snapshot.json").exists()


def test_a_user_whom_no_meter_keeps_is_refused_before_the_round(
    meter: MemoryMeter, capsys: pytest.CaptureFixture[str]
) -> None:
    assert visit("--user", "THIRTEENCHARS") == 4
    assert "is no user name for a meter: up to 12 ASCII characters" in capsys.readouterr().err
    assert meter.sessions == []


def nobody() -> str:
    raise KeyError("getpwuid(): uid not found: 4711")


@pytest.mark.parametrize("login", [lambda: "müller", nobody])
def test_who_only_reads_needs_no_user_name(
    login: Callable[[], str], meter: MemoryMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(getpass, "getuser", login)
    monkeypatch.delenv("METERBENCH_USER", raising=False)
    assert call(["handheld", "visit", "unit", "--read-only"]) == 0
    assert call(["handheld", "visit", "unit", "pump"]) == 0
    assert meter.written == []


def test_who_has_no_login_name_is_told_to_name_one(
    meter: MemoryMeter, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(getpass, "getuser", nobody)
    monkeypatch.delenv("METERBENCH_USER", raising=False)
    words = ["--allow-destructive", "mill"]
    for command in (["handheld", "visit", "unit"], ["scheme", "program", "night.yaml", "mill"]):
        assert call([*command, *words]) == 4
        assert capsys.readouterr().err == "whoever runs this has no login name; name one with --user\n"
    assert meter.sessions == []
    assert not Path("evidence").exists()


# -- the evidence says what the command says ---------------------------------------------------------------------------


def sealed() -> tuple[int, int, int]:
    """The exit code, the failed and the passed ones of the sealed evidence in `ev`."""
    found = json.loads(Path("ev/run.json").read_text("utf-8"))
    return found["exit"], found["scenarios"]["failed"], found["scenarios"]["passed"]


def measured() -> list[tuple[str, str, str, str]]:
    rows = [json.loads(line) for line in Path("ev/measurements.jsonl").read_text("utf-8").splitlines()]
    return [
        (row["device"], row["name"], row["value"] or row["note"], row["verdict"])
        for row in rows
        if row["name"] in {"visit", "programming"}
    ]


def test_a_meter_that_was_not_read_fails_the_evidence_too(meter: MemoryMeter) -> None:
    text = LIST.replace('medium: rs485, outstation: "095"', 'medium: rs485, outstation: "095", serial: "7"')
    Path("round.yaml").write_text(text, "utf-8")
    assert call(["handheld", "load", "unit", "round.yaml"]) == 0
    assert visit("--evidence", "ev") == 1
    assert sealed() == (1, 1, 0)
    strange = "pump: another serial number (798) answers than the list promises"
    assert measured() == [
        ("mill", "visit", "read", "pass"),
        ("mill", "programming", "done", "pass"),
        ("pump", "visit", strange, "fail"),
    ]


def test_a_programming_that_breaks_off_fails_the_evidence_too(meter: MemoryMeter) -> None:
    meter.refuse.add(616)
    assert visit("mill", "--evidence", "ev") == 1
    assert sealed() == (1, 1, 0)
    result = last_visit_of_the_mill()["result"]
    assert measured() == [("mill", "visit", "read", "pass"), ("mill", "programming", result, "fail")]


def test_a_programming_that_cannot_be_proved_is_not_done_and_the_next_visit_looks_again(
    meter: MemoryMeter, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unproved = "time in the programming log is out by: not determinable: a clock that can be read"
    with monkeypatch.context() as patched:
        patched.setattr(programming, "log_time", lambda *_arguments: None)
        assert visit("mill", "--evidence", "ev") == 5
    assert f"scheme N/IGHT NOT PROVED: {unproved}\n" in capsys.readouterr().out
    assert last_visit_of_the_mill()["result"] == unproved
    assert "undetermined" not in last_visit_of_the_mill()
    assert sealed()[0] == 5
    assert measured()[1:] == [("mill", "programming", unproved, "not_determinable")]
    written = list(meter.written)
    assert visit("mill") == 0
    assert last_visit_of_the_mill()["result"] == "done"
    assert meter.written == written
