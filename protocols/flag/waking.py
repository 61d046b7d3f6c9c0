"""How a meter that sleeps is woken by NULs (IEC 62056-21, Annex B), however the line cuts them into pieces.

A host that writes NULs one by one, and a port that hands them over in lumps, are heard as one run as long as no gap is
longer than the meter bears. ::

    slow (B.1)   NULs for 2.1 s or more, then 1.5 s of silence: only now the meter listens
    fast (B.2)   it looks at the line now and then; NULs for 0.5 s or more while it looks, and an ACK behind their end
"""

from __future__ import annotations

_MS = 1_000_000
_SECOND = 1_000 * _MS
#: How long (ns) the NULs must last; a host sends them for 2.1 to 2.3 s, and for 0.5 to 0.6 s.
_SLOW, _FAST = 2_100 * _MS, 500 * _MS
#: The silence (ns) that a slow one takes to get up; a host waits 1.5 to 1.7 s.
_GETS_UP = 1_500 * _MS
#: What stands between the NULs and the ACK beside two characters (ns): 20 to 40 ms.
_PAUSE = 30 * _MS
#: How long (ns) it stays awake when nothing comes, as it would in a visit.
_STAYS_UP = 60 * _SECOND


class Sleeper:
    """The ear of a meter that sleeps."""

    __slots__ = ("_awake_from", "_awake_until", "_began", "_ended", "_nuls")

    def __init__(self) -> None:
        self._nuls = 0
        self._began = self._ended = 0
        self._awake_from, self._awake_until = 0, -1

    def awake(self, now: int) -> bool:
        """Whether it listens to more than NULs."""
        return self._awake_from <= now <= self._awake_until

    def disturbed(self) -> None:
        """Something else than a NUL has come: the NULs so far wake nobody."""
        self._nuls = 0

    def hear(self, length: int, now: int, gap: int) -> None:
        """NULs that took `length` (ns) and ended `now`; a longer silence than `gap` before them begins a new run."""
        begin = now - length
        if not self._nuls or begin - self._ended > gap:
            self._nuls, self._began = 0, begin
        self._nuls += length
        self._ended = now

    def woken_slowly(self) -> None:
        """See whether the run has been long enough; the meter gets up with the last NUL."""
        if self._nuls >= _SLOW:
            self._awake_from, self._awake_until = self._ended + _GETS_UP, self._ended + _GETS_UP + _STAYS_UP

    def answer_at(self, character: int, look: int) -> int | None:
        """When (ns) to answer a fast wake-up if no NUL follows; None if it has not been noticed.

        Args:
            character: the time of one.
            look: how often the meter looks at the line; 0 is always.
        """
        noticed = look == 0 or self._ended // look * look >= self._began
        return self._ended + 2 * character + _PAUSE if self._nuls >= _FAST and noticed else None

    def get_up(self, now: int) -> None:
        """The ACK is said: it listens."""
        self._nuls = 0
        self._awake_from, self._awake_until = now, now + _STAYS_UP
