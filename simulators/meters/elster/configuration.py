"""What is programmed into a meter: bytes by identity, and the sections of a scheme that the meter behaves by.

A write is kept beside what is in force until it makes a whole: an object of several packets until its last packet is
in, a section of several identities until they fit one another. Then the section is in force at once, all of it, so that
it can be read back in the same session. What does not make a whole by the end of the session is dropped, so a session
that is interrupted leaves each section as it was or as it was to become.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from protocols.conversation import ProtocolError
from protocols.elster.configuration import (
    SECTIONS,
    BillingDate,
    BillingDates,
    ChangeRule,
    ClockChange,
    DayType,
    DemandPeriod,
    DisplaySequence,
    Layout,
    MonthDay,
    ProfileSetup,
    PulseOutput,
    PulseOutputs,
    Ratio,
    RegisterSources,
    Season,
    Section,
    SwitchingTime,
    TariffStructure,
    Transformers,
    check_object,
    layout,
)
from simulators.meters.elster.measuring import Ratios

_MINUTE = 60_000_000_000
#: Of the eight digits of a primary two are hundredths.
_LARGEST = 999_999


def factory_sections(model: str, lockout: int, ratios: Ratios) -> dict[str, Section]:
    """The sections of a meter that nobody has programmed yet (assumed): one tariff, 30 minutes, UK daylight saving.

    Args:
        model: which.
        lockout: of manual billing resets, ns.
        ratios: of the transformers that it is commissioned with; a model without VT ratio takes the voltage as it is.
    """
    room = layout(model)
    half = 8 // 2
    sections: dict[str, Section] = {
        "transformers": Transformers(
            _hundredths(ratios.ct), _hundredths(ratios.vt) if "voltage_transformer" in room.items else None
        ),
        "sources": RegisterSources(("import",) * half + ("export",) * half, ("import", "export")),
        "tariff": TariffStructure((Season(MonthDay(1, 1), (1,) * 7),), (DayType((SwitchingTime(0, (1, half + 1)),)),)),
        "demand": DemandPeriod(30, 30),
        "billing": BillingDates((BillingDate(1),), lockout // _MINUTE),
        "daylight_saving": ClockChange(1, ChangeRule(3, 5, 6, 1), ChangeRule(10, 5, 6, 2)),
        "display": DisplaySequence(("1.8.0", "0.9.1")),
        "pulse_outputs": PulseOutputs((PulseOutput("import", 1000),)),
    }
    if room.of("profile"):
        sections["profile"] = ProfileSetup(("import", "export"), 30)
    return sections


def _hundredths(plate: tuple[int, int]) -> Ratio:
    """What is on the plate, 100:5 as 100:5; reduced only where the meter has too few digits for it."""
    primary, secondary = plate if max(plate) <= _LARGEST else Fraction(*plate).as_integer_ratio()
    return Ratio(100 * primary, 100 * secondary)


class Configuration:
    """The configuration of one meter.

    Args:
        model: which.
        sections: what is in force first.
    """

    __slots__ = ("_drafts", "_room", "objects", "sections")

    def __init__(self, model: str, sections: Mapping[str, Section]) -> None:
        self._room: Layout = layout(model)
        #: What is in force, by section, and its bytes by the name of each identity.
        self.sections: dict[str, Any] = dict(sections)
        self.objects: dict[str, bytes] = {}
        for section in sections.values():
            self.objects.update(section.encode(self._room))
        self._drafts: dict[str, bytes] = {}

    def shown(self, name: str) -> bytes:
        """The bytes of an identity: as just written, or as in force."""
        return self._drafts.get(name, self.objects[name])

    def check(self, section: str, name: str, data: bytes) -> None:
        """Refuse bytes that are none of an identity's, whatever is written to the others of its section.

        Raises:
            ProtocolError: they are none.
        """
        others = {item.name: self.objects[item.name] for item in self._room.of(section)}
        check_object(section, name, data, others, self._room)

    def draft(self, section: str, name: str, data: bytes) -> bool:
        """Keep the bytes of one identity of a section until they make a whole; whether they do so now.

        Raises:
            ProtocolError: the section has one identity only and the bytes are none of its kind; nothing is kept.
        """
        mine = {item.name for item in self._room.of(section)}
        alone = len(mine) == 1
        objects = {**self.objects, **self._drafts, name: data}
        try:
            SECTIONS[section].decode({each: objects[each] for each in mine}, self._room)
        except ProtocolError:
            if alone:
                raise
            self._drafts[name] = data
            return False
        self._drafts[name] = data
        return True

    def drafted(self, section: str) -> dict[str, bytes]:
        """What has been written of a section and is not in force yet; it is no draft any more."""
        mine = {item.name for item in self._room.of(section)}
        found = {name: data for name, data in self._drafts.items() if name in mine}
        for name in found:
            del self._drafts[name]
        return found

    def put(self, section: str, objects: Mapping[str, bytes]) -> None:
        """Have these bytes in force; where they make no section, the one before stays in force (a sick firmware)."""
        self.objects.update(objects)
        try:
            mine = {item.name: self.objects[item.name] for item in self._room.of(section)}
            self.sections[section] = SECTIONS[section].decode(mine, self._room)
        except ProtocolError:
            return

    def unfinished(self) -> dict[str, dict[str, bytes]]:
        """By section, what was written and never made a whole; it is dropped."""
        owners = {item.name: item.section for item in self._room.items.values()}
        found: dict[str, dict[str, bytes]] = {}
        for name, data in self._drafts.items():
            found.setdefault(owners[name], {})[name] = data
        self._drafts.clear()
        return found
