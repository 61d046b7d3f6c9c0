"""The FLAG side of a stage: Elster meters, the FLAG servers in front of them, and the lines they are on.

A line begins at 300 Bd 7E1 and goes wherever each visit goes. On a *network* medium a transparent TCP module stands in
front of the meters: it never changes its speed, and neither do they.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from protocols.elster.tables import Source
from protocols.flag.server import FlagServer
from protocols.powerlogic.energy import Quantity
from simulators.faults import switch_on
from simulators.lines.character_line import CharacterLine
from simulators.lines.exchange import Exchange
from simulators.lines.modem import Modem, ModemPlan
from simulators.lines.pad import Pad, PadPlan
from simulators.meters.elster.build import build_meter
from simulators.meters.elster.measuring import Ratios
from simulators.meters.elster.meter import Meter
from simulators.power.feeder import Feeder
from simulators.world import World

if TYPE_CHECKING:
    from simulators.stage import DevicePlan, LinkPlan

NETWORK = "network"
PAD = "paknet"
#: Media with a modem: what their calls are like (a row of fixtures/links/profiles.csv) and whose modem it is.
_MODEMS = {"pstn": ("pstn_v32", "hayes"), "gsm": ("gsm_csd_v110", "gsm")}
DIALLED = (*_MODEMS, PAD)
#: Media on which there and back again takes so long that their meters wait longer for an option select message.
_SLOW = ("gsm", PAD)
#: The number under which the meters of a dialled link are reached, and that of a radio-PAD (2353, channel, port).
_NUMBER, _NUA = "01132000", "23530001000094"
#: Media over which a visit is remote for the meter's programming log.
_REMOTE = {NETWORK, "rs485", *DIALLED}
#: Media that never change their speed.
_FIXED = {NETWORK, *DIALLED}
#: Where the far modem is one with the meters' wires.
_FAR = "network"
#: The energies of a station file, as an Elster meter counts them.
_COUNTED = {
    Quantity.REAL_IN: Source.IMPORT,
    Quantity.REAL_OUT: Source.EXPORT,
    Quantity.REACTIVE_IN: Source.Q1,
    Quantity.REACTIVE_OUT: Source.Q3,
}


def simulated_number(medium: str) -> str:
    """What is called to reach the meters of a dialled medium; empty for every other."""
    return _NUA if medium == PAD else _NUMBER if medium in _MODEMS else ""


class FlagSide:
    """The Elster meters of a station in one world.

    Args:
        world: whose time holds.
        links: the simulated links, by name.
        devices: the Elster meters, by name.
        feeders: what they are connected to.
        born: a meter's local time at instant 0.
    """

    def __init__(
        self,
        world: World,
        links: Mapping[str, LinkPlan],
        devices: Mapping[str, DevicePlan],
        feeders: Mapping[str, Feeder],
        born: Callable[[str], datetime],
    ) -> None:
        self.world = world
        self._links = links
        self._devices = devices
        self._feeders = feeders
        self._born = born
        self._meters: dict[str, Meter] = {}
        self._lines: dict[str, CharacterLine] = {}
        self._callers: dict[str, Modem | Pad] = {}

    def meter(self, name: str) -> Meter:
        """A meter, made when it is first asked for."""
        if name not in self._meters:
            self._meters[name] = self._built(self._devices[name])
        return self._meters[name]

    def _built(self, plan: DevicePlan) -> Meter:
        """A meter as it was born, with the transformers of its installation."""
        ratios = plan.installation
        energies = {_COUNTED[quantity]: abs(value) for quantity, value in plan.energies.items() if quantity in _COUNTED}
        meter = build_meter(
            plan.model,
            self._feeders[plan.name],
            name=plan.name.upper(),
            epoch=self._born(plan.name),
            profile=plan.profile,
            energies=energies,
            outstation=plan.outstation,
            serial=plan.serial,
            passwords={3: plan.password} if plan.password else None,
            installed=Ratios(ratios.ct, ratios.pt),
            stream=self.world.stream(f"meter:{plan.name}", "challenge"),
        )
        if self._links[plan.link].medium in _SLOW:
            meter.habits = replace(meter.habits, patience=meter.profile.radio_patience)
        for defect in plan.defects:
            switch_on(defect, meter)
        return meter

    def line(self, link: str) -> CharacterLine:
        """The line of a link, with a FLAG server for each meter."""
        if link not in self._lines:
            plan = self._links[link]
            medium = _FAR if plan.medium in DIALLED else plan.medium
            line = CharacterLine(self.world, link, medium, echo=plan.echo)
            for device in self._devices.values():
                if device.link == link:
                    line.attach(self._server(device, plan), name=device.name)
            self._lines[link] = line
        return self._lines[link]

    def port(self, link: str) -> CharacterLine:
        """What a computer's port leads to: the meters' line itself, or the modem or PAD in front of it."""
        plan = self._links[link]
        if plan.medium not in DIALLED:
            return self.line(link)
        if link not in self._callers:
            self._callers[link] = self._caller(link, plan.medium)
        return self._callers[link].terminal

    def _caller(self, link: str, medium: str) -> Modem | Pad:
        number = simulated_number(medium)
        exchange = Exchange({number: self.line(link)})
        if medium == PAD:
            return Pad(self.world, f"{link}/pad", PadPlan({number: link}), exchange)
        profile, make = _MODEMS[medium]
        return Modem(self.world, f"{link}/modem", ModemPlan({number: link}, make=make, profile=profile), exchange)

    def _server(self, device: DevicePlan, link: LinkPlan) -> FlagServer:
        fixed = (link.framing.baud, "8N1") if link.medium in _FIXED else None
        via = "remote" if link.medium in _REMOTE else "optical"
        return FlagServer(self.meter(device.name), via=via, fixed_line=fixed)

    def has_line(self, link: str) -> bool:
        """Whether a link's line has been made."""
        return link in self._lines

    def lose(self, device: str) -> None:
        """A meter's supply has gone: it falls silent in the middle of a word, and its visit is over."""
        link = self._devices[device].link
        if link in self._lines:
            self._lines[link].lose(device)
