"""An Elster meter as its FLAG server sees it: the metrology behind sessions, packets, stream and readout."""

from __future__ import annotations

from datetime import datetime

from protocols.elster.history import Trigger
from protocols.elster.logs import Phases
from protocols.elster.tables import Model, Source
from protocols.flag.device import Ack, Blocks, Data, Refusal, Result, Session
from protocols.flag.frames import Command
from protocols.flag.habits import Habits
from simulators.metering.daylight_saving import to_moment
from simulators.metering.energy import WH
from simulators.metering.event_log import EventLog, Programming
from simulators.metering.history import RegisterHistory
from simulators.meters.elster import packets, partial
from simulators.meters.elster.catalogue import Entry, catalogue
from simulators.meters.elster.configuration import Configuration
from simulators.meters.elster.events import Event
from simulators.meters.elster.images import IMAGES
from simulators.meters.elster.instantaneous import Instantaneous
from simulators.meters.elster.measuring import INDEX, SOURCES, Ratios
from simulators.meters.elster.metrology import Metrology
from simulators.meters.elster.packets import UNKNOWN
from simulators.meters.elster.profile import Profile
from simulators.meters.elster.profile_text import read_text
from simulators.meters.elster.programming import Assembly, put_section, write
from simulators.meters.elster.readout import readout
from simulators.meters.elster.security import Security
from simulators.power.feeder import Feeder


