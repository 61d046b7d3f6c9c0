"""The sign-on: who answers to which address, and what it says of itself."""

from bench.bench import Bench
from bench.drivers.elster import Elster
from bench.errors import DeviceError, NotRestored
from bench.measure import Measure
from bench.procedures.flag_talk import Talk, address_of, talking
from bench.procedures.keeping import bringing_back
from protocols.conversation import ProtocolError
from protocols.elster.tables import model
from protocols.flag import frames
from protocols.flag.frames import CRLF
from scenarios.marks import catches, destructive, needs

#: Of the ident, the digits that say what kind of meter it is.
KIND = 5
#: Identifications as captured, or as the standard has them: maker, Z, escapes, ident, mode, quick.
CAPTURED = {
    b"/GEC5120510070213@000\r\n": ("GEC", "5", "", "120510070213@000", "C", False),
    b"/GEC5090100100400@000\r\n": ("GEC", "5", "", "090100100400@000", "C", False),
    b"/GEc5120510070213@000\r\n": ("GEc", "5", "", "120510070213@000", "C", True),
    b"/ABC5\\2Meter\r\n": ("ABC", "5", "2", "Meter", "E", False),
    b"/ABCEMeter\r\n": ("ABC", "E", "", "Meter", "B", False),
    b"/ABC Meter\r\n": ("ABC", " ", "", "Meter", "A", False),
}
FOREIGN = (b"555", b"556", b"557", b"558")
LETTERS = b"aB7"


def kind_of_meter(answer: bytes) -> str:
    """The device type that an answer tells, or what it is instead."""
    if not answer:
        return "silence"
    try:
        return frames.decode_identification(answer).ident[:KIND]
    except ProtocolError:
        return "no identification"


def expected_kind(name: str) -> str:
    """The device type of a model."""
    return frames.decode_identification(model(name).identification + CRLF).ident[:KIND]


def who_answers(talk: Talk, address: bytes) -> str:
    """Who answers to an address; whoever does is let go again."""
    answer = talk.call(address)
    if answer:
        talk.let_go(answer)
    return kind_of_meter(answer)


@needs("read-out")
@catches("T17", "E130")
def test_a_meter_says_who_it_is(meter: Elster, measure: Measure) -> None:
    """A sign-on is answered with one identification: the maker, a speed, and what kind of meter it is."""
    found = meter.session.identification()
    expected = frames.decode_identification(meter.model.identification + CRLF)
    measure("maker", found.maker, device=meter.name).is_(expected.maker)
    measure("speed that is offered", found.baud, device=meter.name).is_(expected.baud)
    measure("device type", found.ident[:KIND], device=meter.name).is_(expected.ident[:KIND])


@needs("read-out")
@catches("T18", "T19")
def test_an_identification_is_understood_whole(meter: Elster, measure: Measure) -> None:
    """What is read from an identification is what stands there: maker and its case, speed, escapes, every character.

    First of the one that this meter sends, then of others as they were captured.
    """
    with talking(meter) as talk:
        answer = talk.sign_on()
        talk.let_go(answer)
    own = answer[max(answer.find(b"/"), 0) :]
    measure("who this meter says it is", understood(meter, own), device=meter.name).is_(str(by_place(own)))
    for message, expected in CAPTURED.items():
        shown = message.decode("ascii").strip()
        measure(f"understood of {shown}", understood(meter, message), device=meter.name).is_(str(expected))


def understood(meter: Elster, message: bytes) -> str:
    """What the tool at the bench makes of an identification."""
    try:
        found = meter.session.client.understood(message)
    except ProtocolError as error:
        return str(error)
    return str((found.maker, found.speed_id, found.escapes, found.ident, found.mode, found.quick))


def by_place(message: bytes) -> tuple[str, str, str, str, str, bool]:
    """The same of a message in mode C without escapes, character by character, as such a meter sends it."""
    text = message.decode("ascii", "replace").rstrip("\r\n")
    return text[1:4], text[4:5], "", text[5:], "C", text[3:4].islower()


