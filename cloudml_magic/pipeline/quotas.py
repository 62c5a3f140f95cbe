"""What this project may use where: the quotas of training on Vertex AI."""

from __future__ import annotations

from cloudml_magic.client.calls import LostReplyError
from cloudml_magic.connection import Connection
from cloudml_magic.dialects import service_usage_v1beta1 as service_usage
from cloudml_magic.dialects.machines import parse_accelerator
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.session import connection
from cloudml_magic.records import Quota, Target


def quota(kind: str | None = None) -> list[Quota]:
    """The quotas of the project where jobs go now: of everything, or of one accelerator (or `CPUs`)."""
    wanted = "CPUs" if kind and kind.upper() in ("CPU", "CPUS") else kind and parse_accelerator(kind).kind
    there = connection()
    if there.place.target is Target.LOCAL:
        raise CloudMLError(
            "no-quota-here",
            "On this machine there are no quotas.",
            why="Jobs go to the local platform.",
            next="Say `%ml_init --target cloud` first.",
        )
    found = [each for each in quotas_of(there) if wanted in (None, each.kind)]
    return sorted(found, key=lambda each: (each.kind != "CPUs", each.kind, each.is_preemptible))


def quotas_of(there: Connection, *, is_extra: bool = False) -> list[Quota]:
    """All quotas of the place's project; what is only an extra is asked for once, and may stay unknown."""
    caller = there.caller(service_usage.API)
    ask = caller.once if is_extra else caller.perform
    found: list[Quota] = []
    page_token: str | None = None
    try:
        while True:
            quotas, page_token = service_usage.read_quotas(
                ask(service_usage.list_quotas(there.place.project, page_token))
            )
            found += quotas
            if page_token is None:
                return found
    except (CloudMLError, LostReplyError):
        if is_extra:
            return found
        raise


def quota_console() -> str:
    """The page on which the project asks for more."""
    return f"https://console.cloud.google.com/iam-admin/quotas?project={connection().place.project}"
