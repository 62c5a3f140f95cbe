"""Deletes objects and buckets: page by page, so that whatever interrupts it, the next run deletes the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cloudml_magic.connection import Connection
from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.files.failures import Failures
from cloudml_magic.pipeline.files.progress import Progress
from cloudml_magic.pipeline.files.sources import Found, in_bucket, sources_of
from cloudml_magic.pipeline.files.transfer import OnProgress
from cloudml_magic.pipeline.session import connection
from cloudml_magic.storage import Address, StoredObject
from cloudml_magic.storage.parallel import WORKERS, in_parallel


@dataclass(frozen=True, slots=True)
class Doomed:
    """What would be deleted, in words for the question before it."""

    text: str
    recursive: bool
    is_bucket: bool

    @property
    def words(self) -> str:
        if self.is_bucket:
            return f"everything in {self.text}, and the bucket itself"
        return f"everything in {self.text}" if self.recursive else self.text


def doomed(text: str, *, recursive: bool = False) -> Doomed:
    """What `remove` would delete; raises for what is in no bucket."""
    location = in_bucket(text)
    return Doomed(text, recursive, recursive and not location.path)


def remove(text: str, *, recursive: bool = False, on_progress: OnProgress | None = None) -> int:
    """Deletes an object, what a pattern matches, or a folder; how many objects. Of a bucket the bucket as well."""
    progress, failures, browser = Progress(), Failures(), connection().browser
    chosen = doomed(text, recursive=recursive)

    def tick() -> None:
        if on_progress is not None:
            on_progress(progress)

    def delete(thing: tuple[str, Found]) -> None:
        bucket, found = thing
        stored = found.thing
        assert isinstance(stored, StoredObject)
        if not browser.delete(bucket, stored) and browser.find(Address(bucket, stored.name)):
            raise CloudMLError(
                "object-changed",
                f"gs://{bucket}/{stored.name} was stored anew meanwhile, and was left.",
                next="Delete it again if the new one is not wanted either.",
            )
        progress.moved(found.size)

    try:
        for _, came in in_parallel(delete, _objects(text, recursive, chosen.is_bucket), WORKERS, tick):
            progress.found_files += 1
            if isinstance(came, CloudMLError):
                failures.add(came)
            else:
                progress.done_files += 1
    finally:
        progress.is_counted = True
        tick()
    failures.raise_if_any("deleted", progress.found_files)
    if chosen.is_bucket:
        browser.delete_bucket(in_bucket(text).bucket)
    return progress.done_files


def make_bucket(name: str, region: str | None = None) -> str:
    """Makes a private bucket, in the region where jobs run unless another is named; its address."""
    bucket, there = _bucket_called(name), connection()
    try:
        there.browser.create(bucket, region or there.place.region, forget_days=None)
    except CloudMLError as problem:
        raise _taken(bucket, there, problem) from problem
    return f"gs://{bucket}"


def _bucket_called(name: str) -> str:
    """A bucket's name, with or without gs://; raises for something in a bucket."""
    location = in_bucket(name if name.startswith("gs://") else f"gs://{name}")
    if location.path:
        raise CloudMLError(
            "bad-address",
            f"{name} is no bucket, but something in one.",
            why="A folder comes with the first object that is copied into it, and goes with its last.",
            next=f"Name the bucket alone, gs://{location.bucket}; a folder is deleted by `%ml_storage rm -r`.",
        )
    return location.bucket


def _taken(name: str, there: Connection, problem: CloudMLError) -> CloudMLError:
    """Why a bucket could not be made: it is there, and somebody's."""
    if problem.reference != "bucket-failed" or "409" not in problem.what:
        return problem
    try:
        there.check_bucket(name)
    except CloudMLError:
        return CloudMLError(
            "bucket-taken",
            f"gs://{name} belongs to somebody else.",
            why="Names of buckets are shared by all users of Cloud Storage.",
            next="Choose another name, such as one that begins with your project's.",
        )
    return CloudMLError(
        "bucket-exists", f"gs://{name} is yours already.", next=f"Use it: `%ml_storage ls gs://{name}`."
    )


def remove_bucket(name: str) -> None:
    """Deletes an empty bucket."""
    connection().browser.delete_bucket(_bucket_called(name))


def _objects(text: str, recursive: bool, may_be_empty: bool) -> Iterator[tuple[str, Found]]:
    browser = connection().browser
    if may_be_empty:
        bucket = in_bucket(text).bucket
        for stored in browser.beneath(bucket, ""):
            yield bucket, Found(stored.name, stored)
        return
    for source in sources_of(text, lambda: browser, recursive, lambda _: None):
        for found in source.found():
            yield source.location.bucket, found
