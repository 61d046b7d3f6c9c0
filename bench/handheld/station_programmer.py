"""Programming a meter of the station for the hand-held unit: the scheme that it carries, with the three keys."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import BenchError
from bench.handheld.unit import Programmed, ProgramMeter
from bench.lists.model import MeterEntry
from bench.scheme.load import scheme_from_text
from bench.scheme.plan import plan_of
from bench.scheme.programming import Programming
from bench.scheme.report import SchemeReport, judge_scheme
from bench.scheme.snapshot import read_snapshot, write_snapshot
from bench.scheme.station import meter_of, refuse_assumed, wall_of
from bench.verdicts import Verdict

if TYPE_CHECKING:
    from bench.run import Scenario

REASON = "the hand-held unit programs a scheme"
DONE = "done"


def station_programmer(scenario: Scenario, user: str, *, write_assumed: bool) -> ProgramMeter:
    """Programs meters of the scenario's station by the names of the list.

    A unit that was switched off in the middle has kept the snapshot of that meter, and takes the programming up again.
    """

    def program(entry: MeterEntry, text: str, memory: Path) -> Programmed:
        assert entry.scheme is not None
        armed = scenario.run.safety.arm(entry.name, REASON)
        driver = meter_of(scenario, entry.name)
        scheme = scheme_from_text(text, entry.scheme)
        plan = plan_of(scheme, driver.model, os.environ)
        if scenario.run.kind == "real" and not write_assumed:
            refuse_assumed(plan, entry.name)
        if write_assumed:
            driver.write_assumed()
        path, reports = memory / f"{entry.name}.snapshot.json", list[SchemeReport]()
        programming = Programming(
            driver, plan, armed=armed, journal=scenario.bench.journal, user=user, serial=entry.serial,
            keep=lambda snapshot: write_snapshot(snapshot, path),
            resumed=read_snapshot(path) if path.exists() else None,
            wall=wall_of(scenario), on_report=reports.append,
        )  # fmt: skip
        try:
            report = programming.run()
        except BenchError as error:
            told = reports[0].told if reports[0].written else "nothing was written"
            return Programmed(scheme.id, f"{error}; {told}", _states(reports[0]))
        first = len(scenario.measure.records)
        judge_scheme(report, scenario.measure)
        worst = max((m.verdict for m in scenario.measure.records[first:]), default=Verdict.PASS)
        if report.stopped or worst >= Verdict.INCONCLUSIVE:
            return Programmed(scheme.id, report.stopped or worst.value, _states(report))
        if report.already:
            path.unlink(missing_ok=True)
        elif path.exists():
            path.replace(memory / f"{entry.name}.before-{scheme.id}.json")
        return Programmed(scheme.id, DONE, _states(report))

    return program


def _states(report: SchemeReport) -> dict[str, str]:
    return {name: state.value for name, state in report.sections.items()} if report.states else {}
