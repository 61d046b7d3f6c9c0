"""A simulated meter put where a real one was, as far as its trace tells; and what that leaves open.

What a register showed when it was first read is taken for what was there all along: set-up, energies, clock, dates,
the load and the voltage. Energies and dates that were first read behind a command that sets them are that command's
doing: the simulated meter must come to them by itself. What cannot be put in place (demand, extremes, counters: a
past that the trace does not hold) is held against its own first reading. Every cause that explains a difference has a
bound, and the bound is checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bench.replay.difference import Explain
from bench.replay.exchanges import Exchange
from bench.replay.frames import Read, answered, asked_registers, pdu_of
from protocols.conversation import ProtocolError
from protocols.modbus.identification import decode_page
from protocols.powerlogic.energy import BASE, Quantity, decode
from protocols.powerlogic.tables import Register, RegisterMap, commands, models, register_map
from protocols.powerlogic.words import NOT_AVAILABLE, decode_date, decode_power_factor, signed
from simulators.metering.energy import WH
from simulators.meters.powerlogic import Meter
from simulators.power.feeder import Load
from simulators.stage import Stage

CLOCK_SERIES = ("clock_year", "clock_month", "clock_day", "clock_hour", "clock_minute", "clock_second")
#: A clock shows whole seconds, and runs up to this many parts in a million apart from another one.
_CLOCK_PPM = 500
_HOUR = 3600 * 10**9
#: How far (of the transformers' nominal) a reading may go and still be one.
_MARGIN = 2
_MILLI = {"A": 10**3, "V": 10**3, "Hz": 10**3, "kW": 10**6, "kvar": 10**6, "kVA": 10**6}
_LEGACY = 4
_REPLACES_ENERGIES = {"preset_energies", "clear_energies", "clear_accumulated", "master_reset"}
_NEVER = 1 << 63


@dataclass(slots=True)
class Past:
    """What the trace told, and what of it the meter was given.

    Attributes:
        meter: the simulated meter.
        seen: by register number: when it was first read (ns) and the words of its row.
        given: names of the registers that the meter was given.
        mirrored: the words of `seen` for the simulated side, filled in when it has answered.
        apparent: the largest apparent power (VA) that the trace shows; 0 if it shows none.
    """

    meter: Meter
    seen: dict[int, tuple[int, list[int]]]
    given: set[str] = field(default_factory=set)
    mirrored: dict[int, list[int]] = field(default_factory=dict)
    apparent: int = 0

    def explain_of(self, simulated: Sequence[Exchange]) -> Explain:
        """The explanation of differences, now that the simulated side is known."""
        self.mirrored = {number: words for number, (_, words) in _first_words(simulated, self._map).items()}
        return self._explain

    @property
    def _map(self) -> RegisterMap:
        return register_map(self.meter.model.family)

    def _explain(self, row: Register, recorded: list[int], simulated: list[int], exchange: Exchange) -> str:
        if _shows_nothing(recorded) != _shows_nothing(simulated):
            return ""
        first, _ = self.seen.get(row.number, (0, recorded))
        elapsed = exchange.request.t - first
        moved = self._moved(row, recorded, simulated)
        if row.kind == "energy":
            bound = (_MARGIN * self.apparent or self._rating()) * elapsed // _HOUR + 1
            far = abs(moved) if len(recorded) == row.count else min(moved % BASE, -moved % BASE)
            return f"time: within {bound} {row.unit}" if far <= bound else ""
        if row.name in CLOCK_SERIES or row.name == "clock" or row.name.startswith("clock_"):
            return self._clock(exchange, recorded, simulated, row)
        if row.kind == "date":
            return "past: a date that the trace does not tell" if row.name not in self.given else ""
        if row.unit in _MILLI or row.kind == "pf":
            return "load: a possible reading" if self._possible(row, recorded) else ""
        if row.access == "r" and row.name not in self.given and not moved:
            return "past: as far apart as when it was first read"
        return ""

    def _moved(self, row: Register, recorded: list[int], simulated: list[int]) -> int:
        """How far apart the sides are; what the meter could not be given counts from where each was first seen."""
        if len(recorded) < row.count or row.name in self.given:
            return _number(recorded) - _number(simulated)
        start, mirrored = self.seen.get(row.number, (0, recorded))[1], self.mirrored.get(row.number, simulated)
        return (_number(recorded) - _number(start)) - (_number(simulated) - _number(mirrored))

    def _clock(self, exchange: Exchange, recorded: list[int], simulated: list[int], row: Register) -> str:
        """Whole moments are compared, not words: the second after 59 is 0."""
        allowed = timedelta(seconds=1.5) + timedelta(microseconds=exchange.request.t * _CLOCK_PPM // 10**9)
        shown = _moment_in(exchange, self._map)
        here = self.meter.clock.read(exchange.request.t)
        if shown is None:
            same = row.name != "clock_second" or abs(signed(recorded[0]) - signed(simulated[0])) % 59 <= 1
            return "time: within a second" if same else ""
        return f"time: within {allowed.total_seconds():.1f} s" if abs(shown - here) <= allowed else ""

    def _rating(self) -> int:
        """The most apparent power (VA) that the transformers of the set-up allow for."""
        believed, config = self.meter.believed, self.meter.config
        volts = 347 if config["pt_primary_scale"] < 0 else believed.voltage * config["pt_secondary"]
        return int(3 * volts * config["ct_primary"] * _MARGIN)

    def _possible(self, row: Register, words: list[int]) -> bool:
        if row.kind == "pf":
            try:
                decode_power_factor(words[0])
            except ProtocolError:
                return False
            return True
        if row.kind == "float" or len(words) > 1:
            return True
        value = abs(_scaled(self.meter.config, row, words[0]))
        volts = 347_000 if self.meter.config["pt_primary_scale"] < 0 else 10**9
        most = {"A": _MARGIN * self.meter.config["ct_primary"] * 10**3, "V": _MARGIN * 2 * volts, "Hz": 70_000}
        return value <= most.get(row.unit, self._rating() * 10**3)


def prime(stage: Stage, device: str, recorded: Sequence[Exchange], model: str) -> Past:
    """Give a fresh simulated meter what the trace tells of the recorded one."""
    meter = stage.meters[device]
    table = register_map(models()[model].family)
    past = Past(meter, _first_words(recorded, table))
    meter.before_change(0)
    for name in [name for name in meter.config if name in table]:
        seen = past.seen.get(table[name].number)
        if seen is not None and len(seen[1]) == 1:
            meter.config[name] = signed(seen[1][0])
            past.given.add(name)
    meter.installation = type(meter.installation)(
        (meter.config["ct_primary"], meter.config["ct_secondary"]), _transformers(meter.config)
    )
    meter.after_change(0)
    _put_load(past, table)
    _put_clock(past, table, recorded)
    until = _first_command(recorded, models()[model].family, table)
    _put_energies(past, table, until)
    _put_stamps(past, table, until)
    past.apparent = _largest_apparent(recorded, past, table)
    return past


def profile_seen(recorded: Sequence[Exchange], model: str) -> dict[str, Any]:
    """Profile values that the meter told of itself by functions 17 and 43."""
    found: dict[str, Any] = {}
    for exchange in recorded:
        pdu = pdu_of(exchange.answer, exchange.frames) or b""
        if exchange.masked_answer or len(pdu) < 2:  # noqa: PLR2004  # function and one byte
            continue
        if pdu[0] == 17:  # noqa: PLR2004  # report server id
            found |= _reported(pdu[2 : 2 + pdu[1]], models()[model].identification)
        elif pdu[0] == 43:  # noqa: PLR2004  # read device identification
            found |= _identified(pdu_of(exchange.request.data, exchange.frames) or b"", pdu)
    return found


def _reported(report: bytes, identification: str) -> dict[str, Any]:
    if len(report) == _LEGACY:
        told = {"slave_id": report[0]}
        number = int.from_bytes(report[2:], "big")
        return told | ({"product_id": number} if identification != "named" and number < NOT_AVAILABLE else {})
    name = re.fullmatch(rb"(.)\xff([ -~]{1,64}) Power Meter", report, re.DOTALL)
    return {"slave_id": name[1][0], "product_name": name[2].decode()} if name else {}


def _identified(request: bytes, pdu: bytes) -> dict[str, Any]:
    try:
        objects = decode_page(request, pdu).objects
    except ProtocolError:
        return {}
    found: dict[str, Any] = {"vendor_label": int(objects.get(0) == b"Square D")} if 0 in objects else {}
    version = re.fullmatch(rb"V(\d{1,2})\.(\d{3})", objects.get(2, b""))
    if version:
        found["os_version"] = int(version[1]) * 1000 + int(version[2])
    return found


# -- what was seen -----------------------------------------------------------------------------------------------------


def reads_of(exchanges: Sequence[Exchange]) -> Iterator[tuple[Exchange, Read]]:
    """Every answered read of which nothing was cut out."""
    for exchange in exchanges:
        asked = asked_registers(exchange)
        read = None if asked is None else answered(asked, exchange.answer, exchange.frames)
        if read is not None and not exchange.masked_answer:
            yield exchange, read


def _first_words(exchanges: Sequence[Exchange], table: RegisterMap) -> dict[int, tuple[int, list[int]]]:
    found: dict[int, tuple[int, list[int]]] = {}
    for exchange, read in reads_of(exchanges):
        for row in table:
            if row.number not in found and (words := read.of(row)) is not None:
                found[row.number] = (exchange.request.t, words)
    return found


def _moment_in(exchange: Exchange, table: RegisterMap) -> datetime | None:
    """The moment that one read shows whole, in either form."""
    for _, read in reads_of([exchange]):
        if all(name in table for name in CLOCK_SERIES):
            words = [read.of(table[name]) for name in CLOCK_SERIES]
            parts = [signed(word[0]) for word in words if word is not None]
            if len(parts) == len(CLOCK_SERIES):
                return _date(*parts)
        if "clock" in table and (compressed := read.of(table["clock"])) is not None:
            try:
                return decode_date(compressed)
            except ProtocolError:
                return None
    return None


def _date(*parts: int) -> datetime | None:
    try:
        return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001  # six fields; local time without a zone
    except ValueError:
        return None


# -- what is put in place ----------------------------------------------------------------------------------------------


def _put_clock(past: Past, table: RegisterMap, recorded: Sequence[Exchange]) -> None:
    for exchange, _ in reads_of(recorded):
        moment = _moment_in(exchange, table)
        if moment is not None:
            past.meter.set_clock(0, moment - timedelta(microseconds=exchange.request.t // 1000))
            past.given.update({"clock", *CLOCK_SERIES})
            return


def _first_command(recorded: Sequence[Exchange], family: str, table: RegisterMap) -> int:
    """The instant (ns) of the first command that replaces energies; never, if there is none."""
    doors = {"command": family, "compact_command": f"{family}@4126"}
    for exchange in recorded:
        pdu = pdu_of(exchange.request.data, exchange.frames) or b""
        if len(pdu) < 5 or pdu[0] not in (6, 16):  # noqa: PLR2004  # function, register and one word; the two writes
            continue
        register, word = int.from_bytes(pdu[1:3], "big") + 1, pdu[3:5] if pdu[0] == 6 else pdu[6:8]  # noqa: PLR2004  # as above
        for name, door in doors.items():
            if (
                name in table
                and table[name].number == register
                and commands(door).get(int.from_bytes(word, "big")) in _REPLACES_ENERGIES
            ):
                return exchange.request.t
    return _NEVER


def _put_energies(past: Past, table: RegisterMap, until: int) -> None:
    """Each accumulated energy, so that it shows its first reading when that was made."""
    values = past.meter.energies_picojoule(0)
    rates = past.meter.energy_rates()
    for index, quantity in enumerate(Quantity):
        seen = past.seen.get(table[quantity.value].number)
        if seen is not None and seen[0] < until and not _shows_nothing(seen[1]):
            values[index] = decode([signed(word) for word in seen[1]]) * WH - rates[index] * seen[0]
        past.given.add(quantity.value)
    past.meter.put_energies(0, values)


def _put_load(past: Past, table: RegisterMap) -> None:
    """The supply and the load that the meter measured when it was first looked at."""
    shown = {}
    for name in ("real_power_total", "reactive_power_total", "voltage_ln_average", "frequency"):
        seen = past.seen.get(table[name].number) if name in table else None
        if seen is not None and not _shows_nothing(seen[1]):
            shown[name] = _scaled(past.meter.config, table[name], seen[1][0])
    load = Load(shown.get("real_power_total", 0), shown.get("reactive_power_total", 0))
    past.meter.feeder.change(0, load=load, voltage=shown.get("voltage_ln_average"), frequency=shown.get("frequency"))


def _largest_apparent(recorded: Sequence[Exchange], past: Past, table: RegisterMap) -> int:
    row = table["apparent_power_total"]
    shown = [words for _, read in reads_of(recorded) if (words := read.of(row)) is not None]
    values = [_scaled(past.meter.config, row, words[0]) for words in shown if not _shows_nothing(words)]
    return max(values, default=0) // 1000


def _put_stamps(past: Past, table: RegisterMap, until: int) -> None:
    """The dates of resets and of a preset; those of extremes and peaks go with values that cannot be given."""
    for row in table:
        seen = past.seen.get(row.number)
        if (
            row.kind != "date"
            or seen is None
            or seen[0] >= until
            or not row.name.endswith(("reset_time", "preset_time"))
        ):
            continue
        try:
            moment = decode_date(seen[1])
        except ProtocolError:
            continue
        if moment is not None:
            past.meter.stamps[row.name] = moment
            past.given.add(row.name)


def _transformers(config: Mapping[str, int]) -> tuple[int, int]:
    scale = config["pt_primary_scale"]
    return (1, 1) if scale < 0 else (config["pt_primary"] * 10**scale, config["pt_secondary"])


def _scaled(config: Mapping[str, int], row: Register, word: int) -> int:
    """A word in thousandths of its unit (of W where the unit is kW)."""
    exponents = {"0.01": -2, "0.1": -1}
    exponent = exponents[row.scale] if row.scale in exponents else config.get(f"scale_{row.scale}", 0)
    number = signed(word) if row.kind == "s16" else word
    milli: int = number * _MILLI.get(row.unit, 1)
    return milli * int(10**exponent) if exponent >= 0 else round(milli / 10**-exponent)


def _shows_nothing(words: list[int]) -> bool:
    return all(word == NOT_AVAILABLE for word in words)


def _number(words: list[int]) -> int:
    return decode([signed(word) for word in words])
