"""The work of operations on models: look at the files, then change the rows and end the operation in one step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cloudml_magic.local_platform.artifacts import (
    Pinned,
    artifact_folder,
    check_contents,
    check_pinned,
    check_presence,
    digest_of,
    is_trusted,
    model_uri,
    pin,
    remove_engines,
)
from cloudml_magic.local_platform.operations.worker import Performer, Progress
from cloudml_magic.local_platform.preconditions import refuse_default, refuse_deployed
from cloudml_magic.local_platform.resources.endpoints import EndpointResources
from cloudml_magic.local_platform.resources.models import ModelResources, StoredVersion
from cloudml_magic.local_platform.resources.names import resource_name
from cloudml_magic.local_platform.resources.operations import EMPTY, Work, typed


class ModelWork:
    """Performs what `ModelRoutes` has begun."""

    def __init__(self, models: ModelResources, endpoints: EndpointResources, buckets: Path, engines: Path) -> None:
        self._models = models
        self._endpoints = endpoints
        self._buckets = buckets
        self._engines = engines

    def performers(self) -> Mapping[str, Performer]:
        return {
            "upload_model": self.upload,
            "delete_model": self.delete,
            "delete_model_version": self.delete_version,
        }

    def upload(self, work: Work, progress: Progress) -> None:
        id, body = work.arguments["model"], work.arguments["body"]
        pinned = self.examined(work.location, id, body, progress.check)
        with self._models.database.transaction():
            progress.check()
            version = self._models.add(work.location, id, body, pinned, is_new=work.arguments["is_new"])
            said = {"model": version.model_name, "modelVersionId": str(version.version)}
            progress.finish(typed("UploadModelResponse", said))

    def examined(
        self, location: str, model: str, body: Mapping[str, Any], check: Callable[[], None] = lambda: None
    ) -> Pinned:
        """The files of a model that is to be kept, found whole and harmless; `check` may break it off."""
        uri = model_uri(body, self._buckets)
        folder = artifact_folder(self._buckets, uri)
        check_presence(folder, uri)
        pinned = pin(folder, uri)
        check()
        check_contents(folder, uri, trusted=is_trusted(body))
        # What was checked must be what was pinned.
        check_pinned(folder, pinned, resource_name(location, "models", model), uri)
        return pinned

    def delete(self, work: Work, progress: Progress) -> None:
        with self._models.database.transaction():
            version = self._models.version(work.location, work.arguments["model"])
            refuse_deployed(self._endpoints, version, whole_model=True)
            gone = self._models.versions(version.location, version.model)
            self._models.delete(version.location, version.model)
            self._free_engines(gone)
            progress.finish(EMPTY)

    def delete_version(self, work: Work, progress: Progress) -> None:
        with self._models.database.transaction():
            version = self._models.version(work.location, work.arguments["model"], work.arguments["version"])
            refuse_default(version)
            refuse_deployed(self._endpoints, version)
            self._models.delete_version(version)
            self._free_engines([version])
            progress.finish(EMPTY)

    def _free_engines(self, gone: Sequence[StoredVersion]) -> None:
        """Fast engines stay while a version of any model has the same files.

        Before the operation ends, so that who sees it done sees them gone; one freed for nothing is made anew.
        """
        kept = {digest_of(version.pinned) for version in self._models.versions("-")}
        for version in gone:
            if digest_of(version.pinned) not in kept:
                remove_engines(self._engines, version.pinned)
