"""What both generations of PowerLogic meters can be asked: identity, energies, values, demand, extremes, the clock."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from bench.clock import Clock
from bench.drivers.capabilities import Capability
from bench.drivers.finding import Finding
from bench.drivers.modbus import ModbusSession
from bench.drivers.powerlogic.identity import Identification, compare, identify
from bench.drivers.powerlogic.values import EnergyReading, PowerFactor, Value, decode_register
from bench.errors import DeviceError, ForeignAnswer, NoAnswer, StationError
from bench.safety import Armed
from protocols.conversation import ProtocolError
from protocols.powerlogic.energy import WORDS, Quantity, decode_set
from protocols.powerlogic.tables import Model, Register, RegisterMap, register_map
from protocols.powerlogic.words import signed

if TYPE_CHECKING:
    from bench.station import Device

_BLOCK_LIMIT = 125
_POLL = 250_000_000
#: Volts and amperes above their nominal values that a meter's rating still allows for.
_RATING_MARGIN = Fraction(6, 5)
_NOMINAL_DIRECT_VOLTAGE = 347
#: The largest scale of a PT primary (register 3206, CM4000 manual p.158).
_LARGEST_PT_SCALE = 2


@dataclass(frozen=True, slots=True)
class Ratios:
    """Transformer ratios and what they rest on, as the set-up registers hold them."""

    ct_primary: int
    ct_secondary: int
    pt_primary: int
    pt_primary_scale: int
    pt_secondary: int

    @property
    def possible(self) -> bool:
        """Whether there are such transformers: without a voltage transformer its ratio says nothing."""
        voltage = self.pt_primary_scale < 0 or (self.pt_primary > 0 and self.pt_secondary > 0)
        return self.ct_primary > 0 and self.ct_secondary > 0 and voltage and self.pt_primary_scale <= _LARGEST_PT_SCALE

    @property
    def current(self) -> Fraction:
        """Primary over secondary current."""
        return Fraction(self.ct_primary, self.ct_secondary)

    @property
    def voltage(self) -> Fraction:
        """Primary over secondary voltage; a scale of -1 means no transformer."""
        if self.pt_primary_scale < 0:
            return Fraction(1)
        return Fraction(self.pt_primary * 10**self.pt_primary_scale, self.pt_secondary)

    def __str__(self) -> str:
        pt = "direct" if self.pt_primary_scale < 0 else f"{self.pt_primary}e{self.pt_primary_scale}:{self.pt_secondary}"
        return f"CT {self.ct_primary}:{self.ct_secondary}, PT {pt}"


class PowerLogic(ABC):
    """A PowerLogic meter of either generation.

    Args:
        device: the station's entry.
        model: what is known of its model.
        session: the way to talk to it.
        clock: the bench's clock.
    """

    capabilities: frozenset[Capability] = frozenset(
        {
            Capability.IDENTIFY,
            Capability.READ_ENERGY,
            Capability.READ_REALTIME,
            Capability.READ_DEMAND,
            Capability.READ_EXTREMES,
            Capability.READ_CLOCK,
            Capability.SET_CLOCK,
            Capability.RESET_DEMAND,
            Capability.RESET_EXTREMES,
            Capability.READ_REGISTERS,
        }
    )

    #: Registers that hold a password or a serial number, by name. No public map of this family has a serial number.
    hidden: tuple[str, ...] = ()

    def __init__(self, device: Device, model: Model, session: ModbusSession, clock: Clock) -> None:
        self.device = device
        self.name = device.id
        self.model = model
        self.session = session
        self.clock = clock
        #: Told of every identification, for the evidence.
        self.on_identified: Callable[[Identification], None] | None = None
        self.map: RegisterMap = register_map(model.family)

    def __str__(self) -> str:
        return self.name

    @property
    def title(self) -> str:
        """Maker and model."""
        return self.model.title

    # -- identity ----------------------------------------------------------------------------------------------------

    def identify(self) -> tuple[Identification, list[Finding]]:
        """What the meter says of itself, and how that compares with the station."""
        found = identify(self.session, self.model)
        if self.on_identified is not None:
            self.on_identified(found)
        return found, compare(found, self.model, self.device)

    # -- reading -----------------------------------------------------------------------------------------------------

    def words(self, name: str, *, function: int = 3) -> list[int]:
        """The unsigned words of a named register."""
        row = self.map[name]
        return self.session.read(row.number, row.count, function=function)

    def value(self, name: str) -> Value | PowerFactor:
        """A named register as a value in its unit; None where it does not apply."""
        return self.values([name])[name]

    def values(self, names: Iterable[str]) -> dict[str, Value | PowerFactor]:
        """Named registers as values, each block of neighbours in one request.

        Raises:
            ForeignAnswer: a register holds what its kind cannot be.
        """
        rows = sorted((self.map[name] for name in names), key=lambda row: row.number)
        scales = self._scales(rows)
        found: dict[str, Value | PowerFactor] = {}
        for block in _blocks(rows):
            first = block[0].number
            words = self.session.read(first, block[-1].end - first)
            for row in block:
                found[row.name] = self._decoded(row, words[row.number - first : row.end - first], scales)
        return found

    def _decoded(self, row: Register, words: list[int], scales: dict[str, int]) -> Value | PowerFactor:
        try:
            return decode_register(row, words, scales)
        except ProtocolError as error:
            raise ForeignAnswer(f"register {row.number} ({row.name}): {error}", device=self.name) from None

    def _scales(self, rows: Iterable[Register]) -> dict[str, int]:
        groups = sorted({row.scale for row in rows if len(row.scale) == 1})
        if not groups:
            return {}
        first, last = self.map[f"scale_{groups[0]}"].number, self.map[f"scale_{groups[-1]}"].number
        words = self.session.read(first, last - first + 1)
        return {group: signed(words[self.map[f"scale_{group}"].number - first]) for group in groups}

    def read_energies(self) -> EnergyReading:
        """The seven accumulated energies in one request of 28 registers.

        Raises:
            ForeignAnswer: a word outside -9999..9999.
        """
        asked = self.clock.now()
        words = [signed(w) for w in self.session.read(self.energy_register, WORDS * len(Quantity))]
        try:
            values = decode_set(words, self.model.order)
        except ProtocolError as error:
            raise ForeignAnswer(f"energies at {self.energy_register}: {error}", device=self.name) from None
        return EnergyReading(values, tuple(words), asked, self.clock.now())

    @property
    def energy_register(self) -> int:
        """The first register of the accumulated energies."""
        return self.map[self.model.order[0].value].number

    def power_ceiling(self) -> dict[str, Decimal]:
        """Real, reactive and apparent power of now in W, var, VA, each at least what the last digit may hide."""
        names = ("real_power_total", "reactive_power_total", "apparent_power_total")
        found = self.values(names)
        scale = max(self._scales([self.map[name] for name in names]).values())
        resolution = Decimal(1).scaleb(scale) * 1000
        return {name.split("_")[0]: abs(self._decimal(found[name], name)) * 1000 + resolution for name in names}

    def rating(self) -> int:
        """The most apparent power (VA) that the transformers and a nominal 347/600 V supply allow for."""
        ratios = self.ratios()
        volts = _NOMINAL_DIRECT_VOLTAGE if ratios.pt_primary_scale < 0 else ratios.voltage * ratios.pt_secondary
        return int(3 * volts * ratios.ct_primary * _RATING_MARGIN)

    def ratios(self) -> Ratios:
        """The transformer ratios of the set-up.

        Raises:
            ForeignAnswer: the registers show what no transformer has.
        """
        names = ("ct_primary", "ct_secondary", "pt_primary", "pt_primary_scale", "pt_secondary")
        found = self.values(names)
        ratios = Ratios(*(int(self._decimal(found[name], name)) for name in names))
        if not ratios.possible:
            raise ForeignAnswer(f"the set-up shows impossible transformers: {ratios}", device=self.name)
        return ratios

    def nominal_frequency(self) -> int:
        """The nominal frequency of the set-up in Hz."""
        return int(self._decimal(self.value("nominal_frequency"), "nominal_frequency"))

    def signed_mode(self) -> bool:
        """Whether energy totals are signed (in minus out) rather than absolute."""
        return self.value("accumulation_mode") == 1

    @abstractmethod
    def read_clock(self) -> datetime:
        """The meter's clock.

        Raises:
            DeviceError: it shows no date.
        """

    def _decimal(self, value: Value | PowerFactor, name: str) -> Decimal:
        """A reading that must be a number; the meter shows none where it does not fit its register's scale."""
        if isinstance(value, Decimal | int):
            return Decimal(value)
        number = self.map[name].number
        raise ForeignAnswer(
            f"register {number} ({name}) shows no number: out of its scale, or not there", device=self.name
        )

    # -- writing -----------------------------------------------------------------------------------------------------

    @abstractmethod
    def set_clock(self, armed: Armed, moment: datetime) -> None:
        """Set the meter's clock to a whole second."""

    @abstractmethod
    def reset_demand(self, armed: Armed) -> None:
        """Reset the peak demands."""

    def demand_reset_stamp(self) -> object:
        """The time of the last demand reset, None before the first."""
        name = "power_demand_reset_time" if "power_demand_reset_time" in self.map else "demand_reset_time"
        return self.value(name)

    @abstractmethod
    def reset_extremes(self, armed: Armed) -> None:
        """Reset minima and maxima."""

    # -- supply ------------------------------------------------------------------------------------------------------

    def wait_until_it_answers(self, within: int) -> int:
        """Ask until the meter answers again after a reset; returns how long (ns) that took.

        Raises:
            NoAnswer: not within `within` (ns).
        """
        start = self.clock.now()
        while True:
            try:
                with self.session.expecting_silence():
                    self.session.read(self.energy_register)
            except (DeviceError, StationError) as error:  # a network port of its own refuses connections meanwhile
                if self.clock.now() - start > within:
                    raise NoAnswer(
                        f"still silent {within / 1e9:g} s after the reset: {error}", device=self.name
                    ) from None
                self.clock.sleep(_POLL)
            else:
                return self.clock.now() - start


def _blocks(rows: list[Register]) -> list[list[Register]]:
    """Rows in order, cut into runs that one request can read and that leave no large hole."""
    blocks: list[list[Register]] = []
    for row in rows:
        if blocks and row.end - blocks[-1][0].number <= _BLOCK_LIMIT and row.number - blocks[-1][-1].end < _HOLE:
            blocks[-1].append(row)
        else:
            blocks.append([row])
    return blocks


_HOLE = 24


def whole_second(moment: datetime) -> datetime:
    """A moment cut to its second, as the clock command takes it."""
    return moment.replace(microsecond=0)
