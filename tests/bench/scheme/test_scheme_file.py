"""The scheme file: what is impossible is refused with its line, and what is right is understood."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bench.scheme.load import load_scheme, scheme_from_text
from bench.scheme.schema import schema_text
from bench.scheme.sections import firmware_fits, sections_of
from bench.station import StationFileError
from protocols.elster.configuration import TariffStructure, layout

SCHEMES = sorted((Path(__file__).parents[3] / "fixtures" / "schemes").glob("*.yaml"))
TODAY = date(2026, 11, 21)

GOOD = """\
scheme: 1
id: IND-3T-2
version: 2
models: [A1140]
sources:
  tou: [import, import]
tariff:
  seasons:
    winter:
      from: 11-01
      to: 03-31
      week: {weekdays: work, weekend: rest}
    summer:
      from: 04-01
      to: 10-31
      week: {every_day: rest, monday: work}
  day_types:
    work:
      "00:00": 2
      "07:00": 1
    rest:
      "00:00": 2
  special_days:
    - {date: 12-25, day_type: rest}
demand: {period: 30 min}
profile: {channels: [import], period: 30 min}
clock:
  daylight_saving:
    shift: 1
    advance: {week: last, weekday: sunday, month: 3, hour: 1}
    retard: {date: 2027-10-31, hour: 2}
billing:
  dates:
    - {day: 1}
passwords:
  3: {env: SOME_METER_SECRET}
