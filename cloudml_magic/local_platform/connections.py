"""uvicorn's protocol for the platform: what is no HTTP is refused in Google's shape."""

from __future__ import annotations

from typing import Any

from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.serving.connections import LimitedProtocol


class PlatformProtocol(LimitedProtocol):
    """One connection to the platform."""

    def refusal(self, message: str) -> dict[str, Any]:
        return PlatformError(400, message).body()
