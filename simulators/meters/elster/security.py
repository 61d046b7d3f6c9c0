"""Who may do what: passwords of levels 1 to 3, a challenge for each session, expiry, and a lock-out where there is one.

A reply of zeros is accepted for level 0, which only reads; another reply in the same session raises the level, to the
same challenge (captured log, Gurux forum May 2021). A reply is good for 300 s, then everything is refused with ERR5
until the next (a head-end renews every 4.5 minutes).
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from protocols.flag.device import Ack, Nak, Refusal, Result, Session
from protocols.flag.login import NO_PASSWORD, LoginError, decode_digits, password_of

if TYPE_CHECKING:
    from simulators.meters.elster.meter import Meter

LOCKED = "ERR5"
_PLAIN, _SECRET = 1, 2
#: Passwords as meters leave the factory here (assumed; the first is that of the captured log).
FACTORY = {1: b"00000001", 2: b"00000002", 3: b"00000000"}


class Security:
    """The passwords of a meter, and who has tried them.

    Args:
        passwords: eight characters by level.
        stream: where challenges come from.
    """

    __slots__ = ("_failures", "_locked_until", "_seed", "_stream", "last_level", "passwords")

    def __init__(self, passwords: dict[int, bytes], stream: Random) -> None:
        self.passwords = passwords
        self._stream = stream
        self._seed = b""
        self._failures = 0
        self._locked_until = 0
        #: The level at which the last session ended.
        self.last_level = -1

    def open(self, meter: Meter, via: str, mode: int, now: int) -> Session:
        """A session with a new challenge."""
        firmware = meter.firmware
        self._seed = firmware.seed(self._stream, self._seed)
        level = firmware.first_level(self.last_level)
        if not meter.habits.forgets:
            level = max(level, self.last_level)
        return Session(via, mode, now, seed=self._seed, level=level, authenticated=now)

    def check(self, meter: Meter, session: Session, number: int, operand: bytes, now: int) -> Result:
        """P1 (the password itself, if the profile allows it) or P2 (the reply to the challenge).

        Raises:
            Refusal: a wrong password, or a meter that is locked for a while.
        """
        if now < self._locked_until:
            raise Refusal(LOCKED)
        if number == _PLAIN and not meter.profile.plain_password:
            raise Refusal("ERR1")
        try:
            level = self._level(meter, session, number, operand)
        except LoginError:
            return Nak()
        if level is None:
            return self._refused(meter, session, now)
        if level > 0:  # zeros are no password: they neither forgive wrong ones nor renew one
            self._failures = 0
        if level >= session.level or now - session.authenticated > meter.profile.password_expiry:
            session.level = level
            session.authenticated = now
        return Ack()

    def _level(self, meter: Meter, session: Session, number: int, operand: bytes) -> int | None:
        if number == _SECRET:
            reply = decode_digits(operand)
            if reply == NO_PASSWORD:
                return meter.firmware.level_of_zeros
            operand = password_of(session.seed, reply)
        same = meter.firmware.same_password
        levels = sorted(self.passwords, reverse=True)
        return next((level for level in levels if same(operand, self.passwords[level])), None)

    def _refused(self, meter: Meter, session: Session, now: int) -> Result:
        session.level = meter.firmware.level_after_failure(session.level)
        self._failures += 1
        profile = meter.profile
        if profile.lockout_attempts and self._failures >= profile.lockout_attempts:
            self._failures = 0
            self._locked_until = now + profile.lockout_time
        if profile.refused_password == "NAK":  # noqa: S105  # the way in which it is refused
            return Nak()
        raise Refusal(profile.refused_password)


def require(meter: Meter, session: Session, needed: int, now: int) -> None:
    """Refuse what needs more than the session has.

    Raises:
        Refusal: ERR5, the level is too low or was reached too long ago.
    """
    expired = now - session.authenticated > meter.profile.password_expiry
    if not meter.firmware.allows(session, needed, expired):
        raise Refusal(LOCKED)
