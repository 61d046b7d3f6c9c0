"""What a scenario may do to the surroundings of a device: interrupt its supply, change its load.

A simulated device has both. A real one has what its station file gives it a command for; what is missing makes a check
*not determinable*, and the message names it. Behind a recorded one nothing is done: its trace says what could be, and
its answers show what came of it. Whatever is done stands as a note in the device's trace.
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


#: The control "supply" works by commands of somebody else, so the device is looked at to see what they did.
SEEN = "supply seen"
#: Told what is done to which device, for its trace.
Note = Callable[[str, str], None]


def controls_of(host: Host, device: str) -> list[str]:
    """What can be done to the surroundings of a device, as the header of its trace says it."""
    recorded = host.recorded_controls(device)
    if recorded is not None:
        return sorted(recorded)
    entry = host.station.device(device)
    if host.simulates(device):
        return ["broadcast", "load", "power factor", "spoil", "supply", "supply time"]
    supply = [] if entry.power is None else ["supply", SEEN]
    chosen = ["supply time"] if entry.power is not None and entry.power.cycle is None else []
    load = [] if entry.load is None else ["load", "power factor"] if entry.load.sets_power_factor else ["load"]
    return [*load, *(["spoil"] if host.kind == "served" else []), *supply, *chosen]


def _unnoted(_device: str, _text: str) -> None:
    """Nobody keeps a trace."""


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
        note: told of every switching.
    """

    def __init__(self, host: Host, witness: Callable[[str], Witness] | None = None, note: Note = _unnoted) -> None:
        self._host = host
        self._witness = witness
        #: By when (bench time, ns) a device had lost its supply in its last cycle.
        self.lost_by: dict[str, int] = {}
        self._note = note

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
        controls = controls_of(self._host, device)
        if "supply" not in controls:
            raise Undeterminable("what a power cycle shows", f"power control of {device}")
        if off is not None and "supply time" not in controls:
            raise Undeterminable("what a power cut shows", f"separate off and on commands for {device}")
        wanted = OFF_TIME if off is None else off
        if SEEN not in controls:
            self._switch_simulated(device, wanted)
        else:
            self._switch_and_see(device, wanted)

    def _switch_simulated(self, device: str, off: int) -> None:
        """Whoever switches a simulated supply knows that it is off; a recording of that tells it by its notes."""
        recorded = self._host.recorded_controls(device) is not None
        self._lost(device)
        if recorded:
            self._host.clock.sleep(off)
        else:
            self._host.catch_up()
            self._host.stage.switch_supply(device, on=False)
            try:
                self._host.clock.sleep(off)
            finally:
                self._host.catch_up()
                self._host.stage.switch_supply(device, on=True)
        self._note(device, "supply on")

    def _switch_and_see(self, device: str, off: int) -> None:
        control = self._host.station.device(device).power
        asked = None if self._witness is None else self._witness(device)
        held = asked is not None and asked.holds_something()
        silent = self._switch(device, control, off, asked)
        self._host.clock.sleep(0 if control is None else control.boot)
        if asked is not None and not silent and not (held and asked.has_lost_it()):
            raise NoEvidence("what a power cut shows", f"evidence that the supply of {device} was interrupted")

    def _switch(self, device: str, control: PowerControl | None, off: int, asked: Witness | None) -> bool:
        """Off and on by the station's commands, or as recorded; returns whether the device fell silent meanwhile."""
        if control is not None and control.cycle is not None:
            _run_to_the_end(control.cycle, device)
            self._lost(device)
            self._note(device, "supply on")
            return asked is not None and asked.is_silent()  # a meter takes its time to start
        try:
            if control is not None:
                run_command(str(control.off), device)
            self._lost(device)
            self._host.clock.sleep(off)
            return asked is not None and asked.is_silent()
        finally:
            if control is not None:
                _switch_on(str(control.on), device)
            self._note(device, "supply on")

    def _lost(self, device: str) -> None:
        self._note(device, "supply off")
        self.lost_by[device] = self._host.clock.now()

    def can_cycle(self, device: str) -> bool:
        """Whether the station has means to interrupt a device's supply."""
        return "supply" in controls_of(self._host, device)


class Loads:
    """The loads behind a station's devices.

    Args:
        host: the station.
        note: told of every change.
    """

    def __init__(self, host: Host, note: Note = _unnoted) -> None:
        self._host = host
        self._note = note

    def set(self, device: str, watts: int, power_factor: float = 1.0) -> None:
        """Make a device carry a real power (W, negative for export).

        Raises:
            Undeterminable: the station has no means to, or none for this power factor.
            StationError: the means failed.
        """
        controls = controls_of(self._host, device)
        if "load" not in controls:
            raise Undeterminable("what a change of load shows", f"a changeable load on {device}")
        if power_factor != 1 and "power factor" not in controls:
            raise Undeterminable("what a power factor shows", f"a load on {device} whose power factor can be set")
        load = Load.of(watts * 1000, power_factor)
        entry: Device = self._host.station.device(device)
        if self._host.simulates(device):
            self._host.catch_up()
            self._host.stage.set_load(device, load)
        elif entry.load is not None and self._host.recorded_controls(device) is None:
            run_command(entry.load.command_for(watts, power_factor), device)
        self._note(device, load_note(load))


def _switch_on(command: str, device: str) -> None:
    """Switch a supply on; an operator who cannot wait is obeyed when that is done."""
    try:
        _run_to_the_end(command, device)
    except KeyboardInterrupt:
        _run_to_the_end(command, device)  # Ctrl-C in a terminal ends the command too; on twice does no harm
        raise


def _run_to_the_end(command: str, device: str) -> None:
    """Run a command at whose end a supply is on; who reads that it failed must know what to look at.

    Raises:
        StationError: it failed.
    """
    try:
        run_command(command, device)
    except StationError as error:
        raise StationError(f"{error}; the supply of {device} may be off: look at it") from None


def load_note(load: Load) -> str:
    """A load as a trace notes it; `bench/replay/mirror.py` reads it back."""
    return f"load {load.real} mW, {load.reactive} mvar"


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
