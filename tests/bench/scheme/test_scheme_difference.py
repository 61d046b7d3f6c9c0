"""Two schemes differ in what they make a meter do, and what a meter holds comes back as a scheme."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from memory_meter import MemoryMeter

from bench.errors import UsageError
from bench.scheme.difference import as_lines, scheme_differences
from bench.scheme.export import read_held, scheme_text
from bench.scheme.load import load_scheme, scheme_from_text
from bench.scheme.plan import plan_of
from bench.scheme.sections import sections_of
from protocols.elster.configuration import SECTIONS, layout

FIXTURES = Path(__file__).parents[3] / "fixtures" / "schemes"
INDUSTRIAL = (FIXTURES / "industrial.yaml").read_text("utf-8")


def told(old: str, new: str) -> list[str]:
    assert old in INDUSTRIAL
    first, second = scheme_from_text(INDUSTRIAL, "a"), scheme_from_text(INDUSTRIAL.replace(old, new), "b")
    return list(as_lines(scheme_differences(first, second)))


def test_names_and_order_are_no_difference() -> None:
    assert told("winter_work", "november_to_march_working_day") == []
    special = "    - {date: 01-01, day_type: rest}\n    - {date: 12-25, day_type: rest}\n"
    assert told(special, "".join(reversed(special.splitlines(keepends=True)))) == []


CHANGES = {
    "tariff": ('"17:00": [3, 4]       # the evening peak\n      "20:00"', '"17:30": [3, 4]\n      "20:00"', 1),
    "season": ("from: 11-01, to: 03-31", "from: 11-01, to: 03-31", 0),
    "special day": ("2027-03-26", "2028-04-14", 2),
    "demand": ("demand: {period: 30 min}", "demand: {period: 30 min, sub_interval: 15 min}", 1),
    "ratio": ("ct: {primary: 200", "ct: {primary: 400", 1),
    "clock": ("month: 10, hour: 2", "month: 10, hour: 3", 1),
    "set clock": ("set: true", "set: false", 1),
    "channel": ("channels: [import, export, q1, q4]", "channels: [import, export, q1]", 1),
    "channel order": ("channels: [import, export, q1, q4]", "channels: [q4, q1, export, import]", 0),
    "display": ("automatic: [1.8.0, 1.8.1", "automatic: [1.8.1, 1.8.0", 1),
    "pulse": ("{source: q1, constant: 1000}", "{source: q1, constant: 500}", 1),
    "billing": ("lock_out: until midnight", "lock_out: 30 min", 1),
    "password": ("passwords:\n  3: {env: METER_PASSWORD_LEVEL_3}\n", "", 1),
    "version": ("version: 2", "version: 3", 1),
    "section": ("demand: {period: 30 min}\n", "", 1),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_told_as_what_it_means(name: str) -> None:
    old, new, count = CHANGES[name]
    assert sum(line.startswith("    -") for line in told(old, new)) == count


def test_a_difference_reads_like_a_sentence() -> None:
    assert told("month: 10, hour: 2", "month: 10, hour: 3") == [
        "daylight saving:",
        "  retard",
        "    - last sunday of month 10 at 02:00",
        "    + last sunday of month 10 at 03:00",
    ]


def test_weekdays_that_differ_alike_are_one_line() -> None:
    found = told('"17:00": [3, 4]       # the evening peak', '"17:30": [3, 4]')
    assert found[1] == "  from 11-01, monday to friday"


def test_schemes_for_different_models_are_not_compared() -> None:
    with pytest.raises(UsageError, match="nothing to compare"):
        scheme_differences(load_scheme(FIXTURES / "industrial.yaml"), load_scheme(FIXTURES / "grid_supply_point.yaml"))


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.yaml")), ids=lambda path: path.stem)
def test_what_was_programmed_is_exported_as_the_same_scheme(path: Path) -> None:
    scheme = load_scheme(path, date(2026, 11, 21)).without_passwords()
    for model in scheme.models:
        meter = MemoryMeter(model=model)
        plan = plan_of(scheme, model, {})
        for write in (*plan.writes, plan.scheme_id):
            meter.objects[write.item.number] = write.data
        meter.level = 0
        held = read_held(meter)
        back = scheme_from_text(scheme_text(held), "export.yaml")
        assert (back.id, back.models) == (scheme.id, (model,))
        wanted = {name: s.encode(layout(model)) for name, s in sections_of(scheme).items()}
        found = {name: s.encode(layout(model)) for name, s in sections_of(back).items()}
        assert {name: found[name] for name in wanted} == wanted


def test_what_means_nothing_is_named_and_the_rest_is_exported() -> None:
    meter = MemoryMeter(level=0)
    held = read_held(meter)
    assert "tariff" in held.problems
    assert {*held.sections, *held.problems} >= set(SECTIONS)
    text = scheme_text(held)
    assert "# tariff is not here: " in text
    assert "id: ''" in text
