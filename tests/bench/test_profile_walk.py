"""A load profile as a head-end reads it: records become intervals with times, and gaps and doubles are told."""

# meters keep local time without a zone
from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from bench.procedures.head_end import HeadEnd
from bench.procedures.profile_intervals import Decoded, rounding_of
from bench.procedures.profile_walk import decode_profile
from bench.procedures.quality import Quality, quality_of
from protocols.elster.profile import Interval, IntervalStatus, Marker, MarkerKind, Record, Setup
from protocols.elster.tables import Source

SETUP = Setup((Source.IMPORT,), 30)
SUMMER = Setup((Source.IMPORT,), 30, dst=True)
TENTH = datetime(2026, 3, 10)  # noqa: DTZ001
KILOWATT = 1_000_000


def at(hour: int, minute: int = 0, day: int = 0) -> datetime:
    return TENTH + timedelta(days=day, hours=hour, minutes=minute)


def day(moment: datetime, setup: Setup = SETUP) -> Marker:
    return Marker(MarkerKind.NEW_DAY, moment, setup)


def mark(kind: MarkerKind, moment: datetime) -> Marker:
    return Marker(kind, moment)


def rows(count: int, milliwatts: int = KILOWATT, status: int = 0) -> list[Record]:
    return [Interval(status, (milliwatts,)) for _ in range(count)]


def decoded(records: Sequence[Record], *, weighted: bool = False, offset: timedelta = timedelta(0)) -> Decoded:
    return decode_profile(
        [*records, Marker(MarkerKind.END)], HeadEnd().interval_energy, weighted=weighted, offset=offset
    )


def told(found: Decoded) -> list[tuple[str, int, bool]]:
    return [(each.kind, each.intervals, each.explained) for each in found.findings]


def test_a_plain_day_has_its_half_hours_and_nothing_to_be_told() -> None:
    found = decoded([day(TENTH), *rows(48), day(at(24)), *rows(3)])
    assert (len(found.intervals), found.findings, found.end) == (51, (), at(25, 30))
    first = found.intervals[0]
    assert (first.start, first.end, first[Source.IMPORT], first.quality) == (at(0), at(0, 30), 500, Quality.NONE)
    assert first.power(Source.IMPORT) == 1000


def test_times_of_another_zone_are_brought_to_standard_time() -> None:
    found = decoded([day(at(-1)), *rows(2)], offset=timedelta(hours=1))
    assert [each.start for each in found.intervals] == [at(0), at(0, 30)]


def test_missing_intervals_are_named_although_no_marker_says_so() -> None:
    found = decoded([day(TENTH), *rows(42), day(at(24)), *rows(1)])
    (gap,) = found.findings
    assert (gap.kind, gap.start, gap.end, gap.intervals, gap.explained) == ("gap", at(21), at(24), 6, False)
    assert "GAP 2026-03-10 21:00:00 to 2026-03-11 00:00:00, 6 intervals: before the marker new day" in str(gap)


def test_too_many_intervals_are_named_although_no_marker_says_so() -> None:
    found = decoded([day(TENTH), *rows(50), day(at(24)), *rows(2)])
    (double,) = found.findings
    assert (double.kind, double.start, double.end, double.intervals) == ("duplicate", at(24), at(25), 2)
    assert not double.explained
    assert [Quality.DUPLICATE in each.quality for each in found.intervals[-4:]] == [False, False, True, True]


def test_where_the_status_saw_the_clock_touched_is_where_a_gap_most_likely_is() -> None:
    touched = rows(1, status=IntervalStatus.TIME_SYNC)
    found = decoded([day(TENTH), *rows(18), *touched, *rows(23), day(at(24))])
    assert "most likely from 2026-03-10 09:00 on" in found.findings[0].why


def test_an_outage_accounts_for_its_intervals() -> None:
    down, up = mark(MarkerKind.POWER_DOWN, at(9, 5)), mark(MarkerKind.POWER_UP, at(12, 20))
    found = decoded([day(TENTH), *rows(18), *rows(1), down, up, *rows(1), *rows(23), day(at(24))])
    assert told(found) == [("outage", 5, True)]
    before, after = found.intervals[18:20]
    assert (before.start, before.pieces[-1].end, after.start, after.pieces[0].start) == (
        at(9), at(9, 5), at(12), at(12, 20),
    )  # fmt: skip
    assert before.quality == after.quality == Quality.SHORT | Quality.POWER_FAIL


def test_an_outage_over_midnight_begins_its_day_when_the_supply_returns() -> None:
    down = mark(MarkerKind.POWER_DOWN, at(22))
    found = decoded([day(at(21)), *rows(2), down, day(at(25, 7)), mark(MarkerKind.POWER_UP, at(25, 7)), *rows(1)])
    assert told(found) == [("outage", 6, True)]
    assert found.intervals[-1].start == at(25)


@pytest.mark.parametrize("kind", [MarkerKind.POWER_UP, MarkerKind.POWER_DOWN])
def test_half_an_outage_contradicts_itself(kind: MarkerKind) -> None:
    found = decoded([day(TENTH), *rows(2), mark(kind, at(1)), *rows(46), day(at(24))])
    assert told(found) == [("contradiction", 0, False)]


def test_a_clock_set_forward_accounts_for_what_it_jumped_over() -> None:
    short = rows(1, status=IntervalStatus.TIME_SYNC)
    found = decoded([day(TENTH), *rows(18), *short, mark(MarkerKind.TIME_CHANGE, at(12, 10)), *rows(24), day(at(24))])
    assert told(found) == [("clock set", 5, True)]
    left, met = found.intervals[18:20]
    assert (left.start, met.start) == (at(9), at(12))
    assert Quality.SHORT in left.quality
    assert Quality.CLOCK_SET in left.quality & met.quality


