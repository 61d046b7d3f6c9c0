"""Defects of Elster meters in event logs and in the programming log: counts, stamps, names."""

from __future__ import annotations

from typing import Any

from simulators.faults.change import decide
from simulators.faults.registry import defect
from simulators.metering.event_log import REMEMBERED, Occurrence
from simulators.meters.elster.meter import Meter

_FAMILY = "elster"
_LAST = 65_535
_DAY = 86_400_000_000_000
_ONCE = "test_a_session_is_one_programming"


@defect("E35", "every write of a session counts as a programming", "the counter rises twice with a scheme",
        shows="^(programmings counted|programmer|programming counter went up by)$", caught_by=_ONCE,
        family=_FAMILY)  # fmt: skip
def counts_each_write(meter: Meter) -> None:
    """Whether the session has counted is not looked at."""
    decide(meter, counts_change=lambda _session: 1)


@defect("E36", "the latest stamp takes the place of the one before", "the third stamp is that of the first event ever",
        shows="^stamp [1-3] of ", caught_by="test_power_failures_are_logged", family=_FAMILY)  # fmt: skip
def oldest_stays(meter: Meter) -> None:
    """When three stamps are there, the middle one is written over."""

    def push(before: tuple[Occurrence[Any], ...], new: Occurrence[Any]) -> tuple[Occurrence[Any], ...]:
        return (new, *before) if len(before) < REMEMBERED else (new, *before[1:])

    decide(meter, push_event=push)


@defect("E37", "the name of the previous programmer is kept", "680 names somebody who was not there",
        shows="^programmer$", caught_by=_ONCE, model="A1140", family=_FAMILY)  # fmt: skip
def previous_name(meter: Meter) -> None:
    """A name is taken over when there is none yet."""
    decide(meter, programmer=lambda session, before: before or session.user)


@defect("E143", "a programming is dated by its day", "the log says midnight, whenever it was",
        why="the stamp is made of the date's registers, and the time's are read by another function",
        shows="^time in the programming log", severity="function",
        caught_by="test_a_scheme_is_programmed_and_read_back", family=_FAMILY)  # fmt: skip
def dated_by_day(meter: Meter) -> None:
    """The time of day is left out."""
    decide(meter, programming_stamp=lambda at: at - at % _DAY)


@defect("E93", "a count stops at 65535", "events go on and the count does not",
        why="saturation instead of the documented roll-over", shows="^(power failures|reverse runnings) counted$",
        caught_by="test_a_count_goes_over_to_zero", model="A1140", family=_FAMILY)  # fmt: skip
def count_stops(meter: Meter) -> None:
    """The largest number stays."""
    decide(meter, count_event=lambda count: min(count + 1, _LAST))


@defect("E94", "a write that was refused counts as a programming", "the counter rises and nothing has changed",
        why="the counter is raised before the value is looked at",
        shows="^(programmings counted of a refusal|what has changed)$",
        caught_by="test_what_is_refused_is_no_programming", family=_FAMILY)  # fmt: skip
def counts_refusals(meter: Meter) -> None:
    """A refusal counts like a change."""
    decide(meter, counts_refusal=lambda session: 0 if session.changed else 1)
