"""What an energy transfer found and did: facts only; `bench.procedures.transfer_judgement` says what they mean."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from bench.drivers.finding import Finding
from bench.drivers.powerlogic.values import EnergyReading
from bench.errors import StationError
from bench.procedures.journal import Step
from bench.procedures.reading import Growth
from protocols.powerlogic.energy import Quantity

_NS_PER_HOUR = 3_600_000_000_000


@dataclass(slots=True)
class PowerCycle:
    """The supply of the target was switched off and on again; or why it could not be.

    Attributes:
        reading: the energies afterwards.
        growth: what can have been counted meanwhile.
        lacks: what the station lacks for it: means, or evidence that the supply was away.
        broke: the means broke under it; raised when the transfer has been judged.
    """

    reading: EnergyReading | None = None
    growth: Growth | None = None
    lacks: str = ""
    broke: StationError | None = None


@dataclass(slots=True)
class TransferReport:
    """A transfer from `source` to `target`, as far as it came. Instants are bench time in ns, energies whole Wh."""

    source: str
    target: str
    findings: dict[str, list[Finding]] = field(default_factory=dict)
    handed_over: EnergyReading | None = None
    before: EnergyReading | None = None
    words: list[int] = field(default_factory=list)
    expected_words: list[int] = field(default_factory=list)
    buffer: list[int] = field(default_factory=list)
    pointers: tuple[int, int, int] | None = None
    expected_pointers: tuple[int, int, int] | None = None
    commanded_at: int | None = None
    result: int | None = None
    #: Whether the meter restarted before its result was read.
    result_lost: bool = False
    after: EnergyReading | None = None
    growth: Growth | None = None
    clock_after: datetime | None = None
    stamp_before: datetime | None = None
    stamp_after: datetime | None = None
    disturbed: list[str] | None = None
    power_cycle: PowerCycle | None = None
    pointers_restored: bool | None = None
    #: Why the procedure went no further, empty when it went through.
    stopped: str = ""
    steps: list[Step] = field(default_factory=list)

    def could_have_grown(self, quantity: Quantity) -> int:
        """The most that `quantity` can have grown between the command and the end of the reading after it."""
        assert self.growth is not None
        return self.growth.within(quantity, self.since_command)

    @property
    def since_command(self) -> int:
        """From just before the command was sent to the end of the reading after it, ns."""
        if self.commanded_at is None or self.after is None:
            return 0
        return self.after.answered_at - self.commanded_at

    @property
    def unmetered_estimate(self) -> Decimal | None:
        """Real energy (Wh) that went through between the old meter's reading and the command, at the new one's power.

        What the new meter counted in that time is overwritten by the preset. The figure is told, never added.
        """
        if self.handed_over is None or self.commanded_at is None or self.growth is None:
            return None
        power = self.growth.ceiling["real"]
        span = self.commanded_at - self.handed_over.asked_at
        return (power * span / _NS_PER_HOUR).quantize(Decimal("0.1"))
