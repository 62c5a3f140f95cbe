"""A folder of 1,000 files of 20 KB into a local bucket, against Google's own client in series and with 8 threads."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.measure import ROUNDS, Row, median, own_home, ratio, seconds, side_by_side

_FILES, _SIZE = 1000, 20_000
_BUCKET = "bench-storage"
_UNSYNCED = """
import os, sqlite3
os.fsync = lambda descriptor: None
class Unsynced(sqlite3.Connection):
    def execute(self, statement, *values):
        return super().execute(statement.replace("synchronous=FULL", "synchronous=OFF"), *values)
opened = sqlite3.connect
sqlite3.connect = lambda *place, **how: opened(*place, **{"factory": Unsynced, **how})
"""


def rows() -> Iterator[Row]:
    with own_home() as home:
        from cloudml_magic import files

        folder = home / "folder"
        _fill(folder)
        bucket = files.make_bucket(_BUCKET)
        files.copy(folder / "0000.bin", bucket)

        def again() -> float:
            # Alone, and some times in a row: it takes so little that the wake of what was before would count.
            return median([seconds(lambda: _same(folder, f"{bucket}/same/")) for _ in range(3)])

        _copied(folder, f"{bucket}/same/")
        ours, serial, threads, unchanged = side_by_side(
            lambda: seconds(lambda: _copied(folder, f"{bucket}/{secrets.token_hex(4)}/")),
            lambda: seconds(lambda: _in_series(folder)),
            lambda: seconds(lambda: _with_threads(folder)),
            again,
        )
        yield Row("1,000 files of 20 KB into a local bucket", median(ours), "s", 5)
        yield Row("… google-cloud-storage in series, times as long", ratio(serial, ours), "times", 3, at_least=True)
        yield Row("… transfer_manager with 8 threads, times as long", ratio(threads, ours), "times", 3, at_least=True)
        yield Row("the same folder again, unchanged", median(unchanged) * 1000, "ms", 100)
        yield Row("… its first upload, times as long", ratio(ours, unchanged), "times", 50, at_least=True)
        yield Row(
            "… google-cloud-storage in series, times as long", ratio(serial, unchanged), "times", 50, at_least=True
        )
    unsynced = _without_syncs()
    yield Row(
        "an object on disk before it is answered costs, of each in the folder", (median(ours) - unsynced), "ms", 3
    )


def _copied(folder: Path, to: str) -> None:
    from cloudml_magic import files

    assert files.copy(folder, to, recursive=True).files == _FILES


def _same(folder: Path, to: str) -> None:
    from cloudml_magic import files

    assert files.copy(folder, to, recursive=True).unchanged == _FILES


def _in_series(folder: Path) -> None:
    bucket, prefix = _googles_bucket(), secrets.token_hex(4)
    for file in folder.iterdir():
        bucket.blob(f"{prefix}/{file.name}").upload_from_filename(str(file))


def _with_threads(folder: Path) -> None:
    from google.cloud.storage import transfer_manager

    names = [file.name for file in folder.iterdir()]
    results = transfer_manager.upload_many_from_filenames(
        _googles_bucket(),
        names,
        source_directory=str(folder),
        blob_name_prefix=f"{secrets.token_hex(4)}/",
        worker_type="thread",
        max_workers=8,
    )
    assert not any(isinstance(result, Exception) for result in results)


def _googles_bucket() -> Any:
    """As a user of Google's client would have it, of the same platform."""
    from cloudml_magic.pipeline.session import connection

    return connection().browser._client().bucket(_BUCKET)


def _without_syncs() -> float:
    """Seconds for the same folder on a platform that leaves everything to the disk's own time."""
    from cloudml_magic import files

    with own_home() as home:
        patch, folder = home / "patch", home / "folder"
        patch.mkdir()
        (patch / "sitecustomize.py").write_text(_UNSYNCED)
        _fill(folder)
        before = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = str(patch)
        try:
            bucket = files.make_bucket(_BUCKET)
        finally:
            os.environ.pop("PYTHONPATH") if before is None else os.environ.update(PYTHONPATH=before)
        return median([seconds(lambda: _copied(folder, f"{bucket}/{secrets.token_hex(4)}/")) for _ in range(ROUNDS)])


def _fill(folder: Path) -> None:
    folder.mkdir()
    for number in range(_FILES):
        (folder / f"{number:04}.bin").write_bytes(os.urandom(_SIZE))
