"""The metrology of an Elster meter: supply, counting, clock, demand, billing, load profile, memory; no identities.

A meter is passive. It is told of changes of its feeder and settles when somebody looks; what was due in between (ends
of periods, switching times, midnights, billing dates) is kept by its agenda.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction

from protocols.elster.history import Trigger
from protocols.elster.logs import Phases
from protocols.elster.profile import IntervalStatus
from protocols.elster.tables import Model, Source
from simulators.metering.adjustable_clock import AdjustableClock
from simulators.metering.agenda import Agenda
from simulators.metering.demand import MINUTE
from simulators.metering.energy import WH
from simulators.metering.history import RegisterHistory, ResetLock
from simulators.metering.memory import Journal
from simulators.metering.profile_recorder import Mark, ProfileRecorder
from simulators.metering.tariff_calendar import TariffCalendar
from simulators.meters.elster import behaviour
from simulators.meters.elster.configuration import Configuration
from simulators.meters.elster.events import EXTENDED, STATUS, Event, Events
from simulators.meters.elster.firmware import HEALTHY, Firmware
from simulators.meters.elster.measuring import INDEX, Ratios, source_rates
from simulators.meters.elster.profile import Profile
from simulators.meters.elster.registers import Registers, RegisterSet
from simulators.meters.elster.schedule import appointments
from simulators.meters.elster.supply import Supply, lose_power, power_up
from simulators.power.feeder import Feeder

_MICROSECOND = timedelta(microseconds=1)
#: The period that paces a clock adjustment where there is no load profile.
_PACE = 30 * MINUTE
_MANUAL = Trigger.SERIAL_PORT | Trigger.OPTICAL | Trigger.BUTTON
#: The second status byte of a record stands above the first.
EXTENDED_SHIFT = 8


def _unnoticed(_step: str, _at: int) -> None:
    """Nobody wants to know."""


class Metrology:
    """What an Elster meter counts and keeps.

    Args:
        model: what kind it is.
        feeder: the supply and load it is connected to.
        epoch: its local time at the world's instant 0.
        profile: what documents leave open.
        configuration: what is programmed.
        installed: the transformers that are really in front of it.
    """

    model: Model
    feeder: Feeder
    profile: Profile
    configuration: Configuration
    installed: Ratios
    clock: AdjustableClock
    calendar: TariffCalendar
    registers: Registers
    events: Events
    supply: Supply

    def __init__(
        self,
        model: Model,
        feeder: Feeder,
        epoch: datetime,
        profile: Profile,
        configuration: Configuration,
        installed: Ratios,
    ) -> None:
        self.model = model
        self.feeder = feeder
        self.profile = profile
        self.firmware: Firmware = HEALTHY
        self.configuration = configuration
        self.installed = installed
        #: Told of each internal step and its instant (ns), for who wants to interrupt the meter there.
        self.notice: Callable[[str, int], None] = _unnoticed
        self.journal = Journal()
        self.events = Events(profile.events_before)
        self.supply = Supply()
        sections = configuration.sections
        rule = behaviour.daylight_saving_of(sections["daylight_saving"])
        self.clock = AdjustableClock(epoch, profile.clock_drift_ppm, rule)
        self.recorder: ProfileRecorder | None = None
        if "profile" in sections:
            setup = behaviour.profile_setup_of(model.name, sections["profile"])
            self.recorder = ProfileRecorder(setup, profile.profile_days)
        self.lock = ResetLock()
        self.follow_configuration(0)
        self.billing: RegisterHistory[RegisterSet] = RegisterHistory(model["billing_sets"])
        self.daily: RegisterHistory[RegisterSet] = RegisterHistory(model["daily_sets"])
        #: The registers as they were saved last.
        self.saved: RegisterSet = self.registers.take(0)
        self.agenda = Agenda(appointments(self))
        feeder.connect(self)
        self._start(0)

    def _start(self, now: int) -> None:
        if self.recorder is not None:
            self.recorder.begin(now, self.registers.energies(now))
            self.new_day(now)
        self.apply_rates(now)

    # -- set-up ------------------------------------------------------------------------------------------------------

    def register_sources(self) -> tuple[list[Source | None], list[Source | None]]:
        """The sources of the TOU and of the demand registers, as many as the model has."""
        section = self.configuration.sections["sources"]
        tou = behaviour.sources_of(section.tou, self.model["tou_registers"])
        return tou, behaviour.sources_of(section.demand, self.model["cumulative_records"])

    def follow_configuration(self, now: int) -> None:
        """Have all engines follow what is programmed, with registers at zero and without a trace of a change."""
        sections = self.configuration.sections
        self.clock.daylight_saving = behaviour.daylight_saving_of(sections["daylight_saving"])
        self.calendar = behaviour.calendar_of(sections["tariff"])
        period = behaviour.demand_period_of(sections["demand"])
        rates = self.calendar.rates(self.clock.read(now))
        self.registers = Registers(*self.register_sources(), rates, period, self.model["ranks"])
        if self.recorder is not None:
            self.recorder.setup = behaviour.profile_setup_of(self.model.name, sections["profile"])
        behaviour.take_lockout(self)

    @property
    def profile_period(self) -> int:
        """The integration period of the load profile (ns), which also paces an adjustment of the clock."""
        return self.recorder.setup.period if self.recorder is not None else _PACE

    # -- counting ----------------------------------------------------------------------------------------------------

    def settle(self, now: int) -> None:
        """Bring everything up to the instant `now` (ns); without a supply nothing happens."""
        if self.supply.on:
            self.agenda.settle(now)

    def before_change(self, now: int) -> None:
        """The feeder is about to change: count what was until now."""
        self.settle(now)

    def after_change(self, now: int) -> None:
        """The feeder has changed: see to the supply, and count at the new rates from now on."""
        supplied = self.feeder.auxiliary and self.feeder.voltage > 0
        if self.supply.on and not supplied:
            lose_power(self, now)
        elif not self.supply.on and supplied:
            power_up(self, now)
        self.apply_rates(now)

    def apply_rates(self, now: int) -> None:
        """Count at the rates of what the feeder carries from the instant `now` (ns) on."""
        point = self.feeder.point()
        factor = self.believed.power / self.installed.power if self.supply.on else Fraction(0)
        rates = self.firmware.counted(self, source_rates(point, factor))
        self.registers.accumulators.run_at(now, rates)
        if self.supply.on and self.profile.reverse_run:
            self.last(now, Event.REVERSE_RUNNING, lasts=sum(point.real) < 0)

    @property
    def believed(self) -> Ratios:
        """The transformer ratios that are programmed."""
        return behaviour.ratios_of(self.configuration.sections["transformers"])

    def count_input(self, now: int, source: Source, watt_hours: int) -> None:
        """Pulses at an input of the meter, or of a customer register: so many Wh (or of what the input counts)."""
        self.settle(now)
        energies = self.registers.energies(now)
        energies[INDEX[source]] += watt_hours * WH
        self.registers.accumulators.preset(now, energies)

    def end_demand_period(self, now: int) -> None:
        """A (sub-)interval of the demand ends."""
        stamp = self.firmware.demand_stamp(self.clock.standard(now), self.registers.demand.period.length)
        self.registers.demand.close(self.registers.energies(now), stamp)

    def switch_rates(self, now: int) -> None:
        """Have those rates active that the calendar says."""
        before = self.registers.tou.rates
        rates = self.firmware.active_rates(before, self.calendar.rates(self.clock.read(now)))
        if rates != before:
            self.registers.tou.switch(self.registers.energies(now), rates)

    # -- load profile ------------------------------------------------------------------------------------------------

    def end_profile_period(self, now: int) -> None:
        """A period of the load profile ends, or is broken off."""
        if self.recorder is not None:
            self.recorder.close(now, self.registers.energies(now))

    def mark(self, kind: Mark, now: int) -> None:
        """Put a marker into the load profile."""
        if self.recorder is not None:
            self.recorder.mark(kind, self.clock.standard(now), summer=self._summer_flag(now))

    def flag(self, status: int) -> None:
        """Set status bits of the record under way."""
        if self.recorder is not None:
            self.recorder.passing |= status

    def clear_profile(self, now: int) -> None:
        """Forget the load profile, as at the factory; the first day begins now and says so."""
        self.settle(now)
        if self.recorder is not None:
            standard, marked = self.clock.standard(now), self.firmware.marks_clearing
            self.recorder.clear(standard, summer=self._summer_flag(now), marked=marked)
            self.recorder.begin(now, self.registers.energies(now))

    def new_day(self, now: int) -> None:
        """Begin a day of the load profile."""
        if self.recorder is not None and (self.firmware.marks_days or not self.recorder.days):
            self.recorder.day(self.clock.standard(now), summer=self._summer_flag(now))

    def _summer_flag(self, now: int) -> bool:
        return self.firmware.summer_flag(self.clock.summer(now))

    # -- clock -------------------------------------------------------------------------------------------------------

    def midnight(self, now: int) -> None:
        """A day begins on the clock that people read."""
        self.daily.store(self.clock.standard(now), 0, self.registers.take(now))
        self.new_day(now)
        if self._season(now) != self._season(now - 1):
            self.bill_if_switched_on(now, Trigger.SEASON)

    def _season(self, now: int) -> int:
        return self.calendar.season(self.clock.read(now).date())

    def daylight_changed(self, now: int) -> None:
        """Daylight saving begins or ends."""
        self.end_profile_period(now)
        if self.firmware.marks_daylight_saving:
            self.mark(Mark.DAYLIGHT_SAVING, now)
        self.switch_rates(now)
        self.firmware.after_daylight_change(self, now)

    def step_clock(self, now: int) -> None:
        """The clock takes a step towards where it is being adjusted."""
        self.clock.step(now, lambda pending: self.firmware.clock_step(pending, self.profile.adjust_step))
        self.flag(IntervalStatus.TIME_SYNC)
        self.agenda.plan(now)

    def adjust_clock(self, now: int, moment: datetime) -> bool:
        """Begin to adjust the clock to `moment`; whether that is within the limit."""
        self.settle(now)
        by = (moment - self.clock.read(now)) // _MICROSECOND * 1000
        if not self.firmware.may_adjust(by, self.profile.adjust_limit):
            return False
        self.clock.pending = by
        self.agenda.plan(now)
        return True

    def set_clock(self, now: int, moment: datetime) -> None:
        """Set the clock to what people are to read: the periods under way are broken off."""
        self.settle(now)
        if self.firmware.flags_time_change:
            self.flag(IntervalStatus.TIME_SYNC)
        self.end_profile_period(now)
        before = self.clock.standard(now)
        shown = self.clock.read(now)
        self.clock.set(now, self.firmware.clock_setting(shown, moment))
        self._time_moved(now, before, day_changed=self.clock.read(now).date() != shown.date())

    def _time_moved(self, now: int, before: int, *, day_changed: bool) -> None:
        after = self.clock.standard(now)
        self.lock.locked_until += after - before
        if self.firmware.marks_time_change(before, after):
            self.mark(Mark.TIME_CHANGE, now)
        if day_changed:
            self.new_day(now)
        self.registers.demand.begin(self.registers.energies(now))
        self.switch_rates(now)
        self.agenda.plan(now)

    # -- billing -----------------------------------------------------------------------------------------------------

    def billing_date(self, now: int) -> None:
        """A billing date has come."""
        self.bill_if_switched_on(now, Trigger.BILLING_DATE)

    def bill_if_switched_on(self, now: int, trigger: Trigger) -> bool:
        """Reset billing for a trigger, if the meter follows it; whether it did."""
        follows = trigger in self.profile.billing_triggers
        if follows:
            self.reset_billing(now, trigger)
        return follows

    def manual_reset(self, now: int, trigger: Trigger) -> bool:
        """A billing reset by hand, from the button or through a port; whether it was not locked out."""
        self.settle(now)
        standard = self.clock.standard(now)
        if self.firmware.locked_out(self.lock, standard) or not self.bill_if_switched_on(now, trigger):
            return False
        self.lock.lock(standard, self.clock.standard(self.clock.next_midnight(now)))
        return True

    def reset_billing(self, now: int, trigger: int) -> None:
        """End the billing period: the set is stored with the demand up to now, then the maxima begin anew."""
        firmware = self.firmware
        firmware.before_billing(self, now)
        standard = self.clock.standard(now)
        if firmware.closes_demand and trigger & _MANUAL:
            self._force_demand_end(now)
        self.billing.store(standard, trigger, self.registers.take(now))
        firmware.after_store(self, now)
        self.registers.demand.reset()
        self.log(Event.BILLING, now, trigger)
        self.save(now)
        firmware.after_billing(self, now)

    def _force_demand_end(self, now: int) -> None:
        self.end_demand_period(now)
        self.registers.demand.begin(self.registers.energies(now))
        self.end_profile_period(now)
        self.mark(Mark.FORCED_DEMAND_END, now)

    # -- events ------------------------------------------------------------------------------------------------------

    def log(self, event: Event, now: int, info: int = 0) -> None:
        """Note an event in its log, in the status of the record under way, and tell who wants to know."""
        firmware = self.firmware
        log = self.events.logs[event]
        log.note(self.clock.standard(now), info, count=firmware.count_event, push=firmware.push_event)
        self.flag(self._status_bits(event))
        if self.events.on_event is not None:
            self.events.on_event(event, now, info)

    def last(self, now: int, event: Event, *, lasts: bool, info: int = 0) -> None:
        """An event begins or ends: its beginning is logged, its status bit stands until it ends."""
        if lasts == (event in self.events.lasting):
            return
        self.settle(now)
        if lasts:
            self.log(event, now, info)
            self.events.lasting.add(event)
        else:
            self.events.lasting.discard(event)
            self.flag(self._status_bits(event))
        if self.recorder is not None:
            self.recorder.standing = self.standing_status()

    def standing_status(self) -> int:
        """The status bits of what lasts."""
        return sum(self._status_bits(each) for each in self.events.lasting)

    @staticmethod
    def _status_bits(event: Event) -> int:
        return STATUS.get(event, 0) | EXTENDED.get(event, 0) << EXTENDED_SHIFT

    # -- supply, memory ----------------------------------------------------------------------------------------------

    def save(self, now: int) -> None:
        """Save the registers, as every two hours."""
        self.saved = self.registers.take(now)

    def listening(self, now: int) -> bool:
        """Whether the meter answers: it has its supply and has finished booting."""
        return self.supply.on and now >= self.supply.booted_at

    def transient_reset(self, now: int) -> None:
        """A disturbance restarts the firmware without a power cut; a session is lost, periods are broken off."""
        self.settle(now)
        self.log(Event.TRANSIENT_RESET, now)
        self.end_profile_period(now)
        self.registers.demand.begin(self.registers.energies(now))
        self.supply.booted_at = now + self.profile.boot
        self.forget(now)

    def fail_phases(self, now: int, phases: Phases) -> None:
        """These phases fail, and those that had failed and are not among them return."""
        self.settle(now)
        fresh = phases & ~self.events.phases
        self.events.phases = phases
        if fresh and Event.PHASE_FAILURE in self.events.lasting:
            self.log(Event.PHASE_FAILURE, now, fresh)
        self.last(now, Event.PHASE_FAILURE, lasts=bool(phases), info=fresh)

    def forget(self, _now: int) -> None:
        """Lose what is volatile; a face that has some overrides this."""
