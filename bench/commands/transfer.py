"""`meterbench transfer`: hand the energies of one meter over to another, or show what that would write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bench.cli import allow_option, evidence_option, json_option, show_json, station_option
from bench.commands.device import exit_of, opened
from bench.commands.run import default_folder
from bench.drivers.powerlogic import Series
from bench.drivers.powerlogic.series import BUFFER, COMMAND, POINTER_STATUS, RESULT, SENTINEL, STATUS
from bench.errors import DeviceError, StationError, UsageError
from bench.measurement import plain
from bench.procedures.energy_transfer import state_known
from bench.procedures.operator import Operator
from bench.procedures.transfer_judgement import judge_transfer
from bench.procedures.transfer_plan import plan_transfer
from bench.procedures.transfer_precheck import NotATarget
from bench.procedures.transfer_report import TransferReport
from bench.run import Scenario
from bench.safety import Safety
from bench.selection import capabilities_of
from bench.station import find_station, station_from_environment
from protocols.modbus.frames import encode_rtu
from protocols.modbus.pdu import write_register, write_registers
from protocols.powerlogic.tables import command_code, models
from protocols.powerlogic.words import pdu_address

_UNTOUCHED = "nothing was written"


@click.command()
@click.option("--from", "source", required=True, metavar="OLD", help="The meter whose energies are handed over.")
@click.option("--to", "target", required=True, metavar="NEW", help="The meter that takes them over.")
@station_option
@allow_option
@evidence_option
@click.option("--single-writes", is_flag=True, help="Fill the buffer with 28 single writes instead of one block.")
@click.option("--dry-run", is_flag=True, help="Read both meters, write nothing, and show what would be written.")
@json_option
def command(
    source: str,
    target: str,
    station: str | None,
    allowed: tuple[str, ...],
    evidence: Path | None,
    single_writes: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Hand the accumulated energies of OLD over to NEW, and prove that they arrived.

    NEW must be sacrificial in the station file and named by --allow-destructive; on the built-in station everything is.
    """
    _refuse_at_once(source, target, station, allowed, dry_run=dry_run)
    reason = None if dry_run else f"transfer of the energies of {source} to {target}"
    argv = ("transfer", "--from", source, "--to", target, *(("--station", station) if station else ()),
            *(word for device in allowed for word in ("--allow-destructive", device)),
            *(("--single-writes",) * single_writes), *(("--dry-run",) * dry_run))  # fmt: skip
    found: dict[str, Any] = {}
    if evidence is None and not dry_run:
        evidence = default_folder(find_station(station or station_from_environment()).name)
    with opened(f"transfer {source} to {target}", station, (source, target), reason=reason, allowed=allowed,
                evidence=evidence, argv=argv) as scenario:  # fmt: skip
        found = (
            _plan(scenario, source, target, single_writes=single_writes)
            if dry_run
            else _transfer(scenario, source, target, single_writes=single_writes)
        )
        found["evidence"] = str(evidence) if evidence else None
        broke = found.pop("broke", None)
        if broke is not None:  # after the preset: what was found until then is shown before that is told
            _print(found, as_json=as_json)
            raise broke
    _print(found, as_json=as_json)
    if evidence and not as_json:
        click.echo(f"evidence: {evidence}")
    return int(found["exit"])


