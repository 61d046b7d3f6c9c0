"""Answers from a trace: strictly, or leniently where what is sent may differ for a known reason.

Strict: every byte sent must be the recorded one, in the recorded order (a masked byte may be any; the numbers of Modbus
TCP requests may begin elsewhere and must follow as they did). Lenient: the number
of a Modbus TCP request may differ, so may the values written to the registers of `LENIENT_WORDS`, and a request may be
asked out of order as long as all the answers recorded for it are the same.
"""

from __future__ import annotations

from pathlib import Path

from bench.errors import Diverged
from bench.replay.exchanges import MBAP, RTU, Exchange, Trace
from bench.wire import in_words
from protocols.modbus.pdu import FunctionCode

#: Registers whose written values depend on when it was done, by generation of meter: what is called the mask "clock".
LENIENT_WORDS: dict[str, dict[str, range]] = {
    "clock": {"cm2": range(1842, 1845), "series": range(8001, 8007)},
}
_MBAP_PREFIX = 2
_SHOWN = 40


class Player:
    """One trace being played.

    Args:
        trace: what is played.
        strict: whether every byte must be as recorded.
        generation: of the meter ("cm2" or "series"), for the masks.
    """

    def __init__(self, trace: Trace, *, strict: bool, generation: str = "series") -> None:
        self.trace = trace
        self._strict = strict
        self._lenient = [by[generation] for by in LENIENT_WORDS.values() if generation in by]
        # What came by another port of the device was another client's.
        self._left = [exchange for exchange in trace.exchanges() if not exchange.request.via]
        self._asked = 0

    @property
    def left(self) -> list[Exchange]:
        """What was recorded and not asked (yet)."""
        return self._left

    def expects(self, request: bytes) -> bool:
        """Whether this is what the trace has next."""
        return bool(self._left) and self._agrees(self._left[0], request)

    def ask(self, request: bytes) -> Exchange:
        """The recorded exchange that answers a request.

        Raises:
            Diverged: there is none; says which event of which file was expected.
        """
        if self.expects(request):
            return self._take(0)
        if not self._strict and (place := self._elsewhere(request)) is not None:
            return self._take(place)
        raise Diverged(self._told(request))

    def _take(self, place: int) -> Exchange:
        self._asked += 1
        return self._left.pop(place)

    def _elsewhere(self, request: bytes) -> int | None:
        places = [place for place, exchange in enumerate(self._left) if self._agrees(exchange, request)]
        answers = {self._comparable(self._left[place]) for place in places}
        return places[0] if len(answers) == 1 else None

    def _comparable(self, exchange: Exchange) -> str:
        return exchange.hex[2 * _MBAP_PREFIX :] if exchange.frames == MBAP else exchange.hex

    def _agrees(self, exchange: Exchange, request: bytes) -> bool:
        recorded = exchange.request.hex
        if len(recorded) != 2 * len(request):
            return False
        any_of = self._free(exchange, request) if not self._strict else frozenset()
        sent = request.hex()
        if recorded == sent:
            return True
        return all(
            place in any_of or recorded[2 * place : 2 * place + 2] in ("xx", sent[2 * place : 2 * place + 2])
            for place in range(len(request))
        )

    def _free(self, exchange: Exchange, request: bytes) -> frozenset[int]:
        """The places of a request that may differ in lenient matching."""
        places: set[int] = set(range(_MBAP_PREFIX)) if exchange.frames == MBAP else set()
        head = 7 if exchange.frames == MBAP else 1
        function, register = request[head], int.from_bytes(request[head + 1 : head + 3], "big") + 1
        if function == FunctionCode.WRITE_MULTIPLE_REGISTERS and len(request) > head + 6:
            data = range(head + 6, head + 6 + request[head + 5])
            registers = range(register, register + len(data) // 2)
            if any(registers == mask for mask in self._lenient):
                places.update(data)
                places.update(range(len(request) - 2, len(request)) if exchange.frames == RTU else ())
        return frozenset(places)

    def _told(self, request: bytes) -> str:
        trace = self.trace
        if not self._left:
            sent = shown(trace.model, request.hex())
            return f"{trace.path}: the trace has ended, {self._asked} requests were answered from it; sent {sent}"
        expected = self._left[0]
        sent = shown(trace.model, _veiled(request.hex(), expected.request.hex))
        when = f"{expected.request.t / 1e9:.6f} s"
        return (
            f"{trace.path}:{expected.line}: request {expected.number} at {when}: "
            f"sent {sent}, recorded {shown(trace.model, expected.request.hex)}"
        )


def _veiled(sent: str, recorded: str) -> str:
    """What was sent, without what was cut out of the recording: a message of this goes into reports."""
    if len(sent) != len(recorded):
        return sent
    return "".join("xx" if recorded[k : k + 2] == "xx" else sent[k : k + 2] for k in range(0, len(sent), 2))


def shown(model: str, text: str, direction: str = "tx") -> str:
    """A frame in hexadecimal, with what it says; long ones are cut."""
    data = bytes.fromhex(text.replace("xx", "00"))
    words = in_words(model, direction, data)
    short = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return f"{short} ({words})" if words else short


def no_trace(device: str, where: Path) -> Diverged:
    """What a request to a device is answered with that nothing was recorded of."""
    return Diverged(f"{where}: nothing was recorded of {device}, so nothing can be asked of it")
