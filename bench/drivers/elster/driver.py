"""An Elster meter over FLAG: identity, energies, demand, clock, billing reset, logs, and objects of any identity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from bench.drivers.capabilities import Capability
from bench.drivers.elster.history import History
from bench.drivers.elster.identity import Identification, compare
from bench.drivers.finding import Finding
from bench.drivers.flag import FlagSession
from bench.errors import BenchError, DeviceError, ForeignAnswer, NoAnswer, Refused
from bench.safety import Armed
from protocols.conversation import ProtocolError
from protocols.elster import logs, moments, registers, tables, transformers
from protocols.elster.configuration import layout
from protocols.elster.tables import Identity, Source
from protocols.flag import readout
from simulators.world import SECOND

if TYPE_CHECKING:
    from bench.clock import Clock
    from bench.station import Device

T = TypeVar("T")
_COMMON = frozenset(
    {
        Capability.IDENTIFY,
        Capability.READ_ENERGY,
        Capability.READ_DEMAND,
        Capability.READ_CLOCK,
        Capability.SET_CLOCK,
        Capability.RESET_DEMAND,
        Capability.READ_BILLING,
        Capability.READ_LOGS,
        Capability.READ_OUT,
        Capability.PROGRAM_SCHEME,
    }
)
#: Registers count mWh, mvarh and mVAh.
_MILLI = 1000
#: A supply and a current transformer above their nominal values (V, and as a factor) that a rating still allows for.
_VOLTS, _MARGIN = 300, 2
#: The most that transformers have as their nominal secondary current (A), and what a meter without any carries itself.
_SECONDARY, _DIRECT = 5, 100
#: How often in all something that acts each time is said, as long as the meter says NAK and has not done it.
_TRIES = 3
#: By how much a clock that was set may be off: whole seconds, and what the line takes.
_SLACK = timedelta(seconds=3)
#: Who programs, as the meter's log shows it (576), unless somebody says otherwise.
USER = "meterbench"


def capabilities_of(model: str) -> frozenset[Capability]:
    """What a model can be asked."""
    known = tables.model(model)
    found = set(_COMMON)
    if known["profile_channels"]:
        found.add(Capability.READ_PROFILE)
    if known["instantaneous"]:
        found.add(Capability.READ_INSTANTANEOUS)
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class EnergyReading:
    """The totals of identity 507 in Wh (varh, VAh) with three decimals, and the bench time (ns) it took."""

    values: Mapping[Source, Decimal]
    asked_at: int
    answered_at: int

    def __getitem__(self, quantity: Source) -> Decimal:
        return self.values[quantity]


class Elster(History):
    """An A1120, A1140 or A1700.

    Args:
        device: the station's entry.
        session: the way to talk to it.
        clock: the bench's clock.
    """

    def __init__(self, device: Device, session: FlagSession, clock: Clock) -> None:
        self.device = device
        self.name = device.id
        self.session = session
        self.clock = clock
        self.model = tables.model(device.model)
        self.on_identified: Callable[[Identification], None] | None = None
        self._user = USER

    def __str__(self) -> str:
        return self.name

    @property
    def title(self) -> str:
        """Maker and model."""
        return self.model.title

    @cached_property
    def capabilities(self) -> frozenset[Capability]:
        """What it can be asked."""
        return capabilities_of(self.model.name)

    # -- objects -----------------------------------------------------------------------------------------------------

    def identity(self, name: str) -> Identity:
        """An identity of this model by its name in `fixtures/elster/identities.csv`."""
        return tables.identity(self.model.name, name)

    def read_object(self, identity: int, size: int) -> bytes:
        """`size` bytes of an identity."""
        row = tables.identities(self.model.name).get(identity)
        return self.session.read(identity, size, level=(row.read_level or 0) if row else 0)

    def write_object(self, armed: Armed, identity: int, data: bytes) -> None:
        """Bytes for an identity."""
        self.session.write(armed, identity, data)

    def scheme_item(self, name: str) -> tuple[int, int]:
        """Number and size of an identity of a scheme, by its name in `fixtures/elster/configuration.csv`."""
        item = layout(self.model.name).items[name]
        return item.number, item.size

    def image(self, name: str) -> bytes:
        """A whole object by the name of its identity."""
        row = self.identity(name)
        return self.read_object(row.number, row.size * row.sets)

    def log_in(self, armed: Armed, level: int, user: str = USER) -> None:
        """A fresh visit for programming: the password of the station, and who programs (576)."""
        armed.check(self.name)
        self._user = user
        self.session.leave()
        self.session.require(level)
        self._name_user(armed)

    def _name_user(self, armed: Armed) -> None:
        row = self.identity("user")
        self.session.write(armed, row.number, self._user.encode("ascii")[: row.size].ljust(row.size))

    def log_out(self) -> None:
        """The end of the visit."""
        self.session.leave()

    # -- identity ----------------------------------------------------------------------------------------------------

    def identify(self) -> tuple[Identification, list[Finding]]:
        """Identification message, serial number (798) and scheme (795), and how they compare with the station."""
        message = self.session.identification()
        serial, scheme = (
            self.image(name).decode("ascii", "replace").strip(" \0") for name in ("serial_number", "scheme_id")
        )
        found = Identification(message, serial, scheme)
        if self.on_identified is not None:
            self.on_identified(found)
        return found, compare(found, self.model, self.device)

    # -- reading -----------------------------------------------------------------------------------------------------

    def read_energies(self) -> EnergyReading:
        """The totals (507) in one object; an A1140's has two packets, so a register may move between them."""
        asked = self.clock.now()
        data = self.image("totals")
        values = self.decoded("totals", lambda: registers.decode_totals(self.model.name, data))
        return EnergyReading(
            {source: Decimal(value) / _MILLI for source, value in values.items()}, asked, self.clock.now()
        )

    def decoded(self, what: str, decode: Callable[[], T]) -> T:
        """What an object says.

        Raises:
            ForeignAnswer: its bytes are none of its kind.
        """
        try:
            return decode()
        except ProtocolError as error:
            raise ForeignAnswer(f"{what}: {error}", device=self.name) from None

    def read_maximum_demand(self) -> tuple[registers.MaximumDemand, ...]:
        """The maximum demand records (510)."""
        data = self.image("maximum_demand")
        return self.decoded("maximum demand", lambda: registers.decode_maximum(data))

    def read_cumulative_demand(self) -> tuple[registers.CumulativeDemand, ...]:
        """The cumulative maximum demand records (509)."""
        data = self.image("cumulative_demand")
        return self.decoded("cumulative demand", lambda: registers.decode_cumulative(data))

    def power_ceiling(self) -> Mapping[str, Decimal]:
        """What the transformers allow for: only an A1700 shows powers, so nothing closer is known of all three."""
        return dict.fromkeys(("real", "reactive", "apparent"), Decimal(self.rating()))

    def rating(self) -> int:
        """The most apparent power (VA) that the transformers allow for, at 300 V on the meter's own terminals.

        Only the ratio counts: a meter that was programmed with 20:1 may stand behind transformers of 100 to 5 A.
        """
        current, voltage = self._ratio("ct"), self._ratio("vt") if self.model["vt_bytes"][0] else Fraction(1)
        primary = current * _SECONDARY if current > 1 else Fraction(_DIRECT)
        return int(3 * _VOLTS * max(voltage, Fraction(1)) * primary * _MARGIN)

    def _ratio(self, kind: transformers.Kind) -> Fraction:
        """Primary to secondary as the meter has it (614, 616), 1 where it has none."""
        name = {"ct": "current_transformer", "vt": "voltage_transformer"}[kind]
        data = self.image(name)
        ratio = self.decoded(name, lambda: transformers.decode_ratio(self.model.name, kind, data))
        return Fraction(ratio.primary, ratio.secondary) if ratio.secondary else Fraction(1)

    def signed_mode(self) -> bool:
        """Every energy has a register of its own: none falls."""
        return False

    def read_out(self) -> readout.Readout:
        """The data sets of the mode C readout, every one of them checked."""
        data = self.session.readout()
        return self.decoded("readout", lambda: readout.parse_readout(data))

    # -- clock -------------------------------------------------------------------------------------------------------

    def read_clock(self) -> datetime:
        """The meter's clock (861)."""
        data = self.image("clock")
        return self.decoded("clock", lambda: moments.decode_clock(data))

    def set_clock(self, armed: Armed, moment: datetime) -> None:
        """Set the meter's clock (861, level 3) to what is to be the time now; after a NAK only if it shows another.

        Raises:
            Refused: the meter has not done it.
            ForeignAnswer: it says NAK and has done it.
        """
        number, since = self.identity("clock").number, self.clock.now()

        def wanted() -> datetime:
            return moment + timedelta(microseconds=(self.clock.now() - since) // 1000)

        self.log_in(armed, 3)
        was_off = not self._shows(wanted)
        for left in reversed(range(_TRIES)):
            try:
                self.session.write(armed, number, moments.encode_clock(wanted().replace(microsecond=0)))
                break
            except Refused as error:
                if not error.nak:
                    raise
                if was_off and self._shows(wanted):
                    said = "setting the clock was answered with NAK, and it is set; it is not set again"
                    raise ForeignAnswer(said, device=self.name) from None
                if not left:
                    raise
        self.session.leave()

    def _shows(self, wanted: Callable[[], datetime]) -> bool:
        """Whether the clock shows a time; one that shows none does not."""
        try:
            return abs(self.read_clock() - wanted()) <= _SLACK
        except DeviceError:
            return False

    def adjust_clock(self, armed: Armed, moment: datetime) -> None:
        """Let the clock move to a time in steps of 5 s an integration period, 7.5 min at the most (level 1)."""
        self.log_in(armed, 1)
        self.session.write(armed, self.identity("clock_adjust").number, moments.encode_clock(moment))
        self.session.leave()

    # -- billing -----------------------------------------------------------------------------------------------------

    def reset_demand(self, armed: Armed) -> None:
        """End the billing period (655): the registers go into the history, maximum demand begins anew.

        It is said again only after a NAK, and only if the count of billing events (699) is what it was.

        Raises:
            Refused: the meter has not done it.
            ForeignAnswer: it says NAK and has done it.
            NoAnswer: nothing came; the reason says what the count shows.
        """
        row = self.identity("end_of_billing")
        self.log_in(armed, row.write_level or 0)
        before = self._resets_counted()
        for left in reversed(range(_TRIES)):
            try:
                self._end_billing(armed, row)
                break
            except Refused as error:
                if not error.nak or before is None:
                    raise
                self._refuse_obeyed(before)
                if not left:
                    raise
            except (NoAnswer, ForeignAnswer) as error:
                raise type(error)(f"{error.reason}; {self._done_since(before)}", device=self.name) from None
        self.session.leave()

    def _end_billing(self, armed: Armed, row: Identity) -> None:
        if row.access == "x":
            self.session.execute(armed, row.number)
        else:
            self.session.write(armed, row.number, b"\x01")

    def demand_reset_stamp(self) -> object:
        """The count of billing events (699), which no two resets share."""
        return self.read_log("billing_events").count

    def _resets_counted(self) -> int | None:
        """The count of billing events; None where the meter does not tell it."""
        try:
            return self.read_log("billing_events").count
        except DeviceError:
            return None

    def _refuse_obeyed(self, before: int) -> None:
        after = self._resets_counted()
        if after == before:
            return
        shown = "and no longer tells" if after is None else f"and has done it: {before} became {after} in"
        raise ForeignAnswer(
            f"the billing reset was answered with NAK, {shown} the count of billing events (699); it is not sent again",
            device=self.name,
        )

    def _done_since(self, before: int | None) -> str:
        """What the count of billing events says of a reset that was not answered."""
        try:
            after = None if before is None else self._resets_counted()
        except BenchError:  # not even the line is there to look
            after = None
        if after is None:
            return "whether billing was reset is not known: look at it before you reset again"
        return f"billing was {'not reset' if after == before else 'reset'}: 699 counts {after}, before {before}"

    # -- logs --------------------------------------------------------------------------------------------------------

    def read_log(self, name: str) -> logs.EventLog:
        """An event log by the name of its identity."""
        data = self.image(name)
        return self.decoded(name, lambda: logs.decode_event_log(data, info=len(data) == logs.INFO_LOG_BYTES))

    def read_programming_log(self) -> logs.ProgrammingLog:
        """Who programmed the meter, when and how often (680)."""
        data = self.image("programming_log")
        return self.decoded("programming log", lambda: logs.decode_programming_log(data))

    def read_status(self) -> logs.Status:
        """System status and errors (724)."""
        data = self.image("status")
        return self.decoded("status", lambda: logs.decode_status(data))

    # -- supply ------------------------------------------------------------------------------------------------------

    def is_silent(self) -> bool:
        """Whether nobody answers a sign-on now."""
        self.session.leave()
        try:
            with self.session.expecting_silence():
                self.session.identification()
        except NoAnswer:
            return True
        return False

    def wait_until_it_answers(self, within: int) -> int:
        """Ask until the meter answers again; returns how long (ns) that took.

        Raises:
            NoAnswer: not within `within` (ns).
        """
        start = self.clock.now()
        while self.is_silent():
            if self.clock.now() - start > within:
                raise NoAnswer(f"still silent after {within // SECOND} s", device=self.name)
        return self.clock.now() - start
