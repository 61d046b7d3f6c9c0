"""Whole objects in partial blocks: R3 and W3, as the profile has them."""

from elster_desk import Desk, pytest

from protocols.flag.device import Ack, Blocks

EMPTY = b"(" + b"FF" * 64 + b")"


def test_an_object_is_read_in_brackets_of_64_bytes():
    desk = Desk()
    desk.log_in(0)
    answer = desk.do("R3", b"907001()")
    assert isinstance(answer, Blocks)
    assert answer.parts == (EMPTY,) * 4
    assert desk.do("R3", b"795001()").parts == (b"(2020202020202020)",)


def test_it_is_written_in_the_same_brackets_and_counts_once():
    desk = Desk()
    desk.log_in()
    wanted = bytes((0xFF, 1, 6, 1)).ljust(256, b"\xff")
    parts = b"".join(b"(" + wanted[k : k + 64].hex().upper().encode() + b")" for k in range(0, 256, 64))
    assert desk.do("W3", b"907001" + parts) == Ack()
    assert desk.meter.image(907, 0) == wanted
    assert desk.meter.programmings.count == 1


@pytest.mark.parametrize(
    ("name", "data", "error"),
    [
        ("R3", b"907001(40)", "ERR1"),
        ("R3", b"907002()", "ERR3"),
        ("R3", b"999001()", "ERR2"),
        ("R3", b"576001()", "ERR1"),
        ("W3", b"907001", "ERR1"),
        ("W3", b"907002(FF)", "ERR1"),
        ("W3", b"907001" + EMPTY + b"907002" + EMPTY, "ERR1"),
        ("W3", b"907001" + EMPTY * 5, "ERR3"),
        ("W3", b"795001(58)", "ERR1"),
    ],
)
def test_what_is_no_whole_object_is_refused(name, data, error):
    desk = Desk()
    desk.log_in()
    before = desk.meter.image(907, 0), desk.meter.image(795, 0)
    assert desk.refused(desk.do, name, data) == error
    assert (desk.meter.image(907, 0), desk.meter.image(795, 0)) == before


def test_it_needs_the_level_that_packets_need():
    desk = Desk()
    desk.log_in(0)
    assert desk.refused(desk.do, "W3", b"907001" + EMPTY * 4) == "ERR5"


def test_a_profile_may_have_none():
    desk = Desk(profile={"partial_blocks": False})
    desk.log_in()
    assert desk.refused(desk.do, "R3", b"907001()") == "ERR1"
    assert desk.refused(desk.do, "W3", b"907001" + EMPTY * 4) == "ERR1"
