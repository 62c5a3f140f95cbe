"""The fault matrix, as far as training reaches: in each cell nothing acknowledged is lost (L), no orphan is left (O),
and what the user reads is one message with a cause and a next step (M).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cloudml_magic import pipeline
from cloudml_magic.errors import CloudMLError
from cloudml_magic.local_platform import lifecycle
from cloudml_magic.pipeline import Job
from cloudml_magic.pipeline.session import ledger
from cloudml_magic.states import JobState
from tests.faults.proxy import Fault, FaultProxy

UPLOAD, SUBMIT, POLL, CANCEL = "upload", "submit", "poll", "cancel"
PLACES = {
    UPLOAD: ("POST", r"/upload/storage/v1/b/.*"),
    SUBMIT: ("POST", r"/customJobs(\?|$)"),
    POLL: ("GET", r"/customJobs/\d+"),
    CANCEL: ("POST", r":cancel"),
}
FAULTS: dict[str, Callable[[str, str], Fault]] = {
    "503": lambda verb, path: Fault("status", verb, path, status=503, times=2),
    "429": lambda verb, path: Fault("status", verb, path, status=429, headers={"Retry-After": "1"}, times=2),
    "reset": lambda verb, path: Fault("reset", verb, path, times=2),
    "lost reply": lambda verb, path: Fault("lost_reply", verb, path),
    "stall": lambda verb, path: Fault("stall", verb, path, seconds=5),
}
SURVIVED = [(place, fault) for place in PLACES for fault in FAULTS if (place, fault) != (POLL, "lost reply")]


def send(code: str = "print('ran')", name: str | None = None) -> Job:
    # The code differs from test to test, so that each has a package of its own to upload.
    return pipeline.train(f"{code}  # {secrets.token_hex(4)}", name=name or f"job-{secrets.token_hex(4)}")


def jobs_named(name: str) -> list[Job]:
    return [job for job in pipeline.jobs() if job.name == name]


@pytest.mark.parametrize(("place", "fault"), SURVIVED, ids=[f"{place}-{fault}" for place, fault in SURVIVED])
def test_a_passing_fault_is_survived(proxy: FaultProxy, place: str, fault: str) -> None:
    """The job runs once, whatever happened on the way: no error, no second job, no second object."""
    verb, path = PLACES[place]
    proxy.script(FAULTS[fault](verb, path))
    job = send(
        "import time; time.sleep(30)" if place == CANCEL else "print('ran')", f"{place}-{fault.replace(' ', '-')}"
    )
    if place == CANCEL:
        job.cancel()
    while not job.state.is_final:
        time.sleep(0.1)
    assert job.state is (JobState.CANCELLED if place == CANCEL else JobState.SUCCEEDED)
    assert len(jobs_named(job.name)) == 1
    assert len([line for line in ledger().named(job.name) if line.resource_name]) == 1


@pytest.mark.parametrize("place", [UPLOAD, SUBMIT])
def test_a_lasting_fault_ends_in_one_message_and_leaves_nothing(
    proxy: FaultProxy, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be sent says so, and neither a job nor a line in the ledger is left."""
    monkeypatch.setattr("cloudml_magic.storage.objects._GIVE_UP_SECONDS", 2.0)
    monkeypatch.setattr("cloudml_magic.client.calls._GIVE_UP_SECONDS", 2.0)
    verb, path = PLACES[place]
    proxy.script(Fault("status", verb, path, status=503, times=1000))
    with pytest.raises(CloudMLError) as caught:
        send(name=f"lasting-{place}")
    assert caught.value.what
    assert caught.value.next
    proxy.forget()
    assert not jobs_named(f"lasting-{place}")
    assert not ledger().named(f"lasting-{place}")


def test_a_byte_that_flips_on_the_way_up_is_noticed(proxy: FaultProxy) -> None:
    """A corrupt package is never stored: it is sent again or refused, and no job runs it."""
    proxy.script(Fault("flip_request", "POST", PLACES[UPLOAD][1], at=4000))
    try:
        job = send(name="flipped")
    except CloudMLError as error:
        assert error.reference == "bucket-failed"
        assert not jobs_named("flipped")
    else:
        assert job.wait().state is JobState.SUCCEEDED


def test_an_event_stream_that_breaks_is_taken_up_where_it_was(proxy: FaultProxy) -> None:
    """No event is missing and none comes twice."""
    proxy.script(Fault("truncate", "GET", r"/events", at=600), Fault("truncate", "GET", r"/events", at=500))
    job = send("from cloudml_magic import report\nfor n in range(40): report(n, value=n)")
    steps = [event.fields["step"] for event in job.watch() if event.kind == "metric"]
    assert steps == list(range(40))


