"""The fault matrix in the cloud: submit, poll and cancel, each fault with no job twice, none lost, and one clear sentence."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable

import pytest

from cloudml_magic import pipeline
from cloudml_magic.client import calls
from cloudml_magic.client.cloud_watch import pace, watch
from cloudml_magic.connection import cloud
from cloudml_magic.errors import CloudMLError
from cloudml_magic.patience import heard_by
from cloudml_magic.pipeline import Job
from cloudml_magic.pipeline.session import CURRENT, connection, ledger
from cloudml_magic.records import Target
from cloudml_magic.states import JobState
from cloudml_magic.storage import objects
from tests.cloud.conftest import Cloud
from tests.faults.proxy import Fault
from tests.long_counts import within

SUBMIT = ("POST", r"/customJobs(\?|$)")
STATE = ("GET", r"/customJobs/\d+")
LOG = ("POST", r"/v2/entries:list")
REPORT = ("GET", r"/download/storage/.*events\.jsonl")
CANCEL = ("POST", r":cancel")
PLACES = {"submit": SUBMIT, "state": STATE, "log": LOG, "report": REPORT, "cancel": CANCEL}
FAULTS: dict[str, Callable[[str, str], Fault]] = {
    "429": lambda verb, path: Fault("status", verb, path, status=429, headers={"Retry-After": "1"}, times=2),
    "500": lambda verb, path: Fault("status", verb, path, status=500, times=2),
    "503": lambda verb, path: Fault("status", verb, path, status=503, times=2),
    "reset": lambda verb, path: Fault("reset", verb, path, times=2),
    "lost reply": lambda verb, path: Fault("lost_reply", verb, path),
    "half a reply": lambda verb, path: Fault("truncate", verb, path, at=1),
    "stall": lambda verb, path: Fault("stall", verb, path, seconds=3),
}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience ends after a second, pauses are short."""
    monkeypatch.setattr(calls, "TIMEOUT_SECONDS", 1.0)
    monkeypatch.setattr(objects, "TIMEOUT_SECONDS", 1.0)
    monkeypatch.setattr(pace, "_FIRST_PAUSE", 0.05)
    monkeypatch.setattr(watch, "_REFUSED_SECONDS", 0.1)


def send(code: str = "print('ran')") -> Job:
    return pipeline.train(f"{code}  # {secrets.token_hex(4)}", name=f"job-{secrets.token_hex(4)}")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("place", PLACES)
def test_a_passing_fault_is_survived(google_cloud: Cloud, place: str, fault: str) -> None:
    """The job runs once and is followed to its end, with every line and every report."""
    verb, path = PLACES[place]
    google_cloud.proxy.script(FAULTS[fault](verb, path))
    code = "import time; time.sleep(60)" if place == "cancel" else "from cloudml_magic import report; report(1, loss=2)"
    job = send(code)
    if place == "cancel":
        job.cancel()
    events = list(job.watch())
    assert job.state is (JobState.CANCELLED if place == "cancel" else JobState.SUCCEEDED)
    if place != "cancel":
        assert [event.fields["step"] for event in events if event.kind == "metric"] == [1]
        assert [event.fields["text"] for event in events if event.kind == "log"] == ["step 1 · loss 2"]
    assert [found.id for found in pipeline.jobs() if found.name == job.name] == [job.id]
    assert len([line for line in ledger().named(job.name) if line.resource_name]) == 1


@pytest.mark.parametrize(
    ("status", "reference"),
    [(400, "request-refused"), (401, "credentials-expired"), (403, "permission-denied"), (404, "not-found"),
     (409, "already-exists")],
)  # fmt: skip
def test_a_refused_submission_is_one_clear_sentence_and_leaves_nothing(
    google_cloud: Cloud, status: int, reference: str
) -> None:
    """Neither a job nor a line in the ledger."""
    google_cloud.proxy.script(Fault("status", *SUBMIT, status=status, times=3 if status == 401 else 1))
    before = len(list(pipeline.jobs()))
    with pytest.raises(CloudMLError) as caught:
        send()
    google_cloud.proxy.forget()
    assert (caught.value.reference, bool(caught.value.next)) == (reference, True)
    assert len(list(pipeline.jobs())) == before
    assert all(line.resource_name for line in ledger().latest())


