"""Blocks that follow from the operating point alone are kept as bytes, and must never outlive what they show."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from meter_desk import SECOND, Desk, refused

from protocols.modbus.pdu import ModbusException
from simulators.faults import switch_on
from simulators.power.feeder import Load

LOADS = st.builds(Load, st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))
BLOCKS = st.sampled_from([(1100, 125), (1140, 60), (3200, 50)])
HAPPENINGS = st.one_of(
    st.tuples(st.just("wait"), st.integers(0, 200)),
    st.tuples(st.just("load"), LOADS),
    st.tuples(st.just("write"), st.sampled_from([(8000, 9020), (8000, 9021), (3201, 400), (8001, 1), (8000, 1110)])),
    st.tuples(st.just("read"), BLOCKS),
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["PM850", "CM4250"]), st.lists(HAPPENINGS, min_size=5, max_size=30))
def test_a_kept_block_is_the_one_that_would_be_put_together_now(
    model: str, happenings: list[tuple[str, object]]
) -> None:
    keeping, forgetful = (Desk(model, Load(30_000_000, 5_000_000)) for _ in range(2))
    for kind, fact in happenings:
        forgetful.meter._steady.clear()  # the comparison: a meter that keeps nothing
        assert _after(keeping, kind, fact) == _after(forgetful, kind, fact)


def _after(desk: Desk, kind: str, fact: object) -> object:
    try:
        if kind == "wait":
            desk.now += int(str(fact)) * SECOND
        elif kind == "load":
            desk.feeder.change(desk.now, load=fact)  # type: ignore[arg-type]  # what the strategy for "load" draws
        elif kind == "write":
            desk.write(*fact)  # type: ignore[misc]  # a register and a value
        else:
            return desk.read(*fact) if desk.listens() else None  # type: ignore[misc]  # a register and a count
    except ModbusException as refused:
        return refused.code
    return None


def test_a_load_that_changes_shows_at_once() -> None:
    desk = Desk("PM850", Load(30_000_000))
    before = desk.read(1100, 125)
    assert desk.read(1100, 125) == before
    desk.feeder.change(desk.now, load=Load(60_000_000))
    assert desk.read(1100, 125) != before


def test_a_defect_that_is_switched_on_shows_at_once() -> None:
    desk = Desk("PM850", Load(30_000_000))
    before = desk.read(1100, 125)
    switch_on("P23", desk.meter, desk.now)
    assert desk.read(1100, 125) != before
    assert desk.read(1100, 125) == desk.read(1100, 125)


def test_who_asks_for_ever_other_blocks_gets_no_memory_for_it() -> None:
    desk = Desk("PM850", Load(30_000_000))
    for count in range(1, 40):
        for first in range(1100, 1120):
            refused(desk, lambda desk, first=first, count=count: desk.read(first, count))
    assert 0 < len(desk.meter._steady) <= 64  # the bound itself
