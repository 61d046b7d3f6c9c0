"""What is wrong with a station file: one mistake, one line, and the words it is said in."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

#: The way to an entry: ("devices", "new", "address").
Keys = tuple[str | int, ...]

_LONGEST = 60
#: What stands under `passwords` and is none.
_LEVELS = (("1",), ("2",), ("3",))


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing to correct: where it lies in the file's structure, what is wrong, and the line (from 1)."""

    keys: Keys
    reason: str
    line: int

    def __str__(self) -> str:
        return f"{dotted(self.keys)}: {self.reason}" if self.keys else self.reason


class StationFileError(UsageError):
    """A station file that cannot be used; prints one line `file:line: reason` for each mistake in it.

    `file` and `line` are those of the first mistake; a mistake that concerns the file as a whole is put on line 1.
    """

    def __init__(self, file: str, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(mistakes, key=lambda mistake: mistake.line))
        first = self.mistakes[0]
        super().__init__(str(first), file, first.line)

    def __str__(self) -> str:
        return "\n".join(f"{self.file}:{mistake.line}: {mistake}" for mistake in self.mistakes)


def dotted(keys: Keys) -> str:
    """`devices.new.address`; a key that would not survive on one line is quoted."""
    return ".".join(part if isinstance(part, str) and part.isidentifier() else _part(part) for part in keys)


def without_secrets(keys: Keys) -> Keys:
    """The way to an entry as far as it can be told: behind `password` and `passwords` even a key may be a password."""
    for k, key in enumerate(keys):
        if key in {"password", "passwords"}:
            level = keys[k + 1 : k + 2]
            return keys[: k + 1] + (level if key == "passwords" and level in _LEVELS else ())
    return keys


def shown(value: object) -> str:
    """A value from a file as an error message quotes it: short, on one line."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case str():
            text = json.dumps(value, ensure_ascii=not value.isprintable())
            return text if len(text) <= _LONGEST else f'{text[: _LONGEST - 4]}..."'
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case _:
            return str(value)


def nearest(word: object, known: Collection[str]) -> str | None:
    """The one of `known` that `word` is nearly; None if it is like none of them."""
    if not isinstance(word, str):
        return None
    by_fold = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), by_fold, n=1)
    return by_fold[near[0]] if near else None


def suggestion(word: object, known: Collection[str]) -> str:
    """`; did you mean ...?` when `word` is nearly one of `known`, else `;`: what follows is the list of them."""
    near = nearest(word, known)
    return f"; did you mean {near}?" if near else ";"


def _part(part: str | int) -> str:
    plain = isinstance(part, int) or part.replace("-", "_").replace("_", "").isalnum()
    return str(part) if plain else shown(part)
