"""The links of a station file: one model for each way to reach a device.

The link entry is all that differs between a simulated and a real device.
"""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from bench.station.entry import Entry, NamedEntry
from bench.station.kinds import (
    AtCommand,
    Baud,
    Duration,
    Flag,
    Framing,
    Host,
    LineFault,
    PhoneNumber,
    Port,
    Rfc2217Url,
    SerialPort,
    Text,
    Timeout,
    one_of,
    whole,
    wrong,
)

_SECOND = 1_000_000_000
#: Media on which a number is called first.
DIALLED = ("pstn", "gsm", "paknet")
MEDIA = ("rs485", "rs232", "ethernet", "optical", "network", *DIALLED)


class Modem(Entry):
    """A Hayes modem on the port: whom it calls, and how it is prepared."""

    number: PhoneNumber = Field(description="what stands behind ATD; T or P in front for tones or pulses")
    init: tuple[AtCommand, ...] = Field(
        default=("ATZ", "ATE0V1Q0"), description="command lines before the call", strict=False
    )
    attempts: Annotated[int, whole(1, 10)] = Field(default=3, description="how often a call that fails is tried")


class RadioPad(Entry):
    """A packet radio PAD on the port: whom it calls."""

    number: PhoneNumber = Field(description="network user address: 14 digits on PAKNET")
    attempts: Annotated[int, whole(1, 10)] = Field(default=3, description="how often a call that fails is tried")


class SimLink(NamedEntry):
    """A simulated line in the same process: an RS-485 bus, an RS-232 line or an Ethernet."""

    #: Keys that only mean something on some media.
    ONLY_ON: ClassVar[dict[str, tuple[str, ...]]] = {
        "baud": ("rs485", "rs232", "optical", "network"),
        "framing": ("rs485", "rs232"),
        "echo": ("rs485", "rs232", "optical"),
        "delay": ("ethernet",),
    }

    type: Literal["sim"]
    medium: Annotated[str, one_of(MEDIA, "a medium")] = "rs485"
    baud: Baud = 9_600
    framing: Framing = "8N1"
    echo: Flag = Field(default=False, description="the adapter hears what it sends")
    turnaround: Duration = Field(default=20_000_000, description="from the last bit of a request to its answer")
    delay: Duration = Field(default=1_000_000, description="one way through the network")
    timeout: Timeout = _SECOND
    faults: tuple[LineFault, ...] = Field(
        default=(), description="line faults to switch on, as in meterbench faults list", strict=False
    )

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        idle = [key for key, media in self.ONLY_ON.items() if key in self.model_fields_set and self.medium not in media]
        if idle:
            raise wrong(f"without meaning on medium {self.medium}, remove: {', '.join(idle)}")
        return self

    @model_serializer(mode="wrap")
    def _say_what_means_something(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        told = {key: value for key, value in handler(self).items() if key != "faults" or value}
        return {key: value for key, value in told.items() if self.medium in self.ONLY_ON.get(key, self.medium)}

    @property
    def room(self) -> int | None:
        """How many Modbus devices the medium has room for; None where there is no such limit."""
        return 1 if self.medium == "rs232" else None

    @property
    def room_for_flag(self) -> int:
        """How many FLAG meters: ten on RS-232 (by a splitter), 32 on RS-485 (A1140 manual p. 37), one behind a head."""
        return {"optical": 1, "rs232": 10}.get(self.medium, 32)


class SerialLink(NamedEntry):
    """A serial port of this machine, or whatever else pyserial can open by URL."""

    type: Literal["serial"]
    port: SerialPort = Field(description="a device name or a pyserial URL")
    baud: Baud = 9_600
    framing: Framing = "8N1"
    echo: Flag = Field(default=False, description="the adapter hears what it sends")
    modem: Modem | None = Field(default=None, description="FLAG meters are called through it")
    pad: RadioPad | None = Field(default=None, description="FLAG meters are called through it")
    timeout: Timeout = _SECOND


class TcpLink(NamedEntry):
    """A TCP connection: Modbus TCP, or Modbus RTU frames over TCP."""

    type: Literal["tcp"]
    host: Host
    port: Port = 502
    modbus: Annotated[str, one_of(("tcp", "rtu"), "a Modbus framing")] = "tcp"
    echo: Flag = Field(default=False, description="an optical head behind it sends back what it hears; FLAG only")
    modem: Modem | None = Field(default=None, description="FLAG meters are called through it")
    pad: RadioPad | None = Field(default=None, description="FLAG meters are called through it")
    timeout: Timeout = _SECOND


class Rfc2217Link(NamedEntry):
    """A serial port of another machine, speed and framing included (RFC 2217)."""

    type: Literal["rfc2217"]
    host: Host | None = None
    port: Port | None = None
    url: Rfc2217Url | None = None
    baud: Baud = 9_600
    framing: Framing = "8N1"
    echo: Flag = Field(default=False, description="the adapter hears what it sends")
    modem: Modem | None = Field(default=None, description="FLAG meters are called through it")
    pad: RadioPad | None = Field(default=None, description="FLAG meters are called through it")
    timeout: Timeout = _SECOND

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.url is None) is (self.host is None or self.port is None) or (self.url and (self.host or self.port)):
            raise wrong("needs either url, or host and port")
        return self

    @property
    def target(self) -> str:
        """The URL that pyserial opens."""
        if self.url is not None:
            return self.url
        host = f"[{self.host}]" if self.host and ":" in self.host else self.host
        return f"rfc2217://{host}:{self.port}"


class ReplayLink(NamedEntry):
    """A recorded wire instead of a line: nothing is opened, and time is that of the recording."""

    type: Literal["replay"]
    trace: Text = Field(description="a trace, or a folder with one for each device")
    matching: Annotated[str, one_of(("strict", "lenient"), "a way of matching")] = "strict"
    timeout: Timeout = _SECOND


Link = SimLink | SerialLink | TcpLink | Rfc2217Link | ReplayLink

#: The models by the word that stands behind `type:`.
LINK_TYPES: dict[str, type[NamedEntry]] = {
    "sim": SimLink,
    "serial": SerialLink,
    "tcp": TcpLink,
    "rfc2217": Rfc2217Link,
    "replay": ReplayLink,
}
