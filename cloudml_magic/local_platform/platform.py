"""LocalPlatform, the library: a request in, a response out, no socket."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from cloudml_magic.discovery import BodyError, Document, Match, document, normalise, normalise_parameters
from cloudml_magic.local_platform.buckets.conditions import NotModifiedError
from cloudml_magic.local_platform.buckets.store import BucketStore
from cloudml_magic.local_platform.buckets.uploads import Uploads
from cloudml_magic.local_platform.database import Database
from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.not_emulated import advice
from cloudml_magic.local_platform.operations.endpoints import EndpointWork, last_metadata
from cloudml_magic.local_platform.operations.ml_versions import MlVersionWork
from cloudml_magic.local_platform.operations.models import ModelWork
from cloudml_magic.local_platform.operations.training_pipelines import PipelineFollower
from cloudml_magic.local_platform.operations.worker import OperationWorker
from cloudml_magic.local_platform.predictors.deployments import Deployments
from cloudml_magic.local_platform.resources.endpoints import EndpointResources
from cloudml_magic.local_platform.resources.jobs import JobResources
from cloudml_magic.local_platform.resources.ml_jobs import MlJobs
from cloudml_magic.local_platform.resources.ml_versions import MlVersions
from cloudml_magic.local_platform.resources.models import ModelResources
from cloudml_magic.local_platform.resources.operations import Operations
from cloudml_magic.local_platform.resources.training_pipelines import TrainingPipelines
from cloudml_magic.local_platform.routes.batch_prediction_jobs import BatchPredictionJobRoutes
from cloudml_magic.local_platform.routes.call import Call, Handler
from cloudml_magic.local_platform.routes.custom_jobs import CustomJobRoutes
from cloudml_magic.local_platform.routes.endpoints import EndpointRoutes
from cloudml_magic.local_platform.routes.event_stream import EventStreams
from cloudml_magic.local_platform.routes.jobs import Runner
from cloudml_magic.local_platform.routes.logging_entries import LoggingRoutes
from cloudml_magic.local_platform.routes.ml_v1.predictions import MlPredictionRoutes
from cloudml_magic.local_platform.routes.ml_v1.routes import MlRoutes
from cloudml_magic.local_platform.routes.models import ModelRoutes
from cloudml_magic.local_platform.routes.operations import OperationRoutes
from cloudml_magic.local_platform.routes.own import OwnRoutes
from cloudml_magic.local_platform.routes.predictions import Prediction, PredictionRoutes
from cloudml_magic.local_platform.routes.storage_buckets import BucketRoutes
from cloudml_magic.local_platform.routes.storage_objects import ObjectRoutes
from cloudml_magic.local_platform.routes.storage_uploads import UploadRoutes
from cloudml_magic.local_platform.routes.training_pipelines import TrainingPipelineRoutes
from cloudml_magic.local_platform.settings import BUCKET, PlatformSettings
from cloudml_magic.local_platform.trouble import translated
from cloudml_magic.local_platform.wire import Request, Response, json_response
from cloudml_magic.places import PlatformPlaces
from cloudml_magic.states import JobState

_STORAGE = ("/storage/", "/upload/", "/resumable/", "/download/")
# Under `/v1/` both of Google's training APIs are at home; paths of the older one have no locations.
_APIS = {"/v1/": ("aiplatform.v1", "ml.v1"), "/v2/": ("logging.v2",), **dict.fromkeys(_STORAGE, ("storage.v1",))}
_ACTIVE = (JobState.PREPARING, JobState.RUNNING, JobState.CANCELLING)

RunnerMaker = Callable[[JobResources], Runner]


class LocalPlatform:
    """One user's platform: resources, buckets, jobs and their logs behind `handle`."""

    def __init__(
        self,
        places: PlatformPlaces,
        make_runner: RunnerMaker,
        *,
        stop: Callable[[], None] = lambda: None,
        settings: PlatformSettings | None = None,
    ) -> None:
        settings = settings or PlatformSettings()
        self.places = places
        self._database = Database(places.database)
        self.operations = Operations(self._database)
        self.resources = JobResources(self._database, self.operations)
        self.store = BucketStore(self._database, places.buckets, places.side_store)
        places.jobs.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (places.buckets / BUCKET).is_dir():
            self.store.create_bucket(BUCKET, {})
        self.runner = make_runner(self.resources)
        self._models = ModelResources(self._database)
        self._endpoints = EndpointResources(self._database)
        self.deployments = Deployments(places, self._endpoints, self._models, settings)
        self.predictions = PredictionRoutes(document("aiplatform.v1"), self.deployments, settings.predict_limit_bytes)
        ml_versions = MlVersions(self._database)
        self._ml_predictions = MlPredictionRoutes(document("ml.v1"), self.predictions, ml_versions, self.deployments)
        model_work = ModelWork(self._models, self._endpoints, places.buckets, places.engines)
        self._pipelines = TrainingPipelines(self._database)
        self._follower = PipelineFollower(self._pipelines, self.resources, self._models, model_work)
        performers = {
            **model_work.performers(),
            **EndpointWork(self._endpoints, self._models, self.deployments).performers(),
            **MlVersionWork(ml_versions, self.deployments, places.buckets, places.engines).performers(),
        }
        self._worker = OperationWorker(self.operations, performers, last_metadata)
        self.streams = EventStreams(self.resources, self.store, places.jobs, self.runner.position)
        self._uploads = UploadRoutes(self.store, Uploads(self.store))
        self._ml = MlRoutes(
            MlJobs(self._database, self.resources), self.runner, ml_versions, self.deployments, self.operations,
            self._worker, places,
        )  # fmt: skip
        self._own = OwnRoutes(self.resources, self.deployments, self.streams, self.places, stop)
        self._handlers = self._all_handlers()
        self._served: dict[str, Document] = {
            name: document(name).only({*self._handlers, *self.predictions.methods()})
            for name in set(itertools.chain(*_APIS.values()))
        }

    def start(self) -> None:
        """Lets jobs run: adopts those that live, starts those that wait; takes up operations that were left undone."""
        self.runner.start()
        self._follower.start()
        self.deployments.start()
        self._worker.start()

    def close(self) -> None:
        """Lets go of everything; jobs run on, predictors end until they are asked again."""
        self.runner.close()
        self._follower.close()
        self._worker.close()
        self.deployments.close()
        self._database.close()

    def is_idle(self) -> bool:
        """Whether no job runs or waits and nothing else is under way; what is deployed comes back when it is asked."""
        waiting = self.resources.count((JobState.QUEUED, *_ACTIVE))
        return not (waiting or self.operations.unfinished() or self._pipelines.unfinished())

    def served(self) -> list[tuple[str, str]]:
        """Verb and path of everything that is answered, with variables as Google's documents write them."""
        google = [(each.verb, each.path) for api in self._served.values() for each in api.methods.values()]
        uploads = [(verb, "/upload/storage/v1/b/{bucket}/o") for verb in ("POST", "PUT", "DELETE")]
        return [*google, *uploads, *self._own.served()]

    def handle(self, request: Request) -> Response:
        """Answers a request; never raises."""
        try:
            return self._dispatch(request)
        except Exception as problem:
            return _refused(request, problem)

    def prediction(self, verb: str, path: str) -> Prediction | None:
        """What answers a request for a model; None for every other request."""
        return self.predictions.find(verb, path) or self._ml_predictions.find(verb, path)

    async def predict(self, prediction: Prediction, request: Request, *, keep: bool = True) -> Response:
        """Answers a request that was found to be one for a model; never raises."""
        try:
            return await prediction(request, keep)
        except Exception as problem:
            return _refused(request, problem)

    def _dispatch(self, request: Request) -> Response:
        path = request.path
        if path.startswith("/ui/"):
            # The Vertex SDK asks for operations there.
            path = path[3:] if path.startswith("/ui/v1/") else "/v1" + path[3:]
        prediction = self.prediction(request.verb, path)
        if prediction is not None:
            return _run_apart(lambda: asyncio.run(self.predict(prediction, request, keep=False)))
        own = self._own.handler(request.verb, path)
        if own is not None:
            return own(request)
        apis = next((names for prefix, names in _APIS.items() if path.startswith(prefix)), ())
        session = _session(request) if "storage.v1" in apis else None
        if session is not None:
            return self._uploads.cancel(session) if request.verb == "DELETE" else self._uploads.resume(request, session)
        api, match = self._meant(apis, request.verb, path)
        method = match.method
        query = normalise_parameters(document(api), method, request.query, unknown_allowed=api == "storage.v1")
        body: Mapping[str, Any] = {}
        if method.request is not None and method.id != "storage.objects.insert":
            sent = request.json()
            body = normalise(document(api), method.request, {} if sent is None else sent, nulls=request.verb == "PATCH")
        return self._handlers[method.id](Call(method.id, match.path_parameters, query, body, request))

    def _meant(self, apis: Sequence[str], verb: str, path: str) -> tuple[str, Match]:
        """Which of the APIs is asked, and for what."""
        for api in apis:
            match = self._served[api].match(verb, path)
            if match is not None:
                return api, match
        raise _not_served(apis, verb, path)

    def _all_handlers(self) -> dict[str, Handler]:
        routes = (
            CustomJobRoutes(self.resources, self.runner),
            BatchPredictionJobRoutes(self.resources, self.runner, self._models, self.places),
            TrainingPipelineRoutes(
                document("aiplatform.v1"),
                self._pipelines,
                self.resources,
                self.runner,
                self._models,
                self.operations,
            ),
            ModelRoutes(self._models, self._endpoints, self._worker, self.places.buckets),
            EndpointRoutes(self._endpoints, self._models, self._worker, self.deployments),
            OperationRoutes(self.operations, self._worker),
            BucketRoutes(self.store),
            ObjectRoutes(self.store),
            self._uploads,
            LoggingRoutes(self.resources, self.places.jobs),
            self._ml,
            self._ml_predictions,
        )
        return {id: handler for route in routes for id, handler in route.handlers().items()}


