"""Google's own clients for Vertex AI and Cloud Logging against the platform, unmodified but for the address."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from cloudml_magic.discovery import document, violations
from cloudml_magic.states import JobState

from .conftest import JOB, TOKEN, Served
from .test_event_stream import write_log

PARENT = "projects/local/locations/us-central1"


@pytest.fixture
def discovered(served: Served) -> Any:
    """googleapiclient's service of an API by its name."""
    import google_auth_httplib2
    import httplib2
    from google.oauth2.credentials import Credentials
    from googleapiclient import discovery

    def build(name: str, version: str) -> Any:
        http = google_auth_httplib2.AuthorizedHttp(
            Credentials(token=TOKEN), http=httplib2.Http(timeout=20, proxy_info=None)
        )
        options = {"api_endpoint": served.endpoint}
        return discovery.build(name, version, static_discovery=True, client_options=options, http=http)

    return build


def test_googleapiclient_runs_custom_jobs(discovered: Any, served: Served) -> None:
    """googleapiclient creates, gets, lists, pages, cancels and deletes custom jobs."""
    jobs = discovered("aiplatform", "v1").projects().locations().customJobs()
    names = []
    for number in range(3):
        body = deepcopy(JOB)
        body["labels"] = {"cloudml-token": f"t{number}"}
        names.append(jobs.create(parent=PARENT, body=body).execute()["name"])
    assert jobs.get(name=names[0]).execute()["displayName"] == "flowers"
    request, listed = jobs.list(parent=PARENT, pageSize=2), []
    while request is not None:
        answer = request.execute()
        listed += [job["name"] for job in answer.get("customJobs", [])]
        request = jobs.list_next(request, answer)
    assert listed == names[::-1]
    assert jobs.cancel(name=names[0], body={}).execute() == {}
    operation = jobs.delete(name=names[0]).execute()
    operations = discovered("aiplatform", "v1").projects().locations().operations()
    assert operations.get(name=operation["name"]).execute()["done"] is True
    assert operations.wait(name=operation["name"], timeout="3s").execute()["done"] is True


def test_googleapiclient_understands_errors(discovered: Any) -> None:
    """Errors of the platform are Google's HttpErrors with their reason and details."""
    from googleapiclient.errors import HttpError

    jobs = discovered("aiplatform", "v1").projects().locations().customJobs()
    with pytest.raises(HttpError) as caught:
        jobs.get(name=f"{PARENT}/customJobs/5").execute()
    assert (caught.value.status_code, "does not exist" in caught.value.reason) == (404, True)
    with pytest.raises(HttpError) as caught:
        jobs.create(parent=PARENT, body={"cow": 1}).execute()
    assert (
        caught.value.error_details[0]["fieldViolations"][0]["description"] == 'Unknown name "cow": Cannot find field.'
    )


def test_googleapiclient_moves_objects(served: Served) -> None:
    """googleapiclient's media upload and download work, resumable too.

    Its api_endpoint keeps https for uploads whatever one says, so the address stands in the document.
    """
    import io

    import google_auth_httplib2
    import httplib2
    from google.oauth2.credentials import Credentials
    from googleapiclient import discovery
    from googleapiclient.discovery_cache import get_static_doc
    from googleapiclient.http import MediaIoBaseDownload, MediaIoBaseUpload

    described = json.loads(get_static_doc("storage", "v1"))
    described["rootUrl"] = f"{served.endpoint}/"
    described["baseUrl"] = f"{served.endpoint}/storage/v1/"
    plain = httplib2.Http(timeout=20, proxy_info=None)
    plain.redirect_codes = plain.redirect_codes - {308}  # As googleapiclient does with the one that it makes itself.
    http = google_auth_httplib2.AuthorizedHttp(Credentials(token=TOKEN), http=plain)
    objects = discovery.build_from_document(described, http=http).objects()
    content = bytes(range(256)) * 3000
    for resumable in (False, True):
        media = MediaIoBaseUpload(io.BytesIO(content), "text/plain", chunksize=256 * 1024, resumable=resumable)
        made = objects.insert(bucket="cloudml-local", name="x/y", media_body=media).execute()
        assert made["size"] == str(len(content))
    target = io.BytesIO()
    download = MediaIoBaseDownload(
        target, objects.get_media(bucket="cloudml-local", object="x/y"), chunksize=200 * 1024
    )
    done = False
    while not done:
        _, done = download.next_chunk()
    assert target.getvalue() == content
    patched = objects.patch(bucket="cloudml-local", object="x/y", body={"metadata": {"a": "b"}}).execute()
    assert patched["metadata"] == {"a": "b"}
    objects.delete(bucket="cloudml-local", object="x/y").execute()


