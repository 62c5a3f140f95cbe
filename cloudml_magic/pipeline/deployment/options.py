"""What a user may ask of a deployment, checked before anything is exported, uploaded or waited for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.deployment.artifact import ExportOptions
from cloudml_magic.pipeline.deployment.lookup import split_title
from cloudml_magic.pipeline.deployment.traffic import WHOLE
from cloudml_magic.pipeline.options import check_known, checked_name

_VERSION_NAME = re.compile(r"[a-z](?:[a-zA-Z0-9-]{0,126}[a-zA-Z0-9])?")


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
    def title(self) -> tuple[str, str | None] | None:
        """Model and version as `--as` says, if it does."""
        if self.as_ is None:
            return None
        name, version = split_title(self.as_)
        if version and not version.isdigit() and not _VERSION_NAME.fullmatch(version):
            raise CloudMLError(
                "bad-name",
                f"A version cannot be called {version[:40]!r}.",
                next="Use letters, digits and hyphens; it begins with a small letter.",
            )
        return checked_name(name, "model"), version

    @property
    def replicas(self) -> tuple[int, int]:
        """At least and at most."""
        least = self.min_replicas
        most = self.max_replicas if self.max_replicas is not None else max(least, 1)
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
