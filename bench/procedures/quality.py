"""What is to be known of a value beside its number: the status bits and markers of a load profile, in words."""

from __future__ import annotations

from enum import Flag, auto

from protocols.elster.profile import ExtendedStatus, IntervalStatus, MarkerKind


class Quality(Flag):
    """Why a value is not simply a whole undisturbed interval; none of these is."""

    NONE = 0
    SHORT = auto()
    POWER_FAIL = auto()
    CLOCK_SET = auto()
    CLOCK_TOUCHED = auto()
    DAYLIGHT_SAVING = auto()
    CONFIGURATION_CHANGE = auto()
    FORCED_END = auto()
    CLEARED = auto()
    DATA_CHANGE = auto()
    TRANSFORMER_CHANGE = auto()
    REVERSE = auto()
    PHASE_FAIL = auto()
    TRANSIENT_RESET = auto()
    BATTERY = auto()
    COVER = auto()
    DUPLICATE = auto()

    @property
    def words(self) -> tuple[str, ...]:
        """Each flag in words."""
        return tuple(flag.name.lower().replace("_", " ") for flag in self if flag.name)


#: Status bit of an interval -> what it says of the value.
_STATUS = {
    IntervalStatus.TRANSIENT_RESET: Quality.TRANSIENT_RESET,
    IntervalStatus.TIME_SYNC: Quality.CLOCK_TOUCHED,
    IntervalStatus.DATA_CHANGE: Quality.DATA_CHANGE,
    IntervalStatus.BATTERY: Quality.BATTERY,
    IntervalStatus.CT_CHANGE: Quality.TRANSFORMER_CHANGE,
    IntervalStatus.REVERSE_RUN: Quality.REVERSE,
    IntervalStatus.PHASE_FAIL: Quality.PHASE_FAIL,
}
#: Marker -> what it says of the intervals that it cuts.
MARKED = {
    MarkerKind.POWER_UP: Quality.POWER_FAIL,
    MarkerKind.POWER_DOWN: Quality.POWER_FAIL,
    MarkerKind.CONFIGURATION_CHANGE: Quality.CONFIGURATION_CHANGE,
    MarkerKind.FORCED_END: Quality.FORCED_END,
    MarkerKind.TIME_CHANGE: Quality.CLOCK_SET,
    MarkerKind.CLEARED: Quality.CLEARED,
    MarkerKind.DAYLIGHT_SAVING: Quality.DAYLIGHT_SAVING,
}


def quality_of(status: int, extended: int = -1) -> Quality:
    """What the status bytes of an interval say; an extended one below 0 is not there."""
    found = Quality.NONE
    for bit, quality in _STATUS.items():
        if status & bit:
            found |= quality
    if extended > 0 and extended & (ExtendedStatus.TERMINAL_COVER | ExtendedStatus.MAIN_COVER):
        found |= Quality.COVER
    return found
