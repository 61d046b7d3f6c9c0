"""A meter in memory that a scheme can be programmed into: it can refuse, fall silent, be cut at any byte, and lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bench.errors import NoAnswer, Refused
from bench.safety import Armed
from bench.scheme.meter import Identity
from protocols.elster.configuration import layout
from protocols.elster.logs import ProgrammingLog
from protocols.elster.moments import decode_clock, encode_clock

SERIAL = "0000000005074494"
CLOCK = 861
NOON = datetime(2026, 11, 21, 12)  # noqa: DTZ001  # a meter keeps local time without a zone


@dataclass
class MemoryMeter:
    """Knobs: identities to `refuse`, bytes (`budget`) until the supply is cut, writes left `mute`, `lies` told."""

    name: str = "a1140"
    model: str = "A1140"
    serial: str = SERIAL
    firmware: str = "12.07"
    answers_as: str = ""
    refuse: set[int] = field(default_factory=set)
    mute: set[int] = field(default_factory=set)
    lies: dict[int, Callable[[bytes], bytes]] = field(default_factory=dict)
    budget: int | None = None
    counts: int = 1
    keeps_user: bool = True
    log: ProgrammingLog = field(default_factory=lambda: ProgrammingLog(65535, (NOON, None, None)))
    objects: dict[int, bytes] = field(default_factory=dict)
    written: list[tuple[int, bytes]] = field(default_factory=list)
    sessions: list[tuple[int, str]] = field(default_factory=list)
    level: int = -1
    user: bytes = b""
    dead: bool = False
    expected: bytes | None = None
    _counted: bool = False

    def __post_init__(self) -> None:
        items = layout(self.model).items.values()
        self.objects = {item.number: bytes(item.size) for item in items} | {CLOCK: encode_clock(NOON)} | self.objects

    def identify(self) -> Identity:
        self._alive()
        return Identity(self.answers_as or self.model, self.serial, self.firmware)

    def log_in(self, armed: Armed | None, level: int, user: str) -> None:
        self._alive()
        if level:
            assert armed is not None
            armed.check(self.name)
        self.level, self._counted = level, False
        self.sessions.append((level, user))

    def ready(self, armed: Armed, level: int) -> int:
        self._alive()
        if self.level < level:
            self.log_in(armed, level, "")
        return len(self.sessions)

    def expect_password(self, password: bytes) -> None:
        self.expected = password

    def takes_password(self, password: bytes) -> bool:
        self._alive()
        self.level = -1
        return password in {self.objects[number] for number in (931, 932, 933)}

    def log_out(self) -> None:
        self._alive()
        self.level = -1

    def read_object(self, identity: int, size: int) -> bytes:
        self._alive()
        assert self.level >= 0, "nobody has logged in"
        assert identity not in {931, 932, 933}, "a password is never read"
        return self.lies.get(identity, bytes)(self.objects[identity][:size])

    def write_object(self, armed: Armed, identity: int, data: bytes) -> None:
        self._alive()
        armed.check(self.name)
        if identity in self.refuse or self.level < 3:
            raise Refused("ERR5", code=5, device=self.name)
        taken = data if self.budget is None else data[: self.budget]
        if self.budget is not None:
            self.budget -= len(taken)
        self.written.append((identity, data))
        self.objects[identity] = taken + self.objects[identity][len(taken) :]
        self._count(identity, data)
        if self.budget == 0:
            self.dead = True
            raise NoAnswer("no answer", device=self.name)
        if identity in self.mute:
            self.mute.discard(identity)
            raise NoAnswer("no answer", device=self.name)

    def write_assumed(self) -> None:
        """Nothing is held back here."""

    def read_programming_log(self) -> ProgrammingLog:
        self._alive()
        return self.log

    def read_log_time(self) -> datetime:
        self._alive()
        return decode_clock(self.objects[CLOCK]) + timedelta(milliseconds=len(self.sessions))

    def revive(self) -> None:
        """The supply returns, and whoever was logged in no longer is."""
        self.dead, self.budget, self.level = False, None, -1

    def _count(self, identity: int, data: bytes) -> None:
        if identity == 576:
            self.user = data.rstrip() if self.keeps_user else b"SOMEBODY"
            return
        if not self._counted:
            self._counted = True
            now = self.read_log_time()
            for _ in range(self.counts):
                self.log = self.log.with_session(now, 0, self.user)

    def _alive(self) -> None:
        if self.dead:
            raise NoAnswer("no answer", device=self.name)
