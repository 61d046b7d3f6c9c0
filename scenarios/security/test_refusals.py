"""What a meter cannot do it refuses, in the way that the standard has for it, and everything stays as it was."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager

from bench.bench import Bench
from bench.drivers.elster import Elster
from bench.errors import Undeterminable
from bench.measure import Measure
from bench.procedures.elster_memory import changes, programmed
from bench.procedures.flag_talk import SECOND, Talk, error_text, kind_of, talking
from bench.procedures.keeping import object_kept
from protocols.flag.frames import ETX, SOH, STX, Command, checked
from scenarios.marks import catches, destructive, needs

NO_SUCH_IDENTITY = 999
#: More than a packet of 64 bytes, and more characters than any command has.
BEYOND_A_PACKET, ENDLESS = 0x41, 2_000
#: A pause that ends a message which has no end (ns).
FORGOTTEN = 2 * SECOND
#: The text of an error message says its number and nothing else.
NUMBER = re.compile(r"ERR[0-9]{1,2}")
Ask = Callable[[Talk], bytes]


def impossible(meter: Elster) -> dict[str, Ask]:
    """Sound commands that cannot be executed, and of which one that is obeyed all the same does no lasting harm.

    What is only read is given the bytes that stand there; everything else is about the scheme's name, which is kept.
    """
    serial, scheme = meter.identity("serial_number"), meter.identity("scheme_id")
    name, held = b"X" * scheme.size, meter.image("serial_number")
    return {
        "reading an unknown identity": lambda talk: talk.read(NO_SUCH_IDENTITY, 1),
        "reading packet 000": lambda talk: talk.read(serial.number, 1, 0),
        "reading a packet that is not there": lambda talk: talk.read(serial.number, 1, 2),
        "reading more than a packet holds": lambda talk: talk.read(serial.number, BEYOND_A_PACKET),
        "writing a byte too few": lambda talk: talk.write(scheme.number, name[:-1]),
        "writing what is only read": lambda talk: talk.write(serial.number, held),
        "writing half a byte": lambda talk: talk.command("W1", f"{scheme.number:03d}001(123)".encode()),
        "reading without brackets": lambda talk: talk.command("R1", f"{serial.number:03d}001".encode()),
        "executing what is not executed": lambda talk: talk.command("E2", f"{scheme.number:03d}001()".encode()),
    }  # fmt: skip


def astray(meter: Elster) -> dict[str, Ask]:
    """Commands that would write to where nobody can read what stood there: in front of an object, or behind it."""
    scheme = meter.identity("scheme_id")
    name = b"X" * scheme.size
    return {
        "writing an unknown identity": lambda talk: talk.write(NO_SUCH_IDENTITY, b"\1"),
        "writing packet 000": lambda talk: talk.write(scheme.number, name, 0),
        "writing a packet that is not there": lambda talk: talk.write(scheme.number, name, 2),
        "writing a byte too many": lambda talk: talk.write(scheme.number, name + b"X"),
    }


@destructive("tries writes that must be refused")
@needs("read-out", "program-scheme")
@catches("E34", "E78", "E79", "E80", "E98", "E142")
def test_what_is_refused_changes_nothing(meter: Elster, bench: Bench, measure: Measure) -> None:
    """Unknown identities, wrong packets, sizes that do not fit: error messages, and the meter is as it was."""
    armed, serial = bench.arm(meter), meter.identity("serial_number")
    with name_kept(meter, bench):
        before, asked = programmed(meter), impossible(meter)
        bench.journal.audit("writes that must be refused", device=meter.name)
        with talking(meter, armed) as talk:
            talk.enter()
            talk.answer_with(meter.session.given_password())
            texts = refusals(talk, meter, measure, asked)
            beyond = talk.read(serial.number, 2 * serial.size)
            came = (len(beyond) - len("\2()\3.")) // 2 if kind_of(beyond) == "data" else 0
            measure("bytes read beyond the end of an object", max(0, came - serial.size), device=meter.name).is_(0)
        telling = sum(bool(text) and not NUMBER.fullmatch(text) for text in texts)
        measure("error messages that say more than a number", telling, device=meter.name).is_(0)
        measure("what has changed", changes(before, programmed(meter)), device=meter.name).is_("nothing")


@destructive("tries writes that must be refused, on a meter that nobody needs afterwards")
@needs("read-out", "program-scheme")
@catches("E79")
def test_a_write_astray_is_refused(meter: Elster, bench: Bench, measure: Measure) -> None:
    """Unknown identities, packets and bytes that no object has; a real meter that obeyed could not be restored."""
    if not bench.may_spoil(meter.name):
        raise Undeterminable("writes to where no object is", "a meter that may be spoilt for good: a simulated one")
    armed = bench.arm(meter)
    with name_kept(meter, bench):
        before = programmed(meter)
        bench.journal.audit("writes that must be refused", device=meter.name)
        with talking(meter, armed) as talk:
            talk.enter()
            talk.answer_with(meter.session.given_password())
            refusals(talk, meter, measure, astray(meter))
        measure("what has changed", changes(before, programmed(meter)), device=meter.name).is_("nothing")


def name_kept(meter: Elster, bench: Bench) -> AbstractContextManager[bytes]:
    """The scheme's name is afterwards what it was, should a meter have obeyed."""
    row = meter.identity("scheme_id")
    return object_kept(meter, bench.arm(meter), bench.journal, row.number, row.size)


