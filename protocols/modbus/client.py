"""Clients: what is asked of a device, as conversations; one class an envelope, the questions are the same.

Nothing is ever asked twice: a read that failed may be repeated by whoever wanted it, a write perhaps must not. All
conversations raise `NoAnswer` for silence, `FrameError` for damaged bytes, `ForeignAnswer` for the answer to something
else and `ModbusException` for a refusal.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from protocols.conversation import Conversation, Receive, Send, Wait
from protocols.modbus import answers, pdu
from protocols.modbus.frames import decode_mbap, decode_rtu, encode_mbap, encode_rtu
from protocols.modbus.identification import BASIC, SPECIFIC
from protocols.modbus.pdu import ForeignAnswer, NoAnswer
from protocols.modbus.rules import mbap_end, rtu_answer_rule

if TYPE_CHECKING:
    from collections.abc import Sequence

SECOND = 1_000_000_000
BROADCAST = 0


class Client(ABC):
    """The asking side for one unit. `timeout` (ns) is how long an answer may take to be complete."""

    def __init__(self, unit: int, timeout: int = SECOND) -> None:
        self.unit = unit
        self.timeout = timeout

    @abstractmethod
    def transact(self, request: bytes) -> Conversation[bytes]:
        """Send a request PDU and return the answer PDU of the right unit, whatever it says."""

    @abstractmethod
    def write(self, request: bytes) -> Conversation[None]:
        """Send a writing request PDU and prove its echo."""

    def read_registers(self, start: int, count: int, function: int = 3) -> Conversation[list[int]]:
        """`count` holding registers, or with function 4 input registers, as unsigned words."""
        request = pdu.read_registers(start, count, function)
        return answers.registers(request, (yield from self.transact(request)))

    def read_bits(self, start: int, count: int, function: int = 1) -> Conversation[list[bool]]:
        """`count` coils, or with function 2 discrete inputs."""
        request = pdu.read_bits(start, count, function)
        return answers.bits(request, (yield from self.transact(request)))

    def write_register(self, address: int, value: int) -> Conversation[None]:
        """Set one register with function 6."""
        return self.write(pdu.write_register(address, value))

    def write_registers(self, start: int, values: Sequence[int]) -> Conversation[None]:
        """Set registers with function 16."""
        return self.write(pdu.write_registers(start, values))

    def mask_write_register(self, address: int, and_mask: int, or_mask: int) -> Conversation[None]:
        """Change bits of one register with function 22."""
        return self.write(pdu.mask_write_register(address, and_mask, or_mask))

    def write_bit(self, address: int, *, value: bool) -> Conversation[None]:
        """Switch one coil with function 5."""
        return self.write(pdu.write_bit(address, value=value))

    def write_bits(self, start: int, values: Sequence[bool]) -> Conversation[None]:
        """Switch coils with function 15."""
        return self.write(pdu.write_bits(start, values))

    def read_write_registers(
        self, read_start: int, read_count: int, write_start: int, values: Sequence[int]
    ) -> Conversation[list[int]]:
        """Write registers, then read others, in one request of function 23."""
        request = pdu.read_write_registers(read_start, read_count, write_start, values)
        return answers.registers(request, (yield from self.transact(request)))

    def diagnose(self, sub_function: int, data: bytes = b"\x00\x00") -> Conversation[bytes]:
        """The data field that a diagnostic of function 8 gives back."""
        request = pdu.diagnose(sub_function, data)
        return answers.diagnostic(request, (yield from self.transact(request)))

    def report_server_id(self) -> Conversation[bytes]:
        """What function 17 tells behind its byte count."""
        request = pdu.report_server_id()
        return answers.server_id(request, (yield from self.transact(request)))

    def identify(self, read_code: int = BASIC) -> Conversation[dict[int, bytes]]:
        """All identification objects of a category (1 basic, 2 regular, 3 extended), however many answers they fill."""
        objects: dict[int, bytes] = {}
        following: int | None = 0
        while following is not None:
            request = pdu.read_device_identification(read_code, following)
            page = answers.device_identification(request, (yield from self.transact(request)))
            objects.update(page.objects)
            if page.next_object is not None and page.next_object <= following:
                raise ForeignAnswer(f"object {following} is followed by {page.next_object}: that would never end")
            following = page.next_object
        return objects

    def identify_object(self, object_id: int) -> Conversation[bytes]:
        """One identification object by individual access."""
        request = pdu.read_device_identification(SPECIFIC, object_id)
        page = answers.device_identification(request, (yield from self.transact(request)))
        if list(page.objects) != [object_id]:
            raise ForeignAnswer(f"object {object_id} was asked for, {sorted(page.objects)} came")
        return page.objects[object_id]


class RtuClient(Client):
    """The master of a serial line. Writes to unit 0 go to everybody and nobody answers.

    Args:
        unit: 1..247, or 0 for everybody.
        timeout: ns for the whole answer.
        turnaround: ns that are left to everybody for executing a broadcast (SL 2.4.1 suggests 100 to 200 ms).
    """

    def __init__(self, unit: int, timeout: int = SECOND, turnaround: int = SECOND // 10) -> None:
        super().__init__(unit, timeout)
        self.turnaround = turnaround

    def transact(self, request: bytes) -> Conversation[bytes]:
        """Send a request PDU and return the answer PDU of the right unit, whatever it says."""
        yield Send(encode_rtu(self.unit, request))
        frame = yield Receive(rtu_answer_rule(request), self.timeout)
        if not frame:
            raise NoAnswer(f"unit {self.unit} is silent")
        unit, answer = decode_rtu(frame)
        if unit != self.unit:
            raise ForeignAnswer(f"unit {self.unit} was asked, unit {unit} answers")
        return answer

    def write(self, request: bytes) -> Conversation[None]:
        """Send a writing request PDU and prove its echo; to unit 0, only leave time for it."""
        if self.unit == BROADCAST:
            yield Send(encode_rtu(BROADCAST, request))
            yield Wait(self.turnaround)
        else:
            answers.echo(request, (yield from self.transact(request)))


class TcpClient(Client):
    """One asker on a Modbus TCP connection; the transactions are numbered through.

    An answer that comes after its request was given up is passed over: the next question must not be taken for it.
    """

    def __init__(self, unit: int, timeout: int = SECOND) -> None:
        super().__init__(unit, timeout)
        self._transaction = 0
        self._unanswered: set[int] = set()

    def transact(self, request: bytes) -> Conversation[bytes]:
        """Send a request PDU and return the answer PDU of the right unit and transaction, whatever it says."""
        self._transaction = asked = self._transaction % 0xFFFF + 1
        self._unanswered.add(asked)
        yield Send(encode_mbap(asked, self.unit, request))
        transaction = None
        while transaction != asked:
            frame = yield Receive(mbap_end, self.timeout)
            if not frame:
                raise NoAnswer(f"unit {self.unit} is silent")
            transaction, unit, answer = decode_mbap(frame)
            if transaction not in self._unanswered:
                raise ForeignAnswer(f"transaction {asked} was asked, {transaction} is answered")
            self._unanswered.remove(transaction)
        if unit != self.unit:
            raise ForeignAnswer(f"unit {self.unit} was asked, unit {unit} answers")
        return answer

    def write(self, request: bytes) -> Conversation[None]:
        """Send a writing request PDU and prove its echo."""
        answers.echo(request, (yield from self.transact(request)))
