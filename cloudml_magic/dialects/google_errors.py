"""Google's error bodies, explained: which call failed, what Google said, what to do next."""

from __future__ import annotations

import json

from cloudml_magic.dialects.call import Call
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
    403: "Check who you are and what you may do: `cloudml doctor`.",
    404: "`%ml_jobs` lists what there is.",
    409: "Choose another name, or look at the one that is there with `%ml_job`.",
    429: "Wait, ask for less, or ask for more quota.",
}


def explain(call: Call, status: int, content: bytes) -> CloudMLError:
    """One clear error for an answer that was none."""
    message = _message(content) or f"HTTP {status}"
    verb = call.method.rpartition(".")[2]
    what = {
        "create": "The job was not accepted.",
        "get": "The job cannot be read.",
        "list": "The jobs cannot be listed.",
    }
    return CloudMLError(
        _REFERENCES.get(status, "platform-failed"),
        what.get(verb, f"The platform refused to {verb} the job."),
        why=message,
        next=_NEXT.get(
            status, "The platform may be overloaded or down; try again, and look at `cloudml platform logs`."
        ),
    )


def _message(content: bytes) -> str:
    try:
        document = json.loads(content)
        return str(document["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return content[:500].decode("utf-8", "replace").strip()
