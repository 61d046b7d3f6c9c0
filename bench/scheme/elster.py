"""An Elster driver as a scheme is programmed through it, and who answers as a model and a serial number."""

from __future__ import annotations

from datetime import datetime

from bench.drivers.elster import Elster
from bench.errors import Refused, UsageError
from bench.procedures.daylight_shift import read_daylight_shift
from bench.safety import Armed
from bench.scheme.meter import Identity, ProgrammingRecord, SchemeMeter
from protocols.elster import tables
from protocols.elster.configuration import configurable_models
from protocols.flag import frames
from simulators.world import SECOND

#: Of the ident, the digits that say what kind of meter it is.
_KIND = 5
#: How long (ns) the largest object (640 bytes) may take on the slowest line that never changes its speed (300 Bd).
_LONGEST_WRITE = 60 * SECOND


class ElsterScheme:
    """A `SchemeMeter` over the driver of an A1120, A1140 or A1700."""

    def __init__(self, driver: Elster) -> None:
        self._driver = driver

    @property
    def name(self) -> str:
        """The device's id in the station file."""
        return self._driver.name

    @property
    def model(self) -> str:
        """What the station file says it is."""
        return self._driver.model.name

    def identify(self) -> Identity:
        """Its model by the identification message, serial number and, where the model tells it, firmware."""
        found, _ = self._driver.identify()
        known = tables.identities(self.model).values()
        firmware = b"".join(self._driver.image("firmware") for row in known if row.name == "firmware")
        return Identity(model_of(found.message), found.serial, firmware.decode("ascii", "replace").strip(" \0"))

    def log_in(self, armed: Armed | None, level: int, user: str) -> None:  # noqa: ARG002  # 576 is written with the rest
        """A fresh visit at a level; level 0 needs no permission and uses no password."""
        self._driver.session.leave()
        if level:
            if armed is None:
                raise UsageError(f"{self.name}: a log-in at level {level} needs permission")
            armed.check(self.name)
            self._driver.session.require(level)

    def ready(self, armed: Armed, level: int) -> int:
        """See to a visit at a level that lasts for one more object; its number is a new one if it is a fresh visit."""
        armed.check(self.name)
        self._driver.session.require(level, ahead=_LONGEST_WRITE)
        return self._driver.session.visits

    def expect_password(self, password: bytes) -> None:
        """A password that the meter may have by now instead of the station's."""
        self._driver.session.also = password

    def takes_password(self, password: bytes) -> bool:
        """Whether a visit can be opened with it."""
        session = self._driver.session
        try:
            session.log_in(password)
        except Refused:
            return False
        session.leave()
        return True

    def log_out(self) -> None:
        """The end of the visit."""
        self._driver.log_out()

    def read_object(self, identity: int, size: int) -> bytes:
        """The first bytes of an identity."""
        return self._driver.read_object(identity, size)

    def write_object(self, armed: Armed, identity: int, data: bytes) -> None:
        """A whole object."""
        self._driver.write_object(armed, identity, data)

    def write_assumed(self) -> None:
        """From now on identities are written too whose numbers no public document gives."""
        self._driver.session.unproven = frozenset()

    def read_programming_log(self) -> ProgrammingRecord:
        """Identity 680."""
        return self._driver.read_programming_log()

    def read_log_time(self) -> datetime:
        """Its clock as its Unix seconds have it, which is what its logs are stamped with."""
        return read_daylight_shift(self._driver).unix(self._driver.read_clock())


def model_of(message: frames.Identification) -> str:
    """The model that identifies itself so, or what it says where no model does."""
    for name in configurable_models():
        known = frames.decode_identification(tables.model(name).identification + frames.CRLF)
        if (known.maker, known.ident[:_KIND]) == (message.maker, message.ident[:_KIND]):
            return name
    return f"unknown meter {message.ident}"


def scheme_meter(driver: object) -> SchemeMeter | None:
    """The driver as one that takes schemes, None if it does not."""
    if isinstance(driver, Elster):
        return ElsterScheme(driver)
    return driver if isinstance(driver, SchemeMeter) else None
