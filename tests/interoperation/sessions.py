"""What a client with a hard-wired address needs to be led here."""

from __future__ import annotations

from typing import Any

from tests.local_platform.conftest import TOKEN


def rewriting(endpoint: str) -> Any:
    """A session that sends what the SDK would send to its hard-wired host to the platform instead."""
    import requests

    class Rewriting(requests.Session):
        def request(self, method: str, url: str, *arguments: Any, **options: Any) -> Any:  # type: ignore[override]
            url = url.replace("https://us-central1-aiplatform.googleapis.com", endpoint)
            return super().request(method, url, *arguments, **options)

    session = Rewriting()
    session.headers["Authorization"] = f"Bearer {TOKEN}"
    session.trust_env = False
    return session
