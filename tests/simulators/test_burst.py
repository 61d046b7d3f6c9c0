"""Bursts and inboxes: when each byte is there, without an event per byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.lines.burst import Burst, Inbox
from simulators.lines.framing import Framing

FRAMINGS = st.builds(Framing, st.integers(1, 1_000_000), st.sampled_from(["7E1", "8N1", "8E1", "8O2"]))


@given(FRAMINGS, st.integers(0, 10**15), st.integers(1, 300), st.data())
def test_a_byte_is_there_when_it_is_due_and_not_before(
    framing: Framing, start: int, size: int, data: st.DataObject
) -> None:
    burst = Burst(start, bytes(size), framing)
    index = data.draw(st.integers(1, size))
    due = burst.arrival_of(index)
    assert burst.arrived(due) >= index
    assert burst.arrived(due - 1) < index
    assert burst.arrived(burst.end) == size


def test_bytes_that_are_taken_do_not_come_again() -> None:
    burst = Burst(0, b"abcdef", Framing(1000, "8N1"))  # 10 ms a character
    assert burst.arrived(29_999_999) == 2
    assert burst.take(2) == b"ab"
    assert burst.arrived(29_999_999) == 0
    assert burst.arrived(30_000_000) == 1
    assert burst.arrival_of(1) == 30_000_000
    assert burst.left == 4


def test_garbling_reaches_the_copies() -> None:
    burst = Burst(0, b"abc", Framing())
    copy = burst.copy()
    burst.garble(b"xyz")
    assert copy.take(3) == b"xyz"


@pytest.fixture
def inbox() -> Inbox:
    """Two bursts at 10 ms a character: "abc" from 0 to 30 ms, "de" from 50 to 70 ms."""
    inbox = Inbox()
    inbox.put(Burst(0, b"abc", Framing(1000, "8N1")))
    inbox.put(Burst(50_000_000, b"de", Framing(1000, "8N1")))
    return inbox


@pytest.mark.parametrize(("now", "count"), [(0, 0), (10, 1), (29, 2), (30, 3), (50, 3), (60, 4), (70, 5), (999, 5)])
def test_what_can_be_read_at_an_instant(inbox: Inbox, now: int, count: int) -> None:
    assert inbox.available(now * 1_000_000) == count
    assert len(inbox.take(99, now * 1_000_000)) == count


@pytest.mark.parametrize(("count", "due"), [(1, 10), (3, 30), (4, 60), (5, 70)])
def test_when_so_many_bytes_will_be_there(inbox: Inbox, count: int, due: int) -> None:
    assert inbox.due(count) == due * 1_000_000


def test_more_than_is_on_its_way_is_never_due(inbox: Inbox) -> None:
    assert inbox.due(6) is None
    assert Inbox().due(1) is None


def test_clearing_spares_what_is_still_on_its_way(inbox: Inbox) -> None:
    inbox.clear(20_000_000)
    assert inbox.take(99, 70_000_000) == b"cde"


@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(1, 8)), min_size=1, max_size=5),
    st.integers(0, 200),
    st.integers(1, 12),
)
def test_due_available_and_take_agree_even_when_talkers_overlap(
    bursts: list[tuple[int, int]], now: int, count: int
) -> None:
    inbox = Inbox()
    for start, size in sorted(bursts):
        inbox.put(Burst(start, bytes(size), Framing(10**9, "8N1")))  # 10 ns a character
    due = inbox.due(count)
    available = inbox.available(now)
    assert (due is not None and due <= now) == (available >= count)
    assert len(inbox.take(99, now)) == available


@given(FRAMINGS, st.integers(1, 300), st.data())
def test_who_falls_silent_has_sent_whole_characters_and_no_more(
    framing: Framing, size: int, data: st.DataObject
) -> None:
    burst, now = Burst(1000, bytes(size), framing), data.draw(st.integers(0, 10**12))
    copy, whole = burst.copy(), burst.arrived(now)
    taken = burst.take(data.draw(st.integers(0, whole)))
    burst.cut(now)
    assert len(burst.data) == len(copy.data) == whole
    assert burst.end == copy.end == 1000 + framing.time_of(whole)
    assert burst.left == whole - len(taken)


def test_a_burst_that_was_cut_within_its_first_character_holds_nobody_up() -> None:
    inbox = Inbox()
    framing = Framing(1000)
    cut, whole = Burst(0, b"never", framing), Burst(10**9, b"ab", framing)
    inbox.put(cut)
    inbox.put(whole)
    cut.cut(framing.time_of(1) - 1)
    assert inbox.take(99, 2 * 10**9) == b"ab"
