"""Small stations for the tests of the bench: two meters on a line, opened without pytest's plugin."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.bench import Bench
from bench.drivers.powerlogic import PowerLogic, Series
from bench.evidence import Evidence
from bench.host import Host
from bench.safety import Safety
from bench.station import Station, load_station
from protocols.modbus.frames import FrameError, decode_rtu, encode_rtu
from protocols.modbus.responder import Responder
from protocols.modbus.server import TcpServer
from protocols.powerlogic.energy import Quantity
from simulators.meters.powerlogic import Meter, build_meter

#: The readings of the golden frames (powerlogic.md 5.2) in Wh, varh, VAh.
GOLDEN = {
    Quantity.REAL_IN: 1_234_567,
    Quantity.REACTIVE_IN: -42,
    Quantity.REAL_OUT: 0,
    Quantity.REACTIVE_OUT: 0,
    Quantity.REAL_TOTAL: 1_234_567,
    Quantity.REACTIVE_TOTAL: -42,
    Quantity.APPARENT_TOTAL: 2_000_000,
}
BUS = "{type: sim, medium: rs485, baud: 9600, framing: 8E1}"
LAN = "{type: sim, medium: ethernet}"


def two_meters(
    *,
    old: str = "CM2350",
    new: str = "PM850",
    link: str = BUS,
    energies: dict[Quantity, int] | None = None,
    load: str = "0 kW",
    of_old: str = "",
    of_new: str = "",
) -> str:
    """A station file: `old` (unit 3) hands over to `new` (unit 1) on one link."""
    past = GOLDEN if energies is None else energies
    shown = ", ".join(f"{quantity.value}: {value}" for quantity, value in past.items())
    return f"""\
schema: 1
name: two
links: {{line: {link}}}
devices:
  old: {{model: {old}, link: line, address: 3, simulate: {{load: {load}, energies: {{{shown}}}{of_old}}}}}
  new: {{model: {new}, link: line, address: 1, protection: sacrificial, simulate: {{load: {load}{of_new}}}}}
"""


def station_of(text: str, folder: Path) -> Station:
    """The station of a text."""
    file = folder / "station.yaml"
    file.write_text(text, encoding="utf-8")
    return load_station(file)


@dataclass
class Stand:
    """An opened station with its evidence."""

    bench: Bench
    host: Host
    evidence: Path

    @property
    def old(self) -> PowerLogic:
        return self.bench.device("old")

    @property
    def new(self) -> Series:
        return self.bench.target("new")

    def meter(self, name: str) -> Meter:
        """The simulated meter itself: the truth behind what the driver reads."""
        return self.host.stage.meters[name]

    def audit(self) -> list[dict[str, Any]]:
        """What the audit says so far, without the line that opens it."""
        lines = (self.evidence / "audit.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def events(self) -> list[str]:
        return [entry["event"] for entry in self.audit()]


@contextmanager
def stand(
    text: str,
    folder: Path,
    *,
    reason: str | None = "test",
    defects: dict[str, list[str]] | None = None,
    seed: int = 0,
) -> Iterator[Stand]:
    """Open a station; every sacrificial device is allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    station = station_of(text, folder)
    allowed = [device.id for device in station.devices.values() if device.sacrificial]
    evidence = Evidence(folder / "evidence", durable=False)
    host = Host(station, defects=defects, seed=seed)
    try:
        yield Stand(Bench(host, Safety(station, allowed), evidence, "test", reason), host, folder / "evidence")
    finally:
        host.close()
        evidence.abandon()


Handler = Callable[[bytes], bytes | None]


class TcpStandIn:
    """A device behind a real TCP port: a thread that gives each piece it receives to a handler.

    Args:
        handle: request bytes to answer bytes; None closes the connection, which the client sees as a drop.
    """

    def __init__(self, handle: Handler) -> None:
        self._handle = handle
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):  # either side may hang up at any time
            while data := connection.recv(4096):
                self.requests.append(data)
                answer = self._handle(data)
                if answer is None:
                    return
                if answer:
                    connection.sendall(answer)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            connection.close()
        self._thread.join(2)


@contextmanager
def tcp_stand_in(handle: Handler) -> Iterator[TcpStandIn]:
    server = TcpStandIn(handle)
    try:
        yield server
    finally:
        server.close()


def modbus_tcp(units: dict[int, Meter]) -> Callable[[bytes], bytes]:
    """Our own Modbus TCP server; time stands still for its meters."""
    server = TcpServer(units)
    return lambda data: b"".join(reply.data for reply in server.receive(data, 0))


def modbus_rtu(units: dict[int, Meter]) -> Callable[[bytes], bytes]:
    """RTU frames as a transparent serial server carries them."""
    responders = {unit: Responder(meter) for unit, meter in units.items()}

    def handle(data: bytes) -> bytes:
        try:
            unit, pdu = decode_rtu(data)
        except FrameError:
            return b""
        return encode_rtu(unit, responders[unit].respond(pdu, 0)) if unit in responders else b""

    return handle


def golden_meter(model: str = "PM850") -> Meter:
    """A meter without a load that shows the readings of the golden frames."""
    return build_meter(model, energies=GOLDEN)
