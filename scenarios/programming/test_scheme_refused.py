"""Schemes that are refused: for another model, with impossible values, with a wrong password, at a level too low."""

from bench.bench import Bench
from bench.drivers.elster import Elster
from bench.errors import Refused, UsageError
from bench.measure import Measure
from bench.procedures.keeping import object_kept
from bench.procedures.scheme_trial import SchemeTrial
from protocols.elster.configuration import layout
from protocols.elster.logs import COUNTS
from scenarios.marks import catches, destructive, needs

TARIFF = """\
sources: {tou: [import, import]}
tariff:
  seasons: {year: {from: 01-01, to: 12-31, week: {every_day: day}}}
  day_types: {day: {"00:00": 2, "07:00": 1, "22:00": 2}}
"""
LEVEL_2 = "BENCH-02"
WRONG = b"NOT-THIS"
IMPOSSIBLE = {
    "31 February": TARIFF.replace("01-01, to: 12-31", "02-31, to: 12-31"),
    "a season that leaves days out": TARIFF.replace("to: 12-31", "to: 11-30"),
    "a day type that begins at six": TARIFF.replace("00:00", "06:00"),
    "a demand period of 7 minutes": "demand: {period: 7 min}\n",
    "a quantity that no meter counts": "sources: {tou: [heat]}\n",
}


@needs("program-scheme")
def test_a_scheme_for_another_model_is_refused_before_anything_is_sent(
    meter: Elster, bench: Bench, measure: Measure
) -> None:
    """The file says for which models it is; the line stays silent."""
    trial = SchemeTrial(meter, bench)
    other = "A1120" if meter.device.model != "A1120" else "A1140"
    with trial.counting_bytes() as count:
        try:
            trial.refuse_other(trial.scheme("demand: {period: 15 min}\n", model=other))
            said = "taken"
        except UsageError as error:
            said = "refused" if "not for an" in error.reason else error.reason
    measure(f"a scheme for an {other}", said, device=meter.name).is_("refused")
    measure("bytes sent for it", count["tx"], device=meter.name).is_(0)


@needs("program-scheme")
def test_a_scheme_with_an_impossible_value_never_reaches_the_line(
    meter: Elster, bench: Bench, measure: Measure
) -> None:
    """An impossible calendar, period or quantity is refused with its line, and nothing is sent."""
    trial = SchemeTrial(meter, bench)
    with trial.counting_bytes() as count:
        for what, sections in IMPOSSIBLE.items():
            try:
                trial.plan(sections)
                said = "taken"
            except UsageError:
                said = "refused"
            measure(what, said, device=meter.name).is_("refused")
    measure("bytes sent for them", count["tx"], device=meter.name).is_(0)


@destructive("tries to program with a wrong password")
@needs("program-scheme")
@catches("E121")
def test_a_scheme_is_not_programmed_with_a_wrong_password(meter: Elster, bench: Bench, measure: Measure) -> None:
    """The meter refuses the log-in, and holds what it held."""
    trial = SchemeTrial(meter, bench)
    plan = trial.plan("demand: {period: 15 min}\n")
    before, count = trial.held(), meter.read_programming_log().count
    right = meter.session.password
    try:
        meter.session.password = lambda: WRONG
        try:
            trial.program(plan)
            said = "programmed"
        except Refused:
            said = "refused"
        finally:
            meter.session.password = right
        measure("programming with a wrong password", said, device=meter.name).is_("refused")
        counted = (meter.read_programming_log().count - count) % COUNTS
        measure("programmings with a wrong password", counted, device=meter.name).is_(0)
        same = trial.held() == before
        measure("scheme after a wrong password", "as before" if same else "another", device=meter.name).is_("as before")
    finally:
        trial.restore()


@destructive("programs the password of level 2 for good, and tries to program at that level")
@needs("program-scheme")
@catches("E122")
def test_a_level_too_low_programs_nothing(meter: Elster, bench: Bench, measure: Measure) -> None:
    """Level 2 reads the scheme and does not write it."""
    trial = SchemeTrial(meter, bench)
    with trial.programmed(trial.plan("passwords: {2: {env: L2}}\n", passwords={"L2": LEVEL_2})):
        row = layout(meter.device.model).items["demand_period"]
        armed = bench.arm(meter)
        with object_kept(meter, armed, bench.journal, row.number, row.size) as held:
            bench.journal.audit("program", device=meter.name, identity=row.number, level=2)
            meter.session.log_in(LEVEL_2.encode("ascii"))
            try:
                meter.write_object(armed, row.number, trial.plan("demand: {period: 10 min}\n").writes[0].data)
                said = "taken"
            except Refused:
                said = "refused"
            meter.log_out()
            measure("writing at level 2", said, device=meter.name).is_("refused")
            same = meter.read_object(row.number, row.size) == held
            measure("section after level 2", "as before" if same else "another", device=meter.name).is_("as before")


@destructive("programs the password of level 2 for good")
@needs("program-scheme")
@catches("E115")
def test_a_password_that_is_programmed_opens_the_meter(meter: Elster, bench: Bench, measure: Measure) -> None:
    """It opens the meter, and one that differs in its last characters does not."""
    trial = SchemeTrial(meter, bench)
    with trial.programmed(trial.plan("passwords: {2: {env: L2}}\n", passwords={"L2": LEVEL_2})) as report:
        told = str(report.sections["passwords"])
        measure("password, as told", told, device=meter.name).is_("new")
        opens = trial.driver.takes_password(LEVEL_2.encode("ascii"))
        measure("the programmed password opens", opens, device=meter.name).is_(expected=True)
        opens = trial.driver.takes_password(LEVEL_2[:4].encode("ascii") + WRONG[4:])
        measure("it opens with another character at its end too", opens, device=meter.name).is_(expected=False)
