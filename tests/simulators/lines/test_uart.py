"""A receiver that listens otherwise than the sender speaks: what it hears follows from the bits on the wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.lines.framing import Framing
from simulators.lines.uart import heard

FRAMES = [f"{bits}{parity}{stop}" for bits in "78" for parity in "NEO" for stop in "12"]
framings = st.builds(Framing, st.sampled_from([300, 600, 1200, 2400, 4800, 9600, 19200]), st.sampled_from(FRAMES))
SEVEN, EIGHT = Framing(300, "7E1"), Framing(300, "8N1")


@given(st.binary(max_size=40), framings)
def test_who_listens_as_it_is_spoken_hears_what_is_said(data: bytes, framing: Framing) -> None:
    carried = bytes(byte & 0x7F for byte in data) if framing.data_bits == 7 else data
    assert heard(carried, framing, framing) == carried


def test_seven_even_heard_as_eight_none_has_its_parity_in_bit_7() -> None:
    """ "A" (41) has two ones, "C" (43) three: the figures of a reader that forgot to set its port."""
    assert heard(b"/?!\r\nAC", SEVEN, EIGHT) == b"\xaf\x3f\x21\x8d\x0a\x41\xc3"


def test_eight_none_heard_as_seven_even_is_marked_where_the_parity_is_wrong() -> None:
    assert heard(b"\x41\xc3", EIGHT, SEVEN) == b"\x41\x43"
    assert heard(b"\x43\xc1", EIGHT, SEVEN) == b"\xc3\xc1"


def test_bit_7_of_a_load_profile_marker_is_lost_in_seven_bits() -> None:
    """Defect 58: E4 becomes 64, and its parity is right, so that nobody sees it."""
    assert heard(b"\xe4", EIGHT, SEVEN) == b"\x64"


def test_a_marked_character_has_the_wrong_parity_on_the_wire() -> None:
    assert heard(b"\xc1", SEVEN, EIGHT) == b"\xc1"
    assert heard(b"\xc1", SEVEN, SEVEN) == b"\xc1"


def test_even_is_not_odd() -> None:
    assert heard(b"AC", SEVEN, Framing(300, "7O1")) == b"\xc1\xc3"


def test_one_character_at_300_is_a_heap_of_them_at_9600() -> None:
    """A start bit of 3.3 ms is a break to a receiver whose character takes 1.04 ms."""
    garbage = heard(b"/", Framing(300, "7E1"), Framing(9600, "8N1"))
    assert garbage == bytes(len(garbage))
    assert 2 <= len(garbage) <= 5, "each run of zeros on the wire is one break"


def test_a_request_at_9600_is_next_to_nothing_at_300() -> None:
    assert len(heard(b"/?094!\r\n", Framing(9600, "7E1"), SEVEN)) <= 1


def test_a_low_that_is_shorter_than_half_a_start_bit_begins_nothing() -> None:
    assert heard(b"\xff\xff", Framing(9600, "8N1"), SEVEN) == b""


@pytest.mark.parametrize("frame", ["8N1", "8E1", "7E1"])
def test_half_the_speed_is_not_understood(frame: str) -> None:
    said = b"/GEC5120510070213@000\r\n"
    assert said not in heard(said, Framing(9600, frame), Framing(4800, frame))
    assert said not in heard(said, Framing(4800, frame), Framing(9600, frame))


@given(st.binary(max_size=60), framings, framings)
def test_whatever_is_said_something_is_heard_or_nothing(data: bytes, sent: Framing, listening: Framing) -> None:
    found = heard(data, sent, listening)
    assert len(found) <= 70 * len(data)
