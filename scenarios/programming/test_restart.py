"""What takes a meter away for a while: the master reset."""

from bench.bench import Bench
from bench.clock import Clock
from bench.drivers.powerlogic import Series
from bench.errors import DeviceError
from bench.measure import Measure
from bench.procedures.keeping import setup_kept
from bench.procedures.preset import preset_energies
from bench.procedures.reading import growth_of
from protocols.powerlogic.energy import Quantity
from protocols.powerlogic.tables import command_code
from scenarios.marks import catches, destructive, needs

SECOND = 1_000_000_000
#: A master reset takes at least 20 s (FAQ FA221475).
RESET_TIME, RETURN = 20 * SECOND, 120 * SECOND
KEEP_COMMUNICATIONS = 1023
START = {quantity: 3_000_000 * (index + 1) for index, quantity in enumerate(Quantity)}
SETTINGS = ("ct_primary", "ct_secondary", "pt_primary", "pt_primary_scale", "pt_secondary", "accumulation_mode",
            "power_demand_interval")  # fmt: skip


@destructive("resets the meter to what it was when it left the factory, and programs its set-up again")
@needs("program-setup")
@catches("D42")
def test_a_master_reset_takes_its_time(target: Series, bench: Bench, clock: Clock, measure: Measure) -> None:
    """The energies are gone, and for twenty seconds nobody answers."""
    armed = bench.arm(target)
    preset_energies(target, START, armed=armed, journal=bench.journal)
    with setup_kept(target, armed, bench.journal, SETTINGS) as setup:
        bench.journal.audit("master reset", device=target.name, codes=[9020, 1120, 1130], before=setup)
        target.command(armed, "enter_setup")
        target.session.write(armed, 8001, KEEP_COMMUNICATIONS)
        target.issue(armed, command_code(target.model.family, "master_reset"))
        since = clock.now()
        clock.sleep(RESET_TIME - 5 * SECOND)
        answered = "silent"
        try:
            target.read_energies()
            answered = "answered"
        except DeviceError:
            pass
        measure("during a master reset", answered, device=target.name).is_("silent")
        target.wait_until_it_answers(RETURN)
        found, growth = target.read_energies(), growth_of(target)
        most = growth.within(Quantity.APPARENT_TOTAL, clock.now() - since)
        kept = [quantity.title for quantity in Quantity if abs(found[quantity]) > most]
        measure("kept over a master reset", ", ".join(kept) or "nothing", device=target.name).is_("nothing")
        target.command(armed, "factory_defaults")
        target.program(armed, setup)
        shown = {name: int(str(target.value(name))) for name in SETTINGS}
        measure("set-up programmed again", shown == setup, device=target.name).is_(expected=True)