"""


def told(text: str, today: date = TODAY) -> str:
    with pytest.raises(StationFileError) as refused:
        scheme_from_text(text, "s.yaml", today)
    return str(refused.value)


@pytest.mark.parametrize("path", SCHEMES, ids=lambda path: path.stem)
def test_an_example_is_right_and_fits_into_each_of_its_models(path: Path) -> None:
    scheme = load_scheme(path, TODAY)
    for model in scheme.models:
        for section in sections_of(scheme).values():
            assert section.encode(layout(model))


def test_there_are_examples() -> None:
    assert len(SCHEMES) >= 3


def test_the_published_schema_is_current() -> None:
    published = SCHEMES[0].with_name("scheme.schema.json").read_text("utf-8")
    assert published == schema_text(), "run: meterbench scheme template --schema > fixtures/schemes/scheme.schema.json"


def test_a_single_day_comes_before_its_group() -> None:
    tariff = sections_of(scheme_from_text(GOOD, "s.yaml", TODAY))["tariff"]
    assert isinstance(tariff, TariffStructure)
    assert [season.week for season in tariff.seasons] == [(1, 2, 2, 2, 2, 2, 2), (1, 1, 1, 1, 1, 2, 2)]


#: What is written instead of what, and what is said of it.
WRONG = {
    "overlap": ("to: 03-31", "to: 04-01", "s.yaml:11: tariff.seasons.winter.to: overlaps season summer (line 13)"),
    "far overlap": ("to: 10-31", "to: 12-24", "s.yaml:15: tariff.seasons.summer.to: overlaps season winter (line 9)"),
    "gap": ("to: 10-31", "to: 10-29", "s.yaml:15: tariff.seasons.summer.to: no season covers 10-30 to 10-31"),
    "31 February": ("from: 11-01", "from: 02-31", 's.yaml:10: tariff.seasons.winter.from: "02-31" does not exist'),
    "29 February": (
        "11-01\n      to: 03-31\n      week: {weekdays: work, weekend: rest}\n    summer:\n      from: 04-01",
        "11-01\n      to: 02-28\n      week: {weekdays: work, weekend: rest}\n    summer:\n      from: 03-01",
        "s.yaml:11: tariff.seasons.winter.to: leaves out 29 February; write 02-29",
    ),
    "week": ("weekend: rest}", "saturday: rest}", "s.yaml:12: tariff.seasons.winter.week: has no day type for sunday"),
    "day type": (
        "weekdays: work",
        "weekdays: wrok",
        "s.yaml:12: tariff.seasons.winter.week.weekdays: there is no day type wrok; did you mean work?",
    ),
    "no switching time": (
        '    rest:\n      "00:00": 2\n',
        "    rest: {}\n",
        "s.yaml:21: tariff.day_types.rest: has no switching time",
    ),
    "not from midnight": (
        '    rest:\n      "00:00": 2\n',
        '    rest:\n      "06:00": 2\n',
        "s.yaml:21: tariff.day_types.rest: does not say which rate counts at midnight",
    ),
    "descending": (
        '"00:00": 2\n      "07:00": 1',
        '"00:00": 2\n      "07:00": 1\n      "06:59": 2',
        's.yaml:21: tariff.day_types.work."06:59": comes behind 07:00',
    ),
    "twice a minute": ('"07:00": 1', '"00:00": 1', "given twice, first on line 19"),
    "24 hours": ('"07:00"', '"24:00"', '"24:00" is no time of day'),
    "rate without a register": (
        '"07:00": 1',
        '"07:00": 9',
        's.yaml:20: tariff.day_types.work."07:00": there is no rate 9; the A1140 has 8',
    ),
    "rate that counts nothing": (
        '"07:00": 1',
        '"07:00": 3',
        's.yaml:20: tariff.day_types.work."07:00": rate 3 counts nothing: sources.tou (line 6)',
    ),
    "special day": ("12-25, day_type: rest", "06-31, day_type: rest", '"06-31" does not exist'),
    "special day of no year": ("12-25, day_type: rest", "2027-02-29, day_type: rest", "2027 has no day 29 of month 02"),
    "special day twice": (
        "- {date: 12-25, day_type: rest}",
        "- {date: 12-25, day_type: rest}\n    - {date: 12-25, day_type: work}",
        "s.yaml:25: tariff.special_days.1.date: 12-25 is already a special day (line 24)",
    ),
    "demand and hour": ("demand: {period: 30 min}", "demand: {period: 25 min}", "25 min do not divide the hour"),
    "demand and profile": (
        "profile: {channels: [import], period: 30 min}",
        "profile: {channels: [import], period: 15 min}",
        "s.yaml:25: demand.period: 30 min do not divide the period of the load profile, 15 min (line 26)",
    ),
    "sub-interval": ("demand: {period: 30 min}", "demand: {period: 30 min, sub_interval: 20 min}", "20 min do not"),
    "no period": ("demand: {period: 30 min}", "demand: {period: 0 min}", "0 min do not divide the hour"),
    "past": ("2027-10-31", "2026-10-31", "s.yaml:31: clock.daylight_saving.retard.date: 2026-10-31 is in the past"),
    "half a change": ("    retard: {date: 2027-10-31, hour: 2}\n", "", "daylight saving needs advance and retard"),
    "billing day": ("- {day: 1}", "- {day: 31}", "s.yaml:34: billing.dates.0.day: not every month has a day 31"),
    "billing day of a month": ("- {day: 1}", "- {day: 30, month: 2}", "not month 2 has a day 30"),
    "channel": ("[import], period", "[va], period", "s.yaml:26: profile.channels.0: the A1140 has no va"),
    "channel twice": ("[import], period", "[import, import], period", "import is given twice"),
    "no profile": ("[A1140]", "[A1120]", "s.yaml:26: profile: the A1120 has no load profile"),
    "model": ("[A1140]", "[A1150]", '"A1150" is not a model that takes a scheme; did you mean A1140?'),
    "id": ("IND-3T-2", "IND-3T-22", '"IND-3T-22" is not a scheme id: up to 8 characters'),
    "misspelt key": ("sources:", "soruces:", 's.yaml:5: unknown key "soruces"; did you mean sources?'),
    "inner key": ("from: 11-01", "form: 11-01", 'unknown key "form"; did you mean from?'),
    "format": ("scheme: 1", "scheme: 2", "2 is not a scheme format of this release"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_impossible_is_refused_with_its_line(name: str) -> None:
    old, new, said = WRONG[name]
    assert GOOD.count(old) >= 1
    assert said in told(GOOD.replace(old, new, 1)), told(GOOD.replace(old, new, 1))


def test_the_good_scheme_is_good() -> None:
    assert scheme_from_text(GOOD, "s.yaml", TODAY).id == "IND-3T-2"
    assert scheme_from_text(GOOD.replace("2027-10-31", "2026-11-21"), "s.yaml", TODAY)


def test_more_seasons_than_the_model_has_are_refused() -> None:
    seasons = "".join(
        f"    s{k}: {{from: {k // 2 + 1:02}-{1 + 15 * (k % 2):02}, to: {end}, week: {{every_day: rest}}}}\n"
        for k, end in enumerate([
            "01-15", "01-31", "02-15", "02-29", "03-15", "03-31", "04-15", "04-30", "05-15", "05-31", "06-15", "06-30",
            "12-31",
        ])
    )  # fmt: skip
    head, rest = GOOD.split("  seasons:\n")
    text = f"{head}  seasons:\n{seasons}  day_types:{rest.split('  day_types:')[1]}"
    assert told(text).startswith("s.yaml:8: tariff.seasons: 13 seasons; the A1140 has room for 12")


@pytest.mark.parametrize(
    "written",
    ["SEKRET77", "{env: my SEKRET77}", "{value: SEKRET77}", "{env: {SEKRET77: 1}}", "[SEKRET77]", "{SEKRET77: x}"],
)
def test_a_password_in_the_file_is_refused_without_being_told(written: str) -> None:
    said = told(GOOD.replace("{env: SOME_METER_SECRET}", written))
    assert "s.yaml:36: passwords.3: must be a reference such as {env: METER_PASSWORD}" in said
    assert "SEKRET77" not in said


def test_a_level_without_a_password_is_refused() -> None:
    said = told(GOOD.replace("  3: {env", "  4: {env"))
    assert "s.yaml:36" in said


def test_a_scheme_that_programs_nothing_is_refused() -> None:
    assert "programs nothing" in told("scheme: 1\nid: A\nversion: 1\nmodels: [A1140]\n")


@pytest.mark.parametrize("text", ["", "[]", "scheme: 1", "tariff: 7", "scheme: 1\ntariff: {seasons: []}", "a: &x 1"])
def test_what_is_no_scheme_is_refused(text: str) -> None:
    assert told(text).startswith("s.yaml:")


def test_another_file_is_one_mistake() -> None:
    assert told("list: 1\nname: north\n") == "s.yaml:1: this is no scheme; a scheme begins with scheme: 1"


def test_firmware_is_matched_by_pattern() -> None:
    text = GOOD.replace("models: [A1140]", 'models: [A1140]\nfirmware: ["12.0*", "13.01"]')
    scheme = scheme_from_text(text, "s.yaml")
    assert [firmware_fits(scheme.firmware, found) for found in ("12.07", "13.01", "13.02")] == [True, True, False]
    assert firmware_fits(scheme_from_text(GOOD, "s.yaml").firmware, "whatever")


SWAPPED = [
    "{S3CRETPW: 3}", "S3CRETPW", "[S3CRETPW]", "{S3CRETPW}", "{S3CRETPW: 3, S3CRETPW: 2}", "!S3CRETPW 3",
    "{3: !S3CRETPW x}", "{4: {env: S3CRETPW}}", "{[S3CRETPW]: 3}", "{3: {S3CRETPW: 1, S3CRETPW: 2}}",
    "{3: {env: {S3CRETPW: 3}}}",
]  # fmt: skip


@pytest.mark.parametrize("written", SWAPPED)
def test_neither_a_key_nor_a_value_of_the_passwords_is_told(written: str) -> None:
    with pytest.raises(StationFileError) as refused:
        scheme_from_text(f"scheme: 1\nid: A\nversion: 1\nmodels: [A1140]\npasswords: {written}\n", "s.yaml")
    said = str(refused.value)
    assert said.startswith("s.yaml:5: passwords")
    assert "S3CRET" not in said
    assert "S3CRET" not in repr(refused.value)
    assert len(said.splitlines()) == len(set(said.splitlines()))


def test_who_swaps_level_and_password_is_told_what_to_write() -> None:
    with pytest.raises(StationFileError, match=r"^s\.yaml:5: passwords: must name a level .* as in 3: \{env: NAME\}"):
        scheme_from_text("scheme: 1\nid: A\nversion: 1\nmodels: [A1140]\npasswords: {S3CRETPW: 3}\n", "s.yaml")
