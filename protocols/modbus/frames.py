"""The two envelopes of a Modbus PDU: RTU (unit, PDU, CRC between two silences) and MBAP (the header of Modbus TCP).

Sources: "MODBUS over Serial Line, Specification and Implementation Guide V1.02" (called SL below) and "MODBUS Messaging
on TCP/IP Implementation Guide V1.0b" (TCP below).
"""

from __future__ import annotations

from struct import Struct, unpack

from protocols.conversation import ProtocolError

MAX_PDU = 253  #: bytes, SL 2.3: the 256 of an RTU frame less unit and CRC
_RTU_SHORTEST, _RTU_LONGEST = 4, 256
_UNITS, _TRANSACTIONS = range(0x100), range(0x10000)
_LENGTHS = range(2, 255)  # what the MBAP length field may say: unit and a PDU of 1..253 bytes (TCP 3.1.3)
_PREFIX = Struct(">HHH")
_HEADER = Struct(">HHHB")
_HEAD_BYTES = 6  # of the MBAP header, those before what the length field counts


class FrameError(ProtocolError):
    """The bytes are no Modbus frame: too short, too long, a wrong check sum or a header of another protocol."""


def _tables() -> tuple[list[int], list[int]]:
    """The CRC steps for one byte and for two, polynomial A001h (SL 6.2.2).

    A CRC is linear, so the two-byte table is the XOR of a table of the low and a table of the high byte.
    """
    one = list(range(256))
    for _ in range(8):
        one = [value >> 1 ^ (0xA001 if value & 1 else 0) for value in one]
    low = [value >> 8 ^ one[value & 0xFF] for value in one]
    return one, [high ^ rest for high in one for rest in low]


_ONE_BYTE, _TWO_BYTES = _tables()


def crc16(data: bytes) -> int:
    """The check sum of an RTU frame; it travels low byte first (SL 6.2.2)."""
    crc = 0xFFFF
    step = _TWO_BYTES
    size = len(data)
    for word in unpack(f"<{size >> 1}H", data[:-1] if size & 1 else data):
        crc = step[crc ^ word]
    if size & 1:
        crc = crc >> 8 ^ _ONE_BYTE[(crc ^ data[-1]) & 0xFF]
    return crc


def encode_rtu(unit: int, pdu: bytes) -> bytes:
    """The RTU frame of `pdu` (1..253 bytes) to or from `unit` (0..255).

    Raises:
        ValueError: the PDU or the unit does not fit a frame.
    """
    _check_envelope(unit, pdu)
    body = bytes((unit,)) + pdu
    return body + crc16(body).to_bytes(2, "little")


def decode_rtu(frame: bytes) -> tuple[int, bytes]:
    """Unit and PDU of one whole RTU frame.

    Raises:
        FrameError: fewer than 4 or more than 256 bytes, or the CRC is wrong.
    """
    if not _RTU_SHORTEST <= len(frame) <= _RTU_LONGEST:
        raise FrameError(f"{len(frame)} bytes are no RTU frame: it has {_RTU_SHORTEST} to {_RTU_LONGEST}")
    # A frame followed by its own CRC, low byte first, has the CRC 0.
    if crc16(frame):
        raise FrameError(f"CRC {frame[-2:].hex()} where {crc16(frame[:-2]).to_bytes(2, 'little').hex()} belongs")
    return frame[0], frame[1:-2]


def encode_mbap(transaction: int, unit: int, pdu: bytes) -> bytes:
    """The Modbus TCP frame of `pdu` (1..253 bytes) for `unit` (0..255) under `transaction` (0..65535).

    Raises:
        ValueError: the PDU, the unit or the transaction does not fit a frame.
    """
    _check_envelope(unit, pdu)
    if transaction not in _TRANSACTIONS:
        raise ValueError(f"transaction {transaction} is outside 0..65535")
    return _HEADER.pack(transaction, 0, len(pdu) + 1, unit) + pdu


def decode_mbap(frame: bytes) -> tuple[int, int, bytes]:
    """Transaction, unit and PDU of one whole Modbus TCP frame.

    Raises:
        FrameError: another protocol id than 0, a length outside 2..254, or not as many bytes as the header says.
    """
    if mbap_length(frame) != len(frame):
        raise FrameError(f"{len(frame)} bytes are not the Modbus TCP frame that their header announces")
    return frame[0] << 8 | frame[1], frame[6], frame[7:]


def mbap_length(data: bytes) -> int | None:
    """How many bytes the Modbus TCP frame at the head of `data` has, None while its header is incomplete.

    Raises:
        FrameError: another protocol id than 0 or a length outside 2..254.
    """
    if len(data) < _HEAD_BYTES:
        return None
    _, protocol, length = _PREFIX.unpack_from(data)
    if protocol or length not in _LENGTHS:
        raise FrameError(f"MBAP header with protocol id {protocol} and length {length}: it has 0 and 2..254")
    return int(length) + _HEAD_BYTES


class MbapSplitter:
    """Cuts the byte stream of one TCP connection into Modbus TCP frames, however the segments fall."""

    __slots__ = ("_rest", "broken")

    def __init__(self) -> None:
        self._rest = b""
        #: Why the stream can no longer be followed and the connection is to be dropped (TCP 4.4.2.2), or None.
        self.broken: FrameError | None = None

    def feed(self, data: bytes | memoryview) -> list[bytes]:
        """The frames that `data` completes. Those ahead of a damaged header still come out; look at `broken`.

        Raises:
            FrameError: the stream was broken already, or breaks here with no whole frame ahead of the damage.
        """
        if not self._rest and self.broken is None and len(data) > _HEAD_BYTES:
            _, protocol, length = _PREFIX.unpack_from(data)
            if length + _HEAD_BYTES == len(data) and not protocol and length in _LENGTHS:
                return [bytes(data)]  # nearly every segment of a client that waits for its answers
        return self._cut(bytes(data))

    def _cut(self, data: bytes) -> list[bytes]:
        if self.broken is not None:
            raise self.broken
        self._rest += data
        frames: list[bytes] = []
        start = 0
        try:
            while (length := mbap_length(self._rest[start : start + _HEAD_BYTES])) is not None:
                if start + length > len(self._rest):
                    break
                frames.append(self._rest[start : start + length])
                start += length
        except FrameError as damage:
            self.broken = damage
            if not frames:
                raise
        self._rest = self._rest[start:]
        return frames


def t3_5(baud: int, char_bits: int) -> int:
    """The silence (ns) that ends an RTU frame at `baud` with `char_bits` bits a character, start and stop included."""
    return _silence(7, baud, char_bits, fixed=1_750_000)


def t1_5(baud: int, char_bits: int) -> int:
    """The longest silence (ns) that an RTU frame may hold inside."""
    return _silence(3, baud, char_bits, fixed=750_000)


def _silence(half_chars: int, baud: int, char_bits: int, fixed: int) -> int:
    """SL 2.5.1.1: true character times up to 19,200 Bd, fixed ones above."""
    return fixed if baud > 19_200 else -(-half_chars * char_bits * 1_000_000_000 // (2 * baud))  # noqa: PLR2004  # above


def _check_envelope(unit: int, pdu: bytes) -> None:
    if unit not in _UNITS:
        raise ValueError(f"unit {unit} is outside 0..255")
    if not 1 <= len(pdu) <= MAX_PDU:
        raise ValueError(f"a PDU has 1 to {MAX_PDU} bytes, not {len(pdu)}")
