"""Images for the cloud: repositories, images with requirements, and the public one that serves models."""

from cloudml_magic.pipeline.images.building import build_image, set_up_image_registry
from cloudml_magic.pipeline.images.known import built_images

__all__ = ["build_image", "built_images", "set_up_image_registry"]
