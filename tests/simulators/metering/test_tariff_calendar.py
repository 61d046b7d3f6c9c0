# ruff: noqa: DTZ001  # meters keep local time without a zone

from datetime import date, datetime, time

import pytest

from simulators.metering.tariff_calendar import Season, Switch, TariffCalendar, without_tariff

DAY, NIGHT, ALWAYS = frozenset({1}), frozenset({2}), frozenset({3, 4})
DAY_NIGHT = (Switch(time(), NIGHT), Switch(time(7), DAY), Switch(time(23, 30), NIGHT))
FLAT = (Switch(time(), ALWAYS),)
WINTER = Season(11, 1, (0, 0, 0, 0, 0, 1, 1))
SUMMER = Season(4, 1, (1,) * 7)
CALENDAR = TariffCalendar((SUMMER, WINTER), {0: DAY_NIGHT, 1: FLAT}, {(12, 25): 1, date(2026, 11, 11): 1})


@pytest.mark.parametrize(("moment", "rates"), [
    (datetime(2026, 11, 10, 6, 59, 59), NIGHT), (datetime(2026, 11, 10, 7), DAY),
    (datetime(2026, 11, 10, 23, 30), NIGHT),
    (datetime(2026, 11, 14, 12), ALWAYS),  # a Saturday
    (datetime(2026, 7, 1, 12), ALWAYS),  # summer
    (datetime(2026, 1, 5, 12), DAY),  # winter lasts into the next year
    (datetime(2028, 12, 25, 12), ALWAYS), (datetime(2026, 11, 11, 12), ALWAYS),  # special days
    (datetime(2027, 11, 11, 12), DAY),
])  # fmt: skip
def test_season_weekday_and_special_days_choose_the_rates(moment, rates):
    assert CALENDAR.rates(moment) == rates


def test_the_next_switch_is_a_switching_time_or_midnight():
    assert CALENDAR.next_switch(datetime(2026, 11, 10, 6)) == datetime(2026, 11, 10, 7)
    assert CALENDAR.next_switch(datetime(2026, 11, 10, 7)) == datetime(2026, 11, 10, 23, 30)
    assert CALENDAR.next_switch(datetime(2026, 12, 31, 23, 45)) == datetime(2027, 1, 1)


def test_without_a_tariff_one_rate_is_always_active():
    assert without_tariff(4, 5).rates(datetime(2026, 1, 1)) == {4, 5}


@pytest.mark.parametrize(("seasons", "day_types", "why"), [
    ((), {0: FLAT}, "at least one season"),
    ((WINTER, WINTER), {0: FLAT, 1: FLAT}, "same day"),
    ((Season(2, 31, (0,) * 7),), {0: FLAT}, "day is out of range"),
    ((Season(1, 1, (0,) * 6),), {0: FLAT}, "seven days"),
    ((WINTER,), {0: FLAT}, "no day type 1"),
    ((Season(1, 1, (0,) * 7),), {0: (Switch(time(1), DAY),)}, "begin at midnight"),
    ((Season(1, 1, (0,) * 7),), {0: (Switch(time(), DAY), Switch(time(), NIGHT))}, "ascend"),
])  # fmt: skip
def test_an_impossible_calendar_is_refused(seasons, day_types, why):
    with pytest.raises(ValueError, match=why):
        TariffCalendar(seasons, day_types)
