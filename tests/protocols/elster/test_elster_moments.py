"""Moments and periods, profile requests, instantaneous values."""

# ruff: noqa: DTZ001  # meters keep local time without a zone

from datetime import datetime
from decimal import Decimal

import pytest
from elster_values import ANY_TIME, TIMES
from hypothesis import given
from hypothesis import strategies as st

from protocols.conversation import ProtocolError
from protocols.elster.instantaneous import (
    Instant,
    InstantValue,
    Phase,
    Request,
    decode_request,
    decode_value,
)
from protocols.elster.moments import (
    PERIODS,
    ClockBlock,
    DemandPeriod,
    decode_clock,
    decode_clock_block,
    decode_demand_period,
    decode_time,
    encode_clock,
    encode_seconds,
    encode_time,
    period_code,
    period_minutes,
)
from protocols.elster.requests import (
    BlockCounts,
    ProfileRange,
    counts_of,
    decode_counts,
    decode_days,
    decode_range,
    encode_days,
)

MOMENT = datetime(2026, 11, 18, 17, 30, 59)


def test_the_clock_is_bcd_from_the_seconds_on() -> None:
    assert encode_clock(MOMENT) == bytes.fromhex("59301718110026")
    assert decode_clock(bytes.fromhex("59301718110026")) == MOMENT


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)).map(lambda m: m.replace(microsecond=0)))
def test_the_clock_round_trip(moment: datetime) -> None:
    assert decode_clock(encode_clock(moment)) == moment


@pytest.mark.parametrize("text", ["00000031020026", "60000001010026", "000000010100ff", "0a000001010026"])
def test_what_is_no_date(text: str) -> None:
    with pytest.raises(ProtocolError, match="is no date"):
        decode_clock(bytes.fromhex(text))


def test_years_that_do_not_fit() -> None:
    with pytest.raises(ProtocolError, match="1999"):
        encode_clock(datetime(1999, 12, 31))
    with pytest.raises(ProtocolError, match="four bytes"):
        encode_time(datetime(2107, 1, 1))


def test_unix_seconds() -> None:
    assert encode_time(datetime(1970, 1, 1, 0, 4, 16)) == b"\x00\x01\x00\x00"
    assert decode_time(bytes(4)) is None
    assert decode_time(b"\xff" * 4) is None
    with pytest.raises(ProtocolError):
        encode_seconds(-1)


@given(ANY_TIME)
def test_time_stamps_round_trip(moment: datetime | None) -> None:
    assert decode_time(encode_time(moment)) == moment


@given(TIMES, st.binary(min_size=12, max_size=12))
def test_clock_blocks_round_trip(moment: datetime, rest: bytes) -> None:
    assert decode_clock_block(ClockBlock(moment, rest).encode()) == ClockBlock(moment, rest)


def test_period_codes() -> None:
    assert [period_minutes(code) for code in range(11)] == [1, 2, 3, 4, 5, 6, 10, 15, 20, 30, 60]
    assert period_code(30) == 9
    with pytest.raises(ProtocolError, match="no period of 7 min"):
        period_code(7)
    with pytest.raises(ProtocolError, match="code 11"):
        period_minutes(11)


@given(st.sampled_from(PERIODS), st.sampled_from(PERIODS), st.integers(0, 255))
def test_demand_periods_round_trip(period: int, sub_interval: int, count: int) -> None:
    demand = DemandPeriod(period, sub_interval, count)
    assert decode_demand_period(demand.encode()) == demand


def test_days_are_little_endian_and_counts_are_not() -> None:
    assert encode_days(90) == b"\x5a\x00"  # public A1140 reader, W1 551
    assert decode_counts(bytes.fromhex("011A0047")) == BlockCounts(282, 71)  # and R1 551
    assert counts_of(18_000) == BlockCounts(282, 71)  # elster-flag 3.5: 90 days, one channel, 30 min


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), ANY_TIME, ANY_TIME)
def test_requests_round_trip(a: int, b: int, start: datetime | None, end: datetime | None) -> None:
    assert decode_days(encode_days(a)) == a
    assert decode_counts(BlockCounts(a, b).encode()) == BlockCounts(a, b)
    assert decode_range(ProfileRange(start, end).encode()) == ProfileRange(start, end)


def test_requests_that_do_not_fit() -> None:
    with pytest.raises(ProtocolError):
        encode_days(65_536)
    with pytest.raises(ProtocolError):
        BlockCounts(0, 65_536).encode()


def test_an_instantaneous_request() -> None:
    assert Request(Instant.VOLTAGE, Phase.C).encode() == b"\x42"
    assert decode_request(b"\xc2") == Request(Instant.VOLTAGE, Phase.C, ready=True)


@given(st.builds(Request, st.sampled_from(Instant), st.sampled_from(Phase), st.booleans()))
def test_instantaneous_requests_round_trip(request: Request) -> None:
    assert decode_request(request.encode()) == request


@pytest.mark.parametrize("data", [b"\x00", b"\x0f", b"\x31", b"", b"\x01\x01"])
def test_requests_for_nothing(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode_request(data)


def test_instantaneous_values() -> None:
    assert InstantValue(Decimal("230.5")).encode() == bytes.fromhex("00 005030020000")
    assert decode_value(bytes.fromhex("84 050000000000")).value == Decimal(-5)
    assert decode_value(bytes.fromhex("ff 000000000000")) == InstantValue(None)
    assert decode_value(bytes.fromhex("07 000000000000")) == InstantValue(None, too_large=True)


def test_a_value_takes_as_many_decimals_as_there_is_room_for() -> None:
    assert InstantValue(Decimal(10**8) - Decimal("0.0002")).encode()[0] == 0  # twelve digits less one
    assert InstantValue(Decimal(10**8)).encode() == bytes.fromhex("01 000000000010")
    assert InstantValue(Decimal(10**13)).encode()[0] == 6


@given(st.decimals(-(10**10), 10**10, places=4))
def test_instantaneous_values_round_trip(value: Decimal) -> None:
    read = decode_value(InstantValue(value).encode()).value
    assert read is not None
    assert abs(read - value) * 10**8 < max(abs(value), 1)


@pytest.mark.parametrize("none", [InstantValue(None), InstantValue(None, too_large=True)])
def test_no_value_round_trip(none: InstantValue) -> None:
    assert decode_value(none.encode()) == none


@pytest.mark.parametrize("value", [Decimal(10) ** 15, Decimal("NaN"), Decimal("-Infinity")])
def test_values_that_twelve_digits_cannot_carry(value: Decimal) -> None:
    with pytest.raises(ProtocolError):
        InstantValue(value).encode()
