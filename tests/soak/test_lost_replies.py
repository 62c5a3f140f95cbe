"""R2, R3, R8: whatever a network does, a submission is one job, an object is written once and read whole."""

from __future__ import annotations

import random
import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloudml_magic.client import Access, Caller, Client
from cloudml_magic.client.dialect import dialect
from cloudml_magic.client.event_stream import EventStream
from cloudml_magic.errors import CloudMLError
from cloudml_magic.places import PlatformPlaces
from cloudml_magic.records import DialectName, JobSpec, Target
from cloudml_magic.storage import Address, ObjectStorage
from tests.faults.proxy import Fault, FaultProxy
from tests.long_counts import count
from tests.soak.living import LivePlatform

BUCKET = Address("cloudml-local")
SPEC = JobSpec(
    name="soak",
    token="",
    package_uri="gs://cloudml-local/packages/none.tar.gz",
    package_sha256="0" * 64,
    module="none",
    folder="gs://cloudml-local/jobs/soak",
    image="tensorflow/tensorflow:latest",
    command=("true",),
)


@pytest.fixture
def busy(living: Callable[..., LivePlatform]) -> LivePlatform:
    """A platform whose only place is taken, so that what is submitted waits."""
    platform = living(1)
    platform.wait(platform.create("sleep", "100000"), "JOB_STATE_RUNNING")
    return platform


@pytest.fixture
def proxy(busy: LivePlatform) -> Iterator[FaultProxy]:
    with FaultProxy(busy.address.port) as between:
        yield between


def client_at(endpoint: str, platform: LivePlatform) -> Client:
    place = Access(endpoint, platform.address.token)
    return Client(
        lambda api: Caller(lambda again: place, api),
        EventStream(lambda again: place),
        dialect(DialectName.AIPLATFORM_V1, "cloudml-local"),
        target=Target.LOCAL,
        project="cloudml-local",
        region="us-central1",
    )


def storage_at(endpoint: str, platform: LivePlatform) -> ObjectStorage:
    """A client for each thread: the official one is not made to be shared."""
    own = threading.local()

    def client() -> Any:
        if not hasattr(own, "client"):
            from google.cloud import storage
            from google.oauth2.credentials import Credentials

            own.client = storage.Client(
                "cloudml-local", Credentials(platform.address.token), client_options={"api_endpoint": endpoint}
            )
            own.client._http.trust_env = False
        return own.client

    return ObjectStorage(client)


def path_of(address: Address) -> Path:
    return PlatformPlaces.of_this_user().buckets / address.bucket / address.name


def test_racers_with_one_token_make_one_job(busy: LivePlatform) -> None:
    """R8: sixty-four at once, all are told the same job."""
    for round in range(count(5, 1)):
        start = threading.Barrier(64)

        def race(_: int, token: str = f"race-{round}", start: threading.Barrier = start) -> str:
            start.wait()
            return busy.create("true", token=token)

        with ThreadPoolExecutor(64) as pool:
            assert len(set(pool.map(race, range(64)))) == 1
    assert len(busy.jobs()) == 1 + count(5, 1)


def test_lost_replies_make_no_second_job(busy: LivePlatform, proxy: FaultProxy) -> None:
    """R8: the job was created and its answer lost; the client finds it by its token."""
    tried = count(200, 20)
    client = client_at(proxy.endpoint, busy)
    for number in range(tried):
        proxy.script(Fault("lost_reply", "POST", r"/customJobs(\?|$)"))
        token = f"lost-{number}"
        made = client.create_job(replace(SPEC, token=token))
        assert made.labels["cloudml-token"] == token
    tokens = [job.get("labels", {}).get("cloudml-token") for job in busy.jobs()]
    assert sorted(token for token in tokens if token) == sorted(f"lost-{number}" for number in range(tried))


def test_lost_replies_overwrite_nothing_and_raise_no_false_error(busy: LivePlatform) -> None:
    """R2: the upload arrived and its answer was lost; a foreign object under the name stays and is told."""
    writers = 8

    def put(proxy: FaultProxy, storage: ObjectStorage, number: int) -> None:
        address, content = BUCKET / f"once/{number}", secrets.token_bytes(2000)
        proxy.script(Fault("lost_reply", "POST", r"/upload/"))
        if number % 5 == 0:
            path_of(address).parent.mkdir(parents=True, exist_ok=True)
            path_of(address).write_bytes(b"of another")
            with pytest.raises(CloudMLError) as caught:
                storage.put_once(address, content)
            assert caught.value.reference == "object-differs"
            assert path_of(address).read_bytes() == b"of another"
        else:
            storage.put_once(address, content)
            assert path_of(address).read_bytes() == content
        assert not proxy.unused()

    def write(writer: int) -> None:
        with FaultProxy(busy.address.port) as proxy:
            storage = storage_at(proxy.endpoint, busy)
            for number in range(writer, count(1000, 48), writers):
                put(proxy, storage, number)

    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(write, range(writers)))


def test_of_racing_writers_one_wins(busy: LivePlatform) -> None:
    """R2: sixteen with different contents under one name: one is told that it wrote, and its content is there."""
    storage = storage_at(busy.address.endpoint, busy)
    start = threading.Barrier(16)

    def race(job: tuple[Address, bytes]) -> bytes | None:
        start.wait()
        try:
            return job[1] if storage.put_once(*job) else None
        except CloudMLError as error:
            assert error.reference == "object-differs"
            return None

    with ThreadPoolExecutor(16) as pool:
        for round in range(count(50, 5)):
            address = BUCKET / f"race/{round}"
            won = [one for one in pool.map(race, [(address, bytes([number]) * 50) for number in range(16)]) if one]
            assert len(won) == 1
            assert path_of(address).read_bytes() == won[0]


def test_damaged_downloads_are_noticed(busy: LivePlatform, proxy: FaultProxy, tmp_path: Path) -> None:
    """R3: a flipped bit or a torn answer is never taken for the object, and leaves no file behind."""
    chance, content = random.Random(5), secrets.token_bytes(100_000)
    direct, damaged = storage_at(busy.address.endpoint, busy), storage_at(proxy.endpoint, busy)
    direct.put_once(BUCKET / "whole", content)
    refused = 0
    for number in range(count(100, 10)):
        kind = "flip_response" if number % 2 else "truncate"
        proxy.script(Fault(kind, "GET", r"alt=media|/download/", at=chance.randrange(len(content))))  # type: ignore[arg-type]
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            damaged.download(BUCKET / "whole", folder / "file")
        except CloudMLError:
            refused += 1
            assert list(folder.iterdir()) == []
        else:
            assert [path.name for path in folder.iterdir()] == ["file"]
            assert (folder / "file").read_bytes() == content
        read = None
        proxy.script(Fault(kind, "GET", r"alt=media|/download/", at=chance.randrange(len(content))))  # type: ignore[arg-type]
        try:
            read = damaged.read(BUCKET / "whole")
        except CloudMLError:
            continue
        assert read == content
    print(f"{refused} downloads were refused, the others repeated")
