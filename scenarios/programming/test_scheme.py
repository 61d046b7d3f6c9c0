"""Schemes: programmed and read back, kept over a cut, refused where they do not belong, and nothing else is touched."""

from datetime import timedelta
from decimal import Decimal

from bench.bench import Bench
from bench.clock import Clock
from bench.control import Loads, Supplies
from bench.drivers.elster import Elster
from bench.errors import UsageError
from bench.measure import Measure, Unit
from bench.procedures.keeping import object_kept
from bench.procedures.meter_time import let_time_pass, sleep_to_end_of
from bench.procedures.scheme_trial import USER, SchemeTrial
from bench.safety import Armed
from bench.scheme.difference import differences
from bench.scheme.elster import ElsterScheme
from bench.scheme.model import UNFINISHED
from bench.scheme.report import judge_scheme
from bench.scheme.sections import sections_of
from protocols.elster.configuration import Section, layout
from protocols.elster.logs import COUNTS
from protocols.elster.registers import decode_energies
from scenarios.marks import catches, destructive, needs

SECOND = 1_000_000_000
TWO_MINUTES = 120 * SECOND
DAY = timedelta(days=1)
WATTS, ACCURACY = 12_000, Decimal("0.01")
#: Small: one section that every public list has, and one of its own identity.
SMALL = "transformers: {ct: {primary: 400, secondary: 5}{vt}}\ndemand: {period: 15 min}\n"
TARIFF = """\
sources: {tou: [import, import]}
tariff:
  seasons: {year: {from: 01-01, to: 12-31, week: {every_day: day}}}
  day_types: {day: {"00:00": 2, "07:00": 1, "22:00": 2}}
"""
#: Hours of a day in rates 1 and 2.
HOURS = (15, 9)
SECTIONS = {
    "transformers": "transformers: {ct: {primary: 300, secondary: 5}{vt}}\n",
    "sources": "sources: {tou: [import, export, import], demand: [import]}\n",
    "tariff": TARIFF.partition("\n")[2],
    "demand": "demand: {period: 15 min}\n",
    "profile": "profile: {channels: [export, import], period: 15 min}\n",
    "billing": "billing: {dates: [{day: 15}, {day: 28}], lock_out: 30 min}\n",
    "daylight_saving": "clock: {daylight_saving: {shift: 0}}\n",
    "display": "display: {style: english, automatic: [1.8.0, 2.8.0, 1.8.1, 1.8.2, 1.8.3, 1.6.0, 0.9.1, 0.9.2]}\n",
    "pulse_outputs": "pulse_outputs: [{source: import, constant: 250}]\n",
}
#: Of the days of a tariff the first packet makes a whole already, to who does not wait for the rest.
HOLIDAYS = TARIFF.partition("\n")[2] + "  special_days: [{date: 12-25, day_type: day}, {date: 01-01, day_type: day}]\n"
#: The write before which a programming is interrupted: behind the user, the mark of it, and one identity.
FOURTH = 4


@destructive("programs a small scheme, and brings the old one back")
@needs("program-scheme")
@catches("E143")
def test_a_scheme_is_programmed_and_read_back(meter: Elster, bench: Bench, measure: Measure) -> None:
    """Every section reads back new, the log has one entry more with user and time, the export equals the scheme."""
    trial = SchemeTrial(meter, bench)
    scheme = trial.scheme(SMALL)
    with trial.programmed(trial.plan(SMALL)) as report:
        judge_scheme(report, measure)
        held = trial.held()
        found = differences(sections_of(scheme), {name: held.sections[name] for name in sections_of(scheme)})
        told = ", ".join(f"{row.section} {row.fact}" for row in found)
        measure("export differs from the scheme in", told or "nothing", device=meter.name).is_("nothing")
        measure("scheme id of the export", held.scheme_id, device=meter.name).is_(scheme.id)


