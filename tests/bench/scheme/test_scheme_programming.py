"""Programming as a transaction: refused before the first write, written, read back."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from memory_meter import MemoryMeter
from programming_bench import FIXTURES, PASSWORD, SMALL, Bench, industrial, small

from bench.errors import BenchError, NoAnswer, NotArmed, Refused, UsageError, WrongDevice
from bench.safety import Armed
from bench.scheme.load import load_scheme, scheme_from_text
from bench.scheme.model import UNFINISHED
from bench.scheme.plan import plan_of
from bench.scheme.programming import SchemeUnfinished
from bench.scheme.report import State
from bench.scheme.snapshot import Snapshot, read_snapshot, write_snapshot
from bench.verdicts import Verdict


def test_a_scheme_is_written_section_by_section_and_its_id_last() -> None:
    meter = MemoryMeter()
    bench = Bench(meter)
    report = bench.program(industrial())
    assert [number for number, _ in meter.written][:2] == [576, 795]
    assert meter.written[0] == (576, b"JDOE        ")
    assert meter.written[1] == (795, b"*PARTIAL")
    assert meter.written[-1] == (795, b"IND-3T-2")
    assert meter.objects[616].hex() == "0000020000050000"
    assert meter.objects[933] == PASSWORD.encode()
    assert set(report.sections.values()) == {State.NEW}
    assert report.log_after is not None
    assert report.log_after.count == 0  # 65535 rolls over
    assert bench.verdict(report) is Verdict.PASS
    assert [event for event, _ in bench.audit][:3] == ["snapshot", "program", "write"]
    assert bench.audit[-1][0] == "verify"


def test_what_stands_there_already_is_not_written_again() -> None:
    meter = MemoryMeter()
    bench = Bench(meter)
    bench.program(small())
    count = meter.log.count
    del meter.written[:]
    again = bench.program(small())
    assert (again.already, again.written, meter.written, meter.log.count) == (True, False, [], count)
    assert bench.verdict(again) is Verdict.PASS


def test_only_what_differs_is_written() -> None:
    meter = MemoryMeter()
    bench = Bench(meter)
    bench.program(small())
    del meter.written[:]
    report = bench.program(plan_of(scheme_from_text(SMALL.replace("30 min", "15 min"), "s.yaml"), "A1140", {}))
    assert [number for number, _ in meter.written] == [576, 795, 878, 795]
    assert report.sections == {"transformers": State.SAME, "demand": State.NEW, "scheme": State.SAME}


# -- refused before the first write ------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[Callable[[MemoryMeter], None], dict[str, Any], type[BenchError], str]] = {
    "another serial number": (lambda m: m.mute.clear(), {"serial": "5074495"}, WrongDevice, "another serial number"),
    "another model": (lambda m: setattr(m, "answers_as", "A1700"), {}, WrongDevice, "an A1700 answers"),
    "nobody there": (lambda m: setattr(m, "dead", True), {}, NoAnswer, "no answer"),
    "broken off before": (
        lambda m: m.objects.update({795: UNFINISHED.encode()}),
        {},
        SchemeUnfinished,
        "an earlier programming was broken off; resume it with --resume SNAPSHOT",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_meter_is_refused_before_anything_is_written(name: str) -> None:
    prepare, options, error, said = REFUSED[name]
    meter = MemoryMeter()
    prepare(meter)
    before = dict(meter.objects)
    with pytest.raises(error, match=said):
        Bench(meter).program(industrial(), **options)
    assert (meter.written, meter.objects) == ([], before)


def test_a_serial_number_is_compared_without_its_padding() -> None:
    assert Bench(MemoryMeter()).program(small(), serial="5074494").written


def test_a_scheme_for_another_firmware_is_refused_before_logging_in() -> None:
    meter = MemoryMeter()
    text = SMALL.replace("models: [A1140]", 'models: [A1140]\nfirmware: ["13.*"]')
    with pytest.raises(UsageError, match=r"scheme SMALL is for firmware 13\.\*; a1140 has 12\.07"):
        Bench(meter).program(plan_of(scheme_from_text(text, "s.yaml"), "A1140", {}))
    assert (meter.written, meter.sessions) == ([], [])


def test_a_scheme_for_another_model_has_no_plan() -> None:
    with pytest.raises(UsageError, match=r"s\.yaml:4: scheme SMALL is for A1140, not for an A1700"):
        plan_of(scheme_from_text(SMALL, "s.yaml"), "A1700", {})


def test_the_permission_is_for_one_device(monkeypatch: pytest.MonkeyPatch) -> None:
    meter = MemoryMeter(name="other")
    with pytest.raises(NotArmed):
        Bench(meter).program(small())
    assert meter.sessions == []


def test_the_snapshot_is_on_the_disk_before_the_first_write() -> None:
    meter = MemoryMeter()

    def full(_snapshot: Snapshot) -> None:
        raise UsageError("the disk is full")

    with pytest.raises(UsageError, match="the disk is full"):
        Bench(meter).program(industrial(), keep=full)
    assert meter.written == []


# -- what goes wrong on the way ----------------------------------------------------------------------------------------


def test_a_write_that_was_taken_and_not_answered_is_read_and_not_repeated() -> None:
    meter = MemoryMeter(mute={906})
    bench = Bench(meter)
    report = bench.program(industrial())
    assert report.unconfirmed == ["tariff_day_types"]
    assert [number for number, _ in meter.written].count(906) == 1
    assert bench.verdict(report) is Verdict.PASS


def test_a_write_that_was_lost_is_read_and_then_repeated_once() -> None:
    meter = MemoryMeter()
    write, lost = meter.write_object, [906]

    def lossy(armed: Armed, identity: int, data: bytes) -> None:
        if identity in lost:
            lost.remove(identity)
            raise NoAnswer("no answer", device="a1140")
        write(armed, identity, data)

    meter.write_object = lossy  # type: ignore[method-assign]
    reads: list[int] = []
    read = meter.read_object
    meter.read_object = lambda i, s: (reads.append(i), read(i, s))[1]  # type: ignore[method-assign,func-returns-value]
    bench = Bench(meter)
    assert bench.verdict(bench.program(industrial())) is Verdict.PASS
    assert reads.count(906) == 3  # for the snapshot, before it is repeated, after it


def test_a_meter_that_reads_back_otherwise_is_stopped_with_its_id_still_saying_so() -> None:
    meter = MemoryMeter()
    meter.lies[878] = lambda data: data if not any(data) else bytes([data[0], data[1], 9])
    bench = Bench(meter)
    report = bench.program(small())
    assert report.stopped == "demand_period (878) reads back otherwise than written"
    assert meter.objects[795] == b"*PARTIAL"
    assert report.sections["demand"] is State.MIXED
    assert bench.verdict(report) is Verdict.FAIL
    assert "stopped" in [event for event, _ in bench.audit]


def test_a_refused_section_leaves_a_report_of_what_is_old_and_what_is_new() -> None:
    meter = MemoryMeter(refuse={878})
    bench = Bench(meter)
    with pytest.raises(Refused):
        bench.program(industrial())
    found = bench.reports[0].sections
    assert (found["transformers"], found["tariff"], found["demand"], found["display"]) == (
        State.NEW, State.NEW, State.OLD, State.OLD,
    )  # fmt: skip
    assert bench.audit[-1][0] == "broken off"
    assert "new: transformers, sources, tariff; old: demand" in bench.audit[-1][1]["state"]
    assert meter.objects[795] == b"*PARTIAL"


@pytest.mark.parametrize(("counts", "keeps"), [(0, True), (2, True), (1, False)])
def test_a_meter_that_counts_or_names_wrongly_fails(counts: int, keeps: bool) -> None:
    bench = Bench(MemoryMeter(counts=counts, keeps_user=keeps))
    report = bench.program(small())
    assert set(report.sections.values()) == {State.NEW}
    assert bench.verdict(report) is Verdict.FAIL


def test_a_log_that_forgets_the_wrong_time_fails() -> None:
    meter = MemoryMeter()
    bench = Bench(meter)
    bench.program(small())
    count = meter._count

    def forgetful(identity: int, data: bytes) -> None:
        before = meter.log
        count(identity, data)
        if meter.log != before:
            meter.log = replace(meter.log, times=(meter.log.times[0], None, before.times[0]))

    meter._count = forgetful  # type: ignore[method-assign]
    report = bench.program(plan_of(scheme_from_text(SMALL.replace("30 min", "15 min"), "s.yaml"), "A1140", {}))
    assert bench.verdict(report) is Verdict.FAIL


def test_a_clock_that_does_not_take_the_time_stops_it() -> None:
    meter = MemoryMeter()
    meter.lies[861] = lambda _data: bytes.fromhex("00001221110026")
    bench = Bench(meter)
    report = bench.program(industrial())
    assert report.stopped == "the clock was set and reads 2026-11-21 12:00:00 where 2026-11-21 13:00:00 belongs"
    assert bench.verdict(report) is Verdict.FAIL


# -- secrets -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", ["[" * 20_000, " " * (1 << 20) + "{}"])
def test_a_file_that_is_too_deep_or_too_large_is_no_snapshot(tmp_path: Path, content: str) -> None:
    path = tmp_path / "deep.json"
    path.write_text(content)
    with pytest.raises(UsageError, match="snapshot"):
        read_snapshot(path)


def test_a_device_that_never_ends_is_no_snapshot() -> None:
    with pytest.raises(UsageError, match="larger than"):
        read_snapshot(Path("/dev/zero"))


def test_a_password_stands_in_no_audit_no_report_no_snapshot_and_no_error(tmp_path: Path) -> None:
    secret = re.compile("|".join([PASSWORD, PASSWORD.encode().hex(), PASSWORD.encode().hex().upper()]))
    for meter in (MemoryMeter(), MemoryMeter(refuse={933}), MemoryMeter(mute={933})):
        bench = Bench(meter)
        try:
            bench.program(industrial())
            error = ""
        except BenchError as broke:
            error = f"{broke}{broke!r}"
        assert any(number == 933 for number, _ in meter.written) or meter.refuse
        seen = "\n".join([repr(bench.audit), repr(bench.reports), repr(bench.kept), error, repr(industrial())])
        assert not secret.search(seen)
    path = tmp_path / "a1140.snapshot.json"
    write_snapshot(bench.kept[0], path)
    assert not secret.search(path.read_text("utf-8"))


@pytest.mark.parametrize("password", ["", "SEKRET7", "SEKRET778", "SEKRÄT77"])
def test_a_missing_or_wrong_password_is_told_by_its_level(password: str) -> None:
    scheme = load_scheme(FIXTURES / "industrial.yaml")
    with pytest.raises(UsageError) as refused:
        plan_of(scheme, "A1140", {"METER_PASSWORD_LEVEL_3": password})
    assert re.search(r"industrial\.yaml:\d+: .*(level 3|passwords\.3)", str(refused.value))
    assert not password or password not in str(refused.value)


def test_a_scheme_that_sets_the_clock_needs_a_clock() -> None:
    with pytest.raises(UsageError, match="sets the clock"):
        Bench(MemoryMeter()).program(industrial(), wall=None)


def test_the_clock_is_set_to_the_time_that_was_given() -> None:
    meter = MemoryMeter()
    Bench(meter).program(industrial(), wall=lambda: datetime(2026, 11, 21, 13, 0, 1, 900))  # noqa: DTZ001
    assert meter.objects[861].hex() == "01001321110026"
