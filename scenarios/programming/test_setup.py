"""Set-up mode: what is saved holds, what is discarded or forgotten does not, and what is impossible is refused."""

from collections.abc import Callable
from decimal import Decimal

from bench.bench import Bench
from bench.clock import Clock
from bench.control import Loads, Supplies
from bench.drivers.powerlogic import Series
from bench.errors import NoAnswer, Refused
from bench.measure import Measure, Unit
from bench.procedures.keeping import setup_kept
from protocols.powerlogic.energy import Quantity
from scenarios.marks import catches, destructive, needs

INTERVAL = "power_demand_interval"
TWO_MINUTES = 120_000_000_000
SECOND = 1_000_000_000
TEN_SECONDS = 10 * SECOND
#: Moves more than a hundred Wh in ten seconds.
ENOUGH_WATTS = 60_000
NS_PER_HOUR = 3_600_000_000_000


def interval(meter: Series) -> int:
    """The demand interval in minutes."""
    return int(str(meter.value(INTERVAL)))


@destructive("changes the demand interval, and changes it back")
@needs("program-setup")
def test_a_demand_interval_is_programmed(target: Series, bench: Bench, measure: Measure) -> None:
    """A saved interval holds after the reset that saving brings."""
    armed, before = bench.arm(target), interval(target)
    wanted = 30 if before != 30 else 20
    with setup_kept(target, armed, bench.journal, [INTERVAL]):
        bench.journal.audit("program", device=target.name, power_demand_interval=wanted, before=before)
        target.program(armed, {INTERVAL: wanted})
        measure("demand interval", interval(target), device=target.name, note="minutes").is_(wanted)
    measure("demand interval restored", interval(target), device=target.name).is_(before)


@destructive("changes the demand interval, interrupts the supply, and changes the interval back")
@needs("program-setup")
@catches("P01")
def test_a_programmed_interval_survives_a_power_cut(
    target: Series, bench: Bench, supplies: Supplies, measure: Measure
) -> None:
    """What was saved is still there after the supply was away."""
    armed, before = bench.arm(target), interval(target)
    wanted = 30 if before != 30 else 20
    with setup_kept(target, armed, bench.journal, [INTERVAL]):
        bench.journal.audit("program", device=target.name, power_demand_interval=wanted, before=before)
        target.program(armed, {INTERVAL: wanted})
        bench.journal.audit("power cycle", device=target.name)
        supplies.cycle(target.name)
        target.wait_until_it_answers(TWO_MINUTES)
        measure("demand interval after a power cycle", interval(target), device=target.name).is_(wanted)


@destructive("opens a set-up session and discards it")
@needs("program-setup")
@catches("D35")
def test_a_discarded_session_changes_nothing(target: Series, bench: Bench, measure: Measure) -> None:
    """Leaving set-up without saving keeps the old values."""
    before = interval(target)
    with setup_kept(target, bench.arm(target), bench.journal, [INTERVAL]):
        bench.journal.audit("program and discard", device=target.name, power_demand_interval=7)
        try:
            target.program(bench.arm(target), {INTERVAL: 7}, save=False)
            answer = "0"
        except (NoAnswer, Refused) as error:
            answer = str(error)
            target.wait_until_it_answers(TWO_MINUTES)
        measure("answer to discarding", answer, device=target.name).is_("0")
        measure("demand interval", interval(target), device=target.name).is_(before)


@destructive("opens a set-up session and leaves it to its time-out")
@needs("program-setup")
@catches("D34", "P17", "P18")
def test_a_forgotten_session_ends_by_itself(target: Series, bench: Bench, clock: Clock, measure: Measure) -> None:
    """Two minutes without a write end the session and the old values come back."""
    armed, before = bench.arm(target), interval(target)
    with setup_kept(target, armed, bench.journal, [INTERVAL]):
        bench.journal.audit("program and forget", device=target.name, power_demand_interval=7)
        target.command(armed, "enter_setup")
        target.session.write(armed, target.map[INTERVAL].number, 7)
        clock.sleep(TWO_MINUTES - 2 * SECOND)
        measure("draft shown before two minutes", interval(target), device=target.name).is_(7)
        clock.sleep(4 * SECOND)
        measure("demand interval", interval(target), device=target.name).is_(before)