@destructive("programs section by section, and brings all of them back")
@needs("program-scheme")
@catches("E117")
def test_every_section_is_programmed_on_its_own(meter: Elster, bench: Bench, measure: Measure) -> None:
    """Each section the model has is programmed alone: nothing else is written, and it holds what was said."""
    trial = SchemeTrial(meter, bench)
    known = {name: text for name, text in SECTIONS.items() if layout(meter.device.model).of(name)}
    trial.plan("".join(known.values()))  # is refused first where the meter is a real one
    trial.keep_all()
    wanted: dict[str, Section] = {}
    try:
        for name, text in known.items():
            report = trial.program(trial.plan(text))
            wanted |= sections_of(trial.scheme(text))
            others = set(report.sections) - {name, "scheme"}
            measure(f"written beside {name}", ", ".join(sorted(others)) or "nothing", device=meter.name).is_("nothing")
            measure(f"section {name}", str(report.sections[name]), device=meter.name).one_of(("new", "unchanged"))
        for row in differences(wanted, trial.held().sections) if known else ():
            measure(f"{row.section}, {row.fact}", str(row.second), device=meter.name).is_(str(row.first))
    finally:
        trial.restore()


# -- what is kept ------------------------------------------------------------------------------------------------------


@destructive("programs a small scheme, interrupts the supply, and brings the old scheme back")
@needs("program-scheme")
@catches("E111", "E112", "E114")
def test_a_cut_soon_after_programming_keeps_the_scheme(
    meter: Elster, bench: Bench, clock: Clock, supplies: Supplies, measure: Measure
) -> None:
    """A second after a programming the scheme, its id and the programming log survive a power cut."""
    trial = SchemeTrial(meter, bench)
    plan = trial.plan(SMALL)
    with trial.programmed(plan):
        before = meter.read_programming_log()
        clock.sleep(SECOND)
        bench.journal.audit("power cycle", device=meter.name)
        supplies.cycle(meter.name)
        meter.wait_until_it_answers(TWO_MINUTES)
        for write in (*plan.writes, plan.scheme_id):
            found = meter.read_object(write.item.number, write.item.size)
            what = f"{write.item.name.replace('_', ' ')} after a power cut"
            measure(what, "new" if found == write.data else "not new", device=meter.name).is_("new")
        after = meter.read_programming_log()
        measure("programmings after a power cut", after.count, device=meter.name).is_(before.count)
        same = (after.times, after.users) == (before.times, before.users)
        measure("programmer after a power cut", "the same" if same else str(after), device=meter.name).is_("the same")


class Interrupted(ElsterScheme):
    """A tool whose meter loses its supply just before a write, and that is stopped there."""

    def __init__(self, driver: Elster, bench: Bench, at: int) -> None:
        super().__init__(driver)
        self._bench, self._left = bench, at

    def write_object(self, armed: Armed, identity: int, data: bytes) -> None:
        """Until the supply is cut, as ever."""
        self._left -= 1
        if self._left == 0:
            self._bench.supplies.cycle(self.name)
            raise UsageError("the tool was stopped here")
        super().write_object(armed, identity, data)


@destructive("interrupts the supply in the middle of a programming, and brings the old scheme back")
@needs("program-scheme")
@catches("E113")
def test_an_interrupted_programming_is_told_by_the_meter_itself(meter: Elster, bench: Bench, measure: Measure) -> None:
    """The scheme id says that it is between two schemes, the report which section is which, and it can be resumed."""
    trial = SchemeTrial(meter, bench, Interrupted(meter, bench, FOURTH))
    plan = trial.plan(SMALL)
    try:
        trial.program(plan)
        ended = "went through"
    except UsageError:
        ended = "interrupted"
    measure("programming", ended, device=meter.name).is_("interrupted")
    try:
        meter.wait_until_it_answers(TWO_MINUTES)
        row = plan.scheme_id.item
        shown = meter.read_object(row.number, row.size).decode("ascii", "replace").strip()
        measure("scheme id of an interrupted meter", shown, device=meter.name).is_(UNFINISHED)
        report, kept = trial.report, trial.kept
        assert report is not None
        told = ", ".join(f"{name} {state}" for name, state in report.sections.items())
        held: dict[str, set[bool]] = {}
        for write in plan.writes:
            new = meter.read_object(write.item.number, write.item.size) == write.data
            held.setdefault(write.item.section, set()).add(new)
        names = {frozenset({True}): "new", frozenset({False}): "old"}
        true = ", ".join(f"{name} {names.get(frozenset(new), 'mixed')}" for name, new in held.items())
        measure("told of an interrupted programming", told, device=meter.name).is_(f"{true}, scheme mixed")
        trial.driver = ElsterScheme(meter)
        resumed = trial.program(plan, resumed=kept)
        states = {str(state) for state in resumed.sections.values()}
        measure("interrupted, resumed and then", ", ".join(sorted(states)), device=meter.name).is_("new")
    finally:
        trial.restore()


