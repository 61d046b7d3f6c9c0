"""Defects of an Elster firmware in frames, speeds, times and blocks: how it speaks, whoever speaks to it."""

from __future__ import annotations

from functools import reduce
from operator import xor

from protocols.flag.frames import ACK, Command
from protocols.flag.stream import crc16
from simulators.faults.change import behave
from simulators.faults.registry import defect, raised
from simulators.meters.elster.meter import Meter

_ELSTER = "elster"
_MS, _SECOND = 1_000_000, 1_000_000_000
_ADDRESS = "test_an_address_is_compared_whole"
_OPTION = "test_without_a_sound_option_select_the_readout_comes_at_300"
_VISIT = "test_a_whole_visit_conforms"
_COMMANDS = "test_every_sound_command_is_understood"
_STREAM = "test_a_stream_brings_what_packets_bring"
#: A finding about the line as a whole: a visit from the sign-on to the break that is held against the standard.
_BREACHES = "^breaches of IEC 62056-21 by the meter$"
_SIGN_ON = raised("NoAnswer", "no answer to the sign-on")
#: Where nobody believes a meter's blocks, neither the challenge nor a readout comes.
_BLOCKS = (
    rf"{_BREACHES}|^(readout|data sets|without an option select|answer to a speed that was not offered)$|"
    "^who answers to (no address|its address with(out| more) zeros)$|^(commands that were not understood|"
    "log-ins that failed)$|" + raised("ForeignAnswer", "(instead of the challenge: )?block check character .. where")
)
#: Where a meter believes nobody's commands, it takes no reply and answers nothing in a visit.
_COMMANDS_LOST = (
    "^(commands that were not understood|log-ins that failed|reply|answer to the reply)$|^answer (at that speed|after "
    "57 s of silence)|^told of a stream that was broken off$|" + raised("Refused", "NAK: it could not understand")
)
#: ... and where it does not believe the break either, it does not hear the next sign-on.
_BREAK_LOST = (
    "^who answers to (no address|its address with(out| more) zeros)$|^(the stream begins|after the break|the next "
    f"sign-on|a command after the break|sign-on after the break)$|{_SIGN_ON}"
)


@defect("E01", "the check character includes the first SOH or STX", "every block differs by 01 or 02",
        shows=_BLOCKS, severity="function", caught_by=(_VISIT, _COMMANDS), family=_ELSTER)  # fmt: skip
def check_from_start(meter: Meter) -> None:
    """The sum begins one character early, both ways."""
    behave(meter, answer_check=_over_all, command_check=_over_all)


def _over_all(frame: bytes) -> int:
    return reduce(xor, frame) & 0x7F


@defect("E02", "the check character of a command starts behind STX", "commands are refused, answers are sound",
        shows=f"{_COMMANDS_LOST}|{_BREAK_LOST}", severity="function", caught_by=_COMMANDS, family=_ELSTER)  # fmt: skip
def check_from_text(meter: Meter) -> None:
    """What is right for an answer is taken for right for a command."""
    behave(meter, command_check=lambda frame: reduce(xor, frame.partition(b"\x02")[2], 0) & 0x7F)


@defect("E03", "the check character leaves out ETX", "every block differs by 03",
        shows=_BLOCKS, severity="function", caught_by=(_VISIT, _COMMANDS), family=_ELSTER)  # fmt: skip
def check_without_end(meter: Meter) -> None:
    """The sum ends one character early, both ways."""
    behave(meter, answer_check=_without_end, command_check=_without_end)


def _without_end(frame: bytes) -> int:
    return reduce(xor, frame[1:-1], 0) & 0x7F


@defect("E04", "the check character is over the parity bit too", "every other command is refused, always the same ones",
        shows=_COMMANDS_LOST, severity="function", caught_by=_COMMANDS, family=_ELSTER)  # fmt: skip
def check_over_parity(meter: Meter) -> None:
    """Eight bits as the UART delivers them are summed up, and held against the seven of the check character."""
    behave(meter, command_check=lambda frame: reduce(xor, map(_with_parity, frame[1:])))


def _with_parity(byte: int) -> int:
    return byte | (byte.bit_count() % 2) << 7


