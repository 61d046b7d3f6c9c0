"""Non-volatile memory: a change survives a power cut once it has been saved, and until then it can be undone.

A meter works in its fast memory and saves a moment later. The journal holds, for each change that is not yet safe, how
the meter looks without it; a power cut takes those changes back, the newest first.
"""

from __future__ import annotations

from collections.abc import Callable


class Journal:
    """The changes that a power cut would still undo."""

    __slots__ = ("_unsaved",)

    def __init__(self) -> None:
        self._unsaved: list[tuple[int, Callable[[int], None]]] = []

    def changed(self, now: int, safe_at: int, undo: Callable[[int], None]) -> None:
        """A change was made at `now` (ns) and will be saved at `safe_at`; until then `undo` takes it back."""
        self._unsaved = [entry for entry in self._unsaved if entry[0] > now]
        if safe_at > now:
            self._unsaved.append((safe_at, undo))

    def put_off(self, now: int, until: int) -> None:
        """What is not yet safe at `now` (ns) will be at `until` at the earliest."""
        self._unsaved = [(max(safe_at, until), undo) for safe_at, undo in self._unsaved if safe_at > now]

    def power_lost(self, now: int) -> None:
        """The supply failed at `now` (ns): what was not saved by then is as it was before."""
        for safe_at, undo in reversed(self._unsaved):
            if safe_at > now:
                undo(now)
        self._unsaved.clear()
