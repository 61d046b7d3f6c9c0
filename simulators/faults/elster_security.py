"""Defects of an Elster firmware in who may do what: challenges, passwords, levels, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from protocols.flag.login import SIZE
from simulators.faults.change import behave, decide
from simulators.faults.registry import defect
from simulators.meters.elster.meter import Meter

_ELSTER = "elster"
_CHALLENGES = "test_every_visit_has_a_challenge_that_nobody_foresees"
_PASSWORDS = "test_a_wrong_password_is_refused_and_the_right_one_is_not"  # the name of a scenario
_ZEROS = "test_a_reply_of_zeros_only_reads"
_RAISED = "test_a_second_reply_raises_the_level_and_a_wrong_one_takes_it"
_REFUSALS = "test_what_is_refused_changes_nothing"
_DAMAGED = "test_a_damaged_write_is_not_obeyed"
_FIXED = bytes.fromhex("FD04BE65D6157FA9")
_CHARACTERS_COMPARED, _WEAK_BYTES, _ATTEMPTS = 4, 3, 3
_FOR_EVER = 10**18


# -- challenges ------------------------------------------------------------------------------------------------------


@defect("E29", "the challenge is always the same", "who has heard a reply can give it again",
        shows="challenge|^the same reply in another visit$|^reading after the replayed reply$", severity="function",
        caught_by=(_CHALLENGES, "test_a_reply_that_was_heard_opens_nothing"), family=_ELSTER)  # fmt: skip
def constant_challenge(meter: Meter) -> None:
    """A test value has stayed."""
    decide(meter, seed=lambda _stream, _before: _FIXED)


@defect("E70", "the challenge counts up", "the next one is known",
        why="a counter is unique, which was what was asked for",
        shows="^steps from challenge to challenge$", severity="function", caught_by=_CHALLENGES,
        family=_ELSTER)  # fmt: skip
def counting_challenge(meter: Meter) -> None:
    """One more than the last."""

    def next_one(_stream: Random, before: bytes) -> bytes:
        return (int.from_bytes(before or _FIXED, "big") + 0x0101_0101_0101_0101).to_bytes(SIZE + 1, "big")[-SIZE:]

    decide(meter, seed=next_one)


@defect("E71", "the challenge is short", "three random bytes, and five that are always zero",
        why="the random number generator has 24 bits", shows="^bytes of the challenge that never change$",
        severity="function",
        caught_by=_CHALLENGES, family=_ELSTER)  # fmt: skip
def short_challenge(meter: Meter) -> None:
    """A reply can be prepared for each."""
    decide(meter, seed=lambda stream, _before: stream.randbytes(_WEAK_BYTES).ljust(SIZE, b"\0"))


# -- passwords and levels --------------------------------------------------------------------------------------------


@defect("E72", "an accepted reply is repeated in the answer", "whoever hears the meter only can have the password",
        why="an echo that a tester wanted", severity="function",
        shows="^breaches of IEC 62056-21 by the meter$|^answer (at that speed, |to the reply$)|"
        "^(reply|reply of zeros|second reply|the reply comes back|the password again|the right password opens)$",
        caught_by="test_a_reply_is_acknowledged_and_not_repeated", family=_ELSTER)  # fmt: skip
def reply_repeated(meter: Meter) -> None:
    """The operand comes back where ACK belongs."""
    behave(meter, repeats_reply=True)


@defect("E73", "a password is compared in part", "the first four characters open the meter",
        why="a comparison of one word of the processor", severity="function", caught_by=_PASSWORDS,
        shows="with another character|^writing after a wrong password$", family=_ELSTER)  # fmt: skip
def half_compared(meter: Meter) -> None:
    """As many as fit into a register."""
    decide(meter, same_password=lambda said, right: said[:_CHARACTERS_COMPARED] == right[:_CHARACTERS_COMPARED])


@defect("E74", "a lock-out never ends", "three wrong passwords, and nobody gets in any more", severity="function",
        why="the time of its end is compared with a time that stands still", shows="^the right password opens$",
        caught_by=_PASSWORDS, family=_ELSTER)  # fmt: skip
def locked_for_ever(meter: Meter) -> None:
    """Until somebody changes the meter."""
    meter.profile = replace(meter.profile, lockout_attempts=_ATTEMPTS, lockout_time=_FOR_EVER)


@defect("E75", "a reply of zeros gives the highest level", "everybody can write", why="zeros are an unset password",
        shows="^writing (at level 0|with a reply of zeros)$", severity="billing", caught_by=(_ZEROS, _RAISED),
        family=_ELSTER)  # fmt: skip
def zeros_open(meter: Meter) -> None:
    """A way in from development."""
    decide(meter, level_of_zeros=3)


@defect("E31", "what needs a level is written at level 0", "W1 is acknowledged without a password", severity="billing",
        shows="^writing (at level [02]|with a reply of zeros|after a wrong password)$", caught_by=(_ZEROS, _RAISED),
        family=_ELSTER)  # fmt: skip
def writes_at_level_0(meter: Meter) -> None:
    """Any level is a level."""
    decide(meter, allows=lambda session, _needed, expired: session.level >= 0 and not expired)


@defect("E77", "a password does not expire", "after five minutes the meter still takes writes", severity="function",
        why="the time is noted and never looked at", shows="^writing after five minutes$",
        caught_by="test_a_password_is_good_for_five_minutes", family=_ELSTER)  # fmt: skip
def never_expires(meter: Meter) -> None:
    """Until the visit ends."""
    decide(meter, allows=lambda session, needed, _expired: session.level >= needed)


@defect("E76", "a wrong password leaves the level as it was", "who guesses goes on writing", severity="function",
        why="the level is only ever set on success", shows="^writing after a wrong password$", caught_by=_RAISED,
        family=_ELSTER)  # fmt: skip
def level_stays(meter: Meter) -> None:
    """Nothing happens."""
    decide(meter, level_after_failure=lambda level: level)


@defect("E32", "the level outlives its visit", "the next host writes without a password", severity="billing",
        shows="^(writing|reading) (after (a break|two minutes of silence|a password with another|the replayed reply)|"
        "at level [02]|without a reply|with a reply)|^after the replayed reply",
        caught_by=("test_a_level_ends_with_its_visit", "test_without_a_reply_nothing_is_read_or_written"),
        family=_ELSTER)  # fmt: skip
def level_survives(meter: Meter) -> None:
    """Break and time-out leave it where it is."""
    behave(meter, forgets=False)


@defect("E144", "a visit begins at level 0", "who has answered no challenge reads", severity="function",
        why="a level of nobody was added later, and the visit still begins with the lowest of old",
        shows="^reading (without a reply|after)", caught_by="test_without_a_reply_nothing_is_read_or_written",
        family=_ELSTER)  # fmt: skip
def begins_at_level_0(meter: Meter) -> None:
    """Nobody is somebody who may read."""
    decide(meter, first_level=lambda _last: 0)


# -- what is refused -------------------------------------------------------------------------------------------------


@defect("E79", "packet 000 is taken for the first", "a wrong packet number reads and writes", severity="function",
        why="a lower bound that is only checked above",
        shows="^answer to (reading|writing) packet 000$|^what has changed$",
        caught_by=(_REFUSALS, "test_a_write_astray_is_refused"), family=_ELSTER)  # fmt: skip
def packet_zero(meter: Meter) -> None:
    """Numbers below the first are the first."""
    decide(meter, packet=lambda number: max(1, number))


@defect("E142", "what is only read can be written", "the serial number takes whatever is sent", severity="billing",
        why="the list of what may be written is that of the factory's own tool",
        shows="writing what is only read|what has changed", caught_by=_REFUSALS, family=_ELSTER)  # fmt: skip
def writes_read_only(meter: Meter) -> None:
    """As in the factory."""
    decide(meter, writes_read_only=True)


@defect("E80", "a read beyond the end of an object is answered", "bytes that are none", severity="function",
        why="the buffer is as long as a packet", shows="^bytes read beyond the end of an object$", caught_by=_REFUSALS,
        family=_ELSTER)  # fmt: skip
def fills_up(meter: Meter) -> None:
    """With what stands behind it."""
    decide(meter, fills_up=True)


@defect("E98", "an error message holds a password", "who asks for what he may not learns how", severity="billing",
        why="a message for the developer has stayed", shows="^error messages that say more than a number$",
        caught_by=_REFUSALS,
        family=_ELSTER)  # fmt: skip
def talkative(meter: Meter) -> None:
    """The level that is needed, and its password."""

    def told(text: str) -> str:
        return f"{text} L3 {meter.security.passwords[3].decode('ascii')}"

    behave(meter, error_text=told)


@defect("E99", "the check character of a command is not compared", "a damaged write is obeyed", severity="billing",
        why="parity was thought to be enough", shows="^(answer to|scheme name after) a write ", caught_by=_DAMAGED,
        family=_ELSTER)  # fmt: skip
def never_checks(meter: Meter) -> None:
    """What has a form is a command."""
    behave(meter, checks=False)


@defect("E100", "parity errors are not looked at", "a damaged write is obeyed", severity="billing",
        why="the flag of the UART is cleared by reading the character",
        shows="^(answer to|scheme name after) a write with wrong parity$", caught_by=_DAMAGED,
        family=_ELSTER)  # fmt: skip
def parity_ignored(meter: Meter) -> None:
    """The character counts."""
    behave(meter, parity=False)


@defect("E101", "a damaged command is obeyed and answered with NAK", "a host that repeats it writes twice",
        severity="billing", why="the check is over when the write has begun", shows="^scheme name after a write ",
        caught_by=_DAMAGED,
        family=_ELSTER)  # fmt: skip
def obeys_and_refuses(meter: Meter) -> None:
    """NAK comes too late."""
    behave(meter, obeys_damaged=True)
