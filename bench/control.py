"""What a scenario may do to the surroundings of a device: interrupt its supply, change its load.

A simulated device has both. A real one has what its station file gives it a command for; what is missing makes a check
*not determinable*, and the message names it.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

from bench.errors import StationError, Undeterminable
from bench.host import Host
from simulators.power.feeder import Load
from simulators.world import SECOND

if TYPE_CHECKING:
    from bench.station import Device

#: How long a supply stays off in a cycle.
OFF_TIME = 2 * SECOND
_COMMAND_TIMEOUT = 120


class Supplies:
    """The supplies of a station's devices."""

    def __init__(self, host: Host) -> None:
        self._host = host
        #: By when (bench time, ns) a device had lost its supply in its last cycle.
        self.lost_by: dict[str, int] = {}

    def cycle(self, device: str, off: int | None = None) -> None:
        """Switch a device's supply off and on again.

        Args:
            device: its name in the station.
            off: for how long, ns; by default two seconds, or what the station's own command does.

        Raises:
            Undeterminable: the station has no means to, or none to choose for how long.
            StationError: the means failed.
        """
        if self._host.simulates(device):
            self._host.catch_up()
            self._host.stage.switch_supply(device, on=False)
            self.lost_by[device] = self._host.clock.now()
            try:
                self._host.clock.sleep(OFF_TIME if off is None else off)
            finally:
                self._host.catch_up()
                self._host.stage.switch_supply(device, on=True)
            return
        control = self._host.station.device(device).power
        if control is None:
            raise Undeterminable("what a power cycle shows", f"power control of {device}")
        if control.cycle is not None:
            if off is not None:
                raise Undeterminable("what a power cut shows", f"separate off and on commands for {device}")
            run_command(control.cycle, device)
            self.lost_by[device] = self._host.clock.now()
        else:
            try:
                run_command(str(control.off), device)
                self.lost_by[device] = self._host.clock.now()
                self._host.clock.sleep(OFF_TIME if off is None else off)
            finally:
                run_command(str(control.on), device)
        self._host.clock.sleep(control.boot)

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
