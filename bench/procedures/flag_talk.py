"""Talking to a FLAG meter in single messages, right ones and wrong ones, and hearing every character of what comes.

The driver says what is right and takes what is right. A test engineer also wants to say what is wrong, at the right
time and the right speed, and to see what comes of it: that is what this is for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench.drivers.flag import FlagSession
from bench.errors import NotArmed, Undeterminable
from protocols.conversation import Conversation, Receive, Rule, Send, SetLine, Wait
from protocols.flag import frames, login
from protocols.flag.checker import Report, check
from protocols.flag.checker_messages import Heard
from protocols.flag.checker_talk import ROUNDING
from protocols.flag.device import PROGRAMMING, STREAM
from protocols.flag.frames import ACK, NAK, SOH, START_LINE, Answer, Command, FrameError

if TYPE_CHECKING:
    from bench.drivers.elster import Elster
    from bench.safety import Armed

MS = 1_000_000
SECOND = 1_000 * MS
MINUTE = 60 * SECOND
#: How long (ns) a silence in the midst of an answer may be.
_GAP = 2_500 * MS
#: What is a pause between two blocks (ns): more than an adapter's latency.
_PAUSE = 60 * MS
_REACTION, _AFTER_BREAK = 300 * MS, 2 * SECOND
#: By how much (ns) times on a real line may be wrong: a USB adapter's latency, a busy machine.
_WALL = 20 * MS
#: Whatever changes a meter.
_CHANGES = (SOH + b"W", SOH + b"E")


def never(_data: bytes) -> None:
    """A rule by which no answer is ever whole: listen until the time is over."""


def kind_of(answer: bytes) -> str:
    """What an answer is: silence, ACK, NAK, an error message, data, or what is wrong with it."""
    if not answer:
        return "silence"
    if answer in (ACK, NAK):
        return "ACK" if answer == ACK else "NAK"
    try:
        found = frames.decode_answer(answer)
    except FrameError as error:
        return "a challenge" if answer[:3] == SOH + b"P0" else f"no message: {type(error).__name__}"
    return "data" if found.error is None else "error message"


class Talk:
    """Single messages to one meter and to whoever else is on its line; an answer is the bytes that came.

    Args:
        session: the way to the meter; the talk stands outside its visits.
        armed: the permission to change the meter; without it a command that writes or executes is not sent.
    """

    def __init__(self, session: FlagSession, armed: Armed | None = None) -> None:
        self.session = session
        self._armed = armed
        # One of its own, of the same kind: what is open here is no visit of the session.
        self._client = type(session.client)(
            session.client.address, timing=session.client.timing, fixed_line=session.line.fixed
        )
        self._begun = False
        self._patience = session.line.timing.answer

    # -- messages ----------------------------------------------------------------------------------------------------

    def say(self, message: bytes, *, until: Rule = frames.message_length, within: int | None = None) -> bytes:
        """Send something and return what comes within a time (ns), empty if nothing does.

        Unless said otherwise the time is that of an answer, which is longer over a call: a modem sends on what it has
        received, and a late answer would be taken for that to the next message.

        Raises:
            NotArmed: it would change the meter, and there is no permission.
        """
        self._permit(message)

        def conversation() -> Conversation[bytes]:
            yield Wait(_REACTION)
            yield Send(message)
            patience = self._patience if within is None else within
            return (yield Receive(until, patience, None if until is never else _GAP))

        return self.session.talk(conversation())

    def say_with_odd_parity(self, message: bytes) -> bytes:
        """Send something with the wrong parity in every character, on a line that carries parity."""
        self._permit(message)
        line = self.session.line

        def conversation() -> Conversation[bytes]:
            baud, framing = line.setting
            yield Wait(_REACTION)
            yield SetLine(baud, "7O1")
            yield Send(message)
            yield SetLine(baud, framing)
            return (yield Receive(frames.message_length, self._patience, _GAP))

        return self.session.talk(conversation())

    def listen(self, time: int) -> bytes:
        """What comes of itself within a time (ns)."""

        def conversation() -> Conversation[bytes]:
            return (yield Receive(never, time))

        return self.session.talk(conversation())

    def interject(self, message: bytes, *, within: int = SECOND) -> bytes:
        """Say something in the next pause of a meter that goes on speaking, and listen on for a time (ns).

        On a pair of wires that both directions share, a word in the midst of the meter's own is lost.
        """
        self._permit(message)

        def conversation() -> Conversation[bytes]:
            yield Receive(never, within, _PAUSE)
            yield Send(message)
            return (yield Receive(never, within))

        return self.session.talk(conversation())

    def tune(self, line: tuple[int, str]) -> None:
        """Give the own end of the line a speed and a framing."""

        def conversation() -> Conversation[None]:
            if not self.session.line.fixed:
                yield SetLine(*line)

        self.session.talk(conversation())

    def _permit(self, message: bytes) -> None:
        if any(change in message for change in _CHANGES):
            if self._armed is None:
                raise NotArmed(f"{self.session.device} is not armed: this talk may not write")
            self._armed.check(self.session.device)

    def rest(self, time: int) -> None:
        """Say nothing for a time (ns)."""
        self.session.line.clock.sleep(time)

    # -- sign-on -----------------------------------------------------------------------------------------------------

    def call(self, address: bytes) -> bytes:
        """A sign-on at 300 Bd with an address, as it is; the identification that comes, or whatever comes."""
        if self._begun:
            self.rest(_AFTER_BREAK)
        self._begun = True
        self.tune(START_LINE)
        if self._client.timing.wake:
            self.session.talk(self._client.wake())
        return self.say(b"/?" + address + b"!\r\n", until=frames.line_length)

    def sign_on(self) -> bytes:
        """A sign-on to the meter itself."""
        return self.call(self._client.address)

    def choose(self, option: bytes, line: tuple[int, str] | None = None, within: int | None = None) -> bytes:
        """An option select message, and the line it leads to; what comes then."""
        if line is None:
            return self.say(option, within=within)

        def conversation() -> Conversation[bytes]:
            yield Wait(_REACTION)
            yield Send(option)
            if not self.session.line.fixed:
                yield SetLine(*line)
            return (yield Receive(frames.message_length, self._patience if within is None else within, _GAP))

        return self.session.talk(conversation())

    def offered(self, answer: bytes) -> str:
        """The speed identification Z of an identification; empty if it is none."""
        try:
            return frames.decode_identification(answer).speed_id
        except FrameError:
            return ""

    def choose_offered(self, mode: int, answer: bytes) -> bytes:
        """An option select message for the speed that an identification offers; what comes at that speed."""
        z = self.offered(answer) or "0"
        framing = "8N1" if mode == STREAM else START_LINE[1]
        return self.choose(frames.encode_option(z, mode), (frames.speed(z) or START_LINE[0], framing))

    def let_go(self, answer: bytes) -> None:
        """End what a sign-on has begun: a meter that is left alone would read out by itself."""
        self.choose_offered(PROGRAMMING, answer)
        self.break_off()

    def await_block(self, within: int) -> bytes:
        """The block that a meter sends by itself within a time (ns)."""

        def conversation() -> Conversation[bytes]:
            return (yield Receive(frames.message_length, within, _GAP))

        return self.session.talk(conversation())

    # -- visits ------------------------------------------------------------------------------------------------------

    def enter(self, mode: int = PROGRAMMING) -> bytes:
        """Sign on and begin a visit, without a reply to the challenge, which is returned.

        Raises:
            NoAnswer, ForeignAnswer: the meter does not let us in.
        """
        self._begun = True
        self.session.talk(self._client.open(mode))
        return self._client.seed

    def reply(self, operand: bytes) -> bytes:
        """P2 with eight bytes, right or wrong."""
        return self.command("P2", b"(" + login.encode_digits(operand) + b")")

    def answer_with(self, password: bytes | None) -> bytes:
        """P2 for a password, None for the reply of zeros."""
        return self.reply(login.NO_PASSWORD if password is None else login.reply_to(self._client.seed, password))

    def command(self, name: str, data: bytes | None, *, more: bool = False) -> bytes:
        """A sound command, by letter and number."""
        return self.say(Command(name[0], name[1], data, more).encode())

    def read(self, identity: int, size: int, packet: int = 1) -> bytes:
        """R1; the answer as it came."""
        return self.command("R1", f"{identity:03d}{packet:03X}({size:02X})".encode())

    def write(self, identity: int, data: bytes, packet: int = 1) -> bytes:
        """W1; the answer as it came."""
        return self.command("W1", f"{identity:03d}{packet:03X}({data.hex().upper()})".encode())

    def break_off(self) -> bytes:
        """The break, and what comes behind it within a second and a half: nothing should."""
        return self.say(Command("B", "0").encode(), until=never, within=1_500 * MS)


def need_punctual_line(session: FlagSession, check: str) -> None:
    """Refuse to judge a meter by single messages where a call holds them up for seconds, or for ever.

    Raises:
        Undeterminable: a number is dialled first.
    """
    if session.line.dialled:
        raise Undeterminable(check, "a line without a call, which may hold up for seconds what is said")


@contextmanager
def talking(meter: Elster, armed: Armed | None = None) -> Iterator[Talk]:
    """Talk to a meter; at the end its visit is ended with a break, at whatever speed the line has.

    Raises:
        Undeterminable: the line holds up what is said.
    """
    need_punctual_line(meter.session, "what a single message is answered with")
    meter.session.leave()
    talk = Talk(meter.session, armed)
    talk.rest(_AFTER_BREAK)
    try:
        yield talk
    finally:
        talk.break_off()


@contextmanager
def overhearing(meter: Elster) -> Iterator[list[Heard]]:
    """Everything that goes over a meter's line meanwhile, in pieces of characters that follow one another.

    Raises:
        Undeterminable: the line holds up what is said.
    """
    need_punctual_line(meter.session, "what was heard on the line")
    found: list[Heard] = []
    line = meter.session.line

    def hear(piece: Heard) -> None:
        before = found[-1] if found else None
        if before is not None and _follows(before, piece):
            found[-1] = Heard(
                before.start, piece.end, before.to_device, before.data + piece.data, before.baud, before.framing
            )
        else:
            found.append(piece)

    line.listener = hear
    try:
        yield found
    finally:
        line.listener = None


def _follows(before: Heard, piece: Heard) -> bool:
    same = (before.to_device, before.baud, before.framing) == (piece.to_device, piece.baud, piece.framing)
    return same and abs(piece.start - before.end) <= ROUNDING


def conformance(meter: Elster, heard: Sequence[Heard], *, until: int | None = None) -> Report:
    """What the strict checker says of what was heard on a meter's line."""
    fixed = (0, "") if meter.session.line.fixed else None
    return check(heard, fixed_line=fixed, tolerance=tolerance_of(meter), until=until)


def tolerance_of(meter: Elster) -> int:
    """By how much (ns) instants on a meter's line may be wrong."""
    return ROUNDING if meter.clock.virtual else _WALL


def error_text(answer: bytes) -> str | None:
    """The text of an error message, None if the answer is none."""
    try:
        found: Answer = frames.decode_answer(answer)
    except FrameError:
        return None
    return found.error


def address_of(meter: Elster) -> bytes:
    """The address that a meter answers to: the station's, or its own word where the station names none."""
    return meter.session.client.address or meter.image("outstation")
