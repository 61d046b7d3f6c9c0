from hypothesis import given
from hypothesis import strategies as st

from simulators.metering.agenda import Agenda, Appointment


def every(period, name, seen):
    return Appointment(name, lambda now: (now // period + 1) * period, lambda at: seen.append((at, name)))


def test_at_the_same_instant_the_order_of_the_list_holds():
    seen = []
    Agenda([every(30, "demand", seen), every(10, "profile", seen)]).settle(30)
    assert seen == [(10, "profile"), (20, "profile"), (30, "demand"), (30, "profile")]


@given(st.lists(st.integers(0, 500)), st.integers(1, 50), st.integers(1, 50))
def test_one_look_and_many_looks_keep_the_same(looks, first, second):
    once, often = [], []
    Agenda([every(first, "a", once), every(second, "b", once)]).settle(500)
    watched = Agenda([every(first, "a", often), every(second, "b", often)])
    for look in [*sorted(looks), 500]:
        watched.settle(look)
    assert often == once


def test_what_never_comes_is_not_waited_for():
    Agenda([Appointment("never", lambda _now: None, [].remove)]).settle(10**18)


def test_planned_anew_it_follows_another_clock():
    seen = []
    period = [10]
    agenda = Agenda([Appointment("p", lambda now: (now // period[0] + 1) * period[0], seen.append)])
    agenda.settle(10)
    period[0] = 4
    agenda.plan(11)
    agenda.settle(17)
    assert seen == [10, 12, 16]


def test_an_appointment_that_plans_anew_takes_no_other_of_the_same_instant_away():
    seen = []
    agenda = None
    jump = Appointment("jump", lambda now: 10 if now < 10 else None, lambda at: agenda.plan(at))  # noqa: PLW0108  # the agenda comes later
    agenda = Agenda([jump, every(10, "profile", seen)])
    agenda.settle(25)
    assert seen == [(10, "profile"), (20, "profile")]
