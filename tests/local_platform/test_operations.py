"""Operations: answered unfinished, finished later, waited for, cancelled, and taken up again by the next platform."""

from __future__ import annotations

import threading
import time

from cloudml_magic.local_platform.operations.worker import OperationWorker, Progress
from cloudml_magic.local_platform.platform import LocalPlatform
from cloudml_magic.local_platform.resources.operations import EMPTY, Work, typed
from cloudml_magic.local_platform.wire import Request
from cloudml_magic.places import PlatformPlaces
from tests.long_counts import within

from .conftest import Served, StateRunner
from .saved_models import write_model
from .test_endpoints import create
from .test_models import PARENT, bucket, done, model, upload

UPLOAD = typed("UploadModelOperationMetadata", {})


def test_an_operation_is_found_under_its_location_and_its_resource(served: Served) -> None:
    """Get, wait, list and delete, under both names and under /ui/ too."""
    write_model(bucket(served) / "m")
    upload(served, modelId="m")
    listed = served.ask("GET", f"{PARENT}/models/m/operations")["operations"]
    name = listed[0]["name"]
    id = name.rpartition("/")[2]
    for address in (f"/v1/{name}", f"{PARENT}/operations/{id}", f"/ui/{name}"):
        assert served.ask("GET", address) == listed[0]
    assert served.ask("POST", f"/v1/{name}:wait?timeout=3s") == listed[0]
    assert served.refused("GET", f"{PARENT}/models/other/operations/{id}")["code"] == 404
    assert served.refused("POST", f"/v1/{name}:wait?timeout=soon")["code"] == 400
    create(served)
    assert len(served.ask("GET", f"{PARENT}/operations")["operations"]) == 2
    assert len(served.ask("GET", f"{PARENT}/models/m/operations")["operations"]) == 1
    assert served.ask("POST", f"/v1/{name}:cancel") == {}
    assert served.ask("DELETE", f"/v1/{name}") == {}
    assert served.refused("GET", f"/v1/{name}")["code"] == 404


def test_waiting_ends_with_the_operation_or_the_time(served: Served) -> None:
    """A wait returns as soon as the operation is done, and unfinished when its time is over."""
    operation = served.platform.operations.begin("upload_model", "us-central1", "models/m", UPLOAD, {})
    id = operation["name"].rpartition("/")[2]
    began = time.monotonic()
    assert served.ask("POST", f"{PARENT}/operations/{id}:wait?timeout=0.2s")["done"] is False
    assert 0.2 <= time.monotonic() - began < within(2)
    found: list[bool] = []
    waiting = threading.Thread(
        target=lambda: found.append(served.ask("POST", f"{PARENT}/operations/{id}:wait?timeout=9s")["done"])
    )
    waiting.start()
    served.platform.operations.finish(id, EMPTY)
    waiting.join(30)
    assert found == [True]


def test_many_who_wait_leave_room_for_others(served: Served) -> None:
    """Waiting clients do not take all of the threads that answer requests."""
    operation = served.platform.operations.begin("upload_model", "us-central1", "models/m", UPLOAD, {})
    address = f"/v1/{operation['name']}:wait?timeout=9s"
    threads = [threading.Thread(target=lambda: served.ask("POST", address)) for _ in range(30)]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    served.ask("GET", "/cloudml/v1/status")
    assert time.monotonic() - began < within(1)
    served.platform.operations.finish(operation["name"].rpartition("/")[2], EMPTY)
    for thread in threads:
        thread.join(10)


def test_an_unfinished_operation_is_not_deleted(served: Served) -> None:
    """It must be cancelled or waited for first."""
    operation = served.platform.operations.begin("upload_model", "us-central1", "models/m", UPLOAD, {})
    assert "is not done" in served.refused("DELETE", f"/v1/{operation['name']}")["message"]


def test_what_a_dead_platform_left_undone_is_done_by_the_next(places: PlatformPlaces) -> None:
    """An upload that was answered but not finished when the platform died is finished at the next start."""
    first = LocalPlatform(places, StateRunner)
    write_model(places.buckets / "cloudml-local" / "m")
    arguments = {"model": "m", "is_new": True, "body": model()}
    operation = first.operations.begin("upload_model", "us-central1", "models/m", UPLOAD, arguments)
    lost = {**arguments, "model": "n", "body": model("gs://cloudml-local/none")}
    doomed = first.operations.begin("upload_model", "us-central1", "models/n", UPLOAD, lost)
    unwanted = first.operations.begin("upload_model", "us-central1", "models/o", UPLOAD, {**arguments, "model": "o"})
    first.operations.cancel(unwanted["name"].rpartition("/")[2])
    first.close()
    second = LocalPlatform(places, StateRunner)
    second.start()
    try:
        ended = {}
        for each in (operation, doomed, unwanted):
            path = f"/v1/{each['name']}:wait"
            ended[each["name"]] = second.handle(Request("POST", path, "timeout=9s")).json()
        assert [each["done"] for each in ended.values()] == [True, True, True]
        assert ended[operation["name"]]["response"]["modelVersionId"] == "1"
        assert ended[doomed["name"]]["error"] == {"code": 3, "message": "There is no folder gs://cloudml-local/none."}
        assert ended[unwanted["name"]]["error"] == {"code": 1, "message": "The operation was cancelled."}
        listed = second.handle(Request("GET", f"{PARENT}/models")).json()["models"]
        assert [each["name"].rpartition("/")[2] for each in listed] == ["m"]
        assert second.is_idle()
    finally:
        second.close()


def test_a_closing_platform_leaves_work_for_the_next(served: Served) -> None:
    """Work that is broken off because the platform stops is no failure: its operation stays unfinished."""
    operations = served.platform.operations
    begun = threading.Event()

    def endless(work: Work, progress: Progress) -> None:
        begun.set()
        progress.cancelled.wait()
        progress.check()

    worker = OperationWorker(operations, {"endless": endless}, lambda kind, problem: {})
    operation = worker.begin("endless", "us-central1", "models/m", ("UploadModelOperationMetadata", {}), {})
    assert begun.wait(30)
    worker.close()
    assert [work.operation for work in operations.unfinished()] == [operation["name"].rpartition("/")[2]]
    again = OperationWorker(operations, {"endless": endless}, lambda kind, problem: {})
    begun.clear()
    again.start()
    assert begun.wait(30)
    again.cancel(operation["name"].rpartition("/")[2])
    assert done(served, operation)["error"] == {"code": 1, "message": "The operation was cancelled."}
    again.close()


def test_an_error_that_nobody_expected_ends_the_operation(served: Served) -> None:
    """It fails with a reference to the log; it does not stay unfinished for ever."""

    def broken(work: Work, progress: Progress) -> None:
        raise ZeroDivisionError

    worker = OperationWorker(served.platform.operations, {"broken": broken}, lambda kind, problem: {})
    operation = worker.begin("broken", "us-central1", "models/m", ("UploadModelOperationMetadata", {}), {})
    error = done(served, operation)["error"]
    assert error["code"] == 13 and "of the local platform; its log has the details" in error["message"]
    worker.close()
