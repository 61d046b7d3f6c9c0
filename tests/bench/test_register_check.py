"""Sums of a profile against registers, roll-over, and what a careful head-end makes of bytes and numbers."""

# meters keep local time without a zone
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.procedures.daylight_shift import DaylightShift
from bench.procedures.head_end import ROLL_OVER, HeadEnd
from bench.procedures.mistakes import MISTAKES, head_end_of
from bench.procedures.profile_findings import Finding
from bench.procedures.profile_walk import decode_profile
from bench.procedures.register_check import Standing, compare_with_registers
from protocols.elster.configuration import ChangeRule, ClockChange
from protocols.elster.profile import Interval, Marker, MarkerKind, Setup
from protocols.elster.tables import Source

TENTH = datetime(2026, 3, 10)  # noqa: DTZ001
MIDNIGHTS = (TENTH, TENTH + timedelta(days=1), TENTH + timedelta(days=2))
UK = ClockChange(1, ChangeRule(3, 5, 6, 1), ChangeRule(10, 5, 6, 2))
CAREFUL = HeadEnd()


def two_days(milliwatts: int = 1_000_000) -> list[Marker | Interval]:
    setup = Setup((Source.IMPORT,), 30)
    return [
        record
        for midnight in MIDNIGHTS[:2]
        for record in (Marker(MarkerKind.NEW_DAY, midnight, setup), *[Interval(0, (milliwatts,))] * 48)
    ]


def standings(*registers: str) -> list[Standing]:
    return [Standing(at, {Source.IMPORT: Decimal(text)}) for at, text in zip(MIDNIGHTS, registers, strict=True)]


def test_a_day_agrees_with_the_sets_at_its_midnights() -> None:
    found = decode_profile(two_days(), CAREFUL.interval_energy)
    first, second = compare_with_registers(found.intervals, standings("5", "24005.05", "48005"), (), CAREFUL)
    assert (first.summed, first.advanced, first.agrees) == (24_000, Decimal("24000.05"), True)
    assert second.agrees
    (wrong, _) = compare_with_registers(found.intervals, standings("5", "24008", "48005"), (), CAREFUL)
    assert not wrong.agrees
    assert "import 2026-03-10 00:00 to 2026-03-11 00:00" in str(wrong)
    assert "DOES NOT AGREE" in str(wrong)


def test_a_register_that_rolled_over_agrees_as_well() -> None:
    found = decode_profile(two_days(), CAREFUL.interval_energy)
    over = standings(str(ROLL_OVER - 1000), "23000", "47000")
    assert all(each.agrees for each in compare_with_registers(found.intervals, over, (), CAREFUL))


def test_a_span_in_which_the_clock_was_set_is_left_out() -> None:
    found = decode_profile(two_days(), CAREFUL.interval_energy)
    nine, noon = TENTH + timedelta(hours=9), TENTH + timedelta(hours=12)
    moved = Finding("clock set", nine, noon, 5, explained=True, why="forward")
    assert [
        each.start for each in compare_with_registers(found.intervals, standings("0", "0", "0"), [moved], CAREFUL)
    ] == [MIDNIGHTS[1]]


def test_what_the_profile_does_not_cover_is_held_against_nothing() -> None:
    found = decode_profile(two_days(), CAREFUL.interval_energy)
    before = [Standing(TENTH - timedelta(days=back), {Source.IMPORT: Decimal(0)}) for back in (1, 2)]
    assert compare_with_registers(found.intervals, before, (), CAREFUL) == []
    assert compare_with_registers((), standings("0", "0", "0"), (), CAREFUL) == []


@given(st.integers(0, 10**16 - 1), st.integers(0, 10**12))
def test_use_is_never_negative(before: int, used: int) -> None:
    after = (before + used) % 10**16
    assert CAREFUL.advance(CAREFUL.energy(before), CAREFUL.energy(after)) == CAREFUL.energy(used)


def test_a_register_is_read_from_its_last_byte_and_counts_milliwatt_hours() -> None:
    assert CAREFUL.digits(bytes.fromhex("7856341200000000")) == 12_345_678
    assert CAREFUL.energy(12_345_678) == Decimal("12345.678")


@pytest.mark.parametrize(
    ("model", "number", "source"), [("A1140", 0, "import"), ("A1700", 0, "none"), ("A1700", 1, "import")]
)
def test_each_model_numbers_its_sources_its_own_way(model: str, number: int, source: str) -> None:
    found = CAREFUL.source(model, number)
    assert found is not None
    assert found.value == source
    assert CAREFUL.source(model, 200) is None


@dataclass(frozen=True)
class Dated:
    key: object
    value: int


def test_a_repeated_reading_replaces() -> None:
    first, again, fresh = Dated("a", 1), Dated("a", 2), Dated("b", 3)
    assert CAREFUL.joined([first], [again, fresh]) == [again, fresh]


def test_each_careless_head_end_errs_in_one_step() -> None:
    steps = {"digits", "energy", "advance", "source", "interval_energy", "people_read", "joined"}
    careless = {id_: found.head_end for id_, found in MISTAKES.items() if found.head_end is not HeadEnd}
    assert {"T43", "T48", "T49", "T50", "T51", "T55"} <= set(careless)
    for kind in careless.values():
        assert len(steps & set(vars(kind))) == 1
    assert head_end_of(None) is head_end_of("O03") is HeadEnd
    assert head_end_of("T48") is careless["T48"]


# -- times -------------------------------------------------------------------------------------------------------------

ZONE = DaylightShift(timedelta(hours=1), timedelta(0), UK)


@pytest.mark.parametrize(
    ("unix", "local"),
    [
        (datetime(2026, 3, 29, 0, 59), datetime(2026, 3, 29, 0, 59)),  # noqa: DTZ001
        (datetime(2026, 3, 29, 1, 0), datetime(2026, 3, 29, 2, 0)),  # noqa: DTZ001
        (datetime(2026, 10, 25, 0, 59), datetime(2026, 10, 25, 1, 59)),  # noqa: DTZ001
        (datetime(2026, 12, 31, 23, 0), datetime(2026, 12, 31, 23, 0)),  # noqa: DTZ001
    ],
)
def test_what_people_read_and_back(unix: datetime, local: datetime) -> None:
    assert ZONE.people_read(unix) == local
    assert ZONE.unix(local) == unix


def test_the_hour_that_occurs_twice_is_the_first_one() -> None:
    twice = datetime(2026, 10, 25, 1, 30)  # noqa: DTZ001
    assert ZONE.people_read(ZONE.unix(twice)) == twice
    assert ZONE.unix(twice) == twice - timedelta(hours=1)


def test_without_a_rule_there_is_no_summer() -> None:
    july = datetime(2026, 7, 1)  # noqa: DTZ001
    assert DaylightShift(timedelta(hours=1), timedelta(hours=2), None).people_read(july) == july + timedelta(hours=2)
