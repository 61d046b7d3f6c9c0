"""Transformer ratios, VT (614) and CT (616): primary and secondary in hundredths of V or A, BCD (assumed)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from protocols.elster.bcd import decode_bcd, encode_bcd
from protocols.elster.errors import DataError, exactly
from protocols.elster.tables import model

Kind = Literal["vt", "ct"]


@dataclass(frozen=True, slots=True)
class Ratio:
    """Primary and secondary in hundredths."""

    primary: int
    secondary: int


def encode_ratio(name: str, kind: Kind, ratio: Ratio) -> bytes:
    """The ratio in the widths of a model.

    Raises:
        DataError: the model has none, or a value does not fit.
    """
    first, second = _widths(name, kind)
    return encode_bcd(ratio.primary, first) + encode_bcd(ratio.secondary, second)


def decode_ratio(name: str, kind: Kind, data: bytes) -> Ratio:
    """The ratio of a model.

    Raises:
        DataError: the model has none, not its length, or a digit above 9.
    """
    first, second = _widths(name, kind)
    exactly(data, first + second, f"the {kind.upper()} ratio of the {name}")
    return Ratio(decode_bcd(data[:first]), decode_bcd(data[first:]))


def _widths(name: str, kind: Kind) -> tuple[int, int]:
    first, second = model(name)[f"{kind}_bytes"]
    if not first:
        raise DataError(f"the {name} has no {kind.upper()} ratio")
    return first, second
