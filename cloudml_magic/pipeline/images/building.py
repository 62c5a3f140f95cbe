"""Builds an image that holds requirements, by Cloud Build, once for each list of them."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from cloudml_magic.connection import Connection, Place, place
from cloudml_magic.dialects import cloud_build_v1
from cloudml_magic.dialects.machines import asked_machine
from cloudml_magic.errors import CloudMLError
from cloudml_magic.packaging import ImageRecipe
from cloudml_magic.pipeline.images.known import NAME, address_of, remember
from cloudml_magic.pipeline.images.registry import BUILT, OnStage, has_tag, require_repository, set_up_registry
from cloudml_magic.pipeline.runtime import default_image, kernel_backend
from cloudml_magic.pipeline.session import CURRENT, connection_to
from cloudml_magic.records import BuildSnapshot, BuiltImage, Target

_LONGEST_SECONDS = 3600
_POLL_SECONDS = 2.0
_REQUIREMENT = re.compile(r"[A-Za-z0-9][^\r\n\\]*")
_IMAGE = re.compile(r"[a-z0-9][\w./:@-]*")


def build_image(
    requirements: Sequence[str],
    *,
    base: str | None = None,
    gpu: str | None = None,
    target: str | None = None,
    on_stage: OnStage = lambda stage: None,
) -> BuiltImage:
    """Builds an image with these requirements, unless there is one: what `%ml_image build` does, from Python.

    Jobs that require exactly this find it by themselves.
    """
    where = _cloud(target)
    machine = asked_machine(CURRENT.value("machine"), CURRENT.value("gpu", gpu))
    chosen = base or default_image(kernel_backend(), with_gpu=machine.accelerator is not None)
    recipe = ImageRecipe.of(_checked_base(chosen), map(_checked, requirements))
    if not recipe.requirements:
        raise CloudMLError(
            "nothing-to-build",
            "There is nothing to build: no requirements.",
            why=f"{recipe.base} holds all that is needed, or nothing was named.",
            next="Name them: `%ml_image build scikit-learn==1.5.0`, or put %%ml_image build on a cell that needs them.",
        )
    there = connection_to(where)
    image = BuiltImage(address_of(recipe, where), recipe.digest, recipe.base, recipe.requirements)
    require_repository(there, BUILT)
    if not has_tag(there, NAME, recipe.digest):
        _build(recipe, image.address, there, on_stage)
    remember(image)
    return image


def set_up_image_registry(*, target: str | None = None, on_stage: OnStage = lambda stage: None) -> None:
    """Makes the repositories that images need in the cloud: what `%ml_image setup` does, from Python."""
    set_up_registry(connection_to(_cloud(target)), on_stage)


def _cloud(target: str | None) -> Place:
    where = place(CURRENT, target)
    if where.target is Target.LOCAL:
        raise CloudMLError(
            "nothing-to-build",
            "The local platform has no images to build.",
            why="It runs no containers: this Python runs its jobs, and what they require is installed once and kept.",
            next="In the cloud, `%ml_init --target cloud`, the same line builds one.",
        )
    return where


def _build(recipe: ImageRecipe, address: str, there: Connection, on_stage: OnStage) -> None:
    where = there.place
    there.check_bucket()
    on_stage("sending the list")
    source = where.bucket / "images" / f"{recipe.digest}.tar.gz"
    there.storage.put_once(source, recipe.context)
    caller = there.caller(cloud_build_v1.API)
    call = cloud_build_v1.create_build(
        where.project,
        source.bucket,
        source.name,
        address,
        timeout_seconds=_LONGEST_SECONDS,
        service_account=where.protection.service_account,
    )
    build = cloud_build_v1.read_begun(caller.perform(call))
    deadline = time.monotonic() + 2 * _LONGEST_SECONDS  # A build may wait for its turn.
    while not build.is_final and time.monotonic() < deadline:
        on_stage(build.stage)
        time.sleep(_POLL_SECONDS)
        build = cloud_build_v1.read_build(caller.perform(cloud_build_v1.get_build(where.project, build.id)))
    on_stage(build.stage)
    if not build.is_built:
        raise _not_built(build)


def _not_built(build: BuildSnapshot) -> CloudMLError:
    log = f"Its log says more: {build.log}" if build.log else "`gcloud builds list` shows it, and its log."
    return CloudMLError(
        "image-not-built",
        "Cloud Build did not build the image.",
        why=build.why or f"The build is {build.stage}.",
        next=f"{log} A requirement that pip does not find is the most common cause.",
    )


def _checked(requirement: str) -> str:
    if not _REQUIREMENT.fullmatch(requirement.strip()):
        raise CloudMLError(
            "bad-option",
            f"{requirement.strip()[:80]!r} is no requirement.",
            next="Use names with versions, such as scikit-learn==1.5.0.",
        )
    return requirement


def _checked_base(image: str) -> str:
    if not _IMAGE.fullmatch(image):
        raise CloudMLError(
            "bad-option", f"{image[:80]!r} is no image.", next="Use an address such as tensorflow/tensorflow:2.21.0."
        )
    return image
