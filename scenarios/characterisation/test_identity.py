"""Who answers, and to what. Nothing is written."""

import pytest

from bench.characterisation import identity
from bench.characterisation.drift import clock_drift
from bench.characterisation.finding import Profile
from bench.characterisation.reading import most_registers, turnaround, undefined_read
from bench.clock import Clock
from bench.drivers.powerlogic import PowerLogic
from bench.launch import watch_time
from scenarios.marks import hardware, needs

pytestmark = hardware


@needs("identify")
def test_who_answers(meter: PowerLogic, profile: Profile) -> None:
    """Functions 17 and 43/14 say what stands on the plate."""
    profile.identity(identity.facts(meter))
    for name, found in identity.identity(meter).items():
        profile.keep(name, found)


def test_to_which_functions_it_answers(meter: PowerLogic, profile: Profile) -> None:
    """Every public function code, in a request that cannot change anything."""
    profile.keep("function_codes", identity.function_codes(meter))


def test_how_soon_it_answers(meter: PowerLogic, profile: Profile) -> None:
    """The turnaround: a value of the link."""
    profile.of_the_link("turnaround", turnaround(meter))


def test_how_many_registers_a_read_takes(meter: PowerLogic, profile: Profile) -> None:
    """Modbus allows 125 registers; a meter may have room for fewer."""
    profile.keep("most_registers", most_registers(meter))


def test_what_stands_where_nothing_is_described(meter: PowerLogic, profile: Profile) -> None:
    """A block over registers that no document describes is filled or refused."""
    profile.keep("undefined_read", undefined_read(meter))


def test_how_fast_its_clock_runs(
    meter: PowerLogic, profile: Profile, clock: Clock, pytestconfig: pytest.Config
) -> None:
    """Two steps of its clock, far apart: on the wall it takes hours to be sharp."""
    profile.keep("clock_drift_ppm", clock_drift(meter, clock, watch_time(pytestconfig.getoption("watch_clock"))))
