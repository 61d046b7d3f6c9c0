"""What programming a scheme found and did: facts, and what they come to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from bench.measure import Measure, Unit
from bench.procedures.journal import Step
from bench.scheme.meter import Identity, ProgrammingRecord
from bench.scheme.plan import Plan, Write
from protocols.elster.tables import model

_COUNTS = 1 << 16
#: By how many seconds a stamp and readings of the clock may be apart: whole seconds, and readings take their time.
_SLACK = Decimal(5)


class State(StrEnum):
    """What a section of a meter holds."""

    SAME = "unchanged"
    OLD = "old"
    NEW = "new"
    MIXED = "mixed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LogTime:
    """A moment as a meter's log would have it, and the bench time (ns) at which it was read."""

    moment: datetime
    at: int


@dataclass(slots=True)
class SchemeReport:
    """One programming, as far as it came.

    Attributes:
        before: what the meter held, by identity name; on resuming, what it held before the first attempt.
        found: what each section held when it was begun, or taken up again.
        states: what each identity holds as far as is known.
        clock_before, clock_after: what the meter's log would have said at two instants around it all.
        already: whether everything stood there before, so that nothing was written.
        written: whether anything has been written.
        visits: in how many visits a write was confirmed: each counts once in the programming log.
        tried: in how many visits something was written.
        unconfirmed: identities whose write was not answered; each was read before anything was repeated.
        silent: whether the meter said no more when it was asked what it holds after the programming was broken off.
        stopped: why it went no further, empty when it went through.
    """

    meter: str
    plan: Plan
    user: str
    identity: Identity | None = None
    before: dict[str, bytes] = field(default_factory=dict)
    found: dict[str, State] = field(default_factory=dict)
    states: dict[str, State] = field(default_factory=dict)
    log_before: ProgrammingRecord | None = None
    log_after: ProgrammingRecord | None = None
    clock_before: LogTime | None = None
    clock_after: LogTime | None = None
    already: bool = False
    written: bool = False
    visits: int = 0
    tried: int = 0
    unconfirmed: list[str] = field(default_factory=list)
    silent: bool = False
    stopped: str = ""
    steps: list[Step] = field(default_factory=list)

    def classify(self, write: Write, found: bytes) -> State:
        """What an identity holds that reads `found`."""
        old = self.before.get(write.item.name)
        if found == write.data:
            return State.SAME if old == found else State.NEW
        return State.OLD if found == old else State.MIXED

    @property
    def rise(self) -> int:
        """By how much the count of the programming log went up; 0 while it is not known."""
        if self.log_before is None or self.log_after is None:
            return 0
        return (self.log_after.count - self.log_before.count) % _COUNTS

    @property
    def sections(self) -> dict[str, State]:
        """What each section holds: one state if all its identities agree, else mixed; unknown beats mixed."""
        found: dict[str, State] = {}
        for write in (*self.plan.writes, self.plan.scheme_id):
            state = self.states.get(write.item.name, State.UNKNOWN)
            found[write.item.section] = _together(found.get(write.item.section, State.SAME), state)
        if self.plan.set_clock and "clock" in self.states:
            found["clock"] = self.states["clock"]
        return found

    @property
    def told(self) -> str:
        """The sections by their state, in words."""
        found = self.sections
        parts = [
            f"{state.value}: {', '.join(name for name, s in found.items() if s is state)}"
            for state in (State.NEW, State.OLD, State.MIXED, State.UNKNOWN, State.SAME)
            if state in found.values()
        ]
        return "; ".join(parts) + (" (as last read: the meter does not answer)" if self.silent else "")


def _together(first: State, second: State) -> State:
    if State.UNKNOWN in {first, second}:
        return State.UNKNOWN
    if first is second or second is State.SAME:
        return first
    return second if first is State.SAME else State.MIXED


def judge_scheme(report: SchemeReport, measure: Measure) -> None:
    """Measure what must be true after a scheme was programmed."""
    for section, state in report.sections.items():
        check = measure(f"section {section}", str(state), device=report.meter)
        check.one_of([str(State.NEW), str(State.SAME)])
    before, after = report.log_before, report.log_after
    if before is None or after is None or not report.written:
        return
    lost = len(report.unconfirmed)
    note = f"{after.count}, before: {before.count}; written in {report.tried} visit{'s' if report.tried > 1 else ''}"
    note += f"; a visit may have been lost {lost} times" if lost else ""
    rise = report.rise
    more = measure("programming counter went up by", rise, device=report.meter, note=note)
    least = 1 if lost else report.visits
    more.between(least, max(least, report.tried))
    newest, last = after.times[0], before.times[0]
    _judge_time(report, measure, newest, last)
    fresh = min(rise, len(after.times))
    moved = newest is not None and newest != last
    moved = moved and list(after.times[fresh:]) == list(before.times[: len(before.times) - fresh])
    measure("programming log moved on", moved, device=report.meter).is_(True)
    users = [user.decode("ascii", "replace").strip() for user in after.users[: max(1, fresh)]]
    if model(report.plan.model)["programming_users"]:
        shown = ", ".join(dict.fromkeys(users))
        measure("user in the programming log", shown, device=report.meter).is_(report.user)
    else:
        why = f"an {report.plan.model} keeps none"
        measure.not_applicable("user in the programming log", why, device=report.meter)


def _judge_time(report: SchemeReport, measure: Measure, newest: datetime | None, last: datetime | None) -> None:
    """The newest entry is of this programming: by the clock before, going on, or by the clock after, going back."""
    name, first, second = "time in the programming log is out by", report.clock_before, report.clock_after
    if first is None or second is None:
        measure.not_determinable(name, "a clock that can be read", device=report.meter)
        return
    took = timedelta(microseconds=(second.at - first.at) // 1000)
    spans = [(first.moment, first.moment + took), (second.moment - took, second.moment)]
    out = [max(begin - newest, newest - end, timedelta(0)) for begin, end in spans] if newest is not None else []
    seconds = Decimal(str(min(out).total_seconds())) if out else None
    measure(name, seconds, Unit.S, device=report.meter, note=f"{newest}, before: {last}").between(Decimal(0), _SLACK)
