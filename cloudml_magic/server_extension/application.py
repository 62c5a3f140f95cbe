"""The extension of the Jupyter server: its configuration, its routes, its events; the rest comes with a request."""

from __future__ import annotations

import asyncio
import os
import secrets
from typing import TYPE_CHECKING, Any

from jupyter_server.extension.application import ExtensionApp
from traitlets import Float, Int

from cloudml_magic.server_extension.handler import NAME
from cloudml_magic.server_extension.limits import Limits
from cloudml_magic.server_extension.pushes import Pushes, register_schemas
from cloudml_magic.server_extension.routes import ROUTES
from cloudml_magic.server_extension.workers import Workers

if TYPE_CHECKING:
    from cloudml_magic.server_extension.half import ServerHalf

_BOARD_THREADS = 6


class ServerExtension(ExtensionApp):
    """Adds the routes under `cloudml/v1/`; configured as `c.ServerExtension.…` in jupyter_cloudml_magic_config.py."""

    name = NAME
    load_other_extensions = True

    follow_limit = Int(50, min=1, help="How many running jobs are followed at once; others are shown as lists say.")
    follow_limit.tag(config=True)
    lease_seconds = Float(90.0, min=0.1, help="How long a page counts as open after it has said so.")
    lease_seconds.tag(config=True)
    upload_limit_bytes = Int(512 << 20, min=0, help="The largest file that can be uploaded to a bucket.")
    upload_limit_bytes.tag(config=True)
    request_threads = Int(8, min=1, help="How many requests ask the platform at once; more wait for their turn.")
    request_threads.tag(config=True)

    _half: asyncio.Future[ServerHalf] | None = None

    def initialize_settings(self) -> None:
        assert self.serverapp is not None
        self.workers = Workers(self.request_threads, "cloudml-request")
        # TensorBoard asks much at once, and must not keep other questions waiting.
        self.board_workers = Workers(_BOARD_THREADS, "cloudml-tensorboard")
        register_schemas(self.serverapp.event_logger)
        self.session = secrets.token_hex(8)
        # Kernels inherit it, and leave the drawing of their cards to the page while one of this server is open.
        os.environ["CLOUDML_LAB"] = self.session

    def initialize_handlers(self) -> None:
        self.handlers.extend(ROUTES)

    async def half(self) -> ServerHalf:
        """Everything behind the routes; imported in a thread when it is asked for first."""
        if self._half is None:
            assert self.serverapp is not None
            pushes = Pushes(self.serverapp.event_logger, asyncio.get_running_loop(), self.log)
            self._half = asyncio.ensure_future(
                self.workers.run(lambda: _made(self.session, self._limits(), pushes, self.log))
            )
        try:
            return await asyncio.shield(self._half)
        except Exception:
            # The next request tries again: a file that was being replaced by an update may be there then.
            self._half = None
            raise

    async def stop_extension(self) -> None:
        if self._half is not None and self._half.done() and self._half.exception() is None:
            self._half.result().stop()

    def _limits(self) -> Limits:
        return Limits(self.follow_limit, self.lease_seconds, self.upload_limit_bytes, self.request_threads)


def _made(session: str, limits: Limits, pushes: Pushes, log: Any) -> ServerHalf:
    from cloudml_magic.server_extension.half import ServerHalf

    return ServerHalf(session, limits, pushes, log)
