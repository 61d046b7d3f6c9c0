"""Running collected scenarios again and again in one pytest session: once for each case, with a run of its own.

Collecting costs more than a scenario in virtual time, so a case is no session but a pass through the items that suit
its devices. What failed is told by name: a measurement's, or `raised NoAnswer: ...` for what ended the scenario.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from bench.errors import UsageError
from bench.launch import OutOfLimits
from bench.plugin import RUN
from bench.run import Options, Run
from bench.verdicts import Verdict

#: Plugins of a session that nobody looks at; those of others would only cost time.
_WORDS = ("-p", "no:terminal", "-p", "no:allure_pytest", "-p", "no:cacheprovider", "-p", "no:junitxml",
          "-p", "no:faulthandler", "-p", "no:logging", "--assert=plain",
          "-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning")  # fmt: skip


#: A process costs about a second before its first scenario.
_PROCESSES, _WORTH_A_PROCESS = 2, 20
#: Of the trials of the line each pass that has any runs every so-manieth, or every one.
_STRIDE, EVERY = 8, -1


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that failed: its name, the device it is about, and whether it was before the scenario's body."""

    name: str
    device: str | None
    in_setup: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """One pass: what is asked for, the devices that take part, and the one without which a scenario is not run."""

    name: str
    options: Options
    devices: frozenset[str]
    about: frozenset[str]
    #: The only scenarios of this pass, by function; None if there is no such limit.
    only: frozenset[str] | None = None
    #: Which trials of the line belong to it: a number to begin counting from, EVERY, or None. They are about the bench
    #: and say nothing of a meter's firmware, so a pass that is about a meter has none.
    trial: int | None = None

    def suits(self, item: pytest.Item) -> bool:
        """Whether a scenario with its devices belongs to this pass."""
        if self.only is not None and getattr(item, "originalname", item.name) not in self.only:
            return False
        params = getattr(getattr(item, "callspec", None), "params", {})
        if "trial" in params:
            return self._tries(params["trial"].number)
        given = {value for value in params.values() if isinstance(value, str)}
        return given <= self.devices and bool(given & self.about)

    def _tries(self, number: int) -> bool:
        return self.trial is not None and (self.trial == EVERY or (number - self.trial) % _STRIDE == 0)


#: A finished scenario: the case, the scenario's name, and what failed in it.
Result = tuple[Case, str, list[Failure]]


def repeat(paths: Iterable[Path], cases: Sequence[Case], processes: int | None = None) -> list[Result]:
    """Run the scenarios below `paths` on the built-in station, once for each case.

    Args:
        paths: folders and files.
        cases: the passes.
        processes: over how many processes they are spread; by default two where there are enough of them to gain.

    Raises:
        UsageError: the scenarios cannot be collected; the message is what pytest says.
    """
    whole = list(paths)
    count = processes or (_PROCESSES if len(cases) >= _WORTH_A_PROCESS else 1)
    if count == 1:
        return _pass_through(whole, cases)
    shares = [cases[first::count] for first in range(count)]
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(_pass_through, [whole] * count, shares))
    order = {case.name: place for place, case in enumerate(cases)}
    return sorted((result for share in found for result in share), key=lambda result: order[result[0].name])


def _pass_through(paths: list[Path], cases: Sequence[Case]) -> list[Result]:
    said = io.StringIO()
    words = [*map(str, paths), *_plugins(), *_WORDS, "--station=sim"]
    repeater = _Repeater(cases)
    with redirect_stdout(said), redirect_stderr(said):
        code = pytest.main(words, plugins=[repeater])
    if not repeater.finished:
        raise UsageError(f"the scenarios did not run (pytest ended with {code}): {said.getvalue().strip()}")
    return repeater.results


def _plugins() -> list[str]:
    loaded = os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    return ["-p", "bench.plugin"] if loaded else ["-p", "meterbench"]


class _Repeater:
    """The pytest plugin: replaces the loop over the items."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self.finished = False
        self.results: list[Result] = []
        self._cases = cases
        self._raised: list[Failure] = []

    def pytest_configure(self, config: pytest.Config) -> None:
        """Nobody reads the tracebacks, and to format one costs more than a scenario."""
        config.option.tbstyle = "native"

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Every case, every item that suits it."""
        if session.testsfailed:
            raise session.Interrupted(f"{session.testsfailed} errors during collection")
        first = session.config.stash[RUN]
        for case in self._cases:
            run = session.config.stash[RUN] = Run(first.station, case.options)
            for item in session.items:
                if case.suits(item):
                    self._once(case, run, item)
        session.config.stash[RUN] = first
        self.finished = True
        return True

    def _once(self, case: Case, run: Run, item: pytest.Item) -> None:
        item.stash = pytest.Stash()  # what an earlier pass has left there is none of this one's business
        self._raised = []
        item._initrequest()  # type: ignore[attr-defined]  # noqa: SLF001  # what pytest does when it collects an item
        runtestprotocol(item, log=False, nextitem=None)
        out = [
            Failure(m.name, m.device)
            for m in run.measurements.get(item.nodeid, ())
            if m.verdict >= Verdict.INCONCLUSIVE
        ]
        self.results.append((case, _name(item), [*self._raised, *out]))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        """Remember what ended a phase of the scenario, other than the verdicts that it measured."""
        error = call.excinfo.value if call.excinfo is not None else None
        if error is None or isinstance(error, OutOfLimits | pytest.skip.Exception):
            return
        said = str(error).splitlines()
        name = f"raised {type(error).__name__}: {said[0] if said else ''}"
        self._raised.append(Failure(name, getattr(error, "device", None), in_setup=call.when != "call"))


def _name(item: pytest.Item) -> str:
    function: Any = getattr(item, "originalname", item.name)
    return f"{item.path.parent.name}/{item.path.name}::{function}"
