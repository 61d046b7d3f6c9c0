"""A cut of the supply while a set-up is being saved: the old one or the new one, and no half of either."""

from bench.bench import Bench
from bench.clock import Clock
from bench.control import Supplies
from bench.drivers.powerlogic import Series
from bench.measure import Measure
from bench.procedures.keeping import setup_kept
from protocols.powerlogic.tables import command_code
from scenarios.marks import catches, destructive, needs

SECOND = 1_000_000_000
RETURN = 120 * SECOND
SAVE, PARAMETER = 1, 8001
#: How long after the command to save the supply is cut.
SOON = SECOND // 2
NAMES = ("neutral_ct_primary", "power_demand_interval")


def setup(meter: Series) -> dict[str, int]:
    """One value of the set-up proper and one of the demand."""
    return {name: int(str(value)) for name, value in meter.values(NAMES).items()}


@destructive("changes a ratio and the demand interval, interrupts the supply meanwhile, and changes them back")
@needs("program-setup")
@catches("P36")
def test_a_cut_soon_after_programming_leaves_one_setup(
    target: Series, bench: Bench, clock: Clock, supplies: Supplies, measure: Measure
) -> None:
    """Both values are the old ones or both are the new ones."""
    armed, before = bench.arm(target), setup(target)
    wanted = {"neutral_ct_primary": before["neutral_ct_primary"] + 100,
              "power_demand_interval": 20 if before["power_demand_interval"] != 20 else 30}  # fmt: skip
    with setup_kept(target, armed, bench.journal, NAMES):
        bench.journal.audit("program", device=target.name, before=before, value=wanted)
        target.command(armed, "enter_setup")
        for name, value in wanted.items():
            target.session.write(armed, target.map[name].number, value)
        target.session.write(armed, PARAMETER, SAVE)
        target.issue(armed, command_code(target.model.family, "leave_setup"))
        clock.sleep(SOON)
        bench.journal.audit("power cycle", device=target.name)
        supplies.cycle(target.name)
        target.wait_until_it_answers(RETURN)
        found = setup(target)
        whole = "old" if found == before else "new" if found == wanted else str(found)
        measure("set-up after a power cut", whole, device=target.name).one_of(("old", "new"))
