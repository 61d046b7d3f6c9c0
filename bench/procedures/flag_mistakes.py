"""Mistakes of tools that talk to FLAG meters, numbered as in the domain reference; each is a tool that errs in one way.

Several were found in public clients (elster-flag section 7): a check character that nobody compares, an identification
that loses a character, a port that is opened anew for another speed and so loses an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from operator import xor
from typing import Any

from bench.links.flag import FlagLine
from bench.procedures.mistake import MISTAKES, Mistake
from protocols.flag import frames, stream
from protocols.flag.client import FlagClient, Timing
from protocols.flag.frames import Answer, Command, Identification
from simulators.faults.registry import raised

_ELSTER = "elster"
#: What a tool that opens its port anew takes for that (ns), as a public client does.
_REOPENING = 800_000_000
_PROTOCOL = bytes((1, 2, 3, 4, 6, 0x15, 0x1B))


def _tool(
    id_: str, title: str, symptom: str, *, shows: str, caught_by: str, model: str = ""
) -> Callable[[type[Any]], type[Any]]:
    """Register a careless client, or a careless use of the port."""

    def register(kind: type[Any]) -> type[Any]:
        careless: dict[str, Any] = {"line" if issubclass(kind, FlagLine) else "client": kind}
        MISTAKES[id_] = Mistake(
            id=id_, title=title, symptom=symptom, shows=shows, caught_by=(caught_by,), model=model, family=_ELSTER,
            **careless,
        )  # fmt: skip
        return kind

    return register


# -- check characters ------------------------------------------------------------------------------------------------

_EVERY = "test_every_sound_command_is_understood"
_NOT_UNDERSTOOD = "^commands that were not understood$"


def _with(message: bytes, check: int) -> bytes:
    return message[:-1] + bytes((check & 0x7F,))


@_tool("T01", "the check character includes the first SOH", "every command is answered with NAK", shows=_NOT_UNDERSTOOD,
       caught_by=_EVERY)  # fmt: skip
class CheckFromStart(FlagClient):
    """The sum begins one character early."""

    def _encoded(self, command: Command) -> bytes:
        message = command.encode()
        return _with(message, reduce(xor, message[:-1]))


@_tool("T02", "the check character of a command starts behind STX", "commands are answered with NAK",
       shows=_NOT_UNDERSTOOD, caught_by=_EVERY)  # fmt: skip
class CheckFromText(FlagClient):
    """What is right for an answer is taken for right for a command."""

    def _encoded(self, command: Command) -> bytes:
        message = command.encode()
        return _with(message, reduce(xor, message[:-1].partition(b"\x02")[2], 0))


@_tool("T03", "the check character leaves out ETX", "every command is answered with NAK", shows=_NOT_UNDERSTOOD,
       caught_by=_EVERY)  # fmt: skip
class CheckWithoutEnd(FlagClient):
    """The sum ends one character early."""

    def _encoded(self, command: Command) -> bytes:
        message = command.encode()
        return _with(message, reduce(xor, message[1:-2]))


@_tool("T04", "the check character is compared over the parity bit too", "every other block is believed damaged",
       shows="raised ForeignAnswer: .*parity bits|not understood",
       caught_by=_EVERY)  # fmt: skip
class CheckOverParity(FlagClient):
    """Eight bits as the UART delivers them are summed up, and held against the seven of the check character."""

    def _decoded(self, data: bytes) -> Answer:
        found = super()._decoded(data)
        if sum(byte.bit_count() for byte in data[1:-1]) % 2:
            raise frames.CheckError("the sum with the parity bits is another one")
        return found


@_tool("T05", "the check character is not compared", "a damaged block is taken",
       shows="values that are not the meter's", caught_by="test_a_reading_on_a_bad_line_is_true_or_none")  # fmt: skip
class NeverChecks(FlagClient):
    """A block is a block, whatever stands at its end (two public clients)."""

    def _decoded(self, data: bytes) -> Answer:
        return super()._decoded(frames.checked(data[:-1]) if data[:1] == frames.STX else data)


@_tool("T06", "control characters are stripped", "a block whose check character is one has none", caught_by=_EVERY,
       shows=_NOT_UNDERSTOOD)  # fmt: skip
class StripsControls(FlagClient):
    """The end of the message goes with the end of the line."""

    def _ended(self, data: bytes) -> int | None:
        kept = [index for index, byte in enumerate(data) if _is_kept(byte)]
        found = frames.message_length(bytes(data[index] for index in kept))
        return None if found is None else kept[found - 1] + 1

    def _decoded(self, data: bytes) -> Answer:
        return super()._decoded(bytes(byte for byte in data if _is_kept(byte)))


def _is_kept(byte: int) -> bool:
    return byte >= ord(" ") or byte in _PROTOCOL


# -- the line --------------------------------------------------------------------------------------------------------

_SPEED = "test_the_visit_goes_on_at_the_speed_that_was_offered"
#: The challenge comes as garbage, or not at all.
_GARBAGE = raised("ForeignAnswer", "instead of the challenge: b'")
_LOST = raised("NoAnswer", "no answer to the option select message")


@_tool("T07", "the speed changes before the option select is out", "the meter hears garbage and stays at 300 Bd",
       shows=_GARBAGE, caught_by=_SPEED, model="A1700")  # fmt: skip
class ChangesSpeedEarly(FlagLine):
    """What was given to the port counts as sent (vzlogger pull request 109)."""

    def _finish(self, port: Any) -> None:
        del port

    def _settle(self) -> None:
        """At once."""


@_tool("T08", "the port is opened anew for another speed", "the answer is lost if the meter is quick", shows=_LOST,
       caught_by=_SPEED)  # fmt: skip
class OpensAnew(FlagLine):
    """Closed, opened, flushed: three quarters of a second (a public client)."""

    def _set(self, baud: int, framing: str) -> None:
        changes = not self.fixed and self._port is not None and baud != self._line[0]
        super()._set(baud, framing)
        if changes:
            self.close()
            self.clock.sleep(_REOPENING)


@_tool("T17", "the echo of an optical head is taken for the answer", "the identification is the own request",
       shows=raised("ForeignAnswer", ".* is no identification message"),
       caught_by="test_a_meter_says_who_it_is", model="a1140")  # fmt: skip
class HearsItself(FlagLine):
    """The station file says that the line echoes, and nobody looks."""

    def _hear_echo(self, data: bytes) -> None:
        del data


@_tool("T58", "the data stream is heard with seven bits", "bit 7 is lost",
       shows=raised("NoAnswer", "no answer to the command; asked again: no answer to the sign-on"),
       caught_by="test_a_stream_brings_what_packets_bring")  # fmt: skip
class SevenBits(FlagClient):
    """The framing of programming mode is kept."""

    def _framing(self, mode: int) -> str:
        del mode
        return "7E1"


# -- sign-on ---------------------------------------------------------------------------------------------------------


@_tool("T16", "the case of letters in an address is folded", "the meter is silent, or another one answers",
       shows=raised("NoAnswer", "no answer to the sign-on") + "|" + raised("NotRestored", "it answers neither to"),
       caught_by="test_letters_of_an_address_keep_their_case")  # fmt: skip
class FoldsCase(FlagClient):
    """Addresses are written in capitals."""

    def __init__(self, address: bytes = b"", *, timing: Timing | None = None, fixed_line: bool = False) -> None:
        super().__init__(address.upper(), timing=timing, fixed_line=fixed_line)


@_tool("T18", "an identification is read with a fixed place for its escape", "its first character is lost",
       shows="^(device type|understood|who this meter says)",
       caught_by="test_an_identification_is_understood_whole")  # fmt: skip
class FixedEscape(FlagClient):
    r"""The fifth character is a backslash, or counts as one (a public client)."""

    def _identified(self, data: bytes) -> Identification:
        found = super()._identified(data)
        return found if found.escapes else replace(found, ident=found.ident[1:])


@_tool("T19", "escapes and a lower-case third letter mean nothing", "mode E and reactions of 20 ms are missed",
       shows="^understood", caught_by="test_an_identification_is_understood_whole")  # fmt: skip
class OnlyModeC(FlagClient):
    """Every meter is one of mode C, and slow."""

    def _identified(self, data: bytes) -> Identification:
        found = super()._identified(data)
        return replace(found, maker=found.maker.upper(), escapes="")


# -- blocks ----------------------------------------------------------------------------------------------------------

_PARTS = "test_partial_blocks_make_one_object"


@_tool("T21", "a block that came again is read without its STX", "a good second attempt comes to nothing",
       shows="^readout after damage, ",
       caught_by="test_a_damaged_readout_is_asked_for_again")  # fmt: skip
class LosesStx(FlagClient):
    """The first attempt has consumed it (a public client crashes here)."""

    def _decoded(self, data: bytes) -> Answer:
        return super()._decoded(data[1:] if self.repeats and data[:1] == frames.STX else data)


@_tool("T23", "EOT is not taken for more follows", "an object ends with its first block", caught_by=_PARTS,
       shows="^(bytes read|what is read) by partial blocks$")  # fmt: skip
class FirstPartOnly(FlagClient):
    """Every end is the end."""

    def _decoded(self, data: bytes) -> Answer:
        return replace(super()._decoded(data), more=False)


@_tool("T27", "the address is repeated in later blocks of a write", "an object is refused, or spoilt at its borders",
       shows=raised("Refused", r"\(ERR1\): bad command"), caught_by=_PARTS)  # fmt: skip
class RepeatsAddress(FlagClient):
    """Each block looks like the first."""

    def _part(self, address: bytes, part: bytes, index: int) -> bytes:
        return (address[:3] + f"{index + 1:03X}".encode() if index else address) + part


_STREAM = "test_a_stream_brings_what_packets_bring"


@_tool("T24", "the end marks of a stream have the meaning of the standard", "the first block counts as the last",
       shows="^bytes by stream$", caught_by=_STREAM)  # fmt: skip
class SwappedMarks(FlagClient):
    """EOT is more, ETX is the end."""

    def _stream_block(self, data: bytes) -> stream.StreamBlock:
        block = super()._stream_block(data)
        return replace(block, last=not block.last)


@_tool("T25", "the CRC of a stream begins with FFFF", "every block is rejected", caught_by=_STREAM,
       shows=raised("ForeignAnswer", "CRC of block 1 is wrong"))  # fmt: skip
class OtherCrc(FlagClient):
    """As Modbus has it."""

    def _stream_block(self, data: bytes) -> stream.StreamBlock:
        block = super()._stream_block(data)
        if _modbus_crc(data[:-2]) != int.from_bytes(data[-2:], "little"):
            raise stream.StreamCheckError(f"CRC of block {block.number} is wrong")
        return block


def _modbus_crc(data: bytes) -> int:
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value


@_tool("T26", "the length byte of a stream block is taken for the length", "one byte slips with each block",
       shows=raised("ForeignAnswer", "[0-9]+ bytes are no block of a data stream"), caught_by=_STREAM)  # fmt: skip
class LengthAsItStands(FlagClient):
    """A length of 255 is 255."""

    def _stream_length(self, data: bytes) -> int | None:
        found = super()._stream_length(data)
        return found if found is None or data[:1] != frames.STX else found - 1


@_tool("T56", "a stream that breaks off is taken for the whole", "a short profile is stored as complete",
       shows="of a stream that was broken off", caught_by="test_a_stream_on_a_bad_line_is_whole_or_none")  # fmt: skip
class TakesHalf(FlagClient):
    """What has come is what there is."""

    def _enough(self, found: bytes, got: bytes) -> bool:
        return bool(found) and self._stream_length(got) is None


# -- log-in ----------------------------------------------------------------------------------------------------------


@_tool("T30", "the reply to a challenge is not padded with zeros", "two log-ins in five fail",
       shows="^log-ins that failed$", caught_by="test_every_log_in_succeeds")  # fmt: skip
class ShortDigits(FlagClient):
    """Each byte as short as it goes (several public scripts)."""

    def _digits(self, reply: bytes) -> bytes:
        return "".join(f"{byte:X}" for byte in reply).encode("ascii")
