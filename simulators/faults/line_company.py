"""Line faults that come of others: another unit, another master or framing, one's own echo, two talkers at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from protocols.modbus.frames import FrameError, decode_mbap, decode_rtu, encode_mbap, encode_rtu
from protocols.modbus.pdu import FunctionCode, read_registers
from simulators.faults.line_parameters import LAST_UNIT, count, duration, framing, unit
from simulators.faults.line_registry import Disturber, Site, how_often, line_fault
from simulators.lines.disturbance import Frame
from simulators.lines.framing import Framing
from simulators.lines.serial_line import SerialLine, Stranger

_READS = (FunctionCode.READ_HOLDING_REGISTERS, FunctionCode.READ_INPUT_REGISTERS)
#: The length of an RTU frame that reads registers.
_READ = 8
_WORDS = 10_000


def _say(line: SerialLine, who: Stranger, data: bytes, at: int) -> None:
    line.send(who, data, at)


@line_fault("L08", "wrong-unit", "another unit answers than was asked",
            "the answer is discarded while the time-out keeps running, or told as foreign; never used",
            unit("unit", "the address that answers; 0 is the one above"),
            *how_often(), source="simonvetter/modbus 40, libmodbus PR 860; F15, I5: no wrong-meter data",
            media=("serial", "network"))  # fmt: skip
class WrongUnit(Disturber):
    """A whole and sound answer, but another meter's."""

    def spoil(self, frame: Frame) -> Iterable[Frame]:
        """The frame of the other unit; a damaged one stays as it is."""
        data = frame.data
        try:
            if frame.framing is None:
                number, unit, pdu = decode_mbap(data)
                found = encode_mbap(number, self._other(unit), self._its_own(pdu))
            else:
                unit, pdu = decode_rtu(data)
                found = encode_rtu(self._other(unit), self._its_own(pdu))
        except FrameError:
            return (frame,)
        return (replace(frame, data=found),)

    def _its_own(self, pdu: bytes) -> bytes:
        """The same answer with the other meter's values."""
        if pdu[0] not in _READS:
            return pdu
        words = (self.site.random.randrange(_WORDS) for _ in range(pdu[1] // 2))
        return pdu[:2] + b"".join(word.to_bytes(2, "big") for word in words)

    def _other(self, unit: int) -> int:
        asked = int(self.values["unit"])
        return asked if asked and asked != unit else unit % LAST_UNIT + 1


@line_fault("L09", "echo", "the adapter hears what it sends, and the station file does not say so",
            "what was sent is never taken for an answer; the first read tells that the line echoes, and the key to set",
            source="F05: echo stripped and not taken for a reply", media=("serial", "flag"))  # fmt: skip
class Echo(Disturber):
    """The line's own echo, switched on."""

    def __init__(self, site: Site, values: Mapping[str, Any]) -> None:
        super().__init__(site, values)
        self._before = site.line.echo
        site.line.echo = True

    def pass_on(self, frame: Frame) -> Iterable[Frame]:
        """Frames are as they were."""
        return (frame,)

    def end(self) -> None:
        """As it was."""
        self.site.line.echo = self._before


class _Misframed(Disturber):
    """The devices speak otherwise than their station says."""

    def __init__(self, site: Site, values: Mapping[str, Any]) -> None:
        super().__init__(site, values)
        line = site.line
        self._before = line.reframe([self.other(line.framing)] * line.device_count)

    def other(self, framing: Framing) -> Framing:
        """How the devices speak."""
        raise NotImplementedError

    def pass_on(self, frame: Frame) -> Iterable[Frame]:
        """Frames are as they were; who listens wrongly hears garbage."""
        return (frame,)

    def end(self) -> None:
        """As it was."""
        self.site.line.reframe(self._before)


_SILENT = "silence or garbage, told as that; nothing of the garbage is used, and nobody is asked more than twice"


@line_fault("L10", "wrong-speed", "the devices have another speed than the station says", _SILENT,
            count("baud", "0", "their speed; 0 is half of the right one"),
            source="F10: meter stays at another speed", media=("serial", "flag"))  # fmt: skip
class WrongSpeed(_Misframed):
    """Another speed."""

    def other(self, framing: Framing) -> Framing:
        """The same framing at that speed."""
        return Framing(self.values["baud"] or max(1, framing.baud // 2), framing.frame)


@line_fault("L11", "wrong-parity", "the devices have another parity than the station says", _SILENT,
            framing("framing", "", "their framing; if absent 8N1, and 8E1 where that is the right one"),
            source="powerlogic.md 7: PM600 even or none, a PM800 in the field at 8N1",
            media=("serial", "flag"))  # fmt: skip
class WrongParity(_Misframed):
    """Another parity."""

    def other(self, framing: Framing) -> Framing:
        """The same speed with that framing."""
        return Framing(framing.baud, self.values["framing"] or ("8E1" if framing.frame == "8N1" else "8N1"))


@line_fault("L12", "collision", "somebody talks while a frame is on the line",
            "both are garbled, so as for bit errors; when the other one is silent the line is usable again",
            count("bytes", "4", "how much the other one says", lowest=1),
            *how_often(), source="F06, F08: collision = both frames corrupted", media=("serial", "flag"))  # fmt: skip
class Collision(Disturber):
    """A stranger begins in the middle of the frame; the line garbles both."""

    def __init__(self, site: Site, values: Mapping[str, Any]) -> None:
        super().__init__(site, values)
        self._other = Stranger(site.line.framing)

    def spoil(self, frame: Frame) -> Iterable[Frame]:
        """The frame, with somebody in its midst."""
        draw, line = self.site.random, self.site.line
        said = draw.randbytes(self.values["bytes"])
        begin = frame.start + frame.time_of(draw.randrange(len(frame.data)))
        line.world.call_at(begin, partial(_say, line, self._other, said, begin))
        return (frame,)


@line_fault("L13", "second-master", "a second master asks the same meter for other registers",
            "a request that is not one's own is seen and told; no answer of that transaction is used; before the next "
            "request the line is heard out",
            count("register", "1699", "the PDU address that it asks for", 0xFFFF),
            count("words", "0", "how many; 0 is as many as we have just asked for", 125),
            duration("within", "60ms", "how long after our request it may ask"),
            *how_often(way="requests"), source="D33; libmodbus 83", media=("serial",))  # fmt: skip
class SecondMaster(Disturber):
    """A stranger who asks just after us, so that two answers come, in the shape that we expect."""

    def __init__(self, site: Site, values: Mapping[str, Any]) -> None:
        super().__init__(site, values)
        self._other = Stranger(site.line.framing)

    def spoil(self, frame: Frame) -> Iterable[Frame]:
        """Our request, and soon another one."""
        draw, line = self.site.random, self.site.line
        assert frame.framing is not None
        begin = frame.end + frame.framing.silence + draw.randrange(1, self.values["within"] + 2)
        asked = self._question(frame.data)
        line.world.call_at(begin, partial(_say, line, self._other, asked, begin))
        return (frame,)

    def _question(self, ours: bytes) -> bytes:
        function, words = int(FunctionCode.READ_HOLDING_REGISTERS), 1
        if len(ours) == _READ and ours[1] in _READS:
            function, words = ours[1], ours[5]
        return encode_rtu(ours[0], read_registers(self.values["register"], self.values["words"] or words, function))
