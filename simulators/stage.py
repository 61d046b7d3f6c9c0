"""A stage: everything a station simulates, put together. Links become lines and networks, devices become meters.

Each link has two faces, made when first asked for: the serial line and the network. On a serial link the network side
is a gateway in front of the line; on an Ethernet link the line is the meters' own serial port.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from protocols.elster.tables import models as elster_models
from protocols.modbus.pdu import EXCEPTION_BIT, ExceptionCode
from protocols.modbus.responder import Responder
from protocols.modbus.server import RtuBus, RtuServer, TcpServer
from protocols.powerlogic.energy import Quantity
from simulators.faults import switch_on
from simulators.faults.line_registry import Call, Medium, Site, put_on, take_off
from simulators.flag_side import FlagSide
from simulators.gateway import TIMEOUT, Gateway
from simulators.lines.character_line import CharacterLine
from simulators.lines.framing import Framing
from simulators.lines.network import Network, Server
from simulators.lines.serial_line import Port, SerialLine
from simulators.metering.energy import WH
from simulators.meters.elster.meter import Meter as ElsterMeter
from simulators.meters.powerlogic import Installation, Meter, build_meter
from simulators.meters.powerlogic.build import EPOCH
from simulators.power.feeder import Feeder, Load
from simulators.world import MILLISECOND, World

ETHERNET = "ethernet"
T = TypeVar("T")
#: Where the unit stands in a Modbus TCP frame; function and exception code follow.
_UNIT = 6
_GATEWAY_SAYS = (ExceptionCode.GATEWAY_PATH_UNAVAILABLE, ExceptionCode.GATEWAY_TARGET_FAILED_TO_RESPOND)
#: How far (s) a meter's clock may be off when its world begins.
_CLOCK_OFF = 20


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """A simulated link. Times in ns."""

    name: str
    medium: str = "rs485"
    framing: Framing = field(default_factory=Framing)
    turnaround: int = 20 * MILLISECOND
    delay: int = MILLISECOND
    echo: bool = False
    faults: Sequence[Call] = ()


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """A simulated device: its model, where it is reached, and what it is connected to."""

    name: str
    model: str
    link: str
    address: int = 0
    outstation: str = ""
    serial: str = ""
    #: Of the highest level of a FLAG meter; empty for the factory's.
    password: str = field(default="", repr=False)
    load: Load = field(default_factory=lambda: Load(0))
    energies: Mapping[Quantity, int] = field(default_factory=dict)
    installation: Installation = field(default_factory=Installation)
    profile: Mapping[str, Any] = field(default_factory=dict)
    defects: Sequence[str] = ()

    @property
    def flag(self) -> bool:
        """Whether it speaks FLAG."""
        return self.model in elster_models()


class _OnDemand(dict[str, T]):
    """A mapping whose values are made when they are first asked for."""

    def __init__(self, make: Callable[[str], T]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, name: str) -> T:
        self[name] = value = self._make(name)
        return value


class Stage:
    """The simulated side of a station in one world.

    Args:
        world: whose time holds.
        links: the simulated links.
        devices: the simulated devices, each on one of the links.
        epoch: the meters' local time at the world's instant 0.

    Raises:
        KeyError: an unknown model, link or defect.
        ProfileError: a profile value that does not exist.
    """

    def __init__(
        self, world: World, links: Sequence[LinkPlan], devices: Sequence[DevicePlan], *, epoch: datetime = EPOCH
    ) -> None:
        self.world = world
        self.epoch = epoch
        self.links = {link.name: link for link in links}
        self.devices = {device.name: device for device in devices}
        self.feeders = {device.name: Feeder(load=device.load) for device in devices}
        #: The meters by name, made when first asked for: a world is cheap, and few scenarios need all of it.
        self.meters: Mapping[str, Meter] = _OnDemand(lambda name: self._meter(self.devices[name], epoch))
        #: The same of the Elster meters, with their lines.
        self.flag = FlagSide(
            world,
            self.links,
            {d.name: d for d in devices if d.flag},
            self.feeders,
            lambda name: self._born(name, epoch),
        )
        self._responders: Mapping[str, Responder] = _OnDemand(lambda name: Responder(self.meters[name]))
        self._lines: dict[str, SerialLine] = {}
        self._networks: dict[str, Network] = {}
        self._faults: dict[str, list[Call]] = {link.name: list(link.faults) for link in links}
        # What can be wrong in a plan is told now and not in mid-run.
        self._tried = [self.meter(device.name) for device in devices if device.profile or device.defects]

    def meter(self, name: str) -> Meter | ElsterMeter:
        """A meter of whatever family."""
        return self.flag.meter(name) if self.devices[name].flag else self.meters[name]

    def listening(self, name: str) -> bool:
        """Whether a device has its supply and has started."""
        now = self.world.now
        return self.flag.meter(name).powered(now) if self.devices[name].flag else self.meters[name].listening(now)

    def _born(self, name: str, epoch: datetime) -> datetime:
        """A meter's local time at instant 0: a little off the hour."""
        birth = self.world.stream(f"meter:{name}", "birth")
        return epoch + timedelta(seconds=birth.randrange(-_CLOCK_OFF, _CLOCK_OFF + 1))

    def _meter(self, device: DevicePlan, epoch: datetime) -> Meter:
        """A meter as it was born, with a part of a Wh that no register shows."""
        birth = self.world.stream(f"meter:{device.name}", "birth")
        birth.randrange(-_CLOCK_OFF, _CLOCK_OFF + 1)  # the clock's, drawn before
        meter = build_meter(
            device.model,
            self.feeders[device.name],
            epoch=self._born(device.name, epoch),
            installation=device.installation,
            profile=device.profile,
        )
        meter.start_with(device.energies, [birth.randrange(WH) for _ in Quantity])
        for defect in device.defects:
            switch_on(defect, meter)
        return meter

    def on(self, link: str) -> dict[int, str]:
        """The Modbus devices of a link, address to name."""
        return {
            device.address: device.name for device in self.devices.values() if device.link == link and device.address
        }

    def speaks_flag(self, link: str) -> bool:
        """Whether the devices of a link speak FLAG."""
        return any(device.flag for device in self.devices.values() if device.link == link)

    def line(self, link: str) -> SerialLine:
        """The serial face of a link."""
        if link not in self._lines and self.speaks_flag(link):
            self._lines[link] = self.flag.port(link)
            self._disturb(link, self.flag.line(link), self._faults[link])
        if link not in self._lines:
            plan = self.links[link]
            line = SerialLine(self.world, link, plan.framing, turnaround=plan.turnaround, echo=plan.echo)
            line.attach(RtuBus(RtuServer(address, self.meters[name]) for address, name in self.on(link).items()))
            self._lines[link] = line
            self._disturb(link, line, self._faults[link])
        return self._lines[link]

    def network(self, link: str) -> Network:
        """The network face of a link."""
        if link not in self._networks:
            plan = self.links[link]
            direct = plan.medium == ETHERNET
            turnaround = plan.turnaround if direct else 0
            serve = self._direct(link) if direct else Gateway(self.line(link)).connection
            self._networks[link] = Network(
                self.world, f"{link}/tcp", serve, delay=plan.delay, turnaround=turnaround, supplied=self._supplied(link)
            )
            self._disturb(link, self._networks[link], self._faults[link])
        return self._networks[link]

    def _supplied(self, link: str) -> Callable[[bytes], bool]:
        """Whether the device that an answer is of still has its supply; what a gateway says of it needs none."""
        on = self.on(link)

        def supplied(answer: bytes) -> bool:
            device = on.get(answer[_UNIT])
            of_the_gateway = answer[_UNIT + 1] & EXCEPTION_BIT and answer[_UNIT + 2] in _GATEWAY_SAYS
            return device is None or bool(of_the_gateway) or self.feeders[device].auxiliary

        return supplied

    def _direct(self, link: str) -> Callable[[Callable[[bytes], None]], Server]:
        units = {address: self._responders[name] for address, name in self.on(link).items()}
        return lambda _answer: TcpServer(units, gateway_timeout=TIMEOUT)

    # -- line faults -------------------------------------------------------------------------------------------------

    def media(self, face: SerialLine | Network) -> set[Medium]:
        """What a face of a link is to a fault: behind a gateway the faults of the line are the line's own."""
        if isinstance(face, SerialLine):
            return {"flag"} if isinstance(face, CharacterLine) else {"serial"}
        plan = self.links[face.name.removesuffix("/tcp")]
        return {"network", "gateway"} if plan.medium == ETHERNET else {"gateway"}

    def disturb(self, link: str, fault: Call) -> None:
        """Switch a line fault on, now: on whichever faces of the link it makes sense.

        Raises:
            KeyError: there is no such link.
        """
        self._faults[link].append(fault)
        for face in self._faces(link):
            self._disturb(link, face, [fault])

    def calm(self, link: str) -> None:
        """Switch every fault of a link off."""
        self._faults[link].clear()
        for face in self._faces(link):
            take_off(face)

    def faults_on(self, link: str) -> list[Call]:
        """What is switched on for a link."""
        return list(self._faults[link])

    def _faces(self, link: str) -> list[SerialLine | Network]:
        """The faces that have been made; behind a modem the faults are on the meters' side of the call."""
        if self.speaks_flag(link):
            return [self.flag.line(link)] if link in self._lines else []
        return [faces[link] for faces in (self._lines, self._networks) if link in faces]

    def _disturb(self, link: str, face: SerialLine | Network, faults: Sequence[Call]) -> None:
        media = self.media(face)
        for call in faults:
            if media.intersection(call.fault.media):
                random = self.world.stream(f"line:{face.name}", f"fault {call.fault.id}")
                put_on(call, Site(link, face, tuple(self.on(link)), random))

    # -- what a scenario can do to the supply and the load ------------------------------------------------------------

    def set_load(self, device: str, load: Load) -> None:
        """Change what a device's feeder carries, now."""
        self.feeders[device].change(self.world.now, load=load)

    def switch_supply(self, device: str, *, on: bool) -> None:
        """Switch a device's supply, now; without it, it falls silent in the middle of a word."""
        self.feeders[device].switch_supply(self.world.now, on=on)
        plan = self.devices[device]
        if plan.flag:
            if not on:
                self.flag.lose(device)
        elif not on and plan.link in self._lines:
            address = bytes((plan.address,))
            self._lines[plan.link].break_off(
                lambda burst: not isinstance(burst.sender, Port) and burst.data[:1] == address
            )
