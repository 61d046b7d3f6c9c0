"""A Hayes modem, as a computer's program meets it."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from modem_desk import NUMBER, SURE, Desk
from talkers import Repeater, Talker

from simulators.lines.exchange import Exchange
from simulators.lines.framing import Framing
from simulators.lines.modem import Modem, ModemPlan, State
from simulators.world import MILLISECOND, SECOND

OK, ERROR, NO_CARRIER = b"\r\nOK\r\n", b"\r\nERROR\r\n", b"\r\nNO CARRIER\r\n"
EIGHT = (9600, "8N1")


# -- command state -----------------------------------------------------------------------------------------------------


def test_commands_come_back_and_are_answered() -> None:
    desk = Desk()
    assert desk.type(b"AT\r") == b"AT\r" + OK
    assert desk.type(b"ATE0\r") == b"ATE0\r" + OK
    assert desk.type(b"at\r") == OK


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (b"ATZ\r", OK),
        (b"AT&F\r", OK),
        (b"AT&FE0V1Q0X4&D2&C1S0=0\r", OK),
        (b"AT &F E0 S7=60\r", OK),
        (b"AT+CBST=7,0,1\r", ERROR),
        (b"ATJ\r", ERROR),
        (b"ATE2\r", ERROR),
        (b"ATX5\r", ERROR),
        (b"AT&D4\r", ERROR),
        (b"ATS99=1\r", ERROR),
        (b"ATS7=256\r", ERROR),
        (b"ATS7?\r", b"\r\n050\r\n" + OK),
        (b"ATS7=60S7?\r", b"\r\n060\r\n" + OK),
        (b"ATA\r", NO_CARRIER),
        (b"ATO\r", NO_CARRIER),
        (b"ATH\r", OK),
        (b"ATI\r", b"\r\nmeterbench hayes\r\n" + OK),
        (b"hello\r", b""),
        (b"\x00\xffgarbage AT\r", OK),
        (b"ATS7=6\x08\x0870\r", b"\r\nERROR\r\n"),
        (b"AT" + b"E" * 256 + b"\r", ERROR),
    ],
)
def test_a_command_line_has_its_answer(line: bytes, answer: bytes) -> None:
    desk = Desk()
    desk.type(b"ATE0\r")
    assert desk.type(line).removeprefix(line) == answer


def test_the_last_line_is_done_again_without_a_return() -> None:
    desk = Desk()
    desk.type(b"ATE0S7?\r")
    assert desk.type(b"A/") == b"\r\n050\r\n" + OK


@pytest.mark.parametrize(("make", "code"), [("hayes", b"12\r"), ("usr", b"13\r"), ("gsm", b"12\r")])
def test_numeric_codes_differ_by_make(make: str, code: bytes) -> None:
    desk = Desk(make=make)
    assert desk.type(b"ATE0V0\r").endswith(b"0\r")
    assert desk.type(f"ATDT{NUMBER}\r".encode(), 4 * SECOND) == code


def test_quiet_is_quiet() -> None:
    desk = Desk()
    desk.type(b"ATE0Q1\r")
    assert desk.type(b"AT\r") == b""
    assert desk.type(f"ATDT{NUMBER}\r".encode(), 4 * SECOND) == b""
    assert desk.modem.state is State.ONLINE


@pytest.mark.parametrize(("extent", "said"), [(0, b"CONNECT"), (1, b"CONNECT 9600"), (4, b"CONNECT 9600")])
def test_the_extent_of_the_codes_is_chosen(extent: int, said: bytes) -> None:
    desk = Desk()
    desk.type(b"ATE0X%d\r" % extent)
    assert desk.type(f"ATDT{NUMBER}\r".encode(), 4 * SECOND) == b"\r\n" + said + b"\r\n"


def test_a_gsm_modem_takes_its_bearer() -> None:
    desk = Desk(make="gsm")
    desk.type(b"ATE0\r")
    assert desk.type(b"AT+CBST=7,0,1\r") == OK
    assert desk.type(b"AT+CSQ\r") == b"\r\n+CSQ: 18,99\r\n" + OK


def test_registers_of_the_plan_are_the_factorys() -> None:
    desk = Desk(registers={7: 30})
    desk.type(b"ATE0S7=5\r")
    assert b"030" in desk.type(b"AT&FS7?\r")


def test_it_takes_any_speed_and_framing_of_the_computer() -> None:
    for framing in (Framing(300, "7E1"), Framing(2400, "8N1"), Framing(115200, "8N1")):
        desk = Desk(framing=framing)
        assert desk.type(b"AT\r", 3 * SECOND) == b"AT\r" + OK


# -- calls -------------------------------------------------------------------------------------------------------------


def test_after_connect_every_byte_goes_to_the_meter_and_back() -> None:
    desk = Desk(Repeater(line=EIGHT))
    desk.connect()
    everything = bytes(range(256))
    assert desk.type(everything, 3 * SECOND) == everything


@pytest.mark.parametrize(
    ("dial", "answer"),
    [
        ("D999", b"\r\nBUSY\r\n"),
        ("DT888@", b"\r\nNO ANSWER\r\n"),
        ("DP888", NO_CARRIER),
        ("DT12345", NO_CARRIER),
        ("D", NO_CARRIER),
        ("DT01 13-20.00", b"\r\nCONNECT 9600\r\n"),
        ("DT0113,2000", b"\r\nCONNECT 9600\r\n"),
    ],
)
def test_what_comes_of_a_number(dial: str, answer: bytes) -> None:
    desk = Desk()
    desk.type(b"ATE0\r")
    assert desk.type(f"AT{dial}\r".encode(), 60 * SECOND) == answer


def test_without_a_dial_tone() -> None:
    desk = Desk(dial_tone=False)
    desk.type(b"ATE0\r")
    assert desk.type(b"ATDT1\r", 3 * SECOND) == b"\r\nNO DIALTONE\r\n"
    desk.type(b"ATX3\r")
    assert desk.type(b"ATDT1\r", 60 * SECOND) == NO_CARRIER


def test_a_busy_tone_that_is_not_listened_for_is_a_wait_for_the_carrier() -> None:
    desk = Desk()
    desk.type(b"ATE0X1S7=20\r")
    assert desk.type(b"ATDT999\r", 20 * SECOND) == b""
    assert desk.heard(5 * SECOND) == NO_CARRIER


def test_a_call_that_takes_longer_than_s7_is_given_up() -> None:
    desk = Desk(profile="pstn_v32", seed=3)
    desk.type(b"ATE0S7=5\r")
    assert desk.type(f"ATDT{NUMBER}\r".encode(), 10 * SECOND) == NO_CARRIER
    assert desk.heard(60 * SECOND) == b""


def test_a_key_gives_up_the_call_and_a_line_feed_does_not() -> None:
    desk = Desk(profile="pstn_v32", seed=3)
    desk.type(b"ATE0\r")
    assert desk.type(f"ATDT{NUMBER}\r\n".encode(), 3 * SECOND) == b""
    assert desk.type(b" ") == NO_CARRIER
    assert desk.heard(90 * SECOND) == b""


def test_calls_take_as_long_and_fail_as_often_as_the_profile_says() -> None:
    """22 s in the median and 8 % failures; of the others a few take longer than S7 allows."""
    times, failed = [], 0
    for seed in range(200):
        desk = Desk(profile="pstn_v32", seed=seed)
        desk.type(b"ATE0S6=0\r")
        began = desk.world.now
        desk.port.write(f"ATDT{NUMBER}\r".encode())
        desk.world.run_until(lambda desk=desk: desk.port.inbox.due(4), began + 120 * SECOND)  # type: ignore[misc]
        if b"CONN" in desk.heard(10 * MILLISECOND):
            times.append(desk.world.now - began)
        else:
            failed += 1
    assert sorted(times)[len(times) // 2] == pytest.approx(22 * SECOND, rel=0.05)
    assert 8 <= failed <= 26


def test_a_line_has_room_for_one_call() -> None:
    desk = Desk()
    exchange = Exchange({NUMBER: desk.far})
    first, second = (Modem(desk.world, name, ModemPlan({}, profile=SURE), exchange) for name in ("one", "two"))
    ports = [modem.terminal.open() for modem in (first, second)]
    for port in ports:
        port.write(f"ATE0DT{NUMBER}\r".encode())
        desk.world.sleep(5 * SECOND)
    assert [modem.state for modem in (first, second)] == [State.ONLINE, State.COMMAND]
    assert b"BUSY" in ports[1].inbox.take(999, desk.world.now)


def test_several_meters_stand_behind_one_modem() -> None:
    meters = [Talker({b"/?%d!" % number: (b"meter %d" % number, None)}, line=EIGHT) for number in range(3)]
    desk = Desk(*meters)
    desk.connect()
    for number in range(3):
        assert desk.type(b"/?%d!" % number) == b"meter %d" % number


# -- escape, hanging up, dropping --------------------------------------------------------------------------------------


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


# -- being called ------------------------------------------------------------------------------------------------------


def test_a_call_rings_and_is_answered() -> None:
    desk = Desk()
    desk.type(b"ATE0\r")
    desk.modem.ring(desk.far)
    assert desk.heard(6 * SECOND) == b"\r\nRING\r\n" * 2
    assert desk.type(b"ATA\r", 4 * SECOND) == b"\r\nCONNECT 9600\r\n"


def test_it_answers_by_itself_after_s0_rings() -> None:
    desk = Desk(registers={0: 2})
    desk.modem.ring(desk.far)
    assert desk.heard(8 * SECOND) == b"\r\nRING\r\n" * 2 + b"\r\nCONNECT 9600\r\n"


def test_a_caller_gives_up() -> None:
    desk = Desk()
    desk.modem.ring(desk.far)
    assert desk.heard(120 * SECOND) == b"\r\nRING\r\n" * 10
    assert desk.type(b"ATE0A\r").endswith(NO_CARRIER)


# -- attack ------------------------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=40) | st.sampled_from(
    [b"ATDT01132000\r", b"ATD999\r", b"+++", b"ATH\r", b"ATO\r", b"ATZ\r", b"AT&F\r", b"ATA\r", b"A/", b"ATS3=65\r",
     b"ATS12=0\r", b"ATS10=255\r", b"ATS4=0\r", b"ATS5=65\r", b"ATE0V0Q0X0&D3\r"]),
    st.integers(0, 4 * SECOND)), max_size=14))  # fmt: skip
@example([(b"ATDT01132000\r", 4 * SECOND), (b"+++", 2 * SECOND), (b"ATDT01132000\r", SECOND), (b"ATO\r", SECOND)])
def test_whatever_is_typed_nothing_breaks(words: list[tuple[bytes, int]]) -> None:
    desk = Desk()
    for typed, pause in words:
        desk.type(typed, pause)
        if typed == b"+++":
            desk.modem.ring(desk.far)
    desk.heard(200 * SECOND)
    desk.modem.lose(desk.world.now)
    assert desk.type(b"AT\r") == b"AT\r" + OK


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.binary(min_size=1, max_size=60) | st.sampled_from([b"+++", b"+", b"ATH\r", b"++"]),
                          st.integers(0, 990 * MILLISECOND)), max_size=20))  # fmt: skip
def test_data_without_the_guard_time_never_leaves_the_call(words: list[tuple[bytes, int]]) -> None:
    """No pause is as long as S12, so nothing that stands in the data is a word to the modem."""
    meter = Talker(line=EIGHT)
    desk = Desk(meter)
    desk.connect()
    desk.type(b"begin", 500 * MILLISECOND)
    for said, pause in words:
        desk.port.write(said)
        desk.world.sleep(pause)
    desk.type(b"end", 100 * MILLISECOND)
    desk.heard(3 * SECOND)
    assert desk.modem.state is State.ONLINE
    assert meter.said_to_it == b"begin" + b"".join(said for said, _ in words) + b"end"


def test_equal_seeds_give_equal_digests() -> None:
    def digest(seed: int) -> str:
        desk = Desk(profile="gsm_csd_analogue", seed=seed)
        desk.type(f"ATE0DT{NUMBER}\r".encode(), 60 * SECOND)
        desk.type(b"?" * 50, 20 * SECOND)
        return desk.world.digest.hexdigest()

    assert digest(1) == digest(1) != digest(2)
