"""Defects of the command interface: 8000 and its pointers, the resets, the clock."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from protocols.powerlogic.energy import Quantity
from simulators.faults.change import command, decide
from simulators.faults.registry import defect
from simulators.meters.powerlogic.commands import COMMANDS, DONE, INVALID_PARAMETERS
from simulators.meters.powerlogic.firmware import INVALID_COMMAND
from simulators.meters.powerlogic.meter import Meter
from simulators.meters.powerlogic.series import SeriesMeter

_PRESET = 6209
_FIXED_RESULT = 8021
_CENTURY = 100


@defect("D11", "the result word is left stale", "8021 keeps what it held; a sentinel there does not change",
        shows=r"^result|preset while locked",
        caught_by=("test_new_meter_takes_over_the_readings",
                   "test_one_word_out_of_range_refuses_the_whole_preset"))  # fmt: skip
def stale_result(meter: Meter) -> None:
    """The result is written for all commands but this one."""
    decide(meter, writes_result=lambda code, _result: code != _PRESET)


@defect("D12", "the result goes to 8021 wherever pointer #2 aims", "a result word elsewhere does not change",
        shows="^result word$", caught_by="test_pointers_may_aim_elsewhere")  # fmt: skip
def fixed_result(meter: Meter) -> None:
    """The pointer is read and not used."""
    decide(meter, result_registers=lambda status, _result: (status, _FIXED_RESULT))


@defect("D14", "an unknown command is carried out before it is refused", "the energies change although 8021 says 81",
        shows="energies after an unknown command", caught_by="test_an_unknown_command_is_refused")  # fmt: skip
def unknown_command_presets(meter: Meter) -> None:
    """The code is looked up by its hundreds first and checked afterwards."""

    def near_miss(sick: SeriesMeter, now: int) -> int:
        COMMANDS["preset_energies"](sick, now)
        return INVALID_COMMAND

    decide(meter, unknown_command=near_miss)


@defect("D35", "a discarded set-up session is saved", "the configuration changes although it was discarded",
        shows="demand interval|answer to discarding", severity="function",
        caught_by="test_a_discarded_session_changes_nothing")  # fmt: skip
def always_saved(meter: Meter) -> None:
    """9021 does not look at its parameter."""

    def leave(sick: SeriesMeter, now: int) -> int:
        sick.area[1] = 1
        return COMMANDS["leave_setup"](sick, now)

    command(meter, leave_setup=leave)


@defect("D37", "impossible dates are taken", "31 February and second 60 are answered with 0 and become another time",
        shows=r"(result for|clock moved by, after) (31 February|second 60|a year of two digits)", severity="function",
        caught_by="test_impossible_dates_are_refused")  # fmt: skip
def impossible_dates(meter: Meter) -> None:
    """The fields are checked one by one, each against its own largest value, and carried over into one another."""

    def set_clock(sick: SeriesMeter, now: int) -> int:
        month, day, year, hour, minute, second = (sick.parameter(index) for index in range(1, 7))
        year += 2000 if year < _CENTURY else 0
        limits = ((month, 1, 12), (day, 1, 31), (hour, 0, 23), (minute, 0, 59), (second, 0, 60))
        if not all(low <= found <= high for found, low, high in limits):
            return INVALID_PARAMETERS
        midnight = datetime.combine(date(year, month, 1), time())
        sick.set_clock(now, midnight + timedelta(days=day - 1, hours=hour, minutes=minute, seconds=second))
        return DONE

    command(meter, set_clock=set_clock)


@defect("D41", "a locked meter answers 0 and presets nothing", "with the revenue lock on, 6209 says 0 and does nothing",
        shows="preset while locked", model="CM4250",
        caught_by="test_a_locked_meter_says_so")  # fmt: skip
def locked_in_silence(meter: Meter) -> None:
    """The lock is honoured where the energies are written, and nobody tells the command."""
    decide(meter, carries_out=lambda sick, _words: not sick.revenue_locked)


@defect("D42", "a master reset does not wait", "the meter answers at once, with its old energies",
        shows="master reset", caught_by="test_a_master_reset_takes_its_time")  # fmt: skip
def hasty_master_reset(meter: Meter) -> None:
    """1120 is carried out as 1110: a restart that clears nothing."""

    def restart(sick: SeriesMeter, now: int) -> int:
        if sick.setup is None:
            return INVALID_PARAMETERS
        sick.restart(now)
        return DONE

    command(meter, master_reset=restart)


@defect("P06", "no leap day", "29 February cannot be set", severity="function",
        why="a table of month lengths that was typed in an ordinary year",
        shows="leap day", caught_by="test_a_leap_day_is_a_day")  # fmt: skip
def no_leap_day(meter: Meter) -> None:
    """The 29th of February is refused in every year."""

    def set_clock(sick: SeriesMeter, now: int) -> int:
        if (sick.parameter(1), sick.parameter(2)) == (2, 29):
            return INVALID_PARAMETERS
        return COMMANDS["set_clock"](sick, now)

    command(meter, set_clock=set_clock)


@defect("P40", "the clock command leaves the year as it is", "a meter that was set to next year stays in this one",
        why="years are compared by their last digit, to save a word", severity="function",
        shows="^shown after the set time|leap day|restored clock",
        caught_by="test_the_clock_takes_a_new_time")  # fmt: skip
def keeps_the_year(meter: Meter) -> None:
    """Everything is set but the year, which may have no leap day."""

    def set_clock(sick: SeriesMeter, now: int) -> int:
        before, result = sick.clock.read(now).year, COMMANDS["set_clock"](sick, now)
        if result == DONE:
            moment = sick.clock.read(now)
            leap = (moment.month, moment.day) == (2, 29)
            sick.set_clock(now, moment.replace(year=before, day=28 if leap else moment.day))
        return result

    command(meter, set_clock=set_clock)


@defect("P07", "conditional energy cannot be stopped", "it goes on counting after 6320",
        why="a bit that is set with OR and cleared with OR",
        shows="conditional energy (counted while off|status)",
        caught_by="test_conditional_energy_is_counted_on_demand")  # fmt: skip
def conditional_never_off(meter: Meter) -> None:
    """6320 is answered with 0 and does nothing."""
    command(meter, conditional_off=lambda _sick, _now: DONE)


@defect("P08", "a reset of the demand clears the energies", "all energies begin at zero after 5110",
        why="an index into a table of counters that was not moved when a counter was added",
        shows=r"^(real|reactive|apparent) energy (in|out|total)$",
        caught_by="test_peak_demand_begins_anew")  # fmt: skip
def demand_reset_clears_energies(meter: Meter) -> None:
    """The wrong entry of the table of resets is used besides the right one."""

    def reset(sick: SeriesMeter, now: int) -> int:
        sick.put_energies(now, [0] * len(Quantity))
        return COMMANDS["reset_demand"](sick, now)

    command(meter, reset_demand=reset)


@defect("P09", "a reset of the extremes leaves minima of zero", "after 4110 every minimum is 0", severity="function",
        why="cleared memory is taken for a value: the reset writes zeros and does not look at the present",
        shows="minimum after the reset", caught_by="test_extremes_begin_anew")  # fmt: skip
def zero_minima(meter: Meter) -> None:
    """The next look finds nothing smaller than zero."""

    def reset(sick: SeriesMeter, now: int) -> int:
        result = COMMANDS["reset_minmax"](sick, now)
        for name in sick.extreme_values(now):
            seen = sick.extremes.of(name)
            if seen is not None:
                seen.low = 0
        return result

    command(meter, reset_minmax=reset)


@defect("P14", "status and result change places", "8021 shows the code of the command, 6209",
        why="two pointers of one type in the wrong order of arguments", model="PM850",
        shows=r"^result|was answered with result", caught_by="test_new_meter_takes_over_the_readings")  # fmt: skip
def pointers_swapped(meter: Meter) -> None:
    """Pointer #1 takes the result of a preset and pointer #2 its code; on a Circuit Monitor the two are equal."""

    def swapped(status: int, result: int) -> tuple[int, int]:
        return (result, status) if isinstance(meter, SeriesMeter) and meter.area[0] == _PRESET else (status, result)

    decide(meter, result_registers=swapped)


