"""CM2: commands at 7700, the clock in its own three registers. A source of energies, never a target."""

from __future__ import annotations

from datetime import datetime

from bench.drivers.powerlogic.driver import PowerLogic, whole_second
from bench.drivers.powerlogic.values import date_of
from bench.errors import ForeignAnswer
from bench.safety import Armed
from protocols.powerlogic.tables import command_code
from protocols.powerlogic.words import encode_date

_DATE_WORDS = 3
#: A CM2 gives no result word; it is left this long to carry a command out (assumed).
_COMMAND_TIME = 500_000_000


class CM2(PowerLogic):
    """A Series 2000 Circuit Monitor."""

    #: The computed command password and where it is written back (PM600 bulletin 3020IM9503R6/98).
    hidden = ("command_password", "protected_password")

    def read_clock(self) -> datetime:
        """The meter's clock, from 1842-1844.

        Raises:
            ForeignAnswer: the registers show no date.
        """
        moment = date_of(self.value("clock"))
        if moment is None:
            raise ForeignAnswer("the clock shows no date", device=self.name)
        return moment

    def set_clock(self, armed: Armed, moment: datetime) -> None:
        """Write 1842-1844 in one request."""
        self.session.write_block(armed, self.map["clock"].number, encode_date(whole_second(moment), _DATE_WORDS))

    def reset_demand(self, armed: Armed) -> None:
        """Command 5110 at 7700."""
        self._command(armed, "reset_demand")

    def reset_extremes(self, armed: Armed) -> None:
        """Command 4110 at 7700."""
        self._command(armed, "reset_minmax")

    def _command(self, armed: Armed, name: str) -> None:
        self.session.write(armed, self.map["command"].number, command_code("CM2", name))
        self.clock.sleep(_COMMAND_TIME)
