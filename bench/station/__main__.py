"""Print the JSON schema of the station file.

python -m bench.station > fixtures/stations/station.schema.json
"""

import sys

from bench.station.schema import schema_text

sys.stdout.write(schema_text())
