"""Line faults that change bytes: bit errors, bursts, frames cut short, noise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from random import Random
from typing import Any

from simulators.faults.line_parameters import choice, count, duration, probability, profile
from simulators.faults.line_registry import Disturber, Site, how_often, line_fault
from simulators.lines.disturbance import Frame
from simulators.lines.framing import Framing
from simulators.lines.two_state import TwoState, profiles


def _flipped(byte: int, rate: float, framing: Framing, draw: Random) -> tuple[int, bool]:
    """A character after bit errors, and whether its parity is wrong; start and stop bits are left alone."""
    flips = [draw.random() < rate for _ in range(framing.data_bits)]
    parity = framing.parity != "N" and draw.random() < rate
    mask = sum(1 << bit for bit, flip in enumerate(flips) if flip)
    return byte ^ mask, framing.parity != "N" and (sum(flips) + parity) % 2 == 1


@line_fault("L01", "bit-errors", "single bits of a frame turn over",
            "the check sum refuses the frame; a read is asked again once and that is told; a write is not repeated; "
            "nothing of the frame is used",
            probability("rate", "0.0001", "how many of the bits turn over"),
            choice("parity", "keep", "what the adapter does with a character whose parity is wrong", "keep", "drop"),
            *how_often("100%", "both"),
            source="F01: checksum rejects, retry, nothing stored", media=("serial", "flag"))  # fmt: skip
class BitErrors(Disturber):
    """Each bit on its own."""

    def spoil(self, frame: Frame) -> Iterable[Frame]:
        """The frame with its errors."""
        assert frame.framing is not None
        found = bytearray()
        for byte in frame.data:
            damaged, seen = _flipped(byte, self.values["rate"], frame.framing, self.site.random)
            if not (seen and self.values["parity"] == "drop"):
                found.append(damaged)
        return (replace(frame, data=bytes(found)),)


@line_fault("L17", "one-bit", "a single bit of a frame turns over",
            "every check character finds it: the block is asked for again with NAK or the read is repeated, and that "
            "is told; a write is not repeated unless the meter says NAK; nothing of the block is used",
            *how_often(),
            source="IEC 62056-21 6.2: an exclusive or finds every error of one bit", media=("flag",))  # fmt: skip
class OneBit(Disturber):
    """One bit of one character; parity may be wrong too, which a port does not show."""

    def spoil(self, frame: Frame) -> Iterable[Frame]:
        """The frame with its error."""
        assert frame.framing is not None
        draw, found = self.site.random, bytearray(frame.data)
        found[draw.randrange(len(found))] ^= 1 << draw.randrange(frame.framing.data_bits)
        return (replace(frame, data=bytes(found)),)


@line_fault("L02", "bursts", "the line is good and bad by turns: in bad time characters are lost to noise, a network "
            "holds messages back",
            "as for single errors; the line is usable again as soon as it is good, and a pass after a repeated read "
            "is told as such",
            probability("pi", "2%", "share of bad time"),
            duration("tau", "300ms", "in which the past is forgotten; bad time lasts tau/(1-pi) on average", "1 ms"),
            probability("damage", "50%", "how many characters are hit in bad time"),
            profile("profile", "takes pi and tau from a row of fixtures/links/profiles.csv"),
            *how_often("100%", "both"),
            source="F16; two-state chain of links-concentrators.md 1.8")  # fmt: skip
class Bursts(Disturber):
    """A two-state chain in time."""

    def __init__(self, site: Site, values: Mapping[str, Any]) -> None:
        super().__init__(site, values)
        row = profiles().get(values["profile"])
        share = row.share if row else (lambda _when: float(values["pi"]))
        self._chain = TwoState(share, row.tau if row else values["tau"], site.random)

    def spoil(self, frame: Frame) -> Iterable[Frame]:
        """Characters are hit in bad time; on a network the message waits for good time, as TCP sees to."""
        if frame.framing is None:
            return (replace(frame, start=self._chain.good_from(frame.start)),)
        draw = self.site.random
        found = bytearray(frame.data)
        for index in range(len(found)):
            when = frame.start + frame.time_of(index)
            if self._chain.bad_at(when) and draw.random() < self.values["damage"]:
                found[index] = draw.randrange(256)
        return (replace(frame, data=bytes(found)),)


@line_fault("L06", "truncated", "the end of a frame never comes",
            "the rest is waited for until the time-out and no longer; what came is named as no answer; a read is asked "
            "again once, a write is not",
            *how_often(), source="F03: inter-character time-out, resync, retry")  # fmt: skip
class Truncated(Disturber):
    """A random part of the frame, at least one byte of it."""

    def spoil(self, frame: Frame) -> Iterable[Frame]:
        """The beginning of the frame."""
        kept = self.site.random.randrange(1, len(frame.data)) if len(frame.data) > 1 else 0
        return (replace(frame, data=frame.data[:kept]),)


@line_fault("L14", "noise", "stray bytes before an answer or in the pause behind it",
            "bytes in front of a whole answer are skipped, bytes that nobody asked for are cleared away before the "
            "next request, and both are told",
            count("bytes", "3", "at most so many", lowest=1),
            duration("within", "50ms", "how long behind the frame they may come"),
            *how_often(),
            source="F04: leading garbage skipped; bias faults", media=("serial", "flag"))  # fmt: skip
class Noise(Disturber):
    """Random bytes, half of the time in front."""

    def spoil(self, frame: Frame) -> Iterable[Frame]:
        """The frame with its company."""
        draw = self.site.random
        stray = draw.randbytes(draw.randrange(1, self.values["bytes"] + 1))
        if draw.random() < 0.5:  # noqa: PLR2004  # one time in two
            start = max(self.site.line.world.now, frame.start - frame.time_of(len(stray)))
            return (replace(frame, data=stray + frame.data, start=start),)
        behind = frame.end + draw.randrange(1, self.values["within"] + 2)
        return (frame, replace(frame, data=stray, start=behind))
