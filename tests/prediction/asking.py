"""How tests give a value to a model: what it becomes, or what is said of it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.prediction.given import Given, given
from cloudml_magic.pipeline.prediction.requests import LARGEST_PICTURE
from cloudml_magic.records import ModelInterface


def encoded(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    """The image as a file."""
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def ask(value: Any, interface: ModelInterface) -> Given:
    """What would be sent."""
    return given(value, interface, lambda where: Path(where).read_bytes(), LARGEST_PICTURE)


def refusal(value: Any, interface: ModelInterface) -> str:
    """What is said of a value that the model does not take."""
    with pytest.raises(CloudMLError) as raised:
        ask(value, interface)
    return str(raised.value)
