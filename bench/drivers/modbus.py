"""A Modbus session with one device: pymodbus does the talking, this sees to it that an answer is believed for a reason.

Every answer is checked against its request (pymodbus takes a wrong echo without complaint), every mishap becomes one of
the bench's errors, reads are asked again at most once, and writes never: whether a lost answer means a lost request is
not known, and a second preset is not the first one again.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.mei_message import ReadDeviceInformationRequest
from pymodbus.pdu.other_message import ReportDeviceIdRequest
from pymodbus.pdu.register_message import WriteMultipleRegistersRequest

from bench.errors import DeviceError, ForeignAnswer, NoAnswer, Refused, StationError
from bench.links.link import Link
from bench.safety import BROADCAST, Armed
from protocols.modbus.pdu import EXCEPTION_BIT, ExceptionCode, FunctionCode
from protocols.powerlogic.words import pdu_address

T = TypeVar("T")
#: How often a read that got no or a foreign answer is asked again.
READ_RETRIES = 1
_GATEWAY_SAYS_SILENT = (ExceptionCode.GATEWAY_PATH_UNAVAILABLE, ExceptionCode.GATEWAY_TARGET_FAILED_TO_RESPOND)
_UNDECODABLE = (struct.error, IndexError, ValueError, TypeError)


class _Damaged(WriteMultipleRegistersRequest):
    """A block write with the wrong byte count."""

    def __init__(self, byte_count: int, **facts: Any) -> None:
        super().__init__(**facts)
        self._byte_count = byte_count

    def encode(self) -> bytes:
        whole = super().encode()
        return whole[:4] + bytes((self._byte_count,)) + whole[5:]


class _Raw(ModbusPDU):
    """A request of any function code, byte for byte."""

    rtu_frame_size = 5

    def __init__(self, function: int, data: bytes, **facts: Any) -> None:
        super().__init__(**facts)
        self.function_code = function
        self._data = data

    def encode(self) -> bytes:
        return self._data


class ModbusSession:
    """One device on a link.

    Args:
        link: the way to it.
        unit: its address.
        device: its name in the station, for messages and permissions.
        record: hears of the traffic of this device: direction and bytes.
    """

    def __init__(self, link: Link, unit: int, device: str, record: Callable[[str, bytes], None] | None = None) -> None:
        self.link = link
        self.unit = unit
        self.device = device
        self.record = record
        #: How many reads were asked twice, and how many of them brought a value; a pass after a retry is told as such.
        self.retried = self.repeated = 0
        #: What is to be told of answers that were taken all the same: repeated reads, stray bytes; in words.
        self.remarks: list[str] = []
        #: What was sent that could have changed the device: register and words, whether or not an answer came.
        self.writes: list[tuple[int, tuple[int, ...]]] = []

    # -- reading -----------------------------------------------------------------------------------------------------

    def read(self, register: int, count: int = 1, *, function: int = 3) -> list[int]:
        """`count` words from a register (as the manuals number it), in one request.

        Raises:
            NoAnswer, ForeignAnswer, Refused: the device's fault.
            StationError: the line's fault.
        """

        def ask() -> list[int]:
            client = self.link.client()
            call = client.read_holding_registers if function == 3 else client.read_input_registers  # noqa: PLR2004  # 3 or 4
            answer = self._transact(function, lambda: call(pdu_address(register), count=count, device_id=self.unit))
            if len(answer.registers) != count:
                raise ForeignAnswer(f"{len(answer.registers)} words where {count} were asked for", device=self.device)
            return list(answer.registers)

        return self._retried(ask)

    def report_device_id(self) -> bytes:
        """Function 17: the bytes after the byte count."""

        def ask() -> bytes:
            client = self.link.client()
            request = ReportDeviceIdRequest(dev_id=self.unit)
            self._transact(request.function_code, lambda: client.execute(False, request))
            return self._reported()

        return self._retried(ask)

    def _reported(self) -> bytes:
        """The device's own bytes; of the last of them pymodbus keeps only whether it is FFh."""
        pdu = self.link.answer[self.link.pdu_offset :]
        if len(pdu) < 2 or pdu[0] != ReportDeviceIdRequest.function_code:  # noqa: PLR2004  # function and byte count
            raise ForeignAnswer(f"{pdu.hex(' ')} is no identification", device=self.device)
        return pdu[2 : 2 + pdu[1]]

    def device_identification(self) -> dict[int, bytes]:
        """Function 43/14: the basic objects."""

        def ask() -> dict[int, bytes]:
            client = self.link.client()
            request = ReadDeviceInformationRequest(read_code=1, object_id=0, dev_id=self.unit)
            answer = self._transact(request.function_code, lambda: client.execute(False, request))
            return dict(getattr(answer, "information", {}))

        return self._retried(ask)

    @contextmanager
    def expecting_silence(self) -> Iterator[None]:
        """Reads that are repeated inside are not told: who waits for a meter to come back expects them to be."""
        repeated, told = self.repeated, len(self.remarks)
        try:
            yield
        finally:
            self.repeated = repeated
            del self.remarks[told:]

    def _retried(self, ask: Callable[[], T]) -> T:
        reasons: list[str] = []
        for attempt in range(READ_RETRIES + 1):
            try:
                found = ask()
            except (NoAnswer, ForeignAnswer) as error:
                if attempt == READ_RETRIES:
                    raise
                self.retried += 1
                reasons.append(error.reason)
            else:
                self.repeated += len(reasons)
                self.remarks += [f"read again once: {reason}" for reason in reasons]
                return found
        raise AssertionError("unreachable")

    # -- writing -----------------------------------------------------------------------------------------------------

    def write(self, armed: Armed, register: int, value: int) -> None:
        """One word, in one request (function 6), never repeated; the echo must be the request."""
        armed.check(self.device)
        client = self.link.client()
        word = value & 0xFFFF
        self.writes.append((register, (word,)))
        answer = self._transact(
            FunctionCode.WRITE_SINGLE_REGISTER,
            lambda: client.write_register(pdu_address(register), word, device_id=self.unit),
        )
        echo = (answer.address, *answer.registers)
        if echo != (pdu_address(register), word):
            raise ForeignAnswer(f"register {register} := {value} was echoed as {echo}", device=self.device)

    def write_block(self, armed: Armed, register: int, values: Sequence[int]) -> None:
        """Several words in one request (function 16), never repeated; the echo must name start and count."""
        armed.check(self.device)
        client = self.link.client()
        words = [value & 0xFFFF for value in values]
        self.writes.append((register, tuple(words)))
        answer = self._transact(
            FunctionCode.WRITE_MULTIPLE_REGISTERS,
            lambda: client.write_registers(pdu_address(register), words, device_id=self.unit),
        )
        echo = (answer.address, answer.count)
        if echo != (pdu_address(register), len(words)):
            raise ForeignAnswer(f"{len(words)} words from {register} were echoed as {echo}", device=self.device)

    def write_damaged(self, armed: Armed, register: int, values: Sequence[int], byte_count: int) -> None:
        """A block write (function 16) whose byte count is not that of its words; a device must not obey it.

        Raises:
            Refused, NoAnswer: the device did what it should.
        """
        armed.check(self.device)
        client = self.link.client()
        request = _Damaged(byte_count, dev_id=self.unit, address=pdu_address(register), registers=values)
        self.writes.append((register, tuple(values)))
        self._transact(request.function_code, lambda: client.execute(False, request))

    def broadcast(self, armed: Armed, register: int, value: int) -> None:
        """One word for every device of the line; nobody answers, so what became of it is to be read."""
        armed.check(self.device)
        client = self.link.client()
        self.writes.append((register, (value,)))
        self.link.listener = self.record
        try:
            client.write_register(pdu_address(register), value, device_id=BROADCAST, no_response_expected=True)
        finally:
            self.link.listener = None

    def probe(self, function: int, data: bytes) -> int:
        """A request of any function that must not change anything; returns the exception it is refused with, or 0.

        An answer that is none to `data` counts as 0: the device knows the function, and what it says is not decoded.

        Raises:
            NoAnswer, StationError: as for every request.
        """
        client = self.link.client()
        request = _Raw(function, data, dev_id=self.unit)
        try:
            self._transact(function, lambda: client.execute(False, request))
        except Refused as refusal:
            return refusal.code or 0
        except ForeignAnswer:
            return 0
        return 0

    # -- one transaction ---------------------------------------------------------------------------------------------

    def _transact(self, function: int, ask: Callable[[], ModbusPDU]) -> ModbusPDU:
        self.link.listener = self.record
        try:
            self._remark(self.silence())
            answer = ask()
            self.confirm()
        except (ConnectionException, OSError) as error:  # pymodbus lets a reset connection through as it is
            self.recover()
            why = "closed by the other side" if isinstance(error, ConnectionException) else error.strerror or error
            raise StationError(
                f"link {self.link.name}: the connection to {self.link.target} was lost ({why})"
            ) from None
        except (ModbusException, *_UNDECODABLE) as error:
            raise self._mishap(error) from None
        except BaseException:  # an operator's Ctrl-C: the answer is still to come
            self.recover()
            raise
        else:
            return self._checked(function, answer)
        finally:
            self.link.listener = None

    def silence(self) -> str:
        """Before a request: see that the line is silent; returns what is to be told of it."""
        return self.link.silence()

    def confirm(self) -> None:
        """Behind an answer: see that it is the only one, where another is still owed."""
        self.link.confirm()
        for remark in self.link.hearing.take_remarks() if self.link.hearing is not None else ():
            self._remark(remark)

    def recover(self) -> None:
        """After a mishap: leave the line usable."""
        self.link.after_mishap()

    def _remark(self, remark: str) -> None:
        if remark:
            self.remarks.append(remark)

    def _checked(self, function: int, answer: ModbusPDU) -> ModbusPDU:
        """The answer, if it is one to a request of this function; an RTU frame does not say to which."""
        if answer.function_code & ~EXCEPTION_BIT != function:
            self.recover()
            raise ForeignAnswer(
                f"function {function} was answered as function {answer.function_code & ~EXCEPTION_BIT}",
                device=self.device,
            )
        if answer.isError():
            raise self._refusal(answer.exception_code)
        return answer

    def _mishap(self, error: Exception) -> DeviceError:
        """No answer, or bytes that are none; the line is left usable either way."""
        self.recover()
        if not self.link.received:
            wait = self.link.timeout / 1e9
            return NoAnswer(
                f"no answer from unit {self.unit} on link {self.link.name} within {wait:g} s", device=self.device
            )
        known = self.link.hearing.why_none(self.link.received, error) if self.link.hearing is not None else ""
        if known:
            return ForeignAnswer(known, device=self.device)
        shown = self.link.received[:16].hex(" ") + (" ..." if len(self.link.received) > 16 else "")  # noqa: PLR2004  # the same 16
        reason = f"what came is no answer to the request: {shown}"
        return ForeignAnswer(
            reason if isinstance(error, ModbusException) else f"{reason} ({error})", device=self.device
        )

    def _refusal(self, code: int) -> DeviceError:
        if code in _GATEWAY_SAYS_SILENT:
            return NoAnswer(
                f"the gateway reports that unit {self.unit} does not answer ({code:02X})", device=self.device
            )
        try:
            name = ExceptionCode(code).name.lower().replace("_", " ")
        except ValueError:
            name = "unknown"
        return Refused(f"exception {code:02X} ({name})", code=code, device=self.device)
