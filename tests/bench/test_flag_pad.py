"""A PAD on a port without DTR, as a pty is: the bench ends its calls in words, and nothing it sends recalls the PAD."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from bench_stand import stand

from bench.links import flag_entry
from bench.station import station_from_text
from protocols.conversation import Conversation, Send, Wait
from protocols.dialling import PadCall
from protocols.elster.tables import Source

STATION = """\
schema: 1
name: radio
links: {line: {type: sim, medium: paknet}}
devices:
  m1: {model: A1140, link: line, outstation: "001", password: simulated, protection: sacrificial}
"""


def test_a_call_is_made_and_ended_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flag_entry, "PadCall", partial(PadCall, recall=True, closes=False))
    with stand(STATION, tmp_path / "bench") as found:
        meter = found.bench.elster("m1")
        for _ in range(3):
            assert meter.read_energies()[Source.IMPORT] > 0
            meter.session.leave()
            meter.session.line.hang_up()
        trace = found.bench.traces["m1"].text()
    assert trace.count(b"\r\nCOM\r\n".hex()) == 3
    assert b"CLR CONF".hex() not in trace  # at each set-up: no call was left


def _stray() -> Conversation[None]:
    yield Send(b"\x10")
    yield Wait(2_000_000_000)


def test_a_check_character_that_is_the_recall_recalls_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flag_entry, "PadCall", partial(PadCall, recall=True, closes=False))
    with stand(STATION, tmp_path / "bench") as found:
        meter = found.bench.elster("m1")
        meter.read_energies()
        meter.session.leave()
        tapped: list[bytes] = []
        meter.session.line._port.write = tapped.append
        meter.session.line.run(_stray())
    assert tapped[0] == b"\x10\x10"


@pytest.mark.parametrize(("link", "recall"), [("serial, port: /dev/pts/7", True), ("serial, port: /dev/ttyS0", False)])
def test_only_a_pty_has_no_dtr(link: str, recall: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flag_entry.os.path, "realpath", lambda path: path)
    text = STATION.replace("{type: sim, medium: paknet}", f'{{type: {link}, pad: {{number: "23530001000094"}}}}')
    entry = station_from_text(text, "s.yaml").links["line"]
    called = flag_entry._called(entry, pty=flag_entry._is_pty(entry.port))
    assert called["call"] == PadCall("23530001000094", recall=recall)
