"""Packed BCD with the least significant byte first: reverse the bytes, read the digits.

Energies are 8 bytes in mWh, mvarh or mVAh (public A1140 reader: kWh x 1e-6; two sources).
"""

from __future__ import annotations

from protocols.elster.errors import DataError

#: The two digits of a byte as a number, or -1.
DIGITS: tuple[int, ...] = tuple((b >> 4) * 10 + (b & 15) if (b >> 4) < 10 and (b & 15) < 10 else -1 for b in range(256))  # noqa: PLR2004  # decimal digits


def encode_bcd(value: int, size: int) -> bytes:
    """A whole number as `size` bytes, two digits each, least significant byte first.

    Raises:
        DataError: negative, or more than 2 * size digits.
    """
    if not 0 <= value < 100**size:
        raise DataError(f"{value} does not fit into {2 * size} digits")
    return bytes.fromhex(f"{value:0{2 * size}d}")[::-1] if size else b""


def decode_bcd(data: bytes) -> int:
    """The number of packed digits, least significant byte first; no bytes are 0.

    Raises:
        DataError: a digit above 9.
    """
    digits = data[::-1].hex()
    if not digits.isdecimal():
        if not digits:
            return 0
        raise DataError(f"{digits} (read from its last byte) holds a digit above 9")
    return int(digits)
