"""Mistakes of head-ends about values, numbered as in the domain reference: each is one careless step of a head-end.

They read what a healthy meter sends and make something else of it (elster-flag section 6, T48 to T55; T43 is its clock
change as a tool gets it wrong).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from bench.procedures.head_end import D, HeadEnd
from bench.procedures.mistake import MISTAKES, Mistake
from protocols.elster.tables import Source

_PEER = "A1140"
_MINUTES = 60


def _head_end(
    id_: str, title: str, symptom: str, *, shows: str, caught_by: str | Sequence[str], model: str = ""
) -> Callable[[type[HeadEnd]], type[HeadEnd]]:
    """Register a careless head-end."""
    scenarios = (caught_by,) if isinstance(caught_by, str) else tuple(caught_by)

    def register(kind: type[HeadEnd]) -> type[HeadEnd]:
        MISTAKES[id_] = Mistake(
            id=id_, title=title, symptom=symptom, shows=shows, caught_by=scenarios, model=model, family="elster",
            head_end=kind,
        )  # fmt: skip
        return kind

    return register


@_head_end("T43", "a head-end shows standard time all year", "days of daylight saving have the wrong intervals",
           shows="half hours of the day|^the day's first and last half hour",
           caught_by=("test_a_day_in_spring_is_shorter", "test_a_day_in_autumn_is_longer"))  # fmt: skip
class StandardTimeOnly(HeadEnd):
    """The daylight saving flag is not looked at."""

    def people_read(self, standard: datetime, shift: timedelta) -> datetime:
        """Standard time, whatever the flag says."""
        del shift
        return standard


@_head_end("T48", "a roll-over is read as negative use", "a register that begins again has run backwards",
           shows="advanced", caught_by="test_a_register_that_begins_again_has_advanced", model="A1120")  # fmt: skip
class NoRollOver(HeadEnd):
    """One reading less the other."""

    def advance(self, before: Decimal, after: Decimal) -> Decimal:
        """The difference."""
        return after - before


@_head_end("T49", "a power is taken as an energy", "a profile of half hours has twice the energy of its register",
           shows="summed up against the register|^mean power|the profile contradicts",
           caught_by="test_a_profile_sums_up_to_its_registers")  # fmt: skip
class PowerAsEnergy(HeadEnd):
    """What a record holds is taken for Wh as it stands."""

    def interval_energy(self, milliwatts: int, minutes: Decimal) -> Decimal:
        """The number, whatever the time."""
        del minutes
        return super().interval_energy(milliwatts, Decimal(_MINUTES))


@_head_end("T50", "the source numbers of an A1140 are used on an A1700", "what was imported reads as exported",
           shows="source of the", caught_by="test_the_maximum_names_its_moment_and_its_source",
           model="A1700")  # fmt: skip
class OneTableForAll(HeadEnd):
    """Source numbers are believed to be alike in the family."""

    def source(self, name: str, number: int) -> Source | None:
        """As the other model numbers them."""
        del name
        return super().source(_PEER, number)


@_head_end("T51", "packed BCD is read in the order of its bytes", "implausible digits: the lowest stand highest",
           shows=" grew on ", caught_by="test_each_quadrant_has_its_registers")  # fmt: skip
class WrongByteOrder(HeadEnd):
    """The first byte is believed to be the highest."""

    def digits(self, register: bytes) -> int:
        """The digits as they stand."""
        return super().digits(register[::-1])


@_head_end("T55", "a repeated reading is appended", "intervals stand twice in what was collected",
           shows="^intervals kept", caught_by="test_a_repeated_reading_keeps_each_interval_once",
           )  # fmt: skip
class AppendsRetries(HeadEnd):
    """Whatever a retry brings goes behind what is there."""

    def joined(self, kept: Sequence[D], fresh: Sequence[D]) -> list[D]:
        """One behind the other."""
        return [*kept, *fresh]


@_head_end("T81", "a register is scaled as if it counted Wh", "energies are a thousand times too large",
           shows=" grew on ", caught_by="test_each_quadrant_has_its_registers")  # fmt: skip
class MilliwattHoursAsWattHours(HeadEnd):
    """The unit of a register is guessed."""

    def energy(self, counted: int) -> Decimal:
        """The count, as if it were Wh."""
        return Decimal(counted)
