"""How long a visit lasts: as long as somebody talks, and no longer."""

from bench.drivers.elster import Elster
from bench.measure import Measure
from bench.procedures.flag_talk import SECOND, kind_of, talking
from scenarios.communication.test_sign_on import expected_kind, kind_of_meter
from scenarios.marks import catches, needs

#: Within and beyond the 60 to 120 s of inactivity after which a meter gives up (6.4.3).
STILL_THERE, GONE = 57 * SECOND, 123 * SECOND


@needs("read-out")
@catches("E13", "E68")
def test_a_silent_visit_ends_after_one_to_two_minutes(meter: Elster, measure: Measure) -> None:
    """After 57 s of silence the meter is still there, after 123 s it answers a new sign-on at 300 Bd."""
    row = meter.identity("serial_number")
    with talking(meter) as talk:
        talk.enter()
        talk.answer_with(None)
        talk.rest(STILL_THERE)
        measure("answer after 57 s of silence", kind_of(talk.read(row.number, row.size)), device=meter.name).is_("data")
        talk.rest(GONE)
        found = talk.sign_on()
        kind = expected_kind(meter.model.name)
        measure("sign-on after two minutes of silence", kind_of_meter(found), device=meter.name).is_(kind)
        talk.let_go(found)


@needs("read-out")
@catches("E65")
def test_a_break_ends_a_visit_at_once(meter: Elster, measure: Measure) -> None:
    """After the break nothing of the visit is left: the meter is silent until the next sign-on, and answers that."""
    row = meter.identity("serial_number")
    with talking(meter) as talk:
        talk.enter()
        talk.answer_with(None)
        measure("after the break", kind_of(talk.break_off()), device=meter.name).is_("silence")
        measure("a command after the break", kind_of(talk.read(row.number, 1)), device=meter.name).is_("silence")
        found = talk.sign_on()
        kind = expected_kind(meter.model.name)
        measure("sign-on after the break", kind_of_meter(found), device=meter.name).is_(kind)
        talk.let_go(found)
