"""Procedures with judgement: whole readings, quiet neighbours, honest judgements, mistakes that are mistakes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from bench_stand import GOLDEN, LAN, Stand, stand, two_meters

from bench.drivers.modbus import ModbusSession
from bench.drivers.powerlogic.values import EnergyReading
from bench.errors import ForeignAnswer, NoAnswer, UsageError
from bench.measure import Measure
from bench.procedures.commissioning import clear_as_new
from bench.procedures.journal import Journal
from bench.procedures.mistakes import MISTAKES, operator_who
from bench.procedures.neighbours import disturbed, look_at_neighbours
from bench.procedures.operator import Operator
from bench.procedures.preset import preset_energies, preset_words
from bench.procedures.reading import Growth, agree, growth_of, read_twice
from bench.procedures.transfer_judgement import judge_transfer
from bench.procedures.transfer_plan import plan_transfer
from bench.procedures.transfer_report import TransferReport
from bench.verdicts import Verdict
from protocols.powerlogic.energy import Quantity, encode_set
from simulators.metering.energy import WH
from simulators.world import SECOND

HOUR = 3600 * SECOND
MARCH = datetime(2020, 3, 10)  # noqa: DTZ001  # a meter keeps local time without a zone
GROWTH = Growth({"real": Decimal(1000), "reactive": Decimal(100), "apparent": Decimal(1100)}, 100_000, signed=False)


def reading(values: dict[Quantity, int], at: int) -> EnergyReading:
    return EnergyReading(values, tuple(encode_set(values)), at, at + 100_000_000)


# -- whole readings ----------------------------------------------------------------------------------------------------


def test_two_readings_agree_if_the_load_can_have_made_the_second_of_the_first() -> None:
    first = reading(GOLDEN, 0)
    grown = {quantity: value + 27 for quantity, value in GOLDEN.items()}
    assert agree(first, reading(grown, SECOND), GROWTH)  # 100 kVA for 1.1 s are 30 VAh, and one for the hidden digit
    assert not agree(first, reading({q: v + 10_000 for q, v in GOLDEN.items()}, SECOND), GROWTH)
    assert not agree(first, reading({q: v - 1 for q, v in GOLDEN.items()}, SECOND), GROWTH)


def test_only_signed_totals_may_fall() -> None:
    growth = replace(GROWTH, signed=True)
    first = reading(GOLDEN, 0)
    assert agree(first, reading(GOLDEN | {Quantity.REAL_TOTAL: GOLDEN[Quantity.REAL_TOTAL] - 5}, SECOND), growth)
    assert not agree(first, reading(GOLDEN | {Quantity.REAL_IN: GOLDEN[Quantity.REAL_IN] - 5}, SECOND), growth)


def test_growth_is_power_times_time_with_headroom_and_one_for_the_hidden_digit() -> None:
    assert GROWTH.within(Quantity.REAL_IN, HOUR) == 1251
    assert GROWTH.within(Quantity.APPARENT_TOTAL, HOUR) == 1376
    assert GROWTH.at_most(HOUR) == 100_001
    assert GROWTH.down(Quantity.REAL_TOTAL, HOUR) == 0
    assert replace(GROWTH, signed=True).down(Quantity.REAL_TOTAL, HOUR) == 1251
    assert replace(GROWTH, signed=True).down(Quantity.REAL_IN, HOUR) == 0
    louder = GROWTH.larger(replace(GROWTH, ceiling=dict.fromkeys(GROWTH.ceiling, Decimal(500)), signed=True))
    assert louder.ceiling == {"real": 1000, "reactive": 500, "apparent": 1100}
    assert louder.signed


#: A hundred Wh below a carry through three words, and a load that brings it within two seconds.
NEARLY = dict.fromkeys(Quantity, 99_999_900)


def read_across_the_carry(folder: Path, read: Callable[[Stand, Growth], EnergyReading], *, atomic: bool) -> int:
    """The real energy that `read` finds when its block is on its way just as the lowest word carries."""
    profile = f", profile: {{atomic_block_read: {str(atomic).lower()}}}"
    text = two_meters(old="PM850", link=LAN, energies=NEARLY, load="200 kW", of_old=profile)
    with stand(text, folder) as on:
        growth, meter = growth_of(on.old), on.meter("old")
        short = 10**8 * WH - meter.energies_picojoule(on.host.world.now)[0]
        delay = 1_000_000
        on.host.clock.sleep(short // meter.energy_rates()[0] - delay - 700_000)
        return read(on, growth)[Quantity.REAL_IN]


def test_a_block_that_tears_across_a_carry_is_not_believed(tmp_path: Path) -> None:
    """Read word by word over a carry a value is wrong by up to 10^8; read twice it is noticed and read again."""
    true = range(99_999_999, 100_000_200)
    once = read_across_the_carry(tmp_path / "once", lambda on, _: on.old.read_energies(), atomic=False)
    assert abs(once - 10**8) > 9_000, "nothing tore: this test proves nothing"
    assert read_across_the_carry(tmp_path / "twice", lambda on, g: read_twice(on.old, g), atomic=False) in true
    assert read_across_the_carry(tmp_path / "whole", lambda on, _: on.old.read_energies(), atomic=True) in true


def test_readings_that_never_follow_one_another_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with stand(two_meters(), tmp_path) as on:
        values = iter([GOLDEN, dict.fromkeys(Quantity, 0)] * 4)
        monkeypatch.setattr(on.old, "read_energies", lambda: reading(next(values), on.host.clock.now()))
        with pytest.raises(ForeignAnswer, match="old: 3 readings in a row cannot have followed one another: torn"):
            read_twice(on.old, growth_of(on.old))


def test_one_torn_reading_is_forgiven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with stand(two_meters(), tmp_path) as on:
        torn = GOLDEN | {Quantity.REAL_IN: GOLDEN[Quantity.REAL_IN] + 99_990_000}
        values = iter([torn, GOLDEN, GOLDEN])
        monkeypatch.setattr(on.old, "read_energies", lambda: reading(next(values), on.host.clock.now()))
        assert read_twice(on.old, growth_of(on.old)).values == GOLDEN


# -- neighbours --------------------------------------------------------------------------------------------------------


def test_nothing_is_disturbed_where_nothing_happened_but_the_load(tmp_path: Path) -> None:
    with stand(two_meters(load="48 kW"), tmp_path) as on:
        before, growth = look_at_neighbours(on.new), growth_of(on.new)
        on.host.clock.sleep(20 * SECOND)
        assert disturbed(before, look_at_neighbours(on.new), growth) == []


@pytest.mark.parametrize(
    ("name", "before", "after", "said"),
    [
        ("ct_primary", 100, 200, "ct_primary: 100 became 200"),
        ("minmax_reset_time", None, MARCH, "minmax_reset_time: nothing became 2020-03-10 00:00:00"),
        ("demand_real_peak", Decimal(48), Decimal(0), "demand_real_peak: fell from 48 to 0"),
        ("max_frequency", Decimal("50.1"), None, "max_frequency: fell from 50.1 to nothing"),
        ("min_frequency", Decimal("49.9"), Decimal(50), "min_frequency: rose from 49.9 to 50"),
        ("incremental_real_energy_in", 5, 0, "incremental_real_energy_in: 5 became 0"),
        ("conditional_real_energy_in", 7, 0, "conditional_real_energy_in: 7 became 0"),
    ],
)
def test_each_kind_of_neighbour_has_its_rule(
    name: str, before: object, after: object, said: str, tmp_path: Path
) -> None:
    with stand(two_meters(), tmp_path) as on:
        look = look_at_neighbours(on.new)
    first, second = dict(look.values), dict(look.values)
    first[name], second[name] = before, after
    assert disturbed(replace(look, values=first), replace(look, values=second), GROWTH) == [said]


def test_conditional_energy_may_grow_while_it_is_counted_and_no_more_than_the_load_allows(tmp_path: Path) -> None:
    with stand(two_meters(), tmp_path) as on:
        look = look_at_neighbours(on.new)
    counting = dict(look.values) | {"conditional_status": 1, "conditional_real_energy_in": 100}
    for grown, fine in ((100, True), (120, True), (99, False), (10_000, False)):
        after = counting | {"conditional_real_energy_in": grown}
        later = replace(look, values=after, at=look.at + SECOND)
        assert (disturbed(replace(look, values=counting), later, GROWTH) == []) is fine


# -- bare presets ------------------------------------------------------------------------------------------------------


def test_a_bare_preset_loads_what_it_is_given(tmp_path: Path) -> None:
    with stand(two_meters(), tmp_path) as on:
        found = preset_energies(on.new, GOLDEN, armed=on.bench.arm(on.new), journal=on.bench.journal)
        assert found.result == 0
        assert found.after.values == GOLDEN
        assert on.new.read_pointers() == (0, 0, 0)
        assert on.events() == ["command"]


def test_a_bare_preset_without_a_buffer_or_with_another_command_is_refused(tmp_path: Path) -> None:
    words = encode_set(GOLDEN)
    with stand(two_meters(), tmp_path) as on:
        armed, journal = on.bench.arm(on.new), on.bench.journal
        assert preset_words(on.new, words, armed=armed, journal=journal, data=0).result == 82
        assert preset_words(on.new, words, armed=armed, journal=journal, code=6290).result == 81
        assert on.new.read_energies().values == dict.fromkeys(Quantity, 0)


def test_a_meter_is_cleared_as_a_replacement_comes_and_the_audit_has_what_was_there(tmp_path: Path) -> None:
    shown = ", ".join(f"{quantity.value}: {value}" for quantity, value in GOLDEN.items())
    with stand(two_meters(of_new=f", energies: {{{shown}}}"), tmp_path) as on:
        clear_as_new(on.new, on.bench.arm(on.new), on.bench.journal)
        assert on.new.read_energies().values == dict.fromkeys(Quantity, 0)
        (entry,) = on.audit()
    assert entry["facts"]["before"] == {quantity.value: value for quantity, value in GOLDEN.items()}


# -- judgement ---------------------------------------------------------------------------------------------------------


def transferred(on: Stand) -> TransferReport:
    return on.bench.transfer(on.old, on.new)


def judged(report: TransferReport) -> dict[str, Verdict]:
    measure = Measure("test", lambda: 0)
    judge_transfer(report, measure)
    return {record.name: record.verdict for record in measure.records}


@pytest.fixture
def report(tmp_path: Path) -> TransferReport:
    with stand(two_meters(load="48 kW"), tmp_path) as on:
        return transferred(on)


def test_a_good_transfer_is_judged_good(report: TransferReport) -> None:
    assert set(judged(report).values()) <= {Verdict.PASS, Verdict.NOT_DETERMINABLE}


def test_a_lost_watt_hour_is_a_failure_and_one_too_many_is_not_passed(report: TransferReport) -> None:
    assert report.after is not None
    assert report.handed_over is not None
    low = dict(report.after.values) | {Quantity.REAL_IN: report.handed_over[Quantity.REAL_IN] - 1}
    report.after = replace(report.after, values=low)
    assert judged(report)["real energy in"] is Verdict.FAIL
    high = low | {Quantity.REAL_IN: low[Quantity.REAL_IN] + 10_000}
    report.after = replace(report.after, values=high)
    assert judged(report)["real energy in"] is Verdict.FAIL


def test_a_load_that_rose_meanwhile_is_inconclusive_and_not_a_failure(report: TransferReport) -> None:
    assert report.growth is not None
    assert report.after is not None
    assert report.handed_over is not None
    report.growth = replace(report.growth, rating=10 * report.growth.rating)
    most = report.handed_over[Quantity.REAL_IN] + report.could_have_grown(Quantity.REAL_IN)
    report.after = replace(report.after, values=dict(report.after.values) | {Quantity.REAL_IN: most + 1})
    assert judged(report)["real energy in"] is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"result": None}, "result word"),
        ({"result": 82}, "result word"),
        ({"stamp_after": None}, "preset stamp (3290)"),
        ({"stamp_after": MARCH}, "preset stamp (3290)"),
        ({"disturbed": ["max_frequency: fell"]}, "changed beside the energies"),
        ({"pointers_restored": False}, "pointers restored"),
        ({"stopped": "the pointers read (0, 0, 0)"}, "procedure"),
    ],
)
def test_each_fact_that_is_wrong_fails(change: dict[str, object], name: str, report: TransferReport) -> None:
    for attribute, value in change.items():
        setattr(report, attribute, value)
    assert judged(report)[name] is Verdict.FAIL


def test_a_stamp_of_an_earlier_preset_is_not_this_ones(report: TransferReport) -> None:
    report.stamp_before = report.stamp_after
    assert judged(report)["preset stamp (3290)"] is Verdict.FAIL


def test_without_power_control_the_power_cycle_is_not_determinable_and_never_passed(report: TransferReport) -> None:
    report.power_cycle = None
    found = judged(report)
    assert found["energies survive a power cycle"] is Verdict.NOT_DETERMINABLE
    assert not any("after a power cycle" in name for name in found)


def test_readings_that_cannot_be_ordered_are_not_judged_by_their_order(report: TransferReport) -> None:
    assert report.handed_over is not None
    odd = dict(report.handed_over.values) | {Quantity.APPARENT_TOTAL: 0}
    report.handed_over = replace(report.handed_over, values=odd)
    assert judged(report)["apparent energy at least real energy"] is Verdict.NOT_APPLICABLE


# -- plan, journal, mistakes -------------------------------------------------------------------------------------------


def test_a_plan_writes_nothing_and_has_the_words(tmp_path: Path) -> None:
    with stand(two_meters(), tmp_path, reason=None) as on:
        plan = plan_transfer(on.old, on.new, on.bench.journal)
        assert plan.words == encode_set(GOLDEN)
        assert on.new.session.writes == []
        assert on.events() == []


def test_a_journal_keeps_how_each_step_ended(tmp_path: Path) -> None:
    told: list[str] = []
    with stand(two_meters(), tmp_path) as on:
        journal = Journal(on.host.clock, progress=told.append)
        with journal.step("wait"):
            on.host.clock.sleep(SECOND)
        with pytest.raises(NoAnswer), journal.step("ask"):
            raise NoAnswer("silent", device="new")
        with pytest.raises(KeyboardInterrupt), journal.step("ask again"):
            raise KeyboardInterrupt
        journal.audit("nothing is kept where nobody keeps an audit")
    assert told == ["wait", "ask", "ask again"]
    assert [step.outcome for step in journal.steps] == ["done", "new: silent", "interrupted by the operator"]
    assert journal.steps[0].end - journal.steps[0].start == SECOND


def test_every_mistake_is_an_operator_who_errs_in_one_step() -> None:
    for id_, mistake in MISTAKES.items():
        if mistake.of_a_tool:
            assert {name for name in vars(mistake.session) if not name.startswith("_")} <= set(vars(ModbusSession)), id_
            continue
        own = {name for name in vars(mistake.operator) if not name.startswith("_")}
        assert len(own) == 1, id_
        assert own <= set(vars(Operator))
        assert mistake.id == id_
        assert mistake.title
        assert mistake.symptom
        assert operator_who(id_) is mistake.operator
    assert operator_who(None) is Operator


def test_a_mistake_that_nobody_makes() -> None:
    with pytest.raises(UsageError, match=r"no mistake is called 'O99'; known: .*O01"):
        operator_who("O99")


def test_the_unmetered_estimate_is_power_times_the_time_of_changing_over() -> None:
    report = TransferReport("old", "new", handed_over=reading(GOLDEN, 0), growth=GROWTH)
    assert report.unmetered_estimate is None
    report.commanded_at = HOUR
    assert report.unmetered_estimate == Decimal("1000.0")
    assert report.since_command == 0


def test_a_stamp_may_be_as_old_as_the_clock_that_was_read_after_it_allows(report: TransferReport) -> None:
    assert report.stamp_after is not None
    report.clock_after = report.stamp_after + timedelta(seconds=59)
    assert judged(report)["preset stamp (3290)"] is Verdict.PASS
    report.clock_after = report.stamp_after + timedelta(seconds=61)
    assert judged(report)["preset stamp (3290)"] is Verdict.FAIL
