"""Numbers with a unit: exact integers inside, and back again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.station.quantities import DURATION, POWER, Quantity, QuantityError


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("20 ms", 20_000_000),
        ("20ms", 20_000_000),
        (" 20 ms ", 20_000_000),
        ("1.5 s", 1_500_000_000),
        ("0.1 s", 100_000_000),
        ("2 min", 120_000_000_000),
        ("24 h", 86_400_000_000_000),
        ("0.000000001 s", 1),
        ("0 s", 0),
    ],
)
def test_durations_are_nanoseconds(text: str, nanoseconds: int) -> None:
    assert DURATION.parse(text) == nanoseconds


@pytest.mark.parametrize(
    ("text", "milliwatts"),
    [
        ("30 kW", 30_000_000),
        ("-12.5 kW", -12_500_000),
        ("+1 W", 1_000),
        ("0.1 W", 100),
        ("1.1 MW", 1_100_000_000),
        ("5 mW", 5),
    ],
)
def test_powers_are_milliwatts(text: str, milliwatts: int) -> None:
    assert POWER.parse(text) == milliwatts


@pytest.mark.parametrize(
    ("quantity", "text", "reason"),
    [
        (DURATION, "soon", '"soon" is not a duration; write a number and a unit, such as 20 ms'),
        (DURATION, "1e3 s", '"1e3 s" has the unit "e3 s"; a duration has one of ns, us, ms, s, min, h'),
        (DURATION, "1 S", '"1 S" has the unit "S"; a duration has one of ns, us, ms, s, min, h; did you mean s?'),
        (DURATION, "", '"" is not a duration; write a number and a unit, such as 20 ms'),
        (DURATION, "1\nms", '"1\\nms" is not a duration; write a number and a unit, such as 20 ms'),
        (DURATION, "25 h", '"25 h" is outside 0 ns to 24 h'),
        (POWER, "30", '"30" has no unit; write a power as in 30 kW (mW, W, kW, MW)'),
        (POWER, "1.0001 mW", '"1.0001 mW" is finer than 1 mW'),
        (POWER, "-1001 MW", '"-1001 MW" is outside -1000 MW to 1000 MW'),
        (
            POWER,
            "\N{ARABIC-INDIC DIGIT ONE} W",
            '"\N{ARABIC-INDIC DIGIT ONE} W" is not a power; write a number and a unit, such as 30 kW',
        ),
    ],
)
def test_everything_else_is_refused_with_a_reason(quantity: Quantity, text: str, reason: str) -> None:
    with pytest.raises(QuantityError) as error:
        quantity.parse(text)
    assert str(error.value) == reason


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0 ns"), (90_000_000_000, "90 s"), (60_000_000_000, "1 min"), (1_500_000, "1500 us")]
)
def test_they_are_written_in_the_largest_unit_that_fits(value: int, text: str) -> None:
    assert DURATION.format(value) == text


@given(st.integers(DURATION.lowest, DURATION.highest))
def test_durations_come_back(value: int) -> None:
    assert DURATION.parse(DURATION.format(value)) == value


@given(st.integers(POWER.lowest, POWER.highest))
def test_powers_come_back(value: int) -> None:
    assert POWER.parse(POWER.format(value)) == value


@given(st.sampled_from([DURATION, POWER]), st.text())
def test_no_text_does_more_harm_than_to_be_refused(quantity: Quantity, text: str) -> None:
    try:
        value = quantity.parse(text)
    except QuantityError as error:
        value, reason = quantity.lowest, str(error)
    else:
        reason = "none"
    assert quantity.lowest <= value <= quantity.highest
    assert reason.isprintable()
