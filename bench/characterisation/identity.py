"""The question of who answers, and to which functions. Nothing is written: requests that could are malformed ones."""

from __future__ import annotations

import re

from bench.characterisation.finding import Finding
from bench.drivers.powerlogic import PowerLogic
from bench.errors import NoAnswer

_ILLEGAL_FUNCTION = 1
#: For each public function code a request that a device which knows it refuses, or answers without doing anything:
#: no quantity, an address that is not there, a read.
_REQUESTS = {
    1: "0000 0000",
    2: "0000 0000",
    3: "0000 0000",
    4: "0000 0000",
    5: "ffff 1234",
    6: "ffff 0000",
    7: "",
    8: "0000 0000",
    11: "",
    12: "",
    15: "0000 0000 00",
    16: "0000 0000 00",
    17: "",
    20: "00",
    21: "00",
    22: "ffff ffff 0000",
    23: "0000 0000 0000 0000 00",
    24: "ffff",
    43: "0e 01 00",
}


def identity(meter: PowerLogic) -> dict[str, Finding]:
    """The values of the profile that functions 17 and 43/14 tell, each with what was said."""
    found, _ = meter.identify()
    said = f"functions 17 and 43/14: {found}"
    answers = {"slave_id": Finding(found.report[0], f"function 17: {found.report.hex(' ')}")}
    if found.product_id is not None:
        answers["product_id"] = Finding(found.product_id, said)
    if found.name and meter.model.identification == "named":
        answers["product_name"] = Finding(found.name, said)
    revision = re.fullmatch(r"V(\d+)\.(\d{3})", found.revision)
    if revision:
        answers["os_version"] = Finding(int(revision[1]) * 1000 + int(revision[2]), said)
    if found.vendor in _VENDORS:
        answers["vendor_label"] = Finding(_VENDORS.index(found.vendor), said)
    return answers


_VENDORS = ("Schneider Electric", "Square D")


def facts(meter: PowerLogic) -> dict[str, str | int]:
    """Who the meter says it is, as far as it says it."""
    found, _ = meter.identify()
    told = {"firmware": found.revision, "vendor": found.vendor, "name": found.name, "product_id": found.product_id}
    return {name: value for name, value in told.items() if value}


def function_codes(meter: PowerLogic) -> Finding:
    """The public function codes that the meter knows: it refuses the others with exception 01."""
    known, silent = [], []
    for code, data in _REQUESTS.items():
        try:
            if meter.session.probe(code, bytes.fromhex(data)) != _ILLEGAL_FUNCTION:
                known.append(code)
        except NoAnswer:
            silent.append(code)
    asked = ", ".join(map(str, _REQUESTS))
    said = f"; silent to {', '.join(map(str, silent))}" if silent else ""
    return Finding(known, f"one harmless request each of {asked}; all others but these: exception 01{said}")
