"""Adds to every call that makes something as whom it acts and under which key it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cloudml_magic.dialects.call import Call
from cloudml_magic.records import Protection

_LOCATION = "aiplatform.projects.locations"
# Where Google's documents have the account and the key in the body of each method.
_ACCOUNT = {
    f"{_LOCATION}.customJobs.create": ("jobSpec", "serviceAccount"),
    f"{_LOCATION}.batchPredictionJobs.create": ("serviceAccount",),
    f"{_LOCATION}.models.upload": ("serviceAccount",),
    f"{_LOCATION}.endpoints.deployModel": ("deployedModel", "serviceAccount"),
    "ml.projects.jobs.create": ("trainingInput", "serviceAccount"),
    "ml.projects.models.versions.create": ("serviceAccount",),
}
_KEY = {
    f"{_LOCATION}.customJobs.create": ("encryptionSpec", "kmsKeyName"),
    f"{_LOCATION}.batchPredictionJobs.create": ("encryptionSpec", "kmsKeyName"),
    f"{_LOCATION}.models.upload": ("model", "encryptionSpec", "kmsKeyName"),
    f"{_LOCATION}.endpoints.create": ("encryptionSpec", "kmsKeyName"),
    "ml.projects.jobs.create": ("trainingInput", "encryptionConfig", "kmsKeyName"),
}


def protected(call: Call, protection: Protection) -> Call:
    """The call as it is sent; one that makes nothing is sent as it is."""
    body = call.body
    for value, places in ((protection.service_account, _ACCOUNT), (protection.kms_key, _KEY)):
        if value and body is not None and call.method in places and "predictionInput" not in body:
            body = _with(body, places[call.method], value)
    return call if body is call.body else replace(call, body=body)


def _with(body: Mapping[str, Any], path: tuple[str, ...], value: str) -> dict[str, Any]:
    first, *rest = path
    return {**body, first: _with(body.get(first) or {}, tuple(rest), value) if rest else value}