@needs("read-out")
@catches("E14", "E15", "E16", "E61")
def test_an_address_is_compared_whole(meter: Elster, bench: Bench, measure: Measure) -> None:
    """Leading zeros do not count; everything else does, and a meter that is not meant stays silent."""
    own, me = address_of(meter), expected_kind(meter.model.name)
    others = {address_of(bench.elster(name)): name for name in neighbours(meter, bench)}
    foreign = next(address for address in FOREIGN if address not in {own, *others})
    with talking(meter) as talk:
        rules = {
            "its address": (own, me),
            "its address with more zeros": (b"00000" + own, me),
            "its address without zeros": (own.lstrip(b"0") or b"0", me),
            "a foreign address": (foreign, "silence"),
            "a longer address that ends like its own": (b"7" + own, "silence"),
            "a longer address that begins like its own": (own + b"7", "silence"),
            "its address with a blank in front": (b" " + own, "silence"),
            "its address with a blank behind": (own + b" ", "silence"),
        }
        for what, (address, expected) in rules.items():
            measure(f"who answers to {what}", who_answers(talk, address), device=meter.name).is_(expected)
        if len(bench.station.on_link(meter.device.link)) == 1:
            measure("who answers to no address", who_answers(talk, b""), device=meter.name).is_(me)
        for address, name in others.items():
            kind = expected_kind(bench.elster(name).model.name)
            measure(f"who answers to {name}", who_answers(talk, address), device=meter.name).is_(kind)


def neighbours(meter: Elster, bench: Bench) -> list[str]:
    """Who else is on the meter's line."""
    mine = meter.device.link
    return [device.id for device in bench.station.devices.values() if device.link == mine and device.id != meter.name]


@destructive("gives the meter another outstation number, and the old one back")
@needs("read-out", "program-scheme")
@catches("E16", "T16")
def test_letters_of_an_address_keep_their_case(meter: Elster, bench: Bench, measure: Measure) -> None:
    """A meter that is called aB7 answers to aB7 and not to AB7: another meter may be called that."""
    armed, row = bench.arm(meter), meter.identity("outstation")
    was, address = {name: meter.image(name) for name in ("outstation", "serial_number")}, meter.session.client.address
    try:
        meter.log_in(armed, 3)
        before = was["outstation"].decode("ascii")
        bench.journal.audit("write outstation", device=meter.name, before=before, value=LETTERS.decode())
        meter.write_object(armed, row.number, LETTERS)
        meter.session.call(LETTERS)
        measure("answers by its name", meter.image("outstation").decode("ascii"), device=meter.name).is_("aB7")
        with talking(meter) as talk:
            for other in (b"AB7", b"ab7"):
                found = who_answers(talk, other)
                measure(f"who answers to {other.decode()}", found, device=meter.name).is_("silence")
    finally:
        give_back_outstation(meter, bench, was, address)


def give_back_outstation(meter: Elster, bench: Bench, was: dict[str, bytes], address: bytes) -> None:
    """Find the meter under whichever name it took, by its serial number, and give it the old one back."""
    row, armed = meter.identity("outstation"), bench.arm(meter)
    with bringing_back(meter.name, "the outstation number"):
        for name in 2 * (LETTERS, LETTERS.upper(), LETTERS.lower(), address):  # a line may spoil one look
            meter.session.call(name)
            shown = shown_of(meter)
            if shown.get("serial_number") == was["serial_number"]:
                break
        else:
            meter.session.call(address)
            bench.journal.audit("not restored", device=meter.name, identity=row.number, data=was["outstation"])
            reason = (
                f"it answers neither to {address.decode()!r} nor to {LETTERS.decode()!r}, which it may be called now"
            )
            raise NotRestored(reason, device=meter.name)
        if shown["outstation"] != was["outstation"]:
            bench.journal.audit("restore", device=meter.name, identity=row.number, data=was["outstation"])
            meter.log_in(armed, 3)
            meter.write_object(armed, row.number, was["outstation"])
    meter.session.call(address)


def shown_of(meter: Elster) -> dict[str, bytes]:
    """Name and serial number of whoever answers; nothing where several do, or none that is understood."""
    try:
        return {name: meter.image(name) for name in ("outstation", "serial_number")}
    except DeviceError:
        return {}
