"""The metrology of a PowerLogic meter: supply, physics, energies, demand, extremes, clock and memory; no registers.

A meter is passive. It is told of changes of its feeder, and settles when a request looks at it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from protocols.powerlogic.energy import LIMIT, Quantity
from protocols.powerlogic.tables import Model
from simulators.metering.clock import MeterClock
from simulators.metering.demand import MINUTE, Demand, Mode, Setting
from simulators.metering.energy import WH, Accumulators, whole_wh
from simulators.metering.extremes import Extremes
from simulators.metering.memory import Journal
from simulators.meters.powerlogic.firmware import HEALTHY, Firmware
from simulators.meters.powerlogic.measuring import Measured, Ratios, measure
from simulators.meters.powerlogic.profile import Profile
from simulators.power.feeder import Feeder

#: Conditional and incremental energies count five of the seven quantities (ACCESS 9340 EN-148).
PARTIAL = (Quantity.REAL_IN, Quantity.REACTIVE_IN, Quantity.REAL_OUT, Quantity.REACTIVE_OUT, Quantity.APPARENT_TOTAL)
#: Power demand as a meter leaves the factory (assumed).
_FACTORY_DEMAND = Setting(Mode.BLOCK, 15 * MINUTE)


def _unnoticed(_step: str, _at: int) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class Installation:
    """The transformers that are really there, (primary, secondary), whatever the meter's set-up says."""

    ct: tuple[int, int] = (5, 5)
    pt: tuple[int, int] = (1, 1)

    @property
    def ratios(self) -> Ratios:
        """Both as ratios."""
        return Ratios(Fraction(*self.ct), Fraction(*self.pt))


