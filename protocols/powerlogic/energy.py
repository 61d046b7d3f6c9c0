"""Accumulated energies in base 10,000: four signed words, least significant first, each -9999..9999, in Wh/varh/VAh.

Value = R1 + R2*10^4 + R3*10^8 + R4*10^12, R1 at the lowest register number (Schneider FAQ FA146443). All non-zero
words of a canonical value carry the same sign (inference); mixed signs decode all the same, so values are compared, not
words. Incremental energies use three words in the same way (Siemens ACCESS 9340 manual, EN-148).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from protocols.conversation import ProtocolError

BASE = 10_000
#: Largest word that the preset procedure accepts (seed document 003, step 2).
WORD_LIMIT = 9_999
WORDS = 4
#: Largest magnitude that four words can carry.
LIMIT: int = 10_000_000_000_000_000 - 1


class Quantity(Enum):
    """The seven accumulated energies, in the order of registers 1700-1727 and of the preset buffer 8022-8049."""

    REAL_IN = "real_energy_in"
    REACTIVE_IN = "reactive_energy_in"
    REAL_OUT = "real_energy_out"
    REACTIVE_OUT = "reactive_energy_out"
    REAL_TOTAL = "real_energy_total"
    REACTIVE_TOTAL = "reactive_energy_total"
    APPARENT_TOTAL = "apparent_energy_total"

    @property
    def unit(self) -> str:
        """Wh, varh or VAh."""
        return {"real": "Wh", "reactive": "varh", "apparent": "VAh"}[self.kind]

    @property
    def kind(self) -> str:
        """real, reactive or apparent."""
        return self.value.split("_", 1)[0]

    @property
    def title(self) -> str:
        """The quantity as a person says it, for tables: "real energy in"."""
        return self.value.replace("_", " ")


#: Order of a Series 3000/4000 and PM800 meter, and of the preset buffer (seed document 003, Table 1).
SERIES_ORDER: tuple[Quantity, ...] = tuple(Quantity)
#: Order of a Series 2000 meter from 1601: apparent comes before the two totals (the starred rows of Table 1).
CM2_ORDER: tuple[Quantity, ...] = (
    Quantity.REAL_IN,
    Quantity.REACTIVE_IN,
    Quantity.REAL_OUT,
    Quantity.REACTIVE_OUT,
    Quantity.APPARENT_TOTAL,
    Quantity.REAL_TOTAL,
    Quantity.REACTIVE_TOTAL,
)


class EnergyRangeError(ProtocolError):
    """A value that the words of a register cannot carry, or a word outside -9999..9999."""


def encode(value: int, words: int = WORDS) -> tuple[int, ...]:
    """The words of a whole number of Wh (varh, VAh), least significant first, all with its sign.

    Raises:
        EnergyRangeError: the magnitude needs more words.
    """
    rest, sign = (-value, -1) if value < 0 else (value, 1)
    if rest >= BASE**words:
        raise EnergyRangeError(f"{value} does not fit into {words} words of base {BASE}")
    out = []
    for _ in range(words):
        rest, word = divmod(rest, BASE)
        out.append(sign * word)
    return tuple(out)


def decode(words: Sequence[int]) -> int:
    """The value of signed words, least significant first. Mixed signs are summed as they stand."""
    value = 0
    for word in reversed(words):
        value = value * BASE + word
    return value


def checked(words: Sequence[int]) -> Sequence[int]:
    """The same words, after the range check that the preset procedure demands of each.

    Raises:
        EnergyRangeError: names the first word outside -9999..9999.
    """
    for index, word in enumerate(words):
        if not -WORD_LIMIT <= word <= WORD_LIMIT:
            raise EnergyRangeError(f"word {index + 1} of {len(words)} is {word}, outside -{WORD_LIMIT}..{WORD_LIMIT}")
    return words


def encode_set(values: dict[Quantity, int], order: Sequence[Quantity] = SERIES_ORDER) -> list[int]:
    """The 28 signed words of seven energies in the order of a meter's block."""
    return [word for quantity in order for word in encode(values[quantity])]


def decode_set(words: Sequence[int], order: Sequence[Quantity] = SERIES_ORDER) -> dict[Quantity, int]:
    """Seven energies from the 28 signed words of a meter's block, returned in the order of :class:`Quantity`.

    Raises:
        EnergyRangeError: not 28 words, or a word outside -9999..9999.
    """
    if len(words) != WORDS * len(order):
        raise EnergyRangeError(f"{len(words)} words where {WORDS * len(order)} belong")
    checked(words)
    found = {quantity: decode(words[WORDS * i : WORDS * i + WORDS]) for i, quantity in enumerate(order)}
    return {quantity: found[quantity] for quantity in SERIES_ORDER}
