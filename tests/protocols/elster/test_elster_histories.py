"""Billing and daily sets, event logs, the programming log, status and battery."""

# ruff: noqa: DTZ001  # meters keep local time without a zone

from datetime import datetime

import pytest
from elster_values import ANY_TIME, ENERGIES, MODELS, NUMBERS, TIMES
from hypothesis import given
from hypothesis import strategies as st

from protocols.conversation import ProtocolError
from protocols.elster.history import HistoricalSet, Trigger, decode_history, decode_set, encode_history, encode_set
from protocols.elster.logs import (
    BatterySupport,
    EventLog,
    ProgrammingLog,
    Status,
    decode_battery_support,
    decode_event_log,
    decode_event_set,
    decode_programming_log,
    decode_status,
    encode_event_set,
)
from protocols.elster.registers import CumulativeDemand, MaximumDemand
from protocols.elster.tables import Source, model

NOON = datetime(2026, 3, 1, 12)
COUNTS = st.integers(0, 0xFFFF)
THREE_TIMES = st.tuples(ANY_TIME, ANY_TIME, ANY_TIME)
WORDS = st.integers(0, 0xFFFF_FFFF)


@st.composite
def sets(draw: st.DrawFn, name: str) -> HistoricalSet:
    known = model(name)
    parts = {part for part, _ in known["history"]}
    registers = known["tou_registers"]
    cumulative = st.builds(CumulativeDemand, ENERGIES, NUMBERS)
    maximum = st.builds(MaximumDemand, st.integers(0, 10**14 - 1), TIMES, NUMBERS)
    return HistoricalSet(
        totals={Source(slot): draw(ENERGIES) for slot in known["totals"] if slot != "-"},
        tou=draw(st.tuples(*[ENERGIES] * registers)),
        tou_sources=draw(st.tuples(*[NUMBERS] * registers)) if "tou_sources" in parts else (),
        inputs=draw(st.tuples(*[ENERGIES] * known["external_inputs"])),
        cumulative=draw(st.tuples(*[cumulative] * known["cumulative_records"])),
        maximum=draw(st.tuples(*[maximum] * known["maximum_records"])),
        trigger=draw(st.integers(0, 255)),
        time=draw(TIMES),
    )


@pytest.mark.parametrize("name", MODELS)
@given(data=st.data())
def test_sets_round_trip(name: str, data: st.DataObject) -> None:
    kept = data.draw(sets(name))
    assert decode_set(name, encode_set(name, kept)) == kept


def test_where_the_parts_of_an_a1140_set_lie() -> None:
    kept = HistoricalSet({Source.IMPORT: 1}, tou=(2,) * 8, tou_sources=(3,) * 8, trigger=Trigger.BUTTON, time=NOON)
    data = encode_set("A1140", kept)
    assert len(data) == 457
    assert (data[0], data[128], data[128 + 128], data[-5]) == (1, 2, 3, 0x20)
    assert not any(data[128 + 64 : 128 + 128])  # the second eight TOU registers, which the meter has not


def test_the_trigger_bits() -> None:
    assert [bit.value for bit in Trigger] == [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80]


def test_a_part_of_another_length_is_refused() -> None:
    with pytest.raises(ProtocolError, match="tou of the A1140 has 64 bytes, not 8"):
        encode_set("A1140", HistoricalSet(tou=(1,)))
    with pytest.raises(ProtocolError, match="a set of the A1140 has 457 bytes, not 605"):
        decode_set("A1140", bytes(605))


def test_a_history_leaves_out_what_was_never_filled() -> None:
    kept = HistoricalSet(time=NOON)
    data = encode_history("A1140", [kept], 24)
    assert len(data) == 24 * 457
    (only,) = decode_history("A1140", data)
    assert only.time == NOON
    with pytest.raises(ProtocolError, match="2 sets where the A1140 keeps 1"):
        encode_history("A1140", [kept, kept], 1)
    with pytest.raises(ProtocolError, match="456 bytes are no whole sets"):
        decode_history("A1140", bytes(456))


def test_an_event_log() -> None:
    log = EventLog(258, (datetime(1970, 1, 1, 0, 0, 3), None, None))
    assert log.encode() == bytes.fromhex("0201 03000000 00000000 00000000")


