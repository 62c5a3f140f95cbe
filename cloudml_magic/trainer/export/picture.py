"""How a model takes pictures: from encoded bytes to what it was trained on, as one graph without Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .calling import Input, calling_of
from .not_exportable import NotExportableError

INPUT = "image_bytes"
RESIZES = ("stretch", "crop", "pad")
_CHANNELS = (1, 3, 4)
# The first bytes of JPEG, PNG, GIF and BMP.
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM")


@dataclass(frozen=True)
class Picture:
    """What pictures become before the model: its size, channels, and whether it wants the channels' dimension."""

    height: int
    width: int
    channels: int
    resize: str
    input: Input

    def fitted(self, pixels: Any) -> Any:
        """Pictures from `decoded` in the shape of the model's input."""
        import tensorflow as tf

        return tf.squeeze(pixels, -1) if len(self.input.shape) == 3 else pixels

    @property
    def pixel_shape(self) -> tuple[int | None, ...]:
        shape = (None, self.height, self.width)
        return shape if len(self.input.shape) == 3 else (*shape, self.channels)


def picture_of(model: Any, wanted: bool | None, resize: str = "stretch") -> Picture | None:
    """How the model takes pictures, None where it takes none; `wanted` is the user's word on it."""
    if resize not in RESIZES:
        raise NotExportableError(f"Pictures cannot be resized by {resize!r}.", f"Use {', '.join(RESIZES)}.")
    if wanted is False:
        return None
    inputs = calling_of(model).inputs
    found = _found(model, inputs[0], bool(wanted), resize) if len(inputs) == 1 else "it has several inputs"
    if isinstance(found, Picture):
        return found
    if wanted:
        raise NotExportableError(
            f"The model cannot take pictures: {found}.", "Give it one such input with fixed sizes, or drop --picture."
        )
    return None


def _found(model: Any, taken: Input, wanted: bool, resize: str) -> Picture | str:
    """How pictures get into this input, or why they do not."""
    shape = taken.shape
    is_number = taken.dtype.startswith(("float", "bfloat", "uint", "int"))
    # Pictures without a dimension for channels look like any table: only the user's word tells them apart.
    channels = shape[3] if len(shape) == 4 else 1 if wanted and len(shape) == 3 else None
    if channels not in _CHANNELS or not is_number:
        return "its input is not of shape (height, width, channels) with 1, 3 or 4 channels"
    sizes = shape[1:3]
    height, width = (_resized_inside(model) or sizes) if None in sizes else sizes
    if height is None or width is None:
        return "its input has no fixed height and width"
    return Picture(height, width, channels, resize, taken)


def _resized_inside(model: Any) -> tuple[int, int] | None:
    """The size to which a model of any size resizes what it gets, by its own first layer."""
    import keras

    layers = [layer for layer in getattr(model, "layers", []) if not isinstance(layer, keras.layers.InputLayer)]
    if layers and isinstance(layers[0], keras.layers.Resizing):
        return int(layers[0].height), int(layers[0].width)
    return None


def decoded(contents: Any, picture: Picture) -> Any:
    """A batch of encoded pictures as float32 from 0 to 255 in the model's size."""
    import tensorflow as tf

    shape = (picture.height, picture.width, picture.channels)
    return tf.map_fn(
        lambda content: tf.ensure_shape(_resized(_read(_plain(content), picture.channels), picture), shape),
        contents,
        fn_output_signature=tf.TensorSpec(shape, tf.float32),
    )


def _begins(content: Any, magic: bytes) -> Any:
    import tensorflow as tf

    return tf.equal(tf.strings.substr(content, 0, len(magic)), magic)


def _plain(content: Any) -> Any:
    """The bytes of a picture, also where its base64 text was sent in their place."""
    import tensorflow as tf

    def of_text() -> Any:
        text = tf.strings.regex_replace(content, r"\s", "")
        text = tf.strings.regex_replace(tf.strings.regex_replace(text, r"\+", "-"), "/", "_")
        return tf.io.decode_base64(text)

    known = tf.reduce_any(tf.stack([_begins(content, magic) for magic in _MAGIC]))
    return tf.cond(known, lambda: content, of_text)


def _read(content: Any, channels: int) -> Any:
    """One picture with the channels that the model wants, in its own size."""
    import tensorflow as tf

    def as_it_is() -> Any:
        image = _image(content, 0)
        return _with_channels(tf.cast(tf.ensure_shape(image, (None, None, None)), tf.float32), channels)

    if channels == 4:
        return as_it_is()

    def by_its_decoder() -> Any:
        # JPEG and PNG are turned grey or to colours while they are decoded, as Keras's own datasets do.
        image = _image(content, channels)
        return tf.cast(tf.ensure_shape(image, (None, None, channels)), tf.float32)

    convertible = tf.logical_or(_begins(content, _MAGIC[0]), _begins(content, _MAGIC[1]))
    return tf.cond(convertible, by_its_decoder, as_it_is)


def _image(content: Any, channels: int) -> Any:
    """One decoded picture; JPEG by the accurate transform, as every other decoder does it unless it is told."""
    import tensorflow as tf

    return tf.cond(
        _begins(content, _MAGIC[0]),
        lambda: tf.io.decode_jpeg(content, channels=channels, dct_method="INTEGER_ACCURATE"),
        lambda: tf.io.decode_image(content, channels=channels, expand_animations=False),
    )


def _with_channels(image: Any, channels: int) -> Any:
    """Grey, grey with transparency, colours or colours with transparency, as 1, 3 or 4 channels."""
    import tensorflow as tf

    found = tf.shape(image)[-1]
    grey = found <= 2
    colours = tf.cond(grey, lambda: tf.repeat(image[..., :1], 3, axis=-1), lambda: image[..., :3])
    if channels == 1:
        return tf.cond(grey, lambda: image[..., :1], lambda: tf.image.rgb_to_grayscale(colours))
    if channels == 3:
        return colours
    opaque = tf.ones_like(image[..., :1]) * 255.0
    return tf.concat([colours, tf.cond(found % 2 == 0, lambda: image[..., -1:], lambda: opaque)], axis=-1)


def _resized(image: Any, picture: Picture) -> Any:
    """Bilinear, without antialiasing; what is cut or added to keep the proportions is split evenly."""
    import tensorflow as tf

    size = tf.shape(image)
    height, width = size[0], size[1]
    # As Keras's own `crop_to_aspect_ratio` and `pad_to_aspect_ratio` count.
    tall = tf.cast(tf.cast(width * picture.height, tf.float32) / picture.width, tf.int32)
    wide = tf.cast(tf.cast(height * picture.width, tf.float32) / picture.height, tf.int32)
    if picture.resize == "crop":
        tall, wide = tf.maximum(tf.minimum(height, tall), 1), tf.maximum(tf.minimum(width, wide), 1)
        image = tf.image.crop_to_bounding_box(image, (height - tall) // 2, (width - wide) // 2, tall, wide)
    elif picture.resize == "pad":
        above, left = tf.maximum(tall - height, 0) // 2, tf.maximum(wide - width, 0) // 2
        image = tf.pad(image, [(above, above), (left, left), (0, 0)])
    return tf.image.resize(image, (picture.height, picture.width))
