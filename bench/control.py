"""What a scenario may do to the surroundings of a device: interrupt its supply, change its load.

A simulated device has both. A real one has what its station file gives it a command for; what is missing makes a check
*not determinable*, and the message names it.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from bench.errors import NoEvidence, StationError, Undeterminable
from bench.host import Host
from simulators.power.feeder import Load
from simulators.world import SECOND

if TYPE_CHECKING:
    from bench.station import Device
    from bench.station.devices import PowerControl

#: How long a supply stays off in a cycle.
OFF_TIME = 2 * SECOND
_COMMAND_TIMEOUT = 120


class Witness(Protocol):
    """Sees of a device whether its supply was away."""

    def is_silent(self) -> bool:
        """Whether it does not answer, asked once."""

    def holds_something(self) -> bool:
        """Whether there is something in it now that a restart would clear."""

    def has_lost_it(self) -> bool:
        """Whether that is gone."""


class Supplies:
    """The supplies of a station's devices.

    Args:
        host: the opened station.
        witness: who sees of a device that its supply was really away; a relay that does nothing must not pass for one.
    """

    def __init__(self, host: Host, witness: Callable[[str], Witness] | None = None) -> None:
        self._host = host
        self._witness = witness

    def cycle(self, device: str, off: int | None = None) -> None:
        """Switch a device's supply off and on again, and see that it was off.

        Args:
            device: its name in the station.
            off: for how long, ns; by default two seconds, or what the station's own command does.

        Raises:
            Undeterminable: the station has no means to, or none to choose for how long.
            NoEvidence: the commands ran, and nothing shows that the device was ever without its supply.
            StationError: the means failed.
        """
        if self._host.simulates(device):
            self._host.catch_up()
            self._host.stage.switch_supply(device, on=False)
            try:
                self._host.clock.sleep(OFF_TIME if off is None else off)
            finally:
                self._host.catch_up()
                self._host.stage.switch_supply(device, on=True)
            return
        control = self._host.station.device(device).power
        if control is None:
            raise Undeterminable("what a power cycle shows", f"power control of {device}")
        if control.cycle is not None and off is not None:
            raise Undeterminable("what a power cut shows", f"separate off and on commands for {device}")
        asked = None if self._witness is None else self._witness(device)
        held = asked is not None and asked.holds_something()
        silent = self._switch(device, control, OFF_TIME if off is None else off, asked)
        self._host.clock.sleep(control.boot)
        if asked is not None and not silent and not (held and asked.has_lost_it()):
            raise NoEvidence("what a power cut shows", f"evidence that the supply of {device} was interrupted")

    def _switch(self, device: str, control: PowerControl, off: int, asked: Witness | None) -> bool:
        """Off and on by the station's commands; returns whether the device fell silent meanwhile."""
        if control.cycle is not None:
            run_command(control.cycle, device)
            return asked is not None and asked.is_silent()  # a meter takes its time to start
        try:
            run_command(str(control.off), device)
            self._host.clock.sleep(off)
            return asked is not None and asked.is_silent()
        finally:
            run_command(str(control.on), device)

    def can_cycle(self, device: str) -> bool:
        """Whether the station has means to interrupt a device's supply."""
        return self._host.simulates(device) or self._host.station.device(device).power is not None


class Loads:
    """The loads behind a station's devices."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def set(self, device: str, watts: int, power_factor: float = 1.0) -> None:
        """Make a device carry a real power (W, negative for export).

        Raises:
            Undeterminable: the station has no means to, or none for this power factor.
            StationError: the means failed.
        """
        if self._host.simulates(device):
            self._host.catch_up()
            self._host.stage.set_load(device, Load.of(watts * 1000, power_factor))
            return
        entry: Device = self._host.station.device(device)
        if entry.load is None:
            raise Undeterminable("what a change of load shows", f"a changeable load on {device}")
        if power_factor != 1 and not entry.load.sets_power_factor:
            raise Undeterminable("what a power factor shows", f"a load on {device} whose power factor can be set")
        run_command(entry.load.command_for(watts, power_factor), device)


def run_command(command: str, device: str) -> None:
    """Run a command of the station file.

    Raises:
        StationError: it cannot be started, takes too long or ends with another code than 0.
    """
    words = _words(command)
    try:
        done = subprocess.run(  # noqa: S603  # the station file says what to run
            words, capture_output=True, text=True, errors="replace", timeout=_COMMAND_TIMEOUT, check=False
        )
    except OSError as error:
        raise StationError(f"{device}: cannot run {words[0]!r}: {error.strerror or error}") from None
    except subprocess.TimeoutExpired:
        raise StationError(f"{device}: {command!r} did not end within {_COMMAND_TIMEOUT} s") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise StationError(
            f"{device}: {command!r} ended with {done.returncode}: {said[-1] if said else 'it said nothing'}"
        )


def _words(command: str) -> list[str]:
    """The words of a command. `meterbench` is this installation's, whether or not it is on the path."""
    words = shlex.split(command, posix=os.name == "posix")
    return [sys.executable, "-P", "-m", "bench", *words[1:]] if words[:1] == ["meterbench"] else words
