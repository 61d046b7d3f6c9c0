"""Programming a scheme as a transaction.

Who answers is known before anything is written; what it held is on the disk. While sections are written, 795 says that
the meter is between two schemes; the scheme's own id is written last. Every identity is read back. A write that was not
answered is never repeated blindly: the identity is read first. Whatever breaks in, the report says of every section
whether it is old, new or mixed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

from bench.errors import BenchError, DeviceError, ForeignAnswer, NoAnswer, UsageError, WrongDevice
from bench.procedures.journal import Journal
from bench.safety import Armed
from bench.scheme.meter import Identity, SchemeMeter
from bench.scheme.plan import UNFINISHED, Plan, Write
from bench.scheme.report import SchemeReport, State
from bench.scheme.sections import firmware_fits
from bench.scheme.snapshot import Snapshot, take
from protocols.conversation import ProtocolError
from protocols.elster.configuration import ConfigurationError, Item, encode_text, layout
from protocols.elster.moments import decode_clock, encode_clock
from protocols.elster.tables import identity

#: How far the clock may be from what it was set to: whole seconds, and what the line takes.
_CLOCK_SLACK = timedelta(seconds=5)


class SchemeUnfinished(DeviceError):
    """An earlier programming of this meter was broken off; it is resumed or restored, not written over."""


class Programming:
    """One programming of one meter.

    Args:
        meter: its driver.
        plan: what is to be written.
        armed: permission to write to it.
        journal: keeps the steps and the audit.
        user: who programs, for 576.
        serial: the serial number that the station promises, None if it promises none.
        keep: puts the snapshot on the disk before the first write.
        resumed: the snapshot of the attempt that was broken off and is taken up again.
        restoring: the snapshot that the plan brings back; a meter between two schemes is no reason to stop then.
        wall: the time to set the clock to, in the meter's time.
        on_report: given the report before anything is done.
    """

    def __init__(
        self,
        meter: SchemeMeter,
        plan: Plan,
        *,
        armed: Armed,
        journal: Journal,
        user: str,
        serial: str | None = None,
        keep: Callable[[Snapshot], None] = lambda _snapshot: None,
        resumed: Snapshot | None = None,
        restoring: Snapshot | None = None,
        wall: Callable[[], datetime] | None = None,
        on_report: Callable[[SchemeReport], None] = lambda _report: None,
    ) -> None:
        if plan.set_clock and wall is None:
            raise UsageError(f"scheme {plan.name} sets the clock, and there is no time to set it to")
        self._meter = meter
        self._plan = plan
        self._armed = armed
        self._journal = journal
        self._serial = serial
        self._keep = keep
        self._resumed = resumed
        self._restoring = restoring
        self._wall = wall
        self._user = layout(plan.model).items["user"]
        try:
            self._name = encode_text(user, self._user)
        except ConfigurationError:
            raise UsageError(
                f"{user!r} is no user name for a meter: up to {self._user.size} ASCII characters"
            ) from None
        self.report = SchemeReport(meter.name, plan, user, steps=journal.steps)
        on_report(self.report)

    def run(self) -> SchemeReport:
        """Program the meter.

        Returns:
            What was found and done; `stopped` says why it went no further, if so.

        Raises:
            WrongDevice, UsageError, SchemeUnfinished: nothing was written, because what was found speaks against it.
            DeviceError, StationError: something broke; the report and the audit say which section is what.
        """
        report, meter = self.report, self._meter
        with self._journal.step("identify the meter"):
            report.identity = meter.identify()
            self._refuse_stranger(report.identity)
        with self._journal.step(f"log in at level {self._plan.level}"):
            self._armed.check(meter.name)
            meter.log_in(self._armed, self._plan.level, report.user)
        try:
            with self._journal.step("read what the meter holds, and keep it"):
                self._snapshot(report.identity)
            todo = [write for write in self._plan.writes if report.states[write.item.name] not in _DONE]
            if todo or self._plan.set_clock or report.states["scheme_id"] not in _DONE:
                with self._told_if_broken_off():
                    self._write_all(todo)
            else:
                report.already = True
        finally:
            with suppress(BenchError):
                meter.log_out()
        if report.written and not report.stopped:
            with self._journal.step("read the programming log"):
                self._read_log()
        return report

    # -- before ------------------------------------------------------------------------------------------------------

    def _refuse_stranger(self, found: Identity) -> None:
        plan, name = self._plan, self._meter.name
        if found.model != self._meter.model or found.model != plan.model:
            raise WrongDevice(f"an {found.model} answers, not the {plan.model} that the scheme is for", device=name)
        if self._serial is not None and _plain(found.serial) != _plain(self._serial):
            raise WrongDevice("another serial number (798) answers than the station promises", device=name)
        if not firmware_fits(plan.firmware, found.firmware):
            known = found.firmware or "that it does not tell"
            raise UsageError(f"scheme {plan.name} is for firmware {', '.join(plan.firmware)}; {name} has {known}")
        snapshot = self._resumed or self._restoring
        if snapshot is not None and not snapshot.is_of(found.serial):
            raise UsageError(f"the snapshot is of another meter than the one that answers as {name}")
        if self._resumed is not None and self._resumed.scheme != plan.name:
            raise UsageError(f"the snapshot was taken for scheme {self._resumed.scheme}, not for {plan.name}")

    def _snapshot(self, found: Identity) -> None:
        report, meter = self.report, self._meter
        report.log_before = meter.read_programming_log()
        writes = [*self._plan.writes, self._plan.scheme_id]
        held = {w.item.name: meter.read_object(w.item.number, w.item.size) for w in writes if w.item.readable}
        unfinished = held["scheme_id"].rstrip() == UNFINISHED.encode("ascii")
        if unfinished and self._resumed is None and self._restoring is None:
            raise SchemeUnfinished(
                f"795 reads {UNFINISHED}: an earlier programming was broken off; resume it with --resume SNAPSHOT, or "
                "bring the old scheme back with scheme restore SNAPSHOT",
                device=meter.name,
            )
        report.before = dict(held if self._resumed is None else self._resumed.objects)
        for write in writes:
            known = held.get(write.item.name)
            report.states[write.item.name] = State.OLD if known is None else report.classify(write, known)
        if self._plan.set_clock:
            report.states["clock"] = State.OLD
        snapshot = take(meter.name, found.model, found.serial, self._plan.name, report.log_before.count, held)
        self._journal.audit("snapshot", device=meter.name, scheme=self._plan.name, count=snapshot.count, objects=held)
        if self._resumed is None:
            self._keep(snapshot)

    # -- writing -----------------------------------------------------------------------------------------------------

    def _write_all(self, todo: list[Write]) -> None:
        plan, report = self._plan, self.report
        self._journal.audit("program", device=report.meter, scheme=plan.name, version=plan.version, user=report.user,
                            sections=[*dict.fromkeys(write.item.section for write in todo)])  # fmt: skip
        with self._journal.step("say who programs, and that it has begun"):
            self._send(self._user, self._name)
            marker = Write(plan.scheme_id.item, encode_text(UNFINISHED, plan.scheme_id.item))
            if not self._write(marker):
                return
            report.states["scheme_id"] = State.MIXED
        for section in dict.fromkeys(write.item.section for write in todo):
            with self._journal.step(f"write {section}"):
                if not all(self._write(write) for write in todo if write.item.section == section):
                    return
        if plan.set_clock:
            with self._journal.step("set the clock"):
                if not self._set_clock():
                    return
        with self._journal.step("write the scheme id"):
            self._write(plan.scheme_id)

    def _write(self, write: Write) -> bool:
        """Write one identity and read it back; whether it holds what it is to hold."""
        item, report = write.item, self.report
        report.states[item.name] = State.UNKNOWN
        try:
            self._send(item, write.data)
        except (NoAnswer, ForeignAnswer) as error:
            if not item.readable:
                raise
            self._look_before_repeating(write, error)
        if not item.readable:
            report.states[item.name] = State.NEW
            return True
        found = self._meter.read_object(item.number, item.size)
        report.states[item.name] = state = report.classify(write, found)
        if found != write.data:
            report.stopped = f"{item.name} ({item.number}) reads back otherwise than written"
            self._journal.audit("stopped", device=report.meter, reason=report.stopped, found=found, state=report.told)
        return state in _DONE or found == write.data

    def _look_before_repeating(self, write: Write, error: DeviceError) -> None:
        """A write was not confirmed: read the identity, and write it again only if it does not hold the new bytes.

        The visit may have been lost with the answer: who programs is said again, for whatever is written from here on.
        """
        item = write.item
        self.report.unconfirmed.append(item.name)
        found = self._meter.read_object(item.number, item.size)
        self._journal.audit("unconfirmed", device=self.report.meter, identity=item.number, reason=str(error),
                            found=found)  # fmt: skip
        self._send(self._user, self._name)
        if found != write.data:
            self._send(item, write.data)

    def _send(self, item: Item, data: bytes) -> None:
        told = data if item.section != "passwords" else "not told"
        self._journal.audit("write", device=self.report.meter, identity=item.number, name=item.name, data=told)
        self.report.written = True
        self._meter.write_object(self._armed, item.number, data)

    def _set_clock(self) -> bool:
        assert self._wall is not None
        report, item = self.report, identity(self._plan.model, "clock")
        report.states["clock"] = State.UNKNOWN
        wanted = self._wall().replace(microsecond=0)
        self._journal.audit("write", device=report.meter, identity=item.number, name="clock", data=wanted)
        with suppress(NoAnswer, ForeignAnswer):  # the clock is read next, and not set twice
            self._meter.write_object(self._armed, item.number, encode_clock(wanted))
        try:
            shown = decode_clock(self._meter.read_object(item.number, item.size))
        except ProtocolError as error:
            report.stopped = f"the clock reads no time: {error}"
            return False
        if abs(shown - self._wall()) > _CLOCK_SLACK:
            report.stopped = f"the clock was set to {wanted} and reads {shown}"
            return False
        report.states["clock"] = State.NEW
        return True

    # -- when it is broken off ---------------------------------------------------------------------------------------

    @contextmanager
    def _told_if_broken_off(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            by_hand = not isinstance(error, BenchError)
            with suppress(BenchError):
                self._look_again(only_unknown=by_hand)
            reason = "interrupted by the operator" if isinstance(error, KeyboardInterrupt) else str(error)
            self._journal.audit("broken off", device=self.report.meter, reason=reason, state=self.report.told)
            raise

    def _look_again(self, *, only_unknown: bool) -> None:
        """Read what the identities hold now, if the meter still answers; what is not read is not known."""
        report, meter = self.report, self._meter
        writes = [w for w in (*self._plan.writes, self._plan.scheme_id) if w.item.readable]
        if only_unknown:
            writes = [w for w in writes if report.states[w.item.name] is State.UNKNOWN]
        report.silent = True
        with suppress(BenchError):
            meter.log_out()
        meter.log_in(None, 0, "")
        for write in writes:
            found = meter.read_object(write.item.number, write.item.size)
            report.states[write.item.name] = report.classify(write, found)
        report.silent = False

    def _read_log(self) -> None:
        meter = self._meter
        meter.log_in(None, 0, "")
        try:
            self.report.log_after = meter.read_programming_log()
        finally:
            with suppress(BenchError):
                meter.log_out()
        after = self.report.log_after
        self._journal.audit("verify", device=meter.name, scheme=self._plan.name, state=self.report.told,
                            count=after.count, time=after.times[0])  # fmt: skip


_DONE = (State.NEW, State.SAME)


def _plain(serial: str) -> str:
    """A serial number without what pads it: blanks, NULs and leading zeros."""
    return serial.strip(" \0").lstrip("0")