class Metrology:
    """What a PowerLogic meter of either generation counts and keeps.

    Args:
        model: what kind it is.
        feeder: the supply and load it is connected to.
        epoch: its local time at the world's instant 0.
        profile: what documents leave open.
        installation: the transformers in front of it; its set-up starts with the same ratios.
    """

    __slots__ = ("_accumulators", "_booted_at", "_conditional", "_counts_conditional", "_due", "_incremental",
                 "_measured", "_powered", "_steady", "clock", "config", "demand", "energy_version", "extremes",
                 "feeder", "firmware", "incremental_end", "installation", "journal", "last_increment", "model",
                 "notice", "profile", "stamps")  # fmt: skip

    def __init__(
        self, model: Model, feeder: Feeder, epoch: datetime, profile: Profile, installation: Installation
    ) -> None:
        self.model = model
        self.profile = profile
        self.firmware: Firmware = HEALTHY
        self.feeder = feeder
        self.installation = installation
        #: Set-up registers and what else is kept as a word, by register name.
        self.config: dict[str, int] = {}
        self.clock = MeterClock(epoch, profile.clock_drift_ppm)
        #: Told of each internal step and its instant (ns), for who wants to interrupt the meter there.
        self.notice: Callable[[str, int], None] = _unnoticed
        self.journal = Journal()
        #: Meter times of resets and of the preset, by register name.
        self.stamps: dict[str, datetime] = {}
        self._accumulators = Accumulators(len(Quantity))
        self._conditional = Accumulators(len(PARTIAL))
        self._counts_conditional = False
        self._incremental = Accumulators(len(PARTIAL))
        #: The last completed interval of incremental energy, whole Wh, and its end.
        self.last_increment = [0] * len(PARTIAL)
        self.incremental_end: datetime | None = None
        self.demand = Demand(3, _FACTORY_DEMAND)
        self.extremes = Extremes()
        #: Moves whenever the energies or their rates change other than by growing.
        self.energy_version = 0
        self._due: list[tuple[int, Callable[[int], None]]] = []
        self._booted_at = 0
        self._powered = True
        self._measured: Measured | None = None
        #: Register blocks, (first, count) to bytes, that stay as they are until something happens to the meter.
        self._steady: dict[tuple[int, int], bytes] = {}
        feeder.connect(self)
        self.default_config(installation)
        self.after_change(0)

    # -- set-up ------------------------------------------------------------------------------------------------------

    def default_config(self, installation: Installation) -> None:
        """Put the set-up of a meter that is commissioned with these transformers."""
        ct, pt = installation.ct, installation.pt
        direct = pt == (1, 1)
        self.config.update(
            ct_primary=ct[0], ct_secondary=ct[1], neutral_ct_primary=ct[0], neutral_ct_secondary=ct[1],
            pt_primary=pt[0], pt_primary_scale=-1 if direct else 0, pt_secondary=120 if direct else pt[1],
            nominal_frequency=50, system_type=40, accumulation_mode=0,
            scale_A=-1, scale_B=-1, scale_C=-1, scale_D=-1, scale_E=-1, scale_F=-2, scale_H=1,
        )  # fmt: skip

    def factory_defaults(self, now: int) -> None:
        """Forget the set-up: the meter believes in no transformers (that these are the defaults is assumed)."""
        self.before_change(now)
        self.config.clear()
        self.default_config(Installation())
        self.demand.configure(now, _FACTORY_DEMAND, self.since_midnight)
        self.after_change(now)

    @property
    def believed(self) -> Ratios:
        """The ratios of the set-up. PT primary scale -1 means connected directly (CM4000 manual p. 158)."""
        c = self.config
        direct = c["pt_primary_scale"] < 0
        voltage = Fraction(1) if direct else Fraction(c["pt_primary"] * 10 ** c["pt_primary_scale"], c["pt_secondary"])
        return Ratios(Fraction(c["ct_primary"], c["ct_secondary"]), voltage)

    @property
    def signed_mode(self) -> bool:
        """Whether totals are signed (in minus out) rather than absolute (in plus out)."""
        return self.config["accumulation_mode"] == 1

    # -- physics -----------------------------------------------------------------------------------------------------

    def before_change(self, now: int) -> None:
        """The feeder is about to change: count what was until now."""
        self.settle(now)

    def after_change(self, now: int) -> None:
        """The feeder or the set-up has changed: count at the new rates from now on, and see to the supply."""
        if self._powered and not self.feeder.auxiliary:
            self._power_lost(now)
        elif not self._powered and self.feeder.auxiliary:
            self._powered = True
            self.boot(now)
        self._measured = None
        self._steady.clear()
        self._apply_rates(now)
        if self._powered:
            self.extremes.look(self.extreme_values(now), self.clock.read(now))

    def _apply_rates(self, now: int) -> None:
        seen = self.measured(now)
        real, reactive, apparent = (seen.real[-1], seen.reactive[-1], seen.apparent[-1]) if self._powered else (0, 0, 0)
        into, out = (max(real, 0), max(reactive, 0)), (max(-real, 0), max(-reactive, 0))
        totals = self.firmware.total_rates(self.signed_mode, real, reactive)
        self._accumulators.run_at(now, self.firmware.counted(self, (*into, *out, *totals, apparent)))
        partial = (*into, *out, apparent)
        self._conditional.run_at(now, partial if self._counts_conditional else (0,) * len(partial))
        self._incremental.run_at(now, partial)
        self.demand.run_at(now, (real, reactive, apparent))
        self.energy_version += 1

    def measured(self, _now: int) -> Measured:
        """What the meter measures; one look serves until the feeder or the set-up changes."""
        if self._measured is None:
            self._measured = measure(self.feeder.point(), self.believed, self.installation.ratios)
        return self._measured

    def extreme_values(self, now: int) -> Mapping[str, int]:
        """The quantities whose minimum and maximum are kept."""
        seen = self.measured(now)
        return {
            "current_average": sum(seen.currents) // 3,
            "voltage_ll_average": sum(seen.voltages_ll) // 3,
            "voltage_ln_average": sum(seen.voltages_ln) // 3,
            "real_power_total": seen.real[-1],
            "reactive_power_total": seen.reactive[-1],
            "apparent_power_total": seen.apparent[-1],
            "frequency": seen.frequency,
        }

    def settle(self, now: int) -> None:
        """Bring everything up to the instant `now`: what was due by then has happened."""
        due = self._due
        while due and due[0][0] <= now:
            when, action = due.pop(0)
            self._steady.clear()
            action(when)

    def later(self, when: int, action: Callable[[int], None]) -> None:
        """Have `action` happen at the instant `when`, at the latest when somebody looks."""
        self._due.append((when, action))
        self._due.sort(key=lambda entry: entry[0])

    # -- energies ----------------------------------------------------------------------------------------------------

    def energies(self, now: int) -> dict[Quantity, int]:
        """The seven accumulated energies in whole Wh (varh, VAh)."""
        self.settle(now)
        values = [self.shown(value) for value in self._accumulators.at(now)]
        return dict(zip(Quantity, values, strict=True))

    def energies_picojoule(self, now: int) -> list[int]:
        """The same, exactly, in picojoule."""
        return self._accumulators.at(now)

    def shown(self, picojoule: int) -> int:
        """Whole Wh as the registers show it, with the meter's behaviour beyond the last digit."""
        wh = whole_wh(picojoule)
        if -LIMIT <= wh <= LIMIT:
            return wh
        return self.firmware.beyond_limit(wh, self.profile.rollover)

    def energy_rates(self) -> tuple[int, ...]:
        """The rates of the seven energies in mW (mvar, mVA)."""
        return self._accumulators.rates

    def put_energies(self, now: int, values: Sequence[int], *, safe_at: int | Sequence[int] | None = None) -> None:
        """Replace the accumulated energies (picojoule) at `now`; a power cut before `safe_at` takes that back.

        A healthy meter saves the seven as one; a sequence has an instant for each.
        """
        if safe_at is None or isinstance(safe_at, int):
            self._put(self._accumulators, now, values, safe_at)
            return
        for index, (value, safe) in enumerate(zip(values, safe_at, strict=True)):
            before = self._accumulators.at(now)
            self._put(self._accumulators, now, [*before[:index], value, *before[index + 1 :]], safe)

    def _put(self, counter: Accumulators, now: int, values: Sequence[int], safe_at: int | None = None) -> None:
        """Replace what a counter holds. Taken back, it has the old energies and all that it counted since."""
        lost = [before - after for before, after in zip(counter.at(now), values, strict=True)]

        def undo(when: int) -> None:
            counter.preset(when, [value + part for value, part in zip(counter.at(when), lost, strict=True)])

        counter.preset(now, values)
        self.energy_version += 1
        self.changed(now, undo, safe_at=safe_at)

    def changed(self, now: int, undo: Callable[[int], None], *, safe_at: int | None = None) -> None:
        """What is kept was changed at `now`; a power cut before `safe_at` (the save delay later) takes that back."""
        safe = now + self.profile.save_delay if safe_at is None else safe_at
        self.notice("changed", now)
        self.notice("saved", safe)
        self.journal.changed(now, safe, undo)

    def start_with(self, energies: Mapping[Quantity, int], fractions: Sequence[int] = ()) -> None:
        """Begin life with these readings (whole Wh), as a meter that has been in service.

        Args:
            energies: what the registers show.
            fractions: what each has counted beyond that (picojoule, less than a Wh), away from zero.
        """
        whole = [energies.get(quantity, 0) * WH for quantity in Quantity]
        beyond = fractions or [0] * len(whole)
        self._accumulators.preset(0, [w - b if w < 0 else w + b for w, b in zip(whole, beyond, strict=True)])

    def partial(self, kind: str, now: int) -> list[int]:
        """Conditional or running incremental energies, whole Wh."""
        source = self._conditional if kind == "conditional" else self._incremental
        return [self.shown(value) for value in source.at(now)]

    def clear_partial(self, kind: str, now: int) -> None:
        """Clear the conditional or the incremental energies."""
        source = self._conditional if kind == "conditional" else self._incremental
        self._put(source, now, [0] * len(PARTIAL))
        if kind == "incremental":
            self._clear_last_increment(now)
        self.stamp(f"{kind}_reset_time", now)

    def _clear_last_increment(self, now: int) -> None:
        before, self.last_increment = self.last_increment, [0] * len(PARTIAL)
        cleared = self.last_increment

        def undo(_when: int) -> None:
            if self.last_increment is cleared:  # no interval has ended since
                self.last_increment = before

        self.changed(now, undo)

    def reset_demand(self, now: int) -> None:
        """Forget the peaks of the demand, until a power cut takes that back."""
        peaks = self.demand.peaks
        self.demand.reset(now)
        self.changed(now, lambda _when: self.demand.remember(peaks))

    def reset_extremes(self, now: int) -> None:
        """Forget minima and maxima, until a power cut takes that back."""
        seen = self.extremes.reset(self.extreme_values(now), self.clock.read(now))
        self.changed(now, lambda _when: self.extremes.remember(seen))

    def count_conditional(self, now: int, *, on: bool) -> None:
        """Commands 6320 and 6321: stop or start the conditional energies."""
        self._counts_conditional = on
        self._apply_rates(now)

    @property
    def counts_conditional(self) -> bool:
        """Whether conditional energy is being counted."""
        return self._counts_conditional

    def end_increment(self, now: int) -> None:
        """Close the incremental interval: it becomes the last completed one and a new one begins at zero."""
        self.last_increment = self.partial("incremental", now)
        self.incremental_end = self.clock.read(now)
        self._incremental.preset(now, [0] * len(PARTIAL))

    # -- time, supply, memory ----------------------------------------------------------------------------------------

    def since_midnight(self, now: int) -> int:
        """The meter's time of day in ns."""
        moment = self.clock.read(now)
        return ((moment.hour * 60 + moment.minute) * 60 + moment.second) * 1_000_000_000 + moment.microsecond * 1000

    def stamp(self, name: str, now: int) -> None:
        """Keep the meter time of a reset or preset under its register name."""
        before = self.stamps.get(name)

        def undo(_when: int) -> None:
            if before is None:
                self.stamps.pop(name, None)
            else:
                self.stamps[name] = before

        self.stamps[name] = self.firmware.stamped(self.clock.read(now))
        self.changed(now, undo, safe_at=self.firmware.stamp_save_time(name, now, self.profile.save_delay))

    def set_clock(self, now: int, moment: datetime) -> None:
        """Set the clock; an interval of demand that follows the clock begins anew."""
        self.notice("changed", now)
        self.demand.settle(now)
        self.clock.set(now, moment)
        if self.demand.follows_clock:
            self.demand.begin_anew(now, self.since_midnight)

    def listening(self, now: int) -> bool:
        """Whether the meter answers: it has its supply and has finished booting."""
        if self._due:
            self.settle(now)
        return self._powered and now >= self._booted_at

    def boot(self, now: int) -> None:
        """Start the firmware: silent for the boot time, a new interval of demand, volatile state as after power-up."""
        self._booted_at = now + self.profile.boot
        self.notice("start", now)
        self.notice("started", self._booted_at)
        self.demand.begin_anew(now, self.since_midnight)
        self.firmware.after_boot(self, now)

    def _power_lost(self, now: int) -> None:
        self.firmware.before_power_loss(self, now)
        self.notice("supply lost", now)
        self._powered = False
        self._due.clear()
        self.journal.power_lost(now)
        self.forget(now)

    def silent_until(self, when: int) -> None:
        """Stay silent until the instant `when`, if that is later than booting takes."""
        self._booted_at = max(self._booted_at, when)

    def forget(self, _now: int) -> None:
        """Lose what is volatile; a generation that has more of it overrides this."""
