"""Holds documents against the schemas that the lab extension's types are made of."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator


def check(name: str, document: Any) -> None:
    """Raises where a document is not what its schema says, or no JSON."""
    schema = json.loads(files("cloudml_magic.cards").joinpath(f"schema/{name}.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(json.loads(json.dumps(document, allow_nan=False)))
