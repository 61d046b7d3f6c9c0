"""What a scheme programs into an A1120, A1140 or A1700, section by section, to and from the bytes of its identities.

Every section has `encode(layout)`, which gives the bytes of its identities by name, and `decode(objects, layout)`,
which takes them; both raise `ConfigurationError` only. `layout(model)` says which identities a model has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self

from protocols.elster.configuration_billing import BillingDate, BillingDates, DemandPeriod
from protocols.elster.configuration_clock import ChangeDate, ChangeRule, ClockChange, check_clock_object
from protocols.elster.configuration_display import DisplaySequence
from protocols.elster.configuration_items import (
    ConfigurationError,
    Item,
    Layout,
    Limits,
    configurable_models,
    layout,
    sized,
)
from protocols.elster.configuration_outputs import (
    ProfileSetup,
    PulseOutput,
    PulseOutputs,
    RegisterSources,
    Transformers,
    channel_names,
    source_names,
)
from protocols.elster.configuration_tariff import (
    DayType,
    MonthDay,
    Season,
    SpecialDay,
    SwitchingTime,
    TariffStructure,
    check_tariff_object,
)
from protocols.elster.moments import PERIODS
from protocols.elster.transformers import Ratio

#: Characters of a scheme id, of the name of who programs, and of a password.
SCHEME_ID, USER_NAME, PASSWORD = 8, 12, 8
#: The levels that have a password; level 0 reads without one.
LEVELS = (1, 2, 3)


class Section(Protocol):
    """One section of what is programmed."""

    def encode(self, model: Layout, /) -> dict[str, bytes]:
        """The bytes of its identities, by name."""

    @classmethod
    def decode(cls, objects: Mapping[str, bytes], model: Layout, /) -> Self:
        """The section that lies in these bytes."""


@dataclass(frozen=True, slots=True)
class Passwords:
    """New passwords by level; they are written and never read back, so there is nothing to decode."""

    by_level: Mapping[int, str] = field(repr=False)

    def encode(self, model: Layout) -> dict[str, bytes]:
        """The bytes of the identities of the levels that are given.

        Raises:
            ConfigurationError: no such level, or not eight characters; the password itself is not told.
        """
        found = {}
        for level, password in sorted(self.by_level.items()):
            name = f"password_{level}"
            if name not in model.items:
                raise ConfigurationError(f"level {level} has no password")
            if len(password) != PASSWORD or not password.isascii() or not password.isprintable():
                raise ConfigurationError(f"the password of level {level} is not {PASSWORD} ASCII characters")
            found[name] = password.encode("ascii")
        return found


#: The sections that can be read back, in the order in which they are programmed.
SECTIONS: Mapping[str, type[Section]] = {
    "transformers": Transformers,
    "sources": RegisterSources,
    "tariff": TariffStructure,
    "demand": DemandPeriod,
    "profile": ProfileSetup,
    "billing": BillingDates,
    "daylight_saving": ClockChange,
    "display": DisplaySequence,
    "pulse_outputs": PulseOutputs,
}


#: What an identity of these sections can be by itself, for they refer to one another; those of others do not.
_ALONE: Mapping[str, Callable[[str, bytes, Layout], None]] = {
    "tariff": check_tariff_object,
    "daylight_saving": lambda name, data, _model: check_clock_object(name, data),
}


def check_object(section: str, name: str, data: bytes, others: Mapping[str, bytes], model: Layout) -> None:
    """Refuse bytes that can be no identity of a section, whatever is written to the others of it.

    Args:
        section: of a scheme.
        name: of the identity.
        data: the bytes.
        others: those of the whole section that is in force.
        model: whose.

    Raises:
        ConfigurationError, DataError: what is wrong with them.
    """
    if section in _ALONE:
        _ALONE[section](name, data, model)
    else:
        SECTIONS[section].decode({**others, name: data}, model)


def encode_text(text: str, item: Item) -> bytes:
    """A scheme id (795) or a user name (576), padded with blanks.

    Raises:
        ConfigurationError: too long, or not printable ASCII.
    """
    if len(text) > item.size or not text.isascii() or not text.isprintable():
        raise ConfigurationError(f"{item.name}: {text!r} is not up to {item.size} ASCII characters")
    return text.encode("ascii").ljust(item.size)


def decode_text(data: bytes, item: Item) -> str:
    """The text of a scheme id or a user name without its padding (blanks, or NULs in a meter that was never named).

    Raises:
        ConfigurationError: not ASCII, or not as many bytes as the identity has.
    """
    text = sized({item.name: data}, item).rstrip(b" \0")
    if not text.isascii() or not text.decode("ascii").isprintable():
        raise ConfigurationError(f"{item.name}: {data.hex()} is not text")
    return text.decode("ascii")


__all__ = [
    "LEVELS",
    "PASSWORD",
    "PERIODS",
    "SCHEME_ID",
    "SECTIONS",
    "USER_NAME",
    "BillingDate",
    "BillingDates",
    "ChangeDate",
    "ChangeRule",
    "ClockChange",
    "ConfigurationError",
    "DayType",
    "DemandPeriod",
    "DisplaySequence",
    "Item",
    "Layout",
    "Limits",
    "MonthDay",
    "Passwords",
    "ProfileSetup",
    "PulseOutput",
    "PulseOutputs",
    "Ratio",
    "RegisterSources",
    "Season",
    "Section",
    "SpecialDay",
    "SwitchingTime",
    "TariffStructure",
    "Transformers",
    "channel_names",
    "check_object",
    "configurable_models",
    "decode_text",
    "encode_text",
    "layout",
    "source_names",
]
