"""The energy transfer: the readings of an old meter become those of the meter that replaces it.

The procedure of Schneider FAQ FA221464 with the checks that it leaves to the operator. Everything that could be wrong
is looked at before the first write; what was written is known from the audit even if the process dies; the command is
sent once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Protocol

from bench.drivers.powerlogic import PowerLogic, Series
from bench.drivers.powerlogic.series import BUFFER_WORDS, SENTINEL
from bench.errors import BenchError, NoEvidence, StationError, Undeterminable
from bench.procedures import transfer_precheck as precheck
from bench.procedures.journal import Journal
from bench.procedures.neighbours import disturbed, look_at_neighbours
from bench.procedures.operator import Operator
from bench.procedures.reading import growth_of, read_twice
from bench.procedures.transfer_report import PowerCycle, TransferReport
from bench.safety import Armed
from protocols.powerlogic.energy import encode_set
from protocols.powerlogic.words import signed


class PowerControl(Protocol):
    """Interrupts a device's supply."""

    def cycle(self, device: str) -> None:
        """Switch off and on again.

        Raises:
            Undeterminable: the station has no means.
            NoEvidence: nothing shows that the supply was away.
            StationError: the means failed.
        """


def transfer_energy(
    source: PowerLogic,
    target: Series,
    *,
    armed: Armed,
    journal: Journal,
    operator: Operator | None = None,
    power: PowerControl | None = None,
    on_report: Callable[[TransferReport], None] | None = None,
) -> TransferReport:
    """Transfer the seven accumulated energies of `source` to `target`.

    Args:
        source: the old meter; it is only read.
        target: the new meter; its accumulated energies are overwritten.
        armed: permission to write to the target.
        journal: keeps the steps and the audit.
        operator: the hands; by default an operator who follows the procedure.
        power: interrupts the target's supply for the check that the preset is kept.
        on_report: given the report as soon as there is one, so that a caller has it when the procedure is broken off.

    Returns:
        What was found and done. `stopped` says why the procedure went no further, if so.

    Raises:
        TransferRefused: no energy was written, because what was found speaks against it.
        DeviceError, StationError: something broke; pointers are restored as far as the line allows.
    """
    hands = operator or Operator()
    report = TransferReport(source.name, target.name, steps=journal.steps)
    if on_report is not None:
        on_report(report)
    precheck.refuse_pair(source, target)
    hands.prepare(target, armed)
    try:
        look_before(source, target, report, journal, hands)
    except precheck.AlreadyDone as refused:
        raise _tidied(refused, target, report, journal, armed) from None
    journal.audit("transfer", device=target.name, source=source.name, before=_named(report, "before"),
                  handed_over=_named(report, "handed_over"), words=report.words)  # fmt: skip
    neighbours = look_at_neighbours(target)
    with _told_if_broken_off(report, journal):
        try:
            _write(target, report, journal, hands, armed)
            if report.stopped:
                journal.audit("stopped", device=target.name, reason=report.stopped, state=state_known(report))
        except BaseException:
            _learn_result(target, report, journal, hands)
            raise
        finally:
            _restore(target, report, journal, armed)
        if not report.stopped:
            _verify(target, report, journal)
            assert report.growth is not None
            with journal.step("sweep for side effects"):
                report.disturbed = disturbed(neighbours, look_at_neighbours(target), report.growth)
            _power_cycle(target, report, journal, power)
    return report


def look_before(source: PowerLogic, target: Series, report: TransferReport, journal: Journal, hands: Operator) -> None:
    """Identify both, compare modes and ratios, read both; nothing is written yet."""
    with journal.step("identify both meters"):
        report.findings = {meter.name: meter.identify()[1] for meter in (source, target)}
        precheck.refuse_strangers(report.findings)
    with journal.step("compare accumulation modes and ratios"):
        precheck.refuse_unlike_setups(source, target)
    with journal.step("read the old meter"):
        growth = growth_of(source)
        report.handed_over = hands.read(source, growth)
        precheck.refuse_torn(report.handed_over, source.read_energies(), growth, source)
    with journal.step("read the new meter"):
        report.growth = growth_of(target)
        report.before = read_twice(target, report.growth)
        report.stamp_before = target.stamp("energy_preset_time")
    report.expected_words = encode_set(report.handed_over.values)
    report.words = hands.arrange(report.handed_over)
    precheck.refuse_repetition(target, report)
    precheck.refuse_swapped(report)


