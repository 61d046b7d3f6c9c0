"""A PAKNET-like radio PAD, as a computer's program meets it."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from talkers import Repeater, Talker

from protocols.conversation import Conversation, Receive, Send, Wait
from protocols.dialling import PadCall
from simulators.lines.character_line import CharacterLine
from simulators.lines.exchange import Exchange
from simulators.lines.pad import Pad, PadPlan, State
from simulators.world import MILLISECOND, SECOND, World

NUMBER = "23530412345678"
EIGHT = (9600, "8N1")
#: A line that never fails, in 50 ms there and back.
SURE = "rs232_direct"
COM = b"\r\nCOM\r\n"


class Desk:
    def __init__(
        self, meter: Talker | None = None, *, profile: str = SURE, seed: int = 1, again: float = 0, **plan: Any
    ) -> None:
        self.world = World(seed)
        self.far = CharacterLine(self.world, "meters", "network")
        self.meter = meter or Repeater(line=EIGHT)
        self.far.attach(self.meter, name="meter")
        book = {NUMBER: self.far, "23530412345679": "RNA", "23530412345670": "busy"}
        self.pad = Pad(self.world, "pad", PadPlan({}, profile=profile, again=again, **plan), Exchange(book))
        self.port = self.pad.terminal.open()

    def heard(self, wait: int = SECOND) -> bytes:
        self.world.sleep(wait)
        return self.port.inbox.take(99_999, self.world.now)

    def type(self, text: bytes, wait: int = SECOND) -> bytes:
        self.port.write(text)
        return self.heard(wait)

    def connect(self) -> None:
        called = NUMBER.encode() + b"\r"
        assert self.type(called, 4 * SECOND) == called + COM


@pytest.mark.parametrize(
    ("plan", "call", "answer"),
    [
        ({}, NUMBER, "COM"),
        ({"nui": "ELSTER1"}, f"NELSTER1-{NUMBER}", "COM"),
        ({"nui": "ELSTER1"}, f"NELSTER1,G01-{NUMBER}D meter", "COM"),
        ({"nui": "ELSTER1"}, NUMBER, "CLR NA"),
        ({"nui": "ELSTER1"}, f"NOTHER-{NUMBER}", "CLR NA"),
        ({}, f"R-{NUMBER}", "CLR RNA"),
        ({"collect": True}, f"R-{NUMBER}", "COM"),
        ({}, f"Q7-{NUMBER}", "CLR INV"),
        ({}, "23530412345670", "CLR OCC"),
        ({}, "23530412345679", "CLR RNA"),
        ({}, "23530499999999", "CLR NP"),
        ({}, "HELLO", "ERR"),
        ({}, "CLR", "ERR"),
        ({}, "STAT", "FREE"),
        ({}, "PAR? 3,4,99", "PAR 3:0, 4:4, 99:INV"),
        ({}, "SET 3:999", "ERR"),
    ],
)
def test_a_command_has_its_service_signal(plan: dict[str, Any], call: str, answer: str) -> None:
    desk = Desk(**plan)
    assert desk.type(f"{call}\r".encode(), 4 * SECOND) == f"{call}\r\r\n{answer}\r\n".encode()


def test_a_plan_names_paknet_numbers_only() -> None:
    with pytest.raises(ValueError, match="0123456 is no PAKNET number"):
        PadPlan({"0123456": "line"})
    with pytest.raises(ValueError, match="99 is no parameter"):
        PadPlan({}, parameters={99: 1})


def test_after_com_every_byte_goes_to_the_meter_and_back() -> None:
    desk = Desk()
    desk.connect()
    everything = bytes(range(256))
    assert desk.type(everything, 6 * SECOND) == everything


@pytest.mark.parametrize(
    ("parameters", "said", "packets"),
    [
        ({4: 4}, bytes(300), [128, 128, 44]),
        ({3: 16}, b"\x01R1\x02x\x03c\x01R1\x02y\x03c", [6, 7, 1]),
        ({3: 2}, b"/?!\r\n", [4, 1]),
        ({3: 0, 4: 0}, bytes(100), []),
    ],
)
def test_packets_are_closed_when_full_behind_characters_or_after_a_pause(
    parameters: dict[int, int], said: bytes, packets: list[int]
) -> None:
    """The check character of a block comes behind its ETX, so a PAD that forwards at ETX tears it off."""
    desk = Desk(parameters=parameters)
    desk.connect()
    sent: list[int] = []
    assert desk.pad._call is not None
    desk.pad._call.send = lambda data: sent.append(len(data))  # type: ignore[method-assign]
    desk.type(said, 2 * SECOND)
    assert sent == packets


def test_a_packet_waits_for_the_idle_timer() -> None:
    delays = []
    for timer in (1, 20):
        desk = Desk(Repeater(line=EIGHT, reaction=0), parameters={4: timer}, remote={4: 1}, seed=2)
        desk.connect()
        began = desk.world.now
        desk.port.write(b"a")
        desk.world.run_until(lambda desk=desk: desk.port.inbox.due(1), began + 10 * SECOND)  # type: ignore[misc]
        delays.append(desk.world.now - began)
    assert delays[1] - delays[0] == pytest.approx(19 * 50 * MILLISECOND, abs=5 * MILLISECOND)


def test_halves_of_a_frame_arrive_seconds_apart() -> None:
    """Radio out of reach: somewhere in a hundred frames a packet waits, and the meter's ta of 1.5 s is over."""
    gaps = []
    for seed in range(12):
        desk = Desk(Talker(line=EIGHT), profile="paknet_x28", seed=seed, again=0.03)
        desk.type(f"{NUMBER}\r".encode(), 40 * SECOND)
        if desk.pad.state is not State.DATA:
            continue
        for _ in range(10):
            desk.meter.heard.clear()
            desk.type(bytes(200), 60 * SECOND)
            times = [at for at, _ in desk.meter.heard]
            gaps += [after - before for before, after in pairwise(times)]
    assert max(gaps) > 1500 * MILLISECOND
    assert sorted(gaps)[len(gaps) // 2] < 1500 * MILLISECOND


def test_a_clearing_in_the_midst_of_a_block_has_brought_its_beginning() -> None:
    desk = Desk(Talker({b"?": (b"x" * 960, None)}, line=EIGHT))
    desk.connect()
    desk.port.write(b"?")
    desk.world.sleep(SECOND)
    desk.pad.clear("DTE")
    came = desk.heard(5 * SECOND)
    assert came.endswith(b"\r\nCLR DTE\r\n")
    assert came.count(b"x") in range(1, 960)
    assert came.count(b"x") % 128 == 0, "packets come whole"
    assert len(desk.meter.lost) == 1
    desk.connect()


def test_a_recall_leads_to_commands_and_a_return_to_the_data() -> None:
    desk = Desk(parameters={1: 1, 2: 0})
    desk.type(f"{NUMBER}\r".encode(), 4 * SECOND)
    assert desk.type(b"ab\x10STAT\r") == b"\r\nENGAGED\r\nab"
    assert desk.type(b"c\x10\rd", 2 * SECOND) == b"cd"
    assert desk.type(b"e\x10\x10f", 2 * SECOND) == b"e\x10f", "twice is once"
    assert desk.type(b"\x10CLR\r") == b"\r\nCLR CONF\r\n"
    assert len(desk.meter.lost) == 1


def test_a_recall_sends_what_has_been_gathered() -> None:
    desk = Desk(parameters={1: 1, 4: 0})
    desk.connect()
    desk.type(b"ab\x10STAT\r", 3 * SECOND)
    assert desk.meter.said_to_it == b"ab"


def test_a_check_character_of_10_leaves_the_call_of_a_pad_that_recalls_on_it() -> None:
    """What a FLAG tool meets on a PAD that nobody has made transparent."""
    for recall, state in ((0, State.DATA), (1, State.COMMAND)):
        desk = Desk(parameters={1: recall})
        desk.connect()
        desk.type(b"\x01B0\x03\x10")
        assert desk.pad.state is state


def test_dtr_clears() -> None:
    desk = Desk()
    desk.connect()
    desk.pad.terminal.set_ready(desk.port, ready=False)
    assert desk.pad.state is State.COMMAND
    assert len(desk.meter.lost) == 1


def held(desk: Desk, conversation: Conversation[Any]) -> Any:
    """Hold a conversation of a tool with the PAD."""
    try:
        step = next(conversation)
        while True:
            answer = b""
            match step:
                case Send(data):
                    desk.port.write(data)
                case Wait(time):
                    desk.world.sleep(time)
                case Receive(rule, timeout):
                    limit = desk.world.now + timeout
                    while rule(answer) is None and desk.world.now < limit:
                        answer += desk.heard(10 * MILLISECOND)
            step = conversation.send(answer)
    except StopIteration as end:
        return end.value


def test_a_tool_without_dtr_ends_its_call_in_words_and_every_byte_gets_through() -> None:
    desk, call = Desk(), PadCall(NUMBER, recall=True)
    for _ in range(2):
        assert held(desk, call.set_up()) == "COM"
        desk.heard()
        said = desk.meter.said_to_it
        desk.type(call.as_sent(bytes(range(256))), 4 * SECOND)
        assert desk.meter.said_to_it == said + bytes(range(256))
        held(desk, call.clear())
        assert (desk.pad.state, desk.pad.carrier) == (State.COMMAND, False)
        assert desk.type(b"STAT\r").endswith(b"FREE\r\n")


def test_a_call_that_a_killed_tool_has_left_is_cleared_by_the_next_one() -> None:
    desk, call = Desk(), PadCall(NUMBER, recall=True)
    held(desk, call.set_up())
    desk.type(b"half a fra")
    assert held(desk, call.set_up()) == "COM"


def test_calls_take_as_long_as_the_profile_says() -> None:
    times = []
    for seed in range(150):
        desk = Desk(profile="paknet_x28", seed=seed, parameters={2: 0})
        began = desk.world.now
        desk.port.write(f"{NUMBER}\r".encode())
        desk.world.run_until(lambda desk=desk: desk.port.inbox.due(4), began + 120 * SECOND)  # type: ignore[misc]
        times.append(desk.world.now - began)
    assert sorted(times)[75] == pytest.approx(3 * SECOND, rel=0.15)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=40) | st.sampled_from(
    [f"{NUMBER}\r".encode(), b"CLR\r", b"\x10", b"STAT\r", b"SET 1:1,3:127,4:1\r", b"PAR?\r", b"SET 1:\r", b"\r"]),
    st.integers(0, 3 * SECOND)), max_size=14))  # fmt: skip
def test_whatever_is_typed_nothing_breaks(words: list[tuple[bytes, int]]) -> None:
    desk = Desk()
    for typed, pause in words:
        desk.type(typed, pause)
    desk.heard(60 * SECOND)
    desk.pad.lose(desk.world.now)
    assert desk.type(b"STAT\r") == b"STAT\r\r\nFREE\r\n"


def test_equal_seeds_give_equal_digests() -> None:
    def digest(seed: int) -> str:
        desk = Desk(profile="paknet_x28", seed=seed, again=0.03)
        desk.type(f"{NUMBER}\r".encode(), 40 * SECOND)
        desk.type(bytes(500), 40 * SECOND)
        return desk.world.digest.hexdigest()

    assert digest(1) == digest(1) != digest(2)
