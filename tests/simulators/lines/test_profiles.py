"""Every link profile is what its row says: sampled, against the closed form.

METERBENCH_SAMPLES=100000 takes a longer look than the test run does.
"""

from __future__ import annotations

import os
from math import exp, sqrt
from random import Random
from statistics import median, quantiles

import pytest

from simulators.lines.profiles import LinkProfile, Times, link_profile, link_profiles
from simulators.world import SECOND

SAMPLES = int(os.environ.get("METERBENCH_SAMPLES", "20000"))
PROFILES = list(link_profiles().values())


def each(profile: LinkProfile) -> str:
    return profile.name


@pytest.mark.parametrize("profile", PROFILES, ids=each)
@pytest.mark.parametrize("what", ["rtt", "setup"])
def test_median_and_95th_percentile_are_those_of_the_formula(profile: LinkProfile, what: str) -> None:
    times: Times = getattr(profile, what)
    random = Random(f"{profile.name} {what}")
    drawn = [times.draw(random) / SECOND for _ in range(SAMPLES)]
    assert median(drawn) == pytest.approx(times.median, rel=0.03)
    assert quantiles(drawn, n=20)[-1] == pytest.approx(times.p95, rel=0.05)
    assert min(drawn) >= times.floor
    assert max(drawn) <= times.limit


@pytest.mark.parametrize("profile", PROFILES, ids=each)
def test_what_is_lost_is_within_three_standard_errors(profile: LinkProfile) -> None:
    """Asked so rarely that the past is forgotten: all of what falls into bad time, and a little of the rest."""
    random = Random(f"loss of {profile.name}")
    chain, hour = profile.chain(random), 12 * 3600 * SECOND
    lost = 0
    for index in range(SAMPLES):
        when = hour + index * 24 * 3600 * SECOND
        lost += chain.bad_at(when) or random.random() < profile.loss
    pi = profile.bad.share(hour)
    expected = pi + (1 - pi) * profile.loss
    assert lost / SAMPLES == pytest.approx(expected, abs=3 * sqrt(expected * (1 - expected) / SAMPLES) + 1e-9)


@pytest.mark.parametrize("profile", [p for p in PROFILES if p.bad.share(12 * 3600 * SECOND) > 0.005], ids=each)
def test_bad_time_lasts_tau_over_one_minus_pi(profile: LinkProfile) -> None:
    """From the share that is still bad after a fifth of tau."""
    random, noon = Random(profile.name), 12 * 3600 * SECOND
    pi, tau = profile.bad.share(noon), profile.bad.tau
    still, bad = 0, 0
    while bad < SAMPLES // 4:
        chain = profile.chain(random)
        if chain.bad_at(noon):
            bad += 1
            still += chain.bad_at(noon + tau // 5)
    assert still / bad == pytest.approx(pi + (1 - pi) * exp(-0.2), rel=0.05)


def test_line_time_is_exact_to_the_microsecond() -> None:
    assert link_profile("optical_flag").time_of(1024) == pytest.approx(1024 * 10 / 9600 * SECOND, abs=1000)
    assert link_profile("rs485_modbus_8E1").time_of(33) == pytest.approx(33 * 11 / 9600 * SECOND, abs=1000)


def test_drops_come_as_often_as_the_row_says() -> None:
    profile, random = link_profile("gsm_csd_v110"), Random(1)
    mean = sum(profile.drop_after(random) or 0 for _ in range(SAMPLES)) / SAMPLES
    assert mean / SECOND == pytest.approx(3600 / 2, rel=0.03)
    assert link_profile("plc_prime").drop_after(random) is None


def test_every_row_says_where_it_is_from_and_what_is_assumed() -> None:
    assert all(profile.source and profile.confidence in {"V", "2S", "S", "I"} for profile in PROFILES)
    assert str(link_profile("gsm_csd_v110")) == "gsm_csd_v110 (assumed; confidence I)"


def test_a_profile_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(KeyError, match=r"'pstn' is no link profile; there are: .*pstn_v32"):
        link_profile("pstn")
