"""What is swept of programming a scheme: which scheme into which Elster meter, who is cut off, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bench.errors import UsageError
from bench.scheme.load import scheme_from_text
from bench.scheme.plan import Plan as Program
from bench.scheme.plan import plan_of
from bench.station import Station, find_station
from bench.station.devices import Simulation
from bench.sweep.plan import nanoseconds

SchemeVictim = Literal["meter", "line", "bench"]
SCHEME_VICTIMS: tuple[SchemeVictim, ...] = ("meter", "line", "bench")
#: The meters of the built-in station by their models: one behind an optical head, one on RS-485.
METERS = {"A1140": "a1140", "A1700": "a1700"}
#: What stands in the meter before, and the passwords of the schemes below by the names of their variables.
OLD_ID = "OLD-1"
PASSWORDS = {"LEVEL_2": "SWEPT-02", "LEVEL_3": "SWEPT-03"}

_HEAD = "scheme: 1\nid: {id}\nversion: 1\nmodels: [{model}]\n"
#: Schemes that are small, so that every byte of them can be cut at: sections of one identity and of two, and passwords;
#: and one section of three identities of which one has several packets. The profile keeps its period: a change of it
#: ends the period under way, and what is kept of that moment is no matter of a scheme.
SCHEMES = {
    "settings": (
        "transformers: {{ct: {{primary: 400, secondary: 5}}{vt}}}\n"
        "demand: {{period: 15 min}}\n"
        "profile: {{channels: [import, export, q1], period: 15 min}}\n"
        "passwords: {{2: {{env: LEVEL_2}}, 3: {{env: LEVEL_3}}}}\n"
    ),
    "tariff": (
        "tariff:\n"
        "  seasons: {{year: {{from: 01-01, to: 12-31, week: {{weekdays: work, weekend: rest}}}}}}\n"
        '  day_types: {{work: {{"00:00": 2, "07:00": 1}}, rest: {{"00:00": 2}}}}\n'
    ),
}
_VT = ", vt: {primary: 11000, secondary: 110}"


@dataclass(frozen=True, slots=True)
class SchemePlan:
    """One sweep. Durations as a station file writes them; it raises UsageError where it cannot be.

    Attributes:
        model: A1140 or A1700.
        scheme: a name of `SCHEMES`.
        victim: the meter (its supply), the line (the call is lost), or the bench (its process is killed).
        off: how long the supply stays away, or the line; "0 s" for a call that is lost and can be made again at once.
        save_delay: how long a change waits before it survives a cut.
        defects: firmware defects of the meter.
        seed: of the world.
    """

    model: str = "A1140"
    scheme: str = "settings"
    victim: SchemeVictim = "meter"
    off: str = "1 s"
    save_delay: str = "50 ms"
    defects: tuple[str, ...] = ()
    seed: int = 0

    @property
    def device(self) -> str:
        """The meter of the built-in station."""
        return METERS[self.model]

    @property
    def off_time(self) -> int:
        """How long supply or line stay away, ns."""
        return nanoseconds(self.off)

    @property
    def save_time(self) -> int:
        """How long a change waits before it survives a cut, ns."""
        return nanoseconds(self.save_delay)

    @property
    def title(self) -> str:
        """Its row of the table."""
        cut = {"meter": f"cut for {self.off}", "line": f"line lost for {self.off}", "bench": "bench killed"}
        return f"{self.scheme}, {self.model}, {cut[self.victim]}, save delay {self.save_delay}"

    def program(self) -> Program:
        """What is written into the meter."""
        text = SCHEMES[self.scheme].format(vt=_VT if self.model == "A1700" else "")
        scheme = scheme_from_text(_HEAD.format(id="NEW-2", model=self.model) + text, "sweep.yaml")
        return plan_of(scheme, self.model, PASSWORDS)

    def station(self) -> Station:
        """The meter alone, without a load: what it has counted must not move at all."""
        builtin = find_station("sim")
        device = builtin.device(self.device)
        past = (device.simulate or Simulation()).model_copy(
            update={"profile": {"save_delay": self.save_delay}, "load": 0}
        )
        devices = {device.id: device.model_copy(update={"simulate": past})}
        return builtin.model_copy(update={"devices": devices, "links": {device.link: builtin.links[device.link]}})

    def __post_init__(self) -> None:
        if self.model not in METERS or self.scheme not in SCHEMES:
            raise UsageError(f"no scheme {self.scheme} of an {self.model} can be swept")
        for text in (self.off, self.save_delay):
            nanoseconds(text)
