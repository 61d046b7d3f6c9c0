"""Billing sets (543) and daily sets (545): the registers as they stood at the end of a period, with trigger and time.

Parts and their order stand in `fixtures/elster/models.yaml`; a set of an A1140 has 457 bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntFlag

from protocols.elster.errors import DataError, exactly, octet
from protocols.elster.moments import decode_time, encode_time
from protocols.elster.registers import (
    CumulativeDemand,
    MaximumDemand,
    decode_cumulative,
    decode_energies,
    decode_maximum,
    decode_sources,
    decode_totals,
    encode_energies,
    encode_records,
    encode_sources,
    encode_totals,
)
from protocols.elster.tables import Source, model


class Trigger(IntFlag):
    """What ended a billing period; 40 is a CT change on an A1140 and an external input on an A1700."""

    BILLING_DATE = 0x01
    SEASON = 0x02
    TARIFF_CHANGE = 0x04
    SERIAL_PORT = 0x08
    OPTICAL = 0x10
    BUTTON = 0x20
    CT_CHANGE = 0x40
    POWER_UP = 0x80


#: The same bit on an A1700.
EXTERNAL_INPUT = Trigger.CT_CHANGE


@dataclass(frozen=True, slots=True)
class HistoricalSet:
    """One set; a part that a model does not keep is empty. A set that was never filled has no time."""

    totals: Mapping[Source, int] = field(default_factory=dict)
    tou: tuple[int, ...] = ()
    tou_sources: tuple[int | None, ...] = ()
    inputs: tuple[int, ...] = ()
    cumulative: tuple[CumulativeDemand, ...] = ()
    maximum: tuple[MaximumDemand, ...] = ()
    trigger: int = 0
    time: datetime | None = None


def set_size(name: str) -> int:
    """Bytes of one set of a model."""
    return sum(size for _, size in model(name)["history"])


def encode_set(name: str, kept: HistoricalSet) -> bytes:
    """One set in the layout of a model; parts that are empty become zeros.

    Raises:
        DataError: a part is longer or shorter than the model's.
    """
    return b"".join(_encoded(name, part, size, kept) for part, size in model(name)["history"])


def _encoded(name: str, part: str, size: int, kept: HistoricalSet) -> bytes:
    match part:
        case "totals":
            data = encode_totals(name, kept.totals)
        case "tou":
            data = encode_energies(kept.tou)
        case "tou_sources":
            data = encode_sources(kept.tou_sources)
        case "inputs":
            data = encode_energies(kept.inputs)
        case "cumulative":
            data = encode_records(kept.cumulative)
        case "maximum":
            data = encode_records(kept.maximum)
        case "trigger":
            data = bytes((octet(kept.trigger, "a trigger"),))
        case "time":
            data = encode_time(kept.time)
        case _:
            data = b""
    return exactly(data or bytes(size), size, f"{part} of the {name}")


def decode_set(name: str, data: bytes) -> HistoricalSet:
    """One set of a model.

    Raises:
        DataError: not its length, or a part is none of its kind.
    """
    exactly(data, set_size(name), f"a set of the {name}")
    cut: dict[str, bytes] = {}
    at = 0
    for part, size in model(name)["history"]:
        cut[part] = data[at : at + size]
        at += size
    return HistoricalSet(
        totals=decode_totals(name, cut["totals"]),
        tou=decode_energies(cut["tou"]),
        tou_sources=decode_sources(cut.get("tou_sources", b"")),
        inputs=decode_energies(cut.get("inputs", b"")),
        cumulative=decode_cumulative(cut["cumulative"]),
        maximum=decode_maximum(cut["maximum"]),
        trigger=cut["trigger"][0],
        time=decode_time(cut["time"]),
    )


def encode_history(name: str, sets: Sequence[HistoricalSet], count: int) -> bytes:
    """A whole history of `count` sets, the newest first; sets that are not there yet are zeros.

    Raises:
        DataError: more sets than that.
    """
    if len(sets) > count:
        raise DataError(f"{len(sets)} sets where the {name} keeps {count}")
    return b"".join(encode_set(name, kept) for kept in sets) + bytes(set_size(name) * (count - len(sets)))


def decode_history(name: str, data: bytes) -> tuple[HistoricalSet, ...]:
    """The sets of a history that were ever filled, the newest first.

    Raises:
        DataError: no whole sets.
    """
    size = set_size(name)
    if len(data) % size:
        raise DataError(f"{len(data)} bytes are no whole sets of {size} bytes")
    chunks = (data[at : at + size] for at in range(0, len(data), size))
    return tuple(decode_set(name, chunk) for chunk in chunks if any(chunk))
