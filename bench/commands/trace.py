"""`meterbench trace`: show a recorded wire, compare two, hold one against simulator or standard, make a test of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import yaml

from bench.cli import json_option, show_json
from bench.errors import Exit, UsageError
from bench.replay.conformance import as_dict as findings
from bench.replay.conformance import breach_lines, judge, rule_rows
from bench.replay.difference import compare
from bench.replay.exchanges import load_trace
from bench.replay.generate import test_of
from bench.replay.mirror import Options, mirror
from bench.replay.telling import as_dict, difference_lines, mirror_summary, rows, table
from bench.station import find_station
from bench.station.profiles import FORMAT, read_profile
from bench.station.quantities import DURATION, QuantityError

_COLOURS = {"tx": "cyan", "rx": "green", "note": "yellow"}
_file = click.Path(path_type=Path)


class _Tolerance(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on only
    """A duration with its unit, as in the station file; ns inside."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return DURATION.parse(str(value))
        except QuantityError as error:
            self.fail(str(error), param, ctx)


tolerance_option = click.option(
    "--tolerance", type=_Tolerance(), metavar="TIME", help="Reaction times may differ so much."
)


@click.group()
def command() -> None:
    """Show a recorded wire, compare it, hold it against the simulator or the standard, make a test of it."""


@command.command()
@click.argument("file", type=_file)
@json_option
def show(file: Path, as_json: bool) -> int:
    """Show FILE: times, gaps, direction, bytes, and what they say."""
    trace = load_trace(file)
    if as_json:
        show_json({"file": str(file), "header": trace.header, "events": list(rows(trace))})
        return Exit.VERIFIED
    for way, line in table(trace):
        click.echo(click.style(line, fg=_COLOURS.get(way)) if way else line)
    return Exit.VERIFIED


@command.command()
@click.argument("first", type=_file)
@click.argument("second", type=_file)
@tolerance_option
@json_option
def diff(first: Path, second: Path, tolerance: int | None, as_json: bool) -> int:
    """Compare SECOND with FIRST, exchange by exchange; exit code 1 if they differ.

    Reaction times are told, and count only with --tolerance.
    """
    one, other = load_trace(first), load_trace(second)
    if one.model and other.model and one.model != other.model:
        raise UsageError(f"{first} is of a {one.model}, {second} of a {other.model}")
    left, right = one.exchanges(), other.exchanges()
    found = compare(one.model or other.model, left, right)
    late = [] if tolerance is None else found.timing.beyond(tolerance)
    longer = len(right) - len(left)
    if as_json:
        show_json({**as_dict(found, late), "longer": longer})
    else:
        for line in difference_lines(found, "first", "second"):
            click.echo(line)
        if longer:
            click.echo(f"{second if longer > 0 else first} has {abs(longer)} more requests")
        same = "" if found.differences or longer or late else ": the same"
        click.echo(f"{found.exchanges} exchanges compared, {len(found.differences)} differences in bytes{same}")
    return Exit.FAILED if found.differences or longer or late else Exit.VERIFIED


@command.command()
@click.argument("file", type=_file)
@click.option("--fixed-line", is_flag=True, help="The line never changes its speed: a modem, a TCP module.")
@click.option(
    "--tolerance", type=_Tolerance(), metavar="TIME",
    help="By how much times may be wrong (default: 20 ms if the clock was the wall's, else nothing).",
)  # fmt: skip
@json_option
def check(file: Path, fixed_line: bool, tolerance: int | None, as_json: bool) -> int:
    """Hold a FLAG trace against IEC 62056-21: every breach with its clause; exit code 1 if there is one.

    Remarks are told and do not count.
    """
    judged = judge(load_trace(file), fixed_line=fixed_line, tolerance=tolerance)
    if as_json:
        show_json({"file": str(file), **findings(judged)})
    else:
        for line in breach_lines(judged):
            click.echo(line)
    return Exit.VERIFIED if judged.report.conforms else Exit.FAILED


@command.command()
@json_option
def rules(as_json: bool) -> int:
    """List the rules of `check` with their clauses."""
    if as_json:
        show_json({"rules": rule_rows()})
        return Exit.VERIFIED
    for row in rule_rows():
        click.echo(f"{row['rule']:26s} {row['clause']:9s} {row['severity']:7s} {row['title']}")
    return Exit.VERIFIED


@command.command("mirror")
@click.argument("file", metavar="TRACE", type=_file)
@click.option("--model", default="", help="The model to simulate (default: that of the trace).")
@click.option("--station", metavar="sim|FILE", help="Take the simulated device from a station file.")
@click.option("--device", default="", metavar="ID", help="Which device of the station (default: as in the trace).")
@click.option(
    "--profile", type=_file, metavar="FILE",
    help="Profile values: a profile file of a characterisation, or YAML such as {exec_delay: 400 ms}.",
)  # fmt: skip
@click.option("--defect", "defects", multiple=True, metavar="ID", help="Switch a firmware defect on.")
@tolerance_option
@json_option
def mirror_command(
    file: Path,
    model: str,
    station: str | None,
    device: str,
    profile: Path | None,
    defects: tuple[str, ...],
    tolerance: int | None,
    as_json: bool,
) -> int:
    """Feed the requests of TRACE to a simulated meter and report every difference in bytes and in timing.

    Exit code 1 if a difference in bytes is unexplained, or a reaction time beyond the tolerance. The tolerance is
    nothing for a trace of `serve --record`; for any other trace reaction times only count if it is given.
    """
    trace = load_trace(file)
    options = Options(
        model=model,
        station=find_station(station) if station else None,
        device=device,
        profile=_profile(profile, model or trace.model) if profile else {},
        defects=defects,
    )
    found = mirror(trace, options)
    judged = (0 if found.exact else None) if tolerance is None else tolerance
    late = [] if judged is None else found.comparison.timing.beyond(judged)
    if as_json:
        show_json({"file": str(file), "model": found.model, "exact": found.exact, **as_dict(found.comparison, late)})
    else:
        for line in difference_lines(found.comparison, "recorded", "simulated"):
            click.echo(line)
        for number, shift in late[:5]:
            click.echo(f"request {number} was answered {shift / 1e6:+.3f} ms from the recorded reaction time")
        click.echo(mirror_summary(found, len(late)))
    return Exit.FAILED if found.comparison.unexplained or late else Exit.VERIFIED


def _profile(file: Path, model: str) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UsageError(f"no profile: {' '.join(str(error).split())}", file) from None
    if not isinstance(content, dict):
        raise UsageError("a profile is a mapping of names to values", file, 1)
    return read_profile(file, model) if content.get("format") == FORMAT else content


@command.command("to-test")
@click.argument("file", metavar="TRACE", type=_file)
@click.option("-o", "--output", type=_file, metavar="FILE.py", help="Where to (default: printed).")
def to_test(file: Path, output: Path | None) -> int:
    """Write a pytest file that replays TRACE against the driver and asserts what it decodes."""
    text = test_of(load_trace(file), None if output is None else output.absolute().parent)
    if output is None:
        click.echo(text, nl=False)
        return Exit.VERIFIED
    if output.exists():
        raise UsageError("exists already; name a new file", output)
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror or error}", output) from None
    click.echo(f"{output}")
    return Exit.VERIFIED
