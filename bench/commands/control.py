"""`meterbench control`: switch the supply or the load of a device that `meterbench serve` serves."""

from __future__ import annotations

import json

import click

from bench.errors import StationError
from bench.serving import control


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("url")
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED)
def command(url: str, words: tuple[str, ...]) -> int:
    """Send WORDS to the control port at URL.

    They are: power DEVICE off|on|cycle, load DEVICE WATTS [POWER_FACTOR], fault LINK FAULT|off, or status.
    """
    answer = control(url, words)
    if not answer.get("ok"):
        raise StationError(f"{url}: {answer.get('error', 'no answer')}")
    click.echo(json.dumps(answer))
    return 0
