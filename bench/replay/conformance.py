"""A recorded FLAG wire held against IEC 62056-21: from the events of a trace to the checker's findings."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bench.errors import UsageError
from bench.links.flag import CONNECTED, DIALLING
from bench.replay.exchanges import Trace
from bench.trace import TraceEvent
from protocols.flag.checker import RULES, Breach, Heard, Report, check
from protocols.flag.checker_rules import BREACH
from protocols.flag.checker_talk import ROUNDING
from protocols.flag.frames import START_LINE

#: What the wall's clock may be wrong by (ns) where nobody says otherwise: a USB adapter's latency, a busy machine.
WALL_TOLERANCE = 20_000_000
_CHARACTER_BITS, _SECOND = 10, 1_000_000_000
_LINE = re.compile(r"line (\d{1,6}) (\d[A-Z]\d)")
#: Media on which the speed really is that of the characters; behind all others it never changes.
_SPEEDED = ("optical", "rs232", "rs485", "")
_END_AND_CHECK = b"\x030"


@dataclass(frozen=True, slots=True)
class Judged:
    """What the checker says of a trace."""

    report: Report
    tolerance: int
    _starts: list[int]
    _lines: list[int]

    def line_of(self, breach: Breach) -> int:
        """The line of the trace file that a breach is about: the last event that had begun by then."""
        return self._lines[max(bisect_right(self._starts, breach.at) - 1, 0)]


def judge(trace: Trace, *, fixed_line: bool = False, tolerance: int | None = None) -> Judged:
    """Hold a trace against the standard.

    Args:
        trace: of a FLAG device.
        fixed_line: its line never changes its speed, whatever the trace says of it.
        tolerance: by how much (ns) its times may be wrong; by default what its clock deserves.

    Raises:
        UsageError: it is no FLAG trace.
    """
    if trace.header.get("frames") != "flag":
        told = trace.header.get("frames", "nothing")
        raise UsageError(f"only FLAG can be checked; the header says frames: {told}", trace.path, 1)
    if tolerance is None:
        tolerance = WALL_TOLERANCE if trace.header.get("clock") == "wall" else ROUNDING
    fixed = fixed_line or _never_changes(trace)
    until = trace.events[-1].t if trace.events else None
    heard = sorted(pieces(trace, fixed=fixed), key=lambda each: each[0].start)
    line = (0, "") if fixed else None
    report = check([piece for piece, _ in heard], fixed_line=line, tolerance=tolerance, until=until)
    return Judged(report, tolerance, [piece.start for piece, _ in heard], [number for _, number in heard])


def _never_changes(trace: Trace) -> bool:
    link = trace.header.get("link", {})
    return link.get("type") == "tcp" or link.get("medium", "") not in _SPEEDED


def pieces(trace: Trace, *, fixed: bool) -> Iterator[tuple[Heard, int]]:
    """What was heard, with its times and its speed, and where in the file it stands.

    A bench notes when it begins to send and when it has received; a recording at the device's end the other way round.
    What is said to a modem or a PAD is left out.
    """
    baud, framing = START_LINE
    known = _framing_is_known(trace)
    dialling = False
    for event in trace.events:
        if event.direction == "note" and event.mark.startswith((DIALLING, CONNECTED)):
            dialling = event.mark.startswith(DIALLING)
        told = _LINE.fullmatch(event.mark)
        if told:
            baud, framing = int(told[1]), told[2]
        if event.direction == "note" or not event.hex or dialling:
            continue
        time = 0 if fixed else len(event.data) * _CHARACTER_BITS * _SECOND // max(baud, 1)
        at_start = (event.direction == "tx") is not trace.at_device
        start = event.t if at_start else event.t - time
        heard = _unmasked(event) if event.masked else event.data
        line = (0 if fixed else baud, framing if known else "")
        yield Heard(start, start + time, event.direction == "tx", heard, *line, event.masked), event.line


def _framing_is_known(trace: Trace) -> bool:
    """A pty shows one framing whatever is set, so a trace that never tells 7E1 tells nothing."""
    told = {found[2] for event in trace.notes() if (found := _LINE.fullmatch(event.mark))}
    return not told or "7E1" in told


def _unmasked(event: TraceEvent) -> bytes:
    """Something in the place of what was cut out; at the end of a message its end mark and check character went too."""
    data = bytes.fromhex(event.hex.replace("xx", "30"))
    hidden = len(event.hex) - len(event.hex.rstrip("x"))
    return data[: -len(_END_AND_CHECK)] + _END_AND_CHECK if hidden // 2 >= len(_END_AND_CHECK) else data


def breach_lines(judged: Judged) -> Iterator[str]:
    """The findings as text, and a line that sums them up."""
    report = judged.report
    for breach in report.breaches:
        side = "host" if breach.to_device else "device"
        where = f"{breach.at / _SECOND:14.6f}  line {judged.line_of(breach):<5d} {side:6s}"
        yield f"{where}  {breach.clause:8s} {breach.rule:18s} {_printable(breach.what)}"
    breaches = sum(breach.severity == BREACH for breach in report.breaches)
    remarks = len(report.breaches) - breaches
    parts = [
        f"{sum(report.messages.values())} messages",
        f"{breaches or 'no'} breach{'' if breaches == 1 else 'es'} of IEC 62056-21",
        *([f"{remarks} remark{'' if remarks == 1 else 's'}"] if remarks else []),
        f"times within {judged.tolerance / 1e6:g} ms",
    ]
    yield "; ".join(parts)


def _printable(text: str) -> str:
    """A hostile line must not reach the terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def as_dict(judged: Judged) -> dict[str, Any]:
    """The findings ready for JSON; times in ns."""
    report = judged.report
    return {
        "conforms": report.conforms,
        "breaches": [
            {
                "t": breach.at, "line": judged.line_of(breach), "side": "host" if breach.to_device else "device",
                "clause": breach.clause, "rule": breach.rule, "severity": breach.severity, "what": breach.what,
            }
            for breach in report.breaches
        ],
        "messages": report.messages,
        "identifications": list(report.identifications),
        "echoed": report.echoed,
        "tolerance": judged.tolerance,
    }  # fmt: skip


def rule_rows() -> list[dict[str, str]]:
    """Every rule of the checker."""
    return [
        {"rule": rule.id, "clause": rule.clause, "severity": rule.severity, "title": rule.title}
        for rule in RULES.values()
    ]
