"""From instances to requests: in the form that is cheapest to send, none larger than the service takes."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from cloudml_magic.client.models import json_body
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.prediction.given import DEFAULT_SIGNATURE, Given

LIMIT_BYTES = 1_500_000
"""What Vertex AI takes in one request."""
_ENVELOPE = 2_000
LARGEST_PICTURE = (LIMIT_BYTES - _ENVELOPE) // 4 * 3
_BINARY_FROM = 16_384  # numbers; below, JSON is as fast and can be read
_MOST_REQUESTS = 64
_MOST_INSTANCES = 20_000


@dataclass(frozen=True, slots=True)
class PredictRequest:
    """One request: instances for `predict`, or a body for `rawPredict`."""

    instances: tuple[Any, ...] = ()
    content: bytes | None = field(default=None, repr=False)
    content_type: str = "application/json"


def requests_of(given: Given, *, takes_binary: bool) -> list[PredictRequest]:
    """The requests for all instances, in their order."""
    if takes_binary and not given.pictures and _is_worth_binary(given):
        return [PredictRequest(content=body, content_type="application/x-npz") for body in _archives(given)]
    return [_request(given, part) for part in _parts(instances_as_json(given))]


def instances_as_json(given: Given) -> list[Any]:
    """Each instance as JSON carries it: a bare value, or an object of the inputs."""
    if given.pictures:
        return [{"b64": base64.b64encode(picture.content).decode()} for picture in given.pictures]
    return _rows(given)


def _request(given: Given, instances: tuple[Any, ...]) -> PredictRequest:
    if given.signature.name == DEFAULT_SIGNATURE:
        return PredictRequest(instances)
    # `predict` asks the default signature only.
    return PredictRequest(instances, json_body(given.signature.name, instances))


def _rows(given: Given) -> list[Any]:
    columns = {name: _plain_values(tensor) for name, tensor in given.tensors.items()}
    if len(columns) == 1:
        return next(iter(columns.values()))
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain_values(tensor: Any) -> list[Any]:
    """What JSON can carry: floats in their shortest form, bytes that are text as text, others in base64."""
    if tensor.dtype.kind in "OSU":
        return [_plain_text(item) for item in tensor.tolist()]
    if tensor.dtype.kind == "f" and tensor.dtype.itemsize < 8 and tensor.size <= _BINARY_FROM:
        # By way of text: 0.1 of 32 bits is 0.1, not 0.10000000149011612.
        return list(tensor.astype(str).astype(float).tolist())
    return list(tensor.tolist())


def _plain_text(item: Any) -> Any:
    if isinstance(item, list):
        return [_plain_text(each) for each in item]
    if isinstance(item, bytes):
        try:
            return item.decode("utf-8")
        except UnicodeDecodeError:
            return {"b64": base64.b64encode(item).decode()}
    return item


def _parts(instances: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """Consecutive instances that fit into a request together."""
    part: list[Any] = []
    size = 0
    for index, instance in enumerate(instances):
        length = len(json.dumps(instance)) + 2
        if length > LIMIT_BYTES - _ENVELOPE:
            raise _too_large(index, length)
        if part and size + length > LIMIT_BYTES - _ENVELOPE:
            yield tuple(part)
            part, size = [], 0
        part.append(instance)
        size += length
    yield tuple(part)


def _is_worth_binary(given: Given) -> bool:
    tensors = given.tensors.values()
    return all(tensor.dtype.kind in "fiub" for tensor in tensors) and sum(t.size for t in tensors) > _BINARY_FROM


def _archives(given: Given) -> Iterator[bytes]:
    """NumPy archives with as many instances as fit."""
    import numpy as np

    each = sum(tensor.nbytes for tensor in given.tensors.values()) / given.count
    fitting = int((LIMIT_BYTES - _ENVELOPE * (1 + len(given.tensors))) / each)
    if fitting < 1:
        raise _too_large(0, int(each))
    for first in range(0, given.count, fitting):
        file = io.BytesIO()
        np.savez(file, **{name: tensor[first : first + fitting] for name, tensor in given.tensors.items()})
        yield file.getvalue()


def _too_large(index: int, length: int) -> CloudMLError:
    return CloudMLError(
        "instance-too-large",
        f"Instance {index} has {length:,} bytes in a request; {LIMIT_BYTES:,} are allowed for all of one request.",
        next="Send a picture as a file in place of its numbers, or use `%ml_batch_predict`, which has no such limit.",
    )


def check_count(count: int, title: str) -> None:
    """More rows than are asked for while one waits are a batch."""
    if count > _MOST_INSTANCES:
        raise CloudMLError(
            "too-many-instances",
            f"{count:,} instances are more than a card waits for.",
            why=f"Online predictions are for few instances; {_MOST_INSTANCES:,} are the most.",
            next=f"Ask for all of them at once: `%ml_batch_predict {title} --input VARIABLE`.",
        )


def check_requests(requests: Sequence[PredictRequest], count: int, title: str) -> None:
    """Large instances are a batch even where they are few."""
    if len(requests) > _MOST_REQUESTS:
        raise CloudMLError(
            "too-many-instances",
            f"{count:,} instances would take {len(requests)} requests.",
            why=f"Online predictions are for few instances; {_MOST_REQUESTS} requests are the most.",
            next=f"Ask for all of them at once: `%ml_batch_predict {title} --input VARIABLE`.",
        )
