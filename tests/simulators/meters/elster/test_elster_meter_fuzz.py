# meters keep local time without a zone
from elster_desk import DAY, HOUR, Desk, Load, datetime
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.flag.device import Refusal
from protocols.flag.frames import Command
from simulators.meters.elster.catalogue import catalogue

MODELS = ("A1120", "A1140", "A1700")
NUMBERS = sorted({number for model in MODELS for number in catalogue(model)})


@st.composite
def commands(draw):
    """Commands that are nearly right: a known identity, and data of its size or of any."""
    model = draw(st.sampled_from(MODELS))
    found = []
    for _ in range(draw(st.integers(1, 6))):
        number = draw(st.sampled_from(NUMBERS))
        row = catalogue(model).get(number)
        size = min(row.size, 64) if row and row.size and draw(st.booleans()) else draw(st.integers(0, 70))
        data = draw(st.one_of(st.binary(min_size=size, max_size=size), st.just(bytes(size)), st.just(b"\x01" * size)))
        packet = draw(st.sampled_from((1, 1, 1, 2, 0, 0xFFF)))
        name = draw(st.sampled_from(("R1", "W1", "W1", "W1", "E2")))
        found.append(Command(name[0], name[1], b"%03d%03X(%s)" % (number, packet, data.hex().encode())))
    return model, found


def refusal(desk, command):
    try:
        desk.meter.execute(desk.session, command, HOUR)
    except Refusal as refused:
        return refused.text
    return ""


@settings(max_examples=150, deadline=None)
@given(commands(), st.integers(-(10**13), 10**13))
def test_whatever_is_written_the_meter_refuses_or_goes_on(given_commands, power):
    model, found = given_commands
    desk = Desk(model, load=Load(power, power // 3), epoch=datetime(2026, 3, 28, 12))
    desk.log_in(now=HOUR)
    texts = [text for command in found if (text := refusal(desk, command))]
    assert set(texts) <= {"ERR1", "ERR2", "ERR3", "ERR5", "ERR6"}
    desk.close(HOUR)
    desk.meter.readout(2 * DAY)
    for row in catalogue(model).values():
        if row.read_level is not None and row.size:
            assert len(desk.meter.image(row.number, 2 * DAY)) == row.size * row.sets


@given(st.sampled_from(("R1", "W1", "RD")), st.one_of(st.none(), st.binary(max_size=40)))
def test_rubbish_is_refused(name, data):
    desk = Desk()
    desk.log_in()
    assert desk.refused(desk.do, name, data)[:3] == "ERR"
