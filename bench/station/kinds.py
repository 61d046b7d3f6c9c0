"""The kinds of value that stand in a station file; each says in one line what it wanted instead.

They are strict: a number in quotes is not a number. Each brings its own JSON schema, so that an editor knows it too.
"""

# No `from __future__ import annotations` in this package's models: pydantic reads the annotations when they are made.

import os
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

from bench.station.mistakes import shown, suggestion
from bench.station.quantities import DURATION, POWER, Quantity, QuantityError

#: Speeds of the meters' serial ports (Bd).
BAUDS = (300, 600, 1_200, 2_400, 4_800, 9_600, 14_400, 19_200, 38_400, 57_600, 115_200, 230_400)

#: pyserial's URL handlers (pyserial 3.5, serial/urlhandler).
URL_SCHEMES = ("alt", "cp2110", "hwgrep", "loop", "rfc2217", "socket", "spy")

_NUMBER = re.compile(r"[TP]?[0-9*#,W@ ]{1,40}")
_AT = re.compile(r"[Aa][Tt][ -~]{0,78}")
_OUTSTATION = re.compile(r"[0-9A-Za-z ]{0,32}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_LEADING_ZEROS = re.compile(r"0+([0-9]+)")
_FRAMING = re.compile(r"[78][NEO][12]")
_HOST = re.compile(r"[^\s/@?#\[\]]+")


def wrong(reason: str) -> PydanticCustomError:
    """The error of every kind; `reason` goes to the reader as it is."""
    return PydanticCustomError("station", "{reason}", {"reason": reason})


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """Makes a type a kind of value: `check` reads it or raises `wrong`, `schema` is for editors, `write` undoes it."""

    check: Callable[[object], object]
    schema: Mapping[str, object]
    write: Callable[[Any], object] | None = None

    def __get_pydantic_core_schema__(self, source: type, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        written = core_schema.plain_serializer_function_ser_schema(self.write) if self.write else None
        return core_schema.no_info_plain_validator_function(self.check, serialization=written)

    def __get_pydantic_json_schema__(
        self, core: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return dict(self.schema)


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise wrong(f"{shown(value)} is not text{'; put it in quotes' if isinstance(value, bool) else ''}")
    text = str(value)
    if not text.strip():
        raise wrong("must not be empty")
    if not text.isprintable():
        raise wrong(f"{shown(text)} must be one line of printable characters")
    return text


def _whole(lowest: int, highest: int) -> Callable[[object], int]:
    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            zeros = _LEADING_ZEROS.fullmatch(value) if isinstance(value, str) else None
            quoted = isinstance(value, str) and value.isdecimal()
            hint = f"; write {zeros[1]}" if zeros else "; write it without quotes" if quoted else ""
            raise wrong(f"{shown(value)} is not a whole number{hint}")
        if not lowest <= value <= highest:
            raise wrong(f"{value} is outside {lowest}..{highest}")
        return value

    return check


def _power_factor(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise wrong(f"{shown(value)} is not a decimal number")
    if not -1 <= value <= 1 or value == 0:
        raise wrong(f"{value} is no power factor; allowed: -1..1 without 0, negative when leading")
    return Decimal(value)


def _one_of(known: Sequence[str | int], noun: str) -> Callable[[object], str | int]:
    def check(value: object) -> str | int:
        if isinstance(value, bool) or value not in known:
            hint = suggestion(value, [name for name in known if isinstance(name, str)])
            raise wrong(f"{shown(value)} is not {noun}{hint} allowed: {', '.join(map(str, known))}")
        return value  # type: ignore[return-value]  # what is among `known` has the type of `known`

    return check


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise wrong(f"{shown(value)} is neither true nor false")
    return value


def _quantity(quantity: Quantity) -> Callable[[object], int]:
    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise wrong(f"{shown(value)} is not {quantity.name}; write it as in {quantity.example}")
        try:
            return quantity.parse(str(value))
        except QuantityError as error:
            raise wrong(str(error)) from None

    return check


def _timeout(value: object) -> int:
    time = _quantity(DURATION)(value)
    if not time:
        raise wrong("must be more than nothing")
    return time


def _framing(value: object) -> str:
    if not isinstance(value, str) or not _FRAMING.fullmatch(value):
        upper = value.upper() if isinstance(value, str) else ""
        hint = f"; did you mean {upper}?" if _FRAMING.fullmatch(upper) else ";"
        allowed = "allowed: 7 or 8 data bits, parity N, E or O, 1 or 2 stop bits, as in 8N1"
        raise wrong(f"{shown(value)} is not a character framing{hint} {allowed}")
    return value


def _id(value: object) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise wrong(f"{shown(value)} is not an id; allowed: up to 63 letters, digits, - and _, no - or _ in front")
    return value


def _outstation(value: object) -> str:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        raise wrong(f'{shown(value)} is a number, and its leading zeros are lost; write it as in "094"')
    if not isinstance(value, str) or not _OUTSTATION.fullmatch(value):
        raise wrong(f"{shown(value)} is not an outstation: up to 32 digits, letters and blanks (IEC 62056-21, 6.3.1)")
    return value


def _phone_number(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        raise wrong(f'{shown(value)} is a number, and a leading zero would be lost; write it as in "01132000"')
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise wrong(f"{shown(value)} is no number to dial: digits, * # , W @ and spaces, T or P in front")
    return value


def _at_command(value: object) -> str:
    if not isinstance(value, str) or not _AT.fullmatch(value):
        raise wrong(f"{shown(value)} is no command of a modem; it begins with AT, as in ATE0V1Q0")
    return value


def _host(value: object) -> str:
    host = _text(value)
    if not _HOST.fullmatch(host):
        raise wrong(f"{shown(host)} is not a host name or an address")
    name, colon, port = host.partition(":")
    if colon and port.isdecimal():
        raise wrong(f"{shown(host)} holds a port; write host: {name} and port: {port}")
    return host


def _serial_port(value: object) -> str:
    port = _text(value)
    scheme, separator, _ = port.partition("://")
    if separator and scheme not in URL_SCHEMES:
        hint = suggestion(scheme, URL_SCHEMES)
        allowed = f"allowed: a device name or one of {', '.join(f'{name}://' for name in URL_SCHEMES)}"
        raise wrong(f"{shown(port)} is not a URL that pyserial knows{hint} {allowed}")
    return port


def _rfc2217_url(value: object) -> str:
    url = _text(value)
    example = "write it as in rfc2217://192.0.2.7:4001"
    try:
        parts = urlsplit(url)
        complete = parts.scheme == "rfc2217" and parts.hostname and parts.port
    except ValueError:  # a port that is no number, or brackets that do not close
        complete = None
    if not complete:
        raise wrong(f"{shown(url)} is not an RFC 2217 URL; {example}")
    return url


def _line_fault(value: object) -> str:
    from simulators.faults.line_parameters import FaultError  # noqa: PLC0415  # most stations name no fault
    from simulators.faults.line_registry import fault_called  # noqa: PLC0415  # as above

    text = _text(value)
    try:
        fault_called(text)
    except FaultError as error:
        raise wrong(str(error)) from None
    return text


def _command(value: object) -> str:
    command = _text(value)
    try:
        shlex.split(command, posix=os.name == "posix")
    except ValueError as error:
        raise wrong(f"{shown(command)} is no command: {str(error).lower()}") from None
    return command


def _watts_command(value: object) -> str:
    command = _command(value)
    if "{watts}" not in command:
        raise wrong(f"{shown(command)} lacks the placeholder {{watts}}, which stands for the power to set")
    return command


def one_of(known: Sequence[str | int], noun: str) -> Kind:
    """A value that is one of `known`; `noun` names the kind with its article."""
    return Kind(_one_of(known, noun), {"enum": list(known)})


def whole(lowest: int, highest: int) -> Kind:
    """A whole number from `lowest` to `highest`."""
    return Kind(_whole(lowest, highest), {"type": "integer", "minimum": lowest, "maximum": highest})


_TEXT_SCHEMA = {"type": ["string", "number"], "minLength": 1}

Text = Annotated[str, Kind(_text, _TEXT_SCHEMA)]
Id = Annotated[str, Kind(_id, {"type": "string", "pattern": f"^{_ID.pattern}$"})]
#: The device address of a FLAG meter.
Outstation = Annotated[str, Kind(_outstation, {"type": "string", "pattern": f"^{_OUTSTATION.pattern}$"})]
PhoneNumber = Annotated[str, Kind(_phone_number, {"type": "string", "pattern": f"^{_NUMBER.pattern}$"})]
AtCommand = Annotated[str, Kind(_at_command, {"type": "string", "pattern": f"^{_AT.pattern}$"})]
Flag = Annotated[bool, Kind(_flag, {"type": "boolean"})]
#: Nanoseconds inside.
Duration = Annotated[int, Kind(_quantity(DURATION), {"type": "string", "examples": ["20 ms"]}, DURATION.format)]
#: Nanoseconds inside, more than none.
Timeout = Annotated[int, Kind(_timeout, {"type": "string", "examples": ["1 s"]}, DURATION.format)]
#: Milliwatts inside.
Power = Annotated[int, Kind(_quantity(POWER), {"type": "string", "examples": ["30 kW"]}, POWER.format)]
PowerFactor = Annotated[Decimal, Kind(_power_factor, {"type": "number", "minimum": -1, "maximum": 1}, float)]
Baud = Annotated[int, one_of(BAUDS, "a speed")]
Framing = Annotated[str, Kind(_framing, {"type": "string", "pattern": f"^{_FRAMING.pattern}$"})]
Port = Annotated[int, whole(1, 65_535)]
Host = Annotated[str, Kind(_host, {"type": "string"})]
SerialPort = Annotated[str, Kind(_serial_port, {"type": "string"})]
Rfc2217Url = Annotated[str, Kind(_rfc2217_url, {"type": "string", "pattern": "^rfc2217://"})]
#: A line fault with its parameters, as the command line takes it.
LineFault = Annotated[str, Kind(_line_fault, {"type": "string", "examples": ["drop", "L02", "drop(p=5%)"]})]
Command = Annotated[str, Kind(_command, _TEXT_SCHEMA)]
WattsCommand = Annotated[str, Kind(_watts_command, {"type": "string", "pattern": r"\{watts\}"})]
