"""Instantaneous values of an A1700: a value is the one that was asked for, and not before it is ready."""

from decimal import Decimal

from bench.clock import Clock
from bench.drivers.elster import Elster
from bench.measure import Measure, Unit
from bench.procedures.instantaneous import ask_instantaneous, is_ready, read_instantaneous, shown_instantaneous
from protocols.elster.instantaneous import Instant
from scenarios.marks import catches, needs

SECOND = 1_000_000_000
#: Phase to neutral, from 58 V to 277 V nominal; and 50 or 60 Hz.
VOLTS, HERTZ = (Decimal(45), Decimal(320)), (Decimal(45), Decimal(65))


@needs("read-instantaneous")
@catches("E60")
def test_a_value_waits_for_its_ready_bit(meter: Elster, clock: Clock, measure: Measure) -> None:
    """What was asked for before is not shown for what is asked for now: until it is ready there is no value."""
    volts = read_instantaneous(meter, Instant.VOLTAGE)
    measure("voltage", volts, Unit.V, device=meter.name).between(*VOLTS)
    ask_instantaneous(meter, Instant.FREQUENCY)
    early = shown_instantaneous(meter).value
    ready = is_ready(meter)
    if early is not None:  # a quick meter may have been ready by then
        measure("value before it was ready", early, Unit.HZ, device=meter.name).between(*HERTZ)
    else:
        measure("value before it was ready", "none", device=meter.name).is_("none")
    measure("said to be ready at once", ready, device=meter.name)
    clock.sleep(SECOND)
    hertz = read_instantaneous(meter, Instant.FREQUENCY)
    measure("frequency", hertz, Unit.HZ, device=meter.name).between(*HERTZ)
