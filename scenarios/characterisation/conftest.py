"""Fixtures of the characterisation."""

from collections.abc import Callable, Iterator

import pytest

from bench.bench import Bench
from bench.characterisation.finding import Profile
from bench.characterisation.keeping import energies_kept
from bench.characterisation.session import ON_REQUEST
from bench.drivers.powerlogic import Series
from bench.safety import Armed


@pytest.fixture
def armed(target: Series, bench: Bench) -> Armed:
    """Permission to write to the meter that is asked."""
    return bench.arm(target)


@pytest.fixture
def energies_saved(target: Series, bench: Bench, armed: Armed, profile: Profile) -> Iterator[None]:
    """The meter's energies are afterwards what they were before; what it would have counted meanwhile is lost."""
    profile.findings.overwritten = True
    with energies_kept(target, bench, armed):
        yield


@pytest.fixture
def asked_for(pytestconfig: pytest.Config) -> Callable[[str], str]:
    """Why a question is left out that has to be asked for by name; empty if it was."""

    def why(name: str) -> str:
        if name in pytestconfig.getoption("also_ask"):
            return ""
        return f"--also-ask {name}: it {ON_REQUEST[name]}"

    return why