def test_a_clock_set_back_doubles_intervals_and_says_so() -> None:
    found = decoded([day(TENTH), *rows(5), mark(MarkerKind.TIME_CHANGE, at(1, 10)), *rows(5)])
    assert told(found) == [("duplicate", 3, True)]
    assert [each.start for each in found.intervals if Quality.DUPLICATE in each.quality] == [
        at(1), at(1, 30), at(2),
    ]  # fmt: skip


def test_short_records_of_one_interval_are_summed() -> None:
    """As means over the whole period they add up; as means over their own time each counts for as long as it lasted."""
    records = [day(TENTH), *rows(1, KILOWATT), mark(MarkerKind.FORCED_END, at(0, 10)), *rows(1, 4 * KILOWATT), *rows(1)]
    nominal, weighted = decoded(records), decoded(records, weighted=True)
    assert len(nominal.intervals) == len(weighted.intervals) == 2
    assert nominal.intervals[0][Source.IMPORT] == 500 + 2000
    assert weighted.intervals[0][Source.IMPORT] == Decimal("166.667") + Decimal("1333.333")
    assert (len(nominal.intervals[0].pieces), nominal.intervals[0].quality) == (2, Quality.FORCED_END)
    assert nominal.findings == ()


def test_a_clock_set_within_an_interval_leaves_one_interval_of_two_records() -> None:
    short = rows(1, status=IntervalStatus.TIME_SYNC)
    found = decoded([day(TENTH), *short, mark(MarkerKind.TIME_CHANGE, at(0, 15)), *rows(1), *rows(46), *rows(1)])
    assert told(found) == [("clock set", 0, True)]
    assert (found.intervals[0].pieces[0].start, len(found.intervals[0].pieces)) == (at(0), 2)
    assert len(found.intervals) == 48


def test_a_transient_reset_breaks_a_record_off_and_no_interval_is_lost() -> None:
    reset = rows(1, status=IntervalStatus.TRANSIENT_RESET)
    found = decoded([day(TENTH), *rows(20), *reset, *rows(28), day(at(24))])
    assert (len(found.intervals), found.findings) == (48, ())
    assert Quality.TRANSIENT_RESET in found.intervals[20].quality


def test_a_spring_day_has_46_half_hours() -> None:
    change = mark(MarkerKind.DAYLIGHT_SAVING, at(1))
    found = decoded([day(TENTH), *rows(2), change, *rows(44), day(at(23), SUMMER), *rows(1)])
    assert told(found) == [("daylight saving", 0, True)]
    assert len([each for each in found.intervals if (each.start + each.shift).date() == TENTH.date()]) == 46
    assert Quality.DAYLIGHT_SAVING in found.intervals[2].quality


def test_an_autumn_day_has_50_half_hours() -> None:
    change = mark(MarkerKind.DAYLIGHT_SAVING, at(1))
    found = decoded([day(at(-1), SUMMER), *rows(4), change, *rows(46), day(at(24)), *rows(1)])
    assert told(found) == [("daylight saving", 0, True)]
    assert len([each for each in found.intervals if (each.start + each.shift).date() == TENTH.date()]) == 50


@pytest.mark.parametrize(
    ("records", "why"),
    [
        ([day(TENTH), *rows(46), day(at(23), SUMMER)], "summer time, and no marker"),
        ([day(TENTH), *rows(2), mark(MarkerKind.DAYLIGHT_SAVING, at(1)), *rows(44), day(at(23))], "standard time"),
        ([day(TENTH), *rows(44), day(at(22))], "a day begins at 22:00:00"),
    ],
)
def test_flags_and_midnights_that_do_not_fit_are_told(records: list[Record], why: str) -> None:
    found = decoded(records)
    assert any(why in each.why and not each.explained for each in found.findings)


def test_another_set_up_is_told_and_goes_on_with_its_own_period() -> None:
    quarter = Marker(MarkerKind.CONFIGURATION_CHANGE, at(1), Setup((Source.IMPORT, Source.EXPORT), 15))
    found = decoded([day(TENTH), *rows(2), quarter, Interval(0, (KILOWATT, 0)), Interval(0, (KILOWATT, 7))])
    assert told(found) == [("configuration change", 0, True)]
    assert [each.end for each in found.intervals] == [at(0, 30), at(1), at(1, 15), at(1, 30)]
    assert found.intervals[-1][Source.IMPORT] == 250


def test_a_cleared_profile_begins_with_its_marker() -> None:
    found = decoded([day(at(13, 7)), mark(MarkerKind.CLEARED, at(13, 7)), *rows(2)])
    assert told(found) == [("cleared", 0, True)]
    assert found.intervals[0].quality == Quality.SHORT | Quality.CLEARED


def test_a_stream_without_its_end_mark_is_not_whole() -> None:
    assert not decode_profile([day(TENTH), *rows(1)], HeadEnd().interval_energy).whole
    assert decode_profile([], HeadEnd().interval_energy).intervals == ()


@pytest.mark.parametrize(("milliwatts", "wh"), [(0, "0.002"), (99_999, "0.002"), (123_456, "0.007"), (10**9, "50.002")])
def test_a_value_may_be_off_by_its_fifth_digit(milliwatts: int, wh: str) -> None:
    assert rounding_of(milliwatts, Decimal(30)) == Decimal(wh)


def test_status_bits_have_words() -> None:
    found = quality_of(IntervalStatus.REVERSE_RUN | IntervalStatus.PHASE_FAIL, 1)
    assert found.words == ("reverse", "phase fail", "cover")
    assert quality_of(0) == Quality.NONE
