"""What the commands of the series do: one function a name, from the meter to the result word.

Codes, parameters and sources are rows of `fixtures/powerlogic/commands.csv`. Results: 0 done, 81 invalid command, 82
invalid parameters (seed document 003, step 4).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from protocols.powerlogic.energy import Quantity
from protocols.powerlogic.words import FIRST_YEAR, LAST_YEAR
from simulators.meters.powerlogic.firmware import INVALID_COMMAND
from simulators.meters.powerlogic.preset import DONE, INVALID_PARAMETERS, preset_words, with_fractions
from simulators.meters.powerlogic.setup import SetupSession

if TYPE_CHECKING:
    from simulators.meters.powerlogic.series import SeriesMeter

#: A master reset takes at least 20 s before command 1130 (FAQ FA221475).
MASTER_RESET_TIME = 20_000_000_000
_MASTER_RESET_KEYS = (1023, 9999)
_SAVE = 1
_POWER_BIT = 1
__all__ = ["COMMANDS", "DONE", "INVALID_PARAMETERS", "MASTER_RESET_TIME", "Command"]

Command = Callable[["SeriesMeter", int], int]
COMMANDS: dict[str, Command] = {}


def _command(*names: str) -> Callable[[Command], Command]:
    def register(function: Command) -> Command:
        COMMANDS.update(dict.fromkeys(names, function))
        return function

    return register


@_command("preset_energies")
def _preset_energies(meter: SeriesMeter, now: int) -> int:
    """6209: the 28 words that pointer #3 aims at become the accumulated energies, all or none."""
    if meter.revenue_locked and meter.profile.revenue_lock_blocks_preset:
        return INVALID_PARAMETERS
    words = preset_words(meter, now)
    if isinstance(words, int):
        return words
    before = meter.energies_picojoule(now)
    firmware = meter.firmware
    if not firmware.preset_in_range(words):
        after = firmware.after_refusal(words, before)
        if after != before:
            meter.put_energies(now, after)
        return INVALID_PARAMETERS
    if not firmware.carries_out(meter, words):
        return DONE
    after = firmware.energies_of(words, before)
    if meter.profile.fraction == "keep":
        after = with_fractions(after, before)
    meter.put_energies(now, after, safe_at=firmware.preset_save_time(now, meter.profile.save_delay))
    meter.keep_loaded(words)
    meter.stamp("energy_preset_time", now)
    firmware.after_preset(meter, now)
    return DONE


@_command("clear_accumulated")
def _clear_accumulated(meter: SeriesMeter, now: int) -> int:
    meter.put_energies(now, [0] * len(Quantity))
    meter.stamp("energy_reset_time", now)
    return DONE


@_command("clear_conditional")
def _clear_conditional(meter: SeriesMeter, now: int) -> int:
    meter.clear_partial("conditional", now)
    return DONE


@_command("clear_incremental")
def _clear_incremental(meter: SeriesMeter, now: int) -> int:
    meter.clear_partial("incremental", now)
    return DONE


@_command("clear_energies")
def _clear_energies(meter: SeriesMeter, now: int) -> int:
    """6210: accumulated, conditional and incremental."""
    for clear in (_clear_accumulated, _clear_conditional, _clear_incremental):
        clear(meter, now)
    return DONE


@_command("conditional_on")
def _conditional_on(meter: SeriesMeter, now: int) -> int:
    meter.count_conditional(now, on=True)
    return DONE


@_command("conditional_off")
def _conditional_off(meter: SeriesMeter, now: int) -> int:
    meter.count_conditional(now, on=False)
    return DONE


@_command("new_incremental_interval")
def _new_incremental_interval(meter: SeriesMeter, now: int) -> int:
    meter.end_increment(now)
    return DONE


@_command("set_clock")
def _set_clock(meter: SeriesMeter, now: int) -> int:
    """1310: month, day, four-digit year, hour, minute, second; a date that does not exist is refused."""
    month, day, year, hour, minute, second = (meter.parameter(index) for index in range(1, 7))
    if not FIRST_YEAR <= year <= LAST_YEAR:  # a compressed date has one byte for the year
        return INVALID_PARAMETERS
    try:
        moment = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001  # a meter keeps local time without a zone
    except ValueError:
        return INVALID_PARAMETERS
    meter.set_clock(now, moment)
    return DONE


@_command("reset_demand", "reset_power_demand", "reset_demand_extremes", "reset_power_demand_extremes")
def _reset_demand(meter: SeriesMeter, now: int) -> int:
    meter.reset_demand(now)
    meter.stamp("power_demand_reset_time", now)
    _count_reset(meter, now)
    return DONE


def _count_reset(meter: SeriesMeter, now: int) -> None:
    name = "power_demand_reset_count"
    meter.config[name] = meter.config.get(name, 0) + 1

    def undo(_when: int) -> None:
        meter.config[name] -= 1

    meter.changed(now, undo)


