"""What can go wrong on a bench, and with which exit code the command then ends.

```
BenchError
├── UsageError        you misused the bench: option, station file, scenario      exit 4
│   └── NotArmed      a write that the three keys of bench/safety.py refused     exit 4
├── StationError      the station broke: a line, a port, a relay, the disk       exit 3
│   └── NoCall        a number was dialled in vain                               exit 3
├── Diverged          a replay left its trace: something else was sent           exit 6
├── DeviceError       the device misbehaved: a verdict, not a mishap             exit 1
│   ├── NoAnswer      it was asked and stayed silent
│   │   └── CallLost  over a call that was lost, or that holds up what is said exit 3; of a scenario: not determinable
│   ├── ForeignAnswer what came is no answer to what was asked
│   ├── Refused       it said no: an exception code or a result word
│   ├── NotRestored   it was changed for a while and could not be brought back
│   └── WrongDevice   another model or another serial number answers
└── Undeterminable    the station lacks what a check needs                       exit 5
    └── NoEvidence    nothing shows that a supply was really away                exit 5
```

The names say what happened, as an engineer would say it aloud. Three families are kept apart because three different
people act on them: the one at the keyboard, the one who wires the station, and the one who builds the meter.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from os import PathLike


class Exit(IntEnum):
    """Exit codes of `meterbench run`, of `pytest --station` and of every command (the contract with other tools).

    VERIFIED: what was verified passed; of a command about one thing (a transfer, a programming) all it has to show.
    NOTHING: nothing was verified; of such a command, something that it has to show was not determinable.
    """

    VERIFIED = 0
    FAILED = 1
    STATION = 3
    USAGE = 4
    NOTHING = 5
    DIVERGED = 6
    INTERRUPTED = 130


class BenchError(Exception):
    """Anything the bench itself reports; `exit` is the code a command ends with when nobody handles it."""

    exit: ClassVar[Exit] = Exit.FAILED


class UsageError(BenchError):
    """You misused the bench. Prints as `file:line: reason`, as far as file and line are known.

    Args:
        reason: one clear line.
        file: the file the reason lies in.
        line: its line, counted from 1; meaningless without a file.
    """

    exit = Exit.USAGE

    def __init__(self, reason: str, file: str | PathLike[str] | None = None, line: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.file = file
        self.line = line

    def __str__(self) -> str:
        if self.file is None:
            return self.reason
        return f"{self.file}: {self.reason}" if self.line is None else f"{self.file}:{self.line}: {self.reason}"


class NotArmed(UsageError):
    """A state-changing command was refused because one of the three keys is missing."""


class StationError(BenchError):
    """The station broke, not the device: later scenarios on the same link are errors and not failures."""

    exit = Exit.STATION


class NoCall(StationError):
    """A number was dialled in vain: it may be engaged for now, so later scenarios dial again, but not for ever."""


class Diverged(BenchError):
    """A replay left its trace: the bench sent something else than was recorded, so the trace cannot answer it."""

    exit = Exit.DIVERGED


class DeviceError(BenchError):
    """The device misbehaved. Prints as `device: reason` when the device is known.

    Args:
        reason: one clear line.
        device: the id of the device in the station file.
    """

    exit = Exit.FAILED

    def __init__(self, reason: str, *, device: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.device = device

    def __str__(self) -> str:
        return self.reason if self.device is None else f"{self.device}: {self.reason}"


class NoAnswer(DeviceError):
    """The device was asked and stayed silent until the time-out."""


class CallLost(NoAnswer):
    """Nothing came over a call that was lost, or that holds up what is said: whose fault that is nobody knows."""

    exit = Exit.STATION


class ForeignAnswer(DeviceError):
    """What came back is no answer to what was asked: truncated, damaged, of another unit or of another function."""


class Refused(DeviceError):
    """The device understood and said no.

    Args:
        reason: one clear line.
        code: the Modbus exception code, the result word or the protocol's error number; None if it gave none.
        device: the id of the device in the station file.
        nak: whether it said NAK: that it could not understand, and so should have done nothing.
    """

    def __init__(self, reason: str, *, code: int | None = None, device: str | None = None, nak: bool = False) -> None:
        super().__init__(reason, device=device)
        self.code = code
        self.nak = nak


class NotRestored(DeviceError):
    """A device was changed for a while and could not be brought back: somebody has to, whoever is to blame."""


class WrongDevice(DeviceError):
    """Another model or another serial number answers than the station file promises."""


class Undeterminable(BenchError):
    """The station lacks what a check needs, so the check can neither pass nor fail.

    Args:
        check: what cannot be said, for example "energies survive a power cycle".
        lacks: what the station would need, for example "power control of new".
    """

    exit = Exit.NOTHING

    def __init__(self, check: str, lacks: str) -> None:
        super().__init__(check, lacks)
        self.check = check
        self.lacks = lacks

    def __str__(self) -> str:
        return f"{self.check}: not determinable, the station lacks {self.lacks}"


class NoEvidence(Undeterminable):
    """A supply was switched, and nothing shows that it was really away."""
