"""Setup mode: 9020 opens a session, configuration registers may be written, 9021 saves or discards.

One session at a time; two minutes without a register write end it and the old values stay; a loss of supply discards it
(CM4000 manual p. 187, PM800 user guide p. 88, FAQ FA254939).
"""

from __future__ import annotations

TIMEOUT = 120_000_000_000


class SetupSession:
    """The draft of a configuration, while a session is open.

    Args:
        now: the instant (ns) at which it was opened.
    """

    __slots__ = ("_last_write", "draft", "opened_at")

    def __init__(self, now: int) -> None:
        self._last_write = self.opened_at = now
        self.draft: dict[str, int] = {}

    def idle(self, now: int) -> int:
        """How long (ns) nothing has been written."""
        return now - self._last_write

    def touch(self, now: int) -> None:
        """A register was written: the two minutes begin again."""
        self._last_write = now
