"""`meterbench serve`: the simulated links of a station on real ports, in the wall clock's time.

`server` runs it, `endpoints` opens the doors, `control` is the line by which loads and supplies are changed from
outside, `memory` keeps the meters from one run to the next, `station_file` writes a station that leads to the ports.
"""

from bench.serving.control import control
from bench.serving.server import Serving, serve

__all__ = ["Serving", "control", "serve"]
