"""From what a user calls a model (`digits`, `digits/2`) to its versions, its endpoint and what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cloudml_magic.connection import Connection
from cloudml_magic.dialects.machines import machine_title
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.session import connection
from cloudml_magic.records import DeployedVersion, Endpoint, ModelVersion, Target
from cloudml_magic.wording import place_words

_NAMED = 8


@dataclass(frozen=True, slots=True)
class ModelLine:
    """One version as `%ml_models` lists it; `deployed` is None where it answers nowhere."""

    version: ModelVersion
    endpoint: Endpoint | None
    deployed: DeployedVersion | None
    target: Target


@dataclass(frozen=True, slots=True)
class DeployedModel:
    """Whom to ask: an endpoint, and one of its versions where the user named one."""

    name: str
    connection: Connection
    endpoint: Endpoint
    version: ModelVersion
    deployed: DeployedVersion
    is_pinned: bool


def answering_machine(deployed: DeployedVersion, target: Target) -> str:
    """What a version answers on, in words; nothing where the platform does not say it."""
    return place_words(target, machine_title(deployed.machine) if deployed.machine else "")


def split_title(text: str) -> tuple[str, str | None]:
    """`census/2` as model and version (a number or an alias)."""
    name, separator, version = text.partition("/")
    if not name or (separator and not version) or "/" in version:
        raise CloudMLError(
            "bad-model-name", f"{text!r} names no model.", next="Write it as MODEL or MODEL/VERSION, such as census/2."
        )
    return name, version or None


def versions_of(name: str, there: Connection) -> list[ModelVersion]:
    """The versions of the model of this name, oldest first; the model that was made last, if several are called so."""
    models = sorted(there.client.models.models(name), key=lambda model: model.created)
    return there.client.models.versions(models[-1].model_resource) if models else []


def known_versions(name: str, there: Connection) -> list[ModelVersion]:
    """The versions of a model that there is; raises if there is none."""
    versions = versions_of(name, there)
    if not versions:
        raise unknown_model(name, there)
    return versions


def endpoint_of(name: str, there: Connection) -> Endpoint | None:
    """The endpoint of the model of this name."""
    found = sorted(there.client.models.endpoints(name), key=lambda endpoint: endpoint.created)
    return found[-1] if found else None


def chosen_version(versions: Sequence[ModelVersion], wanted: str, title: str) -> ModelVersion:
    """The version of a number or an alias."""
    for version in versions:
        if wanted == version.version or wanted in version.aliases:
            return version
    numbers = ", ".join(version.version for version in versions)
    raise CloudMLError(
        "unknown-version",
        f"There is no version {title}.",
        next=f"Its versions are: {numbers}. `%ml_models` lists them.",
    )


def deployed_model(title: str) -> DeployedModel:
    """The endpoint that answers for MODEL or MODEL/VERSION."""
    name, wanted = split_title(title)
    there = connection()
    versions = known_versions(name, there)
    endpoint = endpoint_of(name, there)
    holding = {held.version: held for held in endpoint.deployed} if endpoint else {}
    if wanted:
        version = chosen_version(versions, wanted, title)
        deployed = holding.get(version.version)
    else:
        deployed = max(holding.values(), key=lambda held: (held.traffic, held.created), default=None)
        version = next((each for each in versions if deployed and each.version == deployed.version), versions[-1])
    if endpoint is None or deployed is None:
        answers = ", ".join(f"{name}/{number}" for number in holding)
        raise CloudMLError(
            "model-not-deployed",
            f"{version.title if wanted else name} is not deployed, so nothing answers.",
            why=f"Deployed are: {answers}." if answers else "",
            next=f"Deploy it: `%ml_deploy {version.artifact_uri} --as {name}`.",
        )
    return DeployedModel(name, there, endpoint, version, deployed, is_pinned=wanted is not None)


def model_lines(title: str | None = None) -> list[ModelLine]:
    """Every version of every model of the place, those of one model together, the latest model first.

    With MODEL or MODEL/VERSION only what it names.
    """
    there = connection()
    name, wanted = split_title(title) if title else (None, None)
    endpoints = list(there.client.models.endpoints())
    held = {
        (deployed.model_resource, deployed.version): (endpoint, deployed)
        for endpoint in endpoints
        for deployed in endpoint.deployed
    }
    lines = []
    models = sorted(there.client.models.models(name), key=lambda model: model.created, reverse=True)
    for model in models:
        for version in there.client.models.versions(model.model_resource):
            endpoint, deployed = held.get((version.model_resource, version.version), (None, None))
            lines.append(ModelLine(version, endpoint, deployed, there.place.target))
    if name and not lines:
        raise unknown_model(name, there)
    if title and wanted:
        chosen = chosen_version([line.version for line in lines], wanted, title)
        return [line for line in lines if line.version == chosen]
    return lines


def unknown_model(name: str, there: Connection) -> CloudMLError:
    """There is no such model; these are there."""
    names = sorted({model.name for model in there.client.models.models()})
    more = f" and {len(names) - _NAMED} more, which `%ml_models` lists" if len(names) > _NAMED else ""
    return CloudMLError(
        "unknown-model",
        f"There is no model {name!r}.",
        next=f"The models are: {', '.join(names[:_NAMED])}{more}."
        if names
        else f"Deploy a job's model first: `%ml_deploy {name}`.",
    )
