"""Where the wire left the expected path: the exchange that a failed value was read in, or that ended a scenario."""

from __future__ import annotations

import pytest

from bench.reports.departure import asked_at, at_the_end, before_value, exchanges, mishap
from bench.trace import TraceEvent
from protocols.modbus.frames import encode_mbap, encode_rtu

ASK = b"\x03\x1f\x54\x00\x01"
SECOND = 1_000_000_000


def trace(*answers: bytes) -> list[TraceEvent]:
    """Requests at 0 s, 1 s ... with an answer 20 ms later each; an empty one is none."""
    events = []
    for k, answer in enumerate(answers):
        events.append(TraceEvent(k * SECOND, "tx", encode_rtu(1, ASK).hex()))
        if answer:
            events.append(TraceEvent(k * SECOND + 20_000_000, "rx", answer.hex()))
    return events


GOOD = encode_rtu(1, b"\x03\x02\x00\x00")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (GOOD, ""),
        (b"", "no answer came"),
        (GOOD[:-1], "what came is no frame"),
        (encode_rtu(2, b"\x03\x02\x00\x00"), "unit 2 answered where unit 1 was asked"),
        (encode_rtu(1, b"\x06\x1f\x54\x00\x01"), "function 3 was answered as function 6"),
        (encode_rtu(1, b"\x83\x02"), "the device refused"),
        (encode_rtu(1, b"\x83\x0b"), "the gateway reports that nobody answers"),
    ],
)
def test_what_is_wrong_with_an_answer_as_such(answer: bytes, why: str) -> None:
    (only,) = exchanges(trace(answer))
    assert mishap(only) == why


def test_an_answer_in_pieces_is_one_answer() -> None:
    first, *rest = trace(GOOD)
    pieces = [
        first,
        TraceEvent(1, "rx", GOOD[:3].hex()),
        TraceEvent(2, "note", mark="x"),
        TraceEvent(3, "rx", GOOD[3:].hex()),
    ]
    (only,) = exchanges(pieces)
    assert rest
    assert (only.answer, only.over, mishap(only)) == (GOOD, 3, "")


def test_a_request_that_is_no_frame_is_not_judged() -> None:
    (only,) = exchanges([TraceEvent(0, "tx", "2f3f210d0a"), TraceEvent(1, "rx", encode_mbap(1, 1, ASK).hex())])
    assert mishap(only) == ""


def test_a_value_came_in_the_last_exchange_that_told_it() -> None:
    found = before_value(
        exchanges(trace(GOOD, GOOD, GOOD, GOOD, GOOD)), 4 * SECOND, lambda e: e.request.t == 2 * SECOND
    )
    assert found is not None
    assert (found.exchange.request.t, found.told) == (2 * SECOND, True)
    assert [exchange.request.t for exchange in found.before] == [0, SECOND]


def test_a_value_that_no_answer_tells_came_before_it_was_judged() -> None:
    found = before_value(exchanges(trace(GOOD, GOOD, GOOD, GOOD, GOOD)), 3 * SECOND + 20_000_000, lambda _: False)
    assert found is not None
    assert (found.exchange.request.t, found.why, found.told) == (3 * SECOND, "", False)
    assert before_value(exchanges(trace(GOOD)), 19_999_999, lambda _: True) is None
    assert before_value([], 5, lambda _: True) is None


def test_an_error_ended_in_the_last_exchange_that_went_wrong() -> None:
    found = at_the_end(exchanges(trace(b"", GOOD, b"", GOOD)))
    assert found is not None
    assert (found.exchange.request.t, found.why) == (2 * SECOND, "no answer came")
    assert at_the_end(exchanges(trace(GOOD))) is None


def test_an_exchange_is_found_by_when_it_was_asked() -> None:
    found = asked_at(exchanges(trace(GOOD, GOOD)), SECOND, "another answer than a healthy meter's")
    assert found is not None
    assert (found.exchange.request.t, found.why) == (SECOND, "another answer than a healthy meter's")
    assert asked_at([], 0, "") is None
