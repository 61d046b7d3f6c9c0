"""The devices of a station file: what model they are, where they are reached, and what may be done to them."""

from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    model_serializer,
    model_validator,
)

from bench.station.entry import Entry, NamedEntry
from bench.station.kinds import (
    Command,
    Duration,
    Id,
    Kind,
    Outstation,
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
MODBUS_MODELS = ("CM2350", "CM3350", "CM4250", "PM820", "PM850", "PM870", "CM2000", "CM3000", "CM4000")
#: Elster's meters, which speak FLAG (IEC 62056-21).
FLAG_MODELS = ("A1120", "A1140", "A1700")
MODELS = (*MODBUS_MODELS, *FLAG_MODELS)

#: What the four words of an energy register block can hold (Wh, varh, VAh).
LARGEST_ENERGY = 10**16 - 1

Protection = Literal["read-only", "sacrificial"]
Wake = Literal["slow", "fast"]
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


def _no_password_itself(value: object) -> object:
    """A password never stands in a file; whoever tries is told how, and not shown what was there."""
    if value is None or value == "simulated" or isinstance(value, Password):
        return value
    if isinstance(value, dict) and set(value) == {"env"} and isinstance(value["env"], str):
        return value
    raise wrong("write {env: NAME}, the environment variable that holds the password, or simulated")


class Password(Entry):
    """Where the password of a FLAG meter is: never in the file itself."""

    env: Text = Field(description="the environment variable that holds its eight characters")


class Device(NamedEntry):
    """One meter of the station."""

    #: What only a device of the other protocol has.
    ONLY_FOR: ClassVar[dict[str, tuple[str, ...]]] = {
        "modbus": ("address", "identity"),
        "flag": ("outstation", "password", "wake"),
    }

    model: Annotated[str, one_of(MODELS, "a known model")]
    link: Id
    address: Annotated[int, whole(1, 247)] = Field(default=0, description="Modbus unit; a FLAG meter has an outstation")
    outstation: Outstation = Field(default="", description="FLAG address; empty where one meter is on the line")
    password: Annotated[Password | Literal["simulated"] | None, BeforeValidator(_no_password_itself)] = Field(
        default=None, description="of a FLAG meter; simulated: the well-known one of meterbench serve"
    )
    wake: Annotated[Wake, one_of(("slow", "fast"), "a wake-up")] | None = Field(
        default=None, description="of a FLAG meter that sleeps: how it is woken first (IEC 62056-21 Annex B)"
    )
    serial: Text | None = None
    protection: Annotated[Protection, one_of(("read-only", "sacrificial"), "a protection")] = "read-only"
    identity: Identity = Identity()
    power: PowerControl | None = None
    load: LoadControl | None = None
    simulate: Simulation | None = None

    @model_validator(mode="after")
    def _speaks_one_protocol(self) -> Self:
        other = "modbus" if self.protocol == "flag" else "flag"
        foreign = [key for key in self.ONLY_FOR[other] if key in self.model_fields_set]
        if foreign:
            has = "an outstation" if self.protocol == "flag" else "an address"
            article = "an" if self.protocol == "flag" else "a"
            raise wrong(f"{article} {self.model} has {has}; remove: {', '.join(foreign)}")
        if self.protocol == "modbus" and not self.address:
            raise wrong("address is missing")
        return self

    @model_serializer(mode="wrap")
    def _say_what_it_has(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        other = "modbus" if self.protocol == "flag" else "flag"
        return {key: value for key, value in handler(self).items() if key not in self.ONLY_FOR[other]}

    @property
    def protocol(self) -> Literal["modbus", "flag"]:
        """What it speaks."""
        return "flag" if self.model in FLAG_MODELS else "modbus"

    @property
    def sacrificial(self) -> bool:
        """Whether the station gives the device up to writing tests."""
        return self.protection == "sacrificial"
