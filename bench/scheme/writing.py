"""Writing a scheme into one meter, identity by identity, each read back, the scheme's own id last.

A write that was not answered is never repeated blindly: the identity is read first. A visit that is lost may have taken
with it what was not saved yet, so before the scheme's id is written everything from earlier visits is looked at again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bench.errors import DeviceError, ForeignAnswer, NoAnswer, Refused, UsageError
from bench.procedures.journal import Journal
from bench.safety import Armed
from bench.scheme.meter import SchemeMeter
from bench.scheme.model import UNFINISHED
from bench.scheme.plan import Write
from bench.scheme.report import SchemeReport, State
from bench.scheme.visits import Visits
from protocols.conversation import ProtocolError
from protocols.elster.configuration import ConfigurationError, Item, encode_text, layout
from protocols.elster.moments import decode_clock, encode_clock
from protocols.elster.tables import identity

#: How far the clock may be from what it was set to: whole seconds, and what the line takes.
_CLOCK_SLACK = timedelta(seconds=5)
#: How often everything is looked at before the scheme id is written, while one visit after the other is lost.
_ROUNDS = 3
#: The visit of a write that was not confirmed.
_NOBODY_KNOWS = -1


class Writing:
    """The writing part of one programming.

    Args:
        meter: its driver.
        armed: permission to write to it.
        journal: keeps the steps and the audit.
        report: what is to be written, and what each identity holds as far as is known.
        wall: the time to set the clock to, in the meter's time.

    Raises:
        UsageError: the user of the report is no name for a meter.
    """

    def __init__(
        self,
        meter: SchemeMeter,
        armed: Armed,
        journal: Journal,
        report: SchemeReport,
        wall: Callable[[], datetime] | None,
    ) -> None:
        plan = report.plan
        self._meter = meter
        self._plan = plan
        self._armed = armed
        self._journal = journal
        self._wall = wall
        self._report = report
        self._user = layout(plan.model).items["user"]
        try:
            self._name = encode_text(report.user, self._user)
        except ConfigurationError:
            raise UsageError(
                f"{report.user!r} is no user name for a meter: up to {self._user.size} ASCII characters"
            ) from None
        self._visits = Visits(meter, armed, plan.level, self._begin_visit)
        self._marker = Write(plan.scheme_id.item, encode_text(UNFINISHED, plan.scheme_id.item))
        #: The visit in which each identity was written last.
        self._written_in: dict[str, int] = {}
        #: Whether 795 has to say that the meter is between two schemes; whether it may say that it is not any more.
        self._marked = self._concluding = False

    def all_of(self, todo: list[Write]) -> None:
        """Write what is to be written; `stopped` in the report says why it went no further, if so.

        Raises:
            DeviceError, StationError: something broke.
        """
        plan, report = self._plan, self._report
        self._journal.audit("program", device=report.meter, scheme=plan.name, version=plan.version, user=report.user,
                            sections=[*dict.fromkeys(write.item.section for write in todo)])  # fmt: skip
        with self._journal.step("say who programs, and that it has begun"):
            if not self._write(self._marker):
                return
            report.states["scheme_id"], self._marked = State.MIXED, True
        for section in dict.fromkeys(write.item.section for write in todo):
            with self._journal.step(f"write {section}"):
                if not all(self._write(write) for write in todo if write.item.section == section):
                    return
        if plan.set_clock:
            with self._journal.step("set the clock"):
                if not self._set_clock():
                    return
        with self._journal.step("write the scheme id"):
            self._conclude(todo)

    def _begin_visit(self) -> None:
        """Name who programs; and see that the meter still says that it is between two schemes, once it has to."""
        self._audit_write(self._user, self._name)
        self._meter.write_object(self._armed, self._user.number, self._name)
        if not self._marked:
            return
        item = self._marker.item
        found = self._meter.read_object(item.number, item.size)
        if found != self._marker.data and not (self._concluding and found == self._plan.scheme_id.data):
            self._audit_write(item, self._marker.data)
            self._meter.write_object(self._armed, item.number, self._marker.data)

    def _write(self, write: Write) -> bool:
        """Write one identity and read it back; whether it holds what it is to hold."""
        item, report = write.item, self._report
        report.states[item.name] = State.UNKNOWN
        try:
            self._send(item, write.data)
        except (NoAnswer, ForeignAnswer) as error:
            self._look_before_repeating(write, error)
        if not item.readable:  # whether it is so is seen in the end, by logging in with it
            report.states[item.name] = State.NEW
            return True
        return self._read_back(write)

    def _read_back(self, write: Write) -> bool:
        item, report = write.item, self._report
        found = self._meter.read_object(item.number, item.size)
        report.states[item.name] = report.classify(write, found)
        if found != write.data:
            report.stopped = f"{item.name} ({item.number}) reads back otherwise than written"
        return found == write.data

    def _look_before_repeating(self, write: Write, error: DeviceError) -> None:
        """A write was not confirmed: read the identity, and write it again only if it does not hold the new bytes."""
        if not self._found_after(write, error):
            self._send(write.item, write.data)

    def _found_after(self, write: Write, error: DeviceError) -> bool:
        """Whether a write that was not confirmed has been taken; a password cannot be read, so it is tried."""
        item = write.item
        self._report.unconfirmed.append(item.name)
        found = self._meter.read_object(item.number, item.size) if item.readable else None
        there = self._meter.takes_password(write.data) if found is None else found == write.data
        self._journal.audit("unconfirmed", device=self._report.meter, identity=item.number, reason=str(error),
                            found="not told" if found is None else found, there=there)  # fmt: skip
        return there

    def _conclude(self, todo: list[Write]) -> None:
        """Write the scheme id when everything else stands; a visit that is lost here is looked into once."""
        write, self._concluding = self._plan.scheme_id, True
        for last in (False, True):
            if not self._still_there(todo):
                return
            self._report.states[write.item.name] = State.UNKNOWN
            try:
                self._send(write.item, write.data)
                break
            except (NoAnswer, ForeignAnswer) as error:
                if last:
                    raise
                if self._found_after(write, error):
                    break
        self._read_back(write)

    def _still_there(self, todo: list[Write]) -> bool:
        """Whether all that was written stands: what was not written in this visit is looked at, and written again."""
        for _ in range(_ROUNDS):
            visit = self._meter.ready(self._armed, self._plan.level)
            stale = [write for write in todo if self._written_in.get(write.item.name) != visit]
            if not stale:
                return True
            if not all(self._stands(write, visit) for write in stale):
                return False
        self._report.stopped = "one visit after the other is lost"
        return False

    def _stands(self, write: Write, visit: int) -> bool:
        item = write.item
        if item.readable and self._meter.read_object(item.number, item.size) == write.data:
            self._written_in[item.name] = visit
            return True
        return self._write(write)

    def _send(self, item: Item, data: bytes) -> None:
        self._written_in[item.name] = _NOBODY_KNOWS
        report, visits = self._report, self._visits
        try:
            self._written_in[item.name] = visits.write(item.number, data, lambda: self._audit_write(item, data))
        finally:
            report.visits, report.tried = len(visits.confirmed), len(visits.tried)

    def _audit_write(self, item: Item, data: bytes) -> None:
        told = data if item.section != "passwords" else "not told"
        self._journal.audit("write", device=self._report.meter, identity=item.number, name=item.name, data=told)
        self._report.written = True

    def _set_clock(self) -> bool:
        """Set the clock; where that was not answered and the clock does not show it, once more."""
        assert self._wall is not None
        report, item = self._report, identity(self._plan.model, "clock")
        report.states["clock"] = State.UNKNOWN
        for _ in range(2):
            answered = self._sent_clock(item.number, self._wall)
            try:
                shown = decode_clock(self._meter.read_object(item.number, item.size))
            except ProtocolError as error:
                report.stopped = f"the clock reads no time: {error}"
                return False
            wanted = self._wall()
            if abs(shown - wanted) <= _CLOCK_SLACK:
                report.states["clock"] = State.NEW
                return True
            if answered:
                break
        report.stopped = f"the clock was set and reads {shown} where {wanted.replace(microsecond=0)} belongs"
        return False

    def _sent_clock(self, number: int, wall: Callable[[], datetime]) -> bool:
        def tell() -> None:
            self._journal.audit("write", device=self._report.meter, identity=number, name="clock", data=wanted)
            self._report.written = True

        try:
            self._visits.enter()  # which may take its time
            wanted = wall().replace(microsecond=0)
            self._visits.write(number, encode_clock(wanted), tell)
        except (NoAnswer, ForeignAnswer):  # the clock is read next
            return False
        except Refused as error:
            if not error.nak:
                raise
            return False
        return True
