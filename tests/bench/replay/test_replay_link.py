"""A recorded wire instead of a device: strictly, leniently, in the recording's time, and with nothing to harm."""

from __future__ import annotations

from pathlib import Path

import pytest
from trace_desk import bench_on, replay_station, trace_file, transfer_traces

from bench.errors import Diverged, Exit, NoAnswer, Refused, Undeterminable, UsageError
from bench.replay.desk import replaying
from bench.replay.exchanges import load_trace
from bench.replay.player import Player
from bench.station import load_station
from protocols.modbus.frames import encode_mbap, encode_rtu
from protocols.modbus.pdu import read_registers, write_register

ASK_1700 = encode_rtu(1, read_registers(1699, 1)).hex()
ASK_1701 = encode_rtu(1, read_registers(1700, 1)).hex()


def answer(value: int) -> str:
    return encode_rtu(1, b"\x03\x02" + value.to_bytes(2, "big")).hex()


def test_a_transfer_is_reproduced_from_its_wire_alone(tmp_path: Path) -> None:
    traces = transfer_traces(tmp_path / "a")
    host, bench = bench_on(replay_station(tmp_path, str(traces)))
    report = bench.transfer(bench.device("old"), bench.target("new"))
    assert report.result == 0
    assert report.after is not None
    ended = host.clock.now()
    host.close()
    recorded = load_trace(next(traces.glob("*new*"))).events
    assert ended >= recorded[-1].t - 1, "the bench lived in the recording's time"
    again = bench.traces["new"]._events
    assert [(way, data.hex()) for _, way, data, _ in again if way != "note"] == [
        (event.direction, event.hex) for event in recorded if event.direction != "note"
    ]
    assert [mark for _, way, mark, _ in again if way == "note"] == [b"supply off", b"supply on"]
    assert all(abs(one[0] - other.t) < 1000 for one, other in zip(again, recorded, strict=True)), "to the microsecond"


def test_writing_to_a_recording_needs_no_key_but_the_first(tmp_path: Path) -> None:
    traces = transfer_traces(tmp_path / "a")
    host, bench = bench_on(replay_station(tmp_path, str(traces)), reason=None)
    with pytest.raises(UsageError, match="not marked destructive"):
        bench.arm(bench.device("new"))
    host.close()


def test_another_request_names_the_event_and_both_frames(tmp_path: Path) -> None:
    trace_file(tmp_path / "x.jsonl", [(0, "tx", ASK_1700), (20, "rx", answer(7)), (1500, "tx", ASK_1701)])
    with replaying(tmp_path / "x.jsonl") as desk:
        assert desk.read(1700) == {"1700": "7"}
        with pytest.raises(Diverged) as left:
            desk.read(1702)
    told = str(left.value)
    assert "x.jsonl:4: request 2 at 1.500000 s: sent" in told
    assert "read 1 from 1702" in told
    assert "recorded" in told
    assert "read 1 from 1701" in told
    assert left.value.exit is Exit.DIVERGED == 6


def test_a_trace_that_has_ended_says_so(tmp_path: Path) -> None:
    trace_file(tmp_path / "x.jsonl", [(0, "tx", ASK_1700), (20, "rx", answer(7))])
    with replaying(tmp_path / "x.jsonl") as desk:
        desk.read(1700)
        with pytest.raises(Diverged, match="the trace has ended, 1 requests"):
            desk.read(1700)


def test_time_is_that_of_the_recording(tmp_path: Path) -> None:
    trace_file(
        tmp_path / "x.jsonl",
        [(100, "tx", ASK_1700), (130, "rx", answer(7)), (9_000, "tx", ASK_1700), (9_050, "rx", answer(8))],
    )
    with replaying(tmp_path / "x.jsonl") as desk:
        clock = desk.meter.clock
        assert clock.now() == 100_000_000, "who measures how long a reading takes looks at the clock before it"
        desk.read(1700)
        assert clock.now() == 130_000_000
        desk.read(1700)
        assert clock.now() == 9_050_000_000


def test_silence_and_refusals_are_replayed_too(tmp_path: Path) -> None:
    refusal = encode_rtu(1, b"\x83\x02").hex()
    trace_file(
        tmp_path / "x.jsonl",
        [(0, "tx", ASK_1700), (5000, "tx", ASK_1700), (9000, "tx", ASK_1701), (9020, "rx", refusal)],
    )
    with replaying(tmp_path / "x.jsonl") as desk:
        with pytest.raises(NoAnswer):
            desk.read(1700)
        with pytest.raises(Refused) as refused:
            desk.read(1701)
    assert refused.value.code == 2


def test_strict_takes_no_other_order_and_lenient_takes_one_that_is_unambiguous(tmp_path: Path) -> None:
    path = trace_file(
        tmp_path / "x.jsonl",
        [(0, "tx", ASK_1700), (20, "rx", answer(7)), (100, "tx", ASK_1701), (120, "rx", answer(8))],
    )
    with replaying(path) as desk, pytest.raises(Diverged):
        desk.read(1701)
    with replaying(path, "lenient") as desk:
        assert desk.read(1701) == {"1701": "8"}
        assert desk.read(1700) == {"1700": "7"}