@destructive("tries to write set-up registers outside a session and out of range")
@needs("program-setup")
def test_the_setup_is_protected(target: Series, bench: Bench, measure: Measure) -> None:
    """Outside a session nothing is written; inside, a value that does not exist is refused."""
    armed, before = bench.arm(target), target.ratios()
    attempts: dict[str, Callable[[], None]] = {
        "outside a session": lambda: target.session.write(armed, target.map["ct_primary"].number, 800),
        "out of range": lambda: target.program(armed, {"ct_secondary": 3}, save=False),
    }
    with setup_kept(target, armed, bench.journal, ["ct_primary", "ct_secondary"]):
        for what, write in attempts.items():
            try:
                write()
                answer = "taken"
            except Refused:
                answer = "refused"
            measure(f"write {what}", answer, device=target.name).is_("refused")
            target.wait_until_it_answers(TWO_MINUTES)
        measure("ratios", str(target.ratios()), device=target.name).is_(str(before))


@destructive("changes the current transformer ratio, and changes it back")
@needs("program-setup")
@catches("P16")
def test_a_ratio_scales_what_is_measured(target: Series, bench: Bench, measure: Measure) -> None:
    """Twice the CT ratio shows twice the power, from the same secondary current."""
    armed, before = bench.arm(target), target.ratios()
    power = target.power_ceiling()["real"]
    with setup_kept(target, armed, bench.journal, ["ct_primary"]):
        bench.journal.audit("program", device=target.name, ct_primary=before.ct_primary * 2, before=str(before))
        target.program(armed, {"ct_primary": before.ct_primary * 2})
        twice = target.power_ceiling()["real"]
        measure("power at twice the ratio", twice, device=target.name).within(2 * power, power / 50)
        first = target.read_energies()
        bench.clock.sleep(TEN_SECONDS)
        second = target.read_energies()
        span = second.asked_at - first.asked_at
        counted = second[Quantity.APPARENT_TOTAL] - first[Quantity.APPARENT_TOTAL]
        expected = int(target.power_ceiling()["apparent"] * span / NS_PER_HOUR)
        measure("counted at twice the ratio", counted, Unit.VAH, device=target.name).within(
            expected, expected // 50 + 2
        )
    measure("ratios restored", str(target.ratios()), device=target.name).is_(str(before))


@destructive("lets energy flow out in signed mode, and changes the mode back")
@needs("program-setup")
@catches("D20")
def test_signed_totals_subtract_what_flows_out(target: Series, bench: Bench, loads: Loads, measure: Measure) -> None:
    """In signed mode the real total moves by what came in less what went out."""
    armed, mode = bench.arm(target), int(target.signed_mode())
    watts = int(Decimal(str(target.value("real_power_total"))) * 1000)
    loads.set(target.name, -ENOUGH_WATTS)  # where the load cannot be changed it ends here, and nothing is changed
    bench.journal.audit("program", device=target.name, accumulation_mode=1, before=mode)
    try:
        target.program(armed, {"accumulation_mode": 1})
        first = target.read_energies()
        bench.clock.sleep(TEN_SECONDS)
        second = target.read_energies()
        went = {quantity: second[quantity] - first[quantity] for quantity in Quantity}
        flow = went[Quantity.REAL_IN] - went[Quantity.REAL_OUT]
        measure("real energy out", went[Quantity.REAL_OUT], Unit.WH, device=target.name).at_least(ENOUGH_WATTS // 400)
        measure("real energy total", went[Quantity.REAL_TOTAL], Unit.WH, device=target.name).within(flow, 2)
    finally:
        target.program(armed, {"accumulation_mode": mode})
        loads.set(target.name, watts)
