"""The environment of a serving process: this machine's, less what is the platform's own, plus what Vertex sets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cloudml_magic.local_platform.artifacts import is_trusted
from cloudml_magic.local_platform.jobs.environment import clean_environment
from cloudml_magic.local_platform.jobs.replicas import expanded
from cloudml_magic.local_platform.resources.endpoints import StoredDeployment
from cloudml_magic.local_platform.resources.models import StoredVersion
from cloudml_magic.local_platform.settings import PROJECT_NUMBER
from cloudml_magic.serving.model_source import TRUST

OWNER = "CLOUDML_PREDICTORS_OF"
"""Names the platform's folder in each of its processes, so that what a killed platform left is found."""


def health_route(deployment: StoredDeployment, version: StoredVersion) -> str:
    """Where the process answers whether it is well."""
    return version.body["containerSpec"].get("healthRoute") or _route(deployment)


def predict_route(deployment: StoredDeployment, version: StoredVersion) -> str:
    """Where the process answers predictions."""
    return version.body["containerSpec"].get("predictRoute") or f"{_route(deployment)}:predict"


def predictor_environment(
    deployment: StoredDeployment, version: StoredVersion, model_folder: Path, folder: Path, engine: Path | None
) -> dict[str, str]:
    """All that a serving process is told, but for its socket."""
    machine = deployment.body.get("dedicatedResources", {}).get("machineSpec", {})
    return {
        **loading_environment(version, folder),
        **_variables(version),
        "AIP_STORAGE_URI": str(model_folder),
        "AIP_HEALTH_ROUTE": health_route(deployment, version),
        "AIP_PREDICT_ROUTE": predict_route(deployment, version),
        "AIP_ENDPOINT_ID": deployment.endpoint,
        "AIP_DEPLOYED_MODEL_ID": deployment.id,
        "AIP_MODEL_NAME": deployment.endpoint,
        "AIP_VERSION_NAME": deployment.id,
        "AIP_MODE": "PREDICTION",
        "AIP_MODE_VERSION": "1.0.0",
        "AIP_FRAMEWORK": "CUSTOM_CONTAINER",
        "AIP_PROJECT_NUMBER": PROJECT_NUMBER,
        "AIP_MACHINE_TYPE": machine.get("machineType", ""),
        "AIP_ACCELERATOR_TYPE": machine.get("acceleratorType", ""),
        "CLOUDML_SERVING_MODEL": deployment.model,
        "CLOUDML_SERVING_VERSION": str(deployment.version),
        "CLOUDML_SERVING_PARENT": "stdin",
        # The older API's answers name each output, also the only one.
        **({} if deployment.location else {"CLOUDML_SERVING_NAMES_OUTPUTS": "1"}),
        **({"CLOUDML_SERVING_ENGINE": str(engine)} if engine else {}),
    }


def loading_environment(version: StoredVersion, folder: Path) -> dict[str, str]:
    """What every process starts from that loads a version of a model."""
    return {**owned_environment(folder), **({TRUST: "1"} if is_trusted(version.body) else {})}


def owned_environment(folder: Path) -> dict[str, str]:
    """What every process of a platform's predictors starts from."""
    return {**clean_environment(), OWNER: str(folder)}


def _route(deployment: StoredDeployment) -> str:
    return f"/v1/endpoints/{deployment.endpoint}/deployedModels/{deployment.id}"


def _variables(version: StoredVersion) -> Mapping[str, str]:
    variables: dict[str, str] = {}
    for each in version.body["containerSpec"].get("env", []):
        variables[each["name"]] = expanded(each.get("value", ""), variables)
    return variables
