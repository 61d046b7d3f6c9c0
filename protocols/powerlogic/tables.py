"""The tables of the family: registers, commands and models, read once from `fixtures/powerlogic`.

Every row carries its source and a confidence mark: V tried and seen, S a document says so, I inferred, A assumed.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from protocols.powerlogic.energy import CM2_ORDER, SERIES_ORDER, WORDS, Quantity

_FOLDER = files("fixtures") / "powerlogic"


class TableError(Exception):
    """A table in `fixtures/powerlogic` contradicts itself."""


@dataclass(frozen=True, slots=True)
class Register:
    """One row of a register map: `count` words from `number` (as the manuals number them)."""

    number: int
    count: int
    name: str
    kind: str
    unit: str
    scale: str
    access: str
    source: str
    confidence: str

    @property
    def end(self) -> int:
        """The first register after this one."""
        return self.number + self.count


@dataclass(frozen=True, slots=True)
class Model:
    """What is known of a model; `profile` merges what documents say and what is assumed, `assumed` names the latter."""

    name: str
    family: str
    generation: str
    title: str
    date_words: int
    identification: str
    preset_target: bool
    float_base: int | None
    profile: Mapping[str, Any] = field(repr=False)
    assumed: frozenset[str] = field(repr=False)

    @property
    def order(self) -> tuple[Quantity, ...]:
        """The order of the accumulated energies in this model's block."""
        return CM2_ORDER if self.generation == "cm2" else SERIES_ORDER


class RegisterMap:
    """The registers of one family, by name and by number."""

    def __init__(self, rows: list[Register]) -> None:
        self.rows = sorted(rows, key=lambda row: row.number)
        self.by_name = {row.name: row for row in self.rows}
        if len(self.by_name) != len(self.rows):
            raise TableError("a register name stands twice in one family")
        for before, after in zip(self.rows, self.rows[1:], strict=False):
            if before.end > after.number:
                raise TableError(f"{before.name} and {after.name} share register {after.number}")

    def __getitem__(self, name: str) -> Register:
        return self.by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self.by_name

    def __iter__(self) -> Iterator[Register]:
        return iter(self.rows)


def _read(name: str) -> list[dict[str, str]]:
    text = (_FOLDER / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def register_map(family: str) -> RegisterMap:
    """The register map of a family: CM2, CM3, CM4 or PM8."""
    name = "registers_cm2.csv" if family == "CM2" else "registers_series.csv"
    return RegisterMap(
        [
            Register(int(row["register"]), int(row["count"]), *(row[key] for key in _TEXT_COLUMNS))
            for row in _read(name)
            if family in row["families"].split()
        ]
    )


_TEXT_COLUMNS = ("name", "kind", "unit", "scale", "access", "source", "confidence")


@cache
def commands(door: str) -> Mapping[int, str]:
    """Command code to name: of a family at its command register, or of "PM8@4126", the PM800's second door."""
    return {int(row["code"]): row["name"] for row in _read("commands.csv") if door in row["families"].split()}


@cache
def command_code(family: str, name: str) -> int:
    """The code of a named command; KeyError where the family has none."""
    return {known: code for code, known in commands(family).items()}[name]


@cache
def models() -> Mapping[str, Model]:
    """Every model by its name in a station file."""
    text = yaml.safe_load((_FOLDER / "models.yaml").read_text(encoding="utf-8"))
    return {name: _model(name, row, text) for name, row in text["models"].items()}


def _model(name: str, row: dict[str, Any], text: dict[str, Any]) -> Model:
    family = text["families"][row["family"]]
    documented = {**family["documented"], **row.get("documented", {})}
    assumed = {**text["assumed"], **family["assumed"], **row.get("assumed", {})}
    return Model(
        name=name,
        family=row["family"],
        generation=family["generation"],
        title=family["title"],
        date_words=family["date_words"],
        identification=family["identification"],
        preset_target=family["preset_target"],
        float_base=family.get("float_base"),
        profile={**assumed, **documented},
        assumed=frozenset(assumed) - frozenset(documented),
    )


@dataclass(frozen=True, slots=True)
class PresetWord:
    """One of the 28 rows of Table 1: where a word is read on either generation and where it is written."""

    quantity: Quantity
    weight: int
    series_register: int
    cm2_register: int
    buffer_register: int


@cache
def preset_table() -> tuple[PresetWord, ...]:
    """Table 1 of the energy preset procedure (seed document 003), after the checks that a copy must survive.

    Raises:
        TableError: not 28 rows, or a column is not the sequence or permutation that the procedure demands.
    """
    rows = tuple(
        PresetWord(
            Quantity(row["quantity"]),
            int(row["word_weight"]),
            int(row["cm3_cm4_pm8_reg"]),
            int(row["cm2_reg"]),
            int(row["write_to_reg"]),
        )
        for row in _read("energy_preset_registers.csv")
    )
    count = WORDS * len(Quantity)
    if [row.series_register for row in rows] != list(range(1700, 1700 + count)):
        raise TableError("Table 1: the CM3/CM4/PM8 column is not 1700..1727 ascending")
    if [row.buffer_register for row in rows] != list(range(8022, 8022 + count)):
        raise TableError("Table 1: the write-to column is not 8022..8049 ascending")
    if sorted(row.cm2_register for row in rows) != list(range(1601, 1601 + count)):
        raise TableError("Table 1: the CM2 column is no permutation of 1601..1628")
    return rows