# -- sign-on ---------------------------------------------------------------------------------------------------------


@defect("E10", "no readout after a bad option select", "silence",
        shows="^(answer to a speed that was not offered|without an option select)$",
        severity="function", caught_by=_OPTION, family=_ELSTER)  # fmt: skip
def no_fall_back(meter: Meter) -> None:
    """What is not understood ends the sign-on."""
    behave(meter, falls_back=False)


@defect("E130", "a meter that has its supply sleeps", "whoever signs on without NULs is not heard",
        why="the power saving of the battery models is in the same source, and its switch is the wrong way round",
        shows=f"^who answers to |{_SIGN_ON}|^(pieces heard of the meter|commands that were not understood|readout|"
        "log-ins that failed|answer to a speed that was not offered|who this meter says it is)$", severity="function",
        caught_by="test_a_meter_says_who_it_is",
        family=_ELSTER)  # fmt: skip
def sleeps(meter: Meter) -> None:
    """It wants to be woken (Annex B)."""
    behave(meter, awake="slow")


@defect("E14", "leading zeros of an address are compared", "a meter called 094 is silent when 94 is called",
        shows="^who answers to its address with(out| more) zeros$", severity="function", caught_by=_ADDRESS,
        family=_ELSTER)  # fmt: skip
def zeros_compared(meter: Meter) -> None:
    """Character by character."""
    behave(meter, same_address=lambda own, asked: own == asked)


@defect("E15", "every address is answered", "two meters talk at once on a multi-drop line", caught_by=_ADDRESS,
        shows="^who answers to ", model="A1700", severity="function", family=_ELSTER)  # fmt: skip
def answers_everybody(meter: Meter) -> None:
    """The address is not looked at."""
    behave(meter, same_address=lambda _own, _asked: True)


@defect("E16", "case and blanks of an address are folded", "another meter's sign-on is answered", severity="function",
        shows="^who answers to", caught_by=(_ADDRESS, "test_letters_of_an_address_keep_their_case"),
        family=_ELSTER)  # fmt: skip
def case_folded(meter: Meter) -> None:
    """Letters are capitals, and blanks are nothing."""
    behave(meter, same_address=lambda own, asked: _folded(own) == _folded(asked))


def _folded(address: bytes) -> bytes:
    return address.replace(b" ", b"").upper().lstrip(b"0")


@defect("E61", "only the end of an address is compared", "a meter called 094 answers when 7094 is called",
        why="a comparison over the length of the own address", shows="^who answers to", severity="function",
        caught_by=_ADDRESS, family=_ELSTER)  # fmt: skip
def end_compared(meter: Meter) -> None:
    """As many characters as the own address has."""
    behave(meter, same_address=lambda own, asked: asked.rjust(len(own), b"0").endswith(own))


@defect("E62", "any speed is taken", "the meter goes to a speed that it has not offered", severity="function",
        why="the table of speeds is looked up, the offer is not",
        shows="^(answer to a speed that was not offered|without an option select)$", caught_by=_OPTION,
        family=_ELSTER)  # fmt: skip
def takes_any_speed(meter: Meter) -> None:
    """What the table knows is good."""
    behave(meter, takes_speed=lambda _offered, asked: asked in "0123456")


@defect("E67", "the readout begins before the option select is waited for", "host and meter talk at once",
        why="the timer counts from the request and not from the identification", severity="function",
        shows="^how long it waits for the option select$", caught_by=_OPTION, family=_ELSTER)  # fmt: skip
def impatient(meter: Meter) -> None:
    """1.2 s, where a host may take 1.5."""
    behave(meter, patience=1_200 * _MS)


# -- times -----------------------------------------------------------------------------------------------------------


@defect("E11", "answers come too early", "80 ms, although the maker's third letter is a capital", shows=_BREACHES,
        severity="function", caught_by=_VISIT, family=_ELSTER)  # fmt: skip
def too_quick(meter: Meter) -> None:
    """A half-duplex host has not yet turned round."""
    behave(meter, reaction=80 * _MS)


#: A block that ends in the middle, as an answer and in a data stream.
_CUT_OFF = raised("ForeignAnswer", r"(b'\\x02.* is no block of data: STX data ETX BCC|[0-9]+ bytes are no block of a)")


