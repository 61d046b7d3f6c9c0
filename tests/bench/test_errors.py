from __future__ import annotations

import pytest

from bench import errors
from bench.errors import BenchError, DeviceError, Exit, NotArmed, Refused, StationError, Undeterminable, UsageError


@pytest.mark.parametrize(
    ("file", "line", "text"),
    [
        (None, None, "no such key"),
        ("lab-3.yaml", None, "lab-3.yaml: no such key"),
        ("lab-3.yaml", 7, "lab-3.yaml:7: no such key"),
        (None, 7, "no such key"),
    ],
)
def test_a_usage_error_points_at_its_line(file: str | None, line: int | None, text: str) -> None:
    assert str(UsageError("no such key", file, line)) == text


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), Exit.USAGE),
        (NotArmed("x"), Exit.USAGE),
        (StationError("x"), Exit.STATION),
        (DeviceError("x"), Exit.FAILED),
        (Refused("x", code=2), Exit.FAILED),
        (Undeterminable("x", "y"), Exit.NOTHING),
    ],
)
def test_every_family_has_its_exit_code(error: BenchError, code: Exit) -> None:
    assert error.exit is code


def test_exit_codes_are_those_of_the_contract() -> None:
    assert [int(code) for code in Exit] == [0, 1, 3, 4, 5, 6, 130]


def test_the_tree_at_the_head_of_the_module_is_complete() -> None:
    family = {name for name, item in vars(errors).items() if isinstance(item, type) and issubclass(item, BenchError)}
    assert family == {name for name in family if name in (errors.__doc__ or "")}
    assert len(family) == 15


def test_a_device_error_names_its_device_and_keeps_the_code() -> None:
    refused = Refused("illegal data address", code=2, device="new")
    assert str(refused) == "new: illegal data address"
    assert refused.code == 2
    assert str(DeviceError("silent")) == "silent"


def test_not_determinable_names_what_the_station_lacks() -> None:
    assert str(Undeterminable("energies survive a power cycle", "power control of new")) == (
        "energies survive a power cycle: not determinable, the station lacks power control of new"
    )
