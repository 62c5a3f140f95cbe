"""How much the server half takes on; whoever runs the Jupyter server may say otherwise."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The values of the extension's configuration."""

    follow_limit: int
    lease_seconds: float
    upload_limit_bytes: int
    request_threads: int
