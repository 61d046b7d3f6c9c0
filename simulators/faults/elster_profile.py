"""Defects of Elster meters in the load profile: markers that are missing or wrong, digits that are lost."""

from __future__ import annotations

from protocols.elster.profile import MANTISSA_LIMIT
from simulators.faults.change import decide
from simulators.faults.registry import defect
from simulators.meters.elster.meter import Meter

_FAMILY = "elster"
_CONTRADICTS = "^the profile contradicts itself$"
_CHANGED_DAYS = ("test_a_day_in_spring_is_shorter", "test_a_day_in_autumn_is_longer")


@defect("E41", "a clock set forward leaves no marker", "intervals are missing and nothing says why",
        shows=_CONTRADICTS + "|^(clock settings that are marked|intervals jumped over)$",
        caught_by="test_a_clock_set_forward_is_marked", family=_FAMILY)  # fmt: skip
def forward_unmarked(meter: Meter) -> None:
    """Only a clock that goes back is marked."""
    decide(meter, marks_time_change=lambda before, after: after < before)


@defect("E42", "a clock set back leaves no marker", "two intervals have the same time and nothing says why",
        shows=_CONTRADICTS + "|^clock settings that are marked$",
        caught_by="test_a_clock_set_back_is_marked", family=_FAMILY)  # fmt: skip
def back_unmarked(meter: Meter) -> None:
    """Only a clock that goes forward is marked."""
    decide(meter, marks_time_change=lambda before, after: after > before)


@defect("E43", "daylight saving moves the clock twice", "an hour is lost in spring and doubled in autumn, unmarked",
        shows=_CONTRADICTS + "|^half hours of the day|^changes of the clock that are marked$", caught_by=_CHANGED_DAYS,
        family=_FAMILY)  # fmt: skip
def changed_twice(meter: Meter) -> None:
    """The rule shifts what people read, and standard time with it."""
    hour = 3_600_000_000_000
    done: list[bool] = []

    def move(sick: Meter, now: int) -> None:
        summer = sick.clock.summer(now)
        if done[-1:] != [summer]:  # the hour that is put back comes once more
            done.append(summer)
            sick.clock.put(now, sick.clock.standard(now) + (hour if summer else -hour))
            sick.agenda.plan(now)

    decide(meter, after_daylight_change=move)


@defect("E46", "the exponent of a profile value is one too low above 99999", "the profile falls behind the registers",
        shows="^mean power at|^summed up against the register$|" + _CONTRADICTS,
        caught_by="test_a_profile_sums_up_to_its_registers", family=_FAMILY)  # fmt: skip
def low_exponent(meter: Meter) -> None:
    """A digit is dropped, and the exponent is not raised for it; that the digit is dropped is how these meters are."""
    decide(meter, profile_value=lambda value: value if value <= MANTISSA_LIMIT else value // 10)


@defect("E89", "power cuts leave no markers", "the periods of an outage are missing and nothing says why",
        why="the markers are written by the task that the brown-out interrupts first",
        shows=_CONTRADICTS + "|^outages that are accounted for$|^outage cut intervals short$",
        caught_by="test_an_outage_is_marked", family=_FAMILY)  # fmt: skip
def outages_unmarked(meter: Meter) -> None:
    """Neither the end nor the return of the supply is marked."""
    decide(meter, marks_power=False)


@defect("E90", "day markers never say summer time", "a day of summer begins an hour early",
        why="the flag of the marker is taken from the set-up of the clock, not from its state",
        shows=_CONTRADICTS + "|^half hours of the day", caught_by=_CHANGED_DAYS,
        family=_FAMILY)  # fmt: skip
def always_winter(meter: Meter) -> None:
    """The flag stays as the factory left it."""
    decide(meter, summer_flag=lambda _summer: False)


@defect("E91", "a cleared profile does not say so", "an emptied profile looks like one that has just begun",
        why="the marker goes into the store before the store is emptied",
        shows="^clearing is marked$", caught_by="test_a_cleared_profile_says_so", family=_FAMILY)  # fmt: skip
def clearing_unmarked(meter: Meter) -> None:
    """No marker EB is written."""
    decide(meter, marks_clearing=False)


@defect("E92", "the interval that a clock setting breaks off has no status", "a short record looks like a whole one",
        why="the status is set after the record is closed, so the next one has it or none",
        shows="^records with the status of a clock setting", caught_by="test_a_clock_set_forward_is_marked",
        family=_FAMILY)  # fmt: skip
def setting_unflagged(meter: Meter) -> None:
    """Time synchronisation is not among the status bits."""
    decide(meter, flags_time_change=False)