def _write(target: Series, report: TransferReport, journal: Journal, hands: Operator, armed: Armed) -> None:
    aim = hands.aim
    with journal.step("clear the pointers and plant the sentinels"):
        journal.audit("write", device=target.name, registers="8017-8019", values=[0, 0, 0])
        target.clear_pointers(armed)
        journal.audit("write", device=target.name, registers=[aim.status, aim.result], values=[SENTINEL, SENTINEL])
        target.plant_sentinels(armed, aim.status, aim.result)
    with journal.step("fill the buffer and read it back"):
        journal.audit(
            "write", device=target.name, registers=f"{aim.data}-{aim.data + BUFFER_WORDS - 1}", values=report.words
        )
        hands.fill_buffer(target, armed, report.words)
        report.buffer = [signed(word) for word in target.session.read(aim.data, BUFFER_WORDS)]
        if report.buffer != report.words:
            report.stopped = f"the buffer reads back otherwise than written ({_differing(report.buffer, report.words)})"
            return
    with journal.step("aim the pointers and read them back"):
        report.expected_pointers = (aim.status, aim.result, aim.data)
        journal.audit("write", device=target.name, registers="8017-8019", values=list(report.expected_pointers))
        hands.aim_pointers(target, armed)
        report.pointers = target.read_pointers()
        if report.pointers != report.expected_pointers:
            report.stopped = f"the pointers read {report.pointers} instead of {report.expected_pointers}"
            return
        report.stopped = _lost_since(target, report, hands)
        if report.stopped:
            return
    with journal.step("send the command, once"):
        journal.audit("command", device=target.name, register=8000, code=6209)
        report.commanded_at = journal.clock.now()
        hands.command(target, armed)
    with journal.step("wait for the result word"):
        _note_result(target, report, journal, aim.result)


def _lost_since(target: Series, report: TransferReport, hands: Operator) -> str:
    """What a meter that has restarted since the buffer was filled has lost, empty if nothing.

    It would load zeros, and 0 would already stand where the result comes. Who restarts from here on loses the pointers
    as well: nothing is loaded then, and no result is believed.
    """
    report.buffer = [signed(word) for word in target.session.read(hands.aim.data, BUFFER_WORDS)]
    if report.buffer != report.words:
        return f"the buffer has changed since it was filled ({_differing(report.buffer, report.words)})"
    if not target.sentinels_stand(hands.aim.status, hands.aim.result):
        return "the sentinels are gone from status and result: the meter has restarted"
    return ""


def _note_result(target: Series, report: TransferReport, journal: Journal, register: int) -> None:
    """The result word, or that there is none: unchanged, or lost with the pointers in a restart of the meter."""
    report.result = target.await_result(register)
    journal.audit("result", device=target.name, register=register, value=report.result)
    if report.result is None and target.read_pointers() != report.expected_pointers:
        report.result_lost = True
        journal.audit("result lost", device=target.name, reason="the pointers are gone: the meter has restarted")


@contextmanager
def _told_if_broken_off(report: TransferReport, journal: Journal) -> Iterator[None]:
    """Broken off after the first write, it leaves in the audit what the energies are, or that this is unknown."""
    try:
        yield
    except BaseException as error:
        reason = "interrupted by the operator" if isinstance(error, KeyboardInterrupt) else str(error)
        journal.audit("broken off", device=report.target, reason=reason, state=state_known(report))
        raise


def state_known(report: TransferReport) -> str:
    """What is known of the target's energies after a transfer that was broken off."""
    if report.commanded_at is None:
        return "the command was not sent: the energies are the old ones"
    look = "read 1700-1727 and 3290 before anything is repeated"
    if report.result is not None:
        return f"the command was answered with {report.result}; {look}"
    return f"the command was sent and its result is not known: {look}"


