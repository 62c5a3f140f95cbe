"""Which images this Python stands in for, and how the others are refused."""

from __future__ import annotations

import pytest

from cloudml_magic.local_platform import images
from cloudml_magic.local_platform.errors import PlatformError


@pytest.fixture(autouse=True)
def versions(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = {"tensorflow": "2.21.0", "jax": "0.10.2"}

    def version(name: str) -> str:
        if name not in installed:
            raise images.importlib.metadata.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(images.importlib.metadata, "version", version)
    monkeypatch.setattr(images, "_python", lambda: "3.11")


@pytest.mark.parametrize(
    ("image", "note"),
    [
        ("tensorflow/tensorflow", None),
        ("tensorflow/tensorflow:2.21.0", None),
        ("tensorflow/tensorflow:2.21.0-gpu", None),
        ("docker.io/tensorflow/tensorflow:latest-gpu", None),
        ("tensorflow/tensorflow:2.18.1", "TensorFlow 2.21.0 instead of 2.18.1"),
        ("us-docker.pkg.dev/vertex-ai/training/tf-gpu.2-17.py310:latest",
         "TensorFlow 2.21.0 instead of 2.17, Python 3.11 instead of 3.10"),
        ("europe-docker.pkg.dev/vertex-ai/training/tf-cpu.2-21.py311:latest", None),
        ("gcr.io/cloud-aiplatform/training/tf-cpu.2-2:latest", "TensorFlow 2.21.0 instead of 2.2"),
        ("ghcr.io/nvidia/jax:jax-2025-01-01", None),
        (images.runtime_image("1.13", "3.5"), "TensorFlow 2.21.0 instead of 1.13, Python 3.11 instead of 3.5"),
        (images.runtime_image("2.21", None), None),
    ],
)  # fmt: skip
def test_public_images_are_stood_in_for(image: str, note: str | None) -> None:
    """A note tells where versions differ."""
    expected = note and f"This Python stands in for {image}: {note}."
    assert images.check_image(image) == expected


@pytest.mark.parametrize(
    "image",
    ["ubuntu", "eu.gcr.io/p/tensorflow/tensorflow", "tensorflow/tensorflow-evil:1", "x/tensorflow/tensorflow:1", ""],
)
def test_other_images_are_refused_by_name(image: str) -> None:
    """400, with what could run instead."""
    with pytest.raises(PlatformError) as refused:
        images.check_image(image)
    assert refused.value.code == 400
    assert refused.value.message == (
        f"The image {image} cannot run on the local platform, which runs no containers: this Python stands in for"
        " tensorflow/tensorflow, pytorch/pytorch, nvidia/jax and vertex-ai/training images only."
        " Use one of these, or send the job to the cloud."
    )


def test_a_framework_that_is_not_here_is_named() -> None:
    """Standing in for PyTorch takes PyTorch."""
    with pytest.raises(PlatformError, match="this Python has no PyTorch"):
        images.check_image("pytorch/pytorch:2.9.0")
