"""Build a simulated Elster meter from a model's name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from random import Random
from typing import Any

from protocols.elster.tables import Source, models
from simulators.meters.elster.configuration import Configuration, factory_sections
from simulators.meters.elster.measuring import Ratios
from simulators.meters.elster.meter import Meter
from simulators.meters.elster.profile import profile_of
from simulators.meters.elster.security import FACTORY, Security
from simulators.power.feeder import Feeder

#: Local time at a virtual world's instant 0, as for the other family.
EPOCH = datetime(2026, 3, 10, 8, 0, 0)  # noqa: DTZ001  # a meter keeps local time without a zone
_SERIAL = 16
_PASSWORD = 8
_ADDRESS = 32


def build_meter(
    model: str,
    feeder: Feeder | None = None,
    *,
    name: str = "",
    epoch: datetime = EPOCH,
    profile: Mapping[str, Any] | None = None,
    energies: Mapping[Source, int] | None = None,
    outstation: str = "",
    serial: str = "",
    passwords: Mapping[int, str] | None = None,
    installed: Ratios | None = None,
    stream: Random | None = None,
) -> Meter:
    """A meter of a model, connected to a feeder.

    Args:
        model: a name from `fixtures/elster/models.yaml`.
        feeder: supply and load; by default 230 V without a load.
        name: what it is called; the serial number where none is given.
        epoch: local time at instant 0.
        profile: profile values that differ from the model's.
        energies: its first readings in whole Wh (varh, VAh).
        outstation: up to 32 digits, letters and blanks; by default zero.
        serial: up to 16 characters.
        passwords: eight ASCII characters by level 1 to 3, where they are not the factory's.
        installed: the transformers in front of the meter, which it is commissioned with; by default none.
        stream: where its challenges come from; by default a stream of its own that always begins alike.

    Raises:
        KeyError: an unknown model.
        ProfileError: an unknown or wrong profile value.
        ValueError: a serial number, an outstation or a password that does not fit; the password is not told.
    """
    kind = models()[model]
    values = profile_of(kind, profile)
    number = (serial or name or f"{model}0000").encode("ascii")
    if len(number) > _SERIAL or len(outstation) > _ADDRESS:
        raise ValueError(f"a serial number has up to {_SERIAL} characters and an outstation up to {_ADDRESS}")
    there = installed or Ratios()
    meter = Meter(
        kind,
        feeder or Feeder(),
        epoch,
        values,
        Configuration(model, factory_sections(model, values.billing_lockout, there)),
        there,
        serial=number.rjust(_SERIAL, b"0"),
        outstation=outstation.encode("ascii"),
        security=Security(_passwords(passwords or {}), stream or _repeatable(number)),
    )
    if energies:
        meter.start_with(dict(energies))
    return meter


def _repeatable(number: bytes) -> Random:
    return Random(number)  # noqa: S311  # challenges of a simulated meter, alike in every run


def _passwords(given: Mapping[int, str]) -> dict[int, bytes]:
    for level, password in given.items():
        if level not in FACTORY or len(password) != _PASSWORD or not password.isascii():
            raise ValueError(f"the password of level {level} is not {_PASSWORD} ASCII characters of level 1 to 3")
    return {**FACTORY, **{level: password.encode("ascii") for level, password in given.items()}}
