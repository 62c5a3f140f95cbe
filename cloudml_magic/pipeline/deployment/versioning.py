"""Which version of a model an exported folder is: the one that there is, or a new one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cloudml_magic.connection import Connection
from cloudml_magic.errors import CloudMLError
from cloudml_magic.packaging import slug
from cloudml_magic.pipeline.deployment.artifact import Artifact
from cloudml_magic.pipeline.deployment.served import Served
from cloudml_magic.records import ModelVersion, VersionSpec

NAME_LABEL = "cloudml-model"
_DIGEST_LABEL = "cloudml-digest"
_TRUSTED_LABEL = "cloudml-trusted"


@dataclass(frozen=True, slots=True)
class Versioning:
    """What is to become a version of a model; `wanted` is the number or the name that the user gave."""

    name: str
    wanted: str | None
    served: Served
    trust: bool

    @property
    def artifact(self) -> Artifact:
        """The exported folder."""
        return self.served.artifact

    def version(
        self, versions: Sequence[ModelVersion], there: Connection, on_stage: Callable[[str], None]
    ) -> ModelVersion:
        """The version of this very folder; a new one is the next after `versions`."""
        known = self._known(versions)
        following = str(1 + max((int(version.version) for version in versions if version.version.isdigit()), default=0))
        if self.wanted and self.wanted.isdigit() and self.wanted != (known.version if known else following):
            taken = any(version.version == self.wanted for version in versions)
            raise self._not_next(following, taken)
        if known is not None:
            return known
        on_stage(f"making version {following}")
        labels = {NAME_LABEL: slug(self.name), _DIGEST_LABEL: self.artifact.digest}
        return there.client.models.upload(
            VersionSpec(
                self.name,
                str(self.artifact.address),
                self.served.image,
                parent_model=versions[0].model_resource if versions else None,
                labels=labels | ({_TRUSTED_LABEL: "yes"} if self.trust else {}),
                numbered=self.served.is_numbered,
            )
        )

    def name_it(self, version: ModelVersion, there: Connection) -> None:
        """Gives a version that answers the name that the user wants; another one may have had it until then."""
        if self.wanted and not self.wanted.isdigit() and self.wanted not in version.aliases:
            there.client.models.merge_aliases(version, (self.wanted,))

    def _known(self, versions: Sequence[ModelVersion]) -> ModelVersion | None:
        """The version that was asked for, or the latest of the folder as it is now; what it held may be another's."""
        address, digest, asked = str(self.artifact.address), self.artifact.digest, self.artifact.version
        if asked is not None and any(version.resource_name == asked.resource_name for version in versions):
            return asked
        for version in reversed(versions):
            if version.artifact_uri.rstrip("/") == address and version.labels.get(_DIGEST_LABEL, digest) == digest:
                return version
        return None

    def _not_next(self, following: str, taken: bool) -> CloudMLError:
        return CloudMLError(
            "version-not-next",
            f"The model cannot become version {self.name}/{self.wanted}.",
            why=f"{self.name}/{self.wanted} is another model."
            if taken
            else f"Versions are counted: the next one is {following}.",
            next=f"Leave the number out: `--as {self.name}`, or use a name of your own: `--as {self.name}/candidate`.",
        )