def test_a_quota_that_stays_exceeded_gives_up_in_words(google_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is left behind."""
    monkeypatch.setattr(calls, "_GIVE_UP_SECONDS", 1.0)
    google_cloud.proxy.script(Fault("status", *SUBMIT, status=429, times=1000))
    with pytest.raises(CloudMLError) as caught:
        send()
    google_cloud.proxy.forget()
    assert caught.value.reference == "quota-exceeded"
    assert all(line.resource_name for line in ledger().latest())


@pytest.mark.parametrize("place", [SUBMIT, ("POST", r"/upload/storage")])
def test_a_fault_that_lasts_is_said_within_five_seconds(google_cloud: Cloud, place: tuple[str, str]) -> None:
    """To whoever shows it, with the reason, while it is tried again; an interrupt ends it within a second."""
    google_cloud.proxy.script(Fault("status", *place, status=503, times=1000))
    notes: list[str] = []

    def note(said: str) -> None:
        notes.append(said)
        raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), heard_by(note):
        send()
    took = time.monotonic() - began
    google_cloud.proxy.forget()
    assert took < within(5)
    assert notes[0].startswith("trying again: ")


def test_a_job_whose_answer_never_came_is_found_by_its_name(
    google_cloud: Cloud, home: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may run, and cost: the network went away just as it was made."""
    monkeypatch.setattr(calls, "_GIVE_UP_SECONDS", 0.1)
    lookups = ("GET", r"/customJobs\?")
    google_cloud.proxy.script(Fault("lost_reply", *SUBMIT), Fault("reset", *lookups, times=1000))
    with pytest.raises(CloudMLError) as caught:
        pipeline.train("print('ran')", name="job")
    google_cloud.proxy.forget()
    assert caught.value.reference == "platform-unreachable"
    assert caught.value.next.startswith("The job may have arrived all the same: `%ml_job job` looks for it. Jobs that")
    assert pipeline.job("job").wait().logs() == ["ran"]
    assert [line.name for line in ledger().latest()] == ["job"]


def test_a_job_that_was_deleted_elsewhere_hides_no_other(google_cloud: Cloud, home: object) -> None:
    """A name means the latest job that there is; where there is none any more, the platform's own word is shown."""
    kept, gone = (pipeline.train(f"print({number})", name="twice").wait() for number in range(2))
    client = connection().client
    client.delete(gone.last_seen.resource_name)
    assert (pipeline.job("twice").id, pipeline.job("latest").id) == (kept.id, kept.id)
    with pytest.raises(CloudMLError, match="There is no job 'twice~1'"):
        pipeline.job("twice~1")
    client.delete(kept.last_seen.resource_name)
    with pytest.raises(CloudMLError, match="does not exist"):
        pipeline.job("twice")


def test_a_job_that_cannot_be_looked_for_now_hides_no_other(google_cloud: Cloud, home: object) -> None:
    """The other one is on this machine, and the project of the cloud is not set any more."""
    CURRENT.set({"target": "local"})
    pipeline.train("print('ran')", name="job").wait()
    ledger().begin("t", "job", Target.CLOUD, None, 0.0)
    CURRENT.set({"region": "us-central1"})
    CURRENT._session.pop("project")
    assert pipeline.job("job").logs() == ["ran"]


def test_credentials_that_expire_while_a_job_is_watched_are_said_and_taken_up_again(
    google_cloud: Cloud,
) -> None:
    """The user signs in again in a terminal; nothing of the job is lost."""
    job = send(
        "import time\nfrom cloudml_magic import report\nfor n in range(30):\n    report(n, a=n)\n    time.sleep(0.1)\n"
    )
    notes, steps = [], []
    expired = threading.Event()
    for event in job.watch():
        if event.kind == "metric":
            steps.append(event.fields["step"])
            if not expired.is_set():
                expired.set()
                google_cloud.expire()
                cloud._CREDENTIALS.get().token = None
        if event.kind == "state" and event.fields.get("note"):
            notes.append(event.fields["note"])
            google_cloud.google.is_expired = False
    assert steps == list(range(30))
    assert any(note.startswith("Google no longer accepts your credentials. Say `gcloud auth") for note in notes)
    assert job.state is JobState.SUCCEEDED


def test_no_token_is_in_anything_that_is_kept_or_said(google_cloud: Cloud) -> None:
    """Neither in the job's request, nor its folder, nor the ledger, nor an error."""
    job = send("import os; print(sorted(os.environ))")
    events = list(job.watch())
    token = google_cloud.google.token
    there = [
        job._connection.storage.read(job.folder / name) or b"" for name in job._connection.storage.names(job.folder)
    ]
    google_cloud.proxy.script(Fault("status", *SUBMIT, status=403))
    with pytest.raises(CloudMLError) as caught:
        send()
    said = [
        repr(events),
        str(caught.value),
        repr(ledger().latest()),
        repr(cloud._CREDENTIALS.__dict__),
        *map(repr, there),
    ]
    assert not [text for text in said if token in text]