@defect("E12", "a pause of more than 1.5 s inside a block", "a host gives the block up", severity="function",
        shows=rf"{_BREACHES}|^(commands that were not understood|data sets)$|{_CUT_OFF}", caught_by=_VISIT,
        family=_ELSTER)  # fmt: skip
def pauses(meter: Meter) -> None:
    """Something more urgent has to be done after twenty-eight characters."""
    behave(meter, pause=(28, 1_600 * _MS))


@defect("E13", "a visit never times out", "who signs on after a visit that was left is not heard",
        shows=f"^sign-on after two minutes of silence$|{_SIGN_ON}", severity="function",
        caught_by="test_a_silent_visit_ends_after_one_to_two_minutes", family=_ELSTER)  # fmt: skip
def never_gives_up(meter: Meter) -> None:
    """Until the break."""
    behave(meter, inactivity=None)


@defect("E64", "answers come too late", "1.7 s, where 1.5 s are allowed", why="a slow memory", severity="function",
        # a visit that takes longer than it should is also seen in the time at which a clock was set
        shows=f"{_BREACHES}|^clock moved by$", caught_by=_VISIT, family=_ELSTER)  # fmt: skip
def too_slow(meter: Meter) -> None:
    """A patient host still takes it."""
    behave(meter, reaction=1_700 * _MS)


@defect("E68", "a visit times out after 40 s", "a long programming is cut off", severity="function",
        why="the timer counts from the sign-on's answer",
        shows="^answer after 57 s of silence$|^writing after (five minutes|that)$|^the password again$",
        caught_by="test_a_silent_visit_ends_after_one_to_two_minutes",
        family=_ELSTER)  # fmt: skip
def gives_up_early(meter: Meter) -> None:
    """Less than the 60 s that the standard leaves a host."""
    behave(meter, inactivity=40 * _SECOND)


# -- blocks ----------------------------------------------------------------------------------------------------------


@defect("E20", "NAK in a readout is not heard", "nothing comes", severity="function",
        shows="^readout after (NAK|damage), ", caught_by="test_a_readout_comes_again_after_a_nak",
        family=_ELSTER)  # fmt: skip
def nak_ignored(meter: Meter) -> None:
    """What was sent was sent."""
    behave(meter, repeats="nothing")


@defect("E63", "NAK in a readout brings the next block", "lines are missing",
        shows="^readout after (NAK|damage), ",
        why="a counter that is raised when the block is sent", severity="billing",
        caught_by="test_a_readout_comes_again_after_a_nak", family=_ELSTER)  # fmt: skip
def nak_goes_on(meter: Meter) -> None:
    """Of a single block nothing is left."""
    behave(meter, repeats="next")


@defect("E23", "partial blocks end with ETX", "an object is cut off after its first block",
        shows="^(bytes read|what is read) by partial blocks$",
        caught_by="test_partial_blocks_make_one_object", family=_ELSTER)  # fmt: skip
def never_more(meter: Meter) -> None:
    """Every end is the end."""
    behave(meter, more_mark=False)


@defect("E27", "the address is expected in every partial block", "a scheme is spoilt at the borders of blocks",
        shows=raised("Refused", r"\(ERR1\): bad command"), caught_by="test_partial_blocks_make_one_object",
        family=_ELSTER)  # fmt: skip
def address_in_each(meter: Meter) -> None:
    """What stands in front of the first bracket is cut off, in later blocks too."""
    behave(meter, address_in_each=True)


_REFUSALS = "test_what_is_refused_changes_nothing"
_RESET = b"655"


#: Where a refusal belongs, something else comes, or nothing.
_NO_ERROR = (
    "^answer to (reading|writing|executing) |^(reading|writing) (after|without|at|with) |"
    "^the same reply in another visit$"
)


@defect("E34", "error messages have no check character", "a host waits for it, and recovers wrongly",
        shows=f"{_BREACHES}|{_NO_ERROR}|^answer to a write that is far too long$|^reply for a password with another|"
        + raised("ForeignAnswer", r"b'\\x02\(ERR[0-9]\)\\x03' is no block of data"), severity="function",
        caught_by=(_VISIT, _REFUSALS), family=_ELSTER)  # fmt: skip