class Meter(Metrology):
    """An A1120, A1140 or A1700: `protocols.flag.device.Device`.

    Args:
        model: what kind it is.
        feeder: the supply and load it is connected to.
        epoch: its local time at the world's instant 0.
        profile: what documents leave open.
        configuration: what is programmed.
        installed: the transformers that are really in front of it.
        serial: 16 characters.
        outstation: its address.
        security: its passwords.
    """

    #: Whose defects it can have.
    family = "elster"
    habits: Habits
    serial: bytes
    security: Security
    instantaneous: Instantaneous
    error_word: int

    def __init__(
        self,
        model: Model,
        feeder: Feeder,
        epoch: datetime,
        profile: Profile,
        configuration: Configuration,
        installed: Ratios,
        *,
        serial: bytes,
        outstation: bytes,
        security: Security,
    ) -> None:
        self.habits = profile.habits()
        self.serial = serial
        self.security = security
        self.programmings: EventLog[Programming] = EventLog()
        self.event_history: RegisterHistory[tuple[EventLog[int], ...]] = RegisterHistory(model["event_sets"])
        #: What is programmed and has no effect on the engines, by name.
        self.memory: dict[str, bytes] = {
            row.name: bytes(row.size)
            for row in catalogue(model.name).values()
            if row.write_level is not None and row.size and row.name not in configuration.objects
        }
        for name in ("scheme_id", "user"):
            self.memory[name] = b" " * len(self.memory[name])
        self.memory["outstation"] = outstation.rjust(len(self.memory["outstation"]), b"0")
        #: Bits of fatal errors, as the readout and the status show them; no public source, so none is ever set here.
        self.error_word = 0
        self.instantaneous = Instantaneous()
        self.assembly = Assembly()
        #: The part of the profile that was asked for, as it was when it was.
        self.profile_reading: bytes | None = None
        super().__init__(model, feeder, epoch, profile, configuration, installed)

    @property
    def outstation(self) -> bytes:
        """The address that requests are for."""
        return self.memory["outstation"]

    def entry(self, name: str) -> Entry:
        """The identity of a name, which the model must have."""
        return next(row for row in catalogue(self.model.name).values() if row.name == name)

    def start_with(self, energies: dict[Source, int]) -> None:
        """Begin life with these readings (whole Wh, varh, VAh) of its sources, as a meter that has been in service."""
        values = [energies.get(source, 0) * WH for source in SOURCES]
        before = self.registers.take(0)
        self.registers.accumulators.preset(0, values)
        self.registers.tou.put(values, before.tou)
        self.registers.demand.begin(values)
        self.end_profile_period(0)
        if self.recorder is not None:
            self.recorder.begin(0, values)
        self.save(0)

    def energies(self, now: int) -> dict[Source, int]:
        """The readings in picojoule, exactly."""
        self.settle(now)
        values = self.registers.energies(now)
        return {source: values[INDEX[source]] for source in SOURCES}

    def local_moment(self, standard: int) -> datetime:
        """A moment of standard time (ns since 1970) as people read it."""
        return to_moment(standard + self.clock.daylight_saving.offset(standard))

    # -- identities --------------------------------------------------------------------------------------------------

    def image(self, identity: int, now: int) -> bytes:
        """The whole object of a data identity at the instant `now`, before it is cut into packets.

        Raises:
            Refusal: ERR2, the model has no such identity.
        """
        self.settle(now)
        entry = catalogue(self.model.name).get(identity)
        if entry is None:
            raise Refusal(UNKNOWN)
        show = IMAGES.get(entry.name)
        return self.firmware.image(identity, show(self, now) if show else self.stored_bytes(entry))

    def stored_bytes(self, entry: Entry) -> bytes:
        """What is programmed of an identity."""
        if entry.name in self.configuration.objects:
            return self.configuration.shown(entry.name)
        return self.memory.get(entry.name, b"")

    # -- the device of a FLAG server ---------------------------------------------------------------------------------

    def powered(self, now: int) -> bool:
        """Whether it has its supply and has finished booting."""
        return self.listening(now)

    def identification(self, _now: int) -> bytes:
        """Maker, speed and identification."""
        return f"/{self.model['maker']}{self.model['baud_code']}{self.profile.ident}".encode("ascii")

    def answers_to(self, address: bytes) -> bool:
        """Whether a request with this address is for it."""
        return not address or self.habits.same_address(self.outstation, address)

    def readout(self, now: int) -> bytes:
        """The data sets; none where the profile says that it has no readout."""
        self.settle(now)
        return readout(self, now) if self.profile.readout_filled else b""

    def open(self, via: str, mode: int, now: int) -> Session:
        """A session with a new challenge; nothing of one before it is left."""
        self.settle(now)
        self.forget(now)
        return self.security.open(self, via, mode, now)

    def password(self, session: Session, number: int, operand: bytes, now: int) -> Result:
        """P1 or P2.

        Raises:
            Refusal: a wrong password, or locked for a while.
        """
        return self.security.check(self, session, number, operand, now)

    def execute(self, session: Session, command: Command, now: int) -> Result:
        """R1, W1 and E2; R3, W3 and R5 where the profile has them.

        Raises:
            Refusal: with the meter's error number.
        """
        self.settle(now)
        match command.name:
            case "R1":
                return Data(packets.read(self, session, command, now))
            case "W1" | "E2":
                write(self, session, command, now)
                return Ack()
            case "R3" if self.profile.partial_blocks:
                return Blocks(partial.read(self, session, command, now))
            case "W3" if self.profile.partial_blocks:
                partial.write(self, session, command, now)
                return Ack()
            case "R5":
                return Data(read_text(self, session, command, now))
        raise Refusal(packets.BAD_COMMAND)

    def stream(self, session: Session, command: Command, now: int) -> bytes:
        """RD: the whole object.

        Raises:
            Refusal: with the meter's error number.
        """
        self.settle(now)
        return packets.stream(self, session, command, now)

    def close(self, session: Session, _why: str, now: int) -> None:
        """The session is over: what was written and is no whole is dropped, and so is the login."""
        self.settle(now)
        unfinished = self.configuration.unfinished()
        if self.firmware.stores_unfinished and self.supply.on:
            for section, objects in unfinished.items():
                put_section(self, session, section, objects, now)
        self.forget(now)
        self.security.last_level = session.level

    def forget(self, _now: int) -> None:
        """Lose what belongs to a session."""
        self.configuration.unfinished()
        self.assembly.drop()
        self.profile_reading = None

    # -- what the world does to it -----------------------------------------------------------------------------------

    def open_cover(self, now: int, *, terminal: bool = False) -> None:
        """The main or the terminal cover is opened."""
        self.last(now, Event.TERMINAL_COVER if terminal else Event.MAIN_COVER, lasts=True)

    def close_cover(self, now: int, *, terminal: bool = False) -> None:
        """The main or the terminal cover is closed."""
        self.last(now, Event.TERMINAL_COVER if terminal else Event.MAIN_COVER, lasts=False)

    def fail_phase(self, now: int, phases: Phases) -> None:
        """These phases fail; the others are there."""
        self.fail_phases(now, phases)

    def magnetic_field(self, now: int, *, present: bool) -> None:
        """A strong magnetic field is applied or taken away."""
        self.last(now, Event.MAGNETIC_FIELD, lasts=present)

    def battery_low(self, now: int, *, low: bool) -> None:
        """The battery fails, so the clock stands in a power cut; or it is replaced."""
        self.last(now, Event.BATTERY, lasts=low)

    def press_reset(self, now: int) -> bool:
        """The reset button: whether billing was reset."""
        self.settle(now)
        return bool(self.configuration.sections["billing"].button) and self.manual_reset(now, Trigger.BUTTON)

    def reset_billing(self, now: int, trigger: int) -> None:
        """End the billing period, and keep the event logs as they stand with it."""
        super().reset_billing(now, trigger)
        kept = tuple(self.events.logs[Event(kind)].copy() for kind in self.model["event_kinds"] if kind in _KINDS)
        self.event_history.store(self.clock.standard(now), trigger, kept)


_KINDS = {event.value for event in Event}
