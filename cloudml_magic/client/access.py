"""Where a client's calls go, and what they carry to be let in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

# Of many threads one renews a token, and the others wait for it.
_REFRESHING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Access:
    """An address, and the token or Google's own credentials that open it; no representation shows them."""

    url: str
    token: str = field(default="", repr=False)
    google: Any = field(default=None, repr=False)

    def credentials(self) -> Any:
        """What Google's libraries sign a request with."""
        if self.google is not None:
            return self.google
        from google.oauth2.credentials import Credentials

        return Credentials(token=self.token)

    def headers(self) -> dict[str, str]:
        """What a request carries that goes over none of Google's libraries."""
        if self.google is None:
            return {"Authorization": f"Bearer {self.token}"}
        from google.auth.transport.requests import Request

        headers: dict[str, str] = {}
        with _REFRESHING:
            self.google.before_request(Request(), "POST", self.url, headers)
        return headers


Locate = Callable[[bool], Access]
"""Finds the access; True says that the last one did not answer and has to be looked for (or started) anew."""
