"""Profiles: what a station file may change, and what it may not write."""

from typing import Any

import pytest

from protocols.powerlogic.tables import models
from simulators.meters.powerlogic import build_meter
from simulators.meters.powerlogic.profile import ProfileError, duration, profile_of

PM850 = models()["PM850"]


DURATIONS = {
    "150 ms": 150_000_000,
    "8 s": 8_000_000_000,
    "2 min": 120_000_000_000,
    "0 s": 0,
    "0.5s": 500_000_000,
    "1.5 ms": 1_500_000,
}


@pytest.mark.parametrize(("text", "ns"), DURATIONS.items())
def test_durations(text: str, ns: int) -> None:
    assert duration(text) == ns


@pytest.mark.parametrize("text", ["-1 s", "1", 1, 1.5, "s", "1 h", "1.s", "1 s ", "", None, True, "٣ s"])
def test_what_is_no_duration(text: object) -> None:
    with pytest.raises(ProfileError, match="is no duration: a number with ms, s or min"):
        duration(text)


@pytest.mark.parametrize("model", models())
def test_every_model_has_a_whole_profile(model: str) -> None:
    profile = profile_of(models()[model])
    assert profile.function_codes >= {3, 4, 6, 16, 17}
    assert profile.boot == 8_000_000_000
    assert profile is profile_of(models()[model], {})


def test_a_value_of_the_file_takes_the_place_of_the_models() -> None:
    profile = profile_of(PM850, {"exec_delay": "2 s", "function_codes": [3, 16], "rollover": "saturate"})
    assert (profile.exec_delay, profile.function_codes, profile.rollover) == (2_000_000_000, {3, 16}, "saturate")
    assert profile.boot == profile_of(PM850).boot
    assert profile_of(PM850).rollover == "wrap"


WRONG: list[tuple[str, Any]] = [
    ("function_codes", 5),
    ("function_codes", []),
    ("function_codes", [0]),
    ("function_codes", [128]),
    ("function_codes", ["3"]),
    ("function_codes", [True]),
    ("function_codes", "34"),
    ("function_codes", None),
    ("slave_id", 256),
    ("slave_id", -1),
    ("slave_id", "64h"),
    ("slave_id", True),
    ("product_id", "x"),
    ("product_id", 32_768),
    ("product_id", None),
    ("product_name", 850),
    ("product_name", ""),
    ("product_name", "PM850\n"),
    ("product_name", "Zähler"),
    ("product_name", "P" * 65),
    ("os_version", -1),
    ("os_version", 12.2),
    ("vendor_label", -1),
    ("vendor_label", 2),
    ("command_password", "secret"),
    ("clock_drift_ppm", 0.5),
    ("clock_drift_ppm", 100_001),
    ("locked_write", 0),
    ("locked_write", "02"),
    ("atomic_block_read", 1),
    ("clear_command", "yes"),
    ("keep_pointers", None),
    ("accepts_broadcast", 0),
    ("revenue_lock_blocks_preset", "no"),
    ("needs_setup_for_floats", 1),
    ("rollover", "stop"),
    ("rollover", ["wrap"]),
    ("undefined_read", True),
    ("status_semantics", 0),
    ("exec_delay", "-1 s"),
    ("boot", 8),
    ("save_delay", {}),
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=str)
def test_a_value_of_the_wrong_kind_is_refused_with_what_is_allowed(name: str, value: object) -> None:
    with pytest.raises(ProfileError) as caught:
        profile_of(PM850, {name: value})
    assert repr(value) in str(caught.value)


def test_a_message_says_what_is_allowed() -> None:
    with pytest.raises(ProfileError, match=r"^profile value vendor_label is a whole number 0 to 1, not -1$"):
        profile_of(PM850, {"vendor_label": -1})
    with pytest.raises(ProfileError, match=r"^profile value rollover is one of wrap, saturate, not 'stop'$"):
        profile_of(PM850, {"rollover": "stop"})


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ProfileError, match=r"unknown profile value 'exec_delai'; known: .*exec_delay"):
        profile_of(PM850, {"exec_delai": "1 s"})


def test_a_meter_is_not_built_with_a_wrong_profile_or_model() -> None:
    with pytest.raises(ProfileError):
        build_meter("PM850", profile={"boot": "soon"})
    with pytest.raises(KeyError):
        build_meter("PM999")
