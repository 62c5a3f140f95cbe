"""Quotas and stock-outs: what Google's sentences mean, and where else there may be some."""

import json

import pytest

from cloudml_magic.dialects import service_usage_v1beta1 as service_usage
from cloudml_magic.dialects.aiplatform_v1 import read_job
from cloudml_magic.dialects.call import Call
from cloudml_magic.dialects.google_errors import explain
from cloudml_magic.dialects.shortages import counted_by, elsewhere
from cloudml_magic.records import Quota, Target

CREATE = Call("aiplatform.projects.locations.customJobs.create", {"parent": "projects/p/locations/us-central1"})
EXCEEDED = (
    "The following quota metrics exceed quota limits: aiplatform.googleapis.com/custom_model_training_nvidia_t4_gpus"
)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("aiplatform.googleapis.com/custom_model_training_nvidia_t4_gpus", ("T4", False)),
        ("aiplatform.googleapis.com/custom_model_training_preemptible_nvidia_a100_80gb_gpus", ("A100-80", True)),
        ("custom_model_training_tpu_v5e", ("TPU-V5E", False)),
        ("aiplatform.googleapis.com/custom_model_training_cpus", ("CPUs", False)),
        ("aiplatform.googleapis.com/custom_model_training_nvidia_h300_gpus", ("H300", False)),
        ("aiplatform.googleapis.com/online_prediction_requests", None),
    ],
)
def test_a_metric_tells_what_it_counts(metric: str, expected: object) -> None:
    """Each accelerator has one, and one for machines that may be taken away."""
    assert counted_by(metric) == expected


def test_a_job_beyond_its_quota_is_refused_with_the_metric_and_regions_to_try() -> None:
    """One error names accelerator, place and way out."""
    content = json.dumps({"error": {"code": 429, "message": EXCEEDED, "status": "RESOURCE_EXHAUSTED"}}).encode()
    assert str(explain(CREATE, 429, content)) == (
        "Project p may not use that much in us-central1: T4.\n"
        f"  Why:  {EXCEEDED}\n"
        "  Next: T4 is also in us-east1, us-east4, us-west1, us-west2:"
        " --regions us-central1,us-east1,us-east4,us-west1,us-west2 tries them in order.\n"
        "        `%ml_quota T4` shows what it may use where, and how to ask for more.\n"
        "[not-enough-quota]"
    )


def test_a_quota_of_spot_machines_is_told_as_one() -> None:
    """It is another one than that of standard machines."""
    content = json.dumps({"error": {"message": EXCEEDED.replace("nvidia", "preemptible_nvidia")}}).encode()
    assert explain(CREATE, 429, content).what == (
        "Project p may not use that much in us-central1: T4 on machines that may be taken away."
    )


def test_other_regions_of_the_continent_come_first() -> None:
    """Data has a shorter way there."""
    assert elsewhere("T4", "europe-west4")[:2] == ("europe-central2", "europe-west1")
    assert elsewhere("CPUs", "us-central1") == ()


def test_a_job_that_found_nothing_free_says_where_to_try() -> None:
    """Google names the region, the catalogue the others."""
    body = {
        "name": "projects/1/locations/us-west3/customJobs/1",
        "state": "JOB_STATE_FAILED",
        "error": {"code": 8, "message": "Resources are insufficient in region: us-west3. Try a different region."},
        "jobSpec": {
            "workerPoolSpecs": [
                {"machineSpec": {"machineType": "a2-highgpu-1g", "acceleratorType": "NVIDIA_TESLA_A100", "acceleratorCount": 1}}
            ]
        },
    }  # fmt: skip
    failure = read_job(body, Target.CLOUD).failure
    assert failure is not None
    assert failure.next == (
        "A100 is also in us-central1, us-east1, us-west1, us-west4:"
        " --regions us-west3,us-central1,us-east1,us-west1,us-west4 tries them in order."
    )


def test_quotas_are_read_with_their_regions() -> None:
    """The bucket without a region counts wherever there is none."""
    metric = "aiplatform.googleapis.com/custom_model_training_nvidia_t4_gpus"
    body = {
        "metrics": [
            {
                "metric": metric,
                "consumerQuotaLimits": [
                    {
                        "unit": "1/{project}/{region}",
                        "quotaBuckets": [
                            {"effectiveLimit": "1", "defaultLimit": "1"},
                            {"effectiveLimit": "4", "dimensions": {"region": "us-central1"}},
                            {"effectiveLimit": "-1", "dimensions": {"region": "europe-west4"}},
                        ],
                    }
                ],
            },
            {"metric": "aiplatform.googleapis.com/custom_model_serving_nvidia_t4_gpus"},
            {"metric": "aiplatform.googleapis.com/datasets"},
        ],
        "nextPageToken": "2",
    }
    (quota,), page_token = service_usage.read_quotas(body)
    assert quota == Quota("T4", metric, False, {"us-central1": 4, "europe-west4": -1}, 1)
    assert [quota.limit(region) for region in ("us-central1", "us-east1")] == [4, 1]
    assert page_token == "2"
