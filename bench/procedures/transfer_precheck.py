"""What speaks against a transfer before anything is written. Refusing costs a question; a wrong preset costs a bill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from bench.drivers.capabilities import Capability
from bench.drivers.finding import Finding
from bench.drivers.powerlogic import PowerLogic
from bench.drivers.powerlogic.values import EnergyReading
from bench.errors import BenchError, Exit, UsageError, WrongDevice
from bench.procedures.reading import Growth
from bench.procedures.transfer_report import TransferReport
from protocols.powerlogic.energy import Quantity

#: A meter's clock shows whole seconds, and may have been set since the stamp.
_CLOCK_SLACK = timedelta(minutes=1)


class TransferRefused(BenchError):
    """Nothing was written: what the meters say speaks against the transfer."""

    exit = Exit.FAILED


class AlreadyDone(TransferRefused):
    """The target bears these readings: a second preset is not the first one again."""


class NotATarget(UsageError):
    """The documents give no preset for this model: it can hand its readings over, and not take any."""


def refuse_pair(source: PowerLogic, target: PowerLogic) -> None:
    """Refuse what the models alone rule out; no port is needed for that.

    Raises:
        NotATarget: no public document shows a preset for the target's model.
        UsageError: source and target are one device.
    """
    if Capability.PRESET_ENERGY not in target.capabilities:
        raise NotATarget(
            f"{target.name} is a {target.model.title}: no public document shows command 6209 on it, so it can hand "
            f"readings over and not take any; --to names a CM3000, CM4000 or PM800"
        )
    if source.name == target.name:
        raise UsageError(f"{source.name} cannot hand its readings over to itself")


def refuse_strangers(findings: Mapping[str, Sequence[Finding]]) -> None:
    """Refuse a device that says it is another one than the station promises.

    Raises:
        WrongDevice: a documented or pinned identity does not agree.
    """
    for device, found in findings.items():
        for finding in found:
            if finding.refuses:
                said = "nothing" if finding.found is None else finding.found
                raise WrongDevice(f"{finding.what} is {said}, the station promises {finding.expected}", device=device)


def refuse_unlike_setups(source: PowerLogic, target: PowerLogic) -> None:
    """Refuse meters whose totals or whose increments would mean different things.

    Raises:
        TransferRefused: accumulation modes or transformer ratios differ.
    """
    modes = {meter.name: "signed" if meter.signed_mode() else "absolute" for meter in (source, target)}
    if modes[source.name] != modes[target.name]:
        raise TransferRefused(
            f"{source.name} accumulates {modes[source.name]} and {target.name} {modes[target.name]}: the totals would "
            "no longer agree with their parts (registers 3232 and 2082)"
        )
    old, new = source.ratios(), target.ratios()
    if (old.current, old.voltage) != (new.current, new.voltage):
        raise TransferRefused(
            f"{source.name} has {old} and {target.name} {new}: the readings would be right and every increment wrong"
        )


def refuse_torn(taken: EnergyReading, now: EnergyReading, growth: Growth, source: PowerLogic) -> None:
    """Refuse readings of different instants: each energy is what the source shows now, but for what it can count.

    Raises:
        TransferRefused: an energy was read earlier than the others, or across a carry.
    """
    most = growth.at_most(now.answered_at - taken.answered_at)
    for quantity, value in taken.values.items():
        least = -most if growth.signed else 0
        if not least <= now[quantity] - value <= most:
            raise TransferRefused(
                f"the readings of {source.name} are not of one instant: {quantity.title} was taken as {value} and is "
                f"{now[quantity]} a moment later; read the block in one request"
            )


def refuse_repetition(target: PowerLogic, report: TransferReport) -> None:
    """Refuse a preset that has been done: repeating it would erase what was counted since.

    Raises:
        AlreadyDone: the target bears a stamp and holds the planned energies and what it can have counted since.
    """
    assert report.before is not None
    assert report.handed_over is not None
    assert report.growth is not None
    if report.stamp_before is None or not any(report.handed_over.values.values()):
        return
    since = max(target.read_clock() - report.stamp_before, timedelta()) + _CLOCK_SLACK
    most = report.growth.at_most(int(since.total_seconds() * 1e9))
    advance = {quantity: report.before[quantity] - value for quantity, value in report.handed_over.values.items()}
    # Both may have counted on since: the new meter its load, and the old one if it was left in service.
    if all(-most <= grown <= most for grown in advance.values()):
        raise AlreadyDone(
            f"{target.name} took these readings over on {report.stamp_before:%Y-%m-%d %H:%M:%S}: a second preset would "
            "erase what it has counted since"
        )


def refuse_swapped(report: TransferReport) -> None:
    """Refuse to overwrite more energy than is handed over: most likely old and new are swapped.

    Raises:
        TransferRefused: the target has counted more apparent energy than the source.
    """
    assert report.before is not None
    assert report.handed_over is not None
    assert report.growth is not None
    meanwhile = report.growth.at_most(report.before.answered_at - report.handed_over.asked_at)
    old, new = report.handed_over[Quantity.APPARENT_TOTAL], report.before[Quantity.APPARENT_TOTAL]
    if new > old + meanwhile:
        raise TransferRefused(
            f"{report.target} has counted {new} VAh and {report.source} only {old}: are they swapped? Clear the new "
            "meter's energies first if they are to go"
        )
