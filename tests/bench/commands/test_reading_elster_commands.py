"""`meterbench read` and `meterbench profile` of Elster meters, as they are typed."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.bench import Bench
from bench.cli import call
from bench.commands.profile import facts, lines
from bench.commands.read import lines as shown
from bench.commands.read_elster import read
from bench.drivers.elster import Elster
from bench.errors import Refused
from bench.evidence import Evidence
from bench.host import Host
from bench.procedures.profile_reading import read_profile
from bench.safety import Safety
from bench.station import find_station

HOUR = 3_600_000_000_000
DAY = 24 * HOUR


def said(*words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = call(list(words))
    out = capsys.readouterr()
    return code, out.out + out.err


def as_json(*words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    code = call([*words, "--json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, found


@contextmanager
def opened(name: str, *defects: str) -> Iterator[tuple[Bench, Elster]]:
    """A meter of the built-in station, with a defect if one is asked for."""
    station = find_station("sim")
    host = Host(station, defects={name: list(defects)} if defects else {})
    bench = Bench(host, Safety(station, (name,)), Evidence(None), "test", "a test")
    try:
        yield bench, bench.elster(name)
    finally:
        bench.write_traces()
        host.close()


# -- read --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a1140", "a1700", "a1120", "a1140-tcp"])
def test_read_shows_what_an_elster_meter_has(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = said("read", name, capsys=capsys)
    assert code == 0
    assert all(word in text for word in ("identification", "clock", "import", "Wh", "cumulative demand", "status"))


def test_read_is_json_with_units(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = as_json("read", "a1140", capsys=capsys)
    assert (code, found["model"], found["clock"][:10]) == (0, "A1140", "2026-03-10")
    assert found["totals"]["import"]["unit"] == "Wh"
    assert found["totals"]["import"]["value"].startswith("12345")
    assert set(found["logs"]) >= {"power_failure", "billing_events", "terminal_cover"}
    assert found["status"] == {"system": "00000000", "errors": "00000000"}
    assert "terminal_cover" not in as_json("read", "a1700", capsys=capsys)[1]["logs"]


def test_read_of_a_meter_with_a_past() -> None:
    with opened("a1140") as (bench, meter):
        bench.clock.sleep(22 * DAY)
        meter.reset_demand(bench.arm(meter))
        text = "\n".join(shown(read(meter, sets=2)))
    assert "billing set 0" in text
    assert "(optical), import" in text
    assert "billing set 1              2026-04-01 00:00:00 (billing date), import" in text
    assert "daily set 1                2026-03-31 00:00:00, import" in text
    assert "billing events             2 times, last 2026-04-01" in text


def test_registers_that_fell_back_since_a_kept_set_are_told() -> None:
    with opened("a1140", "E38") as (bench, meter):
        bench.clock.sleep(HOUR)
        meter.reset_demand(bench.arm(meter))
        (said,) = [text for text in read(meter, sets=2)["contradictions"] if text.startswith("import")]
    assert said.startswith("import fell from 123")
    with opened("a1120") as (bench, meter):  # over its last digit: that is no fall
        meter.reset_demand(bench.arm(meter))
        bench.clock.sleep(2 * HOUR)
        assert read(meter, sets=2)["contradictions"] == []


def test_powerlogic_is_read_as_before(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = said("read", "pm850", capsys=capsys)
    assert code == 0
    assert "ratios" in text
    assert "power factor total     0.85 lagging" in text


# -- profile -----------------------------------------------------------------------------------------------------------


def test_a_profile_by_days(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "a1140.csv"
    code, text = said("profile", "a1140", "--after", "3", "--days", "2", "--csv", str(table), capsys=capsys)
    assert code == 0
    assert "2026-03-12  48 of 48    import 480000.000 Wh, export 0.000 Wh" in text
    assert "2026-03-13  16, a part" in text
    assert "sums agree with the registers" in text
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert (len(rows), rows[0]["start"], rows[0]["import Wh"], rows[0]["records"]) == (
        64, "2026-03-12 00:00:00", "10000.000", "1",
    )  # fmt: skip
    code, text = said("profile", "a1140", "--csv", str(table), capsys=capsys)
    assert (code, "name a new file" in text) == (4, True)


def test_a_profile_by_dates_is_cut_to_them(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("profile", "a1700", "--after", "20", "--from", "2026-03-29", "--to", "2026-03-30")
    code, found = as_json(*words, capsys=capsys)
    assert (code, found["ok"], found["period_minutes"]) == (0, True, 30)
    assert found["days"] == [{"date": "2026-03-29", "intervals": 46, "expected": 46}]
    assert [each["kind"] for each in found["findings"]] == ["daylight saving"]
    first, last = found["intervals"][0], found["intervals"][-1]
    assert (first["start"], first["shift_minutes"]) == ("2026-03-29 00:00:00", 0)
    assert (last["end"], last["shift_minutes"]) == ("2026-03-30 00:00:00", 60)
    assert first["values"]["import"] == {"value": "30000.000", "unit": "Wh"}


def test_an_empty_profile_is_nothing_verified(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = said("profile", "a1140", capsys=capsys)
    assert (code, "no interval is whole yet" in text) == (5, True)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("a1120",), "a1120 is an A1120: it keeps no load profile"),
        (("pm850",), "pm850 is a Power Meter Series 800: it does not speak FLAG"),
        (("nobody",), 'has no device "nobody"'),
        (("a1140", "--days", "0"), "0 is not in the range"),
        (("a1140", "--days", "65536"), "65536 is not in the range"),
        (("a1140", "--days", "2", "--from", "2026-03-01"), "give one of them"),
        (("a1140", "--from", "2026-03-12", "--to", "2026-03-11"), "is not later than"),
        (("a1140", "--from", "yesterday"), "does not match the formats"),
        (("a1140", "--csv", "missing/folder.csv"), "is no folder to write into"),
    ],
)
def test_what_cannot_be_asked_is_one_line(
    words: tuple[str, ...],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    code, text = said("profile", *words, capsys=capsys)
    assert code == 4
    assert reason in text
    assert len(text.splitlines()) == 1


def test_a_profile_that_contradicts_itself_is_told_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with opened("a1140", "E41") as (bench, meter):
        bench.clock.sleep(4 * HOUR)
        meter.set_clock(bench.arm(meter), meter.read_clock().replace(hour=15, minute=5))
        bench.clock.sleep(2 * HOUR)
        found = read_profile(meter)
    (gap,) = found.gaps
    assert "most likely from 2026-03-10 12:00 on, where the clock was touched" in str(gap)
    assert f"  CONTRADICTS ITSELF: {gap}" in list(lines(found))
    assert facts(found)["ok"] is False
    monkeypatch.setattr("bench.commands.profile.read_profile", lambda *_words, **_named: found)
    code, text = said("profile", "a1140", capsys=capsys)
    assert (code, "GAP" in text) == (1, True)


def test_a_selection_holds_although_the_stream_takes_another_way() -> None:
    """Three days are three days, read in packets or as a data stream."""
    with opened("a1140") as (bench, meter):
        bench.clock.sleep(10 * DAY)
        streamed, packets = meter.read_profile(3), meter.read_profile(3, stream=False)
    assert streamed == packets
    assert len(streamed) < 3 * 50


def test_a_meter_that_knows_no_range_is_asked_by_days(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    by_days = Elster.read_profile

    def read_profile_of(meter: Elster, days: int | None = None, **dates: Any) -> Any:
        asked.append(days)
        if dates:
            raise Refused("(ERR2): unknown identity", code=2, device=meter.name)
        return by_days(meter, days)

    with opened("a1140") as (bench, meter):
        bench.clock.sleep(5 * DAY)
        monkeypatch.setattr(Elster, "read_profile", read_profile_of)
        noon = meter.read_clock().replace(day=13, hour=12, minute=0, second=0)
        found = read_profile(meter, start=noon, end=noon + timedelta(hours=4), against_registers=False)
    assert (asked, len(found.intervals), found.contradictions) == ([None, 3], 8, [])


def test_kept_sets_are_read_as_far_back_as_is_asked() -> None:
    with opened("a1140") as (bench, meter):
        bench.clock.sleep(5 * DAY)
        newest = meter.read_daily()
        times = [each.time for each in newest if each.time is not None]
        assert len(newest) == 5
        assert [each.time for each in meter.read_daily(since=times[2])] == times[:3]
        assert len(meter.read_daily(2, since=times[-1])) == 2
