"""The end of a modem's call: by an escape, by hanging up, by a line that fails; and what a line does to the bytes."""

import pytest
from modem_desk import NUMBER, SURE, Desk
from talkers import Repeater, Talker

from simulators.lines.framing import Framing
from simulators.lines.modem import ModemPlan, State
from simulators.world import MILLISECOND, SECOND

OK, ERROR, NO_CARRIER = b"\r\nOK\r\n", b"\r\nERROR\r\n", b"\r\nNO CARRIER\r\n"
EIGHT = (9600, "8N1")


def test_silence_three_plus_silence_leads_to_commands_and_back() -> None:
    desk = Desk()
    desk.connect()
    desk.heard(SECOND)
    assert desk.type(b"+++", 900 * MILLISECOND) == b""
    assert desk.heard(200 * MILLISECOND) == OK
    assert desk.type(b"AT\r") == OK
    assert desk.type(b"ATO\r") == b"\r\nCONNECT 9600\r\n"
    assert desk.type(b"?") == b"here"


def test_what_the_meter_says_meanwhile_comes_later() -> None:
    desk = Desk(Talker({b"+++": (b"slow", None)}, line=EIGHT, reaction=3 * SECOND))
    desk.connect()
    desk.type(b"?", 1100 * MILLISECOND)
    assert desk.type(b"+++", 2 * SECOND) == OK
    assert desk.heard(3 * SECOND) == b""
    assert desk.type(b"ATO\r") == b"\r\nCONNECT 9600\r\n" + b"slow"


@pytest.mark.parametrize("said", [b"a+++", b"+++a", b"++++", b"a+++b", b"++", b"P1(+++)"])
def test_plus_signs_in_data_are_data(said: bytes) -> None:
    desk = Desk()
    desk.connect()
    assert desk.type(said, 5 * SECOND) == b""
    assert desk.modem.state is State.ONLINE
    assert desk.type(b"?") == b"here"


def test_who_goes_on_after_three_plus_has_not_escaped() -> None:
    desk = Desk()
    desk.connect()
    desk.type(b"+++", 900 * MILLISECOND)
    assert desk.type(b"?", 3 * SECOND) == b"here"


def test_three_plus_one_by_one_within_a_second() -> None:
    desk = Desk()
    desk.connect()
    for _ in range(3):
        desk.type(b"+", 300 * MILLISECOND)
    assert desk.heard(SECOND) == OK


def test_the_guard_time_and_the_character_are_registers() -> None:
    desk = Desk(registers={12: 10, 2: ord("-")})
    desk.connect()
    desk.type(b"+++", 3 * SECOND)
    assert desk.modem.state is State.ONLINE
    assert desk.type(b"---", 250 * MILLISECOND) == OK


def test_a_character_above_127_is_no_escape() -> None:
    desk = Desk(registers={2: 200})
    desk.connect()
    assert desk.type(b"\xc8\xc8\xc8", 3 * SECOND) == b""


def test_hanging_up_is_noticed_at_the_other_end() -> None:
    meter = Talker(line=EIGHT)
    desk = Desk(meter)
    desk.connect()
    desk.type(b"+++", 2 * SECOND)
    assert desk.type(b"ATH\r") == OK
    assert len(meter.lost) == 1
    desk.connect()


@pytest.mark.parametrize(
    ("setting", "state", "said"),
    [(0, State.ONLINE, b""), (1, State.COMMAND, b""), (2, State.COMMAND, NO_CARRIER), (3, State.COMMAND, NO_CARRIER)],
)
def test_dtr_that_drops_does_what_it_is_set_to(setting: int, state: State, said: bytes) -> None:
    desk = Desk()
    desk.type(b"ATE0&D%d\r" % setting)
    desk.type(f"ATDT{NUMBER}\r".encode(), 4 * SECOND)
    desk.modem.terminal.set_ready(desk.port, ready=False)
    assert desk.heard() == said
    assert desk.modem.state is state
    assert desk.modem.carrier is (setting < 2)


def test_dtr_that_drops_for_less_than_s25_is_not_seen() -> None:
    desk = Desk()
    desk.connect()
    desk.modem.terminal.set_ready(desk.port, ready=False)
    desk.world.sleep(40 * MILLISECOND)
    desk.modem.terminal.set_ready(desk.port, ready=True)
    assert desk.type(b"?") == b"here"


