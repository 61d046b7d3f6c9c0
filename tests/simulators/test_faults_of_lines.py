"""Each line fault does what its line in the catalogue says, and nothing where it is not switched on."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.modbus.frames import decode_mbap, decode_rtu, encode_mbap, encode_rtu
from protocols.modbus.pdu import read_registers
from simulators.faults.line_parameters import FaultError
from simulators.faults.line_registry import fault_called, load_line_faults
from simulators.lines.framing import Framing
from simulators.meters.powerlogic import Installation
from simulators.stage import ETHERNET, DevicePlan, LinkPlan, Stage
from simulators.world import MILLISECOND, SECOND, World

FAULTS = load_line_faults()
READ = read_registers(3200, 1)  # CT primary of a Series meter


def a_stage(fault: str = "", *, medium: str = "rs485", seed: int = 1, **link: Any) -> Stage:
    plan = LinkPlan("bus", medium=medium, **link)
    behind = Installation((100, 5), (1, 1))
    devices = [DevicePlan("one", "PM850", "bus", 1, installation=behind), DevicePlan("two", "PM820", "bus", 2)]
    stage = Stage(World(seed), [plan], devices)
    if fault:
        stage.disturb("bus", fault_called(fault))
    return stage


def ask(stage: Stage, pdu: bytes = READ, *, unit: int = 1, within: int = 3 * SECOND) -> tuple[bytes, int]:
    """Ask over the serial face; what was heard within a time, and when its last byte was there."""
    line, world = stage.line("bus"), stage.world
    port = line.open()
    port.write(encode_rtu(unit, pdu))
    heard, last, end = b"", 0, world.now + within
    while world.run_until(lambda: port.inbox.due(1), end):
        heard += port.inbox.take(999, world.now)
        last = world.now
    line.close(port)
    return heard, last


def ask_tcp(stage: Stage, unit: int = 1, *, number: int = 1, within: int = 3 * SECOND) -> bytes:
    world = stage.world
    connection = stage.network("bus").connect()
    connection.write(encode_mbap(number, unit, READ))
    world.sleep(within)
    return connection.inbox.take(999, world.now)


HEALTHY, WHEN = ask(a_stage())


# -- the catalogue -----------------------------------------------------------------------------------------------------


def test_every_fault_says_what_it_is_and_what_must_be_made_of_it() -> None:
    assert [id_ for id_ in FAULTS if id_.startswith("L")] == [f"L{number:02}" for number in range(1, 18)]
    assert {"D40", "D40b"} <= FAULTS.keys()
    names = [fault.name for fault in FAULTS.values()]
    assert len(set(names)) == len(names)
    for id_, fault in FAULTS.items():
        assert fault.id == id_
        assert fault.title
        assert fault.behaviour
        assert fault.source
        assert fault.media
        assert "://" not in fault.source


def test_a_fault_is_called_by_id_or_name_with_or_without_parameters() -> None:
    assert fault_called("l02").fault is fault_called("bursts").fault is FAULTS["L02"]
    call = fault_called(" bursts( pi = 5% , tau=200 ms ) ")
    assert (call.values["pi"], call.values["tau"], call.values["way"]) == (0.05, 200 * MILLISECOND, "both")
    assert fault_called("drop(p=0.5,times=3)").values["times"] == 3
    assert pickle.loads(pickle.dumps(call)).values == call.values


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("burst", 'no line fault "burst"; did you mean bursts?'),
        ("L99", 'no line fault "L99"'),
        ("drop(p=5%", "no fault; write it as .* put a fault with parameters in quotes"),
        ("drop(q=5%)", r'L03 \(drop\): it has no parameter "q"; it has: p, way, after, times'),
        ("drop(p)", '"p" is no parameter; write NAME=VALUE'),
        ("drop(p=1,p=2)", "given twice"),
        ("drop(p=105%)", 'p: "105%" is outside 0 to 1'),
        ("drop(p=5 ms)", "not a probability; write 5% or 0.05"),
        ("drop(way=up)", '"up" is none of requests, answers, both'),
        ("late(by=13)", "not a duration: it has one of the units ns, us, ms, s, min"),
        ("late(by=2min)x", "no fault"),
        ("late(by=200min)", "longer than an hour"),
        ("bursts(profile=gprs)", 'there is no profile "gprs"; there are: rs232_direct'),
        ("wrong-parity(framing=9E1)", "'9E1' is no framing"),
        ("drop(times=-1)", "not a whole number"),
        ("D40(unit=400)", r'D40 \(wrong-mapping\): unit: "400" is not a whole number from 0 to 247'),
        ("D40(to=248)", 'to: "248" is not a whole number from 0 to 247'),
        ("wrong-unit(unit=248)", 'unit: "248" is not a whole number from 0 to 247'),
        ("bursts(tau=0 s)", r'L02 \(bursts\): tau: "0 s" is outside 1 ms to 60 min'),
        ("bursts(tau=999us)", 'tau: "999us" is outside 1 ms to 60 min'),
        ("collision(bytes=0)", 'bytes: "0" is not a whole number from 1 to 1000000'),
        ("noise(bytes=0)", 'bytes: "0" is not a whole number from 1 to 1000000'),
        ("second-master(register=65536)", 'register: "65536" is not a whole number from 0 to 65535'),
        ("second-master(words=126)", 'words: "126" is not a whole number from 0 to 125'),
        ("", "no fault"),
    ],
)
def test_a_wrong_call_is_told_in_one_line(text: str, told: str) -> None:
    with pytest.raises(FaultError, match=told) as error:
        fault_called(text)
    assert "\n" not in str(error.value)


@given(st.text(max_size=40))
def test_whatever_is_written_is_a_fault_or_an_error_of_its_own(text: str) -> None:
    try:
        fault_called(text)
    except FaultError as error:
        assert str(error)  # noqa: PT017  # either is right


# -- what each does on a line ------------------------------------------------------------------------------------------


def test_without_a_fault_and_after_one_nothing_has_changed() -> None:
    plain, stage = a_stage(), a_stage()
    ask(plain)
    ask(stage)
    assert plain.world.digest.hexdigest() == stage.world.digest.hexdigest()
    stage.disturb("bus", fault_called("drop(p=100%)"))
    stage.calm("bus")
    assert stage.line("bus").disturbance is None
    assert ask(stage)[0] == HEALTHY


@pytest.mark.parametrize("fault", [fault.id for fault in FAULTS.values() if "serial" in fault.media])
def test_the_same_seed_brings_the_same_disturbance(fault: str) -> None:
    digests = set()
    for _ in range(2):
        stage = a_stage(fault)
        for _ in range(5):
            ask(stage)
        digests.add(stage.world.digest.hexdigest())
    assert len(digests) == 1


def test_bit_errors_come_at_their_rate() -> None:
    stage, flipped, bits = a_stage("bit-errors(rate=1%, way=answers)"), 0, 0
    for _ in range(100):
        heard, _ = ask(stage, within=SECOND // 10)
        flipped += sum((a ^ b).bit_count() for a, b in zip(heard, HEALTHY, strict=True))
        bits += 8 * len(heard)
    assert flipped / bits == pytest.approx(0.01, rel=0.35)


def test_an_adapter_that_drops_wrong_parity_hears_fewer_characters() -> None:
    stage = a_stage("bit-errors(rate=5%, way=answers, parity=drop)", framing=Framing(9600, "8E1"))
    assert min(len(ask(stage, within=SECOND // 10)[0]) for _ in range(20)) < len(HEALTHY)
    unseen = a_stage("bit-errors(rate=5%, way=answers, parity=drop)", framing=Framing(9600, "8N1"))
    assert {len(ask(unseen, within=SECOND // 10)[0]) for _ in range(20)} == {len(HEALTHY)}


def test_bursts_hit_in_bad_time_only() -> None:
    always, never = a_stage("bursts(pi=100%, damage=100%, way=answers)"), a_stage("bursts(pi=0%, damage=100%)")
    assert ask(always)[0] != HEALTHY
    assert len(ask(always)[0]) == len(HEALTHY)
    assert ask(never)[0] == HEALTHY


def test_a_profile_replaces_pi_and_tau() -> None:
    stage = a_stage("bursts(profile=rs232_direct, pi=100%, damage=100%)")
    assert ask(stage)[0] == HEALTHY


def test_lost_twice_late_and_truncated() -> None:
    assert ask(a_stage("drop(p=100%)"))[0] == b""
    assert ask(a_stage("drop(p=100%, way=requests)"))[0] == b""
    assert ask(a_stage("duplicate(p=100%)"))[0] == HEALTHY * 2
    heard, when = ask(a_stage("delay(by=300ms, spread=0ms)"))
    assert (heard, when) == (HEALTHY, WHEN + 300 * MILLISECOND)
    heard, when = ask(a_stage("late(p=100%, by=2s)"))
    assert (heard, when) == (HEALTHY, WHEN + 2 * SECOND)
    heard, _ = ask(a_stage("truncated(p=100%)"))
    assert 0 < len(heard) < len(HEALTHY)
    assert HEALTHY.startswith(heard)


def test_a_pause_in_a_request_makes_a_meter_silent_and_one_in_an_answer_does_not_matter() -> None:
    assert ask(a_stage("torn(p=100%, way=requests, pause=2ms)"))[0] == b"", "1.6 ms are 1.5 characters"
    assert ask(a_stage("torn(p=100%, way=requests, pause=1ms)"))[0] == HEALTHY
    assert ask(a_stage("torn(p=100%, way=answers, pause=20ms)"))[0] == HEALTHY
    assert ask_tcp(a_stage("torn(p=100%, pause=20ms)", medium=ETHERNET)) == WHOLE


def test_what_one_station_sends_keeps_its_order() -> None:
    """A late answer holds up those behind it; it does not overlap with them."""
    stage = a_stage("late(p=100%, by=1s, times=1)")
    line, port = stage.line("bus"), stage.line("bus").open()
    for pdu in (READ, read_registers(3201, 1)):
        port.write(encode_rtu(1, pdu))
        stage.world.sleep(SECOND // 2)
    stage.world.sleep(2 * SECOND)
    heard = port.inbox.take(999, stage.world.now)
    assert [decode_rtu(heard[i : i + 7])[1][2:] for i in (0, 7)] == [b"\x00\x64", b"\x00\x05"]
    line.close(port)


def test_after_and_times_count_frames() -> None:
    stage = a_stage("drop(p=100%, after=2, times=1)")
    assert [bool(ask(stage)[0]) for _ in range(5)] == [True, True, False, True, True]


def test_another_unit_answers_with_its_own_values() -> None:
    heard, _ = ask(a_stage("wrong-unit(p=100%)"))
    unit, pdu = decode_rtu(heard)
    assert unit == 2
    assert pdu[:2] == decode_rtu(HEALTHY)[1][:2]
    assert decode_rtu(ask(a_stage("wrong-unit(p=100%, unit=9)"))[0])[0] == 9


def test_the_echo_is_the_lines_own_and_goes_with_the_fault() -> None:
    stage = a_stage("echo")
    assert ask(stage)[0] == encode_rtu(1, READ) + HEALTHY
    stage.calm("bus")
    assert ask(stage)[0] == HEALTHY


@pytest.mark.parametrize(
    "fault", ["wrong-speed", "wrong-speed(baud=19200)", "wrong-parity", "wrong-parity(framing=7E1)"]
)
def test_a_meter_of_another_framing_is_silent_until_it_is_put_right(fault: str) -> None:
    stage = a_stage(fault)
    assert ask(stage)[0] == b""
    stage.calm("bus")
    assert ask(stage)[0] == HEALTHY


def test_a_collision_garbles_and_the_line_is_good_again() -> None:
    stage = a_stage("collision(p=100%, times=1)")
    assert not ask(stage)[0].startswith(HEALTHY)
    assert ask(stage)[0] == HEALTHY


def test_a_second_master_is_heard_and_answered() -> None:
    stage = a_stage("second-master(p=100%, register=3201, within=0ms, times=1)")
    heard, _ = ask(stage)
    theirs = encode_rtu(1, read_registers(3201, 1))
    assert heard.startswith(theirs)
    assert {decode_rtu(heard[i : i + 7])[1][2:] for i in (8, 15)} == {b"\x00\x64", b"\x00\x05"}


def test_noise_stands_before_or_behind() -> None:
    stage = a_stage("noise(p=100%)")
    heard = [ask(stage)[0] for _ in range(20)]
    assert all(HEALTHY in frame and len(frame) > len(HEALTHY) for frame in heard)
    assert {frame.startswith(HEALTHY) for frame in heard} == {True, False}


def test_a_link_that_dies_takes_every_port_with_it_and_comes_back() -> None:
    stage = a_stage("link-dies(p=100%, times=1, for=2s)")
    line = stage.line("bus")
    port, told = line.open(), []
    port.on_death = lambda: told.append(stage.world.now)
    port.write(encode_rtu(1, READ))
    stage.world.sleep(SECOND)
    assert port.inbox.available(stage.world.now) < len(HEALTHY)
    assert port.dead
    assert line.cut_off
    assert len(told) == 1
    stage.world.sleep(2 * SECOND)
    assert not line.cut_off
    assert port.dead, "what was open then stays dead"
    assert ask(stage)[0] == HEALTHY


# -- on a network ------------------------------------------------------------------------------------------------------

WHOLE = ask_tcp(a_stage(medium=ETHERNET))


def test_messages_are_lost_twice_late_and_cut_short() -> None:
    assert ask_tcp(a_stage("drop(p=100%)", medium=ETHERNET)) == b""
    assert ask_tcp(a_stage("duplicate(p=100%)", medium=ETHERNET)) == WHOLE * 2
    assert ask_tcp(a_stage("late(p=100%, by=2s)", medium=ETHERNET), within=SECOND) == b""
    assert ask_tcp(a_stage("late(p=100%, by=2s)", medium=ETHERNET)) == WHOLE
    assert WHOLE.startswith(ask_tcp(a_stage("truncated(p=100%)", medium=ETHERNET)))
    assert decode_mbap(ask_tcp(a_stage("wrong-unit(p=100%)", medium=ETHERNET)))[1] == 2


def test_a_network_in_bad_time_holds_messages_back_and_loses_none() -> None:
    stage = a_stage("bursts(pi=60%, tau=300ms)", medium=ETHERNET)
    connection = stage.network("bus").connect()
    for number in range(1, 21):
        connection.write(encode_mbap(number, 1, READ))
    stage.world.sleep(60 * SECOND)
    heard = connection.inbox.take(9999, stage.world.now)
    assert [decode_mbap(heard[i : i + 11])[0] for i in range(0, len(heard), 11)] == list(range(1, 21))


def test_a_connection_dies_in_the_middle_of_an_answer() -> None:
    stage = a_stage("link-dies(p=100%, times=1, for=2s)", medium=ETHERNET)
    network = stage.network("bus")
    connection = network.connect()
    connection.write(encode_mbap(1, 1, READ))
    stage.world.sleep(SECOND)
    assert 0 < connection.inbox.available(stage.world.now) < len(WHOLE)
    assert connection.dead
    assert connection.broken is not None
    assert network.cut_off
    assert network.connect().dead
    stage.world.sleep(2 * SECOND)
    assert ask_tcp(stage) == WHOLE


def test_a_gateway_that_maps_a_unit_wrongly_shows_another_meter_under_it() -> None:
    """D40: unit 1 is answered by meter two, under unit 1; unit 2 is itself."""
    stage = a_stage("D40(unit=1)", medium=ETHERNET)
    stage.meters["two"].config["ct_primary"] = 777
    answers = [decode_mbap(ask_tcp(stage, unit)) for unit in (1, 2)]
    assert [unit for _, unit, _ in answers] == [1, 2]
    assert [int.from_bytes(pdu[2:], "big") for _, _, pdu in answers] == [777, 777]


def test_a_gateway_gives_a_refusal_for_the_next_request() -> None:
    """D40b: unit 9 is silent; its 0B comes in front of the next answer, under that one's number."""
    stage = a_stage("D40b", medium=ETHERNET)
    assert ask_tcp(stage, 9) == b""
    heard = ask_tcp(stage, 1, number=2)
    assert decode_mbap(heard[:9]) == (2, 1, bytes.fromhex("83 0B"))
    assert heard[9:] == WHOLE[:1] + b"\x02" + WHOLE[2:]


def test_behind_a_gateway_the_faults_of_the_line_are_met_too() -> None:
    stage = a_stage("drop(p=100%)")
    assert decode_mbap(ask_tcp(stage))[2] == bytes.fromhex("83 0B"), "the gateway reports a silent unit"
    assert stage.network("bus").disturbance is None
