"""Deploys a model: its folder, a version of it, an endpoint, and the traffic, which moves when the version answers."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cloudml_magic.connection import Connection, place
from cloudml_magic.dialects.machines import asked_machine
from cloudml_magic.errors import CloudMLError
from cloudml_magic.packaging import slug
from cloudml_magic.pipeline.deployment.artifact import Artifact, ExportOptions, artifact_of
from cloudml_magic.pipeline.deployment.lookup import endpoint_of, split_title, versions_of
from cloudml_magic.pipeline.deployment.traffic import WHOLE, joined
from cloudml_magic.pipeline.options import check_known, checked_name
from cloudml_magic.pipeline.runtime import serving_image
from cloudml_magic.pipeline.sent_job import Job
from cloudml_magic.pipeline.session import CURRENT, connection_to
from cloudml_magic.records import DeployedVersion, Endpoint, ModelVersion

NAME_LABEL = "cloudml-model"


@dataclass(frozen=True, slots=True)
class DeployOptions:
    """The options of `%ml_deploy`, named as there."""

    as_: str | None = None
    target: str | None = None
    machine: str | None = None
    gpu: str | None = None
    min_replicas: int = 1
    max_replicas: int | None = None
    traffic: int | None = None
    image: str | None = None
    labels: str | None = None
    preprocess: str | None = None
    resize: str | None = None
    picture: bool | None = None
    trust: bool = False

    @classmethod
    def of(cls, options: dict[str, Any]) -> DeployOptions:
        """Options from keywords, checked."""
        check_known(cls, options)
        return cls(**options)

    @property
    def replicas(self) -> tuple[int, int]:
        """At least and at most."""
        least, most = self.min_replicas, self.max_replicas or max(self.min_replicas, 1)
        if not 1 <= least <= most:
            raise CloudMLError(
                "bad-replicas",
                f"{least} to {most} replicas cannot be.",
                next="--min-replicas is at least 1, --max-replicas at least as many.",
            )
        return least, most

    @property
    def percent(self) -> int | None:
        """The share of the traffic that was asked for."""
        if self.traffic is not None and not 0 <= self.traffic <= WHOLE:
            raise CloudMLError(
                "bad-traffic", f"--traffic {self.traffic} is no share.", next="Give a whole number from 0 to 100."
            )
        return self.traffic

    @property
    def export(self) -> ExportOptions:
        """What an export is told, if one has to be made."""
        choices = {"labels": self.labels, "preprocess": self.preprocess, "resize": self.resize, "picture": self.picture}
        return ExportOptions({name: value for name, value in choices.items() if value is not None}, self.trust)


@dataclass(frozen=True, slots=True)
class Deployment:
    """A version that answers."""

    version: ModelVersion
    endpoint: Endpoint
    deployed: DeployedVersion
    seconds: float
    was_there: bool = False

    def _ipython_display_(self) -> None:
        """Shows nothing: the card under the cell is the deployment's display."""


OnStage = Callable[[str], None]


def deploy(
    what: Any,
    *,
    on_stage: OnStage = lambda stage: None,
    wait: Callable[[Job], None] = lambda job: (job.wait(), None)[1],
    **options: Any,
) -> Deployment:
    """Deploys a job's model, a Keras model, a path or a gs:// folder: what `%ml_deploy` does, from Python."""
    asked = DeployOptions.of(options)
    replicas, percent = asked.replicas, asked.percent
    machine = asked_machine(CURRENT.value("machine", asked.machine), CURRENT.value("gpu", asked.gpu))
    there = connection_to(place(CURRENT, asked.target))
    artifact = artifact_of(what, there, asked.export, wait)
    began = time.monotonic()
    name, wanted = split_title(asked.as_) if asked.as_ else (artifact.name, None)
    version = _version(checked_name(name), wanted, artifact, there, asked.image, on_stage, asked.trust)
    endpoint = endpoint_of(name, there) or there.client.models.create_endpoint(name, {NAME_LABEL: slug(name)})
    shares = {held.id: held.traffic for held in endpoint.deployed}
    held = _held(endpoint, version)
    if held is not None:
        return _shifted(there, version, endpoint, held, percent, time.monotonic() - began)
    deployed_id = str(1 + secrets.randbelow(10**10 - 1))
    traffic = joined(shares, deployed_id, WHOLE if percent is None or not shares else percent)
    on_stage("starting")
    endpoint = there.client.models.deploy(endpoint, version, deployed_id, machine, replicas, traffic, on_stage)
    if percent is None:
        endpoint = _retired(there, endpoint, deployed_id, on_stage)
    deployed = next(held for held in endpoint.deployed if held.id == deployed_id)
    return Deployment(version, endpoint, deployed, time.monotonic() - began)