def test_a_program_that_closes_its_port_hangs_up() -> None:
    meter = Talker(line=EIGHT)
    desk = Desk(meter)
    desk.connect()
    desk.modem.terminal.close(desk.port)
    desk.world.sleep(SECOND)
    assert len(meter.lost) == 1


def test_a_carrier_that_drops_in_the_midst_of_a_block_has_brought_its_beginning() -> None:
    desk = Desk(Talker({b"?": (b"x" * 960, None)}, line=EIGHT))
    desk.connect()
    desk.port.write(b"?")
    assert desk.modem._call is not None
    desk.world.sleep(800 * MILLISECOND)
    desk.modem._call.drop()
    came = desk.heard(5 * SECOND)
    assert came.endswith(NO_CARRIER)
    assert 200 < came.count(b"x") < 700
    assert set(came.removesuffix(NO_CARRIER)) == {ord("x")}
    desk.connect()


def test_a_lost_carrier_is_told_after_s10() -> None:
    desk = Desk()
    desk.connect()
    assert desk.modem._call is not None
    desk.modem._call.drop()
    assert desk.heard(1350 * MILLISECOND) == b""
    assert desk.heard(100 * MILLISECOND) == NO_CARRIER


def test_a_modem_that_ignores_a_lost_carrier_says_nothing_and_stays() -> None:
    desk = Desk(registers={10: 255})
    desk.connect()
    assert desk.modem._call is not None
    desk.modem._call.drop()
    assert desk.type(b"?", 10 * SECOND) == b""
    assert desk.modem.state is State.ONLINE
    desk.type(b"+++", 2 * SECOND)
    assert desk.type(b"ATO\r") == NO_CARRIER


def test_calls_drop_by_themselves_as_often_as_the_profile_says() -> None:
    """Twice an hour on GSM: of 100 calls of ten minutes 28 drop."""
    dropped = 0
    for seed in range(100):
        desk = Desk(profile="gsm_csd_v110", make="gsm", seed=seed)
        desk.type(b"ATE0\r")
        while b"CONNECT" not in desk.type(f"ATD{NUMBER}\r".encode(), 60 * SECOND):
            pass
        dropped += NO_CARRIER in desk.heard(540 * SECOND)
    assert 15 <= dropped <= 42


def test_bytes_take_half_the_round_trip_each_way() -> None:
    delays = []
    for seed in range(60):
        desk = Desk(Repeater(line=EIGHT, reaction=0), profile="pstn_v32", seed=seed)
        desk.type(b"ATE0\r")
        if b"CONNECT" in desk.type(f"ATDT{NUMBER}\r".encode(), 60 * SECOND):
            began = desk.world.now
            desk.port.write(b"a")
            desk.world.run_until(lambda desk=desk: desk.port.inbox.due(1), began + 10 * SECOND)  # type: ignore[misc]
            delays.append(desk.world.now - began)
    assert sorted(delays)[len(delays) // 2] == pytest.approx(150 * MILLISECOND + 4 * 1041666, rel=0.1)


def test_an_uncorrected_line_brings_other_bytes_in_bad_time_and_a_corrected_one_brings_them_late() -> None:
    for corrected in (True, False):
        spoilt = late = 0
        for seed in range(30):
            desk = Desk(Repeater(line=EIGHT), profile="gsm_csd_analogue", corrected=corrected, seed=seed)
            desk.type(b"ATE0\r")
            if b"CONNECT" not in desk.type(f"ATDT{NUMBER}\r".encode(), 60 * SECOND):
                continue
            for _ in range(20):
                came = desk.type(b"0123456789", 4 * SECOND)
                late += came == b"" and desk.modem.carrier
                spoilt += len(came) == 10 and came != b"0123456789"
                desk.heard(86 * SECOND)
        assert (spoilt > 0) is not corrected
        assert (late > 0) is corrected


def test_a_far_modem_with_seven_bits_loses_the_eighth() -> None:
    """Defect 58: stream mode through a modem that is set to 7E1."""
    desk = Desk(Talker({b"?": (b"\xe4\xe5", None)}, line=EIGHT), framing=Framing(9600, "8N1"))
    desk.modem.plan = ModemPlan({}, profile=SURE, framing=Framing(9600, "7E1"))
    desk.connect()
    assert desk.type(b"\x3f") == b"\x64\x65"
