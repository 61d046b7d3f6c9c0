"""A section that is programmed for a while: brought back whatever happens, and told where that is not possible."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bench_stand import Stand, stand

from bench.errors import DeviceError, NoAnswer
from bench.procedures.elster_sections import programmed, read_section
from protocols.elster.configuration import BillingDate, BillingDates, DayType, MonthDay, Season, TariffStructure
from protocols.elster.configuration_tariff import SwitchingTime

STATION = (
    "schema: 1\nname: flag\nlinks: {line: {type: sim, medium: optical}}\n"
    "devices: {m1: {model: A1140, link: line, password: simulated, protection: sacrificial}}\n"
)
TARIFF = TariffStructure((Season(MonthDay(2, 1), (1,) * 7),), (DayType((SwitchingTime(0, (2, 6)),)),))
OBJECTS = ("tariff_seasons", "tariff_day_types", "tariff_special_days")
FIRST_WRITES = range(1, 6)


@pytest.fixture
def on(tmp_path: Path):
    with stand(STATION, tmp_path / "bench") as opened:
        yield opened


def held(on: Stand) -> dict[str, bytes]:
    meter = on.bench.elster("m1")
    return {name: meter.read_object(*meter.scheme_item(name)) for name in OBJECTS}


def try_tariff(on: Stand) -> None:
    meter = on.bench.elster("m1")
    with programmed(meter, TARIFF, armed=on.bench.arm(meter), journal=on.bench.journal):
        assert read_section(meter, TariffStructure) == TARIFF


def break_at(on: Stand, monkeypatch: pytest.MonkeyPatch, first: int, *, for_good: bool) -> None:
    """Let the line be gone from a write on, for that write or for all others too."""
    meter, count = on.bench.elster("m1"), 0
    write = meter.session.write

    def broken(*given) -> None:
        nonlocal count
        count += 1
        if count == first or (for_good and count > first):
            raise NoAnswer("gone", device="m1")
        write(*given)

    monkeypatch.setattr(meter.session, "write", broken)


@pytest.mark.parametrize("first", FIRST_WRITES)
def test_what_breaks_off_at_any_write_leaves_the_old_section(
    on: Stand, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    before = held(on)
    break_at(on, monkeypatch, first, for_good=False)
    with pytest.raises(NoAnswer, match="gone"):
        try_tariff(on)
    if first <= len(OBJECTS) + 1:  # behind who programs the three objects of a tariff come; then they are brought back
        assert held(on) == before
        assert "not restored" not in on.events()
    else:
        assert on.events().count("not restored") == 1


@pytest.mark.parametrize(("first", "new"), [(2, 0), (3, 1), (5, 2)])
def test_what_cannot_be_brought_back_is_told(on: Stand, monkeypatch: pytest.MonkeyPatch, first: int, new: int) -> None:
    before = held(on)
    break_at(on, monkeypatch, first, for_good=True)
    with pytest.raises(DeviceError, match="tariff was not brought back") as caught:
        try_tariff(on)
    shown = held(on)
    (entry,) = (each for each in on.audit() if each["event"] == "not restored")
    told = entry["facts"]["state"]
    assert list(told) == list(OBJECTS)
    assert list(told.values()).count("new") == new
    for name, state in told.items():
        assert f"{name} {state}" in str(caught.value)
        assert (state == "old") is (shown[name] == before[name])
    assert json.dumps(entry["facts"]["objects"]).lower().count(before["tariff_seasons"].hex()[:20]) == 1


def test_bytes_that_no_section_decodes_are_brought_back_too(on: Stand) -> None:
    meter = on.bench.host.stage.flag.meter("m1")
    strange = bytearray(meter.configuration.objects["billing_dates"])
    strange[0] |= 0x40  # a flag that we know nothing of
    meter.configuration.objects["billing_dates"] = bytes(strange)
    driver = on.bench.elster("m1")
    dates = BillingDates((BillingDate(1),), 0)
    with programmed(driver, dates, armed=on.bench.arm(driver), journal=on.bench.journal):
        assert read_section(driver, BillingDates) == dates
    assert meter.configuration.objects["billing_dates"] == bytes(strange)
