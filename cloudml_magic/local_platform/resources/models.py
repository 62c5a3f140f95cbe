"""Models and their versions as rows; an alias names one version of its model, and `default` always names one."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from cloudml_magic.local_platform.database import Database
from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.resources.names import resource_name
from cloudml_magic.local_platform.times import written

DEFAULT = "default"
_OF_MODEL = ("displayName", "description")


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version of a model; `body` is what was uploaded, `pinned` what its files were then."""

    location: str
    model: str
    version: int
    sequence: int
    body: Mapping[str, Any]
    aliases: tuple[str, ...]
    pinned: Mapping[str, Any]
    created: float
    updated: float
    model_created: float
    model_updated: float

    @property
    def model_name(self) -> str:
        return resource_name(self.location, "models", self.model)

    @property
    def title(self) -> str:
        """The model's name with the version, as users of the API write it; in the older API the name says it."""
        return f"{self.model_name}@{self.version}" if self.location else self.model_name


class ModelResources:
    """All models of one platform; any thread may call."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def version(self, location: str, model: str, wanted: str | None = None) -> StoredVersion:
        """A version by its number or alias, the default one if none is given; raises 404."""
        for version in self.versions(location, model):
            if (wanted or DEFAULT) in (str(version.version), *version.aliases):
                return version
        name = resource_name(location, "models", model[:80]) + (f"@{wanted[:80]}" if wanted else "")
        raise PlatformError(404, f"The Model {name} does not exist.")

    def versions(self, location: str, model: str | None = None) -> list[StoredVersion]:
        """Versions of one model, or of all of a location, the latest first; `-` stands for every location."""
        rows = self.database.rows(
            "SELECT model_versions.*, models.created AS model_created, models.updated AS model_updated"
            " FROM model_versions JOIN models ON models.location = model_versions.location"
            " AND models.id = model_versions.model"
            " WHERE (?1 = '-' OR model_versions.location = ?1) AND (?2 IS NULL OR model = ?2) ORDER BY sequence DESC",
            location, model,
        )  # fmt: skip
        return [_version(row) for row in rows]

    def exists(self, location: str, model: str) -> bool:
        return self.database.row("SELECT 1 FROM models WHERE location = ? AND id = ?", location, model) is not None

    def add(
        self, location: str, model: str, body: Mapping[str, Any], pinned: Mapping[str, Any], *, is_new: bool
    ) -> StoredVersion:
        """Keeps a version, the first of a new model or one more of an old one; its aliases leave the others."""
        now = time.time()
        with self.database.transaction():
            if is_new:
                if self.exists(location, model):
                    raise PlatformError(409, f"The Model {resource_name(location, 'models', model)} already exists.")
                self.database.write("INSERT INTO models VALUES (?,?,0,?,?)", location, model, now, now)
            changed = self.database.write(
                "UPDATE models SET last_version = last_version + 1, updated = max(updated, ?)"
                " WHERE location = ? AND id = ?",
                now, location, model,
            )  # fmt: skip
            if not changed:
                raise PlatformError(404, f"The Model {resource_name(location, 'models', model)} does not exist.")
            self.database.write(
                "INSERT INTO model_versions (location, model, version, body, aliases, pinned, created, updated)"
                " SELECT location, id, last_version, ?1, '[]', ?2, ?3, ?3 FROM models WHERE location = ?4 AND id = ?5",
                json.dumps({name: value for name, value in body.items() if name != "versionAliases"}),
                json.dumps(pinned), now, location, model,
            )  # fmt: skip
            version = self.versions(location, model)[0]
            aliases = [*body.get("versionAliases", []), *([DEFAULT] if is_new else [])]
            return self.merge_aliases(version, aliases, ())

    def merge_aliases(self, version: StoredVersion, added: Collection[str], removed: Collection[str]) -> StoredVersion:
        """Gives a version aliases, which other versions lose, and takes some away."""
        with self.database.transaction():
            for other in self.versions(version.location, version.model):
                is_it = other.version == version.version
                kept = [alias for alias in other.aliases if alias not in (removed if is_it else added)]
                aliases = list(dict.fromkeys([*kept, *added])) if is_it else kept
                if tuple(aliases) != other.aliases:
                    self._write(other, "aliases", aliases)
            return self.version(version.location, version.model, str(version.version))

    def patch(self, version: StoredVersion, changes: Mapping[str, Any]) -> StoredVersion:
        """Replaces fields; None takes one away. What belongs to the model is replaced in all of its versions."""
        of_model = {name: value for name, value in changes.items() if name in _OF_MODEL}
        with self.database.transaction():
            for other in self.versions(version.location, version.model):
                applied = changes if other.version == version.version else of_model
                body = {name: value for name, value in {**other.body, **applied}.items() if value is not None}
                if body != other.body:
                    self._write(other, "body", body)
            return self.version(version.location, version.model, str(version.version))

    def delete(self, location: str, model: str) -> None:
        with self.database.transaction():
            self.database.write("DELETE FROM model_versions WHERE location = ? AND model = ?", location, model)
            self.database.write("DELETE FROM models WHERE location = ? AND id = ?", location, model)

    def delete_version(self, version: StoredVersion) -> None:
        self.database.write("DELETE FROM model_versions WHERE sequence = ?", version.sequence)

    def _write(self, version: StoredVersion, column: str, value: Any) -> None:
        now = time.time()
        self.database.write(
            f"UPDATE model_versions SET {column} = ?, updated = max(updated, ?) WHERE sequence = ?",
            json.dumps(value), now, version.sequence,
        )  # fmt: skip
        self.database.write(
            "UPDATE models SET updated = max(updated, ?) WHERE location = ? AND id = ?",
            now, version.location, version.model,
        )  # fmt: skip


def model_body(version: StoredVersion, deployed: Collection[tuple[str, str]]) -> dict[str, Any]:
    """The resource of a version; `deployed` are the names of endpoints and the ids of deployed models in them."""
    body = {
        **version.body,
        "name": version.model_name,
        "versionId": str(version.version),
        "versionCreateTime": written(version.created),
        "versionUpdateTime": written(version.updated),
        "createTime": written(version.model_created),
        "updateTime": written(version.model_updated),
        "supportedDeploymentResourcesTypes": ["DEDICATED_RESOURCES"],
        "supportedInputStorageFormats": ["jsonl", "csv", "tf-record", "tf-record-gzip", "file-list"],
        "supportedOutputStorageFormats": ["jsonl", "csv"],
    }
    if version.aliases:
        body["versionAliases"] = list(version.aliases)
    if deployed:
        body["deployedModels"] = [{"endpoint": endpoint, "deployedModelId": id} for endpoint, id in deployed]
    return {**body, "etag": etag_of(body)}


def etag_of(body: Mapping[str, Any]) -> str:
    """Changes whenever the resource does."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:16]


def _version(row: Any) -> StoredVersion:
    return StoredVersion(
        location=row["location"],
        model=row["model"],
        version=row["version"],
        sequence=row["sequence"],
        body=json.loads(row["body"]),
        aliases=tuple(json.loads(row["aliases"])),
        pinned=json.loads(row["pinned"]),
        created=row["created"],
        updated=row["updated"],
        model_created=row["model_created"],
        model_updated=row["model_updated"],
    )
