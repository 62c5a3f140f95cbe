"""Pictures that a user gave: files, bytes, images, pixels, told from numbers by what the model takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.prediction.pictures import Picture, picture_of, picture_of_array, picture_of_image
from cloudml_magic.pipeline.prediction.tensors_given import is_frame
from cloudml_magic.records import ModelInterface, PictureInput
from cloudml_magic.serving.instances import signature_takes
from cloudml_magic.serving.tensors import decoded

Read = Callable[[str], bytes]
_CHANNELS = (1, 2, 3, 4)
_LEAST_SIDE = 8  # What is narrower is rather something else than a stack of grey pictures.
_SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff")


class FileName(str):
    """A file or gs:// address that was named as one, on the line of a magic: never a text for the model."""

    __slots__ = ()


def pictures_in(value: Any, wanted: PictureInput, read: Read, largest: int) -> list[Picture] | None:
    """The pictures that a value holds; None if it holds numbers for the model itself."""
    items = _items(_unnamed(value, wanted.input), wanted)
    return None if items is None else [_picture(item, wanted, read, largest) for item in items]


def refuse_pictures(value: Any, interface: ModelInterface) -> None:
    """Says of files and images that the model takes none, in place of what is wrong with them as numbers or text."""
    signatures = list(interface.signatures.values())
    takes_text = any(spec.dtype == "string" for signature in signatures for spec in signature.inputs)
    items = _several(value) or [value]
    if not items or not all(_is_file(item, takes_text) for item in items):
        return
    raise CloudMLError(
        "no-picture-model",
        "The model takes no picture files.",
        why=signature_takes(signatures[0]) if signatures else "It has no signature.",
        next="Put the text itself into a cell below `%%ml_predict`."
        if takes_text
        else "Give its numbers in a cell below `%%ml_predict`; or, if they are a picture of one fixed size,"
        " export the model with `--picture` and deploy that.",
    )


def _is_file(item: Any, takes_text: bool) -> bool:
    if isinstance(item, FileName | Path) or _is_image(item):
        return True
    return not takes_text and isinstance(item, str) and item.lower().endswith(_SUFFIXES)


def _unnamed(value: Any, name: str) -> Any:
    """What is given by the name of the picture's input, without it; also a row each."""
    if isinstance(value, Mapping) and tuple(value) == (name,):
        return value[name]
    if isinstance(value, list) and value and all(isinstance(row, Mapping) and tuple(row) == (name,) for row in value):
        return [row[name] for row in value]
    return value


def _items(value: Any, wanted: PictureInput) -> list[Any] | None:
    if _is_picture(value):
        return [value]
    if _is_pixels(value):
        return _pictures_of_pixels(value, wanted)
    items = _several(value)
    if not items or not any(_is_picture(item) or _is_pixels(item) for item in items):
        return None
    found: list[Any] = []
    for index, item in enumerate(items):
        if not (_is_picture(item) or _is_pixels(item)):
            raise CloudMLError(
                "mixed-pictures",
                f"Instance {index} is no picture: {str(item)[:60]}.",
                why="Others are, and a question holds either pictures or numbers.",
                next="Leave it out.",
            )
        found += _pictures_of_pixels(item, wanted) if _is_pixels(item) else [item]
    return found


def _several(value: Any) -> list[Any] | None:
    """The items of what lists paths, texts or objects; None for numbers."""
    if is_frame(value):
        return _several(value.to_numpy()) if len(value.columns) == 1 else None
    if getattr(getattr(value, "dtype", None), "kind", "") in ("O", "U", "S", "T"):
        return list(value.reshape(-1).tolist()) if value.ndim == 1 or value.shape[1:] == (1,) else None
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray) else None


def _is_picture(value: Any) -> bool:
    if isinstance(value, Mapping):
        return tuple(value) == ("b64",)
    return isinstance(value, str | bytes | bytearray | Path) or _is_image(value)


def _is_image(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "PIL"


def _is_pixels(value: Any) -> bool:
    """Whole numbers of one byte are pixels; other numbers are what `model.predict` takes."""
    return str(getattr(value, "dtype", "")) == "uint8" and getattr(value, "ndim", 0) in (2, 3, 4)


def _pictures_of_pixels(array: Any, wanted: PictureInput) -> list[Any]:
    """One picture, or a stack of them, by the model's size and channels (docs/magics/ml_predict.md)."""
    *_, before, last = array.shape
    if array.ndim == 4 and last in _CHANNELS:
        return list(array)
    if array.ndim == 2:
        return [array]
    if array.ndim == 3:
        is_own_size = (before, last) == (wanted.height, wanted.width)
        is_grey = wanted.channels == 1 and min(before, last) >= _LEAST_SIDE
        is_channels_first = wanted.channels == array.shape[0] != 1
        if (is_own_size or (is_grey and last not in _CHANNELS)) and not is_channels_first:
            return list(array)
        if last in _CHANNELS:
            return [array]
    raise CloudMLError(
        "unclear-pixels",
        f"An array of shape {list(array.shape)} is neither a picture nor a stack of them.",
        why="A picture is height × width, or height × width × channels with 1 to 4 channels, which come last;"
        f" the model sees {wanted.height} × {wanted.width} × {wanted.channels}.",
        next="Move the channels to the end, `np.moveaxis(x, -3, -1)`, or give a list with one array a picture.",
    )


def _picture(item: Any, wanted: PictureInput, read: Read, largest: int) -> Picture:
    if isinstance(item, str | Path):
        text = str(item)
        return picture_of(read(text), text.rpartition("/")[2], largest, wanted)
    if isinstance(item, bytes | bytearray):
        return picture_of(bytes(item), "", largest, wanted)
    if isinstance(item, Mapping):
        return picture_of(decoded(item["b64"], "an instance"), "", largest, wanted)
    if _is_pixels(item):
        return picture_of_array(item, largest, wanted)
    return picture_of_image(item, str(getattr(item, "filename", "")).rpartition("/")[2], largest, wanted)