def test_an_interrupted_upload_leaves_no_job(proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in mid-upload: no object, no job, no line."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("google.cloud.storage.Blob.upload_from_string", interrupted)
    with pytest.raises(KeyboardInterrupt):
        send(name="interrupted")
    assert not jobs_named("interrupted")
    assert not ledger().named("interrupted")


def test_the_same_request_twice_is_one_job(proxy: FaultProxy) -> None:
    """Its token makes it the same."""
    preparation = pipeline.prepare_here(pipeline.ExecutedCell("print(1)"), "twice", pipeline.TrainOptions())
    first = pipeline.submit(preparation)
    there = pipeline.session.connection_to(preparation.place)
    assert there.client.create_job(preparation.spec).id == first.id
    assert len(jobs_named("twice")) == 1


def test_a_killed_platform_is_started_again_and_the_job_goes_on(proxy: FaultProxy, platform_home: Path) -> None:
    """kill -9 of the server in mid-job: the next use starts it, the job is adopted and ends as it should."""
    import os
    import signal

    job = send("import time\nfor n in range(20):\n    print(n, flush=True)\n    time.sleep(0.2)\n")
    while job.state is not JobState.RUNNING:
        time.sleep(0.05)
    running = lifecycle.find_running()
    assert running is not None
    os.kill(running.pid, signal.SIGKILL)
    time.sleep(0.3)
    restarted = lifecycle.ensure_running()
    assert restarted.pid != running.pid
    proxy.upstream = restarted.port
    assert job.wait().state is JobState.SUCCEEDED
    assert [line for line in job.logs() if line.isdigit()] == [str(n) for n in range(20)]


def test_a_kernel_that_dies_between_request_and_answer_loses_no_job(proxy: FaultProxy) -> None:
    """The ledger's line has no answer; the next look finds the job by its token."""
    preparation = pipeline.prepare_here(pipeline.ExecutedCell("print(1)"), "orphaned", pipeline.TrainOptions())
    there = pipeline.session.connection_to(preparation.place)
    for upload in preparation.uploads:
        upload.send(there)
    place = preparation.place
    ledger().begin(preparation.spec.token, "orphaned", place.target, place.parent, time.time())
    sent = there.client.create_job(preparation.spec)
    assert pipeline.job("orphaned").id == sent.id
    assert [line.resource_name for line in ledger().named("orphaned")] == [sent.resource_name]


def test_a_line_whose_job_never_arrived_is_no_job(proxy: FaultProxy) -> None:
    """A kernel that died before it sent anything leaves nothing that could be mistaken for a job."""
    place = pipeline.session.place(pipeline.session.CURRENT)
    ledger().begin("0" * 16, "unsent", place.target, place.parent, time.time() - 7200)
    with pytest.raises(CloudMLError, match="There is no job 'unsent'"):
        pipeline.job("unsent")
    assert not ledger().named("unsent")


def test_a_byte_that_flips_on_the_way_down_is_fetched_again(proxy: FaultProxy) -> None:
    """Once is a nuisance that nobody sees; always is an error, and never is it content."""
    job = send("from cloudml_magic import report\nreport(1, value=7)", "damaged")
    job.wait()
    proxy.script(Fault("flip_response", "GET", r"/download/storage/.*events", at=20, times=2))
    assert job.metrics == {"value": 7.0}
    proxy.script(Fault("flip_response", "GET", r"/download/storage/.*events", at=20, times=3))
    with pytest.raises(CloudMLError) as caught:
        job.metrics  # noqa: B018
    assert caught.value.reference == "bucket-failed"


def test_a_large_data_file_goes_up_once(proxy: FaultProxy, tmp_path: Path) -> None:
    """40 MB as a resumable upload with a fault in the middle; the second time nothing is sent."""
    file = tmp_path / "large.bin"
    file.write_bytes(bytes(40 << 20))
    there = pipeline.session.connection_to(pipeline.session.place(pipeline.session.CURRENT))
    proxy.script(Fault("reset", "PUT", r"/upload/|/resumable/|upload_id"))
    address = there.place.bucket / "data" / secrets.token_hex(8)
    assert there.storage.put_file_once(address, file)
    assert not there.storage.put_file_once(address, file)
    assert there.storage.size(address) == 40 << 20


def test_a_platform_that_somebody_stopped_is_not_started_by_a_card(proxy: FaultProxy) -> None:
    """Who watches waits; who asks for something starts it, and the watch goes on where it was."""
    import threading

    job = send("import time\nfor n in range(30):\n    print(n, flush=True)\n    time.sleep(0.1)\n", "watched")
    while job.state is not JobState.RUNNING:
        time.sleep(0.05)
    seen: list[str] = []
    watch = threading.Thread(
        target=lambda: seen.extend(str(e.fields.get("state")) for e in job.watch() if e.kind == "state")
    )
    watch.start()
    time.sleep(0.3)
    assert lifecycle.stop()
    time.sleep(1.5)
    assert lifecycle.find_running() is None
    proxy.upstream = lifecycle.ensure_running().port
    watch.join(30)
    assert seen[-1] == "SUCCEEDED"
