"""What is shown must agree with itself: parts and totals, powers and their product, blocks and single registers."""

from decimal import Decimal

from bench.drivers.driver import Driver
from bench.drivers.powerlogic import PowerLogic, Series
from bench.drivers.powerlogic.values import PowerFactor
from bench.errors import Refused
from bench.measure import Measure, Unit
from bench.procedures.reading import growth_of, read_twice
from protocols.modbus.pdu import MAX_READ_REGISTERS
from protocols.powerlogic.energy import WORDS, Quantity, decode
from protocols.powerlogic.words import signed
from scenarios.marks import catches, needs

PHASES = ("a", "b", "c")
#: The user area of the command interface: 130 registers that are all defined.
COMMAND_AREA = 8020
PERCENT = Decimal("0.01")


def number(value: object) -> Decimal:
    """A reading as a number; nothing becomes NaN, which fails every check."""
    return Decimal(value) if isinstance(value, Decimal | int) else Decimal("NaN")


@needs("read-energy")
def test_energies_are_read_whole(meter: Driver, measure: Measure) -> None:
    """Two readings of all energies follow one another within what the load can add."""
    growth = growth_of(meter)
    first = read_twice(meter, growth)
    second = meter.read_energies()
    span = second.answered_at - first.asked_at
    for quantity, value in first.values.items():
        low = value - growth.down(quantity, span)
        measure(quantity.title, second[quantity], device=meter.name).between(low, value + growth.within(quantity, span))


@needs("read-energy", "read-registers")
def test_single_registers_show_what_the_block_shows(meter: PowerLogic, measure: Measure) -> None:
    """Each energy read alone lies between two readings of the whole block."""
    before = meter.read_energies()
    alone = {q: decode([signed(w) for w in meter.session.read(meter.map[q.value].number, WORDS)]) for q in Quantity}
    after = meter.read_energies()
    for quantity, value in alone.items():
        low, high = sorted((before[quantity], after[quantity]))
        measure(f"{quantity.title} alone", value, device=meter.name).between(low, high)


@needs("read-energy", "read-registers")
def test_apparent_energy_is_not_less_than_real(meter: PowerLogic, measure: Measure) -> None:
    """Counted over the same time, apparent energy is at least the magnitude of real energy."""
    reading = meter.read_energies()
    real = abs(reading[Quantity.REAL_TOTAL])
    measure("apparent total", reading[Quantity.APPARENT_TOTAL], Unit.VAH, device=meter.name).at_least(real - 1)


@needs("read-realtime")
def test_powers_add_up(meter: PowerLogic, measure: Measure) -> None:
    """The phases add up to the total, to the last digit that three roundings leave."""
    for kind, unit in (("real", Unit.KW), ("reactive", Unit.KVAR)):
        names = [f"{kind}_power_{phase}" for phase in (*PHASES, "total")]
        found = meter.values(names)
        total = number(found[names[-1]])
        digit = Decimal(1).scaleb(Decimal(str(total.as_tuple().exponent)).to_integral_value().__int__())
        parts = sum((number(found[name]) for name in names[:-1]), Decimal(0))
        measure(f"sum of {kind} powers", parts, unit, device=meter.name).within(total, 2 * digit)


@needs("read-realtime")
@catches("P25")
def test_apparent_power_is_the_hypotenuse(meter: PowerLogic, measure: Measure) -> None:
    """S squared is P squared plus Q squared, within one percent and the last digit."""
    found = meter.values(["real_power_total", "reactive_power_total", "apparent_power_total"])
    real, reactive, apparent = (number(value) for value in found.values())
    expected = (real * real + reactive * reactive).sqrt()
    digit = Decimal(1).scaleb(int(apparent.as_tuple().exponent))
    measure("apparent power", apparent, Unit.KVA, device=meter.name).within(
        round(expected, 4), round(expected * PERCENT, 4) + 2 * digit
    )


@needs("read-realtime")
@catches("D38")
def test_power_factor_is_real_over_apparent(meter: PowerLogic, measure: Measure) -> None:
    """The sign-magnitude register shows P over S, and lags when real and reactive power have the same sign."""
    found = meter.values(["real_power_total", "reactive_power_total", "apparent_power_total", "power_factor_total"])
    real, reactive, apparent = (number(found[f"{kind}_power_total"]) for kind in ("real", "reactive", "apparent"))
    factor = found["power_factor_total"]
    if not isinstance(factor, PowerFactor) or not apparent:
        measure.not_applicable("power factor", "without a load there is none", device=meter.name)
        return
    expected = round(abs(real) / apparent, 3)
    measure("power factor", factor.magnitude, Unit.ONE, device=meter.name).within(expected, Decimal("0.01"))
    if reactive:
        measure("lagging", factor.lagging, device=meter.name).is_(real * reactive > 0)


@needs("read-realtime")
def test_voltages_make_a_three_phase_system(meter: PowerLogic, measure: Measure) -> None:
    """Phase-to-phase over phase-to-neutral is the square root of three, within one percent."""
    found = meter.values(["voltage_ll_average", "voltage_ln_average"])
    ll, ln = (number(value) for value in found.values())
    if not ln:
        measure.not_applicable("ratio of voltages", "there is no supply", device=meter.name)
        return
    measure("ratio of voltages", round(ll / ln, 3), Unit.ONE, device=meter.name).between(
        Decimal("1.715"), Decimal("1.750")
    )


@needs("read-realtime")
@catches("P23")
def test_frequency_is_the_nominal_one(meter: PowerLogic, measure: Measure) -> None:
    """The frequency lies within two percent of the one in the set-up."""
    nominal = meter.nominal_frequency()
    found = number(meter.value("frequency"))
    measure("frequency", found, Unit.HZ, device=meter.name).within(Decimal(nominal), Decimal(nominal) * PERCENT * 2)


@needs("read-realtime")
@catches("P13")
def test_both_register_functions_show_one_space(meter: PowerLogic, measure: Measure) -> None:
    """Functions 3 and 4 read the same set-up registers."""
    row = meter.map["ct_primary"]
    holding = meter.session.read(row.number, 2, function=3)
    measure("words by function 4", str(meter.session.read(row.number, 2, function=4)), device=meter.name).is_(
        str(holding)
    )


@needs("read-realtime")
def test_an_undefined_register_is_refused(meter: PowerLogic, measure: Measure) -> None:
    """A register far from every map is answered with exception 02, not with a number."""
    try:
        answer = str(meter.session.read(40_000))
    except Refused as error:
        answer = f"exception {error.code}"
    measure("answer for register 40000", answer, device=meter.name).is_("exception 2")


@needs("read-extremes")
def test_extremes_enclose_the_present(meter: PowerLogic, measure: Measure) -> None:
    """Minimum and maximum lie on their sides of the present value."""
    for name, unit in (("voltage_ln_average", Unit.V), ("frequency", Unit.HZ)):
        found = meter.values([f"min_{name}", name, f"max_{name}"])
        low, high = number(found[f"min_{name}"]), number(found[f"max_{name}"])
        measure(name.replace("_", " "), number(found[name]), unit, device=meter.name).between(low, high)


@catches("P12")
def test_a_full_request_is_answered(target: Series, measure: Measure) -> None:
    """125 registers, the most that Modbus allows, come in one request from a block that has them all."""
    try:
        answer = f"{len(target.session.read(COMMAND_AREA, MAX_READ_REGISTERS))} words"
    except Refused as error:
        answer = f"exception {error.code}"
    measure("answer to a full request", answer, device=target.name).is_(f"{MAX_READ_REGISTERS} words")
