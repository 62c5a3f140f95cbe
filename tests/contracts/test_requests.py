"""Every request that a dialect can make is one that Google's document allows; none is left out."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from cloudml_magic import dialects
from cloudml_magic.dialects import (
    artifact_registry_v1,
    cloud_billing_v1,
    cloud_build_v1,
    iam_v1,
    logging_v2,
    protection,
    resource_manager_v3,
    service_usage_v1,
    service_usage_v1beta1,
)
from cloudml_magic.dialects.aiplatform_v1 import batch, endpoints, jobs, models, operations
from cloudml_magic.dialects.call import Call
from cloudml_magic.dialects.ml_v1 import jobs as old_jobs
from cloudml_magic.dialects.ml_v1 import models as old_models
from cloudml_magic.dialects.ml_v1 import operations as old_operations
from cloudml_magic.records import (
    Accelerator,
    BatchSpec,
    DeploymentSpec,
    JobKind,
    JobSpec,
    Machine,
    ModelVersion,
    Protection,
    VersionSpec,
)

from .against_documents import wrong_with_call

PLACE = ("a-project", "us-central1")
LOCATION = "projects/1/locations/us-central1"
JOB, BATCH = f"{LOCATION}/customJobs/5", f"{LOCATION}/batchPredictionJobs/5"
ENDPOINT, MODEL = f"{LOCATION}/endpoints/6", f"{LOCATION}/models/7"
OPERATION = f"{LOCATION}/models/7/operations/8"
UPLOAD = VersionSpec("digits", "gs://b/m", "tensorflow/serving:2.21.0")
VERSION = ModelVersion(f"{MODEL}@1", "d", "1", "gs://b/m", "tensorflow/serving", 0.0)
DEPLOYMENT = DeploymentSpec(VERSION, "17", Machine("n1-standard-2"), (1, 2), {"17": 60, "4": 40})
OLD_MODEL = "projects/a-project/models/digits"
SPEC = JobSpec(
    name="digits", token="0123456789abcdef", package_uri="gs://b/packages/d.tar.gz", package_sha256="f" * 64,
    module="cloudml_trainer.task", folder="gs://b/jobs/digits-1", image="tensorflow/tensorflow:2.21.0-gpu",
    command=("python3", "-c", "BOOT"), machine=Machine(None, Accelerator("T4", 2), spot=True),
    arguments=("--width=64",), environment=(("A", "b"),), timeout_seconds=3600, labels=(("cloudml-name", "digits"),),
)  # fmt: skip
PLAIN = JobSpec(
    name="digits", token="0123456789abcdef", package_uri="gs://b/d.tar.gz", package_sha256="f" * 64, module="m.task",
    folder="gs://b/jobs/digits-1", image="tensorflow/tensorflow:2.21.0", command=("python3", "-c", "BOOT"),
)  # fmt: skip
BATCH_SPEC = BatchSpec(
    name="digits", token="0123456789abcdef", model=f"{MODEL}@1", format="tfrecord", inputs=("gs://b/x",),
    output="gs://b/y", machine=Machine("n1-standard-4", Accelerator("T4")), batch_size=64, workers=2,
)  # fmt: skip

FLEXIBLE = replace(SPEC, machine=Machine(None, Accelerator("H100", 8), flexible=True))
PROTECTION = Protection("a@b.iam.gserviceaccount.com", "projects/p/locations/us-central1/keyRings/r/cryptoKeys/k")

Example = tuple[Callable[..., Call], tuple[Any, ...], dict[str, Any]]


def example(build: Callable[..., Call], *arguments: Any, **options: Any) -> Example:
    return build, arguments, options


EXAMPLES = [
    example(jobs.create_job, SPEC, *PLACE),
    example(jobs.create_job, PLAIN, *PLACE),
    example(jobs.create_job, FLEXIBLE, *PLACE),
    example(jobs.create_job, replace(SPEC, image="us-docker.pkg.dev/vertex-ai/training/tf-cpu.2-17.py310:latest"),
            *PLACE),
    example(jobs.masked, jobs.create_job(SPEC, *PLACE), frozenset({"A"})),
    example(jobs.get_job, JOB),
    example(jobs.list_jobs, *PLACE),
    example(jobs.list_jobs, *PLACE, token="0123", page_token="next"),
    example(jobs.list_jobs, *PLACE, active=True),
    example(jobs.cancel_job, JOB),
    example(jobs.delete_job, JOB),
    example(batch.create_batch_job, BATCH_SPEC, *PLACE),
    example(batch.get_job, BATCH),
    example(batch.list_jobs, *PLACE, token="0123"),
    example(batch.cancel_job, BATCH),
    example(batch.delete_job, BATCH),
    example(endpoints.create_endpoint, "digits", *PLACE, {"cloudml-name": "digits"}),
    example(endpoints.get_endpoint, ENDPOINT),
    example(endpoints.list_endpoints, *PLACE, name='di"gits', page_token="next"),
    example(endpoints.delete_endpoint, ENDPOINT),
    example(endpoints.deploy_model, ENDPOINT, DEPLOYMENT),
    example(endpoints.undeploy_model, ENDPOINT, "17", {"4": 100}),
    example(endpoints.split_traffic, ENDPOINT, {"17": 100}),
    example(endpoints.predict, ENDPOINT, [[1, 2]], "17"),
    example(endpoints.raw_predict, ENDPOINT, b"x", "application/x-npy", {"signature_name": "serve"}),
    example(models.upload_model, UPLOAD, *PLACE),
    example(models.upload_model, replace(UPLOAD, parent_model=MODEL, aliases=("golden",), labels={"a": "b"}), *PLACE),
    example(models.upload_model, replace(UPLOAD, artifact_uri="gs://b/m/1", numbered=True), *PLACE),
    example(models.get_model, f"{MODEL}@1"),
    example(models.list_models, *PLACE, name="digits"),
    example(models.list_versions, MODEL, "next"),
    example(models.delete_model, MODEL),
    example(models.delete_version, f"{MODEL}@1"),
    example(models.merge_aliases, f"{MODEL}@1", ("golden", "-old")),
    example(operations.get_operation, OPERATION),
    example(operations.cancel_operation, OPERATION),
    example(protection.protected, jobs.create_job(SPEC, *PLACE), PROTECTION),
    example(protection.protected, batch.create_batch_job(BATCH_SPEC, *PLACE), PROTECTION),
    example(protection.protected, models.upload_model(UPLOAD, *PLACE), PROTECTION),
    example(protection.protected, endpoints.create_endpoint("d", *PLACE, {}), PROTECTION),
    example(protection.protected, endpoints.deploy_model(ENDPOINT, DEPLOYMENT), PROTECTION),
    example(logging_v2.list_entries, "a-project", "5", newest_first=True, page_token="next"),
    example(logging_v2.list_entries_since, "a-project", ["5", "6"], 1_800_000_000.25),
    example(resource_manager_v3.get_project, "a-project"),
    example(resource_manager_v3.test_permissions, "a-project", ["aiplatform.customJobs.create"]),
    example(service_usage_v1.get_services, "a-project", ["aiplatform.googleapis.com"]),
    example(service_usage_v1.enable_services, "a-project", ["aiplatform.googleapis.com"]),
    example(service_usage_v1.get_operation, "operations/acf.p2-1"),
    example(iam_v1.test_permissions, "a-project", "a@b.iam.gserviceaccount.com", ["iam.serviceAccounts.actAs"]),
    example(cloud_billing_v1.list_skus, "next"),
    example(service_usage_v1beta1.list_quotas, "a-project", "next"),
    example(artifact_registry_v1.get_repository, *PLACE, "cloudml"),
    example(artifact_registry_v1.create_repository, *PLACE, "cloudml"),
    example(artifact_registry_v1.create_mirror, *PLACE, "cloudml-docker-hub"),
    example(artifact_registry_v1.get_tag, *PLACE, "cloudml", "trainer", "0123456789abcdef"),
    example(artifact_registry_v1.get_operation, "projects/p/locations/us-central1/operations/5"),
    example(cloud_build_v1.create_build, "a-project", "b", "images/x.tar.gz", "us-docker.pkg.dev/p/r/i:1",
            timeout_seconds=3600, service_account="a@b.iam.gserviceaccount.com"),
    example(cloud_build_v1.get_build, "a-project", "b1"),
    example(old_jobs.create_job, replace(SPEC, machine=Machine(None, Accelerator("T4", 2))), *PLACE),
    example(old_jobs.create_job, PLAIN, *PLACE),
    example(old_jobs.create_batch_job, replace(BATCH_SPEC, model=f"{OLD_MODEL}@1"), *PLACE),
    example(old_jobs.create_batch_job, replace(BATCH_SPEC, model=OLD_MODEL, format="jsonl"), *PLACE),
    example(protection.protected, old_jobs.create_job(PLAIN, *PLACE), PROTECTION),
    example(old_models.create_model, "di-gits", *PLACE, {"cloudml-model": "digits"}),
    example(old_models.get_model, OLD_MODEL),
    example(old_models.list_models, "a-project", "next"),
    example(old_models.delete_model, OLD_MODEL),
    example(old_models.create_version, OLD_MODEL, 2, replace(UPLOAD, labels={"a": "b"}),
            Machine(None, Accelerator("T4"))),
    example(old_models.list_versions, OLD_MODEL, "next"),
    example(old_models.delete_version, f"{OLD_MODEL}@2"),
    example(old_models.set_default, OLD_MODEL, "2"),
    example(old_models.predict, f"{OLD_MODEL}/versions/v2", [[1, 2]], "serve"),
    example(old_operations.get_operation, "projects/a-project/operations/create_m_v1-5"),
    example(old_operations.cancel_operation, "projects/a-project/operations/create_m_v1-5"),
]  # fmt: skip
_OLD = old_jobs.Jobs(JobKind.TRAINING, "a-project")
OF_OLD_JOBS = [
    example(_OLD.get_job, "projects/a-project/jobs/digits_1"),
    example(_OLD.list_jobs, *PLACE, token="0123", page_token="next"),
    example(_OLD.list_jobs, *PLACE, active=True),
    example(_OLD.cancel_job, "projects/a-project/jobs/digits_1"),
]


def name_of(build: Callable[..., Call]) -> str:
    """Where a builder lives; those of jobs are one class's, told apart by what they call."""
    owner = getattr(build, "__self__", None)
    where = getattr(owner, "collection", build.__module__.removeprefix("cloudml_magic.dialects."))
    return f"{where}.{build.__name__}"


