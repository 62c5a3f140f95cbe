"""All routes: patterns beneath the server's base URL, and who answers them."""

from __future__ import annotations

from typing import Any

from cloudml_magic.server_extension.routes import jobs, status, watch

ROUTES: list[tuple[str, Any]] = [
    (rf"/cloudml/v1/{pattern}", handler) for pattern, handler in (*status.ROUTES, *jobs.ROUTES, *watch.ROUTES)
]
