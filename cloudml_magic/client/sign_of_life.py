"""Whether a platform answers at all: for who only looks, and must not wait for one that hangs."""

from __future__ import annotations

import http.client
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_PATIENCE_SECONDS = 2.0
_LASTS_SECONDS = 1.0


@dataclass(slots=True)
class _Look:
    """The last look at one address; whoever comes meanwhile waits for it instead of looking too."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    ended: float = float("-inf")
    answered: bool = False


_LOOKS: dict[str, _Look] = {}


def answers_soon(url: str, token: str) -> bool:
    """Whether it answers within two seconds; looked at once a second at most."""
    look = _LOOKS.setdefault(url, _Look())
    asked = time.monotonic()
    with look.lock:
        if look.ended < asked - _LASTS_SECONDS:
            look.answered = _answers(url, token)
            look.ended = time.monotonic()
        return look.answered


def _answers(url: str, token: str) -> bool:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=_PATIENCE_SECONDS)
    try:
        connection.request("GET", "/cloudml/v1/status", headers={"Authorization": f"Bearer {token}"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
