"""The answering side of IEC 62056-21: one meter, from the sign-on to the break.

A state machine without a port and without a clock: `receive` takes what a line has brought by an instant, `deadline`
says when it wants to be woken, and both it and `wake` return what is to be sent, each with its delay. ::

    START     300 Bd 7E1, waiting for a request; NULs may have to wake it first
    OFFERED   identification sent, waiting for an option select message
    READ_OUT  data sent; a NAK asks for it again
    VISIT     programming mode or data stream: commands until the break or the inactivity time-out

The standard's clauses: 6.3 messages, 6.4 sequences, 6.4.3.2 fall-back to the readout, Annex A answers, Annex B wake-up.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

from protocols.conversation import Reply
from protocols.flag import frames
from protocols.flag.device import PROGRAMMING, READOUT, STREAM, Device
from protocols.flag.frames import ACK, CRLF, ESC, ETX, NAK, SOH, START_LINE, STX, FrameError, Identification
from protocols.flag.visit import Visit
from protocols.flag.waking import Sleeper

_SECOND = 1_000_000_000
_CHARACTER_BITS = 10
#: How long (ns) after a readout the meter waits for a NAK before it goes back to the start (6.4: 1.5 to 2.2 s).
_AFTER_READOUT = 2_000_000_000
_LONGEST = 4096


class State(Enum):
    """Where a meter stands."""

    START = auto()
    OFFERED = auto()
    READ_OUT = auto()
    VISIT = auto()


class FlagServer:
    """One meter's end of a line.

    Args:
        device: the meter.
        via: "optical" or "remote", for its programming log.
        fixed_line: speed and framing of a line that never changes them, as behind a modem or a TCP module; None for
            a line that begins at 300 Bd 7E1.
    """

    def __init__(self, device: Device, *, via: str = "optical", fixed_line: tuple[int, str] | None = None) -> None:
        self.device = device
        self._via = via
        self._fixed = fixed_line
        #: Speed (Bd) and framing at which it listens and speaks now.
        self.line: tuple[int, str] = fixed_line or START_LINE
        self.state = State.START
        self._heard = bytearray()
        self._heard_at = self._understood_at = 0
        self._busy_until = 0
        self._due: int | None = None
        self._offer: Identification | None = None
        self._block = b""
        self._visit: Visit | None = None
        self._sleeper = Sleeper()
        self._hears: dict[State, Callable[[int], list[Reply]]] = {
            State.START: self._start,
            State.OFFERED: self._selected,
            State.READ_OUT: self._acknowledged,
            State.VISIT: self._commanded,
        }
        self._wakes: dict[State, Callable[[int], list[Reply]]] = {
            State.START: self._got_up,
            State.OFFERED: self._on_patience,
            State.READ_OUT: self._on_read_out,
            State.VISIT: self._on_silence,
        }

    # -- the line ----------------------------------------------------------------------------------------------------

    def receive(self, data: bytes, now: int) -> list[Reply]:
        """What to answer to characters of which the last is whole at `now`; one with its top bit set has bad parity."""
        if not self.device.powered(now):
            self.lose(now)
            return []
        if not self.device.habits.parity and self.line[1].startswith("7"):
            data = bytes(byte & 0x7F for byte in data)
        if now < self._busy_until or (self._visit is not None and self._visit.blocks):
            return self._interrupted(data)
        if self._heard and now - self._heard_at - self._time(len(data)) > self.device.habits.gap:
            self._heard.clear()
        self._heard_at = now
        self._heard += data
        del self._heard[:-_LONGEST]
        return self._hears[self.state](now)

    def deadline(self) -> int | None:
        """The instant (ns) at which it wants to be woken, None if nothing is due."""
        return self._due

    def wake(self, now: int) -> list[Reply]:
        """What it does of itself: read out without being asked to, send the next block, or give up."""
        if self._due is None or now < self._due:
            return []
        self._due = None
        if not self.device.powered(now):
            self.lose(now)
            return []
        return self._wakes[self.state](now)

    def lose(self, now: int) -> None:
        """The supply or the carrier is gone: the visit is over, and nothing of it is left."""
        self._end("supply", now)
        self._busy_until = 0
        self._sleeper = Sleeper()

    # -- START -------------------------------------------------------------------------------------------------------

    def _start(self, now: int) -> list[Reply]:
        if self.device.habits.awake != "always" and not self._listens(now):
            return []
        heard = bytes(self._heard).lstrip(b"\0")  # who sends NULs first to a meter that is awake does no harm
        end = heard.find(CRLF)
        self._heard[:] = heard[end + len(CRLF) :] if end >= 0 else heard
        begin = heard.rfind(b"/?", 0, max(end, 0))
        return self._offered(heard[begin : end + len(CRLF)], now) if begin >= 0 else []

    def _offered(self, line: bytes, now: int) -> list[Reply]:
        try:
            address = frames.decode_request(line)
        except FrameError:
            return []
        if not self.device.answers_to(address):
            return []
        said = self.device.identification(now) + CRLF
        self.state = State.OFFERED
        try:
            self._offer = frames.decode_identification(said)
        except FrameError:
            self._offer = None  # a firmware that says something else is not understood, which is what it is for
        replies = self._say(said, now)
        mode = self._offer.mode if self._offer else "A"
        # In modes A and B nobody asks: the readout follows, in mode B at the speed that was announced (6.4.1, 6.4.2).
        self._due = self._busy_until + (self.device.habits.reaction if mode in "AB" else self.device.habits.patience)
        return replies

    def _listens(self, now: int) -> bool:
        """Whether a meter that sleeps hears what has come as more than NULs that may wake it (Annex B)."""
        habits, sleeper = self.device.habits, self._sleeper
        self._due = None
        if self._heard.strip(b"\0"):
            sleeper.disturbed()
            if not sleeper.awake(now - self._time(len(self._heard))):
                self._heard.clear()
            return bool(self._heard)
        sleeper.hear(self._time(len(self._heard)), now, habits.wake_gap)
        self._heard.clear()
        if habits.awake == "slow":
            sleeper.woken_slowly()
        else:
            self._due = sleeper.answer_at(self._time(1), habits.wake_look)
        return False

    def _got_up(self, now: int) -> list[Reply]:
        """The NULs of a fast wake-up are over."""
        self._sleeper.get_up(now)
        return self._say(ACK, now, 0)

    # -- OFFERED -----------------------------------------------------------------------------------------------------

    def _selected(self, now: int) -> list[Reply]:
        begin, end = self._heard.find(ACK), self._heard.find(CRLF)
        if end < 0:
            return []
        message = bytes(self._heard[max(begin, 0) : end + len(CRLF)])
        self._heard.clear()
        self._due = None
        try:
            procedure, z, mode = frames.decode_option(message)
        except FrameError:
            return self._fall_back(now)
        offered = self._offer.speed_id if self._offer else ""
        if procedure != "0" or not self.device.habits.takes_speed(offered, z) or mode not in "016":
            return self._fall_back(now)
        if z != "0":
            self._change_to(frames.speed(z) or START_LINE[0], "7E1")
        return self._read_out(now) if int(mode) == READOUT else self._let_in(int(mode), now)

    def _fall_back(self, now: int, delay: int | None = None) -> list[Reply]:
        """A bad or missing option select message: the readout, at the speed that holds (6.4.3.2)."""
        if not self.device.habits.falls_back:
            self._end("request", now)
            return []
        return self._read_out(now, delay)

    def _on_patience(self, now: int) -> list[Reply]:
        if self._offer and self._offer.mode == "B":
            self._change_to(self._offer.baud, "7E1")
        return self._fall_back(now, 0)  # it has waited long enough

    def _read_out(self, now: int, delay: int | None = None) -> list[Reply]:
        self._block = self._block_of(self.device.readout(now))
        self.state = State.READ_OUT
        replies = self._say(self._block, now, delay)
        self._due = self._busy_until + _AFTER_READOUT
        return replies

    def _block_of(self, sets: bytes) -> bytes:
        frame = STX + sets + b"!" + CRLF + ETX
        return frame + bytes((self.device.habits.answer_check(frame),))

    # -- READ_OUT ----------------------------------------------------------------------------------------------------

    def _acknowledged(self, now: int) -> list[Reply]:
        """After a readout: NAK asks for it again, anything else ends it (6.4.3.2)."""
        found = bytes(self._heard)
        self._heard.clear()
        repeats = self.device.habits.repeats
        if NAK not in found:
            self._end("break", now)
            return []
        if repeats == "nothing":
            return []
        replies = self._say(self._block if repeats == "block" else self._block_of(b""), now)
        self._due = self._busy_until + _AFTER_READOUT
        return replies

    # -- VISIT -------------------------------------------------------------------------------------------------------

    def _let_in(self, mode: int, now: int) -> list[Reply]:
        if mode == STREAM:
            self._change_to(self.line[0], "8N1")
        mode = mode if mode == STREAM else PROGRAMMING
        self._visit = Visit(self.device, self.device.open(self._via, mode, now))
        self.state = State.VISIT
        return self._await(self._say(self._visit.greeting(), now))

    def _commanded(self, now: int) -> list[Reply]:
        replies: list[Reply] = []
        while not replies and (message := self._message()):
            self._understood_at = now
            replies = self._answered(message, now)
        return self._await(replies) if self.state is State.VISIT else replies

    def _message(self) -> bytes:
        """The next whole message that has come, empty if there is none."""
        starts = [at for mark in (SOH, ACK, NAK) if (at := self._heard.find(mark)) >= 0]
        if not starts:
            self._heard.clear()
            return b""
        del self._heard[: min(starts)]
        length = frames.message_length(bytes(self._heard))
        message = bytes(self._heard[: length or 0])
        del self._heard[: length or 0]
        return message

    def _answered(self, message: bytes, now: int) -> list[Reply]:
        visit = self._visit
        assert visit is not None
        answer = visit.hear(message, now)
        if visit.over:
            replies = self._say(answer, now) if answer else []
            self._end(visit.over, now)
            return replies
        if visit.blocks:
            return self._next_block(now, self.device.habits.reaction)
        return self._say(answer, now) if answer else []

    def _next_block(self, now: int, delay: int) -> list[Reply]:
        assert self._visit is not None
        replies = self._say(self._visit.blocks.pop(0), now, delay)
        if self._visit.blocks:
            self._due = self._busy_until + self.device.habits.stream_gap
        return replies

    def _await(self, replies: list[Reply]) -> list[Reply]:
        """Give up some time after the last message (or character, by habit), unless a stream goes on."""
        habits = self.device.habits
        if self._visit is not None and not self._visit.blocks:
            heard = self._heard_at if habits.noise_prolongs else self._understood_at
            self._due = None if habits.inactivity is None else max(self._busy_until, heard) + habits.inactivity
        return replies

    def _on_silence(self, now: int) -> list[Reply]:
        if self._visit is not None and self._visit.blocks:
            return self._await(self._next_block(now, 0))
        if self._heard and now < self._heard_at + self.device.habits.gap:
            self._due = self._heard_at + self.device.habits.gap  # in the middle of a command nobody gives up
            return []
        self._end("timeout", now)
        return []

    def _interrupted(self, data: bytes) -> list[Reply]:
        """Who is speaking does not listen, but to an ESC that ends a data stream, in a block or between two."""
        if ESC in data and self._visit is not None and self.device.habits.stream_breaks:
            self._visit.blocks.clear()
            self._await([])
        return []

    # -- together ----------------------------------------------------------------------------------------------------

    def _on_read_out(self, now: int) -> list[Reply]:
        self._end("timeout", now)
        return []

    def _end(self, why: str, now: int) -> None:
        """Back to the start."""
        if self._visit is not None and (why != "break" or self.device.habits.forgets):
            self.device.close(self._visit.session, why, now)
        elif self._visit is not None:
            self.device.close(self._visit.session, "kept", now)
        self._visit = None
        self.state = State.START
        self._heard.clear()
        self._due = None
        self.line = self._fixed or START_LINE

    def _change_to(self, baud: int, framing: str) -> None:
        if self._fixed is None:
            self.line = (baud, framing)

    def _time(self, characters: int) -> int:
        return characters * _CHARACTER_BITS * _SECOND // self.line[0]

    def _say(self, data: bytes, now: int, delay: int | None = None) -> list[Reply]:
        habits = self.device.habits
        begin = habits.reaction if delay is None else delay
        pieces, pause = [data], 0
        if habits.pause is not None and len(data) > habits.pause[0]:
            pieces, pause = [data[: habits.pause[0]], data[habits.pause[0] :]], habits.pause[1]
        replies = []
        for piece in pieces:
            replies.append(Reply(piece, begin))
            begin += self._time(len(piece)) + pause
        self._busy_until = now + begin - pause
        return replies
