"""CM3, CM4 and PM8: the command block at 8000, its pointers, setup mode and the PM800's second door."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from datetime import datetime

from protocols.modbus.pdu import ExceptionCode, ModbusException
from protocols.powerlogic.energy import WORDS, Quantity, decode
from protocols.powerlogic.tables import Model, Register, commands, register_map
from protocols.powerlogic.words import NOT_AVAILABLE, signed
from simulators.metering.demand import MINUTE, Mode, Setting
from simulators.metering.energy import WH
from simulators.meters.powerlogic.commands import COMMANDS
from simulators.meters.powerlogic.compact import CompactDoor
from simulators.meters.powerlogic.meter import Meter
from simulators.meters.powerlogic.metrology import Installation
from simulators.meters.powerlogic.profile import Profile
from simulators.meters.powerlogic.setup import SetupSession
from simulators.power.feeder import Feeder

AREA_START, AREA_END = 8000, 8150
#: The pointers may aim at these registers (CM4000 manual p. 182).
USER_START = 8020
PARAMETERS = 8001
_POINTER_STATUS, _POINTER_RESULT, POINTER_DATA = 8017, 8018, 8019
#: What set-up registers take: (lowest, highest) or a set (CM4000 manual p. 158-159; ACCESS 9340 EN-150 for demand).
_TAKES: dict[str, tuple[int, int] | frozenset[int]] = {
    "ct_primary": (1, 32767),
    "ct_secondary": frozenset({1, 5}),
    "neutral_ct_primary": (1, 32767),
    "neutral_ct_secondary": frozenset({1, 5}),
    "pt_primary": (1, 32767),
    "pt_primary_scale": (-1, 2),
    "pt_secondary": frozenset({100, 110, 115, 120}),
    "nominal_frequency": frozenset({50, 60, 400}),
    "system_type": frozenset({30, 31, 40, 41, 42, 43}),
    "accumulation_mode": (0, 1),
    "enable_floats": (0, 1),
    "power_demand_mode": frozenset(mode.value for mode in Mode),
    "power_demand_interval": (1, 60),
    "power_demand_subinterval": (0, 60),
    "scale_A": (-2, 1),
    "scale_B": (-2, 1),
    "scale_C": (-2, 1),
    "scale_D": (-1, 2),
    "scale_E": (-1, 2),
    "scale_F": (-3, 3),
    "scale_H": (0, 3),
}
_LIVE = frozenset(quantity.value for quantity in Quantity)
_DEMAND = ("power_demand_mode", "power_demand_interval", "power_demand_subinterval")


class SeriesMeter(Meter):
    """A Series 3000 or 4000 Circuit Monitor, or a Series 800 Power Meter."""

    __slots__ = ("_area", "_floats", "_loaded", "_seen", "compact", "revenue_locked", "setup")

    def __init__(
        self, model: Model, feeder: Feeder, epoch: datetime, profile: Profile, installation: Installation
    ) -> None:
        self._area: array[int] | None = None
        #: What a command sees instead of the area, while it is carried out with what stood there before its own write.
        self._seen: array[int] | None = None
        #: Words of mixed signs as a preset loaded them, by quantity, and the Wh for which they stand.
        self._loaded: dict[str, tuple[int, list[int]]] = {}
        self._floats = False
        self.setup: SetupSession | None = None
        self.revenue_locked = False
        self.compact = CompactDoor() if "compact_command" in register_map(model.family) else None
        super().__init__(model, feeder, epoch, profile, installation)

    # -- what is shown -----------------------------------------------------------------------------------------------

    @property
    def area(self) -> array[int]:
        """Registers 8000-8149, made when first needed."""
        if self._area is None:
            self._area = array("H", bytes(2 * (AREA_END - AREA_START)))
        return self._area

    def energy_words(self, name: str, value: int) -> Sequence[int]:
        """Four words; by profile those of a preset with mixed signs, until the next Wh is counted."""
        value_then, words = self._loaded.get(name, (None, []))
        return words if value_then == value else super().energy_words(name, value)

    def keep_loaded(self, words: Sequence[int]) -> None:
        """A preset has loaded these 28 words; by profile those of mixed signs are remembered as they are."""
        self._loaded = {}
        if not self.profile.normalise_signs:
            for index, quantity in enumerate(Quantity):
                four = list(words[WORDS * index : WORDS * index + WORDS])
                self._loaded[quantity.value] = (decode(four), four)

    def stored_words(self, row: Register, now: int) -> list[int] | None:
        """Set-up registers (an open session shows its draft), the command area, floats, the compact door."""
        if AREA_START <= row.number < AREA_END:
            return self.area[row.number - AREA_START : row.end - AREA_START].tolist()
        if row.kind == "float" and not self._floats:
            return [NOT_AVAILABLE] * row.count
        if self.compact is not None and row.name.startswith("compact_"):
            return self.compact.words(self, row, now)
        if self.setup is not None and row.name in self.setup.draft:
            return [self.setup.draft[row.name] & 0xFFFF]
        return super().stored_words(row, now)

    # -- what is written ---------------------------------------------------------------------------------------------

    def settle(self, now: int) -> None:
        """Let what was due happen; an abandoned setup session ends."""
        super().settle(now)
        if self.setup is not None and self.firmware.session_ended(self.setup, now):
            self.setup = None

    def may_write(self, row: Register, now: int) -> bool:
        """Set-up registers take a write inside a setup session only; 3248 of CM3 and CM4 always (FAQ FA212299)."""
        if row.access == "setup":
            return self.setup is not None or self._is_free(row)
        if self.firmware.energies_writable and row.kind == "energy" and row.name in _LIVE:
            return True
        return super().may_write(row, now)

    def _is_free(self, row: Register) -> bool:
        return row.name == "enable_floats" and not self.profile.needs_setup_for_floats

    def check_write(self, row: Register, value: int) -> None:
        """Refuse what a set-up register does not take, with exception 03."""
        takes = _TAKES.get(row.name) if row.access == "setup" else None
        if takes is None:
            return
        number = signed(value)
        allowed = takes[0] <= number <= takes[1] if isinstance(takes, tuple) else number in takes
        if not allowed:
            raise ModbusException(ExceptionCode.ILLEGAL_DATA_VALUE)

    def store(self, first: int, rows: Sequence[Register], values: Sequence[int], now: int) -> None:
        """Store the words; 8000 among them starts a command, by profile with what stood there before or after."""
        starts = first <= AREA_START < first + len(values)
        before = array("H", self.area) if starts and self.profile.exec_order == "before_store" else None
        for row, register, value in zip(rows, range(first, first + len(values)), values, strict=True):
            self._store_one(row, register, value, now)
        if self.setup is not None:
            self.setup.touch(now)
        if starts:
            code = self.area[0]
            self.notice("command accepted", now)
            self.later(now + self.profile.exec_delay, lambda when: self._execute(code, when, before))

    def _store_one(self, row: Register, register: int, value: int, now: int) -> None:
        if AREA_START <= register < AREA_END:
            self.area[register - AREA_START] = value
        elif row.access == "setup" and (self.setup is None or self._is_free(row)):
            self._set_at_once(row.name, signed(value), now)
        elif row.access == "setup" and self.setup is not None:
            self.setup.draft[row.name] = signed(value)
        elif row.name.startswith("compact_") and self.compact is not None:
            self.compact.write(self, register - row.number, row.name, value, now)
        elif row.kind == "energy":
            self._overwrite_energy_word(row, register - row.number, value, now)

    def _set_at_once(self, name: str, value: int, now: int) -> None:
        before = self.config.get(name, 0)
        self.config[name] = value
        self.changed(now, lambda _when: self.config.update({name: before}))

    def _overwrite_energy_word(self, row: Register, index: int, value: int, now: int) -> None:
        """What defect D30 opens: a direct write to a live energy register."""
        position = list(Quantity).index(Quantity(row.name))
        values = self.energies_picojoule(now)
        words = list(self.firmware.words_of(row.name, self.shown(values[position])))
        words[index] = signed(value)
        values[position] = decode(words[:WORDS]) * WH
        self.put_energies(now, values)

    # -- commands ----------------------------------------------------------------------------------------------------

    def _execute(self, code: int, now: int, before: array[int] | None) -> None:
        """Carry out a command with the area of now, or as it was before the write that began it."""
        self._seen = before
        try:
            self._carry_out(code, now)
        finally:
            self._seen = None

    def _carry_out(self, code: int, now: int) -> None:
        """The command runs, then code and result go where the pointers aimed.

        What a reset has wiped stays wiped: such a command takes its own result with it.
        """
        self.notice("command executed", now)
        name = commands(self.model.family).get(code)
        firmware = self.firmware
        aimed = [self._sees[register - AREA_START] for register in (_POINTER_STATUS, _POINTER_RESULT)]
        pointers = firmware.result_registers(*aimed)
        command = (firmware.commands.get(name) or COMMANDS[name]) if name else firmware.unknown_command
        result = command(self, now)
        if self._area is None:
            return
        if self.profile.clear_command:
            self._area[0] = 0
        shown = code if self.profile.status_semantics == "command" else result
        for pointer, value in zip(pointers, (shown, result), strict=True):
            if USER_START <= pointer < AREA_END and firmware.writes_result(code, result):
                self._area[pointer - AREA_START] = value

    @property
    def _sees(self) -> array[int]:
        """The command area as the command that is being carried out sees it."""
        return self.area if self._seen is None else self._seen

    def parameter(self, index: int) -> int:
        """Command parameter 1 to 15, from 8001 on."""
        return self._sees[PARAMETERS - AREA_START + index - 1]

    @property
    def data_pointer(self) -> int:
        """What pointer #3 (8019) holds."""
        return self._sees[POINTER_DATA - AREA_START]

    def buffer(self, count: int, start: int | None = None) -> list[int] | None:
        """The `count` signed words from `start`, else where pointer #3 aims; None outside the user area."""
        start = self.data_pointer if start is None else start
        if not USER_START <= start <= AREA_END - count:
            return None
        return [signed(word) for word in self._sees[start - AREA_START : start - AREA_START + count]]

    def commit(self, now: int, draft: Mapping[str, int]) -> None:
        """Make a draft the configuration; a power cut before it is saved brings the old one back."""
        before = {name: self.config.get(name) for name in draft if name not in _DEMAND}
        demand = self.demand.setting

        def undo(_when: int) -> None:
            self.config.update({name: value for name, value in before.items() if value is not None})
            for name in (name for name, value in before.items() if value is None):
                self.config.pop(name, None)

        def undo_demand(when: int) -> None:
            self.demand.configure(when, demand, self.since_midnight)

        wanted = {**self._demand_words(), **draft}
        setting = Setting(Mode(wanted[_DEMAND[0]]), wanted[_DEMAND[1]] * MINUTE, wanted[_DEMAND[2]] * MINUTE)
        setting.check()
        self.before_change(now)
        self.config.update({name: value for name, value in draft.items() if name not in _DEMAND})
        self.changed(now, undo, safe_at=self.firmware.setup_save_time(now, self.profile.save_delay))
        if any(name in draft for name in _DEMAND):
            self.demand.configure(now, setting, self.since_midnight)
            self.changed(now, undo_demand, safe_at=self.firmware.demand_save_time(now, self.profile.save_delay))
        self.after_change(now)

    def _demand_words(self) -> dict[str, int]:
        setting = self.demand.setting
        return dict(
            zip(_DEMAND, (setting.mode, setting.interval // MINUTE, setting.subinterval // MINUTE), strict=True)
        )

    # -- power -------------------------------------------------------------------------------------------------------

    def boot(self, now: int) -> None:
        """Start the firmware; floats are there from now on if they were enabled before (FAQ FA212299)."""
        super().boot(now)
        self._floats = self.config.get("enable_floats", 0) == 1

    def restart(self, now: int) -> None:
        """A reset without loss of supply: volatile state goes, the meter is silent until it has booted."""
        self._due.clear()
        self.forget(now)
        self.boot(now)

    def forget(self, _now: int) -> None:
        """Lose the setup session and, by profile, the pointers and the buffer."""
        self.setup = None
        self._loaded = {}
        if not self.profile.keep_pointers:
            self._area = None
