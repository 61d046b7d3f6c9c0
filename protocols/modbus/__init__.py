"""Modbus, RTU and TCP, both roles.

The rules of this room, from the outside in:

1. An *envelope* (`frames`) carries a unit and a PDU. RTU adds a CRC and lives between two silences of 3.5 characters;
   Modbus TCP adds a header with a transaction number and needs neither. Where a frame ends without silences: `rules`.
2. A *PDU* (`pdu`) is a function code and its fields. Addresses count from 0: register N of a manual is address N - 1.
3. A *client* (`client`) asks and is asked nothing. Each question is a conversation that returns what the answer says
   (`answers`), after it has proved to be the answer to that question: unit, transaction, function, byte count, echo.
   It never asks twice.
4. A *server* (`server`) never asks. On a serial line it answers sound frames to its own address and is silent to all
   others, so that many can share a line; on TCP it answers every request in its order, and for a device that is not
   there as a gateway does. Who keeps the protocol is answered or refused; nothing that is received raises.
5. What a server shows is a `DataModel` (`responder`): registers, bits, identity, and the function codes it knows. The
   counters of function 8 are in `diagnostics`, the objects of function 43/14 in `identification`.

Errors: `FrameError` (damaged bytes), `ForeignAnswer` (sound, but no answer to this), `NoAnswer` (silence) and
`ModbusException` (a refusal, raised by data models and by clients alike) are all a `ProtocolError`. Arguments that no
request can carry are a plain ValueError.

There is no port and no clock here; times are integer nanoseconds and handed in.
"""

from protocols.modbus.client import Client, RtuClient, TcpClient
from protocols.modbus.diagnostics import Diagnostics
from protocols.modbus.frames import (
    FrameError,
    MbapSplitter,
    crc16,
    decode_mbap,
    decode_rtu,
    encode_mbap,
    encode_rtu,
    t1_5,
    t3_5,
)
from protocols.modbus.pdu import ExceptionCode, ForeignAnswer, FunctionCode, ModbusException, NoAnswer
from protocols.modbus.responder import DataModel, Responder, StatesConformity
from protocols.modbus.rules import mbap_end, rtu_answer_end, rtu_answer_rule, rtu_request_end
from protocols.modbus.server import RtuBus, RtuServer, TcpServer

__all__ = [
    "Client",
    "DataModel",
    "Diagnostics",
    "ExceptionCode",
    "ForeignAnswer",
    "FrameError",
    "FunctionCode",
    "MbapSplitter",
    "ModbusException",
    "NoAnswer",
    "Responder",
    "RtuBus",
    "RtuClient",
    "RtuServer",
    "StatesConformity",
    "TcpClient",
    "TcpServer",
    "crc16",
    "decode_mbap",
    "decode_rtu",
    "encode_mbap",
    "encode_rtu",
    "mbap_end",
    "rtu_answer_end",
    "rtu_answer_rule",
    "rtu_request_end",
    "t1_5",
    "t3_5",
]
