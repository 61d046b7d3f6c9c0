"""What a run keeps of its characterisation: findings by device, and the file that is written when it ends."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bench.characterisation.finding import Findings, Profile
from bench.characterisation.profile_file import Circumstances, check_target, profile_text, write_whole
from bench.errors import UsageError
from bench.evidence import tool_version
from bench.measurement import seconds
from protocols.powerlogic.tables import models

if TYPE_CHECKING:
    from bench.run import Options, Run, Scenario
    from bench.station import Station

#: Questions that are asked only if somebody asks for them by name: what they could do to a meter or to its neighbours.
ON_REQUEST = {
    "revenue-lock": "locks the meter with 1411 and unlocks it with 1410; one that needs more than that stays locked",
    "broadcast": "writes one word of the user area of every meter on the line",
}


def check_options(station: Station, options: Options) -> None:
    """Whether what is asked of a characterisation can be done.

    Raises:
        UsageError: it cannot; says what to change.
    """
    for name in options.also_ask:
        if name not in ON_REQUEST:
            told = "; ".join(f"{known} ({what})" for known, what in ON_REQUEST.items())
            raise UsageError(f"--also-ask {name}: there is no such question; there are: {told}")
    if options.write_profile is None:
        return
    if len(station.devices) != 1:
        raise UsageError(
            f"--write-profile writes the profile of one meter: add --device ID, one of {', '.join(station.devices)}"
        )
    check_target(options.write_profile, overwrite=options.overwrite_profile)


def profile_of_scenario(run: Run, scenario: Scenario, device: str) -> Profile:
    """The `profile` fixture."""
    if device not in run.findings:
        run.findings[device] = Findings(device, models()[run.station.device(device).model])
    virtual = run.kind == "virtual"

    def when() -> str:
        return f"virtual time {seconds(scenario.now())} s of its scenario" if virtual else _utc()

    return Profile(run.findings[device], scenario.measure, when)


def write_profile(run: Run) -> str:
    """Write what was found out, if a file was asked for; returns the line that tells of it.

    Raises:
        StationError: the disk refuses.
    """
    path = run.options.write_profile
    if path is None:
        return ""
    answered = [findings for findings in run.findings.values() if findings.answers]
    if not answered:
        return f"profile: {path} is not written, nothing was found out"
    (findings,) = answered
    virtual = run.kind == "virtual"
    at = f"virtual time, seed {run.options.seed}" if virtual else _utc()
    salt = hashlib.sha256(f"seed {run.options.seed}".encode()).digest()[:16] if virtual else os.urandom(16)
    how = Circumstances(run.station.name, run.kind, at, tool_version())
    text = profile_text(findings, how, path.name, run.station.device(findings.device).serial, salt)
    write_whole(path, text, overwrite=run.options.overwrite_profile)
    left = len(findings.unknown) + len(findings.unasked())
    run.profile_written = path
    return f"profile: {path}  {len(findings.answers)} values of {findings.device}, {left} not determined"


def overwritten(run: Run) -> list[str]:
    """A line for each meter whose energies are not quite what they would have been."""
    return [
        f"{findings.device}: the energies were overwritten again and again and put back as they were read; "
        "what it would have counted meanwhile is lost"
        for findings in run.findings.values()
        if findings.overwritten
    ]


def _utc() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
