"""Quotas in the cloud: what a project may use where, and jobs that try several regions."""

from __future__ import annotations

from typing import Any

import pytest

from cloudml_magic import pipeline
from cloudml_magic.catalogue import catalogue
from cloudml_magic.errors import CloudMLError
from cloudml_magic.history import ExecutedCell
from cloudml_magic.pipeline.options import TrainOptions
from cloudml_magic.pipeline.session import ledger
from tests.cloud.conftest import Cloud
from tests.faults.proxy import Fault

QUOTAS = "serviceusage.services.consumerQuotaMetrics.list"
METRIC = "aiplatform.googleapis.com/custom_model_training_nvidia_t4_gpus"
EXCEEDED = f"The following quota metrics exceed quota limits: {METRIC}"


def metric(name: str, everywhere: int, **regions: int) -> dict[str, Any]:
    buckets: list[dict[str, Any]] = [{"effectiveLimit": str(everywhere)}]
    buckets += [
        {"effectiveLimit": str(limit), "dimensions": {"region": region.replace("_", "-")}}
        for region, limit in regions.items()
    ]
    return {
        "metric": f"aiplatform.googleapis.com/custom_model_training_{name}",
        "consumerQuotaLimits": [{"quotaBuckets": buckets}],
    }


def refuse(cloud: Cloud, *regions: str) -> None:
    """These regions answer as Vertex AI does beyond a quota."""
    for region in regions:
        path = f"/locations/{region}/customJobs(\\?|$)"
        cloud.proxy.script(Fault("status", "POST", path, status=429, message=EXCEEDED))


