"""Programming as a transaction: refused before the first write, read back, and never a silent mixture."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from memory_meter import NOON, MemoryMeter

from bench.errors import BenchError, NoAnswer, NotArmed, Refused, UsageError, WrongDevice
from bench.measure import Measure
from bench.procedures.journal import Journal
from bench.safety import Armed, Safety
from bench.scheme.load import load_scheme, scheme_from_text
from bench.scheme.model import UNFINISHED
from bench.scheme.plan import Plan, plan_of
from bench.scheme.programming import Programming, SchemeUnfinished
from bench.scheme.report import SchemeReport, State, judge_scheme
from bench.scheme.snapshot import Snapshot, read_snapshot, write_snapshot
from bench.station import station_from_text
from bench.verdicts import Verdict
from protocols.elster.configuration import layout

FIXTURES = Path(__file__).parents[3] / "fixtures" / "schemes"
PASSWORD = "SEKRET77"
ENVIRON = {"METER_PASSWORD_LEVEL_3": PASSWORD}
STATION = """\
schema: 1
name: lab
links: {line: {type: sim}}
devices:
  a1140: {model: PM850, link: line, address: 1, protection: sacrificial}
"""
SMALL = """\
scheme: 1
id: SMALL
version: 1
models: [A1140]
transformers: {ct: {primary: 200, secondary: 5}}
demand: {period: 30 min}
"""


class Clock:
    virtual = True

    def now(self) -> int:
        return 0

    def sleep(self, duration: int) -> None:
        raise AssertionError(duration)


class Bench:
    """What a programming is given, and what comes of it."""

    def __init__(self, meter: MemoryMeter) -> None:
        self.meter = meter
        self.audit: list[tuple[str, dict[str, Any]]] = []
        self.journal = Journal(Clock(), lambda event, **facts: self.audit.append((event, facts)))
        self.kept: list[Snapshot] = []
        self.reports: list[SchemeReport] = []

    def program(self, plan: Plan, **more: Any) -> SchemeReport:
        armed = Safety(station_from_text(STATION, "s.yaml"), ["a1140"]).arm("a1140", "a test")
        options: dict[str, Any] = {
            "armed": armed, "journal": self.journal, "user": "JDOE", "keep": self.kept.append,
            "wall": lambda: NOON.replace(hour=13), "on_report": self.reports.append,
        }  # fmt: skip
        return Programming(self.meter, plan, **{**options, **more}).run()

    def verdict(self, report: SchemeReport) -> Verdict:
        measure = Measure("test", lambda: 0)
        judge_scheme(report, measure)
        return measure.worst


def industrial() -> Plan:
    return plan_of(load_scheme(FIXTURES / "industrial.yaml", date(2026, 11, 21)), "A1140", ENVIRON)


def small() -> Plan:
    return plan_of(scheme_from_text(SMALL, "small.yaml"), "A1140", {})


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


# -- no silent mixture -------------------------------------------------------------------------------------------------


def total_bytes(plan: Plan) -> int:
    meter = MemoryMeter()
    Bench(meter).program(plan)
    return sum(len(data) for _, data in meter.written)


@pytest.mark.parametrize("step", [1, 37])
def test_a_cut_at_every_byte_leaves_the_old_scheme_the_new_one_or_says_what_is_mixed(step: int) -> None:
    plan = small() if step == 1 else industrial()
    for cut in range(1, total_bytes(plan), step):
        meter = MemoryMeter(objects={795: b"OLD     "}, budget=cut)
        before = dict(meter.objects)
        bench = Bench(meter)
        with pytest.raises(NoAnswer):
            bench.program(plan)
        report = bench.reports[0]
        assert report.silent
        assert "the meter does not answer" in report.told
        for write in (*plan.writes, plan.scheme_id):
            held, said = meter.objects[write.item.number], report.states[write.item.name]
            truth = {before[write.item.number]: State.OLD, write.data: State.NEW}.get(held, State.MIXED)
            assert said in {truth, State.UNKNOWN, State.SAME}, (cut, write.item.name)
        touched = [number for number, _ in meter.written if number != 576]
        complete = all(meter.objects[w.item.number] == w.data for w in plan.writes)
        if touched and not complete:
            assert meter.objects[795] not in {b"OLD     ", plan.scheme_id.data}, cut
        _resume_and_restore(meter, plan, bench.kept[0], before)


def _resume_and_restore(meter: MemoryMeter, plan: Plan, snapshot: Snapshot, before: dict[int, bytes]) -> None:
    left = dict(meter.objects)
    meter.revive()
    resumed = Bench(meter)
    report = resumed.program(plan, resumed=snapshot)
    assert {*report.sections.values()} <= {State.NEW, State.SAME}
    assert all(meter.objects[w.item.number] == w.data for w in (*plan.writes, plan.scheme_id))
    meter.objects.update(left)
    Bench(meter).program(snapshot.restoring(), restoring=snapshot)
    readable = [item.number for item in layout("A1140").items.values() if item.readable]
    assert {number: meter.objects[number] for number in readable} == {number: before[number] for number in readable}


def test_a_meter_that_answers_again_is_asked_what_it_holds() -> None:
    meter = MemoryMeter(budget=30)
    write = meter.write_object

    def restarting(armed: Armed, identity: int, data: bytes) -> None:
        try:
            write(armed, identity, data)
        except NoAnswer:
            meter.revive()
            meter.level = 0
            meter.refuse = {identity}
            raise

    meter.write_object = restarting  # type: ignore[method-assign]
    bench = Bench(meter)
    with pytest.raises(Refused):
        bench.program(industrial())
    report = bench.reports[0]
    assert not report.silent
    assert State.UNKNOWN not in {state for name, state in report.sections.items() if name != "passwords"}


def test_an_operator_who_breaks_off_is_told_what_was_in_flight() -> None:
    meter = MemoryMeter()
    write = meter.write_object

    def interrupted(armed: Armed, identity: int, data: bytes) -> None:
        write(armed, identity, data)
        if identity == 907:
            raise KeyboardInterrupt

    meter.write_object = interrupted  # type: ignore[method-assign]
    bench = Bench(meter)
    with pytest.raises(KeyboardInterrupt):
        bench.program(industrial())
    found = bench.reports[0].sections
    assert (found["tariff"], found["demand"], found["scheme"]) == (State.NEW, State.OLD, State.MIXED)
    assert bench.audit[-1][1]["reason"] == "interrupted by the operator"


def test_a_snapshot_of_another_meter_or_scheme_resumes_nothing() -> None:
    first, second = MemoryMeter(), MemoryMeter(serial="0000000000000001")
    bench = Bench(first)
    bench.program(small())
    with pytest.raises(UsageError, match="of another meter"):
        Bench(second).program(small(), resumed=bench.kept[0])
    with pytest.raises(UsageError, match="taken for scheme SMALL, not for IND-3T-2"):
        Bench(first).program(industrial(), resumed=bench.kept[0])
    with pytest.raises(UsageError, match="of another meter"):
        Bench(second).program(bench.kept[0].restoring(), restoring=bench.kept[0])


def test_a_scheme_that_lost_a_section_resumes_nothing() -> None:
    meter = MemoryMeter(budget=1_000)
    bench = Bench(meter)
    with pytest.raises(NoAnswer):
        bench.program(industrial())
    meter.revive()
    full, before = industrial(), list(meter.written)
    shorter = replace(full, writes=tuple(w for w in full.writes if w.item.section != "transformers"))
    with pytest.raises(UsageError, match=r"IND-3T-2 no longer has .*current_transformer"):
        Bench(meter).program(shorter, resumed=bench.kept[0])
    assert meter.written == before


# -- the snapshot file -------------------------------------------------------------------------------------------------


def kept(tmp_path: Path) -> tuple[Snapshot, Path]:
    bench = Bench(MemoryMeter())
    bench.program(industrial())
    path = tmp_path / "a1140.snapshot.json"
    write_snapshot(bench.kept[0], path)
    return bench.kept[0], path


def test_a_snapshot_goes_to_the_disk_and_comes_back(tmp_path: Path) -> None:
    snapshot, path = kept(tmp_path)
    assert read_snapshot(path) == snapshot
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    with pytest.raises(UsageError, match="exists already"):
        write_snapshot(snapshot, path)


def test_a_snapshot_that_was_changed_or_cut_is_refused(tmp_path: Path) -> None:
    _, path = kept(tmp_path)
    text = path.read_text("utf-8")
    for cut in range(0, len(text) - 1, 97):
        path.write_text(text[:cut], "utf-8")
        with pytest.raises(UsageError):
            read_snapshot(path)
    content = json.loads(text)
    content["objects"]["demand_period"] = "090901"
    path.write_text(json.dumps(content), "utf-8")
    with pytest.raises(UsageError, match="was changed since it was written"):
        read_snapshot(path)


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
    _, path = kept(tmp_path)
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


# -- visits that are lost ----------------------------------------------------------------------------------------------


def losing(meter: MemoryMeter, number: int, takes_back: dict[int, bytes]) -> None:
    """At the first write of an identity the visit is lost, and with it what was not saved yet."""
    write, lost = meter.write_object, [number]

    def written(armed: Armed, identity: int, data: bytes) -> None:
        if identity in lost:
            lost.remove(identity)
            meter.objects.update(takes_back)
            meter.level = -1
            meter.sessions.append((0, "lost"))
            raise NoAnswer("no answer", device="a1140")
        write(armed, identity, data)

    meter.write_object = written  # type: ignore[method-assign]
    read = meter.read_object

    def reading(identity: int, size: int) -> bytes:
        meter.level = max(0, meter.level)  # a driver signs on again to read
        return read(identity, size)

    meter.read_object = reading  # type: ignore[method-assign]


@pytest.mark.parametrize("before", ["OLD     ", "SMALL   "])
def test_a_mark_that_was_lost_with_its_visit_is_put_back_before_anything_else(before: str) -> None:
    meter = MemoryMeter(objects={795: before.encode()})
    losing(meter, 616, {795: before.encode()})
    bench = Bench(meter)
    report = bench.program(small())
    assert [(n, d) for n, d in meter.written if n in {576, 795}] == [
        (576, b"JDOE        "), (795, b"*PARTIAL"), (576, b"JDOE        "), (795, b"*PARTIAL"), (795, b"SMALL   "),
    ]  # fmt: skip
    assert [number for number, _ in meter.written].index(616) > 3
    assert (report.visits, report.tried) == (2, 2)
    assert bench.verdict(report) is Verdict.PASS


def test_what_a_lost_visit_took_back_is_written_again_before_the_scheme_id() -> None:
    meter = MemoryMeter(objects={795: b"OLD     "})
    losing(meter, 878, {616: bytes(8)})
    report = Bench(meter).program(small())
    assert [number for number, _ in meter.written] == [576, 795, 616, 576, 878, 616, 795]
    assert report.unconfirmed == ["demand_period"]
    assert set(report.sections.values()) == {State.NEW}


def test_a_password_that_was_not_kept_stops_it() -> None:
    meter = MemoryMeter()
    meter.takes_password = lambda _password: False  # type: ignore[method-assign]
    bench = Bench(meter)
    report = bench.program(industrial())
    assert report.stopped == "password 3: taken, and not kept"
    assert (report.sections["passwords"], bench.verdict(report)) == (State.UNKNOWN, Verdict.FAIL)
    assert bench.audit[-1][0] == "stopped"


def test_a_scheme_id_that_was_not_kept_stops_it() -> None:
    meter = MemoryMeter(objects={795: b"OLD     "})
    log_out = meter.log_out

    def forgetful() -> None:
        log_out()
        if meter.objects[795] == b"SMALL   ":
            meter.objects[795] = b"*PARTIAL"

    meter.log_out = forgetful  # type: ignore[method-assign]
    report = Bench(meter).program(small())
    assert (report.stopped, report.sections["scheme"]) == ("scheme id: taken, and not kept", State.MIXED)


def test_who_resumes_is_told_first_what_each_section_holds() -> None:
    meter = MemoryMeter(objects={795: b"OLD     "}, refuse={878})
    bench = Bench(meter)
    with pytest.raises(Refused):
        bench.program(small())
    meter.refuse.clear()
    report = Bench(meter).program(small(), resumed=bench.kept[0])
    assert report.found == {"transformers": State.NEW, "demand": State.OLD, "scheme": State.MIXED}


def test_who_resumes_knows_the_new_password_too() -> None:
    meter = MemoryMeter(objects={795: b"OLD     "}, refuse={861})
    bench = Bench(meter)
    with pytest.raises(Refused):
        bench.program(industrial())
    meter.refuse.clear()
    meter.expected = None
    found = Bench(meter).program(industrial(), resumed=bench.kept[0]).found
    assert meter.expected == PASSWORD.encode()
    assert found["passwords"] is State.UNKNOWN
