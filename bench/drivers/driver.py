"""What every meter's driver has, whatever it speaks: what a scenario may ask for that is not about one family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from bench.clock import Clock
from bench.drivers.capabilities import Capability
from bench.drivers.finding import Finding
from bench.safety import Armed

if TYPE_CHECKING:
    from bench.station import Device


class Countable(Protocol):
    """A quantity that a meter counts: real, reactive or apparent energy in some direction."""

    @property
    def title(self) -> str:
        """Its name for a reader."""

    @property
    def unit(self) -> str:
        """Wh, varh or VAh."""

    @property
    def kind(self) -> str:
        """real, reactive or apparent."""


class Reading(Protocol):
    """Energies that were read together, and the bench time (ns) that took."""

    @property
    def values(self) -> Mapping[Any, Any]:
        """Quantity to its energy in Wh (varh, VAh)."""

    @property
    def asked_at(self) -> int:
        """When it was asked."""

    @property
    def answered_at(self) -> int:
        """When the last of it had come."""

    def __getitem__(self, quantity: Any) -> Any:
        """One energy."""


class Session(Protocol):
    """A driver's way to talk, as far as the bench looks at it."""

    repeated: int
    remarks: list[str]

    def expecting_silence(self) -> AbstractContextManager[None]:
        """Reads that are repeated inside are not told."""


class Driver(Protocol):
    """A meter of any family."""

    name: str
    device: Device
    clock: Clock
    #: Told of every identification, for the evidence.
    on_identified: Callable[[Any], None] | None

    @property
    def session(self) -> Session:
        """The way to talk to it."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can be asked."""

    @property
    def title(self) -> str:
        """Maker and model."""

    def identify(self) -> tuple[Any, list[Finding]]:
        """What the meter says of itself, and how that compares with the station."""

    def read_energies(self) -> Reading:
        """Every energy that it accumulates, read together."""

    def power_ceiling(self) -> Mapping[str, Decimal]:
        """Real, reactive and apparent power (W, var, VA) that it can be carrying now."""

    def rating(self) -> int:
        """The most apparent power (VA) that its transformers allow for."""

    def signed_mode(self) -> bool:
        """Whether totals can also fall."""

    def read_clock(self) -> datetime:
        """Its clock: local, without a zone."""

    def set_clock(self, armed: Armed, moment: datetime) -> None:
        """Set its clock to a whole second."""

    def reset_demand(self, armed: Armed) -> None:
        """Reset the peak demands."""

    def demand_reset_stamp(self) -> object:
        """What tells one demand reset from the next: a time, or a count."""
