# meters keep local time without a zone
import json
from datetime import timedelta

from elster_desk import DAY, HOUR, KW, MINUTE, Desk, Load, Source, datetime, pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.elster.configuration import DemandPeriod, Passwords, layout
from protocols.elster.logs import Phases
from protocols.elster.profile import Marker, MarkerKind, decode_records
from simulators.meters.elster.catalogue import catalogue
from simulators.meters.elster.state import StateError, parse, put_back, state_of

EPOCH = datetime(2026, 3, 27, 22, 7, 31)


def lived_in(model="A1140"):
    desk = Desk(model, epoch=EPOCH, energies={Source.IMPORT: 123}, load=Load(KW, KW))
    desk.log_in()
    desk.write(576, b"Smith       ")
    desk.section(DemandPeriod(30, 10))
    desk.close()
    desk.feeder.change(5 * HOUR + 7 * MINUTE, load=Load(-KW))
    desk.meter.press_reset(6 * HOUR + 11 * MINUTE)
    desk.meter.open_cover(7 * HOUR)
    desk.meter.fail_phase(8 * HOUR, Phases.B)
    desk.meter.settle(3 * DAY + 13 * MINUTE)
    return desk


def moved(desk, now, **options):
    """The same meter in another world, by way of a file."""
    state = json.loads(json.dumps(state_of(desk.meter, now)))
    fresh = Desk(desk.meter.model.name, load=desk.feeder.load)
    put_back(fresh.meter, 0, parse(fresh.meter, state), **options)
    return fresh


def shown(desk, now):
    rows = catalogue(desk.meter.model.name).values()
    return {row.name: desk.meter.image(row.number, now) for row in rows if row.read_level is not None}


@pytest.mark.parametrize("model", ["A1120", "A1140", "A1700"])
def test_put_back_at_once_it_goes_on_as_if_nothing_had_been(model):
    desk = lived_in(model)
    now = 3 * DAY + 13 * MINUTE
    other = moved(desk, now)
    changed = {"serial_number"}
    assert {n: d for n, d in shown(other, 0).items() if n not in changed} == {
        n: d for n, d in shown(desk, now).items() if n not in changed}  # fmt: skip
    assert shown(other, 40 * DAY)["totals"] == shown(desk, now + 40 * DAY)["totals"]
    assert shown(other, 40 * DAY)["billing_history"] == shown(desk, now + 40 * DAY)["billing_history"]
    if model != "A1120":
        assert shown(other, 40 * DAY)["profile"] == shown(desk, now + 40 * DAY)["profile"]


@settings(max_examples=15, deadline=None)
@given(st.integers(9 * HOUR // MINUTE, 10 * DAY // MINUTE))
def test_at_whatever_moment_it_is_taken(minutes):
    desk = lived_in()
    now = max(3 * DAY + 13 * MINUTE, minutes * MINUTE)
    other = moved(desk, now)
    assert shown(other, 5 * DAY)["maximum_demand"] == shown(desk, now + 5 * DAY)["maximum_demand"]
    assert shown(other, 5 * DAY)["profile"] == shown(desk, now + 5 * DAY)["profile"]


def test_put_back_later_it_has_been_without_supply():
    desk = lived_in()
    now = 3 * DAY + 13 * MINUTE
    other = moved(desk, now, asleep=timedelta(minutes=30))
    assert other.meter.energies(0) == desk.meter.energies(now)
    assert other.meter.clock.read(0) == desk.meter.clock.read(now) + timedelta(minutes=30)
    kinds = [entry.kind for entry in decode_records("A1140", other.meter.image(550, 0)) if isinstance(entry, Marker)]
    assert kinds[-3:] == [MarkerKind.POWER_DOWN, MarkerKind.POWER_UP, MarkerKind.END]
    assert other.meter.supply.battery.last == 30 * MINUTE
    assert other.meter.powered(0)


def test_a_state_holds_no_password():
    desk = Desk(passwords={3: "FEDC0003"})
    desk.log_in()
    for name, data in Passwords({2: "SECRET77"}).encode(layout("A1140")).items():
        desk.write(desk.number(name), data)
    text = json.dumps(state_of(desk.meter, HOUR))
    for secret in (b"FEDC0003", b"SECRET77"):
        assert secret.decode() not in text
        assert secret.hex() not in text.lower()


@pytest.mark.parametrize(("damage", "why"), [
    (lambda s: s.update(model="A1700"), "of a A1700"),
    (lambda s: s.pop("standard"), "standard"),
    (lambda s: s.update(more=1), "more"),
    (lambda s: s["configuration"].pop("tou_sources"), "configuration"),
    (lambda s: s["configuration"].update(demand_period="ffffff"), "demand"),
    (lambda s: s["registers"]["totals"].pop(), "registers"),
    (lambda s: s["registers"].update(tou_sources=["nonsense"] * 8), "nonsense"),
    (lambda s: s["lasting"].append("nonsense"), "nonsense"),
    (lambda s: s["demand_ends"].clear(), "demand_ends"),
    (lambda s: s["profile"]["days"][0]["entries"][0].__setitem__(2, 9), "profile"),
    (lambda s: s.update(profile=None), "profile"),
    (lambda s: s["memory"].update(scheme_id="xx"), "memory"),
])  # fmt: skip
def test_a_damaged_state_is_refused_and_the_meter_is_as_it_was(damage, why):
    state = json.loads(json.dumps(state_of(lived_in().meter, 4 * DAY)))
    damage(state)
    fresh = Desk()
    before = shown(fresh, 0)
    with pytest.raises(StateError, match=why):
        parse(fresh.meter, state)
    assert shown(fresh, 0) == before


def test_the_sub_intervals_before_count_on_in_a_sliding_demand():
    desk = lived_in()
    now = 4 * DAY
    desk.meter.press_reset(now)
    desk.feeder.change(now, load=Load(6 * KW))
    desk.meter.settle(now + 20 * MINUTE)
    other = moved(desk, now + 20 * MINUTE)
    assert shown(other, 5 * MINUTE)["maximum_demand"] == shown(desk, now + 25 * MINUTE)["maximum_demand"]
