"""What carries a call: bytes go to a line at the other end and come back, late, in order, and sometimes not at all.

The delay is drawn for each piece, and whatever comes behind waits for it. In bad time (`profiles.py`) a corrected
bearer holds back what it has until good time; one without correction brings other bytes. Answers leave in slices of
line time, so that a call which drops in the midst of a block has brought its beginning.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from simulators.lines.burst import Burst
from simulators.lines.character_line import CharacterLine
from simulators.lines.framing import Framing
from simulators.lines.profiles import LinkProfile
from simulators.world import MILLISECOND

#: How much of an answer (ns of line time) is passed on at once.
_SLICE = 40 * MILLISECOND
#: How many characters are hit in bad time (assumed; as in the line fault "bursts").
_HIT = 0.5


class Bearer:
    """One call to a line.

    Args:
        line: the line at the other end.
        profile: what the call is like.
        random: whence it draws.
        deliver: takes what has come back.
        dropped: told that the call is lost.
        framing: of the port at the other end; None follows the line.
        corrected: whether errors are corrected on the way.
        held: how much later (ns) than others something arrives, drawn each time.
    """

    def __init__(
        self,
        line: CharacterLine,
        profile: LinkProfile,
        random: Random,
        deliver: Callable[[bytes], None],
        dropped: Callable[[], None],
        *,
        framing: Framing | None = None,
        corrected: bool = True,
        held: Callable[[], int] = lambda: 0,
    ) -> None:
        self._line = line
        self._world = line.world
        self._profile = profile
        self._random = random
        self._deliver = deliver
        self._dropped = dropped
        self._corrected = corrected
        self._held = held
        self._chain = profile.chain(random)
        self._there_at = self._back_at = 0
        #: Whether bytes get through.
        self.open = True
        self.port = line.open(framing, follows="nothing" if framing else "line")
        self.port.on_burst = self._on_burst
        #: Takes what the other end says; a packet network puts its own in between.
        self.heard: Callable[[bytes], None] = self.bring
        after = profile.drop_after(random)
        if after is not None:
            self._world.call_at(self._world.now + after, self.drop)

    def send(self, data: bytes) -> None:
        """Bytes for the other end."""
        if not self.open:
            return
        data, self._there_at = self._on_the_way(data, self._there_at)
        self._world.call_at(self._there_at, lambda: self._arrive(data))

    def bring(self, data: bytes) -> None:
        """Bytes from the other end set out to this one."""
        if not self.open:
            return
        data, self._back_at = self._on_the_way(data, self._back_at)
        self._world.call_at(self._back_at, lambda: self._come(data))

    def drop(self) -> None:
        """The call is lost, now: what is under way never comes."""
        if self.open:
            self.close()
            self._dropped()

    def close(self) -> None:
        """Hang up; the devices at the other end notice."""
        if self.open:
            self.open = False
            self.port.on_burst = None
            self._line.close(self.port)
            self._line.lose_carrier()

    def _on_the_way(self, data: bytes, earlier: int) -> tuple[bytes, int]:
        """What becomes of bytes that set out now, and when they are there."""
        at = max(self._world.now + self._profile.one_way(self._random) + self._held(), earlier)
        if self._random.random() < self._profile.loss:
            at += self._profile.rtt.draw(self._random) if self._corrected else 0
            data = data if self._corrected else self._garbled(data, 1 / max(1, len(data)))
        if self._corrected:
            return data, self._chain.good_from(at)
        return (self._garbled(data, _HIT) if self._chain.bad_at(at) else data), at

    def _garbled(self, data: bytes, share: float) -> bytes:
        draw = self._random
        return bytes(draw.randrange(256) if draw.random() < share else byte for byte in data)

    def _arrive(self, data: bytes) -> None:
        if self.open:
            self.port.write(data)

    def _come(self, data: bytes) -> None:
        if self.open:
            self._deliver(data)

    def _on_burst(self, burst: Burst) -> None:
        step = max(_SLICE, burst.framing.time_of(1))
        for instant in range(burst.start + step, burst.end, step):
            self._world.call_at(instant, self._pass_on)
        self._world.call_at(burst.end, self._pass_on)

    def _pass_on(self) -> None:
        now = self._world.now
        data = self.port.inbox.take(self.port.inbox.available(now), now)
        if data and self.open:
            self.heard(data)
