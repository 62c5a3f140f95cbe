"""What an image with requirements is built from, and what it is known by."""

from __future__ import annotations

import io
import tarfile

from cloudml_magic.packaging import ImageRecipe

BASE = "tensorflow/tensorflow:2.21.0"


def test_the_same_list_in_any_order_is_the_same_image() -> None:
    """Sorted, each once, without blanks; byte for byte the same archive."""
    one = ImageRecipe.of(BASE, ["pandas==2.2.3", "scikit-learn==1.5.0"])
    other = ImageRecipe.of(BASE, [" scikit-learn==1.5.0", "pandas==2.2.3", "pandas==2.2.3", ""])
    assert one == other
    assert one.context == other.context
    assert len(one.digest) == 16


def test_another_base_or_another_version_is_another_image() -> None:
    """The digest follows from both."""
    digests = {
        ImageRecipe.of(base, [requirement]).digest
        for base in (BASE, f"{BASE}-gpu")
        for requirement in ("pandas==2.2.3", "pandas==2.2.2")
    }
    assert len(digests) == 4


def test_the_archive_holds_a_dockerfile_and_the_list() -> None:
    """At its top, where Cloud Build looks for it."""
    recipe = ImageRecipe.of(BASE, ["b==1", "a==2"])
    with tarfile.open(fileobj=io.BytesIO(recipe.context)) as archive:
        found = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
    assert found == {
        "./Dockerfile": b"FROM tensorflow/tensorflow:2.21.0\n"
        b"COPY requirements.txt /tmp/requirements.txt\n"
        b"RUN python3 -m pip install --no-cache-dir --disable-pip-version-check -r /tmp/requirements.txt\n",
        "./requirements.txt": b"a==2\nb==1\n",
    }
