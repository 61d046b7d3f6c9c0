"""The pytest plugin: options, markers, hooks and fixtures, nothing else. What they do is in `bench.run` and below.

A session without scenarios pays for this module only: everything it needs is imported when the first scenario is there.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from bench.bench import Bench
    from bench.characterisation.finding import Profile
    from bench.clock import Clock
    from bench.control import Loads, Supplies
    from bench.disturbances import Disturbances
    from bench.drivers.powerlogic import PowerLogic, Series
    from bench.measure import Measure
    from bench.procedures.head_end import HeadEnd
    from bench.procedures.operator import Operator
    from bench.run import Run, Scenario
    from bench.station import Station

RUN: pytest.StashKey[Run] = pytest.StashKey()
USAGE: pytest.StashKey[pytest.UsageError] = pytest.StashKey()
SCENARIO: pytest.StashKey[Scenario] = pytest.StashKey()
REPORTS: pytest.StashKey[dict[str | None, pytest.TestReport]] = pytest.StashKey()
#: What every scenario depends on, directly or not.
SCENARIO_FIXTURE = "bench_scenario"
_DEVICE_FIXTURES = ("old", "new", "unfit", "meter", "target")
_MARKERS = (
    "destructive(reason): writes to a device; runs only with the three keys (bench/safety.py)",
    "needs(*capabilities): skipped, with a reason, on a device or station that lacks one",
    "catches(*ids): defects and mistakes that must make this scenario fail",
    "hardware: asks what only a real meter can answer; runs when its file, its folder or -m hardware asks for it",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a run."""
    group = parser.getgroup("meterbench")
    group.addoption("--station", metavar="sim|FILE", help="run scenarios on this station (default: sim)")
    group.addoption("--device", action="append", default=[], metavar="ID", help="only these devices of the station")
    group.addoption("--allow-destructive", action="append", default=[], metavar="ID",
                    help="third key: this sacrificial device may be overwritten")  # fmt: skip
    group.addoption("--evidence", type=Path, metavar="DIR", help="write the evidence of the run to this new folder")
    group.addoption("--seed", type=int, default=0, metavar="N", help="seed of the simulated side (default: 0)")
    group.addoption("--defect", action="append", default=[], metavar="DEVICE:ID",
                    help="switch a firmware defect of a simulated device on")  # fmt: skip
    group.addoption("--replay", type=Path, metavar="DIR", help="replay the wire of this earlier run's evidence")
    group.addoption("--matching", default="strict", metavar="strict|lenient", help="how a replay matches requests")
    group.addoption("--fault", action="append", default=[], metavar="LINK:FAULT",
                    help="put a line fault on a simulated link: bus:drop, 'bus:drop(p=5%%)'")  # fmt: skip
    group.addoption("--mistake", metavar="ID", help="let the operator make a mistake")
    group.addoption("--write-profile", type=Path, metavar="FILE", help="write what was found out about one meter")
    group.addoption("--overwrite-profile", action="store_true", help="replace the file of --write-profile")
    group.addoption("--also-ask", action="append", default=[], metavar="NAME",
                    help="ask a question that could lock the meter or reach its neighbours")  # fmt: skip
    group.addoption("--watch-clock", metavar="DURATION", help="how long to watch the clock of a meter, as in '8 h'")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers; open the run if a station is named, so that a mistake in its file ends it here."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    if config.getoption("station") or config.getoption("evidence") or config.getoption("replay"):
        _run(config)


def _run(config: pytest.Config) -> Run:
    """The run of this session, begun when it is first asked for."""
    if RUN not in config.stash:
        from bench.launch import begin  # noqa: PLC0415  # a session without scenarios does not pay for it

        config.stash[RUN] = begin(config)
    return config.stash[RUN]


