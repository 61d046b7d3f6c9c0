from elster_desk import DAY, HOUR, Desk, pytest

from protocols.elster.tables import Source
from protocols.flag.device import STREAM
from protocols.flag.frames import Command
from simulators.meters.elster.catalogue import catalogue


def desk_of(model="A1140", now=0, **options):
    desk = Desk(model, **options)
    desk.log_in(0, now)
    return desk


def test_the_captured_reads_are_answered():
    desk = desk_of(serial="0000000055074944")
    answer = desk.do("R1", b"798001(10)")
    assert answer.data == b"(30303030303030303535303734393434)"
    assert desk.meter.identification(0) == b"/GEC5120510070213@000"


def test_a_long_object_is_read_packet_by_packet():
    desk = desk_of(energies={Source.IMPORT: 5})
    whole = desk.meter.image(507, 0)
    assert desk.read("507001(40)") + desk.read("507002(40)") == whole
    assert desk.read("507001(08)") == whole[:8]


def test_each_set_of_a_history_begins_with_a_packet():
    desk = desk_of()
    for _ in range(3):
        desk.meter.press_reset(0)
    image = desk.meter.image(543, 0)
    for number in range(3):
        parts = [desk.read(f"543{8 * number + k:03X}({64 if k < 8 else 9:02X})") for k in range(1, 9)]
        assert b"".join(parts) == image[457 * number : 457 * (number + 1)]


@pytest.mark.parametrize(("operand", "error"), [
    ("798000(10)", "ERR3"), ("798002(10)", "ERR3"), ("507003(40)", "ERR3"), ("5430C1(40)", "ERR3"),
    ("999001(10)", "ERR2"), ("516001(20)", "ERR2"),
    ("798001(11)", "ERR1"), ("798001(00)", "ERR1"), ("507001(41)", "ERR1"), ("798001()", "ERR1"),
    ("798001(1)", "ERR1"), ("798001(0010)", "ERR1"), ("798001", "ERR1"), ("79800G(10)", "ERR1"), ("576X", "ERR1"),
    ("931001(08)", "ERR1"), ("655001(01)", "ERR1"),
])  # fmt: skip
def test_a_read_that_cannot_be_is_refused(operand, error):
    desk = desk_of()
    assert desk.refused(desk.read, operand) == error


def test_a_read_beyond_the_packet_may_be_answered_short():
    assert len(desk_of(profile={"refused_length": "short"}).read("798001(40)")) == 16


@pytest.mark.parametrize("model", ["A1120", "A1140", "A1700"])
def test_every_readable_identity_has_the_size_of_its_table(model):
    desk = desk_of(model, 3 * DAY)
    for row in catalogue(model).values():
        if row.read_level is not None and row.size:
            assert len(desk.meter.image(row.number, 3 * DAY)) == row.size * row.sets, row.name


def test_the_profile_is_read_in_packets_of_64_bytes():
    desk = desk_of(now=3 * DAY)
    whole = desk.meter.image(550, 3 * DAY)
    parts = [desk.read(f"550{number:03X}(40)", 3 * DAY) for number in range(1, len(whole) // 64 + 1)]
    assert b"".join(parts) == whole
    assert desk.refused(desk.read, f"550{len(whole) // 64 + 1:03X}(40)", 3 * DAY) == "ERR3"


def test_the_data_stream_is_the_whole_object_or_its_first_blocks():
    desk = desk_of(now=30 * DAY)
    whole = desk.meter.image(550, 30 * DAY)

    def stream(operand):
        return desk.meter.stream(desk.session, Command("R", "D", operand), 30 * DAY)

    assert stream(b"550001(00)") == whole
    assert stream(b"550001(02)") == whole[:512]
    assert stream(b"507000(00)") == desk.meter.image(507, 30 * DAY)
    assert desk.refused(stream, b"550002(00)") == "ERR3"
    assert desk.refused(stream, b"550001()") == "ERR1"


def test_the_data_stream_needs_a_login_too():
    desk = Desk()
    session = desk.meter.open("optical", STREAM, 0)
    assert desk.refused(desk.meter.stream, session, Command("R", "D", b"550001(00)"), HOUR) == "ERR5"
