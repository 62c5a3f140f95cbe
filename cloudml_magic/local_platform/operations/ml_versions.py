"""The work of operations on models and versions of the older API: a version is uploaded and deployed in one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloudml_magic.local_platform.artifacts import (
    artifact_folder,
    check_contents,
    check_pinned,
    digest_of,
    is_trusted,
    pin,
    remove_engines,
)
from cloudml_magic.local_platform.errors import PlatformError, refused
from cloudml_magic.local_platform.operations.serving import drain, serve
from cloudml_magic.local_platform.operations.worker import Performer, Progress
from cloudml_magic.local_platform.predictors.deployments import Deployments
from cloudml_magic.local_platform.resources.endpoints import StoredDeployment, StoredEndpoint
from cloudml_magic.local_platform.resources.ml_operations import ml_typed
from cloudml_magic.local_platform.resources.ml_versions import (
    NOWHERE,
    MlVersions,
    StoredMlVersion,
    VersionState,
    default_name,
    version_body,
)
from cloudml_magic.local_platform.resources.models import StoredVersion
from cloudml_magic.local_platform.resources.operations import EMPTY, Work
from cloudml_magic.local_platform.trouble import translated


class MlVersionWork:
    """Performs what the routes of the older API have begun."""

    def __init__(self, versions: MlVersions, deployments: Deployments, buckets: Path, engines: Path) -> None:
        self._versions = versions
        self._deployments = deployments
        self._models = deployments.models
        self._endpoints = deployments.endpoints
        self._buckets = buckets
        self._engines = engines

    def performers(self) -> Mapping[str, Performer]:
        return {
            "ml_create_version": self.create_version,
            "ml_delete_version": self.delete_version,
            "ml_delete_model": self.delete_model,
        }

    def create_version(self, work: Work, progress: Progress) -> None:
        version = self._version(work)
        try:
            uploaded = self._uploaded(version, progress)
            serve(
                self._deployments, uploaded, _deployment(version, uploaded), progress,
                lambda started: self._settle(work, started, progress),
            )  # fmt: skip
        except Exception as problem:
            # What a closing platform breaks off is gone on with by the next one.
            if not progress.closing.is_set():
                self._give_up(version, translated(problem))
            raise

    def delete_version(self, work: Work, progress: Progress) -> None:
        version = self._version(work)
        with self._models.database.lock:
            with self._models.database.transaction():
                model = self._endpoints.endpoint(NOWHERE, version.model)
                deployment = model.deployment(version.name)
                if default_name(model) == version.name:
                    self._endpoints.update(model, traffic={})
                if deployment is not None:
                    self._endpoints.delete_deployment(deployment)
            self._deployments.refresh(NOWHERE, version.model)
        if deployment is not None:
            drain(self._deployments, deployment, progress)
            self._deployments.remove(deployment)
        with self._models.database.transaction():
            self._forget_files(version)
            self._versions.delete(version.model, version.name)
            progress.finish(EMPTY)

    def delete_model(self, work: Work, progress: Progress) -> None:
        database = self._models.database
        with database.lock:
            with database.transaction():
                model = self._endpoints.endpoint(NOWHERE, work.arguments["model"])
                refuse_versions_left(self._versions, model)
                self._endpoints.delete(model)
                progress.finish(EMPTY)
            self._deployments.refresh(NOWHERE, model.id)

    def _version(self, work: Work) -> StoredMlVersion:
        found = self._versions.find(work.arguments["model"], work.arguments["version"])
        if found is None:
            raise PlatformError(404, f"There is no version {work.arguments['version']} any more.")
        return found

    def _uploaded(self, version: StoredMlVersion, progress: Progress) -> StoredVersion:
        """The model of its own, from its files as they are now, or as a platform that died has pinned them."""
        if self._models.exists(NOWHERE, version.served_as):
            return self._models.version(NOWHERE, version.served_as)
        uri = version.body["deploymentUri"]
        folder = artifact_folder(self._buckets, uri)
        pinned = pin(folder, uri)
        progress.check()
        check_contents(folder, uri, trusted=is_trusted(version.body))
        # What was checked must be what was pinned.
        check_pinned(folder, pinned, version.served_as, uri)
        body = {
            "displayName": version.served_as,
            "artifactUri": uri,
            "containerSpec": {},
            "labels": dict(version.body.get("labels", {})),
        }
        return self._models.add(NOWHERE, version.served_as, body, pinned, is_new=True)

    def _settle(self, work: Work, deployment: StoredDeployment, progress: Progress) -> None:
        model = self._endpoints.endpoint(NOWHERE, deployment.endpoint)
        self._endpoints.add_deployment(deployment)
        if default_name(model) is None:
            model = self._endpoints.update(model, traffic={deployment.id: 100})
        self._versions.settle(model.id, deployment.id, VersionState.READY)
        body = version_body(work.arguments["project"], self._version(work), default_name(model))
        progress.finish(ml_typed("Version", body))

    def _give_up(self, version: StoredMlVersion, problem: PlatformError) -> None:
        with self._models.database.transaction():
            self._forget_files(version)
            self._versions.settle(version.model, version.name, VersionState.FAILED, problem.message)

    def _forget_files(self, version: StoredMlVersion) -> None:
        """Takes the model of its own away, and its fast engine where no other has the same files."""
        for uploaded in self._models.versions(NOWHERE, version.served_as):
            self._models.delete(NOWHERE, version.served_as)
            if digest_of(uploaded.pinned) not in {digest_of(each.pinned) for each in self._models.versions("-")}:
                remove_engines(self._engines, uploaded.pinned)


def refuse_versions_left(versions: MlVersions, model: StoredEndpoint) -> None:
    """Raises PlatformError for a model that still has versions."""
    if left := versions.of(model.id):
        description = f"A model can only be deleted when it has no versions. It has {', '.join(v.name for v in left)}."
        raise refused(400, "name", description, status="FAILED_PRECONDITION")


def _deployment(version: StoredMlVersion, uploaded: StoredVersion) -> StoredDeployment:
    now = time.time()
    machine: dict[str, Any] = {"machineType": version.body.get("machineType", "")}
    return StoredDeployment(
        location=NOWHERE,
        endpoint=version.model,
        id=version.name,
        body={"dedicatedResources": {"machineSpec": machine}},
        model_location=NOWHERE,
        model=uploaded.model,
        version=uploaded.version,
        message="",
        created=now,
        updated=now,
    )
