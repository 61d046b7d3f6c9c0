"""What the checker makes of wake-up, sign-on, option select and readout (6.3.1 to 6.3.4, 6.4, Annex B)."""

from __future__ import annotations

from protocols.flag import checker_forms as forms
from protocols.flag import checker_sets as sets
from protocols.flag.checker_messages import MS, Message
from protocols.flag.checker_talk import (
    GIVE_UP_SHORT,
    START_LINE,
    TT_LONG,
    TT_SHORT,
    Asked,
    Offer,
    State,
    Talk,
)
from protocols.flag.frames import MODE_D_LINE, Identification, speed

#: Who has the data stream and the packets.
ELSTER_MAKER = "GEC"
_STREAM = "6"
_STANDARD_MODES = ("0", "1")
_KNOWN_MODES = (*_STANDARD_MODES, _STREAM)
#: Wake-up (Annex B), ns: a shorter burst of NULs is meant as a fast one.
_FAST_BELOW = 1_000 * MS
_SLOW, _SLOW_PAUSE = (2_100 * MS, 2_300 * MS), (1_500 * MS, 1_700 * MS)
_FAST, _FAST_ACK, _FAST_PAUSE = (500 * MS, 600 * MS), (20 * MS, 40 * MS), (200 * MS, 1_500 * MS)
_GAP, _AGAIN, _TWO_CHARACTERS = 5 * MS, 1_500 * MS, 20
_SECOND = 1_000 * MS
_VISIT = (State.READY, State.ASKED, State.STREAMING)
_LIKENESS, _MOST_REPEATS = 0.5, 3


def nuls(talk: Talk, message: Message) -> None:
    """NULs to wake a device."""
    before = talk.nuls
    failed = before is not None or talk.state is State.SIGNED
    # A fast wake-up that is not answered is tried again at once, for 4.5 s or more (B.2).
    tried_again = before is not None and talk.fast_ack is None and _fast(before) and _fast(message)
    if (
        failed
        and not tried_again
        and talk.host_end is not None
        and message.start - talk.host_end + talk.tolerance < _AGAIN
    ):
        talk.breach("wake.again", message)
    silence = _silence(talk, message)
    talk.restart()
    talk.silence, talk.fast_ack = silence, None
    talk.nuls = message
    if not message.lines[0][0]:
        return  # a line without a speed has no time of a character
    rule, limits = ("fast.length", _FAST) if _fast(message) else ("wake.length", _SLOW)
    _within(talk, rule, message, message.end - message.start, limits)
    if message.pause - talk.tolerance > _GAP:
        talk.breach("wake.gap", message, f"{message.pause / MS:.1f} ms")


def _fast(burst: Message) -> bool:
    return burst.end - burst.start < _FAST_BELOW


def woken(talk: Talk, message: Message) -> None:
    """A device's ACK without a question: right only as the answer to a fast wake-up."""
    burst = talk.nuls
    if burst is None or talk.fast_ack is not None or not _fast(burst):
        talk.breach("break.answered" if talk.after_break else "turn.device", message, message.text)
        return
    talk.fast_ack = message.end
    baud = message.lines[0][0]
    if baud:
        pause = message.start - burst.end - _TWO_CHARACTERS * _SECOND // baud
        _within(talk, "fast.answer", message, pause, _FAST_ACK)


def _within(talk: Talk, rule: str, message: Message, time: int, limits: tuple[int, int]) -> None:
    if not limits[0] - talk.tolerance <= time <= limits[1] + talk.tolerance:
        talk.breach(rule, message, f"{time / MS:.1f} ms")


def request(talk: Talk, message: Message) -> None:
    """A sign-on: a new conversation, whatever was before."""
    silence = talk.silence if talk.nuls else _silence(talk, message)
    talk.restart()
    talk.silence = silence
    _after_wake_up(talk, message)
    talk.asked = Asked("request", sound=message.sound)
    talk.state = State.SIGNED


def _silence(talk: Talk, message: Message) -> int | None:
    """How long a visit that nobody has ended has been silent; None outside of a visit."""
    end = talk.last_end()
    if talk.state not in _VISIT or end is None or talk.gone:
        return None
    silence = message.start - end
    if silence < GIVE_UP_SHORT:
        talk.breach("turn.sign_on", message, f"{silence / _SECOND:.1f} s behind the last message")
    return silence


def _after_wake_up(talk: Talk, message: Message) -> None:
    burst, talk.nuls = talk.nuls, None
    if burst is None:
        return
    if talk.fast_ack is not None:
        _within(talk, "fast.pause", message, message.start - talk.fast_ack, _FAST_PAUSE)
    elif not _fast(burst):
        _within(talk, "wake.pause", message, message.start - burst.end, _SLOW_PAUSE)
    talk.fast_ack = None


def identification(talk: Talk, message: Message) -> None:
    """A device says who it is."""
    offer = talk.offer = _offered(talk, message)
    talk.react(message, talk.host_end)
    if not talk.asked.sound:
        talk.breach("ack.unfounded", message, "an answer to a request that is none")
    if talk.silence is not None and talk.silence + talk.tolerance < GIVE_UP_SHORT:
        talk.breach("inactivity.short", message, f"{talk.silence / _SECOND:.1f} s")
    talk.state = State.OFFERED
    talk.mode = Identification(offer.maker, offer.speed_id, "", offer.escapes).mode
    talk.context.option = talk.mode not in "AB"
    if talk.mode == "B":
        talk.expect((speed(offer.speed_id) or START_LINE[0], START_LINE[1]))


