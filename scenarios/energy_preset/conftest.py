"""Fixtures of the preset scenarios."""

import pytest

from bench.bench import Bench
from bench.drivers.powerlogic import PowerLogic, Series
from bench.procedures.commissioning import clear_as_new


@pytest.fixture
def old_for(target: Series, bench: Bench) -> PowerLogic:
    """A meter that hands its readings to `target`, which is cleared first: the first of the station that is another."""
    others = [
        device.id
        for device in bench.station.devices.values()
        if device.protocol == "modbus" and device.id != target.name
    ]
    if not others:
        pytest.skip(f"station {bench.station.name} has no second meter to hand its readings over")
    clear_as_new(target, bench.arm(target), bench.journal)
    return bench.powerlogic(others[0])


@pytest.fixture
def fresh(target: Series, bench: Bench) -> Series:
    """The target, cleared as a replacement comes."""
    clear_as_new(target, bench.arm(target), bench.journal)
    return target