def test_what_a_project_may_use_is_listed_by_region(
    google_cloud: Cloud, shell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is zero everywhere is only named; where to ask for more stands beneath."""
    google_cloud.google.answer(
        QUOTAS,
        {
            "metrics": [
                metric("nvidia_t4_gpus", 1, us_central1=4, europe_west4=0),
                metric("preemptible_nvidia_t4_gpus", 2),
                metric("cpus", 2200),
                metric("nvidia_h100_gpus", 0),
            ]
        },
    )
    shell.run_line_magic("ml_quota", "")
    shown = capsys.readouterr().out
    for words in ("us-central1 4 · europe-west4 0 · elsewhere 1", "everywhere 2", "everywhere 2200", METRIC):
        assert words in shown
    assert "None of: H100." in shown
    assert "Ask for more: https://console.cloud.google.com/iam-admin/quotas?project=local" in shown
    shell.run_line_magic("ml_quota", "h100")
    assert "everywhere 0" in capsys.readouterr().out
    assert [quota.kind for quota in pipeline.quota("T4")] == ["T4", "T4"]


def test_on_this_machine_there_is_nothing_to_list(google_cloud: Cloud) -> None:
    """It says how to look at the cloud."""
    pipeline.init(target="local")
    with pytest.raises(CloudMLError) as caught:
        pipeline.quota()
    assert str(caught.value) == (
        "On this machine there are no quotas.\n"
        "  Why:  Jobs go to the local platform.\n"
        "  Next: Say `%ml_init --target cloud` first.\n[no-quota-here]"
    )


def test_a_job_goes_to_the_first_region_that_takes_it(google_cloud: Cloud) -> None:
    """In the order of the user; no job and no line of the ledger is left where it was refused."""
    refuse(google_cloud, "us-central1", "us-east1")
    job = pipeline.train("1 + 1", name="travelling", gpu="T4", regions="us-central1,us-east1,europe-west4")
    assert "/locations/europe-west4/" in job.snapshot().resource_name
    assert len(ledger().named("travelling")) == 1
    job.wait()
    assert pipeline.job("travelling").id == job.id


def test_where_no_region_takes_it_each_is_told_with_its_limit(google_cloud: Cloud) -> None:
    """The metric, what the project may use there, and where else there is some."""
    google_cloud.google.answer(QUOTAS, {"metrics": [metric("nvidia_t4_gpus", 0, us_east1=1)]})
    refuse(google_cloud, "us-central1", "us-east1")
    with pytest.raises(CloudMLError) as caught:
        pipeline.train("1 + 1", name="homeless", gpu="T4:2", regions=["us-central1", "us-east1"])
    assert str(caught.value) == (
        "No region took the job: us-central1, us-east1.\n"
        f"  Why:  us-central1: {EXCEEDED} The limit there is 0.\n"
        f"        us-east1: {EXCEEDED} The limit there is 1.\n"
        "  Next: T4 is also in us-central1, us-east4, us-west1, us-west2:"
        " --regions us-east1,us-central1,us-east4,us-west1,us-west2 tries them in order.\n"
        "        `%ml_quota T4` shows what it may use where, and how to ask for more.\n"
        "[not-enough-quota]"
    )
    assert not ledger().named("homeless")


def test_whoever_may_not_read_quotas_is_told_the_rest(google_cloud: Cloud) -> None:
    """The limit is an extra; the refusal comes at once, without being tried again."""
    refuse(google_cloud, "us-central1")
    with pytest.raises(CloudMLError) as caught:
        pipeline.train("1 + 1", name="refused", gpu="T4")
    assert caught.value.reference == "not-enough-quota" and caught.value.why == EXCEEDED


def test_another_refusal_ends_the_search(google_cloud: Cloud) -> None:
    """What is wrong with the job is wrong in every region."""
    google_cloud.proxy.script(
        Fault("status", "POST", "/customJobs(\\?|$)", status=400, message="Machine type x is not supported.")
    )
    with pytest.raises(CloudMLError) as caught:
        pipeline.train("1 + 1", name="wrong", regions="us-central1,us-east1")
    assert caught.value.reference == "request-refused"


def test_a_price_that_differs_by_region_is_said_as_a_limit(google_cloud: Cloud) -> None:
    """The dearest region counts, also for --max-cost."""

    def price(regions: str) -> Any:
        return pipeline.prepare_here(ExecutedCell("1"), "x", TrainOptions.of({"regions": regions})).terms.price

    here, there = price("us-central1"), price("asia-east2")
    both = price("us-central1 asia-east2")
    assert here.per_hour < there.per_hour == both.per_hour and both.is_limit and not there.is_limit


def test_what_the_catalogue_doubts_is_a_warning(google_cloud: Cloud) -> None:
    """It may be older than Google's offer, so the job is sent; the dry run and the card say it."""
    doubted = pipeline.prepare_here(
        ExecutedCell("1"), "x", TrainOptions.of({"gpu": "H100", "regions": "us-east1,us-east4"})
    )
    assert doubted.warnings[0] == (
        "a3-highgpu-1g can be had with --spot or --flex-start only; --gpu H100:8 without them."
    )
    assert doubted.warnings[1].startswith("H100 is not known to be in us-east1; it is in asia-east1, ")
    assert not pipeline.prepare_here(ExecutedCell("1"), "x", TrainOptions.of({"gpu": "H100", "spot": True})).warnings
    assert not pipeline.prepare_here(
        ExecutedCell("1"), "x", TrainOptions.of({"gpu": "H100", "target": "local"})
    ).warnings


@pytest.mark.parametrize("gpu", [None, "T4"])
def test_a_slip_in_a_region_is_doubted_before_the_job_is_sent(google_cloud: Cloud, gpu: str | None) -> None:
    """With the region that may be meant; also where no accelerator is asked for."""
    options = TrainOptions.of({"gpu": gpu, "regions": "us-cenrtal1,africa-south1" if gpu is None else "us-cenrtal1"})
    assert pipeline.prepare_here(ExecutedCell("1"), "x", options).warnings == (
        f"us-cenrtal1 is no region that is known, as of {catalogue().date}. Did you mean us-central1?",
    )


def test_a_tpu_needs_an_image_that_knows_it(google_cloud: Cloud) -> None:
    """The frameworks' public images do not."""
    with pytest.raises(CloudMLError) as caught:
        pipeline.train("1 + 1", name="x", gpu="TPU-V5E")
    assert str(caught.value) == (
        "No public image of this kernel's framework knows TPU-V5E.\n"
        "  Why:  TensorFlow, JAX and PyTorch need a build for TPUs and libtpu beside it.\n"
        "  Next: Name an image that has them with --image, or choose a GPU.\n[tpu-without-image]"
    )
    options = TrainOptions.of({"gpu": "TPU-V5E:4", "image": "europe-docker.pkg.dev/p/r/jax-tpu:1"})
    call = pipeline.prepare_here(ExecutedCell("1"), "x", options).call
    assert call.body is not None
    assert call.body["jobSpec"]["workerPoolSpecs"][0]["machineSpec"] == {
        "machineType": "ct5lp-hightpu-4t",
        "tpuTopology": "2x2",
    }


def test_what_is_no_region_is_said_so(google_cloud: Cloud) -> None:
    """With an example that may be copied."""
    with pytest.raises(CloudMLError) as caught:
        pipeline.train("1 + 1", name="x", regions="Iowa")
    assert str(caught.value) == (
        "'Iowa' is no region.\n  Next: Write them as --regions us-central1,europe-west4.\n[bad-region]"
    )
