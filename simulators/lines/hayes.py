"""The words between a computer and a Hayes modem: command lines, S registers, result codes. No time and no line here.

Result codes differ by make, their numbers too (fixtures/links/modem_results.csv): 9600 is 12 on one and 13 on another.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

#: S registers of a modem as it leaves the factory (AT command references; S2 to S5 are "+", CR, LF and BS).
REGISTERS = {0: 0, 1: 0, 2: 43, 3: 13, 4: 10, 5: 8, 6: 2, 7: 50, 8: 2, 9: 6, 10: 14, 11: 95, 12: 50, 25: 5}
_MOST = 255
#: The longest command line (assumed; the references say 40 to 255).
LONGEST = 255

#: A command: letters that take a number, an S register, a dial string to the end, or an extended command.
_COMMAND = re.compile(
    r"(?P<dial>D)(?P<number>.*)"
    r"|S(?P<register>\d+)(?P<ask>\?|=(?P<value>\d*))"
    r"|(?P<extended>\+[A-Z]+[^;]*);?"
    r"|(?P<name>[&\\%]?[A-Z])(?P<argument>\d*)"
)
#: Commands that set something which this modem does not have; they are taken and change nothing.
IGNORED = frozenset(
    [
        *"BCFILMNPTWY",
        *(f"&{letter}" for letter in "BCGHIJKLMNPQRSTUWXY"),
        *(f"\\{letter}" for letter in "ABGJKNQV"),
        *("%C", "%E"),
    ]
)


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a line.

    Attributes:
        name: "E", "&D", "S", "D", "+CBST" ...
        argument: the number behind it; 0 if there is none, None for a register that is asked for.
        register: of an S command.
        text: the dial string, or the rest of an extended command.
    """

    name: str
    argument: int | None = 0
    register: int = 0
    text: str = ""


def commands(line: str) -> Iterator[Command]:
    """The commands of a line, without its AT, one after the other.

    Raises:
        ValueError: what stands there is no command; those before it have been given.
    """
    if len(line) > LONGEST:
        raise ValueError("too long")
    line = line.strip()
    text = line if "D" in line.upper() else line.replace(" ", "")
    at = 0
    while at < len(text):
        if text[at] == " ":
            at += 1
            continue
        found = _COMMAND.match(text.upper(), at)
        if found is None:
            raise ValueError(text[at:])
        at = found.end()
        yield _command(found)


def _command(found: re.Match[str]) -> Command:
    if found["dial"]:
        return Command("D", text=found["number"])
    if found["register"]:
        value = None if found["ask"] == "?" else int(found["value"] or 0)
        return Command("S", value, register=int(found["register"]))
    if found["extended"]:
        name = re.match(r"\+[A-Z]+", found["extended"])
        assert name is not None
        return Command(name[0], text=found["extended"][name.end() :])
    return Command(found["name"], int(found["argument"] or 0))


def number_of(dial: str) -> tuple[str, int, bool]:
    """What a dial string wants: the digits, how many pauses, and whether it waits for a quiet answer (`@`)."""
    digits = "".join(re.findall(r"[+]?\d|[*#A-C]", dial.upper()))
    return digits, dial.count(","), "@" in dial


@cache
def makes() -> dict[str, dict[str, int]]:
    """Result codes by make: text to number."""
    table = (files("fixtures") / "links" / "modem_results.csv").read_text("utf-8").splitlines()
    found: dict[str, dict[str, int]] = {}
    for row in csv.DictReader(table):
        found.setdefault(row["make"], {})[row["text"]] = int(row["code"])
    return found


@dataclass(slots=True)
class Settings:
    """What commands have set.

    Attributes:
        echo: whether characters come back in command state.
        verbose: words instead of numbers.
        quiet: no result codes at all.
        extent: X, which codes there are: 0 plain CONNECT, 1 with speed, 2 and 4 see a dial tone, 3 and 4 a busy one.
        dtr: &D, what a drop of DTR does: 0 nothing, 1 command state, 2 hang up, 3 reset.
        registers: S.
    """

    echo: bool = True
    verbose: bool = True
    quiet: bool = False
    extent: int = 4
    dtr: int = 2
    registers: dict[int, int] = field(default_factory=lambda: dict(REGISTERS))

    def set_register(self, number: int, value: int) -> None:
        """Set an S register.

        Raises:
            ValueError: there is no such register, or it does not hold such a value.
        """
        if number not in self.registers or value > _MOST:
            raise ValueError(f"S{number}={value}")
        self.registers[number] = value

    def result(self, make: str, text: str) -> bytes:
        """A result code as it is sent; one that the extent does not have is told as another."""
        text = self._within_extent(make, text)
        codes = makes()[make]
        if self.quiet:
            return b""
        end = bytes((self.registers[3],))
        if not self.verbose:
            return str(codes.get(text, codes["CONNECT"])).encode() + end
        return end + bytes((self.registers[4],)) + text.encode() + end + bytes((self.registers[4],))

    def information(self, text: str) -> bytes:
        """A line of information; it comes also where result codes are off."""
        end = bytes((self.registers[3], self.registers[4]))
        return (end if self.verbose else b"") + text.encode() + end

    def _within_extent(self, make: str, text: str) -> str:
        if text.startswith("CONNECT") and self.extent == 0:
            return "CONNECT"
        if (text == "BUSY" and self.extent < 3) or (text == "NO DIALTONE" and self.extent not in {2, 4}):  # noqa: PLR2004  # X levels
            return "NO CARRIER"
        if text == "NO DIALTONE" and text not in makes()[make]:
            return "NO DIAL TONE"
        return text
