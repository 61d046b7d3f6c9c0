"""What goes wrong when bytes are to be an object of these meters, or a value is to become bytes."""

from __future__ import annotations

from protocols.conversation import ProtocolError


class DataError(ProtocolError, ValueError):
    """Bytes that are no object of its kind, or a value that its bytes cannot carry."""


def exactly(data: bytes, size: int, what: str) -> bytes:
    """The same bytes, if there are `size` of them.

    Raises:
        DataError: names what has the wrong length.
    """
    if len(data) != size:
        raise DataError(f"{what} has {size} bytes, not {len(data)}")
    return data


def octet(value: int, what: str) -> int:
    """The same number, if one byte can carry it.

    Raises:
        DataError: names what is out of range.
    """
    if not 0 <= value <= 0xFF:  # noqa: PLR2004  # a byte
        raise DataError(f"{what} of {value} does not fit into a byte")
    return value
