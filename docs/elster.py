"""Writes docs/elster.md from the tables that the simulator and the driver use: `python docs/elster.py`."""

from __future__ import annotations

import csv
from collections import Counter
from importlib.resources import files
from pathlib import Path

from protocols.elster.tables import Fact, identities, models
from protocols.flag.device import PROGRAMMING
from protocols.flag.frames import START_LINE, encode_option, encode_request

_TABLES = files("fixtures") / "elster"
#: The identification of the calibration anchor: 19 characters.
_OF_19 = b"/GEC5120510070213\r\n"
HEAD = """# Elster A1120, A1140 and A1700 over FLAG

Written by `python docs/elster.py` from `fixtures/elster`; a test keeps it current.

One model of registers stands behind three faces: the mode C readout with OBIS codes (`ACK 0 Z 0`), programming mode
with three-digit identities (`ACK 0 Z 1`), and the data stream with its CRC-16 (`ACK 0 Z 6`, 8N1). Frames are those of
IEC 62056-21; the log-in of these meters is known from four captured pairs and ten captured frames, which are tests.
**It is reversible**: who has heard challenge and reply has the password. So replies and passwords stand in no trace.

```yaml
links:
  head: {type: serial, port: /dev/ttyUSB0, echo: true}       # an optical head; a visit begins at 300 Bd 7E1 by itself
devices:
  a1140: {model: A1140, link: head, outstation: "094", password: {env: METER_PASSWORD}, protection: sacrificial}
```

```sh
meterbench read a1140 --station lab.yaml                      # without the password: level 0
meterbench profile a1140 --station lab.yaml --days 7          # the load profile, with every gap and double told
meterbench run security communication --station lab.yaml --allow-destructive a1140
meterbench scheme program scheme.yaml a1140 --station lab.yaml --user JDOE --allow-destructive a1140
```

No real meter has been connected yet. Confidence: **V** tried and seen, or captured; **2S** two sources agree; **S** one
source says so; **I** inferred; **HE?** one vendor's head-end software only; **A** assumed: no public document says it,
a real meter may overrule it, and `simulate: {profile: ...}` changes it for one simulated meter.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *_sign_on(), *_facts(), *_identities(), *_configuration(), *_obis()]) + "\n"


def _sign_on() -> list[str]:
    """What a sign-on takes of the line by the length of each model's identification."""
    parts = [
        "## A sign-on at 300 Bd",
        "",
        "Request without an address, identification and option select message, ten bits a character. That it takes",
        "1.0 s of line time holds for an identification of 19 characters; those of these meters are longer. Each",
        "side's reaction of 200 ms or more comes to it, and so do 33 ms for each character of an address.",
        "",
        "| model | characters of the identification | line time | with two reactions of 200 ms |",
        "|---|---|---|---|",
    ]
    anchor = encode_request() + _OF_19 + encode_option("5", PROGRAMMING)
    assert len(anchor) * 10 == START_LINE[0]
    for model in models().values():
        said = f"/{model['maker']}{model['baud_code']}{model['ident']}\r\n".encode("ascii")
        time = len(encode_request() + said + encode_option(model["baud_code"], PROGRAMMING)) * 10 / START_LINE[0]
        parts.append(_row(model.name, str(len(said)), f"{time:.2f} s", f"{time + 0.4:.2f} s"))
    return [*parts, ""]


def _facts() -> list[str]:
    """What is known of each model; a value that all have stands once."""
    parts = [
        "## What is known of the models",
        "",
        "| value | model | is | confidence | source |",
        "|---|---|---|---|---|",
    ]
    names = list(dict.fromkeys(name for model in models().values() for name in model.facts))
    for name in names:
        found: dict[str, tuple[Fact, list[str]]] = {}
        for model in models().values():
            if name in model.facts:
                fact = model.facts[name]
                found.setdefault(repr(fact.value), (fact, []))[1].append(model.name)
        for fact, whose in found.values():
            everybody = "all" if len(whose) == len(models()) else ", ".join(whose)
            parts.append(_row(name, everybody, _shown(fact.value), fact.confidence, fact.source))
    return parts


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {text}" for key, text in value.items())
    if isinstance(value, list):
        return ", ".join(" ".join(map(str, part)) if isinstance(part, list) else str(part) for part in value)
    return str(value)


def _identities() -> list[str]:
    rows = {(row.number, row.size, row.sets): row for model in models() for row in identities(model).values()}
    marks = Counter(row.confidence for row in rows.values())
    told = ", ".join(f"{count} {mark}" for mark, count in sorted(marks.items()))
    parts = ["", f"## Identities: {len(rows)} rows, {told}", ""]
    parts += [
        "| identity | models | name | bytes | access | read at | write at | confidence | source |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for key, row in sorted(rows.items()):
        whose = [
            model
            for model in models()
            if (found := identities(model).get(row.number)) and (found.number, found.size, found.sets) == key
        ]
        size = f"{row.size} x {row.sets}" if row.sets > 1 else str(row.size)
        levels = ["-" if level is None else str(level) for level in (row.read_level, row.write_level)]
        parts.append(
            _row(str(row.number), " ".join(whose), row.name, size, row.access, *levels, row.confidence, row.source)
        )
    return parts


def _configuration() -> list[str]:
    parts = [
        "",
        "## What a scheme programs beside them",
        "",
        "All of these numbers and layouts are assumed where the mark says so: on a real meter they are refused without",
        "`--write-assumed`, because there they could mean anything.",
        "",
        "| identity | models | name | section | bytes | confidence |",
        "|---|---|---|---|---|---|",
    ]
    cells = ("number", "models", "name", "section", "size", "confidence")
    return [*parts, *(_row(*(row[cell] for cell in cells)) for row in _csv("configuration.csv"))]


def _obis() -> list[str]:
    parts = ["", "## Readout", "", "| code | what | unit | digits.decimals | confidence |", "|---|---|---|---|---|"]
    cells = ("code", "title", "unit", "format", "confidence")
    parts[3:3] = [
        "A simulated meter does not show 1.6.n (no source says that these meters keep a maximum for each rate), nor",
        "P.98 (no source has a log book of theirs as text); P.01 is asked for with R5, where the profile has",
        "`formatted_profile`.",
        "",
    ]
    return [*parts, *(_row(*(row[cell] for cell in cells)) for row in _csv("obis.csv"))]


def _csv(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((_TABLES / name).read_text(encoding="utf-8").splitlines()))


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "/").replace("*", "\\*") for cell in cells) + " |"


if __name__ == "__main__":
    (Path(__file__).parent / "elster.md").write_text(page(), encoding="utf-8")
