"""What programming a scheme asks of a meter's driver."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from bench.safety import Armed


@dataclass(frozen=True, slots=True)
class Identity:
    """What a meter says of itself: model (A1140 ...), serial number (798) and firmware (998), empty if unknown."""

    model: str
    serial: str
    firmware: str = ""


class ProgrammingRecord(Protocol):
    """The programming log (680): how often it was programmed, and of the last three when and by whom, newest first."""

    @property
    def count(self) -> int:
        """16 bits, rolls over."""

    @property
    def times(self) -> Sequence[datetime | None]:
        """Meter time; None where there was none."""

    @property
    def users(self) -> Sequence[bytes]:
        """As written to 576, without padding; empty where the model keeps none."""


@runtime_checkable
class SchemeMeter(Protocol):
    """A driver that reads and writes whole objects. Every method raises DeviceError or StationError only."""

    @property
    def name(self) -> str:
        """The device's id in the station file."""

    @property
    def model(self) -> str:
        """A1120, A1140 or A1700, as the station file says."""

    def identify(self) -> Identity:
        """Ask the meter who it is; nothing is written."""

    def log_in(self, armed: Armed | None, level: int, user: str) -> None:
        """Open a session at a level; level 0 reads only and needs no permission."""

    def ready(self, armed: Armed, level: int) -> int:
        """See to a visit at a level that lasts for one more object; its number is a new one if it is a fresh visit."""

    def expect_password(self, password: bytes) -> None:
        """A password that the meter may have by now instead of the station's, because it is being programmed."""

    def takes_password(self, password: bytes) -> bool:
        """Whether a visit can be opened with it; no visit is open afterwards."""

    def log_out(self) -> None:
        """End the session (break)."""

    def read_object(self, identity: int, size: int) -> bytes:
        """The first `size` bytes of an identity."""

    def write_object(self, armed: Armed, identity: int, data: bytes) -> None:
        """Write a whole object; NoAnswer or ForeignAnswer if it is not known whether it was taken."""

    def write_assumed(self) -> None:
        """From now on identities are written too whose numbers no public document gives."""

    def read_programming_log(self) -> ProgrammingRecord:
        """The programming log."""

    def read_log_time(self) -> datetime:
        """What its programming log would say if it were programmed now."""
