from __future__ import annotations

import pytest

from protocols.conversation import Receive, Send
from protocols.dialling import CallFailed, Dialling, NoModem, PadCall, dial, hang_up, result, result_length


class Modem:
    """Answers each command line with the next of its answers."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.heard: list[bytes] = []

    def run(self, conversation):
        step = next(conversation)
        try:
            while True:
                step = conversation.send(self._do(step))
        except StopIteration as end:
            return end.value

    def _do(self, step) -> bytes:
        if isinstance(step, Send):
            self.heard.append(step.data)
        if not isinstance(step, Receive):
            return b""
        answer = self.answers.pop(0) if self.answers else b""
        return answer[: step.rule(answer)]


def test_a_call_that_stands() -> None:
    modem = Modem(b"ATZ\r\r\nOK\r\n", b"\r\nOK\r\n", b"\r\nCONNECT 9600\r\n")
    assert modem.run(dial(Dialling("T01132000"))) == "CONNECT 9600"
    assert modem.heard == [b"ATZ\r", b"ATE0V1Q0\r", b"ATDT01132000\r"]


@pytest.mark.parametrize("said", ["BUSY", "NO CARRIER", "NO ANSWER", "NO DIALTONE", "ERROR"])
def test_a_call_that_does_not_come_about_says_why(said: str) -> None:
    with pytest.raises(CallFailed, match=said):
        Modem(b"\r\nOK\r\n", b"\r\nOK\r\n", f"\r\n{said}\r\n".encode()).run(dial(Dialling("1")))


def test_a_silent_port_has_no_modem() -> None:
    with pytest.raises(NoModem, match="ATZ"):
        Modem().run(dial(Dialling("1")))


def test_a_refused_init_string_is_named() -> None:
    with pytest.raises(CallFailed, match="AT&X9 is answered with ERROR"):
        Modem(b"\r\nERROR\r\n").run(dial(Dialling("1", init=("AT&X9",))))


def test_hanging_up_leaves_the_call() -> None:
    modem = Modem(b"\r\nOK\r\n", b"\r\nOK\r\n")
    modem.run(hang_up())
    assert modem.heard == [b"+++", b"ATH\r"]


def test_results_are_found_in_pieces_and_behind_echo() -> None:
    assert result_length(b"ATZ\r\r\nO") is None
    assert result(b"ATZ\r\r\nOK\r\n") == "OK"
    assert result(b"\r\nCONNECT 14400/V42\r\n") == "CONNECT 14400/V42"
    assert result(b"BUSYBODY") == ""


def test_a_pad_is_given_the_number_and_says_com() -> None:
    pad = Modem(b"23530001000094\r\nCOM\r\n")
    assert pad.run(PadCall("23530001000094").set_up()) == "COM"
    assert pad.heard == [b"23530001000094\r"]


@pytest.mark.parametrize("cause", ["OCC", "NC", "NP", "DER"])
def test_a_call_that_a_pad_clears_names_the_cause(cause: str) -> None:
    with pytest.raises(CallFailed, match=f"CLR {cause}"):
        Modem(f"\r\nCLR {cause}\r\n".encode()).run(PadCall("1").set_up())


def test_a_silent_pad_is_told() -> None:
    with pytest.raises(NoModem):
        Modem().run(PadCall("1").set_up())


def test_a_pad_without_dtr_is_made_recallable_and_cleared_in_words() -> None:
    call = PadCall("1", recall=True)
    pad = Modem(b"\r\nERR\r\n", b"SET 1:1\r", b"\r\nCOM\r\n", b"\r\nCLR CONF\r\n")
    assert pad.run(call.set_up()) == "COM"
    pad.run(call.clear())
    assert pad.heard == [b"\x10CLR\r", b"SET 1:1\r", b"1\r", b"\x10", b"CLR\r"]
    assert (call.as_sent(b"\x10a"), PadCall("1").as_sent(b"\x10a")) == (b"\x10\x10a", b"\x10a")


def test_a_pad_that_takes_no_recall_is_told_before_a_call_stands() -> None:
    pad = Modem(b"\r\nERR\r\n", b"\r\nERR\r\n")
    with pytest.raises(CallFailed, match="the PAD takes no recall"):
        pad.run(PadCall("1", recall=True).set_up())
    assert pad.heard[-1] == b"SET 1:1\r"
