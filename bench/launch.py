"""What the plugin's hooks do once there is a scenario: begin the run, open and keep scenarios, end the run."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bench.characterisation.session import check_options, write_profile
from bench.errors import (
    BenchError,
    CallLost,
    DeviceError,
    Diverged,
    Exit,
    NotArmed,
    StationError,
    Undeterminable,
    UsageError,
)
from bench.evidence import ScenarioRecord
from bench.faults import check_faults, faults_by_link
from bench.host import check_defects
from bench.plugin import SCENARIO_FIXTURE
from bench.replay.rerun import (
    MATCHINGS,
    cannot_replay,
    compare,
    recorded_mistake,
    recorded_run,
    recorded_station,
    why_not,
)
from bench.reports import junit
from bench.run import Options, Run, Scenario, skipped
from bench.selection import WRITTEN
from bench.station import find_station, station_from_environment
from bench.station.quantities import DURATION, QuantityError
from bench.verdicts import Verdict

if TYPE_CHECKING:
    from _pytest._code import ExceptionInfo

    from bench.reports.run import Run as Recorded


class OutOfLimits(AssertionError):
    """Measurements of a scenario are out of their limits; the message is their table."""


def begin(config: pytest.Config) -> Run:
    """Begin the run that the options ask for.

    Raises:
        pytest.UsageError: what is asked for does not exist; pytest prints it in one line and ends with exit code 4.
    """
    if config.getoption("numprocesses", None) or hasattr(config, "workerinput"):
        raise pytest.UsageError(
            "scenarios share one station and one evidence folder: run them without -n (pytest-xdist)"
        )
    try:
        replay = _replayed(config)
        station = (
            recorded_station(replay, config.getoption("matching"))
            if replay is not None
            else find_station(config.getoption("station") or station_from_environment())
        )
        options = Options(
            allowed=tuple(config.getoption("allow_destructive")),
            evidence=config.getoption("evidence"),
            seed=config.getoption("seed"),
            defects=defects_by_device(config.getoption("defect")),
            mistake=config.getoption("mistake") or (recorded_mistake(replay) if replay is not None else None),
            replay=replay,
            faults=faults_by_link(config.getoption("fault")),
            argv=sys.argv,
            write_profile=config.getoption("write_profile"),
            overwrite_profile=config.getoption("overwrite_profile"),
            also_ask=tuple(config.getoption("also_ask")),
            watch_clock=watch_time(config.getoption("watch_clock")),
        )
        _check_mistake(options.mistake)
        chosen = station.select(config.getoption("device"))
        check_defects(chosen, dict(options.defects))
        check_options(chosen, options)
        check_faults(chosen, options.faults)
        run = Run(chosen, options)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
    except StationError as error:  # a disk that is full before the first scenario
        pytest.exit(str(error), returncode=Exit.STATION)
    config.pluginmanager.register(_Interruption(run), "meterbench-interruption")
    return run


def _replayed(config: pytest.Config) -> Recorded | None:
    folder, matching = config.getoption("replay"), config.getoption("matching")
    if folder is None:
        return None
    if config.getoption("station"):
        raise UsageError("--replay brings its own station; leave --station away")
    if matching not in MATCHINGS:
        raise UsageError(f"--matching is {' or '.join(MATCHINGS)}, not {matching!r}")
    return recorded_run(folder)


def skip_unrecorded(run: Run, items: list[pytest.Item]) -> None:
    """Skip, with the reason, what the run that is replayed has no wire of."""
    replay = run.options.replay
    if replay is None:
        return
    for item in items:
        never = cannot_replay(getattr(item, "fixturenames", ()))
        if never:
            run.unreplayable.add(item.nodeid)
        why = why_not(replay, item.nodeid) or never
        if why:
            item.add_marker(pytest.mark.skip(reason=why))


class _Interruption:
    """Tells an operator's Ctrl-C from a collection that failed: pytest ends both with the same exit code."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def pytest_keyboard_interrupt(self, excinfo: ExceptionInfo[BaseException]) -> None:
        self._run.interrupted = isinstance(excinfo.value, KeyboardInterrupt) and not isinstance(
            excinfo.value, pytest.Session.Interrupted
        )


def defects_by_device(words: list[str]) -> dict[str, list[str]]:
    """What stands behind --defect, by device.

    Raises:
        UsageError: a word that is not DEVICE:ID.
    """
    found: dict[str, list[str]] = {}
    for word in words:
        device, _, defect = word.partition(":")
        if not device or not defect:
            raise UsageError(f"--defect takes DEVICE:ID, not {word!r}")
        found.setdefault(device, []).append(defect)
    return found