@destructive("sends the first packet of an object and breaks off")
@needs("program-scheme")
@catches("E116")
def test_half_an_object_is_no_change(meter: Elster, bench: Bench, measure: Measure) -> None:
    """Of an object of several packets the first alone changes nothing and counts nothing."""
    trial = SchemeTrial(meter, bench)
    plan = trial.plan(HOLIDAYS)
    write = next(write for write in plan.writes if write.item.name == "tariff_special_days")
    armed, count = bench.arm(meter), meter.read_programming_log().count
    with object_kept(meter, armed, bench.journal, write.item.number, write.item.size) as before:
        bench.journal.audit("program", device=meter.name, identity=write.item.number, packets="the first")
        meter.log_in(armed, 3, USER)
        meter.write_object(armed, write.item.number, write.data[:64])
        meter.log_out()
        found = meter.read_object(write.item.number, write.item.size)
        what = "the old one" if found == before else "another one"
        measure("special days after half an object", what, device=meter.name).is_("the old one")
        counted = (meter.read_programming_log().count - count) % COUNTS
        measure("programmings counted of half an object", counted, device=meter.name).is_(0)


# -- what it does, and what it leaves alone ----------------------------------------------------------------------------


@destructive("programs other transformers, and brings the old scheme back")
@needs("program-scheme", "read-billing")
@catches("E118", "E119")
def test_a_scheme_leaves_what_was_counted(meter: Elster, bench: Bench, loads: Loads, measure: Measure) -> None:
    """Totals, billing sets and the marks of the load profile are what they were."""
    loads.set(meter.name, 0)
    meter.reset_demand(bench.arm(meter))
    trial = SchemeTrial(meter, bench)
    plan = trial.plan(SMALL)
    totals, sets = meter.read_energies(), meter.read_billing()
    with trial.programmed(plan):
        after, kept = meter.read_energies(), meter.read_billing()
    for source, value in totals.values.items():
        what = f"{source.title} after programming"
        measure(what, after[source], Unit(source.unit or "1"), device=meter.name).is_(value)
    same = kept == sets
    told = "the same" if same else f"{len(kept)} sets, before: {len(sets)}"
    measure("billing sets after programming", told, device=meter.name).is_("the same")


@destructive("programs a tariff for a day, and brings the old one back")
@needs("program-scheme", "read-billing")
@catches("E120")
def test_a_programmed_tariff_switches_the_registers(
    meter: Elster, bench: Bench, clock: Clock, loads: Loads, measure: Measure
) -> None:
    """Over a day each rate counts for the hours that the scheme gives it."""
    let_time_pass(clock, "what a tariff does over a day")
    loads.set(meter.name, WATTS)
    trial = SchemeTrial(meter, bench)
    with trial.programmed(trial.plan(TARIFF)):
        sleep_to_end_of(meter, clock, DAY)
        before = rates_of(meter)
        sleep_to_end_of(meter, clock, DAY)
        after = rates_of(meter)
    for rate, hours in enumerate(HOURS):
        grown, expected = after[rate] - before[rate], Decimal(hours * WATTS)
        measure(f"rate {rate + 1} counted over a day", grown, Unit.WH, device=meter.name).within(
            expected, expected * ACCURACY
        )


def rates_of(meter: Elster) -> list[Decimal]:
    """The TOU registers (508) in Wh."""
    data = meter.image("tou")
    return [Decimal(value) / 1000 for value in meter.decoded("rates", lambda: decode_energies(data))]
