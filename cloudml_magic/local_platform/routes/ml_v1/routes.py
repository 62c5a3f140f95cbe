"""All that the older API answers with a handler."""

from __future__ import annotations

from collections.abc import Mapping

from cloudml_magic.local_platform.operations.worker import OperationWorker
from cloudml_magic.local_platform.predictors.deployments import Deployments
from cloudml_magic.local_platform.resources.ml_jobs import MlJobs
from cloudml_magic.local_platform.resources.ml_versions import MlVersions
from cloudml_magic.local_platform.resources.operations import Operations
from cloudml_magic.local_platform.routes.call import Handler
from cloudml_magic.local_platform.routes.jobs import Runner
from cloudml_magic.local_platform.routes.ml_v1.jobs import MlJobRoutes
from cloudml_magic.local_platform.routes.ml_v1.models import MlModelRoutes
from cloudml_magic.local_platform.routes.ml_v1.operations import MlOperationRoutes
from cloudml_magic.local_platform.routes.ml_v1.prediction_input import BatchQuestions
from cloudml_magic.local_platform.routes.ml_v1.project import MlProjectRoutes
from cloudml_magic.local_platform.routes.ml_v1.versions import MlVersionRoutes
from cloudml_magic.places import PlatformPlaces


class MlRoutes:
    """Handlers of `ml.projects.*`."""

    def __init__(
        self,
        jobs: MlJobs,
        runner: Runner,
        versions: MlVersions,
        deployments: Deployments,
        operations: Operations,
        worker: OperationWorker,
        places: PlatformPlaces,
    ) -> None:
        questions = BatchQuestions(versions, deployments, places.buckets)
        self._rooms = (
            MlJobRoutes(jobs, runner, questions, places.jobs),
            MlModelRoutes(versions, deployments, operations, worker),
            MlVersionRoutes(versions, deployments, operations, worker, places.buckets),
            MlOperationRoutes(operations, worker),
            MlProjectRoutes(),
        )

    def handlers(self) -> Mapping[str, Handler]:
        return {id: handler for room in self._rooms for id, handler in room.handlers().items()}