def _print(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(found)
    else:
        _show(found)


def _refuse_at_once(source: str, target: str, station: str | None, allowed: tuple[str, ...], *, dry_run: bool) -> None:
    """Refuse what needs no port: unknown devices, a model without a preset, missing keys.

    Raises:
        UsageError: one of these.
    """
    known = find_station(station or station_from_environment())
    old, new = known.device(source), known.device(target)
    if old.id == new.id:
        raise UsageError(f"{source} cannot hand its readings over to itself")
    if "preset-energy" not in capabilities_of(new):
        title = models()[new.model].title
        raise NotATarget(
            f"{target} is a {title}: no public document shows command 6209 on it; it hands readings over only"
        )
    if not dry_run:
        Safety(known, allowed).arm(target, "transfer")


def _transfer(scenario: Scenario, source: str, target: str, *, single_writes: bool) -> dict[str, Any]:
    bench, measure = scenario.bench, scenario.measure
    old, new = bench.powerlogic(source), bench.target(target)
    scenario.device_trace(source)
    scenario.device_trace(target)
    begun: list[TransferReport] = []
    try:
        report = bench.transfer(old, new, operator=Operator(single_writes=single_writes), on_report=begun.append)
    except (DeviceError, StationError, KeyboardInterrupt):
        click.echo(f"{target}: {_left_behind(begun[0], new) if begun else _UNTOUCHED}", err=True)
        raise
    broke: StationError | None = None
    try:
        judge_transfer(report, measure)
    except StationError as error:
        broke = error
    rows = [
        {"name": m.name, "value": plain(m.value), "unit": str(m.unit), "limits": m.limits, "verdict": m.verdict.value,
         "note": m.note, "device": m.device}
        for m in measure.records
    ]  # fmt: skip
    worst = measure.worst
    return {
        "from": source,
        "to": target,
        "verdict": worst.value,
        "exit": int(exit_of(scenario) if broke is None else broke.exit),
        "broke": broke,
        "result": report.result,
        "stopped": report.stopped,
        "handed_over": _energies(report, "handed_over"),
        "after": _energies(report, "after"),
        "unmetered_estimate_wh": None if report.unmetered_estimate is None else str(report.unmetered_estimate),
        "steps": [
            {"title": s.title, "start_s": s.start / 1e9, "end_s": s.end / 1e9, "outcome": s.outcome}
            for s in report.steps
        ],
        "measurements": rows,
    }


def _left_behind(report: TransferReport, target: Series) -> str:
    """How a transfer that was broken off leaves the target; the reason is told apart from it."""
    if not target.session.writes:
        return _UNTOUCHED
    pointers = "restored" if report.pointers_restored else "NOT RESTORED (write 0 to 8017, 8018 and 8019)"
    return f"{state_known(report)}; pointers {pointers}"


def _energies(report: TransferReport, which: str) -> dict[str, int] | None:
    reading = getattr(report, which)
    return None if reading is None else {quantity.value: value for quantity, value in reading.values.items()}


def _plan(scenario: Scenario, source: str, target: str, *, single_writes: bool) -> dict[str, Any]:
    bench = scenario.bench
    old, new = bench.powerlogic(source), bench.target(target)
    report = plan_transfer(old, new, bench.journal)
    words = [word & 0xFFFF for word in report.words]
    writes = [
        ("clear the pointers", POINTER_STATUS, write_registers(pdu_address(POINTER_STATUS), [0, 0, 0])),
        ("sentinel", STATUS, write_register(pdu_address(STATUS), SENTINEL)),
        ("sentinel", RESULT, write_register(pdu_address(RESULT), SENTINEL)),
        *_fill(words, single_writes=single_writes),
        *(("aim a pointer", POINTER_STATUS + i, write_register(pdu_address(POINTER_STATUS + i), aim))
          for i, aim in enumerate((STATUS, RESULT, BUFFER))),
        ("command", COMMAND, write_register(pdu_address(COMMAND), _code(new))),
        ("restore the pointers", POINTER_STATUS, write_registers(pdu_address(POINTER_STATUS), [0, 0, 0])),
    ]  # fmt: skip
    unit = new.device.address
    return {
        "from": source,
        "to": target,
        "dry_run": True,
        "exit": 0,
        "handed_over": _energies(report, "handed_over"),
        "before": _energies(report, "before"),
        "words": report.words,
        "writes": [
            {"what": what, "register": register, "rtu": encode_rtu(unit, pdu).hex(" ")}
            for what, register, pdu in writes
        ],
    }


def _fill(words: list[int], *, single_writes: bool) -> list[tuple[str, int, bytes]]:
    what = "fill the buffer"
    if not single_writes:
        return [(what, BUFFER, write_registers(pdu_address(BUFFER), words))]
    return [(what, BUFFER + i, write_register(pdu_address(BUFFER + i), word)) for i, word in enumerate(words)]


def _code(target: Series) -> int:
    return command_code(target.model.family, "preset_energies")


def _show(found: dict[str, Any]) -> None:
    if found.get("dry_run"):
        click.echo(f"dry run, nothing was written: {found['from']} to {found['to']}")
        for name, value in found["handed_over"].items():
            click.echo(f"  {name.replace('_', ' '):<24} {value:>22}   now {found['before'][name]}")
        for write in found["writes"]:
            click.echo(f"  {write['register']}  {write['what']:<21} {write['rtu']}")
        return
    for row in found["measurements"]:
        text = (
            f"  {row['verdict'].replace('_', ' ').upper():<16} {row['name']:<42} {row['value']} {row['unit']}".rstrip()
        )
        click.echo(
            text + (f"   {row['limits']}" if row["limits"] else "") + (f"   ({row['note']})" if row["note"] else "")
        )
    estimate = found["unmetered_estimate_wh"]
    unmetered = "" if estimate is None else f"; unmetered meanwhile: about {estimate} Wh"
    click.echo(f"{found['from']} to {found['to']}: {found['verdict'].replace('_', ' ')}{unmetered}")
