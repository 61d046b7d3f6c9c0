"""Both faces of a meter under damaged, hostile and merely unusual requests.

Bounded here; `METERBENCH_FUZZ=1000000 python -m pytest tests/robustness` sends each face a million of them.
"""

from __future__ import annotations

import gc
import os
from itertools import islice

import pytest
from fuzzing import UNIT, Inputs, check_rtu, check_tcp, is_whole, opens_a_door

from protocols.modbus.server import RtuServer, TcpServer
from protocols.powerlogic.energy import Quantity
from simulators.faults import switch_on
from simulators.meters.powerlogic import build_meter
from simulators.meters.powerlogic.meter import Meter
from simulators.power.feeder import Feeder, Load

#: How many inputs each face is sent, spread over the models.
INPUTS = int(os.environ.get("METERBENCH_FUZZ", "24000"))
MODELS = ("PM850", "CM4250", "CM2350")
SECOND = 1_000_000_000
ENERGIES = {quantity: 1_234_567_891 * (index + 1) for index, quantity in enumerate(Quantity)}


class Watch:
    """Sees to it that the energies of a meter without a load change only through the documented doors."""

    def __init__(self, model: str) -> None:
        self.meter: Meter = build_meter(model, Feeder(load=Load(0)), energies=ENERGIES)
        self.now = 60 * SECOND
        self._before = self.meter.energies_picojoule(self.now)
        self._opened = False
        self.changes = 0

    def sent(self, frame: bytes, *, tcp: bool) -> None:
        self._opened |= opens_a_door(frame, tcp=tcp)
        self.now += 100_000_000
        self.meter.settle(self.now)
        after = self.meter.energies_picojoule(self.now)
        if after != self._before:
            assert self._opened, f"{frame.hex()} has changed the energies"
            self._before = after
            self.changes += 1

    def wait_for_it(self) -> None:
        """Let the meter come back from a reset, and what it was told to do be done."""
        self.now += 60 * SECOND
        self.sent(b"\0" * 8, tcp=True)
        self._opened = False


@pytest.mark.parametrize("model", MODELS)
def test_a_meter_on_a_line_answers_or_is_silent_as_the_standard_says(model: str) -> None:
    watch = Watch(model)
    answered = on_a_line(watch, INPUTS // len(MODELS))
    assert answered > INPUTS // len(MODELS) // 4
    if model != "CM2350":
        assert watch.changes, "no input went through a door: the oracle has seen nothing"


@pytest.mark.parametrize(
    ("defect", "said"), [("D30", "has changed the energies"), ("D29", "as many bytes as the quantity says")]
)
def test_the_fuzz_finds_a_face_that_obeys_too_much(defect: str, said: str) -> None:
    watch = Watch("PM850")
    switch_on(defect, watch.meter, watch.now)
    with pytest.raises(AssertionError, match=said):
        on_a_line(watch, 20_000)


def on_a_line(watch: Watch, inputs: int) -> int:
    """Send a meter so many frames and check each; returns how many it answered."""
    server = RtuServer(UNIT, watch.meter)
    answered = 0
    objects = 0
    for number, frame in enumerate(islice(Inputs(7, tcp=False), inputs)):
        if number % 50 == 0:
            watch.wait_for_it()
        heard = watch.meter.listening(watch.now)
        answers = [reply.data for reply in server.receive(frame, watch.now)]
        if heard:
            check_rtu(frame, answers, watch.meter.function_codes)
        else:
            assert answers == []
        answered += len(answers)
        watch.sent(frame, tcp=False)
        if number == inputs // 4:
            objects = _objects()
    assert _objects() < objects + 500, "nothing is kept of what was asked"
    return answered


@pytest.mark.parametrize("model", MODELS)
def test_a_connection_answers_every_sound_frame_and_ends_at_the_first_damage(model: str) -> None:
    watch = Watch(model)
    server = TcpServer({UNIT: watch.meter})
    ended = answered = 0
    for number, frame in enumerate(islice(Inputs(11, tcp=True), INPUTS // len(MODELS))):
        if number % 50 == 0:
            watch.wait_for_it()
        heard = watch.meter.listening(watch.now)
        replies = server.receive(frame, watch.now)
        whole = is_whole(frame)
        if whole and heard and frame[6] in (0, UNIT, 255):
            assert server.broken is None
            check_tcp(frame, b"".join(reply.data for reply in replies), watch.meter.function_codes)
            answered += 1
        if server.broken is not None or not whole:
            ended += 1
            server = TcpServer({UNIT: watch.meter})  # a new connection, as a client would have to make one
        watch.sent(frame, tcp=True)
    assert answered > INPUTS // len(MODELS) // 4
    assert ended > INPUTS // len(MODELS) // 50


@pytest.mark.parametrize("cut", [1, 3, 7, 100])
def test_the_answers_do_not_depend_on_how_a_stream_is_cut(cut: int) -> None:
    frames = [frame for frame in islice(Inputs(13, tcp=True), 3000) if is_whole(frame)]
    whole, pieces = (TcpServer({UNIT: build_meter("PM850", Feeder(load=Load(0)))}) for _ in range(2))
    stream = b"".join(frames)
    expected = b"".join(reply.data for frame in frames for reply in whole.receive(frame, 60 * SECOND))
    found = b"".join(
        reply.data for at in range(0, len(stream), cut) for reply in pieces.receive(stream[at : at + cut], 60 * SECOND)
    )
    assert found == expected
    assert len(frames) > 1000


def _objects() -> int:
    gc.collect()
    return len(gc.get_objects())
