"""The golden frames through a whole simulated line: RTU bytes in, RTU bytes out."""

import csv
from importlib.resources import files

import pytest
from meter_desk import IN_SERVICE

from protocols.modbus.frames import decode_rtu, encode_rtu
from protocols.powerlogic.energy import CM2_ORDER, Quantity, decode_set, encode_set
from protocols.powerlogic.words import signed, unpack_words
from simulators.lines.framing import Framing
from simulators.lines.serial_line import Port
from simulators.power.feeder import Load
from simulators.stage import DevicePlan, LinkPlan, Stage
from simulators.world import MILLISECOND, SECOND, World

FRAMES = {
    row["step"]: bytes.fromhex(row["frame_hex"])
    for row in csv.DictReader((files("fixtures") / "powerlogic" / "golden_frames.csv").read_text().splitlines())
}
BLOCK = next(step for step in FRAMES if step.startswith("write 8022"))
LANDED = {
    **dict.fromkeys(Quantity, 0),
    Quantity.REAL_IN: 1_234_567,
    Quantity.REACTIVE_IN: -42,
    Quantity.REAL_TOTAL: 1_234_567,
    Quantity.REACTIVE_TOTAL: -42,
    Quantity.APPARENT_TOTAL: 2_000_000,
}


class Bench:
    """A master on a line with one meter at address 1, and one beside it at address 2."""

    def __init__(self, model: str = "PM850", framing: Framing | None = None, seed: int = 0) -> None:
        self.world = World(seed, budget=3600 * SECOND)
        link = LinkPlan("desk", framing=framing or Framing(9600, "8E1"))
        plans = [DevicePlan(f"m{i}", model, "desk", i, load=Load(36_000_000), energies=IN_SERVICE) for i in (1, 2)]
        self.stage = Stage(self.world, [link], plans)
        self.port: Port = self.stage.line("desk").open()

    def exchange(self, frame: bytes) -> bytes:
        """Send a frame; what comes back within a second."""
        self.port.write(frame)
        self.world.sleep(SECOND)
        return self.port.inbox.take(999, self.world.now)


def test_the_frames_are_those_of_our_codec() -> None:
    words = [word & 0xFFFF for word in encode_set(LANDED)]
    pdu = bytes([16]) + (8021).to_bytes(2, "big") + bytes([0, 28, 56]) + b"".join(w.to_bytes(2, "big") for w in words)
    assert encode_rtu(1, pdu) == FRAMES[BLOCK]


@pytest.mark.parametrize("model", ["CM3350", "CM4250", "PM850"])
@pytest.mark.parametrize("framing", [Framing(9600, "8E1"), Framing(1200, "8N1"), Framing(115_200, "8N1")])
def test_the_whole_procedure_in_golden_frames(model: str, framing: Framing) -> None:
    bench = Bench(model, framing)
    assert bench.exchange(FRAMES[BLOCK]) == FRAMES["reply to write 8022 x28"]
    for step in ("8017 := 8020", "8018 := 8021", "8019 := 8022", "8000 := 6209"):
        assert bench.exchange(FRAMES[step]) == FRAMES[step]
    assert bench.exchange(FRAMES["read 8021"]) == encode_rtu(1, bytes([3, 2, 0, 0]))
    unit, answer = decode_rtu(bench.exchange(FRAMES["read 1700 x28"]))
    assert (unit, answer[:2]) == (1, bytes([3, 56]))
    found = decode_set([signed(word) for word in unpack_words(answer[2:])])
    grown = {quantity: found[quantity] - LANDED[quantity] for quantity in Quantity}
    counting = (Quantity.REAL_IN, Quantity.REAL_TOTAL, Quantity.APPARENT_TOTAL)
    assert all(0 <= grown[quantity] <= 50 for quantity in counting)  # 10 Wh a second
    assert all(grown[quantity] == 0 for quantity in Quantity if quantity not in counting)


def test_the_golden_read_of_a_cm2() -> None:
    bench = Bench("CM2350")
    bench.stage.set_load("m1", Load(0))
    _, answer = decode_rtu(bench.exchange(FRAMES["read 1601 x28 (CM2)"]))
    assert decode_set([signed(word) for word in unpack_words(answer[2:])], CM2_ORDER) == IN_SERVICE


def test_a_cm2_refuses_the_preset_frames_and_a_series_the_cm2_block() -> None:
    assert decode_rtu(Bench("CM2350").exchange(FRAMES["8000 := 6209"]))[1] == bytes([0x86, 2])
    assert decode_rtu(Bench("PM850").exchange(FRAMES["read 1601 x28 (CM2)"]))[1] == bytes([0x83, 2])


def test_the_other_meter_on_the_line_is_untouched() -> None:
    bench = Bench()
    bench.stage.set_load("m2", Load(0))
    for step in (BLOCK, "8017 := 8020", "8018 := 8021", "8019 := 8022", "8000 := 6209"):
        bench.exchange(FRAMES[step])
    assert bench.stage.meters["m2"].energies(bench.world.now) == IN_SERVICE


def test_an_absent_unit_and_a_broken_frame_meet_silence() -> None:
    bench = Bench()
    frame = FRAMES["read 8021"]
    assert bench.exchange(encode_rtu(9, frame[1:-2])) == b""
    assert bench.exchange(frame[:-1] + bytes([frame[-1] ^ 1])) == b""
    assert bench.exchange(frame[:5]) == b""
    assert bench.exchange(frame) != b""


def test_a_meter_that_boots_is_silent() -> None:
    bench = Bench()
    bench.stage.switch_supply("m1", on=False)
    assert bench.exchange(FRAMES["read 8021"]) == b""
    bench.stage.switch_supply("m1", on=True)
    assert bench.exchange(FRAMES["read 8021"]) == b""
    bench.world.sleep(8 * SECOND)
    assert bench.exchange(FRAMES["read 8021"]) != b""


def test_a_poll_takes_the_time_of_the_line_to_the_nanosecond() -> None:
    bench = Bench(framing=Framing(9600, "8E1"))
    bench.port.write(FRAMES["read 1700 x28"])
    bench.world.run_until(lambda: bench.port.inbox.due(61), SECOND)
    framing = bench.port.framing
    end_of_request = framing.time_of(8)
    assert bench.world.now == end_of_request + framing.silence + 20 * MILLISECOND + framing.time_of(61)


def test_a_frame_cut_by_a_silence_is_two_bad_frames() -> None:
    bench = Bench()
    frame = FRAMES["read 8021"]
    bench.port.write(frame[:4])
    bench.world.sleep(bench.port.framing.time_of(4) + bench.port.framing.silence)
    assert bench.exchange(frame[4:]) == b""


def test_two_runs_with_one_seed_have_one_digest() -> None:
    def digest(seed: int, *frames: str) -> str:
        bench = Bench(seed=seed)
        noise = bench.stage.line("desk").open()
        for frame in frames:
            bench.port.write(FRAMES[frame])
            bench.world.sleep(5 * MILLISECOND)
            noise.write(b"interference")
            bench.world.sleep(SECOND)
        return bench.world.digest.hexdigest()

    assert digest(1, "read 8021", "read 1700 x28") == digest(1, "read 8021", "read 1700 x28")
    assert digest(1, "read 8021") != digest(2, "read 8021")
    assert digest(1, "read 8021") != digest(1, "read 1700 x28")
