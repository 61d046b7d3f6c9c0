"""What a defect explains: its own symptom, and not whatever else may end a scenario, which is then an accident."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import cli
from bench.defects import faults
from simulators.faults.registry import Fault

ELSTER = faults("elster")
#: Failures that no defect of an Elster meter and no mistake of a tool has, by what has really happened.
STRANGE = {
    "a bug of the bench": "raised KeyError: 'import'",
    "a bug of a scenario": "raised AttributeError: 'Elster' object has no attribute 'read_all'",
    "the station": "raised StationError: link head: sim://1/head: no answer to the sign-on",
    "another meter": "raised WrongDevice: a1140: serial number 5 where 7 is expected",
    "an ACK for data": "raised ForeignAnswer: a1140: identity 507 was read and answered with an ACK",
    "too few bytes": "raised ForeignAnswer: a1140: identity 507: 64 bytes as hexadecimal digits in brackets were asked "
    "for, '(00)' came",
    "a stream that stops": "raised ForeignAnswer: a1140: block 12 did not come",
    "blocks out of order": "raised ForeignAnswer: a1140: block 3 where 2 belongs",
    "a readout of another kind": "raised ForeignAnswer: a1140: readout: line 3, column 1: no closing bracket",
    "a profile of another kind": "raised ForeignAnswer: a1140: load profile: byte 17: an unknown marker F1",
    "an unknown identity": "raised Refused: a1140: (ERR2): unknown identity",
    "a wrong packet": "raised Refused: a1140: (ERR3): bad packet number",
    "no answer to a command": "raised NoAnswer: a1140: no answer to the command; asked again: no answer to the command",
    "a plain failure": "voltage",
}  # fmt: skip


@pytest.mark.parametrize("failure", STRANGE.values(), ids=STRANGE.keys())
def test_no_defect_explains_what_it_does_not_do(failure: str) -> None:
    assert [id_ for id_, fault in ELSTER.items() if fault.explains(failure)] == []


@pytest.mark.parametrize("fault", ELSTER.values(), ids=ELSTER.keys())
def test_a_symptom_is_a_whole_name_or_the_beginning_of_an_exception(fault: Fault) -> None:
    """A pattern that a longer text around it cannot hide in: `reply` is none of `a reply of zeros was lost`."""
    assert not fault.explains("something else")
    assert not fault.explains("")
    assert not fault.explains("raised ForeignAnswer: ")
    assert not fault.explains("raised NoAnswer: ")
    assert not fault.explains("raised Refused: ")


@pytest.mark.parametrize("id_", ["E12", "E13", "E15", "E67", "E24", "E66", "E69"])
def test_an_exception_that_is_no_symptom_is_an_accident(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], id_: str
) -> None:
    """Each of these explained any answer that did not come before."""
    scenario = (
        "from bench.errors import NoAnswer\n\n"
        "def test_stops(meter):\n    raise NoAnswer('no answer to the command', device=meter.name)\n"
    )
    file = tmp_path / f"test_stops_{id_}.py"  # modules of one name would be one module
    file.write_text(scenario, "utf-8")
    code = cli.call(["defects", "run", "--json", str(file), "--only", id_, "--seeds", "0"])
    found = json.loads(capsys.readouterr().out)
    assert (code, found["killed"], found["survivors"]) == (1, 0, [id_])
    assert found["accidental"][0].startswith(f"{id_}: {tmp_path.name}/{file.name}::test_stops: raised NoAnswer")
