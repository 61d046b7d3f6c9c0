"""A programming that is broken off is never a silent mixture, and is resumed, restored or told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from memory_meter import MemoryMeter
from programming_bench import PASSWORD, SMALL, Bench, industrial, small

from bench.errors import NoAnswer, Refused, UsageError
from bench.safety import Armed
from bench.scheme.load import scheme_from_text
from bench.scheme.plan import Plan, plan_of
from bench.scheme.programming import SchemeUnfinished
from bench.scheme.report import State
from bench.scheme.snapshot import Snapshot, read_snapshot, write_snapshot
from bench.verdicts import Verdict
from protocols.elster.configuration import layout

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


# -- killed after the last write ---------------------------------------------------------------------------------------


def killed_at_the_end(meter: MemoryMeter) -> Snapshot:
    """The scheme is in the meter whole, and whoever programmed it is not there any more to say so."""
    bench = Bench(meter)
    bench.program(industrial())
    del meter.written[:]
    return bench.kept[0]


def test_who_resumes_after_the_last_write_programs_nothing_a_second_time() -> None:
    meter = MemoryMeter(objects={795: b"OLD     "})
    snapshot, count = killed_at_the_end(meter), meter.log.count
    bench = Bench(meter)
    report = bench.program(industrial(), resumed=snapshot)
    assert (report.already, meter.written, meter.log.count) == (True, [], count)
    assert set(report.sections.values()) <= {State.NEW, State.SAME}
    assert bench.verdict(report) is Verdict.PASS


def test_who_resumes_writes_a_password_that_was_not_kept() -> None:
    meter = MemoryMeter(objects={795: b"OLD     "})
    snapshot = killed_at_the_end(meter)
    meter.objects[933] = b"00000000"
    report = Bench(meter).program(industrial(), resumed=snapshot)
    assert [number for number, _ in meter.written if number not in {576, 795, 861}] == [933]
    assert set(report.sections.values()) <= {State.NEW, State.SAME}


def test_a_snapshot_of_what_the_meter_holds_now_says_nothing_of_its_clock_and_passwords() -> None:
    meter = MemoryMeter(objects={795: b"OLD     "})
    killed_at_the_end(meter)
    bench = Bench(meter)
    bench.program(industrial())
    del meter.written[:]
    Bench(meter).program(industrial(), resumed=bench.kept[0])
    assert {number for number, _ in meter.written} == {576, 795, 861, 933}


# -- two at once -------------------------------------------------------------------------------------------------------


def test_somebody_else_who_programs_in_between_is_told_with_what_is_his() -> None:
    meter = MemoryMeter(objects={795: b"OLD     "})
    Bench(meter).program(small())
    other = plan_of(scheme_from_text(SMALL.replace("SMALL", "OTHER").replace("200", "300"), "o.yaml"), "A1140", {})
    mine = plan_of(scheme_from_text(SMALL.replace("SMALL", "MINE").replace("30 min", "15 min"), "m.yaml"), "A1140", {})
    bench = Bench(meter)
    report = bench.program(mine, keep=lambda _snapshot: Bench(meter).program(other))
    assert report.stopped == "current transformer: written by somebody else while this scheme was programmed"
    assert report.sections == {"transformers": State.MIXED, "demand": State.NEW, "scheme": State.NEW}
    assert bench.verdict(report) is Verdict.FAIL
    assert bench.audit[-1][0] == "stopped"


def test_who_comes_while_a_scheme_is_written_is_refused() -> None:
    meter = MemoryMeter(objects={795: b"OLD     "})
    write, came = meter.write_object, list[str]()

    def joined(armed: Armed, identity: int, data: bytes) -> None:
        write(armed, identity, data)
        if identity == 616 and not came:
            came.append("another")
            with pytest.raises(SchemeUnfinished):
                Bench(meter).program(industrial())
            meter.level = 3  # whoever was at it signs on again

    meter.write_object = joined  # type: ignore[method-assign]
    report = Bench(meter).program(small())
    assert set(report.sections.values()) == {State.NEW}
    assert meter.objects[795] == b"SMALL   "