def unchecked_errors(meter: Meter) -> None:
    """They are strings that are sent by another function."""
    behave(meter, error_check=False)


@defect("E78", "NAK where an error message belongs", "a host sends the same again", severity="function",
        why="one path for everything that fails", caught_by=_REFUSALS,
        shows=_NO_ERROR, family=_ELSTER)  # fmt: skip
def errors_as_nak(meter: Meter) -> None:
    """What is understood and cannot be done was not understood."""
    behave(meter, error_as_nak=True)


@defect("E65", "the break is acknowledged", "a character stands on the line that nobody asked for", severity="function",
        why="every command has its answer", shows=f"{_BREACHES}|^after the break$",
        caught_by=(_VISIT, "test_a_break_ends_a_visit_at_once"), family=_ELSTER)  # fmt: skip
def break_answered(meter: Meter) -> None:
    """ACK, as after a write."""
    behave(meter, break_answer=ACK)


@defect("E141", "a billing reset is carried out and answered with NAK", "a host that says it again resets twice",
        why="the answer is made of a status that the end of the demand period has overwritten", severity="billing",
        shows="^answer to a billing reset|raised ForeignAnswer: .*answered with NAK, and has done it",
        caught_by="test_a_billing_reset_counts_once", family=_ELSTER)  # fmt: skip
def denies_reset(meter: Meter) -> None:
    """It is done, and the answer says that it was not understood."""

    def is_reset(command: Command) -> bool:
        return command.letter in "WE" and (command.data or b"").startswith(_RESET)

    behave(meter, denies=is_reset)


# -- data stream -----------------------------------------------------------------------------------------------------


@defect("E24", "the end marks of the data stream are swapped", "a reader stops after the first 256 bytes",
        shows=rf"{_BREACHES}|^bytes (by|of a) stream|^told of a stream that was broken off$|^bytes on a good line$|"
        + raised("ForeignAnswer", "load profile: byte [0-9]+: an interval is cut"), caught_by=_STREAM,
        family=_ELSTER)  # fmt: skip
def swapped_marks(meter: Meter) -> None:
    """EOT is more, ETX is the end, as in the standard's partial blocks."""
    behave(meter, stream_marks=(0x04, 0x03))


@defect("E58", "the data stream has seven bits", "E4 becomes 64, 99 becomes 19",
        shows="^the set by stream$|" + raised("ForeignAnswer", "load profile: the stream starts with 64 "),
        caught_by=_STREAM, family=_ELSTER)  # fmt: skip
def seven_bits(meter: Meter) -> None:
    """The setting of the modem port holds for the data."""
    behave(meter, stream_data=lambda data: bytes(byte & 0x7F for byte in data))


@defect("E59", "ESC does not end a data stream", "late bytes break the next sign-on",
        shows="^(bytes after ESC and a second|after the break|the next sign-on)$", severity="function",
        caught_by="test_a_stream_that_is_ended_leaves_a_clean_line", family=_ELSTER)  # fmt: skip
def unstoppable(meter: Meter) -> None:
    """Who is speaking does not listen."""
    behave(meter, stream_breaks=False)


@defect("E66", "blocks of the data stream come too slowly", "1.7 s from block to block: a host gives up",
        severity="function",
        why="the history is searched anew for each block", caught_by=_VISIT,
        shows=_BREACHES, family=_ELSTER)  # fmt: skip
def slow_blocks(meter: Meter) -> None:
    """More than a message may pause."""
    behave(meter, stream_gap=1_700 * _MS)


@defect("E69", "the CRC of the data stream leaves out STX", "every block is rejected", severity="function",
        why="it is that of the data and their head",
        shows=f"{_BREACHES}|" + raised("ForeignAnswer", "CRC of block 1 is wrong"), caught_by=_STREAM,
        family=_ELSTER)  # fmt: skip
def crc_without_start(meter: Meter) -> None:
    """The sum begins one byte late."""
    behave(meter, stream_check=lambda frame: crc16(frame[1:]))
