"""`operations`: how what goes on in the background stands."""

from __future__ import annotations

from tornado import web

from cloudml_magic.server_extension.handler import Handler


class OperationHandler(Handler):
    """One operation, for a page that missed its pushes."""

    @web.authenticated
    async def get(self, identifier: str) -> None:
        self.answer(self.half.operations.document(identifier))


ROUTES = [(r"operations/([0-9a-f]{1,64})", OperationHandler)]