def test_logs_are_entries(discovered: Any, served: Served) -> None:
    """A job's output is listed as Cloud Logging entries, by the filters that gcloud sends, in order and in pages."""
    body = discovered("aiplatform", "v1").projects().locations().customJobs().create(parent=PARENT, body=JOB).execute()
    id = body["name"].rpartition("/")[2]
    folder = served.places.jobs / id / "workerpool0-0"
    write_log(folder, 1, b'one\n{"message": "two", "severity": "warning", "x": 5}\n')
    time.sleep(0.01)
    write_log(folder, 2, b"three \xff\x00 \xf0\x9f\x8c\xb7\r\n10%\r20%\rdone\nhalf")
    entries = discovered("logging", "v2").entries()
    base = f'resource.type="ml_job" AND resource.labels.job_id="{id}"'

    def listed(more: str = "", **options: Any) -> list[dict[str, Any]]:
        request = {"resourceNames": ["projects/local"], "filter": base + more, "orderBy": "timestamp asc", **options}
        answer = entries.list(body=request).execute()
        assert violations(document("logging.v2"), "ListLogEntriesResponse", answer) == []
        found: list[dict[str, Any]] = answer.get("entries", [])
        while "nextPageToken" in answer:
            answer = entries.list(body={**request, "pageToken": answer["nextPageToken"]}).execute()
            found += answer.get("entries", [])
        return found

    found = listed()
    texts = [each.get("textPayload") or each["jsonPayload"]["message"] for each in found]
    assert texts == ["one", "two", "three \ufffd\0 🌷", "done"]
    assert [each["severity"] for each in found] == ["INFO", "WARNING", "ERROR", "ERROR"]
    assert found[1]["jsonPayload"] == {"message": "two", "x": 5}
    assert listed(pageSize=1) == found
    assert listed(orderBy="timestamp desc") == found[::-1]
    assert listed(' AND resource.labels.task_name="workerpool0-0"') == found
    assert listed(' AND resource.labels.task_name="workerpool1-0"') == []
    assert listed(" AND severity>=ERROR") == found[2:]
    moment, last = found[2]["timestamp"], found[2]["insertId"]
    later = f' AND ((timestamp="{moment}" AND insertId>"{last}") OR timestamp>"{moment}")'
    assert listed(later) == found[3:]
    assert listed(f' AND timestamp<"{moment}"') == found[:2]
    served.runner.run(id)
    served.runner.finish(id)
    assert [each.get("textPayload") for each in listed()][-1] == "half"
    assert [each["insertId"] for each in listed()][:4] == [each["insertId"] for each in found]
    legacy = f'(resource.type="ml_job" OR resource.type="cloudml_job") AND resource.labels.job_id="{id}"'
    answer = entries.list(body={"resourceNames": ["projects/local"], "filter": legacy}).execute()
    assert len(answer["entries"]) == 5


@pytest.fixture
def vertex(served: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    from google.cloud import aiplatform
    from google.cloud.aiplatform import jobs
    from google.oauth2.credentials import Credentials

    monkeypatch.setenv("STORAGE_EMULATOR_HOST", served.endpoint)
    monkeypatch.setattr(jobs, "_JOB_WAIT_TIME", 0.1)
    aiplatform.init(
        project="p", location="us-central1", staging_bucket="gs://cloudml-local", api_endpoint=served.endpoint,
        api_transport="rest", credentials=Credentials(token=TOKEN),
    )  # fmt: skip
    yield aiplatform
    aiplatform.initializer.global_config._project = None


@pytest.mark.slow
def test_the_vertex_sdk_runs_a_custom_job(vertex: Any, served: Served, tmp_path: Path) -> None:
    """Vertex's SDK submits from a script, sees the job through to its end, lists, cancels and deletes it."""
    script = tmp_path / "task.py"
    script.write_text("print('hello')\n")
    job = vertex.CustomJob.from_local_script(
        display_name="from-script",
        script_path=str(script),
        container_uri="us-docker.pkg.dev/vertex-ai/training/tf-cpu.2-17.py310:latest",
        machine_type="n1-standard-4",
        accelerator_type="NVIDIA_TESLA_T4",
        accelerator_count=1,
        credentials=vertex.initializer.global_config.credentials,
    )
    job.submit(timeout=3600)
    id = job.resource_name.rpartition("/")[2]
    stored = served.platform.resources.job(id)
    assert stored is not None
    pool = stored.body["jobSpec"]["workerPoolSpecs"][0]
    assert pool["machineSpec"]["acceleratorType"] == "NVIDIA_TESLA_T4"
    assert pool["pythonPackageSpec"]["packageUris"][0].startswith("gs://cloudml-local/")
    served.runner.run(id)
    served.runner.finish(id)
    job._block_until_complete()
    assert job.state.name == "JOB_STATE_SUCCEEDED"
    assert [each.display_name for each in vertex.CustomJob.list(filter='display_name="from-script"')] == ["from-script"]
    job.delete()
    assert vertex.CustomJob.list() == []


@pytest.mark.slow
def test_the_vertex_sdk_sees_failures(vertex: Any, served: Served) -> None:
    """A failed job raises in the SDK with the code and message that the platform gave."""
    pools = [
        {
            "machine_spec": {"machine_type": "n1-standard-4"},
            "replica_count": 1,
            "container_spec": {"image_uri": "tensorflow/tensorflow:2.21.0", "command": ["false"]},
        }
    ]
    job = vertex.CustomJob(display_name="fails", worker_pool_specs=pools)
    job.submit()
    id = job.resource_name.rpartition("/")[2]
    served.runner.run(id)
    message = "The replica workerpool0-0 exited with a non-zero status of 1."
    served.runner.resources.update_job(id, state=JobState.FAILED, ended=time.time(), error=(3, message))
    with pytest.raises(RuntimeError, match="non-zero status of 1"):
        job._block_until_complete()
    other = vertex.CustomJob(display_name="cancelled", worker_pool_specs=pools)
    other.submit()
    other.cancel()
    assert other.state.name == "JOB_STATE_CANCELLED"