# -- collection ------------------------------------------------------------------------------------------------------


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a scenario once for each device, or pair of devices, of the station that it is about."""
    # Somebody else's argument of that name, or their own values for ours, are none of our business.
    given = {name for mark in metafunc.definition.iter_markers("parametrize") for name in _names(mark.args[0])}
    wanted = [name for name in metafunc.fixturenames if name not in given]
    if SCENARIO_FIXTURE not in wanted or not any(name in wanted for name in _DEVICE_FIXTURES):
        return
    from bench.selection import choices  # noqa: PLC0415  # as above

    try:
        run = _run(metafunc.config)
    except pytest.UsageError as error:  # raised here, pytest would take it for a broken file of scenarios
        metafunc.config.stash[USAGE] = error
        return
    needs = [name for mark in metafunc.definition.iter_markers("needs") for name in mark.args]
    names, found = choices(run.station, wanted, needs)
    values = [
        pytest.param(
            *choice.devices.values(), id=choice.id, marks=[pytest.mark.skip(reason=choice.skip)] if choice.skip else []
        )
        for choice in found
    ]
    metafunc.parametrize(names, values, indirect=True)


def _names(argument: str | Iterable[str]) -> list[str]:
    """The argument names of a parametrize mark, written in either of its two ways."""
    return [name.strip() for name in argument.split(",")] if isinstance(argument, str) else list(argument)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what must be asked for, and skip, with the reason, what the three keys do not allow."""
    if USAGE in config.stash:
        raise config.stash[USAGE]
    left_out = [item for item in items if _must_be_asked_for(item) and not _asked_for(config, item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    if config.getoption("replay"):
        from bench.launch import skip_unrecorded  # noqa: PLC0415  # only for a replay

        skip_unrecorded(_run(config), [i for i in items if SCENARIO_FIXTURE in getattr(i, "fixturenames", ())])
    for item in items:
        mark = item.get_closest_marker("destructive")
        if mark is None or SCENARIO_FIXTURE not in getattr(item, "fixturenames", ()):
            continue
        from bench.launch import refusal  # noqa: PLC0415  # as above

        why = refusal(_run(config), _devices(item), str(mark.args[0]))
        if why:
            item.add_marker(pytest.mark.skip(reason=why))


def _must_be_asked_for(item: pytest.Item) -> bool:
    """Whether it is a hardware scenario; what others mark so is none of our business."""
    return SCENARIO_FIXTURE in getattr(item, "fixturenames", ()) and item.get_closest_marker("hardware") is not None


def _asked_for(config: pytest.Config, item: pytest.Item) -> bool:
    """Whether the command line names a hardware scenario by its mark, its file or its folder."""
    if "hardware" in config.option.markexpr:
        return True
    if config.args_source is not config.ArgsSource.ARGS:  # the current folder, or testpaths: nobody named it
        return False
    named = {(config.invocation_params.dir / word.partition("::")[0]).resolve() for word in config.args}
    return not named.isdisjoint((item.path, item.path.parent))


def _devices(item: pytest.Item) -> dict[str, str]:
    params = getattr(getattr(item, "callspec", None), "params", {})
    return {name: params[name] for name in _DEVICE_FIXTURES if name in params}


# -- running ---------------------------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Let the verdict fall when the body has ended: a device's bad answer is a verdict and not a traceback."""
    if SCENARIO not in item.stash:
        return (yield)
    from bench.launch import after_body, breakdown_behind  # noqa: PLC0415  # as above

    try:
        result = yield
    except BaseException as error:
        breakdown = breakdown_behind(error)
        after_body(item.config, item.stash[SCENARIO], breakdown or error)
        if breakdown is not None:
            raise breakdown from None
        raise
    after_body(item.config, item.stash[SCENARIO], None)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, pytest.TestReport]:
    """Say what happened in one line where the bench knows it, and put the finished scenario into the evidence."""
    report: pytest.TestReport = yield
    if RUN not in item.config.stash:
        return report
    from bench.launch import in_words, keep_or_stop, note_breakdown  # noqa: PLC0415  # as above

    if call.excinfo is not None:
        note_breakdown(item.config.stash[RUN], item.stash.get(SCENARIO, None), call.excinfo.value)
    if call.excinfo is not None and report.failed:
        report.longrepr = in_words(call.excinfo) or report.longrepr
    reports = item.stash.setdefault(REPORTS, {})
    reports[report.when] = report
    if report.when == "teardown":
        keep_or_stop(item.config.stash[RUN], item, item.stash.get(SCENARIO, None), reports)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Close the run: evidence, JUnit properties, exit code."""
    if RUN in session.config.stash:
        from bench.launch import end  # noqa: PLC0415  # as above

        session.exitstatus = end(session, session.config.stash[RUN], int(exitstatus))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Give everything back if the session never got as far as its end."""
    if RUN in config.stash:
        config.stash[RUN].abandon()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show the verdict table."""
    if RUN in config.stash:
        from bench.closing import summary  # noqa: PLC0415  # as above

        summary(terminalreporter, config.stash[RUN], looks_only=bool(config.getoption("collectonly")))


# -- fixtures --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def station(pytestconfig: pytest.Config) -> Station:
    """The station of the run."""
    return _run(pytestconfig).station


@pytest.fixture
def bench_scenario(request: pytest.FixtureRequest) -> Generator[Scenario, None, None]:
    """This scenario, for the other fixtures."""
    from bench.launch import open_scenario  # noqa: PLC0415  # as above

    item = request.node
    scenario = open_scenario(_run(request.config), item, _devices(item))
    item.stash[SCENARIO] = scenario
    try:
        yield scenario
    finally:
        scenario.finish()


@pytest.fixture
def bench(bench_scenario: Scenario) -> Bench:
    """The bench of this scenario: in virtual time a world of its own."""
    return bench_scenario.bench


@pytest.fixture
def measure(bench_scenario: Scenario) -> Measure:
    """Takes a value and judges it; the scenario goes on."""
    return bench_scenario.measure


def _device(bench: Bench, request: pytest.FixtureRequest) -> Any:
    driver = bench.device(request.param)
    request.node.stash[SCENARIO].device_trace(request.param)
    return driver


@pytest.fixture
def meter(bench: Bench, request: pytest.FixtureRequest) -> Any:
    """Each device of the station that has what the scenario needs, one after the other, of whatever family."""
    return _device(bench, request)


@pytest.fixture
def old(bench: Bench, request: pytest.FixtureRequest) -> PowerLogic:
    """The meter that is replaced."""
    _device(bench, request)
    return bench.powerlogic(request.param)


@pytest.fixture
def unfit(bench: Bench, request: pytest.FixtureRequest) -> PowerLogic:
    """A meter that the documents give no preset."""
    _device(bench, request)
    return bench.powerlogic(request.param)


@pytest.fixture
def target(bench: Bench, request: pytest.FixtureRequest) -> Series:
    """A meter that takes a preset, one of each model."""
    _device(bench, request)
    return bench.target(request.param)


@pytest.fixture
def new(bench: Bench, request: pytest.FixtureRequest) -> Series:
    """The meter that replaces the old one, with its energies cleared, as it comes out of its box."""
    from bench.procedures.commissioning import clear_as_new  # noqa: PLC0415  # as above

    _device(bench, request)
    driver = bench.target(request.param)
    clear_as_new(driver, bench.arm(driver), bench.journal)
    return driver


@pytest.fixture
def profile(bench_scenario: Scenario, request: pytest.FixtureRequest) -> Profile:
    """Takes what a scenario finds out about its meter, for the profile file."""
    from bench.characterisation.session import profile_of_scenario  # noqa: PLC0415  # as above

    (device,) = _devices(request.node).values()
    return profile_of_scenario(_run(request.config), bench_scenario, device)


@pytest.fixture
def operator(pytestconfig: pytest.Config) -> type[Operator]:
    """The kind of operator at the bench: one who follows the procedure, or who makes the mistake that was asked for."""
    from bench.procedures.mistakes import operator_who  # noqa: PLC0415  # as above

    return operator_who(_run(pytestconfig).options.mistake)


@pytest.fixture
def head_end(pytestconfig: pytest.Config) -> HeadEnd:
    """Who makes values of what an Elster meter sends: carefully, or with the mistake that was asked for."""
    from bench.procedures.mistakes import head_end_of  # noqa: PLC0415  # as above

    return head_end_of(_run(pytestconfig).options.mistake)()


@pytest.fixture
def supplies(bench: Bench) -> Supplies:
    """Interrupts the supply of a device."""
    return bench.supplies


@pytest.fixture
def loads(bench: Bench) -> Loads:
    """Changes the load behind a device."""
    return bench.loads


@pytest.fixture
def disturbances(bench: Bench) -> Disturbances:
    """Puts line faults on simulated links, and knows the truth behind them."""
    return bench.disturbances


@pytest.fixture
def clock(bench: Bench) -> Clock:
    """The bench's clock."""
    return bench.clock
