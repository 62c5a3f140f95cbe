"""The work of operations on endpoints: processes are started and stopped outside, and traffic moves inside, of the
one step that changes the rows and ends the operation.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.operations.serving import drain, serve
from cloudml_magic.local_platform.operations.worker import Performer, Progress
from cloudml_magic.local_platform.preconditions import refuse_occupied
from cloudml_magic.local_platform.predictors.deployments import Deployments
from cloudml_magic.local_platform.resources.endpoints import (
    EndpointResources,
    StoredDeployment,
    deployed_body,
    endpoint_body,
)
from cloudml_magic.local_platform.resources.models import ModelResources
from cloudml_magic.local_platform.resources.operations import EMPTY, Work, typed
from cloudml_magic.local_platform.traffic import (
    NEW,
    check_split,
    refuse_traffic_left,
    split_after_deploy,
    split_after_undeploy,
)


class EndpointWork:
    """Performs what `EndpointRoutes` has begun."""

    def __init__(self, endpoints: EndpointResources, models: ModelResources, deployments: Deployments) -> None:
        self._endpoints = endpoints
        self._models = models
        self._deployments = deployments
        self._database = endpoints.database

    def performers(self) -> Mapping[str, Performer]:
        return {
            "create_endpoint": self.create,
            "delete_endpoint": self.delete,
            "deploy_model": self.deploy,
            "undeploy_model": self.undeploy,
            "mutate_deployed_model": self.mutate,
        }

    def create(self, work: Work, progress: Progress) -> None:
        with self._database.lock:
            with self._database.transaction():
                progress.check()
                endpoint = self._endpoints.create(work.location, work.arguments["id"], work.arguments["body"])
                progress.finish(typed("Endpoint", endpoint_body(endpoint, {})))
            self._deployments.refresh(work.location, endpoint.id)

    def delete(self, work: Work, progress: Progress) -> None:
        with self._database.lock:
            with self._database.transaction():
                endpoint = self._endpoints.endpoint(work.location, work.arguments["endpoint"])
                refuse_occupied(endpoint)
                self._endpoints.delete(endpoint)
                progress.finish(EMPTY)
            self._deployments.refresh(work.location, endpoint.id)

    def deploy(self, work: Work, progress: Progress) -> None:
        arguments, now = work.arguments, time.time()
        version = self._models.version(arguments["model_location"], arguments["model"], str(arguments["version"]))
        deployment = StoredDeployment(
            location=work.location,
            endpoint=arguments["endpoint"],
            id=arguments["id"],
            body=arguments["body"],
            model_location=version.location,
            model=version.model,
            version=version.version,
            message="",
            created=now,
            updated=now,
        )
        serve(
            self._deployments, version, deployment, progress,
            lambda started: self._take_over(started, arguments["traffic"], progress),
        )  # fmt: skip

    def undeploy(self, work: Work, progress: Progress) -> None:
        id, wanted = work.arguments["id"], work.arguments["traffic"]
        with self._database.lock:
            with self._database.transaction():
                endpoint = self._endpoints.endpoint(work.location, work.arguments["endpoint"])
                deployment = _found(endpoint.deployment(id), id)
                check_split(wanted, {each.id for each in endpoint.deployments})
                refuse_traffic_left(endpoint, id, wanted)
                self._endpoints.update(endpoint, traffic=split_after_undeploy(endpoint, id, wanted))
            self._deployments.refresh(endpoint.location, endpoint.id)
        drain(self._deployments, deployment, progress)
        with self._database.lock:
            with self._database.transaction():
                self._endpoints.delete_deployment(deployment)
                progress.finish(typed("UndeployModelResponse", {}))
            self._deployments.remove(deployment)
            self._deployments.refresh(endpoint.location, endpoint.id)

    def mutate(self, work: Work, progress: Progress) -> None:
        with self._database.transaction():
            endpoint = self._endpoints.endpoint(work.location, work.arguments["endpoint"])
            deployment = _found(endpoint.deployment(work.arguments["id"]), work.arguments["id"])
            self._endpoints.update_deployment(deployment, body=work.arguments["body"])
            body = deployed_body(replace(deployment, body=work.arguments["body"]))
            progress.finish(typed("MutateDeployedModelResponse", {"deployedModel": body}))

    def _take_over(self, deployment: StoredDeployment, traffic: Mapping[str, int], progress: Progress) -> None:
        endpoint = self._endpoints.endpoint(deployment.location, deployment.endpoint)
        self._models.version(deployment.model_location, deployment.model, str(deployment.version))
        known = {each.id for each in endpoint.deployments}
        check_split(traffic, known | {NEW, deployment.id})
        self._endpoints.add_deployment(deployment)
        self._endpoints.update(endpoint, traffic=split_after_deploy(endpoint.traffic, traffic, deployment.id))
        said = {"deployedModel": deployed_body(deployment)}
        progress.finish(typed("DeployModelResponse", said), deploymentStage="SUCCESSFULLY_DEPLOYED")


def last_metadata(kind: str, problem: PlatformError) -> dict[str, Any]:
    """What an operation that failed says of where it ended."""
    if kind != "deploy_model":
        return {}
    cancelled = problem.status == "CANCELLED"
    return {"deploymentStage": "DEPLOYMENT_TERMINATED" if cancelled else "FAILED_TO_DEPLOY"}


def _found(deployment: StoredDeployment | None, id: str) -> StoredDeployment:
    if deployment is None:
        raise PlatformError(404, f"There is no DeployedModel {id} any more.")
    return deployment
