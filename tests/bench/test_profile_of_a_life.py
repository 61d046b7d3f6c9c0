"""Whatever happens to a healthy meter, its profile is of one piece, and it sums up to what its registers counted."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from bench.procedures.head_end import HeadEnd
from bench.procedures.profile_walk import decode_profile
from bench.procedures.register_check import summed
from protocols.elster.profile import decode_records
from protocols.elster.tables import Source
from simulators.metering.demand import DAY, MINUTE
from simulators.metering.energy import WH
from simulators.meters.elster.build import build_meter
from simulators.meters.elster.load_profile import profile_bytes
from simulators.meters.elster.meter import Meter
from simulators.power.feeder import Feeder, Load

#: The eves of the United Kingdom's changes of the clock, and a day like any other.
EPOCHS = (datetime(2026, 3, 10, 8), datetime(2026, 3, 28, 20, 17), datetime(2026, 10, 24, 21, 3))  # noqa: DTZ001

ACTS = st.tuples(
    st.integers(1, 5 * 60),
    st.one_of(
        st.tuples(st.just("load"), st.integers(-200_000, 200_000)),
        st.tuples(st.just("outage"), st.integers(1, 30 * 60)),
        st.tuples(st.just("set"), st.integers(-200, 2000)),
        st.tuples(st.just("adjust"), st.integers(-7, 7)),
        st.tuples(st.just("reset"), st.just(0)),
        st.tuples(st.just("restart"), st.just(0)),
    ),
)


def live(meter: Meter, feeder: Feeder, acts: list[tuple[int, tuple[str, int]]]) -> int:
    """Let things happen, each some minutes after the one before; returns the instant (ns) at the end."""
    now = 0
    for minutes, (act, how) in acts:
        now += minutes * MINUTE + 7_000_000_000
        moment = meter.clock.read(now) + timedelta(minutes=how)
        match act:
            case "load":
                feeder.change(now, load=Load(how * 1000))
            case "outage":
                feeder.switch_supply(now, on=False)
                now += how * MINUTE
                feeder.switch_supply(now, on=True)
            case "set":
                meter.set_clock(now, moment)
            case "adjust":
                meter.adjust_clock(now, moment)
            case "reset":
                meter.press_reset(now)
            case _:
                meter.transient_reset(now)
    return now + DAY


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(EPOCHS), st.lists(ACTS, max_size=6))
def test_a_profile_is_of_one_piece_and_sums_up(epoch: datetime, acts: list[tuple[int, tuple[str, int]]]) -> None:
    feeder = Feeder(load=Load(12_345_678))
    meter = build_meter("A1140", feeder, epoch=epoch)
    end = live(meter, feeder, acts)
    meter.settle(end)
    meter.end_profile_period(end)  # what is under way belongs to the sum
    found = decode_profile(decode_records("A1140", profile_bytes(meter)), HeadEnd().interval_energy)
    assert [str(each) for each in found.findings if not each.explained] == []
    counted = meter.energies(end)
    for source in (Source.IMPORT, Source.EXPORT):
        pieces = [piece for each in found.intervals for piece in each.pieces]
        sums, rounding = summed(pieces, found.intervals[0].channels.index(source)) if pieces else (Decimal(0),) * 2
        assert abs(sums - Decimal(counted[source]) / WH) <= rounding
