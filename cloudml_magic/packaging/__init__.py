"""CapturedSource, rendered as a module, becomes an sdist: equal cells, equal bytes."""

from cloudml_magic.packaging.boot import boot_command
from cloudml_magic.packaging.image import ImageRecipe
from cloudml_magic.packaging.sdist import ENTRY_MODULE, build_trainer, slug

__all__ = ["ENTRY_MODULE", "ImageRecipe", "boot_command", "build_trainer", "slug"]
