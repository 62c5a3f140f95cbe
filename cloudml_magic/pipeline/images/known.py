"""The images that this user had built, kept in a file: jobs with the same requirements find theirs without asking."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict

from cloudml_magic.connection import Place
from cloudml_magic.packaging import ImageRecipe
from cloudml_magic.pipeline.images.registry import BUILT, registry_address
from cloudml_magic.places import built_images_file
from cloudml_magic.records import BuiltImage, Target

NAME = "trainer"
"""What every built image is called; its tag is the digest of its recipe."""


def address_of(recipe: ImageRecipe, where: Place) -> str:
    """Where the image of a recipe lies in a project, whether it is built or not."""
    return registry_address(where, BUILT, f"{NAME}:{recipe.digest}")


def image_for(base: str, requirements: Sequence[str], where: Place) -> str:
    """The image that was built for exactly these requirements, else the base itself."""
    if where.target is Target.LOCAL or not requirements:
        return base
    wanted = address_of(ImageRecipe.of(base, requirements), where)
    return wanted if any(image.address == wanted for image in built_images()) else base


def built_images() -> list[BuiltImage]:
    """All of them, the latest last."""
    try:
        kept = json.loads(built_images_file().read_text("utf-8"))
        return [BuiltImage(**{**image, "requirements": tuple(image["requirements"])}) for image in kept]
    except (OSError, ValueError, TypeError, KeyError):
        return []  # A file that is damaged costs a look into the registry, and no more.


def remember(image: BuiltImage) -> None:
    """Keeps an image, in place of an older entry of the same address."""
    file = built_images_file()
    others = [known for known in built_images() if known.address != image.address]
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    written = file.with_name(f".{file.name}.{os.getpid()}")
    written.write_text(json.dumps([asdict(known) for known in (*others, image)], indent=1), "utf-8")
    written.replace(file)
