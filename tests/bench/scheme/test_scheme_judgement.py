"""What the programming log must say after a scheme was programmed: when, and who."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from memory_meter import NOON, MemoryMeter

from bench.errors import NoAnswer
from bench.measure import Measure, Measurement
from bench.procedures.journal import Journal
from bench.safety import Safety
from bench.scheme.load import scheme_from_text
from bench.scheme.plan import plan_of
from bench.scheme.programming import Programming
from bench.scheme.report import LogTime, SchemeReport, judge_scheme
from bench.station.load import station_from_text
from bench.verdicts import Verdict

SECOND = 1_000_000_000
STATION = """\
schema: 1
name: lab
links: {head: {type: sim, medium: optical}}
devices: {a1140: {model: A1140, link: head, protection: sacrificial}}
"""
SMALL = "scheme: 1\nid: SMALL\nversion: 1\nmodels: [A1140, A1700]\ndemand: {period: 15 min}\n"
TIME, USER = "time in the programming log is out by", "user in the programming log"
HOUR = timedelta(hours=1)


class Clock:
    virtual = True

    def now(self) -> int:
        return 0

    def sleep(self, duration: int) -> None:
        raise AssertionError(duration)


def programmed(meter: MemoryMeter) -> SchemeReport:
    armed = Safety(station_from_text(STATION, "s.yaml"), ["a1140"]).arm("a1140", "a test")
    plan = plan_of(scheme_from_text(SMALL, "small.yaml"), meter.model, {})
    return Programming(meter, plan, armed=armed, journal=Journal(Clock()), user="JDOE").run()


def judged(report: SchemeReport) -> dict[str, Measurement]:
    measure = Measure("test", lambda: 0)
    judge_scheme(report, measure)
    return {record.name: record for record in measure.records}


def dated(stamp: datetime | None, before: datetime, after: datetime, took: timedelta) -> Measurement:
    """The judgement of a stamp between two readings of the clock that lie so far apart on the bench."""
    report = programmed(MemoryMeter())
    assert report.log_after is not None
    report.log_after = replace(report.log_after, times=(stamp, *report.log_after.times[1:]))
    report.clock_before = LogTime(before, 0)
    report.clock_after = LogTime(after, int(took.total_seconds() * SECOND))
    return judged(report)[TIME]


@pytest.mark.parametrize(
    ("stamp", "after", "verdict", "value"),
    [
        (NOON + timedelta(minutes=1), NOON + timedelta(minutes=2), Verdict.PASS, 0),
        (NOON - timedelta(seconds=5), NOON + timedelta(minutes=2), Verdict.PASS, 5),
        (NOON - timedelta(seconds=6), NOON + timedelta(minutes=2), Verdict.FAIL, 6),
        (NOON + timedelta(seconds=126), NOON + timedelta(minutes=2), Verdict.FAIL, 6),
        (NOON.replace(hour=0), NOON + timedelta(minutes=2), Verdict.FAIL, 12 * 3600),
        # the scheme sets the clock an hour ahead: written before or after that
        (NOON + timedelta(minutes=1), NOON + HOUR + timedelta(minutes=2), Verdict.PASS, 0),
        (NOON + HOUR + timedelta(minutes=1), NOON + HOUR + timedelta(minutes=2), Verdict.PASS, 0),
        (NOON + HOUR / 2, NOON + HOUR + timedelta(minutes=2), Verdict.FAIL, 28 * 60),
    ],
)
def test_the_newest_entry_is_of_this_programming(
    stamp: datetime, after: datetime, verdict: Verdict, value: int
) -> None:
    found = dated(stamp, NOON, after, timedelta(minutes=2))
    assert (found.verdict, found.value) == (verdict, value)


def test_an_entry_without_a_time_is_a_failure() -> None:
    assert dated(None, NOON, NOON, timedelta(0)).verdict >= Verdict.INCONCLUSIVE


def test_nothing_of_the_log_is_left_without_a_verdict() -> None:
    found = judged(programmed(MemoryMeter()))
    assert {record.verdict for record in found.values()} == {Verdict.PASS}


def test_where_the_clock_is_not_read_the_time_is_not_determinable(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(_meter: MemoryMeter) -> datetime:
        raise NoAnswer("no clock", device="a1140")

    monkeypatch.setattr(MemoryMeter, "read_log_time", silent)
    monkeypatch.setattr(MemoryMeter, "_count", lambda *_: None)
    assert judged(programmed(MemoryMeter()))[TIME].verdict is Verdict.NOT_DETERMINABLE


def test_a_wrong_user_fails_and_none_is_no_question_where_a_model_keeps_none() -> None:
    assert judged(programmed(MemoryMeter(keeps_user=False)))[USER].verdict is Verdict.FAIL
    assert judged(programmed(MemoryMeter(model="A1700")))[USER].verdict is Verdict.NOT_APPLICABLE
