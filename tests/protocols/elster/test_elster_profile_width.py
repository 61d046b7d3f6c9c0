"""One status byte or two: the stream tells."""

from datetime import datetime, timedelta

import pytest

from protocols.elster.errors import DataError
from protocols.elster.profile import Interval, Marker, MarkerKind, Record, Setup, encode_records
from protocols.elster.profile_width import decode_either
from protocols.elster.tables import Source

MIDNIGHT = datetime(2026, 3, 10)  # noqa: DTZ001  # a meter keeps local time without a zone
DAY, HALF_HOUR = timedelta(days=1), timedelta(minutes=30)
CHANNELS = (Source.IMPORT, Source.EXPORT, Source.Q1, Source.Q2)


def unknown() -> None:
    raise AssertionError("nobody had to ask for the time")


def stream(
    counts: tuple[int, ...], width: int, extended: int, value: int = 0, begin: datetime = MIDNIGHT
) -> list[Record]:
    """Days of so many intervals, the last of them under way."""
    setup = Setup(CHANNELS[:width], 30)
    records: list[Record] = []
    for day, count in enumerate(counts):
        moment = begin if not day else MIDNIGHT + day * DAY
        records.append(Marker(MarkerKind.NEW_DAY, moment, setup))
        records += [Interval(0, (value,) * width, extended)] * count
    return [*records, Marker(MarkerKind.END)]


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("value", [0, 1, 12_345, 99_999_000])
@pytest.mark.parametrize("extended", [-1, 0, 1, 3])
@pytest.mark.parametrize("known", [None, True, False])
def test_a_whole_day_tells_the_width(width: int, value: int, extended: int, *, known: bool | None) -> None:
    records = stream((48, 48, 7), width, extended, value)
    found = decode_either("A1140", encode_records("A1140", records), known=known, now=unknown)
    assert found == (records, extended >= 0)


@pytest.mark.parametrize("extended", [-1, 1])
def test_a_day_that_began_in_the_midst_of_a_period_tells_it_too(extended: int) -> None:
    records = stream((32, 3), 1, extended, begin=MIDNIGHT.replace(hour=8, second=49))
    found = decode_either("A1140", encode_records("A1140", records), known=None, now=unknown)
    assert found == (records, extended >= 0)


@pytest.mark.parametrize(("extended", "count"), [(-1, 20), (0, 16)])
def test_where_a_part_of_a_day_makes_sense_in_both_ways_the_time_decides(extended: int, count: int) -> None:
    """Sixteen intervals of five zeros are twenty of four."""
    records = stream((count,), 1, extended)
    data = encode_records("A1140", records)
    now = MIDNIGHT + count * HALF_HOUR + timedelta(minutes=4)
    assert decode_either("A1140", data, known=None, now=lambda: now) == (records, extended >= 0)
    assert decode_either("A1140", data, known=None, now=lambda: None)[1] is False, "what most meters have"
    assert decode_either("A1140", data, known=True, now=lambda: None)[1] is True, "what this meter had"


def test_intervals_that_are_missing_do_not_change_the_width() -> None:
    records = stream((47, 48, 7), 2, -1, 12_345)
    assert decode_either("A1140", encode_records("A1140", records), known=None, now=unknown) == (records, False)


def test_what_makes_sense_in_neither_way_is_told_as_of_one_byte() -> None:
    with pytest.raises(DataError, match="cut after 3 of 7 bytes"):
        decode_either("A1140", encode_records("A1140", stream((1,), 2, -1))[:-5], known=None, now=unknown)