def refusals(talk: Talk, meter: Elster, measure: Measure, asked: dict[str, Ask]) -> list[str]:
    """Say what must be refused; returns the texts of the error messages."""
    texts: list[str] = []
    for what, ask in asked.items():
        answer = ask(talk)
        texts.append(error_text(answer) or "")
        measure(f"answer to {what}", kind_of(answer), device=meter.name).is_("error message")
    return texts


def damaged(sound: bytes, *, spoiling: bool) -> dict[str, bytes]:
    """The same write, damaged in each way that a line or a tool damages it."""
    found = {
        "with a wrong check character": sound[:-1] + bytes((sound[-1] ^ 0x55,)),
        "with one wrong character": sound.replace(b"(", b")", 1),
        "with a check character from STX on": sound[:-1] + bytes((sound[-1] ^ sound[1] ^ sound[2] ^ 0x02,)),
        "without ETX": sound[:-2] + sound[-1:],
        "without its end": sound[: len(sound) // 2],
    }
    if spoiling:  # what a firmware that kept all of it wrote over is nowhere to be read
        found["that is far too long"] = checked(SOH + b"W1" + STX + sound[4:10] + b"(" + b"58" * ENDLESS + b")" + ETX)
    return found


@destructive("sends damaged writes, which a meter must not obey")
@needs("read-out", "program-scheme")
@catches("E99", "E100", "E101")
def test_a_damaged_write_is_not_obeyed(meter: Elster, bench: Bench, measure: Measure) -> None:
    """NAK or silence, never ACK; the next command is understood, and the scheme's name is what it was."""
    armed, row, before = bench.arm(meter), meter.identity("scheme_id"), meter.image("scheme_id")
    wanted = f"{row.number:03d}001({(b'X' * row.size).hex().upper()})".encode()
    sound = Command("W", "1", wanted).encode()
    bench.journal.audit("damaged writes", device=meter.name)
    with name_kept(meter, bench), talking(meter, armed) as talk:
        talk.enter()
        talk.answer_with(meter.session.given_password())
        for what, message in damaged(sound, spoiling=bench.may_spoil(meter.name)).items():
            _judge(talk, meter, measure, f"a write {what}", talk.say(message), before)
        if meter.session.line.shows_framing:
            answer = talk.say_with_odd_parity(sound)
            _judge(talk, meter, measure, "a write with wrong parity", answer, before)
        else:
            lacks = "a line that carries parity"
            measure.not_determinable("answer to a write with wrong parity", lacks, device=meter.name)


def _judge(talk: Talk, meter: Elster, measure: Measure, what: str, answer: bytes, before: bytes) -> None:
    row = meter.identity("scheme_id")
    allowed = ("NAK", "silence", "error message") if "too long" in what else ("NAK", "silence")
    measure(f"answer to {what}", kind_of(answer), device=meter.name).one_of(allowed)
    talk.rest(FORGOTTEN)
    found = talk.read(row.number, row.size)
    same = b"(" + before.hex().upper().encode() + b")" in found
    shown = "as it was" if same else f"other, or unread: {kind_of(found)}"
    measure(f"scheme name after {what}", shown, device=meter.name).is_("as it was")
