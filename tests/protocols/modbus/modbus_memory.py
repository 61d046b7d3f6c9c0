"""What these tests stand a Modbus server upon: a device that is nothing but memory, and a wire without a line."""

# ruff: noqa: ARG002 - the signatures are those of DataModel

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from protocols.conversation import Receive, Reply, Send
from protocols.modbus import ExceptionCode, ModbusException

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from protocols.conversation import Conversation, Step

T = TypeVar("T")

ALL_CODES = frozenset((1, 2, 3, 4, 5, 6, 8, 15, 16, 17, 22, 23, 43))
PM850 = {0: b"Schneider Electric", 1: b"PM850", 2: b"V10.600"}


class MemoryDevice:
    """`size` registers and as many bits; what lies beyond is unmapped."""

    def __init__(self, size: int = 0x10000, codes: frozenset[int] = ALL_CODES, *, broadcast: bool = True) -> None:
        self.registers = [0] * size
        self.bits = [False] * size
        self.function_codes = codes
        self.accepts_broadcast = broadcast
        self.supplied = True
        self.objects: Mapping[int, bytes] = PM850
        self.calls: list[tuple[str, int, int]] = []

    def listening(self, now: int) -> bool:
        return self.supplied

    def read_registers(self, function: int, start: int, count: int, now: int) -> bytes:
        self._note("read", function, start, count)
        return b"".join(word.to_bytes(2, "big") for word in self.registers[start : start + count])

    def write_registers(self, start: int, data: bytes, now: int, function: int) -> None:
        self._note("write", function, start, len(data) // 2)
        words = [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]
        self.registers[start : start + len(words)] = words

    def read_bits(self, function: int, start: int, count: int, now: int) -> list[bool]:
        self._note("read", function, start, count)
        return self.bits[start : start + count]

    def write_bits(self, start: int, values: list[bool], now: int) -> None:
        self._note("write", 15, start, len(values))
        self.bits[start : start + len(values)] = values

    def report_server_id(self, now: int) -> bytes:
        return bytes((250, 0xFF)) + b"PM850 Power Meter"

    def device_identification(self, now: int) -> Mapping[int, bytes]:
        return self.objects

    def _note(self, what: str, function: int, start: int, count: int) -> None:
        if start + count > len(self.registers):
            raise ModbusException(ExceptionCode.ILLEGAL_DATA_ADDRESS)
        self.calls.append((what, function, start))


def join(conversation: Conversation[T], receive: Callable[[bytes, int], list[Reply]]) -> T:
    """Let a client talk to a server; waiting costs nothing, an incomplete answer is what the time-out leaves."""
    line = b""
    came: bytes | None = None
    while True:
        try:
            step: Step = next(conversation) if came is None else conversation.send(came)
        except StopIteration as end:
            result: T = end.value
            return result
        came = b""
        if isinstance(step, Send):
            line += b"".join(reply.data for reply in receive(step.data, 0))
        elif isinstance(step, Receive):
            end_of_message = step.rule(line)
            cut = len(line) if end_of_message is None else end_of_message
            came, line = line[:cut], line[cut:]
