"""Writes docs/faults.md from the catalogue of line faults: `python docs/faults.py`."""

from __future__ import annotations

from pathlib import Path

from simulators.faults.line_registry import LineFault, load_line_faults
from simulators.lines.two_state import profiles

HEAD = """# Line faults

Written by `python docs/faults.py` from `simulators/faults`; a test keeps it current. Each can be put on a simulated
link, by its id or its name, alone or with parameters; never on a real one.

```sh
meterbench run reading --fault bus:L03
meterbench run --fault "bus:bursts(pi=5%, tau=200 ms)" --fault "lan:late(p=10%)"
```

F.. are the fault numbers of the domain reference; names with a number are issue threads of the projects that met it.

| fault | what goes wrong | what a bench or a reading system must make of it | on | source |
|---|---|---|---|---|
"""

TAIL = """
## What is done about answers that belong to something else

Modbus TCP numbers its frames: another number is skipped, and after a mishap the connection is opened anew.

An RTU frame has no number, and a late answer of the right unit, function and length looks like the right one. So the
bench

- takes only a frame for an answer whose unit, function and shape (length, or the words that are given back) fit the
  request; whatever else is heard is skipped while the time-out keeps running;
- takes neither of two answers that fit and differ, and no answer of a transaction in which another master asked;
- hears the line out before a request when bytes wait that nobody asked for, and after a mishap for one time-out more;
- reckons for five time-outs with an answer that never came: meanwhile it asks nothing else whose answer has that shape.

A frame that is repeated into the next transaction would be taken there if it fits and comes first. The right answer is
then found waiting before the next request, and the bench says that the line cannot be trusted (a fault of the station).
An answer that comes still later, exactly between a request of its shape and the right answer, would be taken. A line
that echoes is found out by the first read; a write (function 6) on a line that begins to echo in mid-run would take its
own echo for the answer, since the two are the same bytes. The energy transfer reads back everything that it writes.

## What the check sum does not see

CRC-16 finds every error of one, two or three bits and every burst up to 16 bits. Of frames with more damage it lets one
in 65,536 pass: `tests/protocols/modbus/test_modbus_heard.py` measures it. At a bit error rate of 10^-4 about one answer
of 61 bytes in twenty is damaged, nearly all of them by one to three bits, which never pass. An adapter hands over
characters with a wrong parity as they came (pyserial does not ask for more), so parity helps only where the adapter
drops them (`bit-errors(parity=drop)`).

## Profiles for `bursts(profile=...)`

"""


def page() -> str:
    """The whole page."""
    faults = load_line_faults().values()
    rows = [f"| {f.id} `{f.name}` | {f.title} | {f.behaviour} | {', '.join(f.media)} | {f.source} |" for f in faults]
    shares = ", ".join(f"`{name}`" for name in profiles())
    told = f"{shares}: `fixtures/links/profiles.csv`, with source and confidence; most of the shares are assumed.\n"
    return HEAD + "\n".join(rows) + "\n\n## Parameters\n\n" + "\n".join(map(_parameters, faults)) + TAIL + told


def _parameters(fault: LineFault) -> str:
    told = "; ".join(f"`{p.name}`{f'={p.default}' if p.default else ''} {p.meaning}" for p in fault.parameters)
    return f"- **{fault.name}**: {told or 'none'}"


if __name__ == "__main__":
    (Path(__file__).parent / "faults.md").write_text(page(), encoding="utf-8")
