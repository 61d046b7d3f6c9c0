"""A link as FLAG uses it: a serial port on which conversations run, whatever is behind the URL that pyserial opens.

The conversation says what to send, what to wait for and when the line changes its speed; this owns the port and the
clock. On a line that never changes its speed (a TCP module, a modem) the conversation does not ask for it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import serial

from bench.errors import NoCall, StationError
from protocols.conversation import Conversation, Receive, Send, SetLine, Step, Wait
from protocols.dialling import Call, CallFailed, NoModem
from protocols.flag.checker_messages import Heard
from protocols.flag.client import Timing
from simulators.world import SECOND

if TYPE_CHECKING:
    from bench.clock import Clock

T = TypeVar("T")
Record = Callable[[str, bytes], None]
_CHARACTER_BITS = 10
#: How long (ns) an answer over a call may take to begin, and may pause: a GSM bearer repeats for seconds.
_CALL_ANSWER, _CALL_GAP = 10 * SECOND, 8 * SECOND
#: How long (ns) to wait before a number is dialled again.
_REDIAL = 5 * SECOND
#: Marks in a trace: from the one to the other a modem is spoken to, and no meter.
DIALLING, CONNECTED = "dialling", "connected: "
#: How much later (ns) than its last character an echo may have come back through adapters and networks.
_ECHO_LATE = 150_000_000
#: How often (s) a port of another machine is looked at.
_LOOK = 0.01


class Visitor(Protocol):
    """Who talks with one meter of a line and must let it go before another one is spoken to."""

    def leave(self) -> None:
        """End the visit, if there is one."""


class FlagLine:
    """One way to one or more FLAG meters.

    Args:
        name: as in the station file.
        target: where it leads, for messages and for pyserial.
        settings: what the evidence says of it.
        clock: the bench's clock.
        echo: whether the port hears what it sends.
        fixed: whether speed and framing never change.
        framing: of a port that shows one framing whatever is set, as a pty does; None where it can be set.
        baud: speed of a fixed line.
        call: the number that is dialled first, on a port with a modem; then the line is fixed.
        attempts: how often a call that fails is tried.
    """

    def __init__(
        self,
        name: str,
        target: str,
        settings: dict[str, Any],
        clock: Clock,
        *,
        echo: bool = False,
        fixed: bool = False,
        framing: str | None = None,
        baud: int = 9600,
        call: Call | None = None,
        attempts: int = 1,
    ) -> None:
        self.name = name
        self.target = target
        self.settings = settings
        self.clock = clock
        self.fixed = fixed or call is not None
        #: Whose visit is open on this line.
        self.visitor: Visitor | None = None
        self._echo = echo
        self._framing = framing
        self._line = (baud, framing or "8N1") if self.fixed else (300, framing or "7E1")
        self._port: Any = None
        self._record: Record = _unrecorded
        self._drained = 0
        self._call = call
        self._attempts = attempts
        #: How patient a tool has to be: a call delays, and holds back what it sends again.
        self.timing = Timing(answer=_CALL_ANSWER, gap=_CALL_GAP) if call is not None else Timing()
        #: pyserial negotiates a new time-out of an RFC 2217 port with the other machine, which answers only when all
        #: that was to be sent is out: such a port keeps the time-out that it was opened with.
        self._sets_up_remotely = target.startswith("rfc2217:")
        #: What the modem said of the call that stands, empty while none does.
        self.connected = ""
        #: Whether the call was lost in the conversation that was held last.
        self.call_lost = False
        self._heard_until = 0
        #: Hears everything that goes over the line, character by character and with its times; for the checker.
        self.listener: Callable[[Heard], None] | None = None

    def run(self, conversation: Conversation[T], record: Record | None = None) -> T:
        """Hold a conversation to its end.

        Args:
            conversation: what is to be said.
            record: hears of the traffic: "tx", "rx" or "note", and the bytes.

        Raises:
            StationError: the port cannot be opened, or has gone.
            ProtocolError: as the conversation raises it.
        """
        self._record = record or _unrecorded
        self.call_lost = False
        try:
            if self._call is not None and not self.connected:
                self._get_through(self._call)
            return self._held(conversation)
        finally:
            self._record = _unrecorded

    def _held(self, conversation: Conversation[T]) -> T:
        try:
            step = next(conversation)
            while True:
                with self._told():
                    answer = self._do(step)
                step = conversation.send(answer)
        except StopIteration as end:
            value: T = end.value
            return value

    def _get_through(self, call: Call) -> None:
        """Dial until the call stands.

        Raises:
            NoCall: it does not, or there is no modem.
            StationError: the port cannot be opened.
        """
        for attempt in range(self._attempts):
            self._record("note", f"{DIALLING}, attempt {attempt + 1}".encode())
            try:
                self.connected = self._held(call.set_up())
            except CallFailed as error:
                self._record("note", f"no call: {error}".encode())
                if attempt + 1 == self._attempts or isinstance(error, NoModem):
                    times = f" {self._attempts} times" if self._attempts > 1 else ""
                    raise NoCall(f"link {self.name}: {self.target}: dialled{times} in vain: {error}") from None
                self.clock.sleep(_REDIAL)
            else:
                self._record("note", f"{CONNECTED}{self.connected}".encode())
                return

    @property
    def dialled(self) -> bool:
        """Whether a number is dialled first: a call may hold up for seconds what is said, or for ever."""
        return self._call is not None

    def hang_up(self) -> None:
        """End the call, if one stands."""
        if self.connected and self._call is not None:
            self.connected = ""
            self._held(self._call.clear())
            if self._call.closes:
                self._release()

    @property
    def setting(self) -> tuple[int, str]:
        """Speed (Bd) and framing of the port now."""
        return self._line

    @property
    def shows_framing(self) -> bool:
        """Whether parity and number of bits go over it: not through a pty, a modem or a TCP module."""
        return not self.fixed and not self._framing

    def occupy(self, visitor: Visitor | None) -> None:
        """Make the line free for somebody: whoever is still visiting another meter leaves it first."""
        before = self.visitor
        if before is not None and before is not visitor:
            self.visitor = None
            before.leave()
        self.visitor = visitor

    def close(self) -> None:
        """Hang up, and close the port."""
        with suppress(StationError):
            self.hang_up()
        self.connected = ""
        self._release()

    def _release(self) -> None:
        if self._port is not None:
            self._port.close()
            self._port = None

    # -- steps -------------------------------------------------------------------------------------------------------

    def _do(self, step: Step) -> bytes:
        match step:
            case Send(data):
                self._send(data)
            case Receive(rule, timeout, gap):
                return self._receive(rule, timeout, gap)
            case Wait(time):
                self.clock.sleep(time)
            case SetLine(baud, framing):
                self._set(baud, framing)
        return b""

    def _send(self, data: bytes) -> None:
        port = self._opened()
        port.reset_input_buffer()  # what nobody has asked for is none of this answer
        self._record("tx", data)
        sent = self._call.as_sent(data) if self.connected and self._call is not None else data
        now = self.clock.now()
        begin = max(now, self._drained)
        port.write(sent)
        self._finish(port)
        self._drained = begin + self._time(len(sent))
        self._overheard(data, now if self.fixed else begin, self._drained, to_device=True)
        if self._echo:
            self._hear_echo(data)

    def _hear_echo(self, data: bytes) -> None:
        """Drop what an optical head sends back; what is no echo is left for the answer."""
        self._read(len(data), max(self.clock.now(), self._drained) + _ECHO_LATE)

    def _read(self, count: int, until: int) -> bytes:
        """As many characters, or what has come by an instant (ns)."""
        port = self._opened()
        got = b""
        while True:
            patience = max(0, until - self.clock.now()) / SECOND
            if not self._sets_up_remotely and patience != port.timeout:  # it is set up anew for it; most are alike
                port.timeout = patience
            fresh: bytes = port.read(count - len(got))
            got += fresh
            if len(got) == count or not self._sets_up_remotely or self.clock.now() >= until:
                return got

    def _receive(self, rule: Callable[[bytes], int | None], timeout: int, gap: int | None) -> bytes:
        port = self._opened()
        got = b""
        limit = max(self.clock.now(), self._drained) + timeout
        while (length := rule(got)) is None:
            fresh = self._read(1, limit)
            if not fresh:
                break
            more = port.in_waiting if got else 0
            fresh += port.read(more) if more else b""
            now = self.clock.now()
            self._overheard(fresh, now - self._time(len(fresh)), now, to_device=False)
            got += fresh
            if gap is not None:
                limit = self.clock.now() + gap
        lost = got.find(self._call.lost) if self.connected and self._call is not None else -1
        if heard := got[: lost if lost >= 0 else None]:
            self._record("rx", heard)
        if lost >= 0:
            self._record("note", b"the call was lost")
            self.connected, self.call_lost = "", True
        return got if length is None else got[:length]

    def _time(self, characters: int) -> int:
        return characters * _CHARACTER_BITS * SECOND // self._line[0]

    def _overheard(self, data: bytes, start: int, end: int, *, to_device: bool) -> None:
        """Tell the listener; a line without a speed of its own has no time of a character either."""
        if self.listener is None or (self._call is not None and not self.connected):
            return  # what is said to a modem is no message to a meter
        if self.fixed:
            start = end = start if to_device else end  # how long the line takes for it, a module does not tell
            baud, framing = 0, ""
        else:
            baud, framing = self._line[0], "" if self._framing else self._line[1]
        # A real port hands over late and in lumps: nothing began before what was heard earlier had ended.
        start = min(max(start, self._heard_until), end)
        self._heard_until = max(end, self._heard_until)
        self.listener(Heard(start, end, to_device, data, baud, framing))

    def _finish(self, port: Any) -> None:
        """Wait until what was written is out, as far as the port knows."""
        port.flush()

    def _settle(self) -> None:
        """Wait until the last character is on the wire, before the line changes its speed."""
        self.clock.sleep(max(0, self._drained - self.clock.now()))

    def _set(self, baud: int, framing: str) -> None:
        """Change the line once everything is out: a character that is still on its way would be spoilt."""
        line = (baud, self._framing or framing)
        if self.fixed or line == self._line:
            self._line = self._line if self.fixed else line
            return
        self._settle()
        self._line = line
        self._record("note", f"line {baud} {framing}".encode())
        if self._port is not None:
            self._port.apply_settings(_settings(line))

    def _opened(self) -> Any:
        if self._port is None:
            with warnings.catch_warnings():  # pyserial's RFC 2217 client uses a name that Python has deprecated
                warnings.simplefilter("ignore", DeprecationWarning)
                timeout = _LOOK if self._sets_up_remotely else 1
                self._port = serial.serial_for_url(self.target, timeout=timeout, **_settings(self._line))
            self._record("note", f"line {self._line[0]} {self._line[1]}".encode())
        return self._port

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (serial.SerialException, OSError) as error:
            self.close()
            raise StationError(f"link {self.name}: {self.target}: {error}") from None


def _settings(line: tuple[int, str]) -> dict[str, Any]:
    baud, framing = line
    return {"baudrate": baud, "bytesize": int(framing[0]), "parity": framing[1], "stopbits": int(framing[2])}


def _unrecorded(_direction: str, _data: bytes) -> None:
    """Nobody keeps a trace."""
