"""The readout: whole, and once more for whoever has not understood it."""

from bench.bench import Bench
from bench.disturbances import Disturbances
from bench.drivers.elster import Elster
from bench.errors import DeviceError
from bench.measure import Measure
from bench.procedures.flag_talk import SECOND, kind_of, talking
from protocols.flag.frames import ACK, NAK
from scenarios.marks import catches, needs
from simulators.faults.line_registry import fault_called


def codes(sets: bytes) -> str:
    """The addresses of the data sets of a readout."""
    return " ".join(line.partition(b"(")[0].decode("ascii", "replace") for line in sets.split(b"\r\n"))


@needs("read-out")
@catches("E20", "E63")
def test_a_readout_comes_again_after_a_nak(meter: Elster, measure: Measure) -> None:
    """NAK brings the same block again, as often as it is said; ACK ends it."""
    with talking(meter) as talk:
        first = talk.choose_offered(0, talk.sign_on())
        measure("readout", kind_of(first), device=meter.name).is_("data")
        for time in ("once", "twice"):
            again = talk.say(NAK)
            same = "the same" if again == first else f"other: {kind_of(again)}"
            measure(f"readout after NAK, {time}", same, device=meter.name).is_("the same")
        measure("after the ACK", kind_of(talk.say(ACK, within=SECOND)), device=meter.name).is_("silence")


@needs("read-out")
@catches("T21")
def test_a_damaged_readout_is_asked_for_again(
    meter: Elster, bench: Bench, disturbances: Disturbances, measure: Measure
) -> None:
    """One bit of the block turns over on its way: it is asked for again, and then it is whole."""
    sound = codes(meter.session.readout())
    for attempt in range(3):
        disturbances.put(meter.name, fault_called("one-bit(p=100%, after=1, times=1)"))
        try:
            found = codes(meter.session.readout())
        except DeviceError as error:
            found = str(error)
        disturbances.calm(meter.name)
        bench.clock.sleep(3 * SECOND)
        measure(f"readout after damage, attempt {attempt + 1}", found, device=meter.name).is_(sound)