def watch_time(text: str | None) -> int | None:
    """What stands behind --watch-clock in ns.

    Raises:
        UsageError: it is no duration.
    """
    try:
        return None if text is None else DURATION.parse(text)
    except QuantityError as error:
        raise UsageError(f"--watch-clock: {error}") from None


def _check_mistake(mistake: str | None) -> None:
    from bench.procedures.mistakes import operator_who  # noqa: PLC0415  # only for its check

    operator_who(mistake)


def refusal(run: Run, devices: Mapping[str, str], reason: str) -> str:
    """Why the keys do not allow a destructive scenario on the devices it was given; empty if they do."""
    written = next((devices[name] for name in WRITTEN if name in devices), None)
    if written is None or written not in run.station.devices:
        return ""
    try:
        run.safety.arm(written, reason)
    except NotArmed as error:
        return str(error)
    return ""


def open_scenario(run: Run, item: pytest.Item, devices: Mapping[str, str]) -> Scenario:
    """Open the bench of a scenario."""
    mark = item.get_closest_marker("destructive")
    needs = {name for found in item.iter_markers("needs") for name in found.args}
    return Scenario(run, item.nodeid, _title(item), str(mark.args[0]) if mark else None, devices.values(), needs)


def _title(item: pytest.Item) -> str:
    document = getattr(getattr(item, "function", None), "__doc__", None) or ""
    return document.strip().split("\n")[0]


def after_body(config: pytest.Config, scenario: Scenario, error: BaseException | None) -> None:
    """The body has ended: attach what was measured, and let the verdict fall.

    Raises:
        OutOfLimits: a measurement failed or is inconclusive and the body itself raised nothing.
    """
    measure = scenario.measure
    if isinstance(error, CallLost):  # neither what the meter did nor what it did not do can be told
        error = Undeterminable(str(error), "a call that holds")
    if isinstance(error, Undeterminable):
        measure.not_determinable(error.check, error.lacks)
    if config.pluginmanager.hasplugin("allure_pytest") and config.getoption("allure_report_dir", None):
        from bench.reports import allure  # noqa: PLC0415  # only with Allure, and it brings the mirror

        allure.attach(measure.records, list(scenario.traces.values()), scenario.steps(), *scenario.span,
                      broken_off=isinstance(error, DeviceError))  # fmt: skip
    if measure.worst >= Verdict.INCONCLUSIVE and (error is None or isinstance(error, Undeterminable)):
        raise OutOfLimits(measure.failure_text())  # what was found stands, also where no more could be found
    if isinstance(error, Undeterminable):
        pytest.skip(f"not determinable: {error}")
    undetermined = [m for m in measure.records if m.verdict is Verdict.NOT_DETERMINABLE]
    if error is None and undetermined and not measure.verified:
        pytest.skip(f"not determinable: {undetermined[0].name}: the station lacks {undetermined[0].note}")


def breakdown_behind(error: BaseException) -> StationError | None:
    """What broke of the station before a device could not be brought back: that one is not to blame, but told of."""
    behind = error.__context__ if isinstance(error, DeviceError) else None
    while behind is not None and not isinstance(behind, StationError):
        behind = behind.__context__
    return None if behind is None else type(behind)(f"{behind}; and then {error}")


def note_breakdown(run: Run, scenario: Scenario | None, error: BaseException) -> None:
    """Remember what broke of the station, so that further scenarios on that link are errors and not failures."""
    run.diverged |= isinstance(error, Diverged)
    if not isinstance(error, StationError):
        return
    if scenario is not None:
        scenario.broke(error)
    elif not run.broken:
        run.broken["station"] = str(error)


def in_words(excinfo: ExceptionInfo[BaseException]) -> str | None:
    """What a known error says, for the report; None for an error that needs its traceback."""
    error = excinfo.value
    if isinstance(error, OutOfLimits):
        return f"out of limits\n{error}"
    if isinstance(error, BenchError):
        kind = (
            "the station broke"
            if isinstance(error, StationError)
            else "the device"
            if isinstance(error, DeviceError)
            else "not as recorded"
            if isinstance(error, Diverged)
            else "refused"
        )
        return f"{kind}: {error}"
    return None


