"""What a FLAG line asks of the port that it has: how often it is set up anew, and how long it waits."""

from __future__ import annotations

from typing import Any

import pytest
import serial

from bench.clock import WallClock
from bench.links.flag import FlagLine
from protocols.conversation import Conversation, Receive, Send

SECOND = 1_000_000_000


class Port:
    """A port that brings its characters one look after another, and counts how often its time-out is set."""

    def __init__(self, answer: bytes, silences: int) -> None:
        self.answer, self.silences, self.waits, self.in_waiting = answer, silences, [], 0

    def __setattr__(self, name: str, value: object) -> None:
        if name == "timeout":
            self.waits.append(value)
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        return None if name == "timeout" else lambda *_words: None

    def read(self, count: int) -> bytes:
        self.silences -= 1
        if self.silences >= 0:
            return b""
        found, self.answer = self.answer[:count], self.answer[count:]
        return found


def asked() -> Conversation[bytes]:
    yield Send(b"ask")
    return (yield Receive(lambda data: 6 if len(data) == 6 else None, SECOND // 5))


@pytest.mark.parametrize(("target", "set_up"), [("rfc2217://127.0.0.1:1", False), ("socket://127.0.0.1:1", True)])
def test_a_port_of_another_machine_is_not_set_up_anew_for_each_wait(
    target: str, set_up: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = Port(b"ask" + b"answer", silences=0)
    monkeypatch.setattr(serial, "serial_for_url", lambda *_words, **_settings: port)
    line = FlagLine("line", target, {}, WallClock(), echo=True)
    assert line.run(asked()) == b"answer"
    assert bool(port.waits) is set_up


def test_it_is_looked_at_until_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    port = Port(b"answer", silences=5)
    monkeypatch.setattr(serial, "serial_for_url", lambda *_words, **_settings: port)
    line = FlagLine("line", "rfc2217://127.0.0.1:1", {}, WallClock())
    assert line.run(asked()) == b"answer"
    port.answer = b""
    assert line.run(asked()) == b""
