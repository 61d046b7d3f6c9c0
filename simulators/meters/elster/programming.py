"""Writing: W1 and E2, with the level that each identity needs, and the programming log.

The counter rises by one with the first thing that a session changes, and the log says when, from where and who (the
name written to 576 in the same session; blank if none was). What is refused changes nothing. Asking for a part of the
profile, for an instantaneous value, a billing reset and a small adjustment of the clock are no programming.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from protocols.conversation import ProtocolError
from protocols.elster.errors import DataError
from protocols.elster.history import Trigger
from protocols.elster.moments import decode_clock
from protocols.elster.profile import IntervalStatus
from protocols.elster.requests import decode_days, decode_range
from protocols.flag.device import Refusal, Session
from protocols.flag.frames import Command
from simulators.metering.event_log import Programming
from simulators.meters.elster import behaviour
from simulators.meters.elster.catalogue import Entry
from simulators.meters.elster.load_profile import profile_bytes, profile_range_bytes
from simulators.meters.elster.packets import BAD_COMMAND, BAD_PACKET, GENERAL, PACKET, Operand, operand
from simulators.meters.elster.security import LOCKED, require

if TYPE_CHECKING:
    from simulators.meters.elster.meter import Meter

Write = Callable[["Meter", Session, bytes, int], None]
_USER = 12
_PASSWORD = 8
_LOG = "programming_log"
_DIGITS = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz ")
_RESET = (b"\x01", b"")
_CLEAR = b"\x01"


class Assembly:
    """An object of several packets that is being written: the packets so far, from the first."""

    __slots__ = ("_data", "_number")

    def __init__(self) -> None:
        self._number: int | None = None
        self._data = b""

    def add(self, entry: Entry, packet: int, data: bytes) -> bytes | None:
        """One packet more; the whole object with its last.

        Raises:
            Refusal: ERR3 not the next packet, ERR1 not as long as it is to be.
        """
        if packet == 1:
            self._number, self._data = entry.number, b""
        if self._number != entry.number or packet != len(self._data) // PACKET + 1:
            raise Refusal(BAD_PACKET)
        wanted = min(PACKET, entry.size - len(self._data))
        if len(data) != wanted:
            raise Refusal(BAD_COMMAND)
        self._data += data
        if len(self._data) < entry.size:
            return None
        self.drop()
        return self._data

    @property
    def parts(self) -> bytes:
        """What has come so far."""
        return self._data

    def drop(self) -> None:
        """Forget it."""
        self._number = None


def write(meter: Meter, session: Session, command: Command, now: int) -> None:
    """W1 or E2: change what an identity holds.

    Raises:
        Refusal: ERR1 malformed, ERR2 unknown, ERR3 packet number, ERR5 level, ERR6 a value that cannot be.
    """
    try:
        _write(meter, session, operand(meter, command), now)
    except Refusal:
        _count(meter, session, now, meter.firmware.counts_refusal(session))
        raise


def _write(meter: Meter, session: Session, asked: Operand, now: int) -> None:
    entry = asked.entry
    if entry.write_level is None:
        if entry.name == "serial_number" and meter.firmware.writes_read_only:
            _serial(meter, session, asked.data, now)
            return
        raise Refusal(BAD_COMMAND)
    require(meter, session, entry.write_level, now)
    special = _SPECIAL.get(entry.name)
    if special is not None:
        if asked.packet != 1:
            raise Refusal(BAD_PACKET)
        _checked(special, meter, session, asked.data, now)
        return
    whole = meter.assembly.add(entry, asked.packet, asked.data)
    if whole is not None:
        _checked(lambda *given: _possible(entry, *given), meter, session, whole, now)
    elif meter.firmware.stores_parts:
        whole = meter.assembly.parts.ljust(entry.size, b"\xff")
    if whole is not None:
        whole = meter.firmware.stored(entry.number, meter.stored_bytes(entry), whole)
        _checked(lambda *given: _store(entry, *given), meter, session, whole, now)


def _checked(action: Write, meter: Meter, session: Session, data: bytes, now: int) -> None:
    try:
        action(meter, session, data, now)
    except Refusal:
        raise
    except (DataError, ProtocolError):
        raise Refusal(GENERAL) from None


def _possible(entry: Entry, meter: Meter, _session: Session, data: bytes, _now: int) -> None:
    """What is written is looked at before it is stored."""
    if entry.section in meter.configuration.sections:
        meter.configuration.check(entry.section, entry.name, data)


def _store(entry: Entry, meter: Meter, session: Session, data: bytes, now: int) -> None:
    if entry.section in meter.configuration.sections:
        if meter.configuration.draft(entry.section, entry.name, data):
            put_section(meter, session, entry.section, meter.configuration.drafted(entry.section), now)
        return
    _printable(entry, data)
    before = meter.memory[entry.name]

    def undo(_when: int) -> None:
        meter.memory[entry.name] = before

    meter.memory[entry.name] = data
    changed(meter, session, entry.name, now, undo)


def _printable(entry: Entry, data: bytes) -> None:
    if entry.name == "scheme_id" and not (data.isascii() and data.decode("ascii").isprintable()):
        raise Refusal(GENERAL)
    if entry.name == "outstation" and not set(data) <= _DIGITS:
        raise Refusal(GENERAL)


def put_section(meter: Meter, session: Session, section: str, objects: dict[str, bytes], now: int) -> None:
    """Have the bytes of a section in force; a power cut before they are saved takes that back."""
    before = {name: meter.configuration.objects[name] for name in objects}

    def undo(when: int) -> None:
        meter.configuration.put(section, before)
        behaviour.take_effect(meter, section, when)

    meter.configuration.put(section, objects)
    behaviour.take_effect(meter, section, now)
    changed(meter, session, section, now, undo)


def changed(meter: Meter, session: Session, what: str, now: int, undo: Callable[[int], None]) -> None:
    """A section or an identity was programmed at `now`: count it; a power cut before it is saved takes both back."""
    log = meter.programmings.copy()

    def uncount(_when: int) -> None:
        meter.programmings = log

    _count(meter, session, now, meter.firmware.counts_change(session))
    session.changed = True
    meter.flag(IntervalStatus.DATA_CHANGE)
    firmware, delay = meter.firmware, meter.profile.save_delay
    safe = firmware.save_time(what, now, delay)
    meter.notice("changed", now)
    meter.notice("saved", safe)
    meter.journal.changed(now, firmware.save_time(_LOG, now, delay), uncount)
    meter.journal.changed(now, safe, undo)
    firmware.after_change(meter, what, now)


def _count(meter: Meter, session: Session, now: int, times: int) -> None:
    log, firmware = meter.programmings, meter.firmware
    for _ in range(times):
        before = log.latest[0].info.user if log.latest else b""
        who = Programming(session.via != "optical", firmware.programmer(session, before))
        at = firmware.programming_stamp(meter.clock.standard(now))
        log.note(at, who, count=firmware.count_event, push=firmware.push_event)


def _user(meter: Meter, session: Session, data: bytes, _now: int) -> None:
    if len(data) != _USER or not data.isascii() or not data.decode("ascii").isprintable():
        raise Refusal(GENERAL)
    session.user = meter.memory["user"] = data


def _billing(meter: Meter, session: Session, data: bytes, now: int) -> None:
    if data not in _RESET:
        raise Refusal(GENERAL)
    trigger = Trigger.OPTICAL if session.via == "optical" else Trigger.SERIAL_PORT
    if not meter.manual_reset(now, trigger):
        raise Refusal(LOCKED)


def _days(meter: Meter, _session: Session, data: bytes, _now: int) -> None:
    meter.profile_reading = profile_bytes(meter, decode_days(data))


def _range(meter: Meter, _session: Session, data: bytes, _now: int) -> None:
    asked = decode_range(data)
    if asked.start is not None and asked.end is not None and asked.start > asked.end:
        raise Refusal(GENERAL)
    meter.profile_reading = profile_range_bytes(meter, asked)


def _instantaneous(meter: Meter, _session: Session, data: bytes, now: int) -> None:
    meter.instantaneous.ask(meter, data, now)


def _clock(meter: Meter, session: Session, data: bytes, now: int) -> None:
    moment = decode_clock(data)
    meter.set_clock(now, moment)
    changed(meter, session, "clock", now, lambda _when: None)


def _adjust(meter: Meter, session: Session, data: bytes, now: int) -> None:
    if not meter.adjust_clock(now, decode_clock(data)):
        raise Refusal(GENERAL)
    if meter.profile.small_adjusts_count:
        changed(meter, session, "clock_adjust", now, lambda _when: None)


def _clear_profile(meter: Meter, session: Session, data: bytes, now: int) -> None:
    if data != _CLEAR:
        raise Refusal(GENERAL)
    meter.clear_profile(now)
    changed(meter, session, "profile", now, lambda _when: None)


def _serial(meter: Meter, session: Session, data: bytes, now: int) -> None:
    before, meter.serial = meter.serial, data

    def undo(_when: int) -> None:
        meter.serial = before

    changed(meter, session, "serial_number", now, undo)


def _password(level: int) -> Write:
    def put(meter: Meter, session: Session, data: bytes, now: int) -> None:
        if len(data) != _PASSWORD or not data.isascii() or not data.decode("ascii").isprintable():
            raise Refusal(GENERAL)
        before = meter.security.passwords[level]

        def undo(_when: int) -> None:
            meter.security.passwords[level] = before

        name = f"password_{level}"
        meter.security.passwords[level] = meter.firmware.stored(meter.entry(name).number, before, data)
        changed(meter, session, name, now, undo)

    return put


#: What does something else than being stored.
_SPECIAL: dict[str, Write] = {
    "user": _user,
    "end_of_billing": _billing,
    "profile_days": _days,
    "profile_range": _range,
    "profile_clear": _clear_profile,
    "instantaneous_request": _instantaneous,
    "clock": _clock,
    "clock_adjust": _adjust,
    **{f"password_{level}": _password(level) for level in (1, 2, 3)},
}
