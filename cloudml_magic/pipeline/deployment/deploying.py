"""Deploys a model: its folder, a version of it, an endpoint, and the traffic, which moves when the version answers."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from cloudml_magic.connection import Connection, place
from cloudml_magic.dialects.machines import asked_machine
from cloudml_magic.errors import CloudMLError
from cloudml_magic.packaging import slug
from cloudml_magic.pipeline.deployment.artifact import artifact_of
from cloudml_magic.pipeline.deployment.lookup import endpoint_of, versions_of
from cloudml_magic.pipeline.deployment.options import DeployOptions
from cloudml_magic.pipeline.deployment.served import served
from cloudml_magic.pipeline.deployment.traffic import WHOLE, joined, without
from cloudml_magic.pipeline.deployment.turn import turn
from cloudml_magic.pipeline.deployment.versioning import NAME_LABEL, Versioning
from cloudml_magic.pipeline.options import checked_name
from cloudml_magic.pipeline.sent_job import Job
from cloudml_magic.pipeline.session import CURRENT, connection_to
from cloudml_magic.records import DeployedVersion, DeploymentSpec, Endpoint, Machine, ModelVersion

OnStage = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Deployment:
    """A version that answers; `notes` are what of the options did not apply."""

    version: ModelVersion
    endpoint: Endpoint
    deployed: DeployedVersion
    seconds: float
    was_there: bool = False
    notes: tuple[str, ...] = ()

    def _ipython_display_(self) -> None:
        """Shows nothing: the card under the cell is the deployment's display."""


def deploy(
    what: Any,
    *,
    on_stage: OnStage = lambda stage: None,
    wait: Callable[[Job], None] = lambda job: (job.wait(), None)[1],
    **options: Any,
) -> Deployment:
    """Deploys a job's model, a Keras model, a path or a gs:// folder: what `%ml_deploy` does, from Python."""
    asked = DeployOptions.of(options)
    replicas, percent, title = asked.replicas, asked.percent, asked.title
    machine = asked_machine(CURRENT.value("machine", asked.machine), CURRENT.value("gpu", asked.gpu))
    there = connection_to(place(CURRENT, asked.target))
    began = time.monotonic()

    def wait_first(job: Job) -> None:
        nonlocal began
        wait(job)
        began = time.monotonic()

    there.check_bucket()
    artifact = artifact_of(what, there, asked.export, wait_first, on_stage)
    name, wanted = title or (checked_name(artifact.name, "model"), None)
    versioning = Versioning(name, wanted, served(artifact, asked.image, there, on_stage), asked.trust)
    with turn(name, there, on_stage):
        version, endpoint, deployed, was_there = _put(versioning, there, machine, replicas, percent, on_stage)
    notes = []
    if percent is not None and deployed.traffic != percent:
        notes.append(f"--traffic {percent} does not apply: it is the only version that answers, so it gets all.")
    return Deployment(version, endpoint, deployed, time.monotonic() - began, was_there, tuple(notes))


def _put(
    versioning: Versioning,
    there: Connection,
    machine: Machine,
    replicas: tuple[int, int],
    percent: int | None,
    on_stage: OnStage,
) -> tuple[ModelVersion, Endpoint, DeployedVersion, bool]:
    """The version on its endpoint with its share, and whether it was there; if that fails all is as it was."""
    name, models = versioning.name, there.client.models
    versions, before = versions_of(name, there), endpoint_of(name, there)
    deployed_id = str(1 + secrets.randbelow(10**10 - 1))
    try:
        version = versioning.version(versions, there, on_stage)
        endpoint = before or models.create_endpoint(name, {NAME_LABEL: slug(name)})
        shares = {held.id: held.traffic for held in endpoint.deployed}
        held = _held(endpoint, version)
        if held is None:
            traffic = joined(shares, deployed_id, WHOLE if percent is None or not shares else percent)
            on_stage("starting")
            spec = DeploymentSpec(version, deployed_id, machine, replicas, traffic)
            endpoint = models.deploy(endpoint, spec, on_stage)
        else:
            deployed_id = held.id
            endpoint = _shifted(there, endpoint, held, percent)
    except BaseException:
        with contextlib.suppress(CloudMLError):
            _take_back(there, name, {each.version for each in versions}, before, deployed_id)
        raise
    versioning.name_it(version, there)
    if percent is None and models.lets_versions_go:
        endpoint = _retired(there, endpoint, shares, deployed_id, on_stage)
    was_there = held is not None and version.resource_name in {each.resource_name for each in versions}
    return version, endpoint, _still_held(endpoint, deployed_id, version), was_there


def _held(endpoint: Endpoint, version: ModelVersion) -> DeployedVersion | None:
    for held in endpoint.deployed:
        if (held.model_resource, held.version) == (version.model_resource, version.version):
            return held
    return None


def _still_held(endpoint: Endpoint, deployed_id: str, version: ModelVersion) -> DeployedVersion:
    for held in endpoint.deployed:
        if held.id == deployed_id:
            return held
    raise CloudMLError(
        "deployment-gone",
        f"{version.title} was deployed, and taken off its endpoint again.",
        why="Somebody else deployed or undeployed this model at the same time.",
        next="`%ml_models` shows what answers. Run the cell again if it is to be this version.",
    )


def _shifted(there: Connection, endpoint: Endpoint, held: DeployedVersion, percent: int | None) -> Endpoint:
    """A version that is deployed already gets the share that was asked for."""
    shares = {each.id: each.traffic for each in endpoint.deployed}
    share = WHOLE if percent is None else percent
    if share == held.traffic or len(shares) == 1:
        return endpoint
    return there.client.models.split_traffic(endpoint, joined(shares, held.id, share))


def _retired(
    there: Connection, endpoint: Endpoint, former: Collection[str], newcomer: str, on_stage: OnStage
) -> Endpoint:
    """Lets the versions go that the newcomer has taken over from; not one that came meanwhile."""
    for held in endpoint.deployed:
        if held.id in former and held.id != newcomer:
            on_stage(f"letting version {held.version} go")
            shares = {each.id: each.traffic for each in endpoint.deployed}
            endpoint = there.client.models.undeploy(endpoint, held.id, without(shares, held.id))
    return endpoint


def _take_back(
    there: Connection, name: str, versions: Collection[str], before: Endpoint | None, deployed_id: str
) -> None:
    """Undoes what a deployment that did not come to its end has made; uploaded files stay, for the next attempt."""
    models = there.client.models
    endpoint = endpoint_of(name, there)
    former = {held.id: held.traffic for held in before.deployed} if before else {}
    is_held = endpoint is not None and any(held.id == deployed_id for held in endpoint.deployed)
    if endpoint is not None and is_held and deployed_id not in former:
        # It came to its end before it could be cancelled.
        endpoint = models.undeploy(endpoint, deployed_id, former)
    if endpoint is not None and before is None and not endpoint.deployed:
        models.delete_endpoint(endpoint.resource_name)
    made = [version for version in versions_of(name, there) if version.version not in versions]
    for version in made:
        if versions:
            models.delete_version(version)
        else:
            models.delete_model(version.model_resource)
