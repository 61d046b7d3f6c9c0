"""Programming a scheme as a transaction.

Who answers is known before anything is written; what it held is on the disk. While sections are written, 795 says that
the meter is between two schemes; the scheme's own id is written last. Every identity is read back. A write that was not
answered is never repeated blindly: the identity is read first. A visit that is lost may have taken with it what was not
saved yet, so before the scheme's id is written everything from earlier visits is looked at again. Whatever breaks in,
the report says of every section whether it is old, new or mixed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from bench.errors import BenchError, DeviceError, UsageError, WrongDevice
from bench.procedures.journal import Journal
from bench.safety import Armed
from bench.scheme.examination import log_time, look_afterwards, look_again, try_passwords
from bench.scheme.meter import Identity, SchemeMeter
from bench.scheme.model import UNFINISHED
from bench.scheme.plan import Plan
from bench.scheme.report import SchemeReport, State
from bench.scheme.sections import firmware_fits
from bench.scheme.snapshot import Snapshot, take
from bench.scheme.writing import Writing


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
        self.report = SchemeReport(meter.name, plan, user, steps=journal.steps)
        self._writing = Writing(meter, armed, journal, self.report, wall)
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
            if self._resumed is not None and self._new_password is not None:
                meter.expect_password(self._new_password)
            meter.log_in(self._armed, self._plan.level, report.user)
        try:
            with self._journal.step("read what the meter holds, and keep it"):
                self._snapshot(report.identity)
            todo = [write for write in self._plan.writes if report.states[write.item.name] not in _DONE]
            clock = self._plan.set_clock and report.states["clock"] not in _DONE
            if todo or clock or report.states["scheme_id"] not in _DONE:
                if self._new_password is not None:
                    meter.expect_password(self._new_password)
                with self._told_if_broken_off():
                    self._writing.all_of(todo)
            else:
                report.already = True
        finally:
            with suppress(BenchError):
                meter.log_out()
        if report.written and not report.stopped:
            with self._told_if_broken_off(), self._journal.step("read the programming log, and what it holds now"):
                look_afterwards(meter, report, self._journal.clock)
        if report.stopped:
            with suppress(BenchError):
                look_again(meter, report)
        if report.written:
            self._tell()
        return report

    def _tell(self) -> None:
        report, after = self.report, self.report.log_after
        if report.stopped:
            self._journal.audit("stopped", device=report.meter, reason=report.stopped, state=report.told)
        elif after is not None:
            self._journal.audit("verify", device=report.meter, scheme=self._plan.name, state=report.told,
                                count=after.count, time=after.times[0])  # fmt: skip

    @property
    def _new_password(self) -> bytes | None:
        """The password that opens the meter once the plan's passwords are in it; None if the station's still does."""
        return next((w.data for w in self._plan.writes if w.item.name == f"password_{self._plan.level}"), None)

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
        if self._resumed is not None:
            written = {write.item.name for write in (*plan.writes, plan.scheme_id)}
            left_out = [name for name in self._resumed.objects if name not in written]
            if left_out:  # the first attempt may have written it, and nobody would look at it again
                raise UsageError(
                    f"scheme {plan.name} no longer has {', '.join(left_out)}, which the snapshot was taken for; "
                    "resume with the scheme as it was, or bring the old state back with scheme restore"
                )

    def _snapshot(self, found: Identity) -> None:
        report, meter = self.report, self._meter
        report.log_before, report.clock_before = meter.read_programming_log(), log_time(meter, self._journal.clock)
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
            unread = State.OLD if self._resumed is None else State.UNKNOWN
            report.states[write.item.name] = unread if known is None else report.classify(write, known)
        if self._plan.set_clock:
            report.states["clock"] = State.OLD if self._resumed is None else State.UNKNOWN
        if self._resumed is not None:
            self._look_whether_it_was_concluded()
        report.found = report.sections
        snapshot = take(meter.name, found.model, found.serial, self._plan.name, report.log_before.count, held)
        self._journal.audit("snapshot", device=meter.name, scheme=self._plan.name, count=snapshot.count, objects=held,
                            state=report.told)  # fmt: skip
        if self._resumed is None:
            self._keep(snapshot)

    def _look_whether_it_was_concluded(self) -> None:
        """The scheme id is written last: where it stands with the rest the clock was set, and the passwords are tried.

        So whoever was killed after the last write, and resumes, does not program the meter a second time.
        """
        report = self.report
        states = {report.states[w.item.name] for w in (*self._plan.writes, self._plan.scheme_id) if w.item.readable}
        if State.NEW in states <= {*_DONE}:
            if self._plan.set_clock:
                report.states["clock"] = State.NEW
            try_passwords(self._meter, report, self._plan.writes)

    # -- when it is broken off ---------------------------------------------------------------------------------------

    @contextmanager
    def _told_if_broken_off(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            by_hand = not isinstance(error, BenchError)
            with suppress(BenchError):
                look_again(self._meter, self.report, only_unknown=by_hand)
            reason = "interrupted by the operator" if isinstance(error, KeyboardInterrupt) else str(error)
            self._journal.audit("broken off", device=self.report.meter, reason=reason, state=self.report.told)
            raise


_DONE = (State.NEW, State.SAME)


def _plain(serial: str) -> str:
    """A serial number without what pads it: blanks, NULs and leading zeros."""
    return serial.strip(" \0").lstrip("0")
