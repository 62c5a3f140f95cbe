"""From the body of a request to the tensors of a signature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from cloudml_magic.errors import CloudMLError
from cloudml_magic.records import ModelInterface, Signature
from cloudml_magic.serving.binary_bodies import NPY, NPZ, arrays_of_npz, one_array
from cloudml_magic.serving.instances import check, tensors_of_columns, tensors_of_rows
from cloudml_magic.serving.json_bodies import JsonBody, read_json
from cloudml_magic.serving.refusals import RefusedError

# The last one is what `curl -d` sends, as in the examples of TensorFlow Serving.
_JSON_TYPES = ("application/json", "text/json", "", "application/x-www-form-urlencoded")
DEFAULT_SIGNATURE = "serving_default"


@dataclass(frozen=True, slots=True)
class PredictRequest:
    """What is asked: a signature and its tensors; `in_columns` where the answer is one array per output."""

    signature: Signature
    tensors: dict[str, Any]
    in_columns: bool = False


def read_request(interface: ModelInterface, content_type: str, query: str, body: bytes) -> PredictRequest:
    """Raises RefusedError where the body cannot be understood or does not fit the model."""
    try:
        if content_type in (NPY, NPZ):
            named = parse_qs(query).get("signature_name", [None])[-1]
            return _of_binary(_signature(interface, named), content_type, body)
        if content_type not in _JSON_TYPES:
            raise RefusedError(
                415, f"The body is {content_type[:100]}. Send application/json, {NPY} (one array) or {NPZ} (several)."
            )
        return _of_json(interface, read_json(body))
    except CloudMLError as problem:
        raise RefusedError.of(problem) from None


def _of_binary(signature: Signature, content_type: str, body: bytes) -> PredictRequest:
    if content_type == NPZ:
        return PredictRequest(signature, check(signature, arrays_of_npz(body), finite=False))
    if len(signature.inputs) != 1:
        raise RefusedError(400, f"The model has {len(signature.inputs)} inputs: send {NPZ} with one array for each.")
    return PredictRequest(signature, check(signature, {signature.inputs[0].name: one_array(body)}, finite=False))


def _of_json(interface: ModelInterface, body: JsonBody) -> PredictRequest:
    signature = _signature(interface, body.signature_name)
    if body.in_columns:
        return PredictRequest(signature, tensors_of_columns(signature, body.values), True)
    return PredictRequest(signature, tensors_of_rows(signature, body.values))


def _signature(interface: ModelInterface, name: str | None) -> Signature:
    signatures: Mapping[str, Signature] = interface.signatures
    if name is None:
        name = DEFAULT_SIGNATURE if DEFAULT_SIGNATURE in signatures else next(iter(signatures))
    if name not in signatures:
        raise RefusedError(400, f"The model has no signature {name[:100]!r}. It has {', '.join(signatures)}.")
    return signatures[name]
