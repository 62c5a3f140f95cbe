"""Makes a batch prediction ready to start, says how it stands, and decides if one that died goes on."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloudml_magic.local_platform.artifacts import artifact_folder, check_pinned, engine_folder
from cloudml_magic.local_platform.errors import PlatformError
from cloudml_magic.local_platform.jobs.batch_inputs import in_our_buckets, input_objects
from cloudml_magic.local_platform.jobs.environment import clean_environment
from cloudml_magic.local_platform.jobs.packages import PreparationError
from cloudml_magic.local_platform.jobs.preparation import PreparedJob
from cloudml_magic.local_platform.jobs.restarts import died, emptied
from cloudml_magic.local_platform.jobs.supervision import assignment
from cloudml_magic.local_platform.logs import CHIEF
from cloudml_magic.local_platform.predictors.process import python_module
from cloudml_magic.places import PlatformPlaces
from cloudml_magic.serving.batch.specification import SPECIFICATION
from cloudml_magic.serving.batch.standing import Standing, standing
from cloudml_magic.serving.batch.whole_file import write_whole

MOST_DEATHS = 3
_DEATHS = "deaths.json"


def state_folder(jobs: Path, job_id: str) -> Path:
    """Where the process of a batch keeps what only it and the platform need."""
    return jobs / job_id / "batch"


class Batches:
    """Batch predictions of one platform."""

    def __init__(self, places: PlatformPlaces, buckets: Path, grace_seconds: float, *, fast_engine: bool) -> None:
        self._places = places
        self._buckets = buckets
        self._grace_seconds = grace_seconds
        self._fast_engine = fast_engine

    def prepare(self, job_id: str, body: Mapping[str, Any], model: Mapping[str, Any], gpu: int | None) -> PreparedJob:
        """What to start: the same whenever it is started again, but for the folder of its output log."""
        state = state_folder(self._places.jobs, job_id)
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            folder = artifact_folder(self._buckets, model["artifactUri"])
            check_pinned(folder, model["pinned"], model["title"], model["artifactUri"])
            if not (state / SPECIFICATION).exists():
                document = self._specification(body, model, folder, state)
                write_whole(state / SPECIFICATION, json.dumps(document).encode())
        except PlatformError as problem:
            raise PreparationError(problem.message) from None
        told = self._assignment(job_id, state, gpu)
        return PreparedJob([(CHIEF, told)], suits_spare=False, backend=None, note="")

    def _specification(
        self, body: Mapping[str, Any], model: Mapping[str, Any], folder: Path, state: Path
    ) -> dict[str, Any]:
        source = body["inputConfig"]
        found = input_objects(self._buckets, source["gcsSource"]["uris"])
        stats = {address: path.stat() for address, path in found.items()}
        prefix = body["outputConfig"]["gcsDestination"]["outputUriPrefix"].rstrip("/")
        given = body.get("predictionInput")
        output, address = self._new_output(prefix, model["displayName"]) if given is None else self._output(prefix)
        engine = engine_folder(self._places.engines, model["pinned"])
        return {
            "model": f"{model['displayName']}@{model['version']}" if given is None else model["title"],
            "model_folder": str(folder),
            "engine_folder": str(engine) if self._fast_engine else None,
            "format": source["instancesFormat"],
            "inputs": [
                {
                    "address": address,
                    "path": str(path),
                    "size": stats[address].st_size,
                    "modified_ns": stats[address].st_mtime_ns,
                }
                for address, path in found.items()
            ],
            "buckets": str(self._buckets),
            "output": str(output),
            "output_address": address,
            "state": str(state),
            "batch_size": body.get("manualBatchTuningParameters", {}).get("batchSize") or None,
            "workers": max(1, body.get("dedicatedResources", {}).get("startingReplicaCount") or 1),
            **({} if given is None else _as_asked(given, state)),
        }

    def _output(self, prefix: str) -> tuple[Path, str]:
        """The folder that was named, as the older API has it."""
        bucket, name = in_our_buckets(self._buckets, prefix, "output")
        folder = self._buckets.joinpath(bucket, *filter(None, name.split("/")))
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except (FileExistsError, NotADirectoryError):
            raise _occupied(prefix) from None
        return folder, prefix

    def _new_output(self, prefix: str, model: str) -> tuple[Path, str]:
        """A folder of the job's own, named as Vertex AI does."""
        bucket, name = in_our_buckets(self._buckets, prefix, "output")
        plain = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_") else "_" for sign in model)
        moment = time.time()
        while True:
            written = time.strftime("%Y_%m_%dT%H_%M_%S", time.gmtime(moment))
            own = f"prediction-{plain}-{written}_{int(moment % 1 * 1000):03d}Z"
            folder = self._buckets.joinpath(bucket, *filter(None, name.split("/")), own)
            try:
                folder.mkdir(parents=True, mode=0o700)
            except FileExistsError:
                moment += 0.001
                continue
            except NotADirectoryError:
                raise _occupied(prefix) from None
            return folder, f"{prefix}/{own}"

    def _assignment(self, job_id: str, state: Path, gpu: int | None) -> dict[str, Any]:
        folder = self._places.jobs / job_id / CHIEF
        emptied(folder)
        environment = {
            # Its notes on starting up would look like errors of the job.
            "TF_CPP_MIN_LOG_LEVEL": "3",
            **clean_environment(),
            "CLOUD_ML_JOB_ID": job_id,
            "CLOUDML_REPLICA": str(folder),
            "CLOUDML_STOPPING": str(folder / "stopping"),
            **({} if gpu is None else {"CUDA_VISIBLE_DEVICES": str(gpu)}),
        }
        command = python_module("cloudml_magic.serving.batch", str(state / SPECIFICATION))
        return assignment(folder, command, environment, grace_seconds=self._grace_seconds)

    def goes_on(self, job_id: str, ended: Mapping[str, Any] | None) -> bool:
        """Whether one whose process ended like this is started again: it died, and had got on since its last deaths."""
        if ended is not None and not died(ended):
            return False
        state = state_folder(self._places.jobs, job_id)
        now = standing(state)
        done = now.succeeded + now.failed if now else 0
        file = state / _DEATHS
        before = json.loads(file.read_bytes()) if file.exists() else {"done": -1, "deaths": 0}
        deaths = before["deaths"] + 1 if done <= before["done"] else 1
        with contextlib.suppress(OSError):
            # On a full disk it fails soon for that.
            write_whole(file, json.dumps({"done": done, "deaths": deaths}).encode())
        return bool(deaths < MOST_DEATHS)

    def remove_leftovers(self, job_id: str) -> None:
        """Takes back what no result is: unfinished outputs, and the folder of the output if nothing is in it."""
        now = standing(state_folder(self._places.jobs, job_id))
        if now is not None:
            for part in now.output.glob("prediction.*.part"):
                part.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                now.output.rmdir()


def _occupied(prefix: str) -> PlatformError:
    return PlatformError(400, f"An object lies where the output folder {prefix} should be.")


def _as_asked(given: Mapping[str, Any], state: Path) -> dict[str, Any]:
    """What only the older API's batches are told."""
    return {"signature": given.get("signatureName") or None, "predictions_only": True, "tag": f"{state.parent.name}."}


def told_of(job_folder: Path) -> dict[str, Any]:
    """What the resource of a job says of its outputs."""
    now: Standing | None = standing(job_folder / "batch")
    if now is None:
        return {}
    stats = {"successfulCount": now.succeeded, "failedCount": now.failed, "incompleteCount": now.incomplete}
    told: dict[str, Any] = {
        "outputInfo": {"gcsOutputDirectory": now.output_address},
        "completionStats": {name: str(count) for name, count in stats.items()},
    }
    if now.partial:
        told["partialFailures"] = [{"code": 3, "message": text} for text in now.partial]
    return told
