"""The mode C readout: values in their width, with their unit, and equal to the registers."""

import re
from decimal import Decimal

from bench.drivers.elster import Elster
from bench.measure import Measure, Unit
from protocols.elster.tables import Source, obis
from scenarios.marks import catches, needs

#: A value with its unit, as a reader of any make takes it apart (IEC 62056-21 6.6).
VALUE = re.compile(r"(?P<digits>[0-9]+)(?:\.(?P<decimals>[0-9]+))?(?:\*(?P<unit>[A-Za-z]+))?")
SET = re.compile(r"(?P<code>[^()/!\s]{1,16})\((?P<value>[^()/!]*)\)")
SHOWN = (Source.IMPORT, Source.EXPORT, Source.Q1, Source.Q4)


@needs("read-out")
@catches("E47", "E96", "E97")
def test_a_readout_has_its_form(meter: Elster, measure: Measure) -> None:
    """Every energy has as many digits as it is to have, a point, and its unit; and it is that of the register."""
    before = meter.read_energies()
    text = meter.session.readout().decode("ascii", "replace")
    after = meter.read_energies()
    found = {match["code"]: match["value"] for match in SET.finditer(text)}
    if not text.strip("!\r\n"):
        measure.not_applicable("readout", "this meter has an empty one", device=meter.name)
        return
    rows = {row.name: row for row in obis().values()}
    for source in SHOWN:
        row = rows[source.value]
        match = VALUE.fullmatch(found.get(row.code, ""))
        digits, decimals = map(int, row.format.split("."))
        form = f"{digits}.{decimals} {row.unit}"
        shown = (
            f"{len(match['digits'])}.{len(match['decimals'] or '')} {match['unit'] or 'without a unit'}"
            if match
            else f"no number: {found.get(row.code)}"
        )
        measure(f"form of {source.title}", shown, device=meter.name).is_(form)
        if match:
            kilo = Decimal(f"{match['digits']}.{match['decimals'] or '0'}") * 1000
            over = Decimal(10 ** (digits + 3))
            low, high = (reading[source] % over // 1 for reading in (before, after))
            measure(f"{source.title} in the readout", kilo, Unit(source.unit), device=meter.name).between(
                *((low, high) if low <= high else (Decimal(0), over))
            )
