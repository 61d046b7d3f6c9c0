"""What the display shows: a sequence that runs by itself and one that the button steps through.

Items are OBIS codes as they stand on the display. That descriptors may be OBIS or English is on the front page of the
A1140 manual; the layout is assumed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from protocols.elster.configuration_items import ConfigurationError, Layout, pack_entries, sized, unpack_entries

#: How descriptors are shown, by their number in the meter.
STYLES = ("obis", "english")
#: `C.D.E` with or without the billing set, or a special code of two or three parts (F.F, C.1.0, 0.9.1).
CODE = re.compile(r"[0-9A-Z]{1,2}\.[0-9A-Z]{1,2}(\.[0-9]{1,2}(\*[0-9]{2})?)?")
LONGEST_CODE = 10
#: Seconds that an item of the automatic sequence can stand.
SECONDS = range(1, 61)


@dataclass(frozen=True, slots=True)
class DisplaySequence:
    """OBIS codes of the automatic and of the button sequence; `seconds` each item of the automatic one stands."""

    automatic: tuple[str, ...]
    button: tuple[str, ...] = ()
    style: str = "obis"
    seconds: int = 10

    def __post_init__(self) -> None:
        if self.style not in STYLES or self.seconds not in SECONDS:
            raise ConfigurationError(f"a display in style {self.style} with {self.seconds} s does not exist")
        for code in (*self.automatic, *self.button):
            if len(code) > LONGEST_CODE or not CODE.fullmatch(code):
                raise ConfigurationError(f"{code!r} is no code of a display item")

    def encode(self, model: Layout) -> dict[str, bytes]:
        """The bytes of its three identities.

        Raises:
            ConfigurationError: it does not fit into the model.
        """
        found = {"display_setup": bytes([STYLES.index(self.style), self.seconds])}
        for name, codes in (("display_automatic", self.automatic), ("display_button", self.button)):
            if len(codes) > model.limits.display_items:
                raise ConfigurationError(f"{len(codes)} display items: there is room for {model.limits.display_items}")
            found[name] = pack_entries(
                (code.encode("ascii").ljust(LONGEST_CODE) for code in codes), model.items[name].size, name
            )
        return found

    @classmethod
    def decode(cls, objects: Mapping[str, bytes], model: Layout) -> Self:
        """The sequences that lie in its identities.

        Raises:
            ConfigurationError: no display of this model.
        """
        style, seconds = sized(objects, model.items["display_setup"])
        if style >= len(STYLES):
            raise ConfigurationError(f"display_setup: there is no style {style}")
        automatic, button = (_codes(objects, model, name) for name in ("display_automatic", "display_button"))
        return cls(automatic, button, STYLES[style], seconds)


def _codes(objects: Mapping[str, bytes], model: Layout, name: str) -> tuple[str, ...]:
    entries = unpack_entries(sized(objects, model.items[name]), LONGEST_CODE, name)
    try:
        return tuple(entry.decode("ascii").rstrip(" ") for entry in entries)
    except UnicodeDecodeError:
        raise ConfigurationError(f"{name}: not text") from None
