"""Speeds and framings: how long characters and silences take."""

import pytest

from simulators.lines.framing import Framing

#: Published figures: Bd, character of 10 and of 11 bits, 3.5 characters of 10 and of 11 bits; all in ms.
LINE_TIMES = [
    (300, 33.333, 36.667, 116.667, 128.333),
    (1200, 8.333, 9.167, 29.167, 32.083),
    (2400, 4.167, 4.583, 14.583, 16.042),
    (4800, 2.083, 2.292, 7.292, 8.021),
    (9600, 1.042, 1.146, 3.646, 4.010),
    (19200, 0.521, 0.573, 1.823, 2.005),
    (38400, 0.260, 0.286, 1.750, 1.750),
    (115200, 0.087, 0.095, 1.750, 1.750),
]


@pytest.mark.parametrize(("baud", "ten", "eleven", "silence_ten", "silence_eleven"), LINE_TIMES)
def test_character_times_and_silences(
    baud: int, ten: float, eleven: float, silence_ten: float, silence_eleven: float
) -> None:
    for frame in ("8N1", "7E1", "7O1", "7N2"):
        assert Framing(baud, frame).time_of(1) / 1e6 == pytest.approx(ten, abs=5e-4)
        assert Framing(baud, frame).silence / 1e6 == pytest.approx(silence_ten, abs=5e-4)
    for frame in ("8E1", "8O1", "8N2", "7E2"):
        assert Framing(baud, frame).time_of(1) / 1e6 == pytest.approx(eleven, abs=5e-4)
        assert Framing(baud, frame).silence / 1e6 == pytest.approx(silence_eleven, abs=5e-4)


@pytest.mark.parametrize(
    ("frame", "bits"), [("7N1", 9), ("7E1", 10), ("8N1", 10), ("8E1", 11), ("8N2", 11), ("8O2", 12)]
)
def test_bits_of_a_character(frame: str, bits: int) -> None:
    assert Framing(9600, frame).character_bits == bits


def test_a_long_burst_is_rounded_once_and_not_at_every_character() -> None:
    assert Framing(9600, "8E1").time_of(9600) == 11_000_000_000


def test_parts_of_a_framing() -> None:
    framing = Framing(300, "7E1")
    assert (framing.data_bits, framing.parity, framing.stop_bits, str(framing)) == (7, "E", 1, "300 7E1")


@pytest.mark.parametrize("frame", ["9N1", "8X1", "8N3", "8n1", "8N", "8N1 "])
def test_framings_that_do_not_exist(frame: str) -> None:
    with pytest.raises(ValueError, match="is no framing"):
        Framing(9600, frame)


@pytest.mark.parametrize("baud", [0, -9600])
def test_speeds_that_do_not_exist(baud: int) -> None:
    with pytest.raises(ValueError, match="is no speed"):
        Framing(baud)
