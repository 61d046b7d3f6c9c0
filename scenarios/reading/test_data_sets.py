"""The readout as data sets: each sound by the standard, and each register shown in its width, with its unit."""

from decimal import Decimal

from bench.drivers.elster import Elster
from bench.errors import ForeignAnswer
from bench.measure import Measure, Unit
from protocols.elster.tables import Obis, Source, obis
from protocols.flag.readout import DataSet
from scenarios.marks import catches, needs

_ADDRESS = "0.0.0"


def form(shown: DataSet) -> str:
    """Digits before and behind the point, and the unit, as "7.3 kWh"."""
    whole, _, decimals = shown.value.partition(".")
    if not (whole + decimals).isdecimal():
        return f"no number: {shown.value}"
    return f"{len(whole)}.{len(decimals)} {shown.unit or 'without a unit'}"


@needs("read-out")
@catches("E47")
def test_every_data_set_is_sound(meter: Elster, measure: Measure) -> None:
    """Brackets, lengths, characters, decimal points and line ends are those of IEC 62056-21 6.3.4."""
    try:
        count, found = len(meter.read_out().sets), "sound"
    except ForeignAnswer as error:
        count, found = 1, error.reason
    if not count:
        measure.not_applicable("data sets", "this meter has an empty readout", device=meter.name)
        return
    measure("data sets", found, device=meter.name).is_("sound")


@needs("read-out")
@catches("E96", "E97")
def test_the_readout_shows_the_registers(meter: Elster, measure: Measure) -> None:
    """Every total stands between two readings of its register, cut to its decimals and over beyond its digits."""
    before = meter.read_energies()
    readout = meter.read_out()
    after = meter.read_energies()
    rows = [row for source, row in shown_sources().items() if source in before.values and row.code in readout]
    if not rows:
        measure.not_applicable("totals", "this meter shows none in its readout", device=meter.name)
        return
    for row in rows:
        shown, source = readout[row.code], Source(row.name)
        expected = f"{row.format} {row.unit}"
        measure(f"form of {row.title}", form(shown), device=meter.name).is_(expected)
        if form(shown) != expected:
            continue
        digits, decimals = map(int, row.format.split("."))
        step, over = Decimal(10) ** (3 - decimals), Decimal(10) ** (digits + 3)
        low, high = (reading[source] % over // step * step for reading in (before, after))
        if low > high:  # rolled over between the readings
            low, high = Decimal(0), over
        measure(f"{row.title} shown", Decimal(shown.value).scaleb(3), Unit(source.unit), device=meter.name).between(
            low, high
        )


@needs("read-out", "identify")
@catches("E145")
def test_the_readout_says_whose_it_is(meter: Elster, measure: Measure) -> None:
    """Serial number and address are those that identify the meter."""
    identification, _ = meter.identify()
    readout = meter.read_out()
    if obis()["serial_number"].code not in readout:
        measure.not_applicable("serial number", "this meter does not show it in its readout", device=meter.name)
        return
    shown = readout[obis()["serial_number"].code].value
    measure("serial number shown", shown, device=meter.name).is_(identification.serial)
    if meter.device.outstation and _ADDRESS in readout:
        address = readout[_ADDRESS].value
        measure("address shown", address.lstrip("0"), device=meter.name).is_(meter.device.outstation.lstrip("0"))


def shown_sources() -> dict[Source, Obis]:
    """What counts and has a data set of its own."""
    names = {source.value: source for source in Source}
    return {names[row.name]: row for row in obis().values() if row.name in names}
