"""A TrainingInput of the older API: what must be in it, and the CustomJob of today that does the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cloudml_magic.local_platform.errors import PlatformError, refused
from cloudml_magic.local_platform.images import runtime_image
from cloudml_magic.local_platform.jobs.replicas import bucket_path
from cloudml_magic.local_platform.routes.ml_v1.machines import TIERS, PoolNeed, machine_need
from cloudml_magic.local_platform.routes.ml_v1.refusals import required, snake

_WHERE = "training_input"
_MOST_PACKAGES = 100
_POOLS = ("master", "worker", "parameterServer", "evaluator")
_VERSION = re.compile(r"\d{1,3}\.\d{1,3}")


def check_training_input(given: Mapping[str, Any]) -> None:
    """Refuses what the older API requires and is not there, and what this platform does not emulate."""
    if given.get("hyperparameters"):
        raise PlatformError(
            501,
            "The local platform does not emulate hyperparameter tuning (training_input.hyperparameters): it would have"
            " to run one trial and call it the best. Leave hyperparameters out to train once.",
        )
    required(given, "scaleTier", _WHERE)
    required(given, "region", _WHERE)
    if _image(given, "master"):
        _check_container(given)
    else:
        _check_package(given)
    _check_pools(given)
    _check_scheduling(given.get("scheduling") or {})
    if given.get("jobDir"):
        _check_job_dir(given["jobDir"])


def _check_package(given: Mapping[str, Any]) -> None:
    for field in ("packageUris", "pythonModule", "runtimeVersion"):
        required(given, field, _WHERE)
    for field in ("runtimeVersion", "pythonVersion"):
        if given.get(field) and not _VERSION.fullmatch(given[field]):
            raise refused(400, f"{_WHERE}.{snake(field)}", f"{given[field][:40]!r} is no version such as 2.11 or 3.7.")
    if len(given["packageUris"]) > _MOST_PACKAGES:
        raise refused(400, f"{_WHERE}.package_uris", f"At most {_MOST_PACKAGES} packages are supported.")
    for pool in _POOLS:
        for field in ("imageUri", "containerCommand", "containerArgs"):
            if (given.get(f"{pool}Config") or {}).get(field):
                where = f"{_WHERE}.{snake(pool)}_config.{snake(field)}"
                raise refused(400, where, "It can only be set together with master_config.image_uri.")


def _check_container(given: Mapping[str, Any]) -> None:
    for field in ("runtimeVersion", "pythonVersion"):
        if given.get(field):
            raise refused(
                400, f"{_WHERE}.{snake(field)}", "It cannot be set together with master_config.image_uri."
            )  # fmt: skip
    for pool in _POOLS:
        config = given.get(f"{pool}Config") or {}
        if given.get("args") and config.get("containerArgs"):
            raise refused(
                400, f"{_WHERE}.{snake(pool)}_config.container_args", "It cannot be set together with args."
            )  # fmt: skip
    if not (given["masterConfig"].get("containerCommand")):
        raise refused(
            400,
            f"{_WHERE}.master_config.container_command",
            "Required on the local platform, which runs no containers and so knows no entry point.",
        )


def _check_job_dir(job_dir: str) -> None:
    try:
        bucket_path(job_dir, Path())
    except PlatformError as problem:
        raise refused(400, f"{_WHERE}.job_dir", problem.message) from None


def _check_pools(given: Mapping[str, Any]) -> None:
    is_custom = given["scaleTier"] == "CUSTOM"
    if is_custom:
        required(given, "masterType", _WHERE)
    for pool in _POOLS:
        count = int(given.get(f"{pool}Count") or 0)
        if count < 0:
            raise refused(400, f"{_WHERE}.{snake(pool)}_count", "It must not be negative.")
        if count and is_custom:
            required(given, f"{pool}Type", _WHERE)
        if (given.get(f"{pool}Type") or count) and not is_custom:
            field = f"{pool}Type" if given.get(f"{pool}Type") else f"{pool}Count"
            raise refused(
                400, f"{_WHERE}.{snake(field)}", f"It can only be set with scale_tier CUSTOM, not {given['scaleTier']}."
            )  # fmt: skip


def _check_scheduling(scheduling: Mapping[str, Any]) -> None:
    where = f"{_WHERE}.scheduling"
    for field, least in (("maxRunningTime", 0.0), ("maxWaitTime", 1800.0)):
        if scheduling.get(field) and not float(scheduling[field][:-1]) >= least:
            raise refused(400, f"{where}.{snake(field)}", f"It must be at least {least:g}s.")
    if not 0 <= int(scheduling.get("priority") or 0) <= 1000:
        raise refused(400, f"{where}.priority", "It must be from 0 to 1000.")


def custom_job(id: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What runs for a training job; `trainingInput` goes with it for the variables that the older API sets."""
    pools = []
    for pool, need in zip(_POOLS, _needs(given), strict=False):
        # An empty pool keeps the place of those after it.
        pools.append(
            {
                "machineSpec": need.machine.specification(),
                "replicaCount": str(need.count),
                "diskSpec": _disk(given, pool),
                **_task(given, pool),
            }
            if need.count
            else {}
        )
    specification: dict[str, Any] = {"workerPoolSpecs": pools}
    if limit := (given.get("scheduling") or {}).get("maxRunningTime"):
        specification["scheduling"] = {"timeout": limit}
    return {"displayName": id, "jobSpec": specification, "trainingInput": given}


def _needs(given: Mapping[str, Any]) -> Iterator[PoolNeed]:
    if given["scaleTier"] != "CUSTOM":
        yield from TIERS[given["scaleTier"]]
        return
    for pool in _POOLS:
        count = 1 if pool == "master" else int(given.get(f"{pool}Count") or 0)
        accelerators = (given.get(f"{pool}Config") or {}).get("acceleratorConfig")
        yield PoolNeed(machine_need(given.get(f"{pool}Type", ""), accelerators), count)


def _task(given: Mapping[str, Any], pool: str) -> dict[str, Any]:
    job_dir = ["--job-dir", given["jobDir"]] if given.get("jobDir") else []
    if not _image(given, "master"):
        return {
            "pythonPackageSpec": {
                "executorImageUri": runtime_image(given["runtimeVersion"], given.get("pythonVersion")),
                "packageUris": given["packageUris"],
                "pythonModule": given["pythonModule"],
                "args": [*given.get("args", []), *job_dir],
            }
        }
    config = {**given["masterConfig"], **(given.get(f"{pool}Config") or {})}
    return {
        "containerSpec": {
            "imageUri": config["imageUri"],
            "command": config["containerCommand"],
            "args": [*(given.get("args") or config.get("containerArgs") or []), *job_dir],
        }
    }


def _image(given: Mapping[str, Any], pool: str) -> str:
    return str((given.get(f"{pool}Config") or {}).get("imageUri") or "")


def _disk(given: Mapping[str, Any], pool: str) -> dict[str, Any]:
    return {
        "bootDiskType": "pd-ssd",
        "bootDiskSizeGb": 100,
        **((given.get(f"{pool}Config") or {}).get("diskConfig") or {}),
    }
