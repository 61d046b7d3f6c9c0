"""`meterbench run`: the shipped scenarios, or one's own, on a station."""

from __future__ import annotations

import re
import sys
from collections.abc import Generator
from contextlib import nullcontext, redirect_stdout
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import click
import pytest

from bench.cli import allow_option, evidence_option, fault_option, json_option, show_json, station_option
from bench.errors import Exit, UsageError
from bench.faults import check_faults, faults_by_link
from bench.host import check_defects
from bench.launch import defects_by_device
from bench.plugin import RUN
from bench.procedures.mistakes import operator_who
from bench.safety import Safety
from bench.station import find_station, station_from_environment

_LONGEST_NAME = 40


@click.command()
@click.argument("scenarios", nargs=-1, metavar="[SCENARIO]...")
@station_option
@click.option("--device", "devices", multiple=True, metavar="ID", help="Only these devices of the station.")
@allow_option
@evidence_option
@click.option("--no-evidence", is_flag=True, help="Write no evidence folder.")
@click.option("--seed", default=0, show_default=True, help="Seed of the simulated side.")
@click.option(
    "--defect", "defects", multiple=True, metavar="DEVICE:ID", help="Switch a firmware defect on (simulated)."
)
@fault_option
@click.option("--mistake", metavar="ID", help="Let the operator make a mistake.")
@json_option
@click.pass_obj
def command(
    shared: dict[str, list[str]],
    scenarios: tuple[str, ...],
    station: str | None,
    devices: tuple[str, ...],
    allowed: tuple[str, ...],
    evidence: Path | None,
    no_evidence: bool,
    seed: int,
    defects: tuple[str, ...],
    faults: tuple[str, ...],
    mistake: str | None,
    as_json: bool,
) -> int:
    """Run scenarios on a station; what stands behind -- goes to pytest.

    SCENARIO is a folder or file of the shipped scenarios (energy_preset, reading/test_registers.py) or a path of yours;
    without one all shipped scenarios run. Without a station they run on the built-in simulated one, in virtual time.
    """
    name = station or station_from_environment()
    checked = find_station(name).select(devices)  # a mistake in the file ends here, in one line, before pytest starts
    Safety(checked, allowed)
    operator_who(mistake)
    check_defects(checked, defects_by_device(list(defects)))
    check_faults(checked, faults_by_link(faults))
    folder = None if no_evidence else evidence or default_folder(checked.name)
    keeper = _Keeper(with_report=True)
    words = [*map(str, find_scenarios(scenarios)), "-p", "meterbench", "-q", "--no-header", "--tb=short",
             "-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning",  # this command imported them
             f"--station={name}", f"--seed={seed}"]  # fmt: skip
    words += [] if sys.stdout.isatty() else ["-o", "console_output_style=classic"]
    words += [f"--device={device}" for device in devices]
    words += [f"--allow-destructive={device}" for device in allowed]
    words += [f"--defect={defect}" for defect in defects]
    words += [f"--fault={fault}" for fault in faults]
    words += [f"--mistake={mistake}"] if mistake else []
    words += [f"--evidence={folder}"] if folder else []
    with redirect_stdout(sys.stderr) if as_json else nullcontext():
        code = int(pytest.main([*words, *shared["pytest"]], plugins=[keeper]))
    if as_json and keeper.run is not None:
        show_json({**keeper.run, "evidence": str(folder) if folder else None})
    return Exit.INTERRUPTED if code == pytest.ExitCode.INTERRUPTED else code


class _Keeper:
    """Keeps what the run found, and makes the HTML page beside the evidence."""

    def __init__(self, *, with_report: bool) -> None:
        self.run: dict[str, Any] | None = None
        self._with_report = with_report

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(self) -> Generator[None, Any, Any]:
        """A dot for each scenario on a terminal, nothing in a pipe."""
        category, letter, word = yield
        return category, letter if sys.stdout.isatty() else "", word

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        run = session.config.stash.get(RUN, None)
        if run is None:
            return
        self.run = run.evidence.run
        if self._with_report and run.options.evidence is not None and run.evidence.seal:
            from bench.commands.report import write_page_beside  # noqa: PLC0415  # only with evidence

            write_page_beside(run.options.evidence)


def default_folder(station: str) -> Path:
    """`evidence/<UTC>-<station>` in the current folder, with a number if that second has one already.

    A station's name is any text: what is no plain letter, digit, - or _ in it, and more than a few words, is left out.
    """
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", station)[:_LONGEST_NAME].strip("-") or "station"
    base = Path("evidence") / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{plain}"
    numbered = (base.with_name(f"{base.name}-{number}") for number in range(2, 1000))
    return base if not base.exists() else next(path for path in numbered if not path.exists())


def find_scenarios(names: tuple[str, ...]) -> list[Path]:
    """The paths of scenarios named by folder or file, shipped ones first.

    Raises:
        UsageError: there is no such scenario; lists those there are.
    """
    shipped = Path(str(files("scenarios")))
    if not names:
        return [shipped]
    found = []
    for name in names:
        path, _, test = name.partition("::")
        own = path.startswith(".")  # ".." is beside the current folder and not beside the shipped scenarios
        candidates = [folder for folder in (*([] if own else [shipped / path]), Path(path)) if folder.exists()]
        if not candidates:
            known = sorted(folder.name for folder in shipped.iterdir() if (folder / "__init__.py").exists())
            raise UsageError(f"no scenario is called {name!r}; shipped: {', '.join(known)}, or a path of your own")
        found.append(Path(f"{candidates[0]}::{test}") if test else candidates[0])
    return found
