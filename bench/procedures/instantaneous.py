"""Instantaneous values of an A1700: ask (605), wait for the ready bit, read (606)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from bench.errors import NoAnswer
from protocols.elster.instantaneous import Instant, InstantValue, Phase, Request, decode_request, decode_value
from simulators.world import SECOND

if TYPE_CHECKING:
    from bench.drivers.elster import Elster

#: How long a meter may take (elster-flag 3.7), and how often it is looked at.
_PATIENCE, _POLL = 60 * SECOND, SECOND // 2


def ask_instantaneous(meter: Elster, quantity: Instant, phase: Phase = Phase.TOTAL) -> None:
    """Ask for a value; nothing that the meter keeps changes."""
    meter.session.select(meter.identity("instantaneous_request").number, Request(quantity, phase).encode())


def is_ready(meter: Elster) -> bool:
    """Whether the value that was asked for stands ready."""
    data = meter.session.read(meter.identity("instantaneous_request").number, 1, level=1)
    return meter.decoded("instantaneous request", lambda: decode_request(data)).ready


def shown_instantaneous(meter: Elster) -> InstantValue:
    """What 606 shows now, ready or not."""
    row = meter.identity("instantaneous_value")
    data = meter.session.read(row.number, row.size, level=1)
    return meter.decoded("instantaneous value", lambda: decode_value(data))


def read_instantaneous(meter: Elster, quantity: Instant, phase: Phase = Phase.TOTAL) -> Decimal | None:
    """A value, when it stands ready; None where the meter has none.

    Raises:
        NoAnswer: it was not ready within a minute.
    """
    ask_instantaneous(meter, quantity, phase)
    deadline = meter.clock.now() + _PATIENCE
    while not is_ready(meter):
        if meter.clock.now() > deadline:
            raise NoAnswer(
                f"{quantity.name.lower().replace('_', ' ')}: not ready within {_PATIENCE // SECOND} s",
                device=meter.name,
            )
        meter.clock.sleep(_POLL)
    return shown_instantaneous(meter).value
