"""`watch`: a page says that it is open, and whether it is looked at."""

from __future__ import annotations

from tornado import web

from cloudml_magic.server_extension.handler import Handler

_LONGEST_PAGE = 64


class WatchHandler(Handler):
    """Jobs are followed while a page is looked at."""

    @web.authenticated
    async def post(self) -> None:
        fields = await self.fields()
        page, visible = fields.required_text("page", _LONGEST_PAGE), fields.flag("visible")
        fields.end()
        self.half.follower.renew(page, visible)
        self.answer({"session": self.half.session, "lease_seconds": self.half.limits.lease_seconds})


ROUTES = [(r"watch", WatchHandler)]