def test_an_event_pushes_the_oldest_time_out_and_the_count_rolls_over() -> None:
    times = tuple(NOON.replace(hour=hour) for hour in (3, 2, 1))
    log = EventLog(65_535, times, b"\x01\x02\x04").with_event(NOON, 7)
    assert log == EventLog(0, (NOON, *times[:2]), b"\x07\x01\x02")
    assert EventLog().with_event(NOON).info == b""


@given(COUNTS, THREE_TIMES, st.booleans(), st.binary(max_size=50), st.data())
def test_event_logs_round_trip(count: int, times: tuple, info: bool, extra: bytes, data: st.DataObject) -> None:
    log = EventLog(count, times, data.draw(st.binary(min_size=3, max_size=3)) if info else b"", extra)
    assert decode_event_log(log.encode(), info=info) == log


def test_logs_that_cannot_be() -> None:
    with pytest.raises(ProtocolError, match="information has 3 bytes or none"):
        EventLog(info=b"\x01").encode()
    with pytest.raises(ProtocolError, match="does not fit into 16 bits"):
        EventLog(65_536).encode()
    with pytest.raises(ProtocolError, match="a log has 17 bytes, not 14"):
        decode_event_log(bytes(14), info=True)


NAMES = st.binary(max_size=12).map(lambda name: name.rstrip(b" \0"))


@given(COUNTS, THREE_TIMES, st.tuples(*[st.integers(0, 255)] * 3), st.tuples(NAMES, NAMES, NAMES))
def test_programming_logs_round_trip(count: int, times: tuple, sources: tuple, users: tuple) -> None:
    log = ProgrammingLog(count, times, sources, users)
    assert len(log.encode()) == 53
    assert decode_programming_log(log.encode()) == log
    assert decode_programming_log(log.encode(users=False)) == ProgrammingLog(count, times)


def test_a_session_moves_time_source_and_user_together() -> None:
    log = ProgrammingLog(1, (NOON, None, None), (1, 0, 0), (b"Elster", b"", b""))
    later = NOON.replace(hour=13)
    assert log.with_session(later, 0, b"Jane") == ProgrammingLog(
        2, (later, NOON, None), (0, 1, 0), (b"Jane", b"Elster", b"")
    )


def test_a_user_name_is_padded_with_blanks() -> None:
    assert ProgrammingLog(users=(b"Elster", b"", b"")).encode()[17:29] == b"Elster      "
    with pytest.raises(ProtocolError, match="13 characters, at most 12"):
        ProgrammingLog(users=(b"x" * 13, b"", b"")).encode()
    with pytest.raises(ProtocolError, match="53 bytes, not 20"):
        decode_programming_log(bytes(20))


@pytest.mark.parametrize(("name", "size"), [("A1140", 280), ("A1700", 66)])
def test_event_sets(name: str, size: int) -> None:
    logs = tuple(EventLog(k, (NOON, None, None)) for k in range(model(name)["event_logs"]))
    data = encode_event_set(name, logs)
    assert len(data) == size
    assert decode_event_set(name, data) == logs
    assert len(encode_event_set(name, logs[:1])) == size
    with pytest.raises(ProtocolError, match=f"a set of the {name} has"):
        encode_event_set(name, [*logs, EventLog()])


@given(WORDS, st.none() | WORDS)
def test_status_round_trip(status: int, error: int | None) -> None:
    assert decode_status(Status(status, error).encode()) == Status(status, error)


def test_a_status_has_four_or_eight_bytes() -> None:
    with pytest.raises(ProtocolError, match="4 or 8 bytes, not 6"):
        decode_status(bytes(6))


def test_where_nothing_has_happened_all_is_zero() -> None:
    assert BatterySupport().encode() == bytes(12)
    assert ProgrammingLog().encode() == bytes(17) + b" " * 36
    assert EventLog().encode() == bytes(14)


@given(WORDS, WORDS, WORDS)
def test_battery_support_round_trip(a: int, b: int, c: int) -> None:
    assert decode_battery_support(BatterySupport(a, b, c).encode()) == BatterySupport(a, b, c)
