"""Commands and blocks: check characters, partial blocks, and a whole visit as a strict listener sees it."""

from contextlib import suppress

from bench.bench import Bench
from bench.drivers.elster import Elster
from bench.errors import CallLost, DeviceError, Refused
from bench.measure import Measure
from bench.procedures.flag_talk import conformance, overhearing, talking
from protocols.flag.checker import Report
from protocols.flag.checker_rules import BREACH
from scenarios.marks import catches, destructive, needs

#: Identities that hold a register that moves, or nothing that a visit without a password reads.
SETTLED = ("serial_number", "scheme_id", "outstation", "demand_sources", "tou_sources", "demand_period")
NO_SUCH_IDENTITY = 999
#: An identification, a challenge and an answer: less has said nothing of a visit.
SPOKEN = 3
#: Days of January that are made special days, four bytes each: they fill more than one block.
DAYS = 24


def told(report: Report, *, host: bool) -> str:
    """The rules that one side has broken."""
    found = {f"{b.rule} ({b.clause})" for b in report.breaches if b.to_device == host and b.severity == BREACH}
    return ", ".join(sorted(found)) or "none"


@needs("read-out")
@catches("E01", "E03", "E11", "E12", "E34", "E64", "E65", "E66")
def test_a_whole_visit_conforms(meter: Elster, measure: Measure) -> None:
    """A readout, reads, a refusal and a data stream break no rule of IEC 62056-21, from either side."""
    session, row = meter.session, meter.identity("serial_number")
    with overhearing(meter) as heard:
        with suppress(DeviceError):
            session.readout()
        for identity, size in ((row.number, row.size), (NO_SUCH_IDENTITY, 1), (meter.identity("totals").number, 64)):
            with suppress(DeviceError):
                session.read(identity, size)
        with suppress(DeviceError):
            session.stream(meter.identity("billing_history").number, 2)
        session.leave()
        with suppress(DeviceError), talking(meter) as talk:
            talk.enter()
            talk.answer_with(None)
    report = conformance(meter, heard)
    said = sum(not piece.to_device for piece in heard)
    measure("pieces heard of the meter", said, device=meter.name).at_least(SPOKEN)
    measure("breaches of IEC 62056-21 by the meter", told(report, host=False), device=meter.name).is_("none")
    measure("breaches of IEC 62056-21 by the bench", told(report, host=True), device=meter.name).is_("none")


@needs("read-out")
@catches("E01", "E02", "E03", "E04", "T01", "T02", "T03", "T04", "T06")
def test_every_sound_command_is_understood(meter: Elster, measure: Measure) -> None:
    """Sound commands with many check characters are answered with sound blocks of as many; none is refused with NAK."""
    lost: list[str] = []
    rows = [meter.identity(name) for name in SETTLED]
    for row in rows:
        for count in range(1, row.size + 1):
            try:
                meter.session.read(row.number, count)
            except CallLost:
                raise
            except DeviceError as error:
                lost.append(str(error))
            if len(lost) > 1:
                break
    shown = "; ".join(lost) or "none"
    measure("commands that were not understood", shown, device=meter.name).is_("none")


@destructive("programs special days, and the old ones back")
@needs("read-out", "program-scheme")
@catches("E23", "E27", "T23", "T27")
def test_partial_blocks_make_one_object(meter: Elster, bench: Bench, measure: Measure) -> None:
    """What goes in partial blocks (R3, W3) is what goes packet by packet (R1), beyond the border of a block."""
    armed, session = bench.arm(meter), meter.session
    number, size = meter.scheme_item("tariff_special_days")
    before = session.read(number, size)
    wanted = b"".join(bytes((0xFF, 1, day, 1)) for day in range(1, DAYS + 1)).ljust(size, b"\xff")
    try:
        read = session.read_in_parts(number)
    except Refused as error:
        measure.not_applicable("an object by partial blocks", f"the meter has none: {error}", device=meter.name)
        return
    measure("bytes read by partial blocks", len(read), device=meter.name).is_(size)
    measure("what is read by partial blocks", same(read, before), device=meter.name).is_("the same")
    try:
        bench.journal.audit("write special days in partial blocks", device=meter.name)
        session.write_in_parts(armed, number, wanted)
        found = same(session.read(number, size), wanted)
        measure("what was written by partial blocks", found, device=meter.name).is_("the same")
    finally:
        session.write(armed, number, before)


def same(found: bytes, wanted: bytes) -> str:
    """Whether two objects are one, and from where on they are not."""
    if found == wanted:
        return "the same"
    common = next((i for i, pair in enumerate(zip(found, wanted, strict=False)) if pair[0] != pair[1]), len(found))
    return f"other from byte {common + 1} on"
