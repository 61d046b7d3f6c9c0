"""A FLAG server and the Elster meter behind it under damaged, hostile and merely unusual conversations.

Bounded here; `METERBENCH_FUZZ=1000000 python -m pytest tests/robustness` says a million things, spread over the models.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from dataclasses import replace

import pytest
from flag_fuzzing import OUTSTATION, Talk, check_answer, check_stream

from protocols.elster.tables import Source
from protocols.flag.server import FlagServer, State
from simulators.meters.elster.build import build_meter
from simulators.meters.elster.meter import Meter
from simulators.power.feeder import Feeder, Load

INPUTS = int(os.environ.get("METERBENCH_FUZZ", "24000"))
MODELS = ("A1120", "A1140", "A1700")
SECOND = 1_000_000_000
#: The inactivity time-out of 6.4.3 is 60 to 120 s.
GIVEN_UP = 120 * SECOND
EVERY = 60


class Watch:
    """Talks with a meter, and sees to it that it answers as a device may and changes only when it was told to."""

    def __init__(self, model: str, *, seed: int = 5, fixed: tuple[int, str] | None = None) -> None:
        self.meter: Meter = build_meter(
            model, Feeder(load=Load(0)), outstation=OUTSTATION.decode(), energies={Source.IMPORT: 123_456_789}
        )
        self.server = FlagServer(self.meter, fixed_line=fixed)
        self.talk = Talk(seed)
        self.now = 60 * SECOND
        self._changes = 0
        self.changes = self.answered = self.signed_on = 0
        self._quiet = self.now
        self._kept = self._state()

    def _state(self) -> tuple[object, ...]:
        """What nobody may change without a password."""
        meter = self.meter
        kept = (meter.configuration.objects, meter.memory, meter.security.passwords)
        return (*map(dict, kept), meter.programmings.count, meter.energies(self.now)[Source.IMPORT])

    def say(self) -> None:
        """One input at the place where the meter is, most of the time after it has fallen silent."""
        draw = self.talk.draw
        pause = draw.choice((0, 1, 250, 250, 250, 250, 1000, 3000)) * SECOND // 1000
        self.wait((self._quiet if draw.random() < 0.9 else self.now) + pause)
        said = self.talk.says(self.server.state.name)
        self._hear(said)
        self._judge(said)

    def _hear(self, said: bytes) -> None:
        self.wait(self.now + len(said) * 10 * SECOND // self.server.line[0])
        self.talk.visit += said
        replies = self.server.receive(said, self.now)
        self._check(b"".join(reply.data for reply in replies))
        for reply in replies:
            end = reply.delay + len(reply.data) * 10 * SECOND // self.server.line[0]
            self._quiet = max(self._quiet, self.now + end)

    def _check(self, answer: bytes) -> None:
        self.talk.heard(answer)
        if answer[:3] == b"\x02\x01\x00" and b"\x01RD" in self.talk.visit:
            check_stream(answer)
        elif answer:
            check_answer(answer)
        self._said = answer
        self.answered += bool(answer)

    def _judge(self, said: bytes) -> None:
        talk = self.talk
        if self._said == b"\x06" and not talk.logged_in:
            talk.logged_in = talk.has_logged_in()
        after = self._state()
        if after != self._kept:
            self.changes += 1
            self._changes += 1
            assert talk.logged_in, f"{said!r} has changed the meter without a password"
            assert self._changes <= talk.writes(), f"{said!r} is no sound write and has changed the meter"
            assert self._said == b"\x06", f"{said!r} has changed the meter, and it answered {self._said!r}"
            self._kept = after
        if self.server.state is not State.VISIT:
            talk.over()
        if not talk.visit:
            self._changes = 0

    def wait(self, until: int) -> None:
        """Let time pass, and the meter do what it does of itself."""
        while (due := self.server.deadline()) is not None and due <= until:
            self.now = max(self.now, due)
            for reply in self.server.wake(self.now):
                self._quiet = max(self._quiet, self.now + reply.delay + len(reply.data) * 10 * SECOND // 300)
        self.now = max(self.now, until)

    def sign_on(self) -> None:
        """After 120 s of silence the meter is at its start, with nothing left of before."""
        self.wait(max(self.now, self._quiet) + GIVEN_UP + SECOND)
        assert self.server.line[0] in (300, 9600)
        self._hear(b"/?" + OUTSTATION + b"!\r\n")
        assert self._said == self.meter.identification(self.now) + b"\r\n", "no clean sign-on after 120 s"
        assert self._state() == self._kept, "left alone, it has changed"
        self.signed_on += 1


def talked(watch: Watch, inputs: int) -> None:
    objects = 0
    for number in range(inputs):
        if number % EVERY == 0:
            watch.sign_on()
        watch.say()
        if number == inputs // 4:
            objects = _objects()
    assert _objects() < objects + 3000, "nothing is kept of what was said"


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("fixed", [None, (9600, "8N1")], ids=["head", "module"])
def test_whatever_is_said_a_meter_changes_only_by_a_sound_write(model: str, fixed: tuple[int, str] | None) -> None:
    watch = Watch(model, fixed=fixed)
    talked(watch, INPUTS // len(MODELS) // 2)
    assert watch.answered > INPUTS // len(MODELS) // 8
    assert watch.changes > INPUTS // len(MODELS) // 800, "no write went through: the oracle has seen nothing"


def checks_nothing(watch: Watch) -> None:
    watch.meter.habits.checks = False


def asks_for_no_password(watch: Watch) -> None:
    watch.meter.firmware = replace(watch.meter.firmware, allows=lambda _session, _level, _expired: True)


def never_gives_up(watch: Watch) -> None:
    watch.meter.habits.inactivity = None


def answers_with_a_sum(watch: Watch) -> None:
    watch.meter.habits.answer_check = lambda frame: sum(frame[1:]) & 0x7F


@pytest.mark.parametrize(
    ("defect", "said"),
    [
        (checks_nothing, "is no sound write and has changed the meter"),
        (asks_for_no_password, "has changed the meter without a password"),
        (never_gives_up, "no clean sign-on after 120 s"),
        (answers_with_a_sum, "wrong check character"),
    ],
)
def test_the_fuzz_finds_a_meter_that_is_not_what_it_should_be(defect: Callable[[Watch], None], said: str) -> None:
    watch = Watch("A1140")
    defect(watch)
    with pytest.raises(AssertionError, match=said):
        talked(watch, 20_000)


def _objects() -> int:
    gc.collect()
    return len(gc.get_objects())
