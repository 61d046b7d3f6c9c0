"""Reading energies so that what is read is true: one block, twice, and the second no further than the load allows.

A block that a meter does not snapshot, or that somebody read word by word, can tear across a carry and be wrong by up
to 10^8 Wh; two reads that agree within what could have been counted in between are each whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol, TypeVar

from bench.drivers.driver import Countable, Driver, Reading
from bench.errors import ForeignAnswer
from protocols.powerlogic.energy import Quantity

#: Loads change: what was drawn may have been this much more than at the moment of looking.
HEADROOM = Decimal("1.25")
_NS_PER_HOUR = 3_600_000_000_000
_ATTEMPTS = 3
R_co = TypeVar("R_co", bound=Reading, covariant=True)
_SIGNED_TOTALS = (Quantity.REAL_TOTAL, Quantity.REACTIVE_TOTAL)


class _Meter(Protocol[R_co]):
    """Who can be asked for energies."""

    name: str

    def read_energies(self) -> R_co:
        """The energies of now."""


@dataclass(frozen=True, slots=True)
class Growth:
    """What a meter can have counted: the power of now with headroom, and the rating as the outer bound.

    Args:
        ceiling: real, reactive and apparent power in W, var, VA.
        rating: the most apparent power in VA that the transformers allow for.
        signed: whether totals can also fall.
    """

    ceiling: Mapping[str, Decimal]
    rating: int
    signed: bool

    def within(self, quantity: Countable, duration: int) -> int:
        """The most Wh (varh, VAh) in `duration` (ns) at the power that was seen, and one for the hidden digit."""
        power = self.ceiling[quantity.kind] * HEADROOM
        return int(power * duration / _NS_PER_HOUR) + 1

    def at_most(self, duration: int) -> int:
        """The most Wh in `duration` (ns) at the rating."""
        return self.rating * duration // _NS_PER_HOUR + 1

    def down(self, quantity: Countable, duration: int) -> int:
        """How far a quantity can have fallen: signed totals only."""
        return self.within(quantity, duration) if self.signed and quantity in _SIGNED_TOTALS else 0

    def larger(self, other: Growth) -> Growth:
        """The larger of two looks at the load."""
        ceiling = {name: max(power, other.ceiling[name]) for name, power in self.ceiling.items()}
        return Growth(ceiling, max(self.rating, other.rating), self.signed or other.signed)


def growth_of(meter: Driver) -> Growth:
    """What a meter can count per time, from its load and ratings of now."""
    return Growth(meter.power_ceiling(), meter.rating(), meter.signed_mode())


def agree(first: Reading, second: Reading, growth: Growth) -> bool:
    """Whether the second reading can have followed the first."""
    span = second.answered_at - first.asked_at
    limit = growth.at_most(span)
    down = limit if growth.signed else 0
    return all(
        -(down if quantity in _SIGNED_TOTALS else 0) <= second[quantity] - value <= limit
        for quantity, value in first.values.items()
    )


def read_twice(meter: _Meter[R_co], growth: Growth) -> R_co:
    """A whole reading of the energies: the later of two that agree.

    Raises:
        ForeignAnswer: three times in a row the second reading cannot have followed the first.
    """
    first = meter.read_energies()
    for _ in range(_ATTEMPTS):
        second = meter.read_energies()
        if agree(first, second, growth):
            return second
        first = second
    raise ForeignAnswer(
        f"{_ATTEMPTS} readings in a row cannot have followed one another: torn blocks", device=meter.name
    )
