"""The station file: strict, with every mistake on its line, and checked before any port opens.

`mistakes` says what is wrong, `source` reads YAML with line numbers, `kinds` and `quantities` are the values, `entry`,
`links`, `devices` and `model` the entries, `rules` what must hold between them, and `load` puts it together.
"""

from bench.station.devices import MODELS, Device, Simulation
from bench.station.links import Link, ReplayLink, Rfc2217Link, SerialLink, SimLink, TcpLink
from bench.station.load import builtin_station, find_station, load_station, station_from_environment, station_from_text
from bench.station.mistakes import Mistake, StationFileError
from bench.station.model import Policy, Station
from bench.station.schema import station_schema

__all__ = [
    "MODELS",
    "Device",
    "Link",
    "Mistake",
    "Policy",
    "ReplayLink",
    "Rfc2217Link",
    "SerialLink",
    "SimLink",
    "Simulation",
    "Station",
    "StationFileError",
    "TcpLink",
    "builtin_station",
    "find_station",
    "load_station",
    "station_from_environment",
    "station_from_text",
    "station_schema",
]
