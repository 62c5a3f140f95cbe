"""Reads from a CustomJob's body what its replicas run, as Vertex would: pools, commands, variables, cluster."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudml_magic.local_platform.errors import PlatformError

_POOL_ROLES = ("chief", "worker", "ps", "evaluator")
OUTPUT_FOLDERS = {"AIP_MODEL_DIR": "model", "AIP_CHECKPOINT_DIR": "checkpoints", "AIP_TENSORBOARD_LOG_DIR": "logs"}
_MOST_REPLICAS = 16
_REFERENCE = re.compile(r"\$(\$|)\(([A-Za-z_][\w.-]*)\)")


@dataclass(frozen=True, slots=True)
class Replica:
    """One process of a job: `workerpool0-0` is the chief."""

    pool: int
    index: int
    image: str
    command: tuple[str, ...]
    module: str | None
    arguments: tuple[str, ...]
    package_uris: tuple[str, ...]
    variables: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        return f"workerpool{self.pool}-{self.index}"


def replicas_of(body: Mapping[str, Any]) -> list[Replica]:
    """All replicas of the job; a body that says nothing runnable is refused."""
    pools = (body.get("jobSpec") or {}).get("workerPoolSpecs") or []
    if sum(max(0, _count(spec)) for spec in pools if spec) > _MOST_REPLICAS:
        raise PlatformError(400, f"This machine runs at most {_MOST_REPLICAS} replicas of one job.")
    found = [replica for pool, spec in enumerate(pools) if spec for replica in _of_pool(pool, spec)]
    if not found or found[0].pool != 0:
        raise PlatformError(400, "The first worker pool of the job is missing: it needs one replica.")
    if len(pools) > len(_POOL_ROLES):
        raise PlatformError(400, "A job has at most four worker pools: chief, workers, parameter servers, evaluators.")
    if sum(replica.pool == 0 for replica in found) != 1:
        raise PlatformError(400, "The first worker pool of a job has exactly one replica.")
    return found


def _count(spec: Mapping[str, Any]) -> int:
    return int(spec.get("replicaCount") or 1)


def _of_pool(pool: int, spec: Mapping[str, Any]) -> Iterator[Replica]:
    container = spec.get("containerSpec") or {}
    package = spec.get("pythonPackageSpec") or {}
    where = f"job_spec.worker_pool_specs[{pool}]"
    task = container or package
    image = container.get("imageUri") or package.get("executorImageUri")
    if not image:
        raise PlatformError(400, f"Worker pool {pool} names no image.", violations=[(where, "image is required")])
    if package and not container and not (package.get("packageUris") and package.get("pythonModule")):
        raise PlatformError(400, f"Worker pool {pool} names no package or no module.", violations=[(where, "required")])
    if container and not container.get("command"):
        raise PlatformError(
            400,
            f"Worker pool {pool} has no command: the local platform runs no containers and so knows no entry point.",
            violations=[(f"{where}.container_spec.command", "required on the local platform")],
        )
    for index in range(_count(spec)):
        yield Replica(
            pool=pool,
            index=index,
            image=image,
            command=tuple(container.get("command") or ()),
            module=package.get("pythonModule"),
            arguments=tuple(task.get("args") or ()),
            package_uris=tuple(package.get("packageUris") or ()),
            variables=tuple((item["name"], item.get("value", "")) for item in task.get("env") or () if "name" in item),
        )


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """`$(NAME)` becomes the variable's value where there is one, `$$(NAME)` the text `$(NAME)`."""

    def value(found: re.Match[str]) -> str:
        if found.group(1):
            return f"$({found.group(2)})"
        return variables.get(found.group(2), found.group())

    return _REFERENCE.sub(value, text)


