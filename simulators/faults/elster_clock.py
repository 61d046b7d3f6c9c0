"""Defects of Elster meters in setting and adjusting the clock."""

from __future__ import annotations

from simulators.faults.change import decide
from simulators.faults.registry import defect
from simulators.meters.elster.meter import Meter

_FAMILY = "elster"
_TOO_FAST = 30_000_000_000
_TWELVE = 12


@defect("E44", "an adjustment takes 30 s a period instead of 5", "the clock is where it is to be too soon",
        shows="^adjusted after", caught_by="test_an_adjustment_takes_its_time", family=_FAMILY)  # fmt: skip
def adjusts_too_fast(meter: Meter) -> None:
    """The step is six times too large."""
    decide(meter, clock_step=lambda pending, _step: max(-_TOO_FAST, min(_TOO_FAST, pending)))


@defect("E146", "a clock is set by a clock of twelve hours", "a meter that was set to the evening is in the morning",
        why="the hour goes through the display's own register, which has twelve in some countries",
        shows="^shown after the set time|^billing date in an outage|^clock settings that|^intervals jumped|off by",
        caught_by="test_the_clock_takes_a_new_time", family=_FAMILY)  # fmt: skip
def sets_twelve_hours(meter: Meter) -> None:
    """Eleven at night becomes eleven in the morning."""
    decide(meter, clock_setting=lambda _before, wanted: wanted.replace(hour=wanted.hour % _TWELVE))


@defect("E95", "an adjustment of any size is accepted", "the clock begins to drift by minutes for hours",
        why="the limit is that of the software at the other end, not the meter's",
        shows="^adjustment by", caught_by="test_an_adjustment_beyond_the_limit_is_refused",
        family=_FAMILY)  # fmt: skip
def adjusts_without_limit(meter: Meter) -> None:
    """Nothing is too much."""
    decide(meter, may_adjust=lambda _by, _limit: True)
