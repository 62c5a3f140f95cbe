"""Which container images this Python stands in for, in training and in serving: the platform runs no containers."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from dataclasses import dataclass

from cloudml_magic.local_platform.errors import PlatformError


@dataclass(frozen=True, slots=True)
class _StandIn:
    """A family of public images, and the framework that this Python needs to stand in for it."""

    pattern: re.Pattern[str]
    framework: str
    distributions: tuple[str, ...]


_VERTEX = r"(?:(?:\w+-)?(?:\w+-)?docker\.pkg\.dev/vertex-ai/training|gcr\.io/cloud-aiplatform/training)"
_PREDICTION = r"(?:(?:\w+-)?(?:\w+-)?docker\.pkg\.dev/vertex-ai/prediction|gcr\.io/cloud-aiplatform/prediction)"
_RUNTIME = "AI Platform runtime version "
# Docker Hub itself, or a repository of Artifact Registry that fetches from it.
_HUB = r"(?:docker\.io/|index\.docker\.io/|registry-1\.docker\.io/|[a-z0-9-]+-docker\.pkg\.dev/[\w.:-]+/[\w.-]+/)?"
_TAG = r"(?::(?P<tag>[\w.-]+))?(?:@sha256:[0-9a-f]{64})?"
_TENSORFLOW = ("tensorflow", "tensorflow-cpu")

_STAND_INS = (
    _StandIn(re.compile(rf"{_HUB}tensorflow/tensorflow{_TAG}"), "TensorFlow", _TENSORFLOW),
    _StandIn(
        re.compile(rf"{_VERTEX}/tf-(?:cpu|gpu|tpu)\.(?P<version>\d+-\d+)(?:\.py(?P<python>\d+))?{_TAG}"),
        "TensorFlow",
        _TENSORFLOW,
    ),
    _StandIn(
        re.compile(rf"{_RUNTIME}(?P<version>\d+\.\d+)(?: \(Python (?P<python>\d\.\d+)\))?"), "TensorFlow", _TENSORFLOW
    ),
    _StandIn(re.compile(rf"{_HUB}pytorch/pytorch{_TAG}"), "PyTorch", ("torch",)),
    _StandIn(
        re.compile(rf"{_VERTEX}/pytorch-(?:gpu|cpu|xla|tpu)\.(?P<version>\d+-\d+)(?:\.py(?P<python>\d+))?{_TAG}"),
        "PyTorch",
        ("torch",),
    ),
    _StandIn(re.compile(rf"(?:ghcr\.io|nvcr\.io)/nvidia/jax{_TAG}"), "JAX", ("jax",)),
)
_SERVING_STAND_INS = (
    _StandIn(
        re.compile(rf"{_PREDICTION}/tf(?:2|_opt)-(?:cpu|gpu|tpu)\.(?P<version>\d+-\d+|nightly){_TAG}"),
        "TensorFlow",
        _TENSORFLOW,
    ),
    _StandIn(re.compile(rf"{_HUB}tensorflow/serving{_TAG}"), "TensorFlow", _TENSORFLOW),
)


def check_image(image: str) -> str | None:
    """Refuses an image that this Python cannot stand in for; returns a note where versions differ."""
    for stand_in in _STAND_INS:
        found = stand_in.pattern.fullmatch(image)
        if found:
            return _note(image, stand_in, found)
    raise PlatformError(
        400,
        f"The image {image} cannot run on the local platform, which runs no containers: this Python stands in for"
        " tensorflow/tensorflow, pytorch/pytorch, nvidia/jax and vertex-ai/training images only."
        " Use one of these, or send the job to the cloud.",
        violations=[("job_spec.worker_pool_specs.image_uri", f"Unsupported image: {image}")],
    )


def runtime_image(runtime: str, python: str | None) -> str:
    """What the older API's jobs, which name no image, run in."""
    return f"{_RUNTIME}{runtime}" + (f" (Python {python})" if python else "")


def check_serving_image(image: str) -> None:
    """Refuses an image that our own serving process cannot stand in for."""
    if any(stand_in.pattern.fullmatch(image) for stand_in in _SERVING_STAND_INS):
        return
    raise PlatformError(
        400,
        f"The image {image[:300]} cannot serve on the local platform, which runs no containers: its own serving"
        " process stands in for vertex-ai/prediction/tf2-* and tensorflow/serving images only."
        " Use one of these, or upload the model to the cloud.",
        violations=[("model.container_spec.image_uri", f"Unsupported image: {image[:300]}")],
    )


def _note(image: str, stand_in: _StandIn, found: re.Match[str]) -> str | None:
    installed = _installed(stand_in.distributions)
    if installed is None:
        raise PlatformError(
            400,
            f"The image {image} cannot run on the local platform: this Python has no {stand_in.framework}."
            f" Install it ({stand_in.distributions[0]}), or send the job to the cloud.",
            violations=[("job_spec.worker_pool_specs.image_uri", f"No {stand_in.framework} here for {image}")],
        )
    groups = found.groupdict()
    wanted = (groups.get("version") or "").replace("-", ".") or _version_of(groups.get("tag"), stand_in.framework)
    here = _python()
    differences = []
    if wanted and not (installed + ".").startswith(wanted + "."):
        differences.append(f"{stand_in.framework} {installed} instead of {wanted}")
    python = (groups.get("python") or "").replace(".", "")
    if python and f"{python[0]}.{python[1:]}" != here:
        differences.append(f"Python {here} instead of {python[0]}.{python[1:]}")
    return f"This Python stands in for {image}: {', '.join(differences)}." if differences else None


def _python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _installed(distributions: tuple[str, ...]) -> str | None:
    for distribution in distributions:
        try:
            return importlib.metadata.version(distribution).partition("+")[0]
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def _version_of(tag: str | None, framework: str) -> str | None:
    # NVIDIA's tags count years and months, not versions of JAX.
    if framework == "JAX" or tag is None:
        return None
    found = re.match(r"\d+(?:\.\d+)+", tag)
    return found.group() if found else None
