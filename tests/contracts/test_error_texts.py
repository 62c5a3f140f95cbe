"""Refusals of the platform, each in full, as Google's clients get them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.local_platform.conftest import Served

CASES = json.loads((Path(__file__).parent.parent / "goldens" / "platform_errors.json").read_bytes())


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_a_refusal_is_this_one(served: Served, case: dict[str, Any]) -> None:
    """Code, status, text and details; a text that changes is a change that clients see."""
    verb, _, path = case["request"].partition(" ")
    body = case["content"].encode() if "content" in case else case.get("body")
    status, _, content = served.send(verb, path, body)
    assert json.loads(content) == {"error": case["error"]}
    assert status == case["error"]["code"]
