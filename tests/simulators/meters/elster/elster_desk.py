"""A simulated Elster meter on a desk: a feeder, a log-in, reads and writes without any line between."""

from datetime import datetime

import pytest

from protocols.elster.tables import Source
from protocols.flag.device import PROGRAMMING, Data, Refusal
from protocols.flag.frames import Command
from protocols.flag.login import encode_digits, reply_to
from simulators.metering.demand import DAY, MINUTE, SECOND
from simulators.metering.energy import WH
from simulators.meters.elster.build import build_meter
from simulators.meters.elster.catalogue import catalogue
from simulators.power.feeder import Feeder, Load

HOUR = 60 * MINUTE
KW = 1_000_000
__all__ = ["DAY", "HOUR", "KW", "MINUTE", "SECOND", "WH", "Desk", "Load", "Source", "datetime", "pytest"]


class Desk:
    def __init__(self, model="A1140", *, load=None, epoch=datetime(2026, 3, 10, 8), **options):  # noqa: DTZ001
        self.feeder = Feeder(load=load or Load(KW))
        self.meter = build_meter(model, self.feeder, epoch=epoch, **options)
        self.session = None

    def log_in(self, level=3, now=0, via="optical"):
        """Open a session and log in."""
        self.session = self.meter.open(via, PROGRAMMING, now)
        password = self.meter.security.passwords[level] if level else None
        reply = encode_digits(reply_to(self.session.seed, password)) if password else b"0" * 16
        self.meter.password(self.session, 2, reply, now)
        return self.session

    def close(self, now=0, why="break"):
        self.meter.close(self.session, why, now)
        self.session = None

    def do(self, name, data, now=0):
        return self.meter.execute(self.session, Command(name[0], name[1], data), now)

    def read(self, operand, now=0):
        """R1: the bytes of a packet."""
        answer = self.do("R1", operand.encode(), now)
        assert isinstance(answer, Data)
        return bytes.fromhex(answer.data[1:-1].decode())

    def write(self, identity, data, now=0):
        """W1: an object, packet by packet."""
        for number in range(max(1, -(-len(data) // 64))):
            self.write_packet(identity, number + 1, data[64 * number : 64 * number + 64], now)

    def write_packet(self, identity, packet, data, now=0):
        return self.do("W1", f"{identity:03d}{packet:03X}({data.hex().upper()})".encode(), now)

    def refused(self, action, *given, **named):
        """The text of the refusal that an action ends with."""
        with pytest.raises(Refusal) as caught:
            action(*given, **named)
        return caught.value.text

    def number(self, name):
        return next(row.number for row in catalogue(self.meter.model.name).values() if row.name == name)

    def section(self, section, now=0):
        """Program a section of a scheme."""
        room = self.meter.configuration._room
        for name, data in section.encode(room).items():
            self.write(room.items[name].number, data, now)

    def kwh(self, now, source=Source.IMPORT):
        """What a source has counted, in kWh."""
        return self.meter.energies(now)[source] / WH / 1000
