"""A meter behind its FLAG server, byte by byte as on a wire: the captured dialogue, a readout, a data stream."""

from elster_desk import DAY, KW, MINUTE, SECOND, Desk, Load, Source, pytest

from protocols.elster.profile import decode_records, ended
from protocols.flag.frames import Command, encode_option, encode_request
from protocols.flag.login import encode_digits, reply_to
from protocols.flag.server import FlagServer
from protocols.flag.stream import block_length, decode_block

ACK = b"\x06"


class Wire:
    def __init__(self, desk, now=0):
        self.server = FlagServer(desk.meter)
        self.now = now

    def say(self, data):
        """What the meter answers, with all that it sends of itself soon after."""
        self.now += 3 * SECOND // 2  # the answer before has left at 300 Bd
        heard = [reply.data for reply in self.server.receive(data, self.now)]
        while (due := self.server.deadline()) is not None and due < self.now + SECOND:
            self.now = due
            heard += [reply.data for reply in self.server.wake(due)]
        return b"".join(heard)

    def command(self, name, data):
        return self.say(Command(name[0], name[1], data).encode())

    def log_in(self, mode=1, password=b"00000000"):
        self.say(encode_request(b"094"))
        greeting = self.say(encode_option("5", mode))
        seed = bytes.fromhex(greeting[5:21].decode())
        return self.command("P2", b"(" + encode_digits(reply_to(seed, password)) + b")")


def desk(**options):
    return Desk(outstation="094", serial="0000000055074944", **options)


def test_the_captured_dialogue():
    wire = Wire(desk())
    assert wire.say(encode_request(b"94")) == b"/GEC5120510070213@000\r\n"
    assert wire.say(encode_option("5", 1))[:5] == b"\x01P0\x02("
    assert wire.command("P2", b"(0000000000000000)") == ACK
    assert wire.command("R1", b"798001(10)")[1:-2] == b"(30303030303030303535303734393434)"
    assert wire.command("W1", b"795001(5235323238303532)")[1:7] == b"(ERR5)"


def test_another_address_is_not_answered():
    assert Wire(desk()).say(encode_request(b"095")) == b""


def test_a_session_programs_and_the_next_host_needs_its_own_login():
    stand = desk()
    wire = Wire(stand)
    assert wire.log_in() == ACK
    assert wire.command("W1", b"576001(456C73746572202020202020)") == ACK
    assert wire.command("W1", b"795001(5235323238303532)") == ACK
    wire.say(Command("B", "0").encode())
    assert stand.meter.image(795, wire.now) == b"R5228052"
    wire.say(encode_request(b"094"))
    wire.say(encode_option("5", 1))
    assert wire.command("W1", b"795001(5235323238303533)")[1:7] == b"(ERR5)"


def test_the_profile_by_data_stream_is_that_of_the_registers():
    stand = desk(load=Load(2 * KW))
    wire = Wire(stand, now=3 * DAY)
    assert wire.log_in(mode=6) == ACK
    data = wire.say(Command("R", "D", b"550001(00)").encode())
    blocks = b""
    while data:
        length = block_length(data)
        assert length is not None
        blocks += decode_block(data[:length]).data
        data = data[length:]
    records = decode_records("A1140", blocks)
    assert ended(records)
    half_hours = [record.values[0] for record in records if hasattr(record, "values")]
    assert sum(half_hours) // 2 == pytest.approx(
        stand.meter.energies(3 * DAY)[Source.IMPORT] // (3600 * 10**9), rel=1e-6
    )


def test_without_an_option_select_it_reads_out():
    wire = Wire(desk())
    wire.say(encode_request())
    text = b"".join(reply.data for reply in wire.server.wake(wire.server.deadline()))
    assert b"1.8.0(" in text
    assert text[-5:-1] == b"!\r\n\x03"


def test_a_power_cut_ends_the_session():
    stand = desk()
    wire = Wire(stand)
    wire.log_in()
    stand.feeder.switch_supply(wire.now, on=False)
    stand.feeder.switch_supply(wire.now + 1, on=True)
    wire.now += MINUTE
    wire.server.lose(wire.now)
    assert wire.command("R1", b"798001(10)") == b""
