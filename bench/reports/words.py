"""Figures as people write them."""

from __future__ import annotations

from decimal import Decimal

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def duration(start: str | float, end: str | float) -> str:
    """From `start` to `end`, both in seconds, in the unit that fits: "850 µs", "12.3 ms", "2 min 5 s", "3 d 4 h"."""
    span = Decimal(str(end)) - Decimal(str(start))
    if span < 1:
        return f"{span * 1_000_000:.0f} µs" if span < Decimal("0.001") else f"{span * 1000:.1f} ms"
    if span < _MINUTE:
        return f"{span:.2f} s"
    whole = int(span)
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def digit_groups(number: str) -> list[str]:
    """A number cut for reading: "-1234567.8912" is ["-1", "234", "567", ".8912"]; short ones and words stay whole.

    ISO 80000-1 7.3.1 groups by three; the fraction is left whole because its digits are copied more than read.
    """
    sign = "-" if number.startswith("-") else ""
    whole, point, fraction = number.removeprefix("-").partition(".")
    if not (whole + fraction).isascii() or not (whole + fraction).isdigit() or len(whole) < 5:  # noqa: PLR2004  # "short"
        return [number]
    first = len(whole) % 3
    groups = ([whole[:first]] if first else []) + [whole[k : k + 3] for k in range(first, len(whole), 3)]
    groups[0] = sign + groups[0]
    return [*groups, point + fraction] if point else groups
