"""`tensorboard`: opens one for some jobs, and stands between it and the browser."""

from __future__ import annotations

from typing import Any

from tornado import web

from cloudml_magic.server_extension.bodies import refused
from cloudml_magic.server_extension.handler import Handler, is_job_id
from cloudml_magic.server_extension.tensorboard.proxy import ask

_MOST_JOBS = 60


class OpenHandler(Handler):
    """Starts a TensorBoard, or finds it running."""

    @web.authenticated
    async def post(self) -> None:
        fields = await self.fields()
        ids = fields.items("jobs", _MOST_JOBS, _job_id)
        fields.end()
        key = await self.work(lambda: self.half.tensorboards.open(ids))
        self.answer({"path": f"cloudml/v1/tensorboard/{key}/"})


class BoardHandler(Handler):
    """Passes questions on to TensorBoard, and its answers back (docs/decisions/0010-tensorboard-behind-jupyter.md)."""

    SUPPORTED_METHODS = ("GET", "HEAD", "POST")  # type: ignore[assignment]

    def check_xsrf_cookie(self) -> None:
        """TensorBoard asks by POST and knows no token of Jupyter's; a browser says whether its own page asks."""
        headers = self.request.headers
        # Tornado asks before Jupyter knows who it is, and Jupyter asks again.
        is_known = hasattr(self, "_jupyter_current_user")
        is_own = headers.get("Sec-Fetch-Site") == "same-origin" and "Origin" in headers
        if not (is_known and is_own and self.check_origin()):
            super().check_xsrf_cookie()

    @web.authenticated
    async def get(self, key: str, path: str) -> None:
        await self._pass(key, path)

    @web.authenticated
    async def head(self, key: str, path: str) -> None:
        await self._pass(key, path)

    @web.authenticated
    async def post(self, key: str, path: str) -> None:
        await self._pass(key, path)

    async def _pass(self, key: str, path: str) -> None:
        request = self.request
        if len(request.body) > self.largest_body:
            raise refused("The body is too large.")
        # As it came, for decoding and encoding again might make another address of it.
        raw = request.uri or ""
        target = "/" + raw.partition(f"/tensorboard/{key}/")[2]
        method = request.method or "GET"
        answer = await self.extension.board_workers.run(
            lambda: ask(self.half.tensorboards.socket(key), method, target, request.headers, request.body)
        )
        self.set_status(answer.status)
        self.clear_header("Cache-Control")
        for name, value in answer.headers.items():
            self.set_header(name, value)
        self.set_header("X-Content-Type-Options", "nosniff")
        if answer.status != 304:
            self.write(answer.content)
        self.finish(set_content_type=answer.headers.get("Content-Type", "application/octet-stream"))


def _job_id(item: Any) -> str:
    if not isinstance(item, str) or not is_job_id(item):
        raise refused("`jobs` must be ids of jobs.")
    return item


ROUTES = [
    (r"tensorboard", OpenHandler),
    (r"tensorboard/([0-9a-f]{16})/(.*)", BoardHandler),
]
