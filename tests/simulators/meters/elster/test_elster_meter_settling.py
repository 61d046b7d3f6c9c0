# meters keep local time without a zone
import time

from elster_desk import DAY, HOUR, KW, Desk, Load, datetime
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.elster.configuration import DemandPeriod
from simulators.meters.elster.catalogue import catalogue

WEEK = 7 * DAY
CHANGES = st.lists(st.tuples(st.integers(0, WEEK), st.integers(-5 * KW, 5 * KW), st.integers(-KW, KW)), max_size=6)
CUTS = st.lists(st.integers(0, WEEK), max_size=4, unique=True)
LOOKS = st.lists(st.integers(0, WEEK), max_size=12)


def everything(meter, now):
    """All that a meter shows, and its profile."""
    return {row.number: meter.image(row.number, now) for row in catalogue(meter.model.name).values()
            if row.read_level is not None}  # fmt: skip


def live(desk, changes, cuts, looks):
    """Have a week of load changes and power cuts pass, looked at now and then."""
    acts = [(at, 1, lambda now, p=p, q=q: desk.feeder.change(now, load=Load(p, q))) for at, p, q in changes]
    for number, at in enumerate(sorted(cuts)):
        acts.append((at, 2, lambda now, on=number % 2 == 1: desk.feeder.switch_supply(now, on=on)))
    acts += [(at, 3, desk.meter.readout) for at in looks]
    for at, _, act in sorted(acts, key=lambda each: each[:2]):
        act(at)
    desk.feeder.switch_supply(WEEK, on=True)
    return everything(desk.meter, WEEK + HOUR)


@settings(max_examples=40, deadline=None)
@given(CHANGES, CUTS, LOOKS, st.sampled_from(["A1140", "A1700"]), st.integers(-200, 200))
def test_one_look_and_many_looks_show_the_same_registers_and_profile(changes, cuts, looks, model, ppm):
    options = {"epoch": datetime(2026, 3, 27, 22, 7, 31), "profile": {"clock_drift_ppm": ppm}}
    assert live(Desk(model, **options), changes, cuts, looks) == live(Desk(model, **options), changes, cuts, [])


def test_ninety_days_of_half_hours_are_settled_at_once():
    desk = Desk()
    desk.log_in()
    desk.section(DemandPeriod(30, 5))
    began = time.perf_counter()
    desk.meter.settle(90 * DAY)
    assert time.perf_counter() - began < 3  # 0.2 s here, and the machine may be busy
    assert desk.kwh(90 * DAY) == 90 * 24
