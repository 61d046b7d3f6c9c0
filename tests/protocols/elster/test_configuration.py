"""What a scheme programs: every section goes into its bytes and comes back, and no bytes break the decoders."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.conversation import ProtocolError
from protocols.elster import configuration as c
from protocols.elster.tables import identities

MODELS = c.configurable_models()
#: The identities that public sources name; an assumed number must not be one of them.
PUBLIC = {506, 507, 508, 509, 510, 516, 543, 544, 545, 546, 550, 551, 554, 576, 600, 601, 605, 606, 614, 616, 655, 667,
          668, 680, *range(691, 698), 699, 701, 724, 777, 778, 795, 798, 861, 863, 878, 998}  # fmt: skip

models = st.sampled_from(MODELS)
month_days = st.dates(date(2000, 1, 1), date(2000, 12, 31)).map(lambda d: c.MonthDay(d.month, d.day))


def switching(rates: int) -> st.SearchStrategy[c.DayType]:
    running = st.sets(st.integers(1, rates), min_size=1, max_size=3).map(lambda s: tuple(sorted(s)))
    later = st.dictionaries(st.integers(1, 1439), running, max_size=3)
    return st.tuples(running, later).map(
        lambda drawn: c.DayType(
            (c.SwitchingTime(0, drawn[0]), *(c.SwitchingTime(m, r) for m, r in sorted(drawn[1].items())))
        )
    )


@st.composite
def tariffs(draw: st.DrawFn, model: str) -> c.TariffStructure:
    day_types = draw(st.lists(switching(c.layout(model).limits.rates), min_size=1, max_size=6))
    number = st.integers(1, len(day_types))
    starts = sorted(draw(st.sets(month_days, min_size=1, max_size=12)))
    special = st.builds(
        c.SpecialDay, month_days.filter(lambda d: d != c.MonthDay(2, 29)), number, st.none() | st.integers(2000, 2099)
    )
    return c.TariffStructure(
        tuple(c.Season(start, draw(st.tuples(*[number] * 7))) for start in starts),
        tuple(day_types),
        tuple(draw(st.lists(special, max_size=64))),
    )


hours = st.integers(0, 23)
rules = st.builds(c.ChangeRule, st.integers(1, 12), st.integers(1, 5), st.integers(0, 6), hours)
dates = st.builds(
    lambda d, h: c.ChangeDate(datetime(d.year, d.month, d.day, h)),  # noqa: DTZ001  # a meter's local time
    st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    hours,
)
clocks = st.just(c.ClockChange(0)) | st.builds(c.ClockChange, st.sampled_from([1, 2]), rules | dates, rules | dates)
codes = st.sampled_from(["F.F", "C.1.0", "0.9.1", "1.8.0", "1.8.32*01", "72.7.0"])
periods = st.sampled_from(c.PERIODS)
billing = st.builds(
    c.BillingDates,
    st.lists(
        st.builds(c.BillingDate, st.integers(1, 28), st.none() | st.integers(1, 12), hours, st.integers(0, 59)),
        max_size=12,
    ).map(tuple),
    st.none() | st.integers(0, 65535),
    st.booleans(),
)


def sections(model: str) -> dict[str, st.SearchStrategy[c.Section]]:
    limits, known = c.layout(model).limits, sorted(c.source_names(model).values())
    ratio = st.builds(c.Ratio, st.integers(1, 99_999_999), st.integers(1, 9_999))
    filled = st.lists(st.none() | st.sampled_from(known), max_size=limits.demand_registers).map(
        lambda s: tuple([*s, known[0]][: limits.demand_registers]) if s and s[-1] is None else tuple(s)
    )
    filled = filled.filter(lambda s: not s or s[-1] is not None)
    found = {
        "transformers": st.builds(
            c.Transformers, ratio, ratio if "voltage_transformer" in c.layout(model).items else st.none()
        ),
        "sources": st.builds(c.RegisterSources, filled, filled),
        "tariff": tariffs(model),
        "demand": st.sampled_from([c.DemandPeriod(p, s) for p in c.PERIODS for s in c.PERIODS if p % s == 0]),
        "billing": billing,
        "daylight_saving": clocks,
        "display": st.builds(
            c.DisplaySequence,
            st.lists(codes, max_size=limits.display_items).map(tuple),
            st.lists(codes, max_size=limits.display_items).map(tuple),
            st.sampled_from(["obis", "english"]),
            st.integers(1, 60),
        ),
        "pulse_outputs": st.lists(
            st.builds(c.PulseOutput, st.sampled_from(known), st.integers(1, 2**32 - 1), st.integers(1, 65535)),
            max_size=limits.pulse_outputs,
        ).map(lambda outputs: c.PulseOutputs(tuple(outputs))),
    }
    if channels := c.channel_names(model):
        found["profile"] = st.builds(
            c.ProfileSetup,
            st.sets(st.sampled_from(channels)).map(lambda s: tuple(sorted(s, key=channels.index))),
            periods,
        )
    return found


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", c.SECTIONS)
@settings(max_examples=25)
@given(data=st.data())
def test_a_section_goes_into_its_bytes_and_comes_back(model: str, name: str, data: st.DataObject) -> None:
    layout = c.layout(model)
    if name not in sections(model):
        assert not layout.of(name)
        return
    section = data.draw(sections(model)[name])
    encoded = section.encode(layout)
    assert {key: len(value) for key, value in encoded.items()} == {item.name: item.size for item in layout.of(name)}
    assert c.SECTIONS[name].decode(encoded, layout) == section


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", c.SECTIONS)
@settings(max_examples=25)
@given(data=st.data())
def test_no_bytes_break_a_decoder(model: str, name: str, data: st.DataObject) -> None:
    layout = c.layout(model)
    likely = st.sampled_from([0, 1, 2, 3, 5, 12, 28, 31, 0x31, 0x2E, 0xFF]) | st.integers(0, 255)

    def some(size: int) -> bytes:
        used = bytes(data.draw(st.lists(likely, max_size=min(size, 40))))
        return used.ljust(size, b"\xff") if data.draw(st.integers(0, 9)) else used

    objects = {item.name: some(item.size) for item in layout.of(name)}
    try:
        decoded = c.SECTIONS[name].decode(objects, layout)
    except ProtocolError:
        return
    assert c.SECTIONS[name].decode(decoded.encode(layout), layout) == decoded


def test_a_bit_that_falls_over_in_a_tariff_is_refused_or_another_tariff_and_never_a_traceback() -> None:
    layout = c.layout("A1140")
    day = c.DayType((c.SwitchingTime(0, (2,)), c.SwitchingTime(420, (1,))))
    encoded = c.TariffStructure((c.Season(c.MonthDay(1, 1), (1,) * 7),), (day,)).encode(layout)
    for name, data in encoded.items():
        for bit in range(8 * 20):
            damaged = bytearray(data)
            damaged[bit // 8] ^= 1 << bit % 8
            try:
                assert c.TariffStructure.decode({**encoded, name: bytes(damaged)}, layout) is not None
            except ProtocolError:
                continue


# -- what it means -----------------------------------------------------------------------------------------------------


def test_rates_follow_season_weekday_special_day_and_minute() -> None:
    night, day, feast = (2,), (1, 5), (3,)
    work = c.DayType((c.SwitchingTime(0, night), c.SwitchingTime(7 * 60, day)))
    free = c.DayType((c.SwitchingTime(0, feast),))
    tariff = c.TariffStructure(
        (c.Season(c.MonthDay(4, 1), (1, 1, 1, 1, 1, 2, 2)), c.Season(c.MonthDay(10, 1), (1,) * 7)),
        (work, free),
        (c.SpecialDay(c.MonthDay(12, 25), 2), c.SpecialDay(c.MonthDay(12, 25), 1, 2027)),
    )
    told = {
        datetime(2026, 6, 1, 6, 59): night,  # noqa: DTZ001  # a meter's local time, here and below
        datetime(2026, 6, 1, 7, 0): day,  # noqa: DTZ001
        datetime(2026, 6, 6, 12, 0): feast,  # noqa: DTZ001  # a Saturday in summer
        datetime(2027, 1, 2, 12, 0): day,  # noqa: DTZ001  # a Saturday before the first season of its year begins
        datetime(2026, 12, 25, 12, 0): feast,  # noqa: DTZ001
        datetime(2027, 12, 25, 12, 0): day,  # noqa: DTZ001  # what is said of one year comes before every year
    }
    assert {moment: tariff.rates_at(moment) for moment in told} == told


def test_a_rule_finds_the_last_sunday_and_a_date_comes_once() -> None:
    summer = c.ClockChange(1, c.ChangeRule(3, 5, 6, 1), c.ChangeRule(10, 5, 6, 2))
    assert summer.changes_in(2027) == (
        (datetime(2027, 3, 28, 1), timedelta(hours=1)),  # noqa: DTZ001
        (datetime(2027, 10, 31, 2), timedelta(hours=-1)),  # noqa: DTZ001
    )
    assert c.ChangeRule(3, 2, 6, 1).in_year(2027) == datetime(2027, 3, 14, 1)  # noqa: DTZ001
    once = c.ChangeDate(datetime(2027, 3, 28, 1))  # noqa: DTZ001
    assert c.ClockChange(1, once, once).changes_in(2028) == ()


def test_import_is_another_number_in_an_a1700() -> None:
    sources = c.RegisterSources(("import", "export"), ())
    assert sources.encode(c.layout("A1140"))["tou_sources"] == bytes([0, 1, *[0xFF] * 6])
    assert sources.encode(c.layout("A1700"))["tou_sources"] == bytes([1, 2, *[0] * 14])
    assert c.ProfileSetup(("import", "customer_1"), 30).encode(c.layout("A1140"))["profile_mask"].hex() == "4001"


def test_the_mask_and_the_period_are_those_of_the_day_marker_that_a_public_reader_knows() -> None:
    found = c.ProfileSetup(("import", "customer_1"), 30).encode(c.layout("A1140"))
    assert found["profile_mask"] + found["profile_period"] == bytes.fromhex("400109")


# -- tables ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_an_assumed_number_is_no_public_one_and_stands_once(model: str) -> None:
    items = c.layout(model).items.values()
    assert {item.number for item in items if item.confidence == "A" and item.name != "user"} & PUBLIC == set()
    assert {item.number for item in items if item.confidence != "A" or item.name == "user"} <= PUBLIC
    assert len({item.number for item in items}) == len(items)
    assert all(item.source for item in items)


def test_every_section_of_the_table_has_a_codec() -> None:
    named = {item.section for model in MODELS for item in c.layout(model).items.values()}
    assert named == {*c.SECTIONS, "user", "scheme", "passwords"}


@pytest.mark.parametrize("model", MODELS)
def test_an_assumed_number_is_not_taken_by_the_table_of_the_family(model: str) -> None:
    assumed = {item.number for item in c.layout(model).items.values() if item.confidence == "A" and item.name != "user"}
    assert assumed & set(identities(model)) == set()


# -- refused -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("password", ["SHORT", "NINECHARS", "ÄÄÄÄÄÄÄÄ", "TAB\tTAB1"])
def test_a_wrong_password_is_refused_without_being_told(password: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        c.Passwords({3: password}).encode(c.layout("A1140"))
    assert password not in str(refused.value)
    assert password not in repr(c.Passwords({3: password}))


def test_what_does_not_fit_into_the_model_is_refused() -> None:
    day = c.DayType((c.SwitchingTime(0, (9,)),))
    tariff = c.TariffStructure((c.Season(c.MonthDay(1, 1), (1,) * 7),), (day,))
    with pytest.raises(ProtocolError, match="9 rates: the A1140 has room for 8"):
        tariff.encode(c.layout("A1140"))
    assert tariff.encode(c.layout("A1700"))
    with pytest.raises(ProtocolError, match="A1140 has no VT ratio"):
        c.Transformers(c.Ratio(10000, 500), c.Ratio(1, 1)).encode(c.layout("A1140"))
    with pytest.raises(ProtocolError, match="A1120 has no load profile"):
        c.ProfileSetup((), 30).encode(c.layout("A1120"))


@pytest.mark.parametrize(("month", "day"), [(2, 30), (2, 31), (4, 31), (13, 1), (0, 1), (1, 0)])
def test_a_day_that_no_calendar_has_is_refused(month: int, day: int) -> None:
    with pytest.raises(ProtocolError):
        c.MonthDay(month, day)


def test_text_is_padded_with_blanks_and_a_never_named_meter_shows_nothing() -> None:
    item = c.layout("A1140").items["scheme_id"]
    assert c.encode_text("P_2280", item) == b"P_2280  "
    assert c.decode_text(b"P_228052", item) == "P_228052"
    assert c.decode_text(bytes(8), item) == ""
    for wrong in ("NINE CHAR", "Ü", "a\nb"):
        with pytest.raises(ProtocolError):
            c.encode_text(wrong, item)
    with pytest.raises(ProtocolError):
        c.decode_text(b"\x80" * 8, item)
