"""Who answers: the device is the one that the station promises."""

from bench.drivers.driver import Driver
from bench.drivers.powerlogic import PowerLogic
from bench.errors import Refused
from bench.measure import Measure
from scenarios.marks import needs

ILLEGAL_FUNCTION = 1


@needs("identify")
def test_the_device_is_what_the_station_says(meter: Driver, measure: Measure) -> None:
    """What the device says of itself names the model; an identity that no document gives is not verified."""
    found, findings = meter.identify()
    measure("identification", str(found), device=meter.name).is_not("")
    for finding in findings:
        if finding.assumed and not finding.agrees:
            why = f"a public source for the {finding.what} (found {finding.found}, assumed {finding.expected})"
            measure.not_determinable(finding.what, why, device=meter.name)
        elif not finding.assumed:
            measure(finding.what, finding.found, device=meter.name).is_(finding.expected)


@needs("identify", "read-registers")
def test_only_a_named_model_has_device_identification(meter: PowerLogic, measure: Measure) -> None:
    """Function 43/14 is a PM800's; the Circuit Monitors refuse it with exception 01."""
    try:
        objects = len(meter.session.device_identification())
        answer = f"{objects} objects"
    except Refused as error:
        answer = f"exception {error.code}"
    expected = "3 objects" if meter.model.identification == "named" else f"exception {ILLEGAL_FUNCTION}"
    measure("answer to function 43/14", answer, device=meter.name).is_(expected)
