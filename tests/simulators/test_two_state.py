"""The chain of good and bad time is what its formula says, and every profile has one."""

from __future__ import annotations

from math import exp
from random import Random

import pytest

from simulators.lines.two_state import TwoState, profiles
from simulators.world import MILLISECOND, SECOND


@pytest.mark.parametrize(("pi", "tau"), [(0.05, 200 * MILLISECOND), (0.3, SECOND), (0.02, 20 * SECOND)])
def test_the_share_of_bad_time_and_its_mean_length_are_those_of_the_formula(pi: float, tau: int) -> None:
    step = tau // 5
    chain = TwoState(lambda _when: pi, tau, Random(7))
    states = [chain.bad_at(index * step) for index in range(100_000)]
    spells = sum(bad and not before for before, bad in zip([False, *states], states, strict=False))
    stays = pi + (1 - pi) * exp(-step / tau)
    seen = sum(states) / spells * step
    # Looked at every `step`, a spell of mean length tau/(1-pi) shows 1/(1-stays) times; this takes the rounding out.
    mean = seen * (tau / (1 - pi)) / (step / (1 - stays))
    assert sum(states) / len(states) == pytest.approx(pi, rel=0.1)
    assert mean == pytest.approx(tau / (1 - pi), rel=0.05)


def test_the_past_is_forgotten_after_tau() -> None:
    """Bad now, bad tau later with pi + (1 - pi)/e."""
    pi, tau, again, first = 0.2, SECOND, 0, 0
    random = Random(3)
    for _ in range(20_000):
        chain = TwoState(lambda _when: pi, tau, random)
        if chain.bad_at(0):
            first += 1
            again += chain.bad_at(tau)
    assert again / first == pytest.approx(pi + (1 - pi) / 2.71828, abs=0.025)


def test_good_time_comes_after_tau_over_one_minus_pi_on_average() -> None:
    pi, tau, random, waits = 0.5, SECOND, Random(5), []
    for _ in range(20_000):
        wait = TwoState(lambda _when: pi, tau, random).good_from(0)
        waits += [wait] if wait else []
    assert sum(waits) / len(waits) == pytest.approx(tau / (1 - pi), rel=0.05)


def test_time_does_not_go_back() -> None:
    chain = TwoState(lambda _when: 0.5, SECOND, Random(1))
    states = {chain.bad_at(10 * SECOND), chain.bad_at(SECOND)}
    assert len(states) == 1, "an instant before the last is the last"


def test_every_profile_can_be_sampled_and_power_line_carrier_has_its_evening() -> None:
    for profile in profiles().values():
        chain = TwoState(profile.share, profile.tau, Random(2))
        bad = sum(chain.bad_at(index * profile.tau) for index in range(4000)) / 4000
        mean = sum(profile.pi) / 24
        assert bad == pytest.approx(mean, abs=0.02), profile.name
    plc = profiles()["plc_prime"]
    assert plc.share(20 * 3600 * SECOND) == 0.16
    assert plc.share((24 + 2) * 3600 * SECOND) == 0.02
