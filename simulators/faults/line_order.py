"""Line faults that change whether and when a frame arrives: lost, twice, later, too late, and a link that dies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from simulators.faults.line_parameters import duration
from simulators.faults.line_registry import Disturber, how_often, line_fault
from simulators.lines.disturbance import Frame


@line_fault("L03", "drop", "a frame is lost",
            "silence until the time-out; a read is asked again once and that is told; whether a write was carried out "
            "is unknown: it is read back and never repeated blindly",
            *how_often(), source="F30: read back first, never blind re-send")  # fmt: skip
class Drop(Disturber):
    """Nothing arrives."""

    def spoil(self, frame: Frame) -> Iterable[Frame]:
        """Nothing."""
        del frame
        return ()


@line_fault("L04", "duplicate", "a frame arrives twice",
            "the first one is the answer; the second is never the answer to the next request",
            duration("gap", "0ms", "silence between the two beyond the one that ends a frame"),
            *how_often(), source="goburrow/modbus 64: one transaction behind for ever")  # fmt: skip
class Duplicate(Disturber):
    """The same frame again."""

    def spoil(self, frame: Frame) -> Iterable[Frame]:
        """Both."""
        silence = frame.framing.silence if frame.framing is not None else 0
        return (frame, replace(frame, start=frame.end + silence + self.values["gap"]))


@line_fault("L05", "delay", "frames take longer than they should, but arrive in time",
            "an answer within the time-out is an answer",
            duration("by", "200ms", "at least so much later"),
            duration("spread", "200ms", "and up to so much more, evenly spread"),
            *how_often("100%"), source="Multitek, WattNode: < 200 ms; USB-serial latency timers 1-16 ms")  # fmt: skip
class Delay(Disturber):
    """Later by an even spread."""

    def spoil(self, frame: Frame) -> Iterable[Frame]:
        """The frame, later."""
        more = self.values["by"] + self.site.random.randrange(self.values["spread"] + 1)
        return (replace(frame, start=frame.start + more),)


@line_fault("L07", "late", "an answer comes after the time-out, into the next transaction",
            "it is waited out or known by its number; it is never the answer to another request; one late answer does "
            "not shift those behind it",
            duration("by", "1300ms", "so much later; longer than the time-out"),
            *how_often(),
            source="F07; goburrow/modbus 64, libmodbus 83: discarded by id, the time-out keeps running")  # fmt: skip
class Late(Disturber):
    """Later by a fixed time."""

    def spoil(self, frame: Frame) -> Iterable[Frame]:
        """The frame, too late."""
        return (replace(frame, start=frame.start + self.values["by"]),)


@line_fault("L16", "torn", "a frame comes in two pieces with a pause between them",
            "an answer in pieces is an answer, since adapters and networks pause; a meter may not take a request with "
            "a pause of more than 1.5 characters, which is then a lost one",
            duration("pause", "2ms", "between the pieces"),
            *how_often("20%", "both"),
            source="Modbus over Serial Line V1.02, 2.5.1.1; USB-serial latency timers")  # fmt: skip
class Torn(Disturber):
    """Two pieces."""

    def spoil(self, frame: Frame) -> Iterable[Frame]:
        """The frame as two; one byte cannot be torn."""
        if len(frame.data) < 2:  # noqa: PLR2004  # a piece has a byte
            return (frame,)
        cut = self.site.random.randrange(1, len(frame.data))
        first = replace(frame, data=frame.data[:cut])
        return (first, replace(frame, data=frame.data[cut:], start=first.end + self.values["pause"]))


@line_fault("L15", "link-dies", "the link dies in the middle of a frame: an adapter is unplugged, a connection reset",
            "a fault of the station and told as that; nothing of the frame is used; a write is not repeated, what is "
            "known of it is in the audit; the link is opened again when it is back",
            duration("for", "2s", "how long nobody can connect"),
            *how_often("2%"), source="F13, F18: reconnect, resume, nothing stored twice")  # fmt: skip
class LinkDies(Disturber):
    """Half a frame, and the end of every connection."""

    def spoil(self, frame: Frame) -> Iterable[Frame]:
        """The beginning of the frame; then the link is cut."""
        kept = self.site.random.randrange(1, len(frame.data)) if len(frame.data) > 1 else 0
        found = replace(frame, data=frame.data[:kept])
        self.site.face.cut(found.end + 1, self.values["for"])
        return (found,)
