"""Vertex's own SDK predicts a batch, unmodified but for its address and credentials."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.local_platform.conftest import TOKEN, places_in

from .conftest import rows
from .platform import Running, ending

pytestmark = pytest.mark.slow


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Running]:
    with ending(places_in(tmp_path)) as found:
        yield found


def test_the_vertex_sdk_predicts_a_batch(platform: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Model.batch_predict, its outputs through the storage client, list, cancel of one that has ended, delete."""
    from google.api_core import exceptions
    from google.cloud import aiplatform
    from google.cloud.aiplatform import jobs
    from google.oauth2.credentials import Credentials

    monkeypatch.setenv("STORAGE_EMULATOR_HOST", platform.endpoint)
    monkeypatch.setattr(jobs, "_JOB_WAIT_TIME", 0.1)
    aiplatform.init(
        project="local", location="us-central1", staging_bucket="gs://cloudml-local", api_endpoint=platform.endpoint,
        api_transport="rest", credentials=Credentials(token=TOKEN),
    )  # fmt: skip
    try:
        model = aiplatform.Model(platform.model)
        uri = platform.put("rows.jsonl", rows(100) + b"oops\n")
        job: Any = model.batch_predict(
            job_display_name="doubled", gcs_source=uri, gcs_destination_prefix="gs://cloudml-local/sdk",
            machine_type="n1-standard-2", starting_replica_count=2, max_replica_count=2, sync=True,
        )  # fmt: skip
        assert job.state.name == "JOB_STATE_SUCCEEDED"
        stats = job.completion_stats
        assert (stats.successful_count, stats.failed_count, stats.incomplete_count) == (100, 1, 0)
        assert job.output_info.gcs_output_directory.startswith("gs://cloudml-local/sdk/prediction-doubler-")
        found = {blob.name.rpartition("/")[2]: blob.download_as_bytes() for blob in job.iter_outputs()}
        results = [json.loads(line) for line in found["prediction.results-00000-of-00001"].splitlines()]
        assert [each["prediction"] for each in results] == [[2 * n, 2 * n + 1] for n in range(100)]
        assert [each.name for each in aiplatform.BatchPredictionJob.list(filter='display_name="doubled"')] == [job.name]
        with pytest.raises(exceptions.BadRequest, match="cannot be cancelled"):
            job.cancel()
        job.delete()
        assert aiplatform.BatchPredictionJob.list() == []
    finally:
        aiplatform.initializer.global_config._project = None
