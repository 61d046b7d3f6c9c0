"""Questions to the command interface: where results go, what becomes of 8000, of astray pointers and of large blocks.

The commands are harmless ones (1210 clears communication counters, 9999 does not exist) but for the presets, which put
energies in place that the fixture of the scenario restores.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.characterisation.finding import Finding, Unknown
from bench.drivers.powerlogic import Series
from bench.drivers.powerlogic.series import BUFFER, COMMAND, COMMAND_TIMEOUT, RESULT, SENTINEL, STATUS
from bench.errors import NoAnswer, Refused
from bench.safety import Armed
from protocols.powerlogic.energy import SERIES_ORDER, WORDS
from protocols.powerlogic.tables import command_code
from protocols.powerlogic.words import signed

_HARMLESS = "clear_counters"
_UNKNOWN_COMMAND, _INVALID = 9999, 81
_PRESET_WORDS = WORDS * len(SERIES_ORDER)
#: Pointers and a buffer out of the way of those that the procedure uses.
_FAR_STATUS, _FAR_RESULT, _FAR_BUFFER = 8148, 8149, 8110
#: Two sets of energies that differ in their highest words only, which no load moves while somebody looks.
_OLD, _NEW = [0, 0, 0, 31] * len(SERIES_ORDER), [0, 0, 0, 62] * len(SERIES_ORDER)
_OWN_WRITE = 900  # a word that no clock, energy or result can be


# -- 8000 and its pointers ---------------------------------------------------------------------------------------------


def clears_command(meter: Series, armed: Armed) -> Finding | Unknown:
    """Whether 8000 is zeroed when a command has been carried out."""
    code = command_code(meter.model.family, _HARMLESS)
    meter.try_command(armed, code)
    held = meter.session.read(COMMAND)[0]
    if held not in (0, code):
        return Unknown(f"a profile value for this: after command {code} register 8000 holds {held}")
    return Finding(held == 0, f"after command {code} register 8000 holds {held}")


def status_semantics(meter: Series, armed: Armed) -> Finding | Unknown:
    """What pointer #1 gets: the code of the command or its status."""
    shown = []
    with meter.pointers_restored(armed):
        meter.aim_pointers(armed, data=0)
        for code in (_UNKNOWN_COMMAND, command_code(meter.model.family, _HARMLESS)):
            meter.plant_sentinels(armed, STATUS, RESULT)
            meter.issue(armed, code)
            meter.await_result()
            status, result = meter.session.read(STATUS, 2)
            shown.append((code, status, result))
    how = "; ".join(f"command {code}: 8020 {status}, 8021 {result}" for code, status, result in shown)
    if all(status == code for code, status, _ in shown):
        return Finding("command", how)
    if all(status == result for _, status, result in shown):
        return Finding("status", how)
    return Unknown(f"a profile value for this: {how}")


def locked_write(meter: Series, armed: Armed) -> Finding | Unknown:
    """With which exception a write to a read-only register is refused; what is written is what stands there."""
    codes = {}
    for name in ("frequency", "ct_primary"):
        number = meter.map[name].number
        try:
            meter.session.write(armed, number, meter.session.read(number)[0])
            codes[number] = 0
        except Refused as refusal:
            codes[number] = refusal.code or 0
    told = {number: f"exception {code:02X}" if code else "taken" for number, code in codes.items()}
    how = "; ".join(f"{number} := its own value: {answer}" for number, answer in told.items())
    if len(set(codes.values())) == 1 and 0 not in codes.values():
        return Finding(next(iter(codes.values())), how)
    return Unknown(f"one exception for all registers that take no write: {how}")


def floats_need_setup(meter: Series, armed: Armed) -> Finding:
    """Whether 3248 takes a write outside setup mode; what is written is what stands there."""
    number = meter.map["enable_floats"].number
    held = meter.session.read(number)[0]
    same = held if held in (0, 1) else 0  # it may show "not available" as long as it was never set
    try:
        meter.session.write(armed, number, same)
    except Refused as refusal:
        return Finding(value=True, how=f"3248 := {same} outside setup mode: {refusal.reason}")
    return Finding(value=False, how=f"3248 := {same} outside setup mode: taken")


# -- pointer #3, and one block over everything -------------------------------------------------------------------------


def _numbered_area(meter: Series, armed: Armed) -> None:
    """Fill 8020-8147 so that each word says where it stands: 8020 holds 20."""
    for first in (8020, 8084):
        meter.session.write_block(armed, first, [first - 8000 + index for index in range(64)])


