"""Energy accumulators: exact integers, settled when looked at.

The unit is the milliwatt-nanosecond, one picojoule (picovar-second for reactive energy): a whole number of it is added
for every whole number of nanoseconds at a constant whole number of milliwatts, so nothing is ever rounded and the part
of a Wh that a register cannot show is carried by itself.
"""

from __future__ import annotations

from collections.abc import Sequence

#: One Wh (varh, VAh) in picojoule.
WH = 3_600_000_000_000_000


def whole_wh(picojoule: int) -> int:
    """Whole Wh towards zero: what a register shows."""
    return picojoule // WH if picojoule >= 0 else -(-picojoule // WH)


class Accumulators:
    """A set of energies that grow at constant rates since an instant.

    Args:
        count: how many energies.
    """

    __slots__ = ("_base", "_rates", "_since")

    def __init__(self, count: int) -> None:
        self._base = [0] * count
        self._rates: tuple[int, ...] = (0,) * count
        self._since = 0

    @property
    def rates(self) -> tuple[int, ...]:
        """The rates in mW (mvar, mVA)."""
        return self._rates

    def at(self, now: int) -> list[int]:
        """The energies at the instant `now` (ns), in picojoule. Nothing changes by looking."""
        elapsed = now - self._since
        return [base + rate * elapsed for base, rate in zip(self._base, self._rates, strict=True)]

    def settle(self, now: int) -> None:
        """Fold what has grown until `now` (ns) into the bases."""
        self._base = self.at(now)
        self._since = now

    def run_at(self, now: int, rates: Sequence[int]) -> None:
        """From `now` (ns) on grow at these rates (mW, mvar, mVA)."""
        self.settle(now)
        self._rates = tuple(rates)

    def preset(self, now: int, values: Sequence[int]) -> None:
        """Put new energies (picojoule) in place at `now` (ns); the rates go on."""
        self._base = list(values)
        self._since = now
