"""Programming a meter: its clock, its set-up, its resets. Each is looked at before and after, and told in the audit.

A meter may lose its supply, and the bench its process, between any two bytes of this. So the audit names what is about
to be written before the first byte of it, and tells a result only when it was read; a command is sent once; and whoever
comes next finds out by reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bench.drivers.powerlogic import Series
from bench.drivers.powerlogic.driver import whole_second
from bench.drivers.powerlogic.series import COMMAND, DONE, FIRST_PARAMETER, RESULT
from bench.errors import BenchError, NoAnswer, Refused
from bench.measure import Measure
from bench.procedures.journal import Journal, Step
from bench.safety import Armed
from protocols.powerlogic.tables import command_code

#: What a command takes of the command area: code, parameters, pointers, status and result.
_COMMAND_AREA = "8000-8021"
#: Result of 9020 where a session is open already: only one at a time (CM4000 manual p. 187).
_ANOTHER_SESSION = 81
#: A session that nobody writes to ends after two minutes; a look at the meter does not keep it open.
_SESSION_ENDS = 121_000_000_000
_RETURN_TIME = 120_000_000_000
#: A meter may answer some more before it carries out the command to restart; no document gives a time.
_RESTARTS_AFTER = 500_000_000
#: How far a clock may be from what it was set to, beside the time that has passed: it is set to whole seconds.
_CLOCK_SLACK = timedelta(seconds=2)
#: Resets by the name of their command: the parameters where a family takes any, and the times that prove them.
RESETS: Mapping[str, tuple[str, ...]] = {
    "reset_demand": ("power_demand_reset_time",),
    "reset_minmax": ("minmax_reset_time",),
    "clear_energies": ("energy_reset_time", "conditional_reset_time", "incremental_reset_time"),
}


@dataclass(slots=True)
class Programming:
    """What programming found and did: facts only.

    Attributes:
        meter: which.
        what: what was to be done, in words.
        wanted: what the meter is to show, by register name; empty for a reset, which shows another time than before.
        before, after: what it showed.
        already: no set-up register was written, because the meter had it before.
        drafted: whether writing to a set-up session has begun; a meter may take some registers before it is saved (3248
            of CM3 and CM4, FAQ FA212299).
        sent: whether the command that makes it happen was sent.
        result: its result word, None if none was read.
    """

    meter: str
    what: str
    wanted: dict[str, object] = field(default_factory=dict)
    before: dict[str, object] = field(default_factory=dict)
    after: dict[str, object] = field(default_factory=dict)
    already: bool = False
    drafted: bool = False
    sent: bool = False
    result: int | None = None
    steps: list[Step] = field(default_factory=list)

    @property
    def done(self) -> bool:
        """Whether the meter shows what it is to show."""
        if self.wanted:
            return all(self.after.get(name) == value for name, value in self.wanted.items())
        return bool(self.after) and all(
            value is not None and value != self.before[name] for name, value in self.after.items()
        )


def judge_programming(report: Programming, measure: Measure) -> None:
    """Measure what must be true after programming."""
    shown = {name: report.after.get(name) for name in report.wanted or report.after}
    measure(report.what, "done" if report.done else f"shows {shown}", device=report.meter).is_("done")


def set_clock(meter: Series, moment: datetime, *, armed: Armed, journal: Journal) -> Programming:
    """Set the clock to a whole second (command 1310), and see that it goes on from there.

    Raises:
        DeviceError, StationError: it was broken off; the audit says what is known.
    """
    wanted = whole_second(moment)
    report = Programming(meter.name, "clock set", before={"clock": meter.read_clock()}, steps=journal.steps)
    parameters = [wanted.month, wanted.day, wanted.year, wanted.hour, wanted.minute, wanted.second]
    with _told(report, journal, "the clock", value=wanted):
        since = journal.clock.now()
        _command(meter, "set_clock", parameters, report, armed=armed, journal=journal)
        shown = meter.read_clock()
        late = shown - wanted - timedelta(microseconds=(journal.clock.now() - since) // 1000)
        report.wanted = {"clock": "as set"}
        report.after = {"clock": "as set" if abs(late) <= _CLOCK_SLACK else shown}
        journal.audit("verify", device=meter.name, after=shown)
    return report


def reset(meter: Series, name: str, *, armed: Armed, journal: Journal) -> Programming:
    """One of `RESETS`, proved by the times that the meter notes of it.

    Raises:
        DeviceError, StationError: it was broken off; the audit says what is known.
    """
    stamps = RESETS[name]
    report = Programming(meter.name, name.replace("_", " "), before=_shown(meter, stamps), steps=journal.steps)
    parameters = [1] if name == "reset_minmax" and meter.model.family == "PM8" else []
    with _told(report, journal, "its time of the last reset"):
        _command(meter, name, parameters, report, armed=armed, journal=journal)
        _verify(meter, stamps, report, journal)
    return report


def change_setup(meter: Series, settings: Mapping[str, int], *, armed: Armed, journal: Journal) -> Programming:
    """Change set-up registers in one session and save it (9020, 9021); none is written if they are so already.

    A session that somebody has left open is not broken into: it is given the two minutes after which it ends. Until
    then the registers show its drafts, so what they are is read when a session of one's own is open.

    Raises:
        DeviceError, StationError: it was broken off; the audit says what is known.
    """
    report = Programming(meter.name, "set-up changed", dict(settings), _shown(meter, settings), steps=journal.steps)
    numbers = [meter.map[name].number for name in settings]
    with _told(report, journal, "the set-up", registers=numbers, value=dict(settings)):
        _enter_setup(meter, report, armed=armed, journal=journal)
        report.before = _shown(meter, settings)
        if report.before == report.wanted:
            report.already, report.after = True, dict(report.before)
            _discard(meter, armed, journal)
            return report
        journal.audit("draft", device=meter.name, registers=numbers)
        report.drafted = True
        _draft(meter, settings, armed, journal)
        code = command_code(meter.model.family, "leave_setup")
        with journal.step("save the session"):
            journal.audit("command", device=meter.name, register=COMMAND, code=code)
            report.sent = True
            meter.save_setup(armed)
        _verify(meter, settings, report, journal)
    return report


def restart(meter: Series, *, armed: Armed, journal: Journal) -> Programming:
    """Restart the firmware (command 1110): it says nothing more, and comes back with what it had saved.

    Raises:
        DeviceError, StationError: it was broken off; the audit says what is known.
    """
    settings = ("ct_primary", "power_demand_interval", "accumulation_mode")
    report = Programming(meter.name, "restarted", before=_shown(meter, settings), steps=journal.steps)
    report.wanted = dict(report.before)
    with _told(report, journal, "the set-up"), journal.step("restart"):
        code = command_code(meter.model.family, "soft_reset")
        journal.audit("command", device=meter.name, register=COMMAND, code=code)
        report.sent = True
        meter.issue(armed, code)
        journal.clock.sleep(_RESTARTS_AFTER)
        meter.wait_until_it_answers(_RETURN_TIME)
        _verify(meter, settings, report, journal)
    return report


# -- what they have in common ------------------------------------------------------------------------------------------


@contextmanager
def _told(
    report: Programming, journal: Journal, look: str, registers: Sequence[int] = (), **facts: object
) -> Iterator[None]:
    """The audit names what is about to be written; broken off, it says what is known, or that it is not."""
    journal.audit("program", device=report.meter, what=report.what, registers=[_COMMAND_AREA, *registers],
                  before=dict(report.before), **facts)  # fmt: skip
    try:
        yield
    except BaseException as error:
        reason = "interrupted by the operator" if isinstance(error, KeyboardInterrupt) else str(error)
        journal.audit("broken off", device=report.meter, reason=reason, state=_state(report, look))
        raise


def _state(report: Programming, look: str) -> str:
    if report.drafted and not report.sent:
        return (
            f"the session was not saved, and what a meter takes at once is not known: read {look} before it is repeated"
        )
    if not report.sent:
        return "the command that makes it happen was not sent: everything is as it was"
    answer = "its result is not known" if report.result is None else f"it was answered with {report.result}"
    return f"the command was sent and {answer}: read {look} before anything is repeated"


def _command(
    meter: Series, name: str, parameters: Sequence[int], report: Programming, *, armed: Armed, journal: Journal
) -> None:
    """The command that makes it happen, sent once."""

    def sending() -> None:
        report.sent = True

    with journal.step(f"command {name}"):
        report.result = _exchange(meter, name, parameters, sending, armed=armed, journal=journal)
        if report.result != DONE:
            raise Refused(f"{name} was answered with {report.result}", code=report.result, device=meter.name)


def _exchange(
    meter: Series,
    name: str,
    parameters: Sequence[int],
    sending: Callable[[], None],
    *,
    armed: Armed,
    journal: Journal,
) -> int:
    code = command_code(meter.model.family, name)
    with meter.pointers_restored(armed):
        meter.aim_pointers(armed, data=0)
        meter.plant_sentinels(armed, RESULT)  # after aiming: whoever loses it in a restart has lost the aim as well
        if parameters:
            meter.session.write_block(armed, FIRST_PARAMETER, parameters)
        journal.audit("command", device=meter.name, register=COMMAND, code=code, parameters=list(parameters))
        sending()
        meter.issue(armed, code)
        result = meter.await_result()
        journal.audit("result", device=meter.name, register=RESULT, value=result)
    if result is None:
        raise NoAnswer(f"command {name}: no result came, or it went in a restart of the meter", device=meter.name)
    return result


def _enter_setup(meter: Series, report: Programming, *, armed: Armed, journal: Journal) -> None:
    def enter() -> int:
        return _exchange(meter, "enter_setup", (), lambda: None, armed=armed, journal=journal)

    with journal.step("open a session"):
        result = enter()
    if result == _ANOTHER_SESSION:
        with journal.step("wait until a session that somebody has left open ends by itself"):
            journal.clock.sleep(_SESSION_ENDS)
            result = enter()
    if result != DONE:
        raise Refused(f"no session is to be had for {report.what}: result {result}", code=result, device=meter.name)


def _draft(meter: Series, settings: Mapping[str, int], armed: Armed, journal: Journal) -> None:
    try:
        for name, value in settings.items():
            meter.session.write(armed, meter.map[name].number, value)
    except BaseException:
        with suppress(BenchError):  # what broke the session off is what happened
            _discard(meter, armed, journal)
        raise


def _discard(meter: Series, armed: Armed, journal: Journal) -> None:
    journal.audit("discard", device=meter.name, register=COMMAND, code=command_code(meter.model.family, "leave_setup"))
    meter.discard_setup(armed)


def _verify(meter: Series, names: Sequence[str] | Mapping[str, int], report: Programming, journal: Journal) -> None:
    with journal.step("read again"):
        report.after = _shown(meter, names)
    journal.audit("verify", device=meter.name, after=dict(report.after))


def _shown(meter: Series, names: Sequence[str] | Mapping[str, int]) -> dict[str, object]:
    """What registers show; set-up registers as whole numbers."""
    found = meter.values(names)
    return {
        name: value if value is None or isinstance(value, datetime) else int(str(value))
        for name, value in found.items()
    }
