"""A transfer as it would be: both meters are looked at, everything is compared, nothing is written."""

from __future__ import annotations

from bench.drivers.powerlogic import PowerLogic, Series
from bench.procedures.energy_transfer import look_before
from bench.procedures.journal import Journal
from bench.procedures.operator import Operator
from bench.procedures.transfer_precheck import refuse_pair
from bench.procedures.transfer_report import TransferReport


def plan_transfer(source: PowerLogic, target: Series, journal: Journal) -> TransferReport:
    """The report of a transfer up to the point where the first word would be written.

    Raises:
        TransferRefused, WrongDevice, UsageError: what would refuse the transfer itself.
    """
    refuse_pair(source, target)
    report = TransferReport(source.name, target.name, steps=journal.steps)
    look_before(source, target, report, journal, Operator())
    return report
