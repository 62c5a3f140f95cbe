"""Folders and large files through a network that fails: whole, once, and over nobody's newer object."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest

from cloudml_magic import files
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.session import connection
from cloudml_magic.storage import Address, keep_alive, uploader
from tests.faults.proxy import Fault, FaultProxy

UPLOAD, DOWNLOAD, LISTING = r"/upload/storage/v1/b/", r"alt=media", r"/storage/v1/b/[^/]+/o\?"
PASSING = {
    "503": Fault("status", "POST", UPLOAD, status=503, times=3),
    "429": Fault("status", "POST", UPLOAD, status=429, times=3),
    "reset": Fault("reset", "POST", UPLOAD, times=3),
    "lost reply": Fault("lost_reply", "POST", UPLOAD, times=3),
    "stall": Fault("stall", "POST", UPLOAD, seconds=3, times=2),
    "listing reset": Fault("reset", "GET", LISTING, times=2),
    "listing cut": Fault("truncate", "GET", LISTING, at=5, times=2),
}


@pytest.fixture
def bucket(proxy: FaultProxy) -> str:
    return files.make_bucket(f"faults-{secrets.token_hex(4)}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(12):
        (tmp_path / "d" / str(number % 3)).mkdir(parents=True, exist_ok=True)
        (tmp_path / "d" / str(number % 3) / f"{number}").write_bytes(os.urandom(1000 + number))
    return tmp_path / "d"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("fault", PASSING)
def test_a_folder_goes_up_through_a_passing_fault(
    proxy: FaultProxy, bucket: str, folder: Path, tmp_path: Path, fault: str
) -> None:
    """Every file once, whatever happened on the way: no error, no second generation."""
    proxy.script(PASSING[fault])
    copied = files.copy(folder, bucket, recursive=True)
    assert copied.files == 12
    generations = {line.address: line.stored.generation for line in files.listed(bucket, recursive=True) if line.stored}
    assert files.copy(folder, bucket, recursive=True).unchanged == 12
    assert generations == {
        line.address: line.stored.generation for line in files.listed(bucket, recursive=True) if line.stored
    }
    files.synchronise(f"{bucket}/d", tmp_path / "back")
    assert contents(tmp_path / "back") == contents(folder)


def test_damaged_on_the_way_up_is_refused_and_not_stored(proxy: FaultProxy, bucket: str, tmp_path: Path) -> None:
    """The server compares the checksum that was declared; nothing is there afterwards."""
    (tmp_path / "x").write_bytes(b"\0" * 5000)
    proxy.script(Fault("flip_request", "POST", UPLOAD, at=2500))
    with pytest.raises(CloudMLError, match="doesn't match calculated CRC32C"):
        files.copy(tmp_path / "x", bucket)
    assert connection().storage.read(Address.parse(f"{bucket}/x")) is None


@pytest.mark.parametrize(
    "fault",
    [
        Fault("flip_response", "GET", DOWNLOAD, at=700),
        Fault("truncate", "GET", DOWNLOAD, at=700),
        Fault("reset", "GET", DOWNLOAD, times=2),
        Fault("status", "GET", DOWNLOAD, status=503, times=2),
    ],
    ids=lambda fault: fault.kind,
)
def test_damaged_or_cut_on_the_way_down_is_brought_again(
    proxy: FaultProxy, bucket: str, folder: Path, tmp_path: Path, fault: Fault
) -> None:
    """What lies there in the end is what is stored, and nothing else."""
    files.copy(folder, bucket, recursive=True)
    proxy.script(fault)
    files.synchronise(f"{bucket}/d", tmp_path / "back")
    assert contents(tmp_path / "back") == contents(folder)


def test_a_large_file_goes_on_at_its_last_block(
    proxy: FaultProxy, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken in its middle and given up, another run sends only what has not arrived."""
    monkeypatch.setattr(uploader, "_ONE_REQUEST_BYTES", 1 << 20)
    (tmp_path / "big").write_bytes(os.urandom(5 << 20))
    proxy.script(Fault("reset", "PUT", "upload_id", skip=3))
    with monkeypatch.context() as patched, pytest.raises(CloudMLError):
        patched.setattr(keep_alive, "_GIVE_UP_SECONDS", 0.0)
        files.copy(tmp_path / "big", bucket)
    before = len(proxy.requests)
    files.copy(tmp_path / "big", bucket)
    sent = [verb for verb, path in proxy.requests[before:] if "upload" in path]
    assert sent.count("POST") == 0 and sent.count("PUT") == 1 + 2
    assert connection().storage.read(Address.parse(f"{bucket}/big")) == (tmp_path / "big").read_bytes()


@pytest.mark.parametrize("kind", ["reset", "lost_reply", "status"])
def test_a_large_file_survives_faults_of_its_blocks(
    proxy: FaultProxy, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A block that may have arrived is asked for before it is sent again."""
    monkeypatch.setattr(uploader, "_ONE_REQUEST_BYTES", 1 << 20)
    (tmp_path / "big").write_bytes(os.urandom((5 << 20) + 17))
    proxy.script(Fault(kind, "PUT", "upload_id", skip=2, times=2), Fault(kind, "PUT", "upload_id", skip=3, times=1))  # type: ignore[arg-type]
    files.copy(tmp_path / "big", bucket)
    assert connection().storage.read(Address.parse(f"{bucket}/big")) == (tmp_path / "big").read_bytes()


def test_what_somebody_stored_meanwhile_is_not_overwritten(proxy: FaultProxy, bucket: str, tmp_path: Path) -> None:
    """The reply to our own success is lost, somebody stores something newer: it stays, and is said."""
    (tmp_path / "x").write_text("ours")
    address = Address.parse(f"{bucket}/x")
    standing = connection().uploader.standing(address)
    connection().storage.write(address, b"theirs", "text/plain")
    from cloudml_magic.storage.local_files import file_at

    file = file_at(str(tmp_path / "x"))
    assert file is not None
    with pytest.raises(CloudMLError) as caught:
        connection().uploader.send(file, address, standing, lambda _: None)
    assert str(caught.value) == (
        f"{address} was stored anew by somebody else meanwhile.\n"
        "  Why:  To replace it would undo what they did.\n"
        "  Next: Copy again if yours is to replace it.\n"
        "[object-changed]"
    )
    assert connection().storage.read(address) == b"theirs"
