"""What the platform answers beside Google's APIs: its own status, its end, and the live side of a job."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable

from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.predictors.deployments import Deployments
from cloudml_magic.local_platform.resources.jobs import JobResources
from cloudml_magic.local_platform.routes.event_stream import EventStreams
from cloudml_magic.local_platform.settings import BUCKET, PROJECT, PROJECT_NUMBER, REGION
from cloudml_magic.local_platform.wire import Request, Response, json_response
from cloudml_magic.places import PlatformPlaces
from cloudml_magic.states import JobState
from cloudml_magic.version import VERSION

_ROUTES = {
    ("GET", "/cloudml/v1/status"): "_status",
    ("POST", "/cloudml/v1/stop"): "_stop",
    ("GET", "/cloudml/v1/jobs/{id}"): "_job",
    ("GET", "/cloudml/v1/jobs/{id}/events"): "_events",
}
_RUNNING = (JobState.PREPARING, JobState.RUNNING, JobState.CANCELLING)


class OwnRoutes:
    """Handlers of `/cloudml/v1/…`."""

    def __init__(
        self,
        resources: JobResources,
        deployments: Deployments,
        streams: EventStreams,
        places: PlatformPlaces,
        stop: Callable[[], None],
    ) -> None:
        self._resources = resources
        self._deployments = deployments
        self._streams = streams
        self._places = places
        self._request_stop = stop
        self._began = time.time()

    def served(self) -> list[tuple[str, str]]:
        return list(_ROUTES)

    def handler(self, verb: str, path: str) -> Callable[[Request], Response] | None:
        for (its_verb, its_path), name in _ROUTES.items():
            found = re.fullmatch(its_path.replace("{id}", r"(?P<id>\w{1,128})"), path)
            if found and verb == its_verb:
                handler: Callable[..., Response] = getattr(self, name)
                return lambda request: handler(request, **found.groupdict())
        return None

    def _status(self, request: Request) -> Response:
        deployed, running = self._deployments.count()
        disk = shutil.disk_usage(self._places.data)
        return json_response(
            {
                "version": VERSION,
                "pid": os.getpid(),
                "uptimeSeconds": round(time.time() - self._began, 3),
                "runningJobs": self._resources.count(_RUNNING),
                "queuedJobs": self._resources.count((JobState.QUEUED,)),
                "deployedModels": deployed,
                "runningPredictors": running,
                "disk": {"freeBytes": disk.free, "totalBytes": disk.total},
                "project": PROJECT,
                "projectNumber": PROJECT_NUMBER,
                "region": REGION,
                "bucket": BUCKET,
                "folders": {"buckets": str(self._places.buckets), "jobs": str(self._places.jobs)},
            }
        )

    def _stop(self, request: Request) -> Response:
        self._request_stop()
        return json_response({})

    def _job(self, request: Request, id: str) -> Response:
        job = self._resources.job(id)
        if job is None:
            raise PlatformError(404, f"There is no job {id}.")
        state = self._streams.state_event(job)
        return json_response({"id": job.id, "name": job.resource_name, **state})

    def _events(self, request: Request, id: str) -> Response:
        return self._streams.open(request, id)
