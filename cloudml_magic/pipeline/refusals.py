"""A job that no region took: by what it was refused, with the limits that count there."""

from __future__ import annotations

from collections.abc import Sequence

from cloudml_magic.connection import Connection
from cloudml_magic.dialects.shortages import NOT_ENOUGH_QUOTA, exceeded_metrics
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.quotas import quotas_of
from cloudml_magic.records import Quota


def nowhere(refusals: Sequence[tuple[Connection, CloudMLError]]) -> CloudMLError:
    """One error for all regions that were tried."""
    quotas = quotas_of(refusals[0][0], is_extra=True)
    reasons = [
        f"{refusal.why} {_limits(refusal.why, there.place.region, quotas)}".strip() for there, refusal in refusals
    ]
    last = refusals[-1][1]
    if len(refusals) == 1:
        return CloudMLError(NOT_ENOUGH_QUOTA, last.what, why=reasons[0], next=last.next)
    regions = [there.place.region for there, _ in refusals]
    return CloudMLError(
        NOT_ENOUGH_QUOTA,
        f"No region took the job: {', '.join(regions)}.",
        why="\n".join(f"{region}: {reason}" for region, reason in zip(regions, reasons, strict=True)),
        next=last.next,
    )


def _limits(message: str, region: str, quotas: Sequence[Quota]) -> str:
    """The limits of the metrics that a refusal names, where they can be read."""
    named = exceeded_metrics(message)
    found = [f"The limit there is {quota.limit(region)}." for quota in quotas if quota.metric in named]
    return " ".join(found)
