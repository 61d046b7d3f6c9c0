"""The command `meterbench`. Each command lies in `bench.commands` and is imported when it is called.

Exit codes are a contract: 0 verified, 1 a scenario failed, 3 the station broke, 4 wrong usage, 5 nothing was verified,
6 a replay came out otherwise than recorded, 130 interrupted. An error is one line.
"""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

import click

from bench.errors import BenchError, Exit, UsageError

#: Name -> module with a click command `command`, and the line that `meterbench --help` shows.
COMMANDS = {
    "run": ("bench.commands.run", "Run scenarios on a station."),
    "serve": ("bench.commands.serve", "Serve the simulated devices of a station on real ports."),
    "read": ("bench.commands.read", "Read a device: identity, energies, power, clock."),
    "profile": ("bench.commands.profile", "Read a load profile, with gaps, doubles and sums told."),
    "transfer": ("bench.commands.transfer", "Hand the energies of one meter over to another."),
    "scheme": ("bench.commands.scheme", "Check a scheme, compare schemes, bring one into a meter."),
    "list": ("bench.commands.meter_list", "Check a meter list."),
    "handheld": ("bench.commands.handheld", "Load, send out and unload the simulated hand-held unit."),
    "station": ("bench.commands.station", "Check a station file."),
    "report": ("bench.commands.report", "Make the HTML page of an evidence folder."),
    "trace": ("bench.commands.trace", "Show a recorded wire, compare it, hold it against the simulator."),
    "control": ("bench.commands.control", "Switch the supply or the load of a served device."),
    "faults": ("bench.commands.faults", "List the line faults that can be put on a simulated link."),
    "defects": ("bench.commands.defects", "List the defects and mistakes that can be switched on."),
    "sweep": ("bench.commands.sweep", "Cut the power at every moment of a procedure."),
}


class _Lazy(click.Group):
    """A group that imports a command when it is called: `meterbench --help` needs none of them."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        if ctx.resilient_parsing or ctx.params.get("_listing"):
            return None
        command: click.Command = import_module(COMMANDS[name][0]).command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Call the command; click would say an empty line of an interrupt before anybody else says a word of it."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise click.Abort from None

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("meterbench"), prog_name="meterbench")
def root() -> None:
    """Hardware-in-the-loop test bench and electricity-meter simulator."""


def main(argv: list[str] | None = None) -> NoReturn:
    """Run a command and end the process with its exit code."""
    _make_streams_fit()
    _make_every_end_an_interrupt()
    sys.exit(call(sys.argv[1:] if argv is None else argv))


def _make_streams_fit() -> None:
    """A closed stream swallows what is said, and one that lacks a character (a Windows code page) shows another."""
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  # no path, open to the end
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  # as above
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


#: How a pipeline, a service manager or a closed terminal ends a process.
_ENDS = ("SIGTERM", "SIGHUP")


def _make_every_end_an_interrupt() -> None:
    """Whoever is ended in a preset restores the pointers and seals the evidence, as after a Ctrl-C."""
    for name in _ENDS:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores one, and is obeyed
            signal.signal(number, signal.default_int_handler)


def call(argv: list[str]) -> int:
    """Run a command; every known error becomes one line on stderr and an exit code."""
    words, extra = _split(argv)
    try:
        result = root.main(words, prog_name="meterbench", standalone_mode=False, obj={"pytest": extra})
        sys.stdout.flush()
    except click.ClickException as error:
        click.echo(f"meterbench: {error.format_message()}", err=True)
        return Exit.USAGE
    except BenchError as error:
        click.echo(str(error), err=True)
        return error.exit
    except OSError as error:
        if error.errno not in _OUTPUT_TROUBLE or error.filename is not None:
            raise
        return _without_output(error)
    except SystemExit:  # click's own answer to a reader who has left; its 1 would say that a scenario failed
        return _without_output(OSError(errno.EPIPE, os.strerror(errno.EPIPE)))
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return Exit.INTERRUPTED
    return int(result) if isinstance(result, int) else Exit.VERIFIED


#: What the system says when standard output takes no more: full, closed by its reader, out of order.
_OUTPUT_TROUBLE = (errno.ENOSPC, errno.EPIPE, errno.EIO, errno.EFBIG)


def _without_output(error: OSError) -> int:
    """Nobody can be told on standard output any more. A reader who has left, as `head` does, knows it already."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more at its end
    if error.errno != errno.EPIPE:
        click.echo(f"the output cannot be written: {error.strerror}", err=True)
    return Exit.STATION


def _split(argv: list[str]) -> tuple[list[str], list[str]]:
    """What stands behind `--` belongs to pytest, for `run` only."""
    if argv[:1] != ["run"] or "--" not in argv:
        return argv, []
    cut = argv.index("--")
    return argv[:cut], argv[cut + 1 :]


# -- what several commands share -------------------------------------------------------------------------------------

station_option = click.option("--station", default=None, metavar="sim|FILE", help="The station (default: sim).")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
allow_option = click.option(
    "--allow-destructive", "allowed", multiple=True, metavar="ID", help="Third key: this device may be overwritten."
)
fault_option = click.option(
    "--fault", "faults", multiple=True, metavar="LINK:FAULT", help="Put a line fault on a simulated link (faults list)."
)
evidence_option = click.option(
    "--evidence", type=click.Path(path_type=Path), metavar="DIR", help="New folder for the evidence."
)


def show_json(value: Any) -> None:
    """Print one JSON object on a line."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str))


def progress(text: str) -> None:
    """Show what is being done, on a terminal only."""
    if sys.stderr.isatty():
        click.echo(f"  {text}", err=True)


__all__ = [
    "UsageError",
    "allow_option",
    "call",
    "evidence_option",
    "json_option",
    "main",
    "progress",
    "root",
    "show_json",
    "station_option",
]
