# ruff: noqa: DTZ001  # meters keep local time without a zone

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.metering.daylight_saving import (
    HOUR,
    OFF,
    UNITED_KINGDOM,
    DaylightSaving,
    YearlyChange,
    to_moment,
    to_ns,
)

CENTRAL_EUROPE = DaylightSaving(YearlyChange(5, 6, 3, 2), YearlyChange(5, 6, 10, 3))
SOUTH = DaylightSaving(YearlyChange(1, 6, 10, 2), YearlyChange(1, 6, 4, 3))


def test_the_last_sunday_and_the_second_tuesday():
    assert YearlyChange(5, 6, 3, 1).in_year(2026) == datetime(2026, 3, 29, 1)
    assert YearlyChange(5, 3, 12, 0).in_year(2026) == datetime(2026, 12, 31)
    assert YearlyChange(2, 1, 9, 4).in_year(2026) == datetime(2026, 9, 8, 4)


@pytest.mark.parametrize("wrong", [(0, 0, 1, 0), (6, 0, 1, 0), (1, 7, 1, 0), (1, 0, 13, 0), (1, 0, 1, 24)])
def test_an_impossible_change_is_refused(wrong):
    with pytest.raises(ValueError, match="week 1-4"):
        YearlyChange(*wrong)


def test_a_shift_of_three_hours_is_refused():
    with pytest.raises(ValueError, match="1 or 2 hours"):
        DaylightSaving(YearlyChange(5, 6, 3, 1), YearlyChange(5, 6, 10, 2), 3)


@pytest.mark.parametrize(("rule", "advance", "retard"), [
    (UNITED_KINGDOM, datetime(2026, 3, 29, 1), datetime(2026, 10, 25, 1)),
    (CENTRAL_EUROPE, datetime(2026, 3, 29, 2), datetime(2026, 10, 25, 2)),
    (SOUTH, datetime(2026, 10, 4, 2), datetime(2026, 4, 5, 2)),
])  # fmt: skip
def test_the_shift_holds_from_the_advance_to_the_retard(rule, advance, retard):
    for change, before, after in ((advance, 0, HOUR), (retard, HOUR, 0)):
        assert rule.offset(to_ns(change) - 1000) == before
        assert rule.offset(to_ns(change)) == after
    assert rule.next_change(to_ns(min(advance, retard))) == to_ns(max(advance, retard))


def test_switched_off_it_never_changes():
    assert OFF.offset(to_ns(datetime(2026, 7, 1))) == 0
    assert OFF.next_change(0) is None


def test_an_hour_that_occurs_twice_is_taken_as_summer_and_one_that_does_not_occur_as_standard():
    twice, never = datetime(2026, 10, 25, 1, 30), datetime(2026, 3, 29, 1, 30)
    assert to_moment(UNITED_KINGDOM.standard(to_ns(twice))) == twice - timedelta(hours=1)
    assert to_moment(UNITED_KINGDOM.standard(to_ns(never))) == never


@given(st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1)), st.sampled_from([UNITED_KINGDOM, SOUTH, OFF]))
def test_what_people_read_leads_back_to_the_same_reading(moment, rule):
    standard = rule.standard(to_ns(moment))
    shown = standard + rule.offset(standard)
    assert shown == to_ns(moment) or shown - to_ns(moment) == HOUR  # an hour that does not occur


class Once:
    """A change on one date only."""

    def __init__(self, moment):
        self.moment = moment

    def in_year(self, year):
        return self.moment if self.moment.year == year else None


def test_changes_on_dates_come_once():
    rule = DaylightSaving(Once(datetime(2026, 4, 1, 2)), Once(datetime(2026, 9, 1, 3)))
    assert rule.offset(to_ns(datetime(2026, 4, 1, 2))) == HOUR
    assert rule.offset(to_ns(datetime(2027, 6, 1))) == 0
    assert rule.next_change(to_ns(datetime(2026, 9, 1, 2))) is None
