"""Asks a TensorBoard over its socket; of a request and of its answer only what is known to be harmless goes through."""

from __future__ import annotations

import http.client
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cloudml_magic.errors import CloudMLError

_TIMEOUT_SECONDS = 60.0
_LARGEST_ANSWER = 64 << 20
# Neither cookies nor `Authorization`: TensorBoard has no business with who asks.
_ASKED = ("Accept", "Accept-Encoding", "Content-Type", "X-XSRF-Protected", "X-TensorBoard-Feature-Flags")
_ANSWERED = ("Content-Type", "Content-Encoding", "Cache-Control", "Expires", "Last-Modified", "ETag")


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes to the browser."""

    status: int
    headers: dict[str, str]
    content: bytes


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ask(path: Path, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """One request; redirects are not followed and not passed on."""
    connection = _Connection(path)
    try:
        sent = {name: headers[name] for name in _ASKED if name in headers}
        connection.request(method, target, body=body or None, headers=sent)
        answer = connection.getresponse()
        content = answer.read(_LARGEST_ANSWER + 1)
    except (OSError, ValueError, http.client.HTTPException) as problem:
        raise _failed(type(problem).__name__) from None
    finally:
        connection.close()
    if len(content) > _LARGEST_ANSWER:
        raise _failed("Its answer is too large.")
    if 300 <= answer.status < 400 and answer.status != 304:
        raise _failed("It answered with another address.")
    kept = {name: value for name in _ANSWERED if (value := answer.getheader(name)) is not None}
    return Answer(answer.status, kept | {"Content-Security-Policy": policy(answer)}, content)


def policy(answer: http.client.HTTPResponse) -> str:
    """What its page may do: everything from itself, nothing from elsewhere; inline scripts by their digests only."""
    digests = re.findall(r"'sha256-[A-Za-z0-9+/=]{1,64}'", answer.getheader("Content-Security-Policy", ""))
    return "; ".join(
        (
            "default-src 'self'",
            " ".join(("script-src 'self' 'unsafe-eval'", *digests)),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self' data:",
            "frame-src 'self' data:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'self'",
        )
    )


def _failed(why: str) -> CloudMLError:
    return CloudMLError(
        "tensorboard-failed", "TensorBoard does not answer.", why=why, next="Open TensorBoard from the job again."
    )
