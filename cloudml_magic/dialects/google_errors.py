"""Google's error bodies, explained: which call failed, what Google said, what to do next."""

from __future__ import annotations

import json

from cloudml_magic.dialects.call import Call
from cloudml_magic.dialects.shortages import NOT_ENOUGH_QUOTA, counted_by, exceeded_metrics, try_elsewhere
from cloudml_magic.errors import CloudMLError

_REFERENCES = {
    400: "request-refused",
    403: "permission-denied",
    404: "not-found",
    409: "already-exists",
    429: "quota-exceeded",
}
_NEXT = {
    400: "Mend what the message names and run the cell again.",
    403: "Check who you are and what you may do: `%ml_init` in the cloud, `cloudml doctor` on this machine.",
    404: "`{list}` lists what there is.",
    409: "Choose another name, or look at the one that is there: `{list}`.",
    429: "Wait, ask for less, or ask for more quota.",
}
# What users call a resource, and what lists it.
_NOUNS = {
    "models": ("model", "%ml_models"),
    "endpoints": ("endpoint", "%ml_models"),
    "operations": ("operation", "%ml_models"),
}
_WHAT = {
    "create": "The {noun} was not accepted.",
    "upload": "The {noun} was not accepted.",
    "deployModel": "The model was not deployed.",
    "undeployModel": "The model was not undeployed.",
    "patch": "The {noun} was not changed.",
    "predict": "The model gave no prediction.",
    "rawPredict": "The model gave no prediction.",
    "get": "The {noun} cannot be read.",
    "list": "The {noun}s cannot be listed.",
    "listVersions": "The versions of the model cannot be listed.",
    "deleteVersion": "The version was not deleted.",
}


# What Google calls the APIs that serve no jobs and no models.
_SERVICES = {
    "artifactregistry": "Artifact Registry",
    "cloudbilling": "Cloud Billing",
    "cloudbuild": "Cloud Build",
    "cloudresourcemanager": "Cloud Resource Manager",
    "iam": "Identity and Access Management",
    "logging": "Cloud Logging",
    "serviceusage": "Service Usage",
}
_DISABLED = ("has not been used in project", "it is disabled")
_SHUT_DOWN = "Cloud AI Platform has been deprecated"


def explain(call: Call, status: int, content: bytes) -> CloudMLError:
    """One clear error for an answer that was none."""
    message = _message(content) or f"HTTP {status}"
    api, *_, resource, verb = call.method.split(".")
    if status == 403 and any(words in message for words in _DISABLED):
        return CloudMLError(
            "api-disabled",
            f"The project has not enabled {_SERVICES.get(api, 'an API that this needs')}.",
            why=message,
            next="`%ml_init --setup` enables what is needed; it takes a minute or two to count.",
        )
    if _SHUT_DOWN in message:
        return CloudMLError(
            "old-api-gone",
            "Google has shut down the API that this was sent to.",
            why=message,
            next="Say `%ml_init --dialect aiplatform-v1`: the same cell goes to Vertex AI."
            " The local platform still speaks the old API.",
        )
    if verb in ("predict", "rawPredict") and status == 400 and "no deployed model" in message.lower():
        return CloudMLError(
            "not-deployed",
            "The model gave no prediction.",
            why=message,
            next="`%ml_deploy` deploys it; `%ml_models` shows which versions are deployed and what traffic they get.",
        )
    if api in _SERVICES:
        return CloudMLError(
            _REFERENCES.get(status, "platform-failed"),
            f"{_SERVICES[api]} refused what was asked (HTTP {status}).",
            why=message,
            next="`%ml_init` says which right or API is missing, and the command that mends it."
            if status == 403
            else "Mend what the message names; where it names nothing of yours, try again later.",
        )
    if metrics := exceeded_metrics(message):
        return _not_enough(metrics, str(call.parameters.get("parent", "")), message)
    noun, listed = _NOUNS.get(resource, ("job", "%ml_jobs"))
    return CloudMLError(
        _REFERENCES.get(status, "platform-failed"),
        _WHAT.get(verb, f"The platform refused to {verb} the {{noun}}.").format(noun=noun),
        why=message,
        next=_NEXT.get(
            status, "The platform may be overloaded or down; try again, and look at `cloudml platform logs`."
        ).format(list=listed),
    )


def _not_enough(metrics: list[str], parent: str, message: str) -> CloudMLError:
    """A quota that is used up or was never given; each names a metric of its own."""
    project, region = (parent.split("/") + [""] * 4)[1:4:2]
    kind, preemptible = counted_by(metrics[0]) or (metrics[0], False)
    what = f"{kind} on machines that may be taken away" if preemptible else kind
    more = f"`%ml_quota {kind}` shows what it may use where, and how to ask for more."
    return CloudMLError(
        NOT_ENOUGH_QUOTA,
        f"Project {project} may not use that much in {region}: {what}.",
        why=message,
        next="\n".join(filter(None, [try_elsewhere(kind, region), more])),
    )


def _message(content: bytes) -> str:
    try:
        document = json.loads(content)
        return str(document["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return content[:500].decode("utf-8", "replace").strip()
