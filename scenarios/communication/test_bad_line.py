"""On a bad line a value is the meter's or it is none; nothing that was damaged is taken."""

from bench.bench import Bench
from bench.disturbances import Disturbances
from bench.drivers.elster import Elster
from bench.errors import DeviceError, StationError
from bench.measure import Measure
from bench.procedures.flag_talk import SECOND
from scenarios.marks import catches, needs
from simulators.faults.line_registry import fault_called

#: Faults that no check character may let pass, and how hard they hit.
FAULTS = ("one-bit(p=50%)", "drop(p=15%)", "truncated(p=15%)", "duplicate(p=30%)", "delay", "torn", "link-dies(p=8%)")
ASKED = ("serial_number", "demand_sources", "tou_sources", "scheme_id")
ROUNDS = 4
#: When a meter has given up a visit of which nothing is heard any more (ns).
GIVEN_UP = 125 * SECOND


@needs("read-out")
@catches("T05")
def test_a_reading_on_a_bad_line_is_true_or_none(
    meter: Elster, bench: Bench, disturbances: Disturbances, measure: Measure
) -> None:
    """Under each fault what is accepted is what the meter holds, and when the fault is over it is read at once."""
    truth = {name: meter.image(name) for name in ASKED}
    for text in FAULTS:
        wrong, fault = [], fault_called(text)
        disturbances.put(meter.name, fault)
        for name in ASKED * ROUNDS:
            try:
                if meter.image(name) != truth[name]:
                    wrong.append(name)
            except (DeviceError, StationError):
                continue
        disturbances.calm(meter.name)
        shown, about = ", ".join(wrong) or "none", fault.fault.title
        measure("values that are not the meter's", shown, device=meter.name, note=about).is_("none")
        bench.clock.sleep(GIVEN_UP)
        lost = [name for name in ASKED if meter.image(name) != truth[name]]
        measure("wrong after the fault", ", ".join(lost) or "none", device=meter.name, note=about).is_("none")