def _run_apart(task: Callable[[], Response]) -> Response:
    """Runs what needs an event loop of its own; this thread may have one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(task).result()


def _refused(request: Request, problem: Exception) -> Response:
    if isinstance(problem, NotModifiedError):
        return Response(304)
    if isinstance(problem, BodyError):
        details = [(each.field, each.description) for each in problem.violations]
        return refusal(request, PlatformError(400, str(problem), violations=details))
    return refusal(request, problem if isinstance(problem, PlatformError) else translated(problem))


def refusal(request: Request, problem: PlatformError) -> Response:
    """An error in the shape of the API that was asked."""
    storage = request.path.startswith(_STORAGE)
    headers = {} if problem.retry_after is None else {"retry-after": str(problem.retry_after)}
    return json_response(problem.storage_body() if storage else problem.body(), problem.code, headers)


def _session(request: Request) -> str | None:
    if not request.path.startswith(("/upload/", "/resumable/")) or request.verb not in ("PUT", "POST", "DELETE"):
        return None
    return next((value for name, value in request.query if name == "upload_id"), None)


def _not_served(apis: Sequence[str], verb: str, path: str) -> PlatformError:
    if not apis:
        return PlatformError(404, f"The requested URL {path[:200]} was not found on the local platform.")
    for api in apis:
        match = document(api).match(verb, path)
        if match is not None:
            id = match.method.id
            return PlatformError(501, f"The local platform does not emulate {id}.{advice(id)}")
    return PlatformError(404, f"The method {verb} {path[:200]} was not found.")
