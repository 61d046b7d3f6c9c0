"""How long a command takes: from the write of 8000 to the result word, with what the line needs left out."""

from __future__ import annotations

from bench.characterisation.bracket import MICROSECOND, MILLISECOND, Bracket, narrow
from bench.characterisation.finding import Finding, duration_found
from bench.drivers.powerlogic import Series
from bench.drivers.powerlogic.series import BUFFER, COMMAND_TIMEOUT, RESULT, SENTINEL
from bench.errors import NoAnswer
from bench.safety import Armed
from protocols.powerlogic.tables import command_code
from protocols.powerlogic.words import signed


class Stopwatch:
    """Times one command of a meter, from the instant at which it is sent to the look at its result word.

    Write and look have frames of one length, so what the line needs for them cancels out. What one of them needed more
    than the fastest (a busy line, a busy machine) may have been on its way there, and widens what it says.

    Args:
        meter: whom it asks.
        armed: permission to write.
        code: the command.
    """

    def __init__(self, meter: Series, armed: Armed, code: int) -> None:
        self._meter = meter
        self._armed = armed
        self._code = code
        self._fastest = 1 << 62

    def _start(self) -> tuple[int, int]:
        """Send the command; returns the instant (ns) at which that was, and how late it may have arrived."""
        self._meter.plant_sentinels(self._armed, RESULT)
        began = self._meter.clock.now()
        self._meter.issue(self._armed, self._code)
        return began, self._late(began)

    def _late(self, asked: int) -> int:
        """How much longer (ns) an exchange that began at `asked` and is over has taken than the fastest."""
        took = self._meter.clock.now() - asked
        self._fastest = min(self._fastest, took)
        return took - self._fastest

    def _done(self) -> tuple[bool, int]:
        """Whether the result is there, and how late the look at it may have arrived."""
        asked = self._meter.clock.now()
        done = self._meter.session.read(RESULT)[0] != SENTINEL
        return done, self._late(asked)

    def poll(self) -> Bracket:
        """Send the command and look as often as the line allows.

        Raises:
            NoAnswer: the result word never changes.
        """
        began, sent_late = self._start()
        last = 0
        while True:
            at = self._meter.clock.now() - began
            done, seen_late = self._done()
            if done:
                return Bracket(last, at + seen_late)
            last = max(last, at - sent_late)
            if at > COMMAND_TIMEOUT:
                raise NoAnswer(f"command {self._code}: the result word did not change", device=self._meter.name)

    def look(self, after: int) -> tuple[int, bool]:
        """Send the command and look once, so long (ns) after it; says when that was and what it showed."""
        clock = self._meter.clock
        began, sent_late = self._start()
        clock.sleep(began + after - clock.now())
        at = clock.now() - began
        done, seen_late = self._done()
        if done:
            return at + seen_late, True
        self._meter.await_result()  # it must be over before the next trial
        return max(0, at - sent_late), False


def command_time(meter: Series, armed: Armed, name: str, *, most: int = 12) -> Bracket:
    """How long a command takes, from its write to its result word.

    Raises:
        NoAnswer: the result word never changes.
    """
    width = 200 * MICROSECOND if meter.clock.virtual else 2 * MILLISECOND
    with meter.pointers_restored(armed):
        meter.aim_pointers(armed)
        watch = Stopwatch(meter, armed, command_code(meter.model.family, name))
        return narrow(watch.look, watch.poll(), width=width, most=most)


def execution_time(meter: Series, armed: Armed) -> Finding:
    """How long 6209 takes; the energies that are in the meter are put in once more."""
    meter.session.write_block(armed, BUFFER, [signed(word) for word in meter.read_energies().words])
    found = command_time(meter, armed, "preset_energies")
    return duration_found(
        found, "6209 sent, 8021 polled, then looked at once in each trial; the line's time cancels out"
    )
