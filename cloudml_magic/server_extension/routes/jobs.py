"""`jobs`: their documents, curves, logs and cards, and what can be done with one."""

from __future__ import annotations

from tornado import web

from cloudml_magic.server_extension.bodies import refused
from cloudml_magic.server_extension.handler import JOB_ID, Handler

_MOST_DETAILS = 60
_MOST_LINES = 10_000
_LINES = 1000


class JobsHandler(Handler):
    """The newest jobs briefly, or some of them as a whole."""

    @web.authenticated
    async def get(self) -> None:
        ids = self.query("ids", rf"{JOB_ID}(,{JOB_ID})*", required=False)
        if not ids:
            await self.reply(self.half.overview)
            return
        wanted = ids.split(",")
        if len(wanted) > _MOST_DETAILS:
            raise refused(f"{len(wanted)} jobs; {_MOST_DETAILS} are answered at once.")
        await self.reply(lambda: self.half.jobs.details(wanted))


class CurvesHandler(Handler):
    """Every point of every metric."""

    @web.authenticated
    async def get(self, job_id: str) -> None:
        await self.reply(lambda: self.half.jobs.curves(job_id))


class LogsHandler(Handler):
    """The last lines that a job printed."""

    @web.authenticated
    async def get(self, job_id: str) -> None:
        last = int(self.query("last", r"[0-9]{1,6}", required=False) or _LINES)
        if not 1 <= last <= _MOST_LINES:
            raise refused(f"`last` must be from 1 to {_MOST_LINES}.")
        await self.reply(lambda: self.half.jobs.logs(job_id, last))


class BundleHandler(Handler):
    """All representations of a job's card, made together."""

    @web.authenticated
    async def get(self, job_id: str) -> None:
        await self.reply(lambda: self.half.jobs.bundle(job_id))


class CancelHandler(Handler):
    """Asks a job to stop."""

    @web.authenticated
    async def post(self, job_id: str) -> None:
        await self.no_fields()
        await self.reply(lambda: self.half.jobs.cancel(job_id))


class DeletionHandler(Handler):
    """What deleting a job would take away."""

    @web.authenticated
    async def get(self, job_id: str) -> None:
        await self.reply(lambda: self.half.jobs.deletion(job_id))


class DeleteHandler(Handler):
    """Removes a job with its folder."""

    @web.authenticated
    async def post(self, job_id: str) -> None:
        await self.no_fields()
        await self.reply(lambda: self.half.jobs.delete(job_id))


ROUTES = [
    (r"jobs", JobsHandler),
    (rf"jobs/({JOB_ID})/curves", CurvesHandler),
    (rf"jobs/({JOB_ID})/logs", LogsHandler),
    (rf"jobs/({JOB_ID})/bundle", BundleHandler),
    (rf"jobs/({JOB_ID})/cancel", CancelHandler),
    (rf"jobs/({JOB_ID})/deletion", DeletionHandler),
    (rf"jobs/({JOB_ID})/delete", DeleteHandler),
]
