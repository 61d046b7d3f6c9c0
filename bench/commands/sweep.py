"""`meterbench sweep`: cut the power at every moment of a procedure, and see what must be true afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import click

from bench.cli import json_option, show_json
from bench.errors import Exit, UsageError
from bench.host import check_defects
from bench.sweep.campaign import Choice, run
from bench.sweep.jobs import JOBS
from bench.sweep.kinds import AnyPlan
from bench.sweep.moments import parse_moment
from bench.sweep.plan import MEDIA, VICTIMS, Medium, Plan, Victim, nanoseconds
from bench.sweep.scheme_plan import METERS, SCHEME_VICTIMS, SCHEMES, SchemePlan, SchemeVictim
from bench.sweep.telling import facts, progress, tell

#: Cuts as they are tried where nothing else is asked for: one that the meter starts from at leisure, and a brown-out
#: that it is back from before anybody has noticed. How long the supply is off, and how long the start takes.
_LONG, _SHORT = ("5 s", ""), ("0 s", "500 ms")
_DELAYS = "0 s, 50 ms, 1 s"
#: What is cut of a programming where nothing else is asked for: time off, and how long the meter takes to save. What is
#: away for a moment costs an answer and a visit; what is away for long breaks the programming off.
_SCHEME_CUTS: dict[SchemeVictim, list[tuple[str, str]]] = {
    "meter": [("1 s", "50 ms"), ("1 s", "1 s"), ("10 min", "50 ms")],
    "line": [("0 s", "50 ms"), ("10 min", "50 ms")],
    "bench": [("0 s", "50 ms")],
}


@click.group()
def command() -> None:
    """Disturb a procedure at every moment there is, one world for each, in virtual time."""


@command.command("power-cuts")
@click.option("--of", "victims", multiple=True, type=click.Choice(VICTIMS), help="Who loses its power: default both.")
@click.option("--procedure", "procedures", multiple=True, type=click.Choice(list(JOBS)), help="Default: all of them.")
@click.option("--medium", "media", multiple=True, type=click.Choice(MEDIA), help="The meter's line: default both.")
@click.option("--save-delay", "delays", default=_DELAYS, show_default=True, help="How long the meter takes to save.")
@click.option("--off", "offs", default=None, metavar="TIMES", help='How long it is cut off: default 5 s, and "0 s".')
@click.option("--boot", default="", metavar="TIME", help="How long it takes to start; default: its model's value.")
@click.option("--device", default="new-pm850", show_default=True, help="The meter, of the built-in station.")
@click.option("--source", default="cm2350", show_default=True, help="The meter that hands its readings over.")
@click.option("--defect", "defects", multiple=True, metavar="ID", help="Switch a firmware defect of the meter on.")
@click.option("--seed", default=0, show_default=True, help="Seed of the worlds.")
@click.option("--every", default=1, show_default=True, type=click.IntRange(1), help="Only every N-th moment.")
@click.option("--sample", type=click.IntRange(1), metavar="N", help="Only N moments of each row, evenly spread.")
@click.option("--at", metavar="MOMENT", help='One moment again: an instant in ns, or "touch N".')
@click.option("--processes", type=click.IntRange(1), help="Default: one for each processor.")
@json_option
def power_cuts(
    victims: tuple[Victim, ...],
    procedures: tuple[str, ...],
    media: tuple[Medium, ...],
    delays: str,
    offs: str | None,
    boot: str,
    device: str,
    source: str,
    defects: tuple[str, ...],
    seed: int,
    every: int,
    sample: int | None,
    at: str | None,
    processes: int | None,
    as_json: bool,
) -> int:
    """Cut the supply of a meter, or kill the bench, at every byte and step of its procedures.

    Without options the whole sweep runs: some minutes. Afterwards the energies must be the old set or the new one, as
    the meter had saved them; nothing else may have moved; the audit must name what was written and claim no more than
    was read; a second run must recover. Exit code 1 if not.
    """
    if at is not None and (sample is not None or every != 1):
        raise UsageError("--at is one moment: without --every and --sample")
    one = Plan(device=device, source=source, defects=defects, seed=seed)
    check_defects(one.station(), {device: list(defects)})
    plans = [
        replace(one, victim=victim, procedure=procedure, medium=medium, save_delay=delay, off=off, boot=start)
        for victim in victims or VICTIMS
        for procedure in procedures or JOBS
        for medium in media or MEDIA
        for delay, off, start in _cuts(victim, delays, offs, boot)
    ]
    return _swept(plans, every, sample, at, processes, as_json=as_json)


def _cuts(victim: Victim, delays: str, offs: str | None, boot: str) -> list[tuple[str, str, str]]:
    """Save delay, time off and time to start of each row; a bench that is killed takes no supply with it."""
    cuts = [(off, boot) for off in _listed(offs or _LONG[0])] if offs or boot else [_LONG, _SHORT]
    every = [(delay, off, start) for delay in _listed(delays) for off, start in cuts]
    return every if victim == "meter" else every[:1]


def _listed(text: str) -> list[str]:
    """The durations of a list.

    Raises:
        UsageError: one is none, or there is none.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    for word in words:
        nanoseconds(word)
    if not words:
        raise UsageError(f"{text!r} lists no duration")
    return words


