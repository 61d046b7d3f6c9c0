"""What answers to a number: lines with meters, numbers that are engaged, numbers where nobody picks up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from simulators.lines.character_line import CharacterLine
from simulators.lines.x28 import CAUSES

#: What may stand in a plan in the place of a line.
BUSY, SILENT = "busy", "no answer"


@dataclass(slots=True)
class Exchange:
    """Numbers and what they lead to; several modems may share one, and a line has room for one call.

    Attributes:
        numbers: a line with meters, or BUSY or SILENT, by number.
        engaged: the lines that have a call.
    """

    numbers: Mapping[str, CharacterLine | str]
    engaged: set[int] = field(default_factory=set)

    def dial(self, number: str) -> CharacterLine | str | None:
        """The line that answers; BUSY or SILENT; None for a number that nobody has."""
        found = self.numbers.get(number)
        return BUSY if isinstance(found, CharacterLine) and id(found) in self.engaged else found

    def engage(self, line: CharacterLine) -> bool:
        """A call has reached a line; False if another was there before."""
        free = id(line) not in self.engaged
        self.engaged.add(id(line))
        return free

    def release(self, line: CharacterLine) -> None:
        """The call is over."""
        self.engaged.discard(id(line))


def exchange_of(numbers: Mapping[str, str], line: Callable[[str], CharacterLine]) -> Exchange:
    """The numbers of a plan with their lines.

    Args:
        numbers: a line's name by number; BUSY, SILENT or a cause of clearing where nobody is to be reached.
        line: a line by its name.

    Raises:
        KeyError: as `line` raises it for a name that does not exist.
    """
    nobody = {BUSY, SILENT, *CAUSES}
    return Exchange({number: name if name in nobody else line(name) for number, name in numbers.items()})
