"""The line between a computer and its modem or PAD: the computer chooses speed and framing, the other adapts.

Every door and the bench's own `sim://` port lead here as they lead to a line with meters.
"""

from __future__ import annotations

from typing import Protocol

from simulators.lines.burst import Burst
from simulators.lines.character_line import CharacterLine, CharacterPort, Talker
from simulators.lines.framing import Framing
from simulators.lines.serial_line import Follows, Port
from simulators.world import World

#: What a modem speaks before it has heard anything.
DEFAULT = Framing(9600, "8N1")


class Adapter(Talker, Protocol):
    """What stands at the other end of a computer's port."""

    line: tuple[int, str]

    def terminal_ready(self, *, ready: bool) -> None:
        """The computer's DTR line has changed."""


class TerminalLine(CharacterLine):
    """A computer's port and what is plugged into it.

    Args:
        world: whose time holds.
        name: names it in the digest.
    """

    adapts = True

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world, name, "network", DEFAULT)
        self.medium = "rs232"
        self._adapter: Adapter | None = None
        self._ready: set[int] = set()

    def plug(self, adapter: Adapter) -> None:
        """Put the modem or PAD there."""
        self._adapter = adapter
        self.attach(adapter, name=self.name)

    def open(self, framing: Framing | None = None, *, follows: Follows = "nothing") -> CharacterPort:
        """A program opens the computer's port, and with it sets DTR.

        The door of a pty ("frame") is open for as long as it is served and cannot see DTR: it leaves DTR to the others.
        """
        port = super().open(framing, follows=follows)
        if follows != "frame":
            self.set_ready(port, ready=True)
        return port

    def close(self, port: Port) -> None:
        """A program closes the port, and DTR drops."""
        super().close(port)
        self.set_ready(port, ready=False)

    def set_ready(self, port: Port, *, ready: bool) -> None:
        """A program sets DTR; while one has it set, it is set."""
        before = bool(self._ready)
        (self._ready.add if ready else self._ready.discard)(id(port))
        if self._adapter is not None and bool(self._ready) != before:
            self._adapter.terminal_ready(ready=not before)

    def _begin(self, burst: Burst) -> None:
        if isinstance(burst.sender, Port) and self._adapter is not None:
            self._adapter.line = (burst.framing.baud, burst.framing.frame)
        super()._begin(burst)