def job_variables(
    body: Mapping[str, Any], job_id: str, project: str, buckets: Path, cluster: Cluster, replica: Replica
) -> dict[str, str]:
    """What Vertex sets: `AIP_*` (here as paths of the bucket's folder), ids, and the cluster.

    Under `trainingInput` stands what a job of the older API was submitted with: there `TF_CONFIG` says all.
    """
    variables = {"CLOUD_ML_PROJECT_ID": project, "CLOUD_ML_JOB_ID": job_id}
    base = output_folder(body, buckets)
    if base is not None:
        variables |= {name: f"{base}/{folder}/" for name, folder in OUTPUT_FOLDERS.items()}
    if (given := body.get("trainingInput")) is not None:
        return {**variables, "TF_CONFIG": _cluster_by_role(cluster, replica, chief_role(given), _snake(given))}
    task = {"type": f"workerpool{replica.pool}", "index": replica.index, "trial": ""}
    spec = json.dumps(body.get("jobSpec") or {})
    variables["CLUSTER_SPEC"] = json.dumps(
        {"cluster": cluster.by_pool(), "environment": "cloud", "task": task, "job": spec}
    )
    if cluster.count > 1:
        variables["TF_CONFIG"] = _cluster_by_role(cluster, replica, _POOL_ROLES[0])
    return variables


def chief_role(given: Mapping[str, Any]) -> str:
    """What the older API calls a job's first replica: `master` up to runtime version 2.0 and in most containers."""
    if (given.get("masterConfig") or {}).get("imageUri"):
        return "chief" if given.get("useChiefInTfConfig") else "master"
    major, _, minor = str(given.get("runtimeVersion") or "").partition(".")
    is_new = major.isdigit() and minor.isdigit() and (int(major), int(minor)) >= (2, 1)
    return "chief" if is_new else "master"


def _cluster_by_role(cluster: Cluster, replica: Replica, chief: str, job: Mapping[str, Any] | None = None) -> str:
    names = (chief, *_POOL_ROLES[1:])
    task = {"type": names[replica.pool], "index": replica.index, "trial": ""}
    said = {"cluster": cluster.by_role(chief), "environment": "cloud", "task": task}
    return json.dumps(said if job is None else {**said, "job": job})


def _snake(value: Any) -> Any:
    """The fields as TensorFlow programs of the older API read them: `scale_tier`."""
    if isinstance(value, Mapping):
        return {re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", name): _snake(value[name]) for name in value}
    return [_snake(each) for each in value] if isinstance(value, list) else value


def output_folder(body: Mapping[str, Any], buckets: Path) -> Path | None:
    """The folder that `baseOutputDirectory` is on this machine."""
    prefix = ((body.get("jobSpec") or {}).get("baseOutputDirectory") or {}).get("outputUriPrefix")
    return bucket_path(prefix, buckets) if prefix else None


def bucket_path(address: str, buckets: Path) -> Path:
    """`gs://BUCKET/NAME` as a path; only names that lie inside the bucket's folder."""
    parts = address.removeprefix("gs://").rstrip("/").split("/")
    if not address.startswith("gs://") or not parts[0] or any(part in ("", ".", "..") for part in parts):
        raise PlatformError(400, f"{address!r} is no address of a folder in a bucket (gs://BUCKET/…).")
    return buckets.joinpath(*parts)


class Cluster:
    """Addresses of a job's replicas on the loopback, for clients that ask for several."""

    def __init__(self, replicas: list[Replica]) -> None:
        self.count = len(replicas)
        self._addresses = {replica.name: f"127.0.0.1:{port}" for replica, port in _with_ports(replicas)}
        self._replicas = replicas

    def by_pool(self) -> dict[str, list[str]]:
        return self._grouped([f"workerpool{pool}" for pool in range(len(_POOL_ROLES))], len(_POOL_ROLES))

    def by_role(self, chief: str = _POOL_ROLES[0]) -> dict[str, list[str]]:
        # Evaluators stand outside the cluster.
        return self._grouped([chief, *_POOL_ROLES[1:]], 3)

    def _grouped(self, names: list[str], pools: int) -> dict[str, list[str]]:
        groups: dict[str, list[str]] = {}
        for replica in self._replicas:
            if replica.pool < pools:
                groups.setdefault(names[replica.pool], []).append(self._addresses[replica.name])
        return groups


def _with_ports(replicas: list[Replica]) -> list[tuple[Replica, int]]:
    if len(replicas) == 1:
        return [(replicas[0], 2222)]
    sockets = [socket.socket() for _ in replicas]
    try:
        for opened in sockets:
            opened.bind(("127.0.0.1", 0))
        return [(replica, opened.getsockname()[1]) for replica, opened in zip(replicas, sockets, strict=True)]
    finally:
        for opened in sockets:
            opened.close()
