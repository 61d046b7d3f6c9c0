"""The readout: data sets with OBIS codes, in the widths of `fixtures/elster/obis.csv`, over the same registers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING

from protocols.elster.instantaneous import Phase
from protocols.elster.tables import Obis, Source, obis
from simulators.metering.demand import MINUTE
from simulators.metering.maximum_demand import Maximum
from simulators.meters.elster.events import Event
from simulators.meters.elster.images import shown
from simulators.meters.elster.instantaneous import angles, measure
from simulators.meters.elster.measuring import INDEX
from simulators.meters.elster.registers import RegisterSet

if TYPE_CHECKING:
    from simulators.meters.elster.meter import Meter

Lines = Callable[["Meter", Obis, int], Iterator[str]]
_PHASES = (Phase.A, Phase.B, Phase.C)
_SETS = 100
#: Characters that mean something in a data set (6.3.4).
_TAKEN = "()/!*"


def readout(meter: Meter, now: int) -> bytes:
    """All data sets, each in a line that ends with CR LF."""
    found = (line for row in obis().values() if row.name in LINES for line in LINES[row.name](meter, row, now))
    return b"".join(meter.firmware.line_text(line).encode("ascii") + b"\r\n" for line in found)


def _line(meter: Meter, row: Obis, value: str, *, code: str = "", more: str = "") -> str:
    return f"{code or row.code}({value}{meter.firmware.unit_text(row.unit)}){more}"


def _digits(row: Obis) -> tuple[int, int]:
    digits, decimals = row.format.split(" ")[0].split(".")
    return int(digits), int(decimals)


def _number(row: Obis, value: Decimal | int) -> str:
    """A number in the width of its row: cut behind the last decimal, and over beyond the digits."""
    digits, decimals = _digits(row)
    cut = abs(Decimal(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_DOWN) % 10**digits
    sign = "-" if value < 0 else ""
    return f"{sign}{cut:0{digits + 1 + decimals if decimals else digits}.{decimals}f}"


def _stamp(meter: Meter, standard: int) -> str:
    return f"{meter.local_moment(standard):%y%m%d%H%M}"


def _energy(meter: Meter, row: Obis, picojoule: int, code: str = "") -> str:
    digits, decimals = _digits(row)
    return _line(meter, row, meter.firmware.energy_text(shown(picojoule), digits, decimals), code=code)


def _text(value: Callable[[Meter, int], str]) -> Lines:
    def lines(meter: Meter, row: Obis, now: int) -> Iterator[str]:
        yield _line(meter, row, value(meter, now))

    return lines


def _figure(value: Callable[[Meter, int], Decimal | int]) -> Lines:
    def lines(meter: Meter, row: Obis, now: int) -> Iterator[str]:
        yield _line(meter, row, _number(row, value(meter, now)))

    return lines


def _total(source: Source) -> Lines:
    def lines(meter: Meter, row: Obis, now: int) -> Iterator[str]:
        if source.value in meter.model["totals"]:
            yield _energy(meter, row, meter.registers.energies(now)[INDEX[source]])

    return lines


def _rates(source: Source) -> Lines:
    """The TOU registers of a source, numbered in their order."""

    def lines(meter: Meter, row: Obis, now: int) -> Iterator[str]:
        for rate, value in enumerate(_of_source(meter.registers.take(now), source), 1):
            yield _energy(meter, row, value, row.code.replace("{rate}", str(rate)))

    return lines


def _of_source(kept: RegisterSet, source: Source) -> list[int]:
    return [value for value, each in zip(kept.tou, kept.tou_sources, strict=True) if each is source]


def _sets(one: Callable[[Meter, Obis, RegisterSet, int, str], Iterator[str]]) -> Lines:
    """A line for each billing set, numbered by the count of resets."""

    def lines(meter: Meter, row: Obis, _now: int) -> Iterator[str]:
        count = meter.events.logs[Event.BILLING].count
        for back, kept in enumerate(meter.billing.sets):
            number = f"{(count - back) % _SETS:02d}"
            yield from one(meter, row, kept.registers, kept.at, row.code.replace("{set}", number))

    return lines


def _set_total(source: Source) -> Lines:
    return _sets(lambda meter, row, kept, _at, code: iter([_energy(meter, row, kept.totals[INDEX[source]], code)]))


def _set_rates(source: Source) -> Lines:
    def one(meter: Meter, row: Obis, kept: RegisterSet, _at: int, code: str) -> Iterator[str]:
        for rate, value in enumerate(_of_source(kept, source), 1):
            yield _energy(meter, row, value, code.replace("{rate}", str(rate)))

    return _sets(one)


def _set_time(meter: Meter, row: Obis, _kept: RegisterSet, at: int, code: str) -> Iterator[str]:
    yield _line(meter, row, _stamp(meter, at), code=code)


def _import_maximum(kept: RegisterSet) -> Maximum | None:
    for register, source in enumerate(kept.demand_sources):
        if source is Source.IMPORT and kept.demand.maxima[register]:
            return kept.demand.maxima[register][0]
    return None


def _maximum_line(meter: Meter, row: Obis, kept: RegisterSet, _at: int, code: str) -> Iterator[str]:
    found = _import_maximum(kept)
    value, moment = (0, "0" * 10) if found is None else (found.value, _stamp(meter, found.at))
    yield _line(meter, row, _number(row, Decimal(value).scaleb(-6)), code=code, more=f"({moment})")


def _cumulative(meter: Meter, _now: int) -> Decimal:
    pairs = zip(meter.registers.demand_sources, meter.registers.demand.cumulative, strict=True)
    return Decimal(next((value for source, value in pairs if source is Source.IMPORT), 0)).scaleb(-6)


def _programming_time(meter: Meter, _now: int) -> str:
    return _stamp(meter, meter.programmings.latest[0].at) if meter.programmings.latest else "0" * 10


def _clock(form: str) -> Lines:
    return _text(lambda meter, now: format(meter.clock.read(now), form))


def _plain(data: bytes) -> str:
    return "".join(
        letter for letter in data.decode("ascii", "replace") if letter.isprintable() and letter not in _TAKEN
    )


def _ratio(name: str) -> Lines:
    def lines(meter: Meter, row: Obis, _now: int) -> Iterator[str]:
        value = getattr(meter.believed, name)
        yield _line(meter, row, _number(row, Decimal(value.numerator) / value.denominator))

    return lines


def _set_maximum() -> Lines:
    return _sets(_maximum_line)


def _present_maximum(meter: Meter, row: Obis, now: int) -> Iterator[str]:
    return _maximum_line(meter, row, meter.registers.take(now), 0, row.code)


def _demand_minutes(meter: Meter, _now: int) -> int:
    return meter.registers.demand.period.length // MINUTE


def _measured(phase: Phase, name: str) -> Lines:
    def value(meter: Meter, _now: int) -> Decimal:
        found: Decimal = getattr(measure(meter, phase), name)
        return found

    return _figure(value)


def _angles(meter: Meter, row: Obis, _now: int) -> Iterator[str]:
    for number, value in angles(meter).items():
        yield _line(meter, row, _number(row, value), code=row.code.replace("{angle}", str(number)))


def _kilo(value: Decimal) -> Decimal:
    return max(value, Decimal(0)).scaleb(-3)


#: The lines of each row. The load profile and the log book are no part of a readout, and no source says that these
#: meters keep a maximum for each rate (1.6.n): a record of 510 names a source and no rate.
LINES: dict[str, Lines] = {
    "error": _text(lambda meter, _: f"{meter.error_word:08X}"),
    "address": _text(lambda meter, _: _plain(meter.outstation)),
    "serial_number": _text(lambda meter, _: _plain(meter.serial)),
    "time": _clock("%H:%M:%S"),
    "date": _clock("%y-%m-%d"),
    "billing_counter": _figure(lambda meter, _: meter.events.logs[Event.BILLING].count),
    "billing_time": _sets(_set_time),
    "firmware": _text(lambda meter, _: _plain(meter.profile.firmware_text.encode("ascii"))),
    "demand_period": _figure(_demand_minutes),
    "programming_count": _figure(lambda meter, _: meter.programmings.count),
    "programming_time": _text(_programming_time),
    "power_fails": _figure(lambda meter, _: meter.events.logs[Event.POWER_FAILURE].count),
    "import": _total(Source.IMPORT),
    "export": _total(Source.EXPORT),
    "q1": _total(Source.Q1),
    "q2": _total(Source.Q2),
    "q3": _total(Source.Q3),
    "q4": _total(Source.Q4),
    "va_import": _total(Source.VA_IMPORT),
    "va_export": _total(Source.VA_EXPORT),
    "import_rate": _rates(Source.IMPORT),
    "export_rate": _rates(Source.EXPORT),
    "import_billing": _set_total(Source.IMPORT),
    "export_billing": _set_total(Source.EXPORT),
    "import_rate_billing": _set_rates(Source.IMPORT),
    "export_rate_billing": _set_rates(Source.EXPORT),
    "maximum_demand": _present_maximum,
    "maximum_demand_billing": _set_maximum(),
    "cumulative_demand": _figure(_cumulative),
    **{f"voltage_l{number}": _measured(phase, "voltage") for number, phase in enumerate(_PHASES, 1)},
    **{f"current_l{number}": _measured(phase, "current") for number, phase in enumerate(_PHASES, 1)},
    "power_import": _figure(lambda meter, _: _kilo(measure(meter, Phase.TOTAL).real)),
    "power_factor": _figure(lambda meter, _: measure(meter, Phase.TOTAL).power_factor),
    "frequency": _figure(lambda meter, _: measure(meter, Phase.TOTAL).frequency),
    "angle": _angles,
    "current_transformer": _ratio("current"),
    "voltage_transformer": _ratio("voltage"),
}
