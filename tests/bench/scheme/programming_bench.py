"""A bench for programming a meter in memory: what it is given, and what comes of it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from memory_meter import NOON, MemoryMeter

from bench.measure import Measure
from bench.procedures.journal import Journal
from bench.safety import Safety
from bench.scheme.load import load_scheme, scheme_from_text
from bench.scheme.plan import Plan, plan_of
from bench.scheme.programming import Programming
from bench.scheme.report import SchemeReport, judge_scheme
from bench.scheme.snapshot import Snapshot
from bench.station import station_from_text
from bench.verdicts import Verdict

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
