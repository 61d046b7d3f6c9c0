"""A pytest file from a trace: the driver asks what was asked, and must decode what was decoded.

What no method of the driver sends is asked as bytes. A read that had to be asked twice is one call: the driver asks
again by itself.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.errors import UsageError
from bench.replay.desk import decoded
from bench.replay.exchanges import MBAP, Exchange, Trace
from bench.replay.frames import answered, asked_registers, pdu_of
from protocols.modbus.identification import decode_page
from protocols.modbus.pdu import EXCEPTION_BIT, ExceptionCode, FunctionCode
from protocols.powerlogic.tables import models
from protocols.powerlogic.words import signed, unpack_words

_WIDTH = 110
_GATEWAY = (ExceptionCode.GATEWAY_PATH_UNAVAILABLE, ExceptionCode.GATEWAY_TARGET_FAILED_TO_RESPOND)
_HEAD = '''"""Written by `meterbench trace to-test`: the driver on {name}."""

from pathlib import Path

import pytest

from bench.errors import NoAnswer, Refused
from bench.replay.desk import replaying

TRACE = {path}


def test_{slug}() -> None:
    with replaying(TRACE, "{matching}") as desk:
'''


def test_of(trace: Trace, folder: Path | None) -> str:
    """The text of the test.

    Args:
        trace: what is replayed.
        folder: where the test will lie; the trace is named relative to it. None names it absolutely.

    Raises:
        UsageError: the trace is of no known model, or holds no request.
    """
    if trace.model not in models():
        raise UsageError(f"the trace is of {trace.model or 'no model'}; known: {', '.join(models())}", trace.path, 1)
    exchanges = [exchange for exchange in trace.exchanges() if not exchange.request.via]
    if not exchanges:
        raise UsageError("the trace holds no request", trace.path)
    lines = [f"        {line}" for call in _calls(trace, exchanges) for line in call]
    body = "\n".join(lines)
    head = _HEAD.format(
        name=trace.path.name,
        path=_path(trace.path.absolute(), folder),
        slug=re.sub(r"\W+", "_", trace.path.name.partition(".")[0]).strip("_").lower() or "trace",
        matching="strict" if _numbered_as_by_a_driver(exchanges) else "lenient",
    )
    errors = [name for name in ("NoAnswer", "Refused") if name in body]
    head = head.replace("from bench.errors import NoAnswer, Refused\n", _imports(errors))
    return (head if errors else head.replace("import pytest\n\n", "")) + body + "\n"


test_of.__test__ = False  # type: ignore[attr-defined]  # pytest takes the name for a test


def _imports(errors: Sequence[str]) -> str:
    return f"from bench.errors import {', '.join(errors)}\n" if errors else ""


def _path(trace: Path, folder: Path | None) -> str:
    if folder is None:
        return f'Path("{trace.as_posix()}")'
    return f'Path(__file__).parent / "{Path(os.path.relpath(trace, folder)).as_posix()}"'


def _numbered_as_by_a_driver(exchanges: Sequence[Exchange]) -> bool:
    """Whether a new client sends the same transaction numbers: on a line there are none, on TCP it counts on."""
    if exchanges[0].frames != MBAP:
        return True
    numbers = [int.from_bytes(exchange.request.data[:2], "big") for exchange in exchanges]
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _calls(trace: Trace, exchanges: Sequence[Exchange]) -> Iterator[list[str]]:
    family = models()[trace.model].family
    k = 0
    while k < len(exchanges):
        exchange, following = exchanges[k], exchanges[k + 1] if k + 1 < len(exchanges) else None
        pdu, answer = pdu_of(exchange.request.data, exchange.frames), pdu_of(exchange.answer, exchange.frames)
        k += 1
        if _is_retry(exchange, answer, following):
            assert following is not None
            exchange, answer = following, pdu_of(following.answer, following.frames)
            k += 1
        elif answer is None or pdu is None or (_silent(answer) and pdu[0] in _READING):
            yield _as_bytes(exchange)
            continue
        yield _call(family, exchange, pdu or b"", answer)


_READING = (3, 4, 17, 43)


def _silent(answer: bytes) -> bool:
    return bool(answer[0] & EXCEPTION_BIT) and answer[1] in _GATEWAY


def _is_retry(exchange: Exchange, answer: bytes | None, following: Exchange | None) -> bool:
    """Whether a read without an answer was asked once more."""
    if following is None or (answer is not None and not _silent(answer)):
        return False
    bare = 4 if exchange.frames == MBAP else 0
    pdu = pdu_of(exchange.request.data, exchange.frames)
    return pdu is not None and pdu[0] in _READING and exchange.request.hex[bare:] == following.request.hex[bare:]


def _call(family: str, exchange: Exchange, pdu: bytes, answer: bytes | None) -> list[str]:
    ask, expected = _asked(family, exchange, pdu, answer)
    if not ask:
        return _as_bytes(exchange)
    if answer is None or _silent(answer):
        return ["with pytest.raises(NoAnswer):", f"    {ask}"]
    if answer[0] & EXCEPTION_BIT:
        return ["with pytest.raises(Refused) as refused:", f"    {ask}", f"assert refused.value.code == {answer[1]}"]
    return _wrapped(f"assert {ask} == ", expected) if expected else [ask]


def _asked(family: str, exchange: Exchange, pdu: bytes, answer: bytes | None) -> tuple[str, str]:
    """The call that sends a request, and what it is to return; both empty for one that no method of a driver sends."""
    register = int.from_bytes(pdu[1:3], "big") + 1
    sound = answer is not None and not answer[0] & EXCEPTION_BIT
    asked = asked_registers(exchange)
    if asked is not None:
        call = f"desk.read({asked.start}, {len(asked)}{', function=4' if pdu[0] != FunctionCode(3) else ''})"
        read = answered(asked, exchange.answer, exchange.frames)
        return (call, json.dumps(decoded(family, asked, read.words)) if read else "") if read or not sound else ("", "")
    match pdu[0]:
        case FunctionCode.REPORT_SERVER_ID:
            return "desk.meter.session.report_device_id()", repr(answer[2 : 2 + answer[1]]) if answer and sound else ""
        case FunctionCode.ENCAPSULATED_INTERFACE if pdu[1:] == bytes((14, 1, 0)):
            return "desk.meter.session.device_identification()", _objects(pdu, answer) if answer and sound else ""
        case FunctionCode.WRITE_SINGLE_REGISTER if not exchange.request.masked and (not sound or answer == pdu):
            return f"desk.write({register}, {signed(int.from_bytes(pdu[3:5], 'big'))})", ""
        case FunctionCode.WRITE_MULTIPLE_REGISTERS if not exchange.request.masked and pdu[5] == len(pdu) - 6:
            if sound and answer != pdu[:5]:
                return "", ""
            return f"desk.write_block({register}, {[signed(word) for word in unpack_words(pdu[6:])]})", ""
    return "", ""


def _objects(request: bytes, answer: bytes) -> str:
    return repr(decode_page(request, answer).objects)


def _as_bytes(exchange: Exchange) -> list[str]:
    request = exchange.request.hex.replace("xx", "00")
    return _wrapped(f'assert desk.answer("{request}") == ', f'"{exchange.answer.hex()}"')


def _wrapped(start: str, expected: str) -> list[str]:
    """An assertion on one line, or with a mapping one entry a line."""
    if len(start) + len(expected) <= _WIDTH or not expected.startswith("{"):
        return [start + expected]
    entries = re.findall(r"(\"[^\"]*\": \"[^\"]*\"|\d+: b(?:'(?:[^'\\]|\\.)*'|\"[^\"]*\"))", expected)
    return [f"{start}{{", *(f"    {entry}," for entry in entries), "}"]
