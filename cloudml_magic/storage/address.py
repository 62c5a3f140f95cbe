"""gs:// addresses: a bucket and the name of an object or folder in it."""

from __future__ import annotations

from dataclasses import dataclass

from cloudml_magic.errors import CloudMLError


@dataclass(frozen=True, slots=True)
class Address:
    """`gs://bucket/name`; a folder's name has no slash at its end."""

    bucket: str
    name: str = ""

    @classmethod
    def parse(cls, text: str) -> Address:
        scheme, separator, rest = text.partition("://")
        bucket, _, name = rest.partition("/")
        if scheme != "gs" or not separator or not bucket:
            raise CloudMLError("bad-address", f"{text!r} is no bucket address.", next="Write it as gs://BUCKET/NAME.")
        return cls(bucket, name.rstrip("/"))

    def __truediv__(self, name: str) -> Address:
        return Address(self.bucket, f"{self.name}/{name}" if self.name else name)

    def __str__(self) -> str:
        return f"gs://{self.bucket}/{self.name}" if self.name else f"gs://{self.bucket}"
