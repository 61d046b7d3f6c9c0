"""PowerLogic meters over Modbus: one driver for each generation, on pymodbus.

::

    PowerLogic   identity, energies, real-time values, demand, extremes, clock (driver.py)
    +-- Series   CM3, CM4, PM8: commands with pointers, setup mode, energy preset (series.py)
    +-- CM2      CM2: commands at 7700 (cm2.py)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.drivers.capabilities import Capability
from bench.drivers.powerlogic.cm2 import CM2
from bench.drivers.powerlogic.driver import PowerLogic
from bench.drivers.powerlogic.series import Series
from protocols.powerlogic.tables import Model, models, register_map

if TYPE_CHECKING:
    from bench.clock import Clock
    from bench.drivers.modbus import ModbusSession
    from bench.station import Device

__all__ = ["CM2", "PowerLogic", "Series", "capabilities_of", "hidden_registers", "make_driver"]


def capabilities_of(model: str) -> frozenset[Capability]:
    """What a model can be asked."""
    return _kind(models()[model]).capabilities


def make_driver(device: Device, session: ModbusSession, clock: Clock) -> PowerLogic:
    """The driver of a station's device."""
    model = models()[device.model]
    return _kind(model)(device, model, session, clock)


def hidden_registers(model: str) -> frozenset[int]:
    """The registers of a model whose words are kept out of every trace: the driver's `hidden`, by number."""
    known = models()[model]
    rows = [row for row in register_map(known.family) if row.name in _kind(known).hidden]
    return frozenset(number for row in rows for number in range(row.number, row.end))


def _kind(model: Model) -> type[CM2 | Series]:
    return CM2 if model.generation == "cm2" else Series
