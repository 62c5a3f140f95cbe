"""What an image with requirements is built from: a Dockerfile on its base, known by a digest of the two."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from cloudml_magic.packaging.archive import stored_archive


@dataclass(frozen=True, slots=True)
class ImageRecipe:
    """A base image and the requirements that are installed on it; equal lists make equal recipes in any order."""

    base: str
    requirements: tuple[str, ...]

    @classmethod
    def of(cls, base: str, requirements: Iterable[str]) -> ImageRecipe:
        return cls(base, tuple(sorted({requirement.strip() for requirement in requirements} - {""})))

    @property
    def digest(self) -> str:
        """Sixteen digits that stand for the recipe, and so for the image."""
        return hashlib.sha256("\n".join((self.base, *self.requirements)).encode()).hexdigest()[:16]

    @property
    def dockerfile(self) -> str:
        install = "python3 -m pip install --no-cache-dir --disable-pip-version-check"
        return (
            f"FROM {self.base}\nCOPY requirements.txt /tmp/requirements.txt\nRUN {install} -r /tmp/requirements.txt\n"
        )

    @property
    def context(self) -> bytes:
        """The folder that is built, as an archive."""
        listed = "".join(f"{requirement}\n" for requirement in self.requirements)
        return stored_archive(".", {"Dockerfile": self.dockerfile.encode(), "requirements.txt": listed.encode()})
