"""The load profile as a stream of markers and intervals."""

# ruff: noqa: DTZ001  # meters keep local time without a zone

import time
from datetime import datetime

import pytest
from elster_values import ANY_TIME
from hypothesis import given
from hypothesis import strategies as st

from protocols.conversation import ProtocolError
from protocols.elster.moments import PERIODS
from protocols.elster.profile import (
    WITH_SETUP,
    Interval,
    IntervalStatus,
    Marker,
    MarkerKind,
    Record,
    Setup,
    decode_mask,
    decode_records,
    decode_setup,
    decode_value,
    encode_mask,
    encode_records,
    encode_setup,
    encode_value,
    ended,
)
from protocols.elster.tables import Source, model

DAY = datetime(2026, 3, 1)
TWO = Setup((Source.IMPORT, Source.CUSTOMER_1), 30)


def test_the_two_constants_of_the_public_reader() -> None:
    assert decode_setup("A1140", bytes.fromhex("400109")) == TWO
    four = (Source.IMPORT, Source.EXPORT, Source.CUSTOMER_1, Source.CUSTOMER_2)
    assert decode_setup("A1140", bytes.fromhex("C00389")) == Setup(four, 30, dst=True)
    assert encode_setup("A1140", TWO).hex() == "400109"
    assert encode_setup("A1140", Setup(four, 30, dst=True)).hex() == "c00389"


def test_an_a1700_keeps_the_dst_flag_in_the_mask() -> None:
    setup = Setup((Source.IMPORT, Source.VA, Source.CUSTOMER_1), 15, dst=True)
    assert encode_setup("A1700", setup).hex() == "01c107"
    assert decode_setup("A1700", bytes.fromhex("01c107")) == setup


def test_the_markers_and_the_status_bits() -> None:
    """elster-flag 3.5, in the order in which it names them."""
    assert [kind.value for kind in MarkerKind] == [0xE2, 0xE4, 0xE5, 0xE6, 0xE8, 0xE9, 0xEA, 0xEB, 0xED, 0xFF]
    assert [bit.value for bit in IntervalStatus] == [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "000000"),
        (1, "000010"),
        (99_999, "999990"),
        (100_000, "100001"),
        (123_454, "123451"),
        (123_455, "123461"),  # half up, where a cut would give 12345
        (999_994, "999991"),
        (999_995, "100002"),
        (99_999_000_000_000, "999999"),
    ],
)
def test_values_are_rounded_to_five_digits(value: int, text: str) -> None:
    assert encode_value(value).hex() == text


@given(st.integers(0, 99_999_499_999_999))
def test_a_value_is_off_by_half_its_last_digit_at_the_most(value: int) -> None:
    read = decode_value(encode_value(value))
    assert abs(read - value) * 2 <= 10 ** max(len(str(value)) - 5, 0)


@pytest.mark.parametrize("value", [-1, 99_999_500_000_000])
def test_values_that_do_not_fit(value: int) -> None:
    with pytest.raises(ProtocolError):
        encode_value(value)


@pytest.mark.parametrize("text", ["", "0000", "00000a", "a00000", "00000000"])
def test_what_is_no_value(text: str) -> None:
    with pytest.raises(ProtocolError, match="is no value"):
        decode_value(bytes.fromhex(text))


@pytest.mark.parametrize("name", ["A1140", "A1700"])
@given(data=st.data())
def test_masks_and_setups_round_trip(name: str, data: st.DataObject) -> None:
    setup = data.draw(setups(name))
    assert decode_mask(name, encode_mask(name, setup.channels)) == setup.channels
    assert decode_setup(name, encode_setup(name, setup)) == setup


def test_channels_that_a_model_has_not() -> None:
    with pytest.raises(ProtocolError, match="A1140 records no input_1"):
        encode_mask("A1140", [Source.INPUT_1])
    with pytest.raises(ProtocolError, match="bit 8 of the mask 0100"):
        decode_mask("A1140", b"\x01\x00")
    with pytest.raises(ProtocolError, match="2 bytes"):
        decode_mask("A1140", b"\x01")
    with pytest.raises(ProtocolError, match="code 15"):
        decode_setup("A1140", b"\x00\x01\x0f")
    with pytest.raises(ProtocolError, match="3 bytes"):
        decode_setup("A1140", b"\x00\x01")


def channels(name: str) -> list[Source]:
    return [Source(text) for _, text in sorted(model(name)["channels"].items())]


@st.composite
def setups(draw: st.DrawFn, name: str) -> Setup:
    taken = draw(st.sets(st.sampled_from(channels(name)), min_size=1))
    ordered = tuple(source for source in channels(name) if source in taken)
    return Setup(ordered, draw(st.sampled_from(PERIODS)), draw(st.booleans()))


@st.composite
def streams(draw: st.DrawFn, name: str, *, extended: bool = False) -> list[Record]:
    """Records as a meter writes them: a new day first, values that five digits carry, perhaps an end mark."""
    records: list[Record] = []
    width = 0
    kinds = [kind for kind in MarkerKind if kind is not MarkerKind.END]
    for kind in [MarkerKind.NEW_DAY, *draw(st.lists(st.sampled_from([*kinds, None, None, None]), max_size=20))]:
        if kind is None:
            values = draw(st.tuples(*[st.integers(0, 99_999).map(lambda value: value * 100)] * width))
            values = tuple(decode_value(encode_value(value)) for value in values)
            records.append(Interval(draw(st.integers(0, 0x7F)), values, draw(st.integers(0, 255)) if extended else -1))
            continue
        setup = draw(setups(name)) if kind in WITH_SETUP else None
        width = len(setup.channels) if setup else width
        records.append(Marker(kind, draw(ANY_TIME), setup))
    return [*records, *draw(st.sampled_from([[], [Marker(MarkerKind.END)]]))]


