"""Looking at a meter when its programming is over, went wrong or was broken off: what each section holds now."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from bench.clock import Clock
from bench.errors import BenchError, DeviceError
from bench.scheme.meter import SchemeMeter
from bench.scheme.plan import Write
from bench.scheme.report import LogTime, SchemeReport, State


def look_again(meter: SchemeMeter, report: SchemeReport, *, only_unknown: bool = False) -> None:
    """Read what the identities hold now, if the meter still answers; what is not read stays as it was last read.

    Args:
        meter: the meter.
        report: is put right.
        only_unknown: look at what was in flight only, for an operator who waits.

    Raises:
        BenchError: the meter does not answer; the report says so.
    """
    writes = [*report.plan.writes, report.plan.scheme_id]
    if only_unknown:
        writes = [w for w in writes if w.item.readable and report.states[w.item.name] is State.UNKNOWN]
    report.silent = True
    with suppress(BenchError):
        meter.log_out()
    meter.log_in(None, 0, "")
    for write in (w for w in writes if w.item.readable):
        found = meter.read_object(write.item.number, write.item.size)
        report.states[write.item.name] = report.classify(write, found)
    try_passwords(meter, report, writes)
    report.silent = False


def log_time(meter: SchemeMeter, clock: Clock) -> LogTime | None:
    """What the meter's log would say now; None if its clock cannot be read."""
    try:
        return LogTime(meter.read_log_time(), clock.now())
    except DeviceError:
        return None


def look_afterwards(meter: SchemeMeter, report: SchemeReport, clock: Clock) -> None:
    """The programming log, the scheme id and the passwords, when the visit of the programming is over.

    Raises:
        BenchError: the meter does not answer.
    """
    last, strangers = report.plan.scheme_id, list[Write]()
    meter.log_in(None, 0, "")
    try:
        report.log_after, report.clock_after = meter.read_programming_log(), log_time(meter, clock)
        found = meter.read_object(last.item.number, last.item.size)
        if report.rise > report.tried:
            strangers = _changed_since(meter, report)
    finally:
        with suppress(BenchError):
            meter.log_out()
    try_passwords(meter, report, report.plan.writes)
    lost = [w.item.name for w in report.plan.writes if report.states[w.item.name] is State.UNKNOWN]
    lost += [last.item.name] if found != last.data else []
    if lost:
        report.stopped = f"{_named(lost)}: taken, and not kept"
    elif strangers:
        names = [write.item.name for write in strangers]
        report.stopped = f"{_named(names)}: written by somebody else while this scheme was programmed"


def _changed_since(meter: SchemeMeter, report: SchemeReport) -> list[Write]:
    """The log counts more visits than there were: what no longer holds what it held when it was looked at last."""
    changed = []
    for write in (write for write in report.plan.writes if write.item.readable):
        report.states[write.item.name] = report.classify(write, meter.read_object(write.item.number, write.item.size))
        if report.states[write.item.name] not in (State.NEW, State.SAME):
            changed.append(write)
    return changed


def _named(names: Sequence[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)


def try_passwords(meter: SchemeMeter, report: SchemeReport, writes: Sequence[Write]) -> None:
    """A password cannot be read: whether it is the new one is seen by logging in with it."""
    for write in writes:
        if not write.item.readable and report.states[write.item.name] is not State.OLD:
            report.states[write.item.name] = State.UNKNOWN
            if meter.takes_password(write.data):
                report.states[write.item.name] = State.NEW
