"""Energies in base 10,000: the words on the wire and the values behind them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocols.powerlogic.energy import (
    CM2_ORDER,
    LIMIT,
    SERIES_ORDER,
    EnergyRangeError,
    Quantity,
    checked,
    decode,
    decode_set,
    encode,
    encode_set,
)

ENERGIES = st.integers(-LIMIT, LIMIT)


def test_the_vendors_example() -> None:
    assert decode((4567, 123, 0, 0)) == 1_234_567  # Schneider FAQ FA146443


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, (0, 0, 0, 0)),
        (9_999, (9_999, 0, 0, 0)),
        (10_000, (0, 1, 0, 0)),
        (99_999_999, (9_999, 9_999, 0, 0)),
        (100_000_000, (0, 0, 1, 0)),
        (-42, (-42, 0, 0, 0)),
        (-12_345_678, (-5_678, -1_234, 0, 0)),
        (10**16 - 1, (9_999,) * 4),
        (-(10**16) + 1, (-9_999,) * 4),
    ],
)
def test_corners_of_the_range(value: int, words: tuple[int, ...]) -> None:
    assert encode(value) == words
    assert decode(words) == value


@pytest.mark.parametrize("value", [10**16, -(10**16)])
def test_what_four_words_cannot_carry_is_refused(value: int) -> None:
    with pytest.raises(EnergyRangeError, match="does not fit into 4 words"):
        encode(value)


def test_incremental_energies_have_three_words() -> None:
    assert encode(999_999_999_999, 3) == (9_999, 9_999, 9_999)
    with pytest.raises(EnergyRangeError):
        encode(10**12, 3)


@given(ENERGIES)
@example(LIMIT)
@example(-LIMIT)
def test_every_energy_survives_the_round_trip_with_one_sign(value: int) -> None:
    words = encode(value)
    assert decode(words) == value
    assert all(-9_999 <= word <= 9_999 for word in words)
    assert not (min(words) < 0 < max(words))


def test_mixed_signs_decode_as_they_stand_but_are_not_canonical() -> None:
    assert decode((-1, 1, 0, 0)) == 9_999
    assert encode(9_999) != (-1, 1, 0, 0)


@pytest.mark.parametrize("position", range(28))
@pytest.mark.parametrize("word", [10_000, -10_000])
def test_the_range_check_names_the_bad_word(position: int, word: int) -> None:
    words = [9_999, -9_999] * 14
    assert checked(words) is words
    words[position] = word
    with pytest.raises(EnergyRangeError, match=rf"word {position + 1} of 28 is {word}"):
        checked(words)


@given(st.fixed_dictionaries(dict.fromkeys(Quantity, ENERGIES)), st.sampled_from([SERIES_ORDER, CM2_ORDER]))
def test_seven_energies_survive_in_either_order(values: dict[Quantity, int], order: tuple[Quantity, ...]) -> None:
    words = encode_set(values, order)
    assert decode_set(words, order) == values
    assert list(decode_set(words, order)) == list(Quantity)


def test_the_straight_copy_of_a_cm2_block_rotates_three_quantities() -> None:
    source = dict.fromkeys(Quantity, 0)
    source[Quantity.REAL_TOTAL], source[Quantity.REACTIVE_TOTAL] = 5_007_000_000, 1_500_000_000
    source[Quantity.APPARENT_TOTAL] = 5_300_000_000
    landed = decode_set(encode_set(source, CM2_ORDER), SERIES_ORDER)
    assert landed[Quantity.REAL_TOTAL] == 5_300_000_000
    assert landed[Quantity.REACTIVE_TOTAL] == 5_007_000_000
    assert landed[Quantity.APPARENT_TOTAL] == 1_500_000_000


@pytest.mark.parametrize("count", [27, 29])
def test_a_block_has_28_words(count: int) -> None:
    with pytest.raises(EnergyRangeError, match=f"{count} words where 28 belong"):
        decode_set([0] * count)


def test_units_and_titles() -> None:
    assert [quantity.unit for quantity in Quantity] == ["Wh", "varh", "Wh", "varh", "Wh", "varh", "VAh"]
    assert Quantity.REAL_IN.title == "real energy in"