def keep(
    run: Run, item: pytest.Item, scenario: Scenario | None, reports: Mapping[str | None, pytest.TestReport]
) -> None:
    """Put a finished scenario into the evidence."""
    outcome, reason = _outcome(reports)
    run.current = None
    if scenario is None:
        if outcome == "skipped":
            run.keep(skipped(item.nodeid, _title(item), reason), [])
        elif outcome == "error" and SCENARIO_FIXTURE in getattr(item, "fixturenames", ()):
            run.keep(_never_opened(item, reason), [])
        return
    record = run.keep(scenario.record(outcome, reason), scenario.measure.flush())
    reports["teardown"].user_properties.extend(junit.scenario_properties(record))  # the report has a list of its own
    if outcome == "passed":
        run.exercised.update(scenario.needs)


def keep_or_stop(
    run: Run, item: pytest.Item, scenario: Scenario | None, reports: Mapping[str | None, pytest.TestReport]
) -> None:
    """The same; a disk that takes no more ends the session: what cannot be written down is not to be done."""
    try:
        keep(run, item, scenario, reports)
    except StationError as error:
        run.broken.setdefault("evidence", str(error))
        item.session.shouldfail = f"the station broke: {error}"


def _never_opened(item: pytest.Item, reason: str) -> ScenarioRecord:
    return replace(skipped(item.nodeid, _title(item), reason), outcome="error", verdict=Verdict.ERROR)


def _outcome(reports: Mapping[str | None, pytest.TestReport]) -> tuple[Any, str]:
    """The outcome of a scenario from its phases, and its reason in one text."""
    setup, call, teardown = (reports.get(phase) for phase in ("setup", "call", "teardown"))
    if setup is not None and setup.failed:
        return "error", _reason(setup)
    if teardown is not None and teardown.failed:
        return "error", _reason(teardown)
    last = call or setup
    assert last is not None
    if last.failed and str(last.longrepr).startswith("the station broke"):
        return "error", _reason(last)
    return last.outcome, "" if last.passed else _reason(last)


def _reason(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return report.longreprtext


def end(session: pytest.Session, run: Run, exitstatus: int) -> int:
    """End the run: its exit code, its evidence, the properties of the JUnit report."""
    if run.interrupted:
        _break_off(session, run)
    elif exitstatus == pytest.ExitCode.INTERRUPTED and not run.records:
        exitstatus = Exit.USAGE  # a file that cannot be collected: nothing ran
    code = run.verdict_of_run(exitstatus)
    if run.options.replay is not None and code not in (Exit.USAGE, Exit.INTERRUPTED):
        run.compared = compare(run.options.replay, run.records, run.measurements, run.unreplayable)
        code = run.compared.exit(code)
    try:
        run.profile_line = write_profile(run)
        run.close(code)
    except StationError as error:
        code = run.evidence.run["exit"] = Exit.STATION
        run.broken.setdefault("evidence", str(error))
    _junit_properties(session.config, run)
    if (results := session.config.getoption("allure_report_dir", None)) is not None:
        from bench.reports import allure  # noqa: PLC0415  # as above

        allure.write_environment(Path(results), run.evidence.run, run.evidence.seal)
    looked = _only_looks(session.config) and exitstatus == Exit.VERIFIED
    return exitstatus if run.interrupted or looked else int(code)


def _only_looks(config: pytest.Config) -> bool:
    """Whether the session only lists what it could run, as an editor asks it to; then there is no verdict."""
    return bool(config.getoption("collectonly"))


def _break_off(session: pytest.Session, run: Run) -> None:
    """Put the scenario that the operator broke off into the evidence, before that is sealed."""
    session._setupstate.teardown_exact(None)  # noqa: SLF001  # pytest does this too, but only after this hook
    if run.current is not None:
        run.current.finish()
        run.keep(run.current.interrupted(), run.current.measure.flush())


def _junit_properties(config: pytest.Config, run: Run) -> None:
    from _pytest.junitxml import xml_key  # noqa: PLC0415  # the only way to a suite's properties from a plugin

    xml = config.stash.get(xml_key, None)
    if xml is not None:
        for name, value in junit.suite_properties(run.evidence.run, run.evidence.seal):
            xml.add_global_property(name, value)


__all__ = [
    "Exit",
    "OutOfLimits",
    "after_body",
    "begin",
    "breakdown_behind",
    "end",
    "in_words",
    "keep",
    "keep_or_stop",
    "open_scenario",
    "refusal",
]
