"""The devices of a station file: what model they are, where they are reached, and what may be done to them."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, WithJsonSchema, model_validator

from bench.station.entry import Entry, NamedEntry
from bench.station.kinds import (
    Command,
    Duration,
    Id,
    Kind,
    Power,
    PowerFactor,
    Text,
    WattsCommand,
    one_of,
    whole,
    wrong,
)
from bench.station.mistakes import shown

#: The models that a station file may name: types, then family names (the table of docs/stations.md).
MODELS = ("CM2350", "CM3350", "CM4250", "PM820", "PM850", "PM870", "CM2000", "CM3000", "CM4000")

#: What the four words of an energy register block can hold (Wh, varh, VAh).
LARGEST_ENERGY = 10**16 - 1

Protection = Literal["read-only", "sacrificial"]
Energy = Annotated[int, whole(-LARGEST_ENERGY, LARGEST_ENERGY)]


def _profile_value(value: object) -> object:
    if isinstance(value, list):
        return tuple(map(_profile_value, value))
    if not isinstance(value, str | int | bool | Decimal):
        raise wrong(f"{shown(value)} is neither a single value nor a list of them")
    return value


def _written(value: object) -> object:
    if isinstance(value, tuple):
        return list(map(_written, value))
    return float(value) if isinstance(value, Decimal) else value


#: Numbers with a decimal point are exact decimals; the simulator knows which names and values a model has.
ProfileValue = Annotated[object, Kind(_profile_value, {"type": ["string", "number", "boolean", "array"]}, _written)]


_PROFILE_SCHEMA = {
    "anyOf": [
        {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "array"]}},
        {"type": "string", "examples": ["pm850.profile.yaml"]},
    ]
}


class Identity(Entry):
    """What the device must say of itself (function codes 17 and 43/14); what is not given here is not pinned."""

    product_id: Annotated[int, whole(0, 65_535)] | None = None
    vendor: Text | None = None
    name: Text | None = None
    revision: Text | None = None


class PowerControl(Entry):
    """How to interrupt the device's supply: one command for the whole cycle, or one for each half of it."""

    type: Annotated[str, one_of(("command",), "a power control")]
    cycle: Command | None = None
    off: Command | None = None
    on: Command | None = None
    boot: Duration = Field(default=10_000_000_000, description="how long to wait after the supply has returned")

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        halves = (self.off is not None) + (self.on is not None)
        if (self.cycle is not None, halves) not in {(True, 0), (False, 2)}:
            raise wrong("needs either cycle, or both off and on")
        return self


class LoadControl(Entry):
    """How to change the load on the device: a command with a place for the power."""

    type: Annotated[str, one_of(("command",), "a load control")]
    command: WattsCommand = Field(alias="set")

    @property
    def sets_power_factor(self) -> bool:
        """Whether the command has a place for the power factor too."""
        return "{power_factor}" in self.command

    def command_for(self, watts: int, power_factor: float = 1) -> str:
        """The command that sets the load to `watts` (W, negative for export) and a power factor (negative: leading)."""
        return self.command.replace("{watts}", str(watts)).replace("{power_factor}", f"{power_factor:g}")


class CurrentTransformers(Entry):
    """CT ratio, in amperes (registers 3201 and 3202)."""

    primary: Annotated[int, whole(1, 32_767)]
    secondary: Annotated[int, one_of((1, 5), "a CT secondary current")]


class VoltageTransformers(Entry):
    """PT ratio, in volts (registers 3205 to 3207)."""

    primary: Annotated[int, whole(1, 3_276_700)]
    secondary: Annotated[int, one_of((100, 110, 115, 120), "a PT secondary voltage")]


class Energies(Entry):
    """Accumulated energies to start with (Wh, varh, VAh)."""

    real_energy_in: Energy = 0
    reactive_energy_in: Energy = 0
    real_energy_out: Energy = 0
    reactive_energy_out: Energy = 0
    real_energy_total: Energy = 0
    reactive_energy_total: Energy = 0
    apparent_energy_total: Annotated[int, whole(0, LARGEST_ENERGY)] = 0


class Simulation(Entry):
    """The world around a simulated device, and the device's past."""

    load: Power = Field(default=10_000_000, description="three-phase real power; negative when the plant generates")
    power_factor: PowerFactor = Field(default=Decimal("0.9"), description="negative when leading")
    energies: Energies = Energies()
    ct: CurrentTransformers = CurrentTransformers(primary=100, secondary=5)
    pt: VoltageTransformers | None = Field(default=None, description="none: the voltage inputs are connected directly")
    defects: tuple[Id, ...] = Field(default=(), description="firmware defects that are switched on", strict=False)
    profile: Annotated[dict[Id, ProfileValue], WithJsonSchema(_PROFILE_SCHEMA)] = Field(
        default={}, description="what no document says about the model: values, or the name of a profile file"
    )


class Device(NamedEntry):
    """One meter of the station."""

    model: Annotated[str, one_of(MODELS, "a known model")]
    link: Id
    address: Annotated[int, whole(1, 247)]
    serial: Text | None = None
    protection: Annotated[Protection, one_of(("read-only", "sacrificial"), "a protection")] = "read-only"
    identity: Identity = Identity()
    power: PowerControl | None = None
    load: LoadControl | None = None
    simulate: Simulation | None = None

    @property
    def sacrificial(self) -> bool:
        """Whether the station gives the device up to writing tests."""
        return self.protection == "sacrificial"
