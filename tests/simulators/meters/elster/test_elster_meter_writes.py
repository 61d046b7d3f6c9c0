"""Every identity that can be written gets what it cannot hold: the meter refuses it, or goes on working with it."""

from collections.abc import Iterator
from time import perf_counter

import pytest
from elster_desk import DAY, SECOND, Desk, Source

from protocols.elster.bcd import decode_bcd
from protocols.elster.configuration import layout
from protocols.flag.device import Refusal
from protocols.flag.readout import parse_readout
from simulators.meters.elster.catalogue import Entry, catalogue

MODELS = ("A1120", "A1140", "A1700")
#: How long 90 days may take to be settled (s); a profile of one minute, the shortest there is, takes one of them here.
BOUND = 15
STRANGE = {
    "all FF": lambda size: b"\xff" * size,
    "all 00": bytes,
    "all 99": lambda size: b"\x99" * size,
    "too short": lambda size: b"\x01" * (size - 1),
    "too long": lambda size: b"\x99" * (size + 1),
    "nothing": lambda _size: b"",
}
#: What has no length of its own to miss: nothing and one byte both reset billing, and days are written in two.
ANY_LENGTH = {"end_of_billing"}


def writable(model: str) -> Iterator[Entry]:
    return (entry for entry in catalogue(model).values() if entry.write_level is not None)


def everything(desk: Desk) -> dict[int, bytes]:
    return {number: desk.meter.image(number, 0) for number in catalogue(desk.meter.model.name)}


def answer(desk: Desk, entry: Entry, data: bytes) -> str:
    """The text of the refusal; empty if the meter has taken it."""
    try:
        desk.write(entry.number, data)
    except Refusal as refusal:
        return refusal.text
    return ""


def works(desk: Desk) -> None:
    """It counts for 90 days, and is read."""
    begun = perf_counter()
    before = desk.meter.energies(SECOND)[Source.IMPORT]
    desk.close(SECOND)
    desk.meter.settle(90 * DAY)
    assert parse_readout(desk.meter.readout(90 * DAY) + b"!\r\n")
    assert decode_bcd(desk.meter.image(507, 90 * DAY)[:8]) > 0
    assert desk.meter.energies(90 * DAY)[Source.IMPORT] > before
    everything_then = {number: desk.meter.image(number, 90 * DAY) for number in catalogue(desk.meter.model.name)}
    assert all(isinstance(image, bytes) for image in everything_then.values())
    if 551 in everything_then:
        desk.log_in(now=90 * DAY)
        desk.write(551, b"\x01\x00", now=90 * DAY)
        assert desk.meter.image(550, 90 * DAY)
    assert perf_counter() - begun < BOUND


@pytest.mark.parametrize("what", STRANGE)
@pytest.mark.parametrize("model", MODELS)
def test_what_an_identity_cannot_hold_is_refused_or_lived_with(model: str, what: str) -> None:
    refused = 0
    for entry in writable(model):
        desk = Desk(model)
        desk.log_in()
        before = everything(desk)
        said = answer(desk, entry, STRANGE[what](entry.size))
        if said:
            assert said in {"ERR1", "ERR3", "ERR5", "ERR6"}, entry
            assert everything(desk) == before, entry
            refused += 1
        else:
            assert what not in {"too short", "too long", "nothing"} or entry.name in ANY_LENGTH, entry
            works(desk)
    assert refused > 5


@pytest.mark.parametrize(
    ("model", "identity", "data"),
    [
        ("A1140", 777, b"\xff\xff"),  # bits that are no channel
        ("A1700", 777, b"\xff\xff"),
        ("A1140", 900, b"\xff"),
        ("A1140", 667, b"\x63" * 8),  # no source has this number
        ("A1140", 668, b"\x99" * 8),
        ("A1700", 614, b"\xff" * 7),  # no digits
        ("A1700", 616, bytes(6)),  # nothing to nothing
        ("A1140", 905, bytes(108)),  # month 0
        ("A1140", 906, bytes(192)),  # day type 0
        ("A1140", 907, bytes(256)),
        ("A1140", 901, b"\xff" * 11),
        ("A1140", 910, bytes((0, 0))),  # an item that stands for no time
        ("A1140", 911, bytes(320)),  # no text
    ],
)
def test_one_of_several_identities_of_a_section_is_refused_by_itself(model: str, identity: int, data: bytes) -> None:
    """It was kept until the others would come, and acknowledged; no other one could have made it right."""
    desk = Desk(model)
    desk.log_in()
    assert desk.refused(desk.write, identity, data) == "ERR6"
    section = catalogue(model)[identity].section
    assert desk.meter.configuration.unfinished() == {}
    assert section in {item.section for item in layout(model).items.values()}


def test_what_another_identity_of_its_section_makes_right_is_kept_until_it_comes() -> None:
    """A season that refers to a day type that is still to be written, and a switch without its rule."""
    desk = Desk()
    desk.log_in()
    season = bytes((1, 1, 2, 2, 2, 2, 2, 2, 2))
    desk.write(905, season.ljust(108, b"\xff"))
    assert desk.meter.configuration.sections["tariff"].seasons[0].week == (1,) * 7
    desk.write(906, bytes((1, 0, 0, 1, 2, 0, 0, 2)).ljust(192, b"\xff"))
    assert desk.meter.configuration.sections["tariff"].seasons[0].week == (2,) * 7
    desk.write(778, b"\x00")
    assert desk.meter.configuration.sections["daylight_saving"].shift == 1
    desk.write(901, bytes(11))
    assert desk.meter.configuration.sections["daylight_saving"].shift == 0