def test_lenient_refuses_to_guess_between_two_answers(tmp_path: Path) -> None:
    path = trace_file(
        tmp_path / "x.jsonl",
        [(0, "tx", ASK_1700), (20, "rx", answer(1)), (100, "tx", ASK_1701), (120, "rx", answer(7)),
         (200, "tx", ASK_1701), (220, "rx", answer(8))],
    )  # fmt: skip
    with replaying(path, "lenient") as desk, pytest.raises(Diverged):
        desk.read(1701)


def mbap(number: int, value: int) -> list[tuple[int, str, str]]:
    ask = encode_mbap(number, 1, read_registers(1699, 1)).hex()
    said = encode_mbap(number, 1, b"\x03\x02" + value.to_bytes(2, "big")).hex()
    return [(100 * number, "tx", ask), (100 * number + 20, "rx", said)]


def test_the_number_of_a_tcp_request_counts_strictly_and_not_leniently(tmp_path: Path) -> None:
    first = trace_file(tmp_path / "a.jsonl", [*mbap(1, 7), *mbap(2, 8)], frames="mbap")
    later = trace_file(tmp_path / "b.jsonl", [*mbap(41, 9), *mbap(43, 5)], frames="mbap")
    with replaying(first) as desk:
        assert [desk.read(1700), desk.read(1700)] == [{"1700": "7"}, {"1700": "8"}]
    with replaying(later) as desk:
        assert desk.read(1700) == {"1700": "9"}, "a client that lived longer has counted further"
        with pytest.raises(Diverged):
            desk.read(1700)
    with replaying(later, "lenient") as desk:
        assert [desk.read(1700), desk.read(1700)] == [{"1700": "9"}, {"1700": "5"}]


def test_a_clock_may_be_set_to_another_time_leniently(tmp_path: Path) -> None:
    with replaying(FIRST_SET(tmp_path)) as desk, pytest.raises(Diverged):
        desk.write_block(8001, [11, 21, 2026, 9, 30, 1])
    with replaying(FIRST_SET(tmp_path), "lenient") as desk:
        desk.write_block(8001, [11, 21, 2026, 9, 30, 1])


def FIRST_SET(folder: Path) -> Path:  # noqa: N802  # reads as the constant that it stands for
    from protocols.modbus.pdu import write_registers  # noqa: PLC0415  # used once

    ask = encode_rtu(1, write_registers(8000, [3, 10, 2026, 8, 0, 0]))
    path = folder / "clock.jsonl"
    path.unlink(missing_ok=True)
    return trace_file(path, [(0, "tx", ask.hex()), (20, "rx", encode_rtu(1, ask[1:6]).hex())])


def test_a_device_without_a_trace_is_named(tmp_path: Path) -> None:
    trace_file(tmp_path / "x.jsonl", [(0, "tx", ASK_1700), (20, "rx", answer(7))])
    host, bench = bench_on(replay_station(tmp_path, "x.jsonl"))
    with pytest.raises(Diverged, match="nothing was recorded of old"):
        bench.device("old").read_energies()
    host.close()


def test_surroundings_are_taken_as_recorded(tmp_path: Path) -> None:
    trace_file(tmp_path / "x.jsonl", [(0, "tx", ASK_1700), (20, "rx", answer(7))], controls=["supply", "supply time"])
    host, bench = bench_on(replay_station(tmp_path, "x.jsonl"))
    assert bench.supplies.can_cycle("new")
    bench.supplies.cycle("new", 3_000_000_000)
    assert host.clock.now() == 3_000_000_000
    with pytest.raises(Undeterminable, match="changeable load"):
        bench.loads.set("new", 1000)
    host.close()


def test_a_station_whose_trace_does_not_exist_is_refused_on_its_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"replay\.yaml:3: links\.wire\.trace: there is no trace or folder"):
        replay_station(tmp_path, "nope.jsonl")


def test_a_folder_with_two_traces_of_a_device_must_say_which(tmp_path: Path) -> None:
    for name in ("a.trace.jsonl", "b.trace.jsonl"):
        trace_file(tmp_path / name, [(0, "tx", ASK_1700)])
    host, bench = bench_on(replay_station(tmp_path, "."))
    with pytest.raises(UsageError, match="2 traces are of new"):
        bench.device("new")
    host.close()


def test_the_example_of_the_documentation_loads(tmp_path: Path) -> None:
    (tmp_path / "traces").mkdir()
    file = tmp_path / "s.yaml"
    file.write_text(
        "schema: 1\nname: s\nlinks: {wire: {type: replay, trace: traces, matching: lenient}}\n"
        "devices: {new: {model: PM850, link: wire, address: 1}}\n"
    )
    assert load_station(file).links["wire"].type == "replay"


def test_what_was_cut_out_of_the_recording_is_not_in_the_message_either(tmp_path: Path) -> None:
    recorded, sent = encode_rtu(1, write_register(7720, 0)).hex(), encode_rtu(1, write_register(7730, 0x04D2))
    trace = trace_file(tmp_path / "t.trace.jsonl", [(0, "tx", recorded)])
    text = trace.read_text().replace(recorded, recorded[:8] + "x" * (len(recorded) - 8))
    trace.write_text(text)
    with pytest.raises(Diverged) as told:
        Player(load_trace(trace), strict=True).ask(sent)
    assert f"sent {sent.hex()[:8]}xxxxxxxx" in str(told.value)
    assert "1234" not in str(told.value)
