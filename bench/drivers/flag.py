"""A FLAG session with one meter: visits are opened when something is asked and closed when somebody else is to speak.

Every mishap becomes one of the bench's errors. Reads are asked again at most once, with a new sign-on. Writes are sent
again only after a NAK, because then the meter has not executed them; what acts each time it is said (`ACTS`, whatever
is executed) not even then, as a firmware may obey and say NAK. Only what has to be selected first is read by password.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from bench.drivers.flag_refusals import mishap_of, not_signed_on, refusal_of, told_from_the_beginning
from bench.errors import (
    BenchError,
    DeviceError,
    ForeignAnswer,
    NoAnswer,
    NotArmed,
    Refused,
    Undeterminable,
    UsageError,
)
from protocols.conversation import Conversation, ProtocolError
from protocols.flag.client import FlagClient, MeterError, Rejected, Timing
from protocols.flag.device import PROGRAMMING, STREAM
from protocols.flag.frames import Identification
from simulators.world import SECOND

if TYPE_CHECKING:
    from bench.links.flag import FlagLine
    from bench.safety import Armed

T = TypeVar("T")
#: How often a read that came to nothing is asked again.
READ_RETRIES = 1
#: The same over a call, which a bearer may hold up for half a minute; from the second time on it is dialled anew.
CALL_RETRIES = 3
#: Bytes of a packet of R1 and W1 (elster-flag 3.3).
PACKET = 64
#: A visit that nobody has used for so long (ns) is opened anew: a meter gives up after 60 to 120 s.
_IDLE, _GIVEN_UP = 45 * SECOND, 125 * SECOND
#: A password expires after about 300 s; head-ends renew it after 4.5 minutes.
_RENEW = 270 * SECOND
#: Identities that only say what is to be read next: days of a profile, its range, an instantaneous value.
SELECTIONS = frozenset({551, 554, 605})
#: Identities whose write acts each time: the end of a billing period, setting the clock, clearing the load profile.
ACTS = frozenset({655, 861, 940})


class FlagSession:
    """One meter on a FLAG line.

    Args:
        line: the way to it.
        outstation: its address; empty where it is alone.
        device: its name in the station, for messages and permissions.
        password: of the station; None where it names none.
        record: hears of the traffic of this device.
        client: how the tool speaks; a mistake of a tool is another kind of client.
        timing: how patient it is.
    """

    def __init__(
        self,
        line: FlagLine,
        outstation: str,
        device: str,
        password: Callable[[], bytes | None],
        record: Callable[[str, bytes], None] | None = None,
        client: type[FlagClient] = FlagClient,
        timing: Timing | None = None,
    ) -> None:
        self.line = line
        self.device = device
        self.record = record
        self.client = client(outstation.encode("ascii"), timing=timing, fixed_line=line.fixed)
        self.retried = self.repeated = 0
        #: How many visits have been opened: a meter forgets with each what was selected in it, and who programs.
        self.visits = 0
        self.remarks: list[str] = []
        #: Identities that are not written, because what the meter means by their numbers is only assumed.
        self.unproven: frozenset[int] = frozenset()
        #: What was sent that could have changed the device: identity and bytes, whether or not an answer came.
        self.writes: list[tuple[int, bytes]] = []
        self.password = password
        #: A password that the meter may have by now instead of the station's, because it is being programmed.
        self.also: bytes | None = None
        self._mode: int | None = None
        self._level = 0
        self._opened = self._used = 0

    # -- reading -----------------------------------------------------------------------------------------------------

    def identification(self) -> Identification:
        """What the meter says to a sign-on; the visit stays open."""

        def ask() -> Identification:
            self._visit(0)
            assert self.client.identification is not None
            return self.client.identification

        return self._retried(ask)

    def readout(self) -> bytes:
        """The data sets of a mode C readout with the final "!"."""

        def ask() -> bytes:
            self.leave()
            self.line.occupy(None)
            return self._signed_on(self.client.read_out())

        return self._retried(ask)

    def read(self, identity: int, size: int, *, offset: int = 0, level: int = 0, mode: int = PROGRAMMING) -> bytes:
        """`size` bytes of an identity, packet by packet.

        Args:
            identity: three decimal digits.
            size: bytes.
            offset: of the first of them, whole packets.
            level: the least level that reads it; above 0 the password is used.
            mode: of the visit, where what was selected in a data stream visit is to be read.

        Raises:
            NoAnswer, ForeignAnswer, Refused: the meter's fault.
            StationError: the line's.
        """

        def ask() -> bytes:
            found = b""
            while len(found) < size:
                count = min(PACKET, size - len(found))
                packet = (offset + len(found)) // PACKET + 1
                found += self._packet(identity, packet, count, level, mode)
            return found

        return self._retried(ask)

    def _packet(self, identity: int, packet: int, count: int, level: int, mode: int) -> bytes:
        self._visit(level, mode)
        asked = f"{identity:03d}{packet:03X}({count:02X})".encode("ascii")
        answer = self._run(self.client.command("R", 1, asked))
        if answer is None:
            raise ForeignAnswer(f"identity {identity} was read and answered with an ACK", device=self.device)
        return self._bytes(answer.data, identity, count)

    def _bytes(self, data: bytes, identity: int, count: int) -> bytes:
        try:
            found = bytes.fromhex(data.removeprefix(b"(").removesuffix(b")").decode("ascii"))
        except ValueError:
            found = b""
        if len(found) != count or data[:1] != b"(":
            shown = data[:40].decode("ascii", "replace")
            reason = (
                f"identity {identity}: {count} bytes as hexadecimal digits in brackets were asked for, {shown!r} came"
            )
            raise ForeignAnswer(reason, device=self.device)
        return found

    def read_in_parts(self, identity: int, *, level: int = 0) -> bytes:
        """A whole identity in partial blocks (R3)."""

        def ask() -> bytes:
            self._visit(level)
            answer = self._run(self.client.command("R", 3, f"{identity:03d}001()".encode("ascii")))
            data = answer.data.replace(b")(", b"") if answer is not None else b""
            return self._bytes(data, identity, (len(data) - 2) // 2)

        return self._retried(ask)

    def formatted(self, data: bytes, *, level: int = 0) -> bytes:
        """What a formatted read (R5) is answered with: data sets."""

        def ask() -> bytes:
            self._visit(level)
            return self._run(self.client.read_formatted(data))

        return self._retried(ask)

    def stream(self, identity: int, blocks: int, *, level: int = 0) -> bytes:
        """An object by data stream; `blocks` of 256 bytes are asked for, 0 for what there is."""

        def ask() -> bytes:
            self._visit(level, STREAM)
            return self._run(self.client.read_stream(f"{identity:03d}001({blocks:02X})".encode("ascii")))

        return self._retried(ask)

    @contextmanager
    def expecting_silence(self) -> Iterator[None]:
        """Reads that are repeated inside are not told: who waits for a meter to come back expects them to be."""
        repeated, told = self.repeated, len(self.remarks)
        try:
            yield
        finally:
            self.repeated = repeated
            del self.remarks[told:]

    def _retried(self, ask: Callable[[], T]) -> T:
        reasons: list[str] = []
        first: NoAnswer | ForeignAnswer | None = None
        retries = CALL_RETRIES if self.line.dialled else READ_RETRIES
        for attempt in range(retries + 1):
            try:
                found = ask()
            except (NoAnswer, ForeignAnswer) as error:
                self.leave()  # a meter that is still in the visit hears no sign-on, at another speed
                first = first or error
                if attempt == retries:
                    raise told_from_the_beginning(first, error) from None
                self.retried += 1
                reasons.append(error.reason)
                if attempt:
                    self.line.hang_up()
            else:
                self._tell_repeats(reasons)
                return found
        raise AssertionError("unreachable")

    def _tell_repeats(self, reasons: list[str]) -> None:
        reasons += self.client.repeats
        self.client.repeats.clear()
        self.repeated += len(reasons)
        self.remarks += [f"read again once: {reason}" for reason in reasons]

    # -- writing -----------------------------------------------------------------------------------------------------

    def write(self, armed: Armed, identity: int, data: bytes, *, offset: int = 0) -> None:
        """Bytes for an identity, in packets of 64, each sent once and sent again only after a NAK; one of `ACTS` never.

        Raises:
            Refused: the meter has not executed it.
            NoAnswer, ForeignAnswer: whether it has is not known.
        """
        self._permit(armed, identity)
        self._write("W", identity, data, offset)

    def select(self, identity: int, data: bytes, *, mode: int = PROGRAMMING) -> None:
        """Write what only says what is to be read next in this visit, one of `SELECTIONS`: nothing changes."""
        if identity not in SELECTIONS:
            raise NotArmed(f"{self.device}: identity {identity} selects nothing; writing it needs permission")
        self._write("W", identity, data, 0, mode)

    def execute(self, armed: Armed, identity: int, data: bytes = b"") -> None:
        """Execute an identity (E2), for instance a billing reset; sent once, whatever comes."""
        self._permit(armed, identity)
        self._write("E", identity, data, 0)

    def _permit(self, armed: Armed, identity: int) -> None:
        armed.check(self.device)
        if identity in self.unproven:
            raise Undeterminable(f"what a write to identity {identity} does", "a public source for its number")

    def _write(self, letter: str, identity: int, data: bytes, offset: int, mode: int = PROGRAMMING) -> None:
        self.require(1, mode)
        self.writes.append((identity, data))
        for start in range(0, max(1, len(data)), PACKET):
            packet = (offset + start) // PACKET + 1
            digits = data[start : start + PACKET].hex().upper()
            operand = f"{identity:03d}{packet:03X}({digits})".encode("ascii")
            number, after_nak = 1 if letter == "W" else 2, letter == "W" and identity not in ACTS
            self._run(self.client.command(letter, number, operand, again=False, after_nak=after_nak))

    def write_in_parts(self, armed: Armed, identity: int, data: bytes) -> None:
        """Bytes for an identity in partial blocks (W3) of 64, the address in the first one only.

        Raises:
            Refused: the meter has not executed it.
            NoAnswer, ForeignAnswer: whether it has is not known.
        """
        self._permit(armed, identity)
        self._visit(1)
        self.writes.append((identity, data))
        parts = [
            b"(" + data[start : start + PACKET].hex().upper().encode() + b")" for start in range(0, len(data), PACKET)
        ]
        self._run(self.client.write_in_parts(f"{identity:03d}001".encode(), parts))

    # -- single messages ---------------------------------------------------------------------------------------------

    def talk(self, conversation: Conversation[T]) -> T:
        """Hold a conversation of one's own, outside every visit of this session; the line is at 300 Bd again after it.

        What it sends is its own business: who changes a meter with it asks for permission himself.

        Raises:
            NoAnswer, ForeignAnswer, Refused: as for a read.
        """
        self.leave()
        self.line.occupy(self)
        return self._run(conversation)

    def call(self, outstation: bytes) -> None:
        """From now on the meter is called by this address, because it was given another one."""
        self.leave()
        self.client = type(self.client)(outstation, timing=self.client.timing, fixed_line=self.line.fixed)

    # -- visits ------------------------------------------------------------------------------------------------------

    def require(self, level: int, mode: int = PROGRAMMING, *, ahead: int = 0) -> None:
        """Open a visit at a level now, that lasts `ahead` ns more; it changes nothing, so it is tried like a read."""
        self._retried(lambda: self._visit(level, mode, ahead))

    def leave(self) -> None:
        """End the visit with a break, if one may be open; a line that is gone has ended it already."""
        if self._mode is None and not self.client.visiting:
            return
        self._forget()
        with suppress(BenchError):
            self._run(self.client.leave())

    def log_in(self, password: bytes | None, mode: int = PROGRAMMING) -> None:
        """Open a fresh visit with this password and no other; None reads only.

        Raises:
            Refused: the meter does not take it.
        """
        self.leave()
        self._enter(mode, password, 0 if password is None else 1)

    def _visit(self, level: int, mode: int = PROGRAMMING, ahead: int = 0) -> None:
        """See to it that a visit is open, at the least at this level, and not about to expire within `ahead` ns."""
        now = self.line.clock.now()
        if self._mode is not None and now - self._used > _GIVEN_UP:
            self._forget()  # the meter has given up, and would not hear a break at this speed
        expired = self._level > 0 and now - self._opened > _RENEW - ahead
        stale = now - self._used > _IDLE
        fits = self._mode == mode and (level == 0 or self._level > 0)
        if self._mode is not None and fits and not expired and not stale:
            return
        self.leave()
        if level:
            self._let_in(mode, level)
        else:
            self._enter(mode, None, level)

    def _let_in(self, mode: int, level: int) -> None:
        """With the password of the station; where that is being changed and no longer opens, with the new one."""
        given = self.given_password()
        try:
            self._enter(mode, given, level)
        except Refused:
            if self.also is None or self.also == given:
                raise
            self._enter(mode, self.also, level)

    def given_password(self) -> bytes:
        """The password of the station.

        Raises:
            UsageError: it names none.
        """
        password = self.password()
        if password is None:
            raise UsageError(
                f"{self.device}: this needs a password; give it one in the station file, password: {{env: NAME}}"
            )
        return password

    def _enter(self, mode: int, password: bytes | None, level: int) -> None:
        self.line.occupy(self)
        self._mode, self._level, self._opened = mode, 0, self.line.clock.now()
        self.visits += 1
        try:
            self._signed_on(self.client.open(mode))
            self._run(self.client.log_in(password))
        except DeviceError:
            self.leave()
            raise
        self._level = level

    def _forget(self) -> None:
        self._mode = None
        self._level = 0
        self.client.forget()
        if self.line.visitor is self:
            self.line.visitor = None

    def _signed_on(self, conversation: Conversation[T]) -> T:
        """Run what begins with a sign-on; who is not understood hears what to do."""
        try:
            return self._run(conversation)
        except (NoAnswer, ForeignAnswer) as error:
            if self.client.identification is None:
                raise not_signed_on(error) from None
            raise

    def _run(self, conversation: Conversation[T]) -> T:
        try:
            return self.line.run(conversation, self.record)
        except (MeterError, Rejected) as error:
            raise refusal_of(error, self.device) from None
        except ProtocolError as error:
            raise mishap_of(error, self.device, self.line) from None
        finally:
            self._used = self.line.clock.now()
