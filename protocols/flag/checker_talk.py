"""What the checker knows of a conversation: where it stands, what was agreed on, and what was found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum, auto

from protocols.flag.checker_forms import Found
from protocols.flag.checker_messages import MS, Context, Message
from protocols.flag.checker_rules import RULES

#: Times of 6.4.3 in ns.
TR_QUICK, TR_SHORT, TR_LONG = 20 * MS, 200 * MS, 1_500 * MS
TT_SHORT, TT_LONG = 1_500 * MS, 2_200 * MS
GIVE_UP_SHORT, GIVE_UP_LONG = 60_000 * MS, 120_000 * MS
START_LINE = (300, "7E1")
#: What the times of characters lose (ns) by being whole numbers.
ROUNDING = MS // 1_000


@dataclass(frozen=True, slots=True)
class Breach:
    """One breach.

    Attributes:
        clause: of IEC 62056-21, or "Elster".
        rule: the id of the rule.
        at: the instant (ns) at which the message began, or at which something was missing.
        what: in words.
        to_device: whether the host is the one to blame.
        severity: "breach" or "remark".
    """

    clause: str
    rule: str
    at: int
    what: str
    to_device: bool
    severity: str


class State(Enum):
    """Where a conversation stands."""

    START = auto()
    SIGNED = auto()
    """a request was sent, an identification is due"""
    OFFERED = auto()
    """an identification came; the host may choose, or the device goes on by itself"""
    SELECTED = auto()
    """an option was chosen, a readout or P0 is due"""
    READ_OUT = auto()
    """a readout came; the host may ask for it again"""
    READY = auto()
    """the host's turn in a visit"""
    ASKED = auto()
    """the device's turn in a visit"""
    STREAMING = auto()
    """a block came that is not the last"""
    PLAIN = auto()
    """mode D: data without a frame are due"""
    OPAQUE = auto()
    """HDLC or a maker's own mode: not ours to judge"""


@dataclass(slots=True)
class Offer:
    """What a device offered: maker, Z, escapes."""

    maker: str = ""
    speed_id: str = ""
    escapes: str = ""

    @property
    def quick(self) -> bool:
        """Whether reactions may be as short as 20 ms."""
        return self.maker[-1:].islower()


@dataclass(slots=True)
class Asked:
    """The last command of the host."""

    name: str = ""
    data: bytes = b""
    more: bool = False
    sound: bool = True


@dataclass(slots=True)
class Talk:
    """One line's conversation."""

    fixed_line: tuple[int, str] | None = None
    tolerance: int = ROUNDING
    context: Context = field(default_factory=Context)
    state: State = State.START
    breaches: list[Breach] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    identifications: list[str] = field(default_factory=list)
    #: Speed and framing that the next message has to have.
    line: tuple[int, str] = START_LINE
    offer: Offer = field(default_factory=Offer)
    option_sound: bool = True
    mode: str = ""
    asked: Asked = field(default_factory=Asked)
    #: The last block of the device, whether it was sound, and how often it was asked for again.
    block: bytes = b""
    block_sound: bool = True
    block_more: bool = False
    repeats: int = 0
    repeating: bool = False
    #: Pieces of a partial transfer.
    parts: bytes = b""
    write_address: bytes | None = None
    #: What the data stream expects next, how many blocks were asked for, and whether it was ended with ESC.
    stream_number: int = 0
    stream_count: int = 0
    escaped: bool = False
    #: Ends (ns) of the last messages.
    host_end: int | None = None
    device_end: int | None = None
    #: Silence (ns) in front of a sign-on inside a visit, or of a command; None if that is no question.
    silence: int | None = None
    #: The device may have given the visit up, and has not answered since.
    gone: bool = False
    nuls: Message | None = None
    fast_ack: int | None = None
    after_break: bool = False

    def breach(self, rule: str, message: Message, what: str = "", *, at: int | None = None) -> None:
        """Note a breach by whoever said `message`."""
        self.note(rule, message.start if at is None else at, what, to_device=message.to_device)

    def note(self, rule: str, at: int, what: str = "", *, to_device: bool) -> None:
        """Note a breach."""
        known = RULES[rule]
        words = f"{known.title}: {what}" if what else known.title
        self.breaches.append(Breach(known.clause, rule, at, words, to_device, known.severity))

    def found(self, message: Message, found: Found) -> None:
        """Note what is wrong with the form of a message."""
        for rule, what in found:
            self.breach(rule, message, what)

    def last_end(self) -> int | None:
        """The end (ns) of the last message of either side."""
        return max((end for end in (self.host_end, self.device_end) if end is not None), default=None)

    def react(self, message: Message, since: int | None, *, limit: bool = True) -> None:
        """Hold a reaction time against its limits (tr)."""
        if since is None:
            return
        time = message.start - since
        least = TR_QUICK if self.offer.quick else TR_SHORT
        if time + self.tolerance < least:
            self.breach("tr.short", message, f"{time / MS:.1f} ms")
        elif limit and time - self.tolerance > TR_LONG:
            self.breach("tr.long", message, f"{time / MS:.1f} ms")

    def expect(self, line: tuple[int, str]) -> None:
        """The line has this speed and framing from now on."""
        self.line = self.fixed_line or line

    def restart(self) -> None:
        """Back to where a sign-on begins; counts and findings stay."""
        self.state = State.START
        self.expect(START_LINE)
        self.context.option = self.context.stream = self.context.plain = False
        self.offer, self.asked = Offer(), Asked()
        self.block, self.block_sound, self.block_more, self.repeats, self.repeating = b"", True, False, 0, False
        self.parts, self.write_address = b"", None
        self.escaped, self.silence, self.gone, self.after_break = False, None, False, False
