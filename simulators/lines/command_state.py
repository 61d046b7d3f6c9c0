"""A modem's command state: characters become command lines, and those change settings or act on a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from simulators.lines.hayes import IGNORED, LONGEST, Command, Settings, commands

#: What a GSM modem says of itself, and the settings that it takes (3GPP TS 27.007; figures assumed).
_GSM_SAYS = {"+CSQ": "+CSQ: 18,99", "+CREG?": "+CREG: 0,1", "+CPIN?": "+CPIN: READY"}
_GSM_TAKES = ("+CBST=", "+CMEE=", "+CREG=", "+CPIN=", "+CRLP=")
_HIGHEST_EXTENT, _HIGHEST_DTR = 4, 3


class Calls(Protocol):
    """What commands do to a call. A result of None comes later."""

    def dial(self, text: str) -> str | None:
        """Call a number."""

    def answer(self) -> str | None:
        """Answer a call that rings."""

    def resume(self) -> str:
        """Back to the call that stands."""

    def hang_up(self) -> None:
        """End the call, or the attempt."""


class CommandState:
    """What a modem makes of characters as long as they are for itself.

    Args:
        make: whose result codes it has.
        registers: S registers that differ from the factory's.
        calls: what acts on calls.
    """

    def __init__(self, make: str, registers: Mapping[int, int], calls: Calls) -> None:
        self._make = make
        self._registers = registers
        self._calls = calls
        self._typed = bytearray()
        self._before = ""
        self.settings = Settings()
        self.restore()
        self._does: dict[str, Callable[[Command], str | None]] = {
            "A": lambda _: calls.answer(),
            "D": lambda command: calls.dial(command.text),
            "E": partial(self._switch, "echo"),
            "H": self._hook,
            "O": lambda _: calls.resume(),
            "Q": partial(self._switch, "quiet"),
            "S": self._register,
            "V": partial(self._switch, "verbose"),
            "X": partial(self._choose, "extent", _HIGHEST_EXTENT),
            "Z": self._reset,
            "&D": partial(self._choose, "dtr", _HIGHEST_DTR),
            "&F": self._factory,
        }

    def restore(self) -> None:
        """As it left the factory."""
        self.settings = Settings()
        for number, value in self._registers.items():
            self.settings.set_register(number, value)
        self._typed.clear()

    def forget(self) -> None:
        """What was typed of a command line is nothing."""
        self._typed.clear()

    def result(self, text: str) -> bytes:
        """A result code as it is sent."""
        return self.settings.result(self._make, text)

    def hear(self, byte: int) -> tuple[bytes, bytes]:
        """A character; what is sent back at once, and what after a moment's thought."""
        registers = self.settings.registers
        echo = bytes((byte,)) if self.settings.echo else b""
        if byte == registers[3]:
            return echo, self._entered()
        if byte == registers[5]:
            del self._typed[-1:]
            return echo, b""
        self._typed.append(byte)
        del self._typed[: -2 * LONGEST]
        if self._typed[-2:].upper() == b"A/":
            self._typed.clear()
            return echo, self._obey(self._before)
        return echo, b""

    def _entered(self) -> bytes:
        typed = bytes(byte & 0x7F for byte in self._typed).decode("ascii")
        self._typed.clear()
        begin = typed.upper().find("AT")
        if begin < 0:
            return b""
        self._before = typed[begin + 2 :]
        return self._obey(self._before)

    def _obey(self, text: str) -> bytes:
        """Do what a command line says; what is sent back now."""
        said: list[bytes] = []
        result: str | None = "OK"
        try:
            for command in commands(text):
                said += map(self.settings.information, self._information(command))
                result = self._do(command)
                if result != "OK":
                    break
        except ValueError:
            result = "ERROR"
        if result is not None:
            said.append(self.result(result))
        return b"".join(said)

    def _information(self, command: Command) -> list[str]:
        """What a command asks for."""
        if command.name == "S" and command.argument is None:
            return [f"{self.settings.registers.get(command.register, 0):03d}"]
        if command.name == "I":
            return [f"meterbench {self._make}"]
        said = _GSM_SAYS.get(command.name + command.text) if self._make == "gsm" else None
        return [said] if said else []

    def _do(self, command: Command) -> str | None:
        whole = command.name + command.text
        if self._make == "gsm" and (whole in _GSM_SAYS or whole.startswith(_GSM_TAKES)):
            return "OK"
        action = self._does.get(command.name)
        if action is not None:
            return action(command)
        return "OK" if command.name in IGNORED else "ERROR"

    def _switch(self, name: str, command: Command) -> str:
        return self._choose(name, 1, command)

    def _choose(self, name: str, highest: int, command: Command) -> str:
        if command.argument is None or command.argument > highest:
            return "ERROR"
        setattr(self.settings, name, command.argument if highest > 1 else bool(command.argument))
        return "OK"

    def _register(self, command: Command) -> str:
        if command.argument is not None:
            self.settings.set_register(command.register, command.argument)
        return "OK"

    def _hook(self, command: Command) -> str:
        if command.argument == 0:
            self._calls.hang_up()
        return "OK"

    def _reset(self, _command: Command) -> str:
        self._calls.hang_up()
        self.restore()
        return "OK"

    def _factory(self, _command: Command) -> str:
        self.restore()
        return "OK"
