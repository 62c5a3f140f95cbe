"""Whatever is sent, the process answers with predictions or a sentence, and lives."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from tests.serving.pictures_made import encoded
from tests.serving.processes import ServingProcess, npy, npz

pytestmark = pytest.mark.slow

SMALL = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=5),
    lambda inner: (
        some.lists(inner, max_size=4) | some.dictionaries(some.sampled_from(["x", "b64", "image_bytes", ""]), inner)
    ),
    max_leaves=12,
)
ENVELOPES = some.dictionaries(
    some.sampled_from(["instances", "inputs", "signature_name", "parameters", "x"]), VALUES, min_size=1
)
TEXTS = some.text('{}[]":,.0123456789eE+-\\u instances inputs b64 NaN true null', max_size=60)
SEEDS = [
    npy(np.zeros((2, 4), np.float32)),
    npz(x=np.zeros((2, 4))),
    json.dumps({"instances": [[1, 2, 3, 4]]}).encode(),
    encoded(20, 20),
    encoded(20, 20, format="PNG"),
]


@some.composite
def damaged(draw: Callable[..., Any]) -> bytes:
    """A good body with bytes changed, cut out or cut off."""
    body = bytearray(draw(some.sampled_from(SEEDS)))
    for _ in range(draw(some.integers(1, 6))):
        place = draw(some.integers(0, len(body) - 1))
        body[place : place + draw(some.integers(0, 3))] = draw(some.binary(max_size=3))
        if not body:
            break
    return bytes(body[: draw(some.integers(0, len(body)))] if draw(some.booleans()) else body)


def assert_answered(process: ServingProcess, body: bytes, content_type: str) -> None:
    reply = process.ask(body, content_type=content_type)
    assert reply.status in (200, 400, 415), (reply.status, reply.content)
    if reply.status != 200:
        assert set(reply.json) == {"error"} and reply.error.strip()


@SMALL
@given(envelope=ENVELOPES, model=some.sampled_from(["table", "flowers"]), is_fast=some.booleans())
def test_envelopes_of_anything_are_answered(
    served: Callable[..., ServingProcess], envelope: Any, model: str, is_fast: bool
) -> None:
    assert_answered(served(model, is_fast), json.dumps(envelope).encode(), "application/json")


@SMALL
@given(text=TEXTS)
def test_texts_of_anything_are_answered(served: Callable[..., ServingProcess], text: str) -> None:
    assert_answered(served("table"), text.encode("utf-8", "surrogatepass"), "application/json")


@SMALL
@given(body=damaged(), kind=some.sampled_from(["json", "x-npy", "x-npz", "octet-stream"]))
def test_damaged_bodies_are_answered(served: Callable[..., ServingProcess], body: bytes, kind: str) -> None:
    assert_answered(served("table"), body, f"application/{kind}")


@SMALL
@given(body=damaged(), is_fast=some.booleans())
def test_damaged_pictures_are_answered(served: Callable[..., ServingProcess], body: bytes, is_fast: bool) -> None:
    import base64

    envelope = {"instances": [{"b64": base64.b64encode(body).decode()}]}
    assert_answered(served("flowers", is_fast), json.dumps(envelope).encode(), "application/json")


def test_the_processes_have_lived(served: Callable[..., ServingProcess]) -> None:
    for process in (served("table"), served("flowers"), served("flowers", True)):
        assert process.get("/v1/models/m").status == 200
        process.errors.seek(0)
        assert b"Traceback" not in process.errors.read()
