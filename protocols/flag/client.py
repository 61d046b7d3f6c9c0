"""The asking side of IEC 62056-21: one tool's conversations with one meter.

Every method is a conversation (`protocols.conversation`): it yields what it wants done and returns what came of it.
What is read is asked for again a few times; what is written is repeated only when the meter has said NAK, because then
it has not been executed (Annex A). The small methods at the end are what a careless tool does otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

from protocols.conversation import Conversation, ProtocolError, Receive, Rule, Send, SetLine, Wait
from protocols.flag import frames, login, stream
from protocols.flag.device import PROGRAMMING, READOUT, STREAM
from protocols.flag.frames import (
    ACK,
    ESC,
    NAK,
    START_LINE,
    STX,
    Answer,
    CheckError,
    Command,
    FrameError,
    Identification,
)
from protocols.flag.mishaps import MeterError, NoReply, Rejected, Unusable
from protocols.flag.timing import Timing

__all__ = ["FlagClient", "MeterError", "NoReply", "Rejected", "Timing", "Unusable"]
_MS = 1_000_000
_SECOND = 1_000 * _MS
#: Wake-up at 300 Bd (Annex B): NULs for 2.2 s and for 0.57 s; the silence behind them, behind the ACK, and behind a
#: wake-up that has failed; how long to wait for an ACK, and how often to try: for 4.6 s, where 4.5 s are asked for.
_SLOW_NULS, _FAST_NULS = 66, 17
_SLOW_PAUSE, _FAST_PAUSE, _FAILED_PAUSE = 1_600 * _MS, 250 * _MS, 1_600 * _MS
_FAST_ANSWER, _FAST_TRIES = 200 * _MS, 6


class FlagClient:
    """A tool's side of a line to one meter.

    Args:
        address: the outstation; empty where one meter is on the line.
        timing: how patient it is.
        fixed_line: whether speed and framing never change, as behind a modem or a TCP module.
    """

    def __init__(self, address: bytes = b"", *, timing: Timing | None = None, fixed_line: bool = False) -> None:
        self.address = address
        self.timing = timing or Timing()
        self.fixed_line = fixed_line
        #: What the meter has said of itself.
        self.identification: Identification | None = None
        #: The meter's challenge of this visit.
        self.seed = b""
        #: How often something was asked for again, and why, in words.
        self.repeats: list[str] = []
        self._mode: int | None = None
        self._started = False

    @property
    def visiting(self) -> bool:
        """Whether the meter may be in a visit, because an option select message has asked for one."""
        return self._mode not in {None, READOUT}

    def forget(self) -> None:
        """The visit is over without a break."""
        self._mode = None

    # -- sign-on -----------------------------------------------------------------------------------------------------

    def sign_on(self) -> Conversation[Identification]:
        """Ask who is there, at 300 Bd.

        Raises:
            NoReply, Unusable: nobody answers, or not with an identification.
        """
        yield from self._set(START_LINE)
        if self._started:
            yield Wait(self.timing.after_break)  # a meter goes back to its start some time after a break
        self._started = True
        self.identification = None
        if self.timing.wake:
            yield from self.wake()
        yield Send(frames.encode_request(self.address))
        data = yield Receive(frames.line_length, self.timing.answer, self.timing.gap)
        self.identification = self._identified(_whole(data, "the sign-on"))
        return self.identification

    def wake(self) -> Conversation[None]:
        """NULs at 300 Bd, and then the pause that the standard asks for (Annex B).

        A meter that is woken fast may look at the line now and then only, so it is tried for 4.5 s (B.2); one that has
        said nothing by then is signed on to after the pause of a failed wake-up, for it may be awake.
        """
        if self.timing.wake == "slow":
            yield Send(bytes(_SLOW_NULS))
            yield Receive(lambda _: None, _SLOW_PAUSE)  # unlike a Wait it begins when the last NUL has left the wire
            return
        for _ in range(_FAST_TRIES):
            yield Send(bytes(_FAST_NULS))
            if ACK in (yield Receive(lambda data: len(data) or None, _FAST_ANSWER)):
                yield Wait(_FAST_PAUSE)
                return
        yield Wait(_FAILED_PAUSE)

    def _select(self, mode: int) -> Conversation[None]:
        """Choose what the visit is for, and go to the meter's speed once that has left the wire."""
        found = self.identification
        assert found is not None
        yield Wait(self.timing.reaction)
        yield Send(frames.encode_option(found.speed_id, mode))
        self._mode = mode
        yield from self._set((found.baud, self._framing(mode)))

    def _set(self, line: tuple[int, str]) -> Conversation[None]:
        if not self.fixed_line:
            yield SetLine(*line)

    # -- readout -----------------------------------------------------------------------------------------------------

    def read_out(self) -> Conversation[bytes]:
        """Sign on and take the readout; returns the data sets with the final "!"."""
        found = yield from self.sign_on()
        if found.mode == "B":
            yield from self._set((found.baud, "7E1"))
        elif found.mode != "A":
            yield from self._select(READOUT)
        answer = yield from self._block()
        yield Wait(self.timing.reaction)
        yield Send(ACK)
        self._mode = None
        return answer.data

    def _block(self) -> Conversation[Answer]:
        """A block that nobody asked for with a command: damaged, it is asked for again with NAK."""
        for attempt in range(self.timing.retries + 1):
            data = yield Receive(self._ended, self.timing.answer, self.timing.gap)
            try:
                return self._decoded(data)
            except CheckError as error:
                if attempt == self.timing.retries:
                    raise Unusable(str(error)) from None
                yield from self._again(str(error))
        raise AssertionError("unreachable")

    def _again(self, why: str) -> Conversation[None]:
        self.repeats.append(why)
        yield Wait(self.timing.reaction)
        yield Send(NAK)

    # -- programming mode and data stream ----------------------------------------------------------------------------

    def open(self, mode: int = PROGRAMMING) -> Conversation[Identification]:
        """Sign on and begin a visit; the meter's challenge is kept in `seed`."""
        found = yield from self.sign_on()
        yield from self._select(mode)
        data = yield Receive(self._ended, self.timing.answer, self.timing.gap)
        self.seed = self._challenge(_whole(data, "the option select message"))
        return found

    def _challenge(self, data: bytes) -> bytes:
        try:
            command = frames.decode_command(data)
            if command.name != "P0" or command.data is None:
                raise FrameError(f"{command.name} where P0 belongs")
            return login.decode_digits(command.data.removeprefix(b"(").removesuffix(b")"))
        except ProtocolError as error:
            raise Unusable(f"instead of the challenge: {error}") from None

    def log_in(self, password: bytes | None) -> Conversation[None]:
        """Give the password of a level, None to read only.

        A password is given once: a NAK may be how the meter refuses it, and a wrong one thrice may lock it.

        Raises:
            MeterError, Rejected: the meter does not take it.
        """
        reply = login.NO_PASSWORD if password is None else login.reply_to(self.seed, password)
        command = Command("P", "2", b"(" + self._digits(reply) + b")")
        yield from self._command(command, again=False, retries=self.timing.retries if password is None else 0)

    def command(
        self, letter: str, number: int, data: bytes | None, *, again: bool = True, after_nak: bool = True
    ) -> Conversation[Answer | None]:
        """A command and its answer: data, or None for an ACK.

        Args:
            letter: "R", "W", "P" or "E".
            number: its digit.
            data: what stands between STX and ETX.
            again: whether to ask again when nothing or something damaged came; never for what changes a meter.
            after_nak: whether to say it again after a NAK; never for what acts each time it is said, because a firmware
                that obeys and says NAK would do it twice.

        Raises:
            NoReply, Unusable, Rejected, MeterError: as they say.
        """
        retries = self.timing.retries if again or after_nak else 0
        return (yield from self._command(Command(letter, str(number), data), again=again, retries=retries))

    def _command(self, command: Command, *, again: bool, retries: int) -> Conversation[Answer | None]:
        message = self._encoded(command)
        for attempt in range(retries + 1):
            last = attempt == retries
            try:
                return (yield from self._exchange(message))
            except Rejected as error:  # not executed, as the standard has it (Annex A)
                if last:
                    raise
                self.repeats.append(str(error))
            except (NoReply, Unusable) as error:
                if last or not again:
                    raise
                self.repeats.append(str(error))
        raise AssertionError("unreachable")

    def _exchange(self, message: bytes) -> Conversation[Answer | None]:
        yield Wait(self.timing.before_command)
        yield Send(message)
        data = yield Receive(self._ended, self.timing.answer, self.timing.gap)
        if data == ACK:
            return None
        if data == NAK:
            raise Rejected("the meter answers NAK")
        answer = self._answered(_whole(data, "the command"))
        if answer.error is not None:
            raise MeterError(answer.error)
        while answer.more:
            answer = yield from self._next_part(answer)
        return answer

    def _answered(self, data: bytes) -> Answer:
        try:
            return self._decoded(data)
        except CheckError as error:
            raise Unusable(str(error)) from None

    def _next_part(self, before: Answer) -> Conversation[Answer]:
        """The next partial block: an ACK asks for it, a NAK for the last one again (6.4.7)."""
        yield Wait(self.timing.reaction)
        yield Send(ACK)
        answer = yield from self._block()
        return Answer(before.data + answer.data, answer.more)

    def write_in_parts(self, address: bytes, parts: Sequence[bytes]) -> Conversation[None]:
        """A write in partial blocks (W3): the address in the first one only, EOT behind all but the last (6.4.7).

        Args:
            address: what stands in front of the first bracket.
            parts: what stands in each block behind it, with its brackets.

        Raises:
            NoReply, Unusable, Rejected, MeterError: as they say; a block is sent again only after a NAK.
        """
        for index, part in enumerate(parts):
            command = Command("W", "3", self._part(address, part, index), index < len(parts) - 1)
            yield from self._command(command, again=False, retries=self.timing.retries)

    def read_formatted(self, data: bytes) -> Conversation[bytes]:
        """Something as data sets (R5), for instance `P.01(from;to)`: all that the meter answers.

        Raises:
            NoReply, Unusable, Rejected, MeterError: as they say.
        """
        answer = yield from self.command("R", 5, data)
        if answer is None:
            raise Unusable("an ACK where data belong")
        return answer.data

    def read_stream(self, data: bytes) -> Conversation[bytes]:
        """An object by data stream, whole or not at all.

        Raises:
            Unusable: a block is damaged or missing; the stream is then ended with ESC.
        """
        yield Wait(self.timing.before_command)
        yield Send(frames.checked(frames.SOH + b"RD" + STX + data + frames.ETX))
        found = b""
        while True:
            got = yield Receive(self._stream_rule(first=not found), self.timing.answer, self.timing.gap)
            if self._enough(found, got):
                return found
            try:
                block = self._streamed(got, len(found) // stream.BLOCK + 1)
            except Unusable:
                yield from self._abort()
                raise
            found += block.data
            if block.last:
                return found

    def _streamed(self, data: bytes, number: int) -> stream.StreamBlock:
        if not data:
            raise NoReply("no block of the data stream") if number == 1 else Unusable(f"block {number} did not come")
        if number == 1:
            _raise_refusal(data)
        try:
            block = self._stream_block(data)
        except stream.StreamError as error:
            raise Unusable(str(error)) from None
        if block.number != number & 0xFFFF:
            raise Unusable(f"block {block.number} where {number} belongs")
        return block

    def _stream_rule(self, *, first: bool) -> Rule:
        """A block of the stream; instead of the first one a refusal may come, which looks like an ordinary answer."""

        def rule(data: bytes) -> int | None:
            if first and (data[:1] == NAK or data[:2] == STX + b"("):
                return frames.message_length(data)
            return self._stream_length(data)

        return rule

    def _abort(self) -> Conversation[None]:
        """End a data stream: ESC, and three seconds of patience (as a head-end does)."""
        yield Send(ESC)
        yield Wait(3 * _SECOND)

    def leave(self) -> Conversation[None]:
        """The break: the visit is over, no answer comes."""
        yield Wait(self.timing.before_command)
        yield Send(Command("B", "0").encode())
        self._mode = None

    def understood(self, message: bytes) -> Identification:
        """What this tool makes of an identification.

        Raises:
            Unusable: it is none.
        """
        return self._identified(message)

    # -- what a careless tool does otherwise -------------------------------------------------------------------------

    def _identified(self, data: bytes) -> Identification:
        begin = data.find(b"/")
        try:
            return frames.decode_identification(data[max(begin, 0) :])
        except FrameError as error:
            raise Unusable(str(error)) from None

    def _decoded(self, data: bytes) -> Answer:
        """A block whose check character was looked at."""
        try:
            return frames.decode_answer(_whole(data, "the command"))
        except CheckError:
            raise
        except FrameError as error:
            raise Unusable(str(error)) from None

    def _encoded(self, command: Command) -> bytes:
        return command.encode()

    def _part(self, address: bytes, part: bytes, index: int) -> bytes:
        return part if index else address + part

    def _stream_length(self, data: bytes) -> int | None:
        return stream.block_length(data)

    def _stream_block(self, data: bytes) -> stream.StreamBlock:
        return stream.decode_block(data)

    def _ended(self, data: bytes) -> int | None:
        """Where the first message of an answer ends."""
        return frames.message_length(data)

    def _enough(self, _found: bytes, _got: bytes) -> bool:
        """Whether the blocks so far are taken for the whole, given what came in the place of the next one."""
        return False

    def _framing(self, mode: int) -> str:
        """The framing of a visit: the data stream has eight bits."""
        return "8N1" if mode == STREAM else "7E1"

    def _digits(self, reply: bytes) -> bytes:
        return login.encode_digits(reply)


def _whole(data: bytes, after: str) -> bytes:
    if not data:
        raise NoReply(f"no answer to {after}")
    return data


def _raise_refusal(data: bytes) -> None:
    if data == NAK:
        raise Rejected("the meter answers NAK")
    if data[:2] == STX + b"(":
        try:
            text = frames.decode_answer(data).error
        except FrameError as error:
            raise Unusable(str(error)) from None
        if text is not None:
            raise MeterError(text)
