"""Service Usage's quotas: how much of each machine a project may use for training on Vertex AI, and where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudml_magic.dialects.call import Call
from cloudml_magic.dialects.shortages import counted_by
from cloudml_magic.records import Quota

API = ("serviceusage", "v1beta1")
_TRAINING = "aiplatform.googleapis.com/custom_model_training_"


def list_quotas(project: str, page_token: str | None = None) -> Call:
    """A page of Vertex AI's quotas with a bucket for each region."""
    parameters: dict[str, str | int] = {
        "parent": f"projects/{project}/services/aiplatform.googleapis.com",
        "view": "FULL",
        "pageSize": 200,
    }
    if page_token:
        parameters["pageToken"] = page_token
    return Call("serviceusage.services.consumerQuotaMetrics.list", parameters)


def read_quotas(body: Mapping[str, Any]) -> tuple[list[Quota], str | None]:
    """The quotas of a page that count what trains, and the token of the next page."""
    found = [quota for metric in body.get("metrics", []) if (quota := _quota(metric)) is not None]
    return found, body.get("nextPageToken") or None


def _quota(body: Mapping[str, Any]) -> Quota | None:
    metric = str(body.get("metric", ""))
    counted = counted_by(metric) if metric.startswith(_TRAINING) else None
    if counted is None:
        return None
    limits: dict[str, int] = {}
    everywhere = 0
    for limit in body.get("consumerQuotaLimits", []):
        for bucket in limit.get("quotaBuckets", []):
            amount = int(bucket.get("effectiveLimit", 0))
            region = (bucket.get("dimensions") or {}).get("region")
            if region:
                limits[region] = amount
            else:
                everywhere = amount
    return Quota(counted[0], metric, is_preemptible=counted[1], limits=limits, everywhere_else=everywhere)
