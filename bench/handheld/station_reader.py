"""Reading a meter of the station for the hand-held unit: who it is, its clock and its totals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal

from bench.errors import BenchError, DeviceError, UsageError, WrongDevice
from bench.handheld.readings import Reading
from bench.handheld.unit import ReadMeter
from bench.lists.model import MeterEntry
from bench.scheme.elster import scheme_meter
from bench.scheme.meter import SchemeMeter
from protocols.conversation import ProtocolError
from protocols.elster.moments import decode_clock
from protocols.elster.registers import decode_totals
from protocols.elster.tables import identity

#: A register counts mWh, mvarh or mVAh.
_PER_KILO = 6


def station_reader(driver_of: Callable[[str], object], now: Callable[[], datetime]) -> ReadMeter:
    """A reader for meters that the station knows by the names of the list; `driver_of` gives their drivers."""

    def read(entry: MeterEntry) -> Sequence[Reading]:
        driver = scheme_meter(driver_of(entry.name))
        if driver is None:
            raise UsageError(f"{entry.name} is no A1120, A1140 or A1700 in the station")
        found = driver.identify()
        if found.model != entry.model:
            raise WrongDevice(f"an {found.model} answers, not the {entry.model} of the list", device=entry.name)
        if entry.serial is not None and found.serial.strip(" \0").lstrip("0") != entry.serial.lstrip("0"):
            raise WrongDevice("another serial number (798) answers than the list promises", device=entry.name)
        driver.log_in(None, 0, "")
        try:
            return _totals(driver, entry, found.serial.strip(" \0"), now().isoformat(timespec="seconds"))
        except ProtocolError as error:
            raise DeviceError(str(error), device=entry.name) from None
        finally:
            with suppress(BenchError):
                driver.log_out()

    return read


def _totals(driver: SchemeMeter, entry: MeterEntry, serial: str, taken: str) -> list[Reading]:
    clock, totals = (identity(entry.model, name) for name in ("clock", "totals"))
    shown = decode_clock(driver.read_object(clock.number, clock.size)).isoformat()
    values = decode_totals(entry.model, driver.read_object(totals.number, totals.size))
    return [
        Reading(
            entry.name, serial, source.value, str(Decimal(value).scaleb(-_PER_KILO)),
            f"k{source.unit}" if source.unit else "", shown, taken,
        )
        for source, value in values.items()
    ]  # fmt: skip
