"""The JSON schema of the scheme file, for editors; `meterbench scheme template --schema` prints it."""

from __future__ import annotations

import json
from typing import Any

from bench.scheme.model import Scheme


def scheme_schema() -> dict[str, Any]:
    """The scheme file as JSON schema, draft 2020-12. Rules between entries cannot be said in it."""
    schema = Scheme.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "meterbench scheme"}


def schema_text() -> str:
    """The content of fixtures/schemes/scheme.schema.json."""
    return json.dumps(scheme_schema(), indent=2) + "\n"
