"""All routes: patterns beneath the server's base URL, and who answers them."""

from __future__ import annotations

from typing import Any

from cloudml_magic.server_extension.routes import buckets, jobs, models, operations, status, tensorboard, watch

_RESOURCES = (status, jobs, models, operations, buckets, watch, tensorboard)
ROUTES: list[tuple[str, Any]] = [
    (f"/cloudml/v1/{pattern}", handler) for resource in _RESOURCES for pattern, handler in resource.ROUTES
]
