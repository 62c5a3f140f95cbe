"""A folder that changed: only what changed crosses the wire, and the new version is whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from cloudml_magic.local_platform import lifecycle
from cloudml_magic.pipeline.data import Upload, prepare_data
from cloudml_magic.pipeline.session import connection
from cloudml_magic.records import DataFile
from cloudml_magic.storage import Address
from cloudml_magic.storage.local_files import LocalFile
from cloudml_magic.storage.standings import Standing
from cloudml_magic.storage.uploader import Uploader


class Telling(Uploader):
    """An uploader that tells what it really sent."""

    def __init__(self, uploader: Uploader) -> None:
        super().__init__(uploader._connections, uploader._open_known)
        self.sent: set[str] = set()

    def send(self, file: LocalFile, address: Address, standing: Standing, moved: Callable[[int], None]) -> str:
        self.sent.add(address.name.rpartition("/")[2])
        return super().send(file, address, standing, moved)


@pytest.fixture
def train(home: Path, tmp_path: Path) -> Iterator[Path]:
    """A folder of twelve files."""
    folder = tmp_path / "Train"
    (folder / "cats").mkdir(parents=True)
    for index in range(12):
        (folder / f"cats/{index}.png").write_bytes(bytes([index]) * 100)
    yield folder
    lifecycle.stop()


def sent(folder: Path) -> tuple[Upload, set[str]]:
    """Sends a folder as a submission does; the files that crossed the wire."""
    there = connection()
    telling = Telling(there.uploader)
    _, (upload,) = prepare_data([DataFile(str(folder), "Train")], folder.parent, there.place.bucket)
    upload.send(SimpleNamespace(storage=there.storage, uploader=telling))
    return upload, telling.sent


def test_only_what_changed_goes_up(train: Path) -> None:
    """One file changed, one new, one gone: two are sent, and what lies there is exactly the folder."""
    first, everything = sent(train)
    assert len(everything) == 12
    assert sent(train)[1] == set()
    (train / "cats/3.png").write_bytes(b"another")
    (train / "new.png").write_bytes(b"new")
    (train / "cats/7.png").unlink()
    second, changes = sent(train)
    assert changes == {"3.png", "new.png"}
    assert second.address != first.address
    storage = connection().storage
    there = {name: storage.read(second.address / name) for name in storage.names(second.address)}
    assert there == {name: (train / name).read_bytes() for name in second.names}
    assert storage.read(first.address / "cats/7.png") is not None, "What other jobs read stays as it is."


def test_a_version_that_is_gone_costs_nothing_but_time(train: Path) -> None:
    """Whoever deleted it, the folder goes up whole."""
    first, _ = sent(train)
    connection().storage.delete_folder(first.address)
    (train / "new.png").write_bytes(b"new")
    assert len(sent(train)[1]) == 13


@pytest.mark.parametrize("note", [b"{", b"[]", b'{"address": 1, "files": {}}', b'{"address": "x", "files": 3}'])
def test_a_note_that_is_none_costs_nothing_but_time(train: Path, note: bytes) -> None:
    """It is written anew."""
    sent(train)
    storage = connection().storage
    (name,) = storage.names(connection().place.bucket / "data/versions")
    storage.write(connection().place.bucket / "data/versions" / name, note)
    (train / "new.png").write_bytes(b"new")
    assert len(sent(train)[1]) == 13
