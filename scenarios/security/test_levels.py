"""Levels: what each lets one do, how it is reached, and when it ends."""

from bench.bench import Bench
from bench.drivers.elster import Elster
from bench.measure import Measure
from bench.procedures.flag_talk import SECOND, Talk, kind_of, talking
from scenarios.marks import catches, destructive, needs

ERROR = "error message"
#: A password is good for 300 s; a visit is over after 120 s of silence.
PARTS_OF_FIVE_MINUTES, PART, GIVEN_UP = 7, 45 * SECOND, 125 * SECOND
WHY = "writes the scheme's own name once more"


class Writer:
    """Writes the scheme's name as it is: what only level 3 may do, and what changes nothing but the log."""

    def __init__(self, meter: Elster) -> None:
        row = meter.identity("scheme_id")
        self.number, self.name = row.number, meter.image("scheme_id")

    def tries(self, talk: Talk) -> str:
        """What a write is answered with."""
        return kind_of(talk.write(self.number, self.name))


@destructive(WHY)
@needs("read-out", "program-scheme")
@catches("E31", "E75")
def test_a_reply_of_zeros_only_reads(meter: Elster, bench: Bench, measure: Measure) -> None:
    """Sixteen zeros are level 0: the serial number is read, and no write is taken."""
    armed, writer, row = bench.arm(meter), Writer(meter), meter.identity("serial_number")
    bench.journal.audit("write scheme name at level 0", device=meter.name)
    with talking(meter, armed) as talk:
        talk.enter()
        measure("reply of zeros", kind_of(talk.answer_with(None)), device=meter.name).is_("ACK")
        measure("reading at level 0", kind_of(talk.read(row.number, row.size)), device=meter.name).is_("data")
        measure("writing at level 0", writer.tries(talk), device=meter.name).is_(ERROR)


@destructive(WHY)
@needs("read-out", "program-scheme")
@catches("E32", "E144")
def test_without_a_reply_nothing_is_read_or_written(meter: Elster, bench: Bench, measure: Measure) -> None:
    """Who has not answered the challenge gets nothing."""
    armed, writer, row = bench.arm(meter), Writer(meter), meter.identity("serial_number")
    bench.journal.audit("write scheme name without a reply", device=meter.name)
    with talking(meter, armed) as talk:
        talk.enter()
        measure("reading without a reply", kind_of(talk.read(row.number, row.size)), device=meter.name).is_(ERROR)
        measure("writing without a reply", writer.tries(talk), device=meter.name).is_(ERROR)


@destructive(WHY)
@needs("read-out", "program-scheme")
@catches("E31", "E76")
def test_a_second_reply_raises_the_level_and_a_wrong_one_takes_it(
    meter: Elster, bench: Bench, measure: Measure
) -> None:
    """In one visit: zeros, then the password to the same challenge, then a wrong one."""
    armed, writer, password = bench.arm(meter), Writer(meter), meter.session.given_password()
    bench.journal.audit("write scheme name", device=meter.name)
    with talking(meter, armed) as talk:
        talk.enter()
        talk.answer_with(None)
        measure("writing with a reply of zeros", writer.tries(talk), device=meter.name).is_(ERROR)
        measure("second reply", kind_of(talk.answer_with(password)), device=meter.name).is_("ACK")
        measure("writing with the password", writer.tries(talk), device=meter.name).is_("ACK")
        talk.answer_with(password[::-1] if password[::-1] != password else b"Z" * len(password))
        measure("writing after a wrong password", writer.tries(talk), device=meter.name).is_(ERROR)


@destructive(WHY)
@needs("read-out", "program-scheme")
@catches("E77")
def test_a_password_is_good_for_five_minutes(meter: Elster, bench: Bench, measure: Measure) -> None:
    """After more than five minutes in one visit a write is refused until the password is given once more."""
    armed, writer, password = bench.arm(meter), Writer(meter), meter.session.given_password()
    row = meter.identity("serial_number")
    bench.journal.audit("write scheme name", device=meter.name)
    with talking(meter, armed) as talk:
        talk.enter()
        talk.answer_with(password)
        measure("writing at once", writer.tries(talk), device=meter.name).is_("ACK")
        for _ in range(PARTS_OF_FIVE_MINUTES):
            talk.rest(PART)
            talk.read(row.number, 1)
        measure("writing after five minutes", writer.tries(talk), device=meter.name).is_(ERROR)
        measure("the password again", kind_of(talk.answer_with(password)), device=meter.name).is_("ACK")
        measure("writing after that", writer.tries(talk), device=meter.name).is_("ACK")


@destructive(WHY)
@needs("read-out", "program-scheme")
@catches("E32")
def test_a_level_ends_with_its_visit(meter: Elster, bench: Bench, measure: Measure) -> None:
    """After a break, and after a visit that nobody has ended, the next one begins with nothing."""
    armed, writer, password = bench.arm(meter), Writer(meter), meter.session.given_password()
    bench.journal.audit("write scheme name", device=meter.name)
    with talking(meter, armed) as talk:
        for how in ("a break", "two minutes of silence"):
            talk.enter()
            talk.answer_with(password)
            measure(f"writing before {how}", writer.tries(talk), device=meter.name).is_("ACK")
            if how == "a break":
                talk.break_off()
            else:
                talk.rest(GIVEN_UP)
            talk.enter()
            measure(f"writing after {how}", writer.tries(talk), device=meter.name).is_(ERROR)
            talk.break_off()
