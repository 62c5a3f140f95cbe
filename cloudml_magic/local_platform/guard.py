"""Who may speak to the platform: the holder of the token, from this machine, through no web page."""

from __future__ import annotations

import hmac

from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.wire import Request


class Guard:
    """Refuses strangers with 403; never 401, at which Google's clients try to refresh their credentials."""

    def __init__(self, token: str, port: int) -> None:
        self._expected = f"Bearer {token}".encode()
        self._hosts = frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))

    def check(self, request: Request) -> None:
        """Raises PlatformError unless the request is one of this machine's user."""
        host, origin = request.header("host").lower(), request.header("origin").lower()
        if host not in self._hosts:
            raise PlatformError(403, "The local platform answers only requests that name it as their host.")
        if origin and origin.removeprefix("http://") not in self._hosts:
            raise PlatformError(403, "The local platform answers no requests of web pages from elsewhere.")
        if not hmac.compare_digest(request.header("authorization").encode("latin-1", "replace"), self._expected):
            raise PlatformError(403, "The request lacks the local platform's token. See: cloudml platform env")
