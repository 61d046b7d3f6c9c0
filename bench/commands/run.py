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

from bench.characterisation.session import check_options
from bench.cli import allow_option, evidence_option, fault_option, json_option, show_json, station_option
from bench.errors import Exit, UsageError
from bench.faults import check_faults, faults_by_link
from bench.host import check_defects
from bench.launch import defects_by_device, watch_time
from bench.plugin import RUN
from bench.procedures.mistakes import operator_who
from bench.replay.rerun import MATCHINGS, recorded_run, recorded_station
from bench.run import Options
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
@click.option(
    "--write-profile", type=click.Path(path_type=Path), metavar="FILE", help="Write what was found out about one meter."
)
@click.option("--force", is_flag=True, help="Replace the file of --write-profile.")
@click.option(
    "--also-ask", multiple=True, metavar="NAME", help="Ask a question that is left out: revenue-lock, broadcast."
)
@click.option("--watch-clock", metavar="DURATION", help="How long to watch a meter's clock, as in '8 h'.")
@click.option(
    "--replay", type=click.Path(path_type=Path), metavar="DIR", help="Replay the wire of this earlier run's evidence."
)
@click.option("--matching", type=click.Choice(MATCHINGS), default="strict", help="How a replay matches requests.")
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
    write_profile: Path | None,
    force: bool,
    also_ask: tuple[str, ...],
    watch_clock: str | None,
    replay: Path | None,
    matching: str,
    as_json: bool,
) -> int:
    """Run scenarios on a station; what stands behind -- goes to pytest.

    SCENARIO is a folder or file of the shipped scenarios (energy_preset, reading/test_registers.py) or a path of yours;
    without one all shipped scenarios run, but for those that ask what only a real meter can answer (characterisation).
    Without a station they run on the built-in simulated one, in virtual time.

    With --replay they run on the recorded wire of an earlier run, with no device, and every verdict is compared with
    the recorded one: exit code 6 if one came out otherwise.
    """
    if replay is not None and station:
        raise UsageError("--replay brings its own station; leave --station away")
    name = station or station_from_environment()
    known = find_station(name) if replay is None else recorded_station(recorded_run(replay), matching)
    checked = known.select(devices)  # a mistake in the file ends here, in one line, before pytest starts
    Safety(checked, allowed)
    operator_who(mistake)
    check_defects(checked, defects_by_device(list(defects)))
    asked = Options(
        write_profile=write_profile, overwrite_profile=force, also_ask=also_ask, watch_clock=watch_time(watch_clock)
    )
    check_options(checked, asked)
    scenarios = scenarios or (("characterisation",) if write_profile else ())
    check_faults(checked, faults_by_link(faults))
    found = find_scenarios(scenarios)
    folder = None if no_evidence else evidence or default_folder(checked.name)
    keeper = _Keeper(with_report=True)
    words = [*map(str, found), "-p", "meterbench", "-q", "--no-header", "--tb=short", "-rN",
             "-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning",  # this command imported them
             *([f"--station={name}"] if replay is None else [f"--replay={replay}", f"--matching={matching}"]),
             f"--seed={seed}"]  # fmt: skip
    words += [] if sys.stdout.isatty() else ["-o", "console_output_style=classic"]
    words += [f"--device={device}" for device in devices]
    words += [f"--allow-destructive={device}" for device in allowed]
    words += [f"--defect={defect}" for defect in defects]
    words += [f"--fault={fault}" for fault in faults]
    words += [f"--mistake={mistake}"] if mistake else []
    words += _of_the_profile(asked, watch_clock)
    words += [f"--evidence={folder}"] if folder else []
    with redirect_stdout(sys.stderr) if as_json else nullcontext():
        code = int(pytest.main([*words, *shared["pytest"]], plugins=[keeper]))
    if as_json and keeper.run is not None:
        profile = {"profile": str(keeper.profile)} if keeper.profile else {}
        show_json({**keeper.run, "evidence": str(folder) if folder else None, **profile})
    return Exit.INTERRUPTED if code == pytest.ExitCode.INTERRUPTED else code


def _of_the_profile(asked: Options, watch_clock: str | None) -> list[str]:
    """The words for pytest that a characterisation takes."""
    words = [f"--also-ask={name}" for name in asked.also_ask]
    words += [f"--write-profile={asked.write_profile}"] if asked.write_profile else []
    words += ["--overwrite-profile"] if asked.overwrite_profile else []
    return words + ([f"--watch-clock={watch_clock}"] if watch_clock else [])


class _Keeper:
    """Keeps what the run found, and makes the HTML page beside the evidence."""

    def __init__(self, *, with_report: bool) -> None:
        self.run: dict[str, Any] | None = None
        self.profile: Path | None = None
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
        self.run, self.profile = run.evidence.run, run.profile_written
        if self._with_report and run.options.evidence is not None and run.evidence.seal:
            from bench.commands.report import write_page_beside  # noqa: PLC0415  # only with evidence

            write_page_beside(run.options.evidence)


def default_folder(station: str) -> Path:
    """A new `evidence/<UTC>-<station>` in the current folder, with a number if that second has one already.

    A station's name is any text: what is no plain letter, digit, - or _ in it, and more than a few words, is left out.

    Raises:
        UsageError: no folder can be made here.
    """
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", station)[:_LONGEST_NAME].strip("-") or "station"
    base = Path("evidence") / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{plain}"
    for path in (base, *(base.with_name(f"{base.name}-{number}") for number in range(2, 1000))):
        try:
            path.mkdir(parents=True)  # taken by making it: another run may look for one in the same second
        except FileExistsError:
            continue
        except OSError as error:
            raise UsageError(f"{path}: no evidence can be written here: {error.strerror or error}") from None
        return path
    raise UsageError(f"{base}: there are a thousand of this second; name a folder with --evidence")


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
