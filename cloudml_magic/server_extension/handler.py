"""The base of every route: Jupyter's authentication and XSRF check, errors in four parts, blocking calls in threads."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from jupyter_server.base.handlers import APIHandler
from tornado import web

from cloudml_magic.errors import CloudMLError
from cloudml_magic.server_extension.bodies import Fields, refused
from cloudml_magic.server_extension.refusals import parts_of, parts_of_status, status_of
from cloudml_magic.version import VERSION

if TYPE_CHECKING:
    from cloudml_magic.server_extension.application import ServerExtension
    from cloudml_magic.server_extension.half import ServerHalf

Result = TypeVar("Result")
NAME = "cloudml_magic"
JOB_ID = r"[0-9]{1,20}"
_LARGEST_BODY = 1 << 20
_LONGEST_QUERY = 4096


def is_job_id(text: str) -> bool:
    """Whether a text may be the id of a job."""
    return re.fullmatch(JOB_ID, text) is not None


class Handler(APIHandler):
    """One route. The rest of the package is imported at the first request that is let in, in a thread."""

    SUPPORTED_METHODS = ("GET", "POST")
    half: ServerHalf
    largest_body = _LARGEST_BODY

    @property
    def extension(self) -> ServerExtension:
        found: ServerExtension = self.settings[NAME]
        return found

    async def prepare(self) -> None:  # type: ignore[override]
        """Lets in who is known to Jupyter; nothing of ours is touched before."""
        if self.request.method not in self.SUPPORTED_METHODS or not self._has(self.request.method):
            raise web.HTTPError(405)
        await super().prepare()
        if self.current_user is None:
            raise web.HTTPError(403)
        self.half = await self.extension.half()

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("X-CloudML-Version", VERSION)
        self.set_header("Cache-Control", "no-store")

    async def work(self, function: Callable[[], Result]) -> Result:
        """What a blocking call returns."""
        return await self.extension.workers.run(function)

    async def reply(self, function: Callable[[], Any]) -> None:
        """Sends what a blocking call returns; large answers are written in its thread too."""
        self.finish(await self.work(lambda: _written(function())))

    async def fields(self) -> Fields:
        """The fields of the body; read in a thread, for a large one takes its time."""
        if len(self.request.body) > self.largest_body:
            raise CloudMLError(
                "body-too-large",
                "What was sent is too large.",
                why=f"{len(self.request.body):,} bytes; {self.largest_body:,} are taken at once.",
                next="Send less at once.",
            )
        return await self.work(lambda: Fields.of(self.request.body))

    async def no_fields(self) -> None:
        """Refuses a body that says anything."""
        (await self.fields()).end()

    def query(self, name: str, pattern: str = r"[^\x00]+", *, required: bool = True) -> str:
        """A parameter of the address, whole and of a form; empty where it need not be there."""
        # As it came: Tornado would make spaces of control characters, and another name of the name.
        values = self.request.query_arguments.get(name, [])
        try:
            value = values[-1].decode("utf-8") if values else ""
        except UnicodeDecodeError:
            raise refused(f"`{name}` is no UTF-8.") from None
        if not value and not required:
            return ""
        if len(value) > _LONGEST_QUERY or not re.fullmatch(pattern, value):
            raise refused(f"`{name}` is missing or not of its form.")
        return value

    def answer(self, content: Any) -> None:
        """Sends JSON."""
        self.finish(_written(content))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Errors are the four parts; no traceback and nothing that we do not mean to tell."""
        problem = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(problem, CloudMLError):
            self.set_status(status_of(problem))
            parts = parts_of(problem)
        else:
            parts = parts_of_status(status_code)
        self.answer(parts)

    def log_exception(self, *about: Any) -> None:
        """An error that is told to the page is no news for the log."""
        if not isinstance(about[1], CloudMLError):
            super().log_exception(*about)

    def _has(self, method: str | None) -> bool:
        return getattr(type(self), (method or "").lower()) is not getattr(web.RequestHandler, (method or "").lower())


def _written(content: Any) -> str:
    return json.dumps(content, allow_nan=False, separators=(",", ":"))
