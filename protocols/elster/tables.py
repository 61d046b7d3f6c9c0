"""The tables of the family: models, identities, sources and OBIS codes, read once from `fixtures/elster`.

Every value carries a source and a confidence: V verified, 2S two sources, S one source, I inferred, HE? one vendor's
head-end software only, A assumed.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import yaml

_FOLDER = files("fixtures") / "elster"


class TableError(Exception):
    """A table in `fixtures/elster` contradicts itself, or a model is asked for that it does not have."""


class Source(Enum):
    """What a register or a channel counts."""

    NONE = "none"
    IMPORT = "import"
    EXPORT = "export"
    Q1 = "q1"
    Q2 = "q2"
    Q3 = "q3"
    Q4 = "q4"
    VA_IMPORT = "va_import"
    VA_EXPORT = "va_export"
    VA = "va"
    CUSTOMER_1 = "customer_1"
    CUSTOMER_2 = "customer_2"
    CUSTOMER_3 = "customer_3"
    INPUT_1 = "input_1"
    INPUT_2 = "input_2"
    INPUT_3 = "input_3"
    INPUT_4 = "input_4"

    @property
    def unit(self) -> str:
        """Wh, varh, VAh, or nothing where the installation decides."""
        return _UNITS.get(self.value[:2], "")

    @property
    def kind(self) -> str:
        """real, reactive or apparent; what the installation decides counts as apparent, the largest of them."""
        return _KINDS.get(self.unit, "apparent")

    @property
    def title(self) -> str:
        """Its name for a reader."""
        words = self.value.split("_")
        return " ".join(word.upper() if word in _ABBREVIATIONS else word for word in words)


_UNITS = {"im": "Wh", "ex": "Wh", "q1": "varh", "q2": "varh", "q3": "varh", "q4": "varh", "va": "VAh"}
_ABBREVIATIONS = {"va", "q1", "q2", "q3", "q4"}
_KINDS = {"Wh": "real", "varh": "reactive", "VAh": "apparent"}


@dataclass(frozen=True, slots=True)
class Identity:
    """One data identity of a model.

    Attributes:
        number: three decimal digits.
        name: the name it has here.
        size: bytes of one set; 0 where it is as long as what was asked for, or carries nothing.
        sets: how often the object repeats.
        access: r, w, rw, or x (execute).
        read_level: the least level that reads it; None where nobody does.
        write_level: the least level that writes it; None where nobody does.
        source: who says so.
        confidence: how much that is worth.
        note: what else is to be known.
    """

    number: int
    name: str
    size: int
    sets: int
    access: str
    read_level: int | None
    write_level: int | None
    source: str
    confidence: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A value of a model with the source it comes from and what that is worth."""

    value: Any
    confidence: str
    source: str


@dataclass(frozen=True, slots=True)
class Model:
    """What is known of a model: `facts` with their sources, and the same values without them by subscription."""

    name: str
    family: str
    facts: Mapping[str, Fact] = field(repr=False)

    def __getitem__(self, name: str) -> Any:
        return self.facts[name].value

    @property
    def title(self) -> str:
        """Maker and model."""
        return str(self["title"])

    @property
    def identification(self) -> bytes:
        """The identification message without CR LF: maker, baud rate identification, ident."""
        return f"/{self['maker']}{self['baud_code']}{self['ident']}".encode("ascii")

    @property
    def assumed(self) -> frozenset[str]:
        """The facts that a real meter may overrule: what is assumed or inferred."""
        return frozenset(name for name, fact in self.facts.items() if fact.confidence in {"A", "I"})


@dataclass(frozen=True, slots=True)
class Obis:
    """One data set of the readout: `code` with {rate}, {set} or {angle} in its place, `format` digits.decimals."""

    code: str
    name: str
    title: str
    unit: str
    format: str
    export: str
    source: str
    confidence: str


def _read(name: str) -> list[dict[str, str]]:
    text = (_FOLDER / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def models() -> Mapping[str, Model]:
    """Every model by its name in a station file."""
    text = yaml.safe_load((_FOLDER / "models.yaml").read_text(encoding="utf-8"))
    return MappingProxyType({name: _model(name, dict(row), text) for name, row in text["models"].items()})


def _model(name: str, row: dict[str, Any], text: dict[str, Any]) -> Model:
    family = row.pop("family")
    merged = {**text["assumed"], **text["families"][family], **row}
    return Model(name, family, MappingProxyType({key: Fact(**fact) for key, fact in merged.items()}))


def model(name: str) -> Model:
    """A model by its name.

    Raises:
        TableError: there is none.
    """
    try:
        return models()[name]
    except KeyError:
        raise TableError(f"no Elster model {name}; there are {', '.join(models())}") from None


@cache
def identities(name: str) -> Mapping[int, Identity]:
    """The identities of a model by number.

    Raises:
        TableError: no such model, or a number stands twice.
    """
    model(name)
    rows = [_identity(row) for row in _read("identities.csv") if name in row["models"].split()]
    found = {row.number: row for row in rows}
    if len(found) != len(rows):
        raise TableError(f"an identity stands twice for the {name}")
    return MappingProxyType(found)


def _identity(row: dict[str, str]) -> Identity:
    return Identity(
        number=int(row["number"]),
        name=row["name"],
        size=int(row["size"]),
        sets=int(row["sets"]),
        access=row["access"],
        read_level=_level(row["read_level"]),
        write_level=_level(row["write_level"]),
        source=row["source"],
        confidence=row["confidence"],
        note=row["note"],
    )


def _level(text: str) -> int | None:
    return int(text) if text else None


@cache
def identity(name: str, what: str) -> Identity:
    """The identity of a model by its name.

    Raises:
        TableError: the model has none of that name.
    """
    for row in identities(name).values():
        if row.name == what:
            return row
    raise TableError(f"the {name} has no identity {what}")


@cache
def sources(name: str) -> Mapping[int, Source]:
    """What the source numbers of a model mean; the tables of A1140 and A1700 are one apart."""
    return MappingProxyType({number: Source(text) for number, text in model(name)["sources"].items()})


@cache
def source_numbers(name: str) -> Mapping[Source, int]:
    """The number of each source of a model."""
    return MappingProxyType({source: number for number, source in sources(name).items()})


@cache
def obis() -> Mapping[str, Obis]:
    """The data sets of the readout by name."""
    return MappingProxyType({row["name"]: Obis(**row) for row in _read("obis.csv")})