def _offered(talk: Talk, message: Message) -> Offer:
    data = bytes(message.data)
    talk.identifications.append(data.decode("ascii", "replace").strip())
    return Offer(data[1:4].decode("ascii", "replace"), data[4:5].decode("ascii", "replace"), forms.escapes(data))


def pushed(talk: Talk, message: Message) -> None:
    """A device that speaks unasked: mode D, with data behind it."""
    talk.restart()
    offer = talk.offer = _offered(talk, message)
    if offer.speed_id != "3":
        talk.breach("ident.mode_d", message, repr(offer.speed_id))
    talk.expect(MODE_D_LINE)
    talk.context.plain = True
    talk.state = State.PLAIN


def plain_data(talk: Talk, message: Message) -> None:
    """The data of mode D: data sets behind an empty line, without a frame."""
    data = bytes(message.data)
    if not data.startswith(b"\r\n"):
        talk.breach("readout.form", message, "mode D has an empty line in front of its data")
    talk.found(message, sets.readout(data.removeprefix(b"\r\n")))
    talk.restart()


def option(talk: Talk, message: Message) -> None:
    """The host chooses."""
    data = bytes(message.data)
    talk.react(message, talk.device_end)
    found = forms.option(data, talk.offer.speed_id, talk.offer.escapes)
    talk.found(message, found)
    talk.context.option = False
    talk.option_sound = message.sound and not found
    talk.state = State.SELECTED
    talk.mode = chr(data[3]) if talk.option_sound else ""
    known = _KNOWN_MODES if talk.offer.maker == ELSTER_MAKER else _STANDARD_MODES
    if talk.mode and talk.mode not in known:
        talk.state = State.OPAQUE
    talk.expect(_agreed(talk, data))


def _agreed(talk: Talk, data: bytes) -> tuple[int, str]:
    """The line that an option select leads to (6.4.3.2): without the offered Z it stays as it was."""
    if not talk.option_sound:
        return START_LINE
    baud = speed(chr(data[2])) or START_LINE[0] if chr(data[2]) == talk.offer.speed_id else START_LINE[0]
    return (baud, "8N1" if talk.mode == _STREAM else START_LINE[1])


def unasked_option(talk: Talk, message: Message) -> None:
    """An ACK of the host behind an identification of mode A or B."""
    talk.breach("option.unasked", message)


def readout_by_itself(talk: Talk, message: Message) -> None:
    """The device goes on without an option select: modes A and B at once, mode C after a while."""
    if talk.mode in "AB":
        talk.react(message, talk.device_end)
    elif talk.device_end is not None:
        time = message.start - talk.device_end
        if time + talk.tolerance < TT_SHORT:
            talk.breach("tt.short", message, f"{time / MS:.1f} ms")
        elif time - talk.tolerance > TT_LONG:
            talk.breach("tt.long", message, f"{time / MS:.1f} ms")
    talk.context.option = False
    _read_out(talk, message)


def readout(talk: Talk, message: Message) -> None:
    """A readout behind an option select, or again behind a NAK."""
    talk.react(message, talk.host_end)
    if talk.mode in {"1", _STREAM} and not talk.repeating:
        talk.breach("mode.answer", message, "a readout where programming mode was chosen")
    _read_out(talk, message)


def _read_out(talk: Talk, message: Message) -> None:
    if message.whole and not message.masked:
        talk.found(message, sets.readout(bytes(message.data[1:-2])))
    remember(talk, message)
    talk.state = State.READ_OUT
    if talk.mode == "B":
        talk.expect(START_LINE)


def remember(talk: Talk, message: Message) -> None:
    """Keep the last block, and hold a repeated one against it."""
    block = bytes(message.data)
    compared = talk.repeating and bool(talk.block) and not message.masked
    if compared and _other(talk.block, block, exact=talk.block_sound and message.sound):
        talk.breach("repeat.changed", message, message.text)
    talk.repeats = talk.repeats if talk.repeating else 0
    talk.repeating = False
    talk.block, talk.block_sound = block, message.sound


def _other(first: bytes, second: bytes, *, exact: bool) -> bool:
    """Whether two blocks are not the same: of a damaged one only half has to be."""
    if exact:
        return first != second
    same = sum(a == b for a, b in zip(first, second, strict=False))
    return same < _LIKENESS * max(len(first), len(second))


def asked_again(talk: Talk, message: Message) -> None:
    """The host's NAK: the same block is due once more."""
    talk.react(message, talk.device_end)
    if talk.block_sound:
        talk.breach("nak.unfounded", message)
    talk.repeats += 1
    talk.repeating = True
    if talk.repeats > _MOST_REPEATS:
        talk.breach("repeat.many", message, f"{talk.repeats} times")


def readout_again(talk: Talk, message: Message) -> None:
    """NAK behind a readout."""
    asked_again(talk, message)
    talk.state = State.SELECTED
    if talk.mode == "B":
        talk.expect((speed(talk.offer.speed_id) or START_LINE[0], START_LINE[1]))


def readout_taken(talk: Talk, message: Message) -> None:
    """ACK behind a readout."""
    if not talk.block_sound:
        talk.breach("ack.unfounded", message, "a readout with a wrong check character")
    talk.react(message, talk.device_end)
    talk.restart()
