"""The mirror: a healthy device differs in nothing, a defective one is named by its first frame, a real one primed."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench_stand import stand, two_meters
from trace_desk import FIXTURES, trace_file, transfer_traces

from bench.errors import UsageError
from bench.replay.exchanges import Trace, load_trace
from bench.replay.mirror import Options, mirror
from bench.serving.recording import Recording, writer_of
from bench.stage import stage_of
from bench.station import builtin_station, load_station
from protocols.modbus.frames import encode_mbap, encode_rtu
from protocols.modbus.pdu import read_registers, write_register, write_registers
from simulators.faults.line_registry import fault_called
from simulators.lines.serial_line import Port
from simulators.power.feeder import Load
from simulators.world import SECOND, World

#: Totals that are not the sums of their parts, so that a meter that computes them anew shows it.
PRESET = [4567, 123, 0, 0, -42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5000, 123, 0, 0, -42, 0, 0, 0, 0, 200, 0, 0]


def recorded_preset(folder: Path, **profile: object) -> Trace:
    """A preset of the station's new PM850, recorded at its end, with a change of load and a power cut on the way."""
    station = builtin_station("sim").select(["new-pm850", "new-pm870"])
    world = World(5)
    stage = stage_of(station, world, {})
    writer = writer_of("new-pm850", stage, station, {"seed": 5, "defects": {}})
    recording = Recording(stage, {"new-pm850": writer})
    connection = stage.network("lan").connect()
    numbers = iter(range(1, 100))

    def ask(pdu: bytes) -> None:
        connection.write(encode_mbap(next(numbers), 4, pdu))
        world.sleep(SECOND // 3)

    ask(read_registers(1699, 28))
    ask(write_registers(8021, [word & 0xFFFF for word in PRESET]))
    for register, value in ((8017, 8020), (8018, 8021), (8019, 8022), (8000, 6209)):
        ask(write_register(register - 1, value))
    ask(read_registers(1699, 28))
    stage.set_load("new-pm850", Load(500_000_000, 7))
    recording.note("new-pm850", "load 500000000 mW, 7 mvar")
    ask(read_registers(1099, 6))
    for on in (False, True):
        stage.switch_supply("new-pm850", on=on)
        recording.note("new-pm850", f"supply {'on' if on else 'off'}")
        ask(read_registers(1699, 28))
    world.sleep(20 * SECOND)
    ask(read_registers(1699, 28))
    path = writer.write(folder)
    assert path is not None
    return load_trace(path)


def test_a_healthy_device_differs_in_no_bit_and_no_nanosecond(tmp_path: Path) -> None:
    found = mirror(recorded_preset(tmp_path))
    assert found.exact
    assert found.comparison.exchanges == 11
    assert found.comparison.differences == []
    assert found.comparison.timing.beyond(0) == []
    assert found.comparison.timing.summary()["first_max"] >= 20_000_000


@pytest.mark.parametrize(
    ("defect", "register"),
    [("D19", "real_energy_total"), ("D01", "real_energy_total"), ("D04", "reactive_energy_in"), ("D15", "real_energy")],
)
def test_a_defect_is_named_with_its_first_frame_and_register(tmp_path: Path, defect: str, register: str) -> None:
    found = mirror(recorded_preset(tmp_path), Options(defects=(defect,)))
    first = found.comparison.unexplained[0]
    assert first.number == (11 if defect == "D15" else 7)
    assert "read 28 from 1700" in first.request
    named = [d.what for d in found.comparison.unexplained if d.number == first.number]
    assert any(register in what for what in named), named
    assert first.first != first.second


def test_another_profile_shows_in_the_reaction_times(tmp_path: Path) -> None:
    trace = recorded_preset(tmp_path)
    found = mirror(trace, Options(profile={"atomic_block_read": False}))
    assert found.exact
    with pytest.raises(UsageError, match="unknown profile value"):
        mirror(trace, Options(profile={"moon_phase": 1}))


def test_a_line_is_mirrored_as_exactly(tmp_path: Path) -> None:
    station = builtin_station("sim").select(["cm2350", "pm850"])
    world = World(3)
    stage = stage_of(station, world, {})
    writer = writer_of("cm2350", stage, station, {"seed": 3})
    Recording(stage, {"cm2350": writer})
    port: Port = stage.line("bus").open()
    for pdu in (b"\x11", read_registers(1600, 28), read_registers(2027, 1), b"\x2b\x0e\x01\x00"):
        port.write(encode_rtu(3, pdu))
        world.sleep(SECOND)
        port.write(encode_rtu(7, pdu))  # somebody else's
        world.sleep(SECOND)
    path = writer.write(tmp_path)
    assert path is not None
    trace = load_trace(path)
    assert '"030302xxxxxxxx"' in path.read_text(), "the command password is cut out"
    found = mirror(trace)
    assert (found.comparison.exchanges, found.comparison.masked) == (4, 1)
    assert found.comparison.differences == []
    assert found.comparison.timing.beyond(0) == []


def test_a_counter_of_the_line_counts_what_others_said(tmp_path: Path) -> None:
    station = builtin_station("sim").select(["cm2350", "pm850"])
    world = World(3)
    stage = stage_of(station, world, {})
    writer = writer_of("cm2350", stage, station, {"seed": 3})
    Recording(stage, {"cm2350": writer})
    port: Port = stage.line("bus").open()
    for unit, pdu in ((7, read_registers(1699, 1)), (3, bytes((8, 0, 11, 0, 0)))):  # bus messages
        port.write(encode_rtu(unit, pdu))
        world.sleep(SECOND)
    path = writer.write(tmp_path)
    assert path is not None
    found = mirror(load_trace(path)).comparison
    assert [difference.cause.partition(":")[0] for difference in found.differences] == ["traffic"]
    assert found.unexplained == []


# -- a trace that does not say what the device began with --------------------------------------------------------------


def test_a_transfer_seen_from_the_bench_leaves_nothing_unexplained(tmp_path: Path) -> None:
    traces = transfer_traces(tmp_path, two_meters(load="40 kW"))
    for path in sorted(traces.iterdir()):
        found = mirror(load_trace(path))
        assert not found.exact
        assert found.comparison.unexplained == []
        assert {d.cause.partition(":")[0] for d in found.comparison.differences} <= {"time", "load", "past"}


def test_a_defective_meter_seen_from_the_bench_is_found(tmp_path: Path) -> None:
    traces = transfer_traces(tmp_path, two_meters(load="40 kW"))
    found = mirror(load_trace(next(traces.glob("*new*"))), Options(defects=("D04",)))
    first = found.comparison.unexplained[0]
    assert "reactive_energy_in" in first.what
    assert first.first.startswith("-"), "the sign was kept by what was recorded"
    assert not first.second.startswith("-")


def energies(value: int) -> str:
    words = [value % 10_000, value // 10_000, 0, 0]
    return encode_rtu(1, b"\x03\x08" + b"".join(word.to_bytes(2, "big") for word in words)).hex()


ASK_ENERGY = encode_rtu(1, read_registers(1699, 4)).hex()


@pytest.mark.parametrize(("later", "unexplained"), [(1_234_568, 0), (1_235_567, 1), (1_234_000, 1)])
def test_an_energy_may_move_as_far_as_the_load_can_have_moved_it(tmp_path: Path, later: int, unexplained: int) -> None:
    """CT 5:5 and a direct 347 V carry 10 kVA at the very most: in 2 s no more than 6 Wh."""
    path = trace_file(
        tmp_path / "x.jsonl",
        [
            (0, "tx", ASK_ENERGY),
            (40, "rx", energies(1_234_567)),
            (2000, "tx", ASK_ENERGY),
            (2040, "rx", energies(later)),
        ],
    )
    found = mirror(load_trace(path))
    assert len(found.comparison.unexplained) == unexplained


def test_a_clock_may_be_a_second_off_and_no_more(tmp_path: Path) -> None:
    ask = encode_rtu(1, read_registers(3092, 6)).hex()

    def shown(second: int) -> str:
        words = (3, 10, 2026, 8, second // 60, second % 60)
        return encode_rtu(1, b"\x03\x0c" + b"".join(word.to_bytes(2, "big") for word in words)).hex()

    for after, unexplained in ((61, False), (66, True)):
        path = tmp_path / f"{after}.jsonl"
        trace_file(path, [(0, "tx", ask), (50, "rx", shown(0)), (60_000, "tx", ask), (60_050, "rx", shown(after))])
        assert bool(mirror(load_trace(path)).comparison.unexplained) == unexplained


def test_a_refusal_where_the_simulator_answers_is_unexplained(tmp_path: Path) -> None:
    refused = encode_rtu(1, b"\x83\x02").hex()
    path = trace_file(tmp_path / "x.jsonl", [(0, "tx", ASK_ENERGY), (40, "rx", refused)])
    (difference,) = mirror(load_trace(path)).comparison.unexplained
    assert difference.what == "answer"
    assert "exception 02" in difference.first


def test_a_device_of_a_station_file_can_be_held_against_a_trace(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(two_meters())
    trace = load_trace(FIXTURES / "PM850" / "any" / "energy-preset.trace.jsonl")
    options = Options(station=load_station(tmp_path / "s.yaml"), device="new")
    assert mirror(trace, options).comparison.unexplained == []


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        ({"model": ""}, "the trace is of no model; name one: CM2350"),
        ({"model": "PM9999"}, "the trace is of PM9999; name one"),
        ({"start": {"seed": 1}}, "does not say what the device began with"),
    ],
)
def test_a_header_that_says_too_little_is_told(tmp_path: Path, header: dict[str, object], complaint: str) -> None:
    model = str(header.pop("model", "PM850"))
    path = trace_file(tmp_path / "x.jsonl", [(0, "tx", ASK_ENERGY)], model=model, **header)
    with pytest.raises(UsageError, match=complaint):
        mirror(load_trace(path))


def test_a_trace_without_a_request_cannot_be_mirrored(tmp_path: Path) -> None:
    path = trace_file(tmp_path / "x.jsonl", [(0, "note", "supply on")])
    with pytest.raises(UsageError, match="holds no request"):
        mirror(load_trace(path))


# -- the public frames -------------------------------------------------------------------------------------------------

PUBLIC = sorted(FIXTURES.rglob("*.trace.jsonl"))


@pytest.mark.parametrize("path", PUBLIC, ids=lambda path: f"{path.parts[-3]}/{path.name.partition('.')[0]}")
def test_the_simulator_agrees_with_every_public_frame(path: Path) -> None:
    trace = load_trace(path)
    assert trace.header["source"]
    assert trace.header["confidence"]
    assert trace.model == path.parts[-3]
    found = mirror(trace)
    assert found.comparison.exchanges > 0
    assert found.comparison.unexplained == []


def test_there_are_public_frames_of_both_generations() -> None:
    assert {path.parts[-3] for path in PUBLIC} >= {"CM2350", "CM4250", "PM850"}


def test_an_answer_that_the_line_has_lost_is_no_difference_of_the_meter(tmp_path: Path) -> None:
    with stand(two_meters(), tmp_path) as on:
        on.new.words("ct_secondary")
        on.bench.disturbances.put("new", fault_called("truncated(p=100%, times=1)"))
        on.new.words("ct_primary")
        on.bench.write_traces()
    (path,) = (tmp_path / "evidence" / "traces").glob("*.new.trace.jsonl")
    found = mirror(load_trace(path)).comparison
    assert [difference.cause for difference in found.differences] == ["line: asked again, and then answered"]
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-2]) + "\n")  # as if nobody had asked again
    assert len(mirror(load_trace(path)).comparison.unexplained) == 1