def _learn_result(target: Series, report: TransferReport, journal: Journal, hands: Operator) -> None:
    """Broken off after the command: ask for its result before the pointers go, so that it is known if it can be."""
    if report.commanded_at is None or report.result is not None:
        return
    with suppress(BenchError), journal.step("learn the result of the command"):
        _note_result(target, report, journal, hands.aim.result)


def _tidied(
    refused: precheck.AlreadyDone, target: Series, report: TransferReport, journal: Journal, armed: Armed
) -> precheck.AlreadyDone:
    """The refusal of a second preset; a transfer that was killed has left its pointers aimed, and they go now."""
    if not any(target.read_pointers()):
        return refused
    _restore(target, report, journal, armed)
    state = "are restored" if report.pointers_restored else "could not be restored"
    return precheck.AlreadyDone(f"{refused}; its pointers, left aimed by a transfer that was killed, {state}")


def _restore(target: Series, report: TransferReport, journal: Journal, armed: Armed) -> None:
    """Point the pointers at nothing; an operator who cannot wait is obeyed when that is done."""
    try:
        _clear_and_look(target, report, journal, armed)
    except KeyboardInterrupt:
        _clear_and_look(target, report, journal, armed)  # zeros in the pointers may be written twice
        raise


def _clear_and_look(target: Series, report: TransferReport, journal: Journal, armed: Armed) -> None:
    """Clear the pointers and read them; where the line no longer allows it, the audit says so."""
    try:
        with journal.step("restore the pointers"):
            journal.audit("write", device=target.name, registers="8017-8019", values=[0, 0, 0])
            target.clear_pointers(armed)
            report.pointers_restored = target.read_pointers() == (0, 0, 0)
            journal.audit("restore", device=target.name, registers="8017-8019", restored=report.pointers_restored)
    except BenchError as error:
        report.pointers_restored = False
        journal.audit("restore", device=target.name, registers="8017-8019", restored=False, reason=str(error))


def _verify(target: Series, report: TransferReport, journal: Journal) -> None:
    with journal.step("read the new meter again"):
        report.after = read_twice(target, growth_of(target))
        report.growth = growth_of(target).larger(report.growth) if report.growth else growth_of(target)
        report.stamp_after = target.stamp("energy_preset_time")
        report.clock_after = target.read_clock()
    journal.audit("verify", device=target.name, after=_named(report, "after"), stamp=report.stamp_after)


def _power_cycle(target: Series, report: TransferReport, journal: Journal, power: PowerControl | None) -> None:
    report.power_cycle = cycle = PowerCycle(lacks="" if power else f"power control of {target.name}")
    if power is None:
        return
    try:
        with journal.step("interrupt the supply and read again"):
            journal.clock.sleep(_SAVED_BY)
            journal.audit("power cycle", device=target.name)
            try:
                power.cycle(target.name)
            except NoEvidence as error:
                cycle.lacks = error.lacks
            target.wait_until_it_answers(_RETURN_TIME)
            cycle.reading = target.read_energies()
            cycle.growth = growth_of(target)
    except Undeterminable as error:
        cycle.lacks = error.lacks
    except StationError as error:
        # The preset is done and judged: what broke is told when that has been said.
        cycle.broke = error
        journal.audit("power cycle failed", device=target.name, reason=str(error))


_RETURN_TIME = 120_000_000_000
#: Who cuts at once takes back what the meter was about to save. No document says how long that takes; it shows here
#: whether a preset is saved at all, and in scenarios of their own what a cut in mid-save leaves.
_SAVED_BY = 2_000_000_000


def _named(report: TransferReport, which: str) -> dict[str, int]:
    reading = getattr(report, which)
    return {} if reading is None else {quantity.value: value for quantity, value in reading.values.items()}


def _differing(found: Sequence[int], written: Sequence[int]) -> str:
    wrong = [index for index, (a, b) in enumerate(zip(found, written, strict=True), 1) if a != b]
    return f"{len(wrong)} of {len(written)} words, the first is word {wrong[0]}"
