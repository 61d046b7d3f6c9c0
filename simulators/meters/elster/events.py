"""What happens to a meter: its logs, the status that stands while something lasts, and a call for who wants to know.

The times of a log are ns of standard time. Which logs a model shows under which identity is in its tables.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from protocols.elster.logs import Phases
from protocols.elster.profile import ExtendedStatus, IntervalStatus
from simulators.metering.event_log import EventLog


class Event(Enum):
    """A kind of event, by the name of its log in the tables."""

    TERMINAL_COVER = "terminal_cover"
    MAIN_COVER = "main_cover"
    PHASE_FAILURE = "phase_failure"
    REVERSE_RUNNING = "reverse_running"
    POWER_FAILURE = "power_failure"
    TRANSIENT_RESET = "transient_reset"
    BATTERY = "battery"
    BILLING = "billing_events"
    METER_ERROR = "meter_error"
    MAGNETIC_FIELD = "magnetic_field"


#: The status bit of a profile record in which an event happened, or throughout which it lasted.
STATUS = {
    Event.PHASE_FAILURE: IntervalStatus.PHASE_FAIL,
    Event.REVERSE_RUNNING: IntervalStatus.REVERSE_RUN,
    Event.TRANSIENT_RESET: IntervalStatus.TRANSIENT_RESET,
    Event.BATTERY: IntervalStatus.BATTERY,
}
#: The same in the second status byte of some firmware.
EXTENDED = {
    Event.TERMINAL_COVER: ExtendedStatus.TERMINAL_COVER,
    Event.MAIN_COVER: ExtendedStatus.MAIN_COVER,
}
#: Bits of the system status (724) while an event lasts; no public source, so these are assumed.
SYSTEM = {event: 1 << bit for bit, event in enumerate(Event)}


class Events:
    """The logs of a meter and what lasts."""

    __slots__ = ("lasting", "logs", "on_event", "phases")

    def __init__(self, before: int = 0) -> None:
        self.logs: dict[Event, EventLog[int]] = {event: EventLog(before) for event in Event}
        #: What has begun and not ended.
        self.lasting: set[Event] = set()
        #: The phases that have failed.
        self.phases = Phases(0)
        #: Told of every event, of the instant (ns) and of its information: an alert.
        self.on_event: Callable[[Event, int, int], None] | None = None

    @property
    def system_status(self) -> int:
        """The bits of what lasts."""
        return sum(SYSTEM[event] for event in self.lasting)
