"""The JSON schema of the station file, for editors; `python -m bench.station` prints it."""

from __future__ import annotations

import json
from typing import Any

from bench.station.model import Station


def station_schema() -> dict[str, Any]:
    """The station file as JSON schema, draft 2020-12. Rules between entries cannot be said in it."""
    schema = Station.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "meterbench station file"}


def schema_text() -> str:
    """The content of fixtures/stations/station.schema.json."""
    return json.dumps(station_schema(), indent=2) + "\n"