@defect("P20", "a clear leaves the apparent energy", "apparent energy keeps its value after 6211",
        why="an off-by-one: the loop over the quantities ends before the last",
        shows="apparent energy total after clearing", caught_by="test_each_clear_clears_its_own")  # fmt: skip
def clear_leaves_the_last(meter: Meter) -> None:
    """Six of seven energies are cleared."""

    def clear(sick: SeriesMeter, now: int) -> int:
        kept = sick.energies_picojoule(now)[-1]
        COMMANDS["clear_accumulated"](sick, now)
        sick.put_energies(now, [0] * (len(Quantity) - 1) + [kept])
        return DONE

    command(meter, clear_accumulated=clear)


@defect("P21", "clearing the conditional energies clears them all", "the accumulated energies are gone after 6212",
        why="a missing break: one case of a switch falls through into the next",
        shows="energies after clearing the conditional", caught_by="test_each_clear_clears_its_own")  # fmt: skip
def clear_falls_through(meter: Meter) -> None:
    """6212 goes on as 6211."""

    def clear(sick: SeriesMeter, now: int) -> int:
        COMMANDS["clear_conditional"](sick, now)
        return COMMANDS["clear_accumulated"](sick, now)

    command(meter, clear_conditional=clear)


@defect("P26", "incremental intervals are added up", "an interval shows what all of them have counted",
        why="a forgotten reset: the interval is copied and the counter behind it goes on",
        shows="incremental", caught_by="test_an_incremental_interval_begins_at_zero")  # fmt: skip
def increments_add_up(meter: Meter) -> None:
    """The last completed interval is added to those before."""

    def next_interval(sick: SeriesMeter, now: int) -> int:
        before = list(sick.last_increment)
        COMMANDS["new_incremental_interval"](sick, now)
        sick.last_increment = [old + new for old, new in zip(before, sick.last_increment, strict=True)]
        return DONE

    command(meter, new_incremental_interval=next_interval)


@defect("P29", "the clock command loses a day at midnight", "a time at hour 0 is shown a day earlier",
        why="hours counted from 1 to 24 inside: 0 is taken for the 24 of the day before", severity="function",
        shows="leap day", caught_by="test_a_leap_day_is_a_day")  # fmt: skip
def midnight_of_yesterday(meter: Meter) -> None:
    """What is set in the first hour of a day lands in the first hour of the day before."""

    def set_clock(sick: SeriesMeter, now: int) -> int:
        result = COMMANDS["set_clock"](sick, now)
        if result == DONE and sick.parameter(4) == 0:
            sick.set_clock(now, sick.clock.read(now) - timedelta(days=1))
        return result

    command(meter, set_clock=set_clock)
