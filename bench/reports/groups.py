"""Scenarios put in order for a reader: one group a test function, and a matrix where its parameters are pairs."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.evidence import ScenarioRecord

_NODE_ID = re.compile(r"(?s)(?P<file>.*?)(?:::(?P<function>.*?))?(?:\[(?P<parameter>.*)\])?$")
_PAIR = re.compile(r"(.+?)(?:->|-to-|-)(.+)")


def split_id(node_id: str) -> tuple[str, str, str]:
    """File without `scenarios/` and `.py`, function without `test_`, parameter id: the parts of a pytest node id."""
    match = _NODE_ID.match(node_id)
    assert match is not None
    file, function, parameter = (part or "" for part in match.group("file", "function", "parameter"))
    file = file.replace("\\", "/").removesuffix(".py")
    file = file.partition("scenarios/")[2] or file
    function = ".".join(name.removeprefix("test_") for name in function.split("::"))
    return re.sub(r"(^|/)test_", r"\1", file), function.replace("_", " "), parameter


@dataclass(frozen=True, slots=True)
class Group:
    """All runs of one test function."""

    file: str
    function: str
    records: list[ScenarioRecord]

    @property
    def name(self) -> str:
        """File and function, as a report prints them."""
        return f"{self.file}: {self.function}" if self.function else self.file

    @property
    def worst(self) -> Verdict:
        """The most severe verdict of its scenarios."""
        return Verdict.worst(record.verdict for record in self.records)

    @property
    def outcome(self) -> str:
        """The worst verdict in words; "skipped" where none of them ran, which is not the same as recording only."""
        return "skipped" if all(record.outcome == "skipped" for record in self.records) else self.worst.words

    @property
    def counts(self) -> Counter[str]:
        """Number of measurements by verdict."""
        return sum((Counter(record.counts) for record in self.records), Counter())


@dataclass(frozen=True, slots=True)
class Matrix:
    """Source against target: `cells[row][column]`, None where no such pair was tried."""

    rows: list[str]
    columns: list[str]
    cells: list[list[ScenarioRecord | None]]


def grouped(records: Iterable[ScenarioRecord]) -> list[Group]:
    """Scenarios by file and function, in the order in which these first appear."""
    groups: dict[tuple[str, str], Group] = {}
    for record in records:
        file, function, _ = split_id(record.scenario)
        groups.setdefault((file, function), Group(file, function, [])).records.append(record)
    return list(groups.values())


def matrix_of(group: Group) -> Matrix | None:
    """The group as a matrix, if every parameter id is a pair such as `CM2350-PM850` and the pairs fill half of it."""
    cells: dict[tuple[str, str], ScenarioRecord] = {}
    for record in group.records:
        pair = _PAIR.fullmatch(split_id(record.scenario)[2])
        if pair is None or (pair[1], pair[2]) in cells:
            return None
        cells[pair[1], pair[2]] = record
    rows = list(dict.fromkeys(row for row, _ in cells))
    columns = list(dict.fromkeys(column for _, column in cells))
    if min(len(rows), len(columns)) < 2 or 2 * len(cells) < len(rows) * len(columns):  # noqa: PLR2004  # one half
        return None
    return Matrix(rows, columns, [[cells.get((row, column)) for column in columns] for row in rows])
