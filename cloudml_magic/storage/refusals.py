"""What Cloud Storage refuses, in our words."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

from cloudml_magic.errors import CloudMLError
from cloudml_magic.sign_in import expired
from cloudml_magic.storage.address import Address


@contextlib.contextmanager
def explained(address: Address) -> Iterator[None]:
    """Turns what google-cloud-storage raises into our one error."""
    from google.api_core.exceptions import GoogleAPICallError, RetryError
    from google.auth.exceptions import GoogleAuthError, TransportError
    from google.resumable_media import DataCorruption, InvalidResponse
    from requests import RequestException

    try:
        yield
    except (
        GoogleAPICallError,
        RetryError,
        DataCorruption,
        InvalidResponse,
        GoogleAuthError,
        RequestException,
    ) as problem:
        code = getattr(problem, "code", None)
        is_refused = isinstance(problem, GoogleAuthError) and not isinstance(problem, TransportError)
        if is_refused or code == 401:
            raise expired(str(problem.args[0]) if is_refused and problem.args else said(problem)) from problem
        if "specified bucket does not exist" in str(problem):
            raise CloudMLError(
                "no-bucket",
                f"There is no bucket gs://{address.bucket}.",
                why="The address names it, but it does not exist where you are connected to, or not for you.",
                next="Check the bucket's name; `cloudml doctor` shows where you are connected to.",
            ) from problem
        raise CloudMLError(
            "bucket-denied" if code in (401, 403) else "bucket-failed",
            f"{address} could not be reached." if code is None else f"{address} could not be used (HTTP {int(code)}).",
            why=said(problem),
            next="Nothing of yours is lost: run the cell again; `cloudml doctor` checks what is needed.",
        ) from problem


def said(problem: Exception) -> str:
    """What the server says in words; google-cloud-storage hands its uploads' answers on as addresses and JSON."""
    # Who gave up in the end says of itself only that.
    problem = getattr(problem, "cause", None) or problem
    text = getattr(problem, "message", None) or str(problem) or type(problem).__name__
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return str(json.JSONDecoder().raw_decode(text, text.index("{"))[0]["error"]["message"])
    return str(text)
