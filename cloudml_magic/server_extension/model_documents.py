"""Models as the page sees them: their versions, where they answer, and what one takes; pure functions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from cloudml_magic.pipeline.deployment.lookup import ModelLine, answering_machine
from cloudml_magic.records import DeployedVersion, ModelInterface, Signature, Target, TensorSpec
from cloudml_magic.wording import clean

_DEFAULT = "serving_default"
_MOST_NUMBERS = 4096
_MOST_LABELS = 2000


def model_documents(lines: Sequence[ModelLine]) -> list[dict[str, Any]]:
    """The models of a list of versions, in its order."""
    found: dict[str, dict[str, Any]] = {}
    for line in lines:
        model = found.setdefault(
            line.version.model_resource, {"name": clean(line.version.name), "versions": [], "endpoint": None}
        )
        model["versions"].append(_version(line))
        model["endpoint"] = line.endpoint.resource_name if line.endpoint else model["endpoint"]
    return list(found.values())


def interface_document(title: str, interface: ModelInterface) -> dict[str, Any]:
    """What a model takes, and an example to begin with."""
    signature = interface.signatures.get(_DEFAULT) or next(iter(interface.signatures.values()))
    picture = interface.picture
    labels = next(iter(interface.labels.values()), ())
    return {
        "title": title,
        "takes": "json" if picture is None else "picture",
        "picture": None
        if picture is None
        else {"height": picture.height, "width": picture.width, "channels": picture.channels},
        "inputs": [_tensor(spec) for spec in signature.inputs],
        "outputs": [_tensor(spec) for spec in signature.outputs],
        "example": None if picture else example(signature),
        "labels": [clean(label) for label in labels[:_MOST_LABELS]],
    }


def example(signature: Signature) -> list[Any] | None:
    """One instance of zeros and empty texts that the signature takes; None where nobody would type so many."""
    if sum(math.prod(_sizes(spec)) for spec in signature.inputs) > _MOST_NUMBERS:
        return None
    values = {spec.name: _filled(_sizes(spec), _zero(spec.dtype)) for spec in signature.inputs}
    return [values if len(values) > 1 else next(iter(values.values()), {})]


def _version(line: ModelLine) -> dict[str, Any]:
    version = line.version
    return {
        "version": version.version,
        "title": clean(version.title),
        "aliases": [clean(alias) for alias in version.aliases],
        "created": version.created,
        "artifact_uri": version.artifact_uri,
        "deployed": _deployed(line.deployed, line.target) if line.deployed else None,
    }


def _deployed(held: DeployedVersion, target: Target) -> dict[str, Any]:
    return {
        "traffic": held.traffic,
        "since": held.created,
        "replicas": [held.min_replicas, held.max_replicas],
        "machine": answering_machine(held, target),
        "message": clean(held.message),
    }


def _tensor(spec: TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "dtype": spec.dtype, "shape": list(spec.shape)}


def _sizes(spec: TensorSpec) -> list[int]:
    """The shape of one instance."""
    return [1 if size is None else size for size in spec.shape[1:]]


def _zero(dtype: str) -> Any:
    if dtype == "string":
        return ""
    if dtype == "bool":
        return False
    return 0 if "int" in dtype else 0.0


def _filled(sizes: Sequence[int], value: Any) -> Any:
    if not sizes:
        return value
    return [_filled(sizes[1:], value) for _ in range(sizes[0])]
