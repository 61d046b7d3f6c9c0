"""The password exchange of Elster A1140 and A1700: a challenge of eight bytes, and a reply that hides the password.

It is reversible: who has heard challenge and reply has the password. So a trace masks both replies and passwords.

Source: four captured pairs (Gurux site node 5415, Gurux forum thread "Elster A1140 Hash Calculation"), all reproduced;
see `fixtures/flag/login_vectors.csv`.
"""

from __future__ import annotations

import re
from itertools import pairwise

from protocols.conversation import ProtocolError

#: Bytes of a challenge, of a reply and characters of a password.
SIZE = 8
#: The reply of whoever wants to read only, and is let in at level 0 without a password.
NO_PASSWORD = bytes(SIZE)
_HEX = re.compile(rb"[0-9A-Fa-f]{16}")


class LoginError(ProtocolError):
    """A challenge, a reply or a password that has the wrong form; never says the password."""


def reply_to(seed: bytes, password: bytes) -> bytes:
    """The reply to a challenge of eight bytes, for a password of exactly eight ASCII characters.

    Raises:
        LoginError: a seed or a password of another length, or a character outside ASCII.
    """
    mixed = [a ^ b for a, b in zip(_checked(seed, "challenge"), _password(password), strict=True)]
    reply = [(mixed[0] + mixed[-1]) % 256]
    for value in mixed[1:]:
        reply.append((value + reply[-1]) % 256)
    return bytes(reply)


def password_of(seed: bytes, reply: bytes) -> bytes:
    """The password that a reply hides: what everybody who listens can do, and a meter does to compare.

    Raises:
        LoginError: a seed or a reply of another length.
    """
    reply = _checked(reply, "reply")
    mixed = [(b - a) % 256 for a, b in pairwise(reply)]
    mixed.insert(0, (reply[0] - mixed[-1]) % 256)
    return bytes(a ^ b for a, b in zip(mixed, _checked(seed, "challenge"), strict=True))


def encode_digits(data: bytes) -> bytes:
    """Eight bytes as sixteen upper-case hexadecimal digits, leading zeros included."""
    return data.hex().upper().encode("ascii")


def decode_digits(operand: bytes) -> bytes:
    """Eight bytes from their sixteen digits.

    Raises:
        LoginError: other than sixteen hexadecimal digits.
    """
    if not _HEX.fullmatch(operand):
        raise LoginError(f"{len(operand)} characters where sixteen hexadecimal digits belong")
    return bytes.fromhex(operand.decode("ascii"))


def _checked(data: bytes, what: str) -> bytes:
    if len(data) != SIZE:
        raise LoginError(f"a {what} of {len(data)} bytes; it has {SIZE}")
    return data


def _password(password: bytes) -> bytes:
    if len(password) != SIZE or not password.isascii():
        raise LoginError(f"a password has exactly {SIZE} ASCII characters")
    return password