@_command("reset_minmax")
def _reset_minmax(meter: SeriesMeter, now: int) -> int:
    """4110; on a PM800 8001 says which months (0 both, 1 present, 2 previous), on a CM4 there is no parameter."""
    if meter.model.family == "PM8" and meter.parameter(1) > 2:  # noqa: PLR2004  # the manual's list ends at 2
        return INVALID_PARAMETERS
    if meter.model.family != "PM8" or meter.parameter(1) != 2:  # noqa: PLR2004  # the previous month is not kept here
        _forget_extremes(meter, now)
    return DONE


def _forget_extremes(meter: SeriesMeter, now: int) -> int:
    meter.reset_extremes(now)
    meter.stamp("minmax_reset_time", now)
    return DONE


@_command("new_demand_interval")
def _new_demand_interval(meter: SeriesMeter, now: int) -> int:
    """5910: bit 0 of 8001 is power in both families; the others name demand systems that are not simulated."""
    if meter.parameter(1) & _POWER_BIT:
        meter.demand.end_interval(now)
    return DONE


@_command("enter_setup")
def _enter_setup(meter: SeriesMeter, now: int) -> int:
    if meter.setup is not None:
        return INVALID_COMMAND
    meter.setup = SetupSession(now)
    return DONE


@_command("leave_setup")
def _leave_setup(meter: SeriesMeter, now: int) -> int:
    """9021: with 8001 = 1 the draft is saved and the meter resets, otherwise it is discarded."""
    session, meter.setup = meter.setup, None
    if session is None:
        return INVALID_COMMAND
    if meter.parameter(1) != _SAVE:
        return DONE
    try:
        meter.commit(now, session.draft)
    except ValueError:
        return INVALID_PARAMETERS
    meter.restart(now)
    return DONE


@_command("soft_reset")
def _soft_reset(meter: SeriesMeter, now: int) -> int:
    meter.restart(now)
    return DONE


@_command("master_reset")
def _master_reset(meter: SeriesMeter, now: int) -> int:
    """1120, inside setup mode only: what was counted and kept goes, and the meter is away for at least 20 s."""
    if meter.setup is None or meter.parameter(1) not in _MASTER_RESET_KEYS:
        return INVALID_PARAMETERS
    meter.restart(now)
    for clear in (_clear_energies, _reset_demand, _forget_extremes):
        clear(meter, now)
    meter.silent_until(now + MASTER_RESET_TIME)
    return DONE


@_command("factory_defaults")
def _factory_defaults(meter: SeriesMeter, now: int) -> int:
    meter.factory_defaults(now)
    return DONE


@_command("revenue_lock")
def _revenue_lock(meter: SeriesMeter, _now: int) -> int:
    meter.revenue_locked = True
    return DONE


@_command("revenue_unlock")
def _revenue_unlock(meter: SeriesMeter, _now: int) -> int:
    meter.revenue_locked = False
    return DONE


@_command("convention")
def _convention(meter: SeriesMeter, _now: int) -> int:
    """6215: 1 IEEE, 2 IEC; kept in the mode bits (bit 2 of 3227)."""
    if meter.parameter(1) not in (1, 2):
        return INVALID_PARAMETERS
    bits = meter.config.get("mode_bits", 0) & ~4
    meter.config["mode_bits"] = bits | (4 if meter.parameter(1) == 2 else 0)  # noqa: PLR2004  # 2 is IEC
    return DONE


@_command("restart_demand")
def _restart_demand(meter: SeriesMeter, now: int) -> int:
    """666 at the PM800's second door: a new interval begins, peaks stay (inferred from its name)."""
    meter.demand.begin_anew(now, meter.since_midnight)
    return DONE


@_command("clear_counters", "reset_current_demand", "reset_voltage_demand", "reset_input_demand",
          "reset_generic_demand", "reset_second_generic_demand", "reset_current_demand_extremes",
          "reset_voltage_demand_extremes", "reset_input_demand_extremes", "reset_generic_demand_extremes",
          "reset_second_generic_demand_extremes", "clear_input_metering", "clear_alarm_history",
          "trigger_log_bitmap", "reset_usage_timers")  # fmt: skip
def _nothing_to_see(_meter: SeriesMeter, _now: int) -> int:
    """Accepted; what it clears (counters, alarms, logs, demand systems other than power) is not simulated."""
    return DONE


#: The numbers that 8001 takes, by command and family (CM4000 manual p. 184-186; PM800 user guide p. 85).
_NUMBERS = {
    "clear_alarm_logs": {"CM3": (1, 3), "CM4": (1, 3)},
    "trigger_log_file": {"CM3": (1, 16), "CM4": (1, 16), "PM8": (1, 3)},
}


@_command("clear_alarm_logs")
def _clear_alarm_logs(meter: SeriesMeter, _now: int) -> int:
    return _numbered(meter, "clear_alarm_logs")


@_command("trigger_log_file")
def _trigger_log_file(meter: SeriesMeter, _now: int) -> int:
    return _numbered(meter, "trigger_log_file")


def _numbered(meter: SeriesMeter, name: str) -> int:
    """Accepted with a number that the family has; the alarm logs and data logs themselves are not simulated."""
    lowest, highest = _NUMBERS[name][meter.model.family]
    return DONE if lowest <= meter.parameter(1) <= highest else INVALID_PARAMETERS
