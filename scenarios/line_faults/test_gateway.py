"""What stands between the bench and several meters: each unit is its own meter, and an answer is for its question."""

from __future__ import annotations

from bench.bench import Bench
from bench.drivers.modbus import ModbusSession
from bench.drivers.powerlogic import Series
from bench.errors import DeviceError, NoAnswer
from bench.measure import Measure
from scenarios.marks import catches, destructive

#: A register of the user area, and what is put there.
SCRATCH, MARKS = 8140, (6173, 4711)
HIGHEST_UNIT = 247


@destructive("writes to the user area of one meter, to see at which units it shows")
@catches("D40")
def test_what_is_written_to_one_unit_shows_at_no_other(target: Series, bench: Bench, measure: Measure) -> None:
    """A mark in one meter is read back there, and at no other unit of the same link."""
    neighbours = _neighbours(target, bench)
    armed = bench.arm(target)
    seen = list(neighbours)
    for mark in MARKS:  # a neighbour may happen to hold the first one
        target.session.write(armed, SCRATCH, mark)
        measure("mark read back", target.session.read(SCRATCH)[0], device=target.name).is_(mark)
        seen = [name for name in seen if _shows(neighbours[name], mark)]
    if not neighbours:
        measure.not_determinable("that units are kept apart", f"a second meter on the link of {target.name}")
        return
    measure("units that show what was written to another", ", ".join(sorted(seen)) or "none", device=target.name).is_(
        "none"
    )


def _neighbours(target: Series, bench: Bench) -> dict[str, Series]:
    others = [d.id for d in bench.station.devices.values() if d.link == target.device.link and d.id != target.name]
    found = {name: bench.powerlogic(name) for name in others}
    return {name: driver for name, driver in found.items() if isinstance(driver, Series)}


def _shows(meter: Series, mark: int) -> bool:
    try:
        return meter.session.read(SCRATCH)[0] == mark
    except DeviceError:  # a meter that is switched off shows nothing
        return False


@catches("D40b")
def test_a_silent_unit_does_not_spoil_the_next_answer(target: Series, bench: Bench, measure: Measure) -> None:
    """A unit that does not exist is asked; the meter that is asked next answers at the first time of asking."""
    link = target.device.link
    taken = {device.address for device in bench.station.on_link(link)}
    free = next(unit for unit in range(HIGHEST_UNIT, 0, -1) if unit not in taken)
    try:
        ModbusSession(target.session.link, free, target.name, target.session.record).read(target.energy_register)
    except NoAnswer:
        pass
    else:
        measure.not_determinable("what a silent unit does", f"a free address on link {link}: {free} answers")
        return
    repeated = target.session.retried
    for _ in MARKS:
        target.session.read(target.energy_register)
    measure("reads repeated behind a silent unit", target.session.retried - repeated, device=target.name).is_(0)
