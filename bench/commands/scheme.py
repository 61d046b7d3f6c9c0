"""`meterbench scheme`: check, compare, export, program and verify what is programmed into a meter."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from importlib import resources
from pathlib import Path

import click

from bench.cli import json_option, show_json, station_option
from bench.commands.device import opened
from bench.commands.scheme_program import day_of, on_option, program, restore, scheme_argument
from bench.errors import BenchError, Exit, UsageError
from bench.scheme.difference import Difference, as_lines, as_rows, differences, scheme_differences
from bench.scheme.export import Held, read_held, scheme_text
from bench.scheme.load import load_scheme
from bench.scheme.model import NAMELESS, UNFINISHED, Scheme
from bench.scheme.plan import plan_of
from bench.scheme.schema import schema_text
from bench.scheme.sections import sections_of
from bench.scheme.station import meter_of
from bench.whole_file import write_whole

_TEMPLATES = {"A1120": "tariff_only", "A1140": "industrial", "A1700": "grid_supply_point"}


@click.group()
def command() -> None:
    """Check a scheme, compare schemes, bring one into a meter."""


@command.command()
@scheme_argument
@on_option
@json_option
def check(file: Path, on: str | None, as_json: bool) -> int:
    """Read a scheme and say how it is understood; every mistake is one line `file:line: reason`, exit code 4."""
    scheme = load_scheme(file, day_of(on))
    sections = sections_of(scheme)
    if as_json:
        show_json({
            "ok": True, "file": str(file), "id": scheme.id, "version": scheme.version, "models": list(scheme.models),
            "firmware": list(scheme.firmware), "sections": list(sections), "passwords": sorted(scheme.passwords),
            "sets_clock": bool(scheme.clock and scheme.clock.set),
        })  # fmt: skip
        return 0
    firmware = f", firmware {', '.join(scheme.firmware)}" if scheme.firmware else ""
    click.echo(f"{file}: scheme {scheme.called}, version {scheme.version}, for {', '.join(scheme.models)}{firmware}")
    for line in _told(scheme):
        click.echo(f"  {line}")
    return 0


def _told(scheme: Scheme) -> list[str]:
    lines = [f"programs {', '.join(name.replace('_', ' ') for name in sections_of(scheme)) or 'no section'}"]
    if scheme.tariff is not None:
        tariff = scheme.tariff
        lines.append(f"tariff: {len(tariff.seasons)} seasons, {len(tariff.day_types)} day types, "
                     f"{len(tariff.special_days)} special days")  # fmt: skip
    if scheme.clock is not None and scheme.clock.set:
        lines.append("sets the clock to the bench's time")
    if scheme.passwords:
        lines.append(f"passwords of level {', '.join(sorted(scheme.passwords))}, from the environment")
    return lines


@command.command()
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path), required=False)
@click.option("--meter", metavar="ID", help="Compare with what this meter holds instead of with a second file.")
@station_option
@json_option
def diff(first: Path, second: Path | None, meter: str | None, station: str | None, as_json: bool) -> int:
    """Say what two schemes, or a scheme and a meter, do differently; exit code 1 if they do.

    What is called or ordered otherwise and means the same is no difference.
    """
    if (second is None) == (meter is None):
        raise UsageError("name either a second file or --meter ID")
    one = load_scheme(first)
    if second is not None:
        found = scheme_differences(one, load_scheme(second))
    else:
        assert meter is not None
        found = _against(one, _held(f"scheme diff {first}", station, meter, lambda model: _refuse_other(one, model)))
    if as_json:
        show_json(
            {"first": str(first), "second": str(second or meter), "same": not found, "differences": as_rows(found)}
        )
    else:
        for line in as_lines(found):
            click.echo(line)
        count = f"differ in {len(found)} fact{'s' if len(found) > 1 else ''}"
        click.echo(f"{first} and {second or meter} {count if found else 'mean the same'}")
    return Exit.FAILED if found else Exit.VERIFIED


@command.command()
@click.argument("meter")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="A new file to write it to.")
@station_option
@json_option
def export(meter: str, output: Path | None, station: str | None, as_json: bool) -> int:
    """Write what METER holds as a scheme; exit code 1 if a part of it means nothing. Passwords cannot be read."""
    if output is not None and output.exists():
        raise UsageError("exists already; name a new file", output)
    if output is not None and not output.parent.is_dir():
        raise UsageError("cannot be written here: there is no such folder", output)
    held = _held(f"scheme export {meter}", station, meter)
    text = scheme_text(held)
    for name, problem in held.problems.items():
        click.echo(f"{meter}: {name} cannot be understood: {problem}", err=True)
    if output is not None:
        write_whole(output, text.encode(), "nothing was exported")
    if as_json:
        show_json({
            "meter": meter, "id": held.scheme_id, "sections": list(held.sections), "problems": dict(held.problems),
            "file": str(output) if output else None, "scheme": text,
        })  # fmt: skip
    elif output is None:
        click.echo(text, nl=False)
    else:
        click.echo(f"{meter}: {len(held.sections)} sections written to {output}")
    return Exit.FAILED if held.problems else Exit.VERIFIED


@command.command()
@scheme_argument
@click.argument("meter")
@station_option
@json_option
def verify(file: Path, meter: str, station: str | None, as_json: bool) -> int:
    """Whether METER holds what the scheme programs; sections that it leaves out are not looked at. Writes nothing."""
    scheme = load_scheme(file)
    held = _held(f"scheme verify {file}", station, meter, lambda model: _refuse_other(scheme, model))
    found = [row for row in _against(scheme, held) if row.first is not None or row.section in sections_of(scheme)]
    if as_json:
        show_json({"meter": meter, "scheme": scheme.id, "ok": not found, "differences": as_rows(found),
                   "not_verified": sorted(f"password {level}" for level in scheme.passwords)})  # fmt: skip
    else:
        for line in as_lines(found):
            click.echo(line)
        if scheme.passwords:
            click.echo("  passwords are not verified: a meter does not show them")
        click.echo(f"{meter} {'does not hold' if found else 'holds'} scheme {scheme.called}")
    return Exit.FAILED if found else Exit.VERIFIED


def _tell_unfinished(meter: str, held: Held) -> None:
    if held.scheme_id == UNFINISHED:
        click.echo(f"{meter}: 795 reads {UNFINISHED}: a programming was broken off, this is a mixture", err=True)


def _refuse_other(scheme: Scheme, model: str) -> None:
    """Refuse a scheme for another model before the meter is asked anything."""
    plan_of(scheme.without_passwords(), model, {})


def _against(scheme: Scheme, held: Held) -> list[Difference]:
    found = differences(sections_of(scheme), held.sections)
    if held.scheme_id != scheme.id:
        found.insert(0, Difference("scheme", "id (795)", scheme.called, held.scheme_id or NAMELESS))
    return found


@command.command()
@click.option("--model", type=click.Choice(sorted(_TEMPLATES)), default="A1140", help="For which model.")
@click.option("--schema", is_flag=True, help="Print the JSON schema for editors instead.")
def template(model: str, schema: bool) -> int:
    """Print a scheme to begin with."""
    if schema:
        click.echo(schema_text(), nl=False)
        return 0
    file = resources.files("fixtures").joinpath("schemes", f"{_TEMPLATES[model]}.yaml")
    click.echo(file.read_text("utf-8"), nl=False)
    return 0


# -- meters ------------------------------------------------------------------------------------------------------------


def _held(what: str, station: str | None, meter: str, fits: Callable[[str], object] = lambda _model: None) -> Held:
    with opened(what, station, (meter,)) as scenario:
        driver = meter_of(scenario, meter)
        fits(driver.model)
        driver.identify()
        driver.log_in(None, 0, "")
        try:
            held = read_held(driver)
            _tell_unfinished(meter, held)
            return held
        finally:
            with suppress(BenchError):
                driver.log_out()


for _writing in (program, restore):
    command.add_command(_writing)
