"""Questions to the preset: what becomes of the part of a Wh, of mixed signs, of the last digit, of a locked meter."""

from __future__ import annotations

from decimal import Decimal

from bench.bench import Bench
from bench.characterisation.finding import Finding, Unknown
from bench.characterisation.timing import command_time
from bench.drivers.powerlogic import Series
from bench.errors import Undeterminable
from bench.procedures.preset import preset_energies, preset_words
from bench.safety import Armed
from protocols.powerlogic.energy import LIMIT, WORDS, Quantity, decode
from protocols.powerlogic.tables import command_code
from protocols.powerlogic.words import signed

_SECOND = 1_000_000_000
_NS_PER_HOUR = 3_600_000_000_000
#: Presets that are tried for a part of a Wh; a meter that keeps it hides it in one of them with 1 : 3 at the most.
_PRESETS = 10
#: Of the time in which the load counts one Wh, how much may pass between the command and the look.
_LOOK_AT = Decimal("0.8")
#: How long an energy beside its limit is watched.
_PATIENCE = 120 * _SECOND
_NEAR = 3


def fraction(meter: Series, bench: Bench, armed: Armed) -> Finding | Unknown:
    """Whether a preset clears what was counted of the next Wh: then that Wh never comes early."""
    period = max(_SECOND, 4 * command_time(meter, armed, "clear_counters", most=0).high)
    watts = int(_NS_PER_HOUR // period)
    before = _real_power(meter)
    try:
        bench.loads.set(meter.name, watts)
    except Undeterminable as error:
        return Unknown(f"{error.lacks} that can be made as small as {watts} W")
    try:
        early = _early_ones(meter, bench, armed, period)
    finally:
        bench.loads.set(meter.name, before)
    how = (
        f"{_PRESETS} presets at {watts} W, read {int(_LOOK_AT * 100)} % of a Wh later: {early} showed the next Wh early"
    )
    return Finding("keep" if early else "clear", how)


def _early_ones(meter: Series, bench: Bench, armed: Armed, period: int) -> int:
    early = 0
    for attempt in range(1, _PRESETS + 1):
        energies = dict.fromkeys(Quantity, 1_000_000 * attempt)
        found = preset_energies(meter, energies, armed=armed, journal=bench.journal)
        bench.clock.sleep(found.commanded_at + int(_LOOK_AT * period) - bench.clock.now())
        early += meter.read_energies()[Quantity.REAL_TOTAL] != energies[Quantity.REAL_TOTAL]
        bench.clock.sleep(period * (3 + attempt) // 10)  # the next one begins in another part of its Wh
    return early


def _real_power(meter: Series) -> int:
    return int(Decimal(str(meter.value("real_power_total"))) * 1000)


def normalises_signs(meter: Series, bench: Bench, armed: Armed) -> Finding | Unknown:
    """Whether words of mixed signs are shown with one sign at once; asked of the energies that stand still."""
    mixed, canonical = [-1, 1, 0, 0], [9_999, 0, 0, 0]
    preset_words(meter, mixed * len(Quantity), armed=armed, journal=bench.journal)
    words = [signed(word) for word in meter.session.read(meter.energy_register, WORDS * len(Quantity))]
    bench.clock.sleep(5 * _SECOND)
    later = [signed(word) for word in meter.session.read(meter.energy_register, WORDS * len(Quantity))]
    still = [words[i : i + WORDS] for i in range(0, len(words), WORDS) if words[i : i + WORDS] == later[i : i + WORDS]]
    how = f"-1, 1, 0, 0 loaded into each energy; those that stand still show {still}"
    if still and all(four == canonical for four in still):
        return Finding(value=True, how=how)
    if still and all(four == mixed for four in still):
        return Finding(value=False, how=how)
    return Unknown(f"an energy that stands still: {how}" if not still else f"a profile value for this: {how}")


def rollover(meter: Series, bench: Bench, armed: Armed) -> Finding | Unknown:
    """What follows 9999 9999 9999 9999: the energies are put beside it and the load does the rest."""
    near = LIMIT - _NEAR
    preset_energies(meter, dict.fromkeys(Quantity, near), armed=armed, journal=bench.journal)
    deadline = bench.clock.now() + _PATIENCE
    seen: list[int] = []
    while bench.clock.now() < deadline:
        words = [signed(word) for word in meter.session.read(meter.energy_register, WORDS * len(Quantity))]
        shown = [decode(words[i : i + WORDS]) for i in range(0, len(words), WORDS)]
        moved = [value for value in shown if value != near]
        seen = moved or seen
        if any(value < near for value in moved):
            how = f"preset to {near}; under load an energy then showed {min(moved)}"
            return Finding("wrap", how) if 0 <= min(moved) < near // 2 else _strange(how)
        if any(value > LIMIT for value in moved):
            return _strange(f"preset to {near}; under load an energy then showed {max(moved)}")
        if moved and max(moved) == LIMIT and _stays(meter, bench):
            return Finding("saturate", f"preset to {near}; under load an energy reached {LIMIT} and stayed")
        bench.clock.sleep(_SECOND // 2)
    return Unknown(f"a load: in {_PATIENCE // _SECOND} s no energy came past its limit (last seen {seen or near})")


def _stays(meter: Series, bench: Bench) -> bool:
    """Whether an energy at its limit stays there although the same energy has been counting."""
    bench.clock.sleep(10 * _SECOND)
    words = [signed(word) for word in meter.session.read(meter.energy_register, WORDS * len(Quantity))]
    shown = [decode(words[i : i + WORDS]) for i in range(0, len(words), WORDS)]
    return LIMIT in shown and not any(value < LIMIT - _NEAR for value in shown)


def _strange(how: str) -> Unknown:
    return Unknown(f"a profile value for this: {how}")


def revenue_lock(meter: Series, bench: Bench, armed: Armed) -> Finding | Unknown:
    """Whether 1411 keeps a preset away; 1410 is sent afterwards whatever happened."""
    family = meter.model.family
    bench.journal.audit("revenue lock", device=meter.name, codes=[1411, 6209, 1410])
    try:
        locked = meter.try_command(armed, command_code(family, "revenue_lock"))
        if locked != 0:
            return Unknown(f"a meter that can be locked: 1411 was answered with {locked}")
        result = preset_energies(meter, dict.fromkeys(Quantity, 7), armed=armed, journal=bench.journal).result
    finally:
        unlocked = meter.try_command(armed, command_code(family, "revenue_unlock"))
    how = f"6209 after 1411: result {result}; 1410: result {unlocked}"
    return Finding(result != 0, how)
