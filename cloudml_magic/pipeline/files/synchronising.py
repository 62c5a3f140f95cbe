"""Makes a folder hold what another holds: sends what differs, and deletes what is only there if that is wanted."""

# Paths are text here, which pathlib would normalise.
# ruff: noqa: PTH108, PTH112, PTH118

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from cloudml_magic.connection import Connection
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.files.copying import Copied, check_target, summary
from cloudml_magic.pipeline.files.location import Location, check_apart
from cloudml_magic.pipeline.files.sources import Source, sources_of
from cloudml_magic.pipeline.files.transfer import OnProgress, Step, Transfer
from cloudml_magic.pipeline.session import connection
from cloudml_magic.storage import StoredObject
from cloudml_magic.storage.downloads import unwritable
from cloudml_magic.storage.local_files import files_beneath
from cloudml_magic.storage.standings import Standings, batched

_TOGETHER = 200


def synchronise(
    source: str | Path,
    to: str | Path,
    *,
    recursive: bool = True,
    delete: bool = False,
    any_project: bool = False,
    on_progress: OnProgress | None = None,
) -> Copied:
    """Makes a folder hold what another holds, one of them in a bucket; `delete` removes what is only there."""
    there, target = connection(), Location.parse(str(to))
    if not target.bucket and not str(source).startswith("gs://"):
        raise CloudMLError(
            "no-bucket-named",
            "Neither side is in a bucket.",
            next="Write a bucket's address as gs://BUCKET/NAME; between folders of this machine, use `!rsync`.",
        )
    check_target(there, target, any_project)
    transfer = Transfer(there, on_progress)
    folder = _folder(str(source), there, transfer)
    check_apart(folder.location, target)
    if delete and folder.location.lies_in(target):
        raise CloudMLError(
            "into-itself",
            f"{folder.location} lies in {target}, where it would be deleted.",
            why="What is only at the target is deleted, and that is the source itself.",
            next="Leave out -d, or move what is meant by `mv`.",
        )
    standings = there.uploader.standings_soon(target.bucket, target.prefix) if target.bucket else None
    transfer.run(
        Step(found, folder.location.bucket, target, found.beneath, standings)
        for found in folder.found()
        if recursive or "/" not in found.beneath
    )
    if delete:
        _delete_others(there, folder.location, target, recursive, standings)
    return summary(transfer.progress)


def _folder(text: str, there: Connection, transfer: Transfer) -> Source:
    location = Location.parse(text)
    if location.bucket:
        [source] = sources_of(f"{location.address}/", lambda: there.browser, True, transfer.progress.note_left_out)
        return source
    if not os.path.isdir(location.path):
        raise CloudMLError(
            "not-a-folder",
            f"{text} is no folder.",
            next="Files are copied by `cp`.",
        )
    [source] = sources_of(location.path, lambda: there.browser, True, transfer.progress.note_left_out)
    return source


def _delete_others(
    there: Connection, source: Location, target: Location, recursive: bool, standings: Callable[[], Standings] | None
) -> None:
    """Removes from the target what the source does not have."""
    has = _names_in(there, source)
    if standings is not None:
        prefix = target.prefix
        for some in batched(standings().all(), _TOGETHER):
            kept = has([name[len(prefix) :] for name, _ in some])
            for name, standing in some:
                beneath = name[len(prefix) :]
                if beneath and beneath not in kept and (recursive or "/" not in beneath):
                    gone = StoredObject(name, standing.size, None, "", standing.crc32c, standing.generation)
                    there.browser.delete(target.bucket, gone)
        return
    if not os.path.isdir(target.path):
        return  # Nothing was there, and nothing came.
    for files in batched(files_beneath(target.path, lambda _: None), _TOGETHER):
        kept = has([file.name for file in files])
        for file in files:
            if file.name not in kept and (recursive or "/" not in file.name):
                _unlink(file.path)


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except OSError as problem:
        raise unwritable(path, problem) from problem


def _names_in(there: Connection, source: Location) -> Callable[[list[str]], set[str]]:
    """Tells which names are in a folder."""
    if not source.bucket:
        return lambda names: {name for name in names if os.path.lexists(os.path.join(source.path, name))}
    prefix = source.prefix
    standings = there.uploader.standings(source.bucket, prefix)
    return lambda names: {name[len(prefix) :] for name in standings.of([prefix + name for name in names])}
