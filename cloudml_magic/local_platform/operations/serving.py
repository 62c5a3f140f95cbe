"""How a version begins to be served, and how it stops: slow things outside of the step that changes the rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.operations.worker import Progress
from cloudml_magic.local_platform.predictors.deployments import Deployments
from cloudml_magic.local_platform.resources.endpoints import StoredDeployment
from cloudml_magic.local_platform.resources.models import StoredVersion

_DRAIN_SECONDS = 30.0


def serve(
    deployments: Deployments,
    version: StoredVersion,
    deployment: StoredDeployment,
    progress: Progress,
    settle: Callable[[StoredDeployment], None],
) -> None:
    """Starts what serves a version; `settle` writes that it does and ends the operation, in the step that lets it in.

    Whatever goes wrong, nothing of it is left.
    """
    predictor = deployments.predictor(deployment)
    progress.tell(deploymentStage="PREPARING_MODEL")
    deployments.prepare(version, progress.cancelled)
    progress.tell(deploymentStage="STARTING_MODEL_SERVER")
    try:
        predictor.start(progress.cancelled)
        progress.tell(deploymentStage="FINISHING_UP")
        database = deployments.models.database
        with database.lock:
            with database.transaction():
                progress.check()
                settle(replace(deployment, message=predictor.message))
            deployments.add(predictor)
            deployments.refresh(deployment.location, deployment.endpoint)
    except BaseException as problem:
        deployments.discard(predictor)
        if isinstance(problem, PlatformError) and problem.status == "UNAVAILABLE":
            raise PlatformError(400, problem.message, status="FAILED_PRECONDITION") from None
        raise


def drain(deployments: Deployments, deployment: StoredDeployment, progress: Progress) -> None:
    """Ends what serves a version once it has answered what it was asked; no table must lead to it any more."""
    predictor = deployments.find(deployment)
    if predictor is not None:
        predictor.drain(_DRAIN_SECONDS, progress.closing)
        predictor.stop()