@pytest.mark.parametrize("name", ["A1140", "A1700"])
@pytest.mark.parametrize("extended", [False, True])
@given(data=st.data())
def test_streams_round_trip(name: str, extended: bool, data: st.DataObject) -> None:
    records = data.draw(streams(name, extended=extended))
    assert decode_records(name, encode_records(name, records), extended=extended) == records


@given(st.data())
def test_a_stream_cut_anywhere_gives_its_beginning_or_a_clear_error(data: st.DataObject) -> None:
    records = data.draw(streams("A1140"))
    whole = encode_records("A1140", records)
    for cut in range(len(whole)):
        try:
            read = decode_records("A1140", whole[:cut])
        except ProtocolError as error:
            assert "is cut after" in str(error)  # noqa: PT017
        else:
            assert read == records[: len(read)]


def test_a_short_day_by_hand() -> None:
    parts = ("E4 8081A369 400109", "02 123450 000010", "EA 00010000", "00 123451 000000", "FF FFFFFF")
    data = bytes.fromhex("".join(parts))
    day, first, change, second, end = decode_records("A1140", data)
    assert day == Marker(MarkerKind.NEW_DAY, DAY, TWO)
    assert first == Interval(0x02, (12_345, 1))
    assert change == Marker(MarkerKind.TIME_CHANGE, datetime(1970, 1, 1, 0, 4, 16))
    assert second == Interval(0, (123_450, 0))
    assert end == Marker(MarkerKind.END)


def test_filling_behind_the_end_is_not_looked_at() -> None:
    day = encode_records("A1140", [Marker(MarkerKind.NEW_DAY, DAY, TWO)])
    for filling in (b"\xff", b"\xff" * 100, b"\xff" + bytes(2), b"\xff" * 5 + b"\xe4"):
        assert decode_records("A1140", day + filling)[1:] == [Marker(MarkerKind.END)]
    timed = encode_records("A1140", [Marker(MarkerKind.NEW_DAY, DAY, TWO), Marker(MarkerKind.END, DAY)])
    assert decode_records("A1140", timed)[-1] == Marker(MarkerKind.END, DAY)


def test_a_stream_without_an_end_mark_may_lack_something() -> None:
    assert not ended([])
    assert not ended([Marker(MarkerKind.NEW_DAY, DAY, TWO)])
    assert not ended([Interval(0, ())])
    assert ended([Marker(MarkerKind.END)])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("00 000000", "starts with 00 and not with a day marker"),
        ("64 80FFA369 400109", "starts with 64"),  # bit 7 lost: 7E1 where 8N1 belongs
        ("E4 80FFA369 400109 E0", "no marker E0"),
        ("E4 80FFA369 4001", "marker E4 is cut after 7 of 8 bytes"),
        ("E4 80FFA369 400109 00 0000", "interval is cut after 3 of 7 bytes"),
        ("E4 80FFA369 400109 00 00000A 000000", "byte 9: 00000a holds a digit above 9"),
        ("E4 80FFA369 400109 00 000000 000F00", "byte 12"),
        ("E4 80FFA369 400109 00 A50000 000000", "byte 9: a50000"),
    ],
)
def test_streams_that_are_none(text: str, complaint: str) -> None:
    with pytest.raises(ProtocolError, match=complaint):
        decode_records("A1140", bytes.fromhex(text))


@pytest.mark.parametrize(
    ("records", "complaint"),
    [
        ([Interval(0, (1,))], "must start with a day marker"),
        ([Marker(MarkerKind.NEW_DAY, DAY)], "E4 lacks a setup"),
        ([Marker(MarkerKind.POWER_UP, DAY, TWO)], "E5 carries a setup"),
        ([Marker(MarkerKind.NEW_DAY, DAY, TWO), Interval(0, (1,))], "1 values where 2 channels"),
        ([Marker(MarkerKind.NEW_DAY, DAY, TWO), Interval(0x80, (1, 1))], "read as a marker"),
    ],
)
def test_records_that_make_no_stream(records: list[Record], complaint: str) -> None:
    with pytest.raises(ProtocolError, match=complaint):
        encode_records("A1140", records)


def test_ninety_days_of_half_hours_take_less_than_50_ms() -> None:
    setup = Setup((Source.IMPORT, Source.EXPORT, Source.Q1, Source.Q4), 30)
    intervals = [Interval(0, (k * 31, k, k * 977, 0)) for k in range(4320)]
    data = encode_records("A1140", [Marker(MarkerKind.NEW_DAY, DAY, setup), *intervals])
    best = min(_timed(data) for _ in range(5))
    assert best < 0.05


def _timed(data: bytes) -> float:
    start = time.perf_counter()
    assert len(decode_records("A1140", data)) == 4321
    return time.perf_counter() - start
