"""`cloudml platform env`: what it prints is followed to the letter, in a process that knows nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudml_magic.command_line.other_clients import CLIENTS
from cloudml_magic.local_platform import lifecycle
from tests.command_line.test_command_line import cloudml


@pytest.fixture
def platform(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in list(os.environ):
        if name.startswith(("GOOGLE_", "CLOUDSDK_", "STORAGE_EMULATOR")):
            monkeypatch.delenv(name)
    yield home
    lifecycle.stop()


def printed(client: str) -> str:
    answer = cloudml("platform", "env", "--for", client)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def followed(client: str, more: str) -> str:
    """What a Python process prints that was given the printed lines and these."""
    program = f"{printed(client)}\n{more}\n"
    answer = subprocess.run([sys.executable, "-"], input=program, capture_output=True, text=True, timeout=120)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def test_storage_follows_it(platform: Path) -> None:
    """google-cloud-storage writes, lists and reads."""
    more = """
bucket.blob("a/b.txt").upload_from_string("hello")
print(*[blob.name for blob in client.list_blobs(bucket)], bucket.blob("a/b.txt").download_as_text())
"""
    assert followed("storage", more) == "a/b.txt hello\n"


def test_googleapiclient_follows_it(platform: Path) -> None:
    """google-api-python-client lists jobs, and asks for logs."""
    more = """
print(vertex.projects().locations().customJobs().list(parent=parent).execute())
entries = logging.entries().list(body={"resourceNames": ["projects/local"], "filter": 'resource.type="ml_job"'})
print(entries.execute())
"""
    assert followed("googleapiclient", more) == "{}\n{}\n"


@pytest.mark.slow
def test_the_vertex_sdk_follows_it(platform: Path, tmp_path: Path) -> None:
    """It packs a script, uploads it, runs it, and its session reaches the platform in place of the hard-wired host."""
    (tmp_path / "train.py").write_text("print('trained')")
    more = f"""
from google.cloud.aiplatform import jobs
jobs._JOB_WAIT_TIME = 0.1
job = aiplatform.CustomJob.from_local_script(
    display_name="script", script_path={str(tmp_path / "train.py")!r}, machine_type="n1-standard-4",
    container_uri="us-docker.pkg.dev/vertex-ai/training/tf-cpu.2-17.py310:latest", credentials=credentials,
)
job.run()
print(job.state.name)
hosts = "https://us-central1-aiplatform.googleapis.com/v1/projects/local/locations/us-central1/endpoints"
print(local_session.get(hosts).json())
"""
    assert followed("vertex", more).endswith("JOB_STATE_SUCCEEDED\n{}\n")


@pytest.mark.parametrize("line", ['eval "$(cat)"', "eval $(cat)"], ids=["quoted", "unquoted"])
def test_a_shell_takes_the_exports(platform: Path, line: str) -> None:
    """All of them, with and without quotes around the command; Cloud Storage's client finds its address there."""
    exports = cloudml("platform", "env").stdout
    program = """
import os
from google.cloud import storage
from google.oauth2.credentials import Credentials
token = open(os.environ["CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"]).read().strip()
client = storage.Client(credentials=Credentials(token=token))
print(*[bucket.name for bucket in client.list_buckets()], client.project, os.environ["CLOUDSDK_AI_REGION"])
"""
    shell = subprocess.run(
        ["bash", "-c", f'{line}; "$0" -c "$1"', sys.executable, program],
        input=exports, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert shell.stdout == "cloudml-local local us-central1\n", shell.stderr


def test_gcloud_gets_its_own_variables(platform: Path) -> None:
    """Addresses as its properties want them: each API's root, with the version's path for storage."""
    exports = dict(line.removeprefix("export ").split("=", 1) for line in printed("gcloud").splitlines())
    endpoint = cloudml("platform", "start").stdout.split()[-1].rstrip(".")
    token = platform / ".local/state/cloudml-magic/platform/token"
    assert exports == {
        "CLOUDSDK_CORE_PROJECT": "local",
        "CLOUDSDK_AI_REGION": "us-central1",
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": str(token),
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_AIPLATFORM": f"{endpoint}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_LOGGING": f"{endpoint}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_ML": f"{endpoint}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": f"{endpoint}/storage/v1/",
    }


@pytest.mark.parametrize("client", CLIENTS)
def test_nothing_printed_holds_the_token(platform: Path, client: str) -> None:
    """Only the file's name."""
    text = printed(client)
    token = (platform / ".local/state/cloudml-magic/platform/token").read_text().strip()
    assert token not in text
