"""The strict conformance checker of IEC 62056-21: hears a line and names every breach with its clause.

It is nobody's reader, so it forgives nothing: what a lenient parser swallows (a wrong check character, a stray
character, an answer of 199 ms) is what it is for. It follows the conversation by a table, so that it knows what is due
from whom, and judges every message three times: its characters, its form, its place and time. ::

    checker = Checker()
    for piece in heard:              # Heard(start, end, to_device, data, baud, framing), in the order of their start
        checker.hear(piece)
    report = checker.finish()

What is wrong is a `Breach` with the id of a rule in `checker_rules.RULES`; nothing that is heard raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from protocols.flag import checker_forms as forms
from protocols.flag import checker_programming as programming
from protocols.flag import checker_sign_on as sign_on
from protocols.flag.checker_messages import MS, TA, Cutter, Heard, Kind, Message
from protocols.flag.checker_rules import BREACH, RULES, Rule
from protocols.flag.checker_talk import ROUNDING, START_LINE, TR_LONG, TR_QUICK, TT_LONG, Breach, State, Talk
from protocols.flag.frames import MODE_D_LINE

__all__ = ["RULES", "Breach", "Checker", "Heard", "Report", "Rule", "check"]

_HOST, _DEVICE = True, False
Handler = Callable[[Talk, Message], None]

#: What may be said where, and what follows from it. Everything else is out of turn.
TABLE: dict[tuple[State, Kind, bool], Handler] = {
    (State.START, Kind.ACK, _DEVICE): sign_on.woken,
    (State.START, Kind.SLASH, _DEVICE): sign_on.pushed,
    (State.PLAIN, Kind.PLAIN, _DEVICE): sign_on.plain_data,
    (State.SIGNED, Kind.SLASH, _DEVICE): sign_on.identification,
    (State.OFFERED, Kind.OPTION, _HOST): sign_on.option,
    (State.OFFERED, Kind.ACK, _HOST): sign_on.unasked_option,
    (State.OFFERED, Kind.BLOCK, _DEVICE): sign_on.readout_by_itself,
    (State.SELECTED, Kind.BLOCK, _DEVICE): sign_on.readout,
    (State.SELECTED, Kind.COMMAND, _DEVICE): programming.challenge,
    (State.READ_OUT, Kind.NAK, _HOST): sign_on.readout_again,
    (State.READ_OUT, Kind.ACK, _HOST): sign_on.readout_taken,
    (State.READ_OUT, Kind.COMMAND, _HOST): programming.command,
    (State.READY, Kind.COMMAND, _HOST): programming.command,
    (State.READY, Kind.ACK, _HOST): programming.next_part,
    (State.READY, Kind.NAK, _HOST): programming.part_again,
    (State.READY, Kind.ESCAPE, _HOST): programming.escape,
    (State.READY, Kind.STREAM, _DEVICE): programming.stray_block,
    (State.ASKED, Kind.ACK, _DEVICE): programming.answer,
    (State.ASKED, Kind.NAK, _DEVICE): programming.answer,
    (State.ASKED, Kind.BLOCK, _DEVICE): programming.answer,
    (State.ASKED, Kind.COMMAND, _DEVICE): programming.answer,
    (State.ASKED, Kind.STREAM, _DEVICE): programming.stream_block,
    (State.ASKED, Kind.ESCAPE, _HOST): programming.escape,
    (State.STREAMING, Kind.STREAM, _DEVICE): programming.stream_block,
    (State.STREAMING, Kind.ESCAPE, _HOST): programming.escape,
    # a sign-on may come at any time, with NULs in front of it or without
    **{(state, Kind.SLASH, _HOST): sign_on.request for state in State},
    **{(state, Kind.NULS, _HOST): sign_on.nuls for state in State if state is not State.OPAQUE},
}
#: Where the device has to say something, and nobody else may.
_DEVICES_TURN = (State.SELECTED, State.ASKED, State.STREAMING)


@dataclass(frozen=True, slots=True)
class Report:
    """What was found on a line.

    Attributes:
        breaches: in the order of their instants.
        messages: how many of each kind, as "host command" or "device block".
        identifications: what devices said of themselves.
        echoed: bytes that the host heard of itself.
    """

    breaches: tuple[Breach, ...]
    messages: dict[str, int]
    identifications: tuple[str, ...]
    echoed: int

    @property
    def conforms(self) -> bool:
        """Whether there is no breach; remarks do not count."""
        return all(breach.severity != BREACH for breach in self.breaches)


class Checker:
    """Hears one line.

    Args:
        fixed_line: speed and framing of a line that never changes them (a modem, a TCP module); None for one that
            begins at 300 Bd 7E1.
        tolerance: by how much (ns) instants may be wrong, more where they were taken by an ordinary clock.
    """

    def __init__(self, *, fixed_line: tuple[int, str] | None = None, tolerance: int = ROUNDING) -> None:
        self._talk = Talk(fixed_line, tolerance)
        self._talk.expect(START_LINE)
        context = self._talk.context
        self._cutters = {side: Cutter(to_device=side, context=context) for side in (_HOST, _DEVICE)}
        self._last: dict[bool, Heard] = {}
        self._unechoed = b""
        self._echoed = 0

    def hear(self, piece: Heard) -> None:
        """The next piece of what is on the line, in the order of their start."""
        if not piece.data or self._is_echo(piece):
            return
        self._collision(piece)
        other = self._cutters[not piece.to_device]
        if other.until is not None and piece.start + self._talk.tolerance >= other.until:
            self._judge_all(other.flush())
        self._last[piece.to_device] = piece
        mine, count, span = self._cutters[piece.to_device], len(piece.data), piece.end - piece.start
        for index, byte in enumerate(piece.data):
            start = piece.start + span * index // count
            self._judge_all(mine.take(byte, piece, start, piece.start + span * (index + 1) // count))

    def finish(self, until: int | None = None) -> Report:
        """What was found; `until` is the instant (ns) up to which somebody has listened."""
        for cutter in self._cutters.values():
            self._judge_all(cutter.flush())
        talk = self._talk
        if until is not None and talk.host_end is not None and talk.state in _DEVICES_TURN:
            self._missing(until)
        breaches = tuple(sorted(talk.breaches, key=lambda breach: breach.at))
        return Report(breaches, dict(sorted(talk.counts.items())), tuple(talk.identifications), self._echoed)

    # -- characters --------------------------------------------------------------------------------------------------

    def _is_echo(self, piece: Heard) -> bool:
        """An optical head gives back what the host sends, while it sends it."""
        before = self._last.get(_HOST)
        if piece.to_device:
            fresh = before is None or piece.start - before.end > TR_QUICK
            self._unechoed = (b"" if fresh else self._unechoed) + piece.data
            return False
        if before is None or piece.start >= before.end + TR_QUICK or not self._unechoed.startswith(piece.data):
            return False
        self._unechoed = self._unechoed[len(piece.data) :]
        self._echoed += len(piece.data)
        return True

    def _collision(self, piece: Heard) -> None:
        """Two hosts, two devices or one of each at the same time; an ESC may interrupt a data stream."""
        talk = self._talk
        if piece.to_device and piece.data == b"\x1b" and talk.context.stream:
            return
        for before in self._last.values():
            if piece.start + talk.tolerance < before.end and before.data != b"\x1b":
                what = f"{len(piece.data)} characters"
                talk.note("line.collision", piece.start, what, to_device=piece.to_device)
                return

    # -- messages ----------------------------------------------------------------------------------------------------

    def _judge_all(self, messages: list[Message]) -> None:
        for message in messages:
            self._judge(message)

    def _judge(self, message: Message) -> None:
        talk = self._talk
        talk.counts[f"{'host' if message.to_device else 'device'} {message.kind.value}"] += 1
        if talk.state is not State.OPAQUE or (message.to_device and message.kind is Kind.SLASH):
            self._judge_characters(message)
            message.sound = self._judge_form(message) and message.sound
            self._place(message)
        if message.to_device:
            talk.host_end = message.end
        else:
            talk.device_end = message.end

    def _judge_characters(self, message: Message) -> None:
        talk = self._talk
        if message.parity >= 0:
            message.sound = False
            talk.breach("char.parity", message, f"character {message.parity + 1} of {message.text}")
        if message.pause - talk.tolerance >= TA and message.kind is not Kind.NULS:
            talk.breach("ta.long", message, f"{message.pause / MS:.1f} ms")
        self._judge_line(message)

    def _judge_line(self, message: Message) -> None:
        talk = self._talk
        if talk.state is State.START and message.kind is Kind.COMMAND:
            return  # a break to whoever may still be in a visit, at the speed of that
        if talk.fixed_line is not None:
            if message.kind is Kind.STREAM and message.lines[0][1] not in {"8N1", ""}:
                talk.breach("stream.format", message, message.lines[0][1])
            return
        begins = message.kind in {Kind.SLASH, Kind.NULS}
        speeds = [baud for baud, _ in message.lines]
        due = self._due_line(message)
        if len(set(speeds)) > 1:
            talk.breach("speed.midway", message, " to ".join(map(str, speeds)) + " Bd")
        if 0 not in speeds and speeds[-1] != due[0]:
            rule = "speed.start" if begins else "speed.agreed"
            talk.breach(rule, message, f"{speeds[-1]} Bd where {due[0]} Bd belongs")
        if any(framing not in {due[1], ""} for _, framing in message.lines):
            rule = "stream.format" if due[1] == "8N1" else "char.format"
            talk.breach(rule, message, ", ".join(framing for _, framing in message.lines))

    def _due_line(self, message: Message) -> tuple[int, str]:
        if message.kind is Kind.SLASH and not message.to_device and self._talk.state is State.START:
            return MODE_D_LINE
        return START_LINE if message.kind in {Kind.SLASH, Kind.NULS} else self._talk.line

    def _judge_form(self, message: Message) -> bool:
        """Whether the form of a message is as it should be, as far as that does not depend on its place."""
        talk = self._talk
        if message.masked:
            return True
        data = bytes(message.data)
        found: forms.Found = []
        cut = not message.whole and not (talk.escaped and message.kind is Kind.STREAM)
        if cut and message.kind in {Kind.COMMAND, Kind.BLOCK} and data[-1:] in (b"\x03", b"\x04"):
            found.append(("bcc.missing", message.text))
        elif cut and message.kind in {Kind.COMMAND, Kind.BLOCK, Kind.STREAM}:
            found.append(("message.cut", message.text))
        elif message.kind in {Kind.COMMAND, Kind.BLOCK}:
            eight = message.lines[-1][1].startswith("8")
            found += forms.check_character(data, eight_bits=eight)
        if message.kind is Kind.COMMAND and not cut:
            found += forms.command(data[:-1], stream=talk.mode == "6")
        elif message.kind is Kind.SLASH:
            found += forms.request(data) if message.to_device else forms.identification(data)
        elif message.kind is Kind.PLAIN and talk.state is not State.PLAIN:
            found.append(("message.unknown", message.text))
        talk.found(message, found)
        return not found and message.whole

    # -- places ------------------------------------------------------------------------------------------------------

    def _place(self, message: Message) -> None:
        """Find what a message is in the conversation."""
        talk = self._talk
        if message.to_device and talk.state in _DEVICES_TURN and message.kind is not Kind.ESCAPE:
            self._missing(message.start, message)
        handler = TABLE.get((talk.state, message.kind, message.to_device))
        if handler is not None:
            handler(talk, message)
        elif message.kind is not Kind.PLAIN:
            self._out_of_turn(message)

    def _missing(self, now: int, message: Message | None = None) -> None:
        """The device had to speak and did not; or the host did not let it."""
        talk = self._talk
        asked = talk.host_end or 0
        waited = now - asked
        if talk.state is State.STREAMING:
            talk.note("stream.unfinished", talk.device_end or asked, to_device=False)
        elif talk.state is State.SELECTED and not talk.option_sound:
            if waited > TT_LONG:
                talk.note("fallback.missing", asked + TT_LONG, to_device=False)
        elif waited + talk.tolerance < TR_LONG:
            if message is not None:
                talk.breach("turn.host", message, f"{waited / MS:.1f} ms behind its last message")
        elif (talk.asked.sound and not talk.gone) or talk.state is State.SELECTED:
            what = talk.asked.name if talk.state is State.ASKED else "the option select"
            talk.note("answer.missing", asked + TR_LONG, what, to_device=False)
        talk.state = State.READY if talk.state is not State.SELECTED else State.OFFERED
        talk.context.option = talk.state is State.OFFERED

    def _out_of_turn(self, message: Message) -> None:
        talk = self._talk
        is_break = message.kind is Kind.COMMAND and bytes(message.data[1:3]) == b"B0"
        if message.to_device:
            if not is_break:  # a break does no harm anywhere, and some tools begin with one
                talk.breach("turn.unexpected", message, f"{message.kind.value} {message.text}")
            elif talk.state is not State.START:
                talk.restart()
        elif talk.after_break:
            talk.breach("break.answered", message, message.text)
        elif talk.state in _DEVICES_TURN:
            talk.breach("answer.kind", message, f"{message.kind.value} {message.text}")
        else:
            talk.breach("turn.device", message, f"{message.kind.value} {message.text}")


def check(
    heard: Iterable[Heard],
    *,
    fixed_line: tuple[int, str] | None = None,
    tolerance: int = ROUNDING,
    until: int | None = None,
) -> Report:
    """What is wrong with all that was heard on a line; see `Checker` for the arguments."""
    checker = Checker(fixed_line=fixed_line, tolerance=tolerance)
    for piece in sorted(heard, key=lambda piece: piece.start):
        checker.hear(piece)
    return checker.finish(until)