@command.command("scheme-cuts")
@click.option("--model", "models", multiple=True, type=click.Choice(list(METERS)), help="Which meter: default both.")
@click.option("--scheme", "schemes", multiple=True, type=click.Choice(list(SCHEMES)), help="Default: settings.")
@click.option("--of", "victims", multiple=True, type=click.Choice(SCHEME_VICTIMS), help="Who is cut off: default all.")
@click.option("--off", default=None, metavar="TIME", help="How long supply or line are away: default some of each.")
@click.option("--save-delay", "delay", default=None, metavar="TIME", help="How long the meter takes to save.")
@click.option("--defect", "defects", multiple=True, metavar="ID", help="Switch a firmware defect of the meter on.")
@click.option("--seed", default=0, show_default=True, help="Seed of the worlds.")
@click.option("--every", default=1, show_default=True, type=click.IntRange(1), help="Only every N-th moment.")
@click.option("--sample", type=click.IntRange(1), metavar="N", help="Only N moments of each row, evenly spread.")
@click.option("--at", metavar="MOMENT", help='One moment again: an instant in ns, or "touch N".')
@click.option("--processes", type=click.IntRange(1), help="Default: one for each processor.")
@json_option
def scheme_cuts(
    models: tuple[str, ...],
    schemes: tuple[str, ...],
    victims: tuple[SchemeVictim, ...],
    off: str | None,
    delay: str | None,
    defects: tuple[str, ...],
    seed: int,
    every: int,
    sample: int | None,
    at: str | None,
    processes: int | None,
    as_json: bool,
) -> int:
    """Cut a meter's supply, its line, or the bench at every byte of programming a scheme into an A1140 and an A1700.

    Without options a small scheme is swept: a quarter of an hour. Afterwards the meter must hold the old scheme or the
    new one, or say by its scheme id that it is between the two; what was told of each section must be so; what is
    between must be refused, resumed and restored; and nothing else may have moved. Exit code 1 if not.
    """
    if at is not None and (sample is not None or every != 1):
        raise UsageError("--at is one moment: without --every and --sample")
    plans = [
        SchemePlan(model, scheme, victim, away, saving, defects, seed)
        for model in models or METERS
        for scheme in schemes or ("settings",)
        for victim in victims or SCHEME_VICTIMS
        for away, saving in _scheme_cuts(victim, off, delay)
    ]
    for plan in {plan.model: plan for plan in plans}.values():
        check_defects(plan.station(), {plan.device: list(defects)})
    return _swept(plans, every, sample, at, processes, as_json=as_json)


def _swept(
    plans: Sequence[AnyPlan], every: int, sample: int | None, at: str | None, processes: int | None, *, as_json: bool
) -> int:
    if at is not None and len(plans) != 1:
        raise UsageError(f"--at is one moment of one row, and these are {len(plans)}: take the command that is printed")
    choice = Choice(every, sample, parse_moment(at) if at is not None else None)
    found = run(plans, choice, processes=processes, progress=progress)
    if as_json:
        show_json(facts(found))
    else:
        tell(found, alone=at is not None)
    return Exit.FAILED if found.violations else Exit.VERIFIED


def _scheme_cuts(victim: SchemeVictim, off: str | None, delay: str | None) -> list[tuple[str, str]]:
    return list(dict.fromkeys((off or away, delay or saving) for away, saving in _SCHEME_CUTS[victim]))
