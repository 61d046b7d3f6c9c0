"""Defects of set-up mode: sessions, what is saved of them, and how long they last."""

from __future__ import annotations

from simulators.faults.change import decide
from simulators.faults.registry import defect
from simulators.meters.powerlogic.firmware import two_minutes_without_a_write
from simulators.meters.powerlogic.meter import Meter
from simulators.meters.powerlogic.setup import SetupSession

_MINUTE = 60_000_000_000
_FORGOTTEN = "test_a_forgotten_session_ends_by_itself"


@defect("D34", "a set-up session never ends by itself", "a forgotten draft is still there after two minutes",
        shows="^demand interval$", severity="function", caught_by=_FORGOTTEN)  # fmt: skip
def no_timeout(meter: Meter) -> None:
    """The timer is started and never looked at."""
    decide(meter, session_ended=lambda _session, _now: False)


@defect("P01", "a saved set-up is not written to memory", "it holds until the supply is cut, then the old one is back",
        why="a forgotten save: the session marks its page as changed and the mark is cleared by the reset that follows",
        shows="demand interval after a power cycle", severity="function",
        caught_by="test_a_programmed_interval_survives_a_power_cut")  # fmt: skip
def setup_not_saved(meter: Meter) -> None:
    """The new set-up stays in fast memory."""
    decide(meter, setup_save_time=lambda _now, _delay: 1 << 62, demand_save_time=lambda _now, _delay: 1 << 62)


@defect("P17", "every request keeps a set-up session open", "a draft that somebody merely reads stays for ever",
        why="the timer is started anew in the common part of all requests instead of in the writes",
        shows="^demand interval$", severity="function", caught_by=_FORGOTTEN)  # fmt: skip
def reads_keep_it_open(meter: Meter) -> None:
    """A look counts as a write."""

    def ended(session: SetupSession, now: int) -> bool:
        over = two_minutes_without_a_write(session, now)
        if not over:
            session.touch(now)
        return over

    decide(meter, session_ended=ended)


@defect("P18", "a set-up session lasts one minute", "a draft is gone before its two minutes are over",
        why="a unit: the time-out is two of something that was once a minute and is now half a minute",
        shows="draft shown before two minutes", severity="function", caught_by=_FORGOTTEN)  # fmt: skip
def half_the_time(meter: Meter) -> None:
    """The session ends after sixty seconds without a write."""
    decide(meter, session_ended=lambda session, now: session.idle(now) > _MINUTE)
