"""One comparison of what a device says of itself with what the station promises."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What was expected, what was found, and whether the expectation rests on a document or a pin."""

    what: str
    expected: str | int
    found: str | int | None
    assumed: bool

    @property
    def agrees(self) -> bool:
        """Whether what was found is what was expected."""
        return self.found == self.expected

    @property
    def refuses(self) -> bool:
        """Whether the device must not be touched: a documented or pinned identity does not agree."""
        return not self.agrees and not self.assumed
