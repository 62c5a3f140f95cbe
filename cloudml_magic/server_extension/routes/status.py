"""`status`: the platform's health, what runs, what it costs."""

from __future__ import annotations

from tornado import web

from cloudml_magic.server_extension.handler import Handler


class StatusHandler(Handler):
    """Looks, and starts nothing."""

    @web.authenticated
    async def get(self) -> None:
        await self.reply(self.half.status.status)


ROUTES = [(r"status", StatusHandler)]
