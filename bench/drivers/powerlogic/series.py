"""CM3, CM4 and PM8: the command interface with its pointers, setup mode, and the registers of the energy preset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from decimal import Decimal

from bench.drivers.capabilities import Capability
from bench.drivers.powerlogic.driver import PowerLogic, whole_second
from bench.drivers.powerlogic.values import date_of
from bench.errors import BenchError, ForeignAnswer, NoAnswer, Refused
from bench.safety import Armed
from protocols.powerlogic.tables import command_code

COMMAND, FIRST_PARAMETER = 8000, 8001
_UNDESCRIBED = 8016
POINTER_STATUS, POINTER_RESULT, POINTER_DATA = 8017, 8018, 8019
#: Where the procedure of seed document 003 lets the pointers aim.
STATUS, RESULT, BUFFER = 8020, 8021, 8022
BUFFER_WORDS = 28
#: What stands in the result word before a command: 0 is success and also idle, so it must be something else.
SENTINEL = 32767
DONE = 0
#: How long a command may take before it counts as lost; no document gives a time.
COMMAND_TIMEOUT = 5_000_000_000
_POLL = 100_000_000
_SAVE = 1
_DISCARD = 2
_RESET_TIME = 60_000_000_000


SERIES_CAPABILITIES = PowerLogic.capabilities | {
    Capability.PROGRAM_SETUP,
    Capability.PRESET_ENERGY,
    Capability.PARTIAL_ENERGY,
}


class Series(PowerLogic):
    """A Series 3000 or 4000 Circuit Monitor or a Series 800 Power Meter."""

    capabilities = SERIES_CAPABILITIES

    # -- commands ----------------------------------------------------------------------------------------------------

    def aim_pointers(
        self, armed: Armed, *, status: int = STATUS, result: int = RESULT, data: int = BUFFER
    ) -> tuple[int, int, int]:
        """Point 8017, 8018 and 8019 at registers, one write each as in the procedure; returns what they then hold."""
        for pointer, target in ((POINTER_STATUS, status), (POINTER_RESULT, result), (POINTER_DATA, data)):
            self.session.write(armed, pointer, target)
        return self.read_pointers()

    def read_pointers(self) -> tuple[int, int, int]:
        """What 8017, 8018 and 8019 hold."""
        first, second, third = self.session.read(POINTER_STATUS, 3)
        return first, second, third

    def clear_pointers(self, armed: Armed) -> None:
        """Point all three at nothing."""
        self.session.write_block(armed, POINTER_STATUS, [0, 0, 0])

    def plant_sentinels(self, armed: Armed, *registers: int) -> None:
        """Put the sentinel where results will come."""
        for register in registers:
            self.session.write(armed, register, SENTINEL)

    def sentinels_stand(self, status: int, result: int) -> bool:
        """Whether the sentinel still stands in both registers; a restart clears them."""
        first, last = min(status, result), max(status, result)
        words = self.session.read(first, last - first + 1)
        return words[0] == words[-1] == SENTINEL

    def issue(self, armed: Armed, code: int) -> None:
        """Write a command code to 8000. Never repeated: a lost echo does not mean a lost command."""
        self.session.write(armed, COMMAND, code)

    def await_result(self, register: int = RESULT, timeout: int = COMMAND_TIMEOUT) -> int | None:
        """Poll a result word until it is no longer the sentinel; None when it still is at the time-out (ns).

        A meter that has restarted meanwhile shows 0 there, and 0 is success: a word is a result only if pointer #2
        still aims at it when it has been read. None if it does not.
        """
        deadline = self.clock.now() + timeout
        while True:
            result = self.session.read(register)[0]
            if result != SENTINEL:
                return result if self.session.read(POINTER_RESULT)[0] == register else None
            if self.clock.now() >= deadline:
                return None
            self.clock.sleep(_POLL)

    def command(self, armed: Armed, name: str, parameters: Sequence[int] = ()) -> None:
        """Carry out a named command with pointers, sentinel and result; pointers are at nothing again afterwards.

        Raises:
            Refused: a result word other than 0.
            NoAnswer: the result word did not change.
        """
        result = self.try_command(armed, command_code(self.model.family, name), parameters)
        if result is None:
            raise NoAnswer(f"command {name}: the result word did not change", device=self.name)
        if result != DONE:
            raise Refused(f"command {name} was answered with result {result}", code=result, device=self.name)

    def volatile_words(self) -> list[int]:
        """The command area 8000-8049 but for 8016, of which no document says what it is.

        What stands there is gone after a restart, where a meter does not keep it.
        """
        commands = self.session.read(COMMAND, _UNDESCRIBED - COMMAND)
        return commands + self.session.read(POINTER_STATUS, BUFFER + BUFFER_WORDS - POINTER_STATUS)

    def try_command(self, armed: Armed, code: int, parameters: Sequence[int] = ()) -> int | None:
        """Carry out a command code and return its result word, None if it stayed the sentinel."""
        with self.pointers_restored(armed):
            self.aim_pointers(armed, data=0)
            self.plant_sentinels(armed, RESULT)  # after aiming: whoever loses it in a restart has lost the aim as well
            if parameters:
                self.session.write_block(armed, FIRST_PARAMETER, parameters)
            self.issue(armed, code)
            return self.await_result()

    @contextmanager
    def pointers_restored(self, armed: Armed) -> Iterator[None]:
        """Whatever happens inside, the pointers are at nothing afterwards, as far as the line allows.

        What broke off the inside comes out; that the pointers could not be restored then is its consequence.
        """
        try:
            yield
        except BaseException:
            with suppress(BenchError):
                self.clear_pointers(armed)
            raise
        self.clear_pointers(armed)

    # -- clock, demand, extremes -------------------------------------------------------------------------------------

    def read_clock(self) -> datetime:
        """The meter's clock, from 3093-3098.

        Raises:
            ForeignAnswer: the registers show no date.
        """
        names = ("clock_year", "clock_month", "clock_day", "clock_hour", "clock_minute", "clock_second")
        found = self.values(names)
        parts = [int(_number(found[name])) for name in names]
        try:
            return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001  # six fields; local time without a zone
        except ValueError as error:
            raise ForeignAnswer(f"the clock shows {parts}: {error}", device=self.name) from None

    def set_clock(self, armed: Armed, moment: datetime) -> None:
        """Command 1310."""
        m = whole_second(moment)
        self.command(armed, "set_clock", [m.month, m.day, m.year, m.hour, m.minute, m.second])

    def reset_demand(self, armed: Armed) -> None:
        """Command 5110: peak demands, all of them."""
        self.command(armed, "reset_demand")

    def reset_extremes(self, armed: Armed) -> None:
        """Command 4110; a PM800 takes which months, a Circuit Monitor nothing."""
        self.command(armed, "reset_minmax", [1] if self.model.family == "PM8" else [])

    def stamp(self, name: str) -> datetime | None:
        """The meter's time of a reset or of the preset (3266-3290), None if there was none."""
        return date_of(self.value(name))

    # -- setup mode --------------------------------------------------------------------------------------------------

    def program(self, armed: Armed, settings: Mapping[str, int], *, save: bool = True) -> None:
        """Write set-up registers in one setup session and save it, or discard it; saving resets the meter.

        Raises:
            Refused: a register or the session was refused; the session is then discarded.
        """
        self.command(armed, "enter_setup")
        try:
            for name, value in settings.items():
                self.session.write(armed, self.map[name].number, value)
        except BaseException:
            with suppress(BenchError):  # what broke the session off is what happened
                self.discard_setup(armed)
            raise
        if save:
            self.save_setup(armed)
        else:
            self.discard_setup(armed)

    def discard_setup(self, armed: Armed) -> None:
        """Command 9021 with another parameter than 1: the session ends and nothing changes."""
        self.command(armed, "leave_setup", [_DISCARD])

    def save_setup(self, armed: Armed) -> None:
        """Command 9021 with 1. The meter then resets and may say nothing more, so only its return is waited for."""
        self.session.write(armed, FIRST_PARAMETER, _SAVE)
        self.issue(armed, command_code(self.model.family, "leave_setup"))
        self.clock.sleep(_POLL * 5)
        self.wait_until_it_answers(_RESET_TIME)


def _number(value: object) -> Decimal:
    if isinstance(value, Decimal | int):
        return Decimal(value)
    raise ForeignAnswer(f"{value!r} where a number belongs")