def builders() -> Iterator[str]:
    """Every public function of the dialects that makes a call."""
    for found in pkgutil.walk_packages(dialects.__path__, f"{dialects.__name__}."):
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            makes_call = getattr(value, "__annotations__", {}).get("return") in ("Call", Call)
            is_its_own = inspect.ismethod(value) or getattr(value, "__module__", "") == found.name
            if makes_call and is_its_own and not name.startswith("_"):
                yield name_of(value)


@pytest.mark.parametrize("case", EXAMPLES + OF_OLD_JOBS, ids=lambda case: name_of(case[0]))
def test_a_request_is_one_that_the_document_allows(case: Example) -> None:
    """Method, parameters with their patterns, and body, strictly: our requests need none of the liberties."""
    build, arguments, options = case
    assert wrong_with_call(build(*arguments, **options)) == []


def test_no_request_is_left_out() -> None:
    """A new one needs an example here."""
    assert set(builders()) == {name_of(build) for build, _, _ in EXAMPLES}
    methods = inspect.getmembers(old_jobs.Jobs, inspect.isfunction)
    of_class = {name for name, method in methods if method.__annotations__.get("return") == "Call"}
    assert of_class == {build.__name__ for build, _, _ in OF_OLD_JOBS}


@pytest.mark.parametrize(
    ("call", "wrong"),
    [
        (Call("aiplatform.projects.locations.customJobs.make"), "there is no such method"),
        (Call(f"{jobs._JOBS}.get"), "name is missing"),
        (Call(f"{jobs._JOBS}.get", {"name": "customJobs/5"}), "name: 'customJobs/5' does not match"),
        (Call(f"{jobs._JOBS}.get", {"name": JOB, "names": "x"}), "names is no parameter"),
        (Call(f"{jobs._JOBS}.get", {"name": JOB}, {}), "it takes no body"),
        (Call(f"{jobs._JOBS}.list", {"parent": LOCATION, "pageSize": "5"}), "pageSize: '5' is no integer"),
        (Call(f"{jobs._JOBS}.create", {"parent": LOCATION}, {"display_name": "x"}), 'Unknown name "display_name"'),
    ],
)
def test_a_wrong_request_would_be_noticed(call: Call, wrong: str) -> None:
    """The check itself, with one fault each."""
    found = wrong_with_call(call)
    assert len(found) == 1
    assert wrong in found[0]
