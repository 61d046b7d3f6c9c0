"""The difference between two schemes, or a scheme and a meter: by section, in what it means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from bench.errors import UsageError
from bench.scheme.facts import Facts, facts_of
from bench.scheme.kinds import WEEKDAYS
from bench.scheme.model import Scheme
from bench.scheme.sections import sections_of
from protocols.elster.configuration import SECTIONS, Section


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact that differs; None where a side does not have it."""

    section: str
    fact: str
    first: str | None
    second: str | None


def differences(first: Mapping[str, Section], second: Mapping[str, Section]) -> list[Difference]:
    """Where two sets of sections differ, section by section."""
    found = []
    for name in SECTIONS:
        a, b = (facts_of(side[name]) if name in side else None for side in (first, second))
        if a is None or b is None:
            if a != b:
                told = "programmed"
                found.append(
                    Difference(name, "whole section", told if a is not None else None, told if b is not None else None)
                )
        else:
            found += [
                Difference(name, fact, a.get(fact), b.get(fact)) for fact in _facts(a, b) if a.get(fact) != b.get(fact)
            ]
    return found


def scheme_differences(first: Scheme, second: Scheme) -> list[Difference]:
    """Where two schemes differ, their ids and what they say of passwords included.

    Raises:
        UsageError: they are for different models, so they cannot be compared.
    """
    if not set(first.models) & set(second.models):
        one, two = (f"{scheme.file} is for {', '.join(scheme.models)}" for scheme in (first, second))
        raise UsageError(f"{one}, {two}: nothing to compare")
    head = [
        Difference("scheme", fact, a, b)
        for fact, a, b in (
            ("id", first.called, second.called),
            ("version", str(first.version), str(second.version)),
            ("models", ", ".join(sorted(first.models)), ", ".join(sorted(second.models))),
            ("firmware", ", ".join(first.firmware) or "any", ", ".join(second.firmware) or "any"),
            ("sets the clock", _sets_clock(first), _sets_clock(second)),
        )
        if a != b
    ]
    passwords = [
        Difference("passwords", f"level {level}", _password(first, level), _password(second, level))
        for level in sorted({*first.passwords, *second.passwords})
        if first.passwords.get(level) != second.passwords.get(level)
    ]
    return [*head, *differences(sections_of(first), sections_of(second)), *passwords]


def _sets_clock(scheme: Scheme) -> str:
    return "yes" if scheme.clock is not None and scheme.clock.set else "no"


def _password(scheme: Scheme, level: str) -> str | None:
    """That a password is given; where it is found is not told, because it may stand there by mistake."""
    return "given" if level in scheme.passwords else None


def _facts(first: Facts, second: Facts) -> list[str]:
    return [*first, *(fact for fact in second if fact not in first)]


def as_rows(found: list[Difference]) -> list[dict[str, Any]]:
    """The differences, ready for JSON."""
    return [asdict(difference) for difference in found]


def as_lines(found: list[Difference]) -> Iterator[str]:
    """The differences for a reader, grouped by section."""
    for section, group in groupby(found, key=lambda difference: difference.section):
        yield f"{section.replace('_', ' ')}:"
        for difference in _gathered(group):
            yield f"  {difference.fact}"
            yield f"    - {_told(difference.first)}"
            yield f"    + {_told(difference.second)}"


def _gathered(group: Iterable[Difference]) -> Iterator[Difference]:
    """Weekdays that differ alike, one behind the other, as one line."""
    for (season, first, second), run in groupby(group, lambda d: (_season(d.fact), d.first, d.second)):
        days = list(run)
        fact = f"{days[0].fact} to {_weekday(days[-1].fact)}" if season and len(days) > 1 else ""
        yield from [Difference(days[0].section, fact, first, second)] if fact else days


def _season(fact: str) -> str:
    """The season of a fact about a weekday, empty of any other fact."""
    season, _, day = fact.rpartition(", ")
    return season if day in WEEKDAYS else ""


def _weekday(fact: str) -> str:
    return fact.rpartition(", ")[2]


def _told(value: str | None) -> str:
    return "(not there)" if value is None else value or "(empty)"
