"""Programming a meter of the station for the hand-held unit: as `scheme program` does it, with the unit's memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bench.errors import BenchError
from bench.handheld.memory import Memory
from bench.handheld.unit import DONE, Interrupted, Programmed, ProgramMeter
from bench.lists.model import MeterEntry
from bench.measurement import plain
from bench.scheme.plan import Plan
from bench.scheme.programming import Programming
from bench.scheme.report import SchemeReport, judge_scheme
from bench.scheme.snapshot import read_snapshot, write_snapshot
from bench.scheme.station import meter_of, wall_of
from bench.verdicts import Verdict

if TYPE_CHECKING:
    from bench.run import Scenario

REASON = "the hand-held unit programs a scheme"


def station_programmer(
    scenario: Scenario, memory: Memory, plans: Mapping[str, Plan], user: str, *, write_assumed: bool
) -> ProgramMeter:
    """Programs meters of the scenario's station by the names of the list.

    A unit that was switched off in the middle has kept the snapshot of that meter, and takes the programming up again.
    """

    def program(entry: MeterEntry) -> Programmed:
        armed = scenario.run.safety.arm(entry.name, REASON)
        plan, driver = plans[entry.name], meter_of(scenario, entry.name)
        if write_assumed:
            driver.write_assumed()
        scenario.device_trace(entry.name)
        path, reports = memory.snapshot(entry.name), list[SchemeReport]()
        resumed = read_snapshot(path) if path.exists() else None
        programming = Programming(
            driver, plan, armed=armed, journal=scenario.bench.journal, user=user,
            serial=entry.serial or scenario.bench.station.device(entry.name).serial,
            keep=lambda snapshot: write_snapshot(snapshot, path),
            resumed=resumed, wall=wall_of(scenario), on_report=reports.append,
        )  # fmt: skip
        try:
            report = programming.run()
        except BenchError as error:
            return _broken_off(reports[0], str(error))
        except KeyboardInterrupt:
            raise Interrupted(entry.name, _broken_off(reports[0], Interrupted.REASON)) from None
        if report.stopped:
            return _broken_off(report, report.stopped)
        if report.already and resumed is None:
            path.unlink(missing_ok=True)  # it says what the meter holds now
        wrong, unknown = _judged(report, scenario)
        return Programmed(
            plan.name, wrong or unknown or DONE, _states(report), undetermined=not wrong and unknown != ""
        )

    return program


def _broken_off(report: SchemeReport, reason: str) -> Programmed:
    told = report.told if report.written else "nothing was written"
    return Programmed(report.plan.name, f"{reason}; {told}", _states(report))


def _judged(report: SchemeReport, scenario: Scenario) -> tuple[str, str]:
    """What of the programming is not as it must be, and what nobody can tell; both empty if all is well."""
    measure = scenario.measure
    first = len(measure.records)
    judge_scheme(report, measure)
    made = measure.records[first:]
    wrong = [f"{m.name}: {plain(m.value)}, not {m.limits}" for m in made if m.verdict >= Verdict.INCONCLUSIVE]
    unknown = [f"{m.name}: {m.verdict.words}: {m.note}" for m in made if m.verdict is Verdict.NOT_DETERMINABLE]
    return "; ".join(wrong), "; ".join(unknown)


def _states(report: SchemeReport) -> dict[str, str]:
    return {name: state.value for name, state in report.sections.items()} if report.states else {}
