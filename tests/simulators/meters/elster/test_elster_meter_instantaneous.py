from decimal import Decimal

from elster_desk import KW, SECOND, Desk, Load, pytest

from protocols.elster.configuration import Ratio, Transformers
from protocols.elster.instantaneous import Instant, Phase, Request, decode_request, decode_value


def asked(desk, quantity, phase=Phase.TOTAL, now=0):
    desk.write(605, Request(quantity, phase).encode(), now)
    later = now + 2 * SECOND
    assert decode_request(desk.read("605001(01)", later)).ready
    return decode_value(desk.read("606001(07)", later)).value


def a1700(**options):
    desk = Desk("A1700", load=Load(690_000, 920_000), **options)
    desk.log_in(1)
    return desk


@pytest.mark.parametrize(("quantity", "phase", "value"), [
    (Instant.CURRENT, Phase.A, "1.666"), (Instant.VOLTAGE, Phase.B, "230"), (Instant.ACTIVE_POWER, Phase.C, "230"),
    (Instant.ACTIVE_POWER, Phase.TOTAL, "690"), (Instant.REACTIVE_POWER, Phase.TOTAL, "920"),
    (Instant.APPARENT_POWER, Phase.TOTAL, "1150"), (Instant.POWER_FACTOR, Phase.TOTAL, "0.6"),
    (Instant.FREQUENCY, Phase.TOTAL, "50"), (Instant.ANGLE, Phase.B, "120"), (Instant.ROTATION, Phase.TOTAL, "1"),
    (Instant.SCALED_VOLTAGE, Phase.TOTAL, "230"),
])  # fmt: skip
def test_a_value_is_asked_for_and_read(quantity, phase, value):
    assert asked(a1700(), quantity, phase) == Decimal(value)


def test_export_is_negative():
    desk = a1700()
    desk.feeder.change(0, load=Load(-3 * KW))
    assert asked(desk, Instant.ACTIVE_POWER) == -3000


def test_values_follow_the_transformer_ratio():
    desk = a1700()
    desk.log_in()
    desk.section(Transformers(Ratio(1000, 500), Ratio(100, 100)))
    assert asked(desk, Instant.ACTIVE_POWER) == 1380


def test_before_it_is_ready_there_is_no_value_and_not_the_one_before():
    desk = a1700()
    asked(desk, Instant.VOLTAGE)
    desk.write(605, Request(Instant.CURRENT).encode(), 5 * SECOND)
    assert not decode_request(desk.read("605001(01)", 6 * SECOND)).ready
    assert decode_value(desk.read("606001(07)", 6 * SECOND)).value is None


def test_nothing_else_is_asked_for():
    desk = a1700()
    assert desk.refused(desk.write, 605, b"\x0f") == "ERR6"
    assert decode_value(desk.read("606001(07)")).value is None
    assert desk.read("605001(01)") == b"\0"


def test_an_a1140_has_none():
    desk = Desk()
    desk.log_in()
    assert desk.refused(desk.write, 605, b"\x01") == "ERR2"


def test_a_value_beyond_twelve_digits_is_too_large():
    desk = a1700()
    desk.feeder.change(0, load=Load(10**19))
    desk.write(605, Request(Instant.ACTIVE_POWER).encode())
    assert decode_value(desk.read("606001(07)", 2 * SECOND)).too_large