def data_pointer(meter: Series, armed: Armed, aim: int) -> Finding | Unknown:
    """What 6209 does with pointer #3 at `aim`, which is 0 or outside the user area."""
    with meter.pointers_restored(armed):
        _load(meter, armed, _OLD)
        _numbered_area(meter, armed)
        meter.aim_pointers(armed, status=_FAR_STATUS, result=_FAR_RESULT, data=aim)
        meter.plant_sentinels(armed, _FAR_RESULT)
        there = _high_words(meter, aim) if aim else None
        meter.issue(armed, command_code(meter.model.family, "preset_energies"))
        result = meter.await_result(_FAR_RESULT)
    after = [signed(word) for word in meter.session.read(meter.energy_register, _PRESET_WORDS)][3::WORDS]
    how = f"6209 with 8019 = {aim}: result {result}, the highest words are then {after}"
    if after == _OLD[3::WORDS]:
        return _nothing_loaded(result, how)
    if after == list(range(23, 23 + _PRESET_WORDS, WORDS)) and result == 0:
        return Finding("default", how)
    if aim and after == there and result == 0:
        return Finding("follow", how)
    return Unknown(f"a profile value for this: {how}")


def _load(meter: Series, armed: Armed, words: Sequence[int]) -> None:
    """A preset as the procedure has it, to begin from.

    Raises:
        Refused, NoAnswer: it was not carried out.
    """
    meter.session.write_block(armed, BUFFER, words)
    meter.aim_pointers(armed)
    meter.plant_sentinels(armed, RESULT)
    meter.issue(armed, command_code(meter.model.family, "preset_energies"))
    result = meter.await_result()
    if result is None:
        raise NoAnswer("a preset to begin from: the result word did not change", device=meter.name)
    if result:
        raise Refused(f"a preset to begin from was answered with result {result}", code=result, device=meter.name)


def _nothing_loaded(result: int | None, how: str) -> Finding | Unknown:
    if result is None or result == _INVALID:
        return Unknown(f"a profile value for this: {how}")
    return Finding("refuse" if result else "ignore", how)


def _high_words(meter: Series, first: int) -> list[int] | None:
    """The highest words of what stands where a pointer aims, as a preset would take them; None if it cannot be read."""
    try:
        return [signed(word) for word in meter.session.read(first, _PRESET_WORDS)][3::WORDS]
    except Refused:
        return None


def execution_order(meter: Series, armed: Armed) -> Finding | Unknown:
    """Whether a block over 8000 and its pointers is carried out with what it brings or with what stood there."""
    code = command_code(meter.model.family, "preset_energies")
    with meter.pointers_restored(armed):
        meter.session.write_block(armed, _FAR_BUFFER, _OLD)
        meter.aim_pointers(armed, status=_FAR_STATUS, result=_FAR_RESULT, data=_FAR_BUFFER)
        meter.plant_sentinels(armed, _FAR_RESULT)
        block = [code, *[0] * 16, STATUS, RESULT, BUFFER, SENTINEL, SENTINEL, *_NEW]
        try:
            meter.session.write_block(armed, COMMAND, block)
        except Refused as refusal:
            return Unknown(f"a meter that takes such a block: FC16 over 8000-8049 is refused with {refusal}")
        results = _either_result(meter)
        words = meter.session.read(meter.energy_register, _PRESET_WORDS)
    how = f"FC16 over 8000-8049: the highest word is then {words[3]} (31 before, 62 in the block), results {results}"
    if words[3::WORDS] == _NEW[3::WORDS] and results[RESULT] == 0:
        return Finding("after_store", how)
    if words[3::WORDS] == _OLD[3::WORDS] and results[_FAR_RESULT] == 0:
        return Finding("before_store", how)
    return Unknown(f"a profile value for this: {how}")


def _either_result(meter: Series) -> dict[int, int]:
    """The two result words, when one of them has changed or it is too late for that."""
    deadline = meter.clock.now() + COMMAND_TIMEOUT
    while True:
        results = {register: meter.session.read(register)[0] for register in (RESULT, _FAR_RESULT)}
        if set(results.values()) != {SENTINEL} or meter.clock.now() >= deadline:
            return results


# -- broadcast ---------------------------------------------------------------------------------------------------------


def accepts_broadcast(meter: Series, armed: Armed) -> Finding:
    """Whether a write to address 0 is obeyed: one word of the user area, which every meter of the line would take."""
    meter.session.write(armed, _FAR_RESULT, 0)
    meter.session.broadcast(armed, _FAR_RESULT, _OWN_WRITE)
    meter.clock.sleep(COMMAND_TIMEOUT // 10)
    held = meter.session.read(_FAR_RESULT)[0]
    return Finding(held == _OWN_WRITE, f"{_FAR_RESULT} := {_OWN_WRITE} to address 0; it then holds {held}")
