"""Where jobs of these settings go: enough to write a request, without contacting anything."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace

from cloudml_magic.client.dialect import Dialect, dialect
from cloudml_magic.dialects.call import Call
from cloudml_magic.dialects.protection import protected
from cloudml_magic.errors import CloudMLError
from cloudml_magic.local_platform import settings as local
from cloudml_magic.records import DialectName, JobSpec, Protection, Target
from cloudml_magic.settings import Settings
from cloudml_magic.storage import Address

DEFAULT_REGION = "us-central1"
# As Google's own tools and notebooks on its machines name it.
_PROJECT_VARIABLES = ("GOOGLE_CLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT")
_PARENT = re.compile(r"projects/([a-z0-9.:-]+)(?:/locations/([a-z0-9-]+))?")
_RESOURCE = re.compile(r"projects/([a-z0-9.:-]+)/(?:locations/([a-z0-9-]+)/[A-Za-z]+/[0-9]+|jobs/[A-Za-z0-9_]+)")


@dataclass(frozen=True, slots=True)
class Place:
    """A target, the project, region and bucket there, and as whom and under which key what is made there lives."""

    target: Target
    project: str
    region: str
    bucket: Address
    protection: Protection = field(default_factory=Protection)
    dialect: DialectName = DialectName.AIPLATFORM_V1

    @property
    def speaks(self) -> Dialect:
        """The dialect that the place is spoken with."""
        return dialect(self.dialect, self.project)

    @property
    def parent(self) -> str:
        """What is made here is made under this; it says project, region and dialect."""
        return self.speaks.parent(self.project, self.region)

    @property
    def takes_binary(self) -> bool:
        """Whether what answers here reads arrays as bytes: our own serving process does, asked by Vertex AI's API."""
        return self.target is Target.LOCAL and self.dialect is DialectName.AIPLATFORM_V1

    def creation(self, spec: JobSpec) -> Call:
        """The exact request by which a job is made here."""
        return protected(self.speaks.create_job(spec, self.project, self.region), self.protection)


def place(settings: Settings, target: str | None = None) -> Place:
    """Where jobs would go."""
    chosen = Target(settings.value("target", target) or Target.LOCAL)
    if chosen is Target.CLOUD:
        return _cloud_place(settings)
    return Place(
        chosen,
        settings.value("project") or local.PROJECT,
        settings.value("region") or local.REGION,
        Address(bucket_name(settings) or local.BUCKET),
        protection_of(settings),
        dialect_of(settings),
    )


def place_of(settings: Settings, target: Target, resource_name: str | None, parent: str | None = None) -> Place:
    """Where something is, or was sent: its name or its parent says project, region and dialect, whatever is set now.

    What has neither is where jobs go now.
    """
    if resource_name:
        named = _named(_RESOURCE, "a job", resource_name)
    elif parent:
        named = _named(_PARENT, "a place", parent)
    else:
        return place(settings, target.value)
    project, region = named[1], named[2] or settings.value("region") or DEFAULT_REGION
    dialect = DialectName.AIPLATFORM_V1 if named[2] else DialectName.ML_V1
    if target is Target.LOCAL:
        here = replace(place(settings, target.value), dialect=dialect)
        # A name has the project's number.
        return here if resource_name else replace(here, project=project, region=region)
    return Place(target, project, region, Address(bucket_name(settings) or ""), protection_of(settings), dialect)


def project_of(settings: Settings) -> str | None:
    """The project that is set, for us or for Google's own tools."""
    return settings.value("project") or next(filter(None, map(os.environ.get, _PROJECT_VARIABLES)), None)


def bucket_name(settings: Settings) -> str | None:
    """The name of the bucket that is set; people write it as an address too."""
    return (settings.value("bucket") or "").removeprefix("gs://").rstrip("/") or None


def protection_of(settings: Settings) -> Protection:
    """As whom and under which key what is made lives."""
    return Protection(settings.value("service_account"), settings.value("kms_key"))


def dialect_of(settings: Settings) -> DialectName:
    """The dialect that is set."""
    return DialectName(settings.value("dialect") or DialectName.AIPLATFORM_V1)


def _named(form: re.Pattern[str], what: str, name: str) -> re.Match[str]:
    found = form.fullmatch(name)
    if found is None:
        raise CloudMLError(
            "ledger-unusable",
            f"The ledger names {what} as Google names none: {name!r}.",
            why="Its file was damaged, or changed by somebody else.",
            next="Nothing was asked there. Move the file away: the jobs stay, and `%ml_jobs` lists them.",
        )
    return found


def _cloud_place(settings: Settings) -> Place:
    project, bucket = project_of(settings), bucket_name(settings)
    if project is None:
        raise CloudMLError(
            "no-project",
            "In the cloud jobs belong to a project, and none is set.",
            next="Say `%ml_init --target cloud --project PROJECT`; `gcloud projects list` shows yours.",
        )
    if bucket is None:
        raise CloudMLError(
            "no-bucket-set",
            "In the cloud jobs need a bucket, and none is set.",
            why="Packages, data and results lie there.",
            next="Say `%ml_init --bucket NAME`; a bucket that does not exist yet is made by `--setup`.",
        )
    region = settings.value("region") or DEFAULT_REGION
    return Place(Target.CLOUD, project, region, Address(bucket), protection_of(settings), dialect_of(settings))
