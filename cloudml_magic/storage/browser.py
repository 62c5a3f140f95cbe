"""Buckets as one looks through them: level by level, in parts, and with what is known of each object."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudml_magic.errors import CloudMLError
from cloudml_magic.storage.address import Address
from cloudml_magic.storage.checksums import encoded
from cloudml_magic.storage.downloads import fetch
from cloudml_magic.storage.objects import ObjectStorage, known_of, patience
from cloudml_magic.storage.refusals import explained
from cloudml_magic.storage.stored_object import StoredObject

_CHUNK_BYTES = 1 << 20
_FIELDS = "items(name,size,updated,contentType,crc32c,generation),prefixes,nextPageToken"


@dataclass(frozen=True, slots=True)
class Level:
    """What lies directly in a folder: folders and objects by their names in it, and the token of the next page."""

    folders: tuple[str, ...]
    objects: tuple[StoredObject, ...]
    next_page: str | None


@dataclass(frozen=True, slots=True)
class BucketFacts:
    """What is known of a bucket: whose it is, where it lies, and who may see into it."""

    name: str
    project_number: str
    location: str
    regions: tuple[str, ...]
    is_uniform: bool
    is_public_prevented: bool


class BucketBrowser(ObjectStorage):
    """What a person does with buckets that jobs do not."""

    def facts(self, name: str) -> BucketFacts:
        """What is known of a bucket; raises if there is none, or none that this user may look at."""
        with explained(Address(name)):
            bucket = self._client().get_bucket(name, **patience())
            iam = bucket.iam_configuration
            return BucketFacts(
                name,
                str(bucket.project_number),
                str(bucket.location).lower(),
                tuple(str(region).lower() for region in bucket.data_locations or ()),
                bool(iam.uniform_bucket_level_access_enabled),
                iam.public_access_prevention == "enforced",
            )

    def create(self, name: str, region: str, *, forget_days: int | None) -> None:
        """Makes a private bucket in a region; what jobs leave in it is deleted after `forget_days`."""
        with explained(Address(name)):
            bucket = self._client().bucket(name)
            bucket.iam_configuration.uniform_bucket_level_access_enabled = True
            bucket.iam_configuration.public_access_prevention = "enforced"
            if forget_days is not None:
                bucket.add_lifecycle_delete_rule(age=forget_days, matches_prefix=["jobs/", "packages/", "data/"])
            bucket.add_lifecycle_abort_incomplete_multipart_upload_rule(age=1)
            self._client().create_bucket(bucket, location=region, **patience())

    def missing_permissions(self, name: str, permissions: Sequence[str]) -> list[str]:
        """Which of these permissions this user does not have in a bucket."""
        with explained(Address(name)):
            granted = self._client().bucket(name).test_iam_permissions(list(permissions), **patience())
            return [permission for permission in permissions if permission not in granted]

    def buckets(self) -> list[tuple[str, float | None]]:
        """The buckets of the project, and when each was made."""
        with explained(Address("")):
            return [
                (bucket.name, _seconds(bucket.time_created)) for bucket in self._client().list_buckets(**patience())
            ]

    def level(self, folder: Address, page: str | None, most: int) -> Level:
        """A page of what lies directly in a folder."""
        prefix = f"{folder.name}/" if folder.name else ""
        with explained(folder):
            found = self._client().list_blobs(
                folder.bucket, prefix=prefix, delimiter="/", page_token=page, page_size=most, **patience()
            )
            blobs = next(found.pages, ())
            objects = tuple(_stored(blob, prefix) for blob in blobs if blob.name != prefix)
            folders = tuple(sorted(name[len(prefix) :].rstrip("/") for name in found.prefixes))
            return Level(folders, objects, found.next_page_token)

    def beneath(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        """Every object whose name begins so, by its whole name, page by page."""
        with explained(Address(bucket, prefix)):
            for blob in self._client().list_blobs(bucket, prefix=prefix, fields=_FIELDS, **patience()):
                yield _stored(blob, "")

    def matching(self, bucket: str, beginning: str, most: int) -> list[str]:
        """Names of objects and folders (with their slash) that begin so, on the level where the beginning ends."""
        with explained(Address(bucket)):
            found = self._client().list_blobs(bucket, prefix=beginning, delimiter="/", page_size=most, **patience())
            objects = [blob.name for blob in next(found.pages, ())]
            return sorted([*objects, *found.prefixes])[:most]

    def find(self, address: Address) -> StoredObject | None:
        """What is known of an object, or None if there is none."""
        if not address.name:
            return None
        with explained(address):
            blob = self._client().bucket(address.bucket).get_blob(address.name, **patience())
            return None if blob is None else _stored(blob, "")

    def stored(self, address: Address) -> StoredObject:
        """What is known of an object."""
        return _stored(self._known(address), "")

    def beginning(self, address: Address, most: int) -> bytes:
        """The first bytes of an object."""
        with explained(address):
            blob = self._known(address)
            if not blob.size:
                return b""
            content: bytes = blob.download_as_bytes(end=most - 1, checksum=None, **patience())
            return content

    def chunks(self, address: Address) -> Iterator[bytes]:
        """An object piece by piece. The last piece comes when the whole has arrived as it is stored, or not at all."""
        import google_crc32c

        with explained(address):
            blob = self._known(address)
            checksum, held = 0, b""
            with blob.open("rb", chunk_size=_CHUNK_BYTES, if_generation_match=blob.generation) as stream:
                while chunk := stream.read(_CHUNK_BYTES) if blob.size else b"":
                    if held:
                        yield held
                    checksum, held = google_crc32c.extend(checksum, chunk), chunk
            if encoded(checksum) != blob.crc32c:
                raise CloudMLError(
                    "bucket-failed",
                    f"{address} arrived damaged.",
                    why="Its checksum is not that of what is stored.",
                    next="Download it again.",
                )
            yield held

    def fetch(self, bucket: str, stored: StoredObject, path: str, moved: Callable[[int], None]) -> None:
        """Brings exactly the generation that was listed to a file: whole, unharmed, or not at all."""
        fetch(self._client(), bucket, stored, path, moved)

    def copy(self, bucket: str, stored: StoredObject, to: Address) -> None:
        """Copies exactly the generation that was listed, without bringing it here."""
        with explained(to):
            blob, source = self._blob(to), self._blob(Address(bucket, stored.name))
            how = {"if_source_generation_match": stored.generation, **patience()}
            token, *_ = blob.rewrite(source, **how)
            while token is not None:
                token, *_ = blob.rewrite(source, token=token, **how)

    def delete(self, bucket: str, stored: StoredObject) -> bool:
        """Deletes exactly the generation that was listed; False if it is gone already, or another one is there."""
        from google.api_core.exceptions import NotFound, PreconditionFailed

        address = Address(bucket, stored.name)
        with explained(address):
            try:
                self._blob(address).delete(if_generation_match=stored.generation, **patience())
            except (NotFound, PreconditionFailed):
                return False
            return True

    def delete_bucket(self, name: str) -> None:
        """Deletes an empty bucket."""
        from google.api_core.exceptions import Conflict

        with explained(Address(name)):
            try:
                self._client().bucket(name).delete(**patience())
            except Conflict:
                raise CloudMLError(
                    "bucket-not-empty",
                    f"gs://{name} is not empty.",
                    why="Only an empty bucket can be deleted.",
                    next=f"`%ml_storage rm -r gs://{name}` deletes what is in it, and the bucket itself.",
                ) from None

    def put_file(self, address: Address, file: Path, content_type: str, *, overwrite: bool) -> None:
        """Stores a file, over another one only if that is wanted."""
        from google.api_core.exceptions import PreconditionFailed

        known = known_of(file)
        condition: dict[str, Any] = {} if overwrite else {"if_generation_match": 0}
        with explained(address):
            blob = self._blob(address)
            blob.crc32c = known.encoded
            try:
                blob.upload_from_filename(
                    str(file), content_type=content_type, checksum="crc32c", **condition, **patience()
                )
            except PreconditionFailed:
                raise CloudMLError(
                    "object-exists",
                    f"There is an object {address} already.",
                    next="Replace it, or choose another name.",
                ) from None

    def _known(self, address: Address) -> Any:
        with explained(address):
            blob = self._client().bucket(address.bucket).get_blob(address.name, **patience()) if address.name else None
        if blob is None:
            raise CloudMLError(
                "no-such-object", f"There is no object {address}.", next="List its folder again; it may be deleted."
            )
        return blob


def _stored(blob: Any, prefix: str) -> StoredObject:
    return StoredObject(
        blob.name[len(prefix) :],
        blob.size or 0,
        _seconds(blob.updated),
        blob.content_type or "",
        blob.crc32c or "",
        int(blob.generation or 0),
    )


def _seconds(moment: Any) -> float | None:
    return moment.timestamp() if moment is not None else None
