"""Copies and moves between this machine and buckets, by the rules that gsutil's users know."""

# Paths are text here, which pathlib would normalise.
# ruff: noqa: PTH106, PTH111, PTH112, PTH114

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cloudml_magic.connection import Connection
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.files.location import Location, check_apart
from cloudml_magic.pipeline.files.progress import Progress
from cloudml_magic.pipeline.files.sources import Source, sources_of
from cloudml_magic.pipeline.files.transfer import OnProgress, Step, Transfer
from cloudml_magic.pipeline.session import connection


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy did: how many files and bytes went over, how many were there already, what was left out."""

    files: int
    size: int
    unchanged: int
    left_out: dict[str, int]
    seconds: float


def copy(
    sources: str | Path | Iterable[str | Path],
    to: str | Path,
    *,
    recursive: bool = False,
    any_project: bool = False,
    on_progress: OnProgress | None = None,
) -> Copied:
    """Copies files and folders to or from a bucket, or between buckets; what is there already is not sent."""
    return _copied(_texts(sources), str(to), recursive, any_project, on_progress, take_away=False)


def move(
    sources: str | Path | Iterable[str | Path],
    to: str | Path,
    *,
    recursive: bool = False,
    any_project: bool = False,
    on_progress: OnProgress | None = None,
) -> Copied:
    """Copies, and deletes each source when it has arrived."""
    texts = _texts(sources)
    copied = _copied(texts, str(to), recursive, any_project, on_progress, take_away=True)
    for text in texts:
        if not text.startswith("gs://"):
            _remove_empty_folders(os.path.expanduser(text))
    return copied


def _texts(sources: str | Path | Iterable[str | Path]) -> list[str]:
    return [str(sources)] if isinstance(sources, str | Path) else [str(each) for each in sources]


def _copied(
    texts: list[str], to: str, recursive: bool, any_project: bool, on_progress: OnProgress | None, *, take_away: bool
) -> Copied:
    there, target = connection(), Location.parse(to)
    if not target.bucket and not all(text.startswith("gs://") for text in texts):
        raise CloudMLError(
            "no-bucket-named",
            "Neither side is in a bucket.",
            next="Write a bucket's address as gs://BUCKET/NAME; between folders of this machine, use `!cp`.",
        )
    check_target(there, target, any_project)
    transfer = Transfer(there, on_progress, take_away=take_away)
    left_out = transfer.progress.note_left_out
    sources = [each for text in texts for each in sources_of(text, lambda: there.browser, recursive, left_out)]
    into = _is_into(there, target, len(sources) > 1 or _are_matched(sources, texts))
    transfer.run(_without_clashes(_steps(there, sources, target, into)))
    return summary(transfer.progress)


def _are_matched(sources: Iterable[Source], texts: Iterable[str]) -> bool:
    """Whether a pattern found them, and not a name that has a pattern's signs in it."""
    literal = {Location.parse(text).path for text in texts}
    return any(source.is_matched or source.location.path not in literal for source in sources)


def check_target(there: Connection, target: Location, any_project: bool) -> None:
    """Refuses another project's bucket, unless it is meant."""
    if not target.bucket or any_project:
        return
    try:
        there.check_bucket(target.bucket)
    except CloudMLError as problem:
        if problem.reference not in ("foreign-bucket", "bucket-denied"):
            raise
        raise CloudMLError(
            problem.reference,
            problem.what,
            why="Whoever owns a bucket can read and change what is sent there."
            if problem.reference == "foreign-bucket"
            else "Whose bucket it is cannot be seen, and whoever owns it can read and change what is sent there.",
            next="Say --any-project if it is meant. Nothing was sent.",
        ) from problem


def summary(progress: Progress) -> Copied:
    """What a transfer did, in numbers."""
    import time

    return Copied(
        progress.done_files,
        progress.done_bytes,
        progress.unchanged,
        dict(progress.left_out),
        time.monotonic() - progress.began,
    )


def _is_into(there: Connection, target: Location, is_many: bool) -> bool:
    """Whether the target is a folder that things are put into, or the name that one thing gets."""
    if target.bucket:
        if target.is_folder or is_many:
            return True
        prefix = f"{target.path}/"
        return next(iter(there.browser.beneath(target.bucket, prefix)), None) is not None
    if is_many and not target.is_folder and not os.path.isdir(target.path):
        raise CloudMLError(
            "not-a-folder",
            f"{target} is no folder.",
            why="Several files are copied there.",
            next=f"Make it first, or write it with a slash at its end: {target}/",
        )
    return target.is_folder or os.path.isdir(target.path)


def _steps(there: Connection, sources: Iterable[Source], target: Location, into: bool) -> Iterator[Step]:
    for source in sources:
        standings = None
        if target.bucket and source.is_folder and not source.is_matched:
            root = target.within(source.location.last_part) if into else target
            check_apart(source.location, root)
            standings = there.uploader.standings_soon(target.bucket, root.prefix)
        for found in source.found():
            yield Step(found, source.location.bucket, target, found.name if into else found.beneath, standings)


def _without_clashes(steps: Iterable[Step]) -> Iterator[Step]:
    """The same steps; raises before two different things would get one name."""
    origins: dict[str, str] = {}
    for step in steps:
        top, _, beneath = step.found.name.partition("/")
        thing = step.found.thing
        whole = getattr(thing, "path", thing.name)
        origin = f"{step.bucket}/{whole[: len(whole) - len(beneath)]}"
        if origins.setdefault(top, origin) != origin:
            raise CloudMLError(
                "same-target",
                f"Several of what is copied would become {top!r}.",
                why="Folders of what `**` and `*` match are not made at the target.",
                next="Copy the folder itself with -r, which keeps the folders in it.",
            )
        yield step


def _remove_empty_folders(path: str) -> None:
    if os.path.islink(path) or not os.path.isdir(path):
        return
    for folder, _, _ in os.walk(path, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(folder)
