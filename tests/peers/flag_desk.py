"""Served Elster meters for programs that others wrote: two behind a TCP module, and two behind heads of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from served_desk import Desk

from bench.replay.conformance import Judged, judge
from bench.replay.exchanges import load_trace
from protocols.elster.tables import Source

IMPORT, EXPORT, Q1 = 12_345_678, 1_234, 9_999_999_999
_ENERGIES = f"{{real_energy_in: {IMPORT}, real_energy_out: {EXPORT}, reactive_energy_in: {Q1}}}"
#: PyPI's client on a serial line hears no answer that comes within 0.75 s of its option select.
_SLOW = f"{{load: 0 W, energies: {_ENERGIES}, profile: {{reaction_time: 1 s}}}}"
STATION = f"""
schema: 1
name: desk
links:
  module: {{type: sim, medium: network}}
  head: {{type: sim, medium: optical}}
  slow: {{type: sim, medium: optical}}
  slow-too: {{type: sim, medium: optical}}
devices:
  A1140: {{model: A1140, link: module, outstation: "094", simulate: {{load: 0 W, energies: {_ENERGIES}}}}}
  A1700: {{model: A1700, link: module, outstation: "017", simulate: {{load: 0 W, energies: {_ENERGIES}}}}}
  head: {{model: A1140, link: head, outstation: "094", simulate: {{load: 0 W, energies: {_ENERGIES}}}}}
  slow-A1140: {{model: A1140, link: slow, outstation: "094", simulate: {_SLOW}}}
  slow-A1700: {{model: A1700, link: slow-too, outstation: "017", simulate: {_SLOW}}}
"""
OUTSTATIONS = {"A1140": "094", "A1700": "017"}
#: What the registers hold (Wh, varh), and how the readout has to show it.
REGISTERS = {Source.IMPORT: IMPORT, Source.EXPORT: EXPORT, Source.Q1: Q1}
SHOWN = {"1.8.0": ("0012345.678", "kWh"), "2.8.0": ("0000001.234", "kWh"), "5.8.0": ("9999999.999", "kvarh")}
PASSWORD = b"00000000"


class FlagDesk(Desk):
    """The desk with what is recorded at each meter."""

    def __init__(self, folder: Path) -> None:
        self.traces = folder / "traces"
        super().__init__(folder, STATION, "--record", self.traces)

    def judged(self, device: str) -> Judged:
        """What the strict checker says of a meter's line; the desk has to be closed."""
        return judge(load_trace(self.traces / f"{device}.trace.jsonl"))


@contextmanager
def flag_desk(folder: Path) -> Iterator[FlagDesk]:
    """A desk for as long as the block lasts."""
    desk = FlagDesk(folder)
    try:
        yield desk
    finally:
        desk.close()


def of_meters(judged: Judged) -> list[str]:
    """What the meter did against the standard: nothing, it is to be hoped."""
    return [f"{each.rule}: {each.what}" for each in judged.report.breaches if not each.to_device]


def of_clients(judged: Judged) -> set[str]:
    """The rules that the client has broken."""
    return {each.rule for each in judged.report.breaches if each.to_device}
