"""Single registers: power factor, compressed dates, two's complement."""

# ruff: noqa: DTZ001  # meters keep local time without a zone

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.conversation import ProtocolError
from protocols.powerlogic.words import (
    NOT_AVAILABLE,
    WordError,
    decode_date,
    decode_power_factor,
    encode_date,
    encode_power_factor,
    pack_words,
    pdu_address,
    signed,
    unpack_words,
    unsigned,
)

WORDS = st.integers(0, 0xFFFF)


def test_the_vendors_power_factor() -> None:
    assert decode_power_factor(unsigned(-31_794)) == (974, True)  # PM800 user guide p. 81: 0.974 lagging
    assert encode_power_factor(974, lagging=True) == unsigned(-31_794) == 0x83CE


def test_a_power_factor_is_no_twos_complement() -> None:
    assert signed(encode_power_factor(974, lagging=True)) == -31_794  # what a naive reader sees, divided by 1000


def test_a_lagging_zero_looks_like_not_available() -> None:
    assert encode_power_factor(0, lagging=True) == NOT_AVAILABLE
    assert decode_power_factor(NOT_AVAILABLE) == (0, True)


@given(thousandths=st.integers(0, 1000), lagging=st.booleans())
def test_power_factors_survive_the_round_trip(thousandths: int, *, lagging: bool) -> None:
    assert decode_power_factor(encode_power_factor(thousandths, lagging=lagging)) == (thousandths, lagging)


@pytest.mark.parametrize("thousandths", [-1, 1001])
def test_a_power_factor_beyond_one_does_not_exist(thousandths: int) -> None:
    with pytest.raises(WordError):
        encode_power_factor(thousandths, lagging=False)


@pytest.mark.parametrize("word", [1001, 0x83E9, 0x7FFF])
def test_a_word_beyond_one_is_no_power_factor(word: int) -> None:
    with pytest.raises(WordError, match="no power factor"):
        decode_power_factor(word)


EXAMPLE = datetime(2000, 1, 25, 11, 6, 59)


def test_the_manuals_date_in_three_words() -> None:
    assert encode_date(EXAMPLE, 3) == (0x0119, 0x640B, 0x063B)  # PM800 user guide p. 80
    assert decode_date((0x0119, 0x640B, 0x063B)) == EXAMPLE


def test_the_manuals_date_in_four_words() -> None:
    moment = EXAMPLE.replace(microsecond=122_000)
    assert encode_date(moment, 4) == (0x0119, 0x640B, 0x063B, 0x007A)  # CM4000 manual p. 129
    assert decode_date((0x0119, 0x640B, 0x063B, 0x007A)) == moment


def test_the_unused_fourth_word_of_a_pm800_is_no_part_of_the_date() -> None:
    assert decode_date((0x0119, 0x640B, 0x063B, NOT_AVAILABLE)) == EXAMPLE


@given(st.datetimes(datetime(1900, 1, 1), datetime(2099, 12, 31, 23, 59, 59)), st.sampled_from([3, 4]))
def test_dates_survive_the_round_trip(moment: datetime, words: int) -> None:
    whole = moment.replace(microsecond=moment.microsecond // 1000 * 1000 if words == 4 else 0)
    assert decode_date(encode_date(moment, words)) == whole


@pytest.mark.parametrize("words", [[0, 0, 0], [0, 0, 0, 0], [NOT_AVAILABLE] * 3, [NOT_AVAILABLE] * 4])
def test_no_date_is_shown_as_zeros_or_not_available(words: list[int]) -> None:
    assert decode_date(words) is None


@pytest.mark.parametrize(
    "words",
    [
        (0x021F, 0x640B, 0x063B),  # 31 February
        (0x0D01, 0x640B, 0x063B),  # month 13
        (0x0100, 0x640B, 0x063B),  # day 0
        (0x0119, 0x6418, 0x063B),  # hour 24
        (0x0119, 0x640B, 0x3C3B),  # minute 60
        (0x0119, 0x640B, 0x063C),  # second 60
        (0x0119, 0xC80B, 0x063B),  # year 2100: the byte ends at 199
        (0x0119, 0x640B, 0x063B, 1000),  # 1000 ms
    ],
)
def test_words_that_are_no_date(words: tuple[int, ...]) -> None:
    with pytest.raises(WordError):
        decode_date(words)


@pytest.mark.parametrize("year", [1899, 2100])
def test_years_that_the_byte_cannot_carry(year: int) -> None:
    with pytest.raises(WordError, match=r"1900\.\.2099"):
        encode_date(datetime(year, 1, 1), 3)


@given(st.lists(WORDS, min_size=3, max_size=4))
def test_garbage_is_a_date_or_a_protocol_error(words: list[int]) -> None:
    try:
        moment = decode_date(words)
    except ProtocolError:
        return
    if moment is not None:
        encode_date(moment, len(words))


@given(st.lists(WORDS, max_size=125))
def test_words_travel_high_byte_first(words: list[int]) -> None:
    assert pack_words(words) == b"".join(word.to_bytes(2, "big") for word in words)
    assert unpack_words(pack_words(words)) == words


def test_signs_and_addresses() -> None:
    assert unsigned(-42) == 0xFFD6
    assert signed(0xFFD6) == -42
    assert [signed(word) for word in (0, 0x7FFF, 0x8000, 0xFFFF)] == [0, 32_767, -32_768, -1]
    assert pdu_address(1700) == 1699