def _version(
    name: str,
    wanted: str | None,
    artifact: Artifact,
    there: Connection,
    image: str | None,
    on_stage: OnStage,
    trust: bool,
) -> ModelVersion:
    """The version of this very folder: the one that there is, or a new one."""
    versions = versions_of(name, there)
    known = next((version for version in versions if version.artifact_uri.rstrip("/") == str(artifact.address)), None)
    following = str(1 + max((int(version.version) for version in versions if version.version.isdigit()), default=0))
    is_number = wanted is not None and wanted.isdigit()
    if wanted and is_number and wanted != (known.version if known else following):
        taken = any(version.version == wanted for version in versions)
        raise CloudMLError(
            "version-not-next",
            f"The model cannot become version {name}/{wanted}.",
            why=f"{name}/{wanted} is another model."
            if taken
            else f"Versions are counted: the next one is {following}.",
            next=f"Leave the number out: `--as {name}`, or use a name of your own: `--as {name}/candidate`.",
        )
    aliases = (wanted,) if wanted and not is_number else ()
    if known is not None:
        if aliases and not set(aliases) <= set(known.aliases):
            there.client.models.merge_aliases(known, aliases)
        return known
    on_stage(f"making version {following}")
    return there.client.models.upload(
        name,
        str(artifact.address),
        image or serving_image(artifact.interface.tensorflow),
        parent_model=versions[0].model_resource if versions else None,
        aliases=aliases,
        labels={NAME_LABEL: slug(name), **({"cloudml-trusted": "yes"} if trust else {})},
    )


def _held(endpoint: Endpoint, version: ModelVersion) -> DeployedVersion | None:
    for held in endpoint.deployed:
        if (held.model_resource, held.version) == (version.model_resource, version.version):
            return held
    return None


def _shifted(
    there: Connection,
    version: ModelVersion,
    endpoint: Endpoint,
    held: DeployedVersion,
    percent: int | None,
    seconds: float,
) -> Deployment:
    """A version that is deployed already gets the share that was asked for."""
    shares = {each.id: each.traffic for each in endpoint.deployed}
    if percent is not None and percent != held.traffic and len(shares) > 1:
        endpoint = there.client.models.split_traffic(endpoint, joined(shares, held.id, percent))
        held = next(each for each in endpoint.deployed if each.id == held.id)
    elif percent is None and held.traffic < WHOLE:
        endpoint = there.client.models.split_traffic(endpoint, joined(shares, held.id, WHOLE))
        endpoint = _retired(there, endpoint, held.id, lambda stage: None)
        held = endpoint.deployed[0]
    return Deployment(version, endpoint, held, seconds, was_there=True)


def _retired(there: Connection, endpoint: Endpoint, newcomer: str, on_stage: OnStage) -> Endpoint:
    """Lets the versions go that the newcomer has taken over from."""
    for held in endpoint.deployed:
        if held.id != newcomer:
            on_stage(f"letting version {held.version} go")
            endpoint = there.client.models.undeploy(endpoint, held.id, {newcomer: WHOLE})
    return endpoint
